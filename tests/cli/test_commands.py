#!/usr/bin/env python3
"""Every command, option and exit code of the command line, as docs/cli.md promises them."""
import base64, hmac, http.client, http.server, json, os, re, socket, sqlite3, subprocess, tempfile, threading, time

from harness import ENV, PAYHOOK, SECRET, WORK, Run, file, main, promise

AT = "1764000100"


def signed(*more, connector="stripe", sample="payment_intent.succeeded"):
    return Run("sign", "--connector", connector, "--sample", sample, "--secret-env", "SECRET", "--at", AT, *more).exits(0).out


GOOD = file("good.http", signed())
BODY = signed().split(b"\r\n\r\n", 1)[1]
SIGNATURE = re.search(rb"Stripe-Signature: ([^\r]+)", signed()).group(1).decode()
STRIPE = ("--connector", "stripe", "--secret-env", "SECRET", "--at", AT)


def razorpay(start):
    """A sample with something before its first member: razorpay signs bytes, whatever they are."""
    with open(os.path.join(os.environ["PAYHOOK_SOURCE_DIR"], "connectors/samples/razorpay/payment.captured.json"), "rb") as f:
        return start + f.read().strip()[1:]


def verify(*args, **more):
    return Run("verify", *args, **more)


# ---- help and usage ------------------------------------------------------------------------------------

@promise
def every_command_has_help_on_standard_output():
    for words in (["handle"], ["parse"], ["verify"], ["sign"], ["trigger"], ["version"], ["serve"], ["connectors"],
                  ["connectors", "list"], ["connectors", "show"], ["connectors", "check"], ["connectors", "explain"], []):
        run = Run(*words, "--help").exits(0, out="usage: payhook")
        assert run.err == ""
    Run("help").exits(0, out="trigger")
    Run().exits(2, err="usage: payhook")
    Run("nonsense").exits(2, err="unknown command nonsense")
    Run("connectors").exits(2, err="usage")
    Run("connectors", "nonsense").exits(2, err="usage")


@promise
def help_names_the_exit_codes():
    for word in ("3 forged", "4 stale", "5 no signature", "6 no secret", "7 unsigned", "8 unreachable", "9 unsupported"):
        Run("verify", "--help").exits(0, out=word)


@promise
def usage_errors_exit_with_2_and_say_what():
    for args, err in (
        (("verify", "--nonsense"), "--nonsense"),
        (("verify", "-x"), "-x"),
        (("verify", "--connector"), "needs a value"),
        (("verify", "--connector", "stripe", "--connector", "adyen", "--body", GOOD), "given twice"),
        (("verify", "--body", GOOD), "--connector NAME is missing"),
        (("verify", "--connector", "nobody", "--body", GOOD), 'no connector is called "nobody"'),
        (("verify", "--connector", "stripe"), "which request?"),
        (("verify", *STRIPE, "--request", GOOD, "word"), "word"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--at", "yesterday"), "--at"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--at", "-1"), "--at"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--at", "9223372036854775807"), "--at"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--header", "no colon"), "Name: value"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--header", ": x"), "Name: value"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--header", "a b: x"), "Name: value"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--config", "x"), "NAME="),
        (("verify", "--connector", "stripe", "--request", GOOD, "--config", "=x"), "NAME="),
        (("verify", "--connector", "stripe", "--request", GOOD, "--output", "xml"), "json or text"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--ndjson"), "--ndjson"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--entry", "0"), "--entry"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--entry", "1"), "HAR"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--secret-env", "NOT_SET"), "NOT_SET is not set"),
        (("verify", "--connector", "stripe", "--request", GOOD, "--additional-secret-env", "SECRET"), "follows the secret"),
        (("handle", "--connector", "stripe", "--request", GOOD, "--as", "nonsense"), "handle-event"),
        (("handle", "--connector", "stripe", "--request", GOOD, "--capture-method", "SOMEHOW"), "SOMEHOW"),
        (("handle", "--ndjson=yes"), "takes no value"),
        (("handle", "--ndjson", "--request", GOOD), "standard input"),
        (("parse", "--connector", "stripe", "--request", GOOD, "--output", "text"), "--output"),
        (("sign", "--connector", "stripe"), "what should be signed"),
        (("sign", "--connector", "stripe", "--sample", "x", "--body", GOOD), "one of them"),
        (("sign", "--connector", "stripe", "--sample", "nonsense"), "nonsense"),
        (("sign", "--connector", "stripe", "--body", GOOD, "--format", "xml"), "http or json"),
        (("trigger",), "trigger CONNECTOR"),
        (("trigger", "stripe", "nonsense"), "nonsense"),
        (("trigger", "nobody"), "nobody"),
        (("trigger", "stripe", "charge.refunded", "third"), "trigger CONNECTOR"),
        (("trigger", "stripe", "charge.refunded", "--url", "https://127.0.0.1/"), "http://"),
        (("trigger", "stripe", "charge.refunded", "--url", "http://"), "http://"),
        (("connectors", "show"), "which connector"),
        (("connectors", "show", "nobody"), "nobody"),
        (("connectors", "check"), "which page"),
        (("connectors", "list", "word"), "word"),
        (("connectors", "list", "--output", "xml"), "json or text"),
        (("connectors", "list", "--connectors", "/nonexistent"), "/nonexistent"),
        (("version", "word"), "word"),
        (("serve", "--nonsense"), "nonsense"),
        (("serve", "--threads", "0"), "threads"),
        (("serve", "--listen", "nonsense"), "HOST:PORT"),
        (("serve", "--listen", "0.0.0.0:0"), "insecure"),
    ):
        Run(*args).exits(2, err=err)


# ---- verdicts and their codes ----------------------------------------------------------------------------

@promise
def verified_is_0():
    verify(*STRIPE, "--request", GOOD).exits(0, out="VERIFIED")


