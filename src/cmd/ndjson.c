/* --ndjson: one request per line in, one answer per line out, in the same order. A bad line gets
 * an error in its place and the run goes on. What a line leaves out (connector, secrets, config,
 * at) the options say. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yyjson.h>

#include "cmd/args.h"
#include "cmd/lines.h"
#include "cmd/sign.h"
#include "core/codec.h"
#include "os/heap.h"

enum { OUT_BYTES = 1 << 20 };

struct line {
    struct ph_arena arena; /* what is decoded of the line */
    const char *bad;       /* what is wrong with it */
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_secret_pair secrets[PH_SECRETS_MAX];
    struct ph_config_value config[PH_CONFIG_VALUES_MAX];
    struct ph_request request;
    struct ph_slice sample, variant; /* sign */
    struct ph_input in;
};

static struct ph_slice text(yyjson_val *v)
{
    return yyjson_is_str(v) ? ph_slice_of(yyjson_get_str(v), yyjson_get_len(v))
                            : (struct ph_slice){0};
}

static void add_header(struct line *l, struct ph_slice name, struct ph_slice value)
{
    if (l->request.header_count == PH_HEADERS_MAX || !ph_slice_present(name) ||
        !ph_slice_present(value))
        l->bad = "request.headers: at most 128 names with texts";
    else
        l->headers[l->request.header_count++] = (struct ph_header){name, value};
}

static void read_request(struct line *l, yyjson_val *r)
{
    if (!yyjson_is_obj(r)) {
        l->bad = "`request` is missing";
        return;
    }
    struct ph_slice method = text(yyjson_obj_get(r, "method")), prefix = PH_S("HTTP_METHOD_");
    if (ph_slice_starts(method, prefix))
        method = ph_slice_from(method, prefix.len);
    l->request = (struct ph_request){.method = method.len > 0 ? method : PH_S("POST"),
                                     .uri = text(yyjson_obj_get(r, "uri")),
                                     .query = text(yyjson_obj_get(r, "query_params")),
                                     .headers = l->headers,
                                     .body = text(yyjson_obj_get(r, "body"))};
    yyjson_val *headers = yyjson_obj_get(r, "headers"), *k, *v;
    size_t i, n;
    yyjson_obj_foreach(headers, i, n, k, v)
    {
        add_header(l, text(k), text(v));
    }
    if (yyjson_is_arr(headers)) {
        yyjson_arr_foreach(headers, i, n, v)
        {
            add_header(l, text(yyjson_arr_get(v, 0)), text(yyjson_arr_get(v, 1)));
        }
    }
    struct ph_slice packed = text(yyjson_obj_get(r, "body_base64"));
    if (ph_slice_present(packed) &&
        !ph_base64_decode(&l->arena, packed, false, true, &l->request.body))
        l->bad = "request.body_base64 is not base64";
}

static void add_secret(struct line *l, struct ph_slice secret, struct ph_slice additional)
{
    if (l->in.secret_count < PH_SECRETS_MAX && ph_slice_present(secret))
        l->secrets[l->in.secret_count++] = (struct ph_secret_pair){secret, additional};
}

static void read_secrets(struct line *l, const struct ph_args *args, yyjson_val *s)
{
    yyjson_val *v;
    size_t i, n;
    if (s == NULL) {
        for (size_t k = 0; k < args->secret_count; k++)
            add_secret(l, args->secrets[k].secret, args->secrets[k].additional);
    } else if (yyjson_is_obj(s))
        add_secret(l, text(yyjson_obj_get(s, "secret")),
                   text(yyjson_obj_get(s, "additional_secret")));
    else if (yyjson_is_arr(s)) {
        yyjson_arr_foreach(s, i, n, v)
        {
            if (yyjson_is_obj(v))
                add_secret(l, text(yyjson_obj_get(v, "secret")),
                           text(yyjson_obj_get(v, "additional_secret")));
            else
                add_secret(l, text(v), (struct ph_slice){0});
        }
    }
}

static struct ph_slice config_text(struct line *l, yyjson_val *v)
{
    yyjson_val *inner =
        yyjson_is_obj(v) && yyjson_obj_size(v) == 1 ? yyjson_obj_get(v, "value") : NULL;
    if (yyjson_is_str(inner))
        v = inner;
    if (yyjson_is_str(v) || yyjson_is_raw(v))
        return ph_slice_of(unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v));
    if (yyjson_is_null(v) || v == NULL)
        return (struct ph_slice){0};
    size_t len = 0;
    char *json = yyjson_val_write(v, 0, &len);
    struct ph_slice copy =
        json != NULL ? ph_arena_copy(&l->arena, ph_slice_of(json, len)) : (struct ph_slice){0};
    free(json);
    return copy;
}

