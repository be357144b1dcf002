/* The counters of all threads, as Prometheus reads them (text format 0.0.4). */
#ifndef PH_SERVER_METRICS_H
#define PH_SERVER_METRICS_H

#include "base/arena.h"
#include "base/limits.h"
#include "http/counters.h"

/* Filled while the server starts; all that is in it lives until every thread has ended. */
struct ph_counter_set {
    const struct ph_counters *of[PH_THREADS_MAX + 1]; /* reactors, and the acceptor */
    atomic_size_t count;
};

/* The sums; {NULL,0} without memory. */
struct ph_slice ph_metrics_text(struct ph_arena *arena, const struct ph_counter_set *set);

#endif
