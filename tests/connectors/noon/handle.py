"""noon payments: Handle. Sources: docs.noonpayments.com (webhooks) as the recorded answers have it; hyperswitch-prism
0.4.0, observed (2026-11-24). What noon's own page says could not be read again (2026-11-30)."""
import base64, hashlib, hmac, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, refused, write

SECRET, OLD = "noonHmacKey/0a1b2c3d4e5f==", "noonHmacKey/before=="
ORDER = {"orderId": 123456789012, "orderStatus": "CAPTURED", "eventType": "Sale",
         "eventId": "9d6c8bd8-2d5d-4b9f-9d3c-1f1f8a3a1a11", "timeStamp": "2026-01-15T10:00:00.5093379Z",
         "originalOrderId": "", "merchantOrderReference": "order_10045", "attemptNumber": 1}
SIGNED = ("orderId", "orderStatus", "eventId", "eventType", "timeStamp")


def signature(order, key=SECRET):
    text = ",".join(str(order.get(name, "")) for name in SIGNED)
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha512).digest()).decode()


def case(name, order, handle, secrets=SECRET, key=SECRET, sent=None, method="MANUAL", **more):
    order = order if "signature" in order else {**order, "signature": signature(order, key)}
    body = sent(order) if sent is not None else order
    context = {"event_context": {"payment": {"capture_method": method}}} if method is not None else {}
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/noon", "headers": [
        ["Content-Type", "application/json"]], "body": body if isinstance(body, str) else compact(body)},
        "secrets": secrets if isinstance(secrets, list) else [secrets], **context, **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": list(SIGNED),
            "matched_secret": 1, **more}


def payment(status, **more):
    return {"payments_response": {"connector_transaction_id": "123456789012", "merchant_transaction_id": "order_10045",
                                  "status": status, "amount": None, **more}}


def of(kind, status, event="9d6c8bd8-2d5d-4b9f-9d3c-1f1f8a3a1a12", **changes):
    return {**ORDER, "eventType": kind, "orderStatus": status, "eventId": event, **changes}


