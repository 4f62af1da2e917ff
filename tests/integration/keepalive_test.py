#!/usr/bin/python3
"""Clients that have gone without a word are found by pings."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from binary import PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, test, wait_until
from wsframe import PING, PONG

OPTIONS = {"ping_interval": "500ms", "ping_timeout": "500ms"}


def pings_for(client, duration):
    """Read for so long; how many pings came."""
    before = client.pings
    end = time.monotonic() + duration
    while time.monotonic() < end:
        try:
            client.message(max(0.0, end - time.monotonic()))
        except TimeoutError:
            break
    return client.pings - before


@test
def a_silent_client_is_pinged_and_stays_when_it_answers(bus):
    client = bus.connect()
    at_least(pings_for(client, 3.0), 2, "pings")
    equal(client.alive(), True)


@test
def a_client_that_does_not_answer_is_closed(bus):
    before = bus.total("closed_idle")
    client = bus.connect(answer_pings=False)
    began = time.monotonic()
    client.wait_closed(10)
    took = time.monotonic() - began
    at_least(took, 0.8, "seconds until it was closed")
    at_most(took, 4.0 * PATIENCE, "seconds until it was closed")
    equal(bus.total("closed_idle"), before + 1)


@test
def whoever_talks_is_not_pinged(bus):
    client = bus.connect(answer_pings=False)
    for _ in range(25):
        client.alive()
        pings_for(client, 0.08)
    equal(client.pings, 0)


@test
def any_message_counts_as_an_answer(bus):
    client = bus.connect(answer_pings=False)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        pings_for(client, 0.3)
        client.send({"op": "ping"})
    equal(client.alive(), True)


@test
def a_ping_of_the_client_is_answered_with_its_payload(bus):
    client = bus.connect()
    for payload in (b"", b"x", bytes(range(125))):
        client.send_frame(PING, payload)
        first, got = client.frame()
        equal((first & 15, got), (PONG, payload))


@test
def pongs_that_nobody_asked_for_are_ignored(bus):
    client = bus.connect()
    for payload in (b"", b"x", b"y" * 125):
        client.send_frame(PONG, payload)
    equal(client.alive(), True)


@test
def a_client_that_vanishes_is_forgotten_with_its_subscriptions(bus):
    before = bus.total("clients")
    client = bus.connect()
    client.sub("vanish")
    equal(bus.total("subscriptions"), 1)
    client.abort()
    wait_until(lambda: bus.total("subscriptions") == 0)
    wait_until(lambda: bus.total("clients") <= before)


if __name__ == "__main__":
    main(shared=Bus(1, **OPTIONS))
