/* From a request to the event's tree: query and path, the variant, the decoded body, the items. */
#include "core/codec.h"
#include "core/value.h"
#include "core/worker.h"

struct ph_slice ph_join(struct ph_run *run, const struct ph_slice *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *out = ph_arena_alloc(run->arena, len + 1);
    if (out == NULL)
        return (struct ph_slice){0};
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0)
            memcpy(out + at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    out[len] = '\0';
    return ph_slice_of(out, len);
}

void ph_trace(struct ph_run *run, struct ph_slice label, struct ph_slice text)
{
    enum { TRACE_STEPS_MAX = 128 };
    if (!run->in->explain || run->trace_count == TRACE_STEPS_MAX)
        return;
    if (run->trace == NULL)
        run->trace = ph_arena_alloc(run->arena, TRACE_STEPS_MAX * sizeof(*run->trace));
    if (run->trace != NULL)
        run->trace[run->trace_count++] = (struct ph_trace_step){label, text};
}

bool ph_run_pool(struct ph_run *run, size_t bytes, yyjson_alc *ret)
{
    return ph_worker_pool(run->worker, bytes, ret);
}

/* ---- the request line ------------------------------------------------------------------------ */

/* The URI without its fragment, and where its query begins; SIZE_MAX: it has none. */
static struct ph_slice uri_of(const struct ph_run *run, size_t *ret_question)
{
    struct ph_slice uri = run->in->request->uri;
    size_t fragment = ph_slice_find(uri, PH_S("#"), 0);
    if (fragment != SIZE_MAX)
        uri.len = fragment;
    *ret_question = ph_slice_find(uri, PH_S("?"), 0);
    return uri;
}

struct ph_slice ph_run_query(const struct ph_run *run)
{
    size_t question;
    if (ph_slice_present(run->in->request->query))
        return run->in->request->query;
    struct ph_slice uri = uri_of(run, &question);
    return question != SIZE_MAX ? ph_slice_from(uri, question + 1) : (struct ph_slice){0};
}

struct ph_slice ph_run_path(const struct ph_run *run)
{
    size_t question;
    struct ph_slice uri = uri_of(run, &question);
    if (question != SIZE_MAX)
        uri.len = question;
    size_t scheme = ph_slice_find(uri, PH_S("://"), 0);
    if (scheme == SIZE_MAX || uri.ptr[0] == '/')
        return uri;
    size_t slash = ph_slice_find(uri, PH_S("/"), scheme + 3);
    return slash == SIZE_MAX ? PH_S("/") : ph_slice_from(uri, slash);
}

/* ---- bodies ---------------------------------------------------------------------------------- */

static yyjson_val *decode_as(struct ph_run *run, enum ph_format format, struct ph_slice text,
                             struct ph_slice *ret_why)
{
    switch (format) {
    case PH_FORMAT_JSON:
        return ph_read_json(run, text, ret_why);
    case PH_FORMAT_FORM:
        return ph_read_form(run, text, ret_why);
    case PH_FORMAT_XML:
        return ph_read_xml(run, text, ret_why);
    case PH_FORMAT_MEDIA_TYPE:
    case PH_FORMAT_TEXT:
        break;
    }
    *ret_why = PH_S("this body is not read");
    return NULL;
}

static bool media_format(struct ph_run *run, enum ph_format *ret, struct ph_slice *ret_why)
{
    struct ph_slice type = ph_run_header(run, PH_S("Content-Type"));
    size_t end = ph_slice_find(type, PH_S(";"), 0);
    if (end != SIZE_MAX)
        type.len = end;
    type = ph_slice_trim(type);
    if (type.len == 0) {
        *ret_why = PH_S("no Content-Type says whether the body is a form or JSON");
        return false;
    }
    *ret = ph_slice_eq_nocase(type, PH_S("application/x-www-form-urlencoded")) ? PH_FORMAT_FORM
                                                                               : PH_FORMAT_JSON;
    return true;
}

/* Padded base64, lines ended by line feeds and nothing else beside the alphabet: braintree's own
 * SDK refuses the rest, carriage returns too. */
