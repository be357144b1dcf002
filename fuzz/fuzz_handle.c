/* A request to the whole engine: the first byte picks the connector (JSON, form, XML and JWS bodies among
 * them), the second the header that carries the signature, then header value and body parted by a NUL.
 * Whatever comes in: no crash, and nothing verifies under a secret the input cannot know. */
#include <openssl/rand.h>
#include <stdlib.h>

#include "core/engine.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *plain_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}
static void plain_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
static const struct ph_allocator allocator = {.alloc = plain_alloc, .free = plain_free};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ph_worker *worker;
    static unsigned char secret[32];
    if (worker == NULL) {
        worker = ph_worker_new(&allocator);
        if (worker == NULL || RAND_bytes(secret, sizeof(secret)) != 1)
            abort();
    }
    if (size < 2)
        return 0;
    const struct ph_connector *c = ph_connectors_builtin[data[0] % ph_connectors_builtin_count];
    static const char *const names[] = {"Stripe-Signature", "Tl-Signature", "X-VERIFY", "Paypal-Transmission-Sig",
                                        "webhook-signature", "X-ANET-Signature", "Revolut-Signature", "Authorization"};
    struct ph_slice rest = ph_slice_of(data + 2, size - 2), nul = ph_slice_of("", 1);
    size_t cut = ph_slice_find(rest, nul, 0);
    struct ph_slice value = cut == SIZE_MAX ? PH_S("") : ph_slice_of(rest.ptr, cut);
    struct ph_header headers[] = {{ph_slice_str(names[data[1] % 8]), value},
                                  {PH_S("Content-Type"), (data[1] & 128) != 0 ? PH_S("application/x-www-form-urlencoded") : PH_S("application/json")}};
    struct ph_request request = {.method = PH_S("POST"), .uri = PH_S("/w?a=1"), .headers = headers, .header_count = 2,
                                 .body = cut == SIZE_MAX ? rest : ph_slice_from(rest, cut + 1)};
    struct ph_secret_pair pair = {.secret = ph_slice_of(secret, sizeof(secret)), .additional = PH_S("public")};
    struct ph_input in = {.connector = c, .request = &request, .secrets = &pair, .secret_count = 1, .capture_method = 1,
                          .now_ms = 1764000000000, .explain = (data[1] & 64) != 0};
    struct ph_answer a;
    struct ph_slice out;
    if (ph_engine_run(worker, &in, PH_WANT_ALL, &a) != PH_OK || a.error != PH_E_NONE)
        return 0;
    for (size_t i = 0; i < a.event_count; i++)
        if (a.events[i].verdict == PH_VERIFIED)
            abort();
    if (ph_wire_write_json(ph_worker_arena(worker), PH_FORM_HANDLE, &a, &out) == PH_OK && out.len == 0)
        abort();
    return 0;
}
