#!/usr/bin/python3
"""The seeds' semantics on four workers, under load, while workers are killed.

An application offers every way to push.  Each push carries whom it is for, and
each client checks what it gets: nobody ever receives what was not for him,
nothing comes twice, nothing after a leave was answered.  When the dust has
settled, rooms and presence are exactly what the clients know them to be.
"""
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from application import compile_app
from binary import PATIENCE
from bus import Bus
from check import at_least, equal, main, rng, say, test, wait_until
from people import People

WORKERS = 4
ROOMS = ["r%d" % number for number in range(6)] + ["watched"]
DATA = os.path.join(HERE, "data", "app")


def start():
    """A bus with the application and its contract."""
    return Bus(WORKERS, allow=[r"died|killed|signal 9"],
               app=compile_app(os.path.join(DATA, "semantics.c")),
               auth="app", contract=os.path.join(DATA, "semantics.json"))


def something(people):
    """One thing that people do."""
    person = people.pick()
    other = people.pick()
    what = rng.choice(["join", "leave", "said", "said", "except", "dm",
                       "pushed", "far", "here", "role", "topic", "churn",
                       "tick", "local", "all"])
    if what in ("join", "leave"):
        getattr(people, what)(person, rng.choice(ROOMS))
    elif what in ("said", "except"):
        people.call(person, what, rng.choice(ROOMS))
    elif what in ("dm", "pushed"):
        people.call(person, what, other.user)
    elif what == "far":
        people.call(person, what, other.client.conn)
    elif what == "role":
        people.call(person, what, rng.choice(["user", "agent"]))
    elif what in ("churn", "tick"):
        people.call(person, "topic", what)
    elif what == "topic":
        people.call(person, what, "news")
    else:
        people.call(person, what, person.client.conn)


def storm(people, duration, kills, bus):
    """Load for so long, with a worker killed now and then."""
    end = time.monotonic() + duration
    due = [end - duration * (n + 1) / (kills + 1) for n in range(kills)]
    did = 0
    while time.monotonic() < end:
        for _ in range(4):
            something(people)
            did += 1
        people.swarm.turn(0.002)
        if due and time.monotonic() > due[-1]:
            due.pop()
            os.kill(bus.pid(rng.randrange(WORKERS)), signal.SIGKILL)
        people.come_back()
    return did


def settle(people, bus):
    """Until everybody is back and every command has its answer."""
    wait_until(lambda: bus.running(WORKERS), 20 * PATIENCE)
    people.swarm.run(people.idle, 20 * PATIENCE, "the last answers",
                     each=people.come_back)


def ask(people, person, method, target):
    """Call and wait for the answer's data."""
    found = []
    people.call(person, method, target,
                lambda answer: found.append(answer.get("data")))
    people.swarm.run(lambda: found, 10 * PATIENCE, method)
    return found[0]


def everywhere(people):
    """Somebody on each worker."""
    by_slot = {}
    for person in people.all:
        by_slot.setdefault(person.client.slot, person)
    return by_slot


def books(people):
    """What each worker's application has written down."""
    return [ask(people, person, "book", "")
            for person in everywhere(people).values()]


def check_rooms(people):
    """Each room has those who know that they are in it, seen from anywhere."""
    for room in ROOMS:
        wanted = sorted(person.client.conn for person in people.all
                        if room in person.rooms)
        for person in everywhere(people).values():
            rows = ask(people, person, "who", room)
            equal(sorted(row["conn"] for row in rows), wanted, room)
            for row in rows:
                who = next(p for p in people.all
                           if p.client.conn == row["conn"])
                equal((row["user"], row["role"]), (who.user, who.role))
    return sum(len(person.rooms) for person in people.all)


@test
def nobody_gets_what_was_not_for_him_while_workers_are_killed():
    with start() as bus:
        people = People(bus, 8, 4, ["news", "churn", "tick", "feed"])
        did = storm(people, 8.0, 6, bus)
        settle(people, bus)
        equal(people.faults[:3], [], "faults")
        members = check_rooms(people)
        inside = sum("watched" in p.rooms for p in people.all)
        people.swarm.run(lambda: all(
            book["watched"] == inside for book in books(people)),
            10 * PATIENCE, "every worker's watch to say %d" % inside)
        for book in books(people):
            equal(book["violations"], 0, "calls after the end of a listener")
        equal(sum(book["size"] for book in books(people)), inside,
              "sizes of the room on each node")
        kinds = {kind for p in people.all for kind in p.received}
        equal(kinds, {"said", "except", "dm", "pushed", "far", "here", "feed",
                      "news", "churn", "tick", "local", "all"})
        at_least(people.lost, 1, "connections that died with their worker")
        strange = [refusal for refusal in people.refused
                   if refusal[0]["code"] not in ("NOT_FOUND",)]
        equal(strange[:3], [], "refusals")
        say("%d actions, %d connections lost, %d memberships" % (
            did, people.lost, members))
        people.swarm.close()


@test
def every_push_arrives_when_nobody_is_killed():
    with start() as bus:
        people = People(bus, 4, 4, ["news", "feed"])
        for person in people.all:
            people.join(person, "r0")
            people.join(person, "watched")
        people.swarm.run(people.idle, 10 * PATIENCE, "joins")
        before = {p: p.received.copy() for p in people.all}
        for person in people.all:
            for method, target in (
                    ("said", "r0"), ("except", "r0"), ("dm", person.user),
                    ("pushed", person.user), ("far", person.client.conn),
                    ("here", person.client.conn), ("role", person.role),
                    ("topic", "news")):
                people.call(person, method, target)
        count = len(people.all)
        same_user = count // 4
        wanted = {"said": count, "except": count - 1, "dm": same_user,
                  "pushed": same_user, "far": 1, "here": 1,
                  "feed": count // 2, "news": count}
        equal(people.refused[:3], [], "refusals")
        people.swarm.run(lambda: people.idle() and all(
            (person.received - before[person])[kind] >= number
            for person in people.all for kind, number in wanted.items()),
            10 * PATIENCE, "all pushes")
        for person in people.all:
            equal(dict(person.received - before[person]), wanted)
        equal(people.faults[:3], [], "faults")
        equal(people.refused[:3], [], "refusals")
        check_rooms(people)
        people.swarm.close()


if __name__ == "__main__":
    main(limit=120 * PATIENCE)
