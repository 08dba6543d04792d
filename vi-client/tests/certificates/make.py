#!/usr/bin/env python3
"""Makes the certificates of this folder, with the command openssl for keys and signatures.

Tools refuse to make most of them, so their DER is put together here. Keys are kept if they are there; all the rest is made
anew, and is the same again for keys whose signatures are deterministic (RSA, Ed25519)."""
import base64
import hashlib
import os
import subprocess
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
VALID = ("20200101000000Z", "21200101000000Z")


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts):
    return tlv(0x30, *parts)


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([40 * first + second])
    for number in rest:
        digits = [number & 127]
        while number := number >> 7:
            digits.insert(0, 128 | number & 127)
        out += bytes(digits)
    return tlv(6, out)


NULL = tlv(5)
SIGNATURES = {
    ("rsa", "sha256"): sequence(oid("1.2.840.113549.1.1.11"), NULL),
    ("rsa", "sha1"): sequence(oid("1.2.840.113549.1.1.5"), NULL),
    ("rsa", "md5"): sequence(oid("1.2.840.113549.1.1.4"), NULL),
    ("ec", "sha256"): sequence(oid("1.2.840.10045.4.3.2")),
    ("ed25519", None): sequence(oid("1.3.101.112")),
}
KEYS = {
    "rsa512": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512"],
    "rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "rsa2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "ed25519": ["-algorithm", "ED25519"],
}


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, stdout=subprocess.PIPE, check=True).stdout


def key_file(name):
    return os.path.join(HERE, name + ".key")


def common_name(text, tag=12):
    value = text if isinstance(text, bytes) else text.encode()
    return tlv(0x31, sequence(oid("2.5.4.3"), tlv(tag, value)))


def organization(text):
    return tlv(0x31, sequence(oid("2.5.4.10"), tlv(12, text.encode())))


def time(text):
    """As RFC 5280 wants it; a text with a T in front is a UTCTime as it is."""
    if text.startswith("T"):
        return tlv(23, text[1:].encode())
    if text < "2050":
        return tlv(23, text[2:].encode())
    return tlv(24, text.encode())


def extension(number, value, critical=False):
    return sequence(oid(number), tlv(1, b"\xff") if critical else b"", tlv(4, value))


