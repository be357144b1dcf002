/* The crypto seam: what the engine needs of a crypto library, and nothing of its types. One
 * library, one family of files (…_openssl.c).
 *
 * K1: a private library context, no configuration file, no engines.
 * K2: keys are copied in, and wiped on eviction and at the end; nothing prints them.
 * K3: after warm-up an HMAC with a known key allocates nothing.
 * K4: what is kept over calls is bounded: PH_KEY_CACHE keys of each sort, PH_ROOT_SETS sets of
 *     roots. */
#ifndef PH_CRYPTO_CRYPTO_H
#define PH_CRYPTO_CRYPTO_H

#include "base/arena.h"
#include "connector/connector.h"

enum {
    PH_DIGEST_BYTES_MAX = 64,
    PH_SIGNATURE_BYTES_MAX = 1024,
    PH_KEY_CACHE = 32,
    PH_ROOT_SETS = 2
};

/* Contexts of one thread; never shared. */
struct ph_crypto;
struct ph_crypto *ph_crypto_new(const struct ph_allocator *allocator);
void ph_crypto_free(struct ph_crypto *crypto);
/* What went wrong on our side since this was last asked: PH_ERR_NO_MEMORY, PH_ERR_CRYPTO or
 * PH_OK. A signature that "does not match" proves nothing unless it is PH_OK. */
PH_MUST_USE enum ph_status ph_crypto_trouble(struct ph_crypto *crypto);

/* Digest of the parts, one after the other; PH_ERR_UNSUPPORTED for PH_HASH_NONE. */
PH_MUST_USE enum ph_status ph_crypto_digest(struct ph_crypto *crypto, enum ph_hash hash,
                                            const struct ph_slice *parts, size_t count,
                                            unsigned char out[PH_DIGEST_BYTES_MAX],
                                            size_t *ret_len);
/* HMAC of the parts. `key` must not be empty (PH_ERR_INVALID). */
PH_MUST_USE enum ph_status ph_crypto_hmac(struct ph_crypto *crypto, enum ph_hash hash,
                                          struct ph_slice key, const struct ph_slice *parts,
                                          size_t count, unsigned char out[PH_DIGEST_BYTES_MAX],
                                          size_t *ret_len);
/* Equal, in a time that depends on the lengths alone. */
bool ph_crypto_equal(struct ph_slice a, struct ph_slice b);

/* A public key of any kind, parsed. Borrowed from the crypto's cache or owned: free always. */
struct ph_key;
/* PEM (public key or certificate), DER, base64 of either, or base64 of a raw Ed25519 key; found
 * again in a cache by the text. PH_ERR_INVALID: none of these. */
PH_MUST_USE enum ph_status ph_crypto_public_key(struct ph_crypto *crypto, struct ph_arena *arena,
                                                struct ph_slice text, struct ph_key **ret);
/* From a JWK's members (raw bytes). EC: curve "P-256", "P-384", "P-521". */
PH_MUST_USE enum ph_status ph_crypto_ec_key(struct ph_crypto *crypto, struct ph_slice curve,
                                            struct ph_slice x, struct ph_slice y,
                                            struct ph_key **ret);
PH_MUST_USE enum ph_status ph_crypto_rsa_key(struct ph_crypto *crypto, struct ph_slice n,
                                             struct ph_slice e, struct ph_key **ret);
PH_MUST_USE enum ph_status ph_crypto_ed25519_key(struct ph_crypto *crypto, struct ph_slice x,
                                                 struct ph_key **ret);
/* PKCS#8, PKCS#1 or SEC1 private key: PEM, DER, or base64 of either. */
PH_MUST_USE enum ph_status ph_crypto_private_key(struct ph_crypto *crypto, struct ph_arena *arena,
                                                 struct ph_slice text, struct ph_key **ret);
void ph_crypto_key_free(struct ph_key *key);
/* Bytes of one coordinate of an EC key (32, 48, 66); 0 for other keys. */
size_t ph_crypto_ec_bytes(const struct ph_key *key);

/* True only when the signature is good. kind: RSA, RSA_PSS, ECDSA (DER) or ED25519; a key of
 * another kind is never good. */
bool ph_crypto_verify(struct ph_crypto *crypto, struct ph_key *key, enum ph_signature_kind kind,
                      enum ph_hash hash, struct ph_slice message, struct ph_slice signature);
PH_MUST_USE enum ph_status ph_crypto_sign(struct ph_crypto *crypto, struct ph_key *key,
                                          enum ph_signature_kind kind, enum ph_hash hash,
                                          struct ph_slice message, unsigned char *out, size_t room,
                                          size_t *ret_len);
/* ECDSA signatures between DER and raw r||s of 2*bytes (JWS). False: malformed. */
bool ph_crypto_ecdsa_to_der(struct ph_crypto *crypto, struct ph_slice raw, size_t bytes,
                            unsigned char *out, size_t room, size_t *ret_len);
bool ph_crypto_ecdsa_to_raw(struct ph_crypto *crypto, struct ph_slice der, size_t bytes,
                            unsigned char *out);

/* Whether the text begins with a certificate in PEM. */
bool ph_crypto_certificate_reads(struct ph_crypto *crypto, struct ph_slice pem);
/* Root certificates, parsed once for each list they come in: the crypto owns the sets of the
 * PH_ROOT_SETS lists used last (K4); a list of more than PH_CA_FILE_BYTES_MAX is not found
 * again. */
struct ph_roots;
/* The set of that list; NULL: it is not known. Borrowed until another list is added. */
struct ph_roots *ph_crypto_roots_find(struct ph_crypto *crypto, struct ph_slice list);
/* Parses and keeps the list's certificates (DER); one that does not read is left out. NULL: none
 * reads, or no memory. */
struct ph_roots *ph_crypto_roots_add(struct ph_crypto *crypto, struct ph_slice list,
                                     const struct ph_slice *roots_der, size_t count);
/* Whether the certificate (PEM; intermediates may follow it) leads to one of the roots at that
 * time and bears one of the names (a DNS name of it, its common name where it has none; no
 * wildcards). No roots or no name: never. */
bool ph_crypto_chain_ok(struct ph_crypto *crypto, struct ph_slice certificate_pem,
                        const struct ph_roots *roots, int64_t at_ms, const struct ph_slice *names,
                        size_t name_count);

#endif
