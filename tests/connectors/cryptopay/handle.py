"""Cryptopay: Handle. Sources: developers.cryptopay.me, guides/api-basics/callbacks, guides/invoices/callbacks,
guides/channels/callbacks, guides/payouts/callbacks and payout-statuses, reference/transactions (read 2026-11-30)."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, refused, write

SECRET, OLD = "hzeRDX54BYleXGwGm2YEWR4Ony1_callback", "the_callback_secret_before"
INVOICE = {"id": "1bbc11e1-1f91-11c1-11ec-cea1ad12345e", "fee": "2.55", "uri": "TSKh8uZnkt", "name": None, "status": "new",
           "address": "TSKh8uZnkt", "network": "tron", "metadata": None, "custom_id": "order_77",
           "created_at": "2025-08-01T10:16:55+00:00", "expires_at": "2025-08-01T10:26:55+00:00", "pay_amount": "300.55",
           "customer_id": "customer_9", "paid_amount": "301.0", "fee_currency": "USD", "pay_currency": "USDT",
           "price_amount": "300.0", "transactions": [], "price_currency": "USD", "status_context": None}
CHANNEL = {"id": "912345fb-6de2-4e50-9fae-b139c3c12345", "fee": "30.0", "risk": None, "txid": "aad38eb9", "status": "pending",
           "network": "bitcoin", "custom_id": "channel_7", "channel_id": "17b12345-109a-4a27-af93-d955e4112345",
           "customer_id": "customer_9", "fee_currency": "EUR", "paid_amount": "0.1", "paid_currency": "BTC",
           "received_amount": "3000.0", "received_currency": "EUR", "status_context": None,
           "created_at": "2025-08-01T11:00:00+00:00"}
PAYOUT = {"id": "08112345-6093-49dc-a8d4-abc58bc12345", "fee": "0.0", "txid": None, "status": "pending", "network": "tron",
          "custom_id": "payout_5", "created_at": "2025-08-01T11:46:36+00:00", "network_fee": "3.000597",
          "charged_amount": "18.0", "received_amount": "14.805158", "charged_currency": "USD", "received_currency": "USDT"}


def body(kind, event, data, **changes):
    return {"data": {**data, **changes}, "type": kind, "event": event}


def invoice(status, context=None, event="status_changed", **changes):
    return body("Invoice", event, INVOICE, status=status, status_context=context, **changes)


def case(name, sent_body, handle, secrets=SECRET, key=SECRET, signature=None, headers=(), body_sent=None, **more):
    text = sent_body if isinstance(sent_body, str) else compact(sent_body)
    sent = [["Content-Type", "application/json"], ["X-Cryptopay-Signature", signature or hmac_hex(key, text)], *headers]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/cryptopay",
                                      "headers": [h for h in sent if h[1] != "none"], "body": body_sent or text},
            "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200, "body": None}, "unverified_response": None, "covers": ["body"],
            "matched_secret": 1, **more}


def payment(status, **more):
    return {"payments_response": {"connector_transaction_id": INVOICE["id"], "merchant_transaction_id": "order_77",
                                  "status": status, "amount": {"minor_amount": "30000", "currency": "USD"}, **more}}


def channel(status, **more):
    return {"payments_response": {"connector_transaction_id": CHANNEL["id"], "merchant_transaction_id": "channel_7",
                                  "status": status, "amount": {"minor_amount": "300000", "currency": "EUR"}, **more}}


def payout(status):
    return {"payouts_response": {"connector_payout_id": PAYOUT["id"], "merchant_payout_id": "payout_5",
                                 "payout_status": status}, "payments_response": None}


completed = invoice("completed")
# The example of the documentation, with its own signature (introduction/callbacks; test of cryptopay-dev/cryptopay-node).
EXAMPLE = ('{"type":"Invoice","event":"status_changed","data":{"id":"ff48eeba-ab18-4088-96bc-4be10a82b994",'
           '"status":"completed","status_context":null,"address":"rs9pE6CnNLE8YiTgTwbAk1AkFyS3opsm7K?dt=701",'
           '"price_amount":"1.0","price_currency":"EUR","pay_amount":"3.113326","pay_currency":"XRP",'
           '"paid_amount":"3.113326","exchange":{"pair":"XRPEUR","rate":"0.3212"},"transactions":[{"txid":'
           '"3EA591FED2F1F61263CB66AAC6BCF520B0714A08F2481D56DE267F31E0C782B9","risk":null}],"name":null,'
           '"description":null,"metadata":null,"custom_id":null,"success_redirect_url":null,'
           '"created_at":"2019-04-09T15:22:09+00:00","expires_at":"2019-04-09T15:32:09+00:00"}}')
cases = [
    case("the example of Cryptopay's documentation, with the signature it has there", EXAMPLE, good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {
            "connector_transaction_id": "ff48eeba-ab18-4088-96bc-4be10a82b994", "status": "CHARGED",
            "captured_amount": "100"}}),
         secrets="hzeRDX54BYleXGwGm2YEWR4Ony1_ZU2lSTpAuxhW1gQ",
         signature="7c021857107203da4af1d24007bb0f752e2f04478e5e5bff83719101f2349b54"),
    case("an invoice is completed at its price", completed, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment(
            "CHARGED", captured_amount="30000", connector_customer_id="customer_9", created_at="1754043415", error=None),
        reference={"payment": {"connector_transaction_id": INVOICE["id"], "merchant_transaction_id": "order_77"}},
        processor_event={"id": None, "type": "Invoice.status_changed"}),
        same_dedupe="completed", other_dedupe="one invoice", other_effect="one invoice"),
    case("a callback that is sent again is the same event", completed, good("PAYMENT_INTENT_SUCCESS"),
         same_dedupe="completed"),
    case("printed in another way it is still the same event", compact(completed).replace('":', '": '), good(
        "PAYMENT_INTENT_SUCCESS"), same_dedupe="completed"),
    case("the customer has sent it", invoice("new", event="transaction_created"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING", captured_amount=None)),
        other_dedupe="one invoice", other_effect="one invoice", same_effect="seen"),
    case("a first part is seen on the network", invoice("new", event="transaction_created", paid_amount="4.0"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING")), other_dedupe="one invoice", same_effect="seen"),
    case("and the rest: another event", invoice("new", event="transaction_created", paid_amount="10.0"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING")), other_dedupe="one invoice", same_effect="seen"),
    case("the network has confirmed it", invoice("new", event="transaction_confirmed"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING")), other_dedupe="one invoice", same_effect="seen"),
    case("confirmed when it is completed already: the status counts", invoice("completed", event="transaction_confirmed"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED")), other_dedupe="one invoice"),
    case("too little was paid: somebody must settle it", invoice("unresolved", "underpaid"), good(
        "PAYMENT_ACTION_REQUIRED", event_response=payment("UNRESOLVED", captured_amount=None)),
        other_dedupe="one invoice", other_effect="one invoice"),
    case("paid too late: another event of the invoice", invoice("unresolved", "paid_late"), good(
        "PAYMENT_ACTION_REQUIRED", event_response=payment("UNRESOLVED")), other_dedupe="one invoice", other_effect="one invoice"),
    case("not paid in time", invoice("cancelled"), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE", error=None, captured_amount=None)),
        other_dedupe="one invoice", other_effect="one invoice"),
    case("what was refunded has no id: told without an event type", invoice("refunded"), good(
        None, event_response=payment("UNRESOLVED")), other_dedupe="one invoice", other_effect="one invoice"),
    case("a status that is not known decides nothing", invoice("disputed"), good(
        None, event_response=payment(None, captured_amount=None)), other_dedupe="one invoice"),
    case("a payment through a channel is on its way", body("ChannelPayment", "created", CHANNEL), good(
        "PAYMENT_INTENT_PROCESSING", event_response=channel("PENDING")), other_dedupe="channel", other_effect="channel"),
    case("and completed: what is credited", body("ChannelPayment", "completed", CHANNEL, status="completed"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=channel("CHARGED")), other_dedupe="channel", other_effect="channel"),
    case("or held back", body("ChannelPayment", "on_hold", CHANNEL, status="on_hold", status_context="illicit_resource"),
         good("PAYMENT_ACTION_REQUIRED", event_response=channel("UNRESOLVED")), other_dedupe="channel",
         other_effect="channel"),
    case("what was held back is refunded: another change", body(
        "ChannelPayment", "refunded", CHANNEL, status="refunded", status_context="illicit_resource"),
         good(None, event_response=channel("UNRESOLVED")), other_dedupe="channel", other_effect="channel"),
    case("or never confirmed", body("ChannelPayment", "cancelled", CHANNEL, status="cancelled"), good(
        "PAYMENT_INTENT_FAILURE", event_response=channel("FAILURE")), other_dedupe="channel", other_effect="channel"),
    case("an account in bitcoin: the amount is left out, and said so", body(
        "ChannelPayment", "completed", CHANNEL, status="completed", received_amount="0.099", received_currency="BTC"), good(
            "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {
                "status": "CHARGED", "amount": None}})),
    case("a payout is created", body("CoinWithdrawal", "created", PAYOUT), good(
        "PAYOUT_CREATED", event_response=payout("PENDING")), other_dedupe="payout", other_effect="payout"),
    case("a payout is completed: money that goes out is no payment", body(
        "CoinWithdrawal", "status_changed", PAYOUT, status="completed"), good(
            "PAYOUT_SUCCESS", event_response=payout("SUCCESS"), reference={"payout": {
                "connector_payout_id": PAYOUT["id"], "merchant_payout_id": "payout_5"}}),
        other_dedupe="payout", other_effect="payout"),
    *[case(f"a payout is {status}", body("CoinWithdrawal", "status_changed", PAYOUT, status=status), good(
        is_, event_response=payout(told)), other_dedupe="payout")
      for status, is_, told in (("new", "PAYOUT_CREATED", "REQUIRES_CONFIRMATION"), ("processing", "PAYOUT_PROCESSING", "INITIATED"),
                                ("sent", "PAYOUT_PROCESSING", "INITIATED"), ("on_hold", "PAYOUT_PROCESSING", "PENDING"))],
    case("a payout that failed is not final", body("CoinWithdrawal", "status_changed", PAYOUT, status="failed"), good(
        "PAYOUT_PROCESSING", event_response=payout("PENDING")), other_dedupe="payout"),
    case("a payout is cancelled", body("CoinWithdrawal", "status_changed", PAYOUT, status="cancelled"), good(
        "PAYOUT_CANCELLED", event_response=payout("CANCELLED")), other_dedupe="payout", other_effect="payout"),
    case("a resource that is not known is an answer", body("CoinExchange", "completed", INVOICE, status="completed"), good(
        None, event_response=None)),
    case("dinars have three decimals", invoice("completed", price_amount="300.125", price_currency="KWD"), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {"captured_amount": "300125"}})),
    case("half a cent is left out, never cut", invoice("completed", price_amount="300.129"), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {
            "status": "CHARGED", "captured_amount": None, "amount": None}})),
    case("a price in bitcoin is left out", invoice("completed", price_amount="0.5", price_currency="BTC"), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {
            "status": "CHARGED", "captured_amount": None}})),
    case("header name and signature in capitals", completed, good("PAYMENT_INTENT_SUCCESS"), signature="none", headers=[
        ["X-CRYPTOPAY-SIGNATURE", hmac_hex(SECRET, compact(completed)).upper()]]),
    case("the old secret, while it is being changed", completed, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], key=OLD),
    case("a body changed after signing", invoice("new"), refused("FORGED"), body_sent=compact(completed)),
    case("a body that was parsed and printed again", completed, refused("FORGED"),
         body_sent=compact(completed).replace('":', '": ')),
    case("another's secret", completed, refused("FORGED"), key="guess"),
    case("an empty key signs nothing", completed, refused("NO_SECRET", 503), secrets="", key=""),
    case("no secret is configured", completed, refused("NO_SECRET", 503, unverified_response=payment("CHARGED")), secrets=[]),
    case("no signature", completed, refused("NO_SIGNATURE", unverified_response=payment("CHARGED")), signature="none"),
    case("a cut signature", completed, refused("FORGED"), signature=hmac_hex(SECRET, compact(completed))[:40]),
    case("two different signatures are ambiguous", completed, refused("FORGED"), headers=[
        ["X-Cryptopay-Signature", hmac_hex(OLD, compact(completed))]]),
    case("a status that comes twice cannot be told", compact(completed).replace('"status":', '"status":"new","status":'), {
        "error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("an invoice without an id cannot be told", changed(completed, data__id=...), {
        "error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
]
write(__file__, "cryptopay", "Made by handle.py; answers by hand, from Cryptopay's documentation.", cases)
