/* Public and private keys by OpenSSL 3: parsed, checked, used. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/openssl_private.h"

enum { EC_BYTES_MAX = 66, KEY_BYTES_MAX = 64 * 1024 };

/* Without it an encrypted PEM would ask at the terminal. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
    (void)buf, (void)size, (void)writing, (void)ctx;
    return -1;
}

/* ---- the cache ------------------------------------------------------------------------------- */

void ph_openssl_forget_key(struct ph_crypto *c, struct ph_openssl_public *slot)
{
    EVP_PKEY_free(slot->pkey);
    if (slot->from != NULL)
        c->allocator->free(c->allocator->ctx, slot->from);
    *slot = (struct ph_openssl_public){0};
}

/* One reference more, for the caller; NULL: not known. */
static EVP_PKEY *known_key(struct ph_crypto *c, struct ph_slice from)
{
    uint64_t print = ph_openssl_print(PH_OPENSSL_PRINT, from);
    for (size_t i = 0; i < PH_KEY_CACHE; i++) {
        struct ph_openssl_public *slot = &c->keys[i];
        if (slot->pkey == NULL || slot->print != print || slot->from_len != from.len ||
            memcmp(slot->from, from.ptr, from.len) != 0)
            continue;
        slot->used = ++c->clock;
        return EVP_PKEY_up_ref(slot->pkey) == 1 ? slot->pkey : NULL;
    }
    return NULL;
}

/* Remembers the key where it can; that it could not changes nothing but the time the next parse
 * takes. */
static void remember_key(struct ph_crypto *c, struct ph_slice from, EVP_PKEY *pkey)
{
    struct ph_openssl_public *oldest = &c->keys[0];
    for (size_t i = 1; i < PH_KEY_CACHE; i++)
        if (c->keys[i].used < oldest->used)
            oldest = &c->keys[i];
    unsigned char *copy = c->allocator->alloc(c->allocator->ctx, from.len);
    if (copy == NULL)
        return;
    if (EVP_PKEY_up_ref(pkey) != 1) {
        c->allocator->free(c->allocator->ctx, copy);
        return;
    }
    memcpy(copy, from.ptr, from.len);
    ph_openssl_forget_key(c, oldest);
    *oldest = (struct ph_openssl_public){.pkey = pkey,
                                         .print = ph_openssl_print(PH_OPENSSL_PRINT, from),
                                         .from = copy,
                                         .from_len = from.len,
                                         .used = ++c->clock};
}

/* ---- from text ------------------------------------------------------------------------------- */

static EVP_PKEY *public_from_bio(struct ph_crypto *c, struct ph_slice text, bool der)
{
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    if (bio == NULL) {
        ph_openssl_drop_errors(c);
        return NULL;
    }
    const unsigned char *at = (const unsigned char *)text.ptr;
    EVP_PKEY *pkey = der ? d2i_PUBKEY_ex(NULL, &at, (long)text.len, c->lib, NULL)
                         : PEM_read_bio_PUBKEY_ex(bio, NULL, no_password, NULL, c->lib, NULL);
    if (pkey == NULL) {
        (void)BIO_reset(bio);
        X509 *x = X509_new_ex(c->lib, NULL);
        X509 *read = x == NULL ? NULL
                     : der     ? d2i_X509_bio(bio, &x)
                               : PEM_read_bio_X509(bio, &x, no_password, NULL);
        if (read != NULL)
            pkey = X509_get_pubkey(read);
        X509_free(x);
    }
    BIO_free(bio);
    ph_openssl_drop_errors(c);
    return pkey;
}

static bool looks_pem(struct ph_slice text)
{
    return ph_slice_find(text, PH_S("-----BEGIN "), 0) != SIZE_MAX;
}

