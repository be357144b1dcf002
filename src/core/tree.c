/* Filters that read a whole JSON value and give its text, as signers write it who sign what it says
 * and not the bytes that were sent.
 *
 * T1: numbers are written from the digits that were sent, never by way of floating point. A text of
 * more digits than its sender would write is written unlike the sender's, and does not verify: what
 * is signed and what is read are the same number to the last digit. T2: a key that comes twice
 * makes it ambiguous: which of the two was signed? Depth is bounded by the document reader. */
#include "core/codec.h"
#include "core/order.h"
#include "core/value.h"

bool ph_filter_takes_tree(enum ph_filter_op op)
{
    return op == PH_FILTER_SORTED || op == PH_FILTER_MINIFY || op == PH_FILTER_RFC8785 ||
           op == PH_FILTER_SORTED_JSON;
}

/* ---- parts ----------------------------------------------------------------------------------- */

struct gather {
    struct ph_run *run;
    enum ph_filter_op op;
    struct ph_slice *parts;
    size_t count, room;
    bool unwritten; /* a number that cannot be written */
};

static bool add(struct gather *g, struct ph_slice s)
{
    if (g->count == g->room) {
        size_t room = g->room * 2 + 64;
        struct ph_slice *parts = ph_arena_alloc(g->run->arena, room * sizeof(*parts));
        if (parts == NULL)
            return false;
        if (g->count > 0)
            memcpy(parts, g->parts, g->count * sizeof(*parts));
        g->parts = parts;
        g->room = room;
    }
    g->parts[g->count++] = s;
    return true;
}

static struct ph_slice key_text(const yyjson_val *key)
{
    yyjson_val *k = (yyjson_val *)(uintptr_t)key; /* only read */
    return ph_slice_of(yyjson_get_str(k), yyjson_get_len(k));
}

static int by_bytes(const void *a, const void *b, const void *ctx)
{
    (void)ctx;
    return ph_order_bytes(key_text(a), key_text(b), false);
}

/* In the order of UTF-16: what takes two units there (four bytes of UTF-8) comes before U+E000 and
 * after (EE, EF). */
static int by_utf16(const void *a, const void *b, const void *ctx)
{
    struct ph_slice x = key_text(a), y = key_text(b);
    size_t at = 0, both = x.len < y.len ? x.len : y.len;
    while (at < both && x.ptr[at] == y.ptr[at])
        at++;
    if (at == both)
        return by_bytes(a, b, ctx);
    unsigned char p = (unsigned char)x.ptr[at], q = (unsigned char)y.ptr[at];
    if (p >= 0xee && q >= 0xee && (p >= 0xf0) != (q >= 0xf0))
        return p >= 0xf0 ? -1 : 1;
    return by_bytes(a, b, ctx);
}

/* The keys of an object in the filter's order, yyjson_obj_size of them; NULL: no memory. */
static const void **keys_of(struct gather *g, yyjson_val *object)
{
    ph_order_fn *order = g->op == PH_FILTER_RFC8785 ? by_utf16 : by_bytes;
    size_t index, count, size = yyjson_obj_size(object), have = 0;
    yyjson_val *k, *v;
    const void **keys = ph_arena_alloc(g->run->arena, (size + 1) * 2 * sizeof(*keys));
    if (keys == NULL)
        return NULL;
    yyjson_obj_foreach(object, index, count, k, v)
    {
        keys[have++] = k;
    }
    ph_order(keys, keys + size, have, order, NULL);
    for (size_t i = 1; i < have; i++)
        if (by_bytes(keys[i - 1], keys[i], NULL) == 0 && !ph_slice_present(g->run->ambiguous))
            g->run->ambiguous = PH_S("ambiguous: a key in the signed part comes twice");
    return keys;
}

/* ---- sorted: keys and values run together ---------------------------------------------------- */

/* Keys in byte order, each followed by its value, on every level; arrays give their values; null
 * gives nothing. */
