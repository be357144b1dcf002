/* The wire: calls in and answers out, as protobuf and as JSON; and that Handle fails closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "events.pb-c.h"
#include "wire/message.h"
#include "wire/scan.h"
#include "wire/wire.h"

/* ---- the words and the schema agree (at compile time) ---------------------------------------- */

#define SAME(name, number)                                                                         \
    _Static_assert((int)TYPES__WEBHOOK_EVENT_TYPE__##name == (number), #name);
PH_EVENT_TYPES(SAME)
#undef SAME
#define SAME(name, number) _Static_assert((int)TYPES__PAYMENT_STATUS__##name == (number), #name);
PH_PAYMENT_STATUSES(SAME)
#undef SAME
#define SAME(name, number) _Static_assert((int)TYPES__REFUND_STATUS__##name == (number), #name);
PH_REFUND_STATUSES(SAME)
#undef SAME
#define SAME(name, number) _Static_assert((int)TYPES__DISPUTE_STATUS__##name == (number), #name);
PH_DISPUTE_STATUSES(SAME)
#undef SAME
#define SAME(name, number) _Static_assert((int)TYPES__DISPUTE_STAGE__##name == (number), #name);
PH_DISPUTE_STAGES(SAME)
#undef SAME
#define SAME(name, number) _Static_assert((int)TYPES__CAPTURE_METHOD__##name == (number), #name);
PH_CAPTURE_METHODS(SAME)
#undef SAME
#define SAME(name, number)                                                                         \
    _Static_assert((int)TYPES__PAYOUT_ENUMS__PAYOUT_STATUS__##name == (number), #name);
PH_PAYOUT_STATUSES(SAME)
#undef SAME
#define SAME(name, number)                                                                         \
    _Static_assert((int)TYPES__HANDLE_RESPONSE__VERDICT__##name == (number), #name);
PH_VERDICTS(SAME)
#undef SAME
#define SAME(name, number, decimals)                                                               \
    _Static_assert((int)TYPES__CURRENCY__##name == (number), #name);
PH_CURRENCIES(SAME)
#undef SAME
_Static_assert((int)TYPES__HANDLE_RESPONSE__MODE__UNKNOWN == PH_MODE_UNSPECIFIED, "mode");
_Static_assert((int)TYPES__HANDLE_RESPONSE__MODE__TEST == PH_TEST, "mode");
_Static_assert((int)TYPES__HANDLE_RESPONSE__MODE__LIVE == PH_LIVE, "mode");

/* ---- fixtures -------------------------------------------------------------------------------- */

static void assert_slice(struct ph_slice got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static bool contains(struct ph_slice text, const char *part)
{
    return ph_slice_find(text, ph_slice_str(part), 0) != SIZE_MAX;
}

static struct ph_slice pack(const ProtobufCMessage *m)
{
    uint8_t *bytes = ph_arena_alloc(&arena, protobuf_c_message_get_packed_size(m) + 1);
    assert_non_null(bytes);
    return ph_slice_of(bytes, protobuf_c_message_pack(m, bytes));
}

/* A call with everything the decoder reads. */
static struct ph_slice full_call_as(enum ph_form form)
{
    Types__RequestDetails__HeadersEntry h1 = TYPES__REQUEST_DETAILS__HEADERS_ENTRY__INIT, h2 = h1;
    Types__RequestDetails__HeadersEntry *headers[] = {&h1, &h2};
    Types__RequestDetails details = TYPES__REQUEST_DETAILS__INIT;
    Types__WebhookSecrets secrets = TYPES__WEBHOOK_SECRETS__INIT;
    Types__PaymentEventContext payment = TYPES__PAYMENT_EVENT_CONTEXT__INIT;
    Types__EventContext context = TYPES__EVENT_CONTEXT__INIT;
    Types__EventServiceHandleRequest call = TYPES__EVENT_SERVICE_HANDLE_REQUEST__INIT;
    Types__CompositeEventHandleRequest composite = TYPES__COMPOSITE_EVENT_HANDLE_REQUEST__INIT;
    h1.key = "Content-Type", h1.value = "application/json";
    h2.key = "X-Signature", h2.value = "caf\xc3\xa9";
    details.method = TYPES__HTTP_METHOD__HTTP_METHOD_PUT;
    details.uri = "/hooks?a=b", details._uri_case = TYPES__REQUEST_DETAILS___URI_URI;
    details.headers = headers, details.n_headers = 2;
    details.body = (ProtobufCBinaryData){5, (uint8_t *)"\0\xff{}\n"};
    details.query_params = "a=b";
    details._query_params_case = TYPES__REQUEST_DETAILS___QUERY_PARAMS_QUERY_PARAMS;
    secrets.secret = "whsec", secrets.additional_secret = "more";
    secrets._additional_secret_case = TYPES__WEBHOOK_SECRETS___ADDITIONAL_SECRET_ADDITIONAL_SECRET;
    payment.capture_method = TYPES__CAPTURE_METHOD__MANUAL;
    payment._capture_method_case = TYPES__PAYMENT_EVENT_CONTEXT___CAPTURE_METHOD_CAPTURE_METHOD;
    context.payment = &payment;
    context.event_context_case = TYPES__EVENT_CONTEXT__EVENT_CONTEXT_PAYMENT;
    call.merchant_event_id = "me_1";
    call._merchant_event_id_case =
        TYPES__EVENT_SERVICE_HANDLE_REQUEST___MERCHANT_EVENT_ID_MERCHANT_EVENT_ID;
    call.request_details = &details;
    call.webhook_secrets = &secrets;
    call._webhook_secrets_case =
        TYPES__EVENT_SERVICE_HANDLE_REQUEST___WEBHOOK_SECRETS_WEBHOOK_SECRETS;
    call.event_context = &context;
    call._event_context_case = TYPES__EVENT_SERVICE_HANDLE_REQUEST___EVENT_CONTEXT_EVENT_CONTEXT;
    if (form != PH_FORM_COMPOSITE)
        return pack(&call.base);
    composite.request_details = &details;
    composite.webhook_secrets = &secrets;
    composite._webhook_secrets_case =
        TYPES__COMPOSITE_EVENT_HANDLE_REQUEST___WEBHOOK_SECRETS_WEBHOOK_SECRETS;
    composite.merchant_event_id = "me_1";
    composite._merchant_event_id_case =
        TYPES__COMPOSITE_EVENT_HANDLE_REQUEST___MERCHANT_EVENT_ID_MERCHANT_EVENT_ID;
    composite.event_context = &context;
    composite._event_context_case =
        TYPES__COMPOSITE_EVENT_HANDLE_REQUEST___EVENT_CONTEXT_EVENT_CONTEXT;
    return pack(&composite.base);
}

static struct ph_slice full_call(void)
{
    return full_call_as(PH_FORM_HANDLE);
}

static void assert_full_call(const struct ph_call *call)
{
    assert_slice(call->request.method, "PUT");
    assert_slice(call->request.uri, "/hooks?a=b");
    assert_slice(call->request.query, "a=b");
    assert_int_equal(call->request.header_count, 2);
    assert_slice(call->request.headers[0].name, "Content-Type");
    assert_slice(call->request.headers[1].value, "caf\xc3\xa9");
    assert_int_equal(call->request.body.len, 5);
    assert_memory_equal(call->request.body.ptr, "\0\xff{}\n", 5);
    assert_true(call->has_secret);
    assert_slice(call->secret.secret, "whsec");
    assert_slice(call->secret.additional, "more");
    assert_slice(call->merchant_event_id, "me_1");
    assert_int_equal(call->capture_method, PH_MANUAL);
}

static enum ph_status read_json(const char *text, struct ph_call *ret_call,
                                struct ph_slice *ret_why)
{
    return ph_wire_read_call_json(&arena, PH_FORM_HANDLE, ph_slice_str(text), ret_call, ret_why);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void a_full_protobuf_call_is_read(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(ph_wire_read_call(&arena, PH_FORM_HANDLE, full_call(), &call, &why), PH_OK);
    assert_full_call(&call);
}

static void a_composite_call_is_a_handle_call_under_other_numbers(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0}, bytes = full_call_as(PH_FORM_COMPOSITE);
    (void)state;
    assert_int_equal(ph_wire_read_call(&arena, PH_FORM_COMPOSITE, bytes, &call, &why), PH_OK);
    assert_full_call(&call);
    assert_int_not_equal(ph_wire_read_call(&arena, PH_FORM_HANDLE, bytes, &call, &why), PH_OK);
    const char *text = "{\"request_details\":{\"method\":\"HTTP_METHOD_PUT\",\"uri\":\"/"
                       "hooks?a=b\",\"queryParams\":\"a=b\","
                       "\"headers\":{\"Content-Type\":\"application/"
                       "json\",\"X-Signature\":\"caf\xc3\xa9\"},\"body\":\"AP97fQo=\"},"
                       "\"webhook_secrets\":{\"secret\":\"whsec\",\"additional_secret\":\"more\"},"
                       "\"merchantEventId\":\"me_1\","
                       "\"event_context\":{\"payment\":{\"capture_method\":\"MANUAL\"}}}";
    assert_int_equal(
        ph_wire_read_call_json(&arena, PH_FORM_COMPOSITE, ph_slice_str(text), &call, &why), PH_OK);
    assert_full_call(&call);
    assert_int_equal(ph_wire_read_call_json(&arena, PH_FORM_COMPOSITE, PH_S("{}"), &call, &why),
                     PH_ERR_INVALID);
    assert_int_equal(ph_wire_read_call(&arena, PH_FORM_COMPOSITE, PH_S(""), &call, &why),
                     PH_ERR_INVALID);
    assert_int_equal(ph_wire_read_call(&arena, PH_FORM_COMPOSITE, PH_S("\xff"), &call, &why),
                     PH_ERR_MALFORMED);
}

static void a_call_cut_short_at_any_byte_never_reads_as_the_whole(void **state)
{
    struct ph_slice bytes = full_call();
    (void)state;
    for (size_t len = 0; len < bytes.len; len++) {
        /* A copy of exact size, so that a sanitizer sees one byte too far. */
        char *cut = malloc(len + (len == 0));
        assert_non_null(cut);
        memcpy(cut, bytes.ptr, len);
        struct ph_call call = {0};
        struct ph_slice why = {0};
        enum ph_status st =
            ph_wire_read_call(&arena, PH_FORM_HANDLE, ph_slice_of(cut, len), &call, &why);
        /* Cut between fields it is another, shorter call: then the last field is not there. */
        if (st == PH_OK)
            assert_int_equal(call.capture_method, 0);
        else
            assert_true(why.len > 0);
        free(cut);
    }
}

static bool same_text(struct ph_slice ours, bool there, const char *theirs)
{
    return there ? ph_slice_eq(ours, ph_slice_str(theirs)) : ours.len == 0;
}

/* What we read against what protobuf-c unpacks. */
static void assert_same_call(const struct ph_call *call, const Types__EventServiceHandleRequest *h)
{
    const Types__RequestDetails *d = h->request_details;
    assert_true(
        same_text(call->merchant_event_id, h->_merchant_event_id_case != 0, h->merchant_event_id));
    assert_true(same_text(call->request.uri, d->_uri_case != 0, d->uri));
    assert_true(same_text(call->request.query, d->_query_params_case != 0, d->query_params));
    assert_true(ph_slice_eq(call->request.body, ph_slice_of(d->body.data, d->body.len)));
    assert_int_equal(call->has_secret, h->_webhook_secrets_case != 0);
    if (call->has_secret) {
        assert_true(same_text(call->secret.secret, true, h->webhook_secrets->secret));
        assert_true(same_text(call->secret.additional,
                              h->webhook_secrets->_additional_secret_case != 0,
                              h->webhook_secrets->additional_secret));
    }
    for (size_t i = 0; i < d->n_headers; i++) {
        size_t at = 0, last = i;
        for (size_t k = i; k < d->n_headers; k++)
            last = strcmp(d->headers[k]->key, d->headers[i]->key) == 0 ? k : last;
        while (at < call->request.header_count &&
               !ph_slice_eq(call->request.headers[at].name, ph_slice_str(d->headers[i]->key)))
            at++;
        assert_true(at < call->request.header_count);
        assert_true(
            ph_slice_eq(call->request.headers[at].value, ph_slice_str(d->headers[last]->value)));
    }
    const Types__EventContext *c = h->_event_context_case != 0 ? h->event_context : NULL;
    bool payment =
        c != NULL && c->event_context_case == TYPES__EVENT_CONTEXT__EVENT_CONTEXT_PAYMENT;
    assert_int_equal(call->capture_method, payment && c->payment->_capture_method_case != 0
                                               ? (int)c->payment->capture_method
                                               : 0);
}

/* Where a message comes twice protobuf-c is no measure (see below). */
static bool merges(struct ph_slice bytes)
{
    unsigned seen[8] = {0};
    struct ph_scanned s;
    while (bytes.len > 0 && ph_scan_next(&bytes, &s))
        if (s.number < 8 && seen[s.number]++ > 0)
            return true;
    return false;
}

static size_t compare_readings(struct ph_slice bytes, bool zero_number)
{
    struct ph_call call = {0};
    struct ph_slice why = {0};
    const char *field = NULL;
    enum ph_status st = ph_wire_read_call(&arena, PH_FORM_HANDLE, bytes, &call, &why);
    ProtobufCMessage *m =
        protobuf_c_message_unpack(&types__event_service_handle_request__descriptor, NULL, bytes.len,
                                  (const uint8_t *)bytes.ptr);
    if (st == PH_OK) {
        assert_non_null(m);
        assert_int_equal(ph_scan_message(m->descriptor, bytes, PH_DEPTH_MAX, &field), PH_SCAN_GOOD);
        if (!merges(bytes))
            assert_same_call(&call, (const Types__EventServiceHandleRequest *)(const void *)m);
    } else if (m != NULL && !zero_number) { /* protobuf-c alone lets fields have the number 0 */
        assert_true(ph_slice_find(why, PH_S("is not a protobuf"), 0) == SIZE_MAX);
    }
    if (m != NULL)
        protobuf_c_message_free_unpacked(m, NULL);
    ph_arena_reset(&arena);
    return st == PH_OK;
}

static void a_call_with_any_byte_changed_reads_as_protobuf_c_unpacks_it(void **state)
{
    char bytes[2048];
    struct ph_slice full = full_call();
    size_t good = 0;
    (void)state;
    assert_true(full.len <= sizeof(bytes));
    memcpy(bytes, full.ptr, full.len);
    size_t len = full.len;
    for (size_t at = 0; at < len; at++) {
        for (int change = 0; change < 256; change++) {
            char kept = bytes[at];
            bytes[at] = (char)change;
            good += compare_readings(ph_slice_of(bytes, len), change < 8);
            bytes[at] = kept;
        }
    }
    assert_true(good > 1000);
}

/* By the specification; protobuf-c itself loses optional members when it merges. */
static void messages_that_come_twice_are_one(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(
        ph_wire_read_call(
            &arena, PH_FORM_HANDLE,
            PH_S("\x12\x04\x12\x02/a\x1a\x03\x0a\x01s\x12\x0a\x2a\x01q\x1a\x05\x0a\x01h\x12\x00"
                 "\x1a\x06\x0a\x01t\x12\x01u"),
            &call, &why),
        PH_OK);
    assert_slice(call.request.uri, "/a");
    assert_slice(call.request.query, "q");
    assert_int_equal(call.request.header_count, 1);
    assert_slice(call.secret.secret, "t");
    assert_slice(call.secret.additional, "u");
}

static void a_call_without_request_details_is_invalid(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(ph_wire_read_call(&arena, PH_FORM_HANDLE, PH_S(""), &call, &why),
                     PH_ERR_INVALID);
    assert_slice(why, "Missing required field 'request_details' in webhook request");
    assert_int_equal(ph_wire_read_call(&arena, PH_FORM_PARSE, PH_S(""), &call, &why),
                     PH_ERR_INVALID);
    assert_int_equal(read_json("{}", &call, &why), PH_ERR_INVALID);
    assert_int_equal(read_json("{\"request_details\":{}}", &call, &why), PH_OK);
    assert_slice(call.request.method, "POST");
}

static void bytes_that_are_no_utf8_in_a_header_are_malformed(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    /* request_details{headers{key "a" value X}} */
    assert_int_equal(ph_wire_read_call(&arena, PH_FORM_PARSE,
                                       PH_S("\x0a\x08\x1a\x06\x0a\x01"
                                            "a\x12\x01"
                                            "b"),
                                       &call, &why),
                     PH_OK);
    assert_int_equal(ph_wire_read_call(&arena, PH_FORM_PARSE,
                                       PH_S("\x0a\x08\x1a\x06\x0a\x01"
                                            "a\x12\x01\xff"),
                                       &call, &why),
                     PH_ERR_MALFORMED);
    assert_true(why.len > 0);
}

static void json_is_read_in_both_name_styles(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(
        read_json(
            "{\"merchant_event_id\":\"me_1\",\"request_details\":{\"method\":\"HTTP_METHOD_PUT\","
            "\"uri\":\"/hooks?a=b\",\"headers\":{\"Content-Type\":\"application/json\","
            "\"X-Signature\":\"caf\xc3\xa9\"},\"body\":\"AP97fQo=\",\"query_params\":\"a=b\"},"
            "\"webhook_secrets\":{\"secret\":\"whsec\",\"additional_secret\":\"more\"},"
            "\"event_context\":{\"payment\":{\"capture_method\":\"MANUAL\"}},\"later\":[1,{}]}",
            &call, &why),
        PH_OK);
    assert_full_call(&call);
    assert_int_equal(
        read_json("{\"merchantEventId\":\"me_1\",\"requestDetails\":{\"method\":3,"
                  "\"uri\":\"/hooks?a=b\",\"headers\":{\"Content-Type\":\"application/json\","
                  "\"X-Signature\":\"caf\\u00e9\"},\"body\":\"AP97fQo\",\"queryParams\":\"a=b\"},"
                  "\"webhookSecrets\":{\"secret\":\"whsec\",\"additionalSecret\":\"more\"},"
                  "\"eventContext\":{\"payment\":{\"captureMethod\":2}}}",
                  &call, &why),
        PH_OK);
    assert_full_call(&call);
}

/* Bytes as integers, a oneof one level deeper. */
static void the_peers_json_is_read_to_the_same_call(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(
        read_json(
            "{\"merchant_event_id\":\"me_1\",\"request_details\":{\"method\":3,"
            "\"uri\":\"/hooks?a=b\",\"headers\":{\"Content-Type\":\"application/json\","
            "\"X-Signature\":\"caf\xc3\xa9\"},\"body\":[0,255,123,125,10],\"query_params\":\"a=b\"}"
            ","
            "\"webhook_secrets\":{\"secret\":\"whsec\",\"additional_secret\":\"more\"},"
            "\"event_context\":{\"event_context\":{\"Payment\":{\"capture_method\":\"MANUAL\"}}}}",
            &call, &why),
        PH_OK);
    assert_full_call(&call);
    /* An arm that is none is skipped, like every key that is not known. */
    assert_int_equal(
        read_json("{\"request_details\":{\"body\":[]},\"event_context\":{\"event_context\":"
                  "{\"Mandate\":{},\"Payment\":{\"capture_method\":\"MANUAL\"}}}}",
                  &call, &why),
        PH_OK);
    assert_int_equal(call.capture_method, 0);
    assert_int_equal(call.request.body.len, 0);
}

static void json_of_the_wrong_shape_is_malformed(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"request_details\":7}",
        "{\"request_details\":{\"method\":\"PATCHY\"}}",
        "{\"request_details\":{\"body\":[256]}}",
        "{\"request_details\":{\"body\":[-1]}}",
        "{\"request_details\":{\"body\":[1.0]}}",
        "{\"request_details\":{\"body\":[\"1\"]}}",
        "{\"request_details\":{\"body\":{}}}",
        ("{\"request_details\":{},\"event_context\":{\"event_context\":{\"Payment\":{\"capture_"
         "method\":99}}}}"),
        "{\"request_details\":{},\"event_context\":{\"event_context\":{\"Payment\":7}}}",
        "{\"request_details\":{\"body\":\"A\"}}",
        "{\"request_details\":{\"headers\":{\"a\":1}}}",
        "{\"request_details\":{\"uri\":\"a\\u0000b\"}}",
        "{\"request_details\":{\"uri\":\"\xff\"}}",
        "{\"request_details\":{},\"event_context\":{\"payment\":{\"capture_method\":99}}}"};
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(bad); i++) {
        struct ph_call call;
        struct ph_slice why = {0};
        assert_int_equal(read_json(bad[i], &call, &why), PH_ERR_MALFORMED);
        assert_true(why.len > 0);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static struct ph_value id(const char *text)
{
    return (struct ph_value){.present = true, .text = ph_slice_str(text)};
}

static struct ph_value usd(int64_t minor)
{
    return (struct ph_value){.present = true, .number = minor, .currency = 146};
}

static struct ph_value at_ms(int64_t ms)
{
    return (struct ph_value){.present = true, .number = ms};
}

static const struct ph_slice covers[] = {PH_SI("body"), PH_SI("time")};

static struct ph_event paid(enum ph_verdict verdict)
{
    struct ph_event e = {.verdict = verdict,
                         .verdict_reason = PH_S("checked"),
                         .matched_secret = verdict == PH_VERIFIED ? 2 : 0,
                         .event_type = PH_PAYMENT_INTENT_AUTHORIZATION_SUCCESS,
                         .handle_event_type = PH_PAYMENT_INTENT_SUCCESS,
                         .kind = PH_KIND_PAYMENT,
                         .status = PH_CHARGED,
                         .reference_kind = PH_KIND_PAYMENT,
                         .id = PH_S("evt_1"),
                         .type = PH_S("payment.paid"),
                         .time_ms = 1700000000123,
                         .has_time = true,
                         .dedupe_key = PH_S("acme:dedupe"),
                         .effect_key = PH_S("acme:effect"),
                         .merchant_event_id = PH_S("derived"),
                         .account = PH_S("acct_1"),
                         .mode = PH_LIVE,
                         .covers = covers,
                         .cover_count = PH_COUNTOF(covers)};
    e.fields[PH_F_CONNECTOR_TRANSACTION_ID] = e.reference[PH_F_CONNECTOR_TRANSACTION_ID] =
        id("pi_1");
    e.fields[PH_F_MERCHANT_TRANSACTION_ID] = id("order_1");
    e.fields[PH_F_AMOUNT] = usd(2000);
    e.fields[PH_F_CAPTURED_AMOUNT] = usd(1500);
    e.fields[PH_F_CREATED_AT] = at_ms(1700000000999);
    e.fields[PH_F_CONNECTOR_MANDATE_ID] = id("mandate_1");
    e.fields[PH_F_CARD_LAST4] = id("4242");
    e.fields[PH_F_CARD_NETWORK] = id("VISA");
    e.fields[PH_F_ERROR_CODE] = id("51");
    return e;
}

static const struct ph_header ack_headers[] = {{PH_SI("Content-Type"), PH_SI("text/plain")}};

static struct ph_answer answer_of(struct ph_event *events, size_t count)
{
    return (struct ph_answer){.events = events,
                              .event_count = count,
                              .ack_status = 202,
                              .ack_headers = ack_headers,
                              .ack_header_count = 1,
                              .ack_body = PH_S("[accepted]")};
}

static ProtobufCMessage *written(enum ph_form form, const struct ph_answer *a,
                                 const ProtobufCMessageDescriptor *type)
{
    struct ph_slice bytes = {0};
    assert_int_equal(ph_wire_write(&arena, form, a, &bytes), PH_OK);
    ProtobufCMessage *m =
        protobuf_c_message_unpack(type, NULL, bytes.len, (const uint8_t *)bytes.ptr);
    assert_non_null(m);
    return m;
}

static Types__HandleResponse *handled(const struct ph_answer *a)
{
    return (Types__HandleResponse *)written(PH_FORM_HANDLE, a, &types__handle_response__descriptor);
}

static void assert_paid(const Types__EventContent *content)
{
    assert_int_equal(content->content_case, TYPES__EVENT_CONTENT__CONTENT_PAYMENTS_RESPONSE);
    const Types__PaymentServiceGetResponse *p = content->payments_response;
    assert_string_equal(p->connector_transaction_id, "pi_1");
    assert_string_equal(p->merchant_transaction_id, "order_1");
    assert_int_equal(p->status, TYPES__PAYMENT_STATUS__CHARGED);
    assert_int_equal(p->status_code, 200);
    assert_int_equal(p->amount->minor_amount, 2000);
    assert_int_equal(p->amount->currency, TYPES__CURRENCY__USD);
    assert_int_equal(p->captured_amount, 1500);
    assert_int_equal(p->created_at, 1700000000);
    assert_string_equal(p->mandate_reference->connector_mandate_id->connector_mandate_id,
                        "mandate_1");
    assert_string_equal(p->mandate_reference_details->connector_mandate_id, "mandate_1");
    assert_string_equal(p->payment_method_update->card->last4_digits, "4242");
    assert_string_equal(p->payment_method_update->card->card_network, "VISA");
    assert_string_equal(p->error->connector_details->code, "51");
    assert_int_equal(p->_email_case, 0);
}

static void handle_tells_everything_of_a_verified_event(void **state)
{
    struct ph_event e = paid(PH_VERIFIED);
    struct ph_answer a = answer_of(&e, 1);
    Types__HandleResponse *m = handled(&a);
    (void)state;
    assert_int_equal(m->event_type, TYPES__WEBHOOK_EVENT_TYPE__PAYMENT_INTENT_SUCCESS);
    assert_paid(m->event_response);
    assert_null(m->unverified_response);
    assert_true(m->source_verified);
    assert_string_equal(m->merchant_event_id, "derived");
    assert_int_equal(m->event_ack_response->status_code, 202);
    assert_string_equal(m->event_ack_response->headers[0]->key, "Content-Type");
    assert_int_equal(m->event_ack_response->body.len, 10);
    assert_int_equal(m->n_supported_integrity_checks, 3);
    assert_int_equal(m->event_status, TYPES__HANDLE_RESPONSE__WEBHOOK_EVENT_STATUS__COMPLETE);
    assert_int_equal(m->verdict, TYPES__HANDLE_RESPONSE__VERDICT__VERIFIED);
    assert_string_equal(m->verdict_reason, "checked");
    assert_string_equal(m->reference->payment->connector_transaction_id, "pi_1");
    assert_string_equal(m->processor_event->id, "evt_1");
    assert_string_equal(m->processor_event->type, "payment.paid");
    assert_int_equal(m->processor_event->time_ms, 1700000000123);
    assert_string_equal(m->dedupe_key, "acme:dedupe");
    assert_string_equal(m->effect_key, "acme:effect");
    assert_string_equal(m->event_name, "PAYMENT_INTENT_SUCCESS");
    assert_int_equal(m->n_covers, 2);
    assert_string_equal(m->covers[1], "time");
    assert_string_equal(m->account, "acct_1");
    assert_int_equal(m->mode, TYPES__HANDLE_RESPONSE__MODE__LIVE);
    assert_int_equal(m->matched_secret, 2);
    types__handle_response__free_unpacked(m, NULL);
}

static void handle_fails_closed_for_every_other_verdict(void **state)
{
    (void)state;
    for (int verdict = 0; verdict <= PH_UNREACHABLE; verdict++) {
        if (verdict == PH_VERIFIED)
            continue;
        struct ph_event e = paid((enum ph_verdict)verdict);
        struct ph_answer a = answer_of(&e, 1);
        Types__HandleResponse *m = handled(&a);
        assert_int_equal(m->verdict, verdict);
        assert_int_equal(m->event_type, 0);
        assert_null(m->event_response);
        assert_false(m->source_verified);
        assert_paid(m->unverified_response);
        assert_int_equal(m->_merchant_event_id_case, 0);
        assert_string_equal(m->dedupe_key, "");
        assert_string_equal(m->effect_key, "");
        assert_string_equal(m->event_name, "");
        assert_int_equal(m->n_covers, 0);
        assert_int_equal(m->matched_secret, 0);
        assert_int_equal(m->n_supported_integrity_checks, 0);
        assert_string_equal(m->processor_event->id, "evt_1");
        types__handle_response__free_unpacked(m, NULL);
    }
}

static void handle_tells_a_batch_item_by_item(void **state)
{
    struct ph_event e[] = {paid(PH_VERIFIED), paid(PH_FORGED), paid(PH_VERIFIED)};
    struct ph_answer a = answer_of(e, 3);
    (void)state;
    e[2].merchant_event_id = PH_S("derived.3");
    Types__HandleResponse *m = handled(&a);
    assert_int_equal(m->n_more_events, 2);
    assert_null(m->more_events[0]->event_response);
    assert_non_null(m->more_events[0]->unverified_response);
    assert_true(m->more_events[1]->source_verified);
    assert_string_equal(m->more_events[1]->merchant_event_id, "derived.3");
    types__handle_response__free_unpacked(m, NULL);
}

static void handle_says_why_an_event_is_incomplete(void **state)
{
    struct ph_event e = paid(PH_VERIFIED);
    struct ph_answer a = answer_of(&e, 1);
    (void)state;
    e.incomplete = PH_S("ask");
    Types__HandleResponse *m = handled(&a);
    assert_int_equal(m->event_status, TYPES__HANDLE_RESPONSE__WEBHOOK_EVENT_STATUS__INCOMPLETE);
    types__handle_response__free_unpacked(m, NULL);
}

static void handle_event_tells_full_content_of_a_forgery_and_that_it_is_one(void **state)
{
    struct ph_event e[] = {paid(PH_VERIFIED), paid(PH_FORGED)};
    struct ph_answer a = answer_of(e, 1);
    (void)state;
    for (size_t count = 1; count <= 2; count++) {
        a.event_count = count;
        Types__EventServiceHandleResponse *m = (Types__EventServiceHandleResponse *)written(
            PH_FORM_HANDLE_EVENT, &a, &types__event_service_handle_response__descriptor);
        assert_int_equal(m->source_verified, count == 1); /* a batch: only if every item is */
        assert_int_equal(m->event_type,
                         TYPES__WEBHOOK_EVENT_TYPE__PAYMENT_INTENT_AUTHORIZATION_SUCCESS);
        assert_paid(m->event_content);
        assert_int_equal(m->_merchant_event_id_case, 0); /* none was sent */
        types__event_service_handle_response__free_unpacked(m, NULL);
    }
    a.merchant_event_id_given = true;
    e[0].verdict = PH_FORGED;
    Types__EventServiceHandleResponse *m = (Types__EventServiceHandleResponse *)written(
        PH_FORM_HANDLE_EVENT, &a, &types__event_service_handle_response__descriptor);
    assert_string_equal(m->merchant_event_id, "derived");
    assert_false(m->source_verified);
    assert_paid(m->event_content);
    types__event_service_handle_response__free_unpacked(m, NULL);
}

static void parse_says_even_an_unspecified_type(void **state)
{
    struct ph_event e = {.reference_kind = PH_KIND_REFUND};
    struct ph_answer a = answer_of(&e, 1);
    struct ph_slice text = {0};
    (void)state;
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_PARSE, &a, &text), PH_OK);
    assert_slice(text, "{\"event_type\":\"WEBHOOK_EVENT_TYPE_UNSPECIFIED\"}");
    e.reference[PH_F_CONNECTOR_REFUND_ID] = id("re_1");
    e.event_type = PH_WEBHOOK_REFUND_SUCCESS;
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_PARSE, &a, &text), PH_OK);
    assert_slice(text, "{\"reference\":{\"refund\":{\"connector_refund_id\":\"re_1\"}},"
                       "\"event_type\":\"WEBHOOK_REFUND_SUCCESS\"}");
}

static void each_kind_of_content_has_its_own_arm(void **state)
{
    struct ph_event e = {
        .verdict = PH_VERIFIED, .kind = PH_KIND_REFUND, .status = PH_REFUND_SUCCESS};
    struct ph_answer a = answer_of(&e, 1);
    struct ph_slice text = {0};
    (void)state;
    a.ack_status = 0;
    e.fields[PH_F_CONNECTOR_REFUND_ID] = id("re_1");
    e.fields[PH_F_REFUND_AMOUNT] = usd(-5);
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_HANDLE_EVENT, &a, &text), PH_OK);
    assert_slice(text, "{\"event_content\":{\"refunds_response\":{\"connector_refund_id\":\"re_1\","
                       "\"status\":\"REFUND_SUCCESS\","
                       "\"status_code\":200,\"refund_amount\":{\"minor_amount\":\"-5\","
                       "\"currency\":\"USD\"}}},\"source_verified\":true,"
                       "\"supported_integrity_checks\":[\"INTEGRITY_CHECK_AMOUNT\",\"INTEGRITY_"
                       "CHECK_CURRENCY\"]}");
    e = (struct ph_event){.kind = PH_KIND_DISPUTE, .status = PH_DISPUTE_WON};
    e.fields[PH_F_DISPUTE_STAGE] =
        (struct ph_value){.present = true, .currency = PH_ACTIVE_DISPUTE};
    e.fields[PH_F_DUE_DATE] = at_ms(2000);
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_HANDLE_EVENT, &a, &text), PH_OK);
    assert_slice(text, "{\"event_content\":{\"disputes_response\":{\"dispute_status\":\"DISPUTE_"
                       "WON\",\"dispute_stage\":\"ACTIVE_DISPUTE\","
                       "\"status_code\":200,\"due_date\":\"2\"}}}");
    e = (struct ph_event){.kind = PH_KIND_PAYOUT, .status = PH_PAYOUT_IS_FAILED};
    e.fields[PH_F_CONNECTOR_PAYOUT_ID] = id("po_1");
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_HANDLE_EVENT, &a, &text), PH_OK);
    assert_slice(text, "{\"event_content\":{\"payouts_response\":{\"payout_status\":\"FAILED\","
                       "\"connector_payout_id\":\"po_1\","
                       "\"status_code\":200}}}");
    e = (struct ph_event){.kind = PH_KIND_NONE, .event_type = PH_MANDATE_ACTIVE};
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_HANDLE_EVENT, &a, &text), PH_OK);
    assert_slice(text, "{\"event_type\":\"MANDATE_ACTIVE\"}");
}