@promise
def forged_is_3():
    verify("--connector", "stripe", "--secret-env", "OTHER", "--at", AT, "--request", GOOD).exits(3, out="FORGED")
    verify(*STRIPE, "--header", f"Stripe-Signature: {SIGNATURE}", "--body", file("changed", BODY.replace(b"2000", b"9000"))).exits(3)


@promise
def stale_is_4_and_says_how_old():
    run = verify(*STRIPE[:4], "--at", str(int(AT) + 3700), "--request", GOOD).exits(4, out="STALE")
    assert "3700 s later; allowed is 300 s" in run.text


@promise
def no_signature_is_5():
    verify(*STRIPE, "--body", file("body", BODY)).exits(5, out="NO_SIGNATURE")


@promise
def no_secret_is_6_and_an_empty_one_is_none():
    verify("--connector", "stripe", "--at", AT, "--request", GOOD).exits(6, out="NO_SECRET")
    verify("--connector", "stripe", "--secret-env", "EMPTY", "--at", AT, "--request", GOOD).exits(6, out="NO_SECRET")


@promise
def unsigned_is_7():
    verify("--connector", "mollie", "--header", "Content-Type: application/x-www-form-urlencoded",
           "--body", file("mollie", "id=tr_1")).exits(7, out="UNSIGNED")


@promise
def unreachable_is_8():
    event = Run("trigger", "paypal").text.split()[0]
    body = json.dumps({"sample": event, "connector": "paypal"})
    with open(os.path.join(os.environ["PAYHOOK_SOURCE_DIR"], "connectors/samples/paypal", event + ".json"), "rb") as f:
        path = file("paypal", f.read())
    headers = {"Paypal-Transmission-Id": "1", "Paypal-Transmission-Time": "2026-11-24T10:00:00Z", "Paypal-Transmission-Sig": "AAAA",
               "Paypal-Cert-Url": "https://api.paypal.com/v1/notifications/certs/CERT-1", "Paypal-Auth-Algo": "SHA256withRSA"}
    args = [x for k, v in headers.items() for x in ("--header", f"{k}: {v}")]
    verify("--connector", "paypal", "--secret-env", "SECRET", "--body", path, *args).exits(8, out="UNREACHABLE")


@promise
def unsupported_is_9():
    # A page whose only scheme asks for a header that is not there.
    os.makedirs(os.path.join(WORK.name, "pages"), exist_ok=True)
    page = open(os.path.join(os.environ["PAYHOOK_SOURCE_DIR"], "connectors/stripe.yaml")).read()
    changed = page.replace("name: stripe", "name: other", 1).replace("signature:", "signature:\n  when: { header:X-Never: yes }", 1)
    assert changed != page
    file("pages/other.yaml", changed)
    verify("--connectors", os.path.join(WORK.name, "pages"), "--connector", "other", "--secret-env", "SECRET", "--at", AT,
           "--request", GOOD).exits(9, out="UNSUPPORTED")


@promise
def what_does_not_read_is_1():
    path = file("broken", b"{")
    verify(*STRIPE, "--body", path).exits(1, out="WEBHOOK_BODY_DECODING_FAILED")
    Run("handle", *STRIPE, "--body", path).exits(1, out='"code":"WEBHOOK_BODY_DECODING_FAILED"')
    Run("parse", *STRIPE[:2], "--body", path).exits(1)


@promise
def handle_and_explain_have_the_codes_of_verify():
    for args, code in ((STRIPE, 0), (("--connector", "stripe", "--secret-env", "OTHER", "--at", AT), 3),
                       ((*STRIPE[:4], "--at", "1"), 0), (("--connector", "stripe", "--at", AT), 6)):
        Run("handle", *args, "--request", GOOD).exits(code)
        Run("connectors", "explain", *args, "--request", GOOD).exits(code)


# ---- answers ------------------------------------------------------------------------------------------

@promise
def handle_prints_canonical_json_on_one_line():
    run = Run("handle", *STRIPE, "--request", GOOD, "--event-id", "mine").exits(0)
    answer = json.loads(run.text)
    assert run.text.count("\n") == 1 and answer["event_type"] == "PAYMENT_INTENT_SUCCESS" and answer["verdict"] == "VERIFIED"
    assert answer["merchant_event_id"] == "mine"
    assert json.loads(Run("handle", *STRIPE, "--request", GOOD, "--output", "json").text)["verdict"] == "VERIFIED"


@promise
def a_forgery_has_no_event_type():
    answer = json.loads(Run("handle", "--connector=stripe", "--secret-env=OTHER", "--at=" + AT, "--request=" + GOOD).exits(3).text)
    assert "event_type" not in answer and "event_response" not in answer
    assert "source_verified" in json.loads(Run("handle", *STRIPE, "--request", GOOD, "--as", "handle-event").exits(0).text)
    assert json.loads(Run("handle", *STRIPE, "--request", GOOD, "--as", "handle").exits(0).text)["verdict"] == "VERIFIED"


@promise
def text_output_is_for_people():
    Run("handle", *STRIPE, "--request", GOOD, "--output", "text").exits(0, out="2000 USD (minor units)")
    Run("handle", "--connector", "stripe", "--secret-env", "OTHER", "--request", GOOD, "--output", "text").exits(3, out="not verified")
    Run("handle", *STRIPE, "--body", file("broken", b"{"), "--output", "text").exits(1, out="WEBHOOK_BODY_DECODING_FAILED: ")
    answer = json.loads(verify(*STRIPE, "--request", GOOD, "--output", "json").exits(0).text)
    assert answer == {"verdict": "VERIFIED", "verdict_reason": "the signature matches", "matched_secret": 1, "events": 1}


@promise
def parse_needs_no_secret():
    answer = json.loads(Run("parse", "--connector", "stripe", "--request", GOOD, "--capture-method", "AUTOMATIC").exits(0).text)
    assert answer["event_type"] == "PAYMENT_INTENT_SUCCESS"


@promise
def terminal_codes_of_a_stranger_are_escaped():
    body = BODY.replace(b'"id": "evt_1Sample0001"', b'"id": "e\\u001b[2J\\u0007"')
    Run("handle", *STRIPE, "--body", file("escape", body), "--output", "text").exits(5, out="e\\x1b[2J\\x07")