/* Base64 without a decoder of ours below the codec's layer: OpenSSL's, fed line by line. */
static struct ph_slice unbase64(struct ph_arena *arena, struct ph_slice text)
{
    char *packed = ph_arena_alloc(arena, text.len + 4);
    unsigned char *out = ph_arena_alloc(arena, text.len + 4);
    if (packed == NULL || out == NULL)
        return (struct ph_slice){0};
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\n' && text.ptr[i] != '\r' && text.ptr[i] != ' ' && text.ptr[i] != '=')
            packed[len++] = text.ptr[i];
    size_t pads = (4 - len % 4) % 4;
    if (pads == 3)
        return (struct ph_slice){0};
    memset(packed + len, '=', pads);
    int n = EVP_DecodeBlock(out, (unsigned char *)packed, (int)(len + pads));
    OPENSSL_cleanse(packed, len); /* it may be a private key */
    return n < (int)pads ? (struct ph_slice){0} : ph_slice_of(out, (size_t)n - pads);
}

static EVP_PKEY *parse_public(struct ph_crypto *c, struct ph_arena *arena, struct ph_slice text)
{
    enum { ED25519_BYTES = 32 };
    if (looks_pem(text))
        return public_from_bio(c, text, false);
    EVP_PKEY *pkey = NULL;
    struct ph_slice raw = unbase64(arena, text);
    if (raw.len == ED25519_BYTES)
        pkey = EVP_PKEY_new_raw_public_key_ex(c->lib, "ED25519", NULL,
                                              (const unsigned char *)raw.ptr, raw.len);
    else if (raw.len > 0)
        pkey = public_from_bio(c, raw, !looks_pem(raw));
    if (pkey == NULL)
        pkey = public_from_bio(c, text, true);
    ph_openssl_drop_errors(c);
    return pkey;
}

enum ph_status ph_crypto_public_key(struct ph_crypto *c, struct ph_arena *arena,
                                    struct ph_slice text, struct ph_key **ret)
{
    text = ph_slice_trim(text);
    if (text.len == 0 || text.len > KEY_BYTES_MAX)
        return PH_ERR_INVALID;
    EVP_PKEY *pkey = known_key(c, text);
    if (pkey == NULL) {
        pkey = parse_public(c, arena, text);
        if (pkey == NULL)
            return PH_ERR_INVALID;
        remember_key(c, text, pkey);
    }
    *ret = ph_openssl_key(pkey);
    return PH_OK;
}

static EVP_PKEY *parse_private(struct ph_crypto *c, struct ph_slice text)
{
    if (!looks_pem(text)) {
        const unsigned char *at = (const unsigned char *)text.ptr;
        return d2i_AutoPrivateKey_ex(NULL, &at, (long)text.len, c->lib, NULL);
    }
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    EVP_PKEY *pkey =
        bio != NULL ? PEM_read_bio_PrivateKey_ex(bio, NULL, no_password, NULL, c->lib, NULL) : NULL;
    BIO_free(bio);
    return pkey;
}

enum ph_status ph_crypto_private_key(struct ph_crypto *c, struct ph_arena *arena,
                                     struct ph_slice text, struct ph_key **ret)
{
    text = ph_slice_trim(text);
    if (text.len == 0 || text.len > KEY_BYTES_MAX)
        return PH_ERR_INVALID;
    struct ph_slice unpacked = looks_pem(text) ? (struct ph_slice){0} : unbase64(arena, text);
    EVP_PKEY *pkey = parse_private(c, unpacked.len > 0 ? unpacked : text);
    if (unpacked.len > 0)
        OPENSSL_cleanse((char *)(uintptr_t)unpacked.ptr, unpacked.len);
    ph_openssl_drop_errors(c);
    if (pkey == NULL)
        return PH_ERR_INVALID;
    *ret = ph_openssl_key(pkey);
    return PH_OK;
}

void ph_crypto_key_free(struct ph_key *key)
{
    EVP_PKEY_free(ph_openssl_pkey(key));
}

static EVP_PKEY *from_params(struct ph_crypto *c, const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(c->lib, type, NULL);
    if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    if (pkey != NULL) {
        EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(c->lib, pkey, NULL);
        /* on the curve, no tiny modulus */
        bool good = check != NULL && EVP_PKEY_public_check(check) == 1;
        EVP_PKEY_CTX_free(check);
        if (!good) {
            EVP_PKEY_free(pkey);
            pkey = NULL;
        }
    }
    ph_openssl_drop_errors(c);
    return pkey;
}

