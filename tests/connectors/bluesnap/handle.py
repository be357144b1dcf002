"""BlueSnap: Handle. Sources: support.bluesnap.com/docs/ipn-setup, default-ipns, on-demand-ipns, ipn-parameter-reference;
the two headers as its support describes them, stackoverflow.com/questions/76605478 (read 2026-11-30)."""
import os, sys, urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import hmac_hex, refused, write

SECRET, OLD, AT = "bls_k3y_of_the_portal", "bls_k3y_before_it", 1764000000
DATED = "2025-11-24 16:00:00.123"  # AT, in the form of BlueSnap's support
MILLIS = "1764000000123"
PAID = {"transactionType": "CHARGE", "testMode": "Y", "referenceNumber": "1012082839",
        "merchantTransactionId": "order_10045", "transactionDate": "11/24/2025 08:00 AM", "paymentMethod": "Credit Card",
        "creditCardType": "VISA", "creditCardLastFourDigits": "9299", "invoiceChargeAmount": "27.49",
        "invoiceChargeCurrency": "USD", "accountId": "19575974", "firstName": "Jörg", "email": "buyer@example.com",
        "authkey": ""}


def case(name, fields, handle, secrets=SECRET, key=SECRET, time=DATED, sent=None, headers=None, at=AT, **more):
    body = fields if isinstance(fields, str) else urllib.parse.urlencode(fields)
    signature = hmac_hex(key, time + body)
    if headers is None:
        headers = [["bls-ipn-timestamp", time], ["bls-signature", signature]]
    headers = [[n, v.replace("SIGNATURE", signature)] for n, v in headers]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/bluesnap", "headers": [
        ["Content-Type", "application/x-www-form-urlencoded"], *headers], "body": sent or body},
        "secrets": secrets if isinstance(secrets, list) else [secrets], "verify_at": at, **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200, "body": None}, "unverified_response": None, "mode": "TEST",
            "covers": ["body", "time"], "matched_secret": 1, **more}


def of(kind, **changes):
    return {**PAID, "transactionType": kind, **changes}


def payment(status, **more):
    return {"payments_response": {"connector_transaction_id": "1012082839", "merchant_transaction_id": "order_10045",
                                  "status": status, "amount": {"minor_amount": "2749", "currency": "USD"}, **more}}


BACK = {"invoiceChargeAmount": "-10.00", "reversalRefNum": "1012082900", "reversalReason": "customer"}
CHARGEBACK = {"cbStatus": "New", "reversalRefNum": "1012082911", "reversalReason": "Fraud"}


def refund(status, ref="1012082900"):
    return {"refunds_response": {"connector_refund_id": ref, "connector_transaction_id": "1012082839", "status": status,
                                 "refund_amount": {"minor_amount": "1000", "currency": "USD"}}}


def dispute(status, word="New"):
    return {"disputes_response": {"connector_dispute_id": "1012082911", "connector_transaction_id": "1012082839",
                                  "dispute_status": status, "connector_status_code": word, "dispute_reason": "Fraud",
                                  "dispute_amount": {"minor_amount": "2749", "currency": "USD"}}}


