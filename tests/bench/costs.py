#!/usr/bin/python3
"""costs.py - what one check, call, broadcast, push and move of a client cost.

CPU time of the worker (or the primary, which has the hub), user and system, in
microseconds for each; the median of the rounds.  A thing is done many times
between two readings of the clock of the process, with clients that read
everything.

Usage: tests/bench/costs.py [--rounds N]     prints them as one JSON list
"""
import argparse
import json
import os
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

import proc
import wsframe
from application import compile_app
from bus import Bus
from check import Failed, wait_until

CALLS = 200          # sent at once
MEMBERS = 100        # of the room
LINE = {"sku": "garden-chair-green", "count": 2, "price": 49.9,
        "note": "deliver in the morning, please ring twice"}
ORDER = {"id": "DE000042", "customer": {"name": "Ann", "city": "Ulm",
                                        "vip": True}, "lines": [LINE] * 9}


def cpu_ns(pid):
    """CPU time of a process so far."""
    with open("/proc/%d/schedstat" % pid, "rb") as file:
        return int(file.read().split()[0])


def settle(bus):
    """Wait until no process of the bus has anything to do."""
    quiet = 0
    while quiet < 3:
        time.sleep(0.01)
        asleep = all(proc.stat_fields(pid)[0] == b"S"
                     for pid in (bus.pid(), *bus.pids().values()))
        quiet = quiet + 1 if asleep else 0


class Reader(threading.Thread):
    """Reads what clients get and throws it away."""

    def __init__(self, clients):
        super().__init__(daemon=True)
        self.clients = clients

    def run(self):
        import select
        poll = select.epoll()
        socks = {c.sock.fileno(): c.sock for c in self.clients}
        for number in socks:
            poll.register(number, select.EPOLLIN)
        while socks:
            for number, _ in poll.poll(1):
                if not socks[number].recv(1 << 18):
                    poll.unregister(number)
                    del socks[number]


def pipelined(client, messages, count):
    """Send so many messages, a batch at a time, and read the answers."""
    batch = b"".join(wsframe.frame(wsframe.TEXT, json.dumps(
        messages, separators=(",", ":"))) for _ in range(CALLS))
    for _ in range(count // CALLS):
        client.raw(batch)
        for _ in range(CALLS):
            client.message(20)


def measure(bus, slot, count, work):
    """Microseconds of the worker's CPU for each of count."""
    pid = bus.pid(slot)
    before = cpu_ns(pid)
    work()
    settle(bus)
    return (cpu_ns(pid) - before) / count / 1000


def many(client, what, times, target):
    """Let the application do something many times."""
    client.ok("call", 60, method="many",
              data={"do": what, "times": times, "to": target})
    client.inbox.clear()


def connect(bus, slot, user):
    """A client that authenticates as a user."""
    return bus.connect(slot, headers=["Authorization: Bearer " + user])


def one_round(bus, caller, far, count):
    """All figures once."""
    size = len(json.dumps(ORDER, separators=(",", ":")))
    checked = {"op": "call", "id": 1, "method": "checked", "data": ORDER}
    plain = dict(checked, method="plain")
    small = dict(checked, method="plain", data=1)
    typed = {"op": "pub", "id": 1, "topic": "typed", "data": ORDER}
    bare = dict(typed, topic="bare")
    found = {}

    def run(name, count, work, slot=caller.slot):
        found[name] = measure(bus, slot, count, work)

    run("a method call, answered at once", count,
        lambda: pipelined(caller, small, count))
    run("the same with %d bytes of input" % size, count,
        lambda: pipelined(caller, plain, count))
    run("the same, input checked against a schema", count,
        lambda: pipelined(caller, checked, count))
    run("a publish of %d bytes, nobody subscribed" % size, count,
        lambda: pipelined(caller, bare, count))
    run("the same, checked against a schema", count,
        lambda: pipelined(caller, typed, count))
    run("a room broadcast to %d members of this worker" % MEMBERS,
        count // 10, lambda: [many(caller, "room", count // 200, "room")
                              for _ in range(20)])
    run("a push to a user on this worker", count,
        lambda: [many(caller, "user", count // 20, "near") for _ in range(20)])
    run("a push to a user on another worker", count,
        lambda: [many(caller, "user", count // 20, "far") for _ in range(20)])
    run("the same, for the worker that delivers", count,
        lambda: [many(caller, "user", count // 20, "far") for _ in range(20)],
        far.slot)
    run("a push to a connection on this worker", count,
        lambda: [many(caller, "conn", count // 20, caller.other)
                 for _ in range(20)])
    return found


def moves(count):
    """The clients of one worker move to the other, which is all that is left.

    What it costs the one that leaves nobody can read any more.
    """
    with Bus(2) as bus:
        for clients in bus.connect_each(count).values():
            for client in clients:
                client.sub("topic")
        pids = {"a client that comes from another worker": bus.pid(0),
                "the same, for the hub": bus.pid()}
        before = {name: cpu_ns(pid) for name, pid in pids.items()}
        code, _, errors = bus.cli("scale", "1")
        if code != 0:
            raise Failed("scale: " + errors)
        wait_until(lambda: bus.worker(0)["clients"] == 2 * count and
                   not bus.total("moving"), 60, "all have moved")
        settle(bus)
        return {name: (cpu_ns(pid) - before[name]) / count / 1000
                for name, pid in pids.items()}


def main():
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=20000,
                        help="how often each thing is done (20000)")
    words = parser.parse_args()
    app = compile_app(os.path.join(HERE, "costs.c"), "-O2")
    with Bus(2, app=app, auth="app", outbox_hard="64m", outbox_soft="64m",
             contract=os.path.join(HERE, "costs.json")) as bus:
        far = connect(bus, 1, "far")
        near = connect(bus, 0, "near")
        caller = connect(bus, 0, "caller")
        caller.other = near.conn
        caller.ok("call", method="plain")
        crowd = [connect(bus, 0, "crowd") for _ in range(MEMBERS - 2)]
        Reader([far, near] + crowd).start()
        rounds = [one_round(bus, caller, far, words.count)
                  for _ in range(words.rounds)]
    for one in rounds:
        one.update(moves(words.count // 20))
    rows = []
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        rows.append([name, statistics.median(values), min(values),
                     max(values)])
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
