/* What the OpenSSL files of the seam share. */
#ifndef PH_CRYPTO_OPENSSL_PRIVATE_H
#define PH_CRYPTO_OPENSSL_PRIVATE_H

#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include "crypto/crypto.h"

struct ph_openssl_mac {
    EVP_MAC_CTX *ctx;
    enum ph_hash hash;
    uint64_t print;
    unsigned char *key; /* a copy, to compare; wiped */
    size_t key_len;
    uint64_t used;
};

/* A parsed public key, found again by the text or the coordinates it came from. */
struct ph_openssl_public {
    EVP_PKEY *pkey;
    uint64_t print;
    unsigned char *from; /* a copy, to compare */
    size_t from_len;
    uint64_t used;
};

/* The roots of one list. */
struct ph_roots {
    X509_STORE *store; /* NULL: the place is free */
    char *list;        /* a copy, to compare; NULL: too long to be found again */
    size_t list_len;
    uint64_t used;
};

struct ph_crypto {
    const struct ph_allocator *allocator;
    OSSL_LIB_CTX *lib;
    EVP_MD *digests[PH_HASH_SHA512 + 1];
    EVP_MD_CTX *digest_ctx;
    EVP_MAC *hmac;
    /* last_mac: the one used last; NULL: none yet */
    struct ph_openssl_mac macs[PH_KEY_CACHE], *last_mac;
    struct ph_openssl_public keys[PH_KEY_CACHE];
    struct ph_roots roots[PH_ROOT_SETS];
    uint64_t clock;
    bool ran_out, failed; /* since ph_crypto_trouble was last asked */
};

/* struct ph_key is an EVP_PKEY under another name: nothing above the seam looks inside. */
static inline EVP_PKEY *ph_openssl_pkey(const struct ph_key *key)
{
    return (EVP_PKEY *)(uintptr_t)key;
}
static inline struct ph_key *ph_openssl_key(EVP_PKEY *pkey)
{
    return (struct ph_key *)pkey;
}

const char *ph_openssl_hash_name(enum ph_hash hash);
/* Empties the library's error queue; what it says of memory is kept for ph_crypto_trouble. */
void ph_openssl_drop_errors(struct ph_crypto *crypto);
EVP_MD *ph_openssl_digest(struct ph_crypto *crypto, enum ph_hash hash);
/* A hash over more bytes: finds a cache slot, decides nothing. Starts from PH_OPENSSL_PRINT. */
#define PH_OPENSSL_PRINT 1469598103934665603ULL
uint64_t ph_openssl_print(uint64_t print, struct ph_slice bytes);
void ph_openssl_forget_roots(struct ph_crypto *crypto, struct ph_roots *roots);
void ph_openssl_forget_key(struct ph_crypto *crypto, struct ph_openssl_public *slot);

#endif
