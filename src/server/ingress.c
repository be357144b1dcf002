#include "server/ingress.h"
#include "server/handshake.h"

#include "base/limits.h"
#include "os/clock.h"
#include "wire/wire.h"

static const struct ph_endpoint *find_endpoint(const struct ph_server_config *config,
                                               struct ph_slice name)
{
    size_t low = 0, high = config->endpoint_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct ph_slice at = config->endpoints[middle].name;
        size_t shorter = at.len < name.len ? at.len : name.len;
        int order = shorter > 0 ? memcmp(at.ptr, name.ptr, shorter) : 0;
        if (order == 0 && at.len == name.len)
            return &config->endpoints[middle];
        if (order < 0 || (order == 0 && at.len < name.len))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* True when the request is one of ours; else it is answered. */
static bool route(struct ph_service *service, const struct ph_http_request *request,
                  const struct ph_endpoint **ret_endpoint, struct ph_http_response *ret_response)
{
    struct ph_slice path = ph_http_path(request), prefix = PH_S("/webhooks/");
    const struct ph_endpoint *endpoint =
        ph_slice_starts(path, prefix)
            ? find_endpoint(service->config, ph_slice_from(path, prefix.len))
            : NULL;
    if (endpoint == NULL) {
        ph_service_answer_error(service, 404, PH_S("NOT_FOUND"),
                                PH_S("no endpoint has this name; try /webhooks/<connector>"),
                                ret_response);
        return false;
    }
    if (!ph_slice_eq(request->method, PH_S("POST"))) {
        (void)ph_handshake_answer(service, endpoint->connector, request, ret_response);
        return false;
    }
    if (!ph_service_body_is_plain(request)) {
        ph_service_answer_error(service, 415, PH_S("INVALID_ARGUMENT"),
                                PH_S("send the body without a content-encoding"), ret_response);
        return false;
    }
    if (request->body.len > PH_BODY_BYTES_MAX) {
        ph_service_answer_error(service, 413, PH_S("RESOURCE_EXHAUSTED"),
                                PH_S("the body is larger than the limit"), ret_response);
        return false;
    }
    *ret_endpoint = endpoint;
    return true;
}

/* The page's reply. */
static void answer_processor(struct ph_service *service, const struct ph_answer *answer,
                             struct ph_http_response *ret_response)
{
    ret_response->status = answer->ack_status > 0 ? answer->ack_status : 200;
    ret_response->body = answer->ack_body;
    for (size_t i = 0; i < answer->ack_header_count; i++)
        ph_service_add_header(service, ret_response,
                              ph_service_lower(service, answer->ack_headers[i].name),
                              answer->ack_headers[i].value);
}

static void receive(struct ph_service *service, const struct ph_endpoint *endpoint,
                    const struct ph_http_request *request, struct ph_http_response *ret_response)
{
    const struct ph_request webhook = {
        .method = request->method,
        .uri = request->target,
        .headers = request->headers,
        .header_count = request->header_count,
        .body = request->body,
    };
    const struct ph_input in = {
        .connector = endpoint->connector,
        .request = &webhook,
        .secrets = endpoint->secrets,
        .secret_count = endpoint->secret_count,
        .config = endpoint->config,
        .config_count = endpoint->config_count,
        .capture_method = endpoint->capture_method,
        .now_ms = ph_os_unix_ms(),
    };
    struct ph_answer answer = {0};
    if (ph_engine_run_keep(service->worker, &in, PH_WANT_ALL, &answer) != PH_OK) {
        ph_service_answer_error(service, 503, PH_S("UNAVAILABLE"),
                                PH_S("the webhook could not be handled now"), ret_response);
        return;
    }
    ph_ingress_print(endpoint, &answer);
    if (answer.error != PH_E_NONE && (answer.ack_status == 0 || answer.ack_status < 400)) {
        int status = ph_wire_http_status(ph_wire_grpc_status(answer.error));
        ph_service_answer_error(service, status, ph_error_code_name(answer.error),
                                answer.error_message, ret_response);
        return;
    }
    answer_processor(service, &answer, ret_response);
}

enum ph_http_outcome ph_ingress_handle(void *ctx, struct ph_http_exchange *exchange,
                                       const struct ph_http_request *request,
                                       struct ph_http_response *ret_response)
{
    (void)exchange;
    struct ph_service *service = ctx;
    const struct ph_endpoint *endpoint = NULL;
    ph_worker_reset(service->worker);
    ph_service_begin(service, request, ret_response);
    ph_service_add_header(service, ret_response, PH_S("x-payhook-durable"), PH_S("no"));
    if (ph_service_refused(service, request, ret_response) ||
        !route(service, request, &endpoint, ret_response))
        return PH_HTTP_ANSWERED;
    receive(service, endpoint, request, ret_response);
    return PH_HTTP_ANSWERED;
}
