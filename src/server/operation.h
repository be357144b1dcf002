/* The four operations, whatever brought them: metadata, decode, engine, encode. */
#ifndef PH_SERVER_OPERATION_H
#define PH_SERVER_OPERATION_H

#include "server/service.h"
#include "wire/wire.h"

/* How a request and its answer are written. */
enum ph_dialect {
    PH_DIALECT_PROTOBUF,
    PH_DIALECT_JSON,  /* canonical protobuf JSON */
    PH_DIALECT_SERDE, /* the JSON of the peer's HTTP server */
};

/* Runs the operation whose answer has this form. *ret_bytes lies in the worker's arena. False:
 * *ret_fault says why. */
bool ph_operation_run(struct ph_service *service, const struct ph_http_request *request,
                      enum ph_form form, enum ph_dialect dialect, struct ph_slice bytes,
                      struct ph_slice *ret_bytes, struct ph_fault *ret_fault);

#endif
