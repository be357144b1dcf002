"""GlomoPay: Handle. Sources: docs.glomopay.com/api-documentation, webhooks, and openapi payment and refund (read 2026-11-30);
canonical bodies by RFC 8785, written by hand or by Python's json where the two agree."""
import json, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, promises_of_a_header, refused, signed_in_a_header, write

SECRET = "glomo_webhook_secret_3fA9"
PAYMENT = {"id": "payt_686f7cc3pe69T", "payin_id": "order_686f7c8c7txqj", "status": "success", "payment_amount": 374580,
           "payment_currency": "AED", "converted_amount": 102000, "converted_currency": "USD", "requested_amount": 100000,
           "requested_currency": "USD", "fees": {"txn_fee": {"amount": 1000, "currency": "USD"}}, "error_code": None,
           "error_description": None, "error_message": None, "funds_available": False}
REFUND = {"id": "refund_6776d57dnbTWj", "payment_id": "payt_686f7cc3pe69T", "status": "success", "currency": "USD",
          "amount": 50000, "fees": {"fx_fees": {"amount": 0, "currency": "USD"}}}


def event(entity, type, data):
    return {"entity_type": entity, "event_type": type, "data": data}


def canonical(value):
    """RFC 8785 of what has neither fractions nor keys beyond U+FFFF."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(text, key):
    return hmac_hex(key, text)


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body"],
            "matched_secret": 1, **more}


def payment(status, **more):
    return {"payments_response": {"connector_transaction_id": "payt_686f7cc3pe69T", "status": status,
                                  "amount": {"minor_amount": "374580", "currency": "AED"}, **more}}


def refund(status):
    return {"refunds_response": {"connector_refund_id": "refund_6776d57dnbTWj", "status": status,
                                 "connector_transaction_id": "payt_686f7cc3pe69T",
                                 "refund_amount": {"minor_amount": "50000", "currency": "USD"}}}


case = signed_in_a_header("glomopay", "X-Glomopay-Signature", sign, SECRET)
paid = event("payment", "success", PAYMENT)
answer = good("PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED"))


def as_canonical(name, sent, signed, handle=answer, **more):
    return case(name, sent, handle, signature=sign(signed, SECRET), **more)


# What is not written as RFC 8785 has it, and how that has it (3.2.2 and its appendix B, 3.2.3).
ODD = ('{ "event_type": "success", "entity_type": "payment", "data": { "id": "payt_1", "z": [ 1.0, 1e2, 0.1e1, -0, 0.000001, '
       '1e-7, 1E21, 123456789012345680000, 333333333.33333329, 1E30, 4.50, 2e-3, 0.0 ], "text": "Gr\\u00fc\\u00dfe \\/ \\u000f \\n \\u007f", '
       '"\\ud83d\\ude02": 1, "\\ufb33": 2, "\\u20ac": 3, "": true, "nothing": null, "no": [], "none": {} } }')
EVEN = ('{"data":{"":true,"id":"payt_1","no":[],"none":{},"nothing":null,"text":"Grüße / \\u000f \\n \x7f","z":[1,100,1,0,'
        '0.000001,1e-7,1e+21,123456789012345680000,333333333.33333329,1e+30,4.5,0.002,0],"€":3,"😂":1,"\ufb33":2},'
        '"entity_type":"payment","event_type":"success"}')

cases = [
    case("success", paid, {
        **answer, "reference": {"payment": {"connector_transaction_id": "payt_686f7cc3pe69T"}},
        "processor_event": {"id": None, "type": "payment.success"}},
        same_dedupe="redelivery", other_dedupe="payment", same_effect="paid"),
    case("the money is there", event("payment", "funds_available", {**PAYMENT, "funds_available": True}), answer,
         other_dedupe="payment", same_effect="paid"),
    case("in progress", event("payment", "in_progress", {**PAYMENT, "status": "in_progress"}), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("AUTHENTICATION_PENDING")), other_dedupe="payment"),
    case("something must be done", event("payment", "action_required", {**PAYMENT, "status": "action_required"}), good(
        "PAYMENT_ACTION_REQUIRED", event_response=payment("PENDING")), other_dedupe="payment"),
    case("failed, and why", event("payment", "failed", {**PAYMENT, "status": "failed", "error_code": "PAYMENT_DECLINED",
                                                       "error_message": "Declined by issuer"}), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE", error={"connector_details": {
            "code": "PAYMENT_DECLINED", "message": "Declined by issuer"}})), other_dedupe="payment"),
    case("an event of a payment that nobody knows is no success", event("payment", "settled", PAYMENT), good(
        None, event_response=payment(None))),
    case("a refund", event("refund", "success", REFUND), good(
        "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refund("REFUND_SUCCESS"),
        reference={"refund": {"connector_refund_id": "refund_6776d57dnbTWj",
                              "connector_transaction_id": "payt_686f7cc3pe69T"}})),
    case("a refund that waits for documents", event("refund", "action_required", REFUND), good(
        "WEBHOOK_REFUND_PROCESSING", event_response=refund("REFUND_PENDING"))),
    case("a refund that failed", event("refund", "failed", REFUND), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refund("REFUND_FAILURE"))),
    case("an order is told as it is", event("orders", "paid", {"id": "order_686f7c8c7txqj"}), good(None, event_response=None)),
    case("signed canonical, sent otherwise", compact(paid), answer, signature=sign(canonical(paid), SECRET), same_dedupe="redelivery"),
    case("signed canonical, sent with blanks", json.dumps(paid, indent=2), answer, signature=sign(canonical(paid), SECRET),
         same_dedupe="redelivery"),
    as_canonical("what RFC 8785 writes otherwise", ODD, EVEN, good("PAYMENT_INTENT_SUCCESS", event_response={
        "payments_response": {"connector_transaction_id": "payt_1", "status": "CHARGED"}})),
    as_canonical("keys in the order of bytes are not in its order", ODD, EVEN.replace('"😂":1,"\ufb33":2', '"\ufb33":2,"😂":1'),
                 refused("FORGED")),
    as_canonical("canonical, and the amount changed on the way", compact(paid).replace("374580", "1"), canonical(paid),
                 refused("FORGED")),
    as_canonical("more digits than anybody writes are another number", compact(paid).replace(
        "374580", "374580.0000000000000001"), canonical(paid), refused("FORGED")),
    as_canonical("the same number written otherwise is the same", compact(paid).replace("374580", "3.7458e5"), canonical(paid)),
    as_canonical("a number beyond all sense is no number", compact(paid).replace('"funds_available":false', '"n":1e9999999'),
                 canonical(paid), refused("FORGED")),
    as_canonical("a key that comes twice: which was signed?", compact(paid).replace(
        '"status":"success"', '"status":"failed","status":"success"'), canonical(paid), refused("FORGED")),
    as_canonical("nor with one of nobody's interest", compact(paid).replace('"amount":1000', '"amount":1,"amount":1000'),
                 canonical(paid), refused("FORGED")),
    case("an event without an object has a key of its own", event("notice", "sent", {}), good(None), other_dedupe="notice"),
    case("another is another", event("notice", "sent", {"text": "x"}), good(None), other_dedupe="notice"),
    *[as_canonical(f"an id signed the same is the same: {sent}", compact(event("orders", "paid", {"id": 10.5})).replace("10.5", sent),
                   canonical(event("orders", "paid", {"id": 10.5})), good(None, event_response=None), same_dedupe="order 10.5")
      for sent in ("10.5", "10.50", "1.05e1")],
    case("and another id is another", event("orders", "paid", {"id": 10.25}), good(None, event_response=None), other_dedupe="orders"),
    case("of this one too", event("orders", "paid", {"id": 10.5}), good(None, event_response=None), other_dedupe="orders",
         same_dedupe="order 10.5"),
    case("yen have no decimals", event("payment", "success", {**PAYMENT, "payment_amount": 15000, "payment_currency": "JPY"}),
         good("PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {
             "amount": {"minor_amount": "15000", "currency": "JPY"}}})),
    case("a currency nobody knows leaves the amount out", event("payment", "success", {**PAYMENT, "payment_currency": "XXX"}),
         good("PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {"amount": None}})),
    case("a payment without an id cannot be told", changed(paid, data__id=...), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a signature in capitals", paid, refused("FORGED"), signature=sign(compact(paid), SECRET).upper()),
    *promises_of_a_header(case, "X-Glomopay-Signature", sign, SECRET, paid, answer, payment("CHARGED"),
                          changed(paid, data__payment_amount=1)),
]
write(__file__, "glomopay", "Made by handle.py; answers by hand, from GlomoPay's documentation and RFC 8785.", cases)
