#include "cmd/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

#include "cmd/print.h"
#include "core/codec.h"
#include "os/heap.h"
#include "reader/nearest.h"

int ph_args_wrong(const char *what, const char *value)
{
    fprintf(stderr, "payhook: %s%s%s (see --help)\n", what, value != NULL ? ": " : "",
            value != NULL ? value : "");
    return PH_EXIT_USAGE;
}

/* ---- files ----------------------------------------------------------------------------------- */

static struct ph_slice read_all(struct ph_args *args, FILE *f, const char *path)
{
    size_t len = 0, room = 64 * 1024;
    char *bytes = ph_arena_alloc(&args->arena, room);
    while (bytes != NULL) {
        size_t n = fread(bytes + len, 1, room - len, f);
        len += n;
        if (n == 0)
            break;
        if (len == room) {
            char *more = room < PH_FILE_BYTES_MAX ? ph_arena_alloc(&args->arena, room * 2) : NULL;
            if (more != NULL)
                memcpy(more, bytes, len);
            bytes = more;
            room *= 2;
        }
    }
    if (bytes == NULL)
        fprintf(stderr, "payhook: %s is larger than 16 MiB\n", path);
    else if (ferror(f)) /* a directory opens, and does not read */
        fprintf(stderr, "payhook: cannot read %s: %s\n", path, strerror(errno));
    return bytes == NULL || ferror(f) ? (struct ph_slice){0} : ph_slice_of(bytes, len);
}

struct ph_slice ph_args_file(struct ph_args *args, const char *path)
{
    if (strcmp(path, "-") == 0) {
        if (args->stdin_taken) {
            fprintf(stderr, "payhook: standard input (-) can be read once only\n");
            return (struct ph_slice){0};
        }
        args->stdin_taken = true;
        return read_all(args, stdin, "standard input");
    }
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fprintf(stderr, "payhook: cannot read %s: %s\n", path, strerror(errno));
        return (struct ph_slice){0};
    }
    struct ph_slice text = read_all(args, f, path);
    fclose(f);
    return text;
}

static struct ph_slice without_line_end(struct ph_slice s)
{
    while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

static struct ph_slice from_env(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL)
        fprintf(stderr, "payhook: the environment variable %s is not set\n", name);
    return ph_slice_str(value);
}

/* ---- secrets and config ---------------------------------------------------------------------- */

static bool add_secret(struct ph_args *a, struct ph_slice text, bool additional)
{
    if (!ph_slice_present(text))
        return false;
    if (additional) {
        if (a->secret_count == 0 || ph_slice_present(a->secrets[a->secret_count - 1].additional)) {
            fprintf(stderr,
                    "payhook: an additional secret follows the secret it belongs to, one each\n");
            return false;
        }
        a->secrets[a->secret_count - 1].additional = text;
        return true;
    }
    if (a->secret_count == PH_SECRETS_MAX) {
        fprintf(stderr, "payhook: more than %d secrets\n", PH_SECRETS_MAX);
        return false;
    }
    a->secrets[a->secret_count++] = (struct ph_secret_pair){.secret = text};
    return true;
}

static bool add_config(struct ph_args *a, struct ph_slice name, struct ph_slice value)
{
    if (!ph_slice_present(value))
        return false;
    if (a->config_count == PH_CONFIG_VALUES_MAX) {
        fprintf(stderr, "payhook: more than %d config fields\n", PH_CONFIG_VALUES_MAX);
        return false;
    }
    a->config[a->config_count++] = (struct ph_config_value){name, value};
    return true;
}

static bool take_config(struct ph_args *a, enum ph_option_id id, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        ph_args_wrong("a config field is given as NAME=…, not", text);
        return false;
    }
    struct ph_slice name = ph_slice_of(text, (size_t)(equals - text)),
                    value = ph_slice_str(equals + 1);
    if (id == PH_OPT_CONFIG_ENV)
        value = from_env(equals + 1);
    else if (value.len > 1 && value.ptr[0] == '@')
        value = ph_args_file(a, value.ptr + 1);
    else if (ph_slice_find(value, PH_S("PRIVATE KEY"), 0) != SIZE_MAX) {
        fprintf(stderr, "payhook: a private key on the command line is seen by every user of this "
                        "machine: NAME=@FILE\n");
        return false;
    }
    return add_config(a, name, value);
}

