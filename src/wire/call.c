/* Calls to requests: protobuf and JSON in. */
#include "core/codec.h"
#include "events.pb-c.h"
#include "wire/message.h"
#include "wire/wire.h"

/* protobuf-c's allocations, cut from the arena; `failed` tells "no memory" from "no protobuf". */
struct source {
    struct ph_arena *arena;
    bool failed;
};

static void *source_alloc(void *ctx, size_t bytes)
{
    struct source *source = ctx;
    void *ptr = ph_arena_alloc(source->arena, bytes);
    source->failed = source->failed || ptr == NULL;
    return ptr;
}

static void source_free(void *ctx, void *ptr)
{
    (void)ctx, (void)ptr; /* the arena has it */
}

static struct ph_slice optional_text(bool there, const char *text)
{
    return there && text != NULL ? ph_slice_str(text) : (struct ph_slice){0};
}

/* A map's key that comes twice: the last counts, as in every protobuf runtime. (Names that differ in case
 * are two keys; the engine calls those ambiguous.) */
static size_t take_headers(const Types__RequestDetails *d, struct ph_header *headers)
{
    size_t count = 0;
    for (size_t i = 0; i < d->n_headers; i++) {
        struct ph_slice name = ph_slice_str(d->headers[i]->key);
        size_t at = 0;
        while (at < count && !ph_slice_eq(headers[at].name, name))
            at++;
        headers[at] = (struct ph_header){name, ph_slice_str(d->headers[i]->value)};
        count += at == count;
    }
    return count;
}

static struct ph_slice method_name(int method)
{
    static const char *const names[] = {"POST", "GET", "POST", "PUT", "DELETE"};
    return ph_slice_str(names[method >= 0 && method < 5 ? method : 0]);
}

static enum ph_status fill(struct ph_arena *arena, const Types__RequestDetails *d, const Types__WebhookSecrets *s,
                           const Types__EventContext *context, struct ph_call *call, struct ph_slice *ret_why)
{
    if (d == NULL) {
        *ret_why = PH_S("Missing required field 'request_details' in webhook request");
        return PH_ERR_INVALID;
    }
    if (d->n_headers > PH_HEADERS_MAX) {
        *ret_why = PH_S("request_details has more than 128 headers");
        return PH_ERR_MALFORMED;
    }
    struct ph_header *headers = ph_arena_alloc(arena, (d->n_headers + 1) * sizeof(*headers));
    if (headers == NULL)
        return PH_ERR_NO_MEMORY;
    call->request = (struct ph_request){
        .method = method_name((int)d->method),
        .uri = optional_text(d->_uri_case == TYPES__REQUEST_DETAILS___URI_URI, d->uri),
        .query = optional_text(d->_query_params_case == TYPES__REQUEST_DETAILS___QUERY_PARAMS_QUERY_PARAMS, d->query_params),
        .headers = headers,
        .header_count = take_headers(d, headers),
        .body = ph_slice_of(d->body.data, d->body.len)};
    if (s != NULL) {
        call->has_secret = true;
        call->secret.secret = ph_slice_str(s->secret);
        call->secret.additional =
            optional_text(s->_additional_secret_case == TYPES__WEBHOOK_SECRETS___ADDITIONAL_SECRET_ADDITIONAL_SECRET, s->additional_secret);
    }
    if (context != NULL && context->event_context_case == TYPES__EVENT_CONTEXT__EVENT_CONTEXT_PAYMENT) {
        const Types__PaymentEventContext *p = context->payment;
        if (p->_capture_method_case == TYPES__PAYMENT_EVENT_CONTEXT___CAPTURE_METHOD_CAPTURE_METHOD)
            call->capture_method = (int32_t)p->capture_method;
        if (!ph_slice_present(ph_word_name(PH_WORDS_CAPTURE_METHOD, call->capture_method))) {
            *ret_why = PH_S("event_context.payment.capture_method is no known capture method");
            return PH_ERR_MALFORMED;
        }
    }
    return PH_OK;
}

