/* JSON Web Signatures, compact or detached (RFC 7515). The algorithm is the page's, never the
 * token's: `alg` may only name one that the page lists, and the key must be of its kind. */
#include "core/codec.h"
#include "core/verify.h"

struct parts {
    struct ph_slice header, payload, signature;
};

static bool split(struct ph_slice text, struct parts *ret)
{
    size_t first = ph_slice_find(text, PH_S("."), 0);
    size_t second = first == SIZE_MAX ? SIZE_MAX : ph_slice_find(text, PH_S("."), first + 1);
    if (second == SIZE_MAX || ph_slice_find(text, PH_S("."), second + 1) != SIZE_MAX)
        return false;
    *ret = (struct parts){ph_slice_of(text.ptr, first),
                          ph_slice_of(text.ptr + first + 1, second - first - 1),
                          ph_slice_from(text, second + 1)};
    return true;
}

static bool has_padding(struct ph_slice s)
{
    return ph_slice_find(s, PH_S("="), 0) != SIZE_MAX;
}

/* The payload as a tree; NULL: it is no JSON object (or there is no memory to say so). */
static yyjson_val *claims_of(struct ph_run *run, struct ph_slice payload)
{
    struct ph_slice text, why;
    if (payload.len == 0 || has_padding(payload) ||
        !ph_base64_decode(run->arena, payload, true, false, &text))
        return NULL;
    yyjson_val *claims = ph_read_json(run, text, &why);
    return yyjson_is_obj(claims) ? claims : NULL;
}

enum ph_status ph_jws_open(struct ph_run *run, struct ph_slice text, bool detached,
                           struct ph_slice *ret_why)
{
    struct parts p;
    struct ph_slice header, why;
    run->jws = run->claims = NULL;
    if (!split(text, &p) || has_padding(p.header) ||
        !ph_base64_decode(run->arena, p.header, true, false, &header)) {
        *ret_why = PH_S("the signature is not a JWS");
        return PH_OK;
    }
    if (detached && p.payload.len > 0) {
        *ret_why = PH_S("the JWS carries a payload of its own where the body is signed");
        return PH_OK;
    }
    run->jws = ph_read_json(run, header, &why);
    if (!yyjson_is_obj(run->jws)) {
        run->jws = NULL;
        *ret_why = PH_S("the JWS header is not a JSON object");
    } else if (yyjson_obj_get(run->jws, "crit") != NULL) {
        run->jws = NULL; /* RFC 7515, 4.1.11: what is critical and not understood must be refused */
        *ret_why = PH_S("the JWS header has critical members that nobody here understands");
    } else if (!detached && (run->claims = claims_of(run, p.payload)) == NULL) {
        run->jws = NULL; /* RFC 7519, 7.2: what may limit it cannot be read */
        *ret_why = PH_S("what the JWS carries is not a JSON object");
    }
    return PH_OK;
}

struct algorithm {
    struct ph_slice name;
    enum ph_signature_kind kind;
    enum ph_hash hash;
    size_t ec_bytes;
};

static const struct algorithm algorithms[] = {
    {PH_SI("ES256"), PH_SIG_ECDSA, PH_HASH_SHA256, 32},
    {PH_SI("ES384"), PH_SIG_ECDSA, PH_HASH_SHA384, 48},
    {PH_SI("ES512"), PH_SIG_ECDSA, PH_HASH_SHA512, 66},
    {PH_SI("RS256"), PH_SIG_RSA, PH_HASH_SHA256, 0},
    {PH_SI("RS384"), PH_SIG_RSA, PH_HASH_SHA384, 0},
    {PH_SI("RS512"), PH_SIG_RSA, PH_HASH_SHA512, 0},
    {PH_SI("PS256"), PH_SIG_RSA_PSS, PH_HASH_SHA256, 0},
    {PH_SI("PS384"), PH_SIG_RSA_PSS, PH_HASH_SHA384, 0},
    {PH_SI("PS512"), PH_SIG_RSA_PSS, PH_HASH_SHA512, 0},
    {PH_SI("EdDSA"), PH_SIG_ED25519, PH_HASH_NONE, 0},
    {PH_SI("HS256"), PH_SIG_HMAC, PH_HASH_SHA256, 0},
    {PH_SI("HS384"), PH_SIG_HMAC, PH_HASH_SHA384, 0},
    {PH_SI("HS512"), PH_SIG_HMAC, PH_HASH_SHA512, 0},
};

static struct ph_slice text_of(struct ph_run *run, yyjson_val *object, const char *name)
{
    struct ph_step step = {.kind = PH_STEP_KEY, .index = -1, .key = ph_slice_str(name)};
    struct ph_pointer pointer = {.steps = &step, .count = 1};
    yyjson_val *v = ph_point(run, object, &pointer);
    return yyjson_is_str(v) ? ph_json_text(v) : (struct ph_slice){0};
}

