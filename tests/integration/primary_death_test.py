#!/usr/bin/python3
"""The primary is killed: workers serve on, and the next one adopts them.

No client is disconnected, publishes go on reaching everybody on the same
worker; a new primary of the same run directory finds workers, clients and
listening sockets and the bus is whole again.  Without one, the workers drain
and exit after the orphan timeout, so nothing stays behind.
"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from bus import Bus
from check import at_least, at_most, equal, main, say, test, wait_until
from load import Load
from wsclient import Client

ALLOW = [r"hub|primary|adopt|orphan|link"]
TOPICS = ["a", "b"]


def on_both(bus, readers=10, rate=60):
    """Readers and a publisher on each of two workers."""
    load = Load()
    for slot in (0, 1):
        load.publisher(bus.connect(slot), TOPICS, rate=rate)
        for _ in range(readers):
            load.subscriber(bus.connect(slot), TOPICS)
    return load


def same_worker(load, gaps):
    """Gaps that a subscriber saw of a publisher on its own worker."""
    slots = {p.number: p.client.slot for p in load.publishers}
    return [gap for gap in gaps if slots[gap[2]] == gap[1].slot]


@test
def a_new_primary_adopts_workers_clients_and_sockets():
    with Bus(2, allow=ALLOW, orphan_timeout="30s") as bus:
        load = on_both(bus)
        load.run_for(0.5)
        before, address = bus.pids(), bus.address
        host = bus.connect(0).node.split("-")[0]
        bus.kill_primary()
        died = time.monotonic()
        load.run_for(1.0)
        equal(load.lost, [], "disconnected")
        alone = load.between(died + 0.1, died + 1.0)
        slots = {p.number: p.client.slot for p in load.publishers}
        local = [d for d in alone if slots[d.publisher] == d.slot]
        at_least(len(local), 1000, "local deliveries without a primary")
        offset = len(bus.log())
        bus.spawn()
        load.run(lambda: "ready: 2 workers" in bus.log()[offset:], 10,
                 "adoption")
        equal(bus.hub("adopted"), 2)
        bus.read_addresses()
        equal(bus.address, address, "listen address")
        equal(bus.pids(), before, "pids of the workers")
        whole = time.monotonic()
        load.run_for(1.0)
        far = [d for d in load.between(whole + 0.5, whole + 1.0)
               if slots[d.publisher] != d.slot]
        at_least(len(far), 100, "deliveries through the new hub")
        load.settle()
        equal(load.lost, [], "disconnected")
        equal(load.doubles + load.strangers, [])
        equal(same_worker(load, load.gaps), [], "gaps on the same worker")
        took = [d.took for d in load.between(died, whole)
                if slots[d.publisher] == d.slot]
        say("slowest local delivery: %.1f ms" % (max(took) * 1e3))
        client = bus.connect(1)
        equal(client.node.split("-")[0], host, "host id")
        equal(client.alive(), True)
        equal(bus.total("clients") >= 22, True, "clients are still counted")
        load.close()


@test
def clients_connect_subscribe_and_talk_without_a_primary():
    with Bus(2, allow=ALLOW, orphan_timeout="30s") as bus:
        bus.kill_primary()
        status = bus.status()
        equal(status["primary"]["alive"], False)
        first = bus.connect(0)
        wait_until(lambda: bus.total("hub_connected") == 0, 5)
        answer = first.sub("alone")
        equal(answer.get("hub"), "away")
        second = bus.connect(0)
        second.sub("alone")
        second.pub("alone", 1)
        equal(first.msg("alone")["data"], 1)
        far = bus.connect(1)
        bus.start()
        wait_until(lambda: bus.total("hub_connected") == 2, 10)
        deadline = time.monotonic() + 5
        far.sub("alone")
        while True:
            far.pub("alone", 2)
            try:
                equal(first.msg("alone", 0.5)["data"], 2)
                break
            except TimeoutError:
                at_most(time.monotonic(), deadline, "interest told again")


@test
def a_worker_of_an_adopted_bus_is_respawned_when_it_dies():
    with Bus(2, allow=ALLOW + [r"died|killed|signal"]) as bus:
        bus.kill_primary()
        bus.start()
        equal(bus.hub("adopted"), 2)
        old = bus.pid(1)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: bus.running() and bus.pid(1) != old, 5,
                   "the slot is back")
        client, other = bus.connect(1), bus.connect(0)
        client.sub("x")
        other.pub("x", 1)
        equal(client.msg("x")["data"], 1)


@test
def a_primary_that_dies_three_times_is_replaced_three_times():
    with Bus(3, allow=ALLOW) as bus:
        pids = bus.pids()
        clients = [c[0] for c in bus.connect_each().values()]
        for client in clients:
            client.sub("again")
        fds = {slot: proc.fd_count(pid) for slot, pid in pids.items()}
        for round_number in range(3):
            bus.kill_primary()
            bus.start()
            wait_until(lambda: bus.total("hub_connected") == 3, 10)
            equal(bus.pids(), pids)
            for client in clients:
                client.sub("sync-%d" % round_number)
            for writer in clients:
                writer.pub("again", writer.conn)
                for reader in clients:
                    equal(reader.msg("again")["data"], writer.conn)
        for slot, pid in pids.items():
            at_most(proc.fd_count(pid), fds[slot] + 1,
                    "descriptors of worker %d: %r" % (
                        slot, proc.fd_names(pid)))


@test
def workers_without_a_primary_drain_and_exit_after_the_orphan_timeout():
    with Bus(2, allow=ALLOW, orphan_timeout="2s", checked=False) as bus:
        client = bus.connect()
        bus.kill_primary()
        began = time.monotonic()
        closed = client.wait_closed(10)
        lasted = time.monotonic() - began
        at_least(lasted, 1.5, "seconds that the worker stayed")
        equal(closed.code, 1001)
        bus.check_left(10)
        bus.check_log()


@test
def a_worker_that_died_between_two_primaries_is_started_anew():
    with Bus(2, allow=ALLOW + [r"died|killed|gone"],
             orphan_timeout="30s") as bus:
        pids = bus.pids()
        bus.kill_primary()
        os.kill(pids[0], signal.SIGKILL)
        wait_until(lambda: not proc.alive(pids[0]))
        bus.start()
        equal(bus.pids()[1], pids[1], "the survivor")
        equal(bus.pids()[0] != pids[0], True)
        first, second = bus.connect(0), bus.connect(1)
        first.sub("x")
        second.pub("x", 1)
        equal(first.msg("x")["data"], 1)


@test
def stopping_an_adopted_bus_stops_everything():
    with Bus(2, allow=ALLOW) as bus:
        client = bus.connect()
        bus.kill_primary()
        bus.start()
        bus.stop()
        equal(client.wait_closed().code, 1001)
        bus.check_left()
        try:
            Client(bus.address, timeout=1)
        except OSError:
            return
        raise AssertionError("somebody still listens")


if __name__ == "__main__":
    main()
