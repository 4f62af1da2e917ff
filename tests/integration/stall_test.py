#!/usr/bin/python3
"""SIGSTOP of one worker: the others are not slowed, the hub does not swell.

What the halted worker does not take is kept up to hub-queue and then dropped
and counted; after stall-timeout the worker is killed and its slot respawned.
"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from binary import MEMORY, PATIENCE
from bus import Bus
from check import (at_least, at_most, equal, main, percentile, say, test,
                   wait_until)
from load import Load

ALLOW = [r"stall|not moved|drop|slow|queue|died|killed|signal"]


def halt(bus, slot):
    """SIGSTOP the worker there; its pid."""
    pid = bus.pid(slot)
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: proc.stopped(pid), what="halted")
    return pid


@test
def a_halted_worker_is_replaced_and_nobody_else_notices():
    with Bus(3, allow=ALLOW, stall_timeout="1s") as bus:
        load = Load()
        for slot in (0, 1):
            load.publisher(bus.connect(slot), ["t"], rate=200)
            for _ in range(5):
                load.subscriber(bus.connect(slot), ["t"])
        victims = [bus.connect(2) for _ in range(3)]
        for victim in victims:
            victim.sub("t")
        load.run_for(0.5)
        old = halt(bus, 2)
        began = time.monotonic()
        load.run(lambda: bus.running() and bus.pid(2) != old, 5,
                 "the worker is replaced")
        took = time.monotonic() - began
        at_least(took, 0.7, "seconds until it was replaced")
        at_most(took, 3.0, "seconds until it was replaced")
        load.settle()
        load.check()
        equal(load.lost, [])
        seen = [d.took for d in load.between(began, began + took)]
        at_most(percentile(seen, 99), 0.1 * PATIENCE, "99th percentile")
        say("replaced after %.2f s; slowest delivery %.1f ms" % (
            took, max(seen) * 1e3))
        equal(bus.hub("stalled"), 1)
        equal(bus.total("gaps"), 0)
        for victim in victims:
            equal(victim.wait_closed().code, None)
        load.close()


@test
def the_hub_keeps_a_bounded_queue_and_counts_what_it_drops():
    with Bus(2, allow=ALLOW, stall_timeout="60s", hub_queue="1m") as bus:
        reader, writer, near = bus.connect(1), bus.connect(0), bus.connect(0)
        for client in (reader, near):
            client.sub("flood")
        before = proc.memory_kb(bus.process.pid)
        pid = halt(bus, 1)
        text = '"' + "x" * 20000 + '"'
        sent = 0
        try:
            while bus.hub("drop_slow") < 100:
                for _ in range(50):
                    writer.pub_raw("flood", text)
                    sent += 1
                for _ in range(50):
                    near.msg("flood")
                at_most(sent, 5000, "publishes until the hub drops")
            hub = bus.status()["hub"]
            at_most(hub["queue_bytes"], (1 << 20) + 65536, "queue")
            at_most(hub["queue_bytes_max"], (1 << 20) + 65536, "its largest")
            at_most(proc.memory_kb(bus.process.pid), before + 8192 + MEMORY,
                    "memory of the primary in kB")
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: bus.hub("queue_bytes") == 0, 5, "queue is empty")
        got = 0
        writer.pub("flood", "end")
        while True:
            message = reader.wait_for(
                lambda m: m["op"] == "gap" or m["op"] == "msg", 10)
            if message["op"] == "gap":
                continue
            if message["data"] == "end":
                break
            got += 1
        hub = bus.status()["hub"]
        equal(got + hub["drop_slow"], sent, "delivered and dropped")
        wait_until(lambda: bus.total("gaps") == hub["drop_slow"], 5,
                   "gaps found: the worker counts what is missing")


@test
def a_short_halt_loses_nothing():
    with Bus(2, allow=ALLOW, stall_timeout="10s") as bus:
        reader, writer = bus.connect(1), bus.connect(0)
        reader.sub("short")
        pid = halt(bus, 1)
        for number in range(1000):
            writer.pub("short", number)
        writer.alive()
        os.kill(pid, signal.SIGCONT)
        equal([reader.msg("short")["data"] for _ in range(1000)],
              list(range(1000)))
        equal(bus.pid(1), pid)
        equal(bus.hub("drop_slow"), 0)


if __name__ == "__main__":
    main()
