/* The Event Service: one complete HTTP request in, its answer out. */
#ifndef PH_SERVER_SERVICE_H
#define PH_SERVER_SERVICE_H

#include "http/grpc.h"
#include "http/message.h"
#include "os/random.h"
#include "server/metrics.h"
#include "server/server.h"

struct ph_rpc_stream;
struct ph_asking;
struct ph_callouts;
struct ph_admin;
struct ph_gateway;
struct ph_later;
struct ph_tally;
struct ph_view;
struct ph_watch;

/* What the handlers of one reactor share. Answers live in the worker's arena. */
struct ph_service {
    const struct ph_server_config *config;
    struct ph_worker *worker;
    struct ph_counters *counters;
    const struct ph_counter_set *counter_set; /* of all threads */
    struct ph_memory *memory;                 /* of the reactor: for what outlives a call */
    struct ph_rpc_stream *streams;            /* open ones */
    bool draining;
    const struct ph_watch *watch;
    struct ph_tally *tally; /* of the reactor */
    struct ph_later *later;
    struct ph_view *view;         /* the configuration in use; the reactor's reference */
    struct ph_gateway *gateway;   /* NULL: there is none */
    struct ph_admin *admin;       /* NULL: there is none */
    struct ph_callouts *callouts; /* NULL: none are made */
    struct ph_asking *asking;     /* the call being run has been run before; else NULL */
    /* what the run before the answer leaves to ask; NULL: nothing */
    const struct ph_callout *wanted;
    bool again;          /* … and whether what was brought is too old */
    int64_t received_ms; /* … and when the call was received */
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

/* ph_http_handler.streams */
bool ph_service_streams(void *ctx, struct ph_slice target);

/* ph_http_handler.passes */
bool ph_service_passes(void *ctx, struct ph_slice target);

/* ---- shared by the handlers ------------------------------------------------------------------ */

/* Sets the fault, named like its code; always false, to be returned. */
bool ph_fault_set(struct ph_fault *ret_fault, int code, struct ph_slice message);
/* False, with the fault: the transport refused the request. */
bool ph_service_check_refusal(const struct ph_http_request *request, struct ph_fault *ret_fault);

/* An answer in JSON; `text` must live as long as the answer. */
void ph_service_answer_json(struct ph_service *service, int status, struct ph_slice text,
                            struct ph_http_response *ret_response);
/* {"error":{"code","message"}} */
void ph_service_answer_error(struct ph_service *service, int status, struct ph_slice code,
                             struct ph_slice message, struct ph_http_response *ret_response);
/* Begins the headers: x-request-id, the client's or a fresh one. */
void ph_service_begin(struct ph_service *service, const struct ph_http_request *request,
                      struct ph_http_response *ret_response);
/* A header's name of a page, in lower case, as HTTP/2 wants it; empty without memory. */
struct ph_slice ph_service_lower(struct ph_service *service, struct ph_slice name);
/* One more header; past the room for them it is left out. */
void ph_service_add_header(struct ph_service *service, struct ph_http_response *response,
                           struct ph_slice name, struct ph_slice value);
/* What the transport refused, told: true when `request` was one of those. */
bool ph_service_refused(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response);
/* Whether the body is as is: Content-Encoding is absent or identity. */
bool ph_service_body_is_plain(const struct ph_http_request *request);

#endif
