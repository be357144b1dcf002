/* What the pages ask of a processor's API: the request of a callout, when it is asked for and
 * when never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/engine.h"
#include "os/heap.h"

static const int64_t now_ms = 1795514400000;

static int open_worker(void **state)
{
    *state = ph_worker_new(&ph_os_heap);
    return *state == NULL;
}

static int close_worker(void **state)
{
    ph_worker_free(*state);
    return 0;
}

static const struct ph_connector *page(const char *name)
{
    for (size_t i = 0; i < ph_connectors_builtin_count; i++)
        if (ph_slice_eq(ph_connectors_builtin[i]->name, ph_slice_str(name)))
            return ph_connectors_builtin[i];
    fail_msg("no page %s", name);
    return NULL;
}

/* The callout for a body of that page: signed with `signed_with`, judged with "secret". */
static const struct ph_callout *callout_of(struct ph_worker *worker, const char *name,
                                           const char *variant, const char *body,
                                           const char *signed_with, const char *fetched)
{
    struct ph_worker *signer = ph_worker_new(&ph_os_heap);
    struct ph_secret_pair own = {ph_slice_str(signed_with), {0}},
                          configured = {PH_S("secret"), {0}};
    const struct ph_config_value config[] = {
        {PH_S("api_key"), PH_S("key_1")},
        {PH_S("access_token"), PH_S("access_1")},
        {PH_S("fetched"), fetched != NULL ? ph_slice_str(fetched) : (struct ph_slice){0}}};
    struct ph_request request = {.method = PH_S("POST"), .uri = PH_S("/")};
    struct ph_input in = {.connector = page(name),
                          .request = &request,
                          .secrets = &own,
                          .secret_count = 1,
                          .now_ms = now_ms};
    struct ph_signed made;
    struct ph_slice reason;
    struct ph_answer answer;
    assert_int_equal(ph_engine_sign(signer, &in, ph_slice_str(variant), ph_slice_str(body),
                                    PH_S("u"), &made, &reason),
                     PH_OK);
    request.headers = made.headers;
    request.header_count = made.header_count;
    request.body = made.body;
    in.secrets = &configured;
    in.config = config;
    in.config_count = fetched != NULL ? 3 : 2;
    assert_int_equal(ph_engine_run(worker, &in, PH_WANT_ALL, &answer), PH_OK);
    assert_int_equal(answer.error, PH_E_NONE);
    ph_worker_free(signer);
    return answer.callout;
}

static void assert_request(const struct ph_callout *callout, const char *url,
                           const char *authorization)
{
    assert_non_null(callout);
    assert_true(ph_slice_eq(callout->method, PH_S("GET")));
    assert_true(ph_slice_eq(callout->url, ph_slice_str(url)));
    assert_true(ph_slice_eq(callout->result_name, PH_S("fetched")));
    assert_true(callout->header_count > 0);
    assert_true(ph_slice_eq(callout->headers[0].name, PH_S("Authorization")));
    assert_true(ph_slice_eq(callout->headers[0].value, ph_slice_str(authorization)));
}

#define THIN(more)                                                                                 \
    "{\"id\":\"evt_1\",\"object\":\"v2.core.event\",\"type\":\"v1.refund.created\",\"created\":"   \
    "\"2026-11-24T10:00:00Z\"," more "}"

static void a_thin_event_asks_for_its_object_in_its_account(void **state)
{
    const struct ph_callout *callout =
        callout_of(*state, "stripe", "thin",
                   THIN("\"context\":\"acct_1\",\"related_object\":{\"id\":\"re_1\",\"type\":"
                        "\"refund\",\"url\":\"/v1/refunds/re_1\"}"),
                   "secret", NULL);
    assert_request(callout, "https://api.stripe.com/v1/refunds/re_1", "Bearer key_1");
    assert_int_equal(callout->header_count, 2);
    assert_true(ph_slice_eq(callout->headers[1].name, PH_S("Stripe-Context")));
    assert_true(ph_slice_eq(callout->headers[1].value, PH_S("acct_1")));
}

