/* An inbox in a folder of its own, ops that are waited for, and a clock that stands still until it
 * is moved. */
#ifndef PH_TESTS_INBOX_FIXTURE_H
#define PH_TESTS_INBOX_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "inbox/inbox.h"

#define PH_TEST(name) static void name(void **state)

static void *fixture_take(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}
static void fixture_give(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
static const struct ph_allocator fixture_heap = {fixture_take, fixture_give, NULL};

static char folder[64];
static struct ph_inbox *inbox;
static struct ph_inbox_reader *reader;
static struct ph_arena memory;
static char why[PH_INBOX_WHY_BYTES];
static const struct ph_slice two_names[] = {PH_SI("shop"), PH_SI("books")};
static struct ph_inbox_options options;
static _Atomic int64_t clock_ms;
static _Atomic uint64_t woken;

static int64_t fixture_now(void)
{
    return clock_ms;
}

static void fixture_wake(void *ctx, uint64_t destinations)
{
    (void)ctx;
    woken |= destinations;
}

/* What was woken: it is told after the callers are, by the writer's thread. */
static inline uint64_t woken_soon(uint64_t wanted)
{
    for (int i = 0; i < 5000 && woken != wanted; i++)
        (void)usleep(1000);
    return woken;
}

static pthread_mutex_t done_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done_cond = PTHREAD_COND_INITIALIZER;
static int done_count, waited_count;

static inline void on_done(struct ph_inbox_op *op)
{
    (void)op;
    pthread_mutex_lock(&done_mutex);
    done_count++;
    pthread_cond_signal(&done_cond);
    pthread_mutex_unlock(&done_mutex);
}

/* Submitted; fixture_wait waits for all of them. */
static inline void begin(struct ph_inbox_op *op)
{
    op->done = on_done;
    assert_int_equal(ph_inbox_submit(inbox, op), PH_OK);
    waited_count++;
}

static inline void fixture_wait(void)
{
    pthread_mutex_lock(&done_mutex);
    while (done_count < waited_count)
        pthread_cond_wait(&done_cond, &done_mutex);
    pthread_mutex_unlock(&done_mutex);
}

static inline enum ph_status run(struct ph_inbox_op *op)
{
    begin(op);
    fixture_wait();
    return op->status;
}

static inline void open_inbox(void)
{
    enum ph_status st = ph_inbox_open(&options, &inbox, why);
    if (st != PH_OK)
        fail_msg("the inbox does not open: %s", why);
    assert_int_equal(ph_inbox_reader_open(inbox, &reader), PH_OK);
}

static inline void close_inbox(void)
{
    ph_inbox_reader_close(reader);
    ph_inbox_close(inbox);
    reader = NULL;
    inbox = NULL;
}

static inline void reopen(void)
{
    close_inbox();
    open_inbox();
}

static inline int fixture_set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/payhook-inbox-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    clock_ms = 1700000000000;
    woken = 0;
    options = (struct ph_inbox_options){.folder = folder,
                                        .destinations = two_names,
                                        .destination_count = 2,
                                        .quarantine_requests = 10,
                                        .quarantine_bytes = 100000,
                                        .quarantine_age_ms = 7 * 86400000LL,
                                        .now_ms = fixture_now,
                                        .wake = fixture_wake};
    ph_arena_init(&memory, &fixture_heap, 64 << 20, 1 << 20);
    open_inbox();
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    char command[128];
    (void)state;
    if (inbox != NULL)
        close_inbox();
    ph_arena_done(&memory);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* One event of one request, as the gateway would hand it in. */
struct sample {
    struct ph_inbox_store store;
    struct ph_inbox_event events[4];
};

static inline void make_event(struct ph_inbox_event *event, const char *key)
{
    *event =
        (struct ph_inbox_event){.verdict = PH_VERIFIED,
                                .dedupe_key = ph_slice_str(key),
                                .event_id = ph_slice_str(key),
                                .effect_key = PH_S("stripe:acct:payment:pi_1:CHARGED:1000:EUR"),
                                .type = PH_S("PAYMENT_INTENT_SUCCESS"),
                                .class = PH_S("payment"),
                                .processor_id = PH_S("evt_1"),
                                .processor_type = PH_S("payment_intent.succeeded"),
                                .subject = PH_S("pi_1"),
                                .account = PH_S("acct"),
                                .mode = PH_LIVE,
                                .occurred_ms = 1699999999000,
                                .amount = 1000,
                                .currency = PH_S("EUR"),
                                .answer = PH_S("{\"event_type\":\"PAYMENT_INTENT_SUCCESS\"}"),
                                .destinations = 1};
    memset(event->digest, 1, sizeof event->digest);
}

static const struct ph_header sample_headers[] = {
    {PH_SI("Stripe-Signature"), PH_SI("t=1,v1=ab: cd")},
    {PH_SI("Content-Type"), PH_SI("application/json")}};

static inline struct ph_inbox_store *make(struct sample *sample, const char *key)
{
    memset(sample, 0, sizeof *sample);
    sample->store = (struct ph_inbox_store){.op = {.kind = PH_INBOX_STORE, .bytes = 1000},
                                            .request = {.standing = PH_STANDING_ACCEPTED,
                                                        .received_ms = clock_ms,
                                                        .endpoint = PH_S("stripe-shop"),
                                                        .connector = PH_S("stripe"),
                                                        .method = PH_S("POST"),
                                                        .uri = PH_S("/webhooks/stripe-shop?a=b"),
                                                        .remote = PH_S("192.0.2.1"),
                                                        .headers = sample_headers,
                                                        .header_count = 2,
                                                        .body = PH_S("{\"id\":\"evt_1\"}"),
                                                        .verdict = PH_VERIFIED,
                                                        .secret = PH_S("env:STRIPE_WHSEC"),
                                                        .page_hash = PH_S("aa"),
                                                        .engine_version = PH_S("0.1.0"),
                                                        .trace = PH_S("00-aa-bb-01")},
                                            .events = sample->events,
                                            .event_count = 1};
    make_event(&sample->events[0], key);
    return &sample->store;
}

static inline struct ph_inbox_store *store(struct sample *sample, const char *key)
{
    struct ph_inbox_store *op = make(sample, key);
    assert_int_equal(run(&op->op), PH_OK);
    return op;
}

/* What the file says, asked from beside: the first column of the first row. */
static inline int64_t ask(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    char path[96];
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int64_t answer =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

static inline struct ph_inbox_counts counts(void)
{
    struct ph_inbox_counts c;
    ph_inbox_counts(inbox, &c);
    return c;
}

#endif