static void texts_that_leave_are_utf8_without_nul(void **state)
{
    struct ph_event e = paid(PH_VERIFIED);
    struct ph_answer a = answer_of(&e, 1);
    struct ph_slice text = {0};
    (void)state;
    e.account = PH_S("a\xff"
                     "b\0c\xed\xa0\x80\"\\\n");
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_HANDLE, &a, &text), PH_OK);
    assert_true(contains(text, "\"account\":\"a\xef\xbf\xbd"
                               "b\xef\xbf\xbd"
                               "c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\\"\\\\\\n\""));
    assert_true(ph_text_valid(text));
}

static void json_prints_what_protobuf_carries(void **state)
{
    struct ph_event e = paid(PH_VERIFIED);
    struct ph_answer a = answer_of(&e, 1);
    struct ph_slice text = {0};
    (void)state;
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_HANDLE, &a, &text), PH_OK);
    assert_true(contains(
        text,
        "\"event_ack_response\":{\"status_code\":202,\"headers\":{\"Content-Type\":\"text/plain\"},"
        "\"body\":\"W2FjY2VwdGVkXQ==\"}"));
    assert_true(contains(text, "\"captured_amount\":\"1500\""));
    assert_true(contains(text, "\"time_ms\":\"1700000000123\""));
    assert_true(contains(text, "\"covers\":[\"body\",\"time\"]"));
    assert_true(contains(text, "\"mode\":\"LIVE\""));
    assert_false(contains(text, "more_events"));
    /* And back: the printed answer is the packed one. */
    ProtobufCMessage *m = NULL;
    struct ph_slice why = {0}, packed = {0};
    assert_int_equal(
        ph_message_read_json(&arena, &types__handle_response__descriptor, text, &m, &why), PH_OK);
    assert_int_equal(ph_wire_write(&arena, PH_FORM_HANDLE, &a, &packed), PH_OK);
    assert_true(ph_slice_eq(pack(m), packed));
}

