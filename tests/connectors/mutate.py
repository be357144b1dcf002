#!/usr/bin/env python3
"""Every sample of every connector, signed, then spoiled in many ways: nothing may crash, hang, or pass for an
event that was not proved. Two rounds: spoiled after it was signed (a stranger's hand) and signed after it was
spoiled (a sender's fault). Deterministic; runs through `payhook sign --ndjson` and `payhook handle --ndjson`.
One result per connector and kind of damage, whatever the number of its mutants."""
import base64, json, os, re, subprocess, sys

PAYHOOK = os.environ.get("PAYHOOK_BIN") or os.path.abspath("build/payhook")
ROOT = os.environ.get("PAYHOOK_SOURCE_DIR") or os.getcwd()
SECRET, EXTRA, AT = "whsec_bXV0YXRlLW11dGF0ZS1tdXRhdGUhIQ", "1", 1764000100
HEX = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
UNSIGNED = ("mollie", "peachpayments")  # what they send unsigned is a hint, and their samples are that
results = {}  # (connector, kind of damage): what is wrong with it


def problem(result, text):
    results.setdefault(result, []).append(text)


def payhook(command, objects):
    text = "".join(json.dumps(o) + "\n" for o in objects).encode()
    p = subprocess.run([PAYHOOK, command, "--ndjson"], input=text, capture_output=True, timeout=300)
    lines = p.stdout.splitlines()
    if p.returncode != 0 or len(lines) != len(objects):
        problem(("every connector", f"{command} answers each line"), f"exit code {p.returncode}, {len(lines)} answers to {len(objects)} lines; "
                f"the next one would be {json.dumps(objects[len(lines)])[:600] if len(lines) < len(objects) else '-'}\n{p.stderr.decode()[-2000:]}")
        return [{"error": {"code": "NONE", "message": "no answer"}}] * len(objects)
    return [json.loads(l.decode("utf-8")) for l in lines]  # strict UTF-8 and JSON, or the test fails


def keys():
    """Private keys for the connectors that sign with one."""
    make = lambda *a: subprocess.run(["openssl", *a], check=True, capture_output=True).stdout.decode()
    ec, rsa = make("ecparam", "-name", "secp521r1", "-genkey", "-noout"), make("genrsa", "2048")
    public = lambda pem: subprocess.run(["openssl", "pkey", "-pubout"], input=pem.encode(), check=True, capture_output=True).stdout.decode()
    return {"truelayer": (ec, public(ec)), "trustly": (rsa, public(rsa))}


def body_of(request):
    return base64.b64decode(request["body_base64"]) if "body_base64" in request else request["body"].encode()


