/* An inbox in memory, for tests of what stands between it and destinations: its functions under
 * their own names, so that the linker takes these. One writer thread, as the real one has; commits
 * may be slow, or fail. */
#ifndef PH_TESTS_FAKE_INBOX_H
#define PH_TESTS_FAKE_INBOX_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "inbox/inbox.h"
#include "os/clock.h"

enum { FAKE_DELIVERIES_MAX = 4096 };

struct fake_delivery {
    size_t destination;
    int subject; /* 0: none */
    enum ph_delivery_state state;
    int64_t made_ms, due_ms;
    int32_t tries, attempts, last_status;
    char reason[PH_DELIVERY_REASON_BYTES_MAX + 1];
};

static struct ph_inbox {
    pthread_mutex_t lock;
    pthread_cond_t news;
    pthread_t writer;
    struct ph_inbox_op *first, **last;
    bool stopping;
    struct fake_delivery list[FAKE_DELIVERIES_MAX]; /* id: index + 1 */
    size_t count;
    bool paused[64];
    int commit_ms;         /* how long a commit takes */
    int refuse, fail;      /* so many submits have no room; so many ops are not stored */
    bool stopped_for_good; /* the writer has: PH_ERR_IO */
    int commits, settled_twice, pages;
    size_t settled_most;  /* by one op */
    int settles, fail_at; /* the op of that number is not stored either; 0: all are */
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

static void fake_settle(const struct ph_inbox_settle *settle)
{
    if (fake.settled_most < settle->count)
        fake.settled_most = settle->count;
    for (size_t i = 0; i < settle->count; i++) {
        const struct ph_inbox_attempt *a = &settle->attempts[i];
        struct fake_delivery *d = &fake.list[a->delivery - 1];
        fake.settled_twice += d->state == PH_DELIVERY_DONE || d->state == PH_DELIVERY_DEAD;
        d->state = a->state;
        d->due_ms = a->due_ms;
        d->tries = a->tries;
        d->attempts += a->counted;
        d->last_status = a->status;
        snprintf(d->reason, sizeof d->reason, "%.*s", (int)a->reason.len,
                 a->reason.len > 0 ? a->reason.ptr : "");
    }
}

static void *fake_write(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&fake.lock);
    while (!fake.stopping || fake.first != NULL) {
        if (fake.first == NULL) {
            pthread_cond_wait(&fake.news, &fake.lock);
            continue;
        }
        struct ph_inbox_op *batch = fake.first;
        fake.first = NULL;
        int ms = fake.commit_ms;
        pthread_mutex_unlock(&fake.lock);
        usleep((useconds_t)ms * 1000);
        pthread_mutex_lock(&fake.lock);
        fake.commits++;
        while (batch != NULL) {
            struct ph_inbox_op *op = batch;
            batch = op->next;
            op->status = fake.fail > 0 ? PH_ERR_IO : PH_OK;
            fake.fail -= fake.fail > 0;
            if (op->kind == PH_INBOX_SETTLE && ++fake.settles == fake.fail_at)
                op->status = PH_ERR_IO;
            if (op->status == PH_OK && op->kind == PH_INBOX_SETTLE)
                fake_settle((const struct ph_inbox_settle *)op);
            pthread_mutex_unlock(&fake.lock);
            op->done(op);
            pthread_mutex_lock(&fake.lock);
        }
    }
    pthread_mutex_unlock(&fake.lock);
    return NULL;
}

static void fake_open(void)
{
    fake.first = NULL;
    fake.stopping = fake.stopped_for_good = false;
    fake.count = 0;
    fake.commit_ms = 1;
    fake.refuse = fake.fail = fake.commits = fake.settled_twice = fake.pages = 0;
    fake.settled_most = 0;
    fake.settles = fake.fail_at = 0;
    memset(fake.paused, 0, sizeof fake.paused);
    pthread_create(&fake.writer, NULL, fake_write, NULL);
}

static void fake_close(void)
{
    pthread_mutex_lock(&fake.lock);
    fake.stopping = true;
    pthread_cond_signal(&fake.news);
    pthread_mutex_unlock(&fake.lock);
    pthread_join(fake.writer, NULL);
}

/* Makes `count` deliveries that are due at that time; gives the first one's id. */
static int64_t fake_add(size_t destination, size_t count, int subject, int64_t due_ms)
{
    pthread_mutex_lock(&fake.lock);
    int64_t first = (int64_t)fake.count + 1;
    for (size_t i = 0; i < count && fake.count < FAKE_DELIVERIES_MAX; i++)
        fake.list[fake.count++] = (struct fake_delivery){.destination = destination,
                                                         .subject = subject,
                                                         .state = PH_DELIVERY_QUEUED,
                                                         .made_ms = ph_os_unix_ms(),
                                                         .due_ms = due_ms};
    pthread_mutex_unlock(&fake.lock);
    return first;
}

static size_t fake_count(size_t destination, enum ph_delivery_state state)
{
    size_t count = 0;
    pthread_mutex_lock(&fake.lock);
    for (size_t i = 0; i < fake.count; i++)
        count += fake.list[i].destination == destination && fake.list[i].state == state;
    pthread_mutex_unlock(&fake.lock);
    return count;
}

static struct fake_delivery fake_get(int64_t id)
{
    pthread_mutex_lock(&fake.lock);
    struct fake_delivery d = fake.list[id - 1];
    pthread_mutex_unlock(&fake.lock);
    return d;
}

