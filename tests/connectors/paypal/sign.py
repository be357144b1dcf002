#!/usr/bin/env python3
"""Signs the cases of handle.json that say `sign_as` (a webhook id): PAYPAL-TRANSMISSION-SIG is RSA-SHA256 of
id|time|webhook id|CRC-32 of the raw body, with certificates/signer.key (openssl). `certificate`, `fetched` and `root`
name files of certificates/, which go into the config. The answers are not touched: they are written by hand, from
the documentation."""
import base64, json, os, subprocess, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
doc = json.load(open(os.path.join(HERE, "handle.json")))


def pem(name):
    return open(os.path.join(HERE, "certificates", name + ".pem")).read()


for case in doc["cases"]:
    config = case.setdefault("config", {})
    if "certificate" in case:
        config["certificate_pem"] = pem(case["certificate"])
    if "fetched" in case:
        config["fetched_certificate_pem"] = pem(case["fetched"])
    if "root" in case:
        config["root_certificates_der_base64"] = "".join(pem(case["root"]).split("\n")[1:-2])
    if "sign_as" not in case:
        continue
    headers = case["request"]["headers"]
    text = "|".join([headers["Paypal-Transmission-Id"], headers["Paypal-Transmission-Time"], case["sign_as"],
                     str(zlib.crc32(case["request"]["body"].encode()))])
    made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", os.path.join(HERE, "certificates", "signer.key")],
                          input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    headers["Paypal-Transmission-Sig"] = base64.b64encode(made).decode()
with open(os.path.join(HERE, "handle.json"), "w") as out:
    out.write(json.dumps(doc, indent=1, ensure_ascii=False) + "\n")
