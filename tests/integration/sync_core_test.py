#!/usr/bin/python3
"""Two buses joined by a driver that a test wrote and the primary loaded.

The driver (data/sync/clusterbus-test.c) sends datagrams between sockets in one
folder, so a test sees every envelope and writes its own.
"""
import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from application import compile_app
from attached import Attached
from binary import BUSCTL, PATIENCE
from bus import Bus
from check import equal, main, test, wait_until
from remote import DATA, Node, connect, event, quiet

PEER = "0a1b2c3d-5d0a-4c0e-9a53-0d9a5d9b0001"
AWAY = r"backplane test"


class Folder:
    """Where a backplane is, and somebody else who listens to it."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="cbs-")
        self.driver = os.path.dirname(compile_app(os.path.join(
            HERE, "data", "sync", "clusterbus-test.c")))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.path.join(self.path, "x.peer"))
        self.socket.settimeout(5.0 * PATIENCE)

    def options(self, channel="x"):
        """What a bus needs to join it."""
        return {"sync": "test://%s?channel=%s" % (self.path, channel),
                "sync_dir": self.driver}

    def hosts(self):
        """The sockets of all instances but ours."""
        return [name for name in os.listdir(self.path)
                if name.startswith("x.") and name != "x.peer"]

    def send(self, topic, data, namespace="", binary=False, raw=None):
        """An envelope to all of them, as crossws writes it."""
        text = raw if raw is not None else json.dumps(
            {"id": PEER, "msg": {"namespace": namespace, "topic": topic,
                                 "binary": binary, "data": data}})
        for name in self.hosts():
            self.socket.sendto(text.encode(), os.path.join(self.path, name))

    def next(self):
        """The msg of the next envelope that somebody sent."""
        envelope = json.loads(self.socket.recv(1 << 20))
        equal(len(envelope["id"]), 36)
        return envelope["msg"]

    def touch(self, name):
        """Make the backplane `away` or `full`."""
        open(os.path.join(self.path, name), "w").close()

    def remove(self, name):
        """The opposite."""
        os.unlink(os.path.join(self.path, name))

    def close(self):
        """Forget it."""
        self.socket.close()
        shutil.rmtree(self.path, ignore_errors=True)


@contextlib.contextmanager
def folder():
    """A backplane with nobody on it."""
    place = Folder()
    try:
        yield place
    finally:
        place.close()


@contextlib.contextmanager
def hosts(place, workers=(2, 4), **more):
    """Two buses that are connected to it."""
    with Bus(workers[0], **place.options(), **more) as one:
        with Bus(workers[1], **place.options(), **more) as two:
            for bus in (one, two):
                wait_until(lambda: bus.hub("sync_connected") == 1, 10.0,
                           "connected")
            yield one, two


@test
def a_client_reaches_one_on_another_worker_of_another_host():
    with folder() as place, hosts(place) as (one, two):
        ann, bob, near = one.connect(1), two.connect(3), one.connect(0)
        for client in (ann, bob, near):
            client.sub("news")
        ann.pub_raw("news", '{"n":12345678901234567890, "e":1e400}')
        for client in (ann, bob, near):
            equal(client.wait_for(lambda m: m.get("op") == "msg")["topic"],
                  "news")
        bob.pub("news", "back")
        for client in (ann, bob, near):
            equal(client.msg("news")["data"], "back")
        ann.publish_binary("news", b"\0\1\2\xff")
        message = bob.wait_for(lambda m: m.get("binary"))
        equal(base64.b64decode(message["data"]), b"\0\1\2\xff")
        for client in (ann, bob, near):
            client.ok("ping")
        equal([m for m in bob.inbox if m.get("op") == "msg"], [])
        equal((one.hub("sync_out"), one.hub("sync_in")), (2, 1))
        equal(one.hub("sync_bad") + two.hub("sync_bad"), 0)


@test
def what_crossws_would_read_is_on_the_wire():
    with folder() as place, Bus(1, sync_namespace="/_ws",
                                **place.options()) as bus:
        ann = bus.connect()
        wait_until(lambda: bus.hub("sync_connected") == 1, 10.0, "connected")
        ann.pub_raw("chat", '{"a": [1,2]}')
        equal(place.next(), {"namespace": "/_ws", "topic": "chat",
                             "binary": False, "data": '{"a": [1,2]}'})
        ann.publish_binary("chat", b"\xff\0")
        equal(place.next(), {"namespace": "/_ws", "topic": "chat",
                             "binary": True, "data": "/wA="})


@test
def what_crossws_writes_reaches_clients_and_listeners():
    with folder() as place, Bus(2, sync_namespace="/_ws",
                                **place.options()) as bus:
        ann = bus.connect(1)
        ann.sub("chat")
        wait_until(lambda: bus.hub("sync_connected") == 1, 10.0, "connected")
        with Attached(bus) as program:
            equal(program.do("sub", "chat"), 0)
            equal(program.do("sync"), 0)
            for text, data in ((' {"a":1} ', {"a": 1}), ("plain", "plain"),
                               ("", ""), ('"quoted"', "quoted"),
                               ('a "b" \\ \u2028 \0', 'a "b" \\ \u2028 \0')):
                for namespace in ("", "/_ws"):
                    place.send("chat", text, namespace)
                    message = ann.msg("chat")
                    equal(message["data"], data)
                    equal(message["from"], "0a1b2c3d-65534-1")
            equal(program.wait("msg")[:2], ["chat", "0a1b2c3d-65534-1"])
            place.send("chat", "aGk", "/_ws", binary=True)
            equal(base64.b64decode(ann.msg("chat")["data"]), b"hi")
            # Somebody else's namespace is not ours.
            place.send("chat", "1", "/other")
            place.send("chat", "2", "/_ws")
            equal(ann.msg("chat")["data"], 2)
        # Nothing of all this goes out again.
        ann.pub("end", 1)
        equal(place.next()["topic"], "end")


@test
def rooms_users_and_role_topics_are_those_of_all_hosts():
    application = {"contract": os.path.join(DATA, "remote.json"),
                   "auth": "app", "app": compile_app(
                       os.path.join(DATA, "remote.c"), "-lcjson")}
    with folder() as place, hosts(
            place, (2, 2), allow=[AWAY], **application) as (one, two):
        here, there = Node(one, 0), Node(two, 1)
        bob, cem = connect(two, 1, "bob"), connect(two, 0, "cem")
        equal(there.do("room", op="add", room="red", conn=bob.conn), 0)
        equal(here.do("broadcast", room="red", event="message",
                      data={"text": "to the room"}), 0)
        equal(event(bob, "message"), {"text": "to the room"})
        equal(here.do("emit", user="cem", event="dm", data=7), 0)
        equal(event(cem, "dm"), 7)
        equal(here.do("emit", conn=bob.conn, event="dm", data=8), 0)
        equal(event(bob, "dm"), 8)
        equal(here.do("distribute", event="message",
                      data={"text": "to all"}), 0)
        for client in (bob, cem):
            equal(event(client, "message"), {"text": "to all"})
        bob.sub("badge")
        equal(here.do("publish_role", role="user", topic="badge", data=5), 0)
        equal(bob.msg("badge")["data"], 5)
        quiet([bob, cem])
        # And every node hears what is wrong with the backplane.
        place.touch("away")
        for node in (here, there):
            error = node.errors()[0]
            equal((error["kind"], error["name"], error["stage"],
                   error["message"]),
                  ("hub", "test", "subscribe", "it went away"))


@test
def garbage_from_the_backplane_is_counted_and_told_and_hurts_nobody():
    with folder() as place, Bus(
            2, allow=[AWAY, "which event it is"], **place.options()) as bus:
        ann = bus.connect(0)
        ann.sub("chat")
        wait_until(lambda: bus.hub("sync_connected") == 1, 10.0, "connected")
        frame = base64.b64encode(b"\0\0\0\0\7\0\1\0\1{").decode()
        with Attached(bus) as program:
            place.send("x" * 300, "1")                     # too long
            place.send("", "1")                            # no name
            place.send("a\nb", "1")                        # control character
            place.send("r:x", "text", "clusterbus")        # no frame
            place.send("r:x", "AAAA", "clusterbus", True)  # a short one
            place.send("t:chat", frame, "clusterbus", True)
            place.send("p:t:chat", frame, "clusterbus", True)
            place.send("no channel", frame, "clusterbus", True)
            wait_until(lambda: bus.hub("sync_bad") == 8, 5.0, "counted")
            equal(program.wait("error")[:2], ["hub", "delivery"])
        # Not even an envelope: ignored as crossws does.
        place.send("", "", raw="ready")
        place.send("", "", raw='{"id":"x","msg":[]}')
        # A frame that is one, for everybody, with data that is no JSON.
        place.send("a:", frame, "clusterbus", True)
        place.send("chat", "still here")
        equal(ann.msg("chat")["data"], "still here")
        equal(bus.hub("sync_bad"), 8)


@test
def a_backplane_that_is_away_or_full_fails_no_publish():
    with folder() as place, hosts(place, (2, 1), allow=[AWAY]) as (one, two):
        ann, near, bob = one.connect(0), one.connect(1), two.connect(0)
        for client in (ann, near, bob):
            client.sub("news")
        with Attached(one) as program:
            place.touch("away")
            wait_until(lambda: one.hub("sync_connected") == 0 and
                       two.hub("sync_connected") == 0, 5.0, "away")
            equal(program.wait("error")[:2], ["hub", "subscribe"])
            code, out, _ = one.cli("status")
            equal(("backplane test, channel 'x': AWAY" in out, code),
                  (True, 0))
            for number in range(50):
                ann.ok("pub", topic="news", data=number)
                equal(near.msg("news")["data"], number)
            equal(program.wait("error")[:2], ["hub", "publish"])
            equal(one.hub("drop_sync_away"), 50)
        place.remove("away")
        wait_until(lambda: one.hub("sync_reconnects") == 1 and
                   two.hub("sync_reconnects") == 1, 5.0, "back")
        place.touch("full")
        ann.ok("pub", topic="news", data="full")
        equal(near.msg("news")["data"], "full")
        wait_until(lambda: one.hub("drop_sync_full") == 1, 5.0, "counted")
        place.remove("full")
        ann.ok("pub", topic="news", data="x" * 9000)
        wait_until(lambda: one.hub("drop_sync_large") == 1, 5.0, "counted")
        ann.ok("pub", topic="news", data="through")
        # Of all this the other host has only what went through.
        equal(bob.msg("news")["data"], "through")
        one.wait_log(r"backplane test: back")


@test
def hosts_on_different_channels_do_not_hear_each_other():
    with folder() as place, Bus(1, **place.options("x")) as one, \
            Bus(1, **place.options("y")) as two:
        ann, bob = one.connect(), two.connect()
        wait_until(lambda: one.hub("sync_connected") == 1 and
                   two.hub("sync_connected") == 1, 10.0, "connected")
        bob.sub("news")
        ann.pub("news", 1)
        equal(place.next()["data"], "1")
        equal(two.hub("sync_in"), 0)


@test
def workers_of_a_local_bus_are_each_for_themselves():
    with Bus(2, sync="local") as bus:
        ann, near, far = bus.connect(0), bus.connect(0), bus.connect(1)
        for client in (near, far):
            client.sub("news")
        with Attached(bus) as program:
            equal(program.do("sub", "news"), 0)
            equal(program.do("sync"), 0)
            ann.pub("news", 1)
            equal(near.msg("news")["data"], 1)
            # Programs are how such a bus is looked at and talked to.
            equal(program.wait("msg")[0], "news")
            equal(program.do("pub", "news", "2"), 0)
            equal(near.msg("news")["data"], 2)
            equal(far.msg("news")["data"], 2)


@test
def mistakes_are_found_before_anything_starts():
    with folder() as place:
        there = "test://%s" % place.path
        for words, wanted in (
                (["--sync", "nothing"], "must be local, cluster or the URL"),
                (["--sync", there], "needs a channel"),
                (["--sync", there + "?channel=a", "--channel", "b"],
                 "the URL says channel 'a' and the option channel 'b'"),
                (["--sync", there, "--channel", "c" * 21],
                 "has 21 bytes; test takes at most 20"),
                (["--sync", there, "--channel", "bad"],
                 "the channel is called bad"),
                (["--sync", there, "--channel", "a\tb"],
                 "control characters"),
                (["--sync", "nats://secret@x", "--channel", "a"],
                 "there is no driver 'nats': clusterbus-nats.so")):
            bus = Bus(1, sync_dir=place.driver)
            code, out, errors = bus.cli("start", "--sync-dir", place.driver,
                                        *words)
            shutil.rmtree(bus.dir)
            equal((code, wanted in errors, "secret" in out + errors),
                  (2, True, False), errors)


@test
def a_reload_takes_no_mistake_and_says_what_needs_a_new_primary():
    with folder() as place:
        path = os.path.join(place.path, "bus.conf")

        def write(text):
            with open(path, "w") as out:
                out.write("sync-dir %s\n%s\n" % (place.driver, text))
        write("sync cluster")
        with Bus(1, config=path, allow=["sync", "1 mistake"]) as bus:
            write("sync nothing")
            code, _, errors = bus.cli("reload")
            equal((code, "must be local, cluster" in errors), (2, True))
            write("sync test://%s?channel=x" % place.path)
            code, out, _ = bus.cli("reload")
            equal((code, "sync" in out, place.hosts()), (0, True, []), out)


@test
def a_driver_is_found_beside_the_program_and_in_its_lib_folder():
    with folder() as place:
        driver = os.path.join(place.driver, "clusterbus-test.so")
        program = os.path.join(place.path, "bin", "busctl")
        file = os.path.join(place.path, "bus.conf")
        with open(file, "w") as out:
            out.write("sync test://%s?channel=x\n" % place.path)
        os.makedirs(os.path.dirname(program))
        shutil.copy2(BUSCTL, program)

        def check():
            return subprocess.run([program, "config", "check", file],
                                  capture_output=True).returncode
        equal(check(), 2)
        for where in ("bin", "lib/clusterbus"):
            os.makedirs(os.path.join(place.path, where), exist_ok=True)
            there = os.path.join(place.path, where, "clusterbus-test.so")
            shutil.copy2(driver, there)
            equal(check(), 0, where)
            os.unlink(there)
        # One that cannot be loaded is not passed over for another.
        shutil.copy2(driver, os.path.join(place.path, "bin"))
        os.truncate(os.path.join(place.path, "bin", "clusterbus-test.so"), 99)
        equal(check(), 2)


main()
