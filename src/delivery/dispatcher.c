#include "delivery/dispatcher.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "delivery/lane.h"
#include "os/clock.h"

struct ph_dispatcher {
    struct ph_dispatcher_options options;
    /* By number; made when a destination first has it, gone with the dispatcher: whoever wakes one
     * finds it there. */
    _Atomic(struct ph_lane *) lanes[PH_DESTINATIONS_MAX];
    /* What each was last told to go by; NULL: nothing. Of whoever starts, reconfigures and stops.
     */
    struct ph_lane_settings *told[PH_DESTINATIONS_MAX];
};

static_assert(PH_DESTINATIONS_MAX == 64, "a mask has a bit for each destination");

/* Two copies: the worker's own, which it frees, and ours, to compare the next with. */
static enum ph_status tell(struct ph_dispatcher *dispatcher,
                           const struct ph_dispatcher_destination *d)
{
    size_t n = d->number;
    if (dispatcher->told[n] != NULL && ph_lane_settings_same(&dispatcher->told[n]->d, d))
        return PH_OK;
    struct ph_lane *lane = atomic_load(&dispatcher->lanes[n]);
    if (lane == NULL) {
        lane = ph_lane_new(&dispatcher->options, n);
        atomic_store(&dispatcher->lanes[n], lane);
    }
    struct ph_lane_settings *theirs = ph_lane_settings_copy(d), *ours = ph_lane_settings_copy(d);
    if (lane == NULL || theirs == NULL || ours == NULL) {
        ph_lane_settings_free(theirs);
        ph_lane_settings_free(ours);
        return PH_ERR_NO_MEMORY;
    }
    ph_lane_change(lane, theirs);
    ph_lane_settings_free(dispatcher->told[n]);
    dispatcher->told[n] = ours;
    return PH_OK;
}

enum ph_status ph_dispatcher_reconfigure(struct ph_dispatcher *dispatcher,
                                         const struct ph_dispatcher_destination *destinations,
                                         size_t count)
{
    uint64_t there = 0;
    for (size_t i = 0; i < count; i++) {
        if (destinations[i].number >= PH_DESTINATIONS_MAX || destinations[i].concurrency < 1 ||
            destinations[i].batch < 1)
            return PH_ERR_INVALID;
        there |= UINT64_C(1) << destinations[i].number;
    }
    for (size_t n = 0; n < PH_DESTINATIONS_MAX; n++)
        if (dispatcher->told[n] != NULL && (there >> n & 1) == 0) {
            ph_lane_change(atomic_load(&dispatcher->lanes[n]), NULL);
            ph_lane_settings_free(dispatcher->told[n]);
            dispatcher->told[n] = NULL;
        }
    enum ph_status st = PH_OK;
    for (size_t i = 0; i < count;
         i++) { /* one that cannot be told does not keep the others from it */
        enum ph_status one = tell(dispatcher, &destinations[i]);
        st = one != PH_OK ? one : st;
    }
    return st;
}

enum ph_status ph_dispatcher_start(const struct ph_dispatcher_options *options,
                                   struct ph_dispatcher **ret)
{
    struct ph_dispatcher *dispatcher = calloc(1, sizeof *dispatcher);
    if (dispatcher == NULL)
        return PH_ERR_NO_MEMORY;
    dispatcher->options = *options;
    dispatcher->options.destinations = NULL;
    dispatcher->options.count = 0;
    enum ph_status st =
        ph_dispatcher_reconfigure(dispatcher, options->destinations, options->count);
    if (st != PH_OK)
        ph_dispatcher_stop(dispatcher, 0);
    else
        *ret = dispatcher;
    return st;
}

void ph_dispatcher_wake(struct ph_dispatcher *dispatcher, uint64_t mask)
{
    for (size_t n = 0; dispatcher != NULL && mask != 0; n++, mask >>= 1) {
        struct ph_lane *lane = (mask & 1) != 0 ? atomic_load(&dispatcher->lanes[n]) : NULL;
        if (lane != NULL)
            ph_lane_wake(lane);
    }
}

void ph_dispatcher_stop(struct ph_dispatcher *dispatcher, int64_t drain_ms)
{
    if (dispatcher == NULL)
        return;
    int64_t stop_by_ms = ph_os_steady_ms() + drain_ms;
    for (size_t n = 0; n < PH_DESTINATIONS_MAX; n++)
        if (atomic_load(&dispatcher->lanes[n]) != NULL)
            ph_lane_stop(atomic_load(&dispatcher->lanes[n]), stop_by_ms);
    for (size_t n = 0; n < PH_DESTINATIONS_MAX; n++) {
        if (atomic_load(&dispatcher->lanes[n]) != NULL)
            ph_lane_free(atomic_load(&dispatcher->lanes[n]));
        ph_lane_settings_free(dispatcher->told[n]);
    }
    free(dispatcher);
}

void ph_dispatcher_stats(struct ph_dispatcher *dispatcher, size_t number,
                         struct ph_dispatcher_stats *ret)
{
    struct ph_lane *lane = atomic_load(&dispatcher->lanes[number]);
    *ret = (struct ph_dispatcher_stats){.runs = false};
    if (lane == NULL)
        return;
    pthread_mutex_lock(&lane->lock);
    *ret = lane->stats;
    pthread_mutex_unlock(&lane->lock);
}