static bool take_config_file(struct ph_args *a, const char *path)
{
    struct ph_slice text = ph_args_file(a, path);
    yyjson_doc *doc =
        ph_slice_present(text) ? yyjson_read(text.ptr, text.len, YYJSON_READ_NUMBER_AS_RAW) : NULL;
    yyjson_val *root = yyjson_doc_get_root(doc), *k, *v;
    size_t i, n;
    bool good = yyjson_is_obj(root);
    if (!good && ph_slice_present(text))
        fprintf(stderr, "payhook: %s is not a JSON object\n", path);
    yyjson_obj_foreach(root, i, n, k, v)
    {
        struct ph_slice name = ph_slice_of(yyjson_get_str(k), yyjson_get_len(k)), value = {0};
        if (yyjson_is_str(v) || yyjson_is_raw(v))
            value = ph_slice_of(unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v));
        else if (yyjson_is_bool(v))
            value = yyjson_get_bool(v) ? PH_S("true") : PH_S("false");
        else
            fprintf(stderr, "payhook: %s: %.*s is neither text, number nor true/false\n", path,
                    (int)name.len, name.ptr);
        good = good && ph_slice_present(value) &&
               add_config(a, ph_arena_copy(&a->arena, name), ph_arena_copy(&a->arena, value));
    }
    yyjson_doc_free(doc);
    return good;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool take_header(struct ph_args *a, const char *text)
{
    struct ph_header header;
    if (!ph_request_file_header(ph_slice_str(text), &header)) {
        ph_args_wrong("a header is written 'Name: value', not", text);
        return false;
    }
    if (a->request.header_count == PH_HEADERS_MAX) {
        fprintf(stderr, "payhook: more than %d headers\n", PH_HEADERS_MAX);
        return false;
    }
    a->request.headers[a->request.header_count++] = header;
    return true;
}

/* Options that may repeat are taken where they stand: an additional secret follows its secret. */
static bool take_many(struct ph_args *a, enum ph_option_id id, const char *v)
{
    switch (id) {
    case PH_OPT_SECRET_ENV:
    case PH_OPT_ADDITIONAL_ENV:
        return add_secret(a, from_env(v), id == PH_OPT_ADDITIONAL_ENV);
    case PH_OPT_SECRET_FILE:
    case PH_OPT_ADDITIONAL_FILE:
        return add_secret(a, without_line_end(ph_args_file(a, v)), id == PH_OPT_ADDITIONAL_FILE);
    case PH_OPT_CONFIG:
    case PH_OPT_CONFIG_ENV:
        return take_config(a, id, v);
    case PH_OPT_CONFIG_FILE:
        return take_config_file(a, v);
    default:
        return take_header(a, v);
    }
}

static bool number(const char *option, const char *text, int64_t max, int64_t *ret)
{
    if (ph_parse_int64(ph_slice_str(text), ret) && *ret >= 0 && *ret <= max)
        return true;
    fprintf(stderr, "payhook: %s takes a number, not %s (see --help)\n", option, text);
    return false;
}

/* argv[*i] and the value after it, or after its '='. */
static bool take(struct ph_args *a, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    int id = ph_option_find(a->command, word, len);
    if (id < 0) {
        bool secret = len > 2 && (strncmp(word, "--secret", len) == 0 ||
                                  strncmp(word, "--additional-secret", len) == 0);
        /* The value is not repeated: it may be a secret. */
        if (secret)
            fprintf(stderr, "payhook: secrets are not taken from the command line, which every "
                            "user of this machine "
                            "sees: --secret-env VARIABLE or --secret-file FILE\n");
        else
            fprintf(stderr, "payhook: no such option here: %.*s (see --help)\n", (int)len, word);
        return false;
    }
    const struct ph_option *o = &ph_options[id];
    const char *value = o->name;
    if (o->value != NULL) {
        value = equals != NULL ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    } else if (equals != NULL) {
        value = NULL;
    }
    if (value == NULL) {
        ph_args_wrong(o->value != NULL ? "this option needs a value" : "this option takes no value",
                      o->name);
        return false;
    }
    if (o->many)
        return take_many(a, (enum ph_option_id)id, value);
    if (a->one[id] != NULL && o->value != NULL) {
        ph_args_wrong("given twice", o->name);
        return false;
    }
    a->one[id] = value;
    return true;
}

/* ---- what the options amount to -------------------------------------------------------------- */

/* The file first, then what the other options say of the request. */
static bool settle_request(struct ph_args *a)
{
    int64_t entry = 0;
    struct ph_slice why;
    struct ph_request_file *f = &a->request;
    if (a->one[PH_OPT_ENTRY] != NULL &&
        (!number("--entry", a->one[PH_OPT_ENTRY], INT32_MAX, &entry) || entry == 0))
        return ph_args_wrong("--entry counts from 1", NULL) == PH_EXIT_OK;
    if (a->one[PH_OPT_REQUEST] != NULL) {
        struct ph_request_file given = *f;
        struct ph_slice text = ph_args_file(a, a->one[PH_OPT_REQUEST]);
        if (!ph_slice_present(text))
            return false;
        if (!ph_request_file_read(&a->arena, text, entry, f, &why)) {
            fprintf(stderr, "payhook: %s: %.*s\n", a->one[PH_OPT_REQUEST], (int)why.len, why.ptr);
            return false;
        }
        for (size_t i = 0; i < given.header_count && f->header_count < PH_HEADERS_MAX; i++)
            f->headers[f->header_count++] = given.headers[i];
    }
    if (a->one[PH_OPT_METHOD] != NULL)
        f->method = ph_slice_str(a->one[PH_OPT_METHOD]);
    if (a->one[PH_OPT_URI] != NULL)
        f->uri = ph_slice_str(a->one[PH_OPT_URI]);
    if (a->one[PH_OPT_BODY] != NULL)
        f->body = ph_args_file(a, a->one[PH_OPT_BODY]);
    if (a->one[PH_OPT_BODY] != NULL && !ph_slice_present(f->body))
        return false;
    if (!ph_slice_present(f->method))
        f->method = PH_S("POST");
    return true;
}

