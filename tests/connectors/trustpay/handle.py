"""TrustPay: Handle. Source: doc.trustpay.eu, notifications (read 2026-11-24)."""
import copy, hashlib, hmac, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, refused, sha256_hex, write

SECRET, OLD = "tpSecretKey_0a1b2c", "tpSecretKey_before"
REASON = {"StatusReasonInformation": {"Reason": {"Code": "4.01.01", "RejectReason": "Insufficient funds"}}}
WHY = {"error": {"connector_details": {"code": "4.01.01", "message": "Insufficient funds"}}}


def leaves(value):
    if isinstance(value, dict):
        return [x for v in value.values() for x in leaves(v)]
    if isinstance(value, list):
        return [x for v in value for x in leaves(v)]
    if value is None or isinstance(value, bool):
        return ["null" if value is None else str(value).lower()]
    return [value if isinstance(value, str) else f"{value:.2f}"]


def sign(notice, key=SECRET):
    """Every value but the signature, sorted, with slashes between."""
    text = "/".join(sorted(leaves({k: v for k, v in notice.items() if k != "Signature"}), key=lambda t: t.encode()))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def notice(indicator, status, amount=10.5, currency="EUR", **more):
    return {"PaymentMethod": "EPS", "MerchantIdentification": {"ProjectId": "4107600250"}, "PaymentInformation": {
        "Amount": {"Amount": amount, "Currency": currency}, "CreditDebitIndicator": indicator, "References": {
            "EndToEndId": "EE-1234", "PaymentId": "177561", "PaymentRequestId": "1000201039",
            "MerchantReference": "order-10045"}, "Status": status,
        "Debtor": {"DebtorAccount": {"Iban": "AT611904300234573201"}, "Debtor": {"Name": "Jörg Müller"}}, **more}}


def case(name, body, handle, secrets=SECRET, key=SECRET, signature=None, sent=None, text=None, **more):
    body = copy.deepcopy(body)
    if signature != "none":
        body["Signature"] = sign(body, key) if signature is None else signature
    if sent is not None:
        body = sent(body)
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/trustpay", "headers": [
        ["Content-Type", "application/json"]], "body": (text or (lambda t: t))(compact(body))},
            "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["values"],
            "matched_secret": 1, "account": "4107600250", **more}


EUROS = {"minor_amount": "1050", "currency": "EUR"}


def paid(status, **more):
    return {"payments_response": {"connector_transaction_id": "1000201039", "merchant_transaction_id": "order-10045",
                                  "status": status, "amount": EUROS, **more}}


def refunded(status, **more):
    return {"refunds_response": {"connector_refund_id": "177561", "status": status, "refund_amount": EUROS, **more}}


def other_order(body):
    """The same in another order of members, on every level."""
    return {k: other_order(v) if isinstance(v, dict) else v for k, v in reversed(list(body.items()))}


def exchanged(body):
    references = body["PaymentInformation"]["References"]
    references["PaymentId"], references["PaymentRequestId"] = references["PaymentRequestId"], references["PaymentId"]
    return body


done = notice("CRDT", "Paid")
forged = refused("FORGED", unverified_response=paid("CHARGED"))
one = {"other_dedupe": "one payment"}
broken = {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}
SUCCESS = "PAYMENT_INTENT_SUCCESS"

