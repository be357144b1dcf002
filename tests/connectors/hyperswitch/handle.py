"""Hyperswitch: Handle. Sources: docs.hyperswitch.io, webhooks (github.com/juspay/hyperswitch-docs at 21c73042);
api-reference.hyperswitch.io/api-reference/schemas/outgoing--webhook (read 2026-11-30)."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, refused, write

SECRET, OLD, EVENT = "hash_key_of_the_profile_64_characters", "hash_key_before", "evt_018e31720d1b7a2b82677d3032cab959"
PAYMENT = {"payment_id": "pay_mbabizu24mvu3mela5njyhpit4", "merchant_id": "merchant_1668273825", "status": "succeeded",
           "amount": 6540, "net_amount": 6540, "amount_capturable": 0, "amount_received": 6540, "connector": "stripe",
           "created": "2026-01-15T10:11:12Z", "currency": "USD", "customer_id": "cus_y3oqhf46pyzuxjbcn2giaqnb44",
           "capture_method": "automatic", "error_code": None, "error_message": None,
           "connector_transaction_id": "pi_3R8kXxD5R7gDAGff1sVQxXeF", "updated": "2026-01-15T10:11:13Z"}
REFUND = {"refund_id": "ref_9fQmYx2LhT4kVb7Nc1Zp", "payment_id": PAYMENT["payment_id"], "amount": 1000, "currency": "USD",
          "status": "succeeded", "reason": "RETURN", "error_message": None, "error_code": None,
          "created_at": "2026-01-16T10:00:00Z", "connector": "stripe"}
DISPUTE = {"dispute_id": "dp_4HfTq8LmZx0VbN2c", "payment_id": PAYMENT["payment_id"], "amount": "6540", "currency": "USD",
           "dispute_stage": "dispute", "dispute_status": "dispute_opened", "connector": "stripe",
           "connector_status": "needs_response", "connector_reason": "fraudulent", "connector_reason_code": None,
           "challenge_required_by": "2026-03-01T00:00:00Z", "created_at": "2026-02-01T00:00:00Z"}
PAYOUT = {"payout_id": "payout_7Kd9Lq2WnX4b", "amount": 1000, "currency": "EUR", "status": "success", "connector": "adyen"}


def event(kind, content, object_, event_id=EVENT, **changes):
    return {"merchant_id": "merchant_1668273825", "event_id": event_id, "event_type": kind,
            "content": {"type": content, "object": {**object_, **changes}}, "timestamp": "2026-01-15T10:11:13.123Z"}


def pay(kind, status, event_id=EVENT, **changes):
    return event(kind, "payment_details", PAYMENT, event_id, status=status, **changes)


def case(name, body, handle, secrets=SECRET, key=SECRET, signature=None, headers=(), body_sent=None, **more):
    text = body if isinstance(body, str) else compact(body)
    sent = [["Content-Type", "application/json"],
            ["X-Webhook-Signature-512", signature or hmac_hex(key, text, "sha512")], *headers]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/hyperswitch",
                                      "headers": [h for h in sent if h[1] != "none"], "body": body_sent or text},
            "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "account": "merchant_1668273825",
            "covers": ["body"], "matched_secret": 1, **more}


def payment(status, **more):
    return {"payments_response": {"connector_transaction_id": PAYMENT["payment_id"], "status": status,
                                  "network_transaction_id": PAYMENT["connector_transaction_id"],
                                  "amount": {"minor_amount": "6540", "currency": "USD"}, **more}}


def refund(status, **more):
    return {"refunds_response": {"connector_refund_id": REFUND["refund_id"], "status": status,
                                 "connector_transaction_id": PAYMENT["payment_id"],
                                 "refund_amount": {"minor_amount": "1000", "currency": "USD"}, **more}}


def dispute(status, **more):
    return {"disputes_response": {"connector_dispute_id": DISPUTE["dispute_id"], "dispute_status": status,
                                  "connector_transaction_id": PAYMENT["payment_id"], "dispute_reason": "fraudulent",
                                  "dispute_amount": {"minor_amount": "6540", "currency": "USD"}, **more}}


paid = pay("payment_succeeded", "succeeded")
cases = [
    case("a payment succeeded", paid, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment(
            "CHARGED", captured_amount="6540", connector_customer_id=PAYMENT["customer_id"], created_at="1768471872",
            error=None),
        reference={"payment": {"connector_transaction_id": PAYMENT["connector_transaction_id"],
                               "merchant_transaction_id": PAYMENT["payment_id"]}},
        processor_event={"id": EVENT, "type": "payment_succeeded", "time_ms": "1768471873123"}), same_dedupe="event",
        other_effect="one payment"),
    case("an attempt with the same id is the same event", compact(paid).replace('":', '": '), good(
        "PAYMENT_INTENT_SUCCESS"), same_dedupe="event"),
    case("another id is another event of the same change", pay("payment_succeeded", "succeeded", "evt_2"), good(
        "PAYMENT_INTENT_SUCCESS"), same_effect="charged", other_dedupe="ids"),
    case("and a third", pay("payment_succeeded", "succeeded", "evt_3"), good("PAYMENT_INTENT_SUCCESS"),
         same_effect="charged", other_dedupe="ids"),
    case("a payment failed, and says why", pay("payment_failed", "failed", amount_received=None, error_code="card_declined",
                                               error_message="Your card was declined."), good(
        "PAYMENT_INTENT_FAILURE", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response=payment(
            "FAILURE", captured_amount=None, error={"connector_details": {
                "code": "card_declined", "message": "Your card was declined."}})), other_effect="one payment"),
    case("a payment is processed", pay("payment_processing", "processing", amount_received=None), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING")), other_effect="one payment"),
    case("a payment is cancelled", pay("payment_cancelled", "cancelled", amount_received=None), good(
        "PAYMENT_INTENT_CANCELLED", event_response=payment("VOIDED")), other_effect="one payment"),
    case("a payment is reserved", pay("payment_authorized", "requires_capture", amount_received=None), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=payment("AUTHORIZED")), other_effect="one payment"),
    case("a part is captured", pay("payment_captured", "partially_captured", amount_received=4000), good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=payment("PARTIAL_CHARGED", captured_amount="4000")),
        other_effect="one payment"),
    case("the customer must do something", pay("action_required", "requires_customer_action", amount_received=None), good(
        "PAYMENT_ACTION_REQUIRED", event_response=payment("AUTHENTICATION_PENDING"))),
    case("a payment expired", pay("payment_expired", "expired", amount_received=None), good(
        "PAYMENT_INTENT_EXPIRED", event_response=payment("FAILURE"))),
    case("a status that is not known is no success", pay("payment_processing", "sleeping", amount_received=None), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment(None))),
    *[case(f"a payment of status {status}", pay("payment_processing", status, amount_received=None), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment(told)))
      for status, told in (("conflicted", "UNRESOLVED"), ("expired", "FAILURE"), ("cancelled_post_capture", "VOIDED_POST_CAPTURE"),
                           ("requires_merchant_action", "PENDING"), ("partially_captured_and_processing", "PENDING"),
                           ("partially_captured_and_capturable", "PARTIAL_CHARGED_AND_CHARGEABLE"),
                           ("requires_payment_method", "PAYMENT_METHOD_AWAITED"),
                           ("requires_confirmation", "CONFIRMATION_AWAITED"))],
    case("less is reserved than was asked for", pay(
        "payment_partially_authorized", "partially_authorized_and_requires_capture", amount_received=None), good(
            "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=payment("AUTHORIZED"))),
    case("a refund succeeded", event("refund_succeeded", "refund_details", REFUND), good(
        "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refund(
            "REFUND_SUCCESS", refund_reason="RETURN", error=None),
        reference={"refund": {"connector_refund_id": REFUND["refund_id"],
                              "connector_transaction_id": PAYMENT["payment_id"]}}), other_effect="one refund"),
    case("a refund failed", event("refund_failed", "refund_details", REFUND, status="failed", error_code="expired_card",
                                  error_message="The card is expired."), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refund("REFUND_FAILURE", error={"connector_details": {
            "code": "expired_card", "message": "The card is expired."}})), other_effect="one refund"),
    case("a dispute is opened", event("dispute_opened", "dispute_details", DISPUTE), good(
        "WEBHOOK_DISPUTE_OPENED", event_name="DISPUTE_CREATED", event_response=dispute(
            "DISPUTE_OPENED", dispute_stage="ACTIVE_DISPUTE", due_date="1772323200",
            connector_status_code="needs_response")), other_effect="one dispute"),
    *[case(f"a dispute: {word}", event("dispute_" + word, "dispute_details", DISPUTE, dispute_status="dispute_" + word), good(
        "WEBHOOK_DISPUTE_" + word.upper(), event_response=dispute("DISPUTE_" + word.upper())), other_effect="one dispute")
      for word in ("expired", "accepted", "cancelled", "challenged", "won", "lost")],
    case("a mandate is active", event("mandate_active", "mandate_details", {"mandate_id": "man_1", "status": "active"}), good(
        "MANDATE_ACTIVE", reference={"mandate": {"connector_mandate_id": "man_1"}})),
    case("a mandate is revoked", event("mandate_revoked", "mandate_details", {"mandate_id": "man_1", "status": "revoked"}),
         good("MANDATE_REVOKED", reference={"mandate": {"connector_mandate_id": "man_1"}})),
    case("a mandate is changed", event("mandate_updated", "mandate_details", {"mandate_id": "man_1", "status": "paused"}), good(
        None, reference={"mandate": {"connector_mandate_id": "man_1"}})),
    *[case(f"a payment is no mandate, whatever it is called: {word}", event("mandate_" + word, "payment_details", PAYMENT), good(
        None, event_response=payment("CHARGED"))) for word in ("active", "revoked")],
    *[case(f"nor is what is not known: {word}", event("mandate_" + word, "card_details", PAYMENT), good(None, event_response=None))
      for word in ("active", "revoked")],
    *[case(f"a payout: {word}", event("payout_" + word, "payout_details", PAYOUT, status=status), good(
        is_, event_response={"payouts_response": {"connector_payout_id": PAYOUT["payout_id"], "payout_status": told}}),
        other_effect="one payout")
      for word, status, is_, told in (("success", "success", "PAYOUT_SUCCESS", "SUCCESS"),
                                      ("failed", "failed", "PAYOUT_FAILURE", "FAILED"),
                                      ("initiated", "initiated", "PAYOUT_CREATED", "INITIATED"),
                                      ("processing", "pending", "PAYOUT_PROCESSING", "PENDING"),
                                      ("cancelled", "cancelled", "PAYOUT_CANCELLED", "CANCELLED"),
                                      ("expired", "expired", "PAYOUT_EXPIRED", "EXPIRED"),
                                      ("reversed", "reversed", "PAYOUT_REVERSED", "REVERSED"))],
    case("an event that is not known, of a payment that is", pay("payment_audited", "succeeded"), good(
        None, event_response=payment("CHARGED"))),
    case("an object that is not known is no payment", event("payment_succeeded", "invoice_details", PAYMENT), good(
        None, event_response=None)),
    case("dinars have three decimals", pay("payment_succeeded", "succeeded", amount=99990, currency="KWD"), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {
            "amount": {"minor_amount": "99990", "currency": "KWD"}}})),
    *[case(f"its own decimals: {currency}", pay("payment_succeeded", "succeeded", amount=10000, amount_received=10000, currency=currency), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {"amount": {"minor_amount": told, "currency": currency}}}))
      for currency, told in (("ISK", "100"), ("IRR", "1000000"), ("MGA", "1000000"))],
    case("half a krona is left out", pay("payment_succeeded", "succeeded", amount=10050, currency="ISK"), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {"amount": None}})),
    case("a currency nobody knows leaves the amount out", pay("payment_succeeded", "succeeded", currency="XXX"), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {"amount": None}})),
    case("header name and signature in capitals", paid, good("PAYMENT_INTENT_SUCCESS"), signature="none", headers=[
        ["X-WEBHOOK-SIGNATURE-512", hmac_hex(SECRET, compact(paid), "sha512").upper()]]),
    case("the old key, while it is being changed", paid, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], key=OLD),
    case("a body changed after signing", pay("payment_failed", "failed"), refused("FORGED"), body_sent=compact(paid)),
    case("a body that was parsed and printed again", paid, refused("FORGED"), body_sent=compact(paid).replace('":', '": ')),
    case("SHA-256 in the header of SHA-512", paid, refused("FORGED"), signature=hmac_hex(SECRET, compact(paid))),
    case("the header of SHA-256 alone is no signature", paid, refused("NO_SIGNATURE"), signature="none", headers=[
        ["X-Webhook-Signature-256", hmac_hex(SECRET, compact(paid))]]),
    case("another's key", paid, refused("FORGED"), key="guess"),
    case("an empty key signs nothing", paid, refused("NO_SECRET", 503), secrets="", key=""),
    case("no key is configured", paid, refused("NO_SECRET", 503, unverified_response=payment("CHARGED")), secrets=[]),
    case("no signature", paid, refused("NO_SIGNATURE", unverified_response=payment("CHARGED")), signature="none"),
    case("two different signatures are ambiguous", paid, refused("FORGED"), headers=[
        ["X-Webhook-Signature-512", hmac_hex(OLD, compact(paid), "sha512")]]),
    case("a type that comes twice cannot be told", compact(paid).replace(
        '"event_type":', '"event_type":"payment_failed","event_type":'), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("an event without an object cannot be told", changed(paid, content__object=...), {
        "error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
]
write(__file__, "hyperswitch", "Made by handle.py; answers by hand, from Hyperswitch's documentation.", cases)
