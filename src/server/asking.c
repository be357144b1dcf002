#include "server/asking.h"

#include <stdlib.h>

#include "os/clock.h"
#include "server/operation.h"
#include "server/rpc.h"

static void asking_free(struct ph_asking *asking)
{
    for (size_t i = 0; i < asking->count; i++)
        free((char *)asking->brought[i].value.ptr);
    free(asking);
}

static void drop_last(struct ph_asking *asking)
{
    free((char *)asking->brought[--asking->count].value.ptr);
}

/* ---- the operation's side -------------------------------------------------------------------- */

static bool brought_certificate(const struct ph_asking *asking)
{
    for (size_t i = 0; i < asking->count; i++)
        if (ph_slice_eq(asking->brought[i].name, PH_S("fetched_certificate_pem")))
            return true;
    return false;
}

bool ph_asking_config(const struct ph_service *service, const struct ph_config_value **config,
                      size_t *count)
{
    const struct ph_asking *asking = service->asking;
    size_t n = 0;
    if (asking == NULL || asking->count == 0)
        return true;
    struct ph_config_value *all = ph_arena_alloc(ph_worker_arena(service->worker),
                                                 (*count + asking->count + 1) * sizeof *all);
    if (all == NULL)
        return false;
    /* The caller's own come first: the first of a name counts. */
    for (size_t i = 0; i < *count; i++)
        all[n++] = (*config)[i];
    for (size_t i = 0; i < asking->count; i++)
        all[n++] = asking->brought[i];
    if (brought_certificate(asking) && ph_slice_present(service->config->roots))
        all[n++] =
            (struct ph_config_value){PH_S("root_certificates_der_base64"), service->config->roots};
    *config = all;
    *count = n;
    return true;
}

static bool lacks_key(const struct ph_asking *asking, const struct ph_answer *answer)
{
    return asking != NULL && asking->count > 0 && !asking->failed && !asking->fresh &&
           asking->kind == PH_FETCH_JWKS && asking->age_ms > PH_JWKS_FRESH_MS &&
           answer->event_count > 0 && answer->events[0].verdict == PH_FORGED;
}

void ph_asking_look(struct ph_service *service, const struct ph_answer *answer, int64_t received_ms)
{
    struct ph_asking *asking = service->asking;
    service->wanted = NULL;
    service->again = false;
    service->received_ms = received_ms;
    if (service->callouts == NULL || (asking != NULL && asking->failed))
        return;
    service->again = lacks_key(asking, answer);
    bool room = asking == NULL || asking->count < PH_CALLOUTS_PER_CALL_MAX;
    /* An incomplete event is the gateway's to complete, and the caller's here: it is told as
     * INCOMPLETE. */
    if (room && answer->callout != NULL && answer->callout->kind != PH_FETCH_EVENT)
        service->wanted = answer->callout;
}

/* ---- the exchange's side --------------------------------------------------------------------- */

/* The client's thread, or this one before ph_callouts_ask returns. */
static void on_answer(void *ctx, const struct ph_callout_result *result)
{
    struct ph_asking *asking = ctx;
    struct ph_config_value *value = &asking->brought[asking->count];
    char *copy = result->ok ? malloc(result->body.len + 1) : NULL;
    asking->failed = copy == NULL; /* A1 */
    asking->age_ms = result->age_ms;
    if (copy != NULL) {
        memcpy(copy, result->body.ptr, result->body.len);
        value->value = ph_slice_of(copy, result->body.len);
        asking->count++;
    }
    ph_later_complete(asking->ticket);
}

static void answer_exchange(struct ph_http_exchange *exchange,
                            const struct ph_http_response *response)
{
    if (ph_http_answer(exchange, response) != PH_OK)
        return; /* it was aborted: nothing is left to do */
}

/* Runs the call again. */
static void on_resume(void *ctx, struct ph_http_exchange *exchange, void *work)
{
    struct ph_service *service = ctx;
    struct ph_asking *asking = work;
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_http_request request;
    struct ph_http_response response;
    ph_http_exchange_request(exchange, headers, &request);
    service->asking = asking;
    enum ph_http_outcome outcome = ph_service_handle(service, exchange, &request, &response);
    if (service->again) { /* A2 */
        drop_last(asking);
        asking->fresh = true;
        outcome = ph_service_handle(service, exchange, &request, &response);
    }
    service->asking = NULL;
    service->again = false;
    if (outcome == PH_HTTP_LATER)
        return;
    answer_exchange(exchange, &response);
    asking_free(asking);
}

static void on_expire(void *ctx, struct ph_http_exchange *exchange, void *work)
{
    const struct ph_asking *asking = work;
    struct ph_service *service = ctx;
    struct ph_fault late = {0};
    struct ph_http_response response = {.status = 200, .headers = service->headers};
    ph_worker_reset(service->worker);
    (void)ph_fault_set(&late, PH_GRPC_DEADLINE_EXCEEDED, PH_S("the deadline has passed"));
    if (asking->grpc)
        ph_rpc_answer_fault(service, &late, &response);
    else
        ph_service_answer_error(service, 504, late.name, late.message, &response);
    answer_exchange(exchange, &response);
}

static void on_discard(void *ctx, void *work)
{
    (void)ctx;
    asking_free(work);
}

/* The caller's own deadline; else a little after the callout's. */
static int64_t deadline_of(const struct ph_http_request *request)
{
    int64_t timeout_ms = 0;
    struct ph_slice text = ph_http_header(request, PH_S("grpc-timeout"));
    if (ph_slice_present(text) && ph_grpc_timeout_ms(text, &timeout_ms))
        return request->headers_ms + timeout_ms;
    return ph_os_steady_ms() + 2 * PH_CALLOUT_TOTAL_MS;
}

bool ph_asking_begin(struct ph_service *service, struct ph_http_exchange *exchange,
                     const struct ph_http_request *request)
{
    static const struct ph_later_job job = {
        .resume = on_resume, .expire = on_expire, .discard = on_discard};
    const struct ph_callout *wanted = service->wanted;
    bool is_first = service->asking == NULL;
    service->wanted = NULL;
    struct ph_asking *asking = is_first ? calloc(1, sizeof *asking) : service->asking;
    if (asking == NULL)
        return false;
    if (is_first)
        asking->received_ms = service->received_ms;
    asking->service = service;
    asking->grpc = ph_grpc_is_call(request);
    asking->kind = wanted->kind;
    /* One of the engine's constants: it outlives the arena. */
    asking->brought[asking->count] = (struct ph_config_value){.name = wanted->result_name};
    if (ph_later_begin(service->later, exchange, &job, service, asking, deadline_of(request),
                       &asking->ticket) != PH_OK) {
        if (is_first)
            asking_free(asking);
        return false;
    }
    /* May answer before it returns: `asking` is not to be touched afterwards. */
    ph_callouts_ask(service->callouts, wanted, asking->fresh ? PH_JWKS_FRESH_MS : INT64_MAX,
                    on_answer, asking);
    return true;
}
