#include "delivery/leases.h"

#include <assert.h>

static_assert((PH_LEASE_SLOTS & (PH_LEASE_SLOTS - 1)) == 0, "slots are a power of two");

static size_t home_of(int64_t id)
{
    return (size_t)(((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (PH_LEASE_SLOTS - 1);
}

/* Where the id is, or the free slot where it would be. */
static size_t slot_of(const struct ph_leases *leases, int64_t id)
{
    size_t at = home_of(id);
    while (leases->slots[at] != 0 && leases->slots[at] != id)
        at = (at + 1) & (PH_LEASE_SLOTS - 1);
    return at;
}

bool ph_leases_has(const struct ph_leases *leases, int64_t id)
{
    return leases->slots[slot_of(leases, id)] == id;
}

void ph_leases_add(struct ph_leases *leases, int64_t id)
{
    size_t at = slot_of(leases, id);
    assert(id > 0 && leases->slots[at] == 0 && leases->count < PH_DELIVERY_LEASES_MAX);
    leases->slots[at] = id;
    leases->count++;
}

/* Whoever stands behind the hole and has its home at or before it moves up: no look ends at a hole
 * too early. */
void ph_leases_remove(struct ph_leases *leases, int64_t id)
{
    size_t hole = slot_of(leases, id);
    assert(leases->slots[hole] == id);
    for (size_t at = (hole + 1) & (PH_LEASE_SLOTS - 1); leases->slots[at] != 0;
         at = (at + 1) & (PH_LEASE_SLOTS - 1)) {
        size_t home = home_of(leases->slots[at]);
        if (((at - home) & (PH_LEASE_SLOTS - 1)) >= ((at - hole) & (PH_LEASE_SLOTS - 1))) {
            leases->slots[hole] = leases->slots[at];
            hole = at;
        }
    }
    leases->slots[hole] = 0;
    leases->count--;
}