@promise
def what_hides_or_turns_the_writing_is_escaped():
    hidden = "\u009b31m\u202e\u2066\u200f\u061c\u2028\ufeff\u007f"
    body = BODY.replace(b'"id": "evt_1Sample0001"', f'"id": "e{hidden}ä€"'.encode())
    answer = Run("handle", *STRIPE, "--body", file("hidden", body), "--output", "text").exits(5, out="e\\xc2\\x9b31m")
    as_json = Run("handle", *STRIPE, "--body", file("hidden", body)).exits(5, out="e\\u009b31m\\u202e\\u2066\\u200f\\u061c\\u2028\\ufeff\\u007fä€")
    for run in (answer, as_json):
        assert not set(run.text) & set(hidden.replace("31m", "")), run.text
    assert json.loads(as_json.text)["processor_event"]["id"] == f"e{hidden}ä€"


# ---- secrets and config ----------------------------------------------------------------------------------

@promise
def secrets_are_a_list_tried_in_order():
    old = file("old", SECRET + "\r\n")
    for args, place in ((("--secret-env", "OTHER", "--secret-file", old), 2), (("--secret-file", old, "--secret-env", "OTHER"), 1)):
        run = verify("--connector", "stripe", *args, "--at", AT, "--request", GOOD, "--output", "json").exits(0)
        assert json.loads(run.text)["matched_secret"] == place
    many = [x for _ in range(17) for x in ("--secret-env", "OTHER")]
    verify("--connector", "stripe", *many, "--request", GOOD).exits(2, err="more than 16 secrets")


@promise
def an_additional_secret_belongs_to_the_one_before_it():
    event = Run("trigger", "braintree").text.split()[0]
    path = file("braintree", Run("sign", "--connector", "braintree", "--sample", event, "--secret-env", "SECRET",
                                 "--additional-secret-env", "OTHER").exits(0).out)
    extra = file("extra", "whsec_An0therSecret\n")
    verify("--connector", "braintree", "--secret-env", "SECRET", "--additional-secret-file", extra, "--request", path).exits(0)
    verify("--connector", "braintree", "--secret-env", "SECRET", "--additional-secret-env", "SECRET", "--request", path).exits(3)


@promise
def secrets_on_the_command_line_are_refused_and_not_repeated():
    for option in ("--secret", "--additional-secret"):
        for args in ((option, SECRET), (f"{option}={SECRET}",)):
            verify("--connector", "stripe", *args, "--request", GOOD).exits(2, err="--secret-env")
    verify("--connector", "stripe", "--config", "private_key_pem=-----BEGIN PRIVATE KEY-----", "--request", GOOD).exits(2, err="@FILE")


@promise
def config_comes_from_options_files_and_the_environment():
    late = ("--at", str(int(AT) + 3700), "--request", GOOD)
    base = ("--connector", "stripe", "--secret-env", "SECRET")
    verify(*base, *late).exits(4)
    for config in (("--config", "tolerance_seconds=4000"), ("--config", "tolerance_seconds=@" + file("t", "4000")),
                   ("--config-file", file("c.json", '{"tolerance_seconds": 4000}')),
                   ("--config-file", file("d.json", '{"tolerance_seconds": "4000", "livemode": true}'))):
        verify(*base, *config, *late).exits(0)
    Run("verify", *base, "--config-env", "tolerance_seconds=TOLERANCE", *late, env={"TOLERANCE": "4000"}).exits(0)
    for config in ("[]", "{", '{"a": {}}', '{"a": null}', ""):
        verify(*base, "--config-file", file("bad.json", config), *late).exits(2)
    verify(*base, "--config-env", "a=NOT_SET", *late).exits(2, err="NOT_SET")
    many = [x for i in range(65) for x in ("--config", f"a{i}=1")]
    verify(*base, *many, *late).exits(2, err="config fields")


@promise
def no_output_holds_a_secret():
    # harness.Run looks for it in all that is printed; here: the commands that come nearest to it, for every connector.
    key = file("secret", SECRET)
    for name in Run("connectors", "list").text.split("\n"):
        if not name:
            continue
        name = name.split()[0]
        for event in Run("trigger", name).text.split("\n")[:3]:
            if not event:
                continue
            made = Run("sign", "--connector", name, "--sample", event, "--secret-file", key, "--additional-secret-env", "OTHER")
            path = file("r.http", made.out)
            if made.code != 0:
                continue
            for secret in ("SECRET", "OTHER"):
                args = ("--connector", name, "--secret-file", key, "--additional-secret-env", "OTHER", "--request", path)
                # A token is sent in the clear: its request holds it, and must not come out again.
                explained = Run("connectors", "explain", *args)
                Run("handle", *args), Run("verify", *args)
                Run("connectors", "explain", "--connector", name, "--secret-env", secret, "--request", path)
                assert explained.code in (0, 3, 4, 5, 6, 7, 8), explained.text


# ---- requests in files -------------------------------------------------------------------------------------

@promise
def a_raw_message_may_have_crlf_or_lf():
    head, body = signed().split(b"\r\n\r\n", 1)
    verify(*STRIPE, "--request", file("lf", head.replace(b"\r\n", b"\n") + b"\n\n" + body)).exits(0)
    verify(*STRIPE, "--request", "-", stdin=signed()).exits(0)


@promise
def content_length_bounds_the_body():
    verify(*STRIPE, "--request", file("r", signed() + b"\n")).exits(0)
    verify(*STRIPE, "--request", file("r", signed() + b"\r\n")).exits(0)
    verify(*STRIPE, "--request", file("r", signed() + b"xx")).exits(2, err="longer than Content-Length")
    verify(*STRIPE, "--request", file("r", signed()[:-1])).exits(2, err="cut short")
    for length in (b"x", b"-1", b"99999999999999999999"):
        verify(*STRIPE, "--request", file("r", re.sub(rb"(Content-Length: )\d+", rb"\g<1>" + length, signed()))).exits(2, err="Content-Length")


