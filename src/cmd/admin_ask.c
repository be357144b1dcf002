#include "cmd/admin_ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cmd/config_load.h"
#include "cmd/print.h"
#include "core/codec.h"
#include "os/heap.h"
#include "wire/json_pool.h"

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024 };

/* ---- whom ------------------------------------------------------------------------------------ */

static const char *join(struct ph_arena *arena, const char *a, const char *b)
{
    size_t room = strlen(a) + strlen(b) + 1;
    char *text = ph_arena_alloc(arena, room);
    if (text != NULL)
        (void)snprintf(text, room, "%s%s", a, b);
    return text;
}

/* env:NAME or file:PATH. */
static bool read_token(struct ph_admin_asker *asker, const char *from)
{
    if (from == NULL)
        return true;
    if (strncmp(from, "env:", 4) == 0) {
        asker->token = getenv(from + 4);
        if (asker->token == NULL)
            fprintf(stderr, "payhook: the environment variable %s is not set\n", from + 4);
    } else if (strncmp(from, "file:", 5) == 0) {
        struct ph_slice text = ph_slice_trim(ph_args_file(asker->args, from + 5));
        asker->token = text.len > 0 ? ph_arena_copy(&asker->args->arena, text).ptr : NULL;
    } else {
        fprintf(stderr, "payhook: --token takes env:NAME or file:PATH; a token itself would be "
                        "seen by every user of this machine\n");
    }
    return asker->token != NULL && strpbrk(asker->token, "\r\n") == NULL;
}

/* Where the configuration that payhook runs by has its socket: --config or PAYHOOK_CONFIG,
 * variables over it, or what there is without a file. */
static int find_socket(struct ph_admin_asker *asker)
{
    struct ph_args *args = asker->args;
    const struct ph_config *config = ph_cmd_config_places(&args->arena, args->one[PH_OPT_SETTINGS]);
    if (config == NULL)
        return PH_EXIT_USAGE;
    int code = PH_EXIT_OK;
    if (config->admin.socket.len == 0)
        code = ph_args_wrong("admin.socket is off in this configuration: give --admin URL", NULL);
    else
        asker->socket = ph_arena_copy(&args->arena, config->admin.socket).ptr;
    ph_config_free(config);
    return code == PH_EXIT_OK && asker->socket == NULL ? PH_EXIT_FAILED : code;
}

int ph_asker_init(struct ph_args *args, struct ph_admin_asker *ret)
{
    const char *admin = args->one[PH_OPT_ADMIN], *output = args->one[PH_OPT_OUTPUT],
               *data = args->one[PH_OPT_DATA];
    *ret = (struct ph_admin_asker){.args = args,
                                   .json = output != NULL && strcmp(output, "json") == 0};
    ph_arena_init(&ret->arena, &ph_os_heap, SIZE_MAX / 4, 0);
    if (output != NULL && !ret->json && strcmp(output, "text") != 0)
        return ph_args_wrong("--output takes json or text, not", output);
    if ((admin != NULL) + (data != NULL) + (args->one[PH_OPT_SETTINGS] != NULL) > 1)
        return ph_args_wrong("give one of --admin, --data and --config", NULL);
    if (!read_token(ret, args->one[PH_OPT_TOKEN]))
        return PH_EXIT_USAGE;
    if (admin != NULL &&
        (strncmp(admin, "http://", 7) == 0 || strncmp(admin, "https://", 8) == 0)) {
        ret->base = admin;
        return PH_EXIT_OK;
    }
    ret->base = "http://payhook";
    if (admin == NULL && data == NULL)
        return find_socket(ret);
    if (data != NULL)
        ret->socket = join(&args->arena, data, "/admin.sock");
    else if (strncmp(admin, "unix:", 5) == 0)
        ret->socket = admin + 5;
    else
        return ph_args_wrong("--admin takes http://HOST:PORT, https://HOST:PORT or unix:PATH, not",
                             admin);
    return ret->socket != NULL ? PH_EXIT_OK : PH_EXIT_FAILED;
}

int ph_asker_limit(struct ph_admin_asker *asker, int64_t *ret)
{
    const char *limit = asker->args->one[PH_OPT_LIMIT];
    if (asker->args->one[PH_OPT_ALL] != NULL)
        *ret = INT64_MAX;
    if (limit == NULL)
        return PH_EXIT_OK;
    if (!ph_parse_int64(ph_slice_str(limit), ret) || *ret < 1)
        return ph_args_wrong("--limit takes a number above 0, not", limit);
    return PH_EXIT_OK;
}

void ph_asker_done(struct ph_admin_asker *asker)
{
    ph_arena_wipe(&asker->arena); /* answers may be requests, unmasked */
    ph_arena_done(&asker->arena);
}

/* ---- what ------------------------------------------------------------------------------------ */

static void put(struct ph_cmd_query *query, const char *text, bool encoded)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = encoded || (c >= '0' && c <= '9') ||
                     ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~", c) != NULL;
        int len = snprintf(query->text + query->len, sizeof query->text - query->len,
                           plain ? "%c" : "%%%02X", c);
        if (len < 0 || (size_t)len >= sizeof query->text - query->len) {
            query->too_long = true;
            return;
        }
        query->len += (size_t)len;
    }
}

void ph_query_path(struct ph_cmd_query *query, const char *path)
{
    put(query, path, true);
}

void ph_query_word(struct ph_cmd_query *query, const char *word)
{
    put(query, word, false);
}

