/* What a processor asks a webhook's URL by GET before it sends anything (a page's `handshake`): told
 * from the page, to anybody, and not kept. */
#ifndef PH_SERVER_HANDSHAKE_H
#define PH_SERVER_HANDSHAKE_H

#include "server/service.h"

/* Of a request that is no POST. True: the page told what to answer; false: 405, or 404 where the
 * page has a handshake and this is none. Either way it is in ret_response. */
bool ph_handshake_answer(struct ph_service *service, const struct ph_connector *page,
                         const struct ph_http_request *request,
                         struct ph_http_response *ret_response);

#endif
