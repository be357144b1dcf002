/* The page's values over one request: pieces, templates, tests, choices. Pointers are in
 * point.c, filters in filter.c. */
#include "core/value.h"

#include "base/utf8.h"
#include "core/codec.h"
#include "core/order.h"
#include "core/run.h"

/* ---- the request's own parts ----------------------------------------------------------------- */

struct ph_slice ph_run_header(struct ph_run *run, struct ph_slice name)
{
    const struct ph_request *request = run->in->request;
    struct ph_slice hit = {0};
    for (size_t i = 0; i < request->header_count; i++) {
        if (!ph_slice_eq_nocase(request->headers[i].name, name))
            continue;
        struct ph_slice value = ph_slice_trim(request->headers[i].value);
        if (ph_slice_present(hit) && !ph_slice_eq(hit, value)) {
            ph_note_ambiguous(run, true, PH_S("header "), name);
            return hit;
        }
        hit = ph_slice_present(value) ? value : PH_S("");
    }
    return hit;
}

struct ph_slice ph_run_some_config(const struct ph_run *run, struct ph_slice name)
{
    for (size_t i = 0; i < run->in->config_count; i++)
        if (ph_slice_eq(run->in->config[i].name, name))
            return run->in->config[i].value;
    return (struct ph_slice){0};
}

__attribute__((noinline)) static struct ph_slice query_value(struct ph_run *run,
                                                             struct ph_slice name)
{
    struct ph_slice hit = {0}, query = ph_run_query(run);
    for (size_t at = 0; at < query.len;) {
        size_t end = ph_slice_find(query, PH_S("&"), at);
        if (end == SIZE_MAX)
            end = query.len;
        struct ph_slice pair = ph_slice_of(query.ptr + at, end - at), key, value;
        at = end + 1;
        size_t equals = ph_slice_find(pair, PH_S("="), 0);
        if (equals == SIZE_MAX)
            equals = pair.len;
        if (!ph_percent_decode(run->arena, ph_slice_of(pair.ptr, equals), true, &key) ||
            !ph_slice_eq(key, name))
            continue;
        struct ph_slice raw = equals < pair.len ? ph_slice_from(pair, equals + 1) : PH_S("");
        if (!ph_percent_decode(run->arena, raw, true, &value))
            continue;
        if (ph_slice_present(hit) && !ph_slice_eq(hit, value))
            ph_note_ambiguous(run, true, PH_S("query parameter "), name);
        else
            hit = value;
    }
    return hit;
}

/* "Name: value\n" for each name of a comma list; names as listed, values as they came. One that
 * is not there was not signed as empty: it is missing (truelayer), which is forged like what is
 * ambiguous. */
__attribute__((noinline)) static struct ph_slice listed_headers(struct ph_run *run,
                                                                const struct ph_pointer *pointer)
{
    struct ph_slice names =
        ph_json_text(run->jws != NULL ? ph_point(run, run->jws, pointer) : NULL);
    struct ph_slice out = PH_S("");
    for (size_t at = 0; at < names.len;) {
        size_t end = ph_slice_find(names, PH_S(","), at);
        if (end == SIZE_MAX)
            end = names.len;
        struct ph_slice name = ph_slice_trim(ph_slice_of(names.ptr + at, end - at));
        at = end + 1;
        if (name.len == 0)
            continue;
        struct ph_slice value = ph_run_header(run, name);
        if (!ph_slice_present(value) && !ph_slice_present(run->ambiguous))
            run->ambiguous = PH_S("a header that the signature names is not there");
        struct ph_slice parts[] = {out, name, PH_S(": "),
                                   ph_slice_present(value) ? value : PH_S(""), PH_S("\n")};
        out = ph_join(run, parts, PH_COUNTOF(parts));
        if (!ph_slice_present(out))
            return out;
    }
    return out;
}

