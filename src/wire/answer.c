/* Answers to messages: what the engine found, in the schema's words. */
#include "wire/out.h"
#include "wire/wire.h"

/* ---- content --------------------------------------------------------------------------------- */

/* What a field of a content message is made of. */
enum part {
    /* of one value, which may be absent */
    TEXT,
    SECRET,  /* a text inside a SecretString */
    SECONDS, /* of a time */
    MONEY,
    MINOR, /* the number of a money alone */
    STAGE,
    MANDATE, /* the id as a oneof of references */
    DETAILS, /* the id once more */
    /* of the event */
    STATUS, /* in the vocabulary of its kind */
    CODE,   /* status_code: what was read, was read well */
    ERROR,
    CARD,
};

struct part_row {
    enum part part;
    enum ph_field field;
    struct ph_row row;
};

static const struct part_row payment_rows[] = {
    {TEXT, PH_F_CONNECTOR_TRANSACTION_ID, PH_ROW(1, connector_transaction_id)},
    {STATUS, 0, PH_ROW(2, status)},
    {ERROR, 0, PH_ROW_ALWAYS(3, error)},
    {CODE, 0, PH_ROW(4, status_code)},
    {MANDATE, PH_F_CONNECTOR_MANDATE_ID, PH_ROW_ALWAYS(6, mandate_reference)},
    {TEXT, PH_F_NETWORK_TRANSACTION_ID, PH_ROW_ALWAYS(7, network_transaction_id)},
    {MONEY, PH_F_AMOUNT, PH_ROW_ALWAYS(8, amount)},
    {MINOR, PH_F_CAPTURED_AMOUNT, PH_ROW_ALWAYS(9, captured_amount)},
    {SECONDS, PH_F_CREATED_AT, PH_ROW_ALWAYS(13, created_at)},
    {SECONDS, PH_F_UPDATED_AT, PH_ROW_ALWAYS(14, updated_at)},
    {SECONDS, PH_F_AUTHORIZED_AT, PH_ROW_ALWAYS(15, authorized_at)},
    {SECONDS, PH_F_CAPTURED_AT, PH_ROW_ALWAYS(16, captured_at)},
    {TEXT, PH_F_CUSTOMER_NAME, PH_ROW_ALWAYS(17, customer_name)},
    {TEXT, PH_F_EMAIL, PH_ROW_ALWAYS(18, email)},
    {TEXT, PH_F_CONNECTOR_CUSTOMER_ID, PH_ROW_ALWAYS(19, connector_customer_id)},
    {TEXT, PH_F_MERCHANT_ORDER_ID, PH_ROW_ALWAYS(20, merchant_order_id)},
    {TEXT, PH_F_MERCHANT_TRANSACTION_ID, PH_ROW_ALWAYS(28, merchant_transaction_id)},
    {CARD, 0, PH_ROW_ALWAYS(29, payment_method_update)},
    {TEXT, PH_F_SENDER_PAYMENT_INSTRUMENT_ID, PH_ROW_ALWAYS(30, sender_payment_instrument_id)},
    {DETAILS, PH_F_CONNECTOR_MANDATE_ID, PH_ROW_ALWAYS(35, mandate_reference_details)},
};

static const struct part_row refund_rows[] = {
    {TEXT, PH_F_MERCHANT_REFUND_ID, PH_ROW_ALWAYS(1, merchant_refund_id)},
    {TEXT, PH_F_CONNECTOR_REFUND_ID, PH_ROW(2, connector_refund_id)},
    {STATUS, 0, PH_ROW(3, status)},
    {ERROR, 0, PH_ROW_ALWAYS(4, error)},
    {CODE, 0, PH_ROW(5, status_code)},
    {MONEY, PH_F_REFUND_AMOUNT, PH_ROW_ALWAYS(7, refund_amount)},
    {MINOR, PH_F_PAYMENT_AMOUNT, PH_ROW_ALWAYS(8, payment_amount)},
    {TEXT, PH_F_REFUND_REASON, PH_ROW_ALWAYS(9, refund_reason)},
    {SECONDS, PH_F_CREATED_AT, PH_ROW_ALWAYS(10, created_at)},
    {SECONDS, PH_F_UPDATED_AT, PH_ROW_ALWAYS(11, updated_at)},
    {SECONDS, PH_F_PROCESSED_AT, PH_ROW_ALWAYS(12, processed_at)},
    {TEXT, PH_F_CUSTOMER_NAME, PH_ROW_ALWAYS(13, customer_name)},
    {SECRET, PH_F_EMAIL, PH_ROW_ALWAYS(14, email)},
    {TEXT, PH_F_MERCHANT_ORDER_ID, PH_ROW_ALWAYS(15, merchant_order_id)},
    {TEXT, PH_F_CONNECTOR_TRANSACTION_ID, PH_ROW_ALWAYS(18, connector_transaction_id)},
    {SECRET, PH_F_ACQUIRER_REFERENCE_NUMBER, PH_ROW_ALWAYS(19, acquirer_reference_number)},
    {TEXT, PH_F_MERCHANT_TRANSACTION_ID, PH_ROW_ALWAYS(24, merchant_transaction_id)},
};

