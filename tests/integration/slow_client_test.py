#!/usr/bin/python3
"""A client that never reads costs its own limit and nothing else.

Its queue stays within outbox-hard, the policy acts, the counter moves, the
others' latency does not, and it still gets pings.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from binary import MEMORY, PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, percentile, say, test, \
    wait_until

SOFT, HARD = 65536, 262144
CHUNK = '"' + "x" * 20000 + '"'
BIG = 20000


def a_bus(policy, **more):
    """One worker with small outboxes."""
    options = {"outbox_soft": SOFT, "outbox_hard": HARD,
               "outbox_time": "60s", "outbox_policy": policy}
    options.update(more)
    return Bus(1, allow=[r"slow|drop"], **options)


def setting(bus):
    """A client that does not read, one that does, and a writer."""
    lazy = bus.connect(rcvbuf=4096)
    lazy.sub("flood")
    good = bus.connect()
    good.sub("flood")
    return lazy, good, bus.connect()


def over_soft(bus):
    """Is somebody above outbox-soft?"""
    return bus.total("outbox_bytes") > SOFT + BIG


def flood(bus, good, writer, until, largest=HARD + BIG + 1024):
    """Publish until the condition holds; (how many, latencies)."""
    sent, took = 0, []
    while not until():
        at_most(sent, 2000, "publishes until the policy acted")
        for _ in range(20):
            began = time.monotonic()
            writer.pub_raw("flood", CHUNK)
            good.msg("flood")
            took.append(time.monotonic() - began)
            sent += 1
        at_most(bus.total("outbox_bytes"), largest, "bytes in outboxes")
    return sent, took


def read_all(lazy, writer, sent):
    """What it gets when it reads at last: (texts, missed)."""
    writer.pub("flood", "end")
    texts, missed, ended = 0, 0, False
    while not ended or texts + missed < sent:
        message = lazy.wait_for(lambda m: m["op"] in ("msg", "gap"), 5)
        if message["op"] == "gap":
            equal(message["topic"], "flood")
            missed += message["missed"]
        elif message["data"] == "end":
            ended = True
        else:
            texts += 1
    return texts, missed


@test
def policy_close_closes_it_when_the_hard_limit_is_reached():
    with a_bus("close") as bus:
        memory = proc.memory_kb(bus.pid(0))
        lazy, good, writer = setting(bus)
        _, took = flood(bus, good, writer,
                        lambda: bus.total("closed_slow") == 1)
        at_most(percentile(took, 99), 0.05 * PATIENCE, "latency of the others")
        at_most(max(took), 0.5 * PATIENCE, "slowest of the others")
        equal(bus.total("outbox_bytes"), 0)
        equal(lazy.wait_closed(10).code, 4408)
        wait_until(lambda: bus.total("clients") == 2, 8, "it has gone")
        equal(bus.total("closed_slow"), 1)
        equal(good.alive() and writer.alive(), True)
        at_most(proc.memory_kb(bus.pid(0)), memory + 4096 + MEMORY,
                "memory in kB")
        say("slowest of the others: %.1f ms" % (max(took) * 1e3))


@test
def policy_close_closes_it_when_it_stays_above_the_soft_limit():
    with a_bus("close", outbox_time="500ms", outbox_hard="64m") as bus:
        lazy, good, writer = setting(bus)
        flood(bus, good, writer, lambda: over_soft(bus), largest=64 << 20)
        over = time.monotonic()
        wait_until(lambda: bus.total("closed_slow") == 1, 5)
        at_most(time.monotonic() - over, 2.0 * PATIENCE,
                "seconds above the limit")
        equal(lazy.wait_closed(10).code, 4408)


@test
def a_client_that_never_reads_its_end_is_cut_off():
    with a_bus("close") as bus:
        lazy, good, writer = setting(bus)
        flood(bus, good, writer, lambda: bus.total("closed_slow") == 1)
        wait_until(lambda: bus.total("clients") == 2, 10, "it has gone")
        lazy.abort()


@test
def a_short_burst_above_the_soft_limit_is_forgiven():
    with a_bus("close", outbox_time="2s", outbox_hard="64m") as bus:
        lazy, good, writer = setting(bus)
        sent, _ = flood(bus, good, writer, lambda: over_soft(bus),
                        largest=64 << 20)
        equal(read_all(lazy, writer, sent), (sent, 0))
        equal(bus.total("closed_slow"), 0)
        wait_until(lambda: bus.total("outbox_bytes") == 0)


@test
def policy_drop_newest_keeps_it_and_tells_the_gap():
    with a_bus("drop-newest") as bus:
        lazy, good, writer = setting(bus)
        sent, took = flood(bus, good, writer,
                           lambda: bus.total("drop_outbox") >= 50)
        at_most(percentile(took, 99), 0.05 * PATIENCE, "latency of the others")
        dropped = bus.total("drop_outbox")
        wait_until(lambda: read_some(lazy) and
                   bus.total("outbox_bytes") == 0, 10, "the queue is empty")
        texts, missed = read_all(lazy, writer, sent)
        equal((texts, missed), (sent - dropped, dropped), "read and missed")
        equal(bus.total("closed_slow"), 0)


def read_some(lazy):
    """Put what is there into the inbox."""
    try:
        while True:
            lazy.inbox.append(lazy._receive(0.01))
    except TimeoutError:
        return True


@test
def policy_drop_oldest_keeps_the_newest():
    with a_bus("drop-oldest") as bus:
        lazy, good, writer = setting(bus)
        sent, took = flood(bus, good, writer,
                           lambda: bus.total("drop_outbox") >= 50)
        at_most(percentile(took, 99), 0.05 * PATIENCE, "latency of the others")
        texts, missed = read_all(lazy, writer, sent)
        equal(texts + missed, sent, "read and missed")
        equal(missed, bus.total("drop_outbox"), "missed")
        at_least(missed, 50)


@test
def it_still_gets_pings():
    with a_bus("drop-newest", ping_interval="200ms",
               ping_timeout="60s") as bus:
        lazy, good, writer = setting(bus)
        lazy.answer_pings = False
        flood(bus, good, writer, lambda: bus.total("drop_outbox") >= 20)
        equal(lazy.pings, 0)
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            good.alive()
        while lazy.pings == 0:
            lazy._receive(5)
        at_least(lazy.pings, 1)


@test
def what_does_not_read_cannot_slow_a_whole_room():
    with a_bus("close", outbox_hard="1m", outbox_soft="512k") as bus:
        lazy = [bus.connect(rcvbuf=4096) for _ in range(20)]
        for client in lazy:
            client.sub("flood")
        good, writer = bus.connect(), bus.connect()
        good.sub("flood")
        took = []
        for _ in range(400):
            began = time.monotonic()
            writer.pub_raw("flood", CHUNK)
            good.msg("flood")
            took.append(time.monotonic() - began)
        at_most(percentile(took, 99), 0.1 * PATIENCE, "latency of the others")
        wait_until(lambda: bus.total("closed_slow") == 20, 10,
                   "all twenty are closed")
        at_most(bus.total("outbox_bytes"), 1024)


@test
def a_bad_reader_on_another_worker_costs_the_hub_nothing():
    with Bus(2, outbox_soft=SOFT, outbox_hard=HARD,
             outbox_policy="drop-newest", allow=[r"slow|drop"]) as bus:
        lazy = bus.connect(1, rcvbuf=4096)
        good, writer = bus.connect(1), bus.connect(0)
        lazy.sub("flood")
        good.sub("flood")
        for _ in range(500):
            writer.pub_raw("flood", CHUNK)
            good.msg("flood")
        at_least(bus.worker(1)["drop_outbox"], 1)
        equal(bus.hub("drop_slow"), 0)
        equal(bus.hub("queue_bytes"), 0)
        lazy.abort()


if __name__ == "__main__":
    main()