void ph_query_add(struct ph_cmd_query *query, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    put(query, query->has_query ? "&" : "?", true);
    query->has_query = true;
    put(query, name, true);
    put(query, "=", true);
    put(query, value, false);
}

static const struct filter {
    enum ph_option_id option;
    const char *name;
} filters[] = {
    {PH_OPT_ENDPOINT, "endpoint"}, {PH_OPT_CONNECTOR, "connector"},
    {PH_OPT_TYPE, "type"},         {PH_OPT_CLASS, "class"},
    {PH_OPT_SUBJECT, "subject"},   {PH_OPT_DESTINATION, "destination"},
    {PH_OPT_STATE, "state"},       {PH_OPT_STANDING, "standing"},
    {PH_OPT_FROM, "from"},         {PH_OPT_TO, "to"},
};

static const char *given(const struct ph_args *args, size_t i)
{
    bool takes = (ph_options[filters[i].option].commands & args->command) != 0;
    return takes ? args->one[filters[i].option] : NULL;
}

void ph_query_filters(struct ph_cmd_query *query, const struct ph_args *args)
{
    for (size_t i = 0; i < PH_COUNTOF(filters); i++)
        ph_query_add(query, filters[i].name, given(args, i));
}

void ph_filters_json(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct ph_args *args)
{
    for (size_t i = 0; i < PH_COUNTOF(filters); i++)
        if (given(args, i) != NULL)
            yyjson_mut_obj_add_str(doc, object, filters[i].name, given(args, i));
}

bool ph_filters_given(const struct ph_args *args)
{
    for (size_t i = 0; i < PH_COUNTOF(filters); i++)
        if (given(args, i) != NULL)
            return true;
    return false;
}

struct ph_slice ph_asker_body(struct ph_admin_asker *asker, yyjson_mut_doc *doc)
{
    size_t len = 0;
    char *text = yyjson_mut_write(doc, YYJSON_WRITE_NOFLAG, &len);
    struct ph_slice copy = text != NULL ? ph_arena_copy(&asker->args->arena, ph_slice_of(text, len))
                                        : (struct ph_slice){0};
    free(text);
    return copy;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* {"error":{"code","message"}} for a person; what is none of ours is told by its status. */
static int say_error(const struct ph_asked *answer)
{
    yyjson_doc *doc = yyjson_read(answer->body.ptr, answer->body.len, 0);
    yyjson_val *message = yyjson_ptr_get(yyjson_doc_get_root(doc), "/error/message");
    if (yyjson_is_str(message)) {
        fprintf(stderr, "payhook: ");
        fflush(stderr);
        ph_print_escaped_to(stderr, ph_slice_of(yyjson_get_str(message), yyjson_get_len(message)));
        fprintf(stderr, "\n");
    } else {
        fprintf(stderr, "payhook: the answer is HTTP status %d: is that payhook's admin API?\n",
                answer->status);
    }
    yyjson_doc_free(doc);
    return answer->status == 400 ? PH_EXIT_USAGE : PH_EXIT_FAILED;
}

int ph_asker_ask(struct ph_admin_asker *asker, const char *method, const struct ph_cmd_query *query,
                 struct ph_slice body, int64_t total_ms, struct ph_asked *ret)
{
    char why[PH_ASK_WHY_BYTES];
    ph_arena_wipe(&asker->arena);
    if (query->too_long)
        return ph_args_wrong("these filters are too long", NULL);
    const char *base = join(&asker->arena, asker->base, "/admin/v1/"),
               *url = base != NULL ? join(&asker->arena, base, query->text) : NULL;
    if (url == NULL)
        return PH_EXIT_FAILED;
    const struct ph_ask ask = {.socket = asker->socket,
                               .url = url,
                               .method = method,
                               .token = asker->token,
                               .body = body,
                               .total_ms = total_ms,
                               .answer_bytes_max = ANSWER_BYTES_MAX};
    if (ph_ask(&asker->arena, &ask, ret, why) != PH_OK) {
        bool silent =
            asker->socket != NULL && ret->status == 0; /* curl would speak of a host and a port */
        fprintf(
            stderr,
            "payhook: cannot ask %s: %s; is payhook serve running there? (--config FILE, --data "
            "DIR, --admin URL)\n",
            asker->socket != NULL ? asker->socket : asker->base, silent ? "nobody answers" : why);
        return PH_EXIT_FAILED;
    }
    return ret->status >= 200 && ret->status < 300 ? PH_EXIT_OK : say_error(ret);
}

int ph_asker_json(struct ph_admin_asker *asker, const char *method,
                  const struct ph_cmd_query *query, struct ph_slice body, yyjson_val **ret)
{
    struct ph_asked answer;
    const yyjson_alc pool = ph_json_pool(&asker->arena);
    int code = ph_asker_ask(asker, method, query, body, 2 * (int64_t)PH_ADMIN_MS, &answer);
    if (code != PH_EXIT_OK)
        return code;
    yyjson_doc *doc = yyjson_read_opts((char *)answer.body.ptr, answer.body.len,
                                       YYJSON_READ_NUMBER_AS_RAW, &pool, NULL);
    *ret = doc != NULL ? yyjson_doc_get_root(doc) : NULL;
    if (yyjson_is_obj(*ret))
        return PH_EXIT_OK;
    fprintf(stderr, "payhook: the answer is no JSON: is that payhook's admin API?\n");
    return PH_EXIT_FAILED;
}
