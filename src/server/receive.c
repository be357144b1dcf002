#include "server/receive.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/gateway.h"
#include "gateway/policy.h"
#include "gateway/record.h"
#include "gateway/sender.h"
#include "gateway/trace.h"
#include "os/clock.h"
#include "os/socket.h"
#include "server/conn.h"
#include "server/handshake.h"
#include "server/later.h"
#include "server/passage.h"
#include "wire/wire.h"

enum { REPLY_HEADERS_MAX = 8 };

/* What the sender hears, in memory of its own. */
struct reply {
    int32_t status;
    struct ph_header headers[REPLY_HEADERS_MAX];
    size_t header_count;
    struct ph_slice body;
};

/* A request on its way into the inbox: one block, with the store behind it. */
struct receipt {
    struct ph_ticket ticket;
    struct ph_gateway *gateway;
    struct ph_inbox_store *store;
    struct reply good, refuse;
    struct ph_passage passage;
};

/* What judging a request needs to know; of one call. */
struct arrival {
    struct ph_service *service;
    const struct ph_http_request *http;
    const struct ph_config_endpoint *endpoint;
    struct ph_request request;
    struct ph_view *view;
    struct ph_view_keys keys;
    struct ph_input in;
    struct ph_answer answer;
    struct ph_passage passage;
    struct ph_config_value brought; /* out of the cache of callouts; absent: nothing */
    char remote[PH_OS_IP_TEXT_BYTES];
};

/* ---- answers without a store ----------------------------------------------------------------- */

static void busy(struct ph_service *service, struct ph_slice why,
                 struct ph_http_response *ret_response)
{
    ph_service_add_header(service, ret_response, PH_S("retry-after"), PH_S("5"));
    ph_service_answer_error(service, 503, PH_S("UNAVAILABLE"), why, ret_response);
}

/* The endpoint of the path. False: it has been answered. */
static bool route(struct arrival *a, struct ph_http_response *ret_response)
{
    const struct ph_http_request *request = a->http;
    struct ph_service *service = a->service;
    struct ph_slice path = ph_http_path(request), prefix = PH_S("/webhooks/");
    const struct ph_config_endpoint *endpoint =
        ph_slice_starts(path, prefix)
            ? ph_config_endpoint_find(a->view->config, ph_slice_from(path, prefix.len))
            : NULL;
    a->passage.method = request->method;
    a->passage.path = path;
    if (endpoint == NULL) {
        ph_count(&service->tally->unknown);
        ph_service_answer_error(service, 404, PH_S("NOT_FOUND"), PH_S("no endpoint has this name"),
                                ret_response);
        return false;
    }
    a->endpoint = endpoint;
    a->passage.endpoint = endpoint->entry.name;
    a->passage.connector = endpoint->connector;
    a->passage.row = ph_tally_row(service->tally, endpoint->entry.name, endpoint->connector);
    if (!ph_service_body_is_plain(request)) {
        ph_service_answer_error(service, 415, PH_S("INVALID_ARGUMENT"),
                                PH_S("send the body without a content-encoding"), ret_response);
        return false;
    }
    if (request->body.len > (size_t)a->view->config->limits.body_bytes) {
        ph_service_answer_error(service, 413, PH_S("RESOURCE_EXHAUSTED"),
                                PH_S("the body is larger than the limit"), ret_response);
        return false;
    }
    a->passage.method = a->passage.path = (struct ph_slice){0}; /* the endpoint's name says it */
    return true;
}

static bool sender_allowed(struct arrival *a, struct ph_http_exchange *exchange,
                           struct ph_http_response *ret_response)
{
    uint8_t address[16];
    ph_sender_address(a->endpoint, ph_conn_peer(exchange->connection), &a->request, address);
    ph_os_ip_text(address, a->remote);
    a->passage.remote = ph_slice_str(a->remote);
    if (ph_sender_allowed(a->endpoint, address))
        return true;
    ph_service_answer_error(a->service, 403, PH_S("PERMISSION_DENIED"),
                            PH_S("this endpoint takes webhooks from other addresses"),
                            ret_response);
    return false;
}

/* ---- judging --------------------------------------------------------------------------------- */

