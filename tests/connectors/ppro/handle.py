"""PPRO: Handle. Sources: developerhub.ppro.com/global-api/docs/webhooks, webhooks-event-payloads, webhook (disputes)
(read 2026-11-30)."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, refused, sha256_hex, write

SECRET, OLD = "Zq9hTz3WmKp4Vx7Lr2Nc8Bd5Fs1Gy6Ju", "the-secret-before-it-was-changed"
CHARGE, REFUND = "charge_7Yw2KqPz4NmVb8Xt1RsDf", "refund_9Mn7BvCx5ZaQw3EdRf1Tg"
AGREEMENT, DISPUTE = "agr_5Rt7YuIo9PaSd1FgHj3Kl", "dispute_8Uy6TrEw4QaZs2XdCf0Vg"
FAILURE = {"failureType": "PROVIDER_DECLINED", "failureCode": "DECLINED_BY_ISSUER", "failureMessage": "Declined"}
count = 0


def event(type, data, **envelope):
    global count
    count += 1
    id = f"event_Lk3mPq8RsT2uVwXy4Z{count:03}"
    return {"specversion": "1.0", "type": type, "source": "/v1/payment-charges/" + CHARGE, "subject": CHARGE, "id": id,
            "time": "2026-11-02T09:26:53.589Z", "datacontenttype": "application/json",
            "data": {"eventId": id, **data}, **envelope}


def charge(type, status, **more):
    return event("PAYMENT_CHARGE_" + type, {
        "paymentChargeId": CHARGE, "paymentChargeStatus": status, "paymentMethod": "IDEAL",
        "merchantPaymentChargeReference": "order-417", "amount": {"value": 12950, "currency": "EUR"},
        "capturedAmount": 0, "refundedAmount": 0, "voidedAmount": 0, "createdAt": "2026-11-02T09:26:50.101Z", **more})


def agreement(type):
    return event("PAYMENT_AGREEMENT_" + type, {
        "paymentAgreementId": AGREEMENT, "paymentAgreementStatus": type, "paymentMethod": "SEPA_DIRECT_DEBIT"})


def dispute(type):
    return event("DISPUTE_" + type, {"disputeId": DISPUTE, "paymentChargeId": CHARGE,
                                     "merchantPaymentReference": "order-417"}, specversion="0.0.1-SNAPSHOT", source="")


def digest(text, secret=SECRET):
    return sha256_hex(text + "." + secret)


def case(name, body, handle, secrets=SECRET, signature=None, header="Webhook-Signature", headers=(), sent=None, **more):
    text = body if isinstance(body, str) else compact(body)
    all = [["Content-Type", "application/json"], [header, digest(text) if signature is None else signature], *headers]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/ppro",
                                      "headers": [h for h in all if h[0] != "none"], "body": sent or text},
            "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body"],
            "matched_secret": 1, **more}


EUROS = {"minor_amount": "12950", "currency": "EUR"}


def paid(status, **more):
    return {"payments_response": {"connector_transaction_id": CHARGE, "merchant_transaction_id": "order-417",
                                  "status": status, "amount": EUROS, **more}}


def refunded(status, **more):
    return {"refunds_response": {"connector_refund_id": REFUND, "connector_transaction_id": CHARGE, "status": status,
                                 "refund_amount": None, **more}}


def disputed(status):
    return {"disputes_response": {"connector_dispute_id": DISPUTE, "connector_transaction_id": CHARGE,
                                  "dispute_status": status}}


captured = charge("CAPTURE_SUCCEEDED", "CAPTURED", capturedAmount=12950, captureId="capture_4Tg6HyJu8KiLo9PzXc3Vb")
text = compact(captured)
forged = refused("FORGED", unverified_response=paid("CHARGED"))
one = {"other_dedupe": "one charge"}

cases = [
    case("PAYMENT_CHARGE_CAPTURE_SUCCEEDED is the money", captured, good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=paid("CHARGED", captured_amount="12950", status_code=200),
        reference={"payment": {"connector_transaction_id": CHARGE, "merchant_transaction_id": "order-417"}},
        processor_event={"id": captured["id"], "type": "PAYMENT_CHARGE_CAPTURE_SUCCEEDED", "time_ms": "1793611613589"},
        dedupe_key=f"ppro:{captured['source']}:{captured['id']}"), same_dedupe="captured", **one),
    case("an id is one of its source's", changed(captured, source="/v1/other"), good("PAYMENT_INTENT_CAPTURE_SUCCESS"), **one),
    case("sent again", captured, good("PAYMENT_INTENT_CAPTURE_SUCCESS"), same_dedupe="captured"),
    case("a capture of a part is no charge of the whole", charge("CAPTURE_SUCCEEDED", "CAPTURED", capturedAmount=1000), good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=paid("PARTIAL_CHARGED", captured_amount="1000")), **one),
    case("PAYMENT_CHARGE_CREATED", charge("CREATED", "AUTHORIZATION_PROCESSING"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=paid("PENDING", error=None)), **one),
    case("the consumer must act", charge("AUTHENTICATION_PENDING", "AUTHENTICATION_PENDING"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=paid("AUTHENTICATION_PENDING")), **one, other_effect="authenticating"),
    case("a provider that has not answered yet has not authorised", charge(
        "PROVIDER_CONFIRMATION_PENDING", "AUTHORIZATION_ASYNC"), good(
            "PAYMENT_INTENT_PROCESSING", event_response=paid("PENDING")), **one),
    case("authorised, to be captured", charge("AUTHORIZATION_SUCCEEDED", "CAPTURE_PENDING"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=paid("AUTHORIZED")), **one, other_effect="authorised"),
    case("authorised and captured in one step is the payment", charge("AUTHORIZATION_SUCCEEDED", "CAPTURED"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED")), **one),
    case("a failure says why", charge("AUTHORIZATION_FAILED", "FAILED", failure=FAILURE), good(
        "PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE", error={"connector_details": {
            "code": "DECLINED_BY_ISSUER", "message": "Declined", "reason": "PROVIDER_DECLINED"}})), **one),
    case("a failure is one whatever word the charge has", charge("AUTHORIZATION_FAILED", "CAPTURED"), good(
        "PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE"))),
    case("discarded: the consumer came too late", charge("DISCARDED", "DISCARDED", discardType="TIMEOUT"), good(
        "PAYMENT_INTENT_FAILURE", event_response=paid("FAILURE"))),
    case("a discard that failed changes nothing", charge("DISCARD_FAILED", "AUTHENTICATION_PENDING"), good(
        None, event_response=paid("AUTHENTICATION_PENDING")), other_effect="authenticating"),
    case("a capture that failed leaves the authorisation", charge("CAPTURE_FAILED", "CAPTURE_PENDING", failure=FAILURE),
         good("PAYMENT_INTENT_CAPTURE_FAILURE", event_response=paid("AUTHORIZED")), other_effect="authorised"),
    case("the next capture that fails is another change", charge("CAPTURE_FAILED", "CAPTURE_PENDING", failure=FAILURE),
         good("PAYMENT_INTENT_CAPTURE_FAILURE", event_response=paid("AUTHORIZED")), other_effect="authorised"),
    case("voided", charge("VOID_SUCCEEDED", "VOIDED", voidedAmount=12950), good(
        "PAYMENT_INTENT_CANCELLED", event_response=paid("VOIDED"))),
    case("a void that failed", charge("VOID_FAILED", "CAPTURE_PENDING"), good(
        "PAYMENT_INTENT_CANCEL_FAILURE", event_response=paid("AUTHORIZED")), other_effect="authorised"),
    case("a refund of a part succeeds though the charge stays CAPTURED", charge(
        "REFUND_SUCCEEDED", "CAPTURED", refundedAmount=1000, refundId=REFUND), good(
            "WEBHOOK_REFUND_SUCCESS", event_response=refunded("REFUND_SUCCESS"), reference={
                "refund": {"connector_refund_id": REFUND, "connector_transaction_id": CHARGE}})),
    case("a refund that failed", charge("REFUND_FAILED", "CAPTURED", refundId=REFUND, failure=FAILURE), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refunded("REFUND_FAILURE", error={"connector_details": {
            "code": "DECLINED_BY_ISSUER", "message": "Declined", "reason": "PROVIDER_DECLINED"}}))),
    case("a refund event that is not known has no status", charge("REFUND_CREATED", "REFUND_SETTLED", refundId=REFUND),
         good(None, event_response=refunded(None))),
    case("an agreement", agreement("ACTIVE"), good("MANDATE_ACTIVE", reference={"mandate": {
        "connector_mandate_id": AGREEMENT}})),
    case("an agreement that failed", agreement("FAILED"), good("MANDATE_FAILED")),
    case("an agreement that its consumer ended", agreement("REVOKED_BY_CONSUMER"), good("MANDATE_REVOKED")),
    case("a dispute, whose envelope has another version", dispute("ACTION_REQUIRED"), good(
        "WEBHOOK_DISPUTE_OPENED", event_response=disputed("DISPUTE_OPENED"), reference={"dispute": {
            "connector_dispute_id": DISPUTE, "connector_transaction_id": CHARGE}})),
    case("a dispute under review", dispute("UNDER_REVIEW"), good(
        "WEBHOOK_DISPUTE_CHALLENGED", event_response=disputed("DISPUTE_CHALLENGED"))),
    case("a dispute that is accepted", dispute("ACCEPT_PROCESSING"), good(
        "WEBHOOK_DISPUTE_ACCEPTED", event_response=disputed("DISPUTE_ACCEPTED"))),
    case("a dispute won", dispute("WON"), good("WEBHOOK_DISPUTE_WON", event_response=disputed("DISPUTE_WON"))),
    case("a dispute lost", dispute("LOST"), good("WEBHOOK_DISPUTE_LOST", event_response=disputed("DISPUTE_LOST"))),
    case("a dispute event that is not known decides nothing", dispute("REOPENED"), good(
        None, event_response=disputed(None))),
    case("an event of something else is kept", event("PAYMENT_INSTRUMENT_CREATED", {"paymentInstrumentId": "i_1"}), good(
        None, event_response=None)),
    case("a status that is not known is none", charge("CREATED", "TELEPORTED"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=paid(None))),
    case("yen have no decimals", charge("AUTHORIZATION_SUCCEEDED", "CAPTURED", amount={"value": 295, "currency": "JPY"}),
         good("PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED", amount={"minor_amount": "295", "currency": "JPY"}))),
    case("dinars have three", charge("AUTHORIZATION_SUCCEEDED", "CAPTURED", amount={"value": 12345, "currency": "KWD"}),
         good("PAYMENT_INTENT_SUCCESS", event_response=paid("CHARGED", amount={
             "minor_amount": "12345", "currency": "KWD"}))),
    case("a fraction of a cent is no amount", charge(
        "AUTHORIZATION_SUCCEEDED", "CAPTURED", amount={"value": 129.5, "currency": "EUR"}), good(
            "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response=paid("CHARGED", amount=None))),
    case("the header in lower case", captured, good("PAYMENT_INTENT_CAPTURE_SUCCESS"), header="webhook-signature"),
    case("the header in upper case", captured, good("PAYMENT_INTENT_CAPTURE_SUCCESS"), header="WEBHOOK-SIGNATURE"),
    case("hex in upper case", captured, good("PAYMENT_INTENT_CAPTURE_SUCCESS"), signature=digest(text).upper()),
    case("the old secret while it is changed", captured, good("PAYMENT_INTENT_CAPTURE_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], signature=digest(text, OLD)),
    case("signed with another secret", captured, forged, signature=digest(text, "another")),
    case("changed after it was signed", text, forged, sent=text.replace("12950", "12951"))
    | {"handle": refused("FORGED", unverified_response=paid("CHARGED", amount={"minor_amount": "12951", "currency": "EUR"}))},
    case("written again with blanks", text, forged, sent=text.replace('":"', '": "')),
    case("an HMAC where the digest belongs", captured, forged, signature=hmac_hex(SECRET, text)),
    case("a digest of the body alone", captured, forged, signature=sha256_hex(text)),
    case("a digest without the dot", captured, forged, signature=sha256_hex(text + SECRET)),
    case("not hex", captured, forged, signature="not-hex-at-all"),
    case("half a digest", captured, forged, signature=digest(text)[:32]),
    case("two signatures", captured, forged, headers=[["webhook-signature", digest(text, "another")]]),
    case("without the header", captured, refused("NO_SIGNATURE"), header="none"),
    case("an empty header", captured, refused("NO_SIGNATURE"), signature=""),
    case("no secret", captured, refused("NO_SECRET", 503), secrets=[]),
    case("an empty secret proves nothing", captured, refused("NO_SECRET", 503), secrets=[""], signature=digest(text, "")),
    case("a type that comes twice is no type", text.replace('"type":', '"type":"PAYMENT_CHARGE_FAILED","type":'),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a charge without its id", changed(captured, data__paymentChargeId=...),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("no JSON", "payment_charge=1", {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
]
write(__file__, "ppro", "Made by handle.py; answers by hand, from PPRO's documentation.", cases)
