/* The dispatcher between an inbox in memory and destinations that do as they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those above */

#include "delivery/dispatcher.h"
#include "fake_inbox.h"

/* ---- destinations ---------------------------------------------------------------------------- */

struct answer {
    struct answer *next;
    struct ph_outcome outcome;
    ph_destination_done *done;
    void *ctx;
    int64_t at_ms; /* steady; INT64_MAX: never */
    size_t count;
    int subject;
};

/* By its url "fake:N". */
struct fake_destination {
    struct ph_destination base;
    pthread_t thread;
    pthread_cond_t news;
    bool closing;
    struct answer *waiting;
    size_t number;
};

/* What they did, and how they answer. */
static struct {
    pthread_mutex_t lock;
    struct ph_outcome (*behave)(size_t number, const struct ph_notice *notices, size_t count,
                                int64_t *ret_after_ms);
    enum ph_status send_status, open_status;
    int opened[4], closed[4], parcels[4], in_flight[4], in_flight_most[4];
    int sent[FAKE_DELIVERIES_MAX + 1]; /* by delivery */
    int attempt[FAKE_DELIVERIES_MAX + 1];
    int largest, overlaps, subjects[64];
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct ph_outcome accept_all(size_t number, const struct ph_notice *notices, size_t count,
                                    int64_t *ret_after_ms)
{
    (void)number, (void)notices;
    *ret_after_ms = 1;
    return (struct ph_outcome){.told = PH_TOLD_ACCEPTED, .accepted = count, .status = 200};
}

static void finish(struct fake_destination *d, struct answer *a)
{
    sink.in_flight[d->number]--;
    sink.subjects[a->subject]--;
    pthread_mutex_unlock(&sink.lock);
    a->done(a->ctx, &a->outcome);
    free(a);
    pthread_mutex_lock(&sink.lock);
}

static struct answer *take_ripe(struct fake_destination *d)
{
    for (struct answer **at = &d->waiting; *at != NULL; at = &(*at)->next)
        if (d->closing || (*at)->at_ms <= ph_os_steady_ms()) {
            struct answer *a = *at;
            *at = a->next;
            if (d->closing && a->at_ms > ph_os_steady_ms())
                a->outcome = (struct ph_outcome){.told = PH_TOLD_RETURNED};
            return a;
        }
    return NULL;
}

static void *answer_all(void *arg)
{
    struct fake_destination *d = arg;
    pthread_mutex_lock(&sink.lock);
    while (!d->closing || d->waiting != NULL) {
        struct answer *a = take_ripe(d);
        if (a != NULL) {
            finish(d, a);
            continue;
        }
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += 1000000;
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&d->news, &sink.lock, &soon);
    }
    pthread_mutex_unlock(&sink.lock);
    return NULL;
}

enum ph_status ph_destination_open(const struct ph_destination_settings *settings,
                                   struct ph_destination **ret)
{
    pthread_mutex_lock(&sink.lock);
    enum ph_status st = sink.open_status;
    pthread_mutex_unlock(&sink.lock);
    if (st != PH_OK)
        return st;
    struct fake_destination *d = calloc(1, sizeof *d);
    d->number = (size_t)(settings->url.ptr[5] - '0');
    pthread_cond_init(&d->news, NULL);
    pthread_mutex_lock(&sink.lock);
    sink.opened[d->number]++;
    pthread_mutex_unlock(&sink.lock);
    pthread_create(&d->thread, NULL, answer_all, d);
    *ret = &d->base;
    return PH_OK;
}