static bool settle(struct ph_args *a)
{
    const char *capture = a->one[PH_OPT_CAPTURE_METHOD];
    int64_t seconds;
    if (a->one[PH_OPT_AT] != NULL) {
        if (!number("--at", a->one[PH_OPT_AT], INT64_MAX, &seconds))
            return false;
        if (seconds >= PH_ISO_END_MS / 1000) {
            ph_args_wrong("--at takes unix seconds (not ms) of a year up to 9999, not",
                          a->one[PH_OPT_AT]);
            return false;
        }
        a->now_ms = seconds * 1000;
        a->has_at = true;
    }
    if (capture != NULL &&
        (a->capture_method = ph_word_number(PH_WORDS_CAPTURE_METHOD, ph_slice_str(capture))) < 0) {
        ph_args_wrong("--capture-method takes AUTOMATIC, MANUAL, …, not", capture);
        return false;
    }
    return settle_request(a) && ph_cmd_pages_load(&a->arena, a->one[PH_OPT_CONNECTORS], &a->pages);
}

int ph_args_read(struct ph_args *a, enum ph_command command, int argc, char **argv, bool *ret_help)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    memset(a, 0, sizeof(*a));
    a->command = command;
    a->now_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
    ph_arena_init(&a->arena, &ph_os_heap, SIZE_MAX / 4, 0);
    *ret_help = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            ph_option_help(command);
            *ret_help = true;
            return PH_EXIT_OK;
        }
    }
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take(a, argc, argv, &i))
                return PH_EXIT_USAGE;
        } else if (a->word_count < PH_COUNTOF(a->words)) {
            a->words[a->word_count++] = argv[i];
        } else {
            return ph_args_wrong("too many arguments", argv[i]);
        }
    }
    return settle(a) ? PH_EXIT_OK : PH_EXIT_USAGE;
}

void ph_args_done(struct ph_args *a)
{
    explicit_bzero(a->secrets, sizeof(a->secrets));
    ph_arena_wipe(&a->arena);
    ph_arena_done(&a->arena);
}

/* ---- for the commands ------------------------------------------------------------------------ */

const struct ph_connector *ph_args_find(const struct ph_args *a, struct ph_slice name)
{
    for (size_t i = 0; i < a->pages.count; i++)
        if (ph_slice_eq(a->pages.connectors[i]->name, name))
            return a->pages.connectors[i];
    return NULL;
}

const struct ph_connector *ph_args_connector(struct ph_args *a, const char *name)
{
    if (name == NULL) {
        fprintf(stderr, "payhook: --connector NAME is missing (see: payhook connectors list)\n");
        return NULL;
    }
    const struct ph_connector *found = ph_args_find(a, ph_slice_str(name));
    struct ph_slice *known =
        found == NULL ? ph_arena_alloc(&a->arena, (a->pages.count + 1) * sizeof *known) : NULL;
    for (size_t i = 0; known != NULL && i < a->pages.count; i++)
        known[i] = a->pages.connectors[i]->name;
    if (known != NULL)
        ph_args_unknown(a, PH_S("no connector is called"), name, known, a->pages.count,
                        "payhook connectors list");
    return found;
}

int ph_args_unknown(struct ph_args *a, struct ph_slice what, const char *word,
                    const struct ph_slice *known, size_t count, const char *see)
{
    enum { WORD_SHOWN = 60 };
    char quoted[WORD_SHOWN + 3];
    struct ph_slice said = ph_slice_str(word);
    (void)snprintf(quoted, sizeof quoted, "\"%.*s\"",
                   said.len < WORD_SHOWN ? (int)said.len : WORD_SHOWN,
                   said.len > 0 ? said.ptr : "");
    struct ph_slice text = ph_unknown(&a->arena, what, ph_slice_str(quoted), said, known, count);
    fprintf(stderr, "payhook: ");
    ph_print_escaped_to(stderr, text);
    fprintf(stderr, " (see: %s)\n", see);
    return PH_EXIT_USAGE;
}

void ph_args_input(struct ph_args *a, const struct ph_connector *connector,
                   struct ph_request *request, struct ph_input *ret)
{
    *request = (struct ph_request){.method = a->request.method,
                                   .uri = a->request.uri,
                                   .headers = a->request.headers,
                                   .header_count = a->request.header_count,
                                   .body = a->request.body};
    *ret = (struct ph_input){.connector = connector,
                             .request = request,
                             .secrets = a->secrets,
                             .secret_count = a->secret_count,
                             .config = a->config,
                             .config_count = a->config_count,
                             .capture_method = a->capture_method,
                             .now_ms = a->now_ms,
                             .merchant_event_id = ph_slice_str(a->one[PH_OPT_EVENT_ID])};
}
