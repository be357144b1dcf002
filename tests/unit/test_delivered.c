/* From the inbox on disk to an application over HTTP: what is stored arrives. */
#include "inbox_fixture.h"

#include "application.h"
#include "delivery/dispatcher.h"
#include "os/clock.h"

static struct ph_dispatcher *_Atomic dispatcher;
static char urls[2][64];
static const int64_t ladder[] = {50, 100};

static struct ph_dispatcher_destination destination(size_t number, const char *path)
{
    snprintf(urls[number], sizeof urls[number], "http://127.0.0.1:%d/%s", application.port, path);
    return (struct ph_dispatcher_destination){
        .number = number,
        .name = two_names[number],
        .settings = {.url = ph_slice_str(urls[number]),
                     .allow_private = true,
                     .connect_ms = 2000,
                     .total_ms = 2000},
        .retry = {.after_ms = ladder, .after_count = 2, .for_ms = 60 * 1000, .park_ms = 60 * 1000},
        .concurrency = 8,
        .batch = 1,
    };
}

static void wake(void *ctx, uint64_t mask)
{
    struct ph_dispatcher *d = dispatcher;
    (void)ctx;
    if (d != NULL)
        ph_dispatcher_wake(d, mask);
}

static int64_t now(void)
{
    clock_ms = ph_os_unix_ms();
    return clock_ms;
}

static void start(const struct ph_dispatcher_destination *destinations, size_t count)
{
    struct ph_dispatcher_options wanted = {
        .inbox = inbox, .destinations = destinations, .count = count};
    struct ph_dispatcher *started;
    assert_int_equal(ph_dispatcher_start(&wanted, &started), PH_OK);
    dispatcher = started;
}

static void stop(void)
{
    ph_dispatcher_stop(dispatcher, 1000);
    dispatcher = NULL;
}

static int fresh(void **state)
{
    int result = fixture_set_up(state);
    application_forget();
    options.wake = wake;
    options.now_ms = now;
    reopen();
    return result;
}

static int done(void **state)
{
    stop();
    return fixture_tear_down(state);
}

static struct sample *add(const char *key, uint64_t destinations)
{
    static struct sample samples[256];
    static size_t count;
    struct sample *s = &samples[count++ % PH_COUNTOF(samples)];
    now();
    make(s, key);
    s->events[0].destinations = destinations;
    s->events[0].effect_key = (struct ph_slice){0};
    assert_int_equal(run(&s->store.op), PH_OK);
    return s;
}

static void add_many(const char *prefix, int count, uint64_t destinations)
{
    static char keys[512][32];
    static size_t used;
    for (int i = 0; i < count; i++) {
        char *key = keys[used++ % PH_COUNTOF(keys)];
        snprintf(key, sizeof keys[0], "%s%d", prefix, i);
        add(key, destinations);
    }
}

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        for (int tries = 0; !(condition) && tries < 5000; tries++)                                 \
            usleep(2000);                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static int told_times(const char *text)
{
    int times = 0;
    pthread_mutex_lock(&application.lock);
    for (int i = 0; i < application.calls; i++)
        times += strstr(application.bodies[i], text) != NULL;
    pthread_mutex_unlock(&application.lock);
    return times;
}

/* ---- promises -------------------------------------------------------------------------------- */

PH_TEST(what_is_stored_arrives_and_is_done)
{
    struct ph_dispatcher_destination d = destination(0, "");
    (void)state;
    add_many("before", 50, 1); /* what waits when it starts … */
    start(&d, 1);
    add_many("after", 50, 1); /* … and what comes in */
    WAIT_FOR(counts().backlog[0] == 0);
    assert_int_equal(application_calls(), 100);
    assert_int_equal(told_times("\"id\":\"before7\""), 1);
    assert_int_equal(ask("SELECT count(*) FROM delivery_list WHERE state='done' AND attempts=1"),
                     100);
}

PH_TEST(what_an_end_interrupted_goes_on_after_the_next_start)
{
    struct ph_dispatcher_destination hangs = destination(0, "hang"), well = destination(1, "");
    (void)state;
    add_many("k", 20, 1);
    start(&hangs, 1);
    WAIT_FOR(application_calls() == 1); /* one that has answered nothing yet is asked no more */
    ph_dispatcher_stop(dispatcher, 0);  /* as good as a crash: nothing was stored */
    dispatcher = NULL;
    reopen();
    assert_int_equal(counts().backlog[0], 20);
    well.number = 0;
    start(&well, 1);
    WAIT_FOR(counts().backlog[0] == 0);
    assert_int_equal(told_times("\"id\":\"k19\""), 1);
    assert_int_equal(told_times("\"attempt\":2"), 0); /* none of them had failed */
}

