#include "server/rpc.h"

#include "core/codec.h"
#include "http/gzip.h"
#include "os/clock.h"
#include "server/health.h"
#include "server/operation.h"
#include "server/reflection.h"
#include "wire/wire.h"

/* ---- methods --------------------------------------------------------------------------------- */

typedef bool unary(struct ph_service *service, const struct ph_http_request *request,
                   struct ph_slice message, struct ph_slice *ret_message,
                   struct ph_fault *ret_fault);

static bool call_handle(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_slice message, struct ph_slice *ret_message,
                        struct ph_fault *ret_fault)
{
    return ph_operation_run(service, request, PH_FORM_HANDLE, PH_DIALECT_PROTOBUF, message,
                            ret_message, ret_fault);
}

static bool call_handle_event(struct ph_service *service, const struct ph_http_request *request,
                              struct ph_slice message, struct ph_slice *ret_message,
                              struct ph_fault *ret_fault)
{
    return ph_operation_run(service, request, PH_FORM_HANDLE_EVENT, PH_DIALECT_PROTOBUF, message,
                            ret_message, ret_fault);
}

static bool call_parse_event(struct ph_service *service, const struct ph_http_request *request,
                             struct ph_slice message, struct ph_slice *ret_message,
                             struct ph_fault *ret_fault)
{
    return ph_operation_run(service, request, PH_FORM_PARSE, PH_DIALECT_PROTOBUF, message,
                            ret_message, ret_fault);
}

static bool call_composite(struct ph_service *service, const struct ph_http_request *request,
                           struct ph_slice message, struct ph_slice *ret_message,
                           struct ph_fault *ret_fault)
{
    return ph_operation_run(service, request, PH_FORM_COMPOSITE, PH_DIALECT_PROTOBUF, message,
                            ret_message, ret_fault);
}

/* Outbound to surcharge and fraud connectors, of which there is none here. */
static bool call_notify(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_slice message, struct ph_slice *ret_message,
                        struct ph_fault *ret_fault)
{
    (void)service, (void)request, (void)message, (void)ret_message;
    return ph_fault_set(ret_fault, PH_GRPC_UNIMPLEMENTED,
                        PH_S("no connector here takes notifications"));
}

static bool call_health(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_slice message, struct ph_slice *ret_message,
                        struct ph_fault *ret_fault)
{
    (void)request;
    return ph_health_check(service, message, ret_message, ret_fault);
}

struct method {
    struct ph_slice path;
    unary *call; /* NULL: a stream */
    enum ph_stream_kind kind;
    bool in_parts; /* its requests come as a stream, too */
};

