/* Rows 1, 2 and 8 of the measurements (docs/internals/benchmarks.md): the engine on one core,
 * beside its floor, measured in turns in one run. Prints ratios; asserts nothing about time.
 *
 * floor: yyjson reads the same bytes from a pool and one keyed HMAC-SHA256 context hashes them. */
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yyjson.h>

#include "core/engine.h"
#include "events.pb-c.h"
#include "wire/wire.h"

enum {
    ROUNDS = 75,
    CALLS = 4000, /* short turns: a busy neighbour then slows all three rows alike */
    BODY_BYTES = 2100
};

/* Counted heap calls: ours through the allocator, and everybody's through malloc, which must be
 * visible for the shared libraries (OpenSSL) to call this one. */
static size_t our_calls, heap_calls;
extern void *__libc_malloc(size_t bytes);
__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
    heap_calls++;
    return __libc_malloc(bytes);
}

static void *plain_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    our_calls++;
    return __libc_malloc(bytes);
}
static void plain_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
static const struct ph_allocator allocator = {.alloc = plain_alloc, .free = plain_free};

static double now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_value);
    return v[n / 2];
}

static const char secret[] = "whsec_a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuV";
static const int64_t signed_at = 1700000000;

static size_t make_body(char *out, size_t room)
{
    int n = snprintf(
        out, room,
        "{\n  \"id\": \"evt_3OBq7nLkdIwHu7ix0aBcDeFg\",\n  \"object\": \"event\",\n  "
        "\"api_version\": "
        "\"2023-10-16\",\n  \"created\": 1700000000,\n  \"data\": {\n    \"object\": {\n      "
        "\"id\": "
        "\"pi_3OBq7nLkdIwHu7ix0k1ZQx7D\",\n      \"object\": \"payment_intent\",\n      "
        "\"amount\": 2000,\n "
        "     \"amount_capturable\": 0,\n      \"amount_details\": {\n        \"tip\": {}\n      "
        "},\n      "
        "\"amount_received\": 2000,\n      \"application\": null,\n      "
        "\"application_fee_amount\": null,\n  "
        "    \"automatic_payment_methods\": null,\n      \"canceled_at\": null,\n      "
        "\"cancellation_reason\": null,\n      \"capture_method\": \"automatic\",\n      "
        "\"confirmation_method\": "
        "\"automatic\",\n      \"created\": 1699999940,\n      \"currency\": \"usd\",\n      "
        "\"customer\": "
        "\"cus_9s6XKzkNRiz8i3\",\n      \"invoice\": null,\n      \"last_payment_error\": null,\n  "
        "    "
        "\"latest_charge\": \"ch_3OBq7nLkdIwHu7ix0Xc2vFqE\",\n      \"livemode\": false,\n      "
        "\"metadata\": "
        "{\n        \"order_id\": \"order_10045\"\n      },\n      \"next_action\": null,\n      "
        "\"on_behalf_of\": null,\n      \"payment_method\": \"pm_1OBq7nLkdIwHu7ixVwPqAbCd\",\n     "
        " "
        "\"payment_method_types\": [\n        \"card\"\n      ],\n      \"processing\": null,\n    "
        "  "
        "\"receipt_email\": null,\n      \"review\": null,\n      \"setup_future_usage\": null,\n  "
        "    "
        "\"shipping\": null,\n      \"source\": null,\n      \"statement_descriptor\": null,\n     "
        " \"status\": "
        "\"succeeded\",\n      \"transfer_data\": null,\n      \"description\": \"");
    size_t len = (size_t)n;
    static const char tail[] =
        "\"\n    }\n  },\n  \"livemode\": false,\n  \"pending_webhooks\": 1,\n  "
        "\"type\": \"payment_intent.succeeded\"\n}";
    while (len + sizeof(tail) - 1 < BODY_BYTES)
        out[len++] = 'x';
    memcpy(out + len, tail, sizeof(tail) - 1);
    return len + sizeof(tail) - 1;
}

struct floor_state {
    EVP_MAC_CTX *mac;
    void *pool;
    size_t pool_bytes;
};

static void floor_init(struct floor_state *f)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    f->mac = EVP_MAC_CTX_new(mac);
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                           OSSL_PARAM_construct_end()};
    if (EVP_MAC_init(f->mac, (const unsigned char *)secret, sizeof(secret) - 1, params) != 1)
        abort();
    f->pool_bytes = yyjson_read_max_memory_usage(64 * 1024, 0);
    f->pool = __libc_malloc(f->pool_bytes);
}