static bool decode_lines(struct ph_run *run, struct ph_slice text, struct ph_slice *ret)
{
    char *packed = ph_arena_alloc(run->arena, text.len + 1);
    size_t digits = 0;
    for (size_t i = 0; packed != NULL && i < text.len; i++)
        if (text.ptr[i] != '\n')
            packed[digits++] = text.ptr[i];
    return packed != NULL && digits % 4 == 0 &&
           ph_base64_decode(run->arena, ph_slice_of(packed, digits), false, false, ret);
}

static yyjson_val *decode_inner(struct ph_run *run, const struct ph_variant *v,
                                struct ph_slice text, struct ph_slice *ret_why)
{
    yyjson_val *tree = NULL;
    for (uint16_t i = 0; i < v->decode_count; i++) {
        switch (v->decode[i]) {
        case PH_DECODE_BASE64: {
            struct ph_slice raw;
            if (!decode_lines(run, text, &raw)) {
                *ret_why = PH_S("the inner text is not base64");
                return NULL;
            }
            text = raw;
            break;
        }
        case PH_DECODE_JWT: {
            size_t first = ph_slice_find(text, PH_S("."), 0);
            size_t second =
                first == SIZE_MAX ? SIZE_MAX : ph_slice_find(text, PH_S("."), first + 1);
            if (second == SIZE_MAX ||
                !ph_base64_decode(run->arena, ph_slice_of(text.ptr + first + 1, second - first - 1),
                                  true, false, &text)) {
                *ret_why = PH_S("the inner text is not a JWT");
                return NULL;
            }
            tree = ph_read_json(run, text, ret_why);
            break;
        }
        case PH_DECODE_JSON:
            tree = ph_read_json(run, text, ret_why);
            break;
        case PH_DECODE_XML:
            tree = ph_read_xml(run, text, ret_why);
            break;
        case PH_DECODE_FORM:
            tree = ph_read_form(run, text, ret_why);
            break;
        }
    }
    return tree;
}

static bool is_object_or_text(const struct ph_variant *v, yyjson_val *tree)
{
    return v->format == PH_FORMAT_TEXT || yyjson_is_obj(tree) || v->items != NULL;
}

/* The body as each format reads it: variants of one format share the tree. */
struct bodies {
    yyjson_val *tree[PH_FORMAT_TEXT];
};

enum ph_open { PH_OPEN_FITS, PH_OPEN_OTHER, PH_OPEN_FAILED };

/* Tries one variant. OTHER: its body does not read, or its tests do not hold. FAILED: it is this
 * one, and its inside does not read. */
static enum ph_status try_variant(struct ph_run *run, const struct ph_variant *v,
                                  struct bodies *bodies, struct ph_slice *ret_why,
                                  enum ph_open *ret)
{
    run->variant = v;
    run->outer = run->root = run->item = NULL;
    run->ambiguous = (struct ph_slice){0};
    run->ambiguous_head = false;
    *ret = PH_OPEN_OTHER;
    enum ph_format format = v->format;
    if (format == PH_FORMAT_MEDIA_TYPE && !media_format(run, &format, ret_why))
        return PH_OK;
    if (format < PH_FORMAT_TEXT && bodies->tree[format] != NULL) {
        run->outer = bodies->tree[format];
    } else if (format < PH_FORMAT_TEXT) {
        run->outer = bodies->tree[format] = decode_as(run, format, run->in->request->body, ret_why);
        if (run->outer == NULL)
            return PH_OK;
    }
    if (!is_object_or_text(v, run->outer)) {
        *ret_why = PH_S("the body is not an object");
        return PH_OK;
    }
    run->root = run->item = run->outer;
    bool holds;
    PH_TRY(ph_eval_tests(run, v->when, v->when_count, &holds));
    /* two values: which shape is it? */
    if (ph_slice_present(run->ambiguous) && !run->ambiguous_head) {
        *ret_why = run->ambiguous;
        *ret = PH_OPEN_FAILED;
        return PH_OK;
    }
    if (!holds) {
        *ret_why = PH_S("the body has none of the shapes this connector knows");
        return PH_OK;
    }
    *ret = PH_OPEN_FITS;
    if (v->decode_count == 0)
        return PH_OK;
    struct ph_slice inner = {0};
    run->ambiguous = (struct ph_slice){0};
    PH_TRY(ph_eval_piece(run, &v->inner, &inner));
    if (ph_slice_present(run->ambiguous)) { /* two inner parts: which one is the event? */
        *ret_why = run->ambiguous;
        *ret = PH_OPEN_FAILED;
        return PH_OK;
    }
    run->root = run->item = inner.len > 0 ? decode_inner(run, v, inner, ret_why) : NULL;
    if (inner.len == 0)
        *ret_why = PH_S("the body lacks its inner part");
    if (!yyjson_is_obj(run->root)) {
        if (run->root != NULL)
            *ret_why = PH_S("the inner part is not an object");
        *ret = PH_OPEN_FAILED;
    }
    return PH_OK;
}