static const struct part_row dispute_rows[] = {
    {TEXT, PH_F_CONNECTOR_DISPUTE_ID, PH_ROW_ALWAYS(1, connector_dispute_id)},
    {TEXT, PH_F_CONNECTOR_TRANSACTION_ID, PH_ROW_ALWAYS(2, connector_transaction_id)},
    {STATUS, 0, PH_ROW(3, dispute_status)},
    {STAGE, PH_F_DISPUTE_STAGE, PH_ROW(4, dispute_stage)},
    {TEXT, PH_F_CONNECTOR_STATUS_CODE, PH_ROW_ALWAYS(5, connector_status_code)},
    {ERROR, 0, PH_ROW_ALWAYS(6, error)},
    {CODE, 0, PH_ROW(7, status_code)},
    {MONEY, PH_F_DISPUTE_AMOUNT, PH_ROW_ALWAYS(9, dispute_amount)},
    {SECONDS, PH_F_DISPUTE_DATE, PH_ROW_ALWAYS(10, dispute_date)},
    {SECONDS, PH_F_DUE_DATE, PH_ROW_ALWAYS(13, due_date)},
    {TEXT, PH_F_DISPUTE_REASON, PH_ROW_ALWAYS(15, dispute_reason)},
    {TEXT, PH_F_DISPUTE_MESSAGE, PH_ROW_ALWAYS(16, dispute_message)},
    {TEXT, PH_F_MERCHANT_DISPUTE_ID, PH_ROW_ALWAYS(17, merchant_dispute_id)},
};

static const struct part_row payout_rows[] = {
    {TEXT, PH_F_MERCHANT_PAYOUT_ID, PH_ROW_ALWAYS(1, merchant_payout_id)},
    {STATUS, 0, PH_ROW_ALWAYS(2, payout_status)},
    {TEXT, PH_F_CONNECTOR_PAYOUT_ID, PH_ROW_ALWAYS(3, connector_payout_id)},
    {ERROR, 0, PH_ROW_ALWAYS(4, error)},
    {CODE, 0, PH_ROW_ALWAYS(5, status_code)},
};

/* The arm of EventContent that a kind is told in. A mandate's news is a payment's. */
static const struct {
    struct ph_row row;
    const struct part_row *parts;
    size_t count;
    enum ph_vocabulary words;
} contents[] = {
    [PH_KIND_PAYMENT] = {PH_ROW_ALWAYS(1, payments_response), payment_rows,
                         PH_COUNTOF(payment_rows), PH_WORDS_PAYMENT_STATUS},
    [PH_KIND_MANDATE] = {PH_ROW_ALWAYS(1, payments_response), payment_rows,
                         PH_COUNTOF(payment_rows), PH_WORDS_PAYMENT_STATUS},
    [PH_KIND_REFUND] = {PH_ROW_ALWAYS(2, refunds_response), refund_rows, PH_COUNTOF(refund_rows),
                        PH_WORDS_REFUND_STATUS},
    [PH_KIND_DISPUTE] = {PH_ROW_ALWAYS(3, disputes_response), dispute_rows,
                         PH_COUNTOF(dispute_rows), PH_WORDS_DISPUTE_STATUS},
    [PH_KIND_PAYOUT] = {PH_ROW_ALWAYS(4, payouts_response), payout_rows, PH_COUNTOF(payout_rows),
                        PH_WORDS_PAYOUT_STATUS},
};