@promise
def without_content_length_the_rest_is_the_body():
    bare = re.sub(rb"Content-Length: \d+\r\n", b"", signed())
    verify(*STRIPE, "--request", file("r", bare)).exits(0)
    verify(*STRIPE, "--request", file("r", bare + b"\n")).exits(3)  # byte for byte


@promise
def chunks_are_put_together():
    chunked = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked", signed()).split(b"\r\n\r\n", 1)
    parts = b"%x\r\n" % 10 + BODY[:10] + b"\r\n" + b"%X;a=b\r\n" % (len(BODY) - 10) + BODY[10:] + b"\r\n0\r\nX: y\r\n\r\n"
    verify(*STRIPE, "--request", file("r", chunked[0] + b"\r\n\r\n" + parts)).exits(0)
    for bad in (BODY, parts[:20], b"zz\r\n", b"ffffffffffffffffffff\r\n", b"5\r\nabc", b"", b"1\r\nab\r\n0\r\n\r\n"):
        verify(*STRIPE, "--request", file("r", chunked[0] + b"\r\n\r\n" + bad)).exits(2, err="chunk")
    gzip = chunked[0].replace(b"chunked", b"gzip, chunked")
    verify(*STRIPE, "--request", file("r", gzip + b"\r\n\r\n" + parts)).exits(2, err="only chunked")


@promise
def options_come_over_the_file():
    verify(*STRIPE, "--request", GOOD, "--body", file("x", BODY + b" ")).exits(3)
    verify(*STRIPE, "--body", file("x", BODY + b" "), "--request", GOOD).exits(3)
    verify(*STRIPE, "--request", GOOD, "--header", "Stripe-Signature: t=1,v1=00").exits(3, out="ambiguous")
    verify(*STRIPE, "--body", file("x", BODY), "--header", f"stripe-signature:{SIGNATURE}", "--method", "PUT", "--uri", "/x?y=z").exits(0)


@promise
def malformed_messages_are_refused_with_the_place():
    for text, err in ((b"", "neither"), (b"\n\n", "begins like"), (b"hello", "neither"), (b"POST /\r\n\r\n", "begins like"),
                      (b"POST  HTTP/1.1\r\n\r\n", "begins like"), (b"POST / HTTP/1.1\r\n", "empty line"),
                      (b"POST / HTTP/1.1\r\nA: b\r\nno colon\r\n\r\n", "line 3"), (b"POST / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", "line 3"),
                      (b"POST / HTTP/1.1\r\nA: \x00\r\n\r\n", "line 2"), (b"HTTP/1.1 200 OK\r\n\r\n", "begins like"),
                      (b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * 129 + b"\r\n", "128 headers"), (b"\xff\xfe\x00", "neither")):
        verify(*STRIPE, "--request", file("r", text)).exits(2, err=err)
        verify(*STRIPE, "--request", "-", stdin=text).exits(2, err=err)


def har(*requests):
    return {"log": {"version": "1.2", "entries": [{"startedDateTime": f"2026-11-24T10:0{i}:00Z", "request": r} for i, r in enumerate(requests)]}}


def har_request(body=None, method="POST", **post):
    return {"method": method, "url": "https://shop.example/hook", "httpVersion": "h2",
            "headers": [{"name": ":method", "value": method}, {"name": "stripe-signature", "value": SIGNATURE}],
            "postData": {"mimeType": "application/json", "text": (body or BODY).decode(), **post}}


@promise
def of_a_har_the_post_is_taken():
    get = {"method": "GET", "url": "https://shop.example/", "headers": []}
    verify(*STRIPE, "--request", file("h", json.dumps(har(get, har_request(), get)))).exits(0)
    verify(*STRIPE, "--request", file("h", b"\xef\xbb\xbf" + json.dumps(har(har_request())).encode())).exits(0)
    packed = har_request(base64.b64encode(BODY), encoding="base64")
    verify(*STRIPE, "--request", file("h", json.dumps(har(packed)))).exits(0)


@promise
def of_several_posts_one_is_chosen_by_number():
    two = file("h", json.dumps(har(har_request(b"{}"), har_request())))
    run = verify(*STRIPE, "--request", two).exits(2, err="--entry N")
    assert "1  2026-11-24T10:00:00Z  https://shop.example/hook" in run.err and "2  2026-11-24T10:01:00Z" in run.err
    verify(*STRIPE, "--request", two, "--entry", "2").exits(0)
    verify(*STRIPE, "--request", two, "--entry", "1").exits(1)
    verify(*STRIPE, "--request", two, "--entry", "3").exits(2, err="numbered from 1 to 2")


@promise
def malformed_hars_are_refused():
    whole = json.dumps(har(har_request()))
    verify(*STRIPE, "--request", file("h", whole[:-20])).exits(2, err="not JSON")
    for bad, err in (({}, "/log/entries"), ({"log": {"entries": {}}}, "/log/entries"), (har(), "no POST"),
                     (har({"method": "GET", "url": "/"}), "no POST"), (har({"method": "POST", "headers": []}), "no method or no url"),
                     (har({**har_request(), "postData": {"params": []}}), "without its bytes"),
                     (har({**har_request(), "headers": [{"name": "x"}]}), "header without"),
                     (har({**har_request(), "headers": [{"name": "a", "value": "b"}] * 129}), "128 headers"),
                     (har(har_request(b"!", encoding="base64")), "base64")):
        verify(*STRIPE, "--request", file("h", json.dumps(bad))).exits(2, err=err)
    for cut in range(0, len(whole), 37):
        assert verify(*STRIPE, "--request", file("h", whole[:cut])).code == 2


