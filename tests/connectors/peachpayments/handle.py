"""Peach Payments: Handle. Sources: developer.peachpayments.com/docs/reference-webhooks and
changelog/webhook-signing-2026-07-21 (read 2026-11-30); of the card gateway itself nothing is public."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import NOTHING, changed, compact, hmac_hex, refused, sha256_hex, write

SECRET, OLD = "b7f1c0aa5d9e4b0f8a6c1d2e3f405162", "the-secret-before-it-was-changed"
URL, AT, HOOK = "https://merchant.example.com/webhooks/peachpayments", "1768471200", "5f0e6d3c-7a3b-4c0f-9d55-0d0a1b2c3d4e"
ID, ORIGINAL = "884be477-1865-4f40-b452-ae3079e2fc4c", "11111111-1865-4f40-b452-ae3079e2fc4c"


def notice(result, kind="Debit", original=None, code=("00", "Approved"), amount=10450, currency="ZAR", **more):
    return {"webhookId": HOOK, "webhookType": "transaction", "reversalFailureReason": None, "transaction": {
        "transactionId": ID, "originalTransactionId": original, "referenceId": "pay_Wn31kq_1", "transactionResult": result,
        "errorMessage": None, "transactionType": {"value": 0, "description": kind},
        "responseCode": {"value": code[0], "description": code[1]}, "ecommerceCardPaymentOnlyTransactionData": {
            "amount": {"amount": amount, "currencyCode": currency}}, "paymentMethod": "ecommerce_card_payment_only", **more}}


def case(name, body, handle, secrets=SECRET, key=SECRET, signature=None, url=URL, configured=URL, without=(), headers=(),
         sent=None, upper=False, **more):
    text = body if isinstance(body, str) else compact(body)
    if signature is None:
        signature = hmac_hex(key, f"{AT}.{HOOK}.{url}.{text}")
    all = [["x-webhook-signature-algorithm", "HMAC-SHA256"], ["x-webhook-timestamp", AT], ["x-webhook-id", HOOK],
           ["x-webhook-signature", signature]]
    all = [[n.upper() if upper else n, v] for n, v in all if n not in without] + list(headers)
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/peachpayments", "headers": [
        ["Content-Type", "application/json"], *all], "body": sent or text},
            "secrets": secrets if isinstance(secrets, list) else [secrets],
            "config": {"notification_url": configured} if configured else {}, **more, "handle": handle}


def unsigned(name, body, response):
    return case(name, body, {**NOTHING, "verdict": "UNSIGNED", "event_ack_response": {"status_code": 200},
                             "unverified_response": response}, secrets=[], configured=None, without=("x-webhook-signature",))


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None,
            "covers": ["body", "time", "id", "url"], "matched_secret": 1, **more}


RANDS = {"minor_amount": "10450", "currency": "ZAR"}
NO = {"code": ("05", "Do not honour")}
WHY = {"error": {"connector_details": {"code": "05", "message": "Do not honour"}}}


def paid(status, **more):
    return {"payments_response": {"connector_transaction_id": ID, "merchant_transaction_id": "pay_Wn31kq_1",
                                  "status": status, "amount": RANDS, **more}}


def refunded(status, **more):
    return {"payments_response": None, "refunds_response": {
        "connector_refund_id": ID, "merchant_refund_id": "pay_Wn31kq_1", "connector_transaction_id": ORIGINAL,
        "status": status, "refund_amount": None, **more}}


def refund(result, **more):
    return notice(result, "Refund", ORIGINAL, **more)


done = notice("approved_confirmed")
text = compact(done)
forged = refused("FORGED", unverified_response=paid("CHARGED"))
one = {"other_dedupe": "one transaction"}
broken = {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}
data = "transaction__ecommerceCardPaymentOnlyTransactionData"

cases = [
    case("approved_confirmed is the payment that succeeded", done, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED", error=None),
        reference={"payment": {"connector_transaction_id": ID, "merchant_transaction_id": "pay_Wn31kq_1"}},
        processor_event={"type": "approved_confirmed"}), same_dedupe="confirmed", **one),
    case("sent again", done, good("PAYMENT_INTENT_SUCCESS"), same_dedupe="confirmed"),
    case("successful", notice("successful"), good("PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED")), **one),
    case("approved is not confirmed", notice("approved"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=paid("AUTHORIZED")), **one),
    case("authorized", notice("authorized"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=paid("AUTHORIZED")), **one),
    case("pending is no authorisation", notice("pending"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=paid("PENDING")), **one),
    case("declined says why", notice("declined", **NO), good("PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE", **WHY)), **one),
    case("failed, with a code that is a text", changed(notice("failed"), transaction__responseCode="91"), good(
        "PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE", error={"connector_details": {"code": "91"}}))),
    case("voided", notice("voided"), good("PAYMENT_INTENT_CANCELLED", event_response=paid("VOIDED"))),
    case("reversed", notice("reversed"), good("PAYMENT_INTENT_CANCELLED", event_response=paid("VOIDED"))),
    case("threeds_required", notice("threeds_required"), good(
        "PAYMENT_ACTION_REQUIRED", event_response=paid("AUTHENTICATION_PENDING"))),
    case("a pre-authorisation that is confirmed takes no money", notice("approved_confirmed", "Pre-authorization"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=paid("AUTHORIZED"))),
    case("a reversal that is confirmed is no payment", notice("approved_confirmed", "Reversal", ORIGINAL), good(
        "PAYMENT_INTENT_CANCELLED", event_response={"payments_response": {
            "connector_transaction_id": ORIGINAL, "status": "VOIDED"}})),
    case("a reversal that failed", notice("declined", "Reversal", ORIGINAL), good(
        "PAYMENT_INTENT_CANCEL_FAILURE", event_response={"payments_response": {
            "connector_transaction_id": ORIGINAL, "status": "VOID_FAILED"}})),
    case("a kind that is not known never succeeds", notice("approved_confirmed", "Balance inquiry"), good(
        None, event_response=paid(None))),
    case("a result that is not known", notice("APPROVED_CONFIRMED"), good(None, event_response=paid(None))),
    case("a refund that is confirmed", refund("approved_confirmed"), good(
        "WEBHOOK_REFUND_SUCCESS", event_response=refunded("REFUND_SUCCESS"), reference={"refund": {
            "connector_refund_id": ID, "merchant_refund_id": "pay_Wn31kq_1", "connector_transaction_id": ORIGINAL}})),
    case("a successful refund is no payment", refund("successful"), good(
        "WEBHOOK_REFUND_SUCCESS", event_response=refunded("REFUND_SUCCESS"))),
    case("an approved refund is not confirmed", refund("approved"), good(
        "WEBHOOK_REFUND_PROCESSING", event_response=refunded("REFUND_PENDING"))),
    case("a pending refund", refund("pending"), good(
        "WEBHOOK_REFUND_PROCESSING", event_response=refunded("REFUND_PENDING"))),
    case("a declined refund says why", refund("declined", **NO), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refunded("REFUND_FAILURE", **WHY))),
    case("a reversed refund leaves the payment as it is", refund("reversed"), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refunded("REFUND_FAILURE"))),
    case("a refund's result that is not known", refund("settled"), good(None, event_response=refunded(None))),
    case("another kind of webhook is acknowledged", {"webhookId": HOOK, "webhookType": "settlement"}, good(
        None, event_response=None)),
    case("yen have no decimals", notice("successful", amount=295, currency="JPY"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED", amount={"minor_amount": "295", "currency": "JPY"}))),
    case("a fraction of a cent is no amount", notice("successful", amount=104.5), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response=paid("CHARGED", amount=None))),
    case("without an amount", changed(done, **{data: None}), good(
        "PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED", amount=None))),
    unsigned("a notice without a signature is a hint, however it looks", done, paid("CHARGED")),
    unsigned("an unsigned refund too", refund("approved_confirmed"), refunded("REFUND_SUCCESS")),
    case("where the URL is configured an unsigned notice is refused", done, refused("NO_SIGNATURE"),
         without=("x-webhook-signature",)),
    case("and so is one with an empty signature", done, refused("NO_SIGNATURE"), signature=""),
    case("and one without any of the headers", done, refused("NO_SIGNATURE"), without=(
        "x-webhook-signature", "x-webhook-timestamp", "x-webhook-id", "x-webhook-signature-algorithm")),
    case("and so it is where the secret is missing", done, refused("NO_SIGNATURE"), secrets=[], without=("x-webhook-signature",)),
    case("a secret alone does not make an unsigned notice more", done, {
        **NOTHING, "verdict": "UNSIGNED", "unverified_response": paid("CHARGED")}, configured=None,
         without=("x-webhook-signature",)),
    case("an empty signature is none", done, {**NOTHING, "verdict": "UNSIGNED"}, signature="", configured=None),
    case("the headers in upper case", done, good("PAYMENT_INTENT_SUCCESS"), upper=True),
    case("the old secret while it is changed", done, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], key=OLD),
    case("signed with another secret", done, forged, key="another"),
    case("changed after it was signed", text, refused("FORGED"), sent=text.replace("10450", "10451")),
    case("signed for another URL", done, forged, url="https://other.example.com/"),
    case("no URL is configured: the request's own is never taken", done, forged, configured=None),
    case("the time is signed", done, forged, without=("x-webhook-timestamp",), headers=[["x-webhook-timestamp", "1768471201"]]),
    case("without the time", done, forged, without=("x-webhook-timestamp",)),
    case("without the id", done, forged, without=("x-webhook-id",)),
    case("a digest without a key proves nothing", done, forged, signature=sha256_hex(f"{AT}.{HOOK}.{URL}.{text}")),
    case("two signatures", done, forged, headers=[["X-Webhook-Signature", "00" * 32]]),
    case("no secret", done, refused("NO_SECRET", 503), secrets=[]),
    case("an empty secret proves nothing", done, refused("NO_SECRET", 503), secrets=[""], key=""),
    case("a result that comes twice is none", text.replace(
        '"transactionResult":', '"transactionResult":"declined","transactionResult":'), broken),
    case("without the kind", changed(done, transaction__transactionType=...), broken),
    case("no JSON", "webhookType=transaction", broken),
]
write(__file__, "peachpayments", "Made by handle.py; answers by hand, from Peach Payments' documentation and the page.", cases)
