/* Routes of the Event Service. A gRPC call and its JSON twin run the same four steps: metadata,
 * decode, engine, encode; only the last differs. */
#include "server/service.h"

#include "base/limits.h"
#include "crypto/crypto.h"
#include "os/clock.h"
#include "server/metadata.h"
#include "wire/wire.h"

/* ---- answers -----------------------------------------------------------------------------------
 */

void ph_service_add_header(struct ph_service *service, struct ph_http_response *response,
                           struct ph_slice name, struct ph_slice value)
{
    if (response->header_count < PH_COUNTOF(service->headers))
        service->headers[response->header_count++] =
            (struct ph_header){.name = name, .value = value};
}

void ph_service_begin(struct ph_service *service, const struct ph_http_request *request,
                      struct ph_http_response *ret_response)
{
    enum { ID_BYTES_MAX = 256 };
    *ret_response = (struct ph_http_response){.status = 200, .headers = service->headers};
    struct ph_slice id = ph_http_header(request, PH_S("x-request-id"));
    if (id.len == 0 || id.len > ID_BYTES_MAX) {
        if (ph_os_uuid(&service->random, service->fresh_id) != PH_OK)
            return; /* no id is better than no answer */
        id = ph_slice_of(service->fresh_id, sizeof service->fresh_id);
    }
    ph_service_add_header(service, ret_response, PH_S("x-request-id"), id);
}

void ph_service_answer_json(struct ph_service *service, int status, struct ph_slice text,
                            struct ph_http_response *ret_response)
{
    ret_response->status = status;
    ret_response->body = text;
    ph_service_add_header(service, ret_response, PH_S("content-type"), PH_S("application/json"));
}

void ph_service_answer_error(struct ph_service *service, int status, struct ph_slice code,
                             struct ph_slice message, struct ph_http_response *ret_response)
{
    struct ph_slice text = {0};
    if (ph_wire_write_error_json(ph_worker_arena(service->worker), code, message, &text) != PH_OK)
        text = PH_S("{\"error\":{\"code\":\"RESOURCE_EXHAUSTED\",\"message\":\"out of memory\"}}");
    ph_service_answer_json(service, status, text, ret_response);
}

static void answer_grpc(struct ph_service *service, struct ph_slice message,
                        struct ph_http_response *ret_response)
{
    ph_service_add_header(service, ret_response, PH_S("content-type"), PH_S("application/grpc"));
    ph_grpc_write_prefix(service->grpc_prefix, message.len);
    ret_response->prefix = ph_slice_of(service->grpc_prefix, sizeof service->grpc_prefix);
    ret_response->body = message;
    service->trailers[0] = (struct ph_header){.name = PH_S("grpc-status"), .value = PH_S("0")};
    ret_response->trailers = service->trailers;
    ret_response->trailer_count = 1;
}

/* Trailers-Only: the status is in the one and only header block. */
static void answer_grpc_fault(struct ph_service *service, const struct ph_fault *fault,
                              struct ph_http_response *ret_response)
{
    ph_service_add_header(service, ret_response, PH_S("content-type"), PH_S("application/grpc"));
    ph_service_add_header(service, ret_response, PH_S("grpc-status"),
                          ph_grpc_status_text(fault->code));
    struct ph_slice text = ph_grpc_encode_message(ph_worker_arena(service->worker), fault->message);
    if (ph_slice_present(text))
        ph_service_add_header(service, ret_response, PH_S("grpc-message"), text);
    if (fault->code == PH_GRPC_UNIMPLEMENTED)
        ph_service_add_header(service, ret_response, PH_S("grpc-accept-encoding"),
                              PH_S("identity"));
}

static bool fail(struct ph_fault *ret_fault, int code, struct ph_slice message)
{
    *ret_fault =
        (struct ph_fault){.code = code, .name = ph_grpc_code_name(code), .message = message};
    return false;
}

static bool fail_status(struct ph_fault *ret_fault, enum ph_status st)
{
    if (st == PH_ERR_NO_MEMORY || st == PH_ERR_TOO_LARGE)
        return fail(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED, PH_S("the call needs too much memory"));
    return fail(ret_fault, PH_GRPC_INTERNAL, ph_slice_str(ph_status_text(st)));
}

