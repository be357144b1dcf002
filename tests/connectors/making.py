"""What the scripts that make handle.json have in common. `tests/connectors/NAME/handle.py` holds its cases with
the answers we promise, written by hand from the processor's documentation; running it makes keys and signatures
and writes handle.json beside it. Nothing of payhook is asked: the signatures are Python's own.

    python3 tests/connectors/razorpay/handle.py      (needs the package `cryptography` for public-key schemes)
"""
import base64, copy, hashlib, hmac, json, os, sys

NOTHING = {"event_type": None, "event_response": None, "source_verified": None, "dedupe_key": None,
           "effect_key": None, "event_name": None, "covers": None, "merchant_event_id": None}


def refused(verdict, status=401, **more):
    """The answer to a request that is not verified: nothing that could be trusted, and a refusal."""
    return {**NOTHING, "verdict": verdict, "event_ack_response": {"status_code": status}, **more}


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def hmac_hex(key, message, digest="sha256"):
    return hmac.new(key.encode(), message.encode(), digest).hexdigest()


def sha256_hex(text):
    return hashlib.sha256(text.encode()).hexdigest()


def changed(value, **changes):
    """A deep copy with members replaced; a path is written with __, and ... removes."""
    out = copy.deepcopy(value)
    for path, new in changes.items():
        *parents, last = path.split("__")
        at = out
        for name in parents:
            at = at[name]
        if new is ...:
            at.pop(last, None)
        else:
            at[last] = new
    return out


def signed_in_a_header(connector, header, sign, secret):
    """The case maker of a connector whose signature is one header: sign(text, key) writes its value. `signature` is
    another value, or "none"; `body_sent` is what arrives in place of what was signed."""
    def case(name, body, handle, secrets=secret, key=secret, signature=None, headers=(), body_sent=None, **more):
        text = body if isinstance(body, str) else compact(body)
        sent = [["Content-Type", "application/json"], [header, signature or sign(text, key)], *headers]
        return {"name": name, "request": {"method": "POST", "uri": f"/webhooks/{connector}",
                                          "headers": [h for h in sent if h[1] != "none"],
                                          "body": text if body_sent is None else body_sent},
                "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}
    return case


def promises_of_a_header(case, header, sign, secret, body, good, content, changed_body):
    """What every such connector promises, on one good event: `good` is the answer to it, `content` what may be read of
    it unverified, `changed_body` another body that would mean something else."""
    text, old = compact(body), secret[::-1] + "0"
    value = sign(text, secret)
    refuse = lambda verdict, *status: refused(verdict, *status, unverified_response=content)
    return [
        case("a redelivery has the same dedupe key", body, good, same_dedupe="redelivery"),
        case("the old secret, while it is being changed", body, {**good, "matched_secret": 2}, secrets=[secret, old],
             key=old, same_dedupe="redelivery"),
        case("the header's name in capitals", body, good, signature="none", headers=[[header.upper(), value]]),
        case("the header's name in small letters", body, good, signature="none", headers=[[header.lower(), value]]),
        case("the same signature twice is one signature", body, good, headers=[[header, value]]),
        case("two different signatures are ambiguous", body, refuse("FORGED"), headers=[[header, sign(text, old)]]),
        case("a body changed after signing tells nothing that is trusted", body, refused("FORGED"),
             body_sent=compact(changed_body)),
        case("another's secret", body, refuse("FORGED"), key="guess"),
        case("an empty key signs nothing", body, refuse("NO_SECRET", 503), secrets="", key=""),
        case("no secret is configured", body, refuse("NO_SECRET", 503), secrets=[]),
        case("no signature", body, refuse("NO_SIGNATURE"), signature="none"),
        case("an empty signature is none", body, refuse("NO_SIGNATURE"), signature=" "),
        case("a cut signature", body, refuse("FORGED"), signature=value[:-12]),
        case("a signature of another text", body, refuse("FORGED"), signature=sign(text + " ", secret)),
    ]


def write(script, connector, notes, cases):
    names = [c["name"] for c in cases]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        sys.exit(f"named twice: {twice}")
    path = os.path.join(os.path.dirname(os.path.abspath(script)), "handle.json")
    with open(path, "w") as f:
        json.dump({"connector": connector, "notes": notes, "cases": cases}, f, indent=1, ensure_ascii=False)
        f.write("\n")
    print(f"{len(cases)} cases: {path}")