__attribute__((noinline)) static struct ph_slice now_text(struct ph_run *run)
{
    if (run->in->now_ms < 0)
        return (struct ph_slice){0};
    return ph_decimal(run->arena, run->in->now_ms / 1000);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

yyjson_val *ph_tree_of(struct ph_run *run, enum ph_source source)
{
    switch (source) {
    case PH_SRC_POINTER:
        return run->item;
    case PH_SRC_OUTER:
        return run->outer;
    case PH_SRC_FETCHED:
        return run->fetched;
    case PH_SRC_JWS:
        return run->jws;
    case PH_SRC_CLAIMS:
        return run->claims;
    default:
        return NULL;
    }
}

static enum ph_status let_text(struct ph_run *run, const struct ph_let *let, struct ph_slice *ret);

static enum ph_status plain_text(struct ph_run *run, const struct ph_piece *piece,
                                 struct ph_slice *ret)
{
    switch (piece->source) {
    case PH_SRC_LITERAL:
        *ret = piece->text;
        break;
    case PH_SRC_HEADER:
        *ret = ph_run_header(run, piece->text);
        break;
    case PH_SRC_QUERY:
        *ret = query_value(run, piece->text);
        break;
    case PH_SRC_CONFIG:
        *ret = ph_run_config(run, piece->text);
        break;
    case PH_SRC_CONTEXT:
        if (run->in->capture_method != 0)
            *ret = ph_word_name(PH_WORDS_CAPTURE_METHOD, run->in->capture_method);
        break;
    case PH_SRC_BODY:
        *ret = ph_slice_present(run->in->request->body) ? run->in->request->body : PH_S("");
        break;
    case PH_SRC_METHOD:
        *ret = run->in->request->method;
        break;
    case PH_SRC_PATH:
        *ret = ph_run_path(run);
        break;
    case PH_SRC_URL:
        *ret = ph_run_config(run, PH_S("notification_url"));
        break;
    case PH_SRC_SECRET:
        *ret = run->secret;
        break;
    case PH_SRC_SECRET2:
        *ret = run->secret2;
        break;
    case PH_SRC_TYPE:
        *ret = run->type;
        break;
    case PH_SRC_CAPTURE:
        *ret = run->captures[piece->index];
        break;
    case PH_SRC_LET:
        return let_text(run, &run->variant->lets[piece->index], ret);
    case PH_SRC_NOW:
        *ret = now_text(run);
        break;
    case PH_SRC_UNIQUE:
        *ret = run->unique;
        break;
    case PH_SRC_LISTED_HEADERS:
        *ret = listed_headers(run, piece->pointer);
        break;
    case PH_SRC_POINTER:
    case PH_SRC_OUTER:
    case PH_SRC_FETCHED:
    case PH_SRC_JWS:
    case PH_SRC_CLAIMS:
        break;
    }
    return PH_OK;
}

enum ph_status ph_eval_piece(struct ph_run *run, const struct ph_piece *piece, struct ph_slice *ret)
{
    yyjson_val *from = ph_tree_of(run, piece->source);
    yyjson_val *value = NULL;
    *ret = (struct ph_slice){0};
    if (from != NULL) {
        value = ph_point(run, from, piece->pointer);
        *ret = ph_json_text(value);
    } else {
        PH_TRY(plain_text(run, piece, ret));
    }
    for (uint16_t i = 0; i < piece->filter_count; i++) {
        const struct ph_filter *filter = &piece->filters[i];
        if (i == 0 && value != NULL && ph_filter_takes_tree(filter->op)) {
            PH_TRY(ph_filter_tree(run, filter, value, ret));
            continue;
        }
        if (!ph_slice_present(*ret))
            break;
        PH_TRY(ph_filter_text(run, filter, *ret, ret));
    }
    return PH_OK;
}

enum ph_status ph_eval_parts(struct ph_run *run, const struct ph_template *t,
                             struct ph_slice *parts, bool *ret_there)
{
    bool any = false, only_literals = true;
    for (uint16_t i = 0; i < t->count; i++) {
        const struct ph_piece *piece = &t->pieces[i];
        if (piece->source == PH_SRC_LITERAL && piece->filter_count == 0) {
            parts[i] = piece->text;
            continue;
        }
        PH_TRY(ph_eval_piece(run, piece, &parts[i]));
        if (piece->source != PH_SRC_LITERAL) {
            only_literals = false;
            any = any || ph_slice_present(parts[i]);
        }
    }
    *ret_there = t->count > 0 && (any || only_literals);
    return PH_OK;
}

enum ph_status ph_eval_template(struct ph_run *run, const struct ph_template *t,
                                struct ph_slice *ret)
{
    if (t->count == 1)
        return ph_eval_piece(run, &t->pieces[0], ret);
    struct ph_slice usual[PH_PARTS_USUAL], *parts = usual;
    bool there;
    if (t->count > PH_PARTS_USUAL &&
        (parts = ph_arena_alloc(run->arena, t->count * sizeof(*parts))) == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(ph_eval_parts(run, t, parts, &there));
    *ret = (struct ph_slice){0};
    if (!there)
        return PH_OK;
    *ret = ph_join(run, parts, t->count);
    return ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}

enum ph_status ph_eval_alternatives(struct ph_run *run, const struct ph_expr *expr,
                                    struct ph_slice *ret)
{
    const char *empty = NULL;
    if (expr->count == 1 && expr->alternatives[0].count == 1) /* a header, the body, a capture */
        return ph_eval_piece(run, &expr->alternatives[0].pieces[0], ret);
    for (uint16_t i = 0; i < expr->count; i++) {
        PH_TRY(ph_eval_template(run, &expr->alternatives[i], ret));
        if (ret->len > 0)
            return PH_OK;
        if (empty == NULL)
            empty = ret->ptr;
    }
    *ret = ph_slice_of(empty, 0);
    return PH_OK;
}

yyjson_val *ph_eval_tree_alternatives(struct ph_run *run, const struct ph_expr *expr)
{
    for (uint16_t i = 0; i < expr->count; i++) {
        const struct ph_template *t = &expr->alternatives[i];
        yyjson_val *from = t->count == 1 ? ph_tree_of(run, t->pieces[0].source) : NULL;
        yyjson_val *value = from != NULL ? ph_point(run, from, t->pieces[0].pointer) : NULL;
        if (value != NULL && !yyjson_is_null(value))
            return value;
    }
    return NULL;
}

/* ---- let ------------------------------------------------------------------------------------- */

struct pair {
    struct ph_slice key, value;
};

bool ph_let_drops(const struct ph_let *let, struct ph_slice key)
{
    for (uint16_t i = 0; i < let->drop_count; i++)
        if (ph_slice_eq(let->drop[i], key))
            return true;
    return false;
}

static int by_key(const void *a, const void *b, const void *ctx)
{
    const struct pair *x = a, *y = b;
    return ph_order_bytes(x->key, y->key, *(const enum ph_order *)ctx == PH_ORDER_KEY_NOCASE);
}

static enum ph_status each_text(struct ph_run *run, const struct ph_let *let, struct ph_slice *ret)
{
    yyjson_val *from = ph_tree_of(run, let->of.source);
    yyjson_val *object = from != NULL ? ph_point(run, from, let->of.pointer) : NULL;
    if (let->kind == PH_LET_LEAVES && object != NULL)
        return ph_leaves_text(run, let, object, ret);
    if (!yyjson_is_obj(object))
        return PH_OK;
    size_t room = yyjson_obj_size(object), count = 0;
    struct pair *pairs = ph_arena_alloc(run->arena, (room + 1) * sizeof(*pairs));
    struct ph_slice *parts = ph_arena_alloc(run->arena, (room + 1) * 4 * sizeof(*parts));
    const void **sorted = ph_arena_alloc(run->arena, (room + 1) * 2 * sizeof(*sorted));
    if (pairs == NULL || sorted == NULL || parts == NULL)
        return PH_ERR_NO_MEMORY;
    size_t index, size;
    yyjson_val *k, *v;
    yyjson_obj_foreach(object, index, size, k, v)
    {
        struct pair p = {ph_slice_of(yyjson_get_str(k), yyjson_get_len(k)), ph_json_text(v)};
        if (ph_let_drops(let, p.key) || (let->skip_empty && p.value.len == 0))
            continue;
        pairs[count] = p;
        sorted[count] = &pairs[count];
        count++;
    }
    if (let->order != PH_ORDER_RECEIVED)
        ph_order(sorted, sorted + room, count, by_key, &let->order);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            parts[n++] = let->between;
        const struct pair *p = sorted[i];
        if (let->keys)
            parts[n++] = p->key;
        if (let->keys && let->values)
            parts[n++] = let->between_pair;
        if (let->values)
            parts[n++] = p->value;
    }
    *ret = n == 0 ? PH_S("") : ph_join(run, parts, n);
    return ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}

static enum ph_status let_text(struct ph_run *run, const struct ph_let *let, struct ph_slice *ret)
{
    *ret = (struct ph_slice){0};
    /* A let names only lets before it (the reader sees to that): the recursion ends. */
    return let->kind == PH_LET_TEMPLATE ? ph_eval_template(run, &let->value, ret)
                                        : each_text(run, let, ret);
}

/* ---- tests and choices ----------------------------------------------------------------------- */

static bool one_of(const struct ph_test *test, struct ph_slice text)
{
    for (uint16_t i = 0; i < test->value_count; i++)
        if (ph_slice_eq(text, test->values[i]))
            return true;
    return false;
}

__attribute__((noinline)) static bool is_over(struct ph_slice text, struct ph_slice limit)
{
    int64_t a, b;
    size_t dot = ph_slice_find(text, PH_S("."), 0);
    bool fraction = false;
    if (dot != SIZE_MAX) {
        for (size_t i = dot + 1; i < text.len; i++)
            fraction = fraction || (text.ptr[i] > '0' && text.ptr[i] <= '9');
        text.len = dot;
    }
    if (!ph_parse_int64(text, &a) || !ph_parse_int64(limit, &b))
        return false;
    return a > b || (a == b && fraction && (text.len == 0 || text.ptr[0] != '-'));
}

/* Exactly, whatever the two have behind the point. What is no number, or too large to hold, is
 * not under. */
__attribute__((noinline)) static bool is_under(struct ph_slice text, struct ph_slice limit)
{
    enum { DECIMALS_MAX = 18 };
    for (int shift = 0; shift <= DECIMALS_MAX; shift++) {
        int64_t a, b;
        enum ph_exact x = ph_parse_exact(text, shift, &a), y = ph_parse_exact(limit, shift, &b);
        if (x == PH_EXACT_OK && y == PH_EXACT_OK)
            return a < b;
        if ((x != PH_EXACT_OK && x != PH_EXACT_NEEDS_ROUNDING) ||
            (y != PH_EXACT_OK && y != PH_EXACT_NEEDS_ROUNDING))
            return false;
    }
    return false;
}

__attribute__((noinline)) static bool is_media_type(struct ph_slice text, struct ph_slice want)
{
    size_t end = ph_slice_find(text, PH_S(";"), 0);
    if (end != SIZE_MAX)
        text.len = end;
    return ph_slice_eq_nocase(ph_slice_trim(text), want);
}

__attribute__((noinline)) static bool has_shape(struct ph_slice text, struct ph_slice shape)
{
    size_t at = 0;
    for (size_t i = 0; i < shape.len; i++, at++) {
        bool digit = shape.ptr[i] == '9',
             many = digit && i + 1 < shape.len && shape.ptr[i + 1] == '+';
        if (at >= text.len ||
            (digit ? text.ptr[at] < '0' || text.ptr[at] > '9' : text.ptr[at] != shape.ptr[i]))
            return false;
        while (many && at + 1 < text.len && text.ptr[at + 1] >= '0' && text.ptr[at + 1] <= '9')
            at++;
        i += many;
    }
    return at == text.len;
}

__attribute__((noinline)) static bool is_without(struct ph_slice text, struct ph_slice characters)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr(characters.ptr, text.ptr[i], characters.len) != NULL)
            return false;
    return true;
}

