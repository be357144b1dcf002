/* Calls to requests: protobuf and JSON in. */
#include "wire/call.h"
#include "events.pb-c.h"
#include "wire/message.h"

static struct ph_slice optional_text(bool there, const char *text)
{
    return there && text != NULL ? ph_slice_str(text) : (struct ph_slice){0};
}

static struct ph_slice method_name(int method)
{
    static const struct ph_slice names[] = {PH_SI("POST"), PH_SI("GET"), PH_SI("POST"),
                                            PH_SI("PUT"), PH_SI("DELETE")};
    return names[method >= 0 && method < (int)PH_COUNTOF(names) ? method : 0];
}

/* A map's key that comes twice: the last counts, as in every protobuf runtime. (Names that
 * differ in case are two keys; the engine calls those ambiguous.) */
static size_t keep_last(const struct ph_header *given, size_t given_count,
                        struct ph_header *headers)
{
    size_t count = 0;
    for (size_t i = 0; i < given_count; i++) {
        size_t at = 0;
        while (at < count && !ph_slice_eq(headers[at].name, given[i].name))
            at++;
        headers[at] = given[i];
        count += at == count;
    }
    return count;
}

static enum ph_status judge(struct ph_arena *arena, const struct ph_raw_call *raw,
                            struct ph_call *ret, struct ph_slice *ret_why)
{
    if (!raw->has_details) {
        *ret_why = PH_S("Missing required field 'request_details' in webhook request");
        return PH_ERR_INVALID;
    }
    if (raw->header_count > PH_HEADERS_MAX) {
        *ret_why = PH_S("request_details has more than 128 headers");
        return PH_ERR_MALFORMED;
    }
    if (!ph_slice_present(ph_word_name(PH_WORDS_CAPTURE_METHOD, raw->capture_method))) {
        *ret_why = PH_S("event_context.payment.capture_method is no known capture method");
        return PH_ERR_MALFORMED;
    }
    struct ph_header *headers = ph_arena_alloc(arena, (raw->header_count + 1) * sizeof(*headers));
    if (headers == NULL) {
        *ret_why = PH_S("out of memory");
        return PH_ERR_NO_MEMORY;
    }
    *ret = (struct ph_call){
        .request = {.method = method_name(raw->method),
                    .uri = raw->uri,
                    .query = raw->query,
                    .headers = headers,
                    .header_count = keep_last(raw->headers, raw->header_count, headers),
                    .body = raw->body},
        .has_secret = raw->has_secret,
        .merchant_event_id = raw->merchant_event_id,
        .capture_method = raw->capture_method};
    if (raw->has_secret) {
        ret->secret.secret = ph_slice_present(raw->secret) ? raw->secret : PH_S("");
        ret->secret.additional = raw->additional;
    }
    return PH_OK;
}

/* ---- JSON, by way of the messages ------------------------------------------------------------ */

static void details_of(const Types__RequestDetails *d, struct ph_raw_call *raw)
{
    raw->has_details = d != NULL;
    if (d == NULL)
        return;
    raw->method = (int)d->method;
    raw->uri = optional_text(d->_uri_case == TYPES__REQUEST_DETAILS___URI_URI, d->uri);
    raw->query =
        optional_text(d->_query_params_case == TYPES__REQUEST_DETAILS___QUERY_PARAMS_QUERY_PARAMS,
                      d->query_params);
    raw->body = ph_slice_of(d->body.data, d->body.len);
    raw->header_count = d->n_headers;
    for (size_t i = 0; i < d->n_headers && i < PH_HEADERS_MAX; i++)
        raw->headers[i] = (struct ph_header){ph_slice_str(d->headers[i]->key),
                                             ph_slice_str(d->headers[i]->value)};
}

