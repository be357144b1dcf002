/* The HTTP destination against an application in this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those above */

#include "application.h"
#include "arena_fixture.h"
#include "destination/destination.h"
#include "destination/standard_webhooks.h"
#include "os/clock.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t news;
    int ended;
    struct ph_outcome last;
    char reason[512];
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

static char url[128];
static struct ph_destination_secret secrets[2];
static struct ph_destination_settings settings;
static struct ph_destination *destination;

static void to(const char *path)
{
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s", application.port, path);
    settings.url = ph_slice_str(url);
}

static int fresh(void **state)
{
    application_forget();
    heard.ended = 0;
    secrets[0] =
        (struct ph_destination_secret){.key = PH_S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
    secrets[1] = (struct ph_destination_secret){.key = PH_S("a key of the year before")};
    settings = (struct ph_destination_settings){.allow_private = true,
                                                .connect_ms = 2000,
                                                .total_ms = 2000,
                                                .secrets = secrets,
                                                .secret_count = 1,
                                                .agent = PH_S("payhook/1.2.3")};
    to("");
    return open_arena(state);
}

static int close_destination(void **state)
{
    ph_destination_close(destination);
    destination = NULL;
    return close_arena(state);
}

static void open_it(void)
{
    assert_int_equal(ph_destination_open(&settings, &destination), PH_OK);
}

static void on_done(void *ctx, const struct ph_outcome *outcome)
{
    (void)ctx;
    pthread_mutex_lock(&heard.lock);
    heard.ended++;
    heard.last = *outcome;
    snprintf(heard.reason, sizeof heard.reason, "%.*s", (int)outcome->reason.len,
             outcome->reason.len > 0 ? outcome->reason.ptr : "");
    pthread_cond_signal(&heard.news);
    pthread_mutex_unlock(&heard.lock);
}

static const struct ph_inbox_due paid = {
    .event_id = PH_SI("stripe:evt_1.a"),
    .type = PH_SI("PAYMENT_INTENT_SUCCESS"),
    .connector = PH_SI("stripe"),
    .endpoint = PH_SI("shop"),
    .received_ms = 1764453600000,
    .trace = PH_SI("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    .answer = PH_SI("{}")};

static enum ph_told told_of(const struct ph_inbox_due *due, size_t count)
{
    struct ph_notice notices[4];
    struct timespec until;
    int before = heard.ended;
    for (size_t i = 0; i < count; i++)
        notices[i] = (struct ph_notice){.due = due, .attempt = 1};
    assert_int_equal(
        ph_destination_send(destination, notices, count, ph_os_unix_ms(), on_done, NULL), PH_OK);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&heard.lock);
    while (heard.ended == before)
        assert_int_equal(pthread_cond_timedwait(&heard.news, &heard.lock, &until), 0);
    pthread_mutex_unlock(&heard.lock);
    return heard.last.told;
}

/* A header of the last request, or "". */
static const char *header(const char *name)
{
    static char text[1024];
    char line[128];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(application.last, line);
    if (at == NULL)
        return "";
    at += strlen(line);
    snprintf(text, sizeof text, "%.*s", (int)(strstr(at, "\r\n") - at), at);
    return text;
}

static void assert_signed_with(const char *secret, size_t place)
{
    struct ph_slice key, signature, body = ph_slice_str(strstr(application.last, "\r\n\r\n") + 4);
    struct ph_crypto *crypto = ph_crypto_new(&ph_os_heap);
    char id[128], timestamp[32];
    snprintf(id, sizeof id, "%s", header("webhook-id"));
    snprintf(timestamp, sizeof timestamp, "%s", header("webhook-timestamp"));
    assert_int_equal(ph_standard_webhooks_key(&arena, ph_slice_str(secret), &key), PH_OK);
    assert_int_equal(ph_standard_webhooks_sign(crypto, &arena, &key, 1, ph_slice_str(id),
                                               ph_slice_str(timestamp), body, &signature),
                     PH_OK);
    struct ph_slice got = ph_slice_str(header("webhook-signature"));
    size_t at = ph_slice_find(got, signature, 0);
    assert_int_equal(at, place * (signature.len + 1));
    ph_crypto_free(crypto);
}

/* ---- promises -------------------------------------------------------------------------------- */

static void a_request_is_a_signed_cloudevent(void **state)
{
    (void)state;
    open_it();
    int64_t now_s = ph_os_unix_ms() / 1000;
    assert_int_equal(told_of(&paid, 1), PH_TOLD_ACCEPTED);
    assert_int_equal(heard.last.accepted, 1);
    assert_int_equal(heard.last.status, 200);
    assert_true(strncmp(application.last, "POST / HTTP/1.1\r\n", 17) == 0);
    assert_string_equal(header("content-type"), "application/cloudevents+json; charset=utf-8");
    assert_string_equal(header("user-agent"), "payhook/1.2.3");
    assert_string_equal(header("traceparent"),
                        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert_string_equal(header("webhook-id"), "stripe:evt_1%2Ea");
    assert_in_range(atoll(header("webhook-timestamp")), now_s, now_s + 5);
    assert_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0);
    assert_non_null(strstr(application.bodies[0], "\"id\":\"stripe:evt_1.a\""));
}

static void both_secrets_sign_while_they_are_changed(void **state)
{
    (void)state;
    settings.secret_count = 2;
    open_it();
    assert_int_equal(told_of(&paid, 1), PH_TOLD_ACCEPTED);
    assert_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0);
    assert_signed_with("a key of the year before", 1);
}

static void a_secret_signs_in_its_time_alone(void **state)
{
    struct ph_notice notice = {.due = &paid, .attempt = 1};
    (void)state;
    settings.secret_count = 2;
    secrets[0].not_after_ms = ph_os_unix_ms();
    open_it();
    assert_int_equal(told_of(&paid, 1), PH_TOLD_ACCEPTED);
    assert_signed_with("a key of the year before", 0);
    ph_destination_close(destination);
    secrets[1].not_before_ms = ph_os_unix_ms() + 3600 * 1000;
    open_it();
    assert_int_equal(ph_destination_send(destination, &notice, 1, ph_os_unix_ms(), on_done, NULL),
                     PH_ERR_NOT_FOUND);
    assert_int_equal(application_calls(), 1); /* nothing goes unsigned */
}

static void a_batch_is_one_request_with_an_id_of_its_own(void **state)
{
    (void)state;
    settings.batches = true;
    open_it();
    assert_int_equal(told_of(&paid, 3), PH_TOLD_ACCEPTED);
    assert_int_equal(heard.last.accepted, 3);
    assert_int_equal(application_calls(), 1);
    assert_string_equal(header("content-type"),
                        "application/cloudevents-batch+json; charset=utf-8");
    assert_string_equal(header("webhook-id"), "batch:3:stripe:evt_1%2Ea");
    assert_string_equal(header("traceparent"), "");
    assert_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0);
    assert_true(application.bodies[0][0] == '[');
}

