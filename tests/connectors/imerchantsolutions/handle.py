"""iMerchant Solutions: Handle. Nothing of the processor's own is published; the cases follow what was observed (2026-11-24)."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, promises_of_a_header, refused, signed_in_a_header, write

SECRET = "ims_whsec_7Kp2"
BODY = {"type": "payment.completed", "paymentId": "pay_01HV9Q4S7B2C", "pspReference": "PSP8836173425A",
        "originalReference": None, "reference": "ref-5512", "merchantReference": "INV-0091", "status": "captured",
        "reason": None, "error": None, "amount": 10000, "capturedAmount": 10000, "totalCaptured": 10000,
        "refundedAmount": None, "totalRefunded": None, "currency": "USD", "processor": "adyen", "cardLast4": "4242",
        "cardBrand": "visa", "customerEmail": "jane.doe@example.com", "partnerId": "prt_77", "merchantId": "mer_1029",
        "timestamp": "2026-11-29T12:00:00Z"}
REFUND = {**BODY, "type": "payment.refunded", "status": "refunded", "pspReference": "PSPR-55120093",
          "originalReference": "PSP8836173425A", "refundedAmount": 4000, "totalRefunded": 4000}


def sign(text, key):
    return hmac_hex(key, text)


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "account": "mer_1029",
            "covers": ["body"], "matched_secret": 1, **more}


def payment(status, **more):
    return {"payments_response": {"connector_transaction_id": "PSP8836173425A", "status": status, **more}}


def refund(status, **more):
    return {"refunds_response": {"connector_refund_id": "PSPR-55120093", "connector_transaction_id": "PSP8836173425A",
                                 "status": status, "refund_amount": {"minor_amount": "4000", "currency": "USD"}, **more}}


def told(name, event_type, content, body=BODY, tag="event", effect=None, **changes):
    effects = {"other_effect": effect} if effect else {}
    return case(name, {**body, **changes}, good(event_type, event_response=content), other_dedupe=tag, **effects)


case = signed_in_a_header("imerchantsolutions", "x-webhook-signature", sign, SECRET)
answer = good("PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=payment("CHARGED", captured_amount="10000"))

cases = [
    case("captured", BODY, {**answer, "reference": {"payment": {
        "connector_transaction_id": "PSP8836173425A", "merchant_transaction_id": "INV-0091"}},
        "processor_event": {"id": None, "type": "payment.completed.captured", "time_ms": "1795953600000"}},
        same_dedupe="redelivery", other_dedupe="event"),
    told("authorized", "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", payment("AUTHORIZED"), status="authorized", totalCaptured=None,
         effect="authorised"),
    told("a part is captured", "PAYMENT_INTENT_PARTIALLY_FUNDED", payment("PARTIAL_CHARGED", captured_amount="4000"),
         status="partially_captured", totalCaptured=4000),
    told("another part is another event", "PAYMENT_INTENT_PARTIALLY_FUNDED", payment(
        "PARTIAL_CHARGED", captured_amount="6000"), status="partially_captured", totalCaptured=6000),
    told("cancelled", "PAYMENT_INTENT_CANCELLED", payment("VOIDED"), type="payment.cancelled", status="cancelled"),
    told("cancelled and authorized is another change than the authorisation", "PAYMENT_INTENT_CANCELLED", payment("AUTHORIZED"),
         type="payment.cancelled", status="authorized", effect="authorised"),
    told("it could not be cancelled: the payment stands", "PAYMENT_INTENT_CANCEL_FAILURE", payment("VOID_FAILED", error={
        "connector_details": {"message": "Too late"}}), type="payment.cancelled", status="failed", error="Too late",
         effect="failures"),
    told("failed", "PAYMENT_INTENT_FAILURE", payment("FAILURE", error={"connector_details": {"message": "Refused"}}),
         type="payment.failed", status="failed", error="Refused", effect="failures"),
    told("refused", "PAYMENT_INTENT_FAILURE", payment("FAILURE", error={"connector_details": {"message": "Refused"}}),
         type="payment.failed", status="refused", error="Refused"),
    told("refunded", "WEBHOOK_REFUND_SUCCESS", refund("REFUND_SUCCESS"), REFUND),
    told("a part is refunded", "WEBHOOK_REFUND_SUCCESS", refund("REFUND_SUCCESS"), REFUND, status="partially_refunded"),
    told("a refund that was refused is no success", "WEBHOOK_REFUND_FAILURE", refund("REFUND_FAILURE", error={
        "connector_details": {"code": "No", "message": "No"}}), REFUND, status="refused", error="No"),
    told("completed and refused do not go together", None, payment(None), status="refused"),
    told("refunded and captured neither", None, {"payments_response": None, "refunds_response": {
        "connector_refund_id": "PSPR-55120093", "status": None}}, REFUND, status="captured"),
    told("a type nobody knows", None, payment(None), type="payment.created"),
    told("a status nobody knows", None, payment(None), status="captured_twice"),
    told("yen have no decimals", "PAYMENT_INTENT_CAPTURE_SUCCESS", payment("CHARGED", amount={
        "minor_amount": "5000", "currency": "JPY"}), tag="yen", amount=5000, currency="JPY"),
    case("a currency nobody knows", {**BODY, "currency": "ZZZ"}, {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("an amount with a fraction", {**BODY, "amount": 100.5}, {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a payment without an id", changed(BODY, pspReference=...), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a status that comes twice cannot be told", compact(BODY).replace(
        '"status":"captured"', '"status":"failed","status":"captured"'), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("the signature in capitals", BODY, answer, signature=sign(compact(BODY), SECRET).upper()),
    *promises_of_a_header(case, "x-webhook-signature", sign, SECRET, BODY, answer, payment("CHARGED"), changed(BODY, amount=1)),
]
write(__file__, "imerchantsolutions", "Made by handle.py; answers by hand, from what was observed.", cases)
