/* Answers to messages: what the engine found, in the schema's words. */
#include "events.pb-c.h"
#include "wire/message.h"
#include "wire/wire.h"

static void text(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, const struct ph_value *v)
{
    if (v->present)
        ph_message_text(w, m, name, v->text);
}

static void seconds(ProtobufCMessage *m, const char *name, const struct ph_value *v)
{
    if (v->present)
        ph_message_number(m, name, v->number / 1000);
}

static void money(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, const struct ph_value *v)
{
    if (!v->present)
        return;
    ProtobufCMessage *sub = ph_message_sub(w, m, name);
    ph_message_number(sub, "minor_amount", v->number);
    ph_message_number(sub, "currency", v->currency);
}

static void error(struct ph_message_writer *w, ProtobufCMessage *m, const struct ph_value *f)
{
    if (!f[PH_F_ERROR_CODE].present && !f[PH_F_ERROR_MESSAGE].present && !f[PH_F_ERROR_REASON].present)
        return;
    ProtobufCMessage *d = ph_message_sub(w, ph_message_sub(w, m, "error"), "connector_details");
    text(w, d, "code", &f[PH_F_ERROR_CODE]);
    text(w, d, "message", &f[PH_F_ERROR_MESSAGE]);
    text(w, d, "reason", &f[PH_F_ERROR_REASON]);
}

static void mandate(struct ph_message_writer *w, ProtobufCMessage *m, const struct ph_value *id)
{
    if (!id->present)
        return;
    ProtobufCMessage *c = ph_message_sub(w, ph_message_sub(w, m, "mandate_reference"), "connector_mandate_id");
    text(w, c, "connector_mandate_id", id);
    text(w, ph_message_sub(w, m, "mandate_reference_details"), "connector_mandate_id", id);
}

static void card(struct ph_message_writer *w, ProtobufCMessage *m, const struct ph_value *f)
{
    static const struct {
        enum ph_field field;
        const char *name;
    } parts[] = {{PH_F_CARD_EXP_MONTH, "card_exp_month"},   {PH_F_CARD_EXP_YEAR, "card_exp_year"},
                 {PH_F_CARD_LAST4, "last4_digits"},         {PH_F_CARD_NETWORK, "card_network"},
                 {PH_F_CARD_ISSUER, "card_issuer"},         {PH_F_CARD_ISSUER_COUNTRY, "issuer_country"},
                 {PH_F_CARD_HOLDER_NAME, "card_holder_name"}};
    for (size_t i = 0; i < PH_COUNTOF(parts); i++)
        if (f[parts[i].field].present)
            text(w, ph_message_sub(w, ph_message_sub(w, m, "payment_method_update"), "card"), parts[i].name, &f[parts[i].field]);
}

static void payment(struct ph_message_writer *w, ProtobufCMessage *content, const struct ph_event *e)
{
    const struct ph_value *f = e->fields;
    ProtobufCMessage *m = ph_message_sub(w, content, "payments_response");
    text(w, m, "connector_transaction_id", &f[PH_F_CONNECTOR_TRANSACTION_ID]);
    ph_message_number(m, "status", e->status);
    ph_message_number(m, "status_code", 200);
    error(w, m, f);
    mandate(w, m, &f[PH_F_CONNECTOR_MANDATE_ID]);
    text(w, m, "network_transaction_id", &f[PH_F_NETWORK_TRANSACTION_ID]);
    money(w, m, "amount", &f[PH_F_AMOUNT]);
    if (f[PH_F_CAPTURED_AMOUNT].present)
        ph_message_number(m, "captured_amount", f[PH_F_CAPTURED_AMOUNT].number);
    seconds(m, "created_at", &f[PH_F_CREATED_AT]);
    seconds(m, "updated_at", &f[PH_F_UPDATED_AT]);
    seconds(m, "authorized_at", &f[PH_F_AUTHORIZED_AT]);
    seconds(m, "captured_at", &f[PH_F_CAPTURED_AT]);
    text(w, m, "customer_name", &f[PH_F_CUSTOMER_NAME]);
    text(w, m, "email", &f[PH_F_EMAIL]);
    text(w, m, "connector_customer_id", &f[PH_F_CONNECTOR_CUSTOMER_ID]);
    text(w, m, "merchant_order_id", &f[PH_F_MERCHANT_ORDER_ID]);
    text(w, m, "merchant_transaction_id", &f[PH_F_MERCHANT_TRANSACTION_ID]);
    card(w, m, f);
    text(w, m, "sender_payment_instrument_id", &f[PH_F_SENDER_PAYMENT_INSTRUMENT_ID]);
}