enum ph_status ph_destination_send(struct ph_destination *destination,
                                   const struct ph_notice *notices, size_t count, int64_t now_ms,
                                   ph_destination_done *done, void *ctx)
{
    struct fake_destination *d = (struct fake_destination *)destination;
    int64_t after_ms;
    (void)now_ms;
    pthread_mutex_lock(&sink.lock);
    enum ph_status st = sink.send_status;
    if (st == PH_OK) {
        struct answer *a = calloc(1, sizeof *a);
        int subject = atoi(notices[0].due->subject.ptr + 3);
        a->outcome = sink.behave(d->number, notices, count, &after_ms);
        *a = (struct answer){.next = d->waiting,
                             .outcome = a->outcome,
                             .done = done,
                             .ctx = ctx,
                             .count = count,
                             .at_ms =
                                 after_ms == INT64_MAX ? INT64_MAX : ph_os_steady_ms() + after_ms,
                             .subject = subject};
        d->waiting = a;
        sink.parcels[d->number]++;
        if (++sink.in_flight[d->number] > sink.in_flight_most[d->number])
            sink.in_flight_most[d->number] = sink.in_flight[d->number];
        sink.overlaps += subject > 0 && ++sink.subjects[subject] > 1;
        if ((int)count > sink.largest)
            sink.largest = (int)count;
        for (size_t i = 0; i < count; i++) {
            sink.sent[notices[i].due->delivery]++;
            sink.attempt[notices[i].due->delivery] = notices[i].attempt;
        }
        pthread_cond_signal(&d->news);
    }
    pthread_mutex_unlock(&sink.lock);
    return st;
}

void ph_destination_close(struct ph_destination *destination)
{
    struct fake_destination *d = (struct fake_destination *)destination;
    if (d == NULL)
        return;
    pthread_mutex_lock(&sink.lock);
    d->closing = true;
    sink.closed[d->number]++;
    pthread_cond_signal(&d->news);
    pthread_mutex_unlock(&sink.lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->news);
    free(d);
}

/* ---- a dispatcher ---------------------------------------------------------------------------- */

static struct ph_dispatcher *dispatcher;
static int64_t ladder[] = {30, 60};
static struct ph_dispatcher_destination wanted[4];

static struct ph_dispatcher_destination destination(size_t number)
{
    static const struct ph_slice urls[] = {PH_SI("fake:0"), PH_SI("fake:1"), PH_SI("fake:2"),
                                           PH_SI("fake:3")};
    return (struct ph_dispatcher_destination){
        .number = number,
        .name = PH_S("shop"),
        .settings = {.url = urls[number], .password = PH_S("secret")},
        .retry = {.after_ms = ladder,
                  .after_count = PH_COUNTOF(ladder),
                  .every_ms = 100,
                  .for_ms = 60 * 1000,
                  .park_ms = 60 * 1000},
        .concurrency = 4,
        .batch = 1,
    };
}

static void start(size_t count)
{
    struct ph_dispatcher_options options = {.inbox = &fake, .destinations = wanted, .count = count};
    assert_int_equal(ph_dispatcher_start(&options, &dispatcher), PH_OK);
}

static int fresh(void **state)
{
    (void)state;
    fake_open();
    memset(sink.sent, 0, sizeof sink.sent);
    memset(sink.opened, 0, sizeof sink.opened);
    memset(sink.closed, 0, sizeof sink.closed);
    memset(sink.parcels, 0, sizeof sink.parcels);
    memset(sink.in_flight, 0, sizeof sink.in_flight);
    memset(sink.in_flight_most, 0, sizeof sink.in_flight_most);
    memset(sink.subjects, 0, sizeof sink.subjects);
    sink.largest = sink.overlaps = 0;
    sink.behave = accept_all;
    sink.send_status = sink.open_status = PH_OK;
    for (size_t i = 0; i < PH_COUNTOF(wanted); i++)
        wanted[i] = destination(i);
    dispatcher = NULL;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ph_dispatcher_stop(dispatcher, 1000);
    dispatcher = NULL;
    fake_close();
    return fake.settled_twice;
}

/* Waits for up to 10 s. */
#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        for (int tries = 0; !(condition) && tries < 5000; tries++)                                 \
            usleep(2000);                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

#define SINK_SET(what)                                                                             \
    do {                                                                                           \
        pthread_mutex_lock(&sink.lock);                                                            \
        sink.what;                                                                                 \
        pthread_mutex_unlock(&sink.lock);                                                          \
    } while (0)

static int sink_get(const int *what)
{
    pthread_mutex_lock(&sink.lock);
    int value = *what;
    pthread_mutex_unlock(&sink.lock);
    return value;
}

static struct ph_dispatcher_stats stats_of(size_t number)
{
    struct ph_dispatcher_stats stats;
    ph_dispatcher_stats(dispatcher, number, &stats);
    return stats;
}

/* ---- promises -------------------------------------------------------------------------------- */

