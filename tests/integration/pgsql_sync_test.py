#!/usr/bin/python3
"""Two buses joined by a real PostgreSQL, and an application with crossws.

timeout: 240
"""
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from application import BUILD
from binary import BUSCTL, MEMORY, PATIENCE
from bus import Bus
from check import (at_least, at_most, equal, main, say, skip_all, test,
                   wait_until)
from pg_server import PASSWORD, PgServer
from remote import Node, connect, event, quiet, start
from wsclient import Client
from wsframe import BINARY, TEXT

if not os.path.exists(os.path.join(BUILD, "clusterbus-pgsql.so")):
    skip_all("built without libpq")

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = "clusterbus.v1.bin"
CHANNEL = "My app"
HI = {"text": "hello from the other host"}
TROUBLE = [r"backplane pgsql"]


def joined(bus):
    """Is the bus subscribed?"""
    return bus.hub("sync_connected") == 1


def bare(server, workers=2, **more):
    """A bus without an application."""
    more.setdefault("channel", CHANNEL)
    return Bus(workers, sync=server.url(), allow=TROUBLE, **more)


class Pair:
    """Hosts A and B: two buses on one server, joined."""

    def __enter__(self):
        self.server = PgServer(tcp=True).__enter__()
        self.a = start(2, sync=self.server.url(), channel=CHANNEL, name="a",
                       allow=TROUBLE)
        self.b = start(4, sync=self.server.url() + "&channel=My%20app",
                       name="b", allow=TROUBLE)
        self.a.__enter__()
        self.b.__enter__()
        self.joined()
        return self

    def joined(self):
        """Wait until both are subscribed."""
        wait_until(lambda: joined(self.a) and joined(self.b), 20)

    def between_tests(self):
        """The clients of one test are gone before the next begins."""
        self.a.between_tests()
        self.b.between_tests()

    def show_log(self):
        """Of both."""
        self.a.show_log()
        self.b.show_log()

    def __exit__(self, kind, value, trace):
        try:
            self.a.__exit__(kind, value, trace)
        finally:
            try:
                self.b.__exit__(kind, value, trace)
            finally:
                self.server.__exit__(kind, value, trace)


@test
def text_goes_from_worker_1_of_one_host_to_worker_3_of_the_other(pair):
    ann, bob = connect(pair.a, 1), connect(pair.b, 3)
    for client in (ann, bob):
        client.sub("room:1")
    for data in ({"text": "h\u00e9"}, "plain", 7, [1, None], "\u0000\U0001f600"):
        ann.pub("room:1", data)
        message = bob.msg("room:1")
        equal(message["data"], data)
        equal(ann.msg("room:1")["data"], data)
        bob.pub("room:1", data)
        equal(ann.msg("room:1")["data"], data)
        equal(bob.msg("room:1")["data"], data)
    quiet([ann, bob])


@test
def bytes_arrive_as_bytes(pair):
    payload = bytes(range(256))
    ann = connect(pair.a, 1, protocol=BIN)
    bob = connect(pair.b, 3, protocol=BIN)
    bob.sub("room:2")
    ann.publish_binary("room:2", payload)
    equal(bob.message(), (BINARY, b"\2\6room:2" + payload))


@test
def rooms_users_and_events_for_all_are_those_of_both_hosts(pair):
    here, there = Node(pair.a, 1), Node(pair.b, 3)
    bob = connect(pair.b, 3, user="bob")
    equal(there.do("room", room="room:42", conn=bob.conn), 0)
    equal(here.do("broadcast", room="room:42", event="message", data=HI), 0)
    equal(event(bob, "message"), HI)
    equal(here.do("emit", user="bob", event="ping-user", data=3), 0)
    equal(event(bob, "ping-user"), 3)
    equal(here.do("emit", conn=bob.conn, event="dm", data=4), 0)
    equal(event(bob, "dm"), 4)
    equal(here.do("distribute", event="message", data=HI), 0)
    equal(event(bob, "message"), HI)
    equal(there.do("room", room="room:42", conn=bob.conn, remove=1), 0)


@test
def equal_messages_are_all_delivered(pair):
    ann, bob = connect(pair.a, 1), connect(pair.b, 3)
    bob.sub("room:3")
    for _ in range(100):
        ann.pub("room:3", "the same")
    for _ in range(100):
        equal(bob.msg("room:3")["data"], "the same")
    quiet(bob)