static bool is_utf8(const struct ph_run *run, struct ph_slice text)
{
    return (text.ptr == run->utf8.ptr && text.len == run->utf8.len) || ph_utf8_valid(text);
}

static bool judge(const struct ph_run *run, const struct ph_test *test, struct ph_slice text,
                  struct ph_slice against)
{
    switch (test->op) {
    case PH_TEST_ONE_OF:
        return ph_slice_present(text) && one_of(test, text);
    case PH_TEST_NOT_ONE_OF:
        return !ph_slice_present(text) || !one_of(test, text);
    case PH_TEST_PREFIX:
        return ph_slice_present(text) && ph_slice_starts(text, test->values[0]);
    case PH_TEST_PRESENT:
        return text.len > 0;
    case PH_TEST_ABSENT:
        return text.len == 0;
    case PH_TEST_OVER:
        return is_over(text, test->values[0]);
    case PH_TEST_UNDER:
        return is_under(text, against);
    case PH_TEST_UTF8:
        return is_utf8(run, text);
    case PH_TEST_SHAPE:
        return has_shape(text, test->values[0]);
    case PH_TEST_WITHOUT:
        return is_without(text, test->values[0]);
    case PH_TEST_MEDIA_TYPE:
        return is_media_type(text, test->values[0]);
    }
    return false;
}

