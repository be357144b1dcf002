/* The admin API: looking at the inbox and replaying, over HTTP on the Event Service's listener
 * (with a token) and on a unix socket (without).
 *
 * D1: what reads or writes the inbox runs on one thread of its own, never on a reactor: calls wait
 * in a bounded queue, and their answers come by server/later.h. D2: answers are pages: bounded,
 * with a cursor. D3: what people may not see is masked (gateway/mask.h) unless they have the scope
 * `raw` and ask for it. */
#ifndef PH_SERVER_ADMIN_H
#define PH_SERVER_ADMIN_H

#include "server/service.h"

struct ph_admin;

/* Gives a running thread, or NULL. Keeps the gateway. */
struct ph_admin *ph_admin_start(struct ph_gateway *gateway);
/* Whoever waits for news is answered, now and from now on: the server is going away. NULL is fine.
 * Any thread. */
void ph_admin_drain(struct ph_admin *admin);
/* Ends the thread; calls that wait are answered with an error. Nobody calls any more. NULL is fine.
 */
void ph_admin_stop(struct ph_admin *admin);

/* Whether a path is the admin API's. */
bool ph_admin_is_path(struct ph_slice path);
/* A request to such a path. `local`: it came by the unix socket, and may do everything. Without an
 * admin (service->admin) it is told that there is none. */
enum ph_http_outcome ph_admin_handle(struct ph_service *service, struct ph_http_exchange *exchange,
                                     const struct ph_http_request *request, bool local,
                                     struct ph_http_response *ret_response);
/* ph_http_handler.handle of the unix socket; ctx is the service. */
enum ph_http_outcome ph_admin_handle_local(void *ctx, struct ph_http_exchange *exchange,
                                           const struct ph_http_request *request,
                                           struct ph_http_response *ret_response);

#endif
