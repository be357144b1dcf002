/* The admin API's way in, on a reactor; its thread is in admin_thread.c. */
#include "server/admin.h"

#include <stdlib.h>

#include "base/limits.h"
#include "crypto/crypto.h"
#include "server/admin_call.h"
#include "server/admin_thread.h"
#include "server/watch.h"

static const struct ph_slice prefix = PH_SI("/admin/v1/");

bool ph_admin_is_path(struct ph_slice path)
{
    return ph_slice_starts(path, PH_S("/admin/")) || ph_slice_eq(path, PH_S("/admin"));
}

/* ---- who may ask ----------------------------------------------------------------------------- */

static bool refuse(struct ph_service *service, int status, struct ph_slice code,
                   struct ph_slice why, struct ph_http_response *ret_response)
{
    if (status == 401)
        ph_service_add_header(service, ret_response, PH_S("www-authenticate"), PH_S("Bearer"));
    ph_service_answer_error(service, status, code, why, ret_response);
    return false;
}

/* Who asks: a token's name, or the socket. */
struct who {
    uint32_t scopes;
    char name[PH_ADMIN_WHO_BYTES_MAX];
    size_t name_len;
};

static void call_it(struct who *who, struct ph_slice name)
{
    who->name_len = name.len < sizeof who->name ? name.len : sizeof who->name;
    memcpy(who->name, name.ptr, who->name_len);
}

/* Every token is compared, whichever fits. */
static bool scopes_of(const struct ph_config *config, const struct ph_http_request *request,
                      struct who *ret)
{
    struct ph_slice text = ph_http_bearer(request);
    bool found = false;
    *ret = (struct who){0};
    if (!ph_slice_present(text))
        return false;
    for (size_t i = 0; i < config->admin.tokens.count; i++) {
        const struct ph_config_token *token = &config->admin.tokens.items[i];
        if (token->secret.value.len == 0 || !ph_crypto_equal(text, token->secret.value))
            continue;
        found = true;
        ret->scopes |= token->scopes;
        call_it(ret, token->entry.name);
    }
    return found;
}

static bool may(struct ph_service *service, const struct ph_http_request *request, struct who *ret,
                struct ph_http_response *ret_response)
{
    struct ph_view *view = ph_gateway_view(service->gateway);
    bool any = view->config->admin.tokens.count > 0, good = scopes_of(view->config, request, ret);
    ph_view_unref(view);
    if (good)
        return true;
    ph_count(&service->counters->unauthenticated);
    return refuse(service, 401, PH_S("UNAUTHENTICATED"),
                  any ? PH_S("send a token of admin.tokens, once: authorization: Bearer")
                      : PH_S("no admin.tokens are configured: this API answers on the socket "
                             "(admin.socket) only"),
                  ret_response);
}