PH_TEST(a_dead_letter_can_be_tried_again)
{
    struct ph_dispatcher_destination d = destination(0, "");
    (void)state;
    application_answers(500);
    add("k", 1);
    start(&d, 1);
    WAIT_FOR(counts().dead[0] == 1);
    assert_int_equal(application_calls(), 3);
    assert_int_equal(told_times("\"attempt\":3"), 1);
    assert_int_equal(ask("SELECT count(*) FROM attempt_list WHERE status=500"), 3);
    application_answers(200);
    int64_t id = ask("SELECT id FROM delivery_list");
    struct ph_inbox_send again = {
        .op = {.kind = PH_INBOX_SEND}, .deliveries = &id, .delivery_count = 1, .now_ms = now()};
    assert_int_equal(run(&again.op), PH_OK);
    WAIT_FOR(counts().dead[0] == 0 && counts().backlog[0] == 0);
    assert_int_equal(application_calls(), 4);
}

PH_TEST(a_replay_says_so_under_the_same_id)
{
    struct ph_dispatcher_destination d = destination(0, "");
    (void)state;
    start(&d, 1);
    struct sample *s = add("k", 1);
    WAIT_FOR(counts().backlog[0] == 0);
    struct ph_inbox_send send = {.op = {.kind = PH_INBOX_SEND},
                                 .events = &s->events[0].id,
                                 .event_count = 1,
                                 .destinations = 1,
                                 .now_ms = now()};
    assert_int_equal(run(&send.op), PH_OK);
    WAIT_FOR(application_calls() == 2);
    assert_int_equal(told_times("\"id\":\"k\""), 2);
    assert_int_equal(told_times("\"replay\":true"), 1);
}

PH_TEST(what_is_not_known_yet_comes_again_and_counts_as_no_failure)
{
    struct ph_dispatcher_destination d = destination(0, "");
    (void)state;
    application_answers(409);
    add("k", 1);
    start(&d, 1);
    WAIT_FOR(ask("SELECT count(*) FROM delivery_list WHERE state='parked'") == 1);
    application_answers(200);
    WAIT_FOR(counts().backlog[0] == 0);
    assert_int_equal(told_times("\"attempt\":1"), 2);
}

PH_TEST(events_of_one_payment_come_in_their_order_where_asked)
{
    struct ph_dispatcher_destination d = destination(0, "");
    (void)state;
    d.ordered = true;
    application_answers(500);
    add_many("k", 5, 1); /* all of pi_1 */
    start(&d, 1);
    WAIT_FOR(application_calls() >= 1);
    application_answers(200);
    WAIT_FOR(counts().backlog[0] == 0);
    const char *last = NULL;
    for (int i = 0; i < application.calls; i++) {
        const char *id = strstr(application.bodies[i], "\"id\":\"k") + 7;
        assert_true(last == NULL || *id >= *last);
        last = id;
    }
}

/* Deliveries a second of a hundred events to the application that is well. */
static int64_t ms_for_a_hundred(const char *prefix, uint64_t destinations)
{
    int64_t from_ms = ph_os_steady_ms();
    add_many(prefix, 100, destinations);
    WAIT_FOR(counts().backlog[1] == 0);
    return ph_os_steady_ms() - from_ms;
}

PH_TEST(an_application_that_hangs_costs_another_nothing)
{
    struct ph_dispatcher_destination both[] = {destination(0, "hang"), destination(1, "")};
    (void)state;
    both[0].settings.total_ms = 60 * 1000;
    start(&both[1], 1);
    int64_t alone_ms = ms_for_a_hundred("a", 2);
    assert_int_equal(ph_dispatcher_reconfigure(dispatcher, both, 2), PH_OK);
    int64_t together_ms = ms_for_a_hundred("b", 3);
    assert_int_equal(counts().backlog[0], 100);
    if (together_ms > 2 * alone_ms + 200)
        fail_msg("100 events took %d ms alone, %d ms beside one that hangs", (int)alone_ms,
                 (int)together_ms);
}

static int start_application(void **state)
{
    (void)state;
    application_start();
    return 0;
}

static int stop_application(void **state)
{
    (void)state;
    application_stop();
    return 0;
}

#define PROMISE(test) cmocka_unit_test_setup_teardown(test, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(what_is_stored_arrives_and_is_done),
        PROMISE(what_an_end_interrupted_goes_on_after_the_next_start),
        PROMISE(a_dead_letter_can_be_tried_again),
        PROMISE(a_replay_says_so_under_the_same_id),
        PROMISE(what_is_not_known_yet_comes_again_and_counts_as_no_failure),
        PROMISE(events_of_one_payment_come_in_their_order_where_asked),
        PROMISE(an_application_that_hangs_costs_another_nothing),
    };
    return cmocka_run_group_tests(tests, start_application, stop_application);
}
