#!/usr/bin/python3
"""TLS: a round trip, a certificate that is replaced, bad hellos."""
import os
import shutil
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
import wsclient
from bus import Bus
from check import (at_most, equal, main, rng, skip_all, test, wait_until)
from rawhttp import exchange

if shutil.which("openssl") is None:
    skip_all("openssl is not installed")

DIRECTORY = tempfile.mkdtemp(prefix="cbus-tls-")
CERT = os.path.join(DIRECTORY, "cert.pem")
KEY = os.path.join(DIRECTORY, "key.pem")


def certificate(name):
    """A new self-signed certificate for 127.0.0.1 with this common name."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
         KEY, "-out", CERT], check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)


def trusting():
    """A client's context that trusts the certificate as it is now."""
    context = ssl.create_default_context(cafile=CERT)
    context.check_hostname = True
    return context


def name_of(client):
    """The common name that the bus showed this client."""
    subject = client.sock.getpeercert()["subject"]
    return dict(pair[0] for pair in subject)["commonName"]


def secure(n=2, **more):
    """A bus that speaks TLS."""
    return Bus(n, tls_cert=CERT, tls_key=KEY, **more)


@test
def clients_talk_over_tls():
    certificate("first")
    with secure() as bus:
        one, two = bus.connect(0, tls=trusting()), bus.connect(
            1, tls=trusting())
        equal(name_of(one), "first")
        equal(one.sock.selected_alpn_protocol() in (None, "http/1.1"), True)
        one.sub("secret")
        two.pub("secret", "x" * 100000)
        equal(one.msg("secret")["data"], "x" * 100000)
        two.publish_binary("secret", bytes(range(256)))
        equal(one.msg("secret")["binary"], True)
        equal(one.close(), 1000)


@test
def a_new_certificate_is_taken_by_reload_and_old_connections_stay():
    certificate("first")
    with secure(drain_window="20s", drain_timeout="30s") as bus:
        old = bus.connect(tls=trusting())
        old.sub("both")
        certificate("second")
        code, out, errors = bus.cli("reload")
        equal(code, 0, out + errors)
        context = trusting()

        def new_one():
            try:
                return bus.connect(tls=context)
            except ssl.SSLError:
                return None
        new = wait_until(new_one, 10, "the new certificate")
        equal(name_of(new), "second")
        equal(old.alive(), True)
        new.pub("both", 1)
        equal(old.msg("both")["data"], 1)
        bus.cli("stop", "--fast")
        bus.wait_exit(10, None)


@test
def a_broken_new_certificate_is_refused_and_the_old_one_stays():
    certificate("first")
    with secure(1, allow=[r"cert|key|tls|config|reload"]) as bus:
        context = trusting()
        with open(CERT, "w") as file:
            file.write("no certificate\n")
        code, out, errors = bus.cli("reload")
        equal(code != 0, True, out + errors)
        equal(bus.connect(tls=context).alive(), True)


@test
def plain_http_and_nonsense_are_cut_off():
    certificate("first")
    with secure(1, allow=[r"lws|ssl|SSL|tls|TLS"],
                handshake_timeout="1s") as bus:
        pid = bus.pid(0)
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 100,
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                     rng.randbytes(500), b""):
            answer = exchange(bus.address, [data] if data else [])
            equal(answer.ended, True, repr(data[:10]))
            equal(b"101" in answer.data, False)
        equal(bus.connect(tls=trusting()).alive(), True)
        equal(bus.pid(0), pid)
        before = proc.cpu_seconds(pid)
        wait_until(lambda: bus.total("handshakes") == 0, 5)
        at_most(proc.cpu_seconds(pid) - before, 0.5, "CPU seconds")


@test
def http2_is_not_negotiated():
    certificate("first")
    with secure(1) as bus:
        context = trusting()
        context.set_alpn_protocols(["h2", "http/1.1"])
        client = bus.connect(tls=context)
        equal(client.sock.selected_alpn_protocol() in (None, "http/1.1"),
              True)


@test
def a_client_that_does_not_read_is_bounded_over_tls_too():
    certificate("first")
    with secure(1, outbox_soft="64k", outbox_hard="256k",
                allow=[r"slow|drop"]) as bus:
        lazy = bus.connect(tls=trusting(), rcvbuf=4096)
        lazy.sub("flood")
        good, writer = (bus.connect(tls=trusting()),
                        bus.connect(tls=trusting()))
        good.sub("flood")
        for _ in range(600):
            writer.pub_raw("flood", '"' + "x" * 20000 + '"')
            good.msg("flood")
        wait_until(lambda: bus.total("closed_slow") == 1, 5)
        equal(bus.total("outbox_bytes"), 0)


@test
def half_a_tls_handshake_is_cut_off_in_time():
    certificate("first")
    with secure(1, handshake_timeout="1s", allow=[r"lws|ssl|SSL"]) as bus:
        socks = [wsclient.dial(bus.address) for _ in range(20)]
        for sock in socks:
            sock.settimeout(6)
            try:
                equal(sock.recv(10), b"")
            except ConnectionResetError:
                pass
            sock.close()


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