/* ---- the operation -----------------------------------------------------------------------------
 */

static bool read_call(struct ph_arena *arena, enum ph_form form, bool json, struct ph_slice bytes,
                      struct ph_call *ret_call, struct ph_fault *ret_fault)
{
    struct ph_slice why = {0};
    enum ph_status st = json ? ph_wire_read_call_json(arena, form, bytes, ret_call, &why)
                             : ph_wire_read_call(arena, form, bytes, ret_call, &why);
    if (st == PH_ERR_INVALID || st == PH_ERR_MALFORMED) {
        fail(ret_fault, PH_GRPC_INVALID_ARGUMENT,
             why.len > 0 ? why : PH_S("the request cannot be decoded"));
        ret_fault->name = st == PH_ERR_INVALID ? PH_S("WEBHOOK_MISSING_REQUIRED_FIELD")
                                               : PH_S("INVALID_ARGUMENT");
        return false;
    }
    if (st != PH_OK)
        return fail_status(ret_fault, st);
    if (ret_call->request.body.len > PH_BODY_BYTES_MAX)
        return fail(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED,
                    PH_S("the webhook's body is larger than the limit"));
    return true;
}

static bool run(struct ph_service *service, const struct ph_http_request *request,
                enum ph_form form, bool json, struct ph_slice bytes, struct ph_slice *ret_bytes,
                struct ph_fault *ret_fault)
{
    struct ph_arena *arena = ph_worker_arena(service->worker);
    struct ph_metadata metadata;
    struct ph_call call = {0};
    if (!ph_metadata_read(service->config, arena, request, ph_os_unix_ms(), &metadata, ret_fault) ||
        !read_call(arena, form, json, bytes, &call, ret_fault))
        return false;
    const struct ph_input in = {
        .connector = metadata.connector,
        .request = &call.request,
        .secrets = &call.secret,
        .secret_count = call.has_secret ? 1 : 0,
        .config = metadata.config,
        .config_count = metadata.config_count,
        .capture_method = call.capture_method,
        .now_ms = metadata.received_ms,
        .merchant_event_id = call.merchant_event_id,
    };
    struct ph_answer answer = {0};
    enum ph_want want = form == PH_FORM_PARSE ? PH_WANT_REFERENCE
                        : form == PH_FORM_HANDLE_EVENT
                            ? (enum ph_want)(PH_WANT_ALL | PH_WANT_PEER_REPLY)
                            : PH_WANT_ALL;
    enum ph_status st = ph_engine_run_keep(service->worker, &in, want, &answer);
    if (st != PH_OK)
        return fail_status(ret_fault, st);
    if (answer.error != PH_E_NONE) {
        fail(ret_fault, ph_wire_grpc_status(answer.error), answer.error_message);
        ret_fault->name = ph_error_code_name(answer.error);
        return false;
    }
    st = json ? ph_wire_write_json(arena, form, &answer, ret_bytes)
              : ph_wire_write(arena, form, &answer, ret_bytes);
    return st == PH_OK || fail_status(ret_fault, st);
}

/* ---- gRPC --------------------------------------------------------------------------------------
 */

enum method { METHOD_NONE, METHOD_HANDLE, METHOD_HANDLE_EVENT, METHOD_PARSE_EVENT, METHOD_HEALTH };

static enum method find_method(struct ph_slice path)
{
    static const struct {
        struct ph_slice path;
        enum method method;
    } methods[] = {
        {PH_SI("/types.EventService/Handle"), METHOD_HANDLE},
        {PH_SI("/types.EventService/HandleEvent"), METHOD_HANDLE_EVENT},
        {PH_SI("/types.EventService/ParseEvent"), METHOD_PARSE_EVENT},
        {PH_SI("/grpc.health.v1.Health/Check"), METHOD_HEALTH},
    };
    for (size_t i = 0; i < PH_COUNTOF(methods); i++)
        if (ph_slice_eq(path, methods[i].path))
            return methods[i].method;
    return METHOD_NONE;
}

