/* JWS and key sets. The input, parted by NULs: the protected header's JSON, the signature's
 * bytes, a key set, the body. The compact form is made here, so that the fuzzer reaches what is
 * behind base64url; once more it is taken as it is.
 * J1: under a key set that the input has not chosen, nothing verifies.
 * J2: under its own, anything may come but a crash. */
#include "engine.h"

static struct ph_slice compact(struct ph_arena *arena, struct ph_slice header,
                               struct ph_slice signature)
{
    struct ph_slice a, b;
    if (!ph_base64_encode(arena, header, true, false, &a) ||
        !ph_base64_encode(arena, signature, true, false, &b))
        return PH_S("");
    char *text = ph_arena_alloc(arena, a.len + b.len + 2);
    if (text == NULL)
        return PH_S("");
    memcpy(text, a.ptr, a.len);
    memcpy(text + a.len, "..", 2);
    memcpy(text + a.len + 2, b.ptr, b.len);
    return ph_slice_of(text, a.len + b.len + 2);
}

static void run(struct ph_slice jws, struct ph_slice jwks, struct ph_slice body, bool chosen)
{
    const struct ph_header headers[] = {
        {PH_S("Tl-Signature"), jws},
        {PH_S("X-TL-Webhook-Timestamp"), PH_S("2025-11-24T16:00:00Z")}};
    const struct ph_request request = {.method = PH_S("POST"),
                                       .uri = PH_S("/w"),
                                       .headers = headers,
                                       .header_count = 2,
                                       .body = body};
    const struct ph_config_value config = {PH_S("jwks"), jwks};
    struct ph_input in = {.connector = connector_of("truelayer"),
                          .request = &request,
                          .config = &config,
                          .config_count = 1,
                          .now_ms = 1764000000000};
    struct ph_answer a;
    if (!chosen)
        must_not_verify(&in);
    else if (ph_engine_run_keep(the_worker(), &in, PH_WANT_ALL, &a) == PH_OK &&
             a.error == PH_E_NONE)
        must(a.event_count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The public half of a key that is not kept. */
    static const char theirs[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"x\":"
                                 "\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\","
                                 "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}";
    struct ph_slice rest = ph_slice_of(data, size), header = part(&rest), signature = part(&rest),
                    jwks = part(&rest);
    ph_worker_reset(the_worker());
    struct ph_arena *arena = ph_worker_arena(the_worker());
    struct ph_slice made = compact(arena, header, signature);
    run(made, ph_slice_str(theirs), rest, false);
    run(header, ph_slice_str(theirs), rest, false);
    run(made, jwks, rest, true);
    return 0;
}
