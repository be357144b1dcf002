/* Parcels: what travels together, and what comes of it. */
#include <stdlib.h>

#include "delivery/lane.h"
#include "os/clock.h"

enum { NO_ROOM_MS = 50, RETURNED_MS = 100, NO_MEMORY_MS = 1000, CANNOT_MS = 10 * 1000 };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- what ended ------------------------------------------------------------------------------ */

/* On a thread of the destination's. */
static void on_done(void *ctx, const struct ph_outcome *outcome)
{
    struct ph_parcel *parcel = ctx;
    struct ph_lane *lane = parcel->lane;
    size_t len =
        outcome->reason.len < sizeof parcel->reason ? outcome->reason.len : sizeof parcel->reason;
    parcel->outcome = *outcome;
    for (size_t i = 0; i < len; i++) {
        char c = outcome->reason.ptr[i];
        parcel->reason[i] =
            c < 0x20 || c == 0x7f ? '?' : c; /* ASCII: it may come from the other side */
    }
    parcel->outcome.reason = len > 0 ? ph_slice_of(parcel->reason, len) : (struct ph_slice){0};
    pthread_mutex_lock(&lane->lock);
    parcel->next = lane->ended;
    lane->ended = parcel;
    pthread_cond_signal(&lane->news);
    pthread_mutex_unlock(&lane->lock);
}

/* What travelled with others may have been refused for one of them, and nobody knows which: all of
 * it waits or is parked, and travels alone from now on (V5). */
static struct ph_signal signal_of(const struct ph_parcel *parcel, size_t index)
{
    const struct ph_outcome *o = &parcel->outcome;
    struct ph_signal signal = {.kind = PH_SIGNAL_FAILED, .retry_after_ms = o->retry_after_ms};
    if (index < o->accepted || o->told == PH_TOLD_ACCEPTED)
        signal.kind = PH_SIGNAL_ACCEPTED;
    else if (o->told == PH_TOLD_RETURNED)
        signal.kind = PH_SIGNAL_RETURNED;
    else if (o->told == PH_TOLD_NOT_YET)
        signal.kind = PH_SIGNAL_NOT_YET;
    return signal;
}

static void count_told(struct ph_dispatcher_stats *stats, const struct ph_outcome *o,
                       enum ph_signal_kind kind)
{
    if (kind == PH_SIGNAL_ACCEPTED)
        stats->accepted++;
    else if (o->told == PH_TOLD_NOT_YET)
        stats->not_yet++;
    else if (o->told == PH_TOLD_REFUSED)
        stats->refused++;
    else if (o->told == PH_TOLD_FAILED)
        stats->failed++;
}

/* Answers whether the delivery is dead now. */
static bool end_one(struct ph_lane *lane, const struct ph_parcel *parcel, size_t index,
                    int64_t now_ms, struct ph_dispatcher_stats *stats)
{
    const struct ph_held *held = &parcel->held[index];
    struct ph_signal signal = signal_of(parcel, index);
    struct ph_move move = ph_delivery_step(&lane->now->d.retry, &held->delivery, signal, now_ms,
                                           ph_lane_random(lane));
    if (move.action == PH_ACTION_RELEASE) {
        ph_leases_remove(&lane->leases, held->id);
        return false;
    }
    bool accepted = signal.kind == PH_SIGNAL_ACCEPTED;
    struct ph_inbox_attempt attempt = {
        .delivery = held->id,
        .state = move.to.state,
        .due_ms = move.to.due_ms,
        .tries = move.to.tries,
        .counted = true,
        .at_ms = parcel->began_ms,
        .elapsed_ms = parcel->outcome.elapsed_ms,
        .status = parcel->outcome.status,
        .reason = accepted ? (struct ph_slice){0} : parcel->outcome.reason,
    };
    ph_settling_add(lane, &attempt);
    count_told(stats, &parcel->outcome, signal.kind);
    if (move.to.state != PH_DELIVERY_DEAD)
        return false;
    ph_lane_warn_of(lane, held->id, "delivery %lld is a dead letter after %d failures: %.*s",
                    (long long)held->id, (int)move.to.tries, (int)attempt.reason.len,
                    attempt.reason.ptr);
    return true;
}