static void floor_call(struct floor_state *f, const char *text, size_t text_len, size_t prefix)
{
    yyjson_alc alc;
    yyjson_alc_pool_init(&alc, f->pool, f->pool_bytes);
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)(text + prefix), text_len - prefix,
                                       YYJSON_READ_NUMBER_AS_RAW, &alc, NULL);
    unsigned char out[32];
    size_t len = 0;
    if (doc == NULL || EVP_MAC_init(f->mac, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(f->mac, (const unsigned char *)text, text_len) != 1 ||
        EVP_MAC_final(f->mac, out, &len, sizeof(out)) != 1)
        abort();
}

static const struct ph_connector *find(const char *name)
{
    for (size_t i = 0; i < ph_connectors_builtin_count; i++)
        if (ph_slice_eq(ph_connectors_builtin[i]->name, ph_slice_str(name)))
            return ph_connectors_builtin[i];
    fprintf(stderr, "no connector %s\n", name);
    exit(2);
}

static size_t pack_call(const struct ph_request *request, uint8_t *out)
{
    Types__EventServiceHandleRequest message = TYPES__EVENT_SERVICE_HANDLE_REQUEST__INIT;
    Types__RequestDetails details = TYPES__REQUEST_DETAILS__INIT;
    Types__WebhookSecrets secrets = TYPES__WEBHOOK_SECRETS__INIT;
    Types__RequestDetails__HeadersEntry entry[2], *entries[2];
    char names[2][64], values[2][256];
    for (size_t i = 0; i < request->header_count && i < 2; i++) {
        Types__RequestDetails__HeadersEntry init = TYPES__REQUEST_DETAILS__HEADERS_ENTRY__INIT;
        entry[i] = init;
        snprintf(names[i], sizeof(names[i]), "%.*s", (int)request->headers[i].name.len,
                 request->headers[i].name.ptr);
        snprintf(values[i], sizeof(values[i]), "%.*s", (int)request->headers[i].value.len,
                 request->headers[i].value.ptr);
        entry[i].key = names[i];
        entry[i].value = values[i];
        entries[i] = &entry[i];
    }
    details.method = TYPES__HTTP_METHOD__HTTP_METHOD_POST;
    details.headers = entries;
    details.n_headers = request->header_count;
    details.body.data = (uint8_t *)(uintptr_t)request->body.ptr;
    details.body.len = request->body.len;
    secrets.secret = (char *)(uintptr_t)secret;
    message.request_details = &details;
    message.webhook_secrets = &secrets;
    message._webhook_secrets_case =
        TYPES__EVENT_SERVICE_HANDLE_REQUEST___WEBHOOK_SECRETS_WEBHOOK_SECRETS;
    return types__event_service_handle_request__pack(&message, out);
}

/* `bench_handle request FILE` writes the call of row 2 as a gRPC message: for the load of row 3. */
static int write_request(const char *path, const uint8_t *packed, size_t len)
{
    FILE *file = fopen(path, "wb");
    const uint8_t prefix[] = {0, 0, 0, (uint8_t)(len >> 8), (uint8_t)len};
    bool good = file != NULL && fwrite(prefix, 1, sizeof(prefix), file) == sizeof(prefix) &&
                fwrite(packed, 1, len, file) == len;
    return file != NULL && fclose(file) == 0 && good ? 0 : 1;
}

/* `bench_handle engine|wire|floor CALLS` runs one row without timing: for profilers. */
static bool runs(const char *only, const char *row)
{
    return only == NULL || strcmp(only, row) == 0;
}

