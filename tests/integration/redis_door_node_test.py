#!/usr/bin/python3
"""Who is at a Redis door: clients, each a node of its own, and other buses.

A door is a backplane as a Redis is, for every bus but its own.

timeout: 120
"""
import contextlib
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from application import BUILD
from binary import BUSCTL
from bus import Bus
from check import equal, main, skip_all, test, wait_until
from door import Raw
from ports import free_port
from remote import Node, connect, start
from two_hosts import AWAY

if not os.path.exists(os.path.join(BUILD, "clusterbus-redis.so")):
    skip_all("built without hiredis")

OWN = "this is the Redis door of this very bus"


def door(bus):
    """A connection to the door of a bus."""
    return Raw(os.path.join(bus.run_dir, "redis.sock"))


def door_of(bus):
    """The URL of a bus's door."""
    return "unix://" + os.path.join(bus.run_dir, "redis.sock")


def refused(folder, url, *words):
    """A bus with this backplane does not start, and says why."""
    done = subprocess.run(
        [BUSCTL, "start", "-n", "1", "--listen", "127.0.0.1:0", "--run-dir",
         folder, "--channel", "c", "--sync", url] + list(words),
        capture_output=True, text=True, timeout=20)
    equal(done.returncode, 2, done.stderr)
    equal("sync: " + OWN in done.stderr, True, done.stderr)


def messages(client, topic):
    """What a client has got on a topic when nothing is on its way to it."""
    client.ok("ping")
    return [m["data"] for m in client.inbox if m.get("op") == "msg"
            and m["topic"] == topic]


@contextlib.contextmanager
def neighbours(*channels):
    """Two buses, each with the other's door as its backplane."""
    buses = [Bus(2, allow=[AWAY]) for _ in channels]
    for bus, other, channel in zip(buses, reversed(buses), channels):
        bus.options.update(sync=door_of(other), channel=channel)
    with buses[0], buses[1]:
        for bus in buses:
            wait_until(lambda bus=bus: bus.hub("sync_connected") == 1, 20.0,
                       "connected")
        yield buses


@test
def clients_of_the_door_are_told_apart_and_counted():
    with Bus(2) as bus:
        client = bus.connect()
        client.sub("who")
        with door(bus) as one, door(bus) as two:
            seen = []
            for raw in (one, two, one, two):
                raw.ask("PUBLISH", "who", "1")
                seen.append(client.msg("who")["from"])
            equal([name.split("-")[1] for name in seen], ["65533"] * 4)
            equal(seen[:2], seen[2:], "each is the same all the time")
            equal(len(set(seen)), 2, "and another one than the other")
            wait_until(lambda: bus.hub("door_clients") == 2, what="counted")
            equal("redis door: 2 clients, " in bus.cli("status")[1], True)
            found = [json.loads(line) for line in
                     bus.cli("doctor", "--json")[1].splitlines()]
            equal([row["text"].split(",")[0] for row in found
                   if row["check"] == "redis door"], ["2 clients"])
        # Many that come for one message: no gap is told, and none is missed.
        for number in range(200):
            with door(bus) as raw:
                raw.ask("PUBLISH", "who", str(number))
            equal(client.msg("who")["data"], number)
        client.ok("ping")
        equal([m for m in client.inbox if m["op"] == "gap"], [])
        equal(bus.total("gaps"), 0)


@test
def its_own_door_is_no_backplane_and_it_does_not_start():
    with tempfile.TemporaryDirectory(prefix="cbus-") as folder:
        there = os.path.join(folder, "run")
        refused(there, "unix://%s/redis.sock" % there)
        os.makedirs(there, exist_ok=True)
        os.symlink(there, os.path.join(folder, "link"))
        refused(there, "redis+unix://u:p@%s/link/redis%%2esock?db=2" % folder)
        port = free_port()
        for url in ("redis://localhost:%d" % port,
                    "redis://u:p@127.0.0.1:%d/3" % port):
            refused(there, url, "--redis-listen", "127.0.0.1:%d" % port)


@test
def its_own_door_by_another_name_is_told_and_nothing_goes_round():
    with tempfile.TemporaryDirectory(prefix="cbus-") as folder:
        name = os.path.join(folder, "redis")
        bus = start(2, sync="unix://" + name, channel="c", allow=[AWAY])
        with bus:
            node = Node(bus, 1)
            # At the start there was nothing; the driver tries again.
            os.symlink(os.path.join(bus.run_dir, "redis.sock"), name)
            wait_until(lambda: any(
                (error["kind"], error["stage"]) == ("hub", "subscribe") and
                OWN in error["message"] for error in node.errors()),
                       10.0, "it is told")
            ann = connect(bus, 0)
            ann.sub("room:1")
            ann.ok("pub", topic="room:1", data=1)
            equal(ann.msg("room:1")["data"], 1)
            wait_until(lambda: bus.hub("drop_sync_away") == 1, what="dropped")
            equal((bus.hub("sync_out"), bus.hub("sync_in")), (0, 0))
            equal(bus.hub("sync_connected"), 0)
            equal(messages(ann, "room:1"), [])


@test
def two_buses_at_each_others_door_send_nothing_round():
    for channels in (("same", "same"), ("east", "west")):
        with neighbours(*channels) as (one, two):
            ann, bob = one.connect(), two.connect()
            for client in (ann, bob):
                for topic in set(channels) | {"news"}:
                    client.sub(topic)
            ann.pub("news", 1)
            envelope = bob.msg(channels[0])["data"]
            equal((envelope["msg"]["topic"], envelope["msg"]["data"]),
                  ("news", "1"))
            bob.pub("news", 2)
            envelope = ann.msg(channels[1])["data"]
            equal((envelope["msg"]["topic"], envelope["msg"]["data"]),
                  ("news", "2"))
            # If one of them went on, it would be here before this one.
            ann.pub("news", 3)
            equal(json.loads(bob.msg(channels[0])["data"]["msg"]["data"]), 3)
            equal([messages(client, topic) for client in (ann, bob)
                   for topic in channels], [[]] * 4)
            equal((one.hub("sync_out"), two.hub("sync_out")), (2, 1))
            equal((messages(ann, "news"), messages(bob, "news")),
                  ([1, 3], [2]))


@test
def buses_share_the_door_of_a_third_as_their_backplane():
    with Bus(1) as server:
        words = dict(sync=door_of(server), channel="c", allow=[AWAY])
        with Bus(2, **words) as one, Bus(2, **words) as two:
            for bus in (one, two):
                wait_until(lambda bus=bus: bus.hub("sync_connected") == 1,
                           20.0, "connected")
            ann, bob = one.connect(1), two.connect(0)
            for client in (ann, bob):
                client.sub("news")
            ann.pub("news", {"n": 1})
            for client in (ann, bob):
                equal(client.msg("news")["data"], {"n": 1})
            bob.publish_binary("news", b"\xff\0")
            for client in (ann, bob):
                equal(client.wait_for(lambda m: m.get("binary"))["data"],
                      "/wA=")
            equal(server.hub("door_clients"), 4)


main()
