/* The counters of all threads, as Prometheus reads them (text format 0.0.4). */
#ifndef PH_SERVER_METRICS_H
#define PH_SERVER_METRICS_H

#include "base/limits.h"
#include "http/counters.h"
#include "server/exposition.h"

/* Filled while the server starts; all that is in it lives until every thread has ended. */
struct ph_counter_set {
    const struct ph_counters *of[PH_THREADS_MAX + 1]; /* reactors, and the acceptor */
    atomic_size_t count;
};

/* The sums. */
void ph_metrics_counters(const struct ph_counter_set *set, struct ph_exposition *out);

#endif
