#!/usr/bin/python3
"""Who may use the HTTP API, what it does not take, and slow ends of it."""
import concurrent.futures
import json
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import keys
import proc
import wsclient
from backend import Backend, Guarded, head, posting
from binary import MEMORY, PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, test, wait_until
from rawhttp import exchange

PUBLISH = posting("/api/publish", b'{"topic":"a","data":1}')


def refused(answer, status, code="BAD_REQUEST"):
    """It is this error."""
    equal((answer[0], answer[1].get("code")), (status, code), str(answer))


@test
def without_keys_only_programs_of_this_host_may(bus):
    back = Backend(bus.address)
    equal(back.get("/api/users")[0], 200)
    for lines, status in (
            (["Origin: http://evil.example"], 403), (["Origin: null"], 403),
            (["Origin: http://good.example"], 200),
            (["X-Forwarded-For: 10.0.0.1"], 403),
            (["Forwarded: for=10.0.0.1"], 403),
            (["X-Real-IP: 10.0.0.1"], 403), (["Via: 1.1 proxy"], 403),
            (["Authorization: Bearer x"], 200)):
        equal(back.get("/api/users", *lines)[0], status, str(lines))
        equal(back.post("/api/publish", {"topic": "a", "data": 1},
                        *lines)[0], status, str(lines))
    for host, status in ((b"localhost", 200), (b"localhost:80", 200),
                         (b"127.0.0.1:80", 200), (b"[::1]:80", 200),
                         (b"evil.example", 403), (b"127.0.0.1.evil", 403),
                         (b"localhost.evil", 403), (b"[::1", 403),
                         (b"10.0.0.1", 403), (b"", 403)):
        answer = back.send(b"GET /api/users HTTP/1.1\r\nHost: " + host
                           + b"\r\n\r\n")
        equal(answer[0], status, str(host))


@test
def with_keys_the_tokens_role_decides():
    with Guarded(1) as bus:
        for text, status, code in (
                (None, 401, "UNAUTHORIZED"), ("x", 401, "UNAUTHORIZED"),
                (keys.token("a", role="user"), 403, "FORBIDDEN"),
                (keys.token("a"), 403, "FORBIDDEN"),
                (keys.token("a", role="admin", lives=-100), 401,
                 "UNAUTHORIZED"),
                (keys.token("a", role="admin", secret=b"x" * 40), 401,
                 "UNAUTHORIZED"),
                (keys.token("a", role="admin", alg="none"), 401,
                 "UNAUTHORIZED")):
            back = Backend(bus.address, text)
            refused(back.get("/api/users"), status, code)
            refused(back.post("/api/publish", {"topic": "a", "data": 1}),
                    status, code)
        good = bus.backend()
        equal(good.get("/api/users", "Origin: http://any.example")[0], 200)
        equal(good.send(b"GET /api/users HTTP/1.1\r\nHost: any.example\r\n"
                        + good.lines[0].encode() + b"\r\n\r\n")[0], 200)
        answer = exchange(bus.address, [head("GET", "/api/users")])
        equal(answer.header("WWW-Authenticate"), "Bearer")


@test
def a_body_must_say_that_it_is_json(bus):
    back = Backend(bus.address)
    body = b'{"topic":"a","data":1}'
    for kind, status in ((b"application/json", 200),
                         (b"Application/JSON; charset=utf-8", 200),
                         (b"text/plain", 415), (b"application/jsonx", 415),
                         (b"application/x-www-form-urlencoded", 415),
                         (b"", 415)):
        answer = back.send(
            b"POST /api/publish HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: " + kind + b"\r\nContent-Length: %d\r\n\r\n"
            % len(body) + body)
        equal(answer[0], status, str(kind))


@test
def a_body_that_is_no_sound_object_is_refused(bus):
    back = Backend(bus.address)
    for body in ("", "[]", "1", "{", '{"topic":"a","data":1',
                 '{"topic":"a","data":1}}', '{"topic":"a"}', '{"data":1}',
                 '{"topic":"a","topic":"b","data":1}',
                 '{"topic":7,"data":1}', '{"topic":"a\\u0000","data":1}',
                 '{"topic":"a\\n","data":1}', '{"topic":"","data":1}',
                 '{"topic":"a","data":1,"eco":false}',
                 '{"topic":"a","data":1,"binary":1}',
                 '{"topic":"%s","data":1}' % ("x" * 481),
                 '{"topic":"a","data":%s}' % ("[" * 200 + "]" * 200)):
        refused(back.post("/api/publish", body), 400)
    refused(back.send(posting("/api/publish",
                              b'{"topic":"\xff","data":1}')), 400)


