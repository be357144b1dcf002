/* The webhooks' listener of the gateway: a request is judged, stored, and only then answered.
 *
 * V1 (G1): the page's success leaves after the commit that holds the request.
 * V2 (G4): whatever goes wrong on our side is 503 with Retry-After; the sender comes again, and
 *     its key tells the two apart from one.
 * V3: the request is copied once, into what the inbox keeps until it is done: no buffer of the
 *     connection is needed meanwhile, and a sender that goes away changes nothing. */
#ifndef PH_SERVER_RECEIVE_H
#define PH_SERVER_RECEIVE_H

#include "server/service.h"

/* ph_http_handler.handle; ctx is the service, which has a gateway. */
enum ph_http_outcome ph_receive_handle(void *ctx, struct ph_http_exchange *exchange,
                                       const struct ph_http_request *request,
                                       struct ph_http_response *ret_response);

#endif