/* What changes something, or was to, is a line of the log: who did what, and what came of it. */
static void tell(struct ph_service *service, const struct ph_http_request *request,
                 struct ph_slice who, int status)
{
    struct ph_log_line line;
    if (!ph_slice_eq(request->method, PH_S("POST")) ||
        !ph_log_open(service->watch->log, status < 400 ? PH_SEVERITY_INFO : PH_SEVERITY_WARNING,
                     PH_S("admin"), &line))
        return;
    ph_log_text(&line, "by", who);
    ph_log_text(&line, "action", ph_slice_from(ph_http_path(request), prefix.len));
    ph_log_number(&line, "status", status);
    ph_log_text(&line, "body", request->body);
    ph_log_text(&line, "request_id", ph_http_header(request, PH_S("x-request-id")));
    ph_log_write(service->watch->log, &line);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void on_resume(void *ctx, struct ph_http_exchange *exchange, void *work)
{
    struct ph_service *service = ctx;
    struct ph_admin_call *call = work;
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_http_request request;
    struct ph_http_response response;
    ph_worker_reset(service->worker);
    ph_http_exchange_request(exchange, headers, &request);
    ph_service_begin(service, &request, &response);
    if (call->answer == NULL) {
        ph_service_answer_error(service, 503, PH_S("UNAVAILABLE"),
                                PH_S("no memory for this answer now; try again"), &response);
    } else {
        response.status = call->status;
        response.body = ph_slice_of(call->answer, call->answer_bytes);
        ph_service_add_header(service, &response, PH_S("content-type"), call->content_type);
        ph_service_add_header(service, &response, PH_S("cache-control"), PH_S("no-store"));
        ph_service_add_header(service, &response, PH_S("x-content-type-options"), PH_S("nosniff"));
        if (call->after_text[0] != '\0')
            ph_service_add_header(service, &response, PH_S("payhook-after"),
                                  ph_slice_str(call->after_text));
    }
    tell(service, &request, call->who, response.status);
    if (ph_http_answer(exchange, &response) != PH_OK)
        (void)0; /* the client has gone */
    ph_admin_call_free(call);
}

static void on_expire(void *ctx, struct ph_http_exchange *exchange, void *work)
{
    struct ph_service *service = ctx;
    struct ph_http_response response = {.status = 200, .headers = service->headers};
    (void)work;
    ph_worker_reset(service->worker);
    ph_service_answer_error(service, 503, PH_S("DEADLINE_EXCEEDED"),
                            PH_S("this took too long: ask for less, or try again"), &response);
    if (ph_http_answer(exchange, &response) != PH_OK)
        return;
}

static void on_cancel(void *ctx, void *work)
{
    struct ph_admin_call *call = work;
    (void)ctx;
    atomic_store_explicit(&call->gone, true, memory_order_relaxed);
}

static void on_discard(void *ctx, void *work)
{
    (void)ctx;
    ph_admin_call_free(work);
}

/* ---- the way in ------------------------------------------------------------------------------ */

/* One block: the call, and copies of what it reads. */
static struct ph_admin_call *new_call(const struct ph_http_request *request,
                                      const struct ph_admin_route *route, struct ph_slice word,
                                      const struct who *who)
{
    size_t path = ph_http_path(request).len;
    struct ph_slice query =
        path < request->target.len ? ph_slice_from(request->target, path + 1) : PH_S("");
    struct ph_admin_call *call =
        calloc(1, sizeof *call + word.len + query.len + request->body.len + who->name_len + 1);
    if (call == NULL)
        return NULL;
    char *at = (char *)(call + 1);
    struct ph_slice *to[] = {&call->word, &call->query, &call->body, &call->who};
    const struct ph_slice from[] = {word, query, request->body,
                                    ph_slice_of(who->name, who->name_len)};
    for (size_t i = 0; i < PH_COUNTOF(from); i++) {
        *to[i] = ph_slice_of(at, from[i].len);
        if (from[i].len > 0)
            memcpy(at, from[i].ptr, from[i].len);
        at += from[i].len;
    }
    call->route = route;
    call->scopes = who->scopes;
    return call;
}

/* True: the answer comes later. */
static bool begin(struct ph_service *service, struct ph_http_exchange *exchange,
                  const struct ph_http_request *request, struct ph_admin_call *call,
                  struct ph_http_response *ret_response)
{
    static const struct ph_later_job job = {
        .resume = on_resume, .expire = on_expire, .cancel = on_cancel, .discard = on_discard};
    enum ph_status st = call != NULL ? ph_admin_reserve(service->admin) : PH_ERR_NO_MEMORY;
    if (st == PH_OK) {
        st = ph_later_begin(service->later, exchange, &job, service, call,
                            request->headers_ms + PH_ADMIN_MS, &call->ticket);
        if (st == PH_OK) {
            ph_admin_queue(service->admin, call);
            return true;
        }
        ph_admin_release(service->admin);
    }
    ph_admin_call_free(call);
    ph_service_add_header(service, ret_response, PH_S("retry-after"), PH_S("1"));
    ph_service_answer_error(service, 503, PH_S("UNAVAILABLE"),
                            PH_S("too many calls of the admin API wait already; try again"),
                            ret_response);
    return false;
}

enum ph_http_outcome ph_admin_handle(struct ph_service *service, struct ph_http_exchange *exchange,
                                     const struct ph_http_request *request, bool local,
                                     struct ph_http_response *ret_response)
{
    struct ph_slice path = ph_http_path(request), word, allow, json = PH_S("application/json");
    struct who who = {.scopes = PH_SCOPE_READ | PH_SCOPE_RAW | PH_SCOPE_REPLAY | PH_SCOPE_CONTROL};
    call_it(&who, PH_S("socket"));
    if (service->admin == NULL) {
        (void)refuse(service, 404, PH_S("NOT_FOUND"),
                     PH_S("there is no inbox here, and so no admin API"), ret_response);
        return PH_HTTP_ANSWERED;
    }
    if ((!local && !may(service, request, &who, ret_response)) ||
        ph_service_refused(service, request, ret_response))
        return PH_HTTP_ANSWERED;
    if (ph_slice_find(request->target, PH_S("#"), 0) != SIZE_MAX) {
        (void)refuse(service, 400, PH_S("INVALID_ARGUMENT"),
                     PH_S("a # is not sent: in a value it is written %23"), ret_response);
        return PH_HTTP_ANSWERED;
    }
    const struct ph_admin_route *route =
        ph_slice_starts(path, prefix)
            ? ph_admin_route_find(request->method, ph_slice_from(path, prefix.len), &word, &allow)
            : NULL;
    if (!ph_slice_starts(path, prefix) || (route == NULL && allow.len == 0)) {
        (void)refuse(service, 404, PH_S("NOT_FOUND"),
                     PH_S("there is nothing at this path; see docs/openapi.yaml"), ret_response);
    } else if (route == NULL) {
        ph_service_add_header(service, ret_response, PH_S("allow"), allow);
        (void)refuse(service, 405, PH_S("METHOD_NOT_ALLOWED"),
                     PH_S("this path takes another method; see the allow header"), ret_response);
    } else if ((who.scopes & route->scope) == 0) {
        tell(service, request, ph_slice_of(who.name, who.name_len), 403);
        (void)refuse(service, 403, PH_S("PERMISSION_DENIED"),
                     route->scope == PH_SCOPE_READ     ? PH_S("the token lacks the scope read")
                     : route->scope == PH_SCOPE_RAW    ? PH_S("the token lacks the scope raw")
                     : route->scope == PH_SCOPE_REPLAY ? PH_S("the token lacks the scope replay")
                                                       : PH_S("the token lacks the scope control"),
                     ret_response);
    } else if (request->body.len > 0 &&
               !(ph_service_body_is_plain(request) &&
                 ph_slice_starts(ph_http_header(request, PH_S("content-type")), json))) {
        (void)refuse(service, 415, PH_S("INVALID_ARGUMENT"),
                     PH_S("send application/json, without a content-encoding"), ret_response);
    } else if (begin(service, exchange, request, new_call(request, route, word, &who),
                     ret_response)) {
        return PH_HTTP_LATER;
    }
    return PH_HTTP_ANSWERED;
}

enum ph_http_outcome ph_admin_handle_local(void *ctx, struct ph_http_exchange *exchange,
                                           const struct ph_http_request *request,
                                           struct ph_http_response *ret_response)
{
    struct ph_service *service = ctx;
    ph_worker_reset(service->worker);
    ph_service_begin(service, request, ret_response);
    return ph_admin_handle(service, exchange, request, true, ret_response);
}
