#!/usr/bin/python3
"""`busctl bench` tells the truth.

A generator that cannot see a loss would praise every server.  So it is put
before a server that loses, doubles, reorders and alters on purpose, and must
count each; and before the real bus, where it must count none.
"""
import asyncio
import glob
import json
import os
import pty
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import websockets

from application import BUILD
from binary import BUSCTL, ROOT
from bus import Bus
from check import at_least, equal, main, test


class BadServer:
    """Speaks the generator's plain protocol; spoil(n, payload) -> payloads.

    spoil gets the number of the publish on its topic and returns what is to
    be delivered in its place.
    """

    def __init__(self, spoil):
        self.spoil = spoil
        self.members = {}
        self.count = 0
        self.port = None
        self.loop = asyncio.new_event_loop()
        self.started = threading.Event()
        self.stop = None
        self.thread = threading.Thread(target=self.run)

    async def client(self, socket):
        try:
            await self.talk(socket)
        except websockets.ConnectionClosed:
            pass  # the generator hangs up when it has seen enough

    async def talk(self, socket):
        async for text in socket:
            kind, topic, *rest = text.split(" ", 2)
            if kind == "s":
                self.members.setdefault(topic, []).append(socket)
                await socket.send("k")
                continue
            self.count += 1
            for payload in self.spoil(self.count, rest[0]):
                for member in self.members.get(topic, []):
                    await member.send(payload)

    async def serve(self):
        self.stop = asyncio.Event()
        async with websockets.serve(self.client, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.started.set()
            await self.stop.wait()

    def run(self):
        self.loop.run_until_complete(self.serve())

    def __enter__(self):
        self.thread.start()
        self.started.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)


def bench(port, *words, path="/"):
    """Run the generator: (exit status, result or None, standard error)."""
    done = subprocess.run(
        [BUSCTL, "bench", "--json", "--url", f"ws://127.0.0.1:{port}{path}",
         *words], capture_output=True, text=True, timeout=60, check=False)
    result = json.loads(done.stdout) if done.stdout else None
    return done.returncode, result, done.stderr


def judge(spoil):
    """What the generator says about a server that does this."""
    with BadServer(spoil) as server:
        status, result, _ = bench(
            server.port, "--protocol", "ws-raw", "--rate", "200",
            "--subscribers", "3", "--duration", "1", "--warmup", "0",
            "--verify")
    return status, result, server.count


@test
def an_honest_server_is_found_honest():
    status, result, count = judge(lambda n, payload: [payload])
    equal(status, 0, "status")
    equal(result["published"], count, "published")
    equal(result["expected"], count * 3, "expected")
    equal(result["arrived"], count * 3, "arrived")
    for what in ("lost", "doubled", "reordered", "altered"):
        equal(result[what], 0, what)


@test
def losses_are_counted_also_at_the_very_end():
    status, result, count = judge(
        lambda n, payload: [payload] if n % 10 and n < 150 else [])
    equal(status, 1, "status")
    wanted = sum(1 for n in range(1, count + 1) if n % 10 == 0 or n >= 150)
    equal(result["lost"], wanted * 3, "lost")
    equal(result["doubled"], 0, "doubled")