@promise
def files_that_do_not_read_are_said():
    for option in ("--request", "--body", "--secret-file", "--config-file"):
        verify(*STRIPE, option, "/nonexistent/file").exits(2, err="No such file")
        verify(*STRIPE, option, WORK.name).exits(2, err="Is a directory")
    if os.geteuid() != 0:  # root reads everything
        path = file("unreadable", b"x")
        os.chmod(path, 0)
        verify(*STRIPE, "--body", path).exits(2, err="Permission denied")
    verify(*STRIPE, "--request", file("huge", b"x" * (16 * 1024 * 1024 + 1))).exits(2, err="larger than 16 MiB")
    verify(*STRIPE, "--request", "-", "--body", "-", stdin=signed()).exits(2, err="once only")
    verify(*STRIPE, "--request", "-").exits(2)
    verify(*STRIPE, "--body", "-").exits(1)


@promise
def a_body_that_is_not_utf8_is_handled_byte_for_byte():
    body = razorpay(b'{"note":"\xff\xfe",')
    path = file("bytes", body)
    args = ("--connector", "razorpay", "--secret-env", "SECRET")
    made = file("r", Run("sign", *args, "--body", path).exits(0).out)
    verify(*args, "--request", made).exits(0)
    answer = json.loads(Run("handle", *args, "--request", made).out.decode())  # UTF-8, whatever came in
    assert answer["verdict"] == "VERIFIED"
    line = json.loads(Run("sign", *args, "--body", path, "--format", "json").exits(0).out.decode())
    assert base64.b64decode(line["body_base64"]) == body
    assert lines({"connector": "razorpay", "request": line, "secrets": [SECRET]})[0]["verdict"] == "VERIFIED"


# ---- ndjson --------------------------------------------------------------------------------------------------

def lines(*objects, command="handle", args=()):
    run = Run(command, "--ndjson", *args, stdin=b"\n".join(o if isinstance(o, bytes) else json.dumps(o).encode() for o in objects))
    run.exits(0)
    return [json.loads(l) for l in run.out.decode().splitlines()]


def line(**more):
    return {"connector": "stripe", "request": {"headers": {"Stripe-Signature": SIGNATURE}, "body": BODY.decode()},
            "secrets": {"secret": SECRET}, "at": int(AT), **more}


@promise
def ndjson_answers_line_by_line_in_order():
    answers = lines(line(), line(secrets=["x", SECRET]), b"{nonsense", line(secrets=[]), b"", b"[]", line(connector="nobody"), line())
    assert [a.get("verdict") or a["error"]["code"] for a in answers] == [
        "VERIFIED", "VERIFIED", "INVALID_ARGUMENT", "NO_SECRET", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "VERIFIED"]
    assert answers[1]["matched_secret"] == 2


@promise
def ndjson_lines_are_bounded_and_the_run_goes_on():
    big = b'{"connector":"' + b"x" * (9 * 1024 * 1024) + b'"}'
    mid = json.dumps(line(request={"body": "x" * (2 * 1024 * 1024)})).encode()
    answers = lines(line(), big, line(), mid, line(), big)
    assert "longer than 8 MiB" in answers[1]["error"]["message"] and "longer than 8 MiB" in answers[5]["error"]["message"]
    assert [answers[i]["verdict"] for i in (0, 2, 4)] == ["VERIFIED"] * 3
    assert "error" in answers[3] and len(answers) == 6


@promise
def ndjson_refuses_what_it_cannot_read():
    for bad in ({"request": 1}, {"request": {"headers": {"a": 1}}}, {"request": {"body_base64": "!"}}, {"at": "x"}, {"at": -1},
                {"event_context": {"payment": {"capture_method": "NO"}}}):
        assert lines(line(**bad))[0]["error"]["code"] == "INVALID_ARGUMENT", bad
    assert lines(b"\xff\xfe\x00")[0]["error"]["code"] == "INVALID_ARGUMENT"
    assert Run("handle", "--ndjson", stdin=b"").exits(0).out == b""


@promise
def ndjson_takes_from_the_options_what_a_line_leaves_out():
    short = line()
    for name in ("connector", "secrets", "at"):
        del short[name]
    answers = lines(short, args=STRIPE)
    assert answers[0]["verdict"] == "VERIFIED"
    assert lines({**short, "secrets": []}, args=STRIPE)[0]["verdict"] == "NO_SECRET"
    assert lines(short, args=(*STRIPE[:4], "--config", "tolerance_seconds=10", "--at", str(int(AT) + 20)))[0]["verdict"] == "STALE"


@promise
def sign_ndjson_makes_what_handle_ndjson_takes():
    made = lines({"connector": "stripe", "sample": "charge.refunded", "secrets": [SECRET]}, {"connector": "stripe", "sample": "nonsense"},
                 {"connector": "stripe", "request": {"body": BODY.decode(), "uri": "/a?b=c"}, "secrets": [SECRET]}, {"connector": "stripe"},
                 command="sign")
    assert made[1]["error"]["code"] == "INVALID_ARGUMENT" and made[3]["error"]["code"] == "INVALID_ARGUMENT"
    assert made[2]["uri"] == "/a?b=c"
    for request in (made[0], made[2]):
        assert lines({"connector": "stripe", "secrets": [SECRET], "request": request})[0]["verdict"] == "VERIFIED"


# ---- sign, explain, connectors ---------------------------------------------------------------------------------

@promise
def sign_prints_the_path_it_signed():
    key = os.path.join(WORK.name, "key.pem")
    subprocess.run(["openssl", "ecparam", "-name", "secp521r1", "-genkey", "-noout", "-out", key], check=True, capture_output=True)
    public = subprocess.run(["openssl", "ec", "-in", key, "-pubout"], check=True, capture_output=True).stdout
    event = Run("trigger", "truelayer").text.split()[0]
    for uri in ((), ("--uri", "/hooks/truelayer")):
        made = Run("sign", "--connector", "truelayer", "--sample", event, "--config", f"private_key_pem=@{key}", "--config", "kid=k1", *uri)
        path = file("tl.http", made.exits(0).out)
        assert made.text.split()[1] == (uri[1] if uri else "/")
        verify("--connector", "truelayer", "--secret-file", file("public", public), "--request", path).exits(0)


