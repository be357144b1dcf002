/* What one reactor counts of webhooks, by endpoint. The owner's thread writes, any thread reads
 * (relaxed).
 *
 * T1: rows are added, and neither moved nor freed before the end: a reader needs no lock.
 * T2 (G8): an endpoint is a name of the configuration, never of a request; past PH_TALLY_ROWS_MAX,
 * which takes many reloads, further ones are counted in the sums only. */
#ifndef PH_SERVER_TALLY_H
#define PH_SERVER_TALLY_H

#include <stdatomic.h>

#include "base/limits.h"
#include "base/slice.h"
#include "connector/words.h"

enum { PH_VERDICT_COUNT = PH_UNREACHABLE + 1 };

/* What became of a request. */
#define PH_FATES(X)                                                                                \
    X(stored, "new, and on disk")                                                                  \
    X(duplicate, "known already: acknowledged, nothing new")                                       \
    X(quarantined, "refused, and kept for a while")                                                \
    X(full, "no room for refused, pending or unproven ones: 503")                                  \
    X(failed, "the inbox, or memory, failed: 503")                                                 \
    X(late, "not on disk in time: 503")                                                            \
    X(refused, "not judged: address, method, encoding or size")                                    \
    X(handshake, "a processor's question before it sends anything, answered from the page")
enum ph_fate {
#define PH_FATE_ENUM(name, help) PH_FATE_##name,
    PH_FATES(PH_FATE_ENUM)
#undef PH_FATE_ENUM
        PH_FATE_COUNT
};
struct ph_slice ph_fate_name(enum ph_fate fate); /* "stored" */

/* One endpoint, with the connector it had. */
struct ph_tally_row {
    struct ph_tally_row *next; /* of its chain; set before it is published */
    struct ph_slice endpoint, connector;
    _Atomic uint64_t verdicts[PH_VERDICT_COUNT];
    _Atomic uint64_t fates[PH_FATE_COUNT];
    _Atomic uint64_t no_account; /* those that named no account of the endpoint */
};

/* Times of answers, in ms: bucket n counts those of up to ph_tally_bounds_ms[n], the last all
 * others. */
enum { PH_TALLY_BUCKETS = 13 };
extern const int64_t ph_tally_bounds_ms[PH_TALLY_BUCKETS];

struct ph_tally_minute {
    _Atomic int64_t minute; /* since 1970; whose minute is over is empty */
    _Atomic uint64_t judged, stale;
};

struct ph_tally {
    _Atomic(struct ph_tally_row *) chains[256];
    size_t count;
    struct ph_tally_minute minutes[PH_STALE_MINUTES + 1];
    _Atomic uint64_t times[PH_TALLY_BUCKETS + 1], time_sum_ms;
    _Atomic uint64_t unknown; /* requests for endpoints that are not there */
};

/* Zeroed: empty. */
void ph_tally_done(struct ph_tally *tally);
/* The owner: the endpoint's row. NULL: no memory, or T2. */
struct ph_tally_row *ph_tally_row(struct ph_tally *tally, struct ph_slice endpoint,
                                  struct ph_slice connector);
/* Any thread; NULL: none yet. */
const struct ph_tally_row *ph_tally_find(const struct ph_tally *tally, struct ph_slice endpoint,
                                         struct ph_slice connector);
/* The owner; row may be NULL. */
void ph_tally_judged(struct ph_tally *tally, struct ph_tally_row *row, enum ph_verdict verdict,
                     int64_t unix_ms);
void ph_tally_no_account(struct ph_tally_row *row);
void ph_tally_ended(struct ph_tally *tally, struct ph_tally_row *row, enum ph_fate fate,
                    int64_t took_ms);

/* Any thread: what the last PH_STALE_MINUTES saw, added to what is there. */
void ph_tally_recent(const struct ph_tally *tally, int64_t unix_ms, uint64_t *judged,
                     uint64_t *stale);
/* Whether so many of them say that a clock is wrong: ours, as a rule. */
bool ph_tally_too_stale(uint64_t judged, uint64_t stale);

#endif