static const enum ph_want everything = (enum ph_want)(PH_WANT_ALL | PH_WANT_EVERY_ITEM);

/* A certificate or key set that is in the cache is as good as one asked for; what is not is the
 * completer's to ask for, and the request pending until then. So is one that a key set of some
 * age does not prove: the processor may have a new key. */
static enum ph_status judge_by_cache(struct arrival *a)
{
    struct ph_service *service = a->service;
    struct ph_arena *arena = ph_worker_arena(service->worker);
    struct ph_answer again;
    int64_t age_ms;
    if (service->callouts == NULL || a->answer.callout == NULL || a->answer.event_count == 0 ||
        a->answer.events[0].verdict != PH_UNREACHABLE ||
        !ph_callouts_peek(service->callouts, a->answer.callout, arena, &a->brought.value, &age_ms))
        return PH_OK;
    a->brought.name = a->answer.callout->result_name;
    struct ph_config_value *config =
        ph_arena_alloc(arena, (a->keys.value_count + 2) * sizeof *config);
    if (config == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < a->keys.value_count; i++)
        config[i] = a->keys.values[i];
    config[a->keys.value_count] = a->brought;
    config[a->keys.value_count + 1] =
        (struct ph_config_value){PH_S("root_certificates_der_base64"), service->config->roots};
    struct ph_input in = a->in;
    in.config = config;
    in.config_count = a->keys.value_count + (ph_slice_present(service->config->roots) ? 2 : 1);
    PH_TRY(ph_engine_run_keep(service->worker, &in, everything, &again));
    bool may_be_new = a->answer.callout->kind == PH_FETCH_JWKS && age_ms > PH_JWKS_FRESH_MS;
    if (again.event_count == 0 || (again.events[0].verdict != PH_VERIFIED && may_be_new)) {
        a->brought = (struct ph_config_value){0};
        return PH_OK;
    }
    if (again.events[0].verdict == PH_VERIFIED)
        ph_callouts_prove(service->callouts, a->answer.callout->url, a->in.now_ms);
    a->in = in;
    a->answer = again;
    return PH_OK;
}

/* The engine says `no secret`, which is so: but the operator has to know whose. */
static void say_no_account(struct arrival *a)
{
    struct ph_slice reason =
        ph_view_no_account(a->endpoint, a->keys.named, ph_worker_arena(a->service->worker));
    ph_tally_no_account(a->passage.row);
    for (size_t i = 0; i < a->answer.event_count; i++)
        if (a->answer.events[i].verdict == PH_NO_SECRET)
            a->answer.events[i].verdict_reason = reason;
}

static enum ph_status judge(struct arrival *a)
{
    struct ph_arena *arena = ph_worker_arena(a->service->worker);
    int64_t now_ms = ph_os_unix_ms();
    /* Without an account its secrets are not known either. */
    bool has_account = ph_view_keys_for(a->endpoint, &a->request, now_ms, arena, &a->keys);
    if (!has_account)
        a->keys.count = 0;
    a->in = (struct ph_input){
        .connector = a->endpoint->page,
        .request = &a->request,
        .secrets = a->keys.pairs,
        .secret_count = a->keys.count,
        .config = a->keys.values,
        .config_count = a->keys.value_count,
        .capture_method = a->endpoint->capture_method,
        .now_ms = now_ms,
    };
    PH_TRY(ph_engine_run_keep(a->service->worker, &a->in, everything, &a->answer));
    PH_TRY(judge_by_cache(a));
    if (!has_account)
        say_no_account(a);
    ph_record_part_accounts(a->endpoint, &a->answer);
    return PH_OK;
}

static void take_reply(struct ph_service *service, const struct ph_answer *answer,
                       struct reply *ret)
{
    *ret = (struct reply){.status = answer->ack_status > 0 ? answer->ack_status : 200,
                          .body = answer->ack_body};
    for (size_t i = 0; i < answer->ack_header_count && i < REPLY_HEADERS_MAX; i++)
        ret->headers[ret->header_count++] = (struct ph_header){
            ph_service_lower(service, answer->ack_headers[i].name), answer->ack_headers[i].value};
}