static const struct method methods[] = {
    {PH_SI("/types.EventService/HandleEvent"), .call = call_handle_event},
    {PH_SI("/types.EventService/Handle"), .call = call_handle},
    {PH_SI("/types.EventService/ParseEvent"), .call = call_parse_event},
    {PH_SI("/types.EventService/NotifyConnector"), .call = call_notify},
    {PH_SI("/types.CompositeEventService/HandleEvent"), .call = call_composite},
    {PH_SI("/types.CompositeEventService/Notify"), .call = call_notify},
    {PH_SI("/grpc.health.v1.Health/Check"), .call = call_health},
    {PH_SI("/grpc.health.v1.Health/Watch"), .kind = PH_STREAM_WATCH},
    {PH_SI("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
     .kind = PH_STREAM_REFLECTION, .in_parts = true},
    {PH_SI("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"),
     .kind = PH_STREAM_REFLECTION, .in_parts = true},
};

static const struct method *find_method(struct ph_slice target)
{
    for (size_t i = 0; i < PH_COUNTOF(methods); i++)
        if (ph_slice_eq(target, methods[i].path))
            return &methods[i];
    return NULL;
}

bool ph_rpc_streams(struct ph_slice target)
{
    if (!ph_slice_starts(target, PH_S("/grpc.")))
        return false;
    const struct method *method = find_method(target);
    return method != NULL && method->in_parts;
}

bool ph_rpc_passes(struct ph_slice target)
{
    const struct method *method = find_method(target);
    return method != NULL && method->call != NULL;
}

/* ---- statuses -------------------------------------------------------------------------------- */

/* The status as headers: for Trailers-Only answers, and for the trailers of streams. */
static size_t write_status(struct ph_service *service, const struct ph_fault *fault,
                           struct ph_header headers[3])
{
    struct ph_arena *arena = ph_worker_arena(service->worker);
    struct ph_slice text, details = {0}, encoded = {0};
    size_t count = 0;
    headers[count++] = (struct ph_header){PH_S("grpc-status"), ph_grpc_status_text(fault->code)};
    if (fault->code == PH_GRPC_OK)
        return count;
    ph_count(&service->counters->grpc_errors);
    text = ph_grpc_encode_message(arena, fault->message);
    if (ph_slice_present(text))
        headers[count++] = (struct ph_header){PH_S("grpc-message"), text};
    if (fault->integration &&
        ph_wire_write_integration_error(arena, fault->name, fault->message, fault->suggestion,
                                        &details) == PH_OK &&
        ph_base64_encode(arena, details, false, false, &encoded))
        headers[count++] = (struct ph_header){PH_S("grpc-status-details-bin"), encoded};
    return count;
}

void ph_rpc_answer_fault(struct ph_service *service, const struct ph_fault *fault,
                         struct ph_http_response *ret_response)
{
    struct ph_header status[3];
    size_t count = write_status(service, fault, status);
    ret_response->status = 200;
    ph_service_add_header(service, ret_response, PH_S("content-type"), PH_S("application/grpc"));
    for (size_t i = 0; i < count; i++)
        ph_service_add_header(service, ret_response, status[i].name, status[i].value);
    if (fault->code == PH_GRPC_UNIMPLEMENTED)
        ph_service_add_header(service, ret_response, PH_S("grpc-accept-encoding"),
                              PH_GRPC_ACCEPT_ENCODING);
}

/* The message behind its prefix, compressed where that is wanted and worth it. */
static struct ph_slice write_message(struct ph_service *service, struct ph_slice message, bool gzip)
{
    enum { WORTH_COMPRESSING = 512 };
    struct ph_slice smaller = {0};
    bool compressed =
        gzip && message.len >= WORTH_COMPRESSING &&
        ph_gzip_deflate(ph_worker_arena(service->worker), message, &smaller) == PH_OK &&
        smaller.len < message.len;
    if (compressed)
        message = smaller;
    ph_grpc_write_prefix(service->grpc_prefix, message.len, compressed);
    return message;
}

static void begin_answer(struct ph_service *service, bool gzip,
                         struct ph_http_response *ret_response)
{
    ph_service_add_header(service, ret_response, PH_S("content-type"), PH_S("application/grpc"));
    if (!gzip)
        return;
    ph_service_add_header(service, ret_response, PH_S("grpc-encoding"), PH_S("gzip"));
    ph_service_add_header(service, ret_response, PH_S("grpc-accept-encoding"),
                          PH_GRPC_ACCEPT_ENCODING);
}

static void answer_message(struct ph_service *service, struct ph_slice message, bool gzip,
                           struct ph_http_response *ret_response)
{
    begin_answer(service, gzip, ret_response);
    ret_response->body = write_message(service, message, gzip);
    ret_response->prefix = ph_slice_of(service->grpc_prefix, sizeof service->grpc_prefix);
    service->trailers[0] = (struct ph_header){.name = PH_S("grpc-status"), .value = PH_S("0")};
    ret_response->trailers = service->trailers;
    ret_response->trailer_count = 1;
}

/* ---- streams --------------------------------------------------------------------------------- */

static void forget(struct ph_rpc_stream *stream)
{
    struct ph_service *service = stream->service;
    if (stream->previous != NULL)
        stream->previous->next = stream->next;
    else
        service->streams = stream->next;
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    ph_memory_give(service->memory, stream, sizeof *stream);
}

static void on_gone(struct ph_http_owner *owner, struct ph_http_exchange *exchange)
{
    struct ph_rpc_stream *stream = (struct ph_rpc_stream *)(void *)owner;
    (void)exchange;
    ph_count(&stream->service->counters->exchanges_gone);
    forget(stream);
}

static void on_data(struct ph_http_owner *owner, struct ph_http_exchange *exchange, bool ended)
{
    struct ph_rpc_stream *stream = (struct ph_rpc_stream *)(void *)owner;
    (void)exchange;
    ph_worker_reset(stream->service->worker);
    if (stream->kind == PH_STREAM_REFLECTION)
        ph_reflection_data(stream, ended);
}

enum ph_status ph_rpc_send(struct ph_rpc_stream *stream, struct ph_slice message)
{
    struct ph_service *service = stream->service;
    message = write_message(service, message, stream->answers_gzip);
    enum ph_status st = ph_http_write(
        stream->exchange, ph_slice_of(service->grpc_prefix, sizeof service->grpc_prefix), message);
    if (st != PH_OK && st != PH_ERR_AGAIN)
        forget(stream); /* the exchange was aborted, and is no longer ours */
    return st;
}

void ph_rpc_end(struct ph_rpc_stream *stream, const struct ph_fault *fault)
{
    struct ph_header trailers[3];
    size_t count = write_status(stream->service, fault, trailers);
    ph_http_end(stream->exchange, trailers, count);
    forget(stream);
}

/* The stream is open from now on; WATCH has its first message in the answer. */
static bool begin_stream(struct ph_service *service, struct ph_http_exchange *exchange,
                         const struct method *method, struct ph_grpc_encodings encodings,
                         int64_t deadline_ms, struct ph_slice message,
                         struct ph_http_response *ret_response, struct ph_fault *ret_fault)
{
    if (service->draining)
        return ph_fault_set(ret_fault, PH_GRPC_UNAVAILABLE, PH_S("the server is going away"));
    struct ph_rpc_stream *stream = ph_memory_take(service->memory, sizeof *stream);
    if (stream == NULL)
        return ph_fault_set(ret_fault, PH_GRPC_UNAVAILABLE,
                            PH_S("no room for this request now; try again"));
    *stream = (struct ph_rpc_stream){
        .owner = {.gone = on_gone, .data = on_data},
        .exchange = exchange,
        .service = service,
        .next = service->streams,
        .kind = method->kind,
        .deadline_ms = deadline_ms,
        .gzip = encodings.request_gzip,
        .answers_gzip = encodings.request_gzip && encodings.accepts_gzip,
    };
    if (service->streams != NULL)
        service->streams->previous = stream;
    service->streams = stream;
    exchange->owner = &stream->owner;
    begin_answer(service, stream->answers_gzip, ret_response);
    ret_response->open = true;
    if (method->kind == PH_STREAM_WATCH) {
        ret_response->body = write_message(service, ph_health_watch(stream, message), false);
        ret_response->prefix = ph_slice_of(service->grpc_prefix, sizeof service->grpc_prefix);
    }
    return true;
}

void ph_rpc_drain(struct ph_service *service)
{
    struct ph_fault going = {0};
    service->draining = true;
    (void)ph_fault_set(&going, PH_GRPC_UNAVAILABLE, PH_S("the server is going away"));
    while (service->streams != NULL) {
        struct ph_rpc_stream *stream = service->streams;
        ph_worker_reset(service->worker);
        enum ph_status st = PH_OK;
        if (stream->kind == PH_STREAM_WATCH && stream->known)
            st = ph_rpc_send(stream, ph_health_status(stream->known, true));
        if (st == PH_OK || st == PH_ERR_AGAIN)
            ph_rpc_end(stream, &going);
    }
}

void ph_rpc_expire(struct ph_service *service, int64_t now_ms)
{
    struct ph_rpc_stream *next;
    struct ph_fault late = {0};
    (void)ph_fault_set(&late, PH_GRPC_DEADLINE_EXCEEDED, PH_S("the deadline has passed"));
    for (struct ph_rpc_stream *stream = service->streams; stream != NULL; stream = next) {
        next = stream->next;
        if (stream->deadline_ms > now_ms)
            continue;
        ph_count(&service->counters->limit_deadline);
        ph_worker_reset(service->worker);
        ph_rpc_end(stream, &late);
    }
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool read_deadline(struct ph_service *service, const struct ph_http_request *request,
                          int64_t *ret_ms, struct ph_fault *ret_fault)
{
    struct ph_slice text = ph_http_header(request, PH_S("grpc-timeout"));
    int64_t timeout_ms = 0;
    *ret_ms = INT64_MAX;
    if (!ph_slice_present(text))
        return true;
    if (!ph_grpc_timeout_ms(text, &timeout_ms))
        return ph_fault_set(ret_fault, PH_GRPC_INVALID_ARGUMENT, PH_S("grpc-timeout is malformed"));
    *ret_ms = request->headers_ms + timeout_ms;
    if (ph_os_steady_ms() < *ret_ms)
        return true;
    ph_count(&service->counters->limit_deadline);
    return ph_fault_set(ret_fault, PH_GRPC_DEADLINE_EXCEEDED, PH_S("the deadline has passed"));
}

static bool read_message(struct ph_service *service, const struct ph_http_request *request,
                         struct ph_grpc_encodings encodings, struct ph_slice *ret_message,
                         struct ph_fault *ret_fault)
{
    if (ph_grpc_read(request->body, encodings.request_gzip, PH_MESSAGE_BYTES_MAX,
                     ph_worker_arena(service->worker), ret_message, ret_fault))
        return true;
    if (ret_fault->code == PH_GRPC_RESOURCE_EXHAUSTED && encodings.request_gzip)
        ph_count(&service->counters->limit_inflated_bytes);
    return false;
}

static bool run(struct ph_service *service, struct ph_http_exchange *exchange,
                const struct ph_http_request *request, struct ph_http_response *ret_response,
                struct ph_fault *ret_fault)
{
    const struct method *method = find_method(request->target);
    struct ph_grpc_encodings encodings;
    struct ph_slice message = {0}, answer = {0};
    int64_t deadline_ms = INT64_MAX;
    if (!ph_service_check_refusal(request, ret_fault))
        return false;
    if (method == NULL)
        return ph_fault_set(ret_fault, PH_GRPC_UNIMPLEMENTED,
                            PH_S("this server has no such method"));
    if (!ph_grpc_encodings(request, &encodings, ret_fault) ||
        !read_deadline(service, request, &deadline_ms, ret_fault))
        return false;
    if (!method->in_parts && !read_message(service, request, encodings, &message, ret_fault))
        return false;
    if (method->call == NULL)
        return begin_stream(service, exchange, method, encodings, deadline_ms, message,
                            ret_response, ret_fault);
    if (!method->call(service, request, message, &answer, ret_fault))
        return false;
    answer_message(service, answer, encodings.request_gzip && encodings.accepts_gzip, ret_response);
    return true;
}

enum ph_http_outcome ph_rpc_handle(struct ph_service *service, struct ph_http_exchange *exchange,
                                   const struct ph_http_request *request,
                                   struct ph_http_response *ret_response)
{
    struct ph_fault fault = {0};
    if (service->asking == NULL) /* else it was counted when it came */
        ph_count(&service->counters->grpc_calls);
    if (!run(service, exchange, request, ret_response, &fault))
        ph_rpc_answer_fault(service, &fault, ret_response);
    return PH_HTTP_ANSWERED;
}
