/* Digests and HMAC by OpenSSL 3: algorithms are fetched once per thread and keyed HMAC contexts
 * kept, since a fetch and a key schedule cost more than hashing 2 KB does. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "crypto/openssl_private.h"

enum { SMALL_BYTES = 64 };

static const char *const hash_names[] = {[PH_HASH_MD5] = "MD5",
                                         [PH_HASH_SHA1] = "SHA1",
                                         [PH_HASH_SHA256] = "SHA256",
                                         [PH_HASH_SHA384] = "SHA384",
                                         [PH_HASH_SHA512] = "SHA512"};

const char *ph_openssl_hash_name(enum ph_hash hash)
{
    return (size_t)hash < PH_COUNTOF(hash_names) ? hash_names[hash] : NULL;
}

struct ph_crypto *ph_crypto_new(const struct ph_allocator *allocator)
{
    struct ph_crypto *c = allocator->alloc(allocator->ctx, sizeof(*c));
    if (c == NULL)
        return NULL;
    memset(c, 0, sizeof(*c));
    c->allocator = allocator;
    c->lib = OSSL_LIB_CTX_new();
    c->digest_ctx = EVP_MD_CTX_new();
    if (c->lib == NULL || c->digest_ctx == NULL) {
        ph_crypto_free(c);
        return NULL;
    }
    return c;
}

static void forget(struct ph_crypto *c, struct ph_openssl_mac *slot)
{
    EVP_MAC_CTX_free(slot->ctx);
    if (slot->key != NULL) {
        OPENSSL_cleanse(slot->key, slot->key_len);
        c->allocator->free(c->allocator->ctx, slot->key);
    }
    *slot = (struct ph_openssl_mac){0};
}

void ph_crypto_free(struct ph_crypto *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < PH_KEY_CACHE; i++)
        forget(c, &c->macs[i]);
    for (size_t i = 0; i < PH_KEY_CACHE; i++)
        ph_openssl_forget_key(c, &c->keys[i]);
    for (size_t i = 0; i < PH_ROOT_SETS; i++)
        ph_openssl_forget_roots(c, &c->roots[i]);
    for (size_t i = 0; i < PH_COUNTOF(c->digests); i++)
        EVP_MD_free(c->digests[i]);
    EVP_MD_CTX_free(c->digest_ctx);
    EVP_MAC_free(c->hmac);
    OSSL_LIB_CTX_free(c->lib);
    c->allocator->free(c->allocator->ctx, c);
}

enum ph_status ph_crypto_trouble(struct ph_crypto *c)
{
    enum ph_status st = c->ran_out ? PH_ERR_NO_MEMORY : c->failed ? PH_ERR_CRYPTO : PH_OK;
    c->ran_out = c->failed = false;
    return st;
}

void ph_openssl_drop_errors(struct ph_crypto *c)
{
    for (unsigned long e = ERR_get_error(); e != 0; e = ERR_get_error())
        c->ran_out = c->ran_out || ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
}

static enum ph_status failed(struct ph_crypto *c)
{
    ph_openssl_drop_errors(c);
    return c->ran_out ? PH_ERR_NO_MEMORY : PH_ERR_CRYPTO;
}

EVP_MD *ph_openssl_digest(struct ph_crypto *c, enum ph_hash hash)
{
    const char *name = ph_openssl_hash_name(hash);
    if (name == NULL)
        return NULL;
    if (c->digests[hash] == NULL)
        c->digests[hash] = EVP_MD_fetch(c->lib, name, NULL);
    return c->digests[hash];
}

enum ph_status ph_crypto_digest(struct ph_crypto *c, enum ph_hash hash,
                                const struct ph_slice *parts, size_t count,
                                unsigned char out[PH_DIGEST_BYTES_MAX], size_t *ret_len)
{
    EVP_MD *md = ph_openssl_digest(c, hash);
    unsigned int len = 0;
    if (md == NULL)
        return hash == PH_HASH_NONE ? PH_ERR_UNSUPPORTED : failed(c);
    bool good = EVP_DigestInit_ex2(c->digest_ctx, md, NULL) == 1;
    for (size_t i = 0; i < count && good; i++)
        good = EVP_DigestUpdate(c->digest_ctx, parts[i].ptr, parts[i].len) == 1;
    if (!good || EVP_DigestFinal_ex(c->digest_ctx, out, &len) != 1)
        return failed(c);
    *ret_len = len;
    return PH_OK;
}

uint64_t ph_openssl_print(uint64_t print, struct ph_slice bytes)
{
    const uint64_t prime = 0x9e3779b97f4a7c15ULL;
    print = (print ^ bytes.len) * prime;
    for (; bytes.len > 0; bytes = ph_slice_from(bytes, bytes.len < 8 ? bytes.len : 8)) {
        uint64_t word = 0;
        memcpy(&word, bytes.ptr, bytes.len < 8 ? bytes.len : 8);
        print = (print ^ word) * prime;
        print ^= print >> 29;
    }
    return print;
}

/* Every byte is looked at whatever it is, eight at once where CRYPTO_memcmp takes one, and
 * nothing branches on what was seen before the end: to the compiler the asm may change `differ`
 * each time, so it cannot leave early. */