static void what_is_due_is_sent_once_and_stored_as_done(void **state)
{
    (void)state;
    fake_add(0, 1500, 0, 1);
    fake.commit_ms = 20; /* much is sent while the last ones are being stored */
    start(1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 1500);
    for (int id = 1; id <= 1500; id++)
        assert_int_equal(sink.sent[id], 1);
    assert_int_equal(sink.in_flight_most[0], 4); /* concurrency, and no more */
    assert_int_equal(stats_of(0).accepted, 1500);
    assert_true(fake.commits < 1000); /* attempts are stored together */
}

static void what_comes_in_later_goes_at_once(void **state)
{
    (void)state;
    start(1);
    usleep(50 * 1000);
    int64_t from_ms = ph_os_steady_ms();
    int64_t id = fake_add(0, 1, 0, 1);
    ph_dispatcher_wake(dispatcher, 1);
    WAIT_FOR(fake_get(id).state == PH_DELIVERY_DONE);
    assert_true(ph_os_steady_ms() - from_ms < PH_DELIVERY_IDLE_MS / 2);
}

static void nothing_goes_before_it_is_due(void **state)
{
    (void)state;
    int64_t id = fake_add(0, 1, 0, ph_os_unix_ms() + 300);
    start(1);
    usleep(200 * 1000);
    assert_int_equal(sink_get(&sink.sent[id]), 0);
    WAIT_FOR(fake_get(id).state == PH_DELIVERY_DONE);
}

static struct ph_outcome refuse(size_t number, const struct ph_notice *notices, size_t count,
                                int64_t *ret_after_ms)
{
    (void)number, (void)notices, (void)count;
    *ret_after_ms = 1;
    return (struct ph_outcome){
        .told = PH_TOLD_REFUSED, .status = 400, .reason = PH_S("answered 400\r\n")};
}

static void what_is_refused_is_tried_by_the_ladder_and_then_dead(void **state)
{
    (void)state;
    wanted[0].retry.every_ms = 0;
    sink.behave = refuse;
    int64_t id = fake_add(0, 1, 0, 1), from_ms = ph_os_steady_ms();
    start(1);
    WAIT_FOR(fake_get(id).state == PH_DELIVERY_DEAD);
    assert_in_range(ph_os_steady_ms() - from_ms, 0,
                    1500);                      /* each at its time, not when it next looks */
    assert_int_equal(fake_get(id).attempts, 3); /* the ladder has two waits */
    assert_int_equal(sink.attempt[id], 3);
    assert_int_equal(fake_get(id).tries, 3);
    assert_int_equal(fake_get(id).last_status, 400);
    assert_string_equal(fake_get(id).reason, "answered 400??");
    assert_int_equal(stats_of(0).dead, 1);
    assert_int_equal(stats_of(0).breaker, PH_BREAKER_CLOSED); /* it lives */
    assert_string_equal(stats_of(0).why, "answered 400??");
}

static struct ph_outcome first_hangs(size_t number, const struct ph_notice *notices, size_t count,
                                     int64_t *ret_after_ms)
{
    struct ph_outcome outcome = accept_all(number, notices, count, ret_after_ms);
    *ret_after_ms = number == 0 ? INT64_MAX : 1;
    return outcome;
}

static void one_that_hangs_costs_the_others_nothing(void **state)
{
    (void)state;
    sink.behave = first_hangs;
    fake_add(0, 500, 0, 1);
    fake_add(1, 500, 0, 1);
    start(2);
    WAIT_FOR(fake_count(1, PH_DELIVERY_DONE) == 500);
    assert_int_equal(fake_count(0, PH_DELIVERY_QUEUED), 500);
    assert_int_equal(sink.parcels[0], 1); /* who has answered nothing yet is asked no more */
    assert_int_equal(stats_of(0).leases, 1);
}

static struct ph_outcome be_ill(size_t number, const struct ph_notice *notices, size_t count,
                                int64_t *ret_after_ms)
{
    (void)number, (void)notices, (void)count;
    *ret_after_ms = 1;
    return (struct ph_outcome){
        .told = PH_TOLD_FAILED, .status = 500, .reason = PH_S("answered 500")};
}

