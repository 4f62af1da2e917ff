#!/usr/bin/python3
"""A worker is replaced under its clients, and they notice nothing.

Everybody is subscribed, everybody publishes numbered messages, and while the
workers change below them nobody is disconnected and nothing is lost, doubled
or out of order.
"""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import wsframe
from binary import PATIENCE
from bus import Bus
from check import Failed, at_least, equal, main, say, test, wait_until
from load import Load

TOPICS = ["t%d" % number for number in range(5)]


def crowd(bus, per_worker, rate=20.0):
    """Clients on every worker; each reads two topics and publishes on one."""
    load = Load()
    number = 0
    for clients in bus.connect_each(per_worker).values():
        for client in clients:
            load.subscriber(client, [TOPICS[number % 5],
                                     TOPICS[(number + 2) % 5]])
            entry = load.publisher_too(client, [TOPICS[number % 5]], rate)
            entry.due += number * 0.001
            number += 1
    return load


def moved(bus):
    """How many clients have arrived somewhere, by the living workers."""
    return bus.total("moved_in")


def run_while(load, process, deadline=60):
    """Traffic until the command has ended; its output."""
    load.run(lambda: process.poll() is not None, deadline, "the command")
    out = process.communicate()
    equal(process.returncode, 0, repr(out))


@test
def a_restart_of_all_workers_disconnects_nobody_and_loses_nothing():
    with Bus(2) as bus:
        load = crowd(bus, 20)
        load.run_for(0.3)
        pids = bus.pids()
        run_while(load, bus.popen("restart"))
        wait_until(lambda: bus.running(2), 10)
        load.run(lambda: bus.total("clients") == 40 and
                 not bus.total("moving"), 20, "all to have moved")
        equal(set(pids.values()) & set(bus.pids().values()), set())
        load.run_for(0.3)
        load.settle(20)
        load.check()
        equal(load.lost, [], "disconnected clients")
        equal(bus.total("gaps"), 0)
        equal(bus.total("closed_drain"), 0)
        equal(bus.total("subscriptions"), 80)
        at_least(moved(bus), 40, "clients that moved")
        say("%d deliveries, longest stall of a client %d us" % (
            len(load.deliveries), bus.total("move_stall_max_us")))
        load.close()


def restart(bus, clients):
    """All workers are replaced and all clients have arrived."""
    before = moved_hub(bus)
    equal(bus.cli("restart")[0], 0)
    wait_until(lambda: bus.total("clients") == len(clients) and
               not bus.total("moving") and moved_hub(bus) > before, 10,
               "all to have moved")


def moved_hub(bus):
    """Clients that were offered to another worker, ever."""
    return bus.hub("moves")


@test
def a_message_may_be_cut_anywhere_by_the_move():
    text = json.dumps({"op": "pub", "topic": "cut", "data": "x" * 300})
    whole = wsframe.frame(wsframe.TEXT, text)
    parts = (wsframe.frame(wsframe.TEXT, text[:100], fin=False)
             + wsframe.frame(wsframe.PING, b"ping in between")
             + wsframe.frame(wsframe.CONTINUATION, text[100:]))
    cuts = [(whole, at) for at in (1, 2, 3, 5, 7, 8, 50, len(whole) - 1)]
    cuts += [(parts, at) for at in (50, 106, 108, 109, 112, 118, 127, 130,
                                    135, len(parts) - 1)]
    with Bus(1) as bus:
        reader = bus.connect()
        reader.sub("cut")
        writers = [bus.connect() for _ in cuts]
        for writer, (data, at) in zip(writers, cuts):
            writer.raw(data[:at])
        for writer in writers:
            bus.connect().alive()  # what was sent before has been read
        restart(bus, bus.clients)
        for writer, (data, at) in zip(writers, cuts):
            writer.raw(data[at:])
            equal(reader.msg("cut")["data"], "x" * 300, "cut at %d" % at)
            writer.alive()
        equal(bus.total("closed_protocol"), 0)


@test
def what_a_slow_reader_has_not_got_yet_goes_with_it():
    with Bus(1, outbox_hard="64m", outbox_soft="64m") as bus:
        writer = bus.connect()
        slow = bus.connect(rcvbuf=4096)
        slow.sub("large")
        count = 60
        for number in range(count):
            writer.pub("large", [number, "y" * 100000])
        wait_until(lambda: bus.total("deliveries") >= count, 10)
        for _ in range(3):
            restart(bus, bus.clients)
        for number in range(count):
            data = slow.msg("large", 20)["data"]
            equal((data[0], len(data[1])), (number, 100000))
        slow.alive()
        equal(bus.total("drop_outbox"), 0)


