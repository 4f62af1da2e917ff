#!/usr/bin/python3
"""Limits: each is enforced, told to the one who meets it, and counted."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
import wsclient
from binary import MEMORY
from bus import Bus
from check import at_least, at_most, equal, main, say, test, wait_until
from wsclient import Client, Closed, Refused


def turned_away(bus, **more):
    """A connection that must not get a welcome."""
    try:
        client = Client(bus.address, **more)
    except (Refused, Closed, ConnectionError):
        return True
    client.abort()
    return False


@test
def more_subscriptions_than_allowed_are_refused():
    with Bus(1, max_subscriptions=5) as bus:
        client = bus.connect()
        for number in range(5):
            client.sub("t%d" % number)
        answer = client.ask("sub", topic="one more")
        equal(answer["op"], "err")
        equal(answer["code"] in ("TOO_LARGE", "RATE_LIMITED", "FORBIDDEN"),
              True, answer)
        client.sub("t0")
        client.unsub("t1")
        client.sub("one more")
        equal(bus.total("subscriptions"), 5)


@test
def more_channels_than_allowed_are_refused():
    with Bus(1, max_channels=3) as bus:
        first, second = bus.connect(), bus.connect()
        for number in range(3):
            first.sub("t%d" % number)
        equal(second.ask("sub", topic="other")["op"], "err")
        second.sub("t0")
        first.unsub("t2")
        second.sub("other")


@test
def more_messages_than_allowed_are_refused_and_forgiven_later():
    with Bus(1, max_rate=20) as bus:
        client, other = bus.connect(), bus.connect()
        answers = []
        try:
            for number in range(100):
                client.send({"op": "ping", "id": number})
            for number in range(100):
                answers.append(client.recv())
        except Closed as closed:
            equal(closed.code, 4429)
        codes = [a.get("code") for a in answers if a["op"] == "err"]
        at_least(len(codes), 1, "refused")
        equal(set(codes), {"RATE_LIMITED"})
        at_least(len([a for a in answers if a["op"] == "ok"]), 15, "served")
        equal(other.alive(), True)
        at_least(bus.total("rate_limited"), len(codes))
        if client.closed is None:
            wait_until(lambda: client.ask("ping")["op"] == "ok", 5,
                       "forgiven", 0.2)


@test
def who_never_slows_down_is_closed():
    with Bus(1, max_rate=1) as bus:
        client, other = bus.connect(), bus.connect()
        try:
            for number in range(1200):
                client.send({"op": "ping", "id": number})
        except OSError:
            pass
        equal(client.wait_closed(8).code, 4429)
        equal(other.alive(), True)


@test
def what_is_refused_for_its_rate_is_not_published():
    with Bus(1, max_rate=10) as bus:
        reader, writer = bus.connect(), bus.connect()
        reader.sub("r")
        refused = 0
        for number in range(50):
            writer.send({"op": "pub", "topic": "r", "data": number,
                         "id": number})
        for number in range(50):
            refused += writer.recv()["op"] == "err"
        at_least(refused, 30)
        reader.alive()
        equal(len(reader.inbox), 50 - refused)


@test
def more_clients_than_allowed_are_turned_away():
    with Bus(1, max_clients=10, allow=[r"max-clients|full"]) as bus:
        clients = [bus.connect() for _ in range(10)]
        equal(turned_away(bus), True)
        equal(turned_away(bus), True)
        at_least(bus.total("refused_full"), 2)
        equal(bus.total("clients"), 10)
        clients[0].close()
        wait_until(lambda: not turned_away(bus), 5, "room for one again")
        for client in clients[1:]:
            equal(client.alive(), True)


@test
def more_clients_of_one_address_than_allowed_are_turned_away():
    with Bus(1, max_clients_per_address=5) as bus:
        for _ in range(5):
            bus.connect()
        equal(turned_away(bus), True)
        at_least(bus.total("refused_address"), 1)
        equal(Client(bus.address, source="127.0.0.2").alive(), True)


@test
def more_handshakes_of_one_address_than_allowed_are_turned_away():
    with Bus(1, max_handshakes_per_address=5, handshake_timeout="10s") as bus:
        silent = [wsclient.dial(bus.address) for _ in range(5)]
        wait_until(lambda: bus.total("handshakes") == 5)
        equal(turned_away(bus), True)
        equal(Client(bus.address, source="127.0.0.2").alive(), True)
        for sock in silent:
            sock.close()
        wait_until(lambda: not turned_away(bus), 5, "room again")


@test
def the_limit_of_handshakes_is_not_used_up_by_clients():
    with Bus(1, max_handshakes_per_address=5) as bus:
        clients = [bus.connect() for _ in range(50)]
        for client in clients:
            equal(client.alive(), True)
        equal(bus.total("handshakes"), 0)


@test
def a_topic_may_be_as_long_as_allowed_and_no_longer():
    with Bus(2, max_topic=480) as bus:
        reader, writer = bus.connect(1), bus.connect(0)
        name = "é" * 240
        reader.sub(name)
        writer.pub(name, 1)
        equal(reader.msg(name)["data"], 1)
        equal(reader.ask("sub", topic=name + "x")["code"], "BAD_REQUEST")


@test
def a_message_may_be_as_large_as_allowed_and_no_larger():
    with Bus(2, max_message="64m", outbox_hard="256m") as bus:
        reader, writer = bus.connect(1), bus.connect(0)
        reader.sub("large")
        text = '"' + "x" * ((16 << 20) - 100) + '"'
        writer.pub_raw("large", text)
        equal(reader.msg("large", 20).data_text, text.encode())
    with Bus(1, max_message="1000") as bus:
        client = bus.connect()
        head, tail = '{"op":"ping","id":1,"pad":"', '"}'
        client.send_text(head + "x" * (1000 - len(head + tail)) + tail)
        equal(client.recv()["op"] in ("ok", "err"), True)
        client.send_text(head + "x" * (1001 - len(head + tail)) + tail)
        equal(client.wait_closed().code, 1009)


@test
def without_free_descriptors_the_bus_waits_and_recovers():
    with Bus(1, nofile=256, max_clients=100000,
             allow=[r"descriptor|accept|files|nofile|NOFILE|max-clients"]
             ) as bus:
        pid = bus.pid(0)
        clients = []
        for _ in range(400):
            try:
                clients.append(Client(bus.address, timeout=0.3))
            except (OSError, Refused, Closed):
                break
        at_least(len(clients), 100, "clients with 256 descriptors")
        if len(clients) == 400:
            say("the worker raised its limit of descriptors by itself")
        for client in clients[:20] + clients[-20:]:
            equal(client.alive(), True)
        proc.calm([pid], "with no descriptor left")
        equal(bus.pid(0), pid)
        for client in clients:
            client.abort()
        wait_until(lambda: not turned_away(bus, timeout=1), 10,
                   "served again")


@test
def two_thousand_clients_fit_and_leave_nothing_behind():
    with Bus(2) as bus:
        Client(bus.address).close()
        memory = {slot: proc.memory_kb(pid)
                  for slot, pid in bus.pids().items()}
        fds = {slot: proc.fd_count(pid) for slot, pid in bus.pids().items()}
        for _ in range(2):
            clients = [Client(bus.address) for _ in range(2000)]
            for client in clients:
                client.send({"op": "sub", "topic": "all"})
            clients[0].alive()
            wait_until(lambda: bus.total("subscriptions") == 2000)
            clients[0].pub("all", 1)
            for client in clients:
                equal(client.msg("all")["data"], 1)
            for client in clients:
                client.abort()
            wait_until(lambda: bus.total("clients") == 0, 10)
        for slot, pid in bus.pids().items():
            at_most(proc.memory_kb(pid), memory[slot] + 6000 + MEMORY,
                    "memory in kB")
            wait_until(lambda: proc.fd_count(pid) <= fds[slot], 5)


if __name__ == "__main__":
    main()