static enum ph_status from_message(struct ph_arena *arena, enum ph_form form, const ProtobufCMessage *m, struct ph_call *ret,
                                   struct ph_slice *ret_why)
{
    *ret = (struct ph_call){0};
    if (form == PH_FORM_PARSE) {
        const Types__EventServiceParseRequest *p = (const Types__EventServiceParseRequest *)(const void *)m;
        return fill(arena, p->request_details, NULL, NULL, ret, ret_why);
    }
    const Types__EventServiceHandleRequest *h = (const Types__EventServiceHandleRequest *)(const void *)m;
    bool named = h->_merchant_event_id_case == TYPES__EVENT_SERVICE_HANDLE_REQUEST___MERCHANT_EVENT_ID_MERCHANT_EVENT_ID;
    ret->merchant_event_id = optional_text(named, h->merchant_event_id);
    return fill(arena, h->request_details,
                h->_webhook_secrets_case == TYPES__EVENT_SERVICE_HANDLE_REQUEST___WEBHOOK_SECRETS_WEBHOOK_SECRETS ? h->webhook_secrets : NULL,
                h->_event_context_case == TYPES__EVENT_SERVICE_HANDLE_REQUEST___EVENT_CONTEXT_EVENT_CONTEXT ? h->event_context : NULL,
                ret, ret_why);
}

static const ProtobufCMessageDescriptor *type_of(enum ph_form form)
{
    return form == PH_FORM_PARSE ? &types__event_service_parse_request__descriptor : &types__event_service_handle_request__descriptor;
}

enum ph_status ph_wire_read_call(struct ph_arena *arena, enum ph_form form, struct ph_slice bytes, struct ph_call *ret_call,
                                 struct ph_slice *ret_why)
{
    struct source source = {.arena = arena};
    ProtobufCAllocator allocator = {source_alloc, source_free, &source};
    const char *field = "";
    if (!ph_message_texts_valid(type_of(form), bytes, PH_DEPTH_MAX, &field)) {
        struct ph_slice parts[] = {ph_slice_str(field), PH_S(": a text is not UTF-8, or holds NUL")};
        *ret_why = ph_text_join(arena, parts, PH_COUNTOF(parts));
        return PH_ERR_MALFORMED;
    }
    ProtobufCMessage *m = protobuf_c_message_unpack(type_of(form), &allocator, bytes.len, (const uint8_t *)bytes.ptr);
    if (m != NULL)
        return from_message(arena, form, m, ret_call, ret_why);
    *ret_why = source.failed ? PH_S("out of memory") : PH_S("the message is not a protobuf of its type");
    return source.failed ? PH_ERR_NO_MEMORY : PH_ERR_MALFORMED;
}

enum ph_status ph_wire_read_call_json(struct ph_arena *arena, enum ph_form form, struct ph_slice text, struct ph_call *ret_call,
                                      struct ph_slice *ret_why)
{
    ProtobufCMessage *m;
    PH_TRY(ph_message_read_json(arena, type_of(form), text, &m, ret_why));
    return from_message(arena, form, m, ret_call, ret_why);
}

enum ph_status ph_wire_write_error_json(struct ph_arena *arena, struct ph_slice code, struct ph_slice message, struct ph_slice *ret)
{
    struct ph_slice a, b;
    if (!ph_json_escape(arena, ph_text_clean(arena, code), &a) || !ph_json_escape(arena, ph_text_clean(arena, message), &b))
        return PH_ERR_NO_MEMORY;
    struct ph_slice parts[] = {PH_S("{\"error\":{\"code\":\""), a, PH_S("\",\"message\":\""), b, PH_S("\"}}")};
    struct ph_slice text = ph_text_join(arena, parts, PH_COUNTOF(parts));
    if (!ph_slice_present(text))
        return PH_ERR_NO_MEMORY;
    *ret = text;
    return PH_OK;
}

int ph_wire_grpc_status(enum ph_error_code code)
{
    switch (code) {
    case PH_E_NONE:
        return 0;
    case PH_E_WEBHOOKS_NOT_IMPLEMENTED:
        return 12;
    case PH_E_WEBHOOK_EVENT_TYPE_NOT_FOUND:
    case PH_E_WEBHOOK_REFERENCE_ID_NOT_FOUND:
    case PH_E_WEBHOOK_RESOURCE_OBJECT_NOT_FOUND:
        return 5;
    case PH_E_WEBHOOK_BODY_DECODING_FAILED:
    case PH_E_WEBHOOK_MISSING_REQUIRED_FIELD:
    case PH_E_WEBHOOK_MISSING_REQUIRED_CONTEXT:
        return 3;
    case PH_E_WEBHOOK_AMOUNT_CONVERSION_FAILED:
    case PH_E_WEBHOOK_PROCESSING_FAILED:
        return 13;
    }
    return 13;
}

int ph_wire_http_status(int grpc_status)
{
    static const int map[] = {200, 408, 500, 400, 504, 404, 409, 403, 429, 412, 409, 416, 501, 500, 503, 500, 401};
    return grpc_status >= 0 && grpc_status < (int)PH_COUNTOF(map) ? map[grpc_status] : 500;
}
