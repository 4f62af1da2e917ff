#!/usr/bin/python3
"""Deliver here, then tell the others.

A worker's own members never wait for the hub; and once a subscription has
been acknowledged, nothing that is published anywhere on the bus is missed.
"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from binary import PATIENCE
from bus import Bus
from check import at_most, equal, main, say, test, wait_until


def halt(bus):
    """Stop the primary as a debugger would, and wait for it."""
    os.kill(bus.process.pid, signal.SIGSTOP)
    wait_until(lambda: proc.stopped(bus.process.pid), what="halted")


def go_on(bus):
    """And let it run again."""
    os.kill(bus.process.pid, signal.SIGCONT)


@test
def local_members_get_a_publish_while_the_hub_stands_still():
    with Bus(2) as bus:
        writer, near = bus.connect(0), bus.connect(0)
        far = bus.connect(1)
        for client in (writer, near, far):
            client.sub("news")
        halt(bus)
        try:
            slowest = 0.0
            for number in range(200):
                began = time.monotonic()
                writer.pub("news", number)
                equal(near.msg("news")["data"], number)
                equal(writer.msg("news")["data"], number)
                slowest = max(slowest, time.monotonic() - began)
            at_most(slowest, 0.5 * PATIENCE, "seconds for a local round trip")
            far.silent(0.1)
        finally:
            go_on(bus)
        equal([far.msg("news")["data"] for _ in range(200)],
              list(range(200)), "what the others get when the hub is back")
        far.pub("news", "back")
        equal(near.msg("news")["data"], "back")
        say("slowest local round trip: %.2f ms" % (slowest * 1e3))


@test
def a_subscription_during_a_halt_is_acknowledged_when_the_hub_knows():
    with Bus(2) as bus:
        reader, near, far = bus.connect(0), bus.connect(0), bus.connect(1)
        halt(bus)
        try:
            reader.send({"op": "sub", "topic": "late", "id": "late"})
            reader.alive()
            near.pub("late", "local")
            got = reader.recv()
            acknowledged = got["op"] == "ok"
            if acknowledged:
                equal(got.get("hub"), "away", "acknowledged too early")
                got = reader.recv()
            equal((got["op"], got["data"]), ("msg", "local"))
        finally:
            go_on(bus)
        if not acknowledged:
            equal(reader.recv(), {"op": "ok", "id": "late"})
            far.pub("late", "acknowledged")
            equal(reader.msg("late")["data"], "acknowledged")
        reader.sub("late")
        far.pub("late", "remote")
        equal(reader.msg("late")["data"], "remote")


@test
def an_acknowledged_subscription_is_live_on_the_whole_bus():
    with Bus(4) as bus:
        readers = [bus.connect(slot) for slot in (0, 1, 2)]
        writer = bus.connect(3)
        for number in range(500):
            reader = readers[number % 3]
            reader.sub("now")
            writer.pub("now", number)
            equal(reader.msg("now")["data"], number)
            reader.unsub("now")
        wait_until(lambda: bus.wanted() == 0, what="interest left")


@test
def publishes_race_with_subscriptions_of_others_on_the_same_worker():
    with Bus(2) as bus:
        stays = bus.connect(0)
        stays.sub("busy")
        moves = bus.connect(0)
        writer = bus.connect(1)
        for number in range(300):
            if number % 2:
                moves.unsub("busy")
            else:
                moves.sub("busy")
            writer.pub("busy", number)
            equal(stays.msg("busy")["data"], number)


@test
def many_topics_join_and_leave_without_leaving_anything_behind():
    with Bus(2) as bus:
        client = bus.connect(0)
        writer = bus.connect(1)
        names = ["churn-%d" % number for number in range(2000)]
        for name in names:
            client.send({"op": "sub", "topic": name, "id": name})
        for name in names:
            equal(client.recv()["id"], name)
        equal(bus.wanted(), 2000)
        equal(bus.total("channels"), 2000)
        for name in names[::100]:
            writer.pub(name, name)
            equal(client.msg(name)["data"], name)
        client.close()
        wait_until(lambda: bus.wanted() == 0, what="interest left")
        equal(bus.wanted("channels"), 0)
        equal(bus.total("channels"), 0)
        equal(bus.total("subscriptions"), 0)


@test
def what_nobody_else_wants_is_not_relayed():
    with Bus(2) as bus:
        client = bus.connect(0)
        client.sub("mine")
        client.alive()
        for number in range(100):
            client.pub("mine", number)
        for number in range(100):
            equal(client.msg("mine")["data"], number)
        equal(bus.hub("envelopes_out"), 0, "envelopes sent by the hub")


if __name__ == "__main__":
    main()
