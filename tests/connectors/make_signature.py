#!/usr/bin/env python3
"""Prints the signature header of a body, for new cases in handle.json. Written from the processors' own
documentation and apart from the engine, so that the two can disagree.

usage: make_signature.py stripe SECRET UNIX_SECONDS          <body
       make_signature.py mollie SECRET                       <body
       make_signature.py standardwebhooks SECRET UNIX_SECONDS ID <body"""
import base64
import hashlib
import hmac
import sys


def stripe(body, secret, time):
    """docs.stripe.com/webhooks: hex HMAC-SHA256 over "time.body", the whole secret as text."""
    mac = hmac.new(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"Stripe-Signature: t={time},v1={mac}"


def mollie(body, secret):
    """docs.mollie.com/reference/webhooks-best-practices: hex HMAC-SHA256 over the body."""
    return "X-Mollie-Signature: sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standardwebhooks(body, secret, time, message_id):
    """The specification 1.0.0: base64 HMAC-SHA256 over "id.time.body", the key base64 after whsec_."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{time}.".encode() + body, hashlib.sha256).digest()
    return (f"webhook-id: {message_id}\nwebhook-timestamp: {time}\n"
            f"webhook-signature: v1,{base64.b64encode(mac).decode()}")


SCHEMES = {"stripe": stripe, "mollie": mollie, "standardwebhooks": standardwebhooks}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in SCHEMES:
        sys.exit(__doc__)
    print(SCHEMES[sys.argv[1]](sys.stdin.buffer.read(), *sys.argv[2:]))