cases = [
    case("paid", done, good(SUCCESS, event_name=SUCCESS, event_response=paid("CHARGED", error=None, status_code=200),
                            reference={"payment": {"connector_transaction_id": "1000201039",
                                                   "merchant_transaction_id": "order-10045"}},
                            processor_event={"type": "CRDT-Paid"}), same_dedupe="paid", **one),
    case("sent again, its members in another order", done, good(SUCCESS), sent=other_order, same_dedupe="paid"),
    case("the signature covers no names: values may be exchanged, and make no second event", done, good(
        SUCCESS, event_response=paid("CHARGED", connector_transaction_id="177561")), sent=exchanged, same_dedupe="paid"),
    case("10.50 is signed as 10.5 is", done, good(SUCCESS, event_response=paid("CHARGED")),
         text=lambda t: t.replace("10.5", "10.50"), same_dedupe="paid"),
    case("rejected says why", notice("CRDT", "Rejected", **REASON), good(
        "PAYMENT_INTENT_FAILURE", event_response=paid("AUTHORIZATION_FAILED", **WHY)), **one),
    case("authorised", notice("CRDT", "Authorized"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=paid("AUTHORIZED")), **one),
    case("authorising", notice("CRDT", "Authorizing"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=paid("AUTHORIZING")), **one),
    case("pending", notice("CRDT", "Pending"), good("PAYMENT_INTENT_PROCESSING", event_response=paid("PENDING")), **one),
    case("a status that is not known is none", notice("CRDT", "Teleported"), good(None, event_response=paid(None)), **one),
    case("a refund", notice("DBIT", "Refunded"), good(
        "WEBHOOK_REFUND_SUCCESS", event_response=refunded("REFUND_SUCCESS"), reference={
            "refund": {"connector_refund_id": "177561"}}), **one),
    case("a refund paid out", notice("DBIT", "Paid"), good(
        "WEBHOOK_REFUND_SUCCESS", event_response=refunded("REFUND_SUCCESS")), **one),
    case("a refund under way", notice("DBIT", "Pending"), good(
        "WEBHOOK_REFUND_PROCESSING", event_response=refunded("REFUND_PENDING")), **one),
    case("a refund that failed says why", notice("DBIT", "Rejected", **REASON), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refunded("REFUND_FAILURE", **WHY)), **one),
    case("a refund's status that is not known is none", notice("DBIT", "Teleported"), good(
        None, event_response=refunded(None))),
    case("charged back", notice("DBIT", "Chargebacked"), good("WEBHOOK_DISPUTE_LOST", event_response={"disputes_response": {
        "connector_dispute_id": "177561", "dispute_status": "DISPUTE_LOST", "dispute_stage": "ACTIVE_DISPUTE",
        "dispute_amount": EUROS}}), **one),
    case("neither credit nor debit", notice("BOTH", "Paid"), good(None, event_response=None)),
    case("forints without a fraction", notice("CRDT", "Paid", 500, "HUF"), good(SUCCESS, event_response=paid(
        "CHARGED", amount={"minor_amount": "50000", "currency": "HUF"}))),
    case("yen have no decimals", notice("CRDT", "Paid", 500, "JPY"), good(SUCCESS, event_response=paid(
        "CHARGED", amount={"minor_amount": "500", "currency": "JPY"}))),
    case("a large amount", notice("CRDT", "Paid", 99999999.99), good(SUCCESS, event_response=paid(
        "CHARGED", amount={"minor_amount": "9999999999", "currency": "EUR"}))),
    case("less than nothing", notice("CRDT", "Paid", -0.05), good(SUCCESS)),
    case("null, true, lists, empty texts and other alphabets", notice(
        "CRDT", "Paid", Flag=True, Off=False, Nothing=None, More={"a": [1, "x", None, {"b": []}], "c": "", "d": "日本", "e": "éa"}),
         good(SUCCESS, event_response=paid("CHARGED"))),
    case("hex in lower case", done, good(SUCCESS), signature=sign(done).lower()),
    case("the old secret while it is changed", done, good(SUCCESS, matched_secret=2), secrets=[SECRET, OLD], key=OLD),
    case("signed with another secret", done, forged, key="another"),
    case("an amount that was changed", done, refused("FORGED"), text=lambda t: t.replace("10.5", "10.51")),
    case("a value more", done, forged, sent=lambda b: {**b, "Extra": "x"}),
    case("an empty value more", done, forged, sent=lambda b: {**b, "Extra": ""}),
    case("a value less", done, forged, sent=lambda b: changed(b, PaymentMethod=...)),
    case("the signature a second time, deeper down", done, forged,
         sent=lambda b: changed(b, PaymentInformation__Signature=b["Signature"])),
    case("a digest without a key proves nothing", done, forged, signature=sha256_hex("/".join(sorted(leaves(done))))),
    case("not hex", done, forged, signature="not hex"),
    case("half a signature", done, forged, signature=sign(done)[:32]),
    case("without a signature", done, refused("NO_SIGNATURE"), signature="none"),
    case("an empty signature", done, refused("NO_SIGNATURE"), signature=""),
    case("no secret", done, refused("NO_SECRET", 503), secrets=[]),
    case("an empty secret proves nothing", done, refused("NO_SECRET", 503), secrets=[""], key=""),
    case("a status that comes twice is none", done, broken,
         text=lambda t: t.replace('"Status":', '"Status":"Rejected","Status":')),
    case("a refund without its id", changed(notice("DBIT", "Refunded"), PaymentInformation__References__PaymentId=...), broken),
    case("a currency that nobody knows", notice("CRDT", "Paid", currency="ZZZ"), broken),
    case("no JSON", done, broken, text=lambda t: t[:60]),
]
write(__file__, "trustpay", "Made by handle.py; answers by hand, from TrustPay's documentation.", cases)