static enum ph_breaker_result result_of(const struct ph_outcome *o)
{
    if (o->told == PH_TOLD_RETURNED)
        return PH_BREAKER_VOID;
    return o->told == PH_TOLD_FAILED ? PH_BREAKER_BAD : PH_BREAKER_GOOD;
}

static void tell_breaker(struct ph_lane *lane, const struct ph_parcel *parcel)
{
    enum ph_breaker_state before = lane->breaker.state;
    int64_t steady_ms = ph_os_steady_ms();
    ph_width_ended(&lane->width, result_of(&parcel->outcome), lane->now->d.concurrency);
    ph_breaker_ended(&lane->breaker, parcel->epoch, result_of(&parcel->outcome),
                     parcel->outcome.retry_after_ms, steady_ms, ph_lane_random(lane));
    enum ph_breaker_state after = lane->breaker.state;
    if (after == PH_BREAKER_OPEN && before == PH_BREAKER_CLOSED)
        ph_lane_say(lane, true, "is left alone for %lld ms, then tried again: %.*s",
                    (long long)(lane->breaker.until_ms - steady_ms),
                    (int)parcel->outcome.reason.len, parcel->outcome.reason.ptr);
    if (after == PH_BREAKER_CLOSED && before != PH_BREAKER_CLOSED)
        ph_lane_say(lane, false, "is back");
}

/* Said when it begins, and not more often than once in a while: until the breaker opens nobody
 * would know, which takes hours where little comes in. */
static void tell_failure(struct ph_lane *lane, const struct ph_parcel *parcel)
{
    const struct ph_outcome *o = &parcel->outcome;
    int64_t steady_ms = ph_os_steady_ms();
    bool fails = result_of(o) == PH_BREAKER_BAD, began = fails && !lane->fails;
    if (result_of(o) != PH_BREAKER_VOID)
        lane->fails = fails;
    if (!began || (lane->failing_said_ms != 0 &&
                   steady_ms < lane->failing_said_ms + PH_DELIVERY_SAY_AGAIN_MS))
        return;
    lane->failing_said_ms = steady_ms;
    ph_lane_say(lane, true, "does not get its events, which are tried again: %.*s",
                (int)o->reason.len, o->reason.ptr);
}

/* Said once when it begins and once when it is over: the breaker knows only those who do not
 * answer. */
static void tell_refusal(struct ph_lane *lane, const struct ph_parcel *parcel)
{
    const struct ph_outcome *o = &parcel->outcome;
    if (o->told == PH_TOLD_REFUSED && !lane->refuses)
        ph_lane_say(lane, true, "refuses events: %.*s", (int)o->reason.len, o->reason.ptr);
    if (o->told == PH_TOLD_ACCEPTED && lane->refuses)
        ph_lane_say(lane, false, "accepts events again");
    if (o->told == PH_TOLD_REFUSED || o->told == PH_TOLD_ACCEPTED)
        lane->refuses = o->told == PH_TOLD_REFUSED;
}

static void keep_stats(struct ph_lane *lane, const struct ph_parcel *parcel,
                       const struct ph_dispatcher_stats *more)
{
    const struct ph_outcome *o = &parcel->outcome;
    struct ph_dispatcher_stats *stats = &lane->stats;
    pthread_mutex_lock(&lane->lock);
    stats->attempts += o->told != PH_TOLD_RETURNED;
    stats->accepted += more->accepted;
    stats->refused += more->refused;
    stats->failed += more->failed;
    stats->not_yet += more->not_yet;
    stats->dead += more->dead;
    if (more->accepted > 0)
        stats->last_accepted_ms = parcel->began_ms;
    if (o->told == PH_TOLD_FAILED || o->told == PH_TOLD_REFUSED) {
        stats->last_failed_ms = parcel->began_ms;
        memcpy(stats->why, parcel->reason, o->reason.len);
        stats->why[o->reason.len] = '\0';
    }
    pthread_mutex_unlock(&lane->lock);
}

