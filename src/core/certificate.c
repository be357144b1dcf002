/* Whether a certificate that brings a key may be trusted. One that the operator gave is pinned:
 * trusted as it is, unless roots stand beside it. One that was fetched must lead to a root, at
 * the time of receipt, and bear a name of the page's: the address it came from was the sender's
 * word. */
#include "base/limits.h"
#include "core/codec.h"
#include "core/verify.h"

/* DER roots out of base64 in a comma list, lines, or a JSON array of strings. */
static size_t read_roots(struct ph_run *run, struct ph_slice text,
                         struct ph_slice roots[PH_ROOTS_MAX])
{
    size_t count = 0;
    for (size_t at = 0; at < text.len && count < PH_ROOTS_MAX;) {
        size_t end = at;
        while (end < text.len && text.ptr[end] != ',' && text.ptr[end] != '\n' &&
               text.ptr[end] != '"')
            end++;
        struct ph_slice one = ph_slice_trim(ph_slice_of(text.ptr + at, end - at));
        at = end + 1;
        if (one.len > 4 && ph_base64_decode(run->arena, one, false, true, &roots[count]))
            count++;
    }
    return count;
}

/* Parsed once for each worker: a machine has some 150 of them. */
static const struct ph_roots *roots_of(struct ph_run *run, struct ph_slice text)
{
    struct ph_crypto *crypto = ph_worker_crypto(run->worker);
    const struct ph_roots *known = ph_crypto_roots_find(crypto, text);
    if (known != NULL)
        return known;
    struct ph_slice roots[PH_ROOTS_MAX];
    size_t count = read_roots(run, text, roots);
    return ph_crypto_roots_add(crypto, text, roots, count);
}

enum ph_verdict ph_certificate_verdict(struct ph_run *run, const struct ph_signature *sig,
                                       struct ph_slice *ret_why)
{
    struct ph_slice given = ph_run_config(run, PH_S("certificate_pem"));
    struct ph_slice text = ph_run_config(run, PH_S("root_certificates_der_base64"));
    if (given.len > 0 && text.len == 0)
        return PH_VERIFIED;
    if (text.len == 0) { /* ours to mend, and no word against the sender */
        *ret_why =
            PH_S("the fetched certificate cannot be checked: no root certificates are configured");
        return PH_UNREACHABLE;
    }
    struct ph_slice pem =
        given.len > 0 ? given : ph_run_config(run, PH_S("fetched_certificate_pem"));
    if (given.len == 0 && !ph_crypto_certificate_reads(ph_worker_crypto(run->worker), pem)) {
        /* and no word against the sender */
        *ret_why = PH_S("the processor's server answered what is no certificate");
        return PH_UNREACHABLE;
    }
    const struct ph_roots *roots = roots_of(run, text);
    if (roots == NULL) {
        *ret_why = PH_S(
            "the certificate cannot be checked: none of the configured root certificates reads");
        return PH_UNREACHABLE;
    }
    if (ph_crypto_chain_ok(ph_worker_crypto(run->worker), pem, roots, run->in->now_ms,
                           sig->certificate_names, sig->certificate_name_count))
        return PH_VERIFIED;
    *ret_why = PH_S("the certificate does not lead to a trusted root at the time of receipt, or "
                    "bears another name than "
                    "the processor's");
    return PH_FORGED;
}