static void refund(struct ph_message_writer *w, ProtobufCMessage *content, const struct ph_event *e)
{
    const struct ph_value *f = e->fields;
    ProtobufCMessage *m = ph_message_sub(w, content, "refunds_response");
    text(w, m, "merchant_refund_id", &f[PH_F_MERCHANT_REFUND_ID]);
    text(w, m, "connector_refund_id", &f[PH_F_CONNECTOR_REFUND_ID]);
    ph_message_number(m, "status", e->status);
    ph_message_number(m, "status_code", 200);
    error(w, m, f);
    money(w, m, "refund_amount", &f[PH_F_REFUND_AMOUNT]);
    if (f[PH_F_PAYMENT_AMOUNT].present)
        ph_message_number(m, "payment_amount", f[PH_F_PAYMENT_AMOUNT].number);
    text(w, m, "refund_reason", &f[PH_F_REFUND_REASON]);
    seconds(m, "created_at", &f[PH_F_CREATED_AT]);
    seconds(m, "updated_at", &f[PH_F_UPDATED_AT]);
    seconds(m, "processed_at", &f[PH_F_PROCESSED_AT]);
    text(w, m, "customer_name", &f[PH_F_CUSTOMER_NAME]);
    if (f[PH_F_EMAIL].present)
        text(w, ph_message_sub(w, m, "email"), "value", &f[PH_F_EMAIL]);
    text(w, m, "merchant_order_id", &f[PH_F_MERCHANT_ORDER_ID]);
    text(w, m, "connector_transaction_id", &f[PH_F_CONNECTOR_TRANSACTION_ID]);
    text(w, m, "merchant_transaction_id", &f[PH_F_MERCHANT_TRANSACTION_ID]);
    if (f[PH_F_ACQUIRER_REFERENCE_NUMBER].present)
        text(w, ph_message_sub(w, m, "acquirer_reference_number"), "value", &f[PH_F_ACQUIRER_REFERENCE_NUMBER]);
}

static void dispute(struct ph_message_writer *w, ProtobufCMessage *content, const struct ph_event *e)
{
    const struct ph_value *f = e->fields;
    ProtobufCMessage *m = ph_message_sub(w, content, "disputes_response");
    text(w, m, "connector_dispute_id", &f[PH_F_CONNECTOR_DISPUTE_ID]);
    text(w, m, "connector_transaction_id", &f[PH_F_CONNECTOR_TRANSACTION_ID]);
    ph_message_number(m, "dispute_status", e->status);
    if (f[PH_F_DISPUTE_STAGE].present)
        ph_message_number(m, "dispute_stage", f[PH_F_DISPUTE_STAGE].currency);
    text(w, m, "connector_status_code", &f[PH_F_CONNECTOR_STATUS_CODE]);
    ph_message_number(m, "status_code", 200);
    error(w, m, f);
    money(w, m, "dispute_amount", &f[PH_F_DISPUTE_AMOUNT]);
    seconds(m, "dispute_date", &f[PH_F_DISPUTE_DATE]);
    seconds(m, "due_date", &f[PH_F_DUE_DATE]);
    text(w, m, "dispute_reason", &f[PH_F_DISPUTE_REASON]);
    text(w, m, "dispute_message", &f[PH_F_DISPUTE_MESSAGE]);
    text(w, m, "merchant_dispute_id", &f[PH_F_MERCHANT_DISPUTE_ID]);
}

static void payout(struct ph_message_writer *w, ProtobufCMessage *content, const struct ph_event *e)
{
    ProtobufCMessage *m = ph_message_sub(w, content, "payouts_response");
    text(w, m, "merchant_payout_id", &e->fields[PH_F_MERCHANT_PAYOUT_ID]);
    text(w, m, "connector_payout_id", &e->fields[PH_F_CONNECTOR_PAYOUT_ID]);
    ph_message_number(m, "payout_status", e->status);
    ph_message_number(m, "status_code", 200);
    error(w, m, e->fields);
}

/* A mandate's news without a payment has no response message: it is told by type and reference. */
static bool has_content(const struct ph_event *e)
{
    return e->kind != PH_KIND_NONE &&
           (e->kind != PH_KIND_MANDATE || e->status != 0 || e->fields[PH_F_CONNECTOR_TRANSACTION_ID].present);
}

