#!/usr/bin/python3
# timeout: 600
"""kill -9 in the middle of moves, upgrades and adoption.

While clients move, one of the processes that take part is killed at a random
moment: a giver, a taker, the primary.  At worst the connections of the killed
worker and those on their way are closed.  Whoever stays connected has lost
nothing; no connection has two owners, no descriptor is left, no slot is stuck.
The seed is printed; SEED=n plays it again, ROUNDS=n makes it longer.
"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from bus import Bus
from check import Failed, at_most, equal, main, rng, say, test, wait_until
from load import Load

CLIENTS = 150
ROUNDS = int(os.environ.get("ROUNDS", "24"))
WINDOW = 32  # moves of one worker under way at once
TOPICS = ["topic-%d" % number for number in range(10)]
ALLOW = [r"killed by signal 9", r"respawning", r"crash loop",
         r"new worker of slot \d+ failed", r"the old worker stays"]


class Rounds:
    """A bus, its clients, and what became of them."""

    def __init__(self, bus):
        self.bus = bus
        self.load = Load()
        self.lost = 0
        for _ in range(CLIENTS):
            self.add()

    def add(self):
        number = len(self.load.publishers)
        client = self.bus.connect()
        self.load.subscriber(client, [TOPICS[number % 10]])
        entry = self.load.publisher_too(client, [TOPICS[number % 10]], 1.0)
        entry.due += (number % CLIENTS) / CLIENTS

    def workers(self):
        """Every worker process of this bus: {pid: clients}."""
        found = {pid: 0 for pid in proc.marked(self.bus.mark)
                 if " worker" in proc.command(pid)}
        for worker in self.bus.status()["workers"]:
            if worker.get("pid") in found:
                found[worker["pid"]] = worker["clients"]
        return found

    def kill_one(self):
        """kill -9 of any worker, an old or a new one; its pid."""
        victim = rng.choice(sorted(self.workers()))
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has just gone by itself
        return victim

    def begin(self, words):
        """A command that makes clients move; it may fail."""
        with open(os.devnull, "w") as nothing:
            return self.bus.popen(*words, stdout=nothing, stderr=nothing)

    def pause(self, seconds):
        self.load.run_for(seconds)

    def end(self, running):
        self.load.run(lambda: running.poll() is not None, 60, "the command")

    def at_rest(self):
        """Every client that is left is served by exactly one worker."""
        def alive():
            return sum(entry.alive
                       for entry in self.load.subscribers.values())

        def home():
            status = self.bus.status()
            total, wanted = status["total"], status["workers_wanted"]
            return (not total["moving"] and total["clients"] == alive()
                    and total["hub_connected"] == wanted
                    and self.bus.running()
                    and len(self.workers()) == wanted)  # old ones have gone
        try:
            self.load.run(home, 30, "all to be at home")
        except Failed:
            raise Failed("%d clients are left, the bus says %r" % (
                alive(), [(w["state"], w["clients"])
                        for w in self.bus.status()["workers"]])) from None

    def check(self, allowed, what):
        """Who is left misses nothing; not more are gone than may be."""
        self.at_rest()
        gone = len(self.load.lost)
        at_most(gone, allowed, "disconnected by %s" % what)
        self.lost += gone
        self.load.lost.clear()
        self.forget_dead()
        for name in ("doubles", "strangers"):
            equal(getattr(self.load, name)[:3], [], name + " by " + what)

    def forget_dead(self):
        """A new client for each that has gone."""
        dead = [client for client, entry in self.load.subscribers.items()
                if not entry.alive]
        for client in dead:
            del self.load.subscribers[client]
        self.load.publishers = [p for p in self.load.publishers if p.alive]
        for _ in dead:
            self.add_numbered()

    def add_numbered(self):
        self.next = getattr(self, "next", 100000) + 1
        client = self.bus.connect()
        topic = rng.choice(TOPICS)
        self.load.subscriber(client, [topic])
        entry = self.load.publisher_too(client, [topic], 1.0)
        entry.number = self.next

    def finish(self, gaps):
        """Everybody says one more word, and everybody hears it."""
        for publisher in self.load.publishers:
            self.load.publish(publisher)
        self.load.settle(20)
        self.load.check(gaps)

    def sockets(self):
        """Client sockets that some worker has open."""
        return {pid: proc.fd_count(pid) for pid in self.workers()}


def command(number):
    return rng.choice([["restart"], ["restart", str(rng.randrange(3))],
                       ["scale", "2"] if number % 2 else ["scale", "3"],
                       ["scale", "3"] if number % 2 else ["scale", "2"],
                       ["upgrade"]])


@test
def killed_workers_take_nobody_else_with_them():
    with Bus(3, allow=ALLOW, backoff_min="10ms", backoff_max="50ms",
             stable_after="10ms") as bus:
        rounds = Rounds(bus)
        rounds.pause(0.5)
        for number in range(ROUNDS):
            words = command(number)
            running = rounds.begin(words)
            rounds.pause(rng.random() * 0.12)
            victim = rounds.kill_one()
            rounds.end(running)
            rounds.check(CLIENTS, "%r, killed %d" % (words, victim))
        rounds.finish(gaps=True)
        say("%d rounds, %d of %d connections were those of a killed worker" % (
            ROUNDS, rounds.lost, ROUNDS * CLIENTS))
        rounds.load.close()


@test
def a_killed_primary_closes_at_most_those_on_their_way():
    with Bus(3, allow=ALLOW + [r"hub"], backoff_min="10ms") as bus:
        rounds = Rounds(bus)
        rounds.pause(0.5)
        for number in range(max(4, ROUNDS // 3)):
            words = rng.choice([["restart"], ["upgrade"]])
            running = rounds.begin(words)
            rounds.pause(rng.random() * 0.15)
            givers = len(rounds.workers())
            bus.kill_primary()
            rounds.end(running)
            bus.start()
            rounds.check(WINDOW * givers, "%r, killed primary" % words)
        rounds.finish(gaps=False)
        say("%d of %d connections were closed" % (
            rounds.lost, max(4, ROUNDS // 3) * CLIENTS))
        rounds.load.close()


@test
def no_descriptor_is_left_after_all_that():
    with Bus(2, allow=ALLOW, backoff_min="10ms", stable_after="10ms") as bus:
        rounds = Rounds(bus)
        for number in range(6):
            running = rounds.begin(["restart"])
            rounds.pause(rng.random() * 0.1)
            rounds.kill_one()
            rounds.end(running)
            rounds.check(CLIENTS, "killed")
        rounds.load.close()
        wait_until(lambda: bus.total("clients") == 0, 10)
        with_nobody = rounds.sockets()
        primary = proc.fd_count(bus.process.pid)
        time_limit = time.monotonic() + 10
        equal(bus.cli("restart")[0], 0)
        wait_until(lambda: bus.running(2), 10)
        while time.monotonic() < time_limit and len(rounds.workers()) > 2:
            pass
        fresh = rounds.sockets()
        at_most(max(with_nobody.values()), max(fresh.values()) + 2,
                "descriptors of workers: %r, fresh: %r" % (with_nobody,
                                                           fresh))
        at_most(primary, proc.fd_count(bus.process.pid) + 2,
                "descriptors of the primary")


if __name__ == "__main__":
    main(limit=500)
