#include "destination/standard_webhooks.h"

#include "core/codec.h"

enum ph_status ph_standard_webhooks_key(struct ph_arena *arena, struct ph_slice secret,
                                        struct ph_slice *ret)
{
    struct ph_slice prefix = PH_S("whsec_"), key = secret;
    if (ph_slice_starts(secret, prefix) &&
        !ph_base64_decode(arena, ph_slice_from(secret, prefix.len), false, false, &key))
        return arena->ran_out ? PH_ERR_NO_MEMORY : PH_ERR_INVALID;
    if (key.len == 0)
        return PH_ERR_INVALID;
    *ret = key;
    return PH_OK;
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_' || c == ':';
}

enum ph_status ph_standard_webhooks_id(struct ph_arena *arena, struct ph_slice id,
                                       struct ph_slice *ret)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = ph_arena_alloc(arena, id.len * 3 + 1);
    size_t len = 0;
    if (out == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.ptr[i];
        if (is_plain(id.ptr[i])) {
            out[len++] = id.ptr[i];
        } else {
            out[len++] = '%';
            out[len++] = digits[c >> 4];
            out[len++] = digits[c & 15];
        }
    }
    *ret = ph_slice_of(out, len);
    return PH_OK;
}

enum ph_status ph_standard_webhooks_sign(struct ph_crypto *crypto, struct ph_arena *arena,
                                         const struct ph_slice *keys, size_t count,
                                         struct ph_slice id, struct ph_slice timestamp,
                                         struct ph_slice body, struct ph_slice *ret)
{
    enum { DIGEST_BYTES = 32, ENTRY_BYTES = 4 + (DIGEST_BYTES + 2) / 3 * 4 };
    struct ph_slice parts[] = {id, PH_S("."), timestamp, PH_S("."), body};
    char *out = ph_arena_alloc(arena, count * ENTRY_BYTES + 1);
    size_t len = 0;
    if (out == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        unsigned char digest[PH_DIGEST_BYTES_MAX];
        size_t digest_len;
        struct ph_slice text;
        PH_TRY(ph_crypto_hmac(crypto, PH_HASH_SHA256, keys[i], parts, PH_COUNTOF(parts), digest,
                              &digest_len));
        if (!ph_base64_encode(arena, ph_slice_of(digest, digest_len), false, true, &text))
            return PH_ERR_NO_MEMORY;
        memcpy(out + len, i == 0 ? "v1," : " v1,", i == 0 ? 3 : 4);
        len += i == 0 ? 3 : 4;
        memcpy(out + len, text.ptr, text.len);
        len += text.len;
    }
    *ret = ph_slice_of(out, len);
    return PH_OK;
}
