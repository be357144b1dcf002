/* One received signature against one message and one key, by kind. Compares take a time that
 * depends on lengths alone. */
#include "core/codec.h"
#include "core/verify.h"

static enum ph_status matches_mac(struct ph_judge *j, const struct ph_found_signature *found,
                                  struct ph_slice key, const struct ph_message *message, bool *ret)
{
    struct ph_run *run = j->run;
    unsigned char out[PH_DIGEST_BYTES_MAX];
    size_t len;
    struct ph_slice received;
    if (found->kind == PH_SIG_HMAC)
        PH_TRY(ph_crypto_hmac(ph_worker_crypto(run->worker), found->hash, key, message->parts,
                              message->count, out, &len));
    else
        PH_TRY(ph_crypto_digest(ph_worker_crypto(run->worker), found->hash, message->parts,
                                message->count, out, &len));
    if (!ph_decode_signature(run, j->sig->encoding, found->text, &received)) {
        ph_trace(run, PH_S("received signature is not of its encoding"), found->text);
        *ret = false;
        return PH_OK;
    }
    *ret = ph_crypto_equal(ph_slice_of(out, len), received);
    if (run->in->explain)
        ph_explain_parting(j, ph_slice_of(out, len), received);
    return PH_OK;
}

static enum ph_status matches_key(struct ph_judge *j, const struct ph_found_signature *found,
                                  struct ph_slice key_text, struct ph_slice message, bool *ret)
{
    struct ph_run *run = j->run;
    struct ph_slice received;
    struct ph_key *key;
    *ret = false;
    if (!ph_decode_signature(run, j->sig->encoding, found->text, &received))
        return PH_OK;
    if (ph_crypto_public_key(ph_worker_crypto(run->worker), run->arena, key_text, &key) != PH_OK) {
        ph_trace(run, PH_S("key"), PH_S("not a public key or certificate (PEM, or base64 of it)"));
        return PH_OK;
    }
    *ret = ph_crypto_verify(ph_worker_crypto(run->worker), key, found->kind, found->hash, message,
                            received);
    ph_trace(run, PH_S("public key check"),
             *ret ? PH_S("good") : PH_S("the signature is not this key's"));
    ph_crypto_key_free(key);
    return PH_OK;
}

static enum ph_status matches_basic(struct ph_judge *j, struct ph_slice key, bool *ret)
{
    struct ph_run *run = j->run;
    struct ph_slice given = j->text, scheme = PH_S("Basic "), decoded, want = key;
    *ret = false;
    /* The page may have cut the scheme's name off already. */
    if (given.len >= scheme.len && ph_slice_eq_nocase(ph_slice_of(given.ptr, scheme.len), scheme))
        given = ph_slice_trim(ph_slice_from(given, scheme.len));
    if (!ph_base64_decode(run->arena, given, false, false, &decoded))
        return PH_OK;
    if (run->secret2.len > 0) {
        struct ph_slice parts[] = {key, PH_S(":"), run->secret2};
        want = ph_join(run, parts, PH_COUNTOF(parts));
    }
    *ret = want.len > 0 && ph_crypto_equal(want, decoded);
    return PH_OK;
}

/* The whole text, for kinds that take it in one piece. Absent: no memory. */
static struct ph_slice whole(struct ph_run *run, const struct ph_message *message)
{
    if (message->count == 1)
        return ph_slice_present(message->parts[0]) ? message->parts[0] : PH_S("");
    return ph_join(run, message->parts, message->count);
}

enum ph_status ph_match_signature(struct ph_judge *j, const struct ph_found_signature *found,
                                  struct ph_slice key, const struct ph_message *message, bool *ret)
{
    struct ph_slice text;
    *ret = false;
    switch (found->kind) {
    case PH_SIG_HMAC:
    case PH_SIG_DIGEST:
        return matches_mac(j, found, key, message, ret);
    case PH_SIG_RSA:
    case PH_SIG_RSA_PSS:
    case PH_SIG_ECDSA:
    case PH_SIG_ED25519:
    case PH_SIG_TOKEN:
        text = whole(j->run, message);
        if (!ph_slice_present(text))
            return PH_ERR_NO_MEMORY;
        if (found->kind != PH_SIG_TOKEN)
            return matches_key(j, found, key, text, ret);
        /* not explained: it is the secret itself */
        *ret = text.len > 0 && ph_crypto_equal(text, found->text);
        return PH_OK;
    case PH_SIG_BASIC:
        return matches_basic(j, key, ret);
    case PH_SIG_NONE:
    case PH_SIG_JWS:
    case PH_SIG_CALLOUT:
        break;
    }
    return PH_OK;
}
