/* Server reflection, v1 and v1alpha (the same on the wire): serves the descriptors compiled in. */
#ifndef PH_SERVER_REFLECTION_H
#define PH_SERVER_REFLECTION_H

#include "server/rpc.h"

/* Answers the requests that have come; the stream may be gone afterwards. */
void ph_reflection_data(struct ph_rpc_stream *stream, bool ended);
/* One ServerReflectionRequest to its ServerReflectionResponse. PH_ERR_MALFORMED: no protobuf. */
PH_MUST_USE enum ph_status ph_reflection_answer(struct ph_arena *arena, struct ph_slice descriptors,
                                                struct ph_slice request, struct ph_slice *ret);
/* google.protobuf.FileDescriptorSet of all our services. */
struct ph_slice ph_reflection_descriptors(void);

#endif
