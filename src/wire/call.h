/* A call as it was read from protobuf or JSON, before it is judged whole. Private to wire/. */
#ifndef PH_WIRE_CALL_H
#define PH_WIRE_CALL_H

#include "wire/wire.h"

struct ph_raw_call {
    bool has_details;
    int method;
    struct ph_slice uri, query, body;
    struct ph_header *headers; /* as they came; room for PH_HEADERS_MAX */
    size_t header_count;       /* may say more than there is room for: then the call is refused */
    bool has_secret;
    struct ph_slice secret, additional;
    struct ph_slice merchant_event_id;
    int32_t capture_method;
};

/* Protobuf bytes into `raw`, in place: texts and body point into them. (call_read.c) */
PH_MUST_USE enum ph_status ph_raw_call_read(struct ph_arena *arena, enum ph_form form,
                                            struct ph_slice bytes, struct ph_raw_call *raw,
                                            struct ph_slice *ret_why);

#endif