@test
def binary_clients_stay_binary():
    with Bus(2) as bus:
        one = bus.connect(protocol="clusterbus.v1.bin")
        two = bus.connect(protocol="clusterbus.v1.bin")
        one.sub("raw")
        restart(bus, bus.clients)
        two.publish_binary("raw", b"\0\1\2")
        equal(one.message()[1], b"\x02\x03raw\0\1\2")


@test
def who_it_is_and_where_it_is_reached_stays_the_same():
    with Bus(2) as bus:
        clients = [clients[0] for clients in bus.connect_each().values()]
        for client in clients:
            client.sub("people")
        follower = bus.popen("presence", "people", "--follow",
                             stdout=-1, text=True)
        ids = sorted(client.conn for client in clients)
        for _ in range(2):
            restart(bus, clients)
            rows = [json.loads(row) for row in bus.cli(
                "clients", "--json")[1].splitlines()]
            equal(sorted(row["conn"] for row in rows), ids)
            for client in clients:
                code, _, said = bus.cli("emit", "--conn", client.conn,
                                        "hello", "7")
                equal(code, 0, said)
                message = client.wait_for(lambda m: m["op"] == "evt")
                equal((message["event"], message["data"]), ("hello", 7))
        clients[0].close()
        wait_until(lambda: bus.total("clients") == 1, 5)
        equal(bus.cli("kick", "--conn", clients[1].conn)[0], 0)
        equal(clients[1].wait_closed().code, 1008)
        wait_until(lambda: bus.total("clients") == 0, 5)
        follower.send_signal(signal.SIGINT)
        seen = follower.communicate()[0].splitlines()
        equal(sorted(line.split()[0] for line in seen),
              ["joined", "joined", "left", "left"], repr(seen))


def percentile(deliveries, share):
    took = sorted(delivery.took for delivery in deliveries)
    return took[int(len(took) * share)] * 1000 if took else 0.0


@test
def a_thousand_clients_of_one_worker_are_shared_with_one_that_comes_later():
    with Bus(2, command="hub", no_balance=False) as bus:
        log = open(os.path.join(bus.dir, "workers"), "w")
        bus.popen("worker", "--attach", stderr=log)
        wait_until(lambda: bus.running(1), 10)
        load = Load()
        for number in range(1000):
            topic = "topic-%d" % (number % 100)
            load.subscriber(bus.connect(), [topic])
            if number % 10 == 0:
                load.publisher_too(bus.clients[-1], [topic], 5)
        load.run_for(2)
        before = percentile(load.deliveries, 0.99)
        load.deliveries.clear()
        bus.popen("worker", "--attach", stderr=log)

        def even():
            each = [worker["clients"] for worker in bus.status()["workers"]]
            return (sum(each) == 1000 and not bus.total("moving")
                    and max(each) - min(each) <= 0.05 * max(each))
        wait_until(lambda: bus.running(2), 10)
        began = time.monotonic()
        # Seen once it is enough: a moment later a few may be on their way.
        while not even():
            if time.monotonic() > began + 30 * PATIENCE:
                raise Failed("not balanced")
            load.run_for(0.25)
        say("balanced %.1f s after the second worker was ready; a publish "
            "took 99 times of 100 at most %.1f ms before, %.1f ms meanwhile; "
            "longest stall of a client %d us" % (
                time.monotonic() - began, before,
                percentile(load.deliveries, 0.99),
                bus.total("move_stall_max_us")))
        load.settle(20)
        load.check()
        equal(load.lost, [], "disconnected clients")
        load.close()


@test
def with_moves_switched_off_clients_are_asked_to_come_back():
    with Bus(2, no_move_clients=True) as bus:
        client = bus.connect()
        equal(bus.cli("restart")[0], 0)
        closed = client.wait_closed()
        equal(closed.code, 1001)
        equal("retry_in" in json.loads(closed.reason), True)


@test
def an_attached_worker_that_is_told_to_leave_gives_its_clients_away():
    with Bus(2, command="hub") as bus:
        workers = [bus.popen("worker", "--attach", stderr=open(
            os.path.join(bus.dir, "w%d" % number), "w"))
            for number in range(2)]
        wait_until(lambda: bus.running(2), 10)
        load = crowd(bus, 10)
        load.run_for(0.2)
        os.kill(workers[0].pid, signal.SIGINT)
        run_while(load, workers[0])
        load.run(lambda: bus.total("clients") == 20, 10, "all to be back")
        load.settle(20)
        load.check()
        equal(load.lost, [], "disconnected clients")
        load.close()


if __name__ == "__main__":
    main()
