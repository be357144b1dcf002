/* The dispatcher: takes due deliveries out of the inbox to their destinations, until each has
 * accepted.
 *
 * V1 (G5): each destination has a worker (lane.c) with a thread, an inbox reader and connections
 *     of its own; they share nothing but the inbox. What one does not get done costs the others
 *     nothing.
 * V2: a delivery on its way, or ended and not stored yet, has a lease: it is not sent a second
 *     time meanwhile. Leases are in memory only (I5): a crash sends again what was on its way.
 * V3: bounded: PH_DELIVERY_PAGE_MAX read ahead, `concurrency` parcels under way,
 *     PH_DELIVERY_LEASES_MAX leases.
 * V4: what an attempt came to is kept until the inbox has stored it; while the inbox cannot,
 *     nothing more is sent.
 * V5: events travel together only at their first attempt: what failed once travels alone.
 * V6: stopping sends nothing more, waits a while for what is on its way, leaves the rest due.
 * V7: nothing goes round unseen: attempts that end as none, PH_DELIVERY_RETURNS_MAX in a row while
 *     nothing stops, count as failures from then on, until one ends as an attempt. */
#ifndef PH_DELIVERY_DISPATCHER_H
#define PH_DELIVERY_DISPATCHER_H

#include "delivery/breaker.h"
#include "delivery/decide.h"
#include "destination/destination.h"

struct ph_dispatcher;

struct ph_dispatcher_destination {
    size_t number; /* its bit in the inbox's masks */
    struct ph_slice name;
    struct ph_destination_settings settings;
    struct ph_retry retry;
    int64_t concurrency; /* parcels under way at once */
    int64_t rate;        /* parcels begun in a second; 0: no limit */
    int64_t batch;       /* events in one parcel, at most */
    bool ordered;        /* events of one subject one after the other */
};

/* Worth a line of the log: a breaker that moved, a dead letter, an inbox that does not store. */
struct ph_dispatcher_news {
    bool warning;
    struct ph_slice destination;
    int64_t delivery; /* 0: of none of them */
    struct ph_slice text;
};
/* Any thread. */
typedef void ph_dispatcher_log(void *ctx, const struct ph_dispatcher_news *news);

struct ph_dispatcher_options {
    struct ph_inbox *inbox; /* kept */
    /* Copied, secrets too; the copies are wiped. */
    const struct ph_dispatcher_destination *destinations;
    size_t count;
    int64_t (*now_ms)(void); /* unix; NULL: ph_os_unix_ms */
    ph_dispatcher_log *log;  /* NULL: nobody listens */
    void *log_ctx;
};

/* Gives a dispatcher that runs. */
PH_MUST_USE enum ph_status ph_dispatcher_start(const struct ph_dispatcher_options *options,
                                               struct ph_dispatcher **ret);
/* The destinations of the mask have deliveries that are due. For ph_inbox_options.wake: any thread,
 * does not block. NULL is fine: there is no dispatcher yet. */
void ph_dispatcher_wake(struct ph_dispatcher *dispatcher, uint64_t mask);
/* Other destinations from now on. One whose settings are the same goes on undisturbed; one that
 * changed ends what is on its way first; one that is gone ends. One caller at a time. */
PH_MUST_USE enum ph_status
ph_dispatcher_reconfigure(struct ph_dispatcher *dispatcher,
                          const struct ph_dispatcher_destination *destinations, size_t count);
/* Stops (V6), after at most drain_ms and what the inbox takes to store how attempts ended. Before
 * ph_inbox_close, and when nobody wakes any more. NULL is fine. */
void ph_dispatcher_stop(struct ph_dispatcher *dispatcher, int64_t drain_ms);

struct ph_dispatcher_stats {
    bool runs;         /* false: there is no such destination; the rest is of the one there was */
    uint64_t attempts; /* parcels that were sent and ended */
    uint64_t accepted, refused, failed, not_yet; /* deliveries, by how an attempt ended */
    uint64_t dead;                               /* deliveries that became dead letters */
    int64_t in_flight, leases;                   /* now: parcels; deliveries */
    enum ph_breaker_state breaker;
    int64_t breaker_until_ms; /* unix: OPEN until then; else 0 */
    uint64_t breaker_openings;
    bool paused;
    int64_t last_accepted_ms, last_failed_ms;   /* unix; 0: never */
    char why[PH_DELIVERY_REASON_BYTES_MAX + 1]; /* the last failure */
};
/* Any thread. `number` up to 63. */
void ph_dispatcher_stats(struct ph_dispatcher *dispatcher, size_t number,
                         struct ph_dispatcher_stats *ret);

#endif
