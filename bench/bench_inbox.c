/* The inbox alone (docs/internals/benchmarks.md): ops in, commits out, beside SQLite with the same
 * schema, rows, batches and checkpoints and nothing around it: the floor of row 4. Then a million
 * waiting: opening, the first page of listings, memory. usage: bench_inbox [FOLDER [MEASURED
 * [MILLION]]]; or bench_inbox floor FOLDER MEASURED BATCH: SQLite alone, events a second */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "inbox/inbox_private.h"
#include "os/clock.h"
#include "os/heap.h"

enum { IN_FLIGHT = 512, BODY_BYTES = 2100, ANSWER_BYTES = 1200 };

struct op {
    struct ph_inbox_store store; /* first */
    struct ph_inbox_event event;
    char key[64], subject[32];
    int64_t submitted_us;
};

static struct op *ops;
static char body[BODY_BYTES], answer[ANSWER_BYTES];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static struct op *idle[IN_FLIGHT];
static size_t idle_count;
static int64_t *latencies;
static size_t latency_count;
static int failed;

static void on_done(struct ph_inbox_op *done)
{
    struct op *op = (struct op *)done;
    int64_t took = ph_os_steady_us() - op->submitted_us;
    pthread_mutex_lock(&mutex);
    failed += done->status != PH_OK || op->store.stored != PH_STORED_NEW;
    if (latencies != NULL)
        latencies[latency_count++] = took;
    idle[idle_count++] = op;
    if (idle_count == 1 || idle_count == IN_FLIGHT)
        pthread_cond_signal(&freed);
    pthread_mutex_unlock(&mutex);
}

static const struct ph_header headers[] = {
    {PH_SI("Host"), PH_SI("hooks.example.com")},
    {PH_SI("User-Agent"), PH_SI("Stripe/1.0 (+https://stripe.com/docs/webhooks)")},
    {PH_SI("Content-Type"), PH_SI("application/json; charset=utf-8")},
    {PH_SI("Stripe-Signature"),
     PH_SI("t=1700000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd")}};

static uint64_t scramble(uint64_t n)
{
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
    n = (n ^ n >> 27) * 0x94d049bb133111ebu;
    return n ^ n >> 31;
}

/* Ids as processors make them: Stripe's begin with the time (so many in a second), Adyen's and
 * UUIDs have no order at all, which costs two pages of the disk for each event. */
static bool ordered_ids = true;
static uint64_t ids_a_second = 2000;

static int make_id(char *out, size_t room, const char *prefix, uint64_t n)
{
    if (ordered_ids)
        return snprintf(out, room, "%s1%05llX2eZvKYlo2C%08llx", prefix,
                        (unsigned long long)(n / ids_a_second),
                        (unsigned long long)scramble(n) & 0xffffffff);
    return snprintf(out, room, "%s%016llx", prefix, (unsigned long long)scramble(n));
}