/* Changes something of it under its lock. */
#define FAKE_SET(what)                                                                             \
    do {                                                                                           \
        pthread_mutex_lock(&fake.lock);                                                            \
        fake.what;                                                                                 \
        pthread_mutex_unlock(&fake.lock);                                                          \
    } while (0)

/* ---- the contract ---------------------------------------------------------------------------- */

enum ph_status ph_inbox_submit(struct ph_inbox *inbox, struct ph_inbox_op *op)
{
    enum ph_status st = PH_OK;
    pthread_mutex_lock(&inbox->lock);
    if (inbox->stopped_for_good)
        st = PH_ERR_IO;
    else if (inbox->refuse > 0)
        st = PH_ERR_AGAIN;
    inbox->refuse -= inbox->refuse > 0;
    if (st == PH_OK) {
        if (inbox->first == NULL)
            inbox->last = &inbox->first;
        op->next = NULL;
        *inbox->last = op;
        inbox->last = &op->next;
        pthread_cond_signal(&inbox->news);
    }
    pthread_mutex_unlock(&inbox->lock);
    return st;
}

struct ph_slice ph_inbox_op_why(struct ph_inbox *inbox, const struct ph_inbox_op *op,
                                char room[PH_INBOX_WHY_BYTES])
{
    (void)inbox, (void)room;
    return ph_slice_str(ph_status_text(op->status));
}

void ph_inbox_counts(struct ph_inbox *inbox, struct ph_inbox_counts *ret)
{
    memset(ret, 0, sizeof *ret);
    pthread_mutex_lock(&inbox->lock);
    memcpy(ret->paused, inbox->paused, sizeof ret->paused);
    pthread_mutex_unlock(&inbox->lock);
}

enum ph_status ph_inbox_reader_open(struct ph_inbox *inbox, struct ph_inbox_reader **ret)
{
    *ret = (struct ph_inbox_reader *)inbox;
    return PH_OK;
}

void ph_inbox_reader_close(struct ph_inbox_reader *reader)
{
    (void)reader;
}

static bool fake_is_open(const struct fake_delivery *d)
{
    return d->state == PH_DELIVERY_QUEUED || d->state == PH_DELIVERY_WAITING ||
           d->state == PH_DELIVERY_PARKED;
}

static bool fake_has_earlier(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (fake.list[i].subject == fake.list[index].subject && fake.list[i].subject != 0 &&
            fake.list[i].destination == fake.list[index].destination && fake_is_open(&fake.list[i]))
            return true;
    return false;
}

static struct ph_slice fake_text(struct ph_arena *arena, const char *format, int64_t number)
{
    char text[64];
    snprintf(text, sizeof text, format, (long long)number);
    return ph_arena_copy(arena, ph_slice_str(text));
}

/* The next row behind the place, or NULL. */
static struct fake_delivery *fake_next(size_t destination, bool ordered, int64_t now_ms,
                                       const struct ph_inbox_place *after)
{
    struct fake_delivery *best = NULL;
    for (size_t i = 0; i < fake.count; i++) {
        struct fake_delivery *d = &fake.list[i];
        int64_t id = (int64_t)i + 1;
        if (d->destination != destination || !fake_is_open(d) || d->due_ms > now_ms ||
            d->due_ms < after->due_ms || (d->due_ms == after->due_ms && id <= after->id) ||
            (ordered && fake_has_earlier(i)))
            continue;
        if (best == NULL || d->due_ms < best->due_ms)
            best = d;
        if (best->due_ms == after->due_ms)
            break; /* ids rise: none comes before it */
    }
    return best;
}

enum ph_status ph_inbox_due(struct ph_inbox_reader *reader, size_t destination, bool ordered,
                            int64_t now_ms, struct ph_inbox_place after, size_t max,
                            struct ph_arena *arena, struct ph_inbox_due **ret, size_t *ret_count)
{
    struct ph_inbox_due *rows = ph_arena_zalloc(arena, max * sizeof *rows);
    size_t count = 0;
    (void)reader;
    pthread_mutex_lock(&fake.lock);
    fake.pages++;
    for (struct fake_delivery *d;
         count < max && (d = fake_next(destination, ordered, now_ms, &after)) != NULL;) {
        int64_t id = d - fake.list + 1;
        rows[count++] = (struct ph_inbox_due){.delivery = id,
                                              .event = id,
                                              .state = d->state,
                                              .made_ms = d->made_ms,
                                              .due_ms = d->due_ms,
                                              .tries = d->tries,
                                              .received_ms = d->made_ms,
                                              .event_id = fake_text(arena, "evt_%lld", id),
                                              .type = PH_S("PAYMENT_INTENT_SUCCESS"),
                                              .subject = fake_text(arena, "pi_%lld", d->subject),
                                              .connector = PH_S("stripe"),
                                              .endpoint = PH_S("shop"),
                                              .answer = PH_S("{}")};
        after = (struct ph_inbox_place){.due_ms = d->due_ms, .id = id};
    }
    pthread_mutex_unlock(&fake.lock);
    *ret = rows;
    *ret_count = count;
    return PH_OK;
}

enum ph_status ph_inbox_next_due(struct ph_inbox_reader *reader, size_t destination,
                                 int64_t *ret_ms)
{
    (void)reader;
    *ret_ms = INT64_MAX;
    pthread_mutex_lock(&fake.lock);
    for (size_t i = 0; i < fake.count; i++)
        if (fake.list[i].destination == destination && fake_is_open(&fake.list[i]) &&
            fake.list[i].due_ms < *ret_ms)
            *ret_ms = fake.list[i].due_ms;
    pthread_mutex_unlock(&fake.lock);
    return PH_OK;
}

#endif
