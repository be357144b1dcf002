"""TrueLayer: Handle. Sources: github.com/TrueLayer/truelayer-signing (request-signing-v2.md, the Rust verifier and the
webhook-server examples); docs.truelayer.com/docs, payment-webhooks, payment_disputed-webhook, refund-webhook-specifications,
payout-webhooks, mandate-webhooks, payout-and-refund-returns; RFC 7515 (read 2026-11-25). Each run makes new keys."""
import json, os, sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import base64url, changed, compact, hmac, refused, write

LIVE, TEST = ("https://webhooks.truelayer%s.com/.well-known/jwks" % s for s in ("", "-sandbox"))
PATH, AT, STAMP = "/webhooks/truelayer", 1768471200, "2026-01-15T10:00:00Z"
KEY, OTHER = ec.generate_private_key(ec.SECP521R1()), ec.generate_private_key(ec.SECP521R1())
SMALL, RSA = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM,
                                    serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def number(n, size):
    return base64url(n.to_bytes(size, "big"))


def jwk(kid, key):
    public = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        return {"kty": "RSA", "kid": kid, "alg": "RS512", "n": number(public.n, 256), "e": number(public.e, 3)}
    size = (key.curve.key_size + 7) // 8
    return {"kty": "EC", "kid": kid, "crv": f"P-{key.curve.key_size}", "x": number(public.x, size),
            "y": number(public.y, size)}


JWKS = compact({"keys": [jwk("rsa", RSA), jwk("old", OTHER), jwk("small", SMALL), jwk("now", KEY)]})
SPOILT = compact({"keys": [*json.loads(JWKS)["keys"][:3], {**json.loads(JWKS)["keys"][3], "x": "!"}]})
OTHERS = compact({"keys": [jwk("now", OTHER)]})


def sign(body, path=PATH, key=KEY, headers=(("X-TL-Webhook-Timestamp", STAMP),), method="POST", mac=None, digest=None,
         payload=None, **header):
    """A detached JWS over method, path, the listed headers and the body; members of the header by name, None: none."""
    head = {"alg": "ES512", "kid": "now", "tl_version": "2", "tl_headers": ",".join(n for n, _ in headers), "jku": LIVE,
            **header}
    raw_head = head.get("raw") or compact({k: v for k, v in head.items() if v is not None})
    listed = "".join(f"{n}: {v}\n" for n, v in headers)
    packed = base64url(f"{method} {path}\n{listed}{body}".encode())
    message = f"{base64url(raw_head.encode())}.{packed}".encode()
    if mac is not None:
        signature = hmac.new(mac.encode(), message, digest).digest()
    else:
        size = (key.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(digest or hashes.SHA512())))
        signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return f"{base64url(raw_head.encode())}.{packed if payload else ''}.{base64url(signature)}"


def case(name, body, handle, signature=None, uri=PATH, sent=(("X-TL-Webhook-Timestamp", STAMP),), secrets=(JWKS,),
         header="Tl-Signature", body_sent=None, more=None, **signing):
    text = body if isinstance(body, str) else compact(body)
    if signature is None:
        signature = sign(text, **signing)
    headers = [["Content-Type", "application/json"], *map(list, sent)]
    if signature:
        headers.append([header, signature])
    return {"name": name, "request": {"method": "POST", "uri": uri, "headers": headers, "body": body_sent or text},
            "secrets": list(secrets), "at": AT, **(more or {}), "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "mode": "LIVE",
            "covers": ["method", "path", "listed headers", "body"], **more}


PAYMENT, USER = "60c60a60-ed73-4c09-992c-6c1b1a0a2c11", "9a1b0c2d-3e4f-4a5b-8c9d-e0f1a2b3c4d5"
SOURCE, REFUND = "f1c9b7a0-5f5c-4d3e-8c0e-d7a1b2c3d4e5", "0b6f6a5e-3a0b-4f7e-8f0f-5f3a1c2d3e4f"
MANDATE, PAYOUT = "7c3e3f6a-2222-4d2e-9c8b-7a6f5e4d3c2b", "3f6a7c3e-1111-4d2e-9c8b-7a6f5e4d3c2b"
count = 0


def event(kind, **members):
    global count
    count += 1
    return {"type": kind, "event_version": 1, "event_id": f"b8d4dda0-ff2c-4d77-a6da-4615e4bad9{count:02}", **members}


def about(status, **more):
    return {"payments_response": {"connector_transaction_id": PAYMENT, "status": status, **more}}


def refunded(status, **more):
    return {"refunds_response": {"connector_refund_id": REFUND, "connector_transaction_id": PAYMENT, "status": status,
                                 "merchant_refund_id": None, **more}}


