"""Trustly: Handle. Sources: docs.trustly.com/api, notifications-overview, authentication, debit-notification,
payoutfailed-notification; github.com/trustly/trustly-client-java, its sample notifications and Serializer (read
2026-11-25). Each run makes new keys; the merchant's private key in it is of a test alone."""
import base64, json, os, sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, refused, write

TRUSTLY, OTHER, MERCHANT = (rsa.generate_private_key(65537, 2048) for _ in range(3))
UUID = "258a2184-2842-b485-25ca-293525152425"


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def packed(text):
    return base64.b64encode(text.encode()).decode()


PRIVATE = packed(MERCHANT.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                        serialization.NoEncryption()).decode())


def serialize(value):
    """Trustly's rule: keys in byte order, key and value run together, null an empty text."""
    if isinstance(value, dict):
        return "".join(k + serialize(value[k]) for k in sorted(value, key=lambda k: k.encode()))
    if isinstance(value, list):
        return "".join(map(serialize, value))
    return "" if value is None else str(value)


def sign(method, data, key=TRUSTLY, hash=hashes.SHA1, prefix=""):
    return prefix + base64.b64encode(key.sign((method + UUID + serialize(data)).encode(), padding.PKCS1v15(),
                                              hash())).decode()


def ack(method, status=200):
    """The answer that Trustly takes, signed with the merchant's key."""
    signature = sign(method, {"status": "OK"}, MERCHANT, hashes.SHA256, "alg=RS256;")
    return {"status_code": status, "headers": {"Content-Type": "application/json"}, "body": packed(compact({
        "result": {"signature": signature, "uuid": UUID, "method": method, "data": {"status": "OK"}}, "version": "1.1"}))}


def notice(method, signature, data, version="1.1"):
    return {"method": method, "params": {"signature": signature, "uuid": UUID, "data": data}, "version": version}


def case(name, method, data, handle, signature=None, secrets=None, config=True, body=None, more=None, **signing):
    if signature is None:
        signature = sign(method, data, **signing)
    sent = notice(method, signature, data)
    if signature == "none":
        del sent["params"]["signature"]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/trustly", "headers": [
        ["Content-Type", "application/json; charset=UTF-8"]], "body": body(compact(sent)) if body else compact(sent)},
            "secrets": [public(TRUSTLY)] if secrets is None else secrets,
            "config": {"private_key": PRIVATE} if config else {}, **(more or {}), "handle": handle}


def good(event_type, method, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": ack(method), "unverified_response": None, "covers": ["method", "uuid", "data"],
            "matched_secret": 1, "account": None, "mode": None, **more}


count = 9876543456


def data(**more):
    global count
    count += 1
    return {"amount": "902.50", "currency": "EUR", "messageid": "98348932", "orderid": "87654567", "enduserid": "32123",
            "notificationid": str(count), "timestamp": "2010-01-20 14:42:04.675645+01", "attributes": {}, **more}


EUROS = {"minor_amount": "90250", "currency": "EUR"}


def about(status, **more):
    return {"payments_response": {"connector_transaction_id": "87654567", "merchant_transaction_id": "98348932",
                                  "status": status, "amount": EUROS, **more}}


def refunded(status, **more):
    return {"refunds_response": {"connector_refund_id": "87654567", "connector_transaction_id": "87654567",
                                 "merchant_refund_id": "98348932", "status": status, "refund_amount": EUROS, **more}}


def paid_out(status, **more):
    return {"payouts_response": {"connector_payout_id": "87654567", "merchant_payout_id": "payout_5512",
                                 "payout_status": status, **more}}


credit = data()
forged = refused("FORGED", unverified_response=about("CHARGED"))
keys = {"other_dedupe": "one order", "other_effect": "one order"}
payout = {"other_effect": "one payout", "other_dedupe": "one payout"}


def no(name, **more):
    """One that must be refused though everything else about it is right."""
    return case(name, "credit", credit, forged, **more)