static void read_config(struct line *l, const struct ph_args *args, yyjson_val *c)
{
    yyjson_val *k, *v;
    size_t i, n;
    for (size_t a = 0; c == NULL && a < args->config_count; a++)
        l->config[l->in.config_count++] = args->config[a];
    yyjson_obj_foreach(c, i, n, k, v)
    {
        struct ph_slice value = config_text(l, v);
        if (ph_slice_present(value) && l->in.config_count < PH_COUNTOF(l->config))
            l->config[l->in.config_count++] = (struct ph_config_value){text(k), value};
    }
}

static void read_rest(struct line *l, const struct ph_args *args, yyjson_val *root)
{
    yyjson_val *named = yyjson_obj_get(root, "connector");
    struct ph_slice name = named != NULL ? text(named) : ph_slice_str(args->one[PH_OPT_CONNECTOR]);
    l->in.connector = ph_args_find(args, name);
    if (l->in.connector == NULL)
        l->bad = name.len > 0 ? "no connector has that name" : "`connector` is missing";
    yyjson_val *at = yyjson_obj_get(root, "at"), *context = yyjson_obj_get(root, "event_context");
    int64_t seconds;
    if (at != NULL && !yyjson_is_null(at)) {
        struct ph_slice t = yyjson_is_raw(at) || yyjson_is_str(at)
                                ? ph_slice_of(unsafe_yyjson_get_str(at), unsafe_yyjson_get_len(at))
                                : (struct ph_slice){0};
        size_t dot = ph_slice_find(t, PH_S("."), 0);
        if (dot != SIZE_MAX)
            t.len = dot;
        if (!ph_parse_int64(t, &seconds) || seconds < 0 || seconds >= PH_ISO_END_MS / 1000)
            l->bad = "`at` is not unix seconds (not ms) of a year up to 9999";
        else
            l->in.now_ms = seconds * 1000;
    }
    yyjson_val *capture = yyjson_obj_get(yyjson_obj_get(context, "payment"), "capture_method");
    if (yyjson_is_str(capture)) {
        l->in.capture_method = ph_word_number(PH_WORDS_CAPTURE_METHOD, text(capture));
        if (l->in.capture_method < 0)
            l->bad = "event_context.payment.capture_method is no known capture method";
    }
    l->in.merchant_event_id = text(yyjson_obj_get(root, "merchant_event_id"));
    l->sample = text(yyjson_obj_get(root, "sample"));
    l->variant = text(yyjson_obj_get(root, "variant"));
}

static void say(struct ph_slice out)
{
    fwrite(out.ptr, 1, out.len, stdout);
    fputc('\n', stdout);
}

static void say_error(struct ph_arena *arena, struct ph_slice code, struct ph_slice message)
{
    struct ph_slice out;
    if (ph_wire_write_error_json(arena, code, message, &out) == PH_OK)
        say(out);
    else
        say(PH_S("{\"error\":{\"code\":\"INTERNAL\",\"message\":\"out of memory\"}}"));
}

/* What the engine answers to a line. */
static void answer(struct ph_worker *worker, const struct line *l, enum ph_form form)
{
    struct ph_arena *arena = ph_worker_arena(worker);
    struct ph_answer a;
    struct ph_slice out;
    enum ph_want want = form == PH_FORM_PARSE ? PH_WANT_REFERENCE
                        : form == PH_FORM_HANDLE_EVENT
                            ? (enum ph_want)(PH_WANT_ALL | PH_WANT_PEER_REPLY)
                            : PH_WANT_ALL;
    enum ph_status st = ph_engine_run(worker, &l->in, want, &a);
    if (st == PH_OK && a.error != PH_E_NONE)
        say_error(arena, ph_error_code_name(a.error), a.error_message);
    else if (st == PH_OK && (st = ph_wire_write_json(arena, form, &a, &out)) == PH_OK)
        say(out);
    if (st != PH_OK)
        say_error(arena, PH_S("INTERNAL"), ph_slice_str(ph_status_text(st)));
}

/* The line's request, or its sample, signed. */
static void sign(struct ph_worker *worker, struct line *l)
{
    struct ph_made made;
    struct ph_slice why = PH_S("cannot be signed");
    const struct ph_sample *sample = ph_sample_find(l->in.connector, l->sample, l->variant);
    if (sample != NULL) {
        l->request.body = sample->body;
        l->variant = l->variant.len > 0 ? l->variant : sample->variant;
    } else if (l->sample.len > 0 || !ph_slice_present(l->request.body)) {
        say_error(&l->arena, PH_S("INVALID_ARGUMENT"),
                  PH_S("`sample` is no sample's name, or request.body is missing"));
        return;
    }
    if (!ph_slice_present(l->request.uri))
        l->request.uri = PH_S("/");
    if (!ph_make(worker, &l->arena, &l->in, l->variant, &made, &why)) {
        say_error(&l->arena, PH_S("INVALID_ARGUMENT"), why);
        return;
    }
    ph_made_print_json(&l->arena, &made);
    putchar('\n');
}

