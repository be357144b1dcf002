/* sign: a body, or a sample, signed as the processor would. */
#include "cmd/sign.h"

#include <openssl/rand.h>
#include <stdio.h>

#include "cmd/args.h"
#include "cmd/print.h"
#include "core/codec.h"
#include "os/heap.h"
#include "wire/message.h"

const struct ph_sample *ph_sample_find(const struct ph_connector *c, struct ph_slice event,
                                       struct ph_slice variant)
{
    for (uint16_t i = 0; i < c->sample_count; i++)
        if (ph_slice_eq(c->samples[i].event, event) &&
            (variant.len == 0 || ph_slice_eq(c->samples[i].variant, variant)))
            return &c->samples[i];
    return NULL;
}

int ph_sample_unknown(struct ph_args *args, const struct ph_connector *c, const char *event,
                      const char *variant)
{
    struct ph_slice *known = ph_arena_alloc(&args->arena, (c->sample_count + 1u) * sizeof *known),
                    name = ph_slice_str(event);
    char see[160];
    size_t events = 0, variants = 0;
    if (known == NULL)
        return PH_EXIT_FAILED;
    (void)snprintf(see, sizeof see, "payhook trigger %.*s", (int)c->name.len, c->name.ptr);
    for (uint16_t i = 0; i < c->sample_count; i++)
        if (ph_slice_eq(c->samples[i].event, name))
            known[variants++] = c->samples[i].variant;
    if (variants > 0) /* then it is the variant that is not there */
        return ph_args_unknown(args, PH_S("the sample has no variant"), variant, known, variants,
                               see);
    for (uint16_t i = 0; i < c->sample_count; i++)
        if (events == 0 ||
            !ph_slice_eq(known[events - 1], c->samples[i].event)) /* variants stand together */
            known[events++] = c->samples[i].event;
    return ph_args_unknown(args, PH_S("the connector has no sample"), event, known, events, see);
}