static void end(struct ph_lane *lane, struct ph_parcel *parcel)
{
    struct ph_dispatcher_stats more = {0};
    int64_t now_ms = lane->now_ms();
    lane->in_flight--;
    for (size_t i = 0; i < parcel->count; i++)
        more.dead += end_one(lane, parcel, i, now_ms, &more);
    tell_failure(lane, parcel);
    tell_breaker(lane, parcel);
    tell_refusal(lane, parcel);
    if (parcel->outcome.told == PH_TOLD_RETURNED) {
        lane->hold_ms = ph_os_steady_ms() + RETURNED_MS;
        ph_lane_forget_page(lane);
    }
    keep_stats(lane, parcel, &more);
    free(parcel);
}

/* V7. A destination that was closed returns what was under way: that is as it should be. */
static void bound_returns(struct ph_lane *lane, struct ph_parcel *parcel)
{
    struct ph_outcome *o = &parcel->outcome;
    if (o->told != PH_TOLD_RETURNED)
        lane->returns = 0;
    else if (lane->destination != NULL && ++lane->returns > PH_DELIVERY_RETURNS_MAX) {
        lane->returns = PH_DELIVERY_RETURNS_MAX;
        o->told = PH_TOLD_FAILED;
    }
}

void ph_lane_end(struct ph_lane *lane, struct ph_parcel *parcel)
{
    bound_returns(lane, parcel);
    end(lane, parcel);
}

/* ---- what goes ------------------------------------------------------------------------------- */

/* V5 */
static bool may_share(const struct ph_inbox_due *row)
{
    return row->state == PH_DELIVERY_QUEUED && row->tries == 0;
}

/* How many rows from the first on go together, up to `batch` and of bounded size. */
static size_t together(const struct ph_lane *lane)
{
    const struct ph_page *page = &lane->page;
    const struct ph_inbox_due *rows = page->rows + page->at;
    size_t left = page->count - page->at, most = (size_t)lane->now->d.batch, count = 1;
    size_t bytes = rows[0].answer.len;
    if (!may_share(&rows[0]))
        return 1;
    while (count < left && count < most && may_share(&rows[count]) &&
           bytes + rows[count].answer.len <= PH_PARCEL_BYTES_MAX)
        bytes += rows[count++].answer.len;
    return count;
}

/* A parcel of the next `count` rows, with leases; NULL: no memory. */
static struct ph_parcel *parcel_of(struct ph_lane *lane, size_t count, int64_t now_ms,
                                   struct ph_notice notices[PH_DELIVERY_PAGE_MAX])
{
    const struct ph_inbox_due *rows = lane->page.rows + lane->page.at;
    struct ph_parcel *parcel = malloc(sizeof *parcel + count * sizeof parcel->held[0]);
    if (parcel == NULL)
        return NULL;
    parcel->lane = lane;
    parcel->began_ms = now_ms;
    parcel->count = count;
    for (size_t i = 0; i < count; i++) {
        struct ph_delivery d = {.state = rows[i].state,
                                .tries = rows[i].tries,
                                .made_ms = rows[i].made_ms,
                                .due_ms = rows[i].due_ms};
        struct ph_signal taken = {.kind = PH_SIGNAL_TAKEN};
        struct ph_move move = ph_delivery_step(&lane->now->d.retry, &d, taken,
                                               now_ms > d.due_ms ? now_ms : d.due_ms, 0);
        parcel->held[i] = (struct ph_held){.id = rows[i].delivery, .delivery = move.to};
        notices[i] = (struct ph_notice){.due = &rows[i], .attempt = rows[i].tries + 1};
        ph_leases_add(&lane->leases, rows[i].delivery);
    }
    return parcel;
}