/* The page's success and its refusal; the engine gives one at a time. A body that cannot be read
 * at all has neither. */
static enum ph_status take_replies(struct arrival *a, const struct ph_inbox_request *request,
                                   struct reply *ret_good, struct reply *ret_refuse)
{
    struct ph_arena *arena = ph_worker_arena(a->service->worker);
    struct ph_answer peer;
    *ret_good = *ret_refuse = (struct reply){.status = 503};
    if (a->answer.event_count == 0) {
        struct ph_slice code = ph_error_code_name(a->answer.error);
        ret_refuse->status = ph_wire_http_status(ph_wire_grpc_status(a->answer.error));
        ret_refuse->headers[ret_refuse->header_count++] =
            (struct ph_header){PH_S("content-type"), PH_S("application/json")};
        return ph_wire_write_error_json(arena, code, a->answer.error_message, &ret_refuse->body);
    }
    take_reply(a->service, &a->answer, ret_refuse);
    *ret_good = *ret_refuse;
    /* What is kept is not to hold up what comes after it; what only we can mend is (503). */
    bool accepts = a->answer.variant != NULL && a->answer.variant->refuse.stops_queue &&
                   a->answer.ack_status != 503;
    if (a->answer.ack_status < 300 ||
        (request->standing == PH_STANDING_QUARANTINED && !request->match_only && !accepts))
        return PH_OK;
    enum ph_want want = (enum ph_want)(everything | PH_WANT_PEER_REPLY);
    PH_TRY(ph_engine_run_keep(a->service->worker, &a->in, want, &peer));
    take_reply(a->service, &peer, ret_good);
    if (accepts)
        *ret_refuse = *ret_good;
    return PH_OK;
}

/* ---- storing --------------------------------------------------------------------------------- */

static size_t passage_bytes(const struct ph_passage *p)
{
    return p->id.len + p->endpoint.len + p->connector.len + p->remote.len + p->trace.len;
}

static size_t reply_bytes(const struct reply *reply)
{
    size_t bytes = reply->body.len;
    for (size_t i = 0; i < reply->header_count; i++)
        bytes += reply->headers[i].name.len + reply->headers[i].value.len;
    return bytes;
}

static struct ph_slice keep(char **at, struct ph_slice text)
{
    if (text.len == 0)
        return (struct ph_slice){0};
    memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return ph_slice_of(*at - text.len, text.len);
}

static void keep_reply(char **at, const struct reply *from, struct reply *to)
{
    *to = *from;
    for (size_t i = 0; i < from->header_count; i++)
        to->headers[i] =
            (struct ph_header){keep(at, from->headers[i].name), keep(at, from->headers[i].value)};
    to->body = keep(at, from->body);
}

static void keep_passage(char **at, const struct ph_passage *from, struct ph_passage *to)
{
    *to = *from;
    to->id = keep(at, from->id);
    to->endpoint = keep(at, from->endpoint);
    to->connector = keep(at, from->connector);
    to->remote = keep(at, from->remote);
    to->trace = keep(at, from->trace);
}

/* The writer's thread. The block is the reactor's again: whoever resumes, expires or discards
 * sees it freed. */
static void on_stored(struct ph_inbox_op *op)
{
    struct ph_inbox_store *store = (struct ph_inbox_store *)(void *)op;
    struct receipt *receipt = *(struct receipt **)((char *)store - sizeof(void *));
    if (op->status == PH_OK && store->request.work != PH_WORK_NONE)
        ph_gateway_work(receipt->gateway);
    ph_later_complete(receipt->ticket);
}

static struct receipt *new_receipt(struct arrival *a, const struct ph_inbox_store *store,
                                   const struct reply *good, const struct reply *refuse)
{
    enum { ALIGN = 16 };
    /* The receipt, the texts of its replies and of its line in the log, and right before the
     * store the way back to it. */
    size_t extra = sizeof(struct receipt) + reply_bytes(good) + reply_bytes(refuse) +
                   passage_bytes(&a->passage) + sizeof(void *);
    extra = (extra + ALIGN - 1) / ALIGN * ALIGN;
    struct ph_inbox_store *copy;
    struct receipt *receipt = ph_record_copy(store, extra, &copy);
    if (receipt == NULL)
        return NULL;
    char *at = (char *)(receipt + 1);
    receipt->gateway = a->service->gateway;
    receipt->store = copy;
    keep_reply(&at, good, &receipt->good);
    keep_reply(&at, refuse, &receipt->refuse);
    keep_passage(&at, &a->passage, &receipt->passage);
    memcpy((char *)copy - sizeof(void *), &receipt, sizeof(void *));
    copy->op.done = on_stored;
    return receipt;
}

