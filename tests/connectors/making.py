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
