/* libpayhook as a stranger uses it: this file knows the public header and nothing else of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those above */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "payhook.h"

static const int64_t NOW_MS = 1764000000000;
static const char EVENT[] =
    "{\"id\":\"evt_1\",\"object\":\"event\",\"type\":\"payment_intent.succeeded\",\"created\":"
    "1764000000,"
    "\"livemode\":false,\"data\":{\"object\":{\"id\":\"pi_1\",\"object\":\"payment_intent\","
    "\"amount\":2000,\"amount_received\":2000,\"currency\":\"usd\",\"status\":\"succeeded\"}}}";

/* Signs EVENT with `secret` and begins a hook that has received it. */
static void receive(struct ph_hook *hook, const char *secret)
{
    const char *value = NULL;
    char name_copy[64], value_copy[256];
    assert_int_equal(ph_hook_begin(hook, "stripe"), PH_HOOK_OK);
    assert_int_equal(ph_hook_body(hook, EVENT, strlen(EVENT)), PH_HOOK_OK);
    assert_int_equal(ph_hook_secret(hook, secret, NULL), PH_HOOK_OK);
    assert_int_equal(ph_hook_received_at(hook, NOW_MS), PH_HOOK_OK);
    int signed_status = ph_hook_sign(hook, NULL, "msg_1");
    if (signed_status != PH_HOOK_OK)
        fail_msg("cannot sign: %s", ph_hook_sign_reason(hook));
    for (size_t i = 0;; i++) {
        const char *name = ph_hook_signed_header(hook, i, &value);
        assert_non_null(name);
        if (strcmp(name, "Stripe-Signature") != 0)
            continue;
        snprintf(name_copy, sizeof(name_copy), "%s", name);
        snprintf(value_copy, sizeof(value_copy), "%s", value);
        break;
    }
    assert_int_equal(ph_hook_begin(hook, "stripe"), PH_HOOK_OK);
    assert_int_equal(ph_hook_header(hook, name_copy, value_copy), PH_HOOK_OK);
    assert_int_equal(ph_hook_body(hook, EVENT, strlen(EVENT)), PH_HOOK_OK);
    assert_int_equal(ph_hook_received_at(hook, NOW_MS), PH_HOOK_OK);
}

static void a_signed_webhook_is_verified_and_told(void **state)
{
    struct ph_hook *hook = *state;
    int64_t minor = 0, time_ms = 0;
    const char *currency = NULL;
    size_t len = 0;
    receive(hook, "whsec_a");
    assert_int_equal(ph_hook_secret(hook, "whsec_old", NULL), PH_HOOK_OK);
    assert_int_equal(ph_hook_secret(hook, "whsec_a", NULL), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_OK);
    assert_null(ph_hook_error(hook));
    assert_int_equal(ph_hook_event_count(hook), 1);
    assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_VERIFIED);
    assert_int_equal(ph_hook_matched_secret(hook, 0), 2);
    assert_string_equal(ph_hook_text(hook, 0, "event_type"), "PAYMENT_INTENT_SUCCESS");
    assert_string_equal(ph_hook_text(hook, 0, "kind"), "payment");
    assert_string_equal(ph_hook_text(hook, 0, "status"), "CHARGED");
    assert_string_equal(ph_hook_text(hook, 0, "connector_transaction_id"), "pi_1");
    assert_string_equal(ph_hook_text(hook, 0, "dedupe_key"), "stripe:evt_1");
    assert_string_equal(ph_hook_text(hook, 0, "mode"), "TEST");
    assert_null(ph_hook_text(hook, 0, "no_such_field"));
    assert_null(ph_hook_unverified_text(hook, 0, "event_type"));
    assert_int_equal(ph_hook_money(hook, 0, "amount", &minor, &currency), 1);
    assert_int_equal(minor, 2000);
    assert_string_equal(currency, "USD");
    assert_int_equal(ph_hook_time(hook, 0, "processor_event_time", &time_ms), 1);
    assert_int_equal(time_ms, NOW_MS);
    assert_int_equal(ph_hook_ack_status(hook), 200);
    const char *json = ph_hook_json(hook, PH_HOOK_MESSAGE_HANDLE, &len);
    assert_non_null(strstr(json, "\"verdict\":\"VERIFIED\""));
    assert_int_equal(strlen(json), len);
    assert_non_null(ph_hook_protobuf(hook, PH_HOOK_MESSAGE_HANDLE_EVENT, &len));
    assert_true(len > 0);
}

