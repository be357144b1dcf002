"""dLocal: Handle. Sources: docs.dlocal.com, docs/receive-notifications, reference/payins-security, payment-status-codes,
the-refund-object, refund-status-codes, docs/chargebacks, reference/chargeback-status (read 2026-11-30)."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, refused, write

SECRET, OLD, LOGIN, DATE, AT = "dl_secret_key_1", "dl_secret_key_0", "sak223k2wdksdl2", "2026-01-15T10:00:00.629Z", 1768471200
PAYMENT = {"id": "D-4-be8eda8c-5fe7-49dd-8058-4ddaac00611b", "amount": 72.00, "status": "PAID",
           "status_detail": "The payment was paid.", "status_code": "200", "currency": "USD", "country": "AR",
           "payment_method_id": "RP", "payment_method_type": "TICKET", "payment_method_flow": "REDIRECT",
           "payer": {"name": "Nino Deicas", "email": "buyer@example.com"}, "order_id": "4m1OdghPUQtg",
           "created_date": "2026-01-15T09:59:31.000+0000"}
REFUND = {"id": "REF42342", "payment_id": PAYMENT["id"], "amount": 50.00, "amount_refunded": 50.00, "currency": "USD",
          "status": "SUCCESS", "status_code": "200", "status_detail": "The refund was paid.",
          "created_date": "2026-01-16T10:00:00.000+0000", "order_id": "4m1OdghPUQtg"}
CHARGEBACK = {"id": "CHAR42342", "payment_id": PAYMENT["id"], "amount": 72.00, "currency": "USD", "status": "COMPLETED",
              "status_code": 200, "status_detail": "The chargeback was executed.",
              "created_date": "2018-02-15T15:14:52-00:00", "order_id": "4m1OdghPUQtg"}


def case(name, body, handle, secrets=SECRET, key=SECRET, login=LOGIN, date=DATE, form="V2-HMAC-SHA256, Signature: {}",
         headers=None, body_sent=None, at=AT, **more):
    text = body if isinstance(body, str) else compact(body)
    signature = hmac_hex(key, login + date + text)
    if headers is None:
        headers = [["X-Date", date], ["X-Login", login], ["Authorization", form.format(signature)]]
    headers = [[n, v.replace("SIGNATURE", signature)] for n, v in headers]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/dlocal", "headers": [
        ["Content-Type", "application/json"], *headers], "body": body_sent or text},
        "secrets": secrets if isinstance(secrets, list) else [secrets], "verify_at": at, **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None,
            "covers": ["X-Login", "time", "body"], "matched_secret": 1, **more}


def payment(status, **more):
    return {"payments_response": {"connector_transaction_id": PAYMENT["id"], "merchant_transaction_id": "4m1OdghPUQtg",
                                  "status": status, "amount": {"minor_amount": "7200", "currency": "USD"}, **more}}


def refund(status, **more):
    return {"refunds_response": {"connector_refund_id": "REF42342", "connector_transaction_id": PAYMENT["id"],
                                 "status": status, "refund_amount": {"minor_amount": "5000", "currency": "USD"}, **more},
            "payments_response": None}


def dispute(status, word, **more):
    return {"disputes_response": {"connector_dispute_id": "CHAR42342", "connector_transaction_id": PAYMENT["id"],
                                  "dispute_status": status, "connector_status_code": word,
                                  "dispute_amount": {"minor_amount": "7200", "currency": "USD"}, **more}}


def of(object_, status, code, detail, **changes):
    return {**object_, "status": status, "status_code": code, "status_detail": detail, **changes}


def why(code, message):
    return {"error": {"connector_details": {"code": code, "message": message}}}


V2 = "V2-HMAC-SHA256, Signature: SIGNATURE"
cases = [
    case("a payment is paid", PAYMENT, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment(
            "CHARGED", email="buyer@example.com", created_at="1768471171", error=None),
        reference={"payment": {"connector_transaction_id": PAYMENT["id"], "merchant_transaction_id": "4m1OdghPUQtg"}}),
        same_dedupe="paid", other_dedupe="one payment", other_effect="one payment"),
    case("signed afresh for the next attempt it is the same event", PAYMENT, good("PAYMENT_INTENT_SUCCESS"),
         date="2026-01-15T11:00:01Z", at=AT + 3601, same_dedupe="paid"),
    case("it is pending", of(PAYMENT, "PENDING", "100", "The payment is pending."), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING")), other_dedupe="one payment",
        other_effect="one payment"),
    case("it is reserved", of(PAYMENT, "AUTHORIZED", "600", "The payment was authorized."), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=payment("AUTHORIZED")), other_dedupe="one payment",
        other_effect="one payment"),
    case("more is reserved: another event", of(PAYMENT, "AUTHORIZED", "600", "The payment was authorized.", amount=90.0), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response={"payments_response": {
            "status": "AUTHORIZED", "amount": {"minor_amount": "9000", "currency": "USD"}}}), other_dedupe="one payment",
        other_effect="one payment"),
    case("it is rejected, and says why", of(PAYMENT, "REJECTED", "302", "Insufficient amount."), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE", **why("302", "Insufficient amount."))),
        other_dedupe="one payment", other_effect="one payment"),
    case("it is cancelled", of(PAYMENT, "CANCELLED", "400", "The payment was cancelled."), good(
        "PAYMENT_INTENT_CANCELLED", event_response=payment("VOIDED")), other_dedupe="one payment",
        other_effect="one payment"),
    case("a card is verified: no money", of(PAYMENT, "VERIFIED", "700", "The payment was verified.", amount=0), good(
        None, event_response={"payments_response": {"status": None}})),
    case("a status that is not known decides nothing", of(PAYMENT, "CLEARED", "900", "?"), good(
        None, event_response=payment(None))),
    case("a refund is paid", REFUND, good(
        "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refund("REFUND_SUCCESS", error=None),
        reference={"refund": {"connector_refund_id": "REF42342", "connector_transaction_id": PAYMENT["id"]}}),
        other_dedupe="refund", other_effect="refund"),
    case("a refund is pending: the payment stays paid", of(REFUND, "PENDING", "100", "The refund is pending."), good(
        "WEBHOOK_REFUND_PROCESSING", event_response=refund("REFUND_PENDING")), other_dedupe="refund",
        other_effect="refund"),
    case("a refund is rejected: no payment failed", of(REFUND, "REJECTED", "300", "The refund was rejected."), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refund("REFUND_FAILURE", **why("300", "The refund was rejected."))),
        other_dedupe="refund", other_effect="refund"),
    case("a chargeback is executed", CHARGEBACK, good(
        "WEBHOOK_DISPUTE_OPENED", event_name="DISPUTE_CREATED", event_response=dispute(
            "DISPUTE_OPENED", "COMPLETED", dispute_stage="ACTIVE_DISPUTE", dispute_date="1518707692")),
        other_dedupe="chargeback", other_effect="chargeback"),
    case("a pending chargeback is no refund", of(CHARGEBACK, "PENDING", 100, "The chargeback is pending."), good(
        "WEBHOOK_DISPUTE_OPENED", event_response=dispute("DISPUTE_OPENED", "PENDING")), other_dedupe="chargeback"),
    case("nor is one that only its id gives away", of(CHARGEBACK, "PENDING", 100, "pending"), good(
        "WEBHOOK_DISPUTE_OPENED", event_response=dispute("DISPUTE_OPENED", "PENDING"))),
    case("documents were sent", of(CHARGEBACK, "IN_DISPUTE", 201, "Dispute documentation was sent to the acquirer."), good(
        "WEBHOOK_DISPUTE_CHALLENGED", event_response=dispute("DISPUTE_CHALLENGED", "IN_DISPUTE")),
        other_dedupe="chargeback", other_effect="chargeback"),
    case("the dispute is lost", of(CHARGEBACK, "DISPUTE_LOST", 202, "The chargeback dispute was lost."), good(
        "WEBHOOK_DISPUTE_LOST", event_name="DISPUTE_CLOSED", event_response=dispute("DISPUTE_LOST", "DISPUTE_LOST")),
        other_dedupe="chargeback", other_effect="chargeback"),
    case("the dispute is won", of(CHARGEBACK, "REVERSAL", 700, "The chargeback dispute was won."), good(
        "WEBHOOK_DISPUTE_WON", event_response=dispute("DISPUTE_WON", "REVERSAL")), other_dedupe="chargeback",
        other_effect="chargeback"),
    case("a request for information comes before", of(CHARGEBACK, "INQUIRY", 800, "Request for information received."), good(
        "WEBHOOK_DISPUTE_OPENED", event_response=dispute("DISPUTE_OPENED", "INQUIRY", dispute_stage="PRE_DISPUTE")),
        other_dedupe="chargeback"),
    case("documents were received", of(CHARGEBACK, "DISPUTE_RECEIVED", 101, "Dispute documentation received."), good(
        "WEBHOOK_DISPUTE_CHALLENGED", event_response=dispute("DISPUTE_CHALLENGED", "DISPUTE_RECEIVED"))),
    *[case(f"without a payment_id it is no refund and no chargeback: {status}", of(PAYMENT, status, "200", "?"), good(
        None, event_response=payment(None))) for status in ("SUCCESS", "COMPLETED", "REVERSAL")],
    case("what has a payment_id and a status nobody knows is neither", of(REFUND, "PAID", "200", "?"), good(
        None, event_response=None)),
    case("yen have no decimals", {**PAYMENT, "amount": 7200, "currency": "JPY"}, good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {
            "amount": {"minor_amount": "7200", "currency": "JPY"}}})),
    case("a number that binary fractions cannot hold is exact", compact(PAYMENT).replace("72.0", "99999999999999.98"), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {
            "amount": {"minor_amount": "9999999999999998", "currency": "USD"}}})),
    case("half a cent is left out, and said so", compact(PAYMENT).replace("72.0", "72.005"), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {"amount": None}})),
    case("a token of a wallet is a mandate", {**PAYMENT, "wallet": {"token": "W-1"}}, good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {"mandate_reference": {
            "connector_mandate_id": {"connector_mandate_id": "W-1"}}}})),
    case("the header Signature, without the scheme", PAYMENT, good("PAYMENT_INTENT_SUCCESS"), headers=[
        ["X-Date", DATE], ["X-Login", LOGIN], ["Signature", "SIGNATURE"]], same_dedupe="paid"),
    case("header names and digits in capitals", PAYMENT, good("PAYMENT_INTENT_SUCCESS"), headers=[
        ["X-DATE", DATE], ["X-LOGIN", LOGIN], ["AUTHORIZATION", "V2-HMAC-SHA256, Signature: " + hmac_hex(
            SECRET, LOGIN + DATE + compact(PAYMENT)).upper()]], same_dedupe="paid"),
    case("without the blanks", PAYMENT, good("PAYMENT_INTENT_SUCCESS"), form="V2-HMAC-SHA256,Signature:{}"),
    case("another scheme of Authorization is forged", PAYMENT, refused("FORGED"), form="Bearer {}"),
    case("the old secret, while it is being changed", PAYMENT, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], key=OLD),
    case("a body changed after signing", PAYMENT, refused(
        "FORGED", unverified_response={"payments_response": {"amount": {"minor_amount": "100", "currency": "USD"}}}),
        body_sent=compact(PAYMENT).replace("72.0", "1.00")),
    case("a time changed after signing", PAYMENT, refused("FORGED"), headers=[
        ["X-Date", "2026-01-15T11:00:00.629Z"], ["X-Login", LOGIN], ["Authorization", V2]]),
    case("a digit of the time moved into the login", PAYMENT, refused("FORGED"), headers=[
        ["X-Date", DATE[1:]], ["X-Login", LOGIN + DATE[0]], ["Authorization", V2]]),
    case("a letter of the login moved into the time", PAYMENT, refused("FORGED"), headers=[
        ["X-Date", LOGIN[-1] + DATE], ["X-Login", LOGIN[:-1]], ["Authorization", V2]]),
    case("the login moved into the time, and none left", PAYMENT, refused("FORGED"), headers=[
        ["X-Date", LOGIN + DATE], ["Authorization", V2]]),
    case("the zone moved into the body is no JSON", PAYMENT, {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}},
         body_sent="Z" + compact(PAYMENT), headers=[["X-Date", DATE[:-1]], ["X-Login", LOGIN], ["Authorization", V2]]),
    case("no time", PAYMENT, refused("FORGED"), headers=[["X-Login", LOGIN], ["Authorization", V2]]),
    case("no login", PAYMENT, refused("FORGED"), login="", headers=[["X-Date", DATE], ["Authorization", V2]]),
    case("another's secret", PAYMENT, refused("FORGED"), key="guess"),
    case("an empty key signs nothing", PAYMENT, refused("NO_SECRET", 503), secrets="", key=""),
    case("no secret is configured", PAYMENT, refused("NO_SECRET", 503, unverified_response=payment("CHARGED")), secrets=[]),
    case("no signature", PAYMENT, refused("NO_SIGNATURE", unverified_response=payment("CHARGED")), headers=[
        ["X-Date", DATE], ["X-Login", LOGIN]]),
    case("two different signatures are ambiguous", PAYMENT, refused("FORGED"), headers=[
        ["X-Date", DATE], ["X-Login", LOGIN], ["Authorization", V2], ["Authorization", V2[:-9] + "0" * 64]]),
    case("a last attempt after four days", PAYMENT, good("PAYMENT_INTENT_SUCCESS"), at=AT + 102 * 3600, same_dedupe="paid"),
    case("nine days old is stale", PAYMENT, refused("STALE"), at=AT + 9 * 86400),
    case("a status that comes twice cannot be told", compact(PAYMENT).replace('"status":', '"status":"PENDING","status":'), {
        "error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a payment without an id cannot be told", changed(PAYMENT, id=...), {
        "error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
]
write(__file__, "dlocal", "Made by handle.py; answers by hand, from dLocal's documentation.", cases)
