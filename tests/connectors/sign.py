#!/usr/bin/env python3
"""Signs the requests of handle.json again, after a body was edited; the promised answers are by hand.

usage: tests/connectors/sign.py tests/connectors/{adyen,novalnet,fiuu}/handle.json

A case with `signed_with` gets the signature that its processor's documentation prescribes for that secret,
computed here and not by the program. A case without it stays as it is (unsigned, or changed after signing); so
do the items of a batch that `left_alone` numbers."""
import base64, hashlib, hmac, json, sys, urllib.parse


def adyen_text(item, value, currency):
    names = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
    return ":".join([*(item.get(n) or "" for n in names), str(value), currency, item["eventCode"], str(item["success"])])


def adyen_hmac(text, secret):
    return base64.b64encode(hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).digest()).decode()


def adyen(body, secret, form, left_alone):
    if form:
        item = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        item["additionalData.hmacSignature"] = adyen_hmac(adyen_text(item, item["value"], item["currency"]), secret)
        return urllib.parse.urlencode(item)
    tree = json.loads(body)
    for number, wrapper in enumerate(tree["notificationItems"]):
        item = wrapper["NotificationRequestItem"]
        amount = item["amount"]
        if number not in left_alone:
            text = adyen_text(item, amount["value"], amount["currency"])
            item["additionalData"]["hmacSignature"] = adyen_hmac(text, secret)
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False)


def novalnet(body, secret, form, left_alone):
    tree = json.loads(body)
    event, paid = tree["event"], tree["transaction"]
    text = f"{event['tid']}{event['type']}{tree['result']['status']}{paid.get('amount', '')}{paid.get('currency', '')}"
    event["checksum"] = hashlib.sha256((text + secret[::-1]).encode()).hexdigest()
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False)


def md5(*texts):
    return hashlib.md5("".join(texts).encode()).hexdigest()


def fiuu(body, secret, form, left_alone):
    f = dict(urllib.parse.parse_qsl(body, keep_blank_values=True)) if form else json.loads(body)
    get = lambda *names: [f.get(n, "") for n in names]
    if "RefundType" in f:
        names = ("RefundType", "MerchantID", "RefID", "RefundID", "TxnID", "Amount", "Status")
        f["Signature"] = md5(*get(*names), secret)
    else:
        inner = md5(*get("tranID", "orderid", "status", "domain", "amount", "currency"))
        f["skey"] = md5(*get("paydate", "domain"), inner, *get("appcode"), secret)
    return urllib.parse.urlencode(f) if form else json.dumps(f, separators=(",", ":"), ensure_ascii=False)


for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases["cases"]:
        if "signed_with" in case:
            request = case["request"]
            form = "form" in request["headers"].get("Content-Type", "")
            sign = {"adyen": adyen, "novalnet": novalnet, "fiuu": fiuu}[cases["connector"]]
            request["body"] = sign(request["body"], case["signed_with"], form, case.get("left_alone", []))
    with open(path, "w", encoding="utf-8") as file:
        json.dump(cases, file, indent=1, ensure_ascii=False)
        file.write("\n")
