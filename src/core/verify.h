/* What the files that judge and make signatures share. Private to core/. */
#ifndef PH_CORE_VERIFY_H
#define PH_CORE_VERIFY_H

#include "core/run.h"
#include "core/value.h"
#include "crypto/crypto.h"

/* A key's text and the secret it came from (from 1; 0: the config). */
struct ph_key_text {
    struct ph_slice text;
    int32_t index;
};

/* A request under judgement. */
struct ph_judge {
    struct ph_run *run;
    const struct ph_signature *sig;
    struct ph_event *event;
    struct ph_slice text; /* of the signature, whole */
};

/* ---- keyring.c: the keys a scheme is tried with ---------------------------------------------- */

enum { PH_KEYS_MAX = PH_SECRETS_MAX + 1 };

/* Whether a message can be computed: nothing it names is missing, and a digest or token holds a
 * secret (V1). */
bool ph_computable(const struct ph_judge *j, const struct ph_template *message);
bool ph_any_computable(const struct ph_judge *j);
/* Sets run->secret and secret2 to those of that number, from 1; 0: none. */
void ph_use_secret(struct ph_run *run, int32_t index);
PH_MUST_USE enum ph_status ph_gather_keys(struct ph_judge *j, struct ph_key_text keys[PH_KEYS_MAX],
                                          size_t *ret_count);
bool ph_is_fetched_certificate(const struct ph_run *run, const struct ph_key_text *keys,
                               size_t count);

/* ---- layout.c: the signature text, taken apart and put together ------------------------------ */

struct ph_found_signature {
    struct ph_slice text;
    enum ph_signature_kind kind; /* by the shape, where it says so */
    enum ph_hash hash;
    /* of its own entry, else of a sibling; [0] is text; the scheme's capture_count are set */
    struct ph_slice captures[PH_CAPTURES_MAX];
};

/* Entries that fit no layout are ignored, as is what exceeds the bounds. Uses run->secret2.
 * Entries that contradict each other set run->ambiguous. */
void ph_read_layout(struct ph_run *run, const struct ph_signature *sig, struct ph_slice text,
                    struct ph_found_signature found[PH_SIGNATURES_MAX], size_t *ret_count);
/* The reverse: the signature text from run->captures, [0] being the signature. Absent: no
 * memory. */
struct ph_slice ph_write_layout(struct ph_run *run, const struct ph_signature *sig);
/* Kind and hash of the shape that ph_write_layout uses. */
void ph_layout_algorithm(const struct ph_signature *sig, enum ph_signature_kind *ret_kind,
                         enum ph_hash *ret_hash);

/* A signed text in pieces: hashes take them one after the other, so the body is not copied for
 * them. */
struct ph_message {
    const struct ph_slice *parts;
    size_t count;
    bool there; /* false: it cannot be computed */
};

/* ---- match.c --------------------------------------------------------------------------------- */

/* Whether that signature is the one of `message` under `key` (HMAC bytes, a public key's text,
 * or a user's name and password). */
PH_MUST_USE enum ph_status ph_match_signature(struct ph_judge *j,
                                              const struct ph_found_signature *found,
                                              struct ph_slice key, const struct ph_message *message,
                                              bool *ret);

/* ---- material.c: keys and signatures as bytes ------------------------------------------------ */

/* The key's bytes by the secret's form; empty when it is not of that form. */
PH_MUST_USE enum ph_status ph_mac_key(struct ph_run *run, enum ph_secret_form form,
                                      struct ph_slice secret, struct ph_slice *ret);
/* Strict. */
bool ph_decode_signature(struct ph_run *run, enum ph_encoding encoding, struct ph_slice text,
                         struct ph_slice *ret);
/* Absent: no memory. */
struct ph_slice ph_encode_signature(struct ph_run *run, enum ph_encoding encoding,
                                    struct ph_slice bytes);
/* A signature's bytes, into the arena. key: HMAC bytes, or a private key as PEM; DIGEST uses none.
 * PH_ERR_INVALID: the key is missing, does not read or is of another kind. */
