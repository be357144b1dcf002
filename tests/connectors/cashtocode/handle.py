"""CashtoCode: Handle. CashtoCode publishes no documentation. Sources: hyperswitch-prism 0.4.0, observed (2026-11-24); what
juspay/hyperswitch reads and answers (2026-11-30)."""
import base64, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, refused, write

SECRET = "Basic " + base64.b64encode(b"merchant_eur:s3cr3t-pass").decode()
OLD = "Basic " + base64.b64encode(b"merchant_eur:before").decode()
PAID = {"amount": 10.50, "currency": "EUR", "foreignTransactionId": "ctc-8f3b2a71-55d0-4c7e-9c11-2a0c9e4b7710",
        "type": "PAYMENT", "transactionId": "order_10045"}


def case(name, body, handle, secrets=SECRET, sent=SECRET, headers=None, **more):
    headers = [["Authorization", sent]] if headers is None else headers
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/cashtocode", "headers": [
        ["Content-Type", "application/json"], *headers], "body": body if isinstance(body, str) else compact(body)},
        "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}


def executed(transaction_id):
    text = compact({"status": "EXECUTED", "transactionId": transaction_id})
    return {"status_code": 200, "headers": {"content-type": "application/json"},
            "body": base64.b64encode(text.encode()).decode()}


def good(**more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": "PAYMENT_INTENT_SUCCESS",
            "event_name": "PAYMENT_INTENT_SUCCESS", "event_status": "COMPLETE", "unverified_response": None, "covers": None,
            "event_ack_response": executed("order_10045"), "matched_secret": 1, **more}


def payment(**more):
    return {"payments_response": {"connector_transaction_id": "order_10045", "status": "CHARGED",
                                  "amount": {"minor_amount": "1050", "currency": "EUR"}, **more}}


cannot = {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}
cases = [
    case("a payment was made, and hears that it is executed", PAID, good(
        event_response=payment(error=None), reference={"payment": {"connector_transaction_id": "order_10045"}},
        processor_event={"id": None, "type": "PAYMENT"}), same_dedupe="paid", other_dedupe="payments",
        same_effect="paid", other_effect="payments"),
    case("sent again it is the same", {**PAID, "amount": 10.5}, good(), same_dedupe="paid",
         same_effect="paid"),
    case("paid once more with the same code is another", {**PAID, "foreignTransactionId": "ctc-2"}, good(),
         other_dedupe="payments", other_effect="payments"),
    case("another type of notification is the same fact", {**PAID, "type": "classic"}, good(event_response=payment())),
    case("without type, currency and CashtoCode's id", {"transactionId": "order_10045", "amount": 10.5}, good(
        event_status="INCOMPLETE", event_response=payment(amount=None))),
    case("a whole amount", {**PAID, "amount": 100}, good(event_response=payment(
        amount={"minor_amount": "10000", "currency": "EUR"}))),
    case("a large one is exact", compact(PAID).replace("10.5", "90071992547409.93"), good(event_response=payment(
        amount={"minor_amount": "9007199254740993", "currency": "EUR"}))),
    case("half a cent is left out, and said so", compact(PAID).replace("10.5", "10.505"), good(
        event_status="INCOMPLETE", event_response=payment(amount=None))),
    case("quotes in an id are quoted in the answer", {**PAID, "transactionId": 'a"b\\c'}, good(
        event_ack_response=executed('a"b\\c'), event_response=payment(connector_transaction_id='a"b\\c'))),
    case("header name in capitals", PAID, good(), headers=[["AUTHORIZATION", SECRET]]),
    case("the old password, while it is being changed", PAID, good(matched_secret=2), secrets=[SECRET, OLD], sent=OLD),
    case("another's password", PAID, refused("FORGED", unverified_response=payment()), sent=OLD),
    case("a password that begins as ours", PAID, refused("FORGED"), sent=SECRET + "x"),
    case("a password cut short", PAID, refused("FORGED"), sent=SECRET[:-1]),
    case("the word of the scheme in small letters is not what was agreed", PAID, refused("FORGED"),
         sent=SECRET.replace("Basic", "basic")),
    case("a secret without the scheme never verifies", PAID, refused("FORGED"), secrets=SECRET[6:]),
    case("an empty secret verifies nothing", PAID, refused("NO_SECRET", 503), secrets=""),
    case("nor with an empty header", PAID, refused("NO_SIGNATURE"), secrets="", sent=""),
    case("no secret is configured", PAID, refused("NO_SECRET", 503, unverified_response=payment()), secrets=[]),
    case("no header", PAID, refused("NO_SIGNATURE", unverified_response=payment()), headers=[]),
    case("an empty header", PAID, refused("NO_SIGNATURE"), sent=" "),
    case("two different headers are ambiguous", PAID, refused("FORGED"), headers=[
        ["Authorization", SECRET], ["Authorization", OLD]]),
    case("a payment of nobody is not executed", changed(PAID, transactionId=...), cannot),
    case("nor one of an empty id", {**PAID, "transactionId": ""}, cannot),
    case("nor one of a number", {**PAID, "transactionId": 12345}, cannot),
    case("nor one of two ids", compact(PAID).replace('"transactionId":', '"transactionId":"x","transactionId":'), cannot),
    case("nor one without an amount", changed(PAID, amount=...), cannot),
]
write(__file__, "cashtocode", "Made by handle.py; answers by hand.", cases)
