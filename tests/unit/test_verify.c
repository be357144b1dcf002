/* What the verifier accepts and refuses, by hand-made tables: each accept has its reject. The
 * keys were made for these tests and sign nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connector/words.h"
#include "core/codec.h"
#include "core/engine.h"
#include "core/run.h"
#include "crypto/crypto.h"
#include "os/heap.h"

static const char ec_private[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglEwYWLULsg3dvOlE\n"
    "nKORHEzGQRqeNyG5MMSj+g3GTCShRANCAAQok6YGGXhYIfc093M206FW5r7GBnLi\n"
    "gaWsgzz1ZIbXRf/uG423aKIShsBWhN7/OzMHLa+3I2wL61UGlTigBmxC\n"
    "-----END PRIVATE KEY-----\n";
static const char ec_public[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKJOmBhl4WCH3NPdzNtOhVua+xgZy\n"
                                "4oGlrIM89WSG10X/7huNt2iiEobAVoTe/zszBy2vtyNsC+tVBpU4oAZsQg==\n"
                                "-----END PUBLIC KEY-----\n";
static const char rsa_private[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDh9CgupmmfdACF\n"
    "p+NO+gvMAcsKIbnm7dg2CXoyDxEkf1JhAtr3kOqtyP0nWMbGTBWnp1cErmW3hW4x\n"
    "NSPoAcUja/00ydABXnoLEJDRX1v5RucZM72k5H4SGH4jdN4mqX5TfPZytwJmromg\n"
    "JKu3Sa3i3dYHs4xNTfHhD06LGPc7gIJh/YdXqjsEOI2mXgb+61e6WKF4BaYiPxxf\n"
    "WEwOzo3H92IVsrDlHzXHzfDU8MRd1diCzgK3WT984QCoq6N+NNL4uZRdvu983mu6\n"
    "iW7uQXBhHLNurjW4upGqsPbnJ+UMEGp0xpT5M5qZ4ssytJmXTZ4uo/dAWVIpRhiE\n"
    "1E8aC+vLAgMBAAECggEADxwTJc92B7YrpMRt1GWvLUS/bZ2Ev3cPOsnWdIuCY3Tq\n"
    "LteQifaUYuuqVhu/KxqCZjQwAv2giq2vCTZbANRBeRVrGMEYGkdVlPDWJlIgpeJC\n"
    "aPKHT4QCFDa0FK3nfyFdc7rLBi/Lxs8MH/vjyb1xFdcszVYJ30+Dib/Kyk1wlvdo\n"
    "SzpKJKoY1oB2J7L7GyRb7c4V9+6OBEdevM2ITC4AFPqKYKcuQvglbDupmVCdGtRh\n"
    "fnMS7gVEgg2pAHlKHkiD73ef0OiF2obhEkDtZb9QLnpA/lOyBKpwuaisHFwLj4il\n"
    "dfi8zWTYAJFJxbJH4puwbY6Wfbdl3VkNH0zhtfBwQQKBgQD9KH/qp/7PMPfcbGTH\n"
    "qBwR9w+fGJzGf29I/XkyXamYsJWUU4CZ27XF9v6cLrMfc4h4x3mEolsJwMVUpVi5\n"
    "sWjbkndeCxSy8OohSo3OvuQzDoimW+NAeGY5WkzZvvscB5VyeNzpjeX/WUQudxVD\n"
    "Jw9wJa5shecp/MaAk3xMnbo9CwKBgQDkfXrYTO+ILfPPY1KpYf99PybKs/Z49CGE\n"
    "Vn6BtxXQFlLMuZr6QlAIbf9T5C00jxbiRKDnv2ed1toZTEubK5hYQEk0kY6mVPGZ\n"
    "FZZMLN6LHPyzovoi8HNXDWViHOvN3HvYYAXll4sX6dQSDwFpBUhBEEoJAH2wYZoO\n"
    "j7RNrNLEQQKBgQDCaI+TDF/JjLlLNJJQIPEteqUscCI07TfwvXaNDxBmiXTU6yse\n"
    "/HKjDAKKvfIgfQCYf9b53BQ9cSQY1MFGGM+FjvzL44aJxCiIWFB+LGniK48U8gua\n"
    "PtuBv660qMz9wXUq61X6pVWyukJ5zEkvwJdCcC16eXoD7HIj2x7hV17l8QKBgEpz\n"
    "AFX+K4YpwuluKX77aW37573giYy7rzgZnrrRVxAoVe5TA8ZLWRyGCs3g6UHY5dHw\n"
    "HqWkXjS1zvazP2dd+xO2TqQMUXis8NO6jvBfJlwZo9U8Y1iDFHHm8YPYfJTlJI1K\n"
    "LGG00SOHkwwXS5RWnkZk8lqgiFOyWaoo9MziZQKBAoGBAIj9bSlVc2Ddi/rUFryT\n"
    "3zFW8E7+I8ndBbsbffEkhiAnf8PrRxL20woJMRnziO+Ho7vXgVGsFGRIhpzsIVXt\n"
    "bsoTB/vVGtvyQRr2DrEg6aBBHwrqVprgpx+nRMUuoyafAk/t3FTJRVVBb/4y9LIv\n"
    "sVflpygUr6ilcWYI7pQObGNH\n"
    "-----END PRIVATE KEY-----\n";
static const char rsa_public[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4fQoLqZpn3QAhafjTvoL\n"
    "zAHLCiG55u3YNgl6Mg8RJH9SYQLa95Dqrcj9J1jGxkwVp6dXBK5lt4VuMTUj6AHF\n"
    "I2v9NMnQAV56CxCQ0V9b+UbnGTO9pOR+Ehh+I3TeJql+U3z2crcCZq6JoCSrt0mt\n"
    "4t3WB7OMTU3x4Q9Oixj3O4CCYf2HV6o7BDiNpl4G/utXuliheAWmIj8cX1hMDs6N\n"
    "x/diFbKw5R81x83w1PDEXdXYgs4Ct1k/fOEAqKujfjTS+LmUXb7vfN5ruolu7kFw\n"
    "YRyzbq41uLqRqrD25yflDBBqdMaU+TOameLLMrSZl02eLqP3QFlSKUYYhNRPGgvr\n"
    "ywIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
static const char ed_private[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEILkDMFvvw9aCj77kufXnZGjfPAhkH6c5wVpLA7N3THuT\n"
    "-----END PRIVATE KEY-----\n";
static const char ed_public[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MCowBQYDK2VwAyEAIa9xwSWF0OtTstpyXvDjG3aDw8n3UEAWYm9QeawbRHk=\n"
                                "-----END PUBLIC KEY-----\n";

static struct ph_worker *worker;

/* clang-format off */
#define TEMPLATE(...)                                                                              \
    {.pieces = (const struct ph_piece[]){__VA_ARGS__},                                             \
     .count = sizeof((struct ph_piece[]){__VA_ARGS__}) / sizeof(struct ph_piece)}