settled = event("payment_settled", payment_id=PAYMENT, settled_at="2026-01-15T09:59:58.123Z",
                payment_method={"type": "bank_transfer", "provider_id": "ob-lloyds"}, user_id=USER,
                payment_source={"id": SOURCE, "account_identifiers": [], "account_holder_name": "Jane Doe"})
body = compact(settled)
forged = refused("FORGED", unverified_response=about("CHARGED"), mode=None)


def no(name, **more):
    """One that must be refused though everything else about it is right."""
    return case(name, settled, forged, **more)


cases = [
    case("payment_settled is the payment that succeeded", settled, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", matched_secret=1,
        merchant_event_id="truelayer:" + settled["event_id"], dedupe_key="truelayer:" + settled["event_id"],
        event_response=about("CHARGED", status_code=200, updated_at="1768471198", customer_name="Jane Doe",
                             connector_customer_id=USER, sender_payment_instrument_id=SOURCE, error=None, amount=None),
        reference={"payment": {"connector_transaction_id": PAYMENT}},
        processor_event={"id": settled["event_id"], "type": "payment_settled", "time_ms": "1768471200000"}),
        more={"same_dedupe": "settled", "other_dedupe": "one payment", "other_effect": "one payment"}),
    case("sent again an hour later: another signature, the same event", settled, good("PAYMENT_INTENT_SUCCESS"),
         headers=(("X-TL-Webhook-Timestamp", "2026-01-15T11:00:00Z"),),
         sent=(("X-TL-Webhook-Timestamp", "2026-01-15T11:00:00Z"),), more={"same_dedupe": "settled"}),
    case("payment_executed is not settled yet", event("payment_executed", payment_id=PAYMENT,
                                                      executed_at="2026-01-15T09:58:00Z"),
         good("PAYMENT_INTENT_PROCESSING", event_name=None, event_response=about("PENDING", updated_at="1768471080")),
         more={"other_dedupe": "one payment", "other_effect": "one payment", "same_effect": "on its way"}),
    case("payment_funds_received can still be reversed", event("payment_funds_received", payment_id=PAYMENT),
         good("PAYMENT_INTENT_PROCESSING", event_response=about("PENDING")),
         more={"other_dedupe": "one payment", "same_effect": "on its way"}),
    case("payment_authorized", event("payment_authorized", payment_id=PAYMENT, authorized_at="2026-01-15T09:57:00Z"),
         good("PAYMENT_INTENT_PROCESSING", event_response=about("AUTHORIZED", authorized_at="1768471020")),
         more={"other_dedupe": "one payment", "other_effect": "one payment"}),
    case("payment_failed says why and where", event(
        "payment_failed", payment_id=PAYMENT, failed_at="2026-01-15T09:59:00Z", failure_stage="authorizing",
        failure_reason="provider_rejected"), good(
            "PAYMENT_INTENT_FAILURE", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response=about(
                "FAILURE", error={"connector_details": {"code": "provider_rejected", "reason": "authorizing"}})),
        more={"other_dedupe": "one payment", "other_effect": "one payment"}),
    case("payment_reversed after it was settled", event("payment_reversed", payment_id=PAYMENT,
                                                        reversed_at="2026-01-16T09:59:00Z"),
         good("PAYMENT_INTENT_CANCELLED", event_name=None, event_response=about("VOIDED")),
         more={"other_dedupe": "one payment", "other_effect": "one payment"}),
    case("payment_disputed is a dispute, which has no id of its own", event(
        "payment_disputed", payment_id=PAYMENT, disputed_at="2026-01-15T09:59:58Z",
        disputed_reason="advance_notice_disputed", expires_at="2026-01-29T00:00:00Z", metadata={}), good(
            "WEBHOOK_DISPUTE_OPENED", event_name="DISPUTE_CREATED", event_response={"disputes_response": {
                "connector_dispute_id": None, "connector_transaction_id": PAYMENT, "dispute_status": "DISPUTE_OPENED",
                "dispute_reason": "advance_notice_disputed", "dispute_date": "1768471198", "due_date": "1769644800"}},
            reference={"dispute": {"connector_transaction_id": PAYMENT, "connector_dispute_id": None}}),
        more={"other_dedupe": "one payment", "other_effect": "one payment"}),
    case("refund_executed, from the sandbox", event("refund_executed", refund_id=REFUND, payment_id=PAYMENT,
                                                    executed_at="2026-01-15T09:59:58Z"),
         good("WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", mode="TEST", event_response=refunded(
             "REFUND_SUCCESS", processed_at="1768471198", refund_amount=None),
             reference={"refund": {"connector_refund_id": REFUND, "connector_transaction_id": PAYMENT,
                                   "merchant_refund_id": None}}),
         jku=TEST, more={"other_dedupe": "one refund", "other_effect": "one refund"}),
    case("the bank returns a refund that was executed", event(
        "refund_failed", refund_id=REFUND, payment_id=PAYMENT, failed_at="2026-01-18T09:59:58Z",
        failure_reason="returned"), good("WEBHOOK_REFUND_FAILURE", event_name=None, event_response=refunded(
            "REFUND_FAILURE", error={"connector_details": {"code": "returned"}})),
        more={"other_dedupe": "one refund", "other_effect": "one refund"}),
    case("payout_executed", event("payout_executed", payout_id=PAYOUT, executed_at="2026-01-15T09:59:58Z",
                                  beneficiary={"type": "external_account"}),
         good("PAYOUT_SUCCESS", event_response={"payouts_response": {"connector_payout_id": PAYOUT,
                                                                     "payout_status": "SUCCESS", "error": None}},
              reference={"payout": {"connector_payout_id": PAYOUT}}), more={"other_effect": "one payout"}),
    case("payout_failed", event("payout_failed", payout_id=PAYOUT, failed_at="2026-01-15T09:59:58Z",
                                failure_reason="returned"),
         good("PAYOUT_FAILURE", event_response={"payouts_response": {
             "payout_status": "FAILED", "error": {"connector_details": {"code": "returned"}}}}),
         more={"other_effect": "one payout"}),
    case("mandate_authorized", event("mandate_authorized", mandate_id=MANDATE, authorized_at="2026-01-15T09:59:58Z"),
         good("MANDATE_ACTIVE", reference={"mandate": {"connector_mandate_id": MANDATE}}),
         more={"other_effect": "one mandate"}),
    case("mandate_revoked", event("mandate_revoked", mandate_id=MANDATE, revoked_at="2026-01-15T09:59:58Z",
                                  revocation_source="client"),
         good("MANDATE_REVOKED", reference={"mandate": {"connector_mandate_id": MANDATE}}),
         more={"other_effect": "one mandate"}),
    case("an event that is not known is an answer", event("payment_link_disabled", payment_link_id=MANDATE),
         good(None, event_response=None)),
    case("the version as text, and an empty payment source", {**settled, "event_version": "1", "payment_source": None},
         good("PAYMENT_INTENT_SUCCESS", event_response=about("CHARGED", customer_name=None)),
         more={"same_dedupe": "settled"}),
    case("a payment's event without the payment is malformed", changed(settled, payment_id=...),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a payment that is named twice is ambiguous", body.replace('"payment_id"', '"payment_id":"x","payment_id"'),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),

    # Where the key comes from.
    case("without a key set: unreachable, come again", settled, refused(
        "UNREACHABLE", 503, unverified_response=about("CHARGED"), mode=None), secrets=()),
    case("an empty secret is none: the key set must be fetched", settled, refused("UNREACHABLE", 503), secrets=("",)),
    case("the key set that was fetched comes as config", settled, good("PAYMENT_INTENT_SUCCESS", matched_secret=None),
         secrets=(), more={"config": {"jwks": JWKS}}),
    *(case(name, settled, refused("UNREACHABLE", 503, unverified_response=about("CHARGED"), mode=None), secrets=(),
           more={"config": {"jwks": text}}) for name, text in (
        ("what was fetched is a page of HTML: no word against the sender", "<html>back soon</html>"),
        ("what was fetched is a key set without keys", '{"keys":[]}'),
        ("the key that was fetched does not read", SPOILT))),
    case("a PEM key as config", settled, good("PAYMENT_INTENT_SUCCESS"), secrets=(),
         more={"config": {"public_key_pem": PEM}}),
    case("the second of two key sets", settled, good("PAYMENT_INTENT_SUCCESS", matched_secret=2),
         secrets=(OTHERS, JWKS)),
    no("a key set without keys", secrets=('{"keys":[]}',)),
    no("a secret that is no key set", secrets=("whsec_123",)),
    no("kid of nobody", kid="unknown"),
    no("kid missing", kid=None),
    no("kid of the RSA key", kid="rsa"),
    no("kid of another key of the set", kid="old"),
    no("another's key under a right kid", key=OTHER),
    no("a key that the token itself brings", key=OTHER, kid="mine", jwk=jwk("mine", OTHER)),

    # The algorithm is TrueLayer's, never the token's.
    no("alg none without a signature", signature=sign(body, alg="none").rsplit(".", 1)[0] + "."),
    no("alg none with the signature", alg="none"),
    no("alg missing", alg=None),
    no("alg es512 in lower case", alg="es512"),
    no("alg HS512 keyed with the key set", alg="HS512", mac=JWKS, digest="sha512"),
    no("alg HS256 keyed with the public key", alg="HS256", mac=PEM, digest="sha256", secrets=(PEM,)),
    no("alg ES512 made as HS512 with the public key", mac=PEM, digest="sha512", secrets=(PEM,)),
    no("alg ES256 over a P-521 key", alg="ES256", digest=hashes.SHA256()),
    no("alg ES512 with a P-256 key", kid="small", key=SMALL),
    no("alg ES256 with a P-256 key of the set", alg="ES256", kid="small", key=SMALL, digest=hashes.SHA256()),
    no("ES512 over SHA-256", digest=hashes.SHA256()),
    no("alg twice", raw='{"alg":"none","alg":"ES512","kid":"now","tl_version":"2","tl_headers":'
       f'"X-TL-Webhook-Timestamp","jku":"{LIVE}"}}'),
    no("crit: what is critical and not understood", crit=["b64"], b64=False),
    no("tl_version 1", tl_version="1"),
    no("tl_version missing", tl_version=None),

    # jku: two addresses, exactly.
    *[no(f"jku {name}", jku=jku) for name, jku in {
        "missing": None, "elsewhere": "https://evil.example/.well-known/jwks", "http": LIVE.replace("https", "http"),
        "with a user": LIVE.replace("https://", "https://evil.example@"),
        "as the user": "https://webhooks.truelayer.com@evil.example/.well-known/jwks",
        "as a subdomain": "https://webhooks.truelayer.com.evil.example/.well-known/jwks",
        "with a longer name": LIVE.replace("webhooks", "evil-webhooks"), "with a port": LIVE.replace(".com", ".com:8443"),
        "with a dot at the end": LIVE.replace(".com", ".com."), "in capitals": LIVE.replace("webhooks.truelayer", "WEBHOOKS.TRUELAYER"),
        "of another path": LIVE.replace("jwks", "jwks.json"), "with a query": LIVE + "?x=1", "with a fragment": LIVE + "#x",
        "with a backslash": "https://webhooks.truelayer.com\\@evil.example/.well-known/jwks",
        "as a list": [LIVE], "with a space": LIVE + " "}.items()],
    case("jku elsewhere and no key set: nobody is asked", settled, forged, secrets=(),
         jku="https://evil.example/.well-known/jwks"),

    # The headers that are signed.
    case("the header's name in another case than tl_headers has it", settled, good("PAYMENT_INTENT_SUCCESS"),
         headers=(("x-tl-webhook-timestamp", STAMP),)),
    case("the signature's header in capitals", settled, good("PAYMENT_INTENT_SUCCESS"), header="TL-SIGNATURE"),
    case("two headers, in the order of tl_headers", settled, good("PAYMENT_INTENT_SUCCESS"),
         headers=(("X-Other", "1"), ("X-TL-Webhook-Timestamp", STAMP)),
         sent=(("X-TL-Webhook-Timestamp", STAMP), ("X-Other", "1"))),
    no("a listed header that is not there", headers=(("X-TL-Webhook-Timestamp", STAMP), ("X-Other", ""))),
    no("a listed header that was changed", sent=(("X-TL-Webhook-Timestamp", "2026-01-15T10:00:01Z"),)),
    no("a listed header that comes twice", sent=(("X-TL-Webhook-Timestamp", STAMP),
                                                ("x-tl-webhook-timestamp", "2026-01-15T10:00:01Z"))),
    no("the listed headers in another order", signature=sign(body, headers=(
        ("X-Other", "1"), ("X-TL-Webhook-Timestamp", STAMP)), tl_headers="X-TL-Webhook-Timestamp,X-Other"),
       sent=(("X-TL-Webhook-Timestamp", STAMP), ("X-Other", "1"))),
    no("two signatures", sent=(("X-TL-Webhook-Timestamp", STAMP), ("Tl-Signature", sign(body, key=OTHER)))),

    # The path and the body.
    case("a query is not part of the path", settled, good("PAYMENT_INTENT_SUCCESS"), uri=PATH + "?unique_param=x"),
    no("a slash that was not signed", uri=PATH + "/"),
    no("a slash that was signed and is gone", path=PATH + "/"),
    no("another path", path="/webhooks/other"),
    no("a path in capitals", path=PATH.upper()),
    no("another method", method="PUT"),
    no("a body changed after signing", body_sent=body.replace('"Jane Doe"', '"Jane Roe"')),
    no("a body parsed and printed again", body_sent=body.replace('":', '": ')),

    # The shape of a detached JWS.
    case("no signature", settled, refused("NO_SIGNATURE", unverified_response=about("CHARGED")), signature=""),
    no("no JWS at all", signature="garbage"),
    no("a JWS with a payload of its own", payload=True),
    no("a JWS of four parts", signature=sign(body) + ".x"),
    no("a signature with padding", signature=sign(body) + "="),
    no("a signature that is cut", signature=sign(body)[:-8]),
    no("a signature that is longer", signature=sign(body) + "AAAA"),
    no("a header that is no JSON", signature=base64url(b"ES512") + "." + sign(body).split(".", 1)[1]),
]
write(__file__, "truelayer", "Made by handle.py with keys of its own; answers by hand, from TrueLayer's documentation.", cases)