@test
def what_is_too_large_stays_on_its_host_and_on_error_is_told(pair):
    nodes = [Node(pair.a, 0), Node(pair.a, 1)]
    for node in nodes:
        node.book()
    dropped = pair.a.hub("drop_sync_large")
    near, far = connect(pair.a, 0), connect(pair.a, 1)
    other = connect(pair.b, 3)
    for client in (near, far, other):
        client.sub("room:4")
    near.pub("room:4", "x" * 8000)
    near.pub("room:4", "small")
    for client in (near, far):
        equal(client.msg("room:4")["data"], "x" * 8000)
        equal(client.msg("room:4")["data"], "small")
    equal(other.msg("room:4")["data"], "small")
    equal(pair.a.hub("drop_sync_large"), dropped + 1)
    for node in nodes:
        error = node.errors()[0]
        equal((error["kind"], error["stage"], error["code"]),
              ("hub", "publish", -errno.EMSGSIZE))
    quiet([near, far, other])


@test
def a_server_killed_under_traffic_costs_only_what_goes_to_other_hosts(pair):
    node = Node(pair.a, 0)
    node.book()
    ann, near, far = (connect(pair.a, slot) for slot in (0, 0, 1))
    other = connect(pair.b, 3)
    for client in (near, far, other):
        client.sub("room:5")
    number = 0

    def traffic(count):
        nonlocal number
        for _ in range(count):
            ann.pub("room:5", number)
            for client in (near, far):
                equal(client.msg("room:5")["data"], number)
            number += 1

    reconnects = pair.a.hub("sync_reconnects")
    memory = proc.memory_kb(pair.a.pid())
    for how in (signal.SIGQUIT, signal.SIGKILL):
        traffic(100)
        pair.server.stop(how)
        wait_until(lambda: not joined(pair.a) and not joined(pair.b), 10)
        traffic(100)
        at_least(pair.a.hub("drop_sync_away"), 100)
        pair.server.start()
        end = time.monotonic() + 20
        while not (joined(pair.a) and joined(pair.b)):
            traffic(5)
            at_most(time.monotonic(), end, "connected again in time")
    traffic(50)
    seen = [other.msg("room:5")["data"]]
    while seen[-1] != number - 1:
        seen.append(other.msg("room:5")["data"])
    equal(seen, sorted(set(seen)), "each at most once")
    equal(seen[-50:], list(range(number - 50, number)))
    at_least(pair.a.hub("sync_reconnects"), reconnects + 2)
    # One a second and stage, so that of the others may be left out.
    told = {(error["kind"], error["name"], error["stage"])
            for error in node.errors()}
    assert ("hub", "pgsql", "subscribe") in told, told
    assert told <= {("hub", "pgsql", "subscribe"),
                    ("hub", "pgsql", "publish")}, told
    at_most(proc.memory_kb(pair.a.pid()), memory + 16384 + MEMORY, "kB")


@test
def the_log_tells_that_it_went_and_came_back(pair):
    offset = len(pair.b.log())
    pair.server.stop()
    pair.b.wait_log("backplane pgsql: away", 10, offset)
    pair.server.start()
    pair.b.wait_log("backplane pgsql: back", 10, offset)
    pair.joined()


@test
def a_server_that_stands_still_holds_nobody_up(_pair):
    with PgServer() as server, bare(server, sync_queue="64k") as bus:
        wait_until(lambda: joined(bus), 10)
        ann, bob = bus.connect(0), bus.connect(1)
        bob.sub("news")
        memory = proc.memory_kb(bus.pid())
        server.signal(signal.SIGSTOP)
        try:
            end = time.monotonic() + 25
            number = 0
            while joined(bus):
                for _ in range(50):
                    ann.pub("news", "%d %s" % (number, "x" * 1000))
                    assert bob.msg("news")["data"].startswith(
                        "%d " % number)
                    number += 1
                at_most(time.monotonic(), end, "noticed in time")
            at_least(bus.hub("drop_sync_full"), 1)
            at_most(proc.memory_kb(bus.pid()), memory + 8192 + MEMORY, "kB")
            say("%d messages meanwhile" % number)
        finally:
            server.signal(signal.SIGCONT)
        wait_until(lambda: joined(bus), 20)


@test
def a_bus_stops_while_its_server_stands_still(_pair):
    with PgServer() as server, bare(server) as bus:
        wait_until(lambda: joined(bus), 10)
        server.signal(signal.SIGSTOP)
        try:
            ann = bus.connect(0)
            ann.ok("pub", topic="news", data=1)
            ann.close()
            began = time.monotonic()
            bus.stop()
            at_most(time.monotonic() - began, 3 * PATIENCE, "seconds")
        finally:
            server.signal(signal.SIGCONT)


