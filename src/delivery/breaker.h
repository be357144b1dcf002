/* A destination's circuit breaker, its width and its pace: all pure, with times of a clock that
 * never goes back.
 *
 * CLOSED    -> OPEN       PH_BREAKER_FAILURES failures in a row, or it asks for a pause
 * OPEN      -> HALF_OPEN  its time is over
 * HALF_OPEN -> CLOSED     PH_BREAKER_PROBES probes went well
 * HALF_OPEN -> OPEN       a probe failed: for twice as long, up to PH_BREAKER_OPEN_MAX_MS
 *
 * B1: an attempt counts only in the epoch it began in: what began before the breaker moved says
 *     nothing now.
 * B2: while it is OPEN nothing is admitted, while HALF_OPEN at most PH_BREAKER_PROBES at once. */
#ifndef PH_DELIVERY_BREAKER_H
#define PH_DELIVERY_BREAKER_H

#include "base/limits.h"
#include "base/slice.h"

enum ph_breaker_state { PH_BREAKER_CLOSED, PH_BREAKER_OPEN, PH_BREAKER_HALF_OPEN };

/* Zeroed: closed. */
struct ph_breaker {
    enum ph_breaker_state state;
    uint32_t epoch;
    int32_t failures; /* in a row */
    int32_t openings; /* in a row, without closing between */
    int32_t probes;   /* under way */
    int32_t good;     /* probes that went well */
    int64_t until_ms; /* OPEN */
};

enum ph_breaker_result {
    PH_BREAKER_GOOD, /* it lives: it accepted, or said no for a reason of the event's */
    PH_BREAKER_BAD,
    PH_BREAKER_VOID, /* the attempt says nothing */
};

/* Whether an attempt may begin; then it counts as begun, and ret_epoch goes to ph_breaker_ended. */
bool ph_breaker_admit(struct ph_breaker *breaker, int64_t now_ms, uint32_t *ret_epoch);
/* Every attempt that was admitted ends here once. pause_ms: BAD, how long the destination asks not
 * to be asked (bounded by PH_BREAKER_OPEN_MAX_MS); 0: it does not. */
void ph_breaker_ended(struct ph_breaker *breaker, uint32_t epoch, enum ph_breaker_result result,
                      int64_t pause_ms, int64_t now_ms, uint64_t random);
/* When, by the clock alone, an attempt may begin: 0: at once, INT64_MAX: not before another ends.
 */
int64_t ph_breaker_free_ms(const struct ph_breaker *breaker);

/* ---- width ----------------------------------------------------------------------------------- */

/* How many may be under way at once. Zeroed: one, as for whoever has not answered yet. Each that
 * goes well makes room for one more, each that fails halves it: one that is down, or comes back,
 * is not met by all that waits for it, nor is the inbox by all of their ends. */
struct ph_width {
    int64_t more; /* than one */
};

int64_t ph_width_now(const struct ph_width *width, int64_t most);
void ph_width_ended(struct ph_width *width, enum ph_breaker_result result, int64_t most);

/* ---- pace ------------------------------------------------------------------------------------ */

/* Zeroed with a rate: rested. */
struct ph_pace {
    int64_t rate;   /* a second; 0: as fast as it goes */
    int64_t due_us; /* when the next would be due if all came evenly */
};

/* Whether one may begin now; then it counts. A pause of up to PH_PACE_BURST_US may be caught up
 * with. */
bool ph_pace_take(struct ph_pace *pace, int64_t now_us);
/* When the next may begin. */
int64_t ph_pace_free_us(const struct ph_pace *pace);

#endif
