#!/usr/bin/python3
"""Clients that must go: when they are told to, and when they come back.

TLS clients cannot be moved to another worker.  They use the client library; a
Node process has hundreds of them and notes times (paced_drain_client.mjs).
"""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from binary import PATIENCE
from bus import Bus
from check import (at_least, at_most, equal, main, percentile, say,
                   skip_all, test, wait_until)

if shutil.which("openssl") is None or shutil.which("node") is None:
    skip_all("openssl or node is not installed")
if not os.path.isdir(os.path.join(HERE, "node_modules", "ws")):
    skip_all("the ws package is not installed (tests/deps.sh test)")

DIRECTORY = tempfile.mkdtemp(prefix="cbus-paced-")
CERT = os.path.join(DIRECTORY, "cert.pem")
KEY = os.path.join(DIRECTORY, "key.pem")
NOISE = 100 * PATIENCE  # ms that one of many may be late, at the least


def certificate():
    """A self-signed certificate for 127.0.0.1."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=bus", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
         KEY, "-out", CERT], check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)


class Crowd:
    """The Node process with so many clients of a bus."""

    def __init__(self, bus, count):
        self.count = count
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "paced_drain_client.mjs"),
             "wss://%s:%d/" % bus.address, str(count), CERT],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=bus.env)
        self.homes = [None] * count
        self.latencies = []
        self.noise = NOISE  # ms that clients may be late by no fault of theirs
        self.take(lambda notes: all(note["opens"] for note in notes))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def take(self, done, deadline=30.0):
        """What was noted, as soon as it is this and all are open."""
        notes = [{"closes": [], "dials": [], "opens": []}
                 for _ in range(self.count)]
        self.noise = NOISE

        def look():
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
            self.latencies += answer["latencies"]
            self.noise = max(self.noise, NOISE + 2 * answer["lag"])
            for note, more in zip(notes, answer["clients"]):
                for kind in note:
                    note[kind] += more[kind]
            return answer["open"] == self.count and done(notes)

        wait_until(look, deadline, "all clients are back", step=0.05)
        for number, note in enumerate(notes):
            note["home"] = self.homes[number]
            if note["opens"]:
                self.homes[number] = note["opens"][-1]["node"]
        return notes


def on(crowd, slots):
    """How many clients are on these slots; a node is host-slot-generation."""
    return sum(int(home.split("-")[1]) in slots for home in crowd.homes)


def check_each(crowd, notes):
    """Everybody was closed once at most, politely, and kept the time that it
    was given; Node's timers may ring too early as well, when it is busy.
    Returns (closed at, slot, dialled at, home) by slot."""
    found = []
    for note in notes:
        if not note["closes"]:
            continue
        equal([close["code"] for close in note["closes"]], [1001], note)
        equal(len(note["dials"]), 1, note)
        equal(len(note["opens"]), 1, note)
        close, dial = note["closes"][0], note["dials"][0]
        at_least(close["retryIn"], 1, note)
        slot = close["at"] + close["retryIn"]
        at_least(dial, slot - crowd.noise, "came before its time")
        at_most(dial, slot + crowd.noise, "came after its time")
        found.append((close["at"], slot, dial, note["home"]))
    at_most(percentile([abs(dial - slot) for _, slot, dial, _ in found], 50),
            NOISE / 3 + (crowd.noise - NOISE) / 2, "ms between a client's time and its coming")
    return sorted(found, key=lambda one: one[1])


def check_order(crowd, found):
    """Who had the earlier time has come earlier, but for the noise."""
    latest = 0.0
    for _, _, dial, _ in found:
        at_least(dial, latest - crowd.noise, "overtook another one")
        latest = max(latest, dial)


def check_spread(crowd, found, per_second):
    """In no piece of time are there more than the bus accepts."""
    slots = [slot for _, slot, _, _ in found]
    for piece in (100, 500):
        most = (piece + crowd.noise) * per_second / 1000 + 1
        for first, slot in enumerate(slots):
            at_most(sum(slot <= other < slot + piece
                        for other in slots[first:]), most,
                    "times within %d ms" % piece)


def report(what, crowd, found):
    """Numbers for whoever reads the log."""
    slots, late = ([one[1] for one in found],
                   [one[2] - one[1] for one in found])
    say("%s: %d closed, times over %.0f ms, came %.1f ms late at most, "
        "noise %.0f ms" % (what, len(found), slots[-1] - slots[0], max(late),
                           crowd.noise))
    say("publish latency meanwhile: median %.1f, p99 %.1f, most %.1f ms" % (
        percentile(crowd.latencies, 50), percentile(crowd.latencies, 99),
        max(crowd.latencies)))
    crowd.latencies = []


def secure(n, **more):
    """A bus that speaks TLS."""
    certificate()
    return Bus(n, tls_cert=CERT, tls_key=KEY, **more)


@test
def a_restart_closes_tls_clients_once_and_all_are_back_within_the_window():
    with secure(4, accept_rate=100, drain_window="2s",
                allow=[r"lws|ssl|SSL"]) as bus, Crowd(bus, 200) as crowd:
        code, out, errors = bus.cli("restart")
        equal(code, 0, out + errors)
        notes = crowd.take(lambda notes: all(n["closes"] for n in notes))
        found = check_each(crowd, notes)
        report("restart", crowd, found)
        equal(len(found), 200)
        check_order(crowd, found)
        check_spread(crowd, found, 4 * 100)
        homes = {}
        for at, slot, _, home in found:
            homes.setdefault(home, []).append((at, slot))
        equal(len(homes), 4)
        for times in homes.values():
            first = min(at for at, _ in times)
            at_most(max(slot for _, slot in times) - first, 2000 + crowd.noise,
                    "ms until the last one of a worker may be back")
        equal(bus.total("closed_drain") >= 200, True)


@test
def a_scale_down_spreads_what_the_workers_that_stay_can_accept():
    with secure(4, accept_rate=50, drain_window="0s", handshake_timeout="20s",
                allow=[r"lws|ssl|SSL"]) as bus, Crowd(bus, 120) as crowd:
        leaving = on(crowd, (1, 2, 3))
        code, out, errors = bus.cli("scale", "1")
        equal(code, 0, out + errors)
        notes = crowd.take(lambda notes: sum(
            bool(n["closes"]) for n in notes) == leaving)
        found = check_each(crowd, notes)
        report("scale", crowd, found)
        equal(len(found), leaving)
        check_order(crowd, found)
        check_spread(crowd, found, 50)
        # Three workers at once have taken their times from one row: 20 ms
        # lie between two of them.
        slots = [slot for _, slot, _, _ in found]
        at_least(slots[-1] - slots[0], (leaving - 1) * 20 - crowd.noise, "ms")
        at_most(slots[-1] - slots[0], (leaving - 1) * 20 + crowd.noise, "ms")
        equal(on(crowd, (0,)), 120)


class Herd:
    """So many clients that connect to a bus at once, in a process of their
    own; see herd.py."""

    def __init__(self, bus, count):
        self.line = b""
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "..", "support", "herd.py"),
             "127.0.0.1", str(bus.port), str(count)], env=bus.env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def found(self):
        """What it has to say when all are in; None: not yet."""
        self.line += self.process.stdout.read() or b""
        return json.loads(self.line) if self.line.endswith(b"\n") else None


@test
def a_herd_waits_in_the_queue_and_starves_nobody():
    count, rate = 2000, 200
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < count + 100:
        say("no descriptors for a herd here")
        return
    with Bus(2, accept_rate=rate) as bus:
        one, two = bus.connect(0), bus.connect(1)
        two.sub("beat")
        before = bus.total("accepted")
        latencies = []

        def beat():
            began = time.monotonic()
            one.pub("beat", len(latencies))
            equal(two.msg("beat")["data"], len(latencies))
            latencies.append((time.monotonic() - began) * 1000)
            return herd.found()

        with Herd(bus, count) as herd:
            found = wait_until(beat, 40, "the herd is in")
            status = bus.status()
        last = found["opened"][-1]
        say("the herd was in after %.2f s; publish latency meanwhile: "
            "median %.1f, p99 %.1f, most %.1f ms" % (
                last, percentile(latencies, 50), percentile(latencies, 99),
                max(latencies)))
        equal(found["refused"], 0)
        equal(len(found["opened"]), count)
        equal(status["total"]["accepted"] - before, count)
        for refusal in ("refused_address", "refused_full", "accept_errors"):
            equal(status["total"][refusal], 0, refusal)
        # Of each worker's share a burst came at once, the others waited.
        paced = status["total"]["accepts_paced"]
        at_least(paced, count - 2 * rate / 10 - 2 * rate / 10, "paced")
        at_most(paced, count, "paced")
        equal(len(found["nodes"]), 2)
        share = max(found["nodes"].values())
        at_least(last, (share - rate / 10 - 5) / rate, "seconds")
        at_most(last, share / rate * 1.2 + PATIENCE, "seconds")


@test
def a_new_accept_rate_takes_force_without_new_workers():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("accept-rate 1\n")
        file.flush()
        with Bus(1, config=file.name) as bus:
            pid = bus.pid(0)
            with Herd(bus, 50) as herd:
                wait_until(lambda: bus.total("accepts_paced") > 0, 10)
                at_most(bus.total("accepted"), 10, "accepted at this rate")
                file.truncate(0)
                file.seek(0)
                file.write("accept-rate 1000\n")
                file.flush()
                code, out, errors = bus.cli("reload")
                equal(code, 0, out + errors)
                found = wait_until(herd.found, 10, "the herd is in")
            equal(len(found["opened"]), 50)
            equal(bus.pid(0), pid)


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