/* Everything an event of that kind can carry; every third field is left out where `sparse`, from
 * that one on. */
static struct ph_event laden(enum ph_kind kind, enum ph_verdict verdict, bool full, int sparse)
{
    struct ph_event e = paid(verdict);
    e.kind = e.reference_kind = kind;
    e.status = 1 + sparse;
    e.incomplete = sparse > 0 ? PH_S("why") : (struct ph_slice){0};
    for (int f = 0; f < PH_FIELD_COUNT; f++) {
        static const char long_text[] =
            "a text of more than a hundred and twenty-seven bytes, so that the lengths of the "
            "messages "
            "around it take more than one byte: \"\\ \xc3\xa9 and so on to the end";
        struct ph_value *v = &e.fields[f];
        *v = (struct ph_value){0};
        if (!full || (sparse > 0 && f % 3 == sparse - 1))
            continue;
        v->present = true;
        v->text = f % 2 == 0           ? PH_S("")
                  : full && f % 5 == 0 ? ph_slice_str(long_text)
                                       : ph_field_name((enum ph_field)f);
        v->number = sparse == 2 ? 0 : INT64_C(1700000000123) * (f + 1);
        v->currency = f == PH_F_DISPUTE_STAGE ? 2 : sparse == 2 ? 0 : 146;
        if (f < PH_REFERENCE_COUNT)
            e.reference[f] = *v;
    }
    return e;
}