/* The answer's headers, with the id that the request got when it came. */
static void begin_again(struct ph_service *service, const struct receipt *receipt,
                        struct ph_http_response *ret_response)
{
    *ret_response = (struct ph_http_response){.status = 200, .headers = service->headers};
    if (receipt->passage.id.len > 0)
        ph_service_add_header(service, ret_response, PH_S("x-request-id"), receipt->passage.id);
}

static void on_resume(void *ctx, struct ph_http_exchange *exchange, void *work)
{
    struct ph_service *service = ctx;
    struct receipt *receipt = work;
    struct ph_http_response response;
    ph_worker_reset(service->worker);
    begin_again(service, receipt, &response);
    enum ph_reply_kind kind = ph_policy_reply(receipt->store);
    const struct reply *reply = kind == PH_REPLY_GOOD ? &receipt->good : &receipt->refuse;
    if (kind == PH_REPLY_BUSY) {
        busy(service,
             receipt->store->op.status == PH_OK
                 ? PH_S("too many refused requests are kept already; come again later")
                 : PH_S("the webhook could not be stored; come again later"),
             &response);
    } else {
        response.status = reply->status;
        response.body = reply->body;
        for (size_t i = 0; i < reply->header_count; i++)
            ph_service_add_header(service, &response, reply->headers[i].name,
                                  reply->headers[i].value);
        if (reply->status == 503)
            ph_service_add_header(service, &response, PH_S("retry-after"), PH_S("60"));
    }
    /* Or the sender has gone: it will come again, and be a duplicate. */
    int heard = ph_http_answer(exchange, &response) == PH_OK ? response.status : 0;
    ph_passage_stored(service, &receipt->passage, receipt->store, true, heard);
    free(receipt);
}

/* The store goes on, and frees the block when it ends (on_discard): what commits now is matched
 * by the retry. */
static void on_expire(void *ctx, struct ph_http_exchange *exchange, void *work)
{
    struct ph_service *service = ctx;
    struct receipt *receipt = work;
    struct ph_http_response response;
    ph_worker_reset(service->worker);
    begin_again(service, receipt, &response);
    busy(service, PH_S("the webhook was not stored in time; come again later"), &response);
    int heard = ph_http_answer(exchange, &response) == PH_OK ? response.status : 0;
    ph_passage_stored(service, &receipt->passage, receipt->store, false, heard);
}

static void on_discard(void *ctx, void *work)
{
    struct receipt *receipt = work;
    /* unless its time was over before */
    ph_passage_stored(ctx, &receipt->passage, receipt->store, true, 0);
    free(receipt);
}

/* A part of the processor's own, so that our 503 reaches it before it gives up. */
static int64_t deadline_of(const struct arrival *a)
{
    int64_t within_ms = a->answer.variant != NULL ? a->answer.variant->ack_within_ms : 0,
            ms = within_ms / 5 * 4;
    if (within_ms == 0 || ms > PH_COMMIT_MS)
        ms = PH_COMMIT_MS;
    return a->http->headers_ms + (ms < PH_COMMIT_LEAST_MS ? PH_COMMIT_LEAST_MS : ms);
}

