"""NMI: Handle. Sources: the webhook scheme as hookdeck/webhook-skills reports it from NMI's portal (read 2026-11-30); bodies,
conditions and outcomes as they were observed (2026-11-24)."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, promises_of_a_header, refused, signed_in_a_header, write

SECRET = "4A1D0B7C9E3F"
BODY = {"merchant": {"id": "931017", "name": "Acme Test"}, "features": {"is_test_mode": True}, "transaction_id": "10433211687",
        "transaction_type": "cc", "condition": "pendingsettlement", "order_id": "ORD-77", "currency": "USD",
        "requested_amount": "104.50", "authorization_code": "123456",
        "billing_address": {"first_name": "Jane", "last_name": "Doe", "email": "jane@example.com"},
        "card": {"cc_number": "411111******1111", "cc_exp": "1029", "cc_type": "visa"},
        "action": {"amount": "104.50", "action_type": "sale", "date": "20261129100000", "success": "1", "response_text": "SUCCESS",
                   "response_code": "100", "processor_response_text": "APPROVED"}}
DECLINED = {"response_text": "DECLINE", "response_code": "200", "processor_response_text": "Do not honor"}
WHY = {"connector_details": {"code": "200", "message": "DECLINE", "reason": "Do not honor"}}


def event(type, condition="pendingsettlement", id="0b8f9e5c-6a57-4c35-8c6b-6f0f0a1c9d10", action=None, **changes):
    verb = type.split(".")[1]
    return {"event_id": id, "event_type": type, "event_body": {
        **BODY, "condition": condition, "action": {**BODY["action"], "action_type": verb, **(action or {})}, **changes}}


def sign(text, key, nonce="f3c1e9a2b7d84c15"):
    return f"t={nonce},s={hmac_hex(key, nonce + '.' + text)}"


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "account": "931017", "mode": "TEST",
            "covers": ["body", "nonce"], "matched_secret": 1, **more}


def payment(status, **more):
    return {"payments_response": {"connector_transaction_id": "10433211687", "merchant_transaction_id": "ORD-77",
                                  "status": status, "amount": {"minor_amount": "10450", "currency": "USD"}, **more}}


def refund(status, amount="10450", **more):
    return {"payments_response": None, "refunds_response": {
        "connector_refund_id": "10433211687", "merchant_refund_id": "ORD-77", "status": status,
        "refund_amount": {"minor_amount": amount, "currency": "USD"}, **more}}


case = signed_in_a_header("nmi", "Webhook-Signature", sign, SECRET)
sale = event("transaction.sale.success")
answer = good("PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED"))

cases = [
    case("a sale", sale, {**answer, "dedupe_key": "nmi:0b8f9e5c-6a57-4c35-8c6b-6f0f0a1c9d10",
                          "reference": {"payment": {"connector_transaction_id": "10433211687", "merchant_transaction_id": "ORD-77"}},
                          "processor_event": {"id": "0b8f9e5c-6a57-4c35-8c6b-6f0f0a1c9d10", "type": "transaction.sale.success"}},
         same_dedupe="redelivery", other_dedupe="event", same_effect="sale", other_effect="sale"),
    case("the same with another nonce is a redelivery", sale, answer, signature=sign(compact(sale), SECRET, "00ff"),
         same_dedupe="redelivery"),
    case("another event of the same transaction", event("transaction.sale.success", "complete", "another"), answer, other_dedupe="event", same_effect="sale"),
    case("a sale that was declined says why", event("transaction.sale.failure", "failed", action=DECLINED), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE", error=WHY))),
    case("declined is declined whatever the condition says", event("transaction.sale.failure", action=DECLINED), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE"))),
    case("how a sale ended is not known: neither paid nor failed", event("transaction.sale.unknown", "unknown"), good(
        None, event_response=payment("PENDING"))),
    *[case(f"how it ended is not known here: {verb}, {condition}", event(f"transaction.{verb}.success", condition), good(
        None, event_response=payment(told, captured_amount=None)))
      for verb in ("sale", "auth", "capture", "void") for condition, told in (("unknown", "PENDING"), ("reviewed", None))],
    case("an authorization", event("transaction.auth.success", "pending"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=payment("AUTHORIZED")), other_effect="authorization"),
    case("an authorization that was declined", event("transaction.auth.failure", "failed", action=DECLINED), good(
        "PAYMENT_INTENT_AUTHORIZATION_FAILURE", event_response=payment("FAILURE", error=WHY))),
    case("a part is captured", event("transaction.capture.success", action={"amount": "50.00"}), good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=payment("CHARGED", captured_amount="5000"))),
    case("a capture that failed leaves the authorization", event("transaction.capture.failure", "pending", action=DECLINED), good(
        "PAYMENT_INTENT_CAPTURE_FAILURE", event_response=payment("AUTHORIZED", error=WHY)), other_effect="authorization"),
    case("a failed capture is never told as charged", event("transaction.capture.failure", "complete", action=DECLINED), good(
        "PAYMENT_INTENT_CAPTURE_FAILURE", event_response=payment("CAPTURE_FAILED"))),
    case("a void", event("transaction.void.success", "canceled"), good(
        "PAYMENT_INTENT_CANCELLED", event_response=payment("VOIDED"))),
    case("a void that failed leaves it as it was", event("transaction.void.failure", action=DECLINED), good(
        "PAYMENT_INTENT_CANCEL_FAILURE", event_response=payment("CHARGED", error=WHY)), other_effect="sale"),
    case("and leaves an authorization", event("transaction.void.failure", "pending", action=DECLINED), good(
        "PAYMENT_INTENT_CANCEL_FAILURE", event_response=payment("AUTHORIZED", error=WHY)), other_effect="authorization"),
    *[case(f"how it ended is not known, and what: {verb}", event(f"transaction.{verb}.unknown", "unknown"), good(
        None, event_response=payment("PENDING")), other_effect="outcome unknown") for verb in ("auth", "capture", "void")],
    case("a refund", event("transaction.refund.success", action={"amount": "20.00"}), good(
        "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refund("REFUND_SUCCESS", "2000"))),
    case("a refund that failed", event("transaction.refund.failure", "failed", action=DECLINED), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refund("REFUND_FAILURE", error=WHY))),
    case("how a refund ended is not known: no payment that failed", event("transaction.refund.unknown", "unknown"), good(
        None, event_response=refund("REFUND_PENDING"))),
    *[case(f"nor is that a refund that failed, or succeeded: {condition}", event("transaction.refund.success", condition), good(
        None, event_response=refund("REFUND_PENDING"))) for condition in ("unknown", "reviewed")],
    case("a credit has no meaning of ours", event("transaction.credit.success"), good(None, event_response=None)),
    case("a settlement batch is told as it is", {**event("settlement.batch.complete"), "event_body": {
        "merchant": BODY["merchant"], "features": {"is_test_mode": False}, "batch": {"id": "101"}}}, good(
            None, mode="LIVE", event_response=None)),
    case("a type nobody knows is an answer", event("transaction.sale.partial"), good(None, event_response=None)),
    case("types are in small letters", event("TRANSACTION.SALE.SUCCESS"), good(None, event_response=None)),
    case("without an order id it is still the transaction", event("transaction.sale.success", order_id=None), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {
            "connector_transaction_id": "10433211687", "merchant_transaction_id": None}})),
    case("without a transaction it cannot be told", event("transaction.sale.success", transaction_id=None),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("without an event id it cannot be told", changed(sale, event_id=...), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a condition that comes twice cannot be told", compact(sale).replace(
        '"condition":"pendingsettlement"', '"condition":"failed","condition":"complete"'),
        {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("yen have no decimals", event("transaction.sale.success", currency="JPY", requested_amount="5000"), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {"amount": {"minor_amount": "5000", "currency": "JPY"}}})),
    case("a fraction of a cent is left out", event("transaction.sale.success", requested_amount="104.505"), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {
            "status": "CHARGED", "amount": None}})),
    case("the signature in capitals", sale, answer, signature="t=f3c1e9a2b7d84c15,s=" + sign(
        compact(sale), SECRET).split("s=")[1].upper()),
    case("a nonce that was changed", sale, refused("FORGED"), signature=sign(compact(sale), SECRET).replace("f3c1", "f3c2")),
    case("parts in another order", sale, refused("FORGED"), signature=",".join(reversed(sign(compact(sale), SECRET).split(",")))),
    case("without a nonce nothing is signed", sale, refused("FORGED"), signature="s=" + hmac_hex(SECRET, compact(sale))),
    case("the body alone is another text", sale, refused("FORGED"), signature="t=,s=" + hmac_hex(SECRET, compact(sale))),
    *promises_of_a_header(case, "Webhook-Signature", sign, SECRET, sale, answer, payment("CHARGED"),
                          changed(sale, event_body__requested_amount="1.00")),
]
write(__file__, "nmi", "Made by handle.py; answers by hand, from NMI's documentation where it could be read and what was observed.", cases)
