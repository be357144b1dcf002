/* application/x-www-form-urlencoded bodies, to every page that takes them: doubled keys, bad
 * escapes, bytes that are no text. The first byte picks the connector. */
#include "engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"fiuu", "braintree", "mollie"};
    if (size < 1)
        return 0;
    const struct ph_header headers[] = {
        {PH_S("Content-Type"), PH_S("application/x-www-form-urlencoded; charset=utf-8")}};
    const struct ph_request request = {.method = PH_S("POST"),
                                       .uri = PH_S("/w"),
                                       .headers = headers,
                                       .header_count = 1,
                                       .body = ph_slice_of(data + 1, size - 1)};
    struct ph_input in = {.connector = connector_of(names[data[0] % PH_COUNTOF(names)]),
                          .request = &request};
    ph_worker_reset(the_worker());
    must_not_verify(&in);
    return 0;
}
