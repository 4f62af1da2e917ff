#!/usr/bin/python3
"""Every known way to hurt a worker over HTTP, from outside.

After each attack the bus still serves another client, from the same process,
and that process does not spin: its CPU time is measured while nothing
happens.
"""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
import wsclient
from binary import PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, test, wait_until
from rawhttp import exchange, get

HANDSHAKE = 2.0
HOST = b"Host: localhost\r\n"
HEALTH = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
BODY = b"Content-Length: 5\r\n\r\nhello"
UPGRADE = (b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


def calm(bus, name, pid):
    """The same worker serves on and uses next to no CPU time."""
    equal(bus.pid(0), pid, "the worker after " + name)
    other = wsclient.Client(bus.address)
    other.sub("fine")
    other.pub("fine", name)
    equal(other.msg("fine")["data"], name)
    other.close()
    proc.calm([pid], "after " + name)


def attack(bus, name, pieces, statuses, **more):
    """One attack; the first answer's status has to be one of these."""
    pid = bus.pid(0)
    answer = exchange(bus.address, pieces, **more)
    equal(answer.status in statuses, True, "%s: %r" % (name, answer))
    equal(answer.ended, True, "the end of the connection after " + name)
    equal(b" 101 " in answer.data, False, "an upgrade after " + name)
    calm(bus, name, pid)
    return answer


@test
def a_second_request_with_a_body_in_one_packet_does_not_hang_it(bus):
    for name, first, second in (
            ("GET and GET with a body", HEALTH,
             b"GET /health HTTP/1.1\r\n" + HOST + BODY),
            ("GET and POST", HEALTH,
             b"POST /api/publish HTTP/1.1\r\n" + HOST + BODY),
            ("POST and POST", b"POST /health HTTP/1.1\r\n" + HOST + BODY,
             b"POST /health HTTP/1.1\r\n" + HOST + BODY),
            ("404 and POST", b"GET /none HTTP/1.1\r\n" + HOST + b"\r\n",
             b"POST /health HTTP/1.1\r\n" + HOST + BODY),
            ("two GETs", HEALTH, HEALTH),
            ("a hundred GETs", HEALTH, HEALTH * 100)):
        answer = attack(bus, name, [first + second],
                        (200, 400, 404, 405, 411, 413, 426, 501))
        equal(answer.count, 1, "answers to " + name)
    answer = attack(bus, "GET, then POST", [HEALTH, b"POST / HTTP/1.1\r\n"
                    + HOST + BODY], (200,), pause=0.1)
    equal(answer.count, 1)


@test
def answers_say_that_the_connection_closes(bus):
    for path in ("/health", "/ready", "/metrics", "/bus.js", "/", "/none"):
        answer = get(bus.address, path)
        equal("close" in answer.header("Connection").lower(), True, path)
        equal(answer.ended, True, path)
        equal(int(answer.header("Content-Length")), len(answer.body), path)


@test
def an_unknown_upgrade_is_no_upgrade(bus):
    for token in (b"foo", b"h2c", b"websocket2", b"", b"TLS/1.0, HTTP/1.1",
                  b"x" * 3000):
        attack(bus, "Upgrade: %r" % token[:10], [
            b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: " + token + b"\r\n"
            + UPGRADE + b"\r\n"], (None, 200, 400, 403, 404, 426, 431))
        attack(bus, "a second request with Upgrade: %r" % token[:10], [
            HEALTH + b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: " + token
            + b"\r\n" + UPGRADE + b"\r\n"], (200,))
        attack(bus, "later Upgrade: %r" % token[:10], [
            HEALTH, b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: " + token
            + b"\r\n" + UPGRADE + b"\r\n"], (200,), pause=0.05)


@test
def http2_is_not_spoken(bus):
    attack(bus, "h2c", [
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, "
        b"HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        b"\r\n"], (None, 200, 400, 403, 404, 426))
    attack(bus, "h2c dressed as a WebSocket", [
        b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n" + UPGRADE
        + b"\r\n"], (None, 200, 400, 403, 404, 426))
    attack(bus, "the preface of HTTP/2", [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"],
        (None, 400, 403, 404, 405, 505))


@test
def connect_is_no_tunnel(bus):
    for target in (b"x:80", b"/", b"127.0.0.1:22"):
        answer = attack(bus, "CONNECT", [
            b"CONNECT " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n",
            b"hello tunnel"], (None, 400, 403, 404, 405), pause=0.05)
        at_most(answer.took, 1.0 * PATIENCE,
                "seconds until the end of a CONNECT")


@test
def a_body_has_to_say_its_length_and_say_it_well(bus):
    head = (b"POST /api/publish HTTP/1.1\r\n" + HOST
            + b"Content-Type: application/json\r\n")
    attack(bus, "a chunked body", [
        head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
        (501,))
    attack(bus, "chunked and a length", [
        head + b"Transfer-Encoding: chunked\r\n" + BODY], (400, 501))
    attack(bus, "no length at all", [head + b"\r\n"], (404, 405, 411))
    for value in (b"abc", b"-1", b"+5", b"0x5", b"5 5", b"5,5", b"5;",
                  b"99999999999999999999", b"-9223372036854775808",
                  b"4294967296", b"1e3"):
        attack(bus, "Content-Length: %r" % value, [
            head + b"Content-Length: " + value + b"\r\n\r\nhello"],
            (400, 411, 413))
    upgrade = b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\n" + UPGRADE
    attack(bus, "an upgrade with a body", [upgrade + BODY], (413,))
    attack(bus, "an upgrade with a chunked body", [
        upgrade + b"Transfer-Encoding: chunked\r\n\r\n"], (501,))
    attack(bus, "too many subprotocols", [
        upgrade + b"Sec-WebSocket-Protocol: " + b"x," * 2500 + b"y\r\n\r\n"],
        (400, 431))
    attack(bus, "two lengths", [
        head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"],
        (400, 413))
    attack(bus, "a body that never comes", [
        head + b"Content-Length: 5\r\n\r\nhel"],
        (None, 400, 404, 405, 408, 413))


@test
def other_methods_are_refused(bus):
    for method in ("DELETE", "PUT", "OPTIONS", "PATCH", "TRACE", "BREW"):
        answer = get(bus.address, "/health", method)
        equal(answer.status in (None, 400, 403, 404, 405, 501), True,
              "%s: %r" % (method, answer))
    equal(get(bus.address, "/health", "HEAD").body, b"")
    calm(bus, "other methods", bus.pid(0))


@test
def header_floods_are_cut_off(bus):
    attack(bus, "one large header", [
        b"GET / HTTP/1.1\r\n" + HOST + b"X-Large: " + b"x" * 100000
        + b"\r\n\r\n"], (None, 400, 403, 413, 431))
    attack(bus, "ten thousand headers", [
        b"GET / HTTP/1.1\r\n" + HOST
        + b"".join(b"X-%d: y\r\n" % n for n in range(10000)) + b"\r\n"],
        (None, 200, 400, 403, 413, 431))
    attack(bus, "a header that never ends", [
        b"GET / HTTP/1.1\r\nX: "] + [b"y" * 1000] * 200,
        (None, 400, 403, 413, 431))
    attack(bus, "a long path", [
        b"GET /" + b"a/" * 20000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"],
        (None, 400, 403, 404, 413, 414, 426, 431))
    attack(bus, "a long query of arguments", [
        b"GET /health?" + b"&a=1" * 5000 + b" HTTP/1.1\r\n" + HOST
        + b"\r\n"], (None, 200, 400, 403, 404, 413, 414, 431))


@test
def nonsense_is_cut_off(bus):
    for name, data in (
            ("nonsense", b"hello\r\n\r\n"),
            ("NULs", b"\0" * 500 + b"\r\n\r\n"),
            ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
             + b"\0" * 512), ("every byte", bytes(range(256)) * 8),
            ("empty lines", b"\r\n" * 1000),
            ("a path with %00", b"GET /%00%00/%2e%2e/x HTTP/1.1\r\n" + HOST
             + b"\r\n"),
            ("broken escapes", b"GET /%zz%1 HTTP/1.1\r\n" + HOST + b"\r\n"),
            ("a climb", b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST
             + b"\r\n"),
            ("HTTP/0.9", b"GET /health\r\n\r\n"),
            ("HTTP/9", b"GET /health HTTP/9.9\r\n" + HOST + b"\r\n")):
        answer = attack(bus, name, [data], (
            None, 200, 400, 403, 404, 405, 414, 426, 505))
        equal(b"root:" in answer.data, False, name)


@test
def broken_upgrades_are_refused(bus):
    start = b"GET / HTTP/1.1\r\n" + HOST
    for name, head in (
            ("no key", b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Version: 13\r\n"),
            ("another version", b"Upgrade: websocket\r\nConnection: Upgrade"
             b"\r\nSec-WebSocket-Version: 7\r\n"
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            ("an unknown subprotocol", b"Upgrade: websocket\r\n" + UPGRADE
             + b"Sec-WebSocket-Protocol: soap\r\n")):
        attack(bus, name, [start + head + b"\r\n"],
               (None, 200, 400, 403, 404, 426))


@test
def a_dribbled_handshake_is_cut_off_in_time(bus):
    request = wsclient.handshake_bytes(bus.address)[0]
    answer = attack(bus, "a dribbled handshake", [
        request[at:at + 1] for at in range(len(request) - 1)],
        (None, 400, 408), pause=0.05, deadline=HANDSHAKE + 6 * PATIENCE)
    at_least(answer.took, HANDSHAKE - 0.7, "seconds")
    at_most(answer.took, HANDSHAKE + 2.0 * PATIENCE, "seconds")


@test
def silent_connections_are_cut_off_and_meanwhile_nobody_waits(bus):
    began = time.monotonic()
    silent = [wsclient.dial(bus.address) for _ in range(100)]
    for sock in silent[50:]:
        sock.sendall(b"GET / HT")
    took = time.monotonic()
    calm(bus, "a hundred silent connections", bus.pid(0))
    at_most(time.monotonic() - took, 1.5 * PATIENCE,
            "seconds for a polite client")
    for sock in silent:
        sock.settimeout(max(0.1, began + HANDSHAKE + 4 * PATIENCE
                            - time.monotonic()))
        while sock.recv(1000):
            pass
        sock.close()
    at_most(time.monotonic() - began, HANDSHAKE + 3.0 * PATIENCE, "seconds")
    wait_until(lambda: bus.total("handshakes") == 0, 5,
               "no handshake is left")


@test
def bytes_behind_a_request_do_not_make_it_spin(bus):
    pid = bus.pid(0)
    socks = []
    for path in (b"/metrics", b"/bus.js", b"/", b"/health"):
        for tail in (b"x" * 50000, b"\r\n" * 10, b""):
            sock = wsclient.dial(bus.address, rcvbuf=2048)
            try:
                sock.sendall(b"GET " + path + b" HTTP/1.1\r\n" + HOST
                             + b"\r\n" + tail)
                if not tail:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            socks.append(sock)
    calm(bus, "bytes behind a request", pid)
    for sock in socks:
        sock.close()


if __name__ == "__main__":
    main(shared=Bus(1, handshake_timeout="2s", allow=[
        r"malformed|header|lws|libwebsockets|handshake|denied|conn"]))
