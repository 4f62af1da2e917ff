"""Keys and tokens for tests: made here byte by byte, or by openssl.

token() is a second implementation of what src/auth checks, so that both are
not wrong in the same way.
"""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

SECRET = b"an example secret of more than 32 bytes"


def base64url(data):
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(user=None, role=None, lives=600, **more):
    """Claims of a token that lives so many seconds."""
    made = {"exp": int(time.time()) + lives}
    if user is not None:
        made["sub"] = user
    if role is not None:
        made["role"] = role
    made.update(more)
    return made


def token(user=None, secret=SECRET, alg="HS256", **more):
    """A token signed with HMAC, whatever its header says."""
    text = ".".join((
        base64url(json.dumps({"alg": alg, "typ": "JWT"}).encode()),
        base64url(json.dumps(claims(user, **more)).encode())))
    mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return text + "." + base64url(mac)


def write_secret(directory, secret=SECRET, name="secret"):
    """A key file with a secret; its path."""
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.write(secret + b"\n")
    return path


def write_pair(directory, kind):
    """A private and a public PEM file: rsa, ec or ed25519."""
    private = os.path.join(directory, kind + ".pem")
    public = os.path.join(directory, kind + ".pub")
    options = {
        "rsa": ["-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"],
        "ec": ["-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "ed25519": ["-algorithm", "ed25519"]}[kind]
    subprocess.run(["openssl", "genpkey", "-out", private] + options,
                   check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out",
                    public], check=True, capture_output=True)
    return private, public