/* The rows of the writer against the descriptors: names, numbers, kinds, order and what is told
 * by default. */
static void assert_json_is_protobuf(enum ph_form form, const struct ph_answer *a,
                                    const ProtobufCMessageDescriptor *type)
{
    struct ph_slice text = {0}, packed = {0}, why = {0};
    ProtobufCMessage *m = NULL;
    assert_int_equal(ph_wire_write_json(&arena, form, a, &text), PH_OK);
    assert_int_equal(ph_wire_write(&arena, form, a, &packed), PH_OK);
    if (ph_message_read_json(&arena, type, text, &m, &why) != PH_OK)
        print_message("%.*s: %.*s\n", (int)text.len, text.ptr, (int)why.len, why.ptr);
    assert_non_null(m);
    assert_true(ph_slice_eq(pack(m), packed));
    ProtobufCMessage *back =
        protobuf_c_message_unpack(type, NULL, packed.len, (const uint8_t *)packed.ptr);
    assert_non_null(back);
    assert_true(ph_slice_eq(pack(back), packed));
    protobuf_c_message_free_unpacked(back, NULL);
}

static void every_field_of_every_kind_is_the_descriptors_own(void **state)
{
    (void)state;
    for (int kind = PH_KIND_NONE; kind <= PH_KIND_PAYOUT; kind++) {
        for (int variation = 0; variation < 2 * 2 * 4; variation++) {
            enum ph_verdict verdict = (variation & 1) != 0 ? PH_VERIFIED : PH_FORGED;
            struct ph_event events[3];
            for (int i = 0; i < 3; i++)
                events[i] = laden((enum ph_kind)kind, i == 1 ? PH_STALE : verdict,
                                  (variation & 2) != 0, (variation >> 2) + (i == 2));
            struct ph_answer a = answer_of(events, (variation & 4) != 0 ? 3 : 1);
            a.merchant_event_id_given = (variation & 8) != 0;
            assert_json_is_protobuf(PH_FORM_HANDLE, &a, &types__handle_response__descriptor);
            assert_json_is_protobuf(PH_FORM_HANDLE_EVENT, &a,
                                    &types__event_service_handle_response__descriptor);
            assert_json_is_protobuf(PH_FORM_PARSE, &a,
                                    &types__event_service_parse_response__descriptor);
            assert_json_is_protobuf(PH_FORM_COMPOSITE, &a,
                                    &types__composite_event_handle_response__descriptor);
            ph_arena_reset(&arena);
        }
    }
}

