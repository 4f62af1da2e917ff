#!/usr/bin/python3
"""Large answers to questions: cut at a limit, or whole at a slow reader."""
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
import wsclient
from backend import Backend, head
from bus import Bus
from check import at_least, equal, main, test, wait_until


def subscribe(client, name, count):
    """So many topics with long names."""
    for number in range(count):
        client.send({"op": "sub", "topic": "%s-%s-%d" % (
            name, "n" * 440, number)})
    client.ok("ping", timeout=20)


def slowly(sock, deadline=30.0):
    """Read all, in small pieces at first."""
    data, end = b"", time.monotonic() + deadline
    while time.monotonic() < end:
        more = sock.recv(1024 if len(data) < 50000 else 65536)
        if not more:
            return data
        data += more
    raise AssertionError("the answer does not end")


def large_answer(bus, context=None):
    """About a megabyte of rows, read slowly, with bytes behind the request."""
    clients = [bus.connect(slot, tls=context) for slot in (0, 1)]
    for client in clients:
        subscribe(client, client.conn, 1100)
    sock = wsclient.dial(bus.address, rcvbuf=4096, timeout=20)
    if context:
        sock = context.wrap_socket(sock)
    sock.sendall(head("GET", "/api/topics") + b"x" * 5000)
    start, _, body = slowly(sock).partition(b"\r\n\r\n")
    equal(b"HTTP/1.1 200" in start, True, str(start))
    at_least(len(body), 1 << 20)
    names = {row["name"] for row in json.loads(body)["rows"]}
    equal(len(names), 2200)
    sock.close()
    # One that reads nothing holds up nobody.
    sock = wsclient.dial(bus.address, rcvbuf=4096)
    if context:
        sock = context.wrap_socket(sock)
    sock.sendall(head("GET", "/api/topics") + b"x" * 5000)
    clients[0].alive()
    proc.calm(bus.pids().values(), "while one reads nothing")
    sock.close()
    wait_until(lambda: bus.total("handshakes") == 0, 5, "it is forgotten")


@test
def a_large_answer_arrives_whole_at_a_slow_reader():
    with Bus(2, max_topic=480) as bus:
        large_answer(bus)


@test
def a_large_answer_arrives_whole_over_tls():
    with tempfile.TemporaryDirectory(prefix="cbus-tls-") as made:
        cert, key = (os.path.join(made, name) for name in ("cert", "key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                        "/CN=localhost", "-days", "2", "-out", cert,
                        "-keyout", key], check=True, capture_output=True)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with Bus(2, max_topic=480, tls_cert=cert, tls_key=key,
                 allow=["lws|ssl|SSL"]) as bus:
            large_answer(bus, context)


@test
def rows_beyond_the_limit_are_cut_and_counted():
    with Bus(2, max_rows=10) as bus:
        clients = bus.connect_each(15)
        back = Backend(bus.address)
        status, answer = back.get("/api/clients")
        equal((status, len(answer["rows"]), answer["cut"]), (200, 20, 10))
        for client in sum(clients.values(), []):
            client.sub("a")
        status, answer = back.get("/api/presence/topic/a")
        equal((answer["count"], len(answer["rows"]), answer["cut"]),
              (30, 20, 10))
        equal(bus.total("rows_cut"), 20)
        equal(back.get("/api/topics")[1]["rows"], [
            {"name": "a", "kind": "shared", "role": "", "clients": 30,
             "listeners": 0}])


if __name__ == "__main__":
    main()
