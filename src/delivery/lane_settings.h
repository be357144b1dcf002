/* A destination's settings, copied: one arena holds all of it, and is wiped. Private to delivery/.
 */
#ifndef PH_DELIVERY_LANE_SETTINGS_H
#define PH_DELIVERY_LANE_SETTINGS_H

#include "delivery/dispatcher.h"

struct ph_lane_settings {
    struct ph_arena arena;
    struct ph_dispatcher_destination d;
};

/* NULL: no memory. */
struct ph_lane_settings *ph_lane_settings_copy(const struct ph_dispatcher_destination *d);
/* Wipes and frees. NULL is fine. */
void ph_lane_settings_free(struct ph_lane_settings *settings);
/* Whether nothing that a worker goes by differs. */
bool ph_lane_settings_same(const struct ph_dispatcher_destination *a,
                           const struct ph_dispatcher_destination *b);

#endif