#define EXPR(...) {.alternatives = (const struct ph_template[]){TEMPLATE(__VA_ARGS__)}, .count = 1}
#define HEADER(name) {.source = PH_SRC_HEADER, .text = PH_SI(name)}
#define LITERAL(words) {.source = PH_SRC_LITERAL, .text = PH_SI(words)}
#define CONFIG(name) {.source = PH_SRC_CONFIG, .text = PH_SI(name)}
#define FROM(src) {.source = (src)}
#define CAPTURE_1 {.source = PH_SRC_CAPTURE, .index = 1}
/* clang-format on */

static const struct ph_slice captures[] = {PH_SI("signature"), PH_SI("timestamp")};
static const struct ph_layout_part part_t[] = {{PH_LAYOUT_LITERAL, 0, PH_SI("t=")},
                                               {PH_LAYOUT_CAPTURE, 1, {0}}};
static const struct ph_layout_part part_v1[] = {{PH_LAYOUT_LITERAL, 0, PH_SI("v1=")},
                                                {PH_LAYOUT_SIGNATURE, 0, {0}}};
static const struct ph_layout layouts[] = {{.parts = part_t, .count = 2},
                                           {.parts = part_v1, .count = 2}};

static const struct ph_template body_message[] = {TEMPLATE(FROM(PH_SRC_BODY))};
static const struct ph_template timed_message[] = {
    TEMPLATE(CAPTURE_1, LITERAL("."), FROM(PH_SRC_BODY))};
