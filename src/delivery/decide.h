/* What becomes of a delivery: a pure decision. The dispatcher asks, does what it says, and has it
 * stored.
 *
 * D1: one function changes a delivery's state; it reads no clock and rolls no dice: both are
 *     arguments.
 * D2: nothing dies untried: `for` ends a delivery only with an attempt that failed after it.
 * D3: a wait is drawn from the whole of its step of the ladder (full jitter), so that what failed
 *     together does not come back together; Retry-After is a least wait, of a day at most, and of
 *     what is left of `for`: the last attempt is made at its end.
 * D4: "not known yet" is no failure while `park` lasts: the application is to know the object
 *     soon. */
#ifndef PH_DELIVERY_DECIDE_H
#define PH_DELIVERY_DECIDE_H

#include "inbox/inbox.h"

/* A lease is in memory only (I5): whatever has one is QUEUED, WAITING or PARKED on disk. The states
 * are the inbox's (enum ph_delivery_state):
 *
 * QUEUED, WAITING, PARKED -> with a lease    TAKEN, once it is due
 * with a lease -> as before, without         RETURNED: no attempt was made, or nobody can say
 * with a lease -> DONE                       ACCEPTED
 * with a lease -> WAITING                    FAILED, tries left
 * with a lease -> DEAD                       FAILED, none left
 * with a lease -> PARKED                     NOT_YET, while `park` lasts; after that as FAILED
 *
 * DONE, DEAD and DROPPED are final here. A person's retry, and a destination that goes, are the
 * inbox's moves (PH_INBOX_SEND, ph_inbox_reconfigure): they make a delivery QUEUED or DROPPED. */
struct ph_delivery {
    enum ph_delivery_state state;
    bool leased;
    int32_t tries;           /* failures so far */
    int64_t made_ms, due_ms; /* made: when its retries began */
};

enum ph_signal_kind {
    PH_SIGNAL_TAKEN = 1,
    PH_SIGNAL_RETURNED,
    PH_SIGNAL_ACCEPTED,
    PH_SIGNAL_FAILED,
    PH_SIGNAL_NOT_YET,
};

struct ph_signal {
    enum ph_signal_kind kind;
    int64_t retry_after_ms; /* FAILED, NOT_YET: as the application asks; 0: it does not */
};

enum ph_delivery_action {
    PH_ACTION_NONE = 1, /* the signal has no meaning here: nothing changes */
    PH_ACTION_SEND,     /* attempt it */
    PH_ACTION_RELEASE,  /* forget the lease; it stays due */
    PH_ACTION_SETTLE,   /* have it stored, with the attempt */
};

struct ph_move {
    struct ph_delivery to;
    enum ph_delivery_action action;
};

struct ph_retry {
    const int64_t *after_ms; /* the waits after the first failure, the second, … */
    size_t after_count;
    int64_t every_ms; /* the wait once these are used up; 0: then it is dead */
    int64_t for_ms;   /* how long it is tried */
    int64_t park_ms;  /* how long NOT_YET is no failure */
};

/* `random`: any 64 bits, fresh for each call. */
struct ph_move ph_delivery_step(const struct ph_retry *retry, const struct ph_delivery *from,
                                struct ph_signal signal, int64_t now_ms, uint64_t random);

#endif