static void text(struct ph_out *o, const struct ph_row *row, const struct ph_value *v)
{
    if (v->present)
        ph_out_text(o, row, v->text);
}

static void money(struct ph_out *o, const struct ph_row *row, const struct ph_value *v)
{
    static const struct ph_row minor = PH_ROW(1, minor_amount), currency = PH_ROW(2, currency);
    const struct ph_currency *c = ph_currency_by_number(v->currency);
    size_t mark = ph_out_open(o, row);
    ph_out_int64(o, &minor, v->number);
    ph_out_named(o, &currency, v->currency,
                 c != NULL ? ph_slice_of(c->code, 3) : (struct ph_slice){0});
    ph_out_close(o, mark);
}

static void error(struct ph_out *o, const struct ph_row *row, const struct ph_value *f)
{
    static const struct ph_row details = PH_ROW_ALWAYS(3, connector_details),
                               code = PH_ROW_ALWAYS(1, code), message = PH_ROW_ALWAYS(2, message),
                               reason = PH_ROW_ALWAYS(3, reason);
    if (!f[PH_F_ERROR_CODE].present && !f[PH_F_ERROR_MESSAGE].present &&
        !f[PH_F_ERROR_REASON].present)
        return;
    size_t outer = ph_out_open(o, row), inner = ph_out_open(o, &details);
    text(o, &code, &f[PH_F_ERROR_CODE]);
    text(o, &message, &f[PH_F_ERROR_MESSAGE]);
    text(o, &reason, &f[PH_F_ERROR_REASON]);
    ph_out_close(o, inner);
    ph_out_close(o, outer);
}

/* A message of one text. */
static void wrapped(struct ph_out *o, const struct ph_row *row, const struct ph_row *leaf,
                    const struct ph_value *v)
{
    size_t mark = ph_out_open(o, row);
    text(o, leaf, v);
    ph_out_close(o, mark);
}

static void mandate(struct ph_out *o, const struct ph_row *row, const struct ph_row *id,
                    const struct ph_value *v)
{
    size_t outer = ph_out_open(o, row),
           inner = ph_out_open_arm(o, id, PH_S("\"mandate_id_type\":"));
    text(o, id, v);
    ph_out_close_arm(o, inner);
    ph_out_close(o, outer);
}

static void card(struct ph_out *o, const struct ph_row *row, const struct ph_value *f)
{
    static const struct ph_row within = PH_ROW_ALWAYS(1, card);
    static const struct {
        enum ph_field field;
        struct ph_row row;
    } parts[] = {{PH_F_CARD_EXP_MONTH, PH_ROW_ALWAYS(1, card_exp_month)},
                 {PH_F_CARD_EXP_YEAR, PH_ROW_ALWAYS(2, card_exp_year)},
                 {PH_F_CARD_LAST4, PH_ROW_ALWAYS(3, last4_digits)},
                 {PH_F_CARD_ISSUER_COUNTRY, PH_ROW_ALWAYS(4, issuer_country)},
                 {PH_F_CARD_ISSUER, PH_ROW_ALWAYS(5, card_issuer)},
                 {PH_F_CARD_NETWORK, PH_ROW_ALWAYS(6, card_network)},
                 {PH_F_CARD_HOLDER_NAME, PH_ROW_ALWAYS(7, card_holder_name)}};
    bool any = false;
    for (size_t i = 0; i < PH_COUNTOF(parts) && !any; i++)
        any = f[parts[i].field].present;
    if (!any)
        return;
    size_t outer = ph_out_open(o, row),
           inner = ph_out_open_arm(o, &within, PH_S("\"payment_method_update_data\":"));
    for (size_t i = 0; i < PH_COUNTOF(parts); i++)
        text(o, &parts[i].row, &f[parts[i].field]);
    ph_out_close_arm(o, inner);
    ph_out_close(o, outer);
}