static void an_answer_means_what_http_says(void **state)
{
    static const struct {
        const char *path;
        enum ph_told told;
        int status;
        int64_t retry_after_ms;
        const char *reason;
    } answers[] = {
        {"200", PH_TOLD_ACCEPTED, 200, 0, ""},
        {"204", PH_TOLD_ACCEPTED, 204, 0, ""},
        {"299", PH_TOLD_ACCEPTED, 299, 0, ""},
        {"302", PH_TOLD_REFUSED, 302, 0, "answered 302, a redirect, which is not followed"},
        {"400", PH_TOLD_REFUSED, 400, 0, "answered 400"},
        {"401", PH_TOLD_REFUSED, 401, 0, "answered 401"},
        {"408", PH_TOLD_FAILED, 408, 0, "answered 408"},
        {"409", PH_TOLD_NOT_YET, 409, 0, "answered 409"},
        {"410", PH_TOLD_REFUSED, 410, 0, "answered 410"},
        {"425", PH_TOLD_NOT_YET, 425, 0, "answered 425"},
        {"429", PH_TOLD_FAILED, 429, 0, "answered 429"},
        {"500", PH_TOLD_FAILED, 500, 0, "answered 500"},
        {"503", PH_TOLD_FAILED, 503, 7000, "answered 503"},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(answers); i++) {
        to(answers[i].path);
        open_it();
        if (told_of(&paid, 1) != answers[i].told || heard.last.status != answers[i].status)
            fail_msg("%s: told %d, status %d", answers[i].path, (int)heard.last.told,
                     heard.last.status);
        assert_int_equal(heard.last.retry_after_ms, answers[i].retry_after_ms);
        assert_string_equal(heard.reason, answers[i].reason);
        ph_destination_close(destination);
        destination = NULL;
    }
    assert_int_equal(application_calls(), PH_COUNTOF(answers)); /* and no redirect was followed */
}

