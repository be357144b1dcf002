#!/usr/bin/env python3
"""Every sample of every connector, signed, then spoiled in many ways: nothing may crash, hang, or pass for an
event that was not proved. Two rounds: spoiled after it was signed (a stranger's hand) and signed after it was
spoiled (a sender's fault). Deterministic; runs through `payhook sign --ndjson` and `payhook handle --ndjson`."""
import base64, json, os, re, subprocess, sys

PAYHOOK = os.environ.get("PAYHOOK_BIN") or os.path.abspath("build/payhook")
ROOT = os.environ.get("PAYHOOK_SOURCE_DIR") or os.getcwd()
SECRET, EXTRA, AT = "whsec_bXV0YXRlLW11dGF0ZS1tdXRhdGUhIQ", "1", 1764000100
HEX = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
problems = []


def payhook(command, objects):
    text = "".join(json.dumps(o) + "\n" for o in objects).encode()
    p = subprocess.run([PAYHOOK, command, "--ndjson"], input=text, capture_output=True, timeout=300)
    lines = p.stdout.splitlines()
    if p.returncode != 0 or len(lines) != len(objects):
        problems.append(f"{command}: exit code {p.returncode}, {len(lines)} answers to {len(objects)} lines; the next one would be "
                        f"{json.dumps(objects[len(lines)])[:600] if len(lines) < len(objects) else '-'}\n{p.stderr.decode()[-2000:]}")
        return []
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


