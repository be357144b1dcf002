/* x-config-override: the peer's patch of its configuration for one request. Of it we have a use for
 * one part, connectors.<name>: its texts come before the connector's own config. Only with
 * --allow-config-override: whoever may send it can redirect outbound calls. */
#ifndef PH_SERVER_OVERRIDE_H
#define PH_SERVER_OVERRIDE_H

#include "server/metadata.h"

/* False: *ret_fault says why. Absent or blank is none. */
bool ph_override_apply(const struct ph_server_config *config, struct ph_arena *arena,
                       struct ph_slice text, struct ph_metadata *metadata,
                       struct ph_fault *ret_fault);

#endif