static void make(struct op *op, uint64_t n, size_t body_bytes, size_t answer_bytes)
{
    int key = make_id(op->key, sizeof op->key, "stripe:acct_1032D82eZvKYlo2C:evt_", n);
    int subject = make_id(op->subject, sizeof op->subject, "pi_", n / 3);
    op->event = (struct ph_inbox_event){
        .verdict = PH_VERIFIED,
        .dedupe_key = ph_slice_of(op->key, (size_t)key),
        .event_id = ph_slice_of(op->key, (size_t)key),
        .effect_key = PH_S("stripe:acct_1032D82eZvKYlo2C:payment:pi_1:CHARGED:1000:EUR"),
        .type = n % 10 == 0 ? PH_S("WEBHOOK_REFUND_SUCCESS") : PH_S("PAYMENT_INTENT_SUCCESS"),
        .class = n % 10 == 0 ? PH_S("refund") : PH_S("payment"),
        .processor_id = ph_slice_of(op->key + 27, (size_t)key - 27),
        .processor_type = PH_S("payment_intent.succeeded"),
        .subject = ph_slice_of(op->subject, (size_t)subject),
        .account = PH_S("acct_1032D82eZvKYlo2C"),
        .mode = PH_LIVE,
        .occurred_ms = 1700000000000 + (int64_t)n,
        .amount = 2000,
        .currency = PH_S("USD"),
        .answer = ph_slice_of(answer, answer_bytes),
        .destinations = 1};
    memcpy(op->event.digest, &n, sizeof n);
    op->store = (struct ph_inbox_store){
        .op = {.kind = PH_INBOX_STORE, .bytes = body_bytes + 2000, .done = on_done},
        .request = {.standing = PH_STANDING_ACCEPTED,
                    .received_ms = 1700000000000 + (int64_t)n,
                    .endpoint = PH_S("stripe-shop"),
                    .connector = PH_S("stripe"),
                    .method = PH_S("POST"),
                    .uri = PH_S("/webhooks/stripe-shop"),
                    .remote = PH_S("192.0.2.1"),
                    .headers = headers,
                    .header_count = PH_COUNTOF(headers),
                    .body = ph_slice_of(body, body_bytes),
                    .verdict = PH_VERIFIED,
                    .secret = PH_S("env:STRIPE_WHSEC"),
                    .page_hash = PH_S("3f786850e387550f"),
                    .engine_version = PH_S("0.1.0")},
        .events = &op->event,
        .event_count = 1};
}

/* Keeps up to `window` ops on their way. */
static void feed(struct ph_inbox *inbox, uint64_t from, uint64_t count, size_t window,
                 size_t body_bytes, size_t answer_bytes)
{
    for (uint64_t n = 0; n < count; n++) {
        pthread_mutex_lock(&mutex);
        while (idle_count <= IN_FLIGHT - window)
            pthread_cond_wait(&freed, &mutex);
        struct op *op = idle[--idle_count];
        pthread_mutex_unlock(&mutex);
        make(op, from + n, body_bytes, answer_bytes);
        op->submitted_us = ph_os_steady_us();
        if (ph_inbox_submit(inbox, &op->store.op) != PH_OK)
            abort();
    }
    pthread_mutex_lock(&mutex);
    while (idle_count < IN_FLIGHT)
        pthread_cond_wait(&freed, &mutex);
    pthread_mutex_unlock(&mutex);
}

