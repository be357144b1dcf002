/* gRPC: methods, deadlines, compression, statuses; calls of one message, and streams.
 *
 * R1: a call that fails is told in trailers only, with one status, its text percent-encoded.
 * R2: a stream belongs to its exchange: it ends with it, at its deadline, or when the server
 *     drains.
 * R3: an answer is compressed only for a client that compressed its request and accepts gzip. */
#ifndef PH_SERVER_RPC_H
#define PH_SERVER_RPC_H

#include "server/service.h"

enum ph_stream_kind { PH_STREAM_WATCH, PH_STREAM_REFLECTION };

/* A call of many messages. */
struct ph_rpc_stream {
    struct ph_http_owner owner; /* first: an exchange's owner leads to its stream */
    struct ph_http_exchange *exchange;
    struct ph_service *service;
    struct ph_rpc_stream *next, *previous; /* of the service */
    enum ph_stream_kind kind;
    int64_t deadline_ms; /* INT64_MAX: none */
    bool gzip, answers_gzip;
    bool known;   /* WATCH: the service asked for is one of ours */
    bool waiting; /* REFLECTION: a request waits for room */
};

/* A gRPC call, whole or (for kinds that stream) its head. */
enum ph_http_outcome ph_rpc_handle(struct ph_service *service, struct ph_http_exchange *exchange,
                                   const struct ph_http_request *request,
                                   struct ph_http_response *ret_response);
/* Whether this method's messages are wanted as they come. */
bool ph_rpc_streams(struct ph_slice target);
/* Whether this method is answered at once, or run again from what the exchange has. */
bool ph_rpc_passes(struct ph_slice target);
/* The status of a call that failed, as the one header block of its answer. */
void ph_rpc_answer_fault(struct ph_service *service, const struct ph_fault *fault,
                         struct ph_http_response *ret_response);
/* One more message of a stream; PH_ERR_AGAIN: no room now. */
PH_MUST_USE enum ph_status ph_rpc_send(struct ph_rpc_stream *stream, struct ph_slice message);
/* Ends a stream, and gives its memory back. */
void ph_rpc_end(struct ph_rpc_stream *stream, const struct ph_fault *fault);
/* Watchers hear that the server stops serving; then all streams end. Their connections are flushed
 * by whoever calls. */
void ph_rpc_drain(struct ph_service *service);
/* Ends the streams whose deadline has passed. */
void ph_rpc_expire(struct ph_service *service, int64_t now_ms);

#endif