@test
def doubles_are_counted():
    status, result, count = judge(
        lambda n, payload: [payload] * (2 if n % 10 == 0 else 1))
    equal(status, 1, "status")
    equal(result["doubled"], count // 10 * 3, "doubled")
    equal(result["lost"], 0, "lost")


@test
def a_changed_order_is_counted():
    held = []

    def swap(n, payload):
        held.append(payload)
        if n % 2 == 1:
            return []
        taken = held[::-1]
        held.clear()
        return taken

    status, result, count = judge(swap)
    equal(status, 1, "status")
    equal(result["reordered"], count // 2 * 3, "reordered")
    equal(result["lost"], count % 2 * 3, "lost")


@test
def altered_bytes_are_counted():
    status, result, count = judge(
        lambda n, payload: [payload if n % 10 else payload[:-1] + "#"])
    equal(status, 1, "status")
    equal(result["altered"], count // 10 * 3, "altered")


@test
def a_stall_shows_in_the_latencies_of_a_fixed_rate():
    def slow(n, payload):
        if n == 50:
            threading.Event().wait(0.3)
        return [payload]

    _, result, _ = judge(slow)
    at_least(result["latency_us"]["max"], 290000, "largest latency")
    # Publishes that were due meanwhile waited too: about 60 of 200.
    at_least(result["latency_us"]["p90"], 50000, "p90")


@test
def the_real_bus_is_found_honest():
    with Bus(n=2) as bus:
        status, result, said = bench(
            bus.port, "--subscribers", "20", "--publishers", "3", "--topics",
            "12", "--topics-per-subscriber", "4", "--duration", "1",
            "--warmup", "0.2", "--pid", str(bus.pid()), "--verify")
    equal(status, 0, "status: " + said)
    equal(result["lost"], 0, "lost")
    equal(result["verified"], True)
    at_least(result["arrived"], 1000, "deliveries")
    at_least(result["server_processes"], 3, "processes")
    at_least(result["deliveries_per_cpu_second"], 1, "per CPU second")


@test
def large_messages_arrive_whole():
    with Bus(n=2) as bus:
        status, result, said = bench(
            bus.port, "--subscribers", "4", "--size", "900000", "--window",
            "2", "--duration", "1", "--warmup", "0", "--verify")
    equal(status, 0, "status: " + said)
    at_least(result["arrived"], 8, "deliveries")


@test
def idle_connections_are_weighed():
    with Bus(n=1) as bus:
        status, result, said = bench(
            bus.port, "--idle", "200", "--duration", "0.2", "--pid",
            str(bus.pid()))
    equal(status, 0, "status: " + said)
    equal(result["connections"], 200)
    at_least(result["bytes_per_connection"], 1, "bytes")


@test
def a_server_that_is_not_there_is_said_so():
    status, result, said = bench(1)
    equal(status, 1, "status")
    equal(result, None)
    equal("refused" in said, True, said)


def at_a_terminal(*words, timeout=30):
    """What a command prints on standard error when that is a terminal."""
    master, slave = pty.openpty()
    try:
        process = subprocess.Popen([BUSCTL, *words], stderr=slave,
                                   stdout=subprocess.DEVNULL)
        os.close(slave)
        equal(process.wait(timeout), 0)
        os.set_blocking(master, False)
        return os.read(master, 65536).decode()
    except BlockingIOError:
        return ""
    finally:
        os.close(master)


@test
def progress_is_shown_at_a_terminal_and_only_there():
    with Bus(1) as bus:
        words = ("bench", "--url", "ws://%s:%d/" % bus.address,
                 "--subscribers", "2", "--warmup", "1", "--duration", "1")
        said = at_a_terminal(*words)
        for phase in ("connecting", "warming up, 1 s", "measuring, 1 s"):
            equal(phase in said, True, said)
        plain = subprocess.run([BUSCTL, *words], capture_output=True,
                               text=True, timeout=30, check=False)
        equal("measuring" in plain.stderr, False, plain.stderr)


@test
def every_driver_that_can_run_is_measured():
    done = subprocess.run(
        [os.path.join(ROOT, "tests", "bench", "drivers.py"), "--rounds", "1",
         "--count", "256", "--latency", "20"], capture_output=True, text=True,
        timeout=100, check=False)
    equal(done.returncode, 0, done.stderr)
    found = dict(json.loads(done.stdout.splitlines()[-1]))
    wanted = {name for name, program in (
        ("redis", shutil.which("redis-server")),
        ("pgsql", glob.glob("/usr/lib/postgresql/*/bin/initdb")))
        if program and os.path.exists(
            os.path.join(BUILD, "clusterbus-%s.so" % name))}
    equal(wanted - set(found), set(), "left out")
    for name, figures in found.items():
        for figure in ("near_p50", "far_p50", "far_p99", "cpu_sends",
                       "cpu_receives", "cpu_server", "per_cpu_second"):
            at_least(figures[figure][0], 0.001, name + " " + figure)
        # What both hosts need is at least what their primaries need, but for
        # what was used between two looks.
        at_least(figures["cpu_hosts"][0], 0.9 * (figures["cpu_sends"][0] +
                 figures["cpu_receives"][0]), name + " of both hosts")


@test
def what_single_things_cost_is_measured():
    done = subprocess.run(
        [os.path.join(ROOT, "tests", "bench", "costs.py"), "--rounds", "1",
         "--count", "400"], capture_output=True, text=True, timeout=100,
        check=False)
    equal(done.returncode, 0, done.stderr)
    rows = json.loads(done.stdout.splitlines()[-1])
    equal(len({name for name, *_ in rows}), 12, "different things")
    for name, middle, least, most in rows:
        equal(0 < least <= middle <= most, True,
              "%s: %r" % (name, (least, middle, most)))


@test
def nonsense_is_refused_with_status_2():
    status, _, said = bench(1, "--size", "3")
    equal(status, 2, "status")
    equal("--size" in said, True, said)


main()
