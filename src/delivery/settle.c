/* How attempts ended, on its way into the inbox (V4), in pieces: each is part of a batch that
 * somebody's acknowledgement waits for. While the writer is busy pieces grow, up to what it
 * takes some milliseconds for, or deliveries would not keep up with what comes in. */
#include <stdlib.h>

#include "delivery/lane.h"
#include "os/clock.h"
#include "os/heap.h"

enum { NO_ROOM_MS = 5, AGAIN_MS = 100, ATTEMPT_BYTES = 128, SLOW_MS = 8 };

static struct ph_settling_half *other(struct ph_settling *s)
{
    return &s->halves[1 - s->filling];
}

/* On the inbox's writer. */
static void stored(struct ph_inbox_op *op)
{
    struct ph_settling_half *half = (struct ph_settling_half *)op; /* settle.op comes first */
    struct ph_lane *lane = half->lane;
    pthread_mutex_lock(&lane->lock);
    lane->settled = true;
    pthread_cond_signal(&lane->news);
    pthread_mutex_unlock(&lane->lock);
}

void ph_settling_init(struct ph_lane *lane)
{
    lane->settling.piece = PH_DELIVERY_PIECE_MIN;
    for (size_t i = 0; i < PH_COUNTOF(lane->settling.halves); i++) {
        struct ph_settling_half *half = &lane->settling.halves[i];
        half->lane = lane;
        half->settle.op = (struct ph_inbox_op){.kind = PH_INBOX_SETTLE, .done = stored};
        ph_arena_init(&half->reasons, &ph_os_heap, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES / 16);
    }
}

void ph_settling_done(struct ph_lane *lane)
{
    for (size_t i = 0; i < PH_COUNTOF(lane->settling.halves); i++)
        ph_arena_done(&lane->settling.halves[i].reasons);
}

/* There is room: an attempt of each lease, and no more (V3). Without memory for a reason the
 * attempt is stored without. */
void ph_settling_add(struct ph_lane *lane, const struct ph_inbox_attempt *attempt)
{
    struct ph_settling_half *half = &lane->settling.halves[lane->settling.filling];
    struct ph_inbox_attempt *to = &half->attempts[half->count++];
    *to = *attempt;
    if (ph_slice_present(attempt->reason))
        to->reason = ph_arena_copy(&half->reasons, attempt->reason);
}

static enum ph_status hand_over(struct ph_lane *lane, struct ph_settling_half *half)
{
    size_t left = half->count - half->stored;
    half->settle.attempts = half->attempts + half->stored;
    half->settle.count = left < lane->settling.piece ? left : lane->settling.piece;
    half->settle.op.bytes = half->settle.count * ATTEMPT_BYTES + half->reasons.total;
    return ph_inbox_submit(lane->inbox, &half->settle.op);
}

int64_t ph_settling_push(struct ph_lane *lane)
{
    struct ph_settling *s = &lane->settling;
    struct ph_settling_half *half = other(s)->count > 0 ? other(s) : &s->halves[s->filling];
    if (s->out || half->count == 0)
        return INT64_MAX;
    s->out_ms = ph_os_steady_ms();
    if (s->out_ms < s->again_ms)
        return s->again_ms;
    enum ph_status st = hand_over(lane, half);
    s->stuck = st != PH_OK && st != PH_ERR_AGAIN;
    if (st != PH_OK) { /* no room, or the writer has stopped: it is kept */
        s->again_ms = ph_os_steady_ms() + (s->stuck ? AGAIN_MS : NO_ROOM_MS);
        return s->again_ms;
    }
    s->out = true;
    s->failed = false;
    s->filling = half == &s->halves[0] ? 1 : 0;
    return INT64_MAX;
}

static void choose_piece(struct ph_settling *s)
{
    bool slow = ph_os_steady_ms() - s->out_ms > SLOW_MS;
    s->piece = slow ? 2 * s->piece : s->piece / 2;
    if (s->piece < PH_DELIVERY_PIECE_MIN)
        s->piece = PH_DELIVERY_PIECE_MIN;
    if (s->piece > PH_DELIVERY_PIECE_MAX)
        s->piece = PH_DELIVERY_PIECE_MAX;
}

void ph_settling_returned(struct ph_lane *lane)
{
    struct ph_settling *s = &lane->settling;
    struct ph_settling_half *half = other(s);
    s->out = false;
    if (half->settle.op.status != PH_OK) {
        char room[PH_INBOX_WHY_BYTES];
        struct ph_slice why = ph_inbox_op_why(lane->inbox, &half->settle.op, room);
        ph_lane_say(lane, true, "the inbox did not store %zu attempts, which are kept: %.*s",
                    half->count - half->stored, (int)why.len, why.ptr);
        s->failed = true;
        s->again_ms = ph_os_steady_ms() + AGAIN_MS;
        return;
    }
    for (size_t i = 0; i < half->settle.count; i++) {
        const struct ph_inbox_attempt *a = &half->settle.attempts[i];
        ph_leases_remove(&lane->leases, a->delivery);
        if ((a->state == PH_DELIVERY_WAITING || a->state == PH_DELIVERY_PARKED) &&
            a->due_ms < lane->next_due_ms)
            lane->next_due_ms = a->due_ms;
    }
    if (lane->now != NULL && lane->now->d.ordered)
        lane->scan = true; /* what came after them is free now */
    half->stored += half->settle.count;
    choose_piece(s);
    if (half->stored < half->count)
        return;
    half->count = half->stored = 0;
    ph_arena_reset(&half->reasons);
}

bool ph_settling_empty(const struct ph_lane *lane)
{
    const struct ph_settling *s = &lane->settling;
    return !s->out && s->halves[0].count == 0 && s->halves[1].count == 0;
}