static void a_forged_webhook_tells_nothing_to_act_on(void **state)
{
    struct ph_hook *hook = *state;
    int64_t number = 7;
    const char *currency = NULL;
    receive(hook, "whsec_a");
    assert_int_equal(ph_hook_secret(hook, "whsec_b", NULL), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_OK);
    assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_FORGED);
    assert_string_equal(ph_hook_text(hook, 0, "verdict"), "FORGED");
    assert_non_null(ph_hook_text(hook, 0, "verdict_reason"));
    static const char *const told[] = {"event_type",
                                       "event_name",
                                       "kind",
                                       "status",
                                       "dedupe_key",
                                       "effect_key",
                                       "merchant_event_id",
                                       "account",
                                       "mode",
                                       "processor_event_id",
                                       "connector_transaction_id"};
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        assert_null(ph_hook_text(hook, 0, told[i]));
    assert_int_equal(ph_hook_money(hook, 0, "amount", &number, &currency), 0);
    assert_int_equal(ph_hook_time(hook, 0, "processor_event_time", &number), 0);
    assert_int_equal(number, 7);
    assert_string_equal(ph_hook_unverified_text(hook, 0, "connector_transaction_id"), "pi_1");
    assert_int_equal(ph_hook_ack_status(hook), 401);
}

static void an_empty_secret_verifies_nothing(void **state)
{
    struct ph_hook *hook = *state;
    receive(hook, "whsec_a");
    assert_int_equal(ph_hook_secret(hook, "", NULL), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_OK);
    assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_NO_SECRET);
}

static void an_old_signature_is_stale(void **state)
{
    struct ph_hook *hook = *state;
    receive(hook, "whsec_a");
    assert_int_equal(ph_hook_secret(hook, "whsec_a", NULL), PH_HOOK_OK);
    assert_int_equal(ph_hook_received_at(hook, NOW_MS + 301 * 1000), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_OK);
    assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_STALE);
}

static void an_answer_ends_when_what_arrived_changes(void **state)
{
    struct ph_hook *hook = *state;
    receive(hook, "whsec_a");
    assert_int_equal(ph_hook_secret(hook, "whsec_a", NULL), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_OK);
    assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_VERIFIED);
    assert_int_equal(ph_hook_body(hook, "{}", 2), PH_HOOK_OK);
    assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_VERDICT_UNSPECIFIED);
    assert_null(ph_hook_text(hook, 0, "event_type"));
    assert_null(ph_hook_json(hook, PH_HOOK_MESSAGE_HANDLE, NULL));
}

static void a_body_that_does_not_read_is_an_error_with_its_place(void **state)
{
    struct ph_hook *hook = *state;
    assert_int_equal(ph_hook_begin(hook, "stripe"), PH_HOOK_OK);
    assert_int_equal(ph_hook_body(hook, "{\"id\":", 6), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_OK);
    assert_string_equal(ph_hook_error(hook), "WEBHOOK_BODY_DECODING_FAILED");
    assert_non_null(strstr(ph_hook_error_message(hook), "byte"));
    assert_null(ph_hook_json(hook, PH_HOOK_MESSAGE_HANDLE, NULL));
}

static void a_callout_is_described_and_its_answer_completes_the_event(void **state)
{
    struct ph_hook *hook = *state;
    static const char fetched[] = "{\"resource\":\"payment\",\"id\":\"tr_7UhSN1zuXS\",\"status\":"
                                  "\"paid\",\"amount\":{\"value\":\"10.00\",\"currency\":\"EUR\"}}";
    assert_int_equal(ph_hook_begin(hook, "mollie"), PH_HOOK_OK);
    assert_int_equal(ph_hook_header(hook, "Content-Type", "application/x-www-form-urlencoded"),
                     PH_HOOK_OK);
    assert_int_equal(ph_hook_body(hook, "id=tr_7UhSN1zuXS", 16), PH_HOOK_OK);
    assert_int_equal(ph_hook_config(hook, "api_key", "test_key", 8), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_OK);
    assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_UNSIGNED);
    assert_non_null(ph_hook_callout(hook));
    assert_int_equal(strncmp(ph_hook_callout(hook), "https://api.mollie.com/", 23), 0);
    assert_string_equal(ph_hook_callout_method(hook), "GET");
    assert_non_null(ph_hook_unverified_text(hook, 0, "incomplete"));
    assert_int_equal(ph_hook_callout_done(hook, fetched, strlen(fetched)), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_OK);
    assert_null(ph_hook_callout(hook));
    assert_null(ph_hook_unverified_text(hook, 0, "incomplete"));
    assert_int_equal(ph_hook_callout_done(hook, fetched, 2), PH_HOOK_INVALID);
}

