#include "delivery/decide.h"

static bool is_open(enum ph_delivery_state state)
{
    return state == PH_DELIVERY_QUEUED || state == PH_DELIVERY_WAITING ||
           state == PH_DELIVERY_PARKED;
}

/* From 1 to `most`. */
static int64_t drawn(int64_t most, uint64_t random)
{
    return most > 0 ? 1 + (int64_t)(random % (uint64_t)most) : 1;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The larger of the wait and what the application asks for, which is bounded, too; up to what is
 * left, so that there is an attempt at the very end (D3). */
static int64_t wait_of(int64_t wait_ms, int64_t retry_after_ms, int64_t left_ms)
{
    int64_t asked_ms = least(retry_after_ms, PH_RETRY_AFTER_MAX_MS);
    return least(wait_ms > asked_ms ? wait_ms : asked_ms, left_ms);
}

static struct ph_delivery failed(const struct ph_retry *retry, struct ph_delivery at,
                                 int64_t retry_after_ms, int64_t now_ms, uint64_t random)
{
    int64_t end_ms = at.made_ms + retry->for_ms;
    size_t step = (size_t)at.tries;
    int64_t most = step < retry->after_count ? retry->after_ms[step] : retry->every_ms;
    at.leased = false;
    at.tries = at.tries < INT32_MAX ? at.tries + 1 : at.tries;
    at.state = PH_DELIVERY_DEAD;
    at.due_ms = 0;
    if (now_ms >= end_ms || most == 0)
        return at;
    at.state = PH_DELIVERY_WAITING;
    at.due_ms = now_ms + wait_of(drawn(most, random), retry_after_ms, end_ms - now_ms);
    return at;
}

/* The wait grows with the delivery's age: soon at first, a minute in the end. Where `park` lasts
 * longer than `for`, its end is the last one. */
static struct ph_delivery parked(const struct ph_retry *retry, struct ph_delivery at,
                                 int64_t retry_after_ms, int64_t now_ms, uint64_t random)
{
    int64_t age_ms = now_ms - at.made_ms;
    if (age_ms >= retry->park_ms)
        return failed(retry, at, retry_after_ms, now_ms, random);
    int64_t most = age_ms < PH_PARK_MIN_MS   ? PH_PARK_MIN_MS
                   : age_ms > PH_PARK_MAX_MS ? PH_PARK_MAX_MS
                                             : age_ms;
    at.leased = false;
    at.state = PH_DELIVERY_PARKED;
    int64_t left_ms = (age_ms < retry->for_ms ? retry->for_ms : retry->park_ms) - age_ms;
    at.due_ms = now_ms + wait_of(most / 2 + drawn(most / 2, random), retry_after_ms, left_ms);
    return at;
}

struct ph_move ph_delivery_step(const struct ph_retry *retry, const struct ph_delivery *from,
                                struct ph_signal signal, int64_t now_ms, uint64_t random)
{
    struct ph_move step = {.to = *from, .action = PH_ACTION_NONE};
    if (!is_open(from->state) || from->leased == (signal.kind == PH_SIGNAL_TAKEN))
        return step;
    switch (signal.kind) {
    case PH_SIGNAL_TAKEN:
        if (from->state != PH_DELIVERY_QUEUED && from->due_ms > now_ms)
            return step;
        step.to.leased = true;
        step.action = PH_ACTION_SEND;
        return step;
    case PH_SIGNAL_RETURNED:
        step.to.leased = false;
        step.action = PH_ACTION_RELEASE;
        return step;
    case PH_SIGNAL_ACCEPTED:
        step.to.leased = false;
        step.to.state = PH_DELIVERY_DONE;
        step.to.due_ms = 0;
        break;
    case PH_SIGNAL_FAILED:
        step.to = failed(retry, *from, signal.retry_after_ms, now_ms, random);
        break;
    case PH_SIGNAL_NOT_YET:
        step.to = parked(retry, *from, signal.retry_after_ms, now_ms, random);
        break;
    }
    step.action = PH_ACTION_SETTLE;
    return step;
}
