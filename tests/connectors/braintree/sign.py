#!/usr/bin/env python3
"""Packs and signs the cases of handle.json that say `xml`: bt_payload is its base64 in lines of 60, bt_signature the
public key and HMAC-SHA1 of that text under SHA-1 of the private key. The answers are not touched: they are written
by hand, from the documentation. `public`, `private`: the key pair; `signed`: what is signed in place of the payload."""
import base64, hashlib, hmac, json, os, textwrap, urllib.parse

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "handle.json")
doc = json.load(open(PATH))
for case in doc["cases"]:
    if "xml" not in case:
        continue
    payload = "\n".join(textwrap.wrap(base64.b64encode(case["xml"].encode()).decode(), 60)) + "\n"
    key = hashlib.sha1(case["private"].encode()).digest()
    mac = hmac.new(key, case.get("signed", payload).encode(), hashlib.sha1).hexdigest()
    case["request"]["body"] = urllib.parse.urlencode({"bt_signature": case["public"] + "|" + mac, "bt_payload": payload})
with open(PATH, "w") as out:
    out.write(json.dumps(doc, indent=1, ensure_ascii=False) + "\n")