static bool check_deadline(const struct ph_http_request *request, struct ph_fault *ret_fault)
{
    struct ph_slice text = ph_http_header(request, PH_S("grpc-timeout"));
    int64_t timeout_ms = 0;
    if (!ph_slice_present(text))
        return true;
    if (!ph_grpc_timeout_ms(text, &timeout_ms))
        return fail(ret_fault, PH_GRPC_INVALID_ARGUMENT, PH_S("grpc-timeout is malformed"));
    if (ph_os_steady_ms() - request->headers_ms < timeout_ms)
        return true;
    return fail(ret_fault, PH_GRPC_DEADLINE_EXCEEDED, PH_S("the deadline has passed"));
}

static bool check_refusal(const struct ph_http_request *request, struct ph_fault *ret_fault)
{
    switch (request->refusal) {
    case PH_HTTP_FINE:
        return true;
    case PH_HTTP_BODY_TOO_LARGE:
        return fail(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED,
                    PH_S("the message is larger than the limit"));
    case PH_HTTP_HEADERS_TOO_LARGE:
        return fail(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED, PH_S("too many headers, or too long"));
    case PH_HTTP_NO_ROOM:
        break;
    }
    return fail(ret_fault, PH_GRPC_UNAVAILABLE, PH_S("no room for this request now; try again"));
}

static bool run_call(struct ph_service *service, const struct ph_http_request *request,
                     struct ph_slice *ret_message, struct ph_fault *ret_fault)
{
    enum method method = find_method(request->target);
    struct ph_slice message = {0};
    if (!check_refusal(request, ret_fault))
        return false;
    if (method == METHOD_NONE)
        return fail(ret_fault, PH_GRPC_UNIMPLEMENTED, PH_S("this server has no such method"));
    if (!check_deadline(request, ret_fault) ||
        !ph_grpc_read(request, PH_MESSAGE_BYTES_MAX, &message, ret_fault))
        return false;
    switch (method) {
    case METHOD_HANDLE:
        return run(service, request, PH_FORM_HANDLE, false, message, ret_message, ret_fault);
    case METHOD_HANDLE_EVENT:
        return run(service, request, PH_FORM_HANDLE_EVENT, false, message, ret_message, ret_fault);
    case METHOD_PARSE_EVENT:
        return run(service, request, PH_FORM_PARSE, false, message, ret_message, ret_fault);
    default:
        *ret_message = PH_S("\x08\x01"); /* HealthCheckResponse{status: SERVING} */
        return true;
    }
}

