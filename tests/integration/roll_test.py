#!/usr/bin/python3
# timeout: 3600
"""Reload after reload under load: no connection refused, reset or closed.

Two hundred clients connect and publish all the time while the workers are
rolled in again and again.  The primary's memory and descriptors stay
what they were.  SOAK=1000 in the environment makes it a thousand reloads.
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from binary import MEMORY, PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, say, test, wait_until
from churn import Churn

RELOADS = int(os.environ.get("SOAK", "50"))


def with_config(n, **options):
    """A bus whose file's max-clients can be changed: (bus, change)."""
    bus = Bus(n, **options)
    path = os.path.join(bus.dir, "bus.conf")
    bus.options["config"] = path

    def change(number):
        with open(path, "w") as file:
            file.write("max-clients %d\n" % (10000 + number))
    change(0)
    return bus, change


def reload_under(bus, churn):
    """`busctl reload` while the clients connect."""
    running = bus.popen("reload", stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 30
    churn.run_while(lambda: running.poll() is None
                    and time.monotonic() < end)
    said, _ = running.communicate(timeout=1)
    equal(running.returncode, 0, said)


@test
def reloads_under_load_refuse_and_reset_nobody():
    bus, change = with_config(2, drain_window="100ms",
                              drain_timeout="%ds" % (3 * PATIENCE))
    with bus:
        churn = Churn(bus.address, 200)
        memory, fds = [], []
        began = time.monotonic()
        for number in range(1, RELOADS + 1):
            change(number)
            reload_under(bus, churn)
            memory.append(proc.memory_kb(bus.process.pid))
            fds.append(proc.fd_count(bus.process.pid))
            if churn.faults:
                break
        churn.run_while(lambda: time.monotonic() < began + 1)
        churn.close()
        say("%d reloads in %.1f s, %d clients came, %d nodes" % (
            RELOADS, time.monotonic() - began, churn.finished,
            len(churn.slots)))
        equal(churn.faults, [], "%d faults" % len(churn.faults))
        equal(churn.drained, 0, "clients that were asked to come back")
        equal(bus.hub("reloads"), RELOADS)
        at_least(len(churn.slots), RELOADS, "nodes that were seen")
        fifth = max(1, len(memory) // 5)
        at_most(max(memory[-fifth:]), max(memory[:fifth * 2]) + 1024 + MEMORY,
                "memory of the primary in kB: %r" % memory)
        wait_until(lambda: proc.fd_count(bus.process.pid) <= min(fds), 5,
                   "descriptors: %r" % fds)
        wait_until(lambda: bus.running(2), 5)


@test
def a_roll_keeps_the_others_talking():
    bus, change = with_config(4)
    with bus:
        pids = bus.pids()
        change(7)
        rolling = bus.popen("reload", stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
        rounds = 0
        while rolling.poll() is None:
            rounds += 1
            if rounds % 20 == 1:  # some were there before their worker left
                first, second = bus.connect(), bus.connect()
                first.sub("roll")
            second.pub("roll", rounds)
            # What another said before may still be on its way to a worker.
            first.wait_for(lambda m: m.get("data") == rounds)
        equal(rolling.returncode, 0)
        equal(set(pids.values()) & set(bus.pids().values()), set())
        say("%d conversations during the roll" % rounds)


@test
def restart_rolls_one_slot_or_all():
    with Bus(3) as bus:
        pids = bus.pids()
        code, out, errors = bus.cli("restart", "1")
        equal(code, 0, out + errors)
        now = bus.pids()
        equal((now[0], now[2]), (pids[0], pids[2]), "the other slots")
        equal(now[1] != pids[1], True, "slot 1")
        code, out, errors = bus.cli("restart")
        equal(code, 0, out + errors)
        equal(set(bus.pids().values()) & set(now.values()), set())
        equal(bus.cli("restart", "9")[0], 2)
        equal(bus.cli("restart", "x")[0], 2)


if __name__ == "__main__":
    main(limit=3500)
