/* The words of the inbox, as the schema's views, the admin API and people say them. */
#include "inbox/inbox.h"

struct ph_slice ph_standing_name(enum ph_inbox_standing standing)
{
    switch (standing) {
    case PH_STANDING_ACCEPTED:
        return PH_S("accepted");
    case PH_STANDING_HINT:
        return PH_S("hint");
    case PH_STANDING_PENDING:
        return PH_S("pending");
    case PH_STANDING_QUARANTINED:
        return PH_S("quarantined");
    case PH_STANDING_REVISION:
        return PH_S("revision");
    case PH_STANDING_DROPPED:
        return PH_S("dropped");
    }
    return PH_S("unknown");
}

struct ph_slice ph_delivery_state_name(enum ph_delivery_state state)
{
    switch (state) {
    case PH_DELIVERY_QUEUED:
        return PH_S("queued");
    case PH_DELIVERY_WAITING:
        return PH_S("waiting");
    case PH_DELIVERY_PARKED:
        return PH_S("parked");
    case PH_DELIVERY_DONE:
        return PH_S("done");
    case PH_DELIVERY_DEAD:
        return PH_S("dead");
    case PH_DELIVERY_DROPPED:
        return PH_S("dropped");
    }
    return PH_S("unknown");
}
