/* What the server says of itself: figures, whether it is ready, a log. Shared by its threads. */
#ifndef PH_SERVER_WATCH_H
#define PH_SERVER_WATCH_H

#include "server/exposition.h"
#include "server/log.h"
#include "server/tally.h"

struct ph_gateway;

/* Filled while the server starts; all that is in it lives until every thread has ended. */
struct ph_watch {
    struct ph_log *log; /* NULL: none */
    _Atomic uint64_t reloads, reloads_failed;
    const struct ph_tally *tallies[PH_THREADS_MAX];
    atomic_size_t tally_count;
};

/* The gateway's families of /metrics. Between its opening and its closing; any thread. */
void ph_watch_metrics(const struct ph_watch *watch, struct ph_gateway *gateway,
                      struct ph_exposition *out);

/* The acceptor. */
void ph_watch_reloaded(struct ph_watch *watch, bool good);

enum ph_readiness { PH_READY, PH_DEGRADED, PH_NOT_READY };
/* What whoever sends requests here is to know: NOT_READY: nothing can be stored, or it is going
 * away; DEGRADED: it works, and somebody should look. ret_why says what, in words of ours; absent
 * when it is READY. Gateway NULL: there is none. */
enum ph_readiness ph_watch_readiness(const struct ph_watch *watch, struct ph_gateway *gateway,
                                     bool draining, int64_t unix_ms, struct ph_slice *ret_why);

#endif