static void put_part(struct ph_out *o, const struct part_row *p, const struct ph_event *e)
{
    static const struct ph_row mandate_id = PH_ROW_ALWAYS(1, connector_mandate_id),
                               secret = PH_ROW(1, value);
    const struct ph_value *v = &e->fields[p->field];
    switch (p->part) {
    case TEXT:
        ph_out_text(o, &p->row, v->text);
        break;
    case SECRET:
        wrapped(o, &p->row, &secret, v);
        break;
    case SECONDS:
        ph_out_int64(o, &p->row, v->number / 1000);
        break;
    case MONEY:
        money(o, &p->row, v);
        break;
    case MINOR:
        ph_out_int64(o, &p->row, v->number);
        break;
    case STAGE:
        ph_out_word(o, &p->row, PH_WORDS_DISPUTE_STAGE, v->currency);
        break;
    case MANDATE:
        mandate(o, &p->row, &mandate_id, v);
        break;
    case DETAILS:
        wrapped(o, &p->row, &mandate_id, v);
        break;
    case STATUS:
        ph_out_word(o, &p->row, contents[e->kind].words, e->status);
        break;
    case CODE:
        ph_out_int32(o, &p->row, 200);
        break;
    case ERROR:
        error(o, &p->row, e->fields);
        break;
    case CARD:
        card(o, &p->row, e->fields);
        break;
    }
}

static bool is_there(const struct part_row *p, const struct ph_event *e)
{
    return p->part >= STATUS || e->fields[p->field].present;
}

/* A mandate's news without a payment has no response message: it is told by type and reference. */
static bool has_content(const struct ph_event *e)
{
    return e->kind != PH_KIND_NONE && (e->kind != PH_KIND_MANDATE || e->status != 0 ||
                                       e->fields[PH_F_CONNECTOR_TRANSACTION_ID].present);
}

static void content(struct ph_out *o, const struct ph_row *row, const struct ph_event *e)
{
    if (!has_content(e))
        return;
    size_t outer = ph_out_open(o, row),
           inner = ph_out_open_arm(o, &contents[e->kind].row, PH_S("\"content\":"));
    const struct part_row *parts = contents[e->kind].parts, *end = parts + contents[e->kind].count;
    for (const struct part_row *p = parts; p < end; p++)
        if (is_there(p, e))
            put_part(o, p, e);
    ph_out_close_arm(o, inner);
    ph_out_close(o, outer);
}

/* ---- references ------------------------------------------------------------------------------ */

enum { REFERENCE_IDS_MAX = 4 };

static const struct {
    struct ph_row row;
    struct {
        enum ph_field field;
        struct ph_row row;
    } ids[REFERENCE_IDS_MAX];
    size_t count;
} references[] = {
    [PH_KIND_PAYMENT] =
        {PH_ROW_ALWAYS(1, payment),
         {{PH_F_CONNECTOR_TRANSACTION_ID, PH_ROW_ALWAYS(1, connector_transaction_id)},
          {PH_F_MERCHANT_TRANSACTION_ID, PH_ROW_ALWAYS(2, merchant_transaction_id)}},
         2},
    [PH_KIND_REFUND] = {PH_ROW_ALWAYS(2, refund),
                        {{PH_F_CONNECTOR_REFUND_ID, PH_ROW_ALWAYS(1, connector_refund_id)},
                         {PH_F_MERCHANT_REFUND_ID, PH_ROW_ALWAYS(2, merchant_refund_id)},
                         {PH_F_CONNECTOR_TRANSACTION_ID,
                          PH_ROW_ALWAYS(3, connector_transaction_id)},
                         {PH_F_MERCHANT_TRANSACTION_ID, PH_ROW_ALWAYS(4, merchant_transaction_id)}},
                        4},
    [PH_KIND_DISPUTE] = {PH_ROW_ALWAYS(3, dispute),
                         {{PH_F_CONNECTOR_DISPUTE_ID, PH_ROW_ALWAYS(1, connector_dispute_id)},
                          {PH_F_CONNECTOR_TRANSACTION_ID,
                           PH_ROW_ALWAYS(2, connector_transaction_id)}},
                         2},
    [PH_KIND_MANDATE] = {PH_ROW_ALWAYS(4, mandate),
                         {{PH_F_CONNECTOR_MANDATE_ID, PH_ROW_ALWAYS(1, connector_mandate_id)},
                          {PH_F_MERCHANT_TRANSACTION_ID,
                           PH_ROW_ALWAYS(2, merchant_transaction_id)}},
                         2},
    [PH_KIND_PAYOUT] = {PH_ROW_ALWAYS(5, payout),
                        {{PH_F_CONNECTOR_PAYOUT_ID, PH_ROW_ALWAYS(1, connector_payout_id)},
                         {PH_F_MERCHANT_PAYOUT_ID, PH_ROW_ALWAYS(2, merchant_payout_id)}},
                        2},
};