static void arguments_out_of_place_are_refused(void **state)
{
    struct ph_hook *hook = *state;
    char *long_value = malloc(40000);
    assert_non_null(long_value);
    memset(long_value, 'x', 39999);
    long_value[39999] = '\0';
    assert_null(ph_hook_new(NULL, free));
    assert_null(ph_hook_new(malloc, NULL));
    assert_int_equal(ph_hook_begin(hook, "no_such_connector"), PH_HOOK_NOT_FOUND);
    assert_int_equal(ph_hook_body(hook, "{}", 2), PH_HOOK_INVALID); /* no webhook has begun */
    assert_int_equal(ph_hook_run(hook, PH_HOOK_HANDLE), PH_HOOK_INVALID);
    assert_int_equal(ph_hook_begin(hook, "stripe"), PH_HOOK_OK);
    assert_int_equal(ph_hook_run(hook, 2), PH_HOOK_INVALID);
    assert_int_equal(ph_hook_header(hook, NULL, "x"), PH_HOOK_INVALID);
    assert_int_equal(ph_hook_header(hook, "a", long_value), PH_HOOK_TOO_LARGE);
    assert_int_equal(ph_hook_capture_method(hook, "SOMEHOW"), PH_HOOK_INVALID);
    assert_int_equal(ph_hook_body(hook, NULL, 1), PH_HOOK_INVALID);
    assert_int_equal(ph_hook_body(hook, long_value, 1024 * 1024 + 1), PH_HOOK_TOO_LARGE);
    for (int i = 0; i < 16; i++)
        assert_int_equal(ph_hook_secret(hook, "s", NULL), PH_HOOK_OK);
    assert_int_equal(ph_hook_secret(hook, "s", NULL), PH_HOOK_TOO_LARGE);
    assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_VERDICT_UNSPECIFIED);
    assert_int_equal(ph_hook_event_count(NULL), 0);
    ph_hook_free(NULL);
    free(long_value);
}

static void the_version_is_the_headers(void **state)
{
    char text[32];
    (void)state;
    snprintf(text, sizeof(text), "%d.%d.%d", PAYHOOK_VERSION_NUMBER / 10000,
             PAYHOOK_VERSION_NUMBER / 100 % 100, PAYHOOK_VERSION_NUMBER % 100);
    assert_string_equal(ph_hook_version(), text);
    assert_string_equal(ph_hook_status_text(PH_HOOK_NO_MEMORY), "out of memory");
    assert_string_equal(ph_hook_connector_name(0), "adyen");
    assert_null(ph_hook_connector_name(100000));
}

/* ---- memory, threads ------------------------------------------------------------------------- */

static long allocations_left = -1;

static void *scarce(size_t bytes)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return malloc(bytes);
}

static int receive_with_scarce_memory(struct ph_hook *hook)
{
    static const char header[] = "t=1764000000,v1=00";
    int status = ph_hook_begin(hook, "stripe");
    if (status == PH_HOOK_OK)
        status = ph_hook_header(hook, "Stripe-Signature", header);
    if (status == PH_HOOK_OK)
        status = ph_hook_body(hook, EVENT, strlen(EVENT));
    if (status == PH_HOOK_OK)
        status = ph_hook_secret(hook, "whsec_a", NULL);
    return status == PH_HOOK_OK ? ph_hook_run(hook, PH_HOOK_HANDLE) : status;
}

static void without_memory_it_says_so_and_never_verifies(void **state)
{
    (void)state;
    bool done = false;
    for (long n = 0; !done && n < 1000; n++) {
        allocations_left = n;
        struct ph_hook *hook = ph_hook_new(scarce, free);
        if (hook == NULL)
            continue;
        int status = receive_with_scarce_memory(hook);
        done = status == PH_HOOK_OK;
        if (done)
            assert_int_equal(ph_hook_verdict(hook, 0), PH_HOOK_FORGED);
        else
            assert_true(status == PH_HOOK_NO_MEMORY || status == PH_HOOK_CRYPTO);
        allocations_left = -1;
        ph_hook_free(hook);
    }
    assert_true(done);
    allocations_left = -1;
}

static void *many_times(void *arg)
{
    struct ph_hook *hook = ph_hook_new(malloc, free);
    size_t *verified = arg;
    for (int i = 0; hook != NULL && i < 200; i++) {
        receive(hook, "whsec_a");
        if (ph_hook_secret(hook, "whsec_a", NULL) == PH_HOOK_OK &&
            ph_hook_run(hook, PH_HOOK_HANDLE) == PH_HOOK_OK &&
            ph_hook_verdict(hook, 0) == PH_HOOK_VERIFIED)
            ++*verified;
    }
    ph_hook_free(hook);
    return NULL;
}

static void hooks_of_several_threads_share_nothing(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    size_t verified[THREADS] = {0};
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_times, &verified[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(verified[i], 200);
    }
}

static int setup(void **state)
{
    *state = ph_hook_new(malloc, free);
    return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    ph_hook_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signed_webhook_is_verified_and_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_forged_webhook_tells_nothing_to_act_on, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_secret_verifies_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_old_signature_is_stale, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_ends_when_what_arrived_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_that_does_not_read_is_an_error_with_its_place, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_callout_is_described_and_its_answer_completes_the_event,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(arguments_out_of_place_are_refused, setup, teardown),
        cmocka_unit_test(the_version_is_the_headers),
        cmocka_unit_test(without_memory_it_says_so_and_never_verifies),
        cmocka_unit_test(hooks_of_several_threads_share_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