@test
def the_bodys_length_must_be_said_and_is_limited(bus):
    back = Backend(bus.address)
    start = head("POST", "/api/publish", "Content-Type: application/json")[:-2]

    def sent(more, body=b""):
        return back.send(start + more + b"\r\n\r\n" + body)[0]
    equal(sent(b"X-Y: z"), 411)
    for length in (b"abc", b"-1", b"+5", b"0x5", b"5,5",
                   b"5\r\nContent-Length: 6"):
        equal(sent(b"Content-Length: " + length, b"hello!"), 400, str(length))
    equal(sent(b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
          501)
    for length in (b"65537", b"99999999999999999999", b"4294967296"):
        equal(sent(b"Content-Length: " + length, b"x" * 200000), 413)
    data = "x" * (65536 - 25)
    equal(back.post("/api/publish",
                    '{"topic":"a","data":"%s"}' % data)[0], 200)
    refused(back.send(head("GET", "/api/users", "Content-Length: 1")
                      + b"x"), 413)


@test
def wrong_methods_are_told_the_right_ones(bus):
    for method, path, allow in (
            ("GET", "/api/publish", "POST"), ("PUT", "/api/emit", "POST"),
            ("DELETE", "/api/users", "GET, HEAD"),
            ("OPTIONS", "/api/rooms/a/add", "POST"),
            ("POST", "/api/status", "GET, HEAD")):
        answer = exchange(bus.address, [head(method, path,
                                             "Content-Length: 0")])
        equal((answer.status, answer.header("Allow")), (405, allow), path)
    answer = exchange(bus.address, [head("HEAD", "/api/status")])
    equal((answer.status, answer.body), (200, b""))
    at_least(int(answer.header("Content-Length")), 1000)
    for path in ("/api", "/api/", "/api/publishes", "/api/rooms/a",
                 "/api/rooms/a/rename", "/api/rooms/add/"):
        status, _ = Backend(bus.address).post(path, {"user": "a"})
        equal(status, 404, path)


@test
def pipelined_requests_and_bytes_behind_them_cost_nothing(bus):
    pids = list(bus.pids().values())
    users = head("GET", "/api/users")
    for pieces in ([PUBLISH + PUBLISH], [users + PUBLISH], [users * 100],
                   [PUBLISH + head("GET", "/health", "Content-Length: 5")
                    + b"hello"], [head("GET", "/health") + PUBLISH],
                   [PUBLISH + b"x" * 300000], [users + b"x" * 300000],
                   [users, PUBLISH]):
        answer = exchange(bus.address, pieces, pause=0.01)
        equal((answer.status, answer.count, answer.ended), (200, 1, True),
              str(pieces[0][:40]))
    proc.calm(pids, "after pipelined requests")
    for request in (PUBLISH, users):
        equal(exchange(bus.address, [request], half=True).status, 200)
    equal(exchange(bus.address, [PUBLISH[:-3]], half=True).status, None)
    proc.calm(pids, "after half-closed connections")


@test
def a_request_may_come_byte_by_byte_but_not_for_ever(bus):
    answer = exchange(bus.address, [PUBLISH[at:at + 1]
                                    for at in range(len(PUBLISH))],
                      pause=0.001)
    equal(answer.status, 200)
    answer = exchange(bus.address, [PUBLISH[:-10]] + [b" "] * 9, pause=0.4)
    equal(answer.status, 408)
    at_least(answer.took, 1.5, "seconds")
    at_most(answer.took, 4.0 * PATIENCE, "seconds")
    errors = bus.total("handshake_errors")
    sock = wsclient.dial(bus.address)
    sock.sendall(PUBLISH[:-10])
    sock.close()
    wait_until(lambda: bus.total("handshake_errors") == errors + 1, 5,
               "a half body is an error of the handshake")
    wait_until(lambda: bus.total("handshakes") == 0, 5, "nothing is left")


@test
def a_client_that_waits_is_told_to_go_on(bus):
    sock = wsclient.dial(bus.address)
    request = posting("/api/publish", b'{"topic":"a","data":1}',
                      "Expect: 100-continue")
    start, _, body = request.partition(b"\r\n\r\n")
    sock.sendall(start + b"\r\n\r\n")
    equal(sock.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
    sock.sendall(body)
    equal(sock.recv(12), b"HTTP/1.1 200")
    sock.close()


@test
def a_hanging_worker_is_left_out_and_said_to_be_late():
    with Bus(3, query_timeout="700ms", stall_timeout="30s") as bus:
        back = Backend(bus.address)
        pids = bus.pids()
        os.kill(pids[2], signal.SIGSTOP)
        try:
            # New connections go to others after a second of standing still.
            wait_until(lambda: bus.worker(2)["heartbeat_age_ms"] > 1500, 10)
            began = time.monotonic()
            status, answer = back.get("/api/users")
            equal((status, answer["asked"], answer["answered"],
                   answer["late"], answer["gone"]), (200, 3, 2, 1, 0))
            at_least(time.monotonic() - began, 0.6, "seconds")
            at_most(time.monotonic() - began, 3.0 * PATIENCE, "seconds")
            # While it waits, bytes behind the request cost nothing, and
            # clients that go away are forgotten.
            socks = []
            for tail in (b"x" * 100000, PUBLISH, b""):
                sock = wsclient.dial(bus.address)
                sock.sendall(head("GET", "/api/users") + tail)
                if not tail:
                    sock.shutdown(socket.SHUT_WR)
                socks.append(sock)
            proc.calm([pids[0], pids[1]], "while answers are waited for")
            socks[0].close()
            for sock in socks[1:]:
                equal(sock.recv(12), b"HTTP/1.1 200")
                sock.close()
        finally:
            os.kill(pids[2], signal.SIGCONT)
        wait_until(lambda: bus.total("handshakes") == 0, 5, "all are gone")
        equal(back.get("/api/users")[1]["late"], 0)


@test
def a_worker_that_dies_meanwhile_is_said_to_be_gone():
    with Bus(2, query_timeout="5s", stall_timeout="30s",
             allow=["killed by signal"]) as bus:
        pid = bus.pid(1)
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: bus.worker(1)["heartbeat_age_ms"] > 1500, 10)
        sock = wsclient.dial(bus.address)
        sock.sendall(head("GET", "/api/users"))
        sock.settimeout(0.3)
        try:
            sock.recv(1)
            raise AssertionError("it was answered without waiting")
        except socket.timeout:
            pass
        os.kill(pid, signal.SIGKILL)
        sock.settimeout(4)
        data = b""
        while more := sock.recv(65536):
            data += more
        answer = json.loads(data.partition(b"\r\n\r\n")[2])
        equal((answer["asked"], answer["answered"], answer["gone"],
               answer["late"]), (2, 1, 1, 0))
        bus.wait_log(r"worker\[1\].*ready", offset=bus.log().index("killed"))


@test
def without_the_hub_publishing_works_and_questions_say_why_not():
    with Bus(1, checked=False) as bus:
        back = Backend(bus.address)
        client = bus.connect()
        client.sub("a")
        bus.process.kill()
        bus.wait_log("hub")
        wait_until(lambda: back.get("/api/users")[0] == 503, 5)
        refused(back.get("/api/users"), 503, "DISCONNECTED")
        back.ok("/api/publish", topic="a", data=5)
        equal(client.msg("a")["data"], 5)
        equal(back.get("/api/status")[1]["primary"]["alive"], False)
        os.kill(bus.pid(0), signal.SIGKILL)


def topics(bus, count):
    """A client in so many topics, each a row of about 300 bytes."""
    client = bus.connect()
    for at in range(count):
        client.send({"op": "sub", "topic": "%05d" % at + "x" * 245})
    client.ok("ping")
    wait_until(lambda: bus.total("subscriptions") == count, 10)
    return client


def ask(bus, path, rcvbuf=None):
    """A request whose answer is not read yet."""
    sock = wsclient.dial(bus.address, rcvbuf=rcvbuf)
    sock.sendall(head("GET", path))
    return sock


def read_all(sock):
    """Its status and how long its body is, which must be whole."""
    sock.settimeout(10 * PATIENCE)
    data = b"".join(iter(lambda: sock.recv(1 << 20), b""))
    start, _, body = data.partition(b"\r\n\r\n")
    length = int(start.lower().partition(b"content-length: ")[2].split()[0])
    equal(len(body), length)
    if data.split()[1] == b"503":
        at_least(start.find(b"\r\nRetry-After: 1"), 1)
        equal(json.loads(body)["code"], "RATE_LIMITED")
    return int(data.split()[1]), length


@test
def answers_that_are_not_taken_use_up_a_budget_and_no_more():
    limit = 12 << 20
    with Bus(1, api_output=limit, query_timeout="30s") as bus:
        back = Backend(bus.address)
        _ = topics(bus, 10000)
        before = proc.memory_kb(bus.pid(0))
        status, length = read_all(ask(bus, "/api/topics"))
        equal(status, 200)
        at_least(length, 3000000, "bytes of an answer")
        slow = [ask(bus, "/api/topics", rcvbuf=4096) for _ in range(40)]
        wait_until(lambda: bus.total("api_requests") == 41
                   and bus.total("http_requests") == 41, 10)
        wait_until(lambda: bus.total("api_refused") >= 1, 10)
        at_most(bus.total("api_output_bytes"), limit)
        # Five times: buffers double, and there is a copy or two.
        at_most(proc.memory_kb(bus.pid(0)) - before,
                5 * limit // 1024 + MEMORY, "kB more")
        # The next large one finds no room; who reads makes some.
        equal(read_all(ask(bus, "/api/topics"))[0], 503)
        with concurrent.futures.ThreadPoolExecutor(len(slow)) as readers:
            answers = list(readers.map(read_all, slow))
        equal({status for status, _ in answers}, {200, 503})
        wait_until(lambda: bus.total("api_output_bytes") == 0, 5)
        equal(back.get("/api/topics")[0], 200)
        equal(bus.total("api_cut"), 0)


@test
def large_answers_in_parallel_are_served_and_their_memory_given_back():
    with Bus(1, api_output="256m", query_timeout="30s") as bus:
        _ = topics(bus, 10000)
        before = proc.memory_kb(bus.pid(0))
        socks = [ask(bus, "/api/topics", rcvbuf=4096) for _ in range(40)]
        wait_until(lambda: bus.total("http_requests") == 40, 10)
        wait_until(lambda: bus.total("api_output_bytes") >= 16 << 20, 10)
        # All at once: who waits for ten seconds is cut off.
        with concurrent.futures.ThreadPoolExecutor(len(socks)) as readers:
            answers = list(readers.map(read_all, socks))
        equal([status for status, _ in answers], [200] * 40)
        wait_until(lambda: bus.total("api_output_bytes") == 0, 5)
        wait_until(lambda: proc.memory_kb(bus.pid(0)) - before
                   < 8192 + MEMORY, 5, "memory is given back")
        equal(bus.total("api_refused"), 0)


@test
def a_reader_that_stands_still_is_cut_off_and_others_are_served():
    with Bus(1, query_timeout="30s") as bus:
        back = Backend(bus.address)
        _ = topics(bus, 10000)
        sock = ask(bus, "/api/topics", rcvbuf=4096)
        wait_until(lambda: bus.total("http_requests") == 1, 5)
        equal(back.get("/api/topics")[0], 200)
        wait_until(lambda: bus.total("api_cut") == 1, 15)
        equal((bus.total("api_output_bytes"), bus.total("handshakes")), (0, 0))
        try:
            while sock.recv(1 << 20):
                pass
            raise AssertionError("a cut answer ends like a whole one")
        except ConnectionResetError:
            sock.close()


if __name__ == "__main__":
    main(shared=Bus(2, handshake_timeout="2s", max_body="64k",
                    allowed_origin="http://good.example",
                    allow=[r"libwebsockets"]))