static void one_that_is_down_is_left_alone_and_found_again(void **state)
{
    (void)state;
    sink.behave = be_ill;
    fake_add(0, 200, 0, 1);
    start(1);
    WAIT_FOR(stats_of(0).breaker == PH_BREAKER_OPEN);
    usleep(300 * 1000);
    assert_true(sink_get(&sink.parcels[0]) <= PH_BREAKER_FAILURES + 4); /* and what was under way */
    SINK_SET(behave = accept_all);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 200);
    assert_int_equal(stats_of(0).breaker, PH_BREAKER_CLOSED);
    assert_int_equal(stats_of(0).breaker_openings, 1);
}

/* 409 for a batch that has number 7, 400 for one that has 9; alone 7 is not known yet, 9 is
 * refused. */
static struct ph_outcome poisoned(size_t number, const struct ph_notice *notices, size_t count,
                                  int64_t *ret_after_ms)
{
    struct ph_outcome outcome = accept_all(number, notices, count, ret_after_ms);
    for (size_t i = 0; i < count; i++)
        if (notices[i].due->delivery == 7)
            outcome = (struct ph_outcome){
                .told = PH_TOLD_NOT_YET, .status = 409, .reason = PH_S("answered 409")};
        else if (notices[i].due->delivery == 109)
            outcome = (struct ph_outcome){
                .told = PH_TOLD_REFUSED, .status = 400, .reason = PH_S("answered 400")};
    return outcome;
}

static void what_failed_together_travels_alone(void **state)
{
    (void)state;
    wanted[0].batch = 50;
    wanted[0].retry.every_ms = 0;
    sink.behave = poisoned;
    fake_add(0, 200, 0, 1);
    start(1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 198 && fake_get(7).state == PH_DELIVERY_PARKED &&
             fake_get(109).state == PH_DELIVERY_DEAD);
    assert_int_equal(sink.largest, 50);
    assert_int_equal(sink.sent[1], 2); /* was with them */
    assert_int_equal(sink.sent[110], 2);
    assert_int_equal(sink.sent[200], 1);    /* was not */
    assert_int_equal(fake_get(7).tries, 0); /* not known yet is no failure, of none of them */
    assert_int_equal(fake_get(8).tries, 0);
    assert_int_equal(fake_get(110).tries, 1);
    assert_int_equal(stats_of(0).breaker, PH_BREAKER_CLOSED);
}

static struct ph_outcome takes_three(size_t number, const struct ph_notice *notices, size_t count,
                                     int64_t *ret_after_ms)
{
    struct ph_outcome outcome = be_ill(number, notices, count, ret_after_ms);
    outcome.accepted = count < 3 ? count : 3;
    return outcome;
}

static void what_was_taken_of_a_parcel_is_done(void **state)
{
    (void)state;
    wanted[0].batch = 10;
    wanted[0].retry = (struct ph_retry){
        .after_ms = (int64_t[]){1 << 30}, .after_count = 1, .for_ms = INT64_C(1) << 40};
    sink.behave = takes_three;
    fake_add(0, 10, 0, 1);
    start(1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 3 && fake_count(0, PH_DELIVERY_WAITING) == 7);
    assert_true(fake_get(3).state == PH_DELIVERY_DONE && fake_get(4).state == PH_DELIVERY_WAITING);
}

static void events_of_one_subject_go_one_after_the_other_where_asked(void **state)
{
    (void)state;
    wanted[0].ordered = true;
    for (int i = 0; i < 20; i++) {
        fake_add(0, 1, 1, 1);
        fake_add(0, 1, 2, 1);
    }
    start(1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 40);
    assert_int_equal(sink.overlaps, 0);
}

static void the_pace_is_kept(void **state)
{
    (void)state;
    wanted[0].rate = 50;
    fake_add(0, 1000, 0, 1);
    int64_t from_ms = ph_os_steady_ms();
    start(1);
    usleep(1000 * 1000);
    int parcels = sink_get(&sink.parcels[0]);
    assert_in_range(parcels, 35, 50 * (ph_os_steady_ms() - from_ms) / 1000 + 7);
}

static void an_inbox_without_room_or_with_a_bad_day_loses_nothing(void **state)
{
    (void)state;
    fake.refuse = 3;
    fake.fail = 3;
    fake_add(0, 300, 0, 1);
    start(1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 300);
    for (int id = 1; id <= 300; id++)
        assert_int_equal(sink.sent[id], 1);
}