/* Processor time of a thread, in µs: what it did, and nothing of what it waited for. */
static double cpu_us(pthread_t thread)
{
    clockid_t clock;
    struct timespec t = {0};
    if (pthread_getcpuclockid(thread, &clock) == 0)
        (void)clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static long rss_anon_kib(void)
{
    char line[128];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

static const struct ph_slice names[] = {PH_SI("shop")};

static struct ph_inbox *open_inbox(const char *folder)
{
    char why[PH_INBOX_WHY_BYTES];
    struct ph_inbox *inbox;
    const struct ph_inbox_options options = {.folder = folder,
                                             .destinations = names,
                                             .destination_count = 1,
                                             .quarantine_requests = 1000,
                                             .quarantine_bytes = 1 << 20};
    if (ph_inbox_open(&options, &inbox, why) != PH_OK) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    return inbox;
}

/* ---- the floor: the same statements, batches and checkpoints, and nothing else --------------- */

static const char *const writes[] = {
#define PH_WRITE_TEXT(name, text) text,
    PH_WRITES(PH_WRITE_TEXT)
#undef PH_WRITE_TEXT
};

static void must(enum ph_status st, struct ph_sql *sql)
{
    if (st != PH_OK) {
        fprintf(stderr, "the floor: %s\n", sql->why);
        exit(1);
    }
}

static void floor_row(struct ph_sql *sql, struct op *op, int64_t id, struct ph_slice text)
{
    const struct ph_inbox_request *r = &op->store.request;
    const struct ph_inbox_event *e = &op->event;
    const struct ph_sql_value none = ph_sql_int_or_null(0);
    int64_t event = ph_event_id(id, 0);
    must(PH_SQL_RUN(sql, PH_W_KEY_TAKE, ph_sql_text(e->dedupe_key), ph_sql_int(event),
                    ph_sql_int(r->received_ms),
                    ph_sql_blob(ph_slice_of(e->digest, PH_KEY_DIGEST_BYTES))),
         sql);
    must(PH_SQL_RUN(sql, PH_W_REQUEST_ADD, ph_sql_int(id), ph_sql_int(1),
                    ph_sql_int(r->received_ms), ph_sql_text(r->endpoint), ph_sql_text(r->connector),
                    ph_sql_int(1), none, ph_sql_text(r->secret), ph_sql_int(0), none, ph_sql_int(0),
                    ph_sql_int(1), ph_sql_int(2500), ph_sql_text(r->method), ph_sql_text(r->uri),
                    ph_sql_text(r->remote), none, ph_sql_text(r->page_hash),
                    ph_sql_text(r->engine_version), none, ph_sql_text(text), ph_sql_blob(r->body)),
         sql);
    must(PH_SQL_RUN(sql, PH_W_EVENT_ADD, ph_sql_int(event), ph_sql_int(1), ph_sql_int(1),
                    ph_sql_int(2), ph_sql_int(0), ph_sql_int(0), ph_sql_int(0),
                    ph_sql_int(r->received_ms), ph_sql_int(e->occurred_ms), ph_sql_int(e->amount),
                    ph_sql_text(e->currency), ph_sql_text(e->dedupe_key),
                    ph_sql_text(e->effect_key), none, ph_sql_text(e->processor_id),
                    ph_sql_text(e->processor_type), ph_sql_text(e->subject),
                    ph_sql_text(e->account), none, none, ph_sql_text(e->answer)),
         sql);
    must(PH_SQL_RUN(sql, PH_W_DELIVERY_ADD, ph_sql_int(ph_delivery_id(event, 0, 0)), ph_sql_int(0),
                    ph_sql_int(r->received_ms), ph_sql_int(r->received_ms)),
         sql);
}

static int wal_pages;
static int on_wal(void *ctx, sqlite3 *db, const char *schema, int pages)
{
    (void)ctx, (void)db, (void)schema;
    wal_pages = pages;
    return SQLITE_OK;
}

static int64_t run_floor(const char *folder, uint64_t count, uint64_t batch)
{
    char path[512], why[PH_INBOX_WHY_BYTES];
    struct ph_sql sql = {.texts = writes};
    struct ph_arena arena;
    struct ph_slice text;
    struct op op;
    int checkpointed = 0;
    snprintf(path, sizeof path, "%s/floor.db", folder);
    ph_arena_init(&arena, &ph_os_heap, 1 << 20, 1 << 16);
    must(ph_schema_open(&sql, path, NULL, why), &sql);
    must(ph_schema_migrate(&sql, path, why), &sql);
    sqlite3_wal_hook(sql.db, on_wal, NULL);
    must(ph_headers_text(&arena, headers, PH_COUNTOF(headers), &text), &sql);
    int64_t start = ph_os_steady_us();
    for (uint64_t n = 0; n < count; n += batch) {
        must(ph_sql_run(&sql, PH_W_BEGIN, NULL, 0), &sql);
        for (uint64_t i = n; i < n + batch && i < count; i++) {
            make(&op, i, BODY_BYTES, ANSWER_BYTES);
            floor_row(&sql, &op, (int64_t)i + 1, text);
        }
        must(ph_sql_run(&sql, PH_W_COMMIT, NULL, 0), &sql);
        if (wal_pages < checkpointed)
            checkpointed = 0;
        if (wal_pages - checkpointed >= PH_INBOX_LOG_PAGES) {
            must(sqlite3_wal_checkpoint_v2(sql.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) ==
                         SQLITE_OK
                     ? PH_OK
                     : PH_ERR_IO,
                 &sql);
            checkpointed = wal_pages;
        }
    }
    int64_t took = ph_os_steady_us() - start;
    ph_sql_done(&sql);
    ph_arena_done(&arena);
    return took;
}

/* ---- listings -------------------------------------------------------------------------------- */

static void list(struct ph_inbox_reader *reader, const char *title, struct ph_inbox_filter filter)
{
    int64_t worst = 0, total = 0;
    size_t count = 0;
    for (int i = 0; i < 20; i++) {
        struct ph_arena arena;
        struct ph_inbox_event_row *rows;
        ph_arena_init(&arena, &ph_os_heap, 64 << 20, 0);
        int64_t start = ph_os_steady_us();
        enum ph_status st = ph_inbox_events(reader, &filter, 50, &arena, &rows, &count);
        int64_t took = ph_os_steady_us() - start;
        total += took;
        worst = took > worst ? took : worst;
        if (st != PH_OK)
            printf("  %s: %s\n", title, ph_status_text(st));
        ph_arena_done(&arena);
    }
    printf("events ls, first page, %-28s %6.2f ms   worst of 20 %.2f ms, %zu rows (aim <= 50 ms)\n",
           title, (double)total / 20e3, (double)worst / 1e3, count);
}

static void drain_once(struct ph_inbox_reader *reader)
{
    struct ph_inbox_place place = {0};
    struct ph_arena arena;
    ph_arena_init(&arena, &ph_os_heap, 64 << 20, 1 << 20);
    int64_t start = ph_os_steady_us(), seen = 0;
    for (int i = 0; i < 200; i++) {
        struct ph_inbox_due *due;
        size_t count;
        if (ph_inbox_due(reader, 0, false, INT64_MAX, place, 256, &arena, &due, &count) != PH_OK ||
            count == 0)
            break;
        place = (struct ph_inbox_place){due[count - 1].due_ms, due[count - 1].delivery};
        seen += (int64_t)count;
        ph_arena_reset(&arena);
    }
    printf("due, pages of 256                        %9.0f/s\n",
           (double)seen * 1e6 / (double)(ph_os_steady_us() - start));
    ph_arena_done(&arena);
}

static int print_floor(const char *folder, const char *count, const char *batch,
                       const char *a_second)
{
    uint64_t events = strtoull(count, NULL, 10), size = strtoull(batch, NULL, 10);
    ids_a_second = strtoull(a_second, NULL, 10);
    if (events == 0 || size == 0 || ids_a_second == 0) {
        fprintf(stderr, "usage: bench_inbox floor FOLDER MEASURED BATCH IDS_A_SECOND\n");
        return 2;
    }
    printf("%.0f\n", (double)events * 1e6 / (double)run_floor(folder, events, size));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "floor") == 0)
        return print_floor(argv[2], argv[3], argv[4], argv[5]);
    char folder[256] = "/tmp/payhook-bench-XXXXXX", data[300];
    uint64_t measured = argc > 2 ? strtoull(argv[2], NULL, 10) : 200000,
             million = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000000;
    if (argc > 1)
        snprintf(folder, sizeof folder, "%s", argv[1]);
    else if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(data, sizeof data, "%s/data", folder);
    ops = calloc(IN_FLIGHT, sizeof *ops);
    memset(body, 'b', sizeof body);
    memset(answer, 'a', sizeof answer);
    for (idle_count = 0; idle_count < IN_FLIGHT; idle_count++)
        idle[idle_count] = &ops[idle_count];

    struct ph_inbox *inbox = open_inbox(data);
    struct ph_inbox_counts counts;
    int64_t start = ph_os_steady_us();
    feed(inbox, 0, measured, IN_FLIGHT, BODY_BYTES, ANSWER_BYTES);
    int64_t took = ph_os_steady_us() - start;
    double writer_us = cpu_us(inbox->thread);
    ph_inbox_counts(inbox, &counts);
    uint64_t batch = (uint64_t)(counts.ops / counts.batches);
    double floor_cpu_us = cpu_us(pthread_self());
    int64_t floor_us = run_floor(folder, measured, batch);
    floor_cpu_us = cpu_us(pthread_self()) - floor_cpu_us;
    double rate = (double)measured * 1e6 / (double)took,
           floor_rate = (double)measured * 1e6 / (double)floor_us;
    printf("inbox alone, %llu events of 2.1 KB        %9.0f/s   batches of %llu\n",
           (unsigned long long)measured, rate, (unsigned long long)batch);
    printf("SQLite alone, same schema and batches    %9.0f/s   ratio %.2f (aim >= 0.8)\n",
           floor_rate, rate / floor_rate);
    printf("  CPU an event: the inbox's writer %.1f us, SQLite alone %.1f us\n",
           writer_us / (double)measured, floor_cpu_us / (double)measured);

    ordered_ids = false;
    start = ph_os_steady_us();
    feed(inbox, 2 * million, measured / 4, IN_FLIGHT, BODY_BYTES, ANSWER_BYTES);
    printf("inbox alone, ids without any order       %9.0f/s\n",
           (double)(measured / 4) * 1e6 / (double)(ph_os_steady_us() - start));
    ordered_ids = true;

    latencies = malloc(20000 * sizeof *latencies);
    feed(inbox, measured, 20000, 16, BODY_BYTES, ANSWER_BYTES);
    qsort(latencies, latency_count, sizeof *latencies, by_value);
    printf("16 on their way: from submit to done      p50 %lld us, p99 %lld us, worst %lld us\n",
           (long long)latencies[latency_count / 2], (long long)latencies[latency_count * 99 / 100],
           (long long)latencies[latency_count - 1]);
    free(latencies);
    latencies = NULL;

    if (million > measured * 5 / 4 + 20000)
        feed(inbox, measured + 20000, million - measured * 5 / 4 - 20000, IN_FLIGHT, 200, 300);
    ph_inbox_counts(inbox, &counts);
    ph_inbox_close(inbox);
    start = ph_os_steady_us();
    inbox = open_inbox(data);
    struct ph_inbox_reader *reader;
    if (ph_inbox_reader_open(inbox, &reader) != PH_OK)
        return 1;
    ph_inbox_counts(inbox, &counts);
    printf("opening, %lld waiting                 %9.1f ms   (aim <= 1000 ms)\n",
           (long long)counts.backlog[0], (double)(ph_os_steady_us() - start) / 1e3);
    list(reader, "no filter", (struct ph_inbox_filter){0});
    list(reader, "by type", (struct ph_inbox_filter){.type = PH_S("WEBHOOK_REFUND_SUCCESS")});
    list(reader, "by endpoint and class",
         (struct ph_inbox_filter){.endpoint = PH_S("stripe-shop"), .class = PH_S("refund")});
    list(reader, "by subject", (struct ph_inbox_filter){.subject = PH_S("pi_0000000000000001")});
    list(reader, "dead", (struct ph_inbox_filter){.state = PH_DELIVERY_DEAD});
    list(reader, "queued for shop",
         (struct ph_inbox_filter){.destination = PH_S("shop"), .state = PH_DELIVERY_QUEUED});
    list(reader, "ten minutes long ago",
         (struct ph_inbox_filter){.from_ms = 1700000100000, .to_ms = 1700000700000});
    drain_once(reader);
    printf("row 6  RssAnon, a million waiting         %9.1f MiB  (aim <= 16 MiB)\n",
           (double)rss_anon_kib() / 1024);
    ph_inbox_reader_close(reader);
    ph_inbox_close(inbox);
    free(ops);
    if (argc <= 1) {
        char command[300];
        snprintf(command, sizeof command, "rm -rf '%s'", folder);
        if (system(command) != 0)
            return 1;
    }
    return failed != 0;
}