/* Joins texts in the arena; absent: no memory. */
static struct ph_slice join(struct ph_arena *arena, struct ph_slice a, struct ph_slice b,
                            struct ph_slice c)
{
    char *text = ph_arena_alloc(arena, a.len + b.len + c.len + 1);
    struct ph_slice parts[] = {a, b, c};
    size_t len = 0;
    for (size_t i = 0; text != NULL && i < PH_COUNTOF(parts); i++) {
        if (parts[i].len > 0)
            memcpy(text + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return (struct ph_slice){text, len};
}

/* "msg_" and random digits: ids that the processor makes afresh. */
static struct ph_slice fresh_id(struct ph_arena *arena)
{
    unsigned char bytes[12];
    struct ph_slice hex = PH_S("0");
    if (RAND_bytes(bytes, sizeof(bytes)) == 1)
        (void)ph_hex_encode(arena, ph_slice_of(bytes, sizeof(bytes)), &hex);
    return join(arena, PH_S("msg_"), hex, PH_S(""));
}

static bool assemble(struct ph_arena *arena, const struct ph_request *request,
                     const struct ph_signed *s, struct ph_made *ret)
{
    size_t cut = ph_slice_find(request->uri, PH_S("?"), 0);
    struct ph_slice path = ph_slice_of(request->uri.ptr, cut == SIZE_MAX ? request->uri.len : cut);
    *ret = (struct ph_made){.method = s->method, .body = s->body};
    ret->uri = join(arena, path, s->query.len > 0 ? PH_S("?") : PH_S(""), s->query);
    if (!ph_slice_present(ret->uri) ||
        request->header_count + s->header_count > PH_COUNTOF(ret->headers))
        return false;
    for (size_t i = 0; i < request->header_count; i++)
        ret->headers[ret->header_count++] = request->headers[i];
    for (size_t i = 0; i < s->header_count; i++)
        ret->headers[ret->header_count++] = s->headers[i];
    return true;
}

bool ph_make(struct ph_worker *worker, struct ph_arena *arena, const struct ph_input *in,
             struct ph_slice variant, struct ph_made *ret, struct ph_slice *ret_why)
{
    struct ph_signed s;
    enum ph_status st = PH_ERR_NOT_FOUND;
    struct ph_slice unique = fresh_id(arena);
    /* Without a word which shape it is: the first one that the body fits. */
    for (uint16_t i = 0; st != PH_OK && i < in->connector->variant_count; i++) {
        struct ph_slice name = variant.len > 0 ? variant : in->connector->variants[i].name;
        st = ph_engine_sign(worker, in, name, in->request->body, unique, &s, ret_why);
        if (variant.len > 0)
            break;
    }
    if (st == PH_OK && !assemble(arena, in->request, &s, ret)) {
        *ret_why = PH_S("too many headers");
        st = PH_ERR_TOO_LARGE;
    }
    return st == PH_OK;
}

/* ---- printing -------------------------------------------------------------------------------- */

void ph_made_print_json(struct ph_arena *arena, const struct ph_made *made)
{
    struct ph_slice packed = PH_S("");
    printf("{\"method\":");
    ph_print_json_string(arena, made->method);
    printf(",\"uri\":");
    ph_print_json_string(arena, made->uri);
    printf(",\"headers\":[");
    for (size_t i = 0; i < made->header_count; i++) {
        printf("%s[", i > 0 ? "," : "");
        ph_print_json_string(arena, made->headers[i].name);
        putchar(',');
        ph_print_json_string(arena, made->headers[i].value);
        putchar(']');
    }
    if (ph_text_valid(made->body)) {
        printf("],\"body\":");
        ph_print_json_string(arena, made->body);
    } else {
        (void)ph_base64_encode(arena, made->body, false, true, &packed);
        printf("],\"body_base64\":");
        ph_print_json_string(arena, packed);
    }
    putchar('}');
}

static void print_http(const struct ph_made *made)
{
    printf("%.*s %.*s HTTP/1.1\r\n", (int)made->method.len, made->method.ptr, (int)made->uri.len,
           made->uri.ptr);
    for (size_t i = 0; i < made->header_count; i++)
        printf("%.*s: %.*s\r\n", (int)made->headers[i].name.len, made->headers[i].name.ptr,
               (int)made->headers[i].value.len, made->headers[i].value.ptr);
    printf("Content-Length: %zu\r\n\r\n", made->body.len);
    fwrite(made->body.ptr, 1, made->body.len, stdout);
}

/* ---- the command ----------------------------------------------------------------------------- */

static int sign_one(struct ph_args *args, const struct ph_connector *c, bool json)
{
    struct ph_request request;
    struct ph_input in;
    struct ph_made made;
    struct ph_slice variant = ph_slice_str(args->one[PH_OPT_VARIANT]), why = {0};
    if (args->one[PH_OPT_SAMPLE] != NULL) {
        const struct ph_sample *s =
            ph_sample_find(c, ph_slice_str(args->one[PH_OPT_SAMPLE]), variant);
        if (s == NULL)
            return ph_sample_unknown(args, c, args->one[PH_OPT_SAMPLE], args->one[PH_OPT_VARIANT]);
        args->request.body = s->body;
        variant = variant.len > 0 ? variant : s->variant;
    }
    if (!ph_slice_present(args->request.uri))
        args->request.uri = PH_S("/");
    ph_args_input(args, c, &request, &in);
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    bool good = worker != NULL && ph_make(worker, &args->arena, &in, variant, &made, &why);
    if (good && json) {
        ph_made_print_json(&args->arena, &made);
        putchar('\n');
    } else if (good) {
        print_http(&made);
    } else {
        fprintf(stderr, "payhook: cannot sign it: %.*s\n", (int)why.len,
                why.len > 0 ? why.ptr : "");
    }
    ph_worker_free(worker);
    return good ? PH_EXIT_OK : PH_EXIT_FAILED;
}

static int run_command(struct ph_args *args)
{
    const char *format = args->one[PH_OPT_FORMAT];
    if (args->word_count > 0)
        return ph_args_wrong("takes options only, not", args->words[0]);
    if (args->one[PH_OPT_NDJSON] != NULL)
        return ph_cmd_ndjson(args);
    if (format != NULL && strcmp(format, "json") != 0 && strcmp(format, "http") != 0)
        return ph_args_wrong("--format takes http or json, not", format);
    if ((args->one[PH_OPT_SAMPLE] != NULL) == (args->one[PH_OPT_BODY] != NULL))
        return ph_args_wrong("what should be signed? --body FILE or --sample EVENT, one of them",
                             NULL);
    const struct ph_connector *c = ph_args_connector(args, args->one[PH_OPT_CONNECTOR]);
    return c == NULL ? PH_EXIT_USAGE
                     : sign_one(args, c, format != NULL && strcmp(format, "json") == 0);
}

int ph_cmd_sign(int argc, char **argv)
{
    struct ph_args args;
    bool help;
    int code = ph_args_read(&args, PH_CMD_SIGN, argc, argv, &help);
    if (code == PH_EXIT_OK && !help)
        code = run_command(&args);
    ph_args_done(&args);
    return code;
}