static void handle_of(const Types__EventServiceHandleRequest *h, struct ph_raw_call *raw)
{
    bool named = h->_merchant_event_id_case ==
                 TYPES__EVENT_SERVICE_HANDLE_REQUEST___MERCHANT_EVENT_ID_MERCHANT_EVENT_ID;
    raw->merchant_event_id = optional_text(named, h->merchant_event_id);
    details_of(h->request_details, raw);
    const Types__WebhookSecrets *s = h->webhook_secrets;
    raw->has_secret = h->_webhook_secrets_case ==
                          TYPES__EVENT_SERVICE_HANDLE_REQUEST___WEBHOOK_SECRETS_WEBHOOK_SECRETS &&
                      s != NULL;
    if (raw->has_secret) {
        raw->secret = ph_slice_str(s->secret);
        raw->additional =
            optional_text(s->_additional_secret_case ==
                              TYPES__WEBHOOK_SECRETS___ADDITIONAL_SECRET_ADDITIONAL_SECRET,
                          s->additional_secret);
    }
    const Types__EventContext *context = h->event_context;
    if (h->_event_context_case !=
            TYPES__EVENT_SERVICE_HANDLE_REQUEST___EVENT_CONTEXT_EVENT_CONTEXT ||
        context == NULL ||
        context->event_context_case != TYPES__EVENT_CONTEXT__EVENT_CONTEXT_PAYMENT)
        return;
    if (context->payment->_capture_method_case ==
        TYPES__PAYMENT_EVENT_CONTEXT___CAPTURE_METHOD_CAPTURE_METHOD)
        raw->capture_method = (int32_t)context->payment->capture_method;
}

static void composite_of(const Types__CompositeEventHandleRequest *c, struct ph_raw_call *raw)
{
    Types__EventServiceHandleRequest h = TYPES__EVENT_SERVICE_HANDLE_REQUEST__INIT;
    h.request_details = c->request_details;
    if (c->_webhook_secrets_case ==
        TYPES__COMPOSITE_EVENT_HANDLE_REQUEST___WEBHOOK_SECRETS_WEBHOOK_SECRETS) {
        h._webhook_secrets_case =
            TYPES__EVENT_SERVICE_HANDLE_REQUEST___WEBHOOK_SECRETS_WEBHOOK_SECRETS;
        h.webhook_secrets = c->webhook_secrets;
    }
    if (c->_merchant_event_id_case ==
        TYPES__COMPOSITE_EVENT_HANDLE_REQUEST___MERCHANT_EVENT_ID_MERCHANT_EVENT_ID) {
        h._merchant_event_id_case =
            TYPES__EVENT_SERVICE_HANDLE_REQUEST___MERCHANT_EVENT_ID_MERCHANT_EVENT_ID;
        h.merchant_event_id = c->merchant_event_id;
    }
    if (c->_event_context_case ==
        TYPES__COMPOSITE_EVENT_HANDLE_REQUEST___EVENT_CONTEXT_EVENT_CONTEXT) {
        h._event_context_case = TYPES__EVENT_SERVICE_HANDLE_REQUEST___EVENT_CONTEXT_EVENT_CONTEXT;
        h.event_context = c->event_context;
    }
    handle_of(&h, raw);
}

static const ProtobufCMessageDescriptor *type_of(enum ph_form form)
{
    switch (form) {
    case PH_FORM_PARSE:
        return &types__event_service_parse_request__descriptor;
    case PH_FORM_COMPOSITE:
        return &types__composite_event_handle_request__descriptor;
    case PH_FORM_HANDLE:
    case PH_FORM_HANDLE_EVENT:
        break;
    }
    return &types__event_service_handle_request__descriptor;
}

enum ph_status ph_wire_read_call(struct ph_arena *arena, enum ph_form form, struct ph_slice bytes,
                                 struct ph_call *ret_call, struct ph_slice *ret_why)
{
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_raw_call raw;
    memset(&raw, 0, sizeof(raw));
    raw.headers = headers;
    PH_TRY(ph_raw_call_read(arena, form, bytes, &raw, ret_why));
    return judge(arena, &raw, ret_call, ret_why);
}

enum ph_status ph_wire_read_call_json(struct ph_arena *arena, enum ph_form form,
                                      struct ph_slice text, struct ph_call *ret_call,
                                      struct ph_slice *ret_why)
{
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_raw_call raw;
    ProtobufCMessage *m;
    memset(&raw, 0, sizeof(raw));
    raw.headers = headers;
    PH_TRY(ph_message_read_json(arena, type_of(form), text, &m, ret_why));
    if (form == PH_FORM_PARSE)
        details_of(((const Types__EventServiceParseRequest *)(const void *)m)->request_details,
                   &raw);
    else if (form == PH_FORM_COMPOSITE)
        composite_of((const Types__CompositeEventHandleRequest *)(const void *)m, &raw);
    else
        handle_of((const Types__EventServiceHandleRequest *)(const void *)m, &raw);
    return judge(arena, &raw, ret_call, ret_why);
}
