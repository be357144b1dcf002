/* Every sample of every page compiled in: signed as the processor would sign it, it must verify, and it must
 * not under another secret or none. `payhook trigger` sends just these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/engine.h"

enum { NOW_MS = 1795514400, KEYS = 3, PEM_BYTES_MAX = 8192, HEADERS_MAX = 32 };

static void *give(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void take(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static const struct ph_allocator heap = {give, take, NULL};

/* One text that is a key in every form of a shared secret: text, hex, base64. The others are key pairs. */
struct key {
    struct ph_slice secret;  /* what the verifier is given */
    struct ph_slice private; /* what the signer is given */
    char pem[2][PEM_BYTES_MAX];
};

static struct key keys[KEYS] = {{.secret = PH_SI("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")}};

static void fill_pair(struct key *key, EVP_PKEY *pair)
{
    assert_non_null(pair);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(out, pair), 1);
    int len = BIO_read(out, key->pem[0], PEM_BYTES_MAX);
    assert_true(len > 0);
    key->secret = ph_slice_of(key->pem[0], (size_t)len);
    assert_int_equal(PEM_write_bio_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL), 1);
    len = BIO_read(out, key->pem[1], PEM_BYTES_MAX);
    assert_true(len > 0);
    key->private = ph_slice_of(key->pem[1], (size_t)len);
    BIO_free(out);
    EVP_PKEY_free(pair);
}

static int make_keys(void **state)
{
    (void)state;
    fill_pair(&keys[1], EVP_RSA_gen(2048));
    fill_pair(&keys[2], EVP_EC_gen("P-521"));
    return 0;
}

/* A signed sample as a request to verify. The signer's worker holds what it points to. */
struct signed_sample {
    struct ph_request request;
    struct ph_header headers[HEADERS_MAX];
    struct ph_secret_pair secret;
    struct ph_input in;
    char body[PH_BODY_BYTES_MAX];
};

static bool sign_with(struct ph_worker *worker, const struct ph_connector *c, const struct ph_sample *sample,
                      const struct key *key, struct signed_sample *ret)
{
    struct ph_config_value config[] = {{PH_S("private_key_pem"), key->private}, {PH_S("kid"), PH_S("k1")},
                                       {PH_S("webhook_id"), PH_S("WH-1")}, {PH_S("api_key"), PH_S("k")}};
    const struct ph_request plain = {.method = PH_S("POST"), .uri = PH_S("/webhooks/x")};
    struct ph_signed out;
    struct ph_slice reason = {0};
    ret->secret = (struct ph_secret_pair){key->secret, PH_S("additional")};
    struct ph_input in = {.connector = c, .request = &plain, .secrets = &ret->secret, .secret_count = 1, .config = config,
                          .config_count = PH_COUNTOF(config), .now_ms = NOW_MS * (int64_t)1000};
    if (ph_engine_sign(worker, &in, sample->variant, sample->body, PH_S("msg_1"), &out, &reason) != PH_OK)
        return false;
    assert_true(out.header_count <= HEADERS_MAX && out.body.len < sizeof(ret->body));
    if (out.header_count > 0)
        memcpy(ret->headers, out.headers, out.header_count * sizeof(*out.headers));
    memcpy(ret->body, out.body.ptr, out.body.len);
    ret->request = (struct ph_request){.method = out.method, .uri = PH_S("/webhooks/x"), .headers = ret->headers,
                                       .header_count = out.header_count, .body = ph_slice_of(ret->body, out.body.len)};
    ret->in = (struct ph_input){.connector = c, .request = &ret->request, .secrets = &ret->secret, .secret_count = 1,
                                .capture_method = PH_AUTOMATIC, .now_ms = NOW_MS * (int64_t)1000};
    return true;
}

static bool make_signed(struct ph_worker *worker, const struct ph_connector *c, const struct ph_sample *sample,
                        struct signed_sample *ret)
{
    for (size_t i = 0; i < KEYS; i++)
        if (sign_with(worker, c, sample, &keys[i], ret))
            return true;
    return false;
}

static enum ph_verdict verdict_of(struct ph_worker *worker, const struct signed_sample *s, const struct ph_variant **ret_variant)
{
    struct ph_answer answer;
    assert_int_equal(ph_engine_run(worker, &s->in, PH_WANT_ALL, &answer), PH_OK);
    if (ret_variant != NULL)
        *ret_variant = answer.variant;
    if (answer.event_count == 0 || answer.error != PH_E_NONE)
        return PH_VERDICT_UNSPECIFIED;
    return answer.events[0].verdict;
}

/* Which verdict a sound sample earns: some processors sign nothing, some keep the key to themselves. */
static enum ph_verdict deserved(const struct ph_variant *variant)
{
    const struct ph_signature *last = &variant->signatures[variant->signature_count - 1];
    if (last->kind == PH_SIG_NONE)
        return PH_UNSIGNED;
    if (last->fetch != NULL && last->fetch->kind == PH_FETCH_CERTIFICATE)
        return PH_UNREACHABLE;
    return PH_VERIFIED;
}

static void name_failure(const struct ph_connector *c, const struct ph_sample *s, const char *what, int verdict)
{
    fail_msg("%.*s %.*s/%.*s: %s (verdict %d)", (int)c->name.len, c->name.ptr, (int)s->variant.len,
             s->variant.len > 0 ? s->variant.ptr : "", (int)s->event.len, s->event.ptr, what, verdict);
}

static void samples_sign_and_verify(void **state)
{
    (void)state;
    static struct signed_sample made;
    struct ph_worker *signer = ph_worker_new(&heap), *worker = ph_worker_new(&heap);
    size_t verified = 0;
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        for (uint16_t i = 0; i < c->sample_count; i++) {
            const struct ph_variant *variant = NULL;
            if (!make_signed(signer, c, &c->samples[i], &made))
                name_failure(c, &c->samples[i], "cannot be signed", 0);
            enum ph_verdict got = verdict_of(worker, &made, &variant);
            if (variant == NULL || got != deserved(variant))
                name_failure(c, &c->samples[i], "does not verify as it should", (int)got);
            verified += got == PH_VERIFIED;
        }
    }
    assert_true(verified > 100);
    ph_worker_free(signer);
    ph_worker_free(worker);
}

static void samples_do_not_verify_under_another_secret(void **state)
{
    (void)state;
    static struct signed_sample made;
    struct ph_worker *signer = ph_worker_new(&heap), *worker = ph_worker_new(&heap);
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        for (uint16_t i = 0; i < c->sample_count; i++) {
            if (!make_signed(signer, c, &c->samples[i], &made))
                name_failure(c, &c->samples[i], "cannot be signed", 0);
            made.secret = (struct ph_secret_pair){PH_S("ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
                                                  PH_S("additional")};
            if (verdict_of(worker, &made, NULL) == PH_VERIFIED)
                name_failure(c, &c->samples[i], "verifies under a secret that did not sign it", PH_VERIFIED);
            made.secret.secret = PH_S("");
            if (verdict_of(worker, &made, NULL) == PH_VERIFIED)
                name_failure(c, &c->samples[i], "verifies under an empty secret", PH_VERIFIED);
        }
    }
    ph_worker_free(signer);
    ph_worker_free(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_sign_and_verify),
        cmocka_unit_test(samples_do_not_verify_under_another_secret),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
