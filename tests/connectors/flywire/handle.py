"""Flywire: Handle. Sources: developers.flywire.com/education, notifications-from-flywire, notifications-payment-status,
notifications-refunds (read 2026-11-30)."""
import base64, hashlib, hmac, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, promises_of_a_header, refused, signed_in_a_header, write

SECRET = "fw_shared_9LmQz2"
PAYMENT = {"payment_id": "FWU744586810", "amount_from": "112500", "currency_from": "EUR", "amount_to": "120000",
           "currency_to": "USD", "status": "guaranteed", "expiration_date": "2026-12-05T12:00:00Z",
           "external_reference": "STU-2026-0042", "country": "ES",
           "payment_method": {"type": "card", "brand": "visa", "card_expiration": "12/2029", "last_four_digits": "4242"},
           "fields": {"student_id": "S-7781"}, "payer": {"first_name": "María", "email": "maria@example.com"}}
REFUND = {"refund_id": "RFWU744586810", "payment_id": "FWU744586810", "bundle_id": "BUFF6B1E0A7B", "status": "finished",
          "amount": "30000", "currency": "EUR", "external_reference": "RFD-7"}


def event(resource, data, date="2026-11-29T09:30:00Z", **more):
    return {"event_type": data.get("status", "delivered"), "event_date": date, "event_resource": resource, "data": data, **more}


def sign(text, key):
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body"],
            "matched_secret": 1, **more}


def payment(status, amount="120000", currency="USD"):
    return {"payments_response": {"connector_transaction_id": "FWU744586810", "merchant_transaction_id": "STU-2026-0042",
                                  "status": status, "email": "maria@example.com",
                                  "amount": {"minor_amount": amount, "currency": currency}}}


def refund(status):
    return {"payments_response": None, "refunds_response": {
        "connector_refund_id": "RFWU744586810", "merchant_refund_id": "RFD-7", "status": status,
        "connector_transaction_id": "FWU744586810", "refund_amount": {"minor_amount": "30000", "currency": "EUR"}}}


def paid(name, status, event_type, content, **more):
    return case(name, event("payments", {**PAYMENT, "status": status}), good(event_type, event_response=payment(content)), **more)


def refunded(name, status, event_type, content, date="2026-11-29T09:30:00Z", **more):
    return case(name, event("refunds", {**REFUND, "status": status}, date), good(event_type, event_response=refund(content)), **more)


case = signed_in_a_header("flywire", "X-Flywire-Digest", sign, SECRET)
guaranteed = event("payments", PAYMENT)
answer = good("PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED"))
cut = sign(compact(guaranteed), SECRET)

