/* Answers that come later: a table of the exchanges that wait on this reactor, and the queue by
 * which other threads say that their part is done. `exchange` is one thread's own; a ticket may
 * travel.
 *
 *   FREE    -> WAITING   ph_later_begin
 *   WAITING -> FREE      completed: `resume` answers the exchange
 *   WAITING -> ORPHAN    the client went away (`cancel`), or the deadline passed (`expire`, then
 *                        `cancel`)
 *   ORPHAN  -> FREE      completed: `discard`
 *
 * L1: a ticket is completed once, by whoever holds it, also after `cancel`.
 * L2: the queue has a place for every ticket there can be: completing never fails and never
 *     waits.
 * L3: the request's bytes (head and body) stay where they are until the ticket is completed,
 *     also when the connection is gone by then: those who work on them need no copy.
 * L4: of `resume`, and `expire`, and gone, an exchange sees one. */
#ifndef PH_SERVER_LATER_H
#define PH_SERVER_LATER_H

#include "http/message.h"

struct ph_later;

/* What a kind of work does when it ends. All are called on the reactor's thread. `work` is the
 * owner's. */
struct ph_later_job {
    /* It is done: answers the exchange, and gives `work` back. */
    void (*resume)(void *ctx, struct ph_http_exchange *exchange, void *work);
    /* The deadline has passed: answers the exchange, whose request is no longer to be read. `work`
     * goes on until it is completed. */
    void (*expire)(void *ctx, struct ph_http_exchange *exchange, void *work);
    /* Nobody waits for it any more: it may be cut short. NULL: it cannot. */
    void (*cancel)(void *ctx, void *work);
    /* It is done and nobody waits: gives `work` back. */
    void (*discard)(void *ctx, void *work);
};

struct ph_ticket {
    struct ph_later *later;
    uint32_t place, generation;
};

/* Gives a table, or NULL. Keeps `counters`. wake: called from any thread after a completion. */
struct ph_later *ph_later_new(struct ph_counters *counters, void (*wake)(void *ctx),
                              void *wake_ctx);
/* Work that is still out is discarded: those who do it must have ended. NULL is fine. */
void ph_later_free(struct ph_later *later);

/* Reactor: the exchange's answer will come later; the handler returns PH_HTTP_LATER next. Keeps
 * `job`, `ctx`, `work`. PH_ERR_AGAIN: PH_LATER_MAX wait already. */
PH_MUST_USE enum ph_status ph_later_begin(struct ph_later *later, struct ph_http_exchange *exchange,
                                          const struct ph_later_job *job, void *ctx, void *work,
                                          int64_t deadline_ms, struct ph_ticket *ret_ticket);
/* Any thread: the work is done. */
void ph_later_complete(struct ph_ticket ticket);
/* Reactor: resumes what was completed, then calls flush with each connection that got an answer. */
void ph_later_run(struct ph_later *later, void (*flush)(void *ctx, void *connection),
                  void *flush_ctx);
/* Reactor: answers those whose deadline has passed, with `flush` as above. */
void ph_later_expire(struct ph_later *later, int64_t now_ms,
                     void (*flush)(void *ctx, void *connection), void *flush_ctx);
/* Reactor: the nearest deadline; INT64_MAX: none. */
int64_t ph_later_next_ms(const struct ph_later *later);
/* Reactor: exchanges that wait, and work nobody waits for. */
size_t ph_later_count(const struct ph_later *later);

#endif
