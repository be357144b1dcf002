#include "connector/connector.h"

struct ph_slice ph_field_name(enum ph_field field)
{
    static const struct ph_slice names[] = {
#define PH_FIELD_NAME(name, page_name, type) [PH_F_##name] = PH_SI(#page_name),
        PH_FIELDS(PH_FIELD_NAME)
#undef PH_FIELD_NAME
    };
    return names[field];
}

enum ph_field_type ph_field_type(enum ph_field field)
{
    static const enum ph_field_type types[] = {
#define PH_FIELD_TYPE(name, page_name, type) [PH_F_##name] = PH_FIELD_##type,
        PH_FIELDS(PH_FIELD_TYPE)
#undef PH_FIELD_TYPE
    };
    return types[field];
}

bool ph_field_fits(enum ph_kind kind, enum ph_field field)
{
    switch (field) {
    case PH_F_CONNECTOR_REFUND_ID:
    case PH_F_MERCHANT_REFUND_ID:
    case PH_F_REFUND_AMOUNT:
    case PH_F_PAYMENT_AMOUNT:
    case PH_F_REFUND_REASON:
    case PH_F_ACQUIRER_REFERENCE_NUMBER:
    case PH_F_PROCESSED_AT:
        return kind == PH_KIND_REFUND;
    case PH_F_CONNECTOR_DISPUTE_ID:
    case PH_F_MERCHANT_DISPUTE_ID:
    case PH_F_DISPUTE_REASON:
    case PH_F_DISPUTE_MESSAGE:
    case PH_F_CONNECTOR_STATUS_CODE:
    case PH_F_DISPUTE_AMOUNT:
    case PH_F_DISPUTE_DATE:
    case PH_F_DUE_DATE:
    case PH_F_DISPUTE_STAGE:
        return kind == PH_KIND_DISPUTE;
    case PH_F_CONNECTOR_PAYOUT_ID:
    case PH_F_MERCHANT_PAYOUT_ID:
        return kind == PH_KIND_PAYOUT;
    case PH_F_AMOUNT: /* a payout's amount has no place on the wire, but names the change (effect_key) */
        return kind == PH_KIND_PAYMENT || kind == PH_KIND_MANDATE || kind == PH_KIND_PAYOUT;
    case PH_F_ERROR_CODE:
    case PH_F_ERROR_MESSAGE:
    case PH_F_ERROR_REASON:
        return kind != PH_KIND_NONE;
    case PH_F_CONNECTOR_TRANSACTION_ID:
        return kind != PH_KIND_PAYOUT && kind != PH_KIND_NONE;
    case PH_F_MERCHANT_TRANSACTION_ID:
    case PH_F_MERCHANT_ORDER_ID:
    case PH_F_CREATED_AT:
    case PH_F_UPDATED_AT:
    case PH_F_CUSTOMER_NAME:
    case PH_F_EMAIL:
        return kind == PH_KIND_PAYMENT || kind == PH_KIND_REFUND || kind == PH_KIND_MANDATE;
    default:
        return kind == PH_KIND_PAYMENT || kind == PH_KIND_MANDATE;
    }
}

bool ph_expr_is_many(const struct ph_expr *expr)
{
    if (expr->count != 1 || expr->alternatives[0].count != 1)
        return false;
    const struct ph_pointer *pointer = expr->alternatives[0].pieces[0].pointer;
    return pointer != NULL && pointer->many;
}
