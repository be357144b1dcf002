/* A request to the whole engine: the first byte picks the connector (JSON, form, XML and JWS
 * bodies among them), the second the header that carries the signature, then header value and
 * body parted by a NUL. Whatever comes in: no crash, and nothing verifies under a secret the
 * input cannot know. */
#include "engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct ph_connector *c = ph_connectors_builtin[data[0] % ph_connectors_builtin_count];
    static const char *const names[] = {
        "Stripe-Signature",  "Tl-Signature",     "X-VERIFY",          "Paypal-Transmission-Sig",
        "webhook-signature", "X-ANET-Signature", "Revolut-Signature", "Authorization"};
    struct ph_slice rest = ph_slice_of(data + 2, size - 2), nul = ph_slice_of("", 1);
    size_t cut = ph_slice_find(rest, nul, 0);
    struct ph_slice value = cut == SIZE_MAX ? PH_S("") : ph_slice_of(rest.ptr, cut);
    struct ph_header headers[] = {
        {ph_slice_str(names[data[1] % 8]), value},
        {PH_S("Content-Type"), (data[1] & 128) != 0 ? PH_S("application/x-www-form-urlencoded")
                                                    : PH_S("application/json")}};
    struct ph_request request = {.method = PH_S("POST"),
                                 .uri = PH_S("/w?a=1"),
                                 .headers = headers,
                                 .header_count = 2,
                                 .body = cut == SIZE_MAX ? rest : ph_slice_from(rest, cut + 1)};
    struct ph_input in = {
        .connector = c, .request = &request, .capture_method = 1, .explain = (data[1] & 64) != 0};
    ph_worker_reset(the_worker());
    must_not_verify(&in);
    return 0;
}
