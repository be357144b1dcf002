/* A destination's worker: a thread, an inbox reader, a destination, and what is between them.
 * Private to delivery/.
 *
 *   inbox -> page -> parcel -> destination -> ended -> settling -> inbox
 *            (read    (a lease   (its own       (under    (kept until
 *             ahead)   for each)  threads)       the lock) stored)
 *
 * L1: everything but what stands under the lock is the worker's own; a destination's threads and
 *     the inbox's writer only hand something over there, and wake the worker.
 * L2: a page is rid of what has a lease as soon as it is read. Leases are dropped by this thread
 *     alone, after the commit was heard of: a delivery in a page read later is really due.
 * L3: a page that has waited for PH_DELIVERY_IDLE_MS is thrown away: somebody may have changed
 *     what it says. */
#ifndef PH_DELIVERY_LANE_H
#define PH_DELIVERY_LANE_H

#include <pthread.h>

#include "delivery/lane_settings.h"
#include "delivery/leases.h"

struct ph_lane;

/* One attempt, with all that it is of. */
struct ph_parcel {
    struct ph_parcel *next;
    struct ph_lane *lane;
    uint32_t epoch;
    int64_t began_ms; /* unix */
    struct ph_outcome outcome;
    char reason[PH_DELIVERY_REASON_BYTES_MAX];
    size_t count;
    struct ph_held {
        int64_t id;
        struct ph_delivery delivery;
    } held[];
};

/* Attempts on their way into the inbox: one half is filled while the other is stored, a piece at a
 * time: a webhook that comes meanwhile is acknowledged between two of them (G5). */
struct ph_settling {
    struct ph_settling_half {
        struct ph_inbox_settle settle; /* the piece */
        struct ph_lane *lane;
        struct ph_inbox_attempt attempts[PH_DELIVERY_LEASES_MAX];
        size_t count, stored; /* of `attempts` */
        struct ph_arena reasons;
    } halves[2];
    size_t filling;
    size_t piece;     /* attempts in one */
    int64_t out_ms;   /* steady: when the last went */
    bool out;         /* one of the other half is the inbox's */
    bool failed;      /* … or has come back, and is to go again */
    bool stuck;       /* the inbox takes nothing: its writer has stopped */
    int64_t again_ms; /* steady: not before */
};

struct ph_page {
    struct ph_arena arena;
    struct ph_inbox_due *rows;
    size_t count, at;
    int64_t read_ms; /* steady */
    struct ph_inbox_place after;
    bool more; /* behind `after` */
};

struct ph_lane {
    struct ph_inbox *inbox;
    int64_t (*now_ms)(void);
    ph_dispatcher_log *log;
    void *log_ctx;
    size_t number;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows, to `stats` */
    pthread_cond_t news;
    bool woken, stopping, changing, settled;
    int64_t stop_by_ms; /* steady */
    /* `changing`: what to go by once nothing is on its way; NULL: the end. */
    struct ph_lane_settings *next;
    struct ph_parcel *ended;
    struct ph_dispatcher_stats stats;
    /* The worker's own. */
    struct ph_lane_settings *now; /* NULL: none */
    struct ph_destination *destination;
    struct ph_inbox_reader *reader;
    struct ph_page page;
    struct ph_leases leases;
    struct ph_settling settling;
    struct ph_breaker breaker;
    struct ph_width width;
    struct ph_pace pace;
    size_t in_flight;
    int32_t returns; /* ends in a row without an attempt */
    bool scan;       /* the inbox may have what was not seen yet */
    bool paused;
    bool refuses;            /* it said no to the last that it answered */
    bool fails;              /* the last that went did not get through */
    int64_t failing_said_ms; /* steady: when that was last told */
    int64_t next_due_ms;     /* unix; INT64_MAX: none known */
    int64_t hold_ms;         /* steady: nothing is sent before */
    uint64_t random;
};

/* Gives a worker that runs and has no destination yet; NULL: no memory, no thread. */
struct ph_lane *ph_lane_new(const struct ph_dispatcher_options *options, size_t number);
/* Takes the settings; NULL: the destination is gone. Any thread but its own. */
void ph_lane_change(struct ph_lane *lane, struct ph_lane_settings *settings);
void ph_lane_wake(struct ph_lane *lane);
/* Begins to stop; ph_lane_free waits for the end. */
void ph_lane_stop(struct ph_lane *lane, int64_t stop_by_ms);
void ph_lane_free(struct ph_lane *lane);

/* ---- between its files ----------------------------------------------------------------------- */

/* parcel.c: sends what is due and may go. Answers when (steady) it would have more to do by the
 * clock alone. */
int64_t ph_lane_send(struct ph_lane *lane);
/* … and what has ended: decides, and adds it to what is stored. Takes the parcel. */
void ph_lane_end(struct ph_lane *lane, struct ph_parcel *parcel);
/* page.c: the next row that may be sent; NULL: none now. */
struct ph_inbox_due *ph_lane_peek(struct ph_lane *lane);
void ph_lane_forget_page(struct ph_lane *lane);
/* settle.c */
void ph_settling_init(struct ph_lane *lane);
void ph_settling_done(struct ph_lane *lane);
void ph_settling_add(struct ph_lane *lane, const struct ph_inbox_attempt *attempt);
/* Hands over what can be. Answers when (steady) it is to be tried again; INT64_MAX: nothing is
 * waiting for the clock. */
int64_t ph_settling_push(struct ph_lane *lane);
/* The half that was out has come back. */
void ph_settling_returned(struct ph_lane *lane);
bool ph_settling_empty(const struct ph_lane *lane);
/* lane.c */
uint64_t ph_lane_random(struct ph_lane *lane);
void ph_lane_say(struct ph_lane *lane, bool warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ph_lane_warn_of(struct ph_lane *lane, int64_t delivery, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