@test
def a_wrong_password_is_told_and_the_host_works_alone(pair):
    url = pair.server.url(tcp=True, password="Geheim" + PASSWORD)
    with Bus(2, sync=url, channel=CHANNEL, allow=TROUBLE) as bus:
        bus.wait_log("password authentication failed for user")
        ann, bob = bus.connect(0), bus.connect(1)
        bob.sub("news")
        ann.pub("news", 1)
        equal(bob.msg("news")["data"], 1)
        assert "Geheim" not in bus.log()
        equal(bus.hub("sync_connected"), 0)
        # It goes on trying: the password becomes right.
        pair.server.sql("ALTER USER tester PASSWORD 'Geheim%s'" % PASSWORD)
        wait_until(lambda: joined(bus), 20)
        pair.server.sql("ALTER USER tester PASSWORD '%s'" % PASSWORD)


@test
def a_name_for_the_host_and_a_password_do(pair):
    url = pair.server.url(tcp=True).replace("127.0.0.1", "localhost")
    with Bus(1, sync=url, channel=CHANNEL, allow=TROUBLE) as bus:
        wait_until(lambda: joined(bus), 10)


def refused(url, *words):
    """What `busctl start` says; it must not start."""
    done = subprocess.run(
        [BUSCTL, "start", "--listen", "127.0.0.1:0", "--sync", url] +
        list(words), capture_output=True, text=True, timeout=20)
    equal(done.returncode, 2, done.stderr)
    return done.stderr


@test
def a_channel_that_postgresql_cannot_have_is_a_mistake(pair):
    said = refused(pair.server.url(), "--channel", "c" * 64)
    assert "63" in said and "64" in said, said
    assert "channel" in refused(pair.server.url())
    with Bus(1, sync=pair.server.url(), channel="c" * 63,
             allow=TROUBLE) as bus:
        wait_until(lambda: joined(bus), 10)


@test
def a_mistake_in_the_url_is_told_without_the_password(_pair):
    said = refused("postgres://ann:Geh@eim@h/db", "--channel", "x")
    assert "@" in said and "%40" in said, said
    assert not re.search("Geh|eim", said), said


class Crossws:
    """The application with crossws and pg."""

    def __init__(self, server):
        if not os.path.isdir(os.path.join(HERE, "node_modules", "pg")):
            skip_all("npm's packages are not installed: tests/deps.sh test")
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "crossws_pgsql_server.mjs"),
             server.url(tcp=True), CHANNEL], stdout=subprocess.PIPE,
            text=True)
        self.address = ("127.0.0.1", int(self.process.stdout.readline()))
        wait_until(lambda: int(server.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
            "'LISTEN%' AND application_name <> 'clusterbus' AND "
            "state = 'idle'")), 10)

    def connect(self):
        """A client of it, subscribed to "chat"."""
        client = Client(self.address, "/room", protocol=None, welcome=False)
        equal(client.message(), (TEXT, b"welcome"))
        return client

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@test
def an_application_with_crossws_and_our_clients_hear_each_other(pair):
    with bare(pair.server) as bus, Crossws(pair.server) as other:
        wait_until(lambda: joined(bus), 10)
        ann, bob = bus.connect(0), bus.connect(1, protocol=BIN)
        eve = other.connect()
        for client in (ann, bob):
            client.sub("chat")
        # From them: plain text, JSON, bytes, and to all namespaces.
        for sent, data in (("h\u00e9 \"you\"", "h\u00e9 \"you\""),
                           ('{"a": 1}', {"a": 1}), ("all:hello", "hello")):
            eve.send_frame(TEXT, sent.encode())
            equal(ann.msg("chat")["data"], data)
            equal(bob.msg("chat")["data"], data)
            if sent.startswith("all:"):
                equal(eve.message(), (TEXT, b"hello"))
        eve.send_frame(BINARY, b"\0\1\xff")
        equal(ann.msg("chat")["data"], "AAH/")
        equal(bob.message(), (BINARY, b"\2\4chat\0\1\xff"))
        # And back.
        ann.pub("chat", {"b": [2, "\u4e16"]})
        opcode, payload = eve.message()
        equal((opcode, payload.decode()),
              (TEXT, json.dumps({"b": [2, "\u4e16"]})))
        equal(bob.msg("chat")["data"], {"b": [2, "\u4e16"]})
        bob.publish_binary("chat", b"\x02\x80\x00")
        equal(eve.message(), (BINARY, b"\x02\x80\x00"))
        eve.close()


main(Pair(), limit=90)