int main(int argc, char **argv)
{
    const char *only = argc > 2 ? argv[1] : NULL;
    int calls = argc > 2 ? atoi(argv[2]) : CALLS, rounds = argc > 2 ? 0 : ROUNDS;
    static char text[BODY_BYTES + 1024], signature_header[256];
    int prefix = snprintf(text, sizeof(text), "%lld.", (long long)signed_at);
    size_t body_len = make_body(text + prefix, BODY_BYTES + 512);
    struct floor_state f;
    floor_init(&f);
    unsigned char mac[32];
    size_t mac_len;
    EVP_MAC_update(f.mac, (unsigned char *)text, (size_t)prefix + body_len);
    EVP_MAC_final(f.mac, mac, &mac_len, sizeof(mac));
    int n =
        snprintf(signature_header, sizeof(signature_header), "t=%lld,v1=", (long long)signed_at);
    for (size_t i = 0; i < mac_len; i++)
        n += snprintf(signature_header + n, sizeof(signature_header) - (size_t)n, "%02x", mac[i]);

    struct ph_header headers[] = {
        {PH_S("Content-Type"), PH_S("application/json; charset=utf-8")},
        {PH_S("Stripe-Signature"), ph_slice_of(signature_header, (size_t)n)}};
    struct ph_request request = {.method = PH_S("POST"),
                                 .uri = PH_S("/webhooks/stripe"),
                                 .headers = headers,
                                 .header_count = PH_COUNTOF(headers),
                                 .body = ph_slice_of(text + prefix, body_len)};
    struct ph_secret_pair pair = {.secret = PH_S("whsec_a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuV")};
    struct ph_input in = {.connector = find("stripe"),
                          .request = &request,
                          .secrets = &pair,
                          .secret_count = 1,
                          .now_ms = signed_at * 1000};
    struct ph_worker *worker = ph_worker_new(&allocator);
    struct ph_answer answer;
    static uint8_t packed[8192];
    size_t packed_len = pack_call(&request, packed);
    if (argc == 3 && strcmp(argv[1], "request") == 0) {
        ph_worker_free(worker);
        return write_request(argv[2], packed, packed_len);
    }

    double floor_us[ROUNDS], engine_us[ROUNDS], wire_us[ROUNDS], ratio[ROUNDS];
    size_t floor_heap = 0, engine_heap = 0, wire_heap = 0, ours_before = 0;
    for (int round = -1; round < rounds; round++) { /* -1: warm-up */
        size_t heap_start = heap_calls;
        double t0 = now_us();
        for (int i = 0; runs(only, "floor") && i < calls; i++)
            floor_call(&f, text, (size_t)prefix + body_len, (size_t)prefix);
        double t1 = now_us();
        size_t heap0 = heap_calls;
        for (int i = 0; runs(only, "engine") && i < calls; i++)
            if (ph_engine_run(worker, &in, PH_WANT_ALL, &answer) != PH_OK ||
                answer.event_count != 1 || answer.events[0].verdict != PH_VERIFIED) {
                fprintf(stderr, "the event did not verify\n");
                return 1;
            }
        size_t heap1 = heap_calls;
        double t2 = now_us();
        for (int i = 0; runs(only, "wire") && i < calls; i++) {
            struct ph_call call;
            struct ph_slice why, out;
            ph_worker_reset(worker);
            if (ph_wire_read_call(ph_worker_arena(worker), PH_FORM_HANDLE,
                                  ph_slice_of(packed, packed_len), &call, &why) != PH_OK) {
                fprintf(stderr, "the call does not read: %.*s\n", (int)why.len, why.ptr);
                return 1;
            }
            struct ph_input wired = in;
            wired.request = &call.request;
            wired.secrets = &call.secret;
            if (ph_engine_run_keep(worker, &wired, PH_WANT_ALL, &answer) != PH_OK ||
                ph_wire_write(ph_worker_arena(worker), PH_FORM_HANDLE, &answer, &out) != PH_OK ||
                out.len == 0 || answer.events[0].verdict != PH_VERIFIED) {
                fprintf(stderr, "the call does not verify: %.*s %.*s\n",
                        (int)answer.error_message.len, answer.error_message.ptr,
                        answer.event_count > 0 ? (int)answer.events[0].verdict_reason.len : 0,
                        answer.event_count > 0 ? answer.events[0].verdict_reason.ptr : "");
                return 1;
            }
        }
        double t3 = now_us();
        if (round < 0) {
            ours_before = our_calls;
            continue;
        }
        floor_us[round] = (t1 - t0) / CALLS;
        engine_us[round] = (t2 - t1) / CALLS;
        wire_us[round] = (t3 - t2) / CALLS;
        ratio[round] = engine_us[round] / floor_us[round];
        floor_heap += heap0 - heap_start;
        engine_heap += heap1 - heap0;
        wire_heap += heap_calls - heap1;
    }
    if (only != NULL) {
        ph_worker_free(worker);
        return 0;
    }
    double floor_m = median(floor_us, ROUNDS), engine_m = median(engine_us, ROUNDS),
           wire_m = median(wire_us, ROUNDS);
    printf("row 1  ph_handle, %zu-byte Stripe event   %6.2f us   floor %5.2f us   ratio %.2f (aim "
           "<= 1.50)\n",
           body_len, engine_m, floor_m, median(ratio, ROUNDS));
    printf(
        "row 2  protobuf in, protobuf out          %6.2f us   %.0f/s on one core (aim <= 7 us)\n",
        wire_m, 1e6 / wire_m);
    double events = ROUNDS * (double)CALLS;
    printf("row 8  heap calls of ours per event       %6.2f      (aim 0); inside OpenSSL %.2f, "
           "through the wire %.2f, floor %.2f\n",
           (double)(our_calls - ours_before) / (2 * events), (double)engine_heap / events,
           (double)wire_heap / events, (double)floor_heap / events);
    ph_worker_free(worker);
    return 0;
}
