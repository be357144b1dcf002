/* grpc.health.v1.Health, as its proto documents it. A service of ours is SERVING until the server
 * drains. */
#ifndef PH_SERVER_HEALTH_H
#define PH_SERVER_HEALTH_H

#include "server/rpc.h"

/* NOT_FOUND for a service that is not ours. */
bool ph_health_check(struct ph_service *service, struct ph_slice message,
                     struct ph_slice *ret_message, struct ph_fault *ret_fault);
/* The first message of a watch, and what it watches. SERVICE_UNKNOWN for one that is not ours. */
struct ph_slice ph_health_watch(struct ph_rpc_stream *stream, struct ph_slice message);
/* HealthCheckResponse */
struct ph_slice ph_health_status(bool known, bool draining);

#endif