static const struct ph_template digest_message[] = {
    TEMPLATE(FROM(PH_SRC_BODY), FROM(PH_SRC_SECRET))};
static const struct ph_template token_message[] = {TEMPLATE(FROM(PH_SRC_SECRET))};

static const struct ph_signature timed = {.kind = PH_SIG_HMAC,
                                          .hash = PH_HASH_SHA256,
                                          .from = EXPR(HEADER("X-Sig")),
                                          .list = PH_SI(","),
                                          .layouts = layouts,
                                          .layout_count = 2,
                                          .captures = captures,
                                          .capture_count = 2,
                                          .encoding = PH_ENC_HEX,
                                          .messages = timed_message,
                                          .message_count = 1,
                                          .time = EXPR(CAPTURE_1),
                                          .time_unit = PH_UNIT_UNIX,
                                          .past_ms = 300000,
                                          .future_ms = 300000};
/* clang-format off */
#define PLAIN(k, h, e, form, m)                                                                    \
    {.kind = (k), .hash = (h), .from = EXPR(HEADER("X-Sig")), .captures = captures, .capture_count = 1,\
     .encoding = (e), .secret_form = (form), .messages = (m), .message_count = 1}
/* clang-format on */
static const struct ph_signature plain =
    PLAIN(PH_SIG_HMAC, PH_HASH_SHA256, PH_ENC_HEX, PH_SECRET_TEXT, body_message);
static const struct ph_signature digest =
    PLAIN(PH_SIG_DIGEST, PH_HASH_SHA256, PH_ENC_HEX, PH_SECRET_TEXT, digest_message);
static const struct ph_signature token =
    PLAIN(PH_SIG_TOKEN, PH_HASH_NONE, PH_ENC_TEXT, PH_SECRET_TEXT, token_message);
static const struct ph_signature rsa =
    PLAIN(PH_SIG_RSA, PH_HASH_SHA256, PH_ENC_BASE64, PH_SECRET_PEM, body_message);
static const struct ph_signature pss =
    PLAIN(PH_SIG_RSA_PSS, PH_HASH_SHA256, PH_ENC_BASE64, PH_SECRET_PEM, body_message);
static const struct ph_signature ecdsa =
    PLAIN(PH_SIG_ECDSA, PH_HASH_SHA256, PH_ENC_BASE64, PH_SECRET_PEM, body_message);
static const struct ph_signature ed =
    PLAIN(PH_SIG_ED25519, PH_HASH_NONE, PH_ENC_BASE64, PH_SECRET_PEM, body_message);
static const struct ph_signature basic = {.kind = PH_SIG_BASIC,
                                          .from = EXPR(HEADER("Authorization"))};
static const struct ph_signature none = {.kind = PH_SIG_NONE};
static const struct ph_slice es256[] = {PH_SI("ES256")};
static const struct ph_slice hs256[] = {PH_SI("HS256")};
static const struct ph_signature jws = {.kind = PH_SIG_JWS,
                                        .from = EXPR(HEADER("X-Sig")),
                                        .secret_form = PH_SECRET_PEM,
                                        .messages = body_message,
                                        .message_count = 1,
                                        .algorithms = es256,
                                        .algorithm_count = 1};
static const struct ph_signature jws_confused = {.kind = PH_SIG_JWS,
                                                 .from = EXPR(HEADER("X-Sig")),
                                                 .secret_form = PH_SECRET_PEM,
                                                 .messages = body_message,
                                                 .message_count = 1,
                                                 .algorithms = hs256,
                                                 .algorithm_count = 1};
static const struct ph_signature jws_shared = {.kind = PH_SIG_JWS,
                                               .from = EXPR(HEADER("X-Sig")),
                                               .secret_form = PH_SECRET_TEXT,
                                               .messages = body_message,
                                               .message_count = 1,
                                               .algorithms = hs256,
                                               .algorithm_count = 1};
