#include "delivery/breaker.h"

static void enter(struct ph_breaker *b, enum ph_breaker_state state)
{
    b->state = state;
    b->epoch++;
    b->failures = b->probes = b->good = 0;
}

/* 1 s, 2 s, 4 s … to the most, of which up to a quarter is cut by chance. */
static int64_t open_for(int32_t openings, uint64_t random)
{
    int64_t ms = PH_BREAKER_OPEN_MS;
    for (int32_t i = 1; i < openings && ms < PH_BREAKER_OPEN_MAX_MS; i++)
        ms *= 2;
    if (ms > PH_BREAKER_OPEN_MAX_MS)
        ms = PH_BREAKER_OPEN_MAX_MS;
    return ms - (int64_t)(random % (uint64_t)(ms / 4));
}

bool ph_breaker_admit(struct ph_breaker *b, int64_t now_ms, uint32_t *ret_epoch)
{
    if (b->state == PH_BREAKER_OPEN && now_ms >= b->until_ms)
        enter(b, PH_BREAKER_HALF_OPEN);
    if (b->state == PH_BREAKER_OPEN)
        return false;
    if (b->state == PH_BREAKER_HALF_OPEN) {
        if (b->probes + b->good >= PH_BREAKER_PROBES)
            return false;
        b->probes++;
    }
    *ret_epoch = b->epoch;
    return true;
}

static void went_well(struct ph_breaker *b)
{
    b->failures = 0;
    if (b->state != PH_BREAKER_HALF_OPEN)
        return;
    b->good++;
    if (b->good >= PH_BREAKER_PROBES) {
        enter(b, PH_BREAKER_CLOSED);
        b->openings = 0;
    }
}

static void went_badly(struct ph_breaker *b, int64_t pause_ms, int64_t now_ms, uint64_t random)
{
    b->failures++;
    if (b->state == PH_BREAKER_CLOSED && b->failures < PH_BREAKER_FAILURES && pause_ms == 0)
        return;
    b->openings = b->openings < INT32_MAX ? b->openings + 1 : b->openings;
    enter(b, PH_BREAKER_OPEN);
    int64_t ms = open_for(b->openings, random);
    if (pause_ms > PH_BREAKER_OPEN_MAX_MS)
        pause_ms = PH_BREAKER_OPEN_MAX_MS;
    b->until_ms = now_ms + (pause_ms > ms ? pause_ms : ms);
}

void ph_breaker_ended(struct ph_breaker *b, uint32_t epoch, enum ph_breaker_result result,
                      int64_t pause_ms, int64_t now_ms, uint64_t random)
{
    if (epoch != b->epoch)
        return; /* B1 */
    if (b->state == PH_BREAKER_HALF_OPEN)
        b->probes--;
    if (result == PH_BREAKER_GOOD)
        went_well(b);
    else if (result == PH_BREAKER_BAD)
        went_badly(b, pause_ms, now_ms, random);
}

int64_t ph_breaker_free_ms(const struct ph_breaker *b)
{
    if (b->state == PH_BREAKER_OPEN)
        return b->until_ms;
    return b->state == PH_BREAKER_HALF_OPEN && b->probes + b->good >= PH_BREAKER_PROBES ? INT64_MAX
                                                                                        : 0;
}

/* ---- width ----------------------------------------------------------------------------------- */

int64_t ph_width_now(const struct ph_width *width, int64_t most)
{
    return width->more < most - 1 ? width->more + 1 : most;
}

void ph_width_ended(struct ph_width *width, enum ph_breaker_result result, int64_t most)
{
    if (result == PH_BREAKER_BAD)
        width->more = (ph_width_now(width, most) / 2 > 1 ? ph_width_now(width, most) / 2 : 1) - 1;
    else if (result == PH_BREAKER_GOOD && width->more < most - 1)
        width->more++;
}

/* ---- pace ------------------------------------------------------------------------------------ */

bool ph_pace_take(struct ph_pace *pace, int64_t now_us)
{
    if (pace->rate == 0)
        return true;
    if (now_us < ph_pace_free_us(pace))
        return false;
    if (pace->due_us < now_us - PH_PACE_BURST_US)
        pace->due_us = now_us - PH_PACE_BURST_US;
    pace->due_us += 1000000 / pace->rate;
    return true;
}

int64_t ph_pace_free_us(const struct ph_pace *pace)
{
    return pace->rate == 0 ? 0 : pace->due_us;
}