query = urllib.parse.urlencode(PAID)
turned = "&".join(query.split("&")[1:] + query.split("&")[:1])  # the type stands last
charged = payment("CHARGED")
cases = [
    case("a charge is paid", PAID, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment(
            "CHARGED", email="buyer@example.com", connector_customer_id="19575974", error=None),
        reference={"payment": {"connector_transaction_id": "1012082839", "merchant_transaction_id": "order_10045"}},
        processor_event={"id": None, "type": "CHARGE"}), same_dedupe="charge"),
    case("the time in milliseconds", PAID, good("PAYMENT_INTENT_SUCCESS", event_response=charged), time=MILLIS,
         same_dedupe="charge"),
    case("signed afresh for the next attempt it is the same event", PAID, good("PAYMENT_INTENT_SUCCESS"),
         time="2025-11-24 20:00:01.5", same_dedupe="charge", at=AT + 14401),
    case("another charge is another event", of("CHARGE", referenceNumber="1012082841"), good("PAYMENT_INTENT_SUCCESS"),
         other_dedupe="charges"),
    case("and so is one of a third number", of("CHARGE", referenceNumber="1012082842"), good("PAYMENT_INTENT_SUCCESS"),
         other_dedupe="charges"),
    case("a subscription's charge fails", of("SUBSCRIPTION_CHARGE_FAILURE"), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE")), other_dedupe="failures"),
    case("and fails on the next day", of("SUBSCRIPTION_CHARGE_FAILURE", transactionDate="11/25/2025 08:00 AM"), good(
        "PAYMENT_INTENT_FAILURE"), other_dedupe="failures"),
    case("a subscription is cancelled and paid back", of("CANCELLATION_REFUND", **BACK), good(
        "WEBHOOK_REFUND_SUCCESS", event_response=refund("REFUND_SUCCESS"))),
    case("a recurring charge", of("RECURRING", referenceNumber="1012082840"), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {
            "connector_transaction_id": "1012082840", "status": "CHARGED"}})),
    case("an authorisation reserves", of("AUTH_ONLY"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=payment("AUTHORIZED"))),
    case("ACH is on its way", of("CHARGE_PENDING"), good("PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING"))),
    case("a review may take a while", of("UNDER_REVIEW"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING"))),
    case("a decline", of("DECLINE"), good("PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE"))),
    case("a decline without a number yet", of("FRAUD_DECLINE", referenceNumber=""), good(
        "PAYMENT_INTENT_FAILURE", event_response={"payments_response": {"status": "FAILURE"}})),
    case("a first charge that failed", of("CC_CHARGE_FAILED"), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE"))),
    case("a part is paid back: the minus sign is no amount", of("REFUND", **BACK), good(
        "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refund("REFUND_SUCCESS"),
        reference={"refund": {"connector_refund_id": "1012082900", "connector_transaction_id": "1012082839"}}),
        other_dedupe="refunds", other_effect="refunds"),
    case("the other part of the same charge", of("REFUND", **{**BACK, "reversalRefNum": "1012082901"}), good(
        "WEBHOOK_REFUND_SUCCESS", event_response=refund("REFUND_SUCCESS", "1012082901")),
        other_dedupe="refunds", other_effect="refunds"),
    case("a refund that is pending", of("PENDING_REFUND", **BACK), good(
        "WEBHOOK_REFUND_PROCESSING", event_response=refund("REFUND_PENDING")), other_dedupe="refunds",
        other_effect="refunds"),
    case("a refund without its number cannot be told", of("REFUND", invoiceChargeAmount="-10.00"), {
        "error": {"code": "WEBHOOK_REFERENCE_ID_NOT_FOUND"}}),
    case("a chargeback", of("CHARGEBACK", **CHARGEBACK), good(
        "WEBHOOK_DISPUTE_OPENED", event_name="DISPUTE_CREATED", event_response=dispute("DISPUTE_OPENED")),
        other_dedupe="chargeback", other_effect="chargeback"),
    case("the chargeback is lost", of("CHARGEBACK_STATUS_CHANGED", **{**CHARGEBACK, "cbStatus": "Completed_Lost"}), good(
        "WEBHOOK_DISPUTE_LOST", event_name="DISPUTE_CLOSED", event_response=dispute("DISPUTE_LOST", "Completed_Lost")),
        other_dedupe="chargeback", other_effect="chargeback"),
    case("the chargeback is won", of("CHARGEBACK_STATUS_CHANGED", **{**CHARGEBACK, "cbStatus": "Completed_Won"}), good(
        "WEBHOOK_DISPUTE_WON", event_response=dispute("DISPUTE_WON", "Completed_Won")),
        other_dedupe="chargeback", other_effect="chargeback"),
    case("a chargeback of a status that is not known is one", of("CHARGEBACK", **{**CHARGEBACK, "cbStatus": "Reviewed"}),
         good("WEBHOOK_DISPUTE_OPENED", event_response=dispute("DISPUTE_OPENED", "Reviewed"))),
    case("a change to a status that is not known decides nothing", of(
        "CHARGEBACK_STATUS_CHANGED", **{**CHARGEBACK, "cbStatus": "Reviewed"}), good(
            None, event_response={"disputes_response": {"dispute_status": None, "connector_status_code": "Reviewed"}})),
    case("a subscription that ends changes no payment", of("CANCELLATION"), good(None, event_response=None)),
    case("a payout to the merchant is no payment", of("PAYOUT"), good(None, event_response=None)),
    case("what is not known is an answer", of("CHARGE_SOMETHING_NEW"), good(None, event_response=None)),
    case("yen have no decimals", of("CHARGE", invoiceChargeAmount="2749", invoiceChargeCurrency="JPY"), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {
            "amount": {"minor_amount": "2749", "currency": "JPY"}}})),
    case("half a cent is left out, and said so", of("CHARGE", invoiceChargeAmount="27.495"), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {
            "status": "CHARGED", "amount": None}})),
    case("a currency nobody knows leaves the amount out", of("CHARGE", invoiceChargeCurrency="XXX"), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {"amount": None}})),
    case("live, when the notice says so", of("CHARGE", testMode="N"), good("PAYMENT_INTENT_SUCCESS", mode="LIVE")),
    case("a number that comes twice is ambiguous", query + "&referenceNumber=1", {
        "error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a type that comes twice is ambiguous", query + "&transactionType=DECLINE", {
        "error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("header names and signature in capitals", PAID, good("PAYMENT_INTENT_SUCCESS"), headers=[
        ["BLS-IPN-TIMESTAMP", DATED], ["BLS-SIGNATURE", hmac_hex(SECRET, DATED + query).upper()]], same_dedupe="charge"),
    case("the old key, while it is being changed", PAID, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], key=OLD),
    case("a body changed after signing", PAID, refused("FORGED"), sent=query.replace("27.49", "1.00")),
    case("a time changed after signing", PAID, refused("FORGED"), headers=[
        ["bls-ipn-timestamp", "2025-11-24 16:00:01.123"], ["bls-signature", "SIGNATURE"]]),
    case("the first letters of the body moved into the time", turned, refused("FORGED"), sent=turned[4:], headers=[
        ["bls-ipn-timestamp", DATED + turned[:4]], ["bls-signature", "SIGNATURE"]]),
    case("a digit of the time moved into the body, to hide a field", turned, refused("FORGED"), sent="3" + turned,
         headers=[["bls-ipn-timestamp", DATED[:-1]], ["bls-signature", "SIGNATURE"]]),
    case("a digit of the milliseconds moved into the body", turned, refused("FORGED"), time=MILLIS, sent="3" + turned,
         headers=[["bls-ipn-timestamp", MILLIS[:-1]], ["bls-signature", "SIGNATURE"]]),
    case("another's key", PAID, refused("FORGED"), key="guess"),
    case("an empty key signs nothing", PAID, refused("NO_SECRET", 503), secrets="", key=""),
    case("no key is configured", PAID, refused("NO_SECRET", 503, unverified_response=charged), secrets=[]),
    case("no signature", PAID, refused("NO_SIGNATURE", unverified_response=charged), headers=[["bls-ipn-timestamp", DATED]]),
    case("no time", PAID, refused("FORGED"), headers=[["bls-signature", "SIGNATURE"]]),
    case("signed with no time is no signature of theirs", PAID, refused("FORGED"), headers=[
        ["bls-signature", hmac_hex(SECRET, query)]]),
    case("two different signatures are ambiguous", PAID, refused("FORGED"), headers=[
        ["bls-ipn-timestamp", DATED], ["bls-signature", "SIGNATURE"], ["bls-signature", hmac_hex(OLD, DATED + query)]]),
    case("a last attempt after 44 hours", PAID, good("PAYMENT_INTENT_SUCCESS"), at=AT + 44 * 3600, same_dedupe="charge"),
    case("four days old is stale", PAID, refused("STALE"), at=AT + 96 * 3600),
    case("three days old in milliseconds is stale", PAID, refused("STALE"), time=MILLIS, at=AT + 72 * 3600),
]
write(__file__, "bluesnap", "Made by handle.py; answers by hand, from BlueSnap's documentation.", cases)