static const struct algorithm *named(struct ph_slice name)
{
    for (size_t i = 0; i < PH_COUNTOF(algorithms); i++)
        if (ph_slice_eq(algorithms[i].name, name))
            return &algorithms[i];
    return NULL;
}

static const struct algorithm *choose(struct ph_run *run, const struct ph_signature *sig)
{
    struct ph_slice alg = text_of(run, run->jws, "alg");
    bool listed = false;
    for (uint16_t i = 0; i < sig->algorithm_count; i++)
        listed = listed || (alg.len > 0 && ph_slice_eq(alg, sig->algorithms[i]));
    const struct algorithm *a = listed ? named(alg) : NULL;
    /* A public key's text must never serve as an HMAC key, nor a shared secret as a public key. */
    bool public_form = sig->secret_form == PH_SECRET_PEM || sig->secret_form == PH_SECRET_JWKS;
    return a != NULL && (a->kind == PH_SIG_HMAC) != public_form ? a : NULL;
}

static enum ph_status jwk_key(struct ph_run *run, yyjson_val *jwk, struct ph_key **ret)
{
    struct ph_crypto *crypto = ph_worker_crypto(run->worker);
    struct ph_slice kty = text_of(run, jwk, "kty"), a, b;
    bool ec = ph_slice_eq(kty, PH_S("EC"));
    if (ph_slice_eq(kty, PH_S("OKP")) && ph_slice_eq(text_of(run, jwk, "crv"), PH_S("Ed25519")))
        return ph_base64_decode(run->arena, text_of(run, jwk, "x"), true, false, &a)
                   ? ph_crypto_ed25519_key(crypto, a, ret)
                   : PH_ERR_INVALID;
    if (!ec && !ph_slice_eq(kty, PH_S("RSA")))
        return PH_ERR_UNSUPPORTED;
    if (!ph_base64_decode(run->arena, text_of(run, jwk, ec ? "x" : "n"), true, false, &a) ||
        !ph_base64_decode(run->arena, text_of(run, jwk, ec ? "y" : "e"), true, false, &b))
        return PH_ERR_INVALID;
    return ec ? ph_crypto_ec_key(crypto, text_of(run, jwk, "crv"), a, b, ret)
              : ph_crypto_rsa_key(crypto, a, b, ret);
}

/* The list of a key set; NULL: it is none, or has no key. */
static yyjson_val *keys_of(struct ph_run *run, struct ph_slice text)
{
    struct ph_slice why;
    yyjson_val *set = ph_read_json(run, text, &why);
    yyjson_val *keys = yyjson_is_obj(set) ? yyjson_obj_get(set, "keys") : NULL;
    return yyjson_is_arr(keys) && yyjson_is_obj(yyjson_arr_get_first(keys)) ? keys : NULL;
}

bool ph_jwks_reads(struct ph_run *run, struct ph_slice text)
{
    return keys_of(run, text) != NULL;
}

/* The key of that id in a key set, or the one PEM; a token without `kid` names none of a set.
 * NULL: *ret says whether there is none of that id, or what should be keys is none. */
static struct ph_key *key_of(struct ph_run *run, struct ph_slice key_text, enum ph_jws *ret)
{
    struct ph_slice kid = text_of(run, run->jws, "kid");
    struct ph_key *key = NULL;
    key_text = ph_slice_trim(key_text);
    *ret = PH_JWS_BAD_KEYS;
    if (key_text.len > 0 && key_text.ptr[0] != '{')
        return ph_crypto_public_key(ph_worker_crypto(run->worker), run->arena, key_text, &key) ==
                       PH_OK
                   ? key
                   : NULL;
    yyjson_val *keys = keys_of(run, key_text), *jwk;
    size_t index, count;
    if (keys == NULL)
        return NULL;
    *ret = PH_JWS_NO_KEY;
    yyjson_arr_foreach(keys, index, count, jwk)
    {
        if (index == PH_JWKS_KEYS_MAX)
            break;
        if (!yyjson_is_obj(jwk) || kid.len == 0 || !ph_slice_eq(text_of(run, jwk, "kid"), kid))
            continue;
        enum ph_status st = jwk_key(run, jwk, &key);
        if (st == PH_OK)
            return key;
        if (st !=
            PH_ERR_UNSUPPORTED) /* of a kind that no algorithm of ours has: none for this signature */
            *ret = PH_JWS_BAD_KEYS;
    }
    return NULL;
}

