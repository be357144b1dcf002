/* The four operations, whatever brought them: metadata, decode, engine, encode. */
#ifndef PH_SERVER_OPERATION_H
#define PH_SERVER_OPERATION_H

#include "server/service.h"

enum ph_operation {
    PH_OP_HANDLE,
    PH_OP_HANDLE_EVENT,
    PH_OP_PARSE_EVENT,
    PH_OP_COMPOSITE, /* ParseEvent and HandleEvent in one answer */
};

/* How a request and its answer are written. */
enum ph_dialect {
    PH_DIALECT_PROTOBUF,
    PH_DIALECT_JSON, /* canonical protobuf JSON */
};

/* *ret_bytes lies in the worker's arena. False: *ret_fault says why. */
bool ph_operation_run(struct ph_service *service, const struct ph_http_request *request,
                      enum ph_operation operation, enum ph_dialect dialect, struct ph_slice bytes,
                      struct ph_slice *ret_bytes, struct ph_fault *ret_fault);

#endif