static void work(struct ph_worker *worker, const struct ph_args *args, struct line *l,
                 yyjson_val *root, enum ph_form form)
{
    bool signs = args->command == PH_CMD_SIGN;
    l->bad = NULL;
    l->in = (struct ph_input){.request = &l->request,
                              .secrets = l->secrets,
                              .config = l->config,
                              .now_ms = args->has_at || signs ? args->now_ms : -1};
    l->request = (struct ph_request){.method = PH_S("POST"), .headers = l->headers};
    if (!yyjson_is_obj(root)) {
        say_error(&l->arena, PH_S("INVALID_ARGUMENT"), PH_S("the line is not a JSON object"));
        return;
    }
    if (!signs || yyjson_obj_get(root, "request") != NULL)
        read_request(l, yyjson_obj_get(root, "request"));
    read_secrets(l, args, yyjson_obj_get(root, "secrets"));
    read_config(l, args, yyjson_obj_get(root, "config"));
    read_rest(l, args, root);
    if (l->bad != NULL)
        say_error(&l->arena, PH_S("INVALID_ARGUMENT"), ph_slice_str(l->bad));
    else if (signs)
        sign(worker, l);
    else
        answer(worker, l, form);
}

/* Memory for one line's JSON, kept for the next. */
struct pool {
    char *bytes;
    size_t len;
};

_Static_assert(PH_DEPTH_MAX == 64, "the message below says so");

static yyjson_doc *parse(struct pool *pool, char *line, size_t len, const char **ret_why)
{
    size_t need = yyjson_read_max_memory_usage(len, 0) + 256;
    yyjson_read_err err = {.msg = "out of memory"};
    yyjson_alc alc;
    yyjson_doc *doc = NULL;
    if (need > pool->len) {
        free(pool->bytes);
        pool->bytes = malloc(need);
        pool->len = pool->bytes != NULL ? need : 0;
    }
    if (pool->bytes != NULL && yyjson_alc_pool_init(&alc, pool->bytes, pool->len))
        doc = yyjson_read_opts(
            line, len, YYJSON_READ_NUMBER_AS_RAW | YYJSON_READ_ALLOW_INVALID_UNICODE, &alc, &err);
    *ret_why = err.msg;
    if (doc == NULL &&
        ph_json_too_deep(ph_slice_of(line, len)) != SIZE_MAX) /* more values than bytes allow for */
        *ret_why = "the line is nested deeper than 64 levels";
    return doc;
}

static int run_lines(struct ph_args *args, struct ph_worker *worker, struct ph_lines *lines,
                     struct line *l)
{
    const char *as = args->one[PH_OPT_AS], *why;
    enum ph_form form = args->command == PH_CMD_PARSE                   ? PH_FORM_PARSE
                        : as != NULL && strcmp(as, "handle-event") == 0 ? PH_FORM_HANDLE_EVENT
                                                                        : PH_FORM_HANDLE;
    struct pool pool = {0};
    char *line;
    size_t len;
    enum ph_line got;
    while ((got = ph_lines_next(lines, &line, &len)) == PH_LINE_OK || got == PH_LINE_TOO_LONG) {
        ph_arena_wipe(&l->arena);
        yyjson_doc *doc = got == PH_LINE_OK ? parse(&pool, line, len, &why) : NULL;
        if (doc != NULL)
            work(worker, args, l, yyjson_doc_get_root(doc), form);
        else
            say_error(&l->arena, PH_S("INVALID_ARGUMENT"),
                      got == PH_LINE_OK ? ph_slice_str(why)
                                        : PH_S("the line is longer than 8 MiB"));
    }
    if (pool.bytes != NULL)
        explicit_bzero(pool.bytes, pool.len); /* it held secrets */
    free(pool.bytes);
    if (fflush(stdout) != 0 || got == PH_LINE_FAILED) {
        fprintf(stderr, "payhook: %s\n",
                got == PH_LINE_FAILED ? "standard input does not read"
                                      : "standard output does not write");
        return PH_EXIT_FAILED;
    }
    return PH_EXIT_OK;
}

int ph_cmd_ndjson(struct ph_args *args)
{
    static char out_buffer[OUT_BYTES];
    if (args->stdin_taken || args->one[PH_OPT_REQUEST] != NULL || args->one[PH_OPT_BODY] != NULL ||
        args->one[PH_OPT_SAMPLE] != NULL)
        return ph_args_wrong("--ndjson reads its requests from standard input; no --request, "
                             "--body or --sample, no -",
                             NULL);
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    struct ph_lines *lines = ph_lines_new(STDIN_FILENO);
    struct line *l = calloc(1, sizeof(*l));
    int code = PH_EXIT_FAILED;
    setvbuf(stdout, out_buffer, _IOFBF, sizeof(out_buffer));
    if (worker != NULL && lines != NULL && l != NULL) {
        ph_arena_init(&l->arena, &ph_os_heap, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES);
        code = run_lines(args, worker, lines, l);
        ph_arena_wipe(&l->arena);
        ph_arena_done(&l->arena);
        explicit_bzero(l, sizeof(*l));
    } else {
        fprintf(stderr, "payhook: out of memory\n");
    }
    free(l);
    ph_lines_free(lines);
    ph_worker_free(worker);
    return code;
}