static const struct ph_slice hosts[] = {PH_SI("keys.example")};
static const struct ph_fetch fetch = {.kind = PH_FETCH_CERTIFICATE,
                                      .method = PH_SI("GET"),
                                      .url = TEMPLATE(HEADER("X-Cert")),
                                      .hosts = hosts,
                                      .host_count = 1};
static const struct ph_signature fetched = {.kind = PH_SIG_RSA,
                                            .hash = PH_HASH_SHA256,
                                            .from = EXPR(HEADER("X-Sig")),
                                            .encoding = PH_ENC_BASE64,
                                            .secret_form = PH_SECRET_PEM,
                                            .key = EXPR(CONFIG("certificate_pem")),
                                            .messages = body_message,
                                            .message_count = 1,
                                            .fetch = &fetch};

/* One request, judged. */
struct ask {
    const struct ph_signature *sig;
    const char *secret, *secret2, *older; /* older: tried second */
    struct ph_header headers[4];
    size_t header_count;
    const char *body;
    struct ph_config_value config[2];
    size_t config_count;
    int64_t now_ms;
};

static struct ph_event verdict_of(const struct ask *a, const struct ph_callout **ret_callout)
{
    struct ph_variant v = {
        .format = PH_FORMAT_TEXT, .signatures = a->sig, .signature_count = a->sig != NULL};
    struct ph_connector c = {.name = PH_SI("acme"), .variants = &v, .variant_count = 1};
    struct ph_request r = {.method = PH_SI("POST"),
                           .headers = a->headers,
                           .header_count = a->header_count,
                           .body = ph_slice_str(a->body)};
    struct ph_secret_pair secrets[2] = {{ph_slice_str(a->secret), ph_slice_str(a->secret2)},
                                        {ph_slice_str(a->older), {0}}};
    struct ph_input in = {.connector = &c,
                          .request = &r,
                          .secrets = secrets,
                          .secret_count = a->older != NULL ? 2 : 1,
                          .config = a->config,
                          .config_count = a->config_count,
                          .now_ms = a->now_ms};
    struct ph_run run;
    struct ph_event event = {0};
    struct ph_slice why;
    enum ph_error_code error;
    const struct ph_callout *callout = NULL;
    ph_worker_reset(worker);
    assert_int_equal(ph_run_open(&run, worker, &in, NULL, &why, &error), PH_OK);
    assert_int_equal(error, PH_E_NONE);
    assert_int_equal(ph_verify(&run, &event, &callout), PH_OK);
    assert_true(event.verdict_reason.len > 0);
    if (ret_callout != NULL)
        *ret_callout = callout;
    return event;
}

static enum ph_verdict judge(const struct ask *a)
{
    return verdict_of(a, NULL).verdict;
}

/* The request of `a`, signed by the same table; headers are copied out of the arena. */
static void sign(struct ask *a, const struct ph_signature *sig, const char *secret,
                 const char *private_key)
{
    static char store[4][2048];
    struct ph_variant v = {.format = PH_FORMAT_TEXT, .signatures = sig, .signature_count = 1};
    struct ph_connector c = {.name = PH_SI("acme"), .variants = &v, .variant_count = 1};
    struct ph_request r = {.method = PH_SI("POST")};
    struct ph_secret_pair pair = {ph_slice_str(secret), ph_slice_str(a->secret2)};
    struct ph_config_value config = {PH_S("private_key_pem"), ph_slice_str(private_key)};
    struct ph_input in = {.connector = &c,
                          .request = &r,
                          .secrets = &pair,
                          .secret_count = 1,
                          .config = &config,
                          .config_count = private_key != NULL,
                          .now_ms = a->now_ms};
    struct ph_signed out;
    struct ph_slice reason;
    assert_int_equal(ph_engine_sign(worker, &in, (struct ph_slice){0}, ph_slice_str(a->body),
                                    PH_S("u"), &out, &reason),
                     PH_OK);
    a->header_count = 0;
    for (size_t i = 0; i < out.header_count && i < 2; i++) {
        memcpy(store[i * 2], out.headers[i].name.ptr, out.headers[i].name.len);
        memcpy(store[i * 2 + 1], out.headers[i].value.ptr, out.headers[i].value.len);
        a->headers[a->header_count++] =
            (struct ph_header){ph_slice_of(store[i * 2], out.headers[i].name.len),
                               ph_slice_of(store[i * 2 + 1], out.headers[i].value.len)};
    }
}