static void content(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, const struct ph_event *e)
{
    if (!has_content(e))
        return;
    ProtobufCMessage *c = ph_message_sub(w, m, name);
    switch (e->kind) {
    case PH_KIND_PAYMENT:
    case PH_KIND_MANDATE:
        payment(w, c, e);
        break;
    case PH_KIND_REFUND:
        refund(w, c, e);
        break;
    case PH_KIND_DISPUTE:
        dispute(w, c, e);
        break;
    case PH_KIND_PAYOUT:
        payout(w, c, e);
        break;
    case PH_KIND_NONE:
        break;
    }
}

static bool arm_has(enum ph_kind kind, const char *field)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        [PH_KIND_PAYMENT] = &types__payment_event_reference__descriptor,
        [PH_KIND_REFUND] = &types__refund_event_reference__descriptor,
        [PH_KIND_DISPUTE] = &types__dispute_event_reference__descriptor,
        [PH_KIND_MANDATE] = &types__mandate_event_reference__descriptor,
        [PH_KIND_PAYOUT] = &types__payout_event_reference__descriptor};
    return protobuf_c_message_descriptor_get_field_by_name(types[kind], field) != NULL;
}

static void reference(struct ph_message_writer *w, ProtobufCMessage *m, const struct ph_event *e)
{
    static const char *const arms[] = {[PH_KIND_PAYMENT] = "payment", [PH_KIND_REFUND] = "refund", [PH_KIND_DISPUTE] = "dispute",
                                       [PH_KIND_MANDATE] = "mandate", [PH_KIND_PAYOUT] = "payout"};
    ProtobufCMessage *arm = NULL;
    if (e->reference_kind == PH_KIND_NONE)
        return;
    for (int i = 0; i < PH_REFERENCE_COUNT; i++) {
        const char *name = ph_field_name((enum ph_field)i).ptr;
        if (!e->reference[i].present || !arm_has(e->reference_kind, name))
            continue; /* a reference without ids is none */
        if (arm == NULL)
            arm = ph_message_sub(w, ph_message_sub(w, m, "reference"), arms[e->reference_kind]);
        text(w, arm, name, &e->reference[i]);
    }
}

static void ack(struct ph_message_writer *w, ProtobufCMessage *m, const struct ph_answer *a)
{
    if (a->ack_status == 0)
        return;
    ProtobufCMessage *r = ph_message_sub(w, m, "event_ack_response");
    ph_message_number(r, "status_code", a->ack_status);
    for (size_t i = 0; i < a->ack_header_count; i++) {
        ProtobufCMessage *entry = ph_message_add(w, r, "headers", a->ack_header_count);
        ph_message_text(w, entry, "key", a->ack_headers[i].name);
        ph_message_text(w, entry, "value", a->ack_headers[i].value);
    }
    ph_message_bytes(w, r, "body", a->ack_body);
}

static void checks(struct ph_message_writer *w, ProtobufCMessage *m, const struct ph_event *e)
{
    const struct ph_value *f = e->fields;
    if (!has_content(e))
        return;
    if (f[PH_F_CONNECTOR_TRANSACTION_ID].present)
        ph_message_add_number(w, m, "supported_integrity_checks", TYPES__INTEGRITY_CHECK__INTEGRITY_CHECK_CONNECTOR_TRANSACTION_ID, 3);
    if (f[PH_F_AMOUNT].present || f[PH_F_REFUND_AMOUNT].present || f[PH_F_DISPUTE_AMOUNT].present) {
        ph_message_add_number(w, m, "supported_integrity_checks", TYPES__INTEGRITY_CHECK__INTEGRITY_CHECK_AMOUNT, 3);
        ph_message_add_number(w, m, "supported_integrity_checks", TYPES__INTEGRITY_CHECK__INTEGRITY_CHECK_CURRENCY, 3);
    }
}

static void processor_event(struct ph_message_writer *w, ProtobufCMessage *m, const struct ph_event *e)
{
    if (e->id.len == 0 && e->type.len == 0 && !e->has_time)
        return;
    ProtobufCMessage *p = ph_message_sub(w, m, "processor_event");
    ph_message_text(w, p, "id", e->id);
    ph_message_text(w, p, "type", e->type);
    if (e->has_time)
        ph_message_number(p, "time_ms", e->time_ms);
}