static void a_header_without_a_value_is_not_sent(void **state)
{
    const struct ph_callout *callout =
        callout_of(*state, "stripe", "thin",
                   THIN("\"related_object\":{\"id\":\"re_1\",\"type\":\"refund\",\"url\":\"/v1/"
                        "refunds/re_1\"}"),
                   "secret", NULL);
    assert_request(callout, "https://api.stripe.com/v1/refunds/re_1", "Bearer key_1");
    assert_int_equal(callout->header_count, 1);
}

static void nobody_is_asked_for_a_forgery_or_twice_or_elsewhere(void **state)
{
    static const char good[] = THIN(
        "\"related_object\":{\"id\":\"re_1\",\"type\":\"refund\",\"url\":\"/v1/refunds/re_1\"}");
    static const char *const elsewhere[] = {"@evil.example/", ".evil.example/", ":1/",
                                            "\\\\evil.example", " /v1"};
    assert_null(callout_of(*state, "stripe", "thin", good, "another", NULL));
    assert_null(callout_of(*state, "stripe", "thin", good, "secret",
                           "{\"id\":\"re_1\",\"status\":\"succeeded\"}"));
    for (size_t i = 0; i < PH_COUNTOF(elsewhere); i++) {
        char body[256] = THIN("\"related_object\":{\"id\":\"re_1\",\"url\":\"");
        size_t len = strlen(body) - 1;
        memcpy(body + len, elsewhere[i], strlen(elsewhere[i]));
        memcpy(body + len + strlen(elsewhere[i]), "\"}}", 4);
        assert_null(callout_of(*state, "stripe", "thin", body, "secret", NULL));
    }
}

static void an_unsigned_notice_asks_for_its_payment(void **state)
{
    assert_request(callout_of(*state, "mollie", "classic", "id=tr_1", "secret", NULL),
                   "https://api.mollie.com/v2/payments/tr_1?embed=refunds,chargebacks",
                   "Bearer key_1");
    assert_request(
        callout_of(*state, "mollie", "classic", "id=tr_1%2F..%2F..%3Fx", "secret", NULL),
        "https://api.mollie.com/v2/payments/tr_1%2F..%2F..%3Fx?embed=refunds,chargebacks",
        "Bearer key_1");
    assert_null(
        callout_of(*state, "mollie", "classic", "id=tr_1", "secret", "{\"status\":\"paid\"}"));
    /* no payment */
    assert_null(callout_of(*state, "mollie", "classic", "id=ord_1", "secret", NULL));
}

static void a_simple_payload_asks_for_its_event_and_a_full_one_for_nothing(void **state)
{
    static const char simple[] = "{\"resource\":\"event\",\"id\":\"event_1\",\"type\":\"refund."
                                 "refunded\",\"entityId\":\"re_1\"}";
    static const char full[] = "{\"resource\":\"event\",\"id\":\"event_1\",\"type\":\"refund."
                               "refunded\",\"entityId\":\"re_1\","
                               "\"_embedded\":{\"entity\":{\"id\":\"re_1\"}}}";
    assert_request(callout_of(*state, "mollie", "events", simple, "secret", NULL),
                   "https://api.mollie.com/v2/events/event_1", "Bearer access_1");
    assert_null(callout_of(*state, "mollie", "events", simple, "another", NULL));
    assert_null(callout_of(*state, "mollie", "events", full, "secret", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thin_event_asks_for_its_object_in_its_account),
        cmocka_unit_test(a_header_without_a_value_is_not_sent),
        cmocka_unit_test(nobody_is_asked_for_a_forgery_or_twice_or_elsewhere),
        cmocka_unit_test(an_unsigned_notice_asks_for_its_payment),
        cmocka_unit_test(a_simple_payload_asks_for_its_event_and_a_full_one_for_nothing),
    };
    return cmocka_run_group_tests(tests, open_worker, close_worker);
}
