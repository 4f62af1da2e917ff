#!/usr/bin/python3
"""Applications in four workers: hooks, methods, and what breaks them.

What their calls do is in the seed tests; here is when they are called.

# timeout: 240
"""
import os
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from appbuild import compile_app, pkg_config
from binary import BUSCTL
from bus import Bus
from check import Failed, equal, main, test, wait_until
from wsclient import Closed

SOURCE = os.path.join(HERE, "data", "app", "hooks.c")
REFUSED = r"warn: (application|not starting|slot \d)|cannot start"


class Apps:
    """The applications, compiled once."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self):
        flags = pkg_config("--cflags", "--libs", "libcjson") + ["-lev"]
        self.one = compile_app(SOURCE, self.path("one.so"), *flags)
        self.two = compile_app(SOURCE, self.path("two.so"),
                               '-DNAME="two"', *flags)
        return self

    def __exit__(self, *what):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def bus(self, n=4, **options):
        options.setdefault("app", self.one)
        return Bus(n, **options)


def newcomer(bus, slot=None, token="ann:user"):
    """Somebody who has read no more than the welcome."""
    return bus.connect(slot, protocol="clusterbus.v1, bearer." + token)


def person(bus, slot=None, token="ann:user"):
    """Somebody who has been greeted by the application."""
    client = newcomer(bus, slot, token)
    client.wait_for(lambda m: m.get("event") == "hello")
    return client


def call(client, method, data=None, timeout=5):
    answer = client.ask("call", timeout, method=method, data=data)
    return answer.get("data") if answer["op"] == "ok" else answer["code"]


def closed(client):
    end = client.wait_closed()
    return (end.code, end.reason)


@test
def every_hook_is_called_in_every_worker(apps):
    with apps.bus() as bus:
        clients = [newcomer(bus, slot) for slot in range(4)]
        for client in clients:
            worker = r"worker\[%d\] .*hooks: " % client.slot
            equal(client.recv(), {"op": "evt", "event": "hello",
                                  "data": "hooks"}, "after the welcome")
            for line in "start " + client.node, "authenticate /", \
                    "connect ann":
                bus.wait_log(worker + line)
            client.ok("pub", topic="news", data=1)
            bus.wait_log(worker + "message news")
        equal(bus.cli("reload")[0], 0, "reload")
        for client in clients:
            bus.wait_log(r"worker\[%d\] .*hooks: reload" % client.slot)
            equal(client.alive(), True, "a reload closes nobody")
            client.close()
            bus.wait_log(r"worker\[%d\] .*hooks: close ann" % client.slot)
        bus.stop()
        equal(bus.log().count("hooks: stop"), 4, "stop hooks")


@test
def the_application_decides_who_comes_in(apps):
    with apps.bus() as bus:
        for token, code in ("banned", 4403), ("nobody", 4401):
            try:
                person(bus, token=token)
            except Closed as end:
                equal(end.code, code, token)
            else:
                raise Failed(token + " came in")
        # Without a token it has a moment to say so.
        client = bus.connect()
        equal(client.welcome.get("auth"), "required")
        equal(client.ask("sub", topic="news")["code"], "UNAUTHORIZED")
        client.ok("auth", token="bob:user")
        equal(client.recv()["event"], "hello")
        equal(call(client, "hooks.self")["user"], "bob")
        total = bus.total("auth_failed")
        equal(total, 2, "counted")


@test
def a_connection_knows_itself(apps):
    with apps.bus() as bus:
        for slot in range(4):
            client = person(bus, slot, "ann%d:driver" % slot)
            address = "%s:%d" % client.sock.getsockname()[:2]
            equal(call(client, "hooks.self"), {
                "id": client.conn, "user": "ann%d" % slot, "role": "driver",
                "address": address, "node": client.node, "found": True,
                "data": True})


@test
def the_hooks_may_close_and_refuse(apps):
    with apps.bus() as bus:
        client = person(bus, token="unwanted:")
        equal(closed(client), (4100, "not you"))
        bus.wait_log("hooks: close unwanted")
        client = person(bus)
        reader = person(bus, token="bob:")
        for topic in "secret", "odd", "last", "open":
            reader.sub(topic)
        equal(client.ask("pub", topic="secret", data=1)["code"], "FORBIDDEN")
        equal(client.ask("pub", topic="odd", data=1)["code"], "VALIDATION")
        client.pub("last", 2)
        equal(closed(client)[0], 4200)
        equal(reader.msg("last")["data"], 2, "it was published all the same")
        reader.silent()
        client = person(bus)
        client.send({"op": "call", "method": "hooks.leave"})
        equal(closed(client), (4321, "as you like"))
        bus.wait_log("told one who leaves nothing")


@test
def kicks_reach_connections_on_every_worker(apps):
    with apps.bus() as bus:
        admin = person(bus, 0, "admin:")
        bobs = [person(bus, slot, "bob:") for slot in range(4)]
        ann = person(bus, 3, "ann:")
        equal(call(admin, "hooks.kick", {"conn": ann.conn, "code": 4001,
                                         "reason": "you"}), 0)
        equal(closed(ann), (4001, "you"))
        equal(call(admin, "hooks.kick", {"user": "bob"}), 0)
        for bob in bobs:
            equal(closed(bob), (1008, ""))
        equal(call(admin, "hooks.kick", {"user": "bob", "code": 99}) < 0,
              True, "no such code")
        equal(call(admin, "hooks.kick", {"conn": ann.conn}), 0,
              "one who has gone")
        equal(admin.alive(), True)


@test
def methods_answer_later_or_time_out(apps):
    with apps.bus(2, call_timeout="300ms", max_calls=3) as bus:
        client = person(bus)
        equal(call(client, "hooks.later", 50), "later")
        equal(call(client, "hooks.later", 600), "TIMEOUT")
        bus.wait_log("hooks: gets lost")
        equal(call(client, "hooks.bad"), "INTERNAL")
        equal(call(client, "hooks.nothing"), "NOT_FOUND")
        for number in range(4):
            client.send({"op": "call", "method": "hooks.later", "data": 100,
                         "id": 100 + number})
        answers = [client.recv() for _ in range(4)]
        equal([answers[0][key] for key in ("id", "code")],
              [103, "TOO_LARGE"])
        equal(sorted((a["id"], a["data"]) for a in answers[1:]),
              [(100, "later"), (101, "later"), (102, "later")])
        equal(bus.total("calls"), 8)
        equal(bus.total("calls_timeout"), 1)
        equal(bus.total("calls_failed"), 1)
        equal(bus.total("calls_refused"), 2)


@test
def an_answer_for_one_who_has_gone_is_lost_and_harms_nobody(apps):
    with apps.bus(1) as bus:
        gone, stays = person(bus), person(bus, token="bob:")
        for _ in range(20):
            gone.send({"op": "call", "method": "hooks.later", "data": 150,
                       "id": 1})
        equal(call(gone, "hooks.self")["user"], "ann", "all have arrived")
        gone.abort()
        bus.wait_log("hooks: close ann")
        wait_until(lambda: bus.log().count("hooks: gets lost") == 20, 5,
                   "all answers are lost")
        equal(call(stays, "hooks.later", 1), "later")


@test
def several_applications_are_called_in_their_order(apps):
    with apps.bus(2, app=[apps.one, apps.two]) as bus:
        client = newcomer(bus)
        equal([client.recv()["data"] for _ in range(2)], ["hooks", "two"])
        equal(call(client, "two.self")["user"], "ann")
        equal(call(client, "hooks.self")["user"], "ann")
        # The first that authenticates decides, the others are not asked.
        bus.wait_log("hooks: authenticate")
        equal("two: authenticate" in bus.log(), False)
        # None may refuse a message.
        equal(client.ask("pub", topic="secret", data=1)["code"], "FORBIDDEN")
        equal("two: message secret" in bus.log(), False)
        client.close()
        bus.stop()
        log = bus.log()
        equal(log.index("two: stop") < log.index("hooks: stop"), True,
              "the newest stops first")


@test
def another_list_of_applications_needs_new_workers_and_gets_them(apps):
    config = apps.path("bus.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write("app %s\n" % apps.one)
    with Bus(2, config=config) as bus:
        client = person(bus)
        equal(call(client, "two.self"), "NOT_FOUND")
        client.close()
        with open(config, "a", encoding="utf-8") as file:
            file.write("app %s\n" % apps.two)
        pids = {bus.pid(slot) for slot in (0, 1)}
        code, _, errors = bus.cli("reload")
        equal(code, 0, errors)
        wait_until(lambda: bus.running(2) and not pids & {bus.pid(slot) for slot in (0, 1)}, 20,
                   "new workers")
        equal(call(person(bus), "two.self")["user"], "ann")


def start_fails(*words, env=None):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [BUSCTL, "start", "-n", "2", "--listen", "127.0.0.1:0",
             "--run-dir", os.path.join(folder, "run"), "--backoff-min", "10ms",
             *words], env=dict(os.environ, **(env or {})), text=True,
            capture_output=True, timeout=60)
        return done.returncode, done.stderr


@test
def a_bus_whose_application_cannot_be_used_does_not_start(apps):
    code, said = start_fails("--app", apps.path("nowhere.so"))
    equal((code != 0, "nowhere.so: cannot open" in said), (True, True), said)
    equal(code, 78, said)
    code, said = start_fails("--app", SOURCE)
    equal((code, "hooks.c" in said), (78, True), said)
    code, said = start_fails("--app", apps.one, env={"HOOKS_FAIL": "1"})
    # There may be space later: it is tried again, and given up.
    equal(("cannot start: No space left" in said, code), (True, 1), said)
    code, said = start_fails("--auth", "app")
    equal((code, "no application authenticates" in said), (78, True), said)


@test
def an_application_that_crashes_costs_its_worker_only(apps):
    with apps.bus(2, allow=[r"worker \d+ was killed by signal"]) as bus:
        victim, other = person(bus, 0), person(bus, 1)
        os.kill(bus.pid(0), signal.SIGABRT)
        victim.wait_closed()
        equal(call(other, "hooks.self")["user"], "ann")
        wait_until(lambda: bus.running(2), 10, "the worker is back")
        equal(call(person(bus, 0), "hooks.self")["user"], "ann")


main(shared=Apps(), limit=60)