def spoiled(body):
    """(what was done, the body) in a fixed order."""
    n = len(body)
    for i in range(12):
        yield f"cut at {n * i // 12}", body[:n * i // 12]
    for i in range(6):
        at = (n - 1) * i // 5
        yield f"bit flipped at {at}", body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        yield f"not UTF-8 at {at}", body[:at] + b"\xff\xc0\x80" + body[at:]
        yield f"NUL at {at}", body[:at] + b"\0" + body[at:]
    for m in list(re.finditer(rb'(?<=[:=] )-?\d+(\.\d+)?|(?<=[:=>])-?\d+(\.\d+)?', body))[:3]:
        for number in NUMBERS:
            yield f"number {number[:20]} at {m.start()}", body[:m.start()] + number + body[m.end():]
    for m in list(re.finditer(rb"\d{4}-\d\d-\d\dT[^\"<&]*", body))[:1]:
        for date in DATES:
            yield f"date {date}", body[:m.start()] + date + body[m.end():]
    first = re.match(rb'\s*\{\s*("[^"]*"\s*:\s*)', body)
    if first:
        key, at = first.group(1), first.end() - len(first.group(1))
        yield "first key doubled", body[:at] + key + b'"other",' + body[at:]
        yield "nested 10,000 deep", body[:at] + b'"deep":' + b"[" * 10000 + b"]" * 10000 + b"," + body[at:]
        yield "nested objects, not closed", body[:at] + b'"deep":' + b'{"a":' * 10000
        yield "text behind", body + b"{}"
    elif body.startswith(b"<"):
        yield "nested 10,000 deep", body.split(b"<", 1)[0] + b"<a>" * 10000 + b"</a>" * 10000
        yield "entities", b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    else:
        yield "field doubled", body + b"&" + body.split(b"&")[0] + b"x"
        yield "3000 fields", b"&".join([body] + [b"f%d=1" % i for i in range(3000)])
        yield "broken escapes", body.replace(b"=", b"=%", 3) + b"%4"


def samples():
    for folder, _, files in sorted(os.walk(f"{ROOT}/connectors/samples")):
        for file in sorted(files):
            connector, *variant = os.path.relpath(folder, f"{ROOT}/connectors/samples").split("/")
            yield connector, file.rsplit(".", 1)[0], "".join(variant)


def judge(what, answer, covers_body, changed):
    """What must hold of any answer."""
    if "error" in answer:
        if not answer["error"].get("code") or not answer["error"].get("message"):
            problems.append(f"{what}: an error without code or words: {answer}")
        return
    for event in [answer, *answer.get("more_events", [])]:
        proved = event.get("verdict") == "VERIFIED"
        if not proved and ("event_type" in event or "event_response" in event or event.get("source_verified")):
            problems.append(f"{what}: passes for an event, and the verdict is {event.get('verdict')}")
        if proved and not event.get("source_verified"):
            problems.append(f"{what}: VERIFIED without source_verified")
        if not event.get("verdict_reason"):
            problems.append(f"{what}: no reason")
    if changed and covers_body and answer.get("verdict") == "VERIFIED":
        problems.append(f"{what}: VERIFIED, though the body that the signature covers was changed")


def main():
    pem = keys()
    known = []
    signing = []
    for connector, sample, variant in samples():
        private, public = pem.get(connector, ("", HEX if connector == "adyen" else SECRET))
        line = {"connector": connector, "sample": sample, "variant": variant, "secrets": {"secret": public, "additional_secret": EXTRA}, "at": AT}
        if private:
            line["config"] = {"private_key_pem": private, "kid": "k1"}
        known.append((connector, sample, line))
        signing.append(line)
    made = payhook("sign", signing)
    good = [(c, s, l, m) for (c, s, l), m in zip(known, made) if "error" not in m]
    wrong = [(c, s) for (c, s, l), m in zip(known, made) if "error" in m and c not in ("paypal", "mollie")]
    if wrong or len(good) < 200:
        problems.append(f"only {len(good)} of {len(known)} samples are signed; not: {wrong[:5]}")
    ask = lambda line, request: {**{k: v for k, v in line.items() if k in ("connector", "secrets", "at")}, "request": request,
                                  "event_context": {"payment": {"capture_method": "AUTOMATIC"}}}
    plain = payhook("handle", [ask(l, m) for _, _, l, m in good])
    for (c, s, _, _), a in zip(good, plain):
        judge(f"{c} {s} as signed", a, False, False)
    unproved = sorted({c for (c, _, _, _), a in zip(good, plain) if a.get("verdict") != "VERIFIED"} - {"mollie"})
    if unproved:
        problems.append(f"samples do not verify as signed: {unproved}")
    after, before = [], []
    for i, ((c, s, l, m), a) in enumerate(zip(good, plain)):
        covers_body = a.get("covers") and "body" in a["covers"]
        body = body_of(m)
        for k, (how, changed) in enumerate(spoiled(body)):
            if (i + k) % 3 == 0:  # a third of them: the ways take turns over the samples
                after.append((f"{c} {s}, signed, then {how}", covers_body, changed != body, ask(l, with_body(m, changed))))
            if (i + k) % 4 == 0:
                unsigned = {k: v for k, v in l.items() if k != "sample"}
                before.append((f"{c} {s}, {how}, then signed", l, {**unsigned, "request": with_body({"uri": "/"}, changed)}))
        doubled = {**m, "headers": [h for x in m["headers"] for h in (x, [x[0].swapcase(), x[1] + "x"])]}
        after.append((f"{c} {s}, headers doubled", False, False, ask(l, doubled)))
        after.append((f"{c} {s}, no headers", False, False, ask(l, {**m, "headers": []})))
    c, s, l, m = good[0]
    after.append(("a body of 1 MiB and more", False, False, ask(l, with_body(m, body_of(m) + b" " * (1 << 20)))))
    for (what, covers, changed, _), answer in zip(after, payhook("handle", [x[3] for x in after])):
        judge(what, answer, covers, changed)
    made = payhook("sign", [x[2] for x in before])
    again = [(what, ask(l, m)) for (what, l, _), m in zip(before, made) if "error" not in m]
    for (what, _), answer in zip(again, payhook("handle", [x[1] for x in again])):
        judge(what, answer, False, False)
    print(f"{len(good)} samples, {len(after)} spoiled after signing, {len(again)} of {len(before)} spoiled before it")
    if len(after) < 5000 or len(again) < 500:
        problems.append("too little was tried")
    for p in problems[:20]:
        print("FAIL", p)
    print(f"{len(after) + len(again) - min(len(problems), len(after))} passed, {len(problems)} failed")
    sys.exit(1 if problems else 0)


main()
