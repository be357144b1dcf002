/* Keys and signatures as bytes: forms of a secret, encodings of a signature, and what a signed
 * text needs before it is worth computing. */
#include "core/codec.h"
#include "core/verify.h"

enum ph_status ph_mac_key(struct ph_run *run, enum ph_secret_form form, struct ph_slice secret,
                          struct ph_slice *ret)
{
    struct ph_slice key = {0}, prefix = PH_S("whsec_");
    *ret = key;
    switch (form) {
    case PH_SECRET_HEX:
        (void)ph_hex_decode(run->arena, ph_slice_trim(secret), false, &key);
        break;
    case PH_SECRET_BASE64:
        (void)ph_base64_decode(run->arena, ph_slice_trim(secret), false, false, &key);
        break;
    case PH_SECRET_WHSEC:
        if (!ph_slice_starts(secret, prefix))
            prefix.len = 0;
        if (!ph_base64_decode(run->arena, ph_slice_from(secret, prefix.len), false, false, &key) &&
            prefix.len == 0)
            key = secret;
        break;
    case PH_SECRET_SHA1:
        if (secret.len > 0)
            PH_TRY(ph_sign_bytes(run, PH_SIG_DIGEST, PH_HASH_SHA1, key, secret, &key));
        break;
    case PH_SECRET_TEXT:
    case PH_SECRET_PEM:
    case PH_SECRET_JWKS:
        *ret = secret;
        return PH_OK;
    }
    *ret = key;
    return PH_OK;
}

bool ph_decode_signature(struct ph_run *run, enum ph_encoding encoding, struct ph_slice text,
                         struct ph_slice *ret)
{
    switch (encoding) {
    case PH_ENC_TEXT:
        *ret = text;
        return true;
    case PH_ENC_HEX:
        return ph_hex_decode(run->arena, text, false, ret);
    case PH_ENC_HEX_LOWER:
        return ph_hex_decode(run->arena, text, true, ret);
    case PH_ENC_BASE64:
        return ph_base64_decode(run->arena, text, false, false, ret);
    case PH_ENC_BASE64URL:
        return ph_slice_find(text, PH_S("="), 0) == SIZE_MAX &&
               ph_base64_decode(run->arena, text, true, false, ret);
    }
    return false;
}

struct ph_slice ph_encode_signature(struct ph_run *run, enum ph_encoding encoding,
                                    struct ph_slice bytes)
{
    struct ph_slice out = {0};
    bool good = true;
    switch (encoding) {
    case PH_ENC_TEXT:
        out = bytes;
        break;
    case PH_ENC_HEX:
    case PH_ENC_HEX_LOWER:
        good = ph_hex_encode(run->arena, bytes, &out);
        break;
    case PH_ENC_BASE64:
        good = ph_base64_encode(run->arena, bytes, false, true, &out);
        break;
    case PH_ENC_BASE64URL:
        good = ph_base64_encode(run->arena, bytes, true, false, &out);
        break;
    }
    return good ? out : (struct ph_slice){0};
}

static enum ph_status sign_private(struct ph_run *run, enum ph_signature_kind kind,
                                   enum ph_hash hash, struct ph_slice pem, struct ph_slice message,
                                   unsigned char *out, size_t *ret_len)
{
    struct ph_crypto *crypto = ph_worker_crypto(run->worker);
    struct ph_key *key;
    PH_TRY(ph_crypto_private_key(crypto, run->arena, pem, &key));
    enum ph_status st =
        ph_crypto_sign(crypto, key, kind, hash, message, out, PH_SIGNATURE_BYTES_MAX, ret_len);
    ph_crypto_key_free(key);
    return st;
}

enum ph_status ph_sign_bytes(struct ph_run *run, enum ph_signature_kind kind, enum ph_hash hash,
                             struct ph_slice key, struct ph_slice message, struct ph_slice *ret)
{
    struct ph_crypto *crypto = ph_worker_crypto(run->worker);
    unsigned char *out = ph_arena_alloc(run->arena, PH_SIGNATURE_BYTES_MAX);
    size_t len = 0;
    if (out == NULL)
        return PH_ERR_NO_MEMORY;
    switch (kind) {
    case PH_SIG_HMAC:
        PH_TRY(ph_crypto_hmac(crypto, hash, key, &message, 1, out, &len));
        break;
    case PH_SIG_DIGEST:
        PH_TRY(ph_crypto_digest(crypto, hash, &message, 1, out, &len));
        break;
    case PH_SIG_RSA:
    case PH_SIG_RSA_PSS:
    case PH_SIG_ECDSA:
    case PH_SIG_ED25519:
        PH_TRY(sign_private(run, kind, hash, key, message, out, &len));
        break;
    default:
        return PH_ERR_UNSUPPORTED;
    }
    *ret = ph_slice_of(out, len);
    return PH_OK;
}

/* ---- what a text needs ----------------------------------------------------------------------- */

static bool piece_lacks(const struct ph_run *run, const struct ph_piece *p, bool *ret_bears)
{
    switch (p->source) {
    case PH_SRC_SECRET:
        *ret_bears = true;
        return run->secret.len == 0;
    case PH_SRC_SECRET2:
        *ret_bears = true;
        return run->secret2.len == 0;
    case PH_SRC_CONFIG:
        *ret_bears = true;
        return ph_run_config(run, p->text).len == 0;
    case PH_SRC_URL:
        return ph_run_config(run, PH_S("notification_url")).len == 0;
    default:
        return false;
    }
}

static bool lacks(const struct ph_run *run, const struct ph_template *t, bool *ret_bears, int depth)
{
    bool missing = false;
    for (uint16_t i = 0; !t->open && i < t->count; i++) {
        const struct ph_piece *p = &t->pieces[i];
        if (p->source == PH_SRC_LET)
            missing = missing || depth == PH_LET_DEPTH_MAX ||
                      lacks(run, &run->variant->lets[p->index].value, ret_bears, depth + 1);
        else if (piece_lacks(run, p, ret_bears))
            missing = true;
    }
    return missing;
}

bool ph_lacks_secret(const struct ph_run *run, const struct ph_template *t, bool *ret_bears)
{
    return lacks(run, t, ret_bears, 0);
}

enum ph_status ph_eval_key(struct ph_run *run, const struct ph_expr *key, struct ph_slice *ret)
{
    *ret = (struct ph_slice){0};
    for (uint16_t i = 0; i < key->count && ret->len == 0; i++) {
        bool bears = false;
        if (!ph_lacks_secret(run, &key->alternatives[i], &bears))
            PH_TRY(ph_eval_template(run, &key->alternatives[i], ret));
    }
    return PH_OK;
}

static bool uses_secret(const struct ph_run *run, const struct ph_template *t, int depth)
{
    for (uint16_t i = 0; !t->open && i < t->count; i++) {
        const struct ph_piece *p = &t->pieces[i];
        if (p->source == PH_SRC_SECRET || p->source == PH_SRC_SECRET2)
            return true;
        if (p->source == PH_SRC_LET &&
            (depth == PH_LET_DEPTH_MAX ||
             uses_secret(run, &run->variant->lets[p->index].value, depth + 1)))
            return true;
    }
    return false;
}

bool ph_uses_secret(const struct ph_run *run, const struct ph_template *templates, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (uses_secret(run, &templates[i], 0))
            return true;
    return false;
}