static void reference(struct ph_out *o, const struct ph_row *row, const struct ph_event *e)
{
    bool any = false; /* a reference without ids is none */
    for (size_t i = 0; e->reference_kind != PH_KIND_NONE && i < references[e->reference_kind].count;
         i++)
        any = any || e->reference[references[e->reference_kind].ids[i].field].present;
    if (!any)
        return;
    size_t outer = ph_out_open(o, row),
           inner = ph_out_open_arm(o, &references[e->reference_kind].row, PH_S("\"resource\":"));
    for (size_t i = 0; i < references[e->reference_kind].count; i++)
        text(o, &references[e->reference_kind].ids[i].row,
             &e->reference[references[e->reference_kind].ids[i].field]);
    ph_out_close_arm(o, inner);
    ph_out_close(o, outer);
}

/* ---- what answers share ---------------------------------------------------------------------- */

static void ack(struct ph_out *o, const struct ph_row *row, const struct ph_answer *a)
{
    static const struct ph_row status_code = PH_ROW(1, status_code), headers = PH_ROW(2, headers),
                               body = PH_ROW(3, body);
    if (a->ack_status == 0)
        return;
    size_t mark = ph_out_open(o, row);
    ph_out_int32(o, &status_code, a->ack_status);
    for (size_t i = 0; i < a->ack_header_count; i++)
        ph_out_map_text(o, &headers, i, a->ack_headers[i].name, a->ack_headers[i].value);
    if (a->ack_header_count > 0)
        ph_out_map_end(o);
    ph_out_bytes(o, &body, a->ack_body);
    ph_out_close(o, mark);
}

static void checks(struct ph_out *o, const struct ph_row *row, const struct ph_event *e)
{
    static const struct ph_word words[] = {{PH_SI("INTEGRITY_CHECK_CONNECTOR_TRANSACTION_ID"), 1},
                                           {PH_SI("INTEGRITY_CHECK_AMOUNT"), 2},
                                           {PH_SI("INTEGRITY_CHECK_CURRENCY"), 3}};
    const struct ph_value *f = e->fields;
    if (!has_content(e))
        return;
    bool id = f[PH_F_CONNECTOR_TRANSACTION_ID].present;
    bool amount =
        f[PH_F_AMOUNT].present || f[PH_F_REFUND_AMOUNT].present || f[PH_F_DISPUTE_AMOUNT].present;
    ph_out_list_named(o, row, id ? words : words + 1, (id ? 1U : 0U) + (amount ? 2U : 0U));
}

static void processor_event(struct ph_out *o, const struct ph_row *row, const struct ph_event *e)
{
    static const struct ph_row id = PH_ROW(1, id), type = PH_ROW(2, type),
                               time_ms = PH_ROW_ALWAYS(3, time_ms);
    if (e->id.len == 0 && e->type.len == 0 && !e->has_time)
        return;
    size_t mark = ph_out_open(o, row);
    ph_out_text(o, &id, e->id);
    ph_out_text(o, &type, e->type);
    if (e->has_time)
        ph_out_int64(o, &time_ms, e->time_ms);
    ph_out_close(o, mark);
}

/* ---- Handle ---------------------------------------------------------------------------------- */

/* W2: the trusted half is told only of what is verified. */
static void trusted(struct ph_out *o, const struct ph_event *e)
{
    static const struct ph_row event_type = PH_ROW(1, event_type),
                               event_response = PH_ROW_ALWAYS(2, event_response),
                               source_verified = PH_ROW(3, source_verified);
    ph_out_word(o, &event_type, PH_WORDS_EVENT_TYPE, e->handle_event_type);
    content(o, &event_response, e);
    ph_out_bool(o, &source_verified, true);
}

