#include "server/tally.h"

#include <stdlib.h>

#include "http/counters.h"

const int64_t ph_tally_bounds_ms[PH_TALLY_BUCKETS] = {1,   2,   5,    10,   20,   50,   100,
                                                      200, 500, 1000, 2000, 5000, 10000};

enum { MINUTE_MS = 60 * 1000 };

struct ph_slice ph_fate_name(enum ph_fate fate)
{
#define OUTCOME_NAME(name, help) PH_SI(#name),
    static const struct ph_slice names[] = {PH_FATES(OUTCOME_NAME)};
#undef OUTCOME_NAME
    return (size_t)fate < PH_COUNTOF(names) ? names[fate] : (struct ph_slice){0};
}

/* FNV-1a: the names are the configuration's, nobody chooses them to collide. */
static size_t chain_of(struct ph_slice endpoint)
{
    uint32_t hash = 2166136261;
    for (size_t i = 0; i < endpoint.len; i++)
        hash = (hash ^ (unsigned char)endpoint.ptr[i]) * 16777619;
    return (hash ^ hash >> 8) & 255;
}

static struct ph_tally_row *find(const struct ph_tally *tally, struct ph_slice endpoint,
                                 struct ph_slice connector)
{
    struct ph_tally_row *row =
        atomic_load_explicit(&tally->chains[chain_of(endpoint)], memory_order_acquire);
    while (row != NULL &&
           !(ph_slice_eq(row->endpoint, endpoint) && ph_slice_eq(row->connector, connector)))
        row = row->next;
    return row;
}

const struct ph_tally_row *ph_tally_find(const struct ph_tally *tally, struct ph_slice endpoint,
                                         struct ph_slice connector)
{
    return find(tally, endpoint, connector);
}

struct ph_tally_row *ph_tally_row(struct ph_tally *tally, struct ph_slice endpoint,
                                  struct ph_slice connector)
{
    struct ph_tally_row *row = find(tally, endpoint, connector);
    if (row != NULL || tally->count == PH_TALLY_ROWS_MAX)
        return row;
    row = calloc(1, sizeof *row + endpoint.len + connector.len + 1);
    if (row == NULL)
        return NULL;
    char *names = (char *)(row + 1);
    if (endpoint.len > 0)
        memcpy(names, endpoint.ptr, endpoint.len);
    if (connector.len > 0)
        memcpy(names + endpoint.len, connector.ptr, connector.len);
    row->endpoint = ph_slice_of(names, endpoint.len);
    row->connector = ph_slice_of(names + endpoint.len, connector.len);
    _Atomic(struct ph_tally_row *) *chain = &tally->chains[chain_of(endpoint)];
    row->next = atomic_load_explicit(chain, memory_order_relaxed);
    atomic_store_explicit(chain, row, memory_order_release);
    tally->count++;
    return row;
}

void ph_tally_done(struct ph_tally *tally)
{
    for (size_t i = 0; i < PH_COUNTOF(tally->chains); i++) {
        struct ph_tally_row *next,
            *row = atomic_load_explicit(&tally->chains[i], memory_order_relaxed);
        for (; row != NULL; row = next) {
            next = row->next;
            free(row);
        }
        atomic_store_explicit(&tally->chains[i], NULL, memory_order_relaxed);
    }
    tally->count = 0;
}

/* A reader may see a minute that begins half: that is one request of a share. */
static struct ph_tally_minute *minute_of(struct ph_tally *tally, int64_t unix_ms)
{
    int64_t minute = unix_ms / MINUTE_MS;
    struct ph_tally_minute *at = &tally->minutes[(uint64_t)minute % PH_COUNTOF(tally->minutes)];
    if (atomic_load_explicit(&at->minute, memory_order_relaxed) == minute)
        return at;
    atomic_store_explicit(&at->judged, 0, memory_order_relaxed);
    atomic_store_explicit(&at->stale, 0, memory_order_relaxed);
    atomic_store_explicit(&at->minute, minute, memory_order_relaxed);
    return at;
}

void ph_tally_judged(struct ph_tally *tally, struct ph_tally_row *row, enum ph_verdict verdict,
                     int64_t unix_ms)
{
    struct ph_tally_minute *minute = minute_of(tally, unix_ms);
    if (row != NULL && (unsigned)verdict < PH_VERDICT_COUNT)
        ph_count(&row->verdicts[verdict]);
    /* Of those that somebody with the secret has signed: a forger is not to hide a clock that is
     * wrong. */
    if (verdict == PH_VERIFIED || verdict == PH_STALE)
        ph_count(&minute->judged);
    if (verdict == PH_STALE)
        ph_count(&minute->stale);
}

void ph_tally_no_account(struct ph_tally_row *row)
{
    if (row != NULL)
        ph_count(&row->no_account);
}

void ph_tally_ended(struct ph_tally *tally, struct ph_tally_row *row, enum ph_fate fate,
                    int64_t took_ms)
{
    size_t bucket = 0;
    while (bucket < PH_TALLY_BUCKETS && took_ms > ph_tally_bounds_ms[bucket])
        bucket++;
    ph_count(&tally->times[bucket]);
    ph_count_by(&tally->time_sum_ms, took_ms > 0 ? took_ms : 0);
    if (row != NULL)
        ph_count(&row->fates[fate]);
}

void ph_tally_recent(const struct ph_tally *tally, int64_t unix_ms, uint64_t *judged,
                     uint64_t *stale)
{
    int64_t now = unix_ms / MINUTE_MS;
    for (size_t i = 0; i < PH_COUNTOF(tally->minutes); i++) {
        const struct ph_tally_minute *at = &tally->minutes[i];
        int64_t minute = atomic_load_explicit(&at->minute, memory_order_relaxed);
        if (minute > now || minute < now - PH_STALE_MINUTES)
            continue;
        *judged += atomic_load_explicit(&at->judged, memory_order_relaxed);
        *stale += atomic_load_explicit(&at->stale, memory_order_relaxed);
    }
}

bool ph_tally_too_stale(uint64_t judged, uint64_t stale)
{
    return stale >= PH_STALE_LEAST && stale * 100 >= judged * PH_STALE_PERCENT;
}