@promise
def sign_sends_the_headers_it_was_given():
    Run("sign", "--connector", "stripe", "--sample", "charge.refunded", "--secret-env", "SECRET", "--header", "X-Mine: 1").exits(0, out="X-Mine: 1\r\n")


@promise
def sign_says_why_it_cannot():
    Run("sign", "--connector", "stripe", "--sample", "charge.refunded").exits(1, err="key is missing")
    Run("sign", "--connector", "stripe", "--body", file("x", "{"), "--secret-env", "SECRET").exits(1, err="cannot sign")
    Run("sign", "--connector", "stripe", "--body", file("x", BODY), "--variant", "nonsense").exits(1, err="variant")
    Run("sign", "--connector", "stripe", "--sample", "charge.refunded", "--variant", "nonsense").exits(2, err='the sample has no variant "nonsense"')


@promise
def shown_rules_differ_in_what_they_say():
    for name in ("stripe", "adyen", "paypal", "phonepe"):
        rules = re.split(r"\n(?=  \S|\n)", Run("connectors", "show", name).exits(0).text.split("config fields:")[0])
        rows = [rule for rule in rules if rule.strip() and not rule.startswith("\nshape")]
        assert len(rows) > 10, rows
        for before, rule in zip(rows, rows[1:]):
            assert before != rule, rule
    Run("connectors", "show", "stripe").exits(0, out="when fetched:/amount_captured is under fetched:/amount")


@promise
def a_sample_of_two_shapes_is_listed_with_its_shape():
    lines = Run("trigger", "adyen").exits(0).text.splitlines()
    assert len(lines) == len(set(lines)), lines
    assert "AUTHORISATION --variant form" in lines and "AUTHORISATION --variant json" in lines and "CAPTURE" in lines, lines


@promise
def a_sample_of_two_shapes_is_chosen_by_shape():
    for variant, start in (("form", "Content-Type: application/x-www-form-urlencoded"), ("json", "Content-Type: application/json")):
        Run("sign", "--connector", "adyen", "--sample", "AUTHORISATION", "--variant", variant, "--secret-env", "HEX",
            env={"HEX": "00112233445566778899AABBCCDDEEFF"}).exits(0, out=start)


@promise
def explain_shows_each_step():
    run = Run("connectors", "explain", "--connector", "stripe", "--secret-env", "OTHER", "--at", AT, "--request", GOOD).exits(3)
    for step in ("scheme                     hmac-sha256", "secret 1, read as text: a key of 19 bytes", "signature entry 1          is t={timestamp}",
                 "signature entry 2          is v1={signature}", f"signed text                {AT}.{{", "expected  ", "received  ", "at character"):
        assert step in run.text, (step, run.text)
    Run("connectors", "explain", *STRIPE, "--request", GOOD).exits(0, out="0 s later; allowed is 300 s")
    Run("connectors", "explain", *STRIPE, "--body", file("x", BODY), "--header", f"Stripe-Signature: x=y,{SIGNATURE}").exits(0, out="fits no shape")


@promise
def explain_escapes_what_cannot_be_seen():
    body = razorpay(b'{\r\n\t"note":"\xff\\\\",')
    path = file("r", Run("sign", "--connector", "razorpay", "--body", file("x", body), "--secret-env", "SECRET").exits(0).out)
    run = Run("connectors", "explain", "--connector", "razorpay", "--secret-env", "SECRET", "--request", path).exits(0)
    assert 'signed text                {\\r\\n\\t"note":"\\xff\\\\\\\\",' in run.text, run.text


@promise
def explain_names_the_secret_in_a_signed_text():
    event = Run("trigger", "phonepe").text.split()[0]
    path = file("r", Run("sign", "--connector", "phonepe", "--sample", event, "--secret-env", "SECRET", "--additional-secret-env", "ONE",
                         env={"ONE": "1"}).exits(0).out)
    Run("connectors", "explain", "--connector", "phonepe", "--secret-env", "SECRET", "--additional-secret-env", "ONE",
        "--request", path, env={"ONE": "1"}).exits(0, out="{secret}")


@promise
def connectors_are_listed_and_shown():
    listed = Run("connectors", "list").exits(0, out="stripe").text
    assert len(json.loads(Run("connectors", "list", "--output", "json").exits(0).text)) == listed.count("\n")
    Run("connectors", "list", "--markdown").exits(0, out="| stripe |")
    Run("connectors", "list", "--output", "text").exits(0, out="stripe")
    Run("connectors", "show", "stripe").exits(0, out="sources:")
    os.makedirs(os.path.join(WORK.name, "own"), exist_ok=True)
    page = open(os.path.join(os.environ["PAYHOOK_SOURCE_DIR"], "connectors/stripe.yaml")).read()
    own = file("own.yaml", page.replace("name: stripe", "name: own"))
    os.makedirs(os.path.join(WORK.name, "bare"), exist_ok=True)
    os.replace(own, os.path.join(WORK.name, "bare", "own.yaml"))
    for command in (("trigger", "own"), ("connectors", "show", "own")):
        Run(*command, "--connectors", os.path.join(WORK.name, "bare")).exits(0, out="no samples")

    file("own/stripe.yaml", page)
    Run("connectors", "list", "--connectors", os.path.join(WORK.name, "own")).exits(0, out="(from --connectors)")


@promise
def pages_are_checked():
    source = os.path.join(os.environ["PAYHOOK_SOURCE_DIR"], "connectors")
    Run("connectors", "check", f"{source}/stripe.yaml", f"{source}/adyen.yaml").exits(0, out="ok: stripe")
    Run("connectors", "check", f"{source}/stripe.yaml", file("bad.yaml", "language: 1\nnonsense: 1\n")).exits(1, out="bad.yaml:2")
    Run("connectors", "check", "/nonexistent.yaml").exits(2, err="No such file")


@promise
def version_says_what_it_stands_on():
    run = Run("version").exits(0, out="payhook ")
    assert "OpenSSL" in run.text and "nghttp2" in run.text and run.text == Run("--version").text