struct one_of_many {
    const struct ph_run *run;
    const struct ph_test *test;
    struct ph_slice against;
};

static bool holds_for_one(void *ctx, yyjson_val *value)
{
    const struct one_of_many *one = ctx;
    return judge(one->run, one->test,
                 yyjson_is_ctn(value) ? PH_S("(a container)") : ph_json_text(value), one->against);
}

enum ph_status ph_eval_some_tests(struct ph_run *run, const struct ph_test *tests, size_t count,
                                  bool *ret)
{
    *ret = false;
    for (size_t i = 0; i < count; i++) {
        struct ph_slice text = {0}, against = {0};
        if (tests[i].against.count > 0)
            PH_TRY(ph_eval_expr(run, &tests[i].against, &against));
        if (tests[i].of.node == 0 && ph_expr_is_many(&tests[i].of)) {
            struct one_of_many one = {run, &tests[i], against};
            if (!ph_visit_many(run, &tests[i].of, holds_for_one, &one))
                return PH_OK;
            continue;
        }
        PH_TRY(ph_eval_expr(run, &tests[i].of, &text));
        /* An object or array is there, though it has no text. */
        if (!ph_slice_present(text) &&
            (tests[i].op == PH_TEST_PRESENT || tests[i].op == PH_TEST_ABSENT) &&
            yyjson_is_ctn(ph_eval_tree(run, &tests[i].of)))
            text = PH_S("(a container)");
        if (!judge(run, &tests[i], text, against))
            return PH_OK;
    }
    *ret = true;
    return PH_OK;
}

enum ph_status ph_eval_map(struct ph_run *run, const struct ph_choice *choice, int32_t *ret)
{
    struct ph_slice text = {0};
    PH_TRY(ph_eval_expr(run, &choice->of, &text));
    *ret = choice->map->has_otherwise ? choice->map->otherwise : 0;
    for (uint16_t i = 0; ph_slice_present(text) && i < choice->map->count; i++) {
        if (ph_slice_eq(choice->map->entries[i].from, text)) {
            *ret = choice->map->entries[i].to;
            break;
        }
    }
    return PH_OK;
}