def alternative_names(*names):
    parts = [tlv(0x87, bytes(map(int, name.split(".")))) if name[0].isdigit() else tlv(0x82, name.removeprefix("DNS:").encode())
             for name in names]
    return extension("2.5.29.17", sequence(*parts))


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def make(name, key="rsa2048", digest="sha256", version=3, serial=1, subject=common_name("127.0.0.1"), issuer=None,
         issuer_key=None, dates=VALID, extensions=(), unique=b"", tail=b""):
    kind = key.rstrip("0123456789") if key != "ed25519" else key
    signer = issuer_key or key
    signer_kind = {"p": "ec"}.get(signer.rstrip("0123456789"), signer.rstrip("0123456789"))
    if signer == "ed25519":
        signer_kind, digest = "ed25519", None
    algorithm = SIGNATURES[signer_kind, digest]
    public = openssl("pkey", "-in", key_file(key), "-pubout", "-outform", "DER")
    serial = serial if isinstance(serial, bytes) else integer(serial)
    body = sequence(
        tlv(0xA0, integer(version - 1)) if version > 1 else b"",
        serial, algorithm,
        sequence(issuer if issuer is not None else subject),
        sequence(*map(time, dates)),
        sequence(subject),
        public, unique,
        tlv(0xA3, sequence(*extensions)) if extensions else b"",
    )
    if digest:
        signature = openssl("dgst", "-" + digest, "-sign", key_file(signer), data=body)
    else:
        path = os.path.join(HERE, "body.tmp")
        with open(path, "wb") as file:
            file.write(body)
        signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", key_file(signer), "-in", path)
        os.remove(path)
    der = sequence(body, algorithm, tlv(3, b"\0", signature)) + tail
    text = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    with open(os.path.join(HERE, name + ".pem"), "w") as file:
        file.write(f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    return der


def main():
    for name, options in KEYS.items():
        if not os.path.exists(key_file(name)):
            openssl("genpkey", *options, "-out", key_file(name))
    address = alternative_names("127.0.0.1")
    authority = extension("2.5.29.19", sequence(tlv(1, b"\xff")), critical=True)

    # Old hosts: version 1 has no extensions, so there is nothing but the CN.
    make("v1", version=1)
    make("v1-rsa1024", "rsa1024", version=1, digest="sha1")
    make("v1-md5", version=1, digest="md5")
    make("v1-rsa512", "rsa512", version=1, digest="sha1")
    make("v1-p256", "p256", version=1)
    make("v1-p384", "p384", version=1)
    make("v1-p521", "p521", version=1)
    make("v1-ed25519", "ed25519", version=1)
    make("v1-empty-subject", version=1, subject=b"")
    make("v1-other-name", version=1, subject=organization("VMware, Inc") + common_name("localhost.localdomain"))
    make("rsa1024", "rsa1024", digest="sha1", extensions=[address, authority])
    make("sha1", digest="sha1", extensions=[address])
    make("md5", digest="md5", extensions=[address])

    # Names.
    make("cn-address", extensions=[authority])
    make("cn-name", subject=organization("VMware, Inc") + common_name("localhost"), extensions=[authority])
    make("cn-upper-case", subject=common_name("LOCALHOST"))
    make("cn-wildcard", subject=common_name("*.example"))
    make("cn-utf16", subject=common_name("localhost".encode("utf-16-be"), tag=30))
    make("cn-beside-names", subject=common_name("localhost"), extensions=[alternative_names("esx7.example")])
    make("address-as-name", subject=organization("VMware, Inc"), extensions=[alternative_names("DNS:127.0.0.1"), authority])

    # What webpki refuses to read, or to take for a server's.
    make("negative-serial", serial=-5, extensions=[address])
    make("zero-serial", serial=0, extensions=[address])
    make("long-serial", serial=int.from_bytes(b"\x7f" * 40, "big"), extensions=[address])
    make("empty-serial", serial=tlv(2), extensions=[address])
    make("client-only", extensions=[address, extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.2")), critical=True)])
    make("signs-only", extensions=[address, authority, extension("2.5.29.15", tlv(3, b"\x02\x04"), critical=True)])
    make("unknown-critical", extensions=[address, extension("1.3.6.1.4.1.6876.99.1", tlv(5), critical=True)])
    make("broken-extension", extensions=[address, extension("2.5.29.19", b"\x30\x05\x01")])
    make("twice-the-extension", extensions=[address, address])
    make("unique-identifiers", version=3, unique=tlv(0x81, b"\0\x2a") + tlv(0x82, b"\0\x2b"), extensions=[address])
    make("version-2", version=2)
    make("version-9", version=9, extensions=[address])

    # Dates.
    make("expired", version=1, dates=("20100101000000Z", "20110203000000Z"))
    make("not-yet-valid", version=1, dates=("21000101000000Z", "21200101000000Z"))
    make("times-without-seconds", dates=("T2001010000Z", "T4901010000Z"), extensions=[address])
    make("times-of-a-zone", dates=("T200101000000+0100", "T490101000000+0100"), extensions=[address])
    make("no-end", dates=(VALID[0], "99991231235959Z"), extensions=[address])
    make("no-times", dates=("Tnever", "Talways"), extensions=[address])

    # A chain: the server's certificate has only a CN.
    name = organization("Example") + common_name("Example authority")
    make("authority", "p256", subject=name, extensions=[authority])
    make("of-authority", subject=common_name("localhost"), issuer=name, issuer_key="p256", extensions=[
        extension("2.5.29.19", sequence())])
    make("short-of-authority", "rsa1024", issuer=name, issuer_key="p256", subject=b"", extensions=[address])
    only = extension("2.5.29.30", sequence(tlv(0xA0, sequence(tlv(0x82, b"example")))), critical=True)
    name = organization("Example") + common_name("Example authority of .example")
    make("narrow-authority", "p256", subject=name, extensions=[authority, only])
    make("of-narrow-authority", subject=common_name("localhost"), issuer=name, issuer_key="p256", extensions=[
        extension("2.5.29.19", sequence())])


if __name__ == "__main__":
    main()
