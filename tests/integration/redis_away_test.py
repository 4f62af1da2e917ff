#!/usr/bin/python3
"""What hosts do while their Redis is away, stands still or refuses them.

Local delivery has to go on in all of this as if nothing was.

timeout: 240
"""
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from application import BUILD
from binary import BUSCTL, MEMORY, PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, skip_all, test, wait_until
from redis_server import RedisServer
from remote import connect
from two_hosts import AWAY, TwoHosts, reaches_local

if not os.path.exists(os.path.join(BUILD, "clusterbus-redis.so")):
    skip_all("built without hiredis")

TOPIC = "room:1"
QUEUE = 256 << 10


class Traffic:
    """A writer and a reader on different workers of one host, all the time.

    At the end every message has to be there, in order, none later than 2 s.
    """

    def __init__(self, bus):
        self.writer, self.reader = connect(bus, 0), connect(bus, 2)
        self.topic = "room:%d" % bus.port
        self.reader.sub(self.topic)
        self.ending = threading.Event()
        self.sent = 0
        self.failed = None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            while not self.ending.wait(0.002):
                self.writer.pub(self.topic, self.sent)
                equal(self.reader.msg(self.topic, 2.0)["data"], self.sent)
                self.sent += 1
        except Exception as error:
            self.failed = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join(10)
        if self.failed is not None:
            raise self.failed
        at_least(self.sent, 50, "messages while the server was away")


def flood(bus, size, count):
    """So many bytes of messages that all want to go out."""
    writer = connect(bus, 1)
    for _ in range(count):
        writer.publish_binary("room:flood", b"x" * size)
    writer.ok("ping", 20)
    writer.abort()


@test
def a_server_killed_and_restarted_under_traffic_is_joined_again():
    with RedisServer() as server, TwoHosts(server.url) as hosts:
        one = hosts.buses[0]
        here, _ = hosts.nodes()
        with Traffic(one), Traffic(hosts.buses[1]):
            for turn in range(3):
                server.kill()
                hosts.wait_connected(0)
                dropped = one.hub("drop_sync_away")
                wait_until(lambda: one.hub("drop_sync_away") > dropped, 5,
                           "counted while it is away")
                server.start()
                hosts.wait_connected()
                equal(one.hub("sync_reconnects"), turn + 1)
        hosts.both_ways()
        errors = here.errors()
        assert {("hub", "redis", "subscribe")} <= {
            (e["kind"], e["name"], e["stage"]) for e in errors}, errors
        assert "publish" in {e["stage"] for e in errors}, errors
        code, out, _ = one.cli("status")
        equal(code, 0)
        assert "3 reconnects" in out, out
        one.wait_log(r"warn: backplane redis, subscribe: .*redis.sock")


@test
def a_server_that_stands_still_is_survived_with_bounded_memory():
    with RedisServer() as server, TwoHosts(
            server.url, sync_queue=QUEUE) as hosts:
        one = hosts.buses[0]
        flood(one, 4000, 500)
        hosts.both_ways()
        before = proc.memory_kb(one.pid())
        server.signal(signal.SIGSTOP)
        with Traffic(one):
            flood(one, 4000, 3000)
            at_least(one.hub("drop_sync_full"), 1000, "dropped")
            wait_until(lambda: one.hub("sync_connected") == 0, 15,
                       "it is noticed")
            flood(one, 4000, 1000)
            at_least(one.hub("drop_sync_away"), 1000, "dropped")
        at_most(proc.memory_kb(one.pid()), before + 6000 + MEMORY,
                "kB of the primary")
        server.signal(signal.SIGCONT)
        hosts.wait_connected()
        hosts.both_ways()


@test
def a_bus_starts_and_stops_without_its_server():
    with RedisServer() as server:
        server.kill()
        with Bus(3, allow=[AWAY], sync=server.url, channel="x") as bus:
            equal(bus.hub("sync_connected"), 0)
            reaches_local(bus)
            server.start()
            wait_until(lambda: bus.hub("sync_connected") == 1, 20, "joined")
            server.signal(signal.SIGSTOP)
            client = connect(bus, 0)
            client.ok("pub", topic=TOPIC, data=1)
            client.abort()
            began = time.monotonic()
            bus.stop()
            at_most(time.monotonic() - began, 10 * PATIENCE, "seconds to stop")


@test
def a_wrong_password_is_logged_without_it_and_tried_until_it_is_right():
    with RedisServer(password="right-word") as server:
        url = "unix://:wrong-word@" + server.path
        with Bus(3, allow=[AWAY], sync=url, channel="x") as bus:
            bus.wait_log(r"warn: backplane redis, subscribe: .*"
                         r"wrong user or password")
            reaches_local(bus)
            server.ask("CONFIG", "SET", "requirepass", "wrong-word")
            server.password = "wrong-word"
            wait_until(lambda: bus.hub("sync_connected") == 1, 20, "let in")
            for text in (bus.log(), bus.cli("status")[1],
                         bus.cli("status", "--json")[1]):
                assert "wrong-word" not in text, text


@test
def the_server_sees_two_connections_of_a_host_and_no_more():
    with RedisServer() as server, Bus(
            4, sync=server.url, channel="x") as bus:
        wait_until(lambda: bus.hub("sync_connected") == 1, 20, "joined")
        listed = server.ask("CLIENT", "LIST").decode()
        equal(listed.count("name=clusterbus"), 2)
        with server.connect() as other:
            bus.stop()
            equal(other.ask("PING"), "PONG")
        wait_until(lambda: "clusterbus" not in server.ask(
            "CLIENT", "LIST").decode(), 5, "its connections have gone")
        bus.start()


@test
def mistakes_are_told_before_anything_starts():
    for url, channel, words in (
            ("redis://127.0.0.1", None, "channel"),
            ("redis://127.0.0.1:x", "x", "port"),
            ("redis://ann:sesame/x@h", "x", "%2F"),
            ("redis://h?channel=a", "b", "'a'"),
            ("redis://h", "x" * 256, "channel"),
            ("unix:///", "x", "unix:///PATH")):
        done = subprocess.run(
            [BUSCTL, "start", "--sync", url] + (
                ["--channel", channel] if channel else []),
            capture_output=True, text=True, timeout=20)
        equal(done.returncode, 2, done.stderr)
        assert words in done.stderr, done.stderr
        assert "sesame" not in done.stderr, done.stderr


main()
