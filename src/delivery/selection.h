/* Which destinations want an event: asked once, when it is stored. Pure. */
#ifndef PH_DELIVERY_SELECTION_H
#define PH_DELIVERY_SELECTION_H

#include "inbox/inbox.h"

/* Bits of `verdicts` and `modes`. */
enum ph_selection_verdicts {
    PH_SELECT_VERIFIED = 1,
    PH_SELECT_UNSIGNED = 2,
    PH_SELECT_UNSUPPORTED = 4
};
enum ph_selection_modes { PH_SELECT_LIVE = 1, PH_SELECT_TEST = 2, PH_SELECT_UNKNOWN = 4 };

/* What one destination wants. Borrows its texts. */
struct ph_selection {
    bool off; /* nothing: the destination is gone */
    /* Types, names of the specification, classes; any case; none: all. */
    const struct ph_slice *events;
    size_t event_count;
    const struct ph_slice *connectors; /* none: all */
    size_t connector_count;
    uint32_t verdicts;        /* enum ph_selection_verdicts; other verdicts are told to nobody */
    uint32_t modes;           /* enum ph_selection_modes; 0: the mode that the endpoint is for */
    struct ph_slice currency; /* absent: any amount, and none */
    int64_t least, most;      /* minor units; 0: no bound */
    bool once_per_effect;
};

/* Bit n: the n-th of `count` (at most 64) wants the event; of these, ret_once_per_effect are to be
 * told once for its effect_key. endpoint_mode: what the endpoint is for; PH_MODE_UNSPECIFIED: any.
 */
uint64_t ph_selection_pick(const struct ph_selection *selections, size_t count,
                           const struct ph_inbox_event *event, struct ph_slice connector,
                           enum ph_mode endpoint_mode, uint64_t *ret_once_per_effect);

#endif
