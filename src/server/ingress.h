/* The webhook ingress of dev mode: verifies, prints, answers as the processor wants. Keeps nothing.
 */
#ifndef PH_SERVER_INGRESS_H
#define PH_SERVER_INGRESS_H

#include "server/service.h"

/* ph_http_handler.handle; ctx is the service. */
enum ph_http_outcome ph_ingress_handle(void *ctx, struct ph_http_exchange *exchange,
                                       const struct ph_http_request *request,
                                       struct ph_http_response *ret_response);
/* "+ 2026… stripe PAYMENT_INTENT_SUCCESS verified evt_1 49.00 EUR" and the like, to stdout. Text
 * that strangers sent is printed without control characters. */
void ph_ingress_print(const struct ph_endpoint *endpoint, const struct ph_answer *answer);

#endif
