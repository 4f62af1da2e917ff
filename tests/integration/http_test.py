#!/usr/bin/python3
"""/health, /ready, /metrics and the pages, as probes and browsers see them."""
import gzip
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import wsclient
from binary import PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, test
from rawhttp import exchange, get


@test
def health_and_ready_answer_200(bus):
    for path in ("/health", "/ready"):
        equal(get(bus.address, path).status, 200, path)


@test
def the_pages_are_served_plain_and_compressed(bus):
    for path, kind in (("/", "text/html"), ("/bus.js", "javascript")):
        plain = get(bus.address, path)
        equal(plain.status, 200, path)
        equal(kind in plain.header("Content-Type"), True, path)
        packed = get(bus.address, path, headers=["Accept-Encoding: gzip"])
        equal(packed.header("Content-Encoding"), "gzip", path)
        equal(gzip.decompress(packed.body), plain.body, path)


@test
def any_other_path_says_what_this_is(bus):
    equal(get(bus.address, "/chat").status in (404, 426), True)
    equal(get(bus.address, "/apis").status, 426)


@test
def metrics_cover_the_whole_cluster_and_agree_with_status(bus):
    clients = [bus.connect(slot) for slot in (0, 1) for _ in range(3)]
    for client in clients:
        client.sub("m")
    clients[0].pub("m", 1)
    for client in clients:
        client.msg("m")
    metrics, status = bus.metrics(), bus.status()

    def summed(name):
        values = [value for key, value in metrics.items()
                  if key.split("{")[0] == name]
        at_least(len(values), 1, name)
        return sum(values)
    for field in ("clients", "channels", "subscriptions"):
        equal(summed("clusterbus_" + field), status["total"][field], field)
    for field in ("published", "deliveries", "relayed_out", "relayed_in",
                  "drop_outbox", "gaps"):
        equal(summed("clusterbus_%s_total" % field),
              status["total"][field], field)
    equal(summed("clusterbus_hub_interests"), status["hub"]["interests"])
    equal(summed("clusterbus_hub_envelopes_in_total"),
          status["hub"]["envelopes_in"])
    for client in clients:
        client.abort()


@test
def metrics_are_well_formed(bus):
    answer = get(bus.address, "/metrics")
    equal(answer.header("Content-Type").startswith("text/plain"), True)
    kinds, helped, seen = {}, set(), set()
    for line in answer.body.decode().rstrip("\n").split("\n"):
        if line.startswith("# HELP "):
            helped.add(line.split()[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            equal(name in kinds, False, "a second TYPE of " + name)
            kinds[name] = kind
        elif line and not line.startswith("#"):
            key, value = line.rsplit(" ", 1)
            float(value)
            equal(key in seen, False, "a second " + key)
            seen.add(key)
            name = key.split("{")[0]
            equal(name in kinds and name in helped, True, name)
            equal(name.endswith("_total"), kinds[name] == "counter", name)
    at_least(len(seen), 50)


@test
def every_worker_tells_the_same_story(bus):
    found = set()
    for _ in range(20):
        body = get(bus.address, "/metrics").body.decode()
        found.add(tuple(sorted(
            line for line in body.split("\n")
            if line.startswith("clusterbus_clients_opened_total"))))
    equal(len(found), 1)


@test
def health_turns_503_while_a_worker_drains():
    with Bus(1, drain_window="3s") as bus:
        client = bus.connect()
        waiting = wsclient.dial(bus.address)
        waiting.sendall(b"GET /health HT")
        bus.process.terminate()
        end = time.monotonic() + 2
        waiting.settimeout(3)
        bus.wait_log(r"drain|stopp", 2)
        waiting.sendall(b"TP/1.1\r\nHost: x\r\n\r\n")
        equal(waiting.recv(12) in (b"HTTP/1.1 503", b""), True)
        at_most(time.monotonic(), end + 1 * PATIENCE, "in time")
        equal(client.wait_closed().code, 1001)
        bus.wait_exit()


@test
def a_request_may_come_in_pieces(bus):
    answer = exchange(bus.address, [
        b"GET /hea", b"lth HTTP/1.1\r", b"\nHost: x\r\n", b"\r\n"],
        pause=0.05)
    equal(answer.status, 200)


if __name__ == "__main__":
    main(shared=Bus(2))