/* Somebody's acknowledgement waits for the commit that an op is in. */
static void many_ends_are_stored_in_pieces(void **state)
{
    (void)state;
    wanted[0].batch = PH_DELIVERY_PAGE_MAX;
    fake.commit_ms = 30; /* a busy writer: the largest pieces, and many ends meanwhile */
    fake_add(0, 3000, 0, 1);
    start(1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 3000);
    assert_in_range(fake.settled_most, PH_DELIVERY_PIECE_MIN + 1, PH_DELIVERY_PIECE_MAX);
    assert_int_equal(fake.settled_twice, 0);
}

static void a_piece_that_is_not_stored_goes_again_alone(void **state)
{
    (void)state;
    wanted[0].batch = PH_DELIVERY_PAGE_MAX;
    fake_add(0, PH_DELIVERY_PAGE_MAX, 0, 1);
    fake.fail_at = 2; /* the second piece of four */
    start(1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == PH_DELIVERY_PAGE_MAX);
    assert_int_equal(fake.settled_twice, 0);
    for (int id = 1; id <= PH_DELIVERY_PAGE_MAX; id++)
        assert_int_equal(fake_get(id).attempts, 1);
}

static void while_nothing_is_stored_nothing_more_is_sent(void **state)
{
    (void)state;
    fake.stopped_for_good = true;
    fake_add(0, 3000, 0, 1);
    start(1);
    usleep(400 * 1000);
    assert_in_range(sink_get(&sink.parcels[0]), 1, 100);
    FAKE_SET(stopped_for_good = false);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 3000);
    for (int id = 1; id <= 3000; id++)
        assert_int_equal(sink.sent[id], 1);
}

static void a_paused_destination_gets_nothing_until_it_goes_on(void **state)
{
    (void)state;
    fake.paused[0] = true;
    fake_add(0, 10, 0, 1);
    start(1);
    usleep(200 * 1000);
    assert_int_equal(sink_get(&sink.parcels[0]), 0);
    WAIT_FOR(stats_of(0).paused);
    FAKE_SET(paused[0] = false);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 10);
}

static struct ph_outcome slowly(size_t number, const struct ph_notice *notices, size_t count,
                                int64_t *ret_after_ms)
{
    struct ph_outcome outcome = accept_all(number, notices, count, ret_after_ms);
    *ret_after_ms = 200;
    return outcome;
}

static void stopping_waits_for_what_is_under_way_and_stores_it(void **state)
{
    (void)state;
    sink.behave = slowly;
    fake_add(0, 100, 0, 1);
    start(1);
    WAIT_FOR(sink_get(&sink.in_flight[0]) == 2); /* the second time: one was answered */
    ph_dispatcher_stop(dispatcher, 5000);
    dispatcher = NULL;
    assert_int_equal(fake_count(0, PH_DELIVERY_DONE), 3);
    assert_int_equal(sink.parcels[0], 3);
}

static struct ph_outcome at_once(size_t number, const struct ph_notice *notices, size_t count,
                                 int64_t *ret_after_ms)
{
    struct ph_outcome outcome = accept_all(number, notices, count, ret_after_ms);
    *ret_after_ms = 0;
    return outcome;
}

static void stopping_at_any_moment_loses_no_end(void **state)
{
    (void)state;
    wanted[0].concurrency = 64;
    sink.behave = at_once;
    for (int round = 0; round < 60; round++) {
        FAKE_SET(count = 0);
        fake_add(0, 2000, 0, 1);
        start(1);
        usleep((useconds_t)(round * 211 % 4000));
        int64_t from_ms = ph_os_steady_ms();
        ph_dispatcher_stop(dispatcher, 30 * 1000);
        dispatcher = NULL;
        assert_in_range(ph_os_steady_ms() - from_ms, 0, 10 * 1000);
        pthread_mutex_lock(&sink.lock);
        size_t sent = 0;
        for (int id = 1; id <= 2000; id++)
            sent += sink.sent[id] > 0;
        memset(sink.sent, 0, sizeof sink.sent);
        pthread_mutex_unlock(&sink.lock);
        assert_int_equal(fake_count(0, PH_DELIVERY_DONE), sent);
    }
}