/* W2: the trusted half is told only of what is verified. */
static void handle_one(struct ph_message_writer *w, ProtobufCMessage *m, const struct ph_event *e)
{
    bool good = e->verdict == PH_VERIFIED;
    ph_message_number(m, "verdict", e->verdict);
    ph_message_text(w, m, "verdict_reason", e->verdict_reason);
    ph_message_number(m, "event_status", ph_slice_present(e->incomplete) ? TYPES__HANDLE_RESPONSE__WEBHOOK_EVENT_STATUS__INCOMPLETE
                                                                         : TYPES__HANDLE_RESPONSE__WEBHOOK_EVENT_STATUS__COMPLETE);
    ph_message_text(w, m, "incomplete_reason", e->incomplete);
    reference(w, m, e);
    processor_event(w, m, e);
    ph_message_text(w, m, "account", e->account);
    ph_message_number(m, "mode", e->mode);
    content(w, m, good ? "event_response" : "unverified_response", e);
    if (!good)
        return;
    ph_message_number(m, "source_verified", 1);
    ph_message_number(m, "event_type", e->handle_event_type);
    ph_message_number(m, "matched_secret", e->matched_secret);
    ph_message_text(w, m, "event_name", ph_event_type_specification_name(e->handle_event_type));
    if (ph_slice_present(e->dedupe_key))
        ph_message_text(w, m, "dedupe_key", e->dedupe_key);
    if (ph_slice_present(e->effect_key))
        ph_message_text(w, m, "effect_key", e->effect_key);
    for (size_t i = 0; i < e->cover_count; i++)
        ph_message_add_text(w, m, "covers", e->covers[i], e->cover_count);
    checks(w, m, e);
}

static ProtobufCMessage *handle(struct ph_message_writer *w, const struct ph_answer *a)
{
    ProtobufCMessage *m = ph_message_new(w, &types__handle_response__descriptor);
    if (m == NULL)
        return NULL;
    handle_one(w, m, &a->events[0]);
    bool name = a->merchant_event_id_given || a->events[0].verdict == PH_VERIFIED;
    if (name && a->events[0].merchant_event_id.len > 0)
        ph_message_text(w, m, "merchant_event_id", a->events[0].merchant_event_id);
    ack(w, m, a);
    for (size_t i = 1; i < a->event_count; i++) {
        ProtobufCMessage *more = ph_message_add(w, m, "more_events", a->event_count);
        if (more == NULL)
            return NULL;
        handle_one(w, more, &a->events[i]);
        name = a->merchant_event_id_given || a->events[i].verdict == PH_VERIFIED;
        if (name && a->events[i].merchant_event_id.len > 0)
            ph_message_text(w, more, "merchant_event_id", a->events[i].merchant_event_id);
    }
    return m;
}

static ProtobufCMessage *handle_event(struct ph_message_writer *w, const struct ph_answer *a)
{
    const struct ph_event *e = &a->events[0];
    ProtobufCMessage *m = ph_message_new(w, &types__event_service_handle_response__descriptor);
    if (m == NULL)
        return NULL;
    bool all = true;
    for (size_t i = 0; i < a->event_count; i++)
        all = all && a->events[i].verdict == PH_VERIFIED;
    ph_message_number(m, "event_type", e->event_type);
    content(w, m, "event_content", e);
    ph_message_number(m, "source_verified", all);
    if (a->merchant_event_id_given)
        ph_message_text(w, m, "merchant_event_id", e->merchant_event_id);
    ack(w, m, a);
    checks(w, m, e);
    return m;
}

static ProtobufCMessage *parse(struct ph_message_writer *w, const struct ph_answer *a)
{
    ProtobufCMessage *m = ph_message_new(w, &types__event_service_parse_response__descriptor);
    if (m == NULL)
        return NULL;
    reference(w, m, &a->events[0]);
    ph_message_number(m, "event_type", a->events[0].event_type);
    return m;
}

static ProtobufCMessage *build(struct ph_message_writer *w, enum ph_form form, const struct ph_answer *a)
{
    ProtobufCMessage *m = form == PH_FORM_HANDLE ? handle(w, a) : form == PH_FORM_HANDLE_EVENT ? handle_event(w, a) : parse(w, a);
    return w->failed ? NULL : m;
}

enum ph_status ph_wire_write(struct ph_arena *arena, enum ph_form form, const struct ph_answer *answer, struct ph_slice *ret)
{
    struct ph_message_writer w = {.arena = arena};
    if (answer->event_count == 0)
        return PH_ERR_INVALID;
    ProtobufCMessage *m = build(&w, form, answer);
    return m != NULL ? ph_message_pack(arena, m, ret) : PH_ERR_NO_MEMORY;
}

enum ph_status ph_wire_write_json(struct ph_arena *arena, enum ph_form form, const struct ph_answer *answer, struct ph_slice *ret)
{
    struct ph_message_writer w = {.arena = arena};
    if (answer->event_count == 0)
        return PH_ERR_INVALID;
    ProtobufCMessage *m = build(&w, form, answer);
    return m != NULL ? ph_message_json(arena, m, ret) : PH_ERR_NO_MEMORY;
}