enum ph_status ph_crypto_ec_key(struct ph_crypto *c, struct ph_slice curve, struct ph_slice x,
                                struct ph_slice y, struct ph_key **ret)
{
    static const struct {
        struct ph_slice name;
        const char *group;
        size_t bytes;
    } curves[] = {{PH_SI("P-256"), "prime256v1", 32},
                  {PH_SI("P-384"), "secp384r1", 48},
                  {PH_SI("P-521"), "secp521r1", 66}};
    for (size_t i = 0; i < PH_COUNTOF(curves); i++) {
        if (!ph_slice_eq(curve, curves[i].name))
            continue;
        size_t bytes = curves[i].bytes;
        /* Leading zeros may be missing (RFC 7518 wants them, senders forget). */
        if (x.len == 0 || y.len == 0 || x.len > bytes || y.len > bytes)
            return PH_ERR_INVALID;
        unsigned char point[1 + 2 * EC_BYTES_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
        memcpy(point + 1 + bytes - x.len, x.ptr, x.len);
        memcpy(point + 1 + 2 * bytes - y.len, y.ptr, y.len);
        struct ph_slice from = ph_slice_of(point, 1 + 2 * bytes);
        EVP_PKEY *pkey = known_key(c, from);
        if (pkey != NULL) {
            *ret = ph_openssl_key(pkey);
            return PH_OK;
        }
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        if (build != NULL &&
            OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group,
                                            0) == 1 &&
            OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                             1 + 2 * bytes) == 1)
            pkey = from_params(c, "EC", build);
        OSSL_PARAM_BLD_free(build);
        if (pkey == NULL)
            return PH_ERR_INVALID;
        remember_key(c, from, pkey);
        *ret = ph_openssl_key(pkey);
        return PH_OK;
    }
    return PH_ERR_UNSUPPORTED;
}

enum ph_status ph_crypto_ed25519_key(struct ph_crypto *c, struct ph_slice x, struct ph_key **ret)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(c->lib, "ED25519", NULL,
                                                    (const unsigned char *)x.ptr, x.len);
    ph_openssl_drop_errors(c);
    if (pkey == NULL)
        return PH_ERR_INVALID;
    *ret = ph_openssl_key(pkey);
    return PH_OK;
}

enum ph_status ph_crypto_rsa_key(struct ph_crypto *c, struct ph_slice n, struct ph_slice e,
                                 struct ph_key **ret)
{
    enum { MODULUS_BYTES_MIN = 128, MODULUS_BYTES_MAX = 1024 };
    if (n.len < MODULUS_BYTES_MIN || n.len > MODULUS_BYTES_MAX || e.len == 0 || e.len > 8)
        return PH_ERR_INVALID;
    BIGNUM *bn = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
    BIGNUM *be = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (bn != NULL && be != NULL && build != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be) == 1)
        pkey = from_params(c, "RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(bn);
    BN_free(be);
    if (pkey == NULL)
        return PH_ERR_INVALID;
    *ret = ph_openssl_key(pkey);
    return PH_OK;
}

