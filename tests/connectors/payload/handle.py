"""Payload: Handle. Sources: docs.payload.com/v2/api-reference/webhook, v2/orchestrate/webhooks,
apis/object-reference/webhook (read 2026-11-30)."""
import base64, hashlib, hmac, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import compact, hmac_hex, refused, sha256_hex, write

SECRET, OLD, ID = "snd_sec_4b7e1f90a2", "snd_sec_before", "txn_3bW9JN4BVk3wU0ZZQs2Ay"


def notice(trigger, object="transaction", at="Thu, 15 Jan 2026 10:00:00 GMT", **on):
    return {"object": "webhook_trigger", "trigger": trigger, "webhook_id": "whk_3bW9JN4BVk3wU0ZZQs2Ay", "triggered_at": at,
            "triggered_on": {"id": ID, "object": object, **on}, "url": "https://merchant.example.com/webhooks/payload"}


def timeless(trigger, **on):
    return {k: v for k, v in notice(trigger, **on).items() if k != "triggered_at"}


def case(name, body, handle, secrets=SECRET, key=SECRET, signature=None, header="X-Payload-Signature", headers=(), sent=None,
         **more):
    text = body if isinstance(body, str) else compact(body)
    all = [["Content-Type", "application/json"], [header, hmac_hex(key, text) if signature is None else signature], *headers]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/payload",
                                      "headers": [h for h in all if h[0] != "none"], "body": sent or text},
            "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body"],
            "matched_secret": 1, **more}


def paid(status):
    return {"payments_response": {"connector_transaction_id": ID, "status": status, "amount": None}}


def disputed(status):
    return {"disputes_response": {"connector_dispute_id": ID, "dispute_status": status}}


processed = notice("processed")
text = compact(processed)
forged = refused("FORGED", unverified_response=paid("CHARGED"))
one = {"other_dedupe": "one transaction"}
broken = {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}

cases = [
    case("processed is the payment that succeeded", processed, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED"),
        reference={"payment": {"connector_transaction_id": ID}}, processor_event={"type": "processed"}),
         same_dedupe="processed", **one),
    case("sent again", processed, good("PAYMENT_INTENT_SUCCESS"), same_dedupe="processed"),
    case("payment says that one was initiated, and no more", notice("payment"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=paid("PENDING")), **one),
    case("automatic_payment too", notice("automatic_payment"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=paid("PENDING")), **one),
    case("authorized", notice("authorized"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=paid("AUTHORIZED")), **one),
    case("decline", notice("decline"), good("PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE")), **one),
    case("reject", notice("reject"), good("PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE")), **one),
    case("bank_account_reject", notice("bank_account_reject"), good(
        "PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE")), **one),
    case("void", notice("void"), good("PAYMENT_INTENT_CANCELLED", event_response=paid("VOIDED")), **one),
    case("reversal", notice("reversal"), good("PAYMENT_INTENT_CANCELLED", event_response=paid("VOIDED")), **one),
    case("refund says that one was initiated: no success", notice("refund"), good(
        "WEBHOOK_REFUND_PROCESSING", event_response={"refunds_response": {
            "connector_refund_id": ID, "status": "REFUND_PENDING"}}, reference={"refund": {"connector_refund_id": ID}}), **one),
    case("chargeback", notice("chargeback"), good("WEBHOOK_DISPUTE_OPENED", event_response=disputed("DISPUTE_OPENED")), **one,
         other_effect="chargebacks"),
    case("a second chargeback of one transaction is another event and another change", notice("chargeback", at="Fri, 16 Jan 2026 10:00:00 GMT"),
         good("WEBHOOK_DISPUTE_OPENED"), **one, other_effect="chargebacks"),
    case("chargeback_reversal", notice("chargeback_reversal"), good(
        "WEBHOOK_DISPUTE_WON", event_response=disputed("DISPUTE_WON")), **one),
    *(case(trigger + " is no payment's progress, and each is kept", notice(trigger, object, value="x"), good(
        None, event_response=None, dedupe_key=None)) for trigger, object in (
            ("deposit", "transaction"), ("credit", "transaction"), ("processing_status", "processing_account"),
            ("payment_link:status", "payment_link"), ("transaction:operation", "transaction"))),
    case("a trigger that is not known", notice("customer_created"), good(None, event_response=None)),
    case("what the documentation's own example has is enough", {
        "object": "webhook_trigger", "trigger": "processed", "triggered_on": {"id": ID, "object": "transaction"}}, good(
            "PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED"))),
    *(case(f"processed, of {a}: no payment", notice("processed", object), good(None, event_response=None, dedupe_key=None))
      for a, object in (("an invoice", "invoice"), ("a payment link", "payment_link"), ("an account", "customer"))),
    case("without its time", timeless("chargeback", value="a"), good("WEBHOOK_DISPUTE_OPENED"), other_dedupe="without a time",
         same_dedupe="timeless", other_effect="timeless"),
    case("without its time, sent again", timeless("chargeback", value="a"), good("WEBHOOK_DISPUTE_OPENED"), same_dedupe="timeless"),
    case("without its time, another body is another event and another change", timeless("chargeback", value="b"), good(
        "WEBHOOK_DISPUTE_OPENED"), other_dedupe="without a time", other_effect="timeless"),
    case("the header in lower case", processed, good("PAYMENT_INTENT_SUCCESS"), header="x-payload-signature"),
    case("the header in upper case", processed, good("PAYMENT_INTENT_SUCCESS"), header="X-PAYLOAD-SIGNATURE"),
    case("the old secret while it is changed", processed, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], key=OLD),
    case("signed with another secret", processed, forged, key="another"),
    case("changed after it was signed", text, refused("FORGED"), sent=text.replace(ID, "txn_other")),
    case("written again with blanks", text, forged, sent=text.replace('":"', '": "')),
    case("a digest without a key proves nothing", processed, forged, signature=sha256_hex(text)),
    case("base64 where hex is wanted", processed, forged, signature=base64.b64encode(
        hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()).decode()),
    case("half a signature", processed, forged, signature=hmac_hex(SECRET, text)[:32]),
    case("two signatures", processed, forged, headers=[["x-payload-signature", "00" * 32]]),
    case("without the header, as a webhook without a sender_secret sends it", processed, refused("NO_SIGNATURE"), header="none"),
    case("an empty header", processed, refused("NO_SIGNATURE"), signature=""),
    case("no secret", processed, refused("NO_SECRET", 503), secrets=[]),
    case("an empty secret proves nothing", processed, refused("NO_SECRET", 503), secrets=[""], key=""),
    case("a trigger that comes twice is none", text.replace('"trigger":', '"trigger":"void","trigger":'), broken),
    case("a transaction without an id", {"object": "webhook_trigger", "trigger": "processed",
                                         "triggered_on": {"object": "transaction"}}, broken),
    case("no JSON", "trigger=processed", broken),
]
write(__file__, "payload", "Made by handle.py; answers by hand, from Payload's documentation.", cases)