static void no_answer_or_half_of_one_is_a_failure(void **state)
{
    static const char *const paths[] = {"close", "cut", "hang"};
    (void)state;
    settings.total_ms = 300;
    for (size_t i = 0; i < PH_COUNTOF(paths); i++) {
        to(paths[i]);
        open_it();
        assert_int_equal(told_of(&paid, 1), PH_TOLD_FAILED);
        assert_true(strlen(heard.reason) > 0);
        assert_int_equal(heard.last.accepted, 0);
        ph_destination_close(destination);
        destination = NULL;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:1/");
    settings.url = ph_slice_str(url);
    open_it();
    assert_int_equal(told_of(&paid, 1), PH_TOLD_FAILED);
}

static void an_answer_of_endless_headers_is_a_failure_and_was_an_attempt(void **state)
{
    static const struct {
        const char *path;
        enum ph_told told;
        const char *reason;
    } answers[] = {
        {"headers/110000/1", PH_TOLD_FAILED, /* over libcurl's own limit of a line */
         "a line of the response's header is larger than the limit, or there is no memory for the "
         "response"},
        {"headers/70000/1", PH_TOLD_FAILED, "the response's header is larger than the limit"},
        {"headers/1000/70", PH_TOLD_FAILED, "the response's header is larger than the limit"},
        {"headers/60000/1", PH_TOLD_ACCEPTED, ""},
        {"headers/100/500", PH_TOLD_ACCEPTED, ""},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(answers); i++) {
        to(answers[i].path);
        open_it();
        if (told_of(&paid, 1) != answers[i].told)
            fail_msg("%s: told %d", answers[i].path, (int)heard.last.told);
        assert_string_equal(heard.reason, answers[i].reason);
        ph_destination_close(destination);
        destination = NULL;
    }
}

static void closing_returns_what_is_under_way(void **state)
{
    struct ph_notice notice = {.due = &paid, .attempt = 1};
    (void)state;
    settings.total_ms = 60 * 1000;
    to("hang");
    open_it();
    assert_int_equal(ph_destination_send(destination, &notice, 1, ph_os_unix_ms(), on_done, NULL),
                     PH_OK);
    while (application_calls() == 0)
        usleep(1000);
    int64_t from_ms = ph_os_steady_ms();
    ph_destination_close(destination);
    destination = NULL;
    assert_in_range(ph_os_steady_ms() - from_ms, 0, 2000);
    assert_int_equal(heard.ended, 1);
    assert_int_equal(heard.last.told, PH_TOLD_RETURNED);
}

static void a_private_address_is_not_connected_to_unless_allowed(void **state)
{
    (void)state;
    settings.allow_private = false;
    open_it();
    int before = application.connections;
    assert_int_equal(told_of(&paid, 1), PH_TOLD_FAILED);
    assert_non_null(strstr(heard.reason, "private"));
    assert_int_equal(application.connections, before);
}

static void what_a_webhook_brought_cannot_make_a_header(void **state)
{
    struct ph_inbox_due evil = paid;
    (void)state;
    evil.event_id = PH_S("evt\r\nX-Evil: 1");
    evil.trace = PH_S("00-aa\r\nX-Evil: 1");
    open_it();
    assert_int_equal(told_of(&evil, 1), PH_TOLD_ACCEPTED);
    assert_string_equal(header("webhook-id"), "evt%0D%0AX-Evil:%201");
    assert_string_equal(header("x-evil"), "");
    assert_string_equal(header("traceparent"), "");
}

static void connections_are_kept(void **state)
{
    (void)state;
    open_it();
    int before = application.connections;
    for (int i = 0; i < 20; i++)
        assert_int_equal(told_of(&paid, 1), PH_TOLD_ACCEPTED);
    assert_int_equal(application.connections, before + 1);
}

static void settings_that_cannot_be_used_are_refused(void **state)
{
    (void)state;
    secrets[0].key = PH_S("whsec_no base64!");
    assert_int_equal(ph_destination_open(&settings, &destination), PH_ERR_INVALID);
    settings.url = PH_S("ftp://example.com/");
    assert_int_equal(ph_destination_open(&settings, &destination), PH_ERR_UNSUPPORTED);
    settings.url = PH_S("no url");
    assert_int_equal(ph_destination_open(&settings, &destination), PH_ERR_UNSUPPORTED);
}

static int start(void **state)
{
    (void)state;
    application_start();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    application_stop();
    return 0;
}

#define PROMISE(test) cmocka_unit_test_setup_teardown(test, fresh, close_destination)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(a_request_is_a_signed_cloudevent),
        PROMISE(both_secrets_sign_while_they_are_changed),
        PROMISE(a_secret_signs_in_its_time_alone),
        PROMISE(a_batch_is_one_request_with_an_id_of_its_own),
        PROMISE(an_answer_means_what_http_says),
        PROMISE(no_answer_or_half_of_one_is_a_failure),
        PROMISE(an_answer_of_endless_headers_is_a_failure_and_was_an_attempt),
        PROMISE(closing_returns_what_is_under_way),
        PROMISE(a_private_address_is_not_connected_to_unless_allowed),
        PROMISE(what_a_webhook_brought_cannot_make_a_header),
        PROMISE(connections_are_kept),
        PROMISE(settings_that_cannot_be_used_are_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
