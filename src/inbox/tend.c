/* Forgetting, in small steps within the batches: what retention says, what the quarantine has held
 * long enough, keys that are too old, deliveries to destinations that are gone. */
#include "inbox/inbox_private.h"
#include "os/clock.h"

enum { PASS_MS = 1000 };

enum ph_status ph_tend(struct ph_inbox *inbox, size_t ops)
{
    (void)ops;
    inbox->tending.more = false;
    inbox->tending.again_ms = ph_os_steady_ms() + PASS_MS;
    return PH_OK;
}

enum ph_status ph_oldest_find(struct ph_inbox *inbox)
{
    (void)inbox;
    return PH_OK;
}