# ---- trigger and serve --------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Serve:
    def __init__(self, **env):
        self.api, self.hooks = free_port(), free_port()
        self.process = subprocess.Popen([PAYHOOK, "serve", "--dev", "--listen", f"127.0.0.1:{self.api}", "--listen-webhooks",
                                         f"127.0.0.1:{self.hooks}", "--threads", "1"], env={**ENV, **env}, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.hooks)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("serve does not listen")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.said = self.process.communicate(timeout=20)[0].decode("utf-8", "replace")
        assert SECRET not in self.said, "serve prints the secret"


@promise
def trigger_reaches_serve_and_says_its_answer():
    with Serve(PAYHOOK_STRIPE_SECRET=SECRET) as serve:
        url = f"http://127.0.0.1:{serve.hooks}/webhooks/stripe"
        Run("trigger", "stripe", "payment_intent.succeeded", "--secret-env", "SECRET", "--url", url).exits(0, out="answer: HTTP/1.1 200")
        Run("trigger", "stripe", "payment_intent.succeeded", "--secret-env", "OTHER", "--url", url).exits(1, out="answer: HTTP/1.1 401")
        Run("trigger", "stripe", "payment_intent.succeeded", "--secret-env", "SECRET", "--url", url + "x").exits(1, out="404")
        # What serve answers to a forgery must not help to forge: no expected signature.
        expected = re.search(r"expected +(\w+)", Run("connectors", "explain", *STRIPE, "--body", file("x", BODY), "--header",
                                                     f"Stripe-Signature: t={AT},v1=00").text).group(1)
        call = {"request_details": {"method": "HTTP_METHOD_POST", "uri": "/", "headers": {"Stripe-Signature": f"t={AT},v1=00"},
                                    "body": base64.b64encode(BODY).decode()}, "webhook_secrets": {"secret": SECRET}}
        c = http.client.HTTPConnection("127.0.0.1", serve.api, timeout=20)
        c.request("POST", "/v1/handle", json.dumps(call), {"Content-Type": "application/json", "x-connector": "stripe"})
        answer = c.getresponse().read().decode()
        assert "FORGED" in answer and expected not in answer and SECRET not in answer, answer
    assert "VERIFIED" in serve.said


@promise
def serve_says_what_it_is_only_once_it_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        run = Run("serve", "--dev", "--listen", f"127.0.0.1:{free_port()}", "--listen-webhooks", address).exits(1, err="cannot listen")
        assert "DURABLE" not in run.text and "listening" not in run.text, run.text


@promise
def an_inbox_is_checked_once_nobody_has_it_open():
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data")
        Run("inbox", "check", "--data", data).exits(1, err="cannot be checked")
        server = subprocess.Popen([PAYHOOK, "serve", "--listen", "127.0.0.1:0", "--listen-webhooks", "127.0.0.1:0", "--data", data],
                                  stdout=subprocess.PIPE, text=True)
        try:
            assert any("inbox in" in line for line in server.stdout)
            Run("inbox", "check", "--data", data).exits(1, err="open in a running payhook")
        finally:
            server.terminate()
            server.wait(20)
            server.stdout.close()
        Run("inbox", "check", "--data", data).exits(0, out="sound")
        db = sqlite3.connect(os.path.join(data, "inbox.db"))
        db.execute("UPDATE figures SET quarantined = 7")
        db.commit()
        db.close()
        Run("inbox", "check", "--data", data).exits(1, out="miscounts of the quarantine")
    Run("inbox").exits(2, err="inbox check")


@promise
def trigger_says_when_nobody_is_there():
    Run("trigger", "stripe", "charge.refunded", "--secret-env", "SECRET", "--url", f"http://127.0.0.1:{free_port()}/").exits(1, err="cannot connect")
    Run("trigger", "stripe", "charge.refunded", "--url", "http://127.0.0.1:1/").exits(1, err="cannot sign")
    Run("trigger", "stripe").exits(0, out="charge.refunded")


# ---- what newcomers mistype ------------------------------------------------------------------------------

@promise
def a_slip_of_the_hand_is_told_the_nearest_word():
    for args, err in (
        (("verify", "--connector", "strpe", "--request", GOOD), 'no connector is called "strpe"; did you mean "stripe"?'),
        (("connectors", "show", "ayden"), 'did you mean "adyen"?'),
        (("trigger", "stripe", "payment_intent.succeded"), 'the connector has no sample "payment_intent.succeded"; did you mean "payment_intent.succeeded"? (see: payhook trigger stripe)'),
        (("trigger", "strpe"), 'did you mean "stripe"?'),
        (("sign", "--connector", "adyen", "--sample", "AUTHORIZATION"), 'did you mean "AUTHORISATION"?'),
        (("trigger", "stripe", "charge.refunded", "--url", "http://127.0.0.1/", "--endpoint", "shop"), "give --url or --endpoint"),
    ):
        Run(*args).exits(2, err=err)


@promise
def what_connectors_show_prints_has_no_comments_of_its_page():
    names = [c["name"] for c in json.loads(Run("connectors", "list", "--output", "json").text)]
    assert len(names) >= 14
    for name in names:
        shown = Run("connectors", "show", name).exits(0).text
        assert not re.search(r"(^|\s)# ?(S\d|\w)", shown), f"{name}: {re.search('.*(^|.)# ?.*', shown).group(0)}"


@promise
def adyen_says_what_an_automatic_capture_takes():
    assert "context.capture_method of the gateway's endpoint" in Run("connectors", "show", "adyen").text
    key = {"HMAC": "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"}
    request = file("adyen.http", Run("sign", "--connector", "adyen", "--sample", "AUTHORISATION", "--secret-env", "HMAC", env=key).out)
    for method, status in (("AUTOMATIC", "CHARGED"), ("SEQUENTIAL_AUTOMATIC", "CHARGED"), ("MANUAL", "AUTHORIZED"), (None, "AUTHORIZED")):
        said = Run("handle", "--connector", "adyen", "--secret-env", "HMAC", "--request", request, "--output", "text",
                   *(("--capture-method", method) if method else ()), env=key).exits(0).text
        assert re.search(rf"^status +{status}$", said, re.M), (method, said)