size_t ph_crypto_ec_bytes(const struct ph_key *key)
{
    EVP_PKEY *pkey = ph_openssl_pkey(key);
    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC ? ((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8
                                                     : 0;
}

/* A hash that is not named would let the library choose one. By number: asked by name, the
 * library needs memory and says "no" without it. */
static bool fits(EVP_PKEY *pkey, enum ph_signature_kind kind, enum ph_hash hash)
{
    if (kind != PH_SIG_ED25519 && ph_openssl_hash_name(hash) == NULL)
        return false;
    switch (kind) {
    case PH_SIG_RSA:
    case PH_SIG_RSA_PSS:
        return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA;
    case PH_SIG_ECDSA:
        return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC;
    case PH_SIG_ED25519:
        return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519;
    default:
        return false;
    }
}

static bool set_padding(EVP_PKEY_CTX *pctx, enum ph_signature_kind kind)
{
    if (kind == PH_SIG_RSA)
        return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PADDING) == 1;
    if (kind == PH_SIG_RSA_PSS)
        return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    return true;
}

/* The library calls a signature that is no DER an error too. */
static bool is_malformed(enum ph_signature_kind kind, struct ph_slice signature)
{
    const unsigned char *at = (const unsigned char *)signature.ptr;
    ECDSA_SIG *sig = kind == PH_SIG_ECDSA ? d2i_ECDSA_SIG(NULL, &at, (long)signature.len) : NULL;
    bool malformed = kind == PH_SIG_ECDSA &&
                     (sig == NULL || at != (const unsigned char *)signature.ptr + signature.len);
    ECDSA_SIG_free(sig);
    return malformed;
}

bool ph_crypto_verify(struct ph_crypto *c, struct ph_key *key, enum ph_signature_kind kind,
                      enum ph_hash hash, struct ph_slice message, struct ph_slice signature)
{
    EVP_PKEY *pkey = ph_openssl_pkey(key);
    if (!fits(pkey, kind, hash) || signature.len == 0)
        return false;
    const char *name = kind == PH_SIG_ED25519 ? NULL : ph_openssl_hash_name(hash);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool ready = ctx != NULL &&
                 EVP_DigestVerifyInit_ex(ctx, &pctx, name, c->lib, NULL, pkey, NULL) == 1 &&
                 set_padding(pctx, kind);
    if (ready) /* once only: or it copies the context first, and takes a copy that failed for a signature that did */
        EVP_MD_CTX_set_flags(ctx, EVP_MD_CTX_FLAG_FINALISE);
    int found = ready ? EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                                         (const unsigned char *)message.ptr, message.len)
                      : -1;
    EVP_MD_CTX_free(ctx);
    c->failed = c->failed || (found < 0 && !(ready && is_malformed(kind, signature)));
    ph_openssl_drop_errors(c);
    return found == 1;
}

enum ph_status ph_crypto_sign(struct ph_crypto *c, struct ph_key *key, enum ph_signature_kind kind,
                              enum ph_hash hash, struct ph_slice message, unsigned char *out,
                              size_t room, size_t *ret_len)
{
    EVP_PKEY *pkey = ph_openssl_pkey(key);
    if (!fits(pkey, kind, hash))
        return PH_ERR_INVALID;
    const char *name = kind == PH_SIG_ED25519 ? NULL : ph_openssl_hash_name(hash);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    size_t len = room;
    bool good =
        ctx != NULL && EVP_DigestSignInit_ex(ctx, &pctx, name, c->lib, NULL, pkey, NULL) == 1 &&
        set_padding(pctx, kind) &&
        EVP_DigestSign(ctx, out, &len, (const unsigned char *)message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    ph_openssl_drop_errors(c);
    if (!good)
        return PH_ERR_CRYPTO;
    *ret_len = len;
    return PH_OK;
}

bool ph_crypto_ecdsa_to_der(struct ph_crypto *c, struct ph_slice raw, size_t bytes,
                            unsigned char *out, size_t room, size_t *ret_len)
{
    if (bytes == 0 || raw.len != 2 * bytes)
        return false;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn((const unsigned char *)raw.ptr, (int)bytes, NULL);
    BIGNUM *s = BN_bin2bn((const unsigned char *)raw.ptr + bytes, (int)bytes, NULL);
    int len = -1;
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* sig has them */
        len = i2d_ECDSA_SIG(sig, NULL);
        if (len > 0 && (size_t)len <= room) {
            unsigned char *at = out;
            len = i2d_ECDSA_SIG(sig, &at);
        } else {
            len = -1;
        }
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    ph_openssl_drop_errors(c);
    if (len <= 0)
        return false;
    *ret_len = (size_t)len;
    return true;
}

bool ph_crypto_ecdsa_to_raw(struct ph_crypto *c, struct ph_slice der, size_t bytes,
                            unsigned char *out)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    bool good = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)bytes) >= 0 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + bytes, (int)bytes) >= 0;
    ECDSA_SIG_free(sig);
    ph_openssl_drop_errors(c);
    return good;
}