/* Signed by `private_key` or `secret`, accepted with `key`; refused when the body or the key is
 * another. */
static void accepts_and_refuses(const struct ph_signature *sig, const char *key,
                                const char *private_key, const char *other)
{
    struct ask a = {.sig = sig, .secret = key, .body = "{\"id\":1}", .now_ms = 1700000000000};
    sign(&a, sig, key, private_key);
    struct ph_event event = verdict_of(&a, NULL);
    assert_int_equal(event.verdict, PH_VERIFIED);
    assert_int_equal(event.matched_secret, 1);
    if (sig != &token) {
        a.body = "{\"id\":2}";
        assert_int_equal(judge(&a), PH_FORGED);
        a.body = "{\"id\":1}";
    }
    a.secret = other;
    assert_int_equal(judge(&a), PH_FORGED);
    a.older = key; /* rotation: the other secret is still good */
    event = verdict_of(&a, NULL);
    assert_int_equal(event.verdict, PH_VERIFIED);
    assert_int_equal(event.matched_secret, 2);
    a.older = NULL;
    a.secret = "";
    assert_int_equal(judge(&a), PH_NO_SECRET);
    a.secret = NULL;
    assert_int_equal(judge(&a), PH_NO_SECRET);
    a.secret = key;
    a.header_count = 0;
    assert_int_equal(judge(&a), PH_NO_SIGNATURE);
}

static void every_kind_accepts_its_own_and_refuses_a_changed_body_and_a_wrong_key(void **state)
{
    (void)state;
    accepts_and_refuses(&plain, "k", NULL, "wrong");
    accepts_and_refuses(&timed, "k", NULL, "wrong");
    accepts_and_refuses(&digest, "k", NULL, "wrong");
    accepts_and_refuses(&token, "k", NULL, "wrong");
    accepts_and_refuses(&rsa, rsa_public, rsa_private, ec_public);
    accepts_and_refuses(&pss, rsa_public, rsa_private, ed_public);
    accepts_and_refuses(&ecdsa, ec_public, ec_private, rsa_public);
    accepts_and_refuses(&ed, ed_public, ed_private, rsa_public);
    accepts_and_refuses(&jws, ec_public, ec_private, rsa_public);
    accepts_and_refuses(&jws_shared, "k", NULL, "wrong");
}

static void the_time_is_judged_both_ways_and_its_edge_is_good(void **state)
{
    (void)state;
    struct ask a = {.sig = &timed, .secret = "k", .body = "{}", .now_ms = 1700000000000};
    sign(&a, &timed, "k", NULL);
    a.now_ms += 300000;
    assert_int_equal(judge(&a), PH_VERIFIED);
    a.now_ms += 1000;
    assert_int_equal(judge(&a), PH_STALE);
    a.now_ms = 1700000000000 - 300000;
    assert_int_equal(judge(&a), PH_VERIFIED);
    a.now_ms -= 1000;
    assert_int_equal(judge(&a), PH_STALE);
    a.now_ms = -1;
    assert_int_equal(judge(&a), PH_VERIFIED);
    a.now_ms = 1700000000000 + 400000;
    a.config[0] = (struct ph_config_value){PH_S("tolerance_seconds"), PH_S("400")};
    a.config_count = 1;
    assert_int_equal(judge(&a), PH_VERIFIED);
}

static void a_header_that_comes_twice_with_two_values_is_forged(void **state)
{
    (void)state;
    struct ask a = {.sig = &plain, .secret = "k", .body = "{}", .now_ms = 1700000000000};
    sign(&a, &plain, "k", NULL);
    a.headers[a.header_count++] = (struct ph_header){PH_S("x-sig"), PH_S("00")};
    assert_int_equal(judge(&a), PH_FORGED);
    struct ph_signature repeats = plain;
    repeats.header_may_repeat = true;
    repeats.list = PH_S(",");
    a.sig = &repeats;
    assert_int_equal(judge(&a), PH_VERIFIED);
}