bool ph_crypto_equal(struct ph_slice a, struct ph_slice b)
{
    uint64_t differ = 0, x, y;
    size_t at = 0;
    if (a.len != b.len)
        return false;
    for (; a.len - at >= sizeof(x); at += sizeof(x)) {
        memcpy(&x, a.ptr + at, sizeof(x)), memcpy(&y, b.ptr + at, sizeof(y));
        differ |= x ^ y;
        __asm__("" : "+r"(differ));
    }
    if (at > 0 && at < a.len) { /* eight again, some of them twice */
        memcpy(&x, a.ptr + a.len - sizeof(x), sizeof(x)),
            memcpy(&y, b.ptr + a.len - sizeof(y), sizeof(y));
        differ |= x ^ y;
        at = a.len;
    }
    for (; at < a.len; at++) {
        differ |= (unsigned char)(a.ptr[at] ^ b.ptr[at]);
        __asm__("" : "+r"(differ));
    }
    return differ == 0;
}

static EVP_MAC_CTX *make_mac(struct ph_crypto *c, enum ph_hash hash, struct ph_slice key)
{
    if (c->hmac == NULL)
        c->hmac = EVP_MAC_fetch(c->lib, "HMAC", NULL);
    const char *name = ph_openssl_hash_name(hash);
    EVP_MAC_CTX *ctx = c->hmac != NULL && name != NULL ? EVP_MAC_CTX_new(c->hmac) : NULL;
    if (ctx == NULL)
        return NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)name, 0),
        OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(ctx, (const unsigned char *)key.ptr, key.len, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static bool is_mac(const struct ph_openssl_mac *slot, enum ph_hash hash, struct ph_slice key)
{
    return slot->ctx != NULL && slot->hash == hash &&
           ph_crypto_equal(ph_slice_of(slot->key, slot->key_len), key);
}

static EVP_MAC_CTX *used_now(struct ph_crypto *c, struct ph_openssl_mac *slot)
{
    slot->used = ++c->clock;
    c->last_mac = slot;
    return EVP_MAC_init(slot->ctx, NULL, 0, NULL) == 1 ? slot->ctx : NULL;
}

/* The keyed context of (hash, key), from the cache or made; the least lately used one makes
 * room. Most often it is the one used last: then nothing need be told apart by its print. */
static EVP_MAC_CTX *keyed(struct ph_crypto *c, enum ph_hash hash, struct ph_slice key)
{
    if (c->last_mac != NULL && is_mac(c->last_mac, hash, key))
        return used_now(c, c->last_mac);
    uint64_t print = ph_openssl_print(PH_OPENSSL_PRINT ^ (uint64_t)hash, key);
    struct ph_openssl_mac *oldest = &c->macs[0];
    for (size_t i = 0; i < PH_KEY_CACHE; i++) {
        struct ph_openssl_mac *slot = &c->macs[i];
        if (slot->print == print && is_mac(slot, hash, key))
            return used_now(c, slot);
        if (slot->used < oldest->used)
            oldest = slot;
    }
    forget(c, oldest);
    unsigned char *copy = c->allocator->alloc(c->allocator->ctx, key.len);
    c->ran_out = c->ran_out || copy == NULL;
    if (copy == NULL)
        return NULL;
    memcpy(copy, key.ptr, key.len);
    *oldest = (struct ph_openssl_mac){.ctx = make_mac(c, hash, key),
                                      .hash = hash,
                                      .print = print,
                                      .key = copy,
                                      .key_len = key.len,
                                      .used = ++c->clock};
    if (oldest->ctx == NULL)
        forget(c, oldest);
    return oldest->ctx;
}

enum ph_status ph_crypto_hmac(struct ph_crypto *c, enum ph_hash hash, struct ph_slice key,
                              const struct ph_slice *parts, size_t count,
                              unsigned char out[PH_DIGEST_BYTES_MAX], size_t *ret_len)
{
    if (key.len == 0)
        return PH_ERR_INVALID;
    EVP_MAC_CTX *ctx = keyed(c, hash, key);
    /* An update costs as much as hashing a block: what comes in small pieces is gathered first. */
    unsigned char small[SMALL_BYTES];
    size_t held = 0, at = 0;
    for (; at < count && parts[at].len <= SMALL_BYTES - held; at++) {
        if (parts[at].len > 0)
            memcpy(small + held, parts[at].ptr, parts[at].len);
        held += parts[at].len;
    }
    bool good = ctx != NULL && (held == 0 || EVP_MAC_update(ctx, small, held) == 1);
    for (; at < count && good; at++)
        good = EVP_MAC_update(ctx, (const unsigned char *)parts[at].ptr, parts[at].len) == 1;
    explicit_bzero(small, held); /* a piece may be a secret */
    if (!good || EVP_MAC_final(ctx, out, ret_len, PH_DIGEST_BYTES_MAX) != 1)
        return failed(c);
    return PH_OK;
}