static void not_sent(struct ph_lane *lane, struct ph_parcel *parcel, enum ph_status st)
{
    struct ph_outcome none = {.told = PH_TOLD_RETURNED};
    int64_t wait_ms = st == PH_ERR_AGAIN       ? NO_ROOM_MS
                      : st == PH_ERR_NO_MEMORY ? NO_MEMORY_MS
                                               : CANNOT_MS;
    if (st == PH_ERR_NO_MEMORY)
        none.reason = PH_S("out of memory");
    if (st == PH_ERR_INVALID)
        none = (struct ph_outcome){.told = PH_TOLD_REFUSED,
                                   .reason = PH_S("cannot be written as a request")};
    parcel->outcome = none;
    memcpy(parcel->reason, none.reason.len > 0 ? none.reason.ptr : "", none.reason.len);
    if (st != PH_ERR_INVALID && wait_ms == CANNOT_MS)
        ph_lane_say(lane, true, "nothing can be sent: %s",
                    st == PH_ERR_NOT_FOUND ? "no secret is valid now" : ph_status_text(st));
    if (st ==
        PH_ERR_NO_MEMORY) /* an event that is too large never fits; the others wait with reason */
        bound_returns(lane, parcel);
    end(lane, parcel);
    if (st != PH_ERR_INVALID)
        lane->hold_ms = ph_os_steady_ms() + wait_ms;
}

/* False: nothing went, and nothing will until the hold ends. */
static bool send_next(struct ph_lane *lane, uint32_t epoch)
{
    struct ph_notice notices[PH_DELIVERY_PAGE_MAX];
    size_t count = together(lane);
    int64_t now_ms = lane->now_ms();
    struct ph_parcel *parcel = parcel_of(lane, count, now_ms, notices);
    if (parcel == NULL) {
        ph_breaker_ended(&lane->breaker, epoch, PH_BREAKER_VOID, 0, 0, 0);
        lane->hold_ms = ph_os_steady_ms() + NO_MEMORY_MS;
        return false;
    }
    parcel->epoch = epoch;
    lane->in_flight++;
    enum ph_status st =
        ph_destination_send(lane->destination, notices, count, now_ms, on_done, parcel);
    lane->page.at += count;
    if (st != PH_OK)
        not_sent(lane, parcel, st);
    return st == PH_OK || st == PH_ERR_INVALID;
}

static int64_t steady_us(void)
{
    return ph_os_steady_ms() * 1000;
}

/* Whether another parcel may begin, but for the breaker; if not, *ret_ms is when by the clock
 * alone. */
static bool may_begin(struct ph_lane *lane, int64_t steady_ms, int64_t *ret_ms)
{
    const struct ph_dispatcher_destination *d = &lane->now->d;
    int64_t breaker_ms = ph_breaker_free_ms(&lane->breaker),
            pace_ms = ph_pace_free_us(&lane->pace) / 1000 + 1;
    *ret_ms = INT64_MAX;
    if (lane->paused || lane->settling.failed || lane->settling.stuck ||
        lane->in_flight >= (size_t)ph_width_now(&lane->width, d->concurrency) ||
        lane->leases.count + PH_DELIVERY_PAGE_MAX > PH_DELIVERY_LEASES_MAX)
        return false; /* an end of these is news */
    if (lane->hold_ms > steady_ms)
        *ret_ms = lane->hold_ms;
    else if (breaker_ms > steady_ms)
        *ret_ms = breaker_ms;
    else if (ph_pace_free_us(&lane->pace) > steady_us())
        *ret_ms = pace_ms;
    else
        return true;
    return false;
}

int64_t ph_lane_send(struct ph_lane *lane)
{
    int64_t until_ms = INT64_MAX;
    uint32_t epoch;
    if (lane->destination == NULL)
        return lane->now != NULL ? lane->hold_ms : INT64_MAX;
    while (may_begin(lane, ph_os_steady_ms(), &until_ms)) {
        if (ph_lane_peek(lane) == NULL) {
            int64_t wait_ms =
                lane->next_due_ms == INT64_MAX ? INT64_MAX : lane->next_due_ms - lane->now_ms();
            return wait_ms == INT64_MAX ? INT64_MAX
                                        : ph_os_steady_ms() + (wait_ms > 0 ? wait_ms : 0);
        }
        if (!ph_breaker_admit(&lane->breaker, ph_os_steady_ms(), &epoch))
            return least(ph_breaker_free_ms(&lane->breaker), until_ms);
        (void)ph_pace_take(&lane->pace, steady_us());
        if (!send_next(lane, epoch))
            return lane->hold_ms;
    }
    return until_ms;
}
