/* The Event Service: one complete HTTP request in, its answer out. */
#ifndef PH_SERVER_SERVICE_H
#define PH_SERVER_SERVICE_H

#include "http/grpc.h"
#include "http/message.h"
#include "os/random.h"
#include "server/server.h"

/* What the handlers of one reactor share. Answers live in the worker's arena. */
struct ph_service {
    const struct ph_server_config *config;
    struct ph_worker *worker;
    struct ph_counters *counters;
    struct ph_random_pool random;
    char fresh_id[PH_UUID_TEXT_BYTES];
    char grpc_prefix[PH_GRPC_PREFIX_BYTES];
    struct ph_header headers[40];
    struct ph_header trailers[PH_TRAILERS_MAX];
};

/* ph_http_handler.handle; ctx is the service. */
enum ph_http_outcome ph_service_handle(void *ctx, struct ph_http_exchange *exchange,
                                       const struct ph_http_request *request,
                                       struct ph_http_response *ret_response);

/* ---- shared with the ingress ---- */

/* An answer in JSON; `text` must live as long as the answer. */
void ph_service_answer_json(struct ph_service *service, int status, struct ph_slice text,
                            struct ph_http_response *ret_response);
/* {"error":{"code","message"}} */
void ph_service_answer_error(struct ph_service *service, int status, struct ph_slice code,
                             struct ph_slice message, struct ph_http_response *ret_response);
/* Begins the headers: x-request-id, the client's or a fresh one. */
void ph_service_begin(struct ph_service *service, const struct ph_http_request *request,
                      struct ph_http_response *ret_response);
/* One more header; past the room for them it is left out. */
void ph_service_add_header(struct ph_service *service, struct ph_http_response *response,
                           struct ph_slice name, struct ph_slice value);
/* What the transport refused, told: true when `request` was one of those. */
bool ph_service_refused(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response);
/* Whether the body is as is: Content-Encoding is absent or identity. */
bool ph_service_body_is_plain(const struct ph_http_request *request);

#endif