static void writing_survives_every_lack_of_memory(void **state)
{
    struct ph_event e = paid(PH_VERIFIED);
    struct ph_answer a = answer_of(&e, 1);
    enum ph_status st = PH_ERR_NO_MEMORY;
    (void)state;
    for (size_t limit = 0; st != PH_OK; limit += 64) {
        struct ph_arena small;
        struct ph_slice out = {0};
        assert_true(limit < 64 * 1024);
        ph_arena_init(&small, &ph_os_heap, limit, 0);
        st = ph_wire_write_json(&small, PH_FORM_HANDLE, &a, &out);
        assert_true(st == PH_OK || st == PH_ERR_NO_MEMORY);
        ph_arena_reset(&small);
        enum ph_status packed = ph_wire_write(&small, PH_FORM_HANDLE, &a, &out);
        assert_true(packed == PH_OK || packed == PH_ERR_NO_MEMORY);
        ph_arena_done(&small);
    }
}

/* ---- errors and config ----------------------------------------------------------------------- */

static void errors_have_the_peers_codes(void **state)
{
    struct ph_slice text = {0};
    (void)state;
    assert_int_equal(ph_wire_write_error_json(&arena, PH_S("A"), PH_S("say \"no\"\xff"), &text),
                     PH_OK);
    assert_slice(text, "{\"error\":{\"code\":\"A\",\"message\":\"say \\\"no\\\"\xef\xbf\xbd\"}}");
    assert_int_equal(ph_wire_grpc_status(PH_E_NONE), 0);
    assert_int_equal(ph_wire_grpc_status(PH_E_WEBHOOKS_NOT_IMPLEMENTED), 12);
    assert_int_equal(ph_wire_grpc_status(PH_E_WEBHOOK_EVENT_TYPE_NOT_FOUND), 5);
    assert_int_equal(ph_wire_grpc_status(PH_E_WEBHOOK_BODY_DECODING_FAILED), 3);
    assert_int_equal(ph_wire_grpc_status(PH_E_WEBHOOK_AMOUNT_CONVERSION_FAILED), 13);
    static const int http[] = {200, 408, 500, 400, 504, 404, 409, 403, 429,
                               412, 409, 416, 501, 500, 503, 500, 401};
    for (int i = 0; i < (int)PH_COUNTOF(http); i++)
        assert_int_equal(ph_wire_http_status(i), http[i]);
    assert_int_equal(ph_wire_http_status(-1), 500);
    assert_int_equal(ph_wire_http_status(17), 500);
}