cases = [
    case("guaranteed: the money will come", guaranteed, {
        **answer, "reference": {"payment": {"connector_transaction_id": "FWU744586810",
                                            "merchant_transaction_id": "STU-2026-0042"}},
        "processor_event": {"type": "payments.guaranteed", "time_ms": "1795944600000"}},
        same_dedupe="redelivery", other_dedupe="payment", same_effect="paid"),
    paid("delivered: it was sent", "delivered", "PAYMENT_INTENT_SUCCESS", "CHARGED", other_dedupe="payment", same_effect="paid"),
    paid("initiated: nothing was received", "initiated", "PAYMENT_INTENT_PROCESSING", "PENDING", other_dedupe="payment",
         other_effect="started"),
    paid("processed is not yet paid", "processed", "PAYMENT_INTENT_PROCESSING", "PENDING", other_dedupe="payment"),
    paid("authorized is held, not paid", "authorized", "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", "AUTHORIZED", other_dedupe="payment"),
    paid("adjusted is still held", "adjusted", "PAYMENT_INTENT_PROCESSING", "AUTHORIZED", other_dedupe="payment"),
    paid("cancelled", "cancelled", "PAYMENT_INTENT_FAILURE", "FAILURE", other_dedupe="payment", other_effect="cancelled"),
    case("a payment that was cancelled starts again: another event and another change", event("payments", {
        **PAYMENT, "status": "initiated"}, "2026-11-30T09:30:00Z"), good(
            "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING")), other_dedupe="payment", other_effect="started"),
    case("and is cancelled again", event("payments", {**PAYMENT, "status": "cancelled"}, "2026-12-01T09:30:00Z"), good(
        "PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE")), other_dedupe="payment", other_effect="cancelled"),
    case("guaranteed and delivered are one change on other days too", event("payments", {
        **PAYMENT, "status": "delivered"}, "2026-12-02T09:30:00Z"), good(
            "PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED")), other_dedupe="payment", same_effect="paid"),
    paid("failed", "failed", "PAYMENT_INTENT_FAILURE", "FAILURE", other_dedupe="payment"),
    paid("a status nobody knows is no success", "on_hold", "PAYMENT_INTENT_PROCESSING", "PENDING"),
    case("what happened is in the data, not in the event's name", event("payments", {**PAYMENT, "status": "failed"},
         event_type="guaranteed"), good("PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE"))),
    case("a charge is an attempt", event("charges", {**PAYMENT, "status": "initiated"}), good(
        "PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING"))),
    refunded("a refund that was begun is no payment", "initiated", "WEBHOOK_REFUND_PROCESSING", "REFUND_PENDING", other_dedupe="refund"),
    refunded("a refund whose money Flywire has", "received", "WEBHOOK_REFUND_PROCESSING", "REFUND_PENDING", other_dedupe="refund",
             other_effect="refund"),
    refunded("a refund that is finished", "finished", "WEBHOOK_REFUND_SUCCESS", "REFUND_SUCCESS", other_dedupe="refund",
             other_effect="refund"),
    refunded("the payer's bank sent it back: under way again, another event", "received", "WEBHOOK_REFUND_PROCESSING",
             "REFUND_PENDING", "2026-11-30T09:30:00Z", other_dedupe="refund", other_effect="refund"),
    refunded("finished at last is another change", "finished", "WEBHOOK_REFUND_SUCCESS", "REFUND_SUCCESS",
             "2026-12-01T09:30:00Z", other_dedupe="refund", other_effect="refund"),
    refunded("a refund that was cancelled", "cancelled", "WEBHOOK_REFUND_FAILURE", "REFUND_FAILURE"),
    refunded("a refund that came back to you", "returned", "WEBHOOK_REFUND_FAILURE", "REFUND_FAILURE"),
    case("a resource without a meaning of ours is an answer", event("disbursements", {"disbursement_id": "D1"}),
         good(None, event_response=None)),
    case("a payment without an id cannot be told", event("payments", {k: v for k, v in PAYMENT.items() if k != "payment_id"}),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a status that comes twice cannot be told", compact(guaranteed).replace(
        '"status":"guaranteed"', '"status":"failed","status":"guaranteed"'), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("yen have no decimals", event("payments", {**PAYMENT, "amount_to": "15000", "currency_to": "JPY"}), good(
        "PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED", "15000", "JPY"))),
    case("an amount may be a number", event("payments", {**PAYMENT, "amount_to": 120000}), answer),
    case("a fraction of a cent is left out", event("payments", {**PAYMENT, "amount_to": "1200.50"}), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {
            "status": "CHARGED", "amount": None}})),
    case("a currency nobody knows leaves the amount out", event("payments", {**PAYMENT, "currency_to": "XXX"}), good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {"amount": None}})),
    case("the shared secret of the configuration", guaranteed, {**answer, "matched_secret": None}, secrets=[],
         config={"shared_secret": SECRET}),
    case("a webhook secret that is wrong is not helped by it", guaranteed, refused("FORGED"), secrets="guess",
         config={"shared_secret": SECRET}),
    case("an empty one of the configuration is none", guaranteed, refused("NO_SECRET", 503), secrets=[], key="",
         config={"shared_secret": ""}),
    case("a digest in hex", guaranteed, refused("FORGED"), signature=base64.b64decode(cut).hex()),
    case("a digest without padding", guaranteed, refused("FORGED"), signature=cut.rstrip("=")),
    *promises_of_a_header(case, "X-Flywire-Digest", sign, SECRET, guaranteed, answer, payment("CHARGED"),
                          changed(guaranteed, data__amount_to="1")),
]
write(__file__, "flywire", "Made by handle.py; answers by hand, from Flywire's documentation.", cases)