static void a_header_without_a_known_shape_is_forged(void **state)
{
    (void)state;
    struct ask a = {.sig = &timed,
                    .secret = "k",
                    .body = "{}",
                    .now_ms = 0,
                    .header_count = 1,
                    .headers = {{PH_SI("X-Sig"), PH_SI("v9=abc")}}};
    assert_int_equal(judge(&a), PH_FORGED);
    a.headers[0].value = PH_S("t=1,t=2,v1=ab");
    assert_int_equal(judge(&a), PH_FORGED);
}

static void basic_compares_user_and_password(void **state)
{
    (void)state;
    struct ask a = {.sig = &basic,
                    .secret = "user",
                    .secret2 = "pass",
                    .body = "{}",
                    .header_count = 1,
                    .headers = {{PH_SI("Authorization"), PH_SI("Basic dXNlcjpwYXNz")}}};
    assert_int_equal(judge(&a), PH_VERIFIED);
    a.secret = "user:pass";
    a.secret2 = NULL;
    assert_int_equal(judge(&a), PH_VERIFIED);
    a.secret = "user:other";
    assert_int_equal(judge(&a), PH_FORGED);
    a.secret = "";
    assert_int_equal(judge(&a), PH_NO_SECRET);
}

static void what_is_not_signed_is_unsigned_and_what_fits_no_scheme_is_unsupported(void **state)
{
    (void)state;
    struct ask a = {.sig = &none, .secret = "k", .body = "{}"};
    assert_int_equal(judge(&a), PH_UNSIGNED);
    a.sig = NULL;
    assert_int_equal(judge(&a), PH_UNSUPPORTED);
}

static void a_public_key_never_serves_as_an_hmac_key(void **state)
{
    (void)state;
    struct ask a = {.sig = &jws, .secret = ec_public, .body = "{}", .now_ms = 1700000000000};
    sign(&a, &jws_shared, ec_public, NULL); /* HS256, keyed by the public key's own text */
    assert_int_equal(judge(&a), PH_FORGED);
    a.sig = &jws_confused; /* even where the page lists HS256 by mistake */
    assert_int_equal(judge(&a), PH_FORGED);
}

static void a_jws_that_names_none_or_carries_a_payload_of_its_own_is_forged(void **state)
{
    (void)state;
    /* {"alg":"none"} */
    struct ask a = {.sig = &jws,
                    .secret = ec_public,
                    .body = "{}",
                    .header_count = 1,
                    .headers = {{PH_SI("X-Sig"), PH_SI("eyJhbGciOiJub25lIn0..")}}};
    assert_int_equal(judge(&a), PH_FORGED);
    /* {"alg":"ES256"} */
    a.headers[0].value = PH_S("eyJhbGciOiJFUzI1NiJ9.e30.AAAA");
    assert_int_equal(judge(&a), PH_FORGED);
}

static void a_key_that_must_be_fetched_is_unreachable_and_never_from_a_foreign_host(void **state)
{
    (void)state;
    const struct ph_callout *callout;
    struct ask a = {.sig = &fetched, .body = "{\"id\":1}", .now_ms = 1700000000000};
    sign(&a, &fetched, NULL, rsa_private);
    size_t cert = a.header_count++;
    a.headers[cert] = (struct ph_header){PH_S("X-Cert"), PH_S("https://keys.example/a")};
    assert_int_equal(verdict_of(&a, &callout).verdict, PH_UNREACHABLE);
    assert_non_null(callout);
    assert_true(ph_slice_eq(callout->result_name, PH_S("fetched_certificate_pem")));
    static const char *const foreign[] = {"https://keys.example.evil/a", "http://keys.example/a",
                                          "https://keys.example@evil/a", "https://keys.example:1/a",
                                          "https://evil"};
    for (size_t i = 0; i < PH_COUNTOF(foreign); i++) {
        a.headers[cert].value = ph_slice_str(foreign[i]);
        assert_int_equal(verdict_of(&a, &callout).verdict, PH_FORGED);
        assert_null(callout);
    }
    a.headers[cert].value = PH_S("https://keys.example/a");
    a.config[0] = (struct ph_config_value){PH_S("certificate_pem"), ph_slice_str(rsa_public)};
    a.config_count = 1;
    struct ph_event event = verdict_of(&a, NULL);
    assert_int_equal(event.verdict, PH_VERIFIED);
    assert_int_equal(event.matched_secret, 0);
}

