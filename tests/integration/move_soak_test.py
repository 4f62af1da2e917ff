#!/usr/bin/python3
# timeout: 900
"""Five hundred clients, and the bus changes below them two hundred times.

Restarts, reloads, more and fewer workers, upgrades, in random order (the seed
is printed; SEED=n plays it again).  All clients subscribe and publish numbered
messages all the time: not one is disconnected, nothing is lost, doubled,
altered or out of order.  STEPS=n makes it another number.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from binary import MEMORY
from bus import Bus
from check import at_most, equal, main, rng, say, test
from load import Load

CLIENTS = int(os.environ.get("CLIENTS", "500"))
STEPS = int(os.environ.get("STEPS", "200"))
TOPICS = ["topic-%d" % number for number in range(50)]
WORKERS = (2, 3, 4)


class Changes:
    """What is done to the bus, one after the other."""

    def __init__(self, bus, load):
        self.bus = bus
        self.load = load
        self.path = os.path.join(bus.dir, "bus.conf")
        self.count = {}
        self.workers = bus.n

    def run(self, *words):
        """A command while the traffic goes on; it must succeed."""
        running = self.bus.popen(*words)
        self.load.run(lambda: running.poll() is not None, 60, words[0])
        said = running.communicate()
        equal(running.returncode, 0, "%r: %r" % (words, said))
        self.count[words[0]] = self.count.get(words[0], 0) + 1

    def restart_one(self, _number):
        self.run("restart", str(rng.randrange(self.workers)))

    def restart_all(self, _number):
        self.run("restart")

    def reload(self, number):
        """Every second one needs new workers."""
        with open(self.path, "w") as file:
            file.write("max-clients %d\n" % (10000 + number // 2))
            file.write("ping-timeout %dms\n" % (10000 + number))
        self.run("reload")

    def scale(self, _number):
        self.workers = rng.choice([n for n in WORKERS if n != self.workers])
        self.run("scale", str(self.workers))

    def upgrade(self, _number):
        self.run("upgrade")

    def any(self, number):
        rng.choice((self.restart_one, self.restart_one, self.restart_all,
                    self.reload, self.scale, self.scale,
                    self.upgrade))(number)


def crowd(bus):
    """Everybody reads two topics and publishes on one, twice a second."""
    load = Load()
    for number in range(CLIENTS):
        client = bus.connect()
        load.subscriber(client, [TOPICS[number % 50],
                                 TOPICS[(number * 7 + 3) % 50]])
        entry = load.publisher_too(client, [TOPICS[number % 50]], 0.5)
        entry.due += number * 2.0 / CLIENTS
    return load


def quiet(bus, load):
    """Everybody has arrived somewhere, and the old workers have gone."""
    load.run(lambda: not bus.total("moving")
             and bus.total("clients") == CLIENTS, 30, "all to be at home")


@test
def five_hundred_clients_notice_nothing_of_two_hundred_changes():
    bus = Bus(3)
    bus.options["config"] = os.path.join(bus.dir, "bus.conf")
    with open(bus.options["config"], "w") as file:
        file.write("max-clients 10000\n")
    with bus:
        load = crowd(bus)
        load.run_for(0.5)
        changes = Changes(bus, load)
        memory, fds = [], []
        began = time.monotonic()
        for number in range(STEPS):
            changes.any(number)
            equal([(c.conn, getattr(c.closed, "code", c.closed),
                    getattr(c.closed, "reason", ""))
                   for c, _when in load.lost], [],
                  "disconnected at step %d" % number)
            load.check()
            if number % 10 == 9:
                quiet(bus, load)
                memory.append(proc.memory_kb(bus.process.pid))
                fds.append(proc.fd_count(bus.process.pid))
        took = time.monotonic() - began
        quiet(bus, load)
        load.settle(20)
        load.check()
        equal(load.lost, [], "disconnected clients")
        equal(load.answers, [], "answers that nobody asked for")
        equal(bus.total("gaps"), 0, "gaps")
        equal(bus.total("closed_drain"), 0, "clients asked to go")
        at_most(max(fds), min(fds) + 40, "descriptors: %r" % fds)
        fifth = max(1, len(memory) // 5)
        at_most(max(memory[-fifth:]), max(memory[:fifth * 2]) + 2048 + MEMORY,
                "memory of the primary in kB: %r" % memory)
        say("%d changes in %.0f s: %s" % (STEPS, took, ", ".join(
            "%d x %s" % (n, what) for what, n in sorted(
                changes.count.items()))))
        slow = sorted(d.took for d in load.deliveries)
        say("%d deliveries; the slowest took %.0f ms, 999 of 1000 at most "
            "%.0f ms; longest stall of one client %d us" % (
                len(slow), slow[-1] * 1000, slow[-len(slow) // 1000] * 1000,
                bus.total("move_stall_max_us")))
        load.close()


if __name__ == "__main__":
    main(limit=800)