PH_MUST_USE enum ph_status ph_sign_bytes(struct ph_run *run, enum ph_signature_kind kind,
                                         enum ph_hash hash, struct ph_slice key,
                                         struct ph_slice message, struct ph_slice *ret);
/* Whether a text would be computed without a secret, config field or configured URL that it
 * names; lets are looked into. *ret_bears: it names a secret or a config field at all. */
bool ph_lacks_secret(const struct ph_run *run, const struct ph_template *t, bool *ret_bears);
/* The first alternative of a key that lacks none of the secrets and config fields it names (V1:
 * the rest of "{secret}:{/id}" is no key); empty: there is none. */
PH_MUST_USE enum ph_status ph_eval_key(struct ph_run *run, const struct ph_expr *key,
                                       struct ph_slice *ret);
/* Whether any of them depends on run->secret or run->secret2. */
bool ph_uses_secret(const struct ph_run *run, const struct ph_template *templates, size_t count);

/* ---- certificate.c --------------------------------------------------------------------------- */

/* PH_VERIFIED: the certificate that brings the key may be trusted. Else what the request is for
 * want of it, and *ret_why says why. */
enum ph_verdict ph_certificate_verdict(struct ph_run *run, const struct ph_signature *sig,
                                       struct ph_slice *ret_why);

/* ---- explain.c: called only when in->explain ------------------------------------------------- */

PH_COLD void ph_explain_scheme(struct ph_judge *j);
/* The key's form and length; never the key. */
PH_COLD void ph_explain_key(struct ph_judge *j, int32_t index, struct ph_slice key);
/* Which shape that entry of the signature text has; NULL: none. */
PH_COLD void ph_explain_shape(struct ph_run *run, const struct ph_signature *sig, size_t entry,
                              const struct ph_layout *layout);
/* The signed text, with names in place of what bears a secret. */
PH_COLD PH_MUST_USE enum ph_status ph_explain_message(struct ph_run *run,
                                                      const struct ph_template *message);
/* Both signatures, as the processor writes them, and the first character that differs. */
PH_COLD void ph_explain_parting(struct ph_judge *j, struct ph_slice expected,
                                struct ph_slice received);
/* How far the two are apart, in words, which a stale verdict uses too. Tolerances as
 * ph_signature has them. */
PH_COLD struct ph_slice ph_explain_clock(struct ph_run *run, int64_t signed_ms, int64_t now_ms,
                                         int64_t past_ms, int64_t future_ms);

/* ---- jws.c ----------------------------------------------------------------------------------- */

enum ph_jws {
    PH_JWS_MALFORMED,
    PH_JWS_ALGORITHM, /* not one the page lists, or not of the key's form */
    PH_JWS_NO_KEY,    /* the key set lacks the one named */
    PH_JWS_BAD_KEYS,  /* what should be a key set, or the key named in it, is none */
    PH_JWS_MISMATCH,
    PH_JWS_GOOD,
};

/* Sets run->jws to the protected header's tree, and run->claims to that of the object it
 * carries, where it is not detached; jws NULL: *ret_why says what is wrong. */
PH_MUST_USE enum ph_status ph_jws_open(struct ph_run *run, struct ph_slice text, bool detached,
                                       struct ph_slice *ret_why);
/* Whether the text is a key set with a key in it. */
bool ph_jwks_reads(struct ph_run *run, struct ph_slice text);
/* `payload`: the detached one; NULL: the one inside. Needs ph_jws_open. */
PH_MUST_USE enum ph_status ph_jws_judge(struct ph_run *run, const struct ph_signature *sig,
                                        struct ph_slice text, struct ph_slice key_text,
                                        const struct ph_slice *payload, enum ph_jws *ret);
/* The reverse: compact, or with an empty middle. `header` is JSON text whose alg is `algorithm`. */
PH_MUST_USE enum ph_status ph_jws_sign(struct ph_run *run, const struct ph_signature *sig,
                                       struct ph_slice algorithm, struct ph_slice header,
                                       struct ph_slice payload, bool detached, struct ph_slice key,
                                       struct ph_slice *ret);

#endif