static bool sorted(struct gather *g, yyjson_val *value)
{
    size_t index, count;
    yyjson_val *v;
    if (yyjson_is_arr(value)) {
        yyjson_arr_foreach(value, index, count, v)
        {
            if (!sorted(g, v))
                return false;
        }
        return true;
    }
    if (!yyjson_is_obj(value)) {
        struct ph_slice text = ph_json_text(value);
        return !ph_slice_present(text) || add(g, text);
    }
    const void **keys = keys_of(g, value);
    for (size_t i = 0; keys != NULL && i < yyjson_obj_size(value); i++) {
        yyjson_val *k = (yyjson_val *)(uintptr_t)keys[i];
        if (!add(g, key_text(k)) || !sorted(g, yyjson_obj_iter_get_val(k)))
            return false;
    }
    return keys != NULL;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* 0.DIGITS times ten to the power of `point`, without zeros at either end; zero has no digits. */
struct decimal {
    const char *digits;
    size_t count;
    int64_t point;
    bool negative, whole; /* whole: sent without a point and an exponent */
};

/* How far from the point digits are still written out: RFC 8785 3.2.2.3, as ECMAScript does, and
 * calida (observed). */
static bool written_out(enum ph_filter_op op, const struct decimal *d)
{
    enum { SCRIPT_MIN = -5, SCRIPT_MAX = 21, SORTED_MIN = -4, SORTED_MAX = 16 };
    if (op == PH_FILTER_RFC8785)
        return d->point >= SCRIPT_MIN && d->point <= SCRIPT_MAX;
    return d->point >= SORTED_MIN && d->point <= SORTED_MAX;
}

/* `text` is a JSON number. */
static bool read_decimal(struct ph_run *run, struct ph_slice text, struct decimal *ret)
{
    enum { EXPONENT_DIGITS_MAX = 6 };
    char *digits = ph_arena_alloc(run->arena, text.len + 1);
    size_t at = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
    *ret = (struct decimal){.digits = digits, .negative = at == 1, .whole = true};
    if (digits == NULL)
        return false;
    for (; at < text.len && text.ptr[at] != 'e' && text.ptr[at] != 'E'; at++) {
        char c = text.ptr[at];
        if (c == '.')
            ret->whole = false;
        else if (ret->count == 0 && c == '0')
            ret->point -= !ret->whole;
        else {
            digits[ret->count++] = c;
            ret->point += ret->whole;
        }
    }
    while (ret->count > 0 && digits[ret->count - 1] == '0')
        ret->count--;
    if (at == text.len)
        return true;
    int64_t exponent = 0;
    struct ph_slice rest = ph_slice_from(text, at + 1);
    if (rest.len > 0 && rest.ptr[0] == '+')
        rest = ph_slice_from(rest, 1);
    ret->whole = false;
    if (rest.len > EXPONENT_DIGITS_MAX || !ph_parse_int64(rest, &exponent))
        ret->digits = NULL; /* no number that anybody computes with */
    ret->point += exponent;
    return true;
}

static bool fits_64_bits(struct ph_slice text, bool negative)
{
    static const struct ph_slice most = PH_SI("18446744073709551615");
    int64_t number;
    if (negative)
        return ph_parse_int64(text, &number);
    return text.len < most.len ||
           (text.len == most.len && memcmp(text.ptr, most.ptr, most.len) <= 0);
}

static char *put(char *to, const char *from, size_t len)
{
    memcpy(to, from, len);
    return to + len;
}

static char *put_zeros(char *to, int64_t count)
{
    memset(to, '0', (size_t)count);
    return to + count;
}

/* Digits with a point where it belongs; `fraction`: whole numbers end in ".0". */
static char *put_plain(char *to, const struct decimal *d, bool fraction)
{
    if (d->point <= 0) {
        to = put_zeros(put(to, "0.", 2), -d->point);
        return put(to, d->digits, d->count);
    }
    size_t before = (size_t)d->point;
    if (d->count <= before) {
        to = put_zeros(put(to, d->digits, d->count), (int64_t)(before - d->count));
        return fraction ? put(to, ".0", 2) : to;
    }
    to = put(put(to, d->digits, before), ".", 1);
    return put(to, d->digits + before, d->count - before);
}

static char *put_exponent(struct gather *g, char *to, const struct decimal *d)
{
    to = put(to, d->digits, 1);
    if (d->count > 1)
        to = put(put(to, ".", 1), d->digits + 1, d->count - 1);
    to = put(to, d->point > 0 ? "e+" : "e", d->point > 0 ? 2 : 1);
    struct ph_slice exponent = ph_decimal(g->run->arena, d->point - 1);
    return exponent.ptr != NULL ? put(to, exponent.ptr, exponent.len) : to;
}

static bool add_number(struct gather *g, struct ph_slice text)
{
    enum { MORE_BYTES_MAX = 64 }; /* a sign, a point, zeros up to the point, an exponent */
    bool script = g->op == PH_FILTER_RFC8785;
    struct decimal d;
    if (!read_decimal(g->run, text, &d))
        return false;
    g->unwritten = g->unwritten || d.digits == NULL;
    if (d.digits == NULL)
        return true;
    if (!script && d.whole && (d.count > 0 || !d.negative) && fits_64_bits(text, d.negative))
        return add(g, text);
    if (d.count == 0)
        return add(g, script ? PH_S("0") : d.negative ? PH_S("-0.0") : PH_S("0.0"));
    char *out = ph_arena_alloc(g->run->arena, d.count + MORE_BYTES_MAX), *to = out;
    if (out == NULL)
        return false;
    if (d.negative)
        to = put(to, "-", 1);
    to = written_out(g->op, &d) ? put_plain(to, &d, !script) : put_exponent(g, to, &d);
    return add(g, ph_slice_of(out, (size_t)(to - out)));
}

/* ---- canonical JSON -------------------------------------------------------------------------- */

static bool add_string(struct gather *g, struct ph_slice text)
{
    struct ph_slice escaped;
    return ph_json_escape(g->run->arena, text, &escaped) && add(g, PH_S("\"")) && add(g, escaped) &&
           add(g, PH_S("\""));
}

static bool canonical(struct gather *g, yyjson_val *value);

static bool canonical_members(struct gather *g, yyjson_val *object)
{
    const void **keys = keys_of(g, object);
    if (keys == NULL || !add(g, PH_S("{")))
        return false;
    for (size_t i = 0; i < yyjson_obj_size(object); i++) {
        yyjson_val *k = (yyjson_val *)(uintptr_t)keys[i];
        if ((i > 0 && !add(g, PH_S(","))) || !add_string(g, key_text(k)) || !add(g, PH_S(":")) ||
            !canonical(g, yyjson_obj_iter_get_val(k)))
            return false;
    }
    return add(g, PH_S("}"));
}

static bool canonical(struct gather *g, yyjson_val *value)
{
    size_t index, count;
    yyjson_val *v;
    if (yyjson_is_obj(value))
        return canonical_members(g, value);
    if (yyjson_is_str(value))
        return add_string(g, ph_json_text(value));
    if (yyjson_is_raw(value))
        return add_number(g, ph_json_text(value));
    if (!yyjson_is_arr(value))
        return add(g, yyjson_is_null(value)   ? PH_S("null")
                      : yyjson_is_true(value) ? PH_S("true")
                                              : PH_S("false"));
    if (!add(g, PH_S("[")))
        return false;
    yyjson_arr_foreach(value, index, count, v)
    {
        if ((index > 0 && !add(g, PH_S(","))) || !canonical(g, v))
            return false;
    }
    return add(g, PH_S("]"));
}

/* ---- all of them ----------------------------------------------------------------------------- */

static enum ph_status minified(struct ph_run *run, yyjson_val *value, struct ph_slice *ret)
{
    yyjson_alc alc;
    if (!ph_run_pool(run, PH_BODY_BYTES_MAX, &alc))
        return PH_ERR_NO_MEMORY;
    size_t len = 0;
    char *text = yyjson_val_write_opts(value, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &alc, &len, NULL);
    if (text == NULL)
        return PH_ERR_NO_MEMORY;
    *ret = ph_slice_of(text, len);
    return PH_OK;
}

enum ph_status ph_filter_tree(struct ph_run *run, const struct ph_filter *filter, yyjson_val *value,
                              struct ph_slice *ret)
{
    struct gather g = {.run = run, .op = filter->op};
    if (filter->op == PH_FILTER_MINIFY)
        return minified(run, value, ret);
    if (!(filter->op == PH_FILTER_SORTED ? sorted(&g, value) : canonical(&g, value)))
        return PH_ERR_NO_MEMORY;
    if (g.unwritten)
        *ret = (struct ph_slice){0};
    else
        *ret = g.count == 0 ? PH_S("") : ph_join(run, g.parts, g.count);
    return g.unwritten || ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}
