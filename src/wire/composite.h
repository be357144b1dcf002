/* The composite service's messages, made of the others': its request is a handle request, and its
 * answer a handle answer with the reference in front, under other field numbers (WIRE). And the
 * details of an error. */
#ifndef PH_WIRE_COMPOSITE_H
#define PH_WIRE_COMPOSITE_H

#include "base/arena.h"

/* CompositeEventHandleRequest to EventServiceHandleRequest. PH_ERR_MALFORMED: no protobuf. */
PH_MUST_USE enum ph_status ph_wire_composite_request(struct ph_arena *arena, struct ph_slice bytes,
                                                     struct ph_slice *ret_handle);
/* EventServiceParseResponse and EventServiceHandleResponse to CompositeEventHandleResponse. */
PH_MUST_USE enum ph_status ph_wire_composite_answer(struct ph_arena *arena, struct ph_slice parse,
                                                    struct ph_slice handle, struct ph_slice *ret);
/* types.IntegrationError: what grpc-status-details-bin carries for errors of headers and config
 * (the peer puts it there itself, not in a google.rpc.Status). */
PH_MUST_USE enum ph_status ph_wire_integration_error(struct ph_arena *arena,
                                                     struct ph_slice message, struct ph_slice code,
                                                     struct ph_slice suggestion,
                                                     struct ph_slice *ret);

#endif
