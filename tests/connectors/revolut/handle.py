"""Revolut: Handle. Sources: github.com/revolut-engineering/revolut-openapi, merchant-2026-04-20.yaml (webhookEvent);
developer.revolut.com, verify-the-payload-signature and using-webhooks (read 2026-11-25)."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import compact, hmac_hex, refused, write

SECRET, OLD = "wsk_r59a4HfWVAKycbCaNO1RvgCJec02gRd8", "wsk_before_it_was_rotated_0000000000"
AT = 1768471200  # the signed time, in seconds
ORDER, PAYOUT = "6516e61c-d279-a454-a837-bc52ce55ed49", "6634c172-3398-ac93-aee9-50de0282e3ac"
DISPUTE, SUBSCRIPTION = "ab934829-e4ba-4e7f-8a21-365cad85c763", "550e8400-e29b-41d4-a716-446655440000"


def mac(text, secret=SECRET, ms=AT * 1000 + 360, version="v1"):
    return hmac_hex(secret, f"{version}.{ms}.{text}")


def case(name, body, handle, signature=None, ms=AT * 1000 + 360, stamp=None, secrets=(SECRET,), at=AT, body_sent=None,
         names=("Revolut-Request-Timestamp", "Revolut-Signature"), headers=(), **more):
    text = body if isinstance(body, str) else compact(body)
    signature = f"v1={mac(text, ms=ms)}" if signature is None else signature
    sent = [["Content-Type", "application/json"], [names[0], str(ms) if stamp is None else stamp],
            [names[1], signature], *map(list, headers)]
    return {"name": name, "request": {"method": "POST", "headers": [h for h in sent if h[1] != "none"],
                                      "body": body_sent or text},
            "secrets": list(secrets), "at": at, **more, "handle": handle}


def order(event, **more):
    return {"event": event, "order_id": ORDER, "merchant_order_ext_ref": "Example reference #123", **more}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body", "time"],
            "matched_secret": 1, "account": None, "mode": None, **more}


def about(status, **more):
    return {"payments_response": {"connector_transaction_id": ORDER, "status": status,
                                  "merchant_transaction_id": "Example reference #123", "amount": None, **more}}


def no_key(event_type, **more):
    """Verified, with nothing in it that tells it from a redelivery."""
    return good(event_type, dedupe_key=None, **more)


completed = order("ORDER_COMPLETED")
text = compact(completed)
forged = refused("FORGED", unverified_response=about("CHARGED"))
two = f"v1={mac(text, OLD)},v1={mac(text)}"

cases = [
    case("ORDER_COMPLETED is the payment that succeeded", completed, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=about("CHARGED", status_code=200),
        reference={"payment": {"connector_transaction_id": ORDER, "merchant_transaction_id": "Example reference #123"}},
        processor_event={"id": None, "type": "ORDER_COMPLETED"}),
        same_dedupe="completed", other_dedupe="one order", other_effect="one order"),
    case("sent again ten minutes later: the same event", completed, good("PAYMENT_INTENT_SUCCESS"),
         ms=(AT + 600) * 1000, at=AT + 600, same_dedupe="completed"),
    case("ORDER_AUTHORISED may come after it", order("ORDER_AUTHORISED"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_name=None, event_response=about("AUTHORIZED")),
        other_dedupe="one order", other_effect="one order"),
    case("ORDER_CANCELLED", order("ORDER_CANCELLED"), good(
        "PAYMENT_INTENT_CANCELLED", event_response=about("VOIDED")), other_dedupe="one order", other_effect="one order"),
    case("ORDER_FAILED", order("ORDER_FAILED"), good(
        "PAYMENT_INTENT_FAILURE", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response=about("FAILURE")),
        other_dedupe="one order", other_effect="one order"),
    case("3-D Secure passed is not yet an authorisation", order("ORDER_PAYMENT_AUTHENTICATED"), no_key(
        "PAYMENT_INTENT_PROCESSING", event_response=about("AUTHENTICATION_SUCCESSFUL")), other_effect="one order"),
    case("the payer must act", order("ORDER_PAYMENT_AUTHENTICATION_CHALLENGED"), no_key(
        "PAYMENT_ACTION_REQUIRED", event_response=about("AUTHENTICATION_PENDING"))),
    case("a SEPA direct debit is under way", order("ORDER_PAYMENT_AUTHORISATION_STARTED"), no_key(
        "PAYMENT_INTENT_PROCESSING", event_response=about("AUTHORIZING"))),
    case("a declined attempt: another may follow, and each notice is kept", order("ORDER_PAYMENT_DECLINED"), no_key(
        "PAYMENT_INTENT_AUTHORIZATION_FAILURE", event_name=None, event_response=about("AUTHORIZATION_FAILED"))),
    case("ORDER_PAYMENT_FAILED", order("ORDER_PAYMENT_FAILED"), no_key(
        "PAYMENT_INTENT_FAILURE", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response=about("FAILURE"))),
    case("an incremental authorisation that was declined leaves the order as it is", {
        "event": "ORDER_INCREMENTAL_AUTHORISATION_DECLINED", "order_id": ORDER,
        "incremental_authorisation_ext_reference": "CHG-67891"}, no_key(
            None, effect_key=None, event_response={"payments_response": {
                "connector_transaction_id": ORDER, "status": None, "merchant_transaction_id": None}})),
    case("PAYOUT_INITIATED", {"event": "PAYOUT_INITIATED", "payout_id": PAYOUT}, good(
        "PAYOUT_CREATED", event_response={"payouts_response": {"connector_payout_id": PAYOUT,
                                                               "payout_status": "INITIATED"}},
        reference={"payout": {"connector_payout_id": PAYOUT}}), other_dedupe="one payout", other_effect="one payout"),
    case("PAYOUT_COMPLETED", {"event": "PAYOUT_COMPLETED", "payout_id": PAYOUT}, good(
        "PAYOUT_SUCCESS", event_response={"payouts_response": {"payout_status": "SUCCESS"}}),
        other_dedupe="one payout", other_effect="one payout"),
    case("PAYOUT_FAILED", {"event": "PAYOUT_FAILED", "payout_id": PAYOUT}, good(
        "PAYOUT_FAILURE", event_response={"payouts_response": {"payout_status": "FAILED"}}),
        other_dedupe="one payout", other_effect="one payout"),
    *[case(f"DISPUTE_{name}", {"event": f"DISPUTE_{name}", "dispute_id": DISPUTE}, no_key(
        f"WEBHOOK_DISPUTE_{word}", event_name=event_name, event_response={"disputes_response": {
            "connector_dispute_id": DISPUTE, "dispute_status": f"DISPUTE_{word}", "dispute_amount": None}},
        reference={"dispute": {"connector_dispute_id": DISPUTE}}), other_effect="one dispute")
      for name, word, event_name in [("ACTION_REQUIRED", "OPENED", "DISPUTE_CREATED"),
                                     ("UNDER_REVIEW", "CHALLENGED", None), ("WON", "WON", "DISPUTE_CLOSED"),
                                     ("LOST", "LOST", "DISPUTE_CLOSED")]],
    case("SUBSCRIPTION_INITIATED is no payment", {"event": "SUBSCRIPTION_INITIATED", "subscription_id": SUBSCRIPTION,
                                                  "external_reference": "ext-ref-12345"},
         good(None, event_response=None, effect_key=None), other_dedupe="one subscription"),
    case("SUBSCRIPTION_CANCELLED", {"event": "SUBSCRIPTION_CANCELLED", "subscription_id": SUBSCRIPTION},
         good(None, event_response=None), other_dedupe="one subscription"),
    case("a subscription can be overdue again", {"event": "SUBSCRIPTION_OVERDUE", "subscription_id": SUBSCRIPTION},
         no_key(None, event_response=None)),
    case("an event of an order that is not known is an answer", order("ORDER_TELEPORTED"), no_key(
        None, event_response=about(None))),
    case("an event about nothing that is known is an answer", {"event": "CUSTOMER_CREATED", "customer_id": "c"},
         no_key(None, event_response=None)),
    case("no reference of the merchant's", {"event": "ORDER_COMPLETED", "order_id": ORDER}, good(
        "PAYMENT_INTENT_SUCCESS", event_response=about("CHARGED", merchant_transaction_id=None)),
        same_dedupe="completed"),
    case("an order's event without the order is malformed", {"event": "ORDER_COMPLETED"},
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a payout's event without the payout is malformed", {"event": "PAYOUT_COMPLETED", "order_id": ORDER},
         {"error": {"code": "WEBHOOK_REFERENCE_ID_NOT_FOUND"}}),

    # Several signatures while the secret is rotated.
    case("two signatures, the second is of the secret we have", completed, good("PAYMENT_INTENT_SUCCESS"), signature=two),
    case("two secrets, and a signature of the old one", completed, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         signature=f"v1={mac(text, OLD)}", secrets=(SECRET, OLD)),
    case("of two versions only v1 is known", completed, good("PAYMENT_INTENT_SUCCESS"),
         signature=f"v2={mac(text, OLD)},v1={mac(text)}"),
    case("white space after the comma", completed, good("PAYMENT_INTENT_SUCCESS"), signature=two.replace(",", ", ")),
    case("header names in any case", completed, good("PAYMENT_INTENT_SUCCESS"),
         names=("REVOLUT-REQUEST-TIMESTAMP", "revolut-signature")),
    case("the secret of the configuration", completed, good("PAYMENT_INTENT_SUCCESS", matched_secret=None),
         secrets=(), config={"signing_secret": SECRET}),

    # Five minutes, before and after.
    case("five minutes old", completed, good("PAYMENT_INTENT_SUCCESS"), ms=(AT - 300) * 1000),
    case("five minutes and a second old is stale", completed, refused(
        "STALE", unverified_response=about("CHARGED")), ms=(AT - 301) * 1000),
    case("five minutes ahead", completed, good("PAYMENT_INTENT_SUCCESS"), ms=(AT + 300) * 1000),
    case("five minutes and a second ahead is stale", completed, refused("STALE"), ms=(AT + 301) * 1000),
    case("a forged one is forged, however old", completed, forged, ms=(AT - 9999) * 1000, signature=f"v1={mac(text)}"),
    case("the signed time is not a time", completed, forged, stamp="now",
         signature="v1=" + hmac_hex(SECRET, f"v1.now.{text}")),

    # What must not verify.
    case("no signature", completed, refused("NO_SIGNATURE", unverified_response=about("CHARGED")), signature="none"),
    case("no time", completed, forged, stamp="none"),
    case("no secret", completed, refused("NO_SECRET", 503, unverified_response=about("CHARGED")), secrets=()),
    case("an empty secret, keyed with nothing", completed, refused("NO_SECRET", 503), secrets=("",),
         signature=f"v1={mac(text, '')}"),
    case("a body changed after signing", completed, refused("FORGED"), body_sent=text.replace("COMPLETED", "CANCELLED")),
    case("a body parsed and printed again", completed, forged, body_sent=text.replace(":", ": ")),
    case("another time than the signed one", completed, forged, stamp=str(AT * 1000 + 361)),
    case("v2 over v2", completed, forged, signature=f"v2={mac(text, version='v2')}"),
    case("v1 before a v2 text", completed, forged, signature=f"v1={mac(text, version='v2')}"),
    case("no version", completed, forged, signature=mac(text)),
    case("half a signature", completed, forged, signature=f"v1={mac(text)[:32]}"),
    case("none of two signatures", completed, forged, signature=f"v1={mac(text, OLD)},v1={mac(text, 'x')}"),
    case("two headers with different signatures", completed, forged,
         headers=(("revolut-signature", f"v1={mac(text, OLD)}"),)),
    case("two headers with different times", completed, forged,
         headers=(("revolut-request-timestamp", str(AT * 1000)),)),
    case("an event that is named twice", text.replace('"event"', '"event":"ORDER_FAILED","event"'),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
]
write(__file__, "revolut", "Made by handle.py; answers by hand, from Revolut's documentation.", cases)
