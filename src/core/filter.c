/* The closed set of filters; each is named in the language page with the processors that need
 * it. Those that read a whole JSON value are in tree.c. */
#include "core/codec.h"
#include "core/value.h"
#include "crypto/crypto.h"

/* ---- text to text ---------------------------------------------------------------------------- */

static enum ph_hash hash_of(enum ph_filter_op op)
{
    switch (op) {
    case PH_FILTER_MD5:
        return PH_HASH_MD5;
    case PH_FILTER_SHA1:
        return PH_HASH_SHA1;
    case PH_FILTER_SHA256:
        return PH_HASH_SHA256;
    case PH_FILTER_SHA384:
        return PH_HASH_SHA384;
    case PH_FILTER_SHA512:
        return PH_HASH_SHA512;
    default:
        return PH_HASH_NONE;
    }
}

static enum ph_status digest(struct ph_run *run, enum ph_hash hash, struct ph_slice in,
                             struct ph_slice *ret)
{
    unsigned char out[PH_DIGEST_BYTES_MAX];
    size_t len;
    PH_TRY(ph_crypto_digest(ph_worker_crypto(run->worker), hash, &in, 1, out, &len));
    return ph_hex_encode(run->arena, ph_slice_of(out, len), ret) ? PH_OK : PH_ERR_NO_MEMORY;
}

static char changed(enum ph_filter_op op, char c)
{
    if (op == PH_FILTER_LOWER && c >= 'A' && c <= 'Z')
        return (char)(c + 32);
    if (op == PH_FILTER_UPPER && c >= 'a' && c <= 'z')
        return (char)(c - 32);
    return c;
}

static enum ph_status bytewise(struct ph_run *run, enum ph_filter_op op, struct ph_slice in,
                               struct ph_slice *ret)
{
    char *out = ph_arena_alloc(run->arena, in.len + 1);
    if (out == NULL)
        return PH_ERR_NO_MEMORY;
    size_t len = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = op == PH_FILTER_REVERSE ? in.ptr[in.len - 1 - i] : in.ptr[i];
        if (op == PH_FILTER_STRIP_SPACE && (c == ' ' || (c >= '\t' && c <= '\r')))
            continue;
        out[len++] = changed(op, c);
    }
    *ret = ph_slice_of(out, len);
    return PH_OK;
}

static struct ph_slice cut(const struct ph_filter *filter, struct ph_slice in)
{
    size_t first = ph_slice_find(in, filter->arg, 0);
    if (first == SIZE_MAX)
        return in;
    if (filter->op == PH_FILTER_BEFORE_FIRST)
        return ph_slice_of(in.ptr, first);
    if (filter->op == PH_FILTER_AFTER_LAST)
        for (size_t next; (next = ph_slice_find(in, filter->arg, first + 1)) != SIZE_MAX;)
            first = next;
    return ph_slice_from(in, first + filter->arg.len);
}

static enum ph_status pick(struct ph_run *run, const struct ph_filter *filter, struct ph_slice in,
                           struct ph_slice *ret)
{
    struct ph_slice why;
    yyjson_val *root = ph_read_json(run, in, &why);
    *ret = root != NULL ? ph_json_text(ph_point(run, root, filter->pointer)) : (struct ph_slice){0};
    return PH_OK;
}

static bool encode(struct ph_run *run, enum ph_filter_op op, struct ph_slice in,
                   struct ph_slice *ret)
{
    switch (op) {
    case PH_FILTER_HEX:
        return ph_hex_encode(run->arena, in, ret);
    case PH_FILTER_BASE64:
    case PH_FILTER_BASE64URL:
        return ph_base64_encode(run->arena, in, op == PH_FILTER_BASE64URL, op == PH_FILTER_BASE64,
                                ret);
    case PH_FILTER_JSON:
        return ph_json_escape(run->arena, in, ret);
    case PH_FILTER_URL_ENCODE:
        return ph_percent_encode(run->arena, in, ret);
    case PH_FILTER_URL_DECODE:
        return ph_percent_decode(run->arena, in, true, ret);
    default:
        return false;
    }
}

enum ph_status ph_filter_text(struct ph_run *run, const struct ph_filter *filter,
                              struct ph_slice in, struct ph_slice *ret)
{
    struct ph_slice out = {0};
    int64_t seconds;
    switch (filter->op) {
    case PH_FILTER_LOWER:
    case PH_FILTER_UPPER:
    case PH_FILTER_REVERSE:
    case PH_FILTER_STRIP_SPACE:
        return bytewise(run, filter->op, in, ret);
    case PH_FILTER_TRIM:
        out = ph_slice_trim(in);
        break;
    case PH_FILTER_HEX:
    case PH_FILTER_BASE64:
    case PH_FILTER_BASE64URL:
    case PH_FILTER_JSON:
    case PH_FILTER_URL_ENCODE:
    case PH_FILTER_URL_DECODE:
        return encode(run, filter->op, in, ret) ? PH_OK : PH_ERR_NO_MEMORY;
    case PH_FILTER_UNHEX:
        (void)ph_hex_decode(run->arena, in, false, &out);
        break;
    case PH_FILTER_UNBASE64:
        (void)ph_base64_decode(run->arena, in, false, true, &out);
        break;
    case PH_FILTER_MD5:
    case PH_FILTER_SHA1:
    case PH_FILTER_SHA256:
    case PH_FILTER_SHA384:
    case PH_FILTER_SHA512:
        return digest(run, hash_of(filter->op), in, ret);
    case PH_FILTER_CRC32:
        out = ph_decimal(run->arena, ph_crc32(in));
        break;
    case PH_FILTER_PICK:
        return pick(run, filter, in, ret);
    case PH_FILTER_BEFORE_FIRST:
    case PH_FILTER_AFTER_FIRST:
    case PH_FILTER_AFTER_LAST:
        out = cut(filter, in);
        break;
    case PH_FILTER_STRIP_PREFIX:
        if (ph_slice_starts(in, filter->arg))
            out = ph_slice_from(in, filter->arg.len);
        break;
    case PH_FILTER_PAD2: {
        struct ph_slice parts[] = {PH_S("0"), in};
        out = in.len == 1 ? ph_join(run, parts, 2) : in;
        break;
    }
    case PH_FILTER_ISO:
        if (ph_parse_int64(in, &seconds) && seconds < INT64_MAX / 1000)
            out = ph_iso_text(run->arena, seconds * 1000);
        break;
    case PH_FILTER_MS:
        if (ph_parse_int64(in, &seconds) && seconds < INT64_MAX / 1000 &&
            seconds > INT64_MIN / 1000)
            out = ph_decimal(run->arena, seconds * 1000);
        break;
    case PH_FILTER_SORTED: /* of a text: itself */
    case PH_FILTER_MINIFY:
    case PH_FILTER_RFC8785:
    case PH_FILTER_SORTED_JSON:
        out = in;
        break;
    case PH_FILTER_COUNT:
        break;
    }
    *ret = out;
    return PH_OK;
}