/* ---- items ----------------------------------------------------------------------------------- */

static yyjson_val *items_of(struct ph_run *run, size_t *ret_split)
{
    const struct ph_pointer *items = run->variant->items;
    size_t split = 0;
    while (split < items->count && items->steps[split].kind != PH_STEP_ANY)
        split++;
    struct ph_pointer head = {.steps = items->steps, .count = (uint16_t)split};
    *ret_split = split;
    return ph_point(run, run->root, &head);
}

__attribute__((noinline)) static yyjson_val *item_of(struct ph_run *run, size_t index)
{
    size_t split;
    yyjson_val *array = items_of(run, &split);
    yyjson_val *element = yyjson_arr_get(array, index);
    struct ph_pointer tail = {.steps = run->variant->items->steps + split + 1,
                              .count = (uint16_t)(run->variant->items->count - split - 1)};
    return element != NULL ? ph_point(run, element, &tail) : NULL;
}

yyjson_val *ph_run_next_item(struct ph_run *run, size_t index)
{
    if (run->variant->items == NULL)
        return index == 0 ? run->root : NULL;
    return item_of(run, index);
}

size_t ph_run_item_count(struct ph_run *run)
{
    size_t split;
    return run->variant->items == NULL ? 1 : yyjson_arr_size(items_of(run, &split));
}

enum ph_status ph_run_open(struct ph_run *run, struct ph_worker *worker, const struct ph_input *in,
                           const struct ph_variant *only, struct ph_slice *ret_why,
                           enum ph_error_code *ret_error)
{
    *run = (struct ph_run){
        .worker = worker, .arena = ph_worker_arena(worker), .in = in, .connector = in->connector};
    PH_TRY(ph_point_room(run));
    *ret_error = PH_E_WEBHOOK_BODY_DECODING_FAILED;
    *ret_why = PH_S("the body does not read");
    if (in->request->body.len > PH_BODY_BYTES_MAX) {
        *ret_why = PH_S("the body is larger than 1 MiB");
        return PH_OK;
    }
    struct ph_slice fetched = ph_run_config(run, PH_S("fetched")), why;
    if (fetched.len > 0) {
        run->fetched = ph_read_json(run, fetched, &why);
        if (run->fetched == NULL) {
            struct ph_slice parts[] = {PH_S("config field `fetched` is not JSON: "), why};
            *ret_why = ph_join(run, parts, 2);
            return PH_OK;
        }
    }
    struct bodies bodies = {0};
    for (uint16_t i = 0; i < in->connector->variant_count; i++) {
        const struct ph_variant *v = &in->connector->variants[i];
        enum ph_open opened;
        if (only != NULL && v != only)
            continue;
        PH_TRY(try_variant(run, v, &bodies, ret_why, &opened));
        if (opened == PH_OPEN_FAILED)
            return PH_OK;
        if (opened == PH_OPEN_FITS) {
            *ret_error = PH_E_NONE;
            run->ambiguous = (struct ph_slice){0};
            run->ambiguous_head = false;
            return PH_OK;
        }
    }
    return PH_OK;
}