static bool good(struct ph_run *run, const struct algorithm *alg, struct ph_key *key,
                 struct ph_slice message, struct ph_slice raw)
{
    unsigned char der[PH_SIGNATURE_BYTES_MAX];
    size_t der_len;
    if (alg->kind == PH_SIG_ECDSA) {
        if (ph_crypto_ec_bytes(key) != alg->ec_bytes ||
            !ph_crypto_ecdsa_to_der(ph_worker_crypto(run->worker), raw, alg->ec_bytes, der,
                                    sizeof(der), &der_len))
            return false;
        raw = ph_slice_of(der, der_len);
    }
    return ph_crypto_verify(ph_worker_crypto(run->worker), key, alg->kind, alg->hash, message, raw);
}

enum ph_status ph_jws_judge(struct ph_run *run, const struct ph_signature *sig,
                            struct ph_slice text, struct ph_slice key_text,
                            const struct ph_slice *payload, enum ph_jws *ret)
{
    struct parts p;
    struct ph_slice raw, packed;
    const struct algorithm *alg = choose(run, sig);
    *ret = alg == NULL ? PH_JWS_ALGORITHM : PH_JWS_MALFORMED;
    if (alg == NULL || !split(text, &p) || has_padding(p.signature) ||
        !ph_base64_decode(run->arena, p.signature, true, false, &raw))
        return PH_OK;
    packed = p.payload;
    if (payload != NULL && !ph_base64_encode(run->arena, *payload, true, false, &packed))
        return PH_ERR_NO_MEMORY;
    struct ph_slice pieces[] = {p.header, PH_S("."), packed};
    struct ph_slice message = ph_join(run, pieces, PH_COUNTOF(pieces));
    if (!ph_slice_present(message))
        return PH_ERR_NO_MEMORY;
    if (alg->kind == PH_SIG_HMAC) {
        unsigned char mac[PH_DIGEST_BYTES_MAX];
        size_t len;
        struct ph_slice key;
        PH_TRY(ph_mac_key(run, sig->secret_form, key_text, &key));
        if (key.len == 0) {
            *ret = PH_JWS_NO_KEY;
            return PH_OK;
        }
        PH_TRY(
            ph_crypto_hmac(ph_worker_crypto(run->worker), alg->hash, key, &message, 1, mac, &len));
        *ret = ph_crypto_equal(ph_slice_of(mac, len), raw) ? PH_JWS_GOOD : PH_JWS_MISMATCH;
        return PH_OK;
    }
    struct ph_key *key = key_of(run, key_text, ret);
    if (key == NULL)
        return PH_OK;
    *ret = good(run, alg, key, message, raw) ? PH_JWS_GOOD : PH_JWS_MISMATCH;
    ph_crypto_key_free(key);
    return PH_OK;
}

/* ---- signing --------------------------------------------------------------------------------- */

static enum ph_status raw_signature(struct ph_run *run, const struct algorithm *alg,
                                    struct ph_slice key, struct ph_slice message,
                                    struct ph_slice *ret)
{
    PH_TRY(ph_sign_bytes(run, alg->kind, alg->hash, key, message, ret));
    if (alg->kind != PH_SIG_ECDSA)
        return PH_OK;
    unsigned char *raw = ph_arena_alloc(run->arena, 2 * alg->ec_bytes);
    if (raw == NULL)
        return PH_ERR_NO_MEMORY;
    if (!ph_crypto_ecdsa_to_raw(ph_worker_crypto(run->worker), *ret, alg->ec_bytes, raw))
        return PH_ERR_INVALID;
    *ret = ph_slice_of(raw, 2 * alg->ec_bytes);
    return PH_OK;
}

enum ph_status ph_jws_sign(struct ph_run *run, const struct ph_signature *sig,
                           struct ph_slice algorithm, struct ph_slice header,
                           struct ph_slice payload, bool detached, struct ph_slice key,
                           struct ph_slice *ret)
{
    const struct algorithm *alg = named(algorithm);
    struct ph_slice head, body, raw, last;
    if (alg == NULL)
        return PH_ERR_UNSUPPORTED;
    if (alg->kind == PH_SIG_HMAC)
        PH_TRY(ph_mac_key(run, sig->secret_form, key, &key));
    if (!ph_base64_encode(run->arena, header, true, false, &head) ||
        !ph_base64_encode(run->arena, payload, true, false, &body))
        return PH_ERR_NO_MEMORY;
    struct ph_slice signed_parts[] = {head, PH_S("."), body};
    struct ph_slice message = ph_join(run, signed_parts, PH_COUNTOF(signed_parts));
    if (!ph_slice_present(message))
        return PH_ERR_NO_MEMORY;
    PH_TRY(raw_signature(run, alg, key, message, &raw));
    if (!ph_base64_encode(run->arena, raw, true, false, &last))
        return PH_ERR_NO_MEMORY;
    struct ph_slice parts[] = {head, PH_S("."), detached ? PH_S("") : body, PH_S("."), last};
    *ret = ph_join(run, parts, PH_COUNTOF(parts));
    return ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}
