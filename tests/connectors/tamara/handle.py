"""Tamara: Handle. Sources: docs.tamara.co/docs/transaction-authorisation and webhook-subscription,
docs.tamara.co/reference/online-checkout-flow (read 2026-11-30)."""
import hashlib, hmac, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import base64url, changed, compact, refused, write

SECRET, OLD, AT = "3f1b7c0a-notification-token-9d2e", "the-token-before-it-was-changed", 1768471200
ORDER, REFERENCE = "f5d2b1a8-9c3e-4b6f-8a7d-0e1c2b3a4d5e", "ORD-2026-01-0042"
CAPTURE, REFUND = "c0ffee00-1111-4222-8333-444455556666", "beef0000-1111-4222-8333-444455556666"


def token(key=SECRET, header=None, digest="sha256", mac=True, **claims):
    head = base64url(compact(header or {"typ": "JWT", "alg": "HS256"}).encode())
    payload = base64url(compact(claims or {"iat": AT, "exp": AT + 300, "iss": "Tamara"}).encode())
    made = hmac.new(key.encode(), f"{head}.{payload}".encode(), getattr(hashlib, digest)).digest() if mac else b""
    return f"{head}.{payload}.{base64url(made)}"


def notice(event, data=None, **more):
    return {"order_id": ORDER, "order_reference_id": REFERENCE, "order_number": "100042", "event_type": event,
            "data": [] if data is None else data, **more}


def money(amount, currency="SAR"):
    return {"amount": amount, "currency": currency}


