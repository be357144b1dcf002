/* XML documents, as braintree sends them inside a form: entities, deep nesting, other encodings,
 * broken ends. */
#include "engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ph_header headers[] = {
        {PH_S("Content-Type"), PH_S("application/x-www-form-urlencoded")}};
    struct ph_slice base64, escaped;
    ph_worker_reset(the_worker());
    struct ph_arena *arena = ph_worker_arena(the_worker());
    if (!ph_base64_encode(arena, ph_slice_of(data, size), false, true, &base64) ||
        !ph_percent_encode(arena, base64, &escaped))
        return 0;
    static const char prefix[] =
        "bt_signature=public%7C0000000000000000000000000000000000000000&bt_payload=";
    char *body = ph_arena_alloc(arena, sizeof(prefix) + escaped.len);
    if (body == NULL)
        return 0;
    memcpy(body, prefix, sizeof(prefix) - 1);
    if (escaped.len > 0)
        memcpy(body + sizeof(prefix) - 1, escaped.ptr, escaped.len);
    const struct ph_request request = {.method = PH_S("POST"),
                                       .uri = PH_S("/w"),
                                       .headers = headers,
                                       .header_count = 1,
                                       .body = ph_slice_of(body, sizeof(prefix) - 1 + escaped.len)};
    struct ph_input in = {.connector = connector_of("braintree"), .request = &request};
    must_not_verify(&in);
    return 0;
}
