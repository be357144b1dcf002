#include "server/later.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum state { FREE, WAITING, ORPHAN };

struct place {
    struct ph_http_owner owner; /* first: an exchange's owner leads to its place */
    struct ph_later *later;
    struct ph_http_exchange *exchange; /* WAITING only */
    struct ph_buffer head, body;       /* ORPHAN: the request's bytes */
    const struct ph_later_job *job;
    void *ctx, *work;
    int64_t deadline_ms;
    uint32_t next, previous; /* of the free list, or of those in use */
    uint32_t generation;
    enum state state;
};

enum { AT_ONCE = 256 };
#define NONE UINT32_MAX

struct ph_later {
    struct ph_counters *counters;
    void (*wake)(void *ctx);
    void *wake_ctx;
    int64_t next_ms; /* no deadline is earlier */
    uint32_t free_first, used_first, fresh;
    size_t count;
    pthread_mutex_t lock; /* of queue[] */
    uint32_t queue_count;
    uint32_t queue[PH_LATER_MAX];
    struct place places[PH_LATER_MAX];
};

struct ph_later *ph_later_new(struct ph_counters *counters, void (*wake)(void *ctx), void *wake_ctx)
{
    struct ph_later *later = calloc(1, sizeof *later);
    if (later == NULL)
        return NULL;
    later->counters = counters;
    later->wake = wake;
    later->wake_ctx = wake_ctx;
    later->next_ms = INT64_MAX;
    later->free_first = later->used_first = NONE;
    pthread_mutex_init(&later->lock, NULL);
    return later;
}

/* ---- places ---------------------------------------------------------------------------------- */

static struct place *take(struct ph_later *later)
{
    uint32_t index = later->free_first;
    if (index != NONE)
        later->free_first = later->places[index].next;
    else if (later->fresh < PH_LATER_MAX)
        index = later->fresh++;
    else
        return NULL;
    struct place *place = &later->places[index];
    place->later = later;
    place->previous = NONE;
    place->next = later->used_first;
    if (later->used_first != NONE)
        later->places[later->used_first].previous = index;
    later->used_first = index;
    later->count++;
    return place;
}

static void give(struct place *place)
{
    struct ph_later *later = place->later;
    uint32_t index = (uint32_t)(place - later->places);
    if (place->previous != NONE)
        later->places[place->previous].next = place->next;
    else
        later->used_first = place->next;
    if (place->next != NONE)
        later->places[place->next].previous = place->previous;
    if (place->state == ORPHAN) {
        ph_buffer_done(&place->head);
        ph_buffer_done(&place->body);
    }
    place->state = FREE;
    place->exchange = NULL;
    place->generation++;
    place->next = later->free_first;
    later->free_first = index;
    later->count--;
}

/* The work goes on without its exchange, on bytes that are now the place's own (L3). */
static void orphan(struct place *place)
{
    struct ph_http_exchange *exchange = place->exchange;
    ph_http_take_bytes(exchange, &place->head, &place->body);
    exchange->method = exchange->target = (struct ph_span){0};
    exchange->field_count = 0;
    place->exchange = NULL;
    place->state = ORPHAN;
    if (place->job->cancel != NULL)
        place->job->cancel(place->ctx, place->work);
}

static void on_gone(struct ph_http_owner *owner, struct ph_http_exchange *exchange)
{
    struct place *place = (struct place *)(void *)owner;
    assert(place->state == WAITING && place->exchange == exchange);
    (void)exchange;
    ph_count(&place->later->counters->exchanges_gone);
    orphan(place);
}

/* ---- outside --------------------------------------------------------------------------------- */

void ph_later_free(struct ph_later *later)
{
    if (later == NULL)
        return;
    while (later->used_first != NONE) {
        struct place *place = &later->places[later->used_first];
        place->job->discard(place->ctx, place->work);
        give(place);
    }
    pthread_mutex_destroy(&later->lock);
    free(later);
}