@promise
def times_beyond_the_calendar_are_told_so():
    stripe = STRIPE[:4]
    for at in ("253402300800", "1764000000000"):
        verify(*stripe, "--request", GOOD, "--at", at).exits(2, err="--at takes unix seconds (not ms) of a year up to 9999, not: " + at)
    said = verify(*stripe, "--request", GOOD, "--at", "253402300799").exits(4).text
    assert "received at 9999-12-31T23:59:59Z" in said, said
    line = json.dumps({"connector": "stripe", "request": {"body": "{}"}, "at": 253402300800})
    Run("handle", "--ndjson", stdin=line.encode()).exits(0, out="`at` is not unix seconds (not ms) of a year up to 9999")
    key = b"a key of the standard webhooks"
    mac = base64.b64encode(hmac.digest(key, b"msg_1.253402300800.{}", "sha256"))
    far = file("far.http", b"POST / HTTP/1.1\r\nwebhook-id: msg_1\r\nwebhook-timestamp: 253402300800\r\nwebhook-signature: v1," + mac + b"\r\n\r\n{}")
    verify("--connector", "standardwebhooks", "--secret-env", "KEY", "--request", far, "--at", AT, env={"KEY": "whsec_" + base64.b64encode(key).decode()}
           ).exits(4, out="signed at a time past the year 9999, received at 2025-11-24T16:01:40Z")


@promise
def lines_that_nest_too_deep_are_told_so():
    run = Run("handle", "--ndjson", stdin=b"[" * 100000 + b"\n" + b'{"a":' + b"[{}," * 65 + b"\n").exits(0)
    said = [json.loads(line)["error"]["message"] for line in run.text.splitlines()]
    assert said == ["the line is nested deeper than 64 levels"] * 2, said
    Run("verify", *STRIPE, "--request", file("deep.har", b'{"log":' + b"[" * 100000)).exits(2, err="is nested too deep, at byte 71")


# ---- where a running payhook is ----------------------------------------------------------------------------

@promise
def a_running_payhook_is_found_by_its_configuration():
    """Nobody answers there: who was asked is told. The file's secrets are not there either, and are not missed."""
    os.makedirs(os.path.join(WORK.name, "conf"), exist_ok=True)
    conf = file("conf/payhook.yaml", "data: inbox\nwebhooks: { listen: none }\nendpoints:\n  shop: { connector: stripe, secrets: env:NOT_THERE }\n")
    named = file("conf/named.yaml", "data: inbox\nadmin: { socket: ask.sock }\n")
    off = file("conf/off.yaml", "admin: { socket: none }\n")
    there = os.path.join(WORK.name, "conf/inbox")
    none = dict.fromkeys(("PAYHOOK_CONFIG", "PAYHOOK_DATA", "PAYHOOK_ADMIN_SOCKET", "PAYHOOK_WEBHOOKS_LISTEN"))
    for args, env, asked in (
        (("--config", conf), {}, f"{there}/admin.sock"),
        ((), {"PAYHOOK_CONFIG": conf}, f"{there}/admin.sock"),
        (("--config", named), {"PAYHOOK_CONFIG": conf}, f"{there}/ask.sock"),
        (("--config", conf), {"PAYHOOK_DATA": "/other"}, "/other/admin.sock"),
        (("--config", conf), {"PAYHOOK_ADMIN_SOCKET": "/run/a.sock"}, "/run/a.sock"),
        ((), {"PAYHOOK_ADMIN_SOCKET": "a.sock"}, "./payhook-data/a.sock"),
        (("--data", "/mine"), {"PAYHOOK_CONFIG": conf, "PAYHOOK_ADMIN_SOCKET": "/run/a.sock"}, "/mine/admin.sock"),
        (("--admin", "unix:/mine.sock"), {"PAYHOOK_CONFIG": "/nowhere"}, "/mine.sock"),
        ((), {}, "./payhook-data/admin.sock"),
    ):
        Run("events", "ls", *args, env={**none, **env}).exits(1, err=f"cannot ask {asked}: nobody answers")
    Run("status", env={**none, "PAYHOOK_CONFIG": "/nowhere/p.yaml"}).exits(2, err="/nowhere/p.yaml: is not there")
    Run("status", "--config", off, env=none).exits(2, err="admin.socket is off in this configuration")
    Run("status", "--config", conf, "--data", "/mine").exits(2, err="give one of --admin, --data and --config")
    Run("inbox", "check", "--config", conf, env=none).exits(1, err=f"{there} cannot be checked")
    Run("inbox", "check", env={**none, "PAYHOOK_DATA": "/nowhere"}).exits(1, err="/nowhere cannot be checked")
    Run("trigger", "stripe", "charge.refunded", "--secret-env", "SECRET", env={**none, "PAYHOOK_CONFIG": conf}).exits(2, err="webhooks.listen is off")


@promise
def trigger_posts_to_the_endpoint_it_is_told():
    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200 if self.path in ("/webhooks/shop", "/webhooks/stripe") else 404)
            self.end_headers()

        def log_message(self, *args):
            pass
    with http.server.HTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        for listen in ("127.0.0.1", "0.0.0.0"):
            env = {"PAYHOOK_CONFIG": None, "PAYHOOK_WEBHOOKS_LISTEN": f"{listen}:{gateway.server_port}"}
            event = ("trigger", "stripe", "charge.refunded", "--secret-env", "SECRET")
            Run(*event, env=env).exits(0, out=f"to http://127.0.0.1:{gateway.server_port}/webhooks/stripe")
            Run(*event, "--endpoint", "shop", env=env).exits(0, out="/webhooks/shop")
            Run(*event, "--endpoint", "shp", env=env).exits(1, err="no endpoint is called shp there: --endpoint NAME (payhook endpoints status lists them)")
        gateway.shutdown()


main()
