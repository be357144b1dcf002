#!/usr/bin/env python3
"""Makes the certificates of the PayPal cases: made up, and trusted by nobody. They are kept, so that the cases stay
the same; run it only to make others, and then ../sign.py. Needs the Python package cryptography."""
import datetime, os
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

os.chdir(os.path.dirname(os.path.abspath(__file__)))
LIVE = "messageverificationcerts.paypal.com"
SANDBOX = "messageverificationcerts.sandbox.paypal.com"


def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def name(common):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Made-up test certificate"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])


def year(y):
    return datetime.datetime(y, 1, 1, tzinfo=datetime.timezone.utc)


def certificate(subject, public, issuer, issuer_key, since, until, authority, dns=None):
    b = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public)
         .serial_number(x509.random_serial_number()).not_valid_before(year(since)).not_valid_after(year(until))
         .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
    if dns:
        b = b.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
    return b.sign(issuer_key, hashes.SHA256())


def write(file, *certificates):
    with open(file, "wb") as f:
        f.write(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates))


root_key, between_key, signer = key(), key(), key()
root = certificate("Made-up root", root_key.public_key(), "Made-up root", root_key, 2020, 2046, True)
between = certificate("Made-up intermediate", between_key.public_key(), "Made-up root", root_key, 2020, 2045, True)
write("root.pem", root)
for file, common, dns, since, until in (("live", LIVE, LIVE, 2026, 2028),
                                        ("common_name", SANDBOX, None, 2026, 2028),
                                        ("other_name", "www.example.com", "www.example.com", 2026, 2028),
                                        ("longer_name", LIVE + ".example.com", LIVE + ".example.com", 2026, 2028),
                                        ("other_dns", LIVE, "www.example.com", 2026, 2028),
                                        ("wildcard", "*.paypal.com", "*.paypal.com", 2026, 2028),
                                        ("expired", LIVE, LIVE, 2024, 2025)):
    write(file + ".pem", certificate(common, signer.public_key(), "Made-up intermediate", between_key, since, until, False,
                                     dns), between)
write("self_signed.pem", certificate(LIVE, signer.public_key(), LIVE, signer, 2026, 2028, False, LIVE))
with open("signer.key", "wb") as f:
    f.write(signer.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption()))
