"""Give Payments: Handle. Nothing of the processor's own was found; the cases follow what was observed (2026-11-24)."""
import base64, hashlib, hmac, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, promises_of_a_header, refused, signed_in_a_header, write

SECRET = "gp_whk_5d3e"
PAYMENT = {"id": "GS_TXN_cKP1ctmwThYaA5UJrUG67A", "created_at": 1795953600, "status": "successful",
           "processing_state": "captured", "total_amount": 2500, "net_amount": 2412, "fee_amount": 88,
           "external_reference": "don-884", "paymethod": {"type": "card", "card": {"brand": "visa", "number_last4": "1111",
                                                                                     "name": "Jack Francis"}},
           "paymethod_token": {"id": "GS_PMT_6qkWz91xTvBcN3yLmPq8Rd"}, "customer": "GS_CUS_2rbzrEaeBNwNMafRxKBfSb"}
REFUND = {"id": "GS_REF_h2Kd81mPzQ0xVb7TnYcLrE", "created_at": 1795953700, "status": "successful",
          "processing_state": "approved", "total_amount": 1000, "net_amount": 1000, "fee_amount": 0,
          "external_reference": "rfd-17", "payment": "GS_TXN_cKP1ctmwThYaA5UJrUG67A"}


def event(type, data, id="GS_EV_pmV0LOyQvHYnG1VNZD2QeE", kind=None):
    return {"id": id, "created_at": "1795953661", "type": type, "data": {"type": kind or type.split(".")[0], "object": data},
            "merchant": "GS_MER_OVC3SKymD34SH5NjEhPa8D"}


def sign(text, key):
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body"],
            "account": "GS_MER_OVC3SKymD34SH5NjEhPa8D", "matched_secret": 1, **more}


def payment(status):
    return {"payments_response": {"connector_transaction_id": "GS_TXN_cKP1ctmwThYaA5UJrUG67A", "status": status,
                                  "merchant_transaction_id": "don-884", "amount": None}}


def refund(status):
    return {"refunds_response": {"connector_refund_id": "GS_REF_h2Kd81mPzQ0xVb7TnYcLrE", "merchant_refund_id": "rfd-17",
                                 "connector_transaction_id": "GS_TXN_cKP1ctmwThYaA5UJrUG67A", "status": status}}


def told(type, event_type, content, state=None, name=None):
    data = PAYMENT if type.startswith("payment") else REFUND
    return case(name or type, event(type, {**data, "processing_state": state or type.split(".")[1]}),
                good(event_type, event_response=content))


case = signed_in_a_header("givepayments", "GP-Webhook-Signature", sign, SECRET)
captured = event("payment.captured", PAYMENT)
answer = good("PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=payment("CHARGED"))

cases = [
    case("captured", captured, {**answer, "reference": {"payment": {
        "connector_transaction_id": "GS_TXN_cKP1ctmwThYaA5UJrUG67A", "merchant_transaction_id": "don-884"}},
        "dedupe_key": "givepayments:GS_EV_pmV0LOyQvHYnG1VNZD2QeE",
        "processor_event": {"id": "GS_EV_pmV0LOyQvHYnG1VNZD2QeE", "type": "payment.captured", "time_ms": "1795953661000"}},
        same_dedupe="redelivery", other_dedupe="event", same_effect="paid"),
    case("settled is another event of the same change", event("payment.settled", {
        **PAYMENT, "processing_state": "settled"}, "GS_EV_2"), answer, other_dedupe="event", same_effect="paid"),
    told("payment.created", "PAYMENT_INTENT_PROCESSING", payment("PENDING")),
    told("payment.authorized", "PAYMENT_INTENT_PROCESSING", payment("PENDING")),
    told("payment.failed", "PAYMENT_INTENT_CAPTURE_FAILURE", payment("FAILURE")),
    told("payment.declined", "PAYMENT_INTENT_CAPTURE_FAILURE", payment("FAILURE")),
    told("payment.voided", "PAYMENT_INTENT_CANCELLED", payment("VOIDED")),
    told("payment.captured", "PAYMENT_INTENT_CAPTURE_SUCCESS", payment(None), "captured_twice",
         "a state nobody knows is no success"),
    told("payment.chargeback", None, payment("CHARGED"), "captured", "an event nobody knows is an answer"),
    told("refund.created", "WEBHOOK_REFUND_PROCESSING", refund("REFUND_PENDING")),
    told("refund.pending", "WEBHOOK_REFUND_PROCESSING", refund("REFUND_PENDING")),
    told("refund.approved", "WEBHOOK_REFUND_SUCCESS", refund("REFUND_SUCCESS")),
    told("refund.settled", "WEBHOOK_REFUND_SUCCESS", refund("REFUND_SUCCESS")),
    told("refund.failed", "WEBHOOK_REFUND_FAILURE", refund("REFUND_FAILURE")),
    told("refund.declined", "WEBHOOK_REFUND_FAILURE", refund("REFUND_FAILURE")),
    told("refund.canceled", "WEBHOOK_REFUND_FAILURE", refund("REFUND_FAILURE")),
    case("a dispute is told as it is", event("dispute.created", {"id": "GS_DSP_1"}), good(None, event_response=None)),
    case("a refund whose data is a payment's contradicts itself", event("refund.approved", PAYMENT, kind="payment"),
         good(None, event_response=None)),
    case("an amount with a fraction", event("payment.captured", {**PAYMENT, "total_amount": 25.5}),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("an object's id that comes twice cannot be told", compact(captured).replace(
        '"object":{', '"object":{"id":"GS_TXN_other",'), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a signature in hex", captured, refused("FORGED"), signature=base64.b64decode(sign(compact(captured), SECRET)).hex()),
    *promises_of_a_header(case, "GP-Webhook-Signature", sign, SECRET, captured, answer, payment("CHARGED"),
                          changed(captured, data__object__id="GS_TXN_other")),
]
write(__file__, "givepayments", "Made by handle.py; answers by hand, from what was observed.", cases)