cases = [
    case("a sale is captured", ORDER, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED", error=None),
        reference={"payment": {"connector_transaction_id": "123456789012", "merchant_transaction_id": "order_10045"}},
        processor_event={"id": ORDER["eventId"], "type": "Sale", "time_ms": "1768471200509"}), same_dedupe="event",
        other_dedupe="events", other_effect="one order"),
    case("the next attempt is the same event", {**ORDER, "attemptNumber": 2}, good("PAYMENT_INTENT_SUCCESS"),
         same_dedupe="event"),
    case("another's reference in it is still the same event", ORDER, good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {"connector_transaction_id": "123456789012",
                                                                        "merchant_transaction_id": "other"}}),
        sent=lambda o: {**o, "merchantOrderReference": "other"}, same_dedupe="event"),
    case("a capture", of("Capture", "CAPTURED"), good("PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED")),
         other_dedupe="events"),
    case("a capture of a part", of("Capture", "PARTIALLY_CAPTURED"), good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=payment("PARTIAL_CHARGED")), other_effect="one order",
        same_effect="part", same_dedupe="part"),
    case("sent again it is that part", of("Capture", "PARTIALLY_CAPTURED", attemptNumber=2), good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS"), same_effect="part", same_dedupe="part"),
    case("the next part is another change", of("Capture", "PARTIALLY_CAPTURED", "9d6c8bd8-next"), good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=payment("PARTIAL_CHARGED")), other_effect="one order",
        other_dedupe="events"),
    case("a sale is pending", of("Sale", "PENDING"), good("PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING")),
         other_effect="one order"),
    case("a sale is looked at", of("Sale", "MARKED_FOR_REVIEW"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING"))),
    case("an authorisation reserves", of("Authorize", "AUTHORIZED"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=payment("AUTHORIZED")), other_effect="one order"),
    case("where the context captures by itself it is charged", of("Authorize", "AUTHORIZED"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED")), method="AUTOMATIC"),
    case("without the context nobody can tell", of("Authorize", "AUTHORIZED"), {
        "error": {"code": "WEBHOOK_MISSING_REQUIRED_CONTEXT"}}, method=None),
    case("a failure", of("Fail", "REJECTED"), good(
        "PAYMENT_INTENT_FAILURE", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response=payment("FAILURE")),
        other_effect="one order"),
    case("an order that expired", of("Fail", "EXPIRED"), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("AUTHENTICATION_FAILED"))),
    *[case(f"something failed and the order is {status}: no failure and no success of the payment", of("Fail", status), good(
        None, event_response=payment(None)), method="AUTOMATIC")
      for status in ("CAPTURED", "PARTIALLY_CAPTURED", "AUTHORIZED", "REFUNDED", "REVERSED", "PENDING", "INITIATED")],
    case("a refund names no refund: ask", of("Refund", "PARTIALLY_REFUNDED"), good(
        "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_status="INCOMPLETE", event_response={
            "payments_response": None, "refunds_response": {"connector_transaction_id": "123456789012",
                                                            "status": "REFUND_SUCCESS", "refund_amount": None}}),
        other_dedupe="refunds"),
    case("the next refund of the order is another event", of("Refund", "PARTIALLY_REFUNDED", "9d6c8bd8-second"), good(
        "WEBHOOK_REFUND_SUCCESS", event_status="INCOMPLETE"), other_dedupe="refunds"),
    case("an authorisation is let go", of("Reverse", "REVERSED"), good(
        "PAYMENT_INTENT_CANCELLED", event_response=payment("VOIDED"))),
    case("a part is let go and the rest stands: that is not voided", of("Reverse", "PARTIALLY_REVERSED"), good(
        None, event_response=payment(None))),
    case("an order is cancelled", of("Cancel", "CANCELLED"), good(
        "PAYMENT_INTENT_CANCELLED", event_response=payment("VOIDED"))),
    case("3-D Secure is under way", of("Authenticate", "3DS_ENROLL_CHECKED"), good(
        None, event_response=payment("AUTHENTICATION_PENDING"))),
    *[case(f"an order of status {status}", of("Authenticate", status), good(None, event_response=payment(told)))
      for status, told in (("PARTIALLY_CAPTURED", "PARTIAL_CHARGED"), ("REFUNDED", "CHARGED"), ("PARTIALLY_REFUNDED", "CHARGED"),
                           ("REVERSED", "VOIDED"), ("EXPIRED", "AUTHENTICATION_FAILED"),
                           ("3DS_ENROLL_INITIATED", "AUTHENTICATION_PENDING"),
                           ("3DS_RESULT_VERIFIED", "AUTHENTICATION_SUCCESSFUL"), ("PENDING", "PENDING"),
                           ("MARKED_FOR_REVIEW", "PENDING"), ("INITIATED", "STARTED"), ("PAYMENT_INFO_ADDED", "STARTED"),
                           ("AUTHORIZED", "AUTHORIZED"))],
    case("where the order captures in turn it is charged", of("Authenticate", "AUTHORIZED"), good(
        None, event_response=payment("CHARGED")), method="SEQUENTIAL_AUTOMATIC"),
    case("a refund that failed is none", of("Refund", "FAILED"), good(None, event_response=payment("FAILURE"))),
    case("a cancellation of what is captured cancels nothing", of("Cancel", "CAPTURED"), good(
        None, event_response=payment("CHARGED"))),
    case("what is not known is an answer, and no success", of("Dispute", "SLEEPING"), good(
        None, event_response=payment(None))),
    case("an order number beyond what a double holds", {**ORDER, "orderId": 18446744073709551615}, good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {"connector_transaction_id": "18446744073709551615"}})),
    case("the old key, while it is being changed", ORDER, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], key=OLD),
    case("printed in another way the signature holds", ORDER, good("PAYMENT_INTENT_SUCCESS"),
         sent=lambda o: compact(o).replace('":', '": '), same_dedupe="event"),
    case("a status changed after signing", of("Sale", "PENDING"), refused("FORGED"),
         sent=lambda o: {**o, "orderStatus": "CAPTURED"}),
    case("an order changed after signing", ORDER, refused("FORGED"), sent=lambda o: {**o, "orderId": 123456789013}),
    case("a type changed after signing", of("Refund", "CAPTURED"), refused("FORGED"), sent=lambda o: {**o, "eventType": "Sale"}),
    case("a time changed after signing", ORDER, refused("FORGED"),
         sent=lambda o: {**o, "timeStamp": "2026-01-15T10:00:01.5093379Z"}),
    case("an event id changed after signing", ORDER, refused("FORGED"), sent=lambda o: {**o, "eventId": "another"}),
    case("a comma is a border and nothing else: one moved", {**ORDER, "eventId": "a,b"}, refused("FORGED")),
    case("nor in the status", {**ORDER, "orderStatus": "CAPTURED,x"}, refused("FORGED")),
    case("an order that is no number", {**ORDER, "orderId": "1,CAPTURED"}, refused("FORGED")),
    case("a time that is none", {**ORDER, "timeStamp": "yesterday"}, refused("FORGED")),
    case("signed without an event id", changed(ORDER, eventId=...), refused("FORGED")),
    case("another's key", ORDER, refused("FORGED"), key="guess"),
    case("an empty key signs nothing", ORDER, refused("NO_SECRET", 503), secrets="", key=""),
    case("no key is configured", ORDER, refused("NO_SECRET", 503, unverified_response=payment("CHARGED")), secrets=[]),
    case("no signature", ORDER, refused("NO_SIGNATURE", unverified_response=payment("CHARGED")),
         sent=lambda o: changed(o, signature=...)),
    case("a signature in hex is none of theirs", {**ORDER, "signature": hmac.new(SECRET.encode(), ",".join(
        str(ORDER[n]) for n in SIGNED).encode(), hashlib.sha512).hexdigest()}, refused("FORGED")),
    case("a status that comes twice cannot be told", ORDER, {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}},
         sent=lambda o: compact(o).replace('"orderStatus":', '"orderStatus":"PENDING","orderStatus":')),
    case("two signatures in one body are ambiguous", ORDER, refused("FORGED"),
         sent=lambda o: compact(o).replace('"signature":', '"signature":"x","signature":')),
]
write(__file__, "noon", "Made by handle.py; answers by hand.", cases)
