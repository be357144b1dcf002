/* Routes of the Event Service. A gRPC call and its JSON twin run the same four steps: metadata,
 * decode, engine, encode; only the last differs. */
#include "server/service.h"

#include <stdio.h>

#include "base/limits.h"
#include "crypto/crypto.h"
#include "gateway/view.h"
#include "os/clock.h"
#include "server/admin.h"
#include "server/asking.h"
#include "server/metrics.h"
#include "server/operation.h"
#include "server/rpc.h"
#include "server/watch.h"
#include "wire/wire.h"

/* ---- answers --------------------------------------------------------------------------------- */

void ph_service_add_header(struct ph_service *service, struct ph_http_response *response,
                           struct ph_slice name, struct ph_slice value)
{
    if (response->header_count < PH_COUNTOF(service->headers))
        service->headers[response->header_count++] =
            (struct ph_header){.name = name, .value = value};
}

struct ph_slice ph_service_lower(struct ph_service *service, struct ph_slice name)
{
    struct ph_slice copy = ph_arena_copy(ph_worker_arena(service->worker), name);
    char *text = (char *)copy.ptr;
    for (size_t i = 0; i < copy.len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] |= 0x20;
    return copy;
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

bool ph_fault_set(struct ph_fault *ret_fault, int code, struct ph_slice message)
{
    *ret_fault =
        (struct ph_fault){.code = code, .name = ph_grpc_code_name(code), .message = message};
    return false;
}

bool ph_service_check_refusal(const struct ph_http_request *request, struct ph_fault *ret_fault)
{
    switch (request->refusal) {
    case PH_HTTP_FINE:
        return true;
    case PH_HTTP_BODY_TOO_LARGE:
        return ph_fault_set(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED,
                            PH_S("the message is larger than the limit"));
    case PH_HTTP_HEADERS_TOO_LARGE:
        return ph_fault_set(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED,
                            PH_S("too many headers, or too long"));
    case PH_HTTP_TOO_LATE:
        return ph_fault_set(ret_fault, PH_GRPC_DEADLINE_EXCEEDED,
                            PH_S("the deadline has passed before the request was all there"));
    case PH_HTTP_NO_ROOM:
        break;
    }
    return ph_fault_set(ret_fault, PH_GRPC_UNAVAILABLE,
                        PH_S("no room for this request now; try again"));
}

/* ---- JSON ------------------------------------------------------------------------------------ */

bool ph_service_refused(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response)
{
    struct ph_fault fault = {0};
    if (ph_service_check_refusal(request, &fault))
        return false;
    int status = request->refusal == PH_HTTP_BODY_TOO_LARGE      ? 413
                 : request->refusal == PH_HTTP_HEADERS_TOO_LARGE ? 431
                 : request->refusal == PH_HTTP_TOO_LATE          ? 504
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

struct route {
    struct ph_slice path, method;
    void (*handle)(struct ph_service *, const struct ph_http_request *, const struct route *,
                   struct ph_http_response *);
    enum ph_form form; /* of routes that run an operation */
};

static void handle_json(struct ph_service *service, const struct ph_http_request *request,
                        const struct route *route, struct ph_http_response *ret_response)
{
    struct ph_slice text = {0};
    struct ph_fault fault = {0};
    if (!is_json(request) || !ph_service_body_is_plain(request)) {
        ph_service_answer_error(service, 415, PH_S("INVALID_ARGUMENT"),
                                PH_S("send application/json, without a content-encoding"),
                                ret_response);
        return;
    }
    if (ph_operation_run(service, request, route->form, PH_DIALECT_JSON, request->body, &text,
                         &fault)) {
        ph_service_answer_json(service, 200, text, ret_response);
        return;
    }
    int status = fault.code == PH_GRPC_RESOURCE_EXHAUSTED ? 413 : ph_wire_http_status(fault.code);
    ph_service_answer_error(service, status, fault.name, fault.message, ret_response);
}

/* The peer's shape of an error: the status once more, as text. */
static void answer_peer_error(struct ph_service *service, int status, struct ph_slice message,
                              struct ph_http_response *ret_response)
{
    struct ph_arena *arena = ph_worker_arena(service->worker);
    struct ph_slice text = {0};
    if (ph_wire_write_peer_error(arena, status, message, &text) != PH_OK)
        text = PH_S("{\"error\":{\"message\":\"out of memory\",\"code\":\"500\"}}");
    ph_service_answer_json(service, status, text, ret_response);
}

/* The peer's routes: a body that is not taken is 400. (One that is too large never gets here:
 * 413.) */
static void handle_peer(struct ph_service *service, const struct ph_http_request *request,
                        const struct route *route, struct ph_http_response *ret_response)
{
    struct ph_slice text = {0};
    struct ph_fault fault = {0};
    if (!is_json(request) || !ph_service_body_is_plain(request))
        answer_peer_error(service, 400, PH_S("send application/json, without a content-encoding"),
                          ret_response);
    else if (ph_operation_run(service, request, route->form, PH_DIALECT_SERDE, request->body, &text,
                              &fault))
        ph_service_answer_json(service, 200, text, ret_response);
    else
        answer_peer_error(service, ph_wire_http_status(fault.code), fault.message, ret_response);
}

/* Not healthy while it drains: load balancers look here, too. */
static void handle_health(struct ph_service *service, const struct ph_http_request *request,
                          const struct route *route, struct ph_http_response *ret_response)
{
    (void)request, (void)route;
    if (service->draining)
        ph_service_answer_error(service, 503, PH_S("UNAVAILABLE"), PH_S("the server is going away"),
                                ret_response);
    else
        ph_service_answer_json(service, 200,
                               PH_S("{\"status\":\"healthy\",\"service\":\"connector-service\"}"),
                               ret_response);
}

static void handle_metrics(struct ph_service *service, const struct ph_http_request *request,
                           const struct route *route, struct ph_http_response *ret_response)
{
    (void)request, (void)route;
    struct ph_exposition out = {.arena = ph_worker_arena(service->worker)};
    if (!service->view->config->metrics) {
        ph_service_answer_error(service, 404, PH_S("NOT_FOUND"),
                                PH_S("metrics are switched off (metrics: false)"), ret_response);
        return;
    }
    ph_metrics_counters(service->counter_set, &out);
    if (service->gateway != NULL)
        ph_watch_metrics(service->watch, service->gateway, &out);
    ret_response->body = ph_exposition_text(&out);
    if (!ph_slice_present(ret_response->body)) {
        ph_service_answer_error(service, 500, PH_S("RESOURCE_EXHAUSTED"), PH_S("out of memory"),
                                ret_response);
        return;
    }
    ph_service_add_header(service, ret_response, PH_S("content-type"),
                          PH_S("text/plain; version=0.0.4"));
}

/* Whether it lives, which it does when it answers. */
static void handle_healthz(struct ph_service *service, const struct ph_http_request *request,
                           const struct route *route, struct ph_http_response *ret_response)
{
    (void)request, (void)route;
    ph_service_answer_json(service, 200, PH_S("{\"status\":\"alive\"}"), ret_response);
}

/* Whether requests are to be sent here. */
static void handle_readyz(struct ph_service *service, const struct ph_http_request *request,
                          const struct route *route, struct ph_http_response *ret_response)
{
    (void)request, (void)route;
    static const struct ph_slice words[] = {[PH_READY] = PH_SI("ready"),
                                            [PH_DEGRADED] = PH_SI("degraded"),
                                            [PH_NOT_READY] = PH_SI("unavailable")};
    enum { BYTES_MAX = 256 };
    struct ph_slice why;
    char *text = ph_arena_alloc(ph_worker_arena(service->worker), BYTES_MAX);
    enum ph_readiness ready = ph_watch_readiness(service->watch, service->gateway,
                                                 service->draining, ph_os_unix_ms(), &why);
    int len = text == NULL ? 0
              : ready == PH_READY
                  ? snprintf(text, BYTES_MAX, "{\"status\":\"ready\"}")
                  : snprintf(text, BYTES_MAX, "{\"status\":\"%.*s\",\"reason\":\"%.*s\"}",
                             (int)words[ready].len, words[ready].ptr, (int)why.len, why.ptr);
    ph_service_answer_json(service, ready == PH_NOT_READY ? 503 : 200,
                           ph_slice_of(text, (size_t)len), ret_response);
}

/* A route is a row. */
static const struct route routes[] = {
    {PH_SI("/v1/handle"), PH_SI("POST"), handle_json, PH_FORM_HANDLE},
    {PH_SI("/events/parse"), PH_SI("POST"), handle_peer, PH_FORM_PARSE},
    {PH_SI("/events/handle"), PH_SI("POST"), handle_peer, PH_FORM_HANDLE_EVENT},
    {PH_SI("/composite/events/handle"), PH_SI("POST"), handle_peer, PH_FORM_COMPOSITE},
    /* The peer's older names of /events/handle. */
    {PH_SI("/payments/transform"), PH_SI("POST"), handle_peer, PH_FORM_HANDLE_EVENT},
    {PH_SI("/refunds/transform"), PH_SI("POST"), handle_peer, PH_FORM_HANDLE_EVENT},
    {PH_SI("/disputes/transform"), PH_SI("POST"), handle_peer, PH_FORM_HANDLE_EVENT},
    {PH_SI("/health"), PH_SI("GET"), handle_health, 0},
    {PH_SI("/healthz"), PH_SI("GET"), handle_healthz, 0},
    {PH_SI("/readyz"), PH_SI("GET"), handle_readyz, 0},
    {PH_SI("/metrics"), PH_SI("GET"), handle_metrics, 0},
};

/* NULL: there is nothing at this path. */
static const struct route *find_route(struct ph_slice path)
{
    for (size_t i = 0; i < PH_COUNTOF(routes); i++)
        if (ph_slice_eq(path, routes[i].path))
            return &routes[i];
    return NULL;
}

static void handle_http(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response)
{
    const struct route *route = find_route(ph_http_path(request));
    if (route == NULL) {
        ph_service_answer_error(service, 404, PH_S("NOT_FOUND"),
                                PH_S("there is nothing at this path"), ret_response);
    } else if (!ph_slice_eq(request->method, route->method)) {
        ph_service_add_header(service, ret_response, PH_S("allow"), route->method);
        ph_service_answer_error(service, 405, PH_S("METHOD_NOT_ALLOWED"),
                                PH_S("this path takes another method; see the allow header"),
                                ret_response);
    } else {
        route->handle(service, request, route, ret_response);
    }
}

/* ---- who may ask ----------------------------------------------------------------------------- */

/* Load balancers ask for health without a token. */
static bool is_open_to_all(struct ph_slice path)
{
    return ph_slice_eq(path, PH_S("/health")) || ph_slice_eq(path, PH_S("/healthz")) ||
           ph_slice_eq(path, PH_S("/readyz")) ||
           ph_slice_starts(path, PH_S("/grpc.health.v1.Health/"));
}

static bool has_token(const struct ph_http_request *request, struct ph_slice token)
{
    struct ph_slice shown = ph_http_bearer(request);
    return ph_slice_present(shown) && ph_crypto_equal(shown, token);
}

static bool check_token(struct ph_service *service, const struct ph_http_request *request,
                        struct ph_http_response *ret_response)
{
    struct ph_slice token = service->view->config->service.token.value;
    if (!ph_slice_present(token) || is_open_to_all(ph_http_path(request)) ||
        has_token(request, token))
        return true;
    struct ph_fault fault = {0};
    ph_count(&service->counters->unauthenticated);
    (void)ph_fault_set(&fault, PH_GRPC_UNAUTHENTICATED,
                       PH_S("send the server's token, once: authorization: Bearer"));
    if (ph_grpc_is_call(request)) {
        ph_rpc_answer_fault(service, &fault, ret_response);
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
    struct ph_service *service = ctx;
    enum ph_http_outcome outcome = PH_HTTP_ANSWERED;
    service->wanted = NULL;
    service->again = false;
    ph_worker_reset(service->worker);
    ph_service_begin(service, request, ret_response);
    if (ph_slice_starts(request->target, PH_S("/admin")) && ph_admin_is_path(ph_http_path(request)))
        return ph_admin_handle(service, exchange, request, false, ret_response);
    if (!check_token(service, request, ret_response))
        return PH_HTTP_ANSWERED;
    if (ph_grpc_is_call(request))
        outcome = ph_rpc_handle(service, exchange, request, ret_response);
    else if (!ph_service_refused(service, request, ret_response))
        handle_http(service, request, ret_response);
    if (service->wanted != NULL && ph_asking_begin(service, exchange, request))
        return PH_HTTP_LATER;
    return outcome;
}

bool ph_service_streams(void *ctx, struct ph_slice target)
{
    (void)ctx;
    return ph_rpc_streams(target);
}

bool ph_service_passes(void *ctx, struct ph_slice target)
{
    (void)ctx;
    return ph_rpc_passes(target);
}