/* RFC 4231, cases 1 to 4, SHA-256 and SHA-512 (its first bytes). */
static void hmac_gives_the_answers_of_rfc_4231(void **state)
{
    (void)state;
    static const char key4[] =
        "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
        "\x15\x16\x17\x18\x19";
    char key1[20], key3[20], text3[50], text4[50];
    memset(key1, 0x0b, sizeof(key1));
    memset(key3, 0xaa, sizeof(key3));
    memset(text3, 0xdd, sizeof(text3));
    memset(text4, 0xcd, sizeof(text4));
    const struct {
        struct ph_slice key, text;
        const char *sha256;
    } cases[] = {
        {{key1, 20},
         PH_SI("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {PH_SI("Jefe"), PH_SI("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {{key3, 20},
         {text3, 50},
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {{key4, 25},
         {text4, 50},
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    };
    struct ph_crypto *crypto = ph_crypto_new(&ph_os_heap);
    struct ph_arena arena;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    for (size_t round = 0; round < 2; round++) { /* the second time from the cache */
        for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
            unsigned char out[PH_DIGEST_BYTES_MAX];
            size_t len;
            struct ph_slice hex;
            assert_int_equal(
                ph_crypto_hmac(crypto, PH_HASH_SHA256, cases[i].key, &cases[i].text, 1, out, &len),
                PH_OK);
            assert_true(ph_hex_encode(&arena, ph_slice_of(out, len), &hex));
            assert_true(ph_slice_eq(hex, ph_slice_str(cases[i].sha256)));
        }
    }
    unsigned char out[PH_DIGEST_BYTES_MAX];
    size_t len;
    assert_int_equal(ph_crypto_hmac(crypto, PH_HASH_SHA256, PH_S(""), &PH_S("x"), 1, out, &len),
                     PH_ERR_INVALID);
    ph_arena_done(&arena);
    ph_crypto_free(crypto);
}

/* ---- signatures inside the body -------------------------------------------------------------- */

/* clang-format off */
#define KEY(name) {.kind = PH_STEP_KEY, .index = -1, .key = PH_SI(name)}
/* clang-format on */
static const struct ph_step items_steps[] = {
    KEY("items"), {.kind = PH_STEP_ANY, .index = -1}, KEY("item")};
static const struct ph_pointer items_pointer = {.steps = items_steps, .count = 3};
static const struct ph_step mac_steps[] = {KEY("extra"), KEY("mac")};
static const struct ph_pointer mac_pointer = {.steps = mac_steps, .count = 2};
static const struct ph_step id_steps[] = {KEY("id")};
static const struct ph_pointer id_pointer = {.steps = id_steps, .count = 1};
static const struct ph_step payload_steps[] = {KEY("payload")};
static const struct ph_pointer payload_pointer = {.steps = payload_steps, .count = 1};
static const struct ph_step sign_steps[] = {KEY("sign")};
static const struct ph_pointer sign_pointer = {.steps = sign_steps, .count = 1};
static const struct ph_template id_message[] = {
    TEMPLATE({.source = PH_SRC_POINTER, .pointer = &id_pointer})};
static const struct ph_template payload_message[] = {
    TEMPLATE({.source = PH_SRC_OUTER, .pointer = &payload_pointer})};
static const enum ph_decode base64_json[] = {PH_DECODE_BASE64, PH_DECODE_JSON};
static const struct ph_signature item_mac = {
    .kind = PH_SIG_HMAC,
    .hash = PH_HASH_SHA256,
    .encoding = PH_ENC_BASE64,
    .from = EXPR({.source = PH_SRC_POINTER, .pointer = &mac_pointer}),
    .messages = id_message,
    .message_count = 1,
    .per_item = true};
static const struct ph_signature outer_mac = {
    .kind = PH_SIG_HMAC,
    .hash = PH_HASH_SHA256,
    .encoding = PH_ENC_HEX,
    .from = EXPR({.source = PH_SRC_OUTER, .pointer = &sign_pointer}),
    .messages = payload_message,
    .message_count = 1};
static const struct ph_variant batch = {.format = PH_FORMAT_JSON,
                                        .items = &items_pointer,
                                        .signatures = &item_mac,
                                        .signature_count = 1};
static const struct ph_variant packed = {
    .format = PH_FORMAT_FORM,
    .inner = {.source = PH_SRC_POINTER, .pointer = &payload_pointer},
    .decode = base64_json,
    .decode_count = 2,
    .signatures = &outer_mac,
    .signature_count = 1};

/* Signs `body` with "k" and judges its item with `secret`. */
static enum ph_verdict round_trip(const struct ph_variant *v, const char *body, size_t item,
                                  const char *secret)
{
    struct ph_connector c = {.name = PH_SI("acme"), .variants = v, .variant_count = 1};
    struct ph_request r = {.method = PH_SI("POST")};
    struct ph_secret_pair pair = {PH_S("k"), {0}};
    struct ph_input in = {.connector = &c, .request = &r, .secrets = &pair, .secret_count = 1};
    struct ph_signed out;
    struct ph_slice reason, why;
    assert_int_equal(ph_engine_sign(worker, &in, (struct ph_slice){0}, ph_slice_str(body),
                                    PH_S("u"), &out, &reason),
                     PH_OK);
    static char sent[4096];
    assert_true(out.body.len < sizeof(sent));
    memcpy(sent, out.body.ptr, out.body.len);
    r.body = ph_slice_of(sent, out.body.len);
    pair.secret = ph_slice_str(secret);
    struct ph_run run;
    struct ph_event event = {0};
    enum ph_error_code error;
    const struct ph_callout *callout = NULL;
    ph_worker_reset(worker);
    assert_int_equal(ph_run_open(&run, worker, &in, NULL, &why, &error), PH_OK);
    assert_int_equal(error, PH_E_NONE);
    run.item = ph_run_next_item(&run, item);
    assert_non_null(run.item);
    assert_int_equal(ph_verify(&run, &event, &callout), PH_OK);
    return event.verdict;
}

static void
a_signature_inside_the_body_is_made_for_every_item_and_for_packed_documents(void **state)
{
    (void)state;
    static const char two[] = "{\"items\":[{\"item\":{\"id\":\"a\",\"n\":10.00}},{\"item\":{\"id\":"
                              "\"b\",\"extra\":{\"x\":1}}}]}";
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(round_trip(&batch, two, i, "k"), PH_VERIFIED);
        assert_int_equal(round_trip(&batch, two, i, "other"), PH_FORGED);
    }
    assert_int_equal(round_trip(&packed, "{\"id\":\"a+b\"}", 0, "k"), PH_VERIFIED);
    assert_int_equal(round_trip(&packed, "{\"id\":\"a+b\"}", 0, "other"), PH_FORGED);
    assert_int_equal(round_trip(&packed, "payload=eyJpZCI6ImEifQ%3D%3D", 0, "k"), PH_VERIFIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_accepts_its_own_and_refuses_a_changed_body_and_a_wrong_key),
        cmocka_unit_test(the_time_is_judged_both_ways_and_its_edge_is_good),
        cmocka_unit_test(a_header_that_comes_twice_with_two_values_is_forged),
        cmocka_unit_test(a_header_without_a_known_shape_is_forged),
        cmocka_unit_test(basic_compares_user_and_password),
        cmocka_unit_test(what_is_not_signed_is_unsigned_and_what_fits_no_scheme_is_unsupported),
        cmocka_unit_test(a_public_key_never_serves_as_an_hmac_key),
        cmocka_unit_test(a_jws_that_names_none_or_carries_a_payload_of_its_own_is_forged),
        cmocka_unit_test(a_key_that_must_be_fetched_is_unreachable_and_never_from_a_foreign_host),
        cmocka_unit_test(
            a_signature_inside_the_body_is_made_for_every_item_and_for_packed_documents),
        cmocka_unit_test(hmac_gives_the_answers_of_rfc_4231),
    };
    worker = ph_worker_new(&ph_os_heap);
    int failed = cmocka_run_group_tests_name("verify", tests, NULL, NULL);
    ph_worker_free(worker);
    return failed;
}