/* True: the answer comes later. */
static bool store(struct arrival *a, struct ph_http_exchange *exchange,
                  struct ph_http_response *ret_response)
{
    static const struct ph_later_job job = {
        .resume = on_resume, .expire = on_expire, .discard = on_discard};
    struct ph_service *service = a->service;
    struct ph_inbox_store stored;
    struct reply good, refuse;
    const struct ph_record_input input = {
        .view = a->view,
        .endpoint = a->endpoint,
        .in = &a->in,
        .answer = &a->answer,
        .account = a->keys.account,
        .secret = ph_view_matched(&a->keys, &a->answer),
        .secret_of = a->keys.secret_of,
        .unknown = service->callouts != NULL && a->answer.callout != NULL &&
                   !ph_callouts_knows(service->callouts, a->answer.callout),
        .remote = ph_slice_str(a->remote),
        .trace = a->passage.trace,
        .brought = &a->brought,
        .brought_count = ph_slice_present(a->brought.value) ? 1 : 0,
    };
    struct receipt *receipt = NULL;
    a->passage.alarm = ph_policy_judge(&a->answer).alarm;
    if (ph_record_make(service->worker, &input, &stored) == PH_OK &&
        take_replies(a, &stored.request, &good, &refuse) == PH_OK)
        receipt = new_receipt(a, &stored, &good, &refuse);
    if (receipt == NULL) {
        busy(service, PH_S("no memory for this webhook now; come again later"), ret_response);
        return false;
    }
    if (ph_later_begin(service->later, exchange, &job, service, receipt, deadline_of(a),
                       &receipt->ticket) != PH_OK) {
        free(receipt);
        busy(service, PH_S("too many webhooks wait to be stored; come again later"), ret_response);
        return false;
    }
    enum ph_status st = ph_inbox_submit(ph_gateway_inbox(receipt->gateway), &receipt->store->op);
    if (st != PH_OK) { /* the ticket is out: it is completed like all others */
        receipt->store->op.status = st;
        ph_later_complete(receipt->ticket);
    }
    return true;
}

/* Answers, or has it answered later: true. */
static bool receive(struct arrival *a, struct ph_http_exchange *exchange,
                    struct ph_http_response *ret_response)
{
    struct ph_service *service = a->service;
    enum ph_fate outcome = PH_FATE_refused;
    bool later = false;
    bool routed = route(a, ret_response) && sender_allowed(a, exchange, ret_response);
    if (routed && !ph_slice_eq(a->http->method, PH_S("POST"))) {
        a->passage.method = a->http->method;
        a->passage.path = ph_http_path(a->http);
        if (ph_handshake_answer(service, a->endpoint->page, a->http, ret_response))
            outcome = PH_FATE_handshake;
    } else if (routed) {
        outcome = PH_FATE_failed;
        if (judge(a) == PH_OK) {
            enum ph_verdict verdict = ph_policy_judge(&a->answer).verdict;
            ph_tally_judged(service->tally, a->passage.row, verdict, a->in.now_ms);
            later = store(a, exchange, ret_response);
        } else {
            busy(service, PH_S("the webhook could not be judged now; come again later"),
                 ret_response);
        }
    }
    if (!later)
        ph_passage_refused(service, &a->passage, outcome, ret_response->status);
    return later;
}

enum ph_http_outcome ph_receive_handle(void *ctx, struct ph_http_exchange *exchange,
                                       const struct ph_http_request *request,
                                       struct ph_http_response *ret_response)
{
    struct ph_service *service = ctx;
    ph_worker_reset(service->worker);
    ph_service_begin(service, request, ret_response);
    struct arrival a = {
        .service = service,
        .http = request,
        .request = {.method = request->method,
                    .uri = request->target,
                    .headers = request->headers,
                    .header_count = request->header_count,
                    .body = request->body},
        .passage = {.began_ms = request->headers_ms,
                    .id = ret_response->header_count > 0 ? ret_response->headers[0].value
                                                         : (struct ph_slice){0},
                    .trace = ph_trace_parent(request->headers, request->header_count)},
    };
    /* until it is known whether a proxy is trusted */
    ph_os_ip_text(ph_conn_peer(exchange->connection), a.remote);
    a.passage.remote = ph_slice_str(a.remote);
    if (ph_service_refused(service, request, ret_response)) {
        a.passage.path = ph_http_path(request);
        ph_passage_refused(service, &a.passage, PH_FATE_refused, ret_response->status);
        return PH_HTTP_ANSWERED;
    }
    a.view = ph_gateway_view(service->gateway);
    bool later = receive(&a, exchange, ret_response);
    ph_view_unref(a.view);
    return later ? PH_HTTP_LATER : PH_HTTP_ANSWERED;
}