enum ph_status ph_later_begin(struct ph_later *later, struct ph_http_exchange *exchange,
                              const struct ph_later_job *job, void *ctx, void *work,
                              int64_t deadline_ms, struct ph_ticket *ret_ticket)
{
    struct place *place = take(later);
    if (place == NULL) {
        ph_count(&later->counters->limit_later);
        return PH_ERR_AGAIN;
    }
    place->owner = (struct ph_http_owner){.gone = on_gone};
    place->state = WAITING;
    place->exchange = exchange;
    place->job = job;
    place->ctx = ctx;
    place->work = work;
    place->deadline_ms = deadline_ms;
    exchange->owner = &place->owner;
    if (deadline_ms < later->next_ms)
        later->next_ms = deadline_ms;
    ph_count(&later->counters->exchanges_later);
    *ret_ticket = (struct ph_ticket){
        .later = later,
        .place = (uint32_t)(place - later->places),
        .generation = place->generation,
    };
    return PH_OK;
}

void ph_later_complete(struct ph_ticket ticket)
{
    struct ph_later *later = ticket.later;
    pthread_mutex_lock(&later->lock);
    /* The place is in use until this is seen, so its generation does not move meanwhile (L1). */
    assert(later->places[ticket.place].generation == ticket.generation);
    assert(later->queue_count < PH_LATER_MAX); /* L2 */
    bool was_empty = later->queue_count == 0;
    later->queue[later->queue_count++] = ticket.place;
    pthread_mutex_unlock(&later->lock);
    if (was_empty)
        later->wake(later->wake_ctx);
}

static uint32_t take_completed(struct ph_later *later, uint32_t *ret, uint32_t max)
{
    pthread_mutex_lock(&later->lock);
    uint32_t count = later->queue_count < max ? later->queue_count : max;
    memcpy(ret, later->queue, count * sizeof *ret);
    later->queue_count -= count;
    memmove(later->queue, later->queue + count, later->queue_count * sizeof *ret);
    pthread_mutex_unlock(&later->lock);
    return count;
}

void ph_later_run(struct ph_later *later, void (*flush)(void *ctx, void *connection),
                  void *flush_ctx)
{
    uint32_t completed[AT_ONCE];
    uint32_t count;
    while ((count = take_completed(later, completed, AT_ONCE)) > 0)
        for (uint32_t i = 0; i < count; i++) {
            struct place *place = &later->places[completed[i]];
            const struct ph_later_job *job = place->job;
            struct ph_http_exchange *exchange = place->exchange;
            void *ctx = place->ctx, *work = place->work;
            bool waits = place->state == WAITING;
            if (!waits)
                job->discard(ctx, work);
            give(place); /* first: `resume` may begin anew with the same exchange */
            if (!waits)
                continue;
            void *connection = exchange->connection;
            job->resume(ctx, exchange, work);
            flush(flush_ctx, connection);
        }
}

void ph_later_expire(struct ph_later *later, int64_t now_ms,
                     void (*flush)(void *ctx, void *connection), void *flush_ctx)
{
    if (now_ms < later->next_ms)
        return;
    /* An answer's flush may drop a connection, and with it other places of the list: so each round
     * looks from the start. Those found are WAITING no more; what is left is for the next call. */
    for (int round = 0; round < AT_ONCE; round++) {
        struct place *due = NULL;
        later->next_ms = INT64_MAX;
        for (uint32_t i = later->used_first; i != NONE; i = later->places[i].next) {
            struct place *place = &later->places[i];
            if (place->state != WAITING)
                continue;
            if (place->deadline_ms <= now_ms)
                due = place;
            else if (place->deadline_ms < later->next_ms)
                later->next_ms = place->deadline_ms;
        }
        if (due == NULL)
            return;
        struct ph_http_exchange *exchange = due->exchange;
        void *connection = exchange->connection;
        ph_count(&later->counters->limit_deadline);
        orphan(due);
        due->job->expire(due->ctx, exchange, due->work);
        flush(flush_ctx, connection);
    }
    later->next_ms = now_ms;
}

int64_t ph_later_next_ms(const struct ph_later *later)
{
    return later->next_ms;
}

size_t ph_later_count(const struct ph_later *later)
{
    return later->count;
}
