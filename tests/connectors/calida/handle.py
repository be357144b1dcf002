"""Calida: Handle. Nothing of the processor's own was found; the cases follow what was observed (2026-11-24). The signed texts
are Python's json, which agrees with what was observed for numbers of that kind, and by hand where it does not."""
import json, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, promises_of_a_header, refused, signed_in_a_header, write

SECRET = "eorder_whk_8812"
ORDER = {"status": "COMPLETED", "order_id": "ORD-20261129-000123", "id": 1000123, "customer_id": "cus_77",
         "customer_email": "jane@example.com", "shop_name": "acme-shop", "amount": 104.5, "currency": "EUR",
         "charged_amount": 104.5, "charged_amount_currency": "EUR", "charged_fx_amount": None, "is_underpaid": False}


def canonical(text):
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sign(text, key):
    return hmac_hex(key, canonical(text), "sha512")


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body"],
            "matched_secret": 1, **more}


def payment(status, amount="10450", currency="EUR"):
    return {"payments_response": {"connector_transaction_id": "ORD-20261129-000123", "status": status,
                                  "amount": {"minor_amount": amount, "currency": currency}}}


def told(name, status, event_type, content):
    return case(name, {**ORDER, "status": status}, good(event_type, event_response=payment(content)), other_dedupe="event")


def written(name, sent, signed, handle, **more):
    return case(name, sent, handle, signature=hmac_hex(SECRET, signed, "sha512"), **more)


case = signed_in_a_header("calida", "X-Eorder-Webhook-Signature", sign, SECRET)
answer = good("PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED"))
text = compact(ORDER)

cases = [
    case("completed", ORDER, {**answer, "reference": {"payment": {"connector_transaction_id": "ORD-20261129-000123"}},
                              "processor_event": {"id": None, "type": "COMPLETED"}}, same_dedupe="redelivery", other_dedupe="event"),
    told("failed is no success", "FAILED", "PAYMENT_INTENT_FAILURE", "FAILURE"),
    told("pending is no success", "PENDING", "PAYMENT_INTENT_PROCESSING", "AUTHENTICATION_PENDING"),
    told("begun", "PAYMENT_INITIATED", "PAYMENT_INTENT_PROCESSING", "AUTHENTICATION_PENDING"),
    told("looked at by people", "MANUAL_PROCESSING", "PAYMENT_INTENT_PROCESSING", "PENDING"),
    told("a status nobody knows", "succeeded", None, None),
    case("sent with blanks and in another order", json.dumps(dict(reversed(ORDER.items())), indent=1), answer, same_dedupe="redelivery"),
    written("signed as it came, not as it is written again", text, text, refused("FORGED")),
    written("a fraction keeps its point", text.replace("104.5", "100.0"), canonical(text).replace("104.5", "100.0"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED", "10000"))),
    written("a whole number has none", text.replace("104.5", "100"), canonical(text).replace("104.5", "100"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED", "10000"))),
    written("the two are not the same text", text.replace("104.5", "100"), canonical(text).replace("104.5", "100.0"), refused("FORGED")),
    written("zeros at the end are not written", text.replace("104.5", "104.50"), canonical(text), answer),
    written("an exponent is written out", text.replace("104.5", "1.045e2"), canonical(text), answer),
    *[written(f"signed the same, and the same event: what was charged as {sent}", text.replace('"charged_amount":104.5,', f'"charged_amount":{sent},'),
              canonical(text), answer, same_dedupe="redelivery") for sent in ("104.50", "1.045e2", "0.1045E+3")],
    case("charged another amount it is another event", {**ORDER, "charged_amount": 20.5}, answer, other_dedupe="event"),
    written("far from the point it is not", text.replace("104.5", "1e16"), canonical(text).replace("104.5", "1e+16"), good(
        "PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED", "1000000000000000000"))),
    written("more digits than anybody writes do not pass for fewer", text.replace("104.5", "104.49999999999999999999"),
            canonical(text), refused("FORGED")),
    written("another amount", text.replace("104.5", "1.5"), canonical(text), refused("FORGED")),
    written("letters are written as they are, signs that cannot be are escaped", text.replace(
        "acme-shop", "caf\\u00e9 \\/ \\u0007 \\n"), canonical(text).replace("acme-shop", "café / \\u0007 \\n"), answer),
    written("a key that comes twice: which was signed?", text.replace('"id":1000123', '"id":1,"id":1000123'), canonical(text),
            refused("FORGED")),
    case("yen have no decimals", {**ORDER, "amount": 5000, "currency": "JPY"}, good(
        "PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED", "5000", "JPY"))),
    case("a fraction of a cent is left out", {**ORDER, "amount": 104.505}, good(
        "PAYMENT_INTENT_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {"amount": None}})),
    case("an amount in quotes", {**ORDER, "amount": "104.50"}, {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("an order without an id cannot be told", changed(ORDER, order_id=...), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("the signature in capitals", ORDER, answer, signature=sign(text, SECRET).upper()),
    case("a shorter hash", ORDER, refused("FORGED"), signature=hmac_hex(SECRET, canonical(text))),
    *[c for c in promises_of_a_header(case, "X-Eorder-Webhook-Signature", sign, SECRET, ORDER, answer, payment("CHARGED"),
                                      changed(ORDER, amount=1.5)) if c["name"] != "a signature of another text"],
]
write(__file__, "calida", "Made by handle.py; answers by hand, from what was observed.", cases)