static void stopping_leaves_due_what_takes_too_long(void **state)
{
    (void)state;
    sink.behave = first_hangs;
    int64_t id = fake_add(0, 100, 0, 1), from_ms = ph_os_steady_ms();
    start(1);
    WAIT_FOR(sink_get(&sink.parcels[0]) == 1);
    ph_dispatcher_stop(dispatcher, 100);
    dispatcher = NULL;
    assert_in_range(ph_os_steady_ms() - from_ms, 100, 1500);
    assert_int_equal(fake_count(0, PH_DELIVERY_QUEUED), 100);
    assert_int_equal(fake_get(id).attempts, 0); /* nobody can say: no failure */
}

static void stopping_ends_even_when_the_inbox_is_gone(void **state)
{
    (void)state;
    fake.fail = 1 << 30;
    fake_add(0, 100, 0, 1);
    start(1);
    WAIT_FOR(sink_get(&sink.parcels[0]) >= 4);
    ph_dispatcher_stop(dispatcher, 100);
    dispatcher = NULL;
    assert_int_equal(fake_count(0, PH_DELIVERY_DONE), 0);
}

static void a_change_reaches_those_that_changed_alone(void **state)
{
    (void)state;
    sink.behave = slowly;
    fake_add(0, 4, 0, 1);
    start(3);
    WAIT_FOR(sink_get(&sink.parcels[0]) == 4 && sink_get(&sink.opened[2]) == 1);
    wanted[0].settings.password = PH_S("another");
    struct ph_dispatcher_destination now[] = {wanted[0], wanted[1], wanted[3]};
    assert_int_equal(ph_dispatcher_reconfigure(dispatcher, now, 3), PH_OK);
    WAIT_FOR(sink_get(&sink.opened[0]) == 2 && sink_get(&sink.closed[2]) == 1 &&
             sink_get(&sink.opened[3]) == 1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == 4); /* what was under way ended first */
    assert_int_equal(sink.opened[1], 1);
    assert_int_equal(sink.closed[1], 0);
    WAIT_FOR(!stats_of(2).runs && stats_of(0).runs);
    fake_add(3, 4, 0, 1);
    ph_dispatcher_wake(dispatcher, UINT64_MAX);
    WAIT_FOR(fake_count(3, PH_DELIVERY_DONE) == 4);
    assert_int_equal(sink.sent[1], 1);
    now[1].settings.files_content = PH_S("other TLS files of the same names");
    assert_int_equal(ph_dispatcher_reconfigure(dispatcher, now, 3), PH_OK);
    WAIT_FOR(sink_get(&sink.opened[1]) == 2 && sink_get(&sink.closed[1]) == 1);
    assert_int_equal(sink.opened[0], 2);
}

static void what_cannot_be_written_is_refused_and_what_cannot_be_sent_waits(void **state)
{
    (void)state;
    wanted[0].retry.after_count = 0;
    wanted[0].retry.every_ms = 0;
    sink.send_status = PH_ERR_INVALID;
    int64_t id = fake_add(0, 1, 0, 1);
    start(1);
    WAIT_FOR(fake_get(id).state == PH_DELIVERY_DEAD);
    assert_string_equal(fake_get(id).reason, "cannot be written as a request");
    SINK_SET(send_status = PH_ERR_AGAIN);
    id = fake_add(0, 1, 0, 1);
    ph_dispatcher_wake(dispatcher, 1);
    usleep(200 * 1000);
    assert_int_equal(fake_get(id).attempts, 0);
    SINK_SET(send_status = PH_OK);
    WAIT_FOR(fake_get(id).state == PH_DELIVERY_DONE);
}

static struct ph_outcome give_back(size_t number, const struct ph_notice *notices, size_t count,
                                   int64_t *ret_after_ms)
{
    (void)number, (void)notices, (void)count;
    *ret_after_ms = 0;
    return (struct ph_outcome){.told = PH_TOLD_RETURNED, .reason = PH_S("given back")};
}