cases = [
    case("credit is the payment that succeeded", "credit", credit, good(
        "PAYMENT_INTENT_SUCCESS", "credit", event_name="PAYMENT_INTENT_SUCCESS", event_response=about(
            "CHARGED", status_code=200, connector_customer_id="32123", error=None),
        reference={"payment": {"connector_transaction_id": "87654567", "merchant_transaction_id": "98348932"}},
        processor_event={"id": credit["notificationid"], "type": "credit", "time_ms": "1263994924675"},
        dedupe_key="trustly:" + credit["notificationid"]), more={**keys, "same_dedupe": "credit"}),
    case("sent again with the same notificationid", "credit", credit, good("PAYMENT_INTENT_SUCCESS", "credit"),
         hash=hashes.SHA256, prefix="alg=RS256;", more={"same_dedupe": "credit"}),
    case("pending comes before it", "pending", data(), good(
        "PAYMENT_INTENT_PROCESSING", "pending", event_name=None, event_response=about("PENDING")), more=keys),
    case("account tells whose account, and no money", "account", {
        "notificationid": "35673567", "messageid": "98348932", "orderid": "87654567", "accountid": "1234567890",
        "verified": "1", "attributes": {"clearinghouse": "SWEDEN", "bank": "SEB", "lastdigits": "084057"}}, good(
            "PAYMENT_INTENT_PROCESSING", "account", event_response=about(
                "PENDING", amount=None, sender_payment_instrument_id="1234567890")),
         more={"other_dedupe": "one order", "other_effect": "one order"}),
    case("cancel", "cancel", data(), good("PAYMENT_INTENT_CANCELLED", "cancel", event_response=about("VOIDED")), more=keys),
    case("debit takes the credit back", "debit", data(), good(
        "PAYMENT_INTENT_FAILURE", "debit", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response=about("FAILURE")),
         more=keys),
    case("payoutconfirmation of a refund", "payoutconfirmation", data(), good(
        "WEBHOOK_REFUND_SUCCESS", "payoutconfirmation", event_name="CHARGE_REFUNDED",
        event_response=refunded("REFUND_SUCCESS"), reference={"refund": {
            "connector_refund_id": "87654567", "connector_transaction_id": "87654567",
            "merchant_refund_id": "98348932"}}), more=keys),
    case("payoutfailed says why", "payoutfailed", data(
        errorcode="incorrect_account_number", errormessage="Format of the account number specified is not correct"), good(
            "WEBHOOK_REFUND_FAILURE", "payoutfailed", event_name=None, event_response=refunded(
                "REFUND_FAILURE", error={"connector_details": {
                    "code": "incorrect_account_number",
                    "message": "Format of the account number specified is not correct"}})), more=keys),
    case("a payout is known by the merchant's id", "payoutconfirmation", data(messageid="payout_5512"), good(
        "PAYOUT_SUCCESS", "payoutconfirmation", event_response=paid_out("SUCCESS"),
        reference={"payout": {"connector_payout_id": "87654567", "merchant_payout_id": "payout_5512"}}), more=payout),
    case("a payout that failed", "payoutfailed", data(messageid="payout_5512", errorcode="returned"), good(
        "PAYOUT_FAILURE", "payoutfailed", event_response=paid_out(
            "FAILED", error={"connector_details": {"code": "returned"}})), more=payout),
    case("a payout's money that came back", "credit", data(messageid="payout_5512"), good(
        "PAYOUT_REVERSED", "credit", event_response=paid_out("REVERSED")), more=payout),
    case("a payout that was cancelled", "cancel", data(messageid="payout_5512"), good(
        "PAYOUT_CANCELLED", "cancel", event_response=paid_out("CANCELLED")), more=payout),
    case("kyc is answered like every notification", "kyc", {
        "messageid": "98348932", "orderid": "87654567", "notificationid": "4567897655", "kycentityid": "d3b1a2c4",
        "attributes": {"personid": "SE198201019876", "firstname": "Jörg", "dob": "1982-01-01"}},
         good(None, "kyc", event_response=None), more={"other_dedupe": "one order"}),
    case("a method that is not known needs no order", "mandate", {"notificationid": "1"}, good(
        None, "mandate", event_response=None)),
    case("crowns without decimals in their text", "credit", data(amount="11", currency="SEK"), good(
        "PAYMENT_INTENT_SUCCESS", "credit", event_response={"payments_response": {
            "amount": {"minor_amount": "1100", "currency": "SEK"}}})),
    case("a third decimal of a euro is left out and said", "credit", data(amount="902.505"), good(
        "PAYMENT_INTENT_SUCCESS", "credit", event_status="INCOMPLETE", event_response={"payments_response": {
            "status": "CHARGED", "amount": None}})),
    case("null is signed as an empty text, with its key", "credit", data(enduserid=None, attributes=None), good(
        "PAYMENT_INTENT_SUCCESS", "credit")),
    case("new members are signed too", "credit", data(bankreference="R1", attributes={"a": ["x", {"b": 1, "a": True}]}),
         good("PAYMENT_INTENT_SUCCESS", "credit"), signature=sign("credit", data(
             bankreference="R1", notificationid=str(count), attributes={"a": ["x", {"b": 1, "a": "true"}]}))),
    case("keys in another order, with white space", "credit", credit, good("PAYMENT_INTENT_SUCCESS", "credit"),
         body=lambda text: compact(dict(reversed(json.loads(text).items()))).replace(":{", " : {\n"),
         more={"same_dedupe": "credit"}),
    *[case(f"alg={name}", "credit", credit, good("PAYMENT_INTENT_SUCCESS", "credit"), hash=digest, prefix=f"alg={name};",
           more={"same_dedupe": "credit"}) for name, digest in [("RS384", hashes.SHA384), ("RS512", hashes.SHA512)]],
    case("the key as base64 of the PEM", "credit", credit, good("PAYMENT_INTENT_SUCCESS", "credit"),
         secrets=[packed(public(TRUSTLY))]),
    case("the second key", "credit", credit, good("PAYMENT_INTENT_SUCCESS", "credit", matched_secret=2),
         secrets=[public(OTHER), public(TRUSTLY)]),
    case("without the merchant's key the answer is not signed, and the event still told", "credit", credit, good(
        "PAYMENT_INTENT_SUCCESS", "credit", event_ack_response={"status_code": 200, "body": None}), config=False),
    case("no order", "credit", changed(credit, orderid=...), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("an amount that is a number", "credit", {**credit, "amount": 902.5},
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("an amount that comes twice", "credit", credit, {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}},
         body=lambda text: text.replace('"amount":"902.50"', '"amount":"902.50","amount":"1.00"')),

    no("another's key", key=OTHER),
    no("the merchant's own key", key=MERCHANT),
    no("SHA-1 under the name of SHA-256", prefix="alg=RS256;"),
    no("SHA-256 without its name", hash=hashes.SHA256),
    no("an algorithm that is not known", prefix="alg=RS999;"),
    no("no algorithm at all", signature="alg=none;"),
    no("a cut signature", signature=sign("credit", credit)[:-8]),
    no("a signature of another method", signature=sign("debit", credit)),
    no("a signature of another amount", signature=sign("credit", {**credit, "amount": "1.00"})),
    no("another uuid than the signed one", body=lambda text: text.replace(UUID, UUID[:-1] + "6")),
    no("a member that was added", body=lambda text: text.replace('"enduserid"', '"extra":"1","enduserid"')),
    no("a secret that is no key", secrets=["not a key"]),
    case("no signature", "credit", credit, refused("NO_SIGNATURE", unverified_response=about("CHARGED")),
         signature="none"),
    case("an empty signature", "credit", credit, refused("NO_SIGNATURE"), signature=""),
    case("no key is configured", "credit", credit, refused("NO_SECRET", 503, unverified_response=about("CHARGED")),
         secrets=[]),
    case("an empty key", "credit", credit, refused("NO_SECRET", 503), secrets=[""]),
    case("a signature that comes twice", "credit", credit, refused("FORGED"), body=lambda text: text.replace(
        '"uuid"', f'"signature":"{sign("credit", credit, OTHER)}","uuid"')),
]
write(__file__, "trustly", "Made by handle.py with keys of its own; answers by hand, from Trustly's documentation.", cases)
