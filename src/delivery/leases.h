/* Deliveries that have a lease (V2): a set of ids, of a fixed size. Private to delivery/. */
#ifndef PH_DELIVERY_LEASES_H
#define PH_DELIVERY_LEASES_H

#include "base/limits.h"
#include "base/slice.h"

enum { PH_LEASE_SLOTS = 2 * PH_DELIVERY_LEASES_MAX }; /* half full at most: looks stay short */

/* Zeroed: empty. */
struct ph_leases {
    int64_t slots[PH_LEASE_SLOTS]; /* 0: free */
    size_t count;
};

bool ph_leases_has(const struct ph_leases *leases, int64_t id);
/* Of an id that is not there; the caller sees to PH_DELIVERY_LEASES_MAX. */
void ph_leases_add(struct ph_leases *leases, int64_t id);
/* Of one that is. */
void ph_leases_remove(struct ph_leases *leases, int64_t id);

#endif