def case(name, body, handle, secrets=SECRET, query="the token", header=None, jwt=None, headers=(), at=AT, **more):
    jwt = token() if jwt is None else jwt
    query = jwt if query == "the token" else query
    uri = "/webhooks/tamara" + (f"?tamaraToken={query}" if query is not None else "")
    sent = [["Content-Type", "application/json"]]
    sent += [["Authorization", f"Bearer {jwt}"]] if header is None else [header] if header else []
    return {"name": name, "request": {"method": "POST", "uri": uri, "headers": sent + list(headers),
                                      "body": body if isinstance(body, str) else compact(body)},
            "secrets": secrets if isinstance(secrets, list) else [secrets], "at": at, **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": None, "matched_secret": 1, **more}


def paid(status, **more):
    return {"payments_response": {"connector_transaction_id": ORDER, "merchant_transaction_id": REFERENCE,
                                  "status": status, **more}}


def captured(id, amount):
    return notice("order_captured", {"capture_id": id, "captured_amount": money(amount)})


def refunded(id, amount, currency="SAR"):
    return notice("order_refunded", {"refund_id": id, "capture_id": CAPTURE, "refunded_amount": money(amount, currency),
                                     "comment": "returned"})


authorised = notice("order_authorised")
text = compact(authorised)
forged = refused("FORGED", unverified_response=paid("AUTHORIZED"))
stale = refused("STALE", unverified_response=paid("AUTHORIZED"))
one = {"other_dedupe": "one order"}
broken = {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}


def no(name, jwt, handle=forged, **more):
    return case(name, authorised, handle, jwt=jwt, **more)


cases = [
    case("order_authorised", authorised, good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=paid("AUTHORIZED", error=None, status_code=200),
        reference={"payment": {"connector_transaction_id": ORDER, "merchant_transaction_id": REFERENCE}},
        processor_event={"type": "order_authorised"}), same_dedupe="authorised", **one, other_effect="authorised"),
    case("sent again with a new token", authorised, good("PAYMENT_INTENT_AUTHORIZATION_SUCCESS"),
         jwt=token(iat=AT + 60, exp=AT + 360), at=AT + 60, same_dedupe="authorised"),
    case("order_approved is another change than order_authorised", notice("order_approved"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=paid("AUTHORIZED")), **one, other_effect="authorised"),
    case("order_captured", captured(CAPTURE, 300), good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", event_response=paid("CHARGED", captured_amount="30000")), **one,
         other_effect="captures"),
    case("another capture of the order", captured("c0ffee00-2222", 300), good("PAYMENT_INTENT_CAPTURE_SUCCESS"), **one,
         other_effect="captures"),
    case("order_canceled", notice("order_canceled", {"cancel_id": "cafe0000", "canceled_amount": money(300)}), good(
        "PAYMENT_INTENT_CANCELLED", event_response=paid("VOIDED")), **one, other_effect="cancellations"),
    case("another cancellation of the order", notice("order_canceled", {"cancel_id": "cafe1111", "canceled_amount": money(300)}),
         good("PAYMENT_INTENT_CANCELLED"), **one, other_effect="cancellations"),
    case("order_updated may come again: each is kept", notice("order_updated", {"canceled_amount": money(50)}), good(
        "PAYMENT_INTENT_PROCESSING", event_response=paid("PENDING"), dedupe_key=None), other_effect="updates"),
    case("the next order_updated is another change", notice("order_updated", {"canceled_amount": money(50)}), good(
        "PAYMENT_INTENT_PROCESSING"), jwt=token(iat=AT + 60, exp=AT + 360), at=AT + 60, other_effect="updates"),
    case("order_refunded", refunded(REFUND, 100.5), good("WEBHOOK_REFUND_SUCCESS", event_response={"refunds_response": {
        "connector_refund_id": REFUND, "connector_transaction_id": ORDER, "status": "REFUND_SUCCESS",
        "refund_amount": {"minor_amount": "10050", "currency": "SAR"}}}, reference={"refund": {
            "connector_refund_id": REFUND, "connector_transaction_id": ORDER}}), **one, other_effect="refunds"),
    case("another refund of the order", refunded("beef0000-2222", 100.5), good("WEBHOOK_REFUND_SUCCESS"), **one,
         other_effect="refunds"),
    case("dinars have three decimals", refunded(REFUND, "1.234", "KWD"), good("WEBHOOK_REFUND_SUCCESS", event_response={
        "refunds_response": {"refund_amount": {"minor_amount": "1234", "currency": "KWD"}}})),
    case("what would need rounding is no amount", refunded(REFUND, 1.005), good(
        "WEBHOOK_REFUND_SUCCESS", event_status="INCOMPLETE", event_response={"refunds_response": {"refund_amount": None}})),
    case("order_declined is final, and says why", notice("order_declined", {
        "declined_reason": "risk", "declined_code": "R1"}), good("PAYMENT_INTENT_FAILURE", event_response=paid(
            "FAILURE", error={"connector_details": {"code": "R1", "message": "risk"}})), **one),
    case("order_expired is final", notice("order_expired"), good(
        "PAYMENT_INTENT_EXPIRED", event_response=paid("EXPIRED")), **one),
    case("an event of an order that is not known has no status", notice("order_on_hold"), good(
        None, event_response=paid(None), dedupe_key=None)),
    case("an event of something else", notice("dispute_opened"), good(None, event_response=None)),
    case("the token in the header alone", authorised, good("PAYMENT_INTENT_AUTHORIZATION_SUCCESS"), query=None),
    case("the token in the query alone", authorised, good("PAYMENT_INTENT_AUTHORIZATION_SUCCESS"), header=[]),
    case("an Authorization of the merchant's own stands beside it", authorised, good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS"), header=["Authorization", "Basic c2hvcDp3b3Jk"]),
    case("the header and its scheme in another case", authorised, good("PAYMENT_INTENT_AUTHORIZATION_SUCCESS"),
         query=None, header=["AUTHORIZATION", "bearer " + token()]),
    case("a token without exp does not expire", authorised, good("PAYMENT_INTENT_AUTHORIZATION_SUCCESS"),
         jwt=token(iat=AT), at=AT + 10**8),
    case("in the last second", authorised, good("PAYMENT_INTENT_AUTHORIZATION_SUCCESS"), at=AT + 300),
    no("a second too late", token(), stale, at=AT + 301),
    no("an exp that is no time", token(exp="never")),
    no("an exp that comes twice is none", (lambda head, body: f"{head}.{body}." + base64url(hmac.new(
        SECRET.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()))(
            base64url(b'{"alg":"HS256"}'), base64url(b'{"exp":9999999999,"exp":1}'))),
    case("a token covers no body: whoever has seen one can write this", changed(authorised, order_id="another"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", covers=None)),
    case("the old token while it is changed", authorised, good("PAYMENT_INTENT_AUTHORIZATION_SUCCESS", matched_secret=2),
         secrets=[SECRET, OLD], jwt=token(OLD)),
    no("made with another secret", token("another")),
    no("no algorithm and no signature", token(header={"alg": "none"}, mac=False)),
    no("a right digest under another name", token(header={"alg": "none"})),
    no("another algorithm", token(header={"alg": "HS512"}, digest="sha512")),
    no("what is critical and not understood", token(header={"alg": "HS256", "crit": ["b64"], "b64": False})),
    no("its claims changed", token()[:50] + "A" + token()[51:]),
    no("padded", token() + "="),
    no("four parts", token() + ".x"),
    no("no token at all", "not-a-token"),
    case("two tokens in the query", authorised, forged, query=token() + "&tamaraToken=" + token("another")),
    case("two Authorization headers", authorised, forged, query=None, headers=[["authorization", "Bearer x"]]),
    case("without a token", authorised, refused("NO_SIGNATURE"), query=None, header=[]),
    case("an empty token", authorised, refused("NO_SIGNATURE"), query="", header=[]),
    case("no secret", authorised, refused("NO_SECRET", 503), secrets=[]),
    case("an empty secret proves nothing", authorised, refused("NO_SECRET", 503), secrets=[""], jwt=token("")),
    case("an event that comes twice is none", text.replace('"event_type":', '"event_type":"order_expired","event_type":'), broken),
    case("without an order", changed(authorised, order_id=...), broken),
    case("no JSON", "order_id=1", broken),
]
write(__file__, "tamara", "Made by handle.py; answers by hand, from Tamara's documentation.", cases)