static void keys_and_covers(struct ph_out *o, const struct ph_event *e)
{
    static const struct ph_row dedupe_key = PH_ROW(105, dedupe_key),
                               effect_key = PH_ROW(106, effect_key),
                               event_name = PH_ROW(107, event_name), covers = PH_ROW(108, covers);
    ph_out_text(o, &dedupe_key, e->dedupe_key);
    ph_out_text(o, &effect_key, e->effect_key);
    ph_out_text(o, &event_name, ph_event_type_specification_name(e->handle_event_type));
    for (size_t i = 0; i < e->cover_count; i++)
        ph_out_list_text(o, &covers, i, e->covers[i]);
    if (e->cover_count > 0)
        ph_out_list_end(o);
}

/* The wire's word for "neither" is UNKNOWN, and never told: it is the default. `alone`: without
 * the reply and the rest of the batch. */
static void handle_one(struct ph_out *o, const struct ph_answer *a, size_t index, bool alone)
{
    static const struct ph_row merchant_event_id = PH_ROW_ALWAYS(4, merchant_event_id),
                               ack_response = PH_ROW_ALWAYS(5, event_ack_response),
                               integrity = PH_ROW(6, supported_integrity_checks),
                               event_status = PH_ROW(100, event_status),
                               verdict = PH_ROW(101, verdict),
                               verdict_reason = PH_ROW(102, verdict_reason),
                               reference_row = PH_ROW_ALWAYS(103, reference),
                               processor = PH_ROW_ALWAYS(104, processor_event),
                               account = PH_ROW(109, account), mode = PH_ROW(110, mode),
                               matched_secret = PH_ROW(111, matched_secret),
                               unverified = PH_ROW_ALWAYS(112, unverified_response),
                               more = PH_ROW(113, more_events),
                               incomplete_reason = PH_ROW(114, incomplete_reason);
    const struct ph_event *e = &a->events[index];
    bool good = e->verdict == PH_VERIFIED, incomplete = ph_slice_present(e->incomplete);
    if (good)
        trusted(o, e);
    if ((a->merchant_event_id_given || good) && e->merchant_event_id.len > 0)
        ph_out_text(o, &merchant_event_id, e->merchant_event_id);
    if (index == 0 && !alone)
        ack(o, &ack_response, a);
    if (good)
        checks(o, &integrity, e);
    ph_out_named(o, &event_status, incomplete ? 2 : 1,
                 incomplete ? PH_S("INCOMPLETE") : PH_S("COMPLETE"));
    ph_out_word(o, &verdict, PH_WORDS_VERDICT, e->verdict);
    ph_out_text(o, &verdict_reason, e->verdict_reason);
    reference(o, &reference_row, e);
    processor_event(o, &processor, e);
    if (good)
        keys_and_covers(o, e);
    ph_out_text(o, &account, e->account);
    ph_out_word(o, &mode, PH_WORDS_MODE, (int32_t)e->mode);
    if (good)
        ph_out_int32(o, &matched_secret, e->matched_secret);
    else
        content(o, &unverified, e);
    bool has_more = index == 0 && !alone && a->event_count > 1;
    for (size_t i = 1; has_more && i < a->event_count; i++) {
        size_t mark = ph_out_list_open(o, &more, i - 1);
        handle_one(o, a, i, false); /* once: more events have no more events */
        ph_out_close(o, mark);
    }
    if (has_more)
        ph_out_list_end(o);
    ph_out_text(o, &incomplete_reason, e->incomplete);
}

/* ---- the peer's answers ---------------------------------------------------------------------- */

/* What HandleEvent and the composite have in common, each under its own numbers. */
struct peer_rows {
    struct ph_row event_type, event_content, source_verified, merchant_event_id, ack_response;
};

static void peer(struct ph_out *o, const struct peer_rows *rows, const struct ph_answer *a)
{
    const struct ph_event *e = &a->events[0];
    bool all = true;
    for (size_t i = 0; i < a->event_count; i++)
        all = all && a->events[i].verdict == PH_VERIFIED;
    ph_out_word(o, &rows->event_type, PH_WORDS_EVENT_TYPE, e->event_type);
    content(o, &rows->event_content, e);
    ph_out_bool(o, &rows->source_verified, all);
    if (a->merchant_event_id_given)
        ph_out_text(o, &rows->merchant_event_id, e->merchant_event_id);
    ack(o, &rows->ack_response, a);
}