static void what_is_given_back_again_and_again_has_failed(void **state)
{
    (void)state;
    wanted[0].retry.after_count = 0;
    wanted[0].retry.every_ms = 0;
    sink.behave = give_back;
    int64_t id = fake_add(0, 1, 0, 1);
    start(1);
    WAIT_FOR(fake_get(id).state == PH_DELIVERY_DEAD);
    assert_int_equal(sink_get(&sink.sent[id]), PH_DELIVERY_RETURNS_MAX + 1);
    assert_int_equal(fake_get(id).attempts, 1);
    assert_string_equal(fake_get(id).reason, "given back");
    assert_int_equal(stats_of(0).failed, 1);
    SINK_SET(behave = accept_all); /* one that ends as an attempt begins the count anew */
    id = fake_add(0, 1, 0, 1);
    ph_dispatcher_wake(dispatcher, 1);
    WAIT_FOR(fake_get(id).state == PH_DELIVERY_DONE);
    SINK_SET(behave = give_back);
    id = fake_add(0, 1, 0, 1);
    ph_dispatcher_wake(dispatcher, 1);
    WAIT_FOR(fake_get(id).state == PH_DELIVERY_DEAD);
    assert_int_equal(sink_get(&sink.sent[id]), PH_DELIVERY_RETURNS_MAX + 1);
}

static void stopping_gives_back_many_and_fails_none(void **state)
{
    (void)state;
    enum { MANY = 4 * PH_DELIVERY_RETURNS_MAX };
    wanted[0].concurrency = MANY;
    fake_add(0, MANY, 0, 1); /* each of these that is answered lets one more go */
    start(1);
    WAIT_FOR(fake_count(0, PH_DELIVERY_DONE) == MANY);
    pthread_mutex_lock(&sink.lock);
    sink.behave = first_hangs;
    pthread_mutex_unlock(&sink.lock);
    fake_add(0, MANY, 0, 1);
    ph_dispatcher_wake(dispatcher, 1);
    WAIT_FOR(sink_get(&sink.in_flight[0]) == MANY);
    ph_dispatcher_stop(dispatcher, 10);
    dispatcher = NULL;
    assert_int_equal(fake_count(0, PH_DELIVERY_QUEUED), MANY);
}

static void waiting_costs_no_work(void **state)
{
    (void)state;
    sink.behave = first_hangs;
    fake_add(0, 3, 0, 1); /* one more might go: it looks whether there is one */
    fake_add(1, 1, 0, ph_os_unix_ms() + 3600 * 1000);
    start(2);
    usleep(1500 * 1000);
    pthread_mutex_lock(&fake.lock);
    int pages = fake.pages;
    pthread_mutex_unlock(&fake.lock);
    assert_in_range(pages, 2, 10);
}

#define PROMISE(test) cmocka_unit_test_setup_teardown(test, fresh, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(what_is_due_is_sent_once_and_stored_as_done),
        PROMISE(what_comes_in_later_goes_at_once),
        PROMISE(nothing_goes_before_it_is_due),
        PROMISE(what_is_refused_is_tried_by_the_ladder_and_then_dead),
        PROMISE(one_that_hangs_costs_the_others_nothing),
        PROMISE(one_that_is_down_is_left_alone_and_found_again),
        PROMISE(what_failed_together_travels_alone),
        PROMISE(what_was_taken_of_a_parcel_is_done),
        PROMISE(events_of_one_subject_go_one_after_the_other_where_asked),
        PROMISE(the_pace_is_kept),
        PROMISE(an_inbox_without_room_or_with_a_bad_day_loses_nothing),
        PROMISE(many_ends_are_stored_in_pieces),
        PROMISE(a_piece_that_is_not_stored_goes_again_alone),
        PROMISE(while_nothing_is_stored_nothing_more_is_sent),
        PROMISE(a_paused_destination_gets_nothing_until_it_goes_on),
        PROMISE(stopping_waits_for_what_is_under_way_and_stores_it),
        PROMISE(stopping_at_any_moment_loses_no_end),
        PROMISE(stopping_leaves_due_what_takes_too_long),
        PROMISE(stopping_ends_even_when_the_inbox_is_gone),
        PROMISE(a_change_reaches_those_that_changed_alone),
        PROMISE(what_cannot_be_written_is_refused_and_what_cannot_be_sent_waits),
        PROMISE(what_is_given_back_again_and_again_has_failed),
        PROMISE(stopping_gives_back_many_and_fails_none),
        PROMISE(waiting_costs_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