static void a_connector_config_names_the_connector_and_its_values(void **state)
{
    struct ph_slice name = {0}, why = {0};
    struct ph_config_value *values = NULL;
    size_t count = 0;
    (void)state;
    assert_int_equal(
        ph_wire_read_config(
            &arena,
            PH_S("{\"config\":{\"PinelabsOnline\":{\"api_key\":\"k\",\"secret\":{\"value\":\"s\"},"
                 "\"none\":null,\"n\":7,\"on\":true,\"map\":{\"a\":[1]}}}}"),
            PH_S("config"), &name, &values, &count, &why),
        PH_OK);
    assert_slice(name, "pinelabs_online");
    static const char *const want[][2] = {
        {"api_key", "k"}, {"secret", "s"}, {"n", "7"}, {"on", "true"}, {"map", "{\"a\":[1]}"}};
    assert_int_equal(count, PH_COUNTOF(want));
    for (size_t i = 0; i < count; i++) {
        assert_slice(values[i].name, want[i][0]);
        assert_slice(values[i].value, want[i][1]);
    }
}

static void a_connector_config_of_another_shape_is_refused(void **state)
{
    struct ph_slice name, why = {0};
    struct ph_config_value *values;
    size_t count;
    (void)state;
    assert_int_equal(ph_wire_read_config(&arena, PH_S("{\"config\":"), PH_S("config"), &name,
                                         &values, &count, &why),
                     PH_ERR_MALFORMED);
    assert_int_equal(
        ph_wire_read_config(&arena, PH_S("[]"), PH_S("config"), &name, &values, &count, &why),
        PH_ERR_MALFORMED);
    assert_int_equal(
        ph_wire_read_config(&arena, PH_S("{}"), PH_S("config"), &name, &values, &count, &why),
        PH_ERR_NOT_FOUND);
    assert_int_equal(ph_wire_read_config(&arena, PH_S("{\"config\":null}"), PH_S("config"), &name,
                                         &values, &count, &why),
                     PH_ERR_NOT_FOUND);
    assert_int_equal(ph_wire_read_config(&arena, PH_S("{\"config\":\"x\"}"), PH_S("config"), &name,
                                         &values, &count, &why),
                     PH_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_protobuf_call_is_read),
        cmocka_unit_test(a_composite_call_is_a_handle_call_under_other_numbers),
        cmocka_unit_test(a_call_cut_short_at_any_byte_never_reads_as_the_whole),
        cmocka_unit_test(a_call_with_any_byte_changed_reads_as_protobuf_c_unpacks_it),
        cmocka_unit_test(messages_that_come_twice_are_one),
        cmocka_unit_test(a_call_without_request_details_is_invalid),
        cmocka_unit_test(bytes_that_are_no_utf8_in_a_header_are_malformed),
        cmocka_unit_test(json_is_read_in_both_name_styles),
        cmocka_unit_test(the_peers_json_is_read_to_the_same_call),
        cmocka_unit_test(json_of_the_wrong_shape_is_malformed),
        cmocka_unit_test(handle_tells_everything_of_a_verified_event),
        cmocka_unit_test(handle_fails_closed_for_every_other_verdict),
        cmocka_unit_test(handle_tells_a_batch_item_by_item),
        cmocka_unit_test(handle_says_why_an_event_is_incomplete),
        cmocka_unit_test(handle_event_tells_full_content_of_a_forgery_and_that_it_is_one),
        cmocka_unit_test(parse_says_even_an_unspecified_type),
        cmocka_unit_test(each_kind_of_content_has_its_own_arm),
        cmocka_unit_test(texts_that_leave_are_utf8_without_nul),
        cmocka_unit_test(json_prints_what_protobuf_carries),
        cmocka_unit_test(every_field_of_every_kind_is_the_descriptors_own),
        cmocka_unit_test(writing_survives_every_lack_of_memory),
        cmocka_unit_test(errors_have_the_peers_codes),
        cmocka_unit_test(a_connector_config_names_the_connector_and_its_values),
        cmocka_unit_test(a_connector_config_of_another_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