static void handle_event(struct ph_out *o, const struct ph_answer *a)
{
    static const struct peer_rows rows = {
        PH_ROW(1, event_type), PH_ROW_ALWAYS(2, event_content), PH_ROW(3, source_verified),
        PH_ROW_ALWAYS(4, merchant_event_id), PH_ROW_ALWAYS(5, event_ack_response)};
    static const struct ph_row integrity = PH_ROW(6, supported_integrity_checks);
    peer(o, &rows, a);
    checks(o, &integrity, &a->events[0]);
}

static void composite(struct ph_out *o, const struct ph_answer *a)
{
    static const struct ph_row reference_row = PH_ROW_ALWAYS(1, reference);
    static const struct peer_rows rows = {
        PH_ROW(2, event_type), PH_ROW_ALWAYS(3, event_content), PH_ROW(4, source_verified),
        PH_ROW_ALWAYS(5, merchant_event_id), PH_ROW_ALWAYS(6, event_ack_response)};
    reference(o, &reference_row, &a->events[0]);
    peer(o, &rows, a);
}

static void parse(struct ph_out *o, const struct ph_answer *a)
{
    static const struct ph_row reference_row = PH_ROW_ALWAYS(1, reference),
                               event_type = PH_ROW_ALWAYS(2, event_type);
    reference(o, &reference_row, &a->events[0]);
    ph_out_word(o, &event_type, PH_WORDS_EVENT_TYPE, a->events[0].event_type);
}

static enum ph_status write_answer(struct ph_out *o, enum ph_form form, const struct ph_answer *a,
                                   struct ph_slice *ret)
{
    if (a->event_count == 0)
        return PH_ERR_INVALID;
    ph_out_begin(o);
    switch (form) {
    case PH_FORM_HANDLE:
        handle_one(o, a, 0, false);
        break;
    case PH_FORM_HANDLE_EVENT:
        handle_event(o, a);
        break;
    case PH_FORM_PARSE:
        parse(o, a);
        break;
    case PH_FORM_COMPOSITE:
        composite(o, a);
        break;
    }
    return ph_out_end(o, ret);
}

enum ph_status ph_wire_write(struct ph_arena *arena, enum ph_form form,
                             const struct ph_answer *answer, struct ph_slice *ret)
{
    struct ph_out o = {.arena = arena};
    return write_answer(&o, form, answer, ret);
}

enum ph_status ph_wire_write_serde(struct ph_arena *arena, enum ph_form form,
                                   const struct ph_answer *answer, struct ph_slice *ret)
{
    struct ph_out o = {.arena = arena, .json = true, .serde = true};
    return write_answer(&o, form, answer, ret);
}

enum ph_status ph_wire_write_json(struct ph_arena *arena, enum ph_form form,
                                  const struct ph_answer *answer, struct ph_slice *ret)
{
    struct ph_out o = {.arena = arena, .json = true};
    return write_answer(&o, form, answer, ret);
}

enum ph_status ph_wire_write_event_json(struct ph_arena *arena, const struct ph_answer *answer,
                                        size_t index, struct ph_slice *ret)
{
    struct ph_out o = {.arena = arena, .json = true};
    if (index >= answer->event_count)
        return PH_ERR_INVALID;
    ph_out_begin(&o);
    handle_one(&o, answer, index, true);
    return ph_out_end(&o, ret);
}

/* Not who signed it, when and with which secret, nor what we make of it for a person. */
enum ph_status ph_wire_write_said(struct ph_arena *arena, const struct ph_answer *answer,
                                  size_t index, struct ph_slice *ret)
{
    static const struct ph_row event_type = PH_ROW(1, event_type),
                               said = PH_ROW_ALWAYS(2, event_response),
                               reference_row = PH_ROW_ALWAYS(103, reference),
                               processor = PH_ROW_ALWAYS(104, processor_event);
    struct ph_out o = {.arena = arena};
    if (index >= answer->event_count)
        return PH_ERR_INVALID;
    const struct ph_event *e = &answer->events[index];
    ph_out_begin(&o);
    ph_out_word(&o, &event_type, PH_WORDS_EVENT_TYPE, e->handle_event_type);
    content(&o, &said, e);
    reference(&o, &reference_row, e);
    processor_event(&o, &processor, e);
    return ph_out_end(&o, ret);
}