def with_body(request, body):
    rest = {k: v for k, v in request.items() if k not in ("body", "body_base64")}
    try:
        return {**rest, "body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {**rest, "body_base64": base64.b64encode(body).decode()}


NUMBERS = (b"NaN", b"1e999", b"-0", b"1e-999", b"9" * 400, b"0.1", b"-1", b"1E+308", b"00", b"9223372036854775808", b'"1e999"', b"Infinity", b"null", b"[]")
DATES = (b"9999-12-31T23:59:60Z", b"0000-00-00T00:00:00Z", b"99999-01-01", b"2026-02-30T25:61:61+99:99", b"")


def is_broken_json(body):
    """By Python's own parser; signs that are no UTF-8, and control signs in a text, are let through: processors send them."""
    def refuse(constant):
        raise ValueError(constant)
    try:
        json.loads(body.decode("utf-8", "replace"), strict=False, parse_constant=refuse)
        return False
    except (ValueError, RecursionError):
        return True


def spoiled(body):
    """(kind of damage, where, the body) in a fixed order."""
    n = len(body)
    for i in range(12):
        yield "cut", n * i // 12, body[:n * i // 12]
    for i in range(6):
        at = (n - 1) * i // 5
        yield "bit flipped", at, body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        yield "not UTF-8", at, body[:at] + b"\xff\xc0\x80" + body[at:]
        yield "NUL", at, body[:at] + b"\0" + body[at:]
    for m in list(re.finditer(rb'(?<=[:=] )-?\d+(\.\d+)?|(?<=[:=>])-?\d+(\.\d+)?', body))[:3]:
        for number in NUMBERS:
            yield f"number {number[:20].decode()}", m.start(), body[:m.start()] + number + body[m.end():]
    for m in list(re.finditer(rb"\d{4}-\d\d-\d\dT[^\"<&]*", body))[:1]:
        for date in DATES:
            yield f"date {date.decode() or 'empty'}", m.start(), body[:m.start()] + date + body[m.end():]
    first = re.match(rb'\s*\{\s*("[^"]*"\s*:\s*)', body)
    if first:
        key, at = first.group(1), first.end() - len(first.group(1))
        yield "first key doubled", at, body[:at] + key + b'"other",' + body[at:]
        yield "nested 10,000 deep", at, body[:at] + b'"deep":' + b"[" * 10000 + b"]" * 10000 + b"," + body[at:]
        yield "nested objects, not closed", at, body[:at] + b'"deep":' + b'{"a":' * 10000
        yield "text behind", n, body + b"{}"
    elif body.startswith(b"<"):
        yield "nested 10,000 deep", 0, body.split(b"<", 1)[0] + b"<a>" * 10000 + b"</a>" * 10000
        yield "entities", 0, b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    else:
        yield "field doubled", n, body + b"&" + body.split(b"&")[0] + b"x"
        yield "3000 fields", n, b"&".join([body] + [b"f%d=1" % i for i in range(3000)])
        yield "broken escapes", 0, body.replace(b"=", b"=%", 3) + b"%4"


def samples():
    for folder, _, files in sorted(os.walk(f"{ROOT}/connectors/samples")):
        for file in sorted(files):
            connector, *variant = os.path.relpath(folder, f"{ROOT}/connectors/samples").split("/")
            yield connector, file.rsplit(".", 1)[0], "".join(variant)


def judge(result, what, answer, unlike=False, broken=False):
    """What must hold of any answer. unlike: the body is not the one that was signed; broken: it cannot be read."""
    results.setdefault(result, [])
    wrong = lambda text: problem(result, f"{what}: {text}")
    if "error" in answer:
        if not answer["error"].get("code") or not answer["error"].get("message"):
            wrong(f"an error without code or words: {answer}")
        return
    for event in [answer, *answer.get("more_events", [])]:
        proved = event.get("verdict") == "VERIFIED"
        if not proved and ("event_type" in event or "event_response" in event or event.get("source_verified")):
            wrong(f"passes for an event, and the verdict is {event.get('verdict')}")
        if proved and not event.get("source_verified"):
            wrong("VERIFIED without source_verified")
        if not event.get("verdict_reason"):
            wrong("no reason")
    if unlike and answer.get("verdict") == "VERIFIED":
        wrong("VERIFIED, though the body that the signature covers was changed")
    if broken and ("event_type" in answer or "event_response" in answer):
        wrong(f"read for an event, though it is no JSON: {answer.get('event_type')}")


def signed_samples():
    """(connector, sample, the line it was signed by, the signed request, the answer to it)."""
    pem = keys()
    signing = []
    for connector, sample, variant in samples():
        private, public = pem.get(connector, ("", HEX if connector == "adyen" else SECRET))
        line = {"connector": connector, "sample": sample, "variant": variant, "secrets": {"secret": public, "additional_secret": EXTRA}, "at": AT}
        if private:
            line["config"] = {"private_key_pem": private, "kid": "k1"}
        signing.append(line)
    good = []
    for line, made in zip(signing, payhook("sign", signing)):
        if "error" not in made:
            good.append((line["connector"], line["sample"], line, made))
        elif line["connector"] not in ("paypal", "mollie"):  # nothing of ours can sign for them
            problem((line["connector"], "as signed"), f"{line['sample']} is not signed: {made['error']}")
    if len(good) < 200:
        problem(("every connector", "as signed"), f"only {len(good)} of {len(signing)} samples are signed")
    answers = payhook("handle", [asked(line, made) for _, _, line, made in good])
    for (c, s, _, _), answer in zip(good, answers):
        judge((c, "as signed"), s, answer)
        if answer.get("verdict") != "VERIFIED" and c not in UNSIGNED:
            problem((c, "as signed"), f"{s} does not verify: {answer}")
    return [(*g, answer) for g, answer in zip(good, answers)]


def asked(line, request):
    return {**{k: v for k, v in line.items() if k in ("connector", "secrets", "at")}, "request": request,
            "event_context": {"payment": {"capture_method": "AUTOMATIC"}}}


def main():
    good = signed_samples()
    after, before = [], []  # (result, what, unlike, broken, line)
    for i, (c, s, line, made, plain) in enumerate(good):
        covered = "body" in plain.get("covers", [])
        body = body_of(made)
        for k, (kind, at, changed) in enumerate(spoiled(body)):
            broken = body.startswith(b"{") and is_broken_json(changed)
            if (i + k) % 3 == 0:  # a third of them: the ways take turns over the samples
                after.append(((c, f"signed, then: {kind}"), f"{s} at {at}", covered and changed != body, broken,
                              asked(line, with_body(made, changed))))
            if (i + k) % 4 == 0:
                unsigned = {k: v for k, v in line.items() if k != "sample"}
                before.append(((c, f"{kind}, then signed"), f"{s} at {at}", broken, line,
                               {**unsigned, "request": with_body({"uri": "/"}, changed)}))
        doubled = {**made, "headers": [h for x in made["headers"] for h in (x, [x[0].swapcase(), x[1] + "x"])]}
        after.append(((c, "headers doubled"), s, False, False, asked(line, doubled)))
        after.append(((c, "no headers"), s, False, False, asked(line, {**made, "headers": []})))
    c, _, line, made, _ = good[0]
    after.append(((c, "a body of 1 MiB and more"), "", False, False, asked(line, with_body(made, body_of(made) + b" " * (1 << 20)))))
    for (result, what, unlike, broken, _), answer in zip(after, payhook("handle", [x[4] for x in after])):
        judge(result, what, answer, unlike, broken)
    signed = payhook("sign", [x[4] for x in before])
    again = [(result, what, broken, asked(line, m)) for (result, what, broken, line, _), m in zip(before, signed) if "error" not in m]
    for (result, what, broken, _), answer in zip(again, payhook("handle", [x[3] for x in again])):
        judge(result, what, answer, False, broken)
    print(f"{len(good)} samples, {len(after)} spoiled after signing, {len(again)} of {len(before)} spoiled before it")
    if len(after) < 5000 or len(again) < 500:
        problem(("every connector", "enough was tried"), f"{len(after)} and {len(again)}")
    failed = {result: wrong for result, wrong in results.items() if wrong}
    for (connector, kind), wrong in list(failed.items())[:20]:
        print(f"FAIL {connector}, {kind}: {len(wrong)} times; first: {wrong[0]}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


main()
