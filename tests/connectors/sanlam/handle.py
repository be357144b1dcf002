"""Sanlam: Handle. The processor publishes nothing (looked for 2026-11-30): what is promised here is what the page says."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import compact, hmac_hex, refused, sha256_hex, write

SECRET, OLD, REFERENCE = "sanlam-webhook-key-4f9c2e71", "sanlam-webhook-key-before", "POL-7781-0925"
MAY, JUNE = 1778486400, 1781164800


def notice(type, status, error=None, **more):
    return {"event_type": type, "payment": {"user_reference": REFERENCE, "status": status}, "error": error, **more}


def case(name, body, handle, secrets=SECRET, key=SECRET, signature=None, header="x-signature", headers=(), sent=None, **more):
    text = body if isinstance(body, str) else compact(body)
    all = [["Content-Type", "application/json"], [header, hmac_hex(key, text) if signature is None else signature], *headers]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/sanlam",
                                      "headers": [h for h in all if h[0] != "none"], "body": sent or text},
            "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body"],
            "matched_secret": 1, "dedupe_key": None, **more}


def paid(status, **more):
    return {"payments_response": {"merchant_transaction_id": REFERENCE, "status": status, "amount": None, **more}}


succeeded = notice("payment.succeeded", "success")
disputed = notice("dispute.opened", "dispute")
text = compact(succeeded)
forged = refused("FORGED", unverified_response=paid("CHARGED"))
broken = {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}

cases = [
    case("payment.succeeded", succeeded, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED", error=None),
        reference={"payment": {"merchant_transaction_id": REFERENCE}}, processor_event={"type": "payment.succeeded"}),
         other_effect="one payment"),
    case("the same again is kept, for the next month's looks the same", succeeded, good("PAYMENT_INTENT_SUCCESS")),
    case("a debit order collects", succeeded, good("PAYMENT_INTENT_SUCCESS"), at=MAY, other_effect="collections"),
    case("the next month's collection is another change", succeeded, good("PAYMENT_INTENT_SUCCESS"), at=JUNE,
         other_effect="collections"),
    case("a collection is disputed", disputed, good("WEBHOOK_DISPUTE_OPENED"), at=MAY, other_effect="disputes"),
    case("the next one's dispute is another change", disputed, good("WEBHOOK_DISPUTE_OPENED"), at=JUNE, other_effect="disputes"),
    case("payment.failed says why", notice("payment.failed", "failure", {
        "code": "R02", "message": "Insufficient funds", "reason": "Account has not sufficient funds"}), good(
            "PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE", error={"connector_details": {
                "code": "R02", "message": "Insufficient funds", "reason": "Account has not sufficient funds"}})),
         other_effect="one payment"),
    case("payment.failed without a reason", notice("payment.failed", "failure"), good(
        "PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE"))),
    case("dispute.opened", disputed, good(
        "WEBHOOK_DISPUTE_OPENED", event_response={"disputes_response": {
            "dispute_status": "DISPUTE_OPENED", "connector_transaction_id": REFERENCE}},
        reference={"payment": {"merchant_transaction_id": REFERENCE}}), other_effect="one payment"),
    case("a dispute event that is not known decides nothing", notice("dispute.closed", "dispute"), good(
        None, event_response={"disputes_response": {"dispute_status": None}})),
    case("a payment event that is not known has no status", notice("payment.pending", "success"), good(
        None, event_response=paid(None))),
    case("a status that is not known is none", notice("payment.succeeded", "pending"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=paid(None))),
    case("an amount is not read: nobody knows its unit", notice("payment.succeeded", "success", amount=145050), good(
        "PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED"))),
    case("something else", notice("policy.created", "success"), good(None, event_response=None)),
    case("the header in another case", succeeded, good("PAYMENT_INTENT_SUCCESS"), header="X-Signature"),
    case("hex in upper case", succeeded, good("PAYMENT_INTENT_SUCCESS"), signature=hmac_hex(SECRET, text).upper()),
    case("the old secret while it is changed", succeeded, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], key=OLD),
    case("signed with another secret", succeeded, forged, key="another"),
    case("changed after it was signed", text, refused("FORGED"), sent=text.replace("POL-7781", "POL-7782")),
    case("a digest without a key proves nothing", succeeded, forged, signature=sha256_hex(text)),
    case("a prefix that nobody writes", succeeded, forged, signature="sha256=" + hmac_hex(SECRET, text)),
    case("half a signature", succeeded, forged, signature=hmac_hex(SECRET, text)[:62]),
    case("two signatures", succeeded, forged, headers=[["X-Signature", "00" * 32]]),
    case("without the header", succeeded, refused("NO_SIGNATURE"), header="none"),
    case("an empty header", succeeded, refused("NO_SIGNATURE"), signature=""),
    case("no secret", succeeded, refused("NO_SECRET", 503), secrets=[]),
    case("an empty secret proves nothing", succeeded, refused("NO_SECRET", 503), secrets=[""], key=""),
    case("a status that comes twice is none", text.replace('"status":', '"status":"failure","status":'), broken),
    case("without a reference", {"event_type": "payment.succeeded", "payment": {"status": "success"}}, broken),
    case("no JSON", "a=b", broken),
]
write(__file__, "sanlam", "Made by handle.py; answers by hand, from what the page says.", cases)