static void handle_grpc(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response)
{
    struct ph_slice message = {0};
    struct ph_fault fault = {0};
    if (run_call(service, request, &message, &fault))
        answer_grpc(service, message, ret_response);
    else
        answer_grpc_fault(service, &fault, ret_response);
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

bool ph_service_refused(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response)
{
    struct ph_fault fault = {0};
    if (check_refusal(request, &fault))
        return false;
    int status = request->refusal == PH_HTTP_BODY_TOO_LARGE      ? 413
                 : request->refusal == PH_HTTP_HEADERS_TOO_LARGE ? 431
                                                                 : 503;
    ph_service_answer_error(service, status, fault.name, fault.message, ret_response);
    return true;
}

bool ph_service_body_is_plain(const struct ph_http_request *request)
{
    struct ph_slice encoding = ph_http_header(request, PH_S("content-encoding"));
    return encoding.len == 0 || ph_slice_eq_nocase(encoding, PH_S("identity"));
}

/* A page in a browser can post text/plain and forms to us unasked, but not application/json. */
static bool is_json(const struct ph_http_request *request)
{
    struct ph_slice type = ph_http_header(request, PH_S("content-type"));
    for (size_t i = 0; i < type.len; i++)
        if (type.ptr[i] == ';')
            type.len = i;
    return ph_slice_eq_nocase(ph_slice_trim(type), PH_S("application/json"));
}

static void handle_json(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response)
{
    struct ph_slice text = {0};
    struct ph_fault fault = {0};
    if (!is_json(request) || !ph_service_body_is_plain(request)) {
        ph_service_answer_error(service, 415, PH_S("INVALID_ARGUMENT"),
                                PH_S("send application/json, without a content-encoding"),
                                ret_response);
        return;
    }
    if (run(service, request, PH_FORM_HANDLE, true, request->body, &text, &fault)) {
        ph_service_answer_json(service, 200, text, ret_response);
        return;
    }
    int status = fault.code == PH_GRPC_RESOURCE_EXHAUSTED ? 413 : ph_wire_http_status(fault.code);
    ph_service_answer_error(service, status, fault.name, fault.message, ret_response);
}

static void handle_health(struct ph_service *service, const struct ph_http_request *request,
                          struct ph_http_response *ret_response)
{
    (void)request;
    ph_service_answer_json(service, 200,
                           PH_S("{\"status\":\"healthy\",\"service\":\"connector-service\"}"),
                           ret_response);
}

struct route {
    struct ph_slice path, method;
    void (*handle)(struct ph_service *, const struct ph_http_request *, struct ph_http_response *);
};
static const struct route routes[] = {
    {PH_SI("/v1/handle"), PH_SI("POST"), handle_json},
    {PH_SI("/health"), PH_SI("GET"), handle_health},
};

static void handle_http(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response)
{
    struct ph_slice path = ph_http_path(request);
    for (size_t i = 0; i < PH_COUNTOF(routes); i++) {
        if (!ph_slice_eq(path, routes[i].path))
            continue;
        if (ph_slice_eq(request->method, routes[i].method)) {
            routes[i].handle(service, request, ret_response);
            return;
        }
        ph_service_add_header(service, ret_response, PH_S("allow"), routes[i].method);
        ph_service_answer_error(service, 405, PH_S("METHOD_NOT_ALLOWED"),
                                PH_S("this path takes another method; see the allow header"),
                                ret_response);
        return;
    }
    ph_service_answer_error(service, 404, PH_S("NOT_FOUND"), PH_S("there is nothing at this path"),
                            ret_response);
}

/* ---- who may ask -------------------------------------------------------------------------------
 */

/* Load balancers ask for health without a token. */
static bool is_open_to_all(struct ph_slice path)
{
    return ph_slice_eq(path, PH_S("/health")) ||
           ph_slice_starts(path, PH_S("/grpc.health.v1.Health/"));
}

static bool has_token(const struct ph_http_request *request, struct ph_slice token)
{
    struct ph_slice text = ph_http_header(request, PH_S("authorization"));
    struct ph_slice scheme = PH_S("Bearer ");
    if (text.len < scheme.len || !ph_slice_eq_nocase(ph_slice_of(text.ptr, scheme.len), scheme))
        return false;
    return ph_crypto_equal(ph_slice_trim(ph_slice_from(text, scheme.len)), token);
}

static bool check_token(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response)
{
    struct ph_slice token = service->config->token;
    if (!ph_slice_present(token) || is_open_to_all(ph_http_path(request)) ||
        has_token(request, token))
        return true;
    struct ph_fault fault = {0};
    ph_count(&service->counters->unauthenticated);
    (void)fail(&fault, PH_GRPC_UNAUTHENTICATED,
               PH_S("send the server's token: authorization: Bearer"));
    if (ph_grpc_is_call(request)) {
        answer_grpc_fault(service, &fault, ret_response);
        return false;
    }
    ph_service_add_header(service, ret_response, PH_S("www-authenticate"), PH_S("Bearer"));
    ph_service_answer_error(service, 401, fault.name, fault.message, ret_response);
    return false;
}

enum ph_http_outcome ph_service_handle(void *ctx, struct ph_http_exchange *exchange,
                                       const struct ph_http_request *request,
                                       struct ph_http_response *ret_response)
{
    (void)exchange;
    struct ph_service *service = ctx;
    ph_worker_reset(service->worker);
    ph_service_begin(service, request, ret_response);
    if (!check_token(service, request, ret_response))
        return PH_HTTP_ANSWERED;
    if (ph_grpc_is_call(request))
        handle_grpc(service, request, ret_response);
    else if (!ph_service_refused(service, request, ret_response))
        handle_http(service, request, ret_response);
    return PH_HTTP_ANSWERED;
}
