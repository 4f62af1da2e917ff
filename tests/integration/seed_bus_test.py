#!/usr/bin/python3
"""The cluster event bus, statement by statement.

A shared topic is a symmetric bus: listeners of this node, listeners of the
other nodes, clients anywhere; each name below is one thing that holds.
"""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from check import equal, main, test
from remote import ENOENT, connect, event, nodes, quiet, start, sync

HELLO = {"msg": "maintenance at 5pm"}


def listening(everybody, topic="announce", **more):
    """A listener on each node, known to the hub."""
    for node in everybody:
        equal(node.do("listen", listener=topic, topic=topic, **more), 0)
    sync(everybody)


@test
def one_publish_reaches_listeners_here_listeners_elsewhere_and_clients(bus):
    here, there = nodes(bus)
    listening([here, there])
    clients = [connect(bus, slot) for slot in (0, 1)]
    for client in clients:
        client.sub("announce")
    equal(here.do("publish", topic="announce", data=HELLO), 0)
    for node in (here, there):
        heard = node.heard()
        equal([(h["name"], h["from"], h["data"]) for h in heard],
              [("announce", here.id, '{"msg":"maintenance at 5pm"}')])
    for client in clients:
        message = client.msg("announce")
        equal((message["data"], message["from"]), (HELLO, here.id))
    for node in (here, there):
        node.do("unlisten", listener="announce")


@test
def any_node_may_publish_and_from_names_it(bus):
    everybody = nodes(bus)
    listening(everybody)
    for node in everybody:
        equal(node.do("publish", topic="announce", data=HELLO), 0)
    for node in everybody:
        heard = node.heard(2)
        equal({h["from"] for h in heard}, {n.id for n in everybody})
        # A node leaves its own messages out by this comparison.
        equal(len([h for h in heard if h["from"] != node.id]), 1)
        node.do("unlisten", listener="announce")


@test
def own_publishes_reach_own_listeners_without_the_hub(bus):
    here, _ = nodes(bus)
    listening([here])
    bus.signal(signal.SIGSTOP)
    try:
        equal(here.do("publish", topic="announce", data=HELLO), 0)
        # The book was written before the call returned: no round trip.
        equal([h["from"] for h in here.book()["heard"]], [here.id])
    finally:
        bus.signal(signal.SIGCONT)
    here.do("unlisten", listener="announce")


@test
def a_listener_that_was_ended_hears_nothing_more(bus):
    here, there = nodes(bus)
    listening([here, there])
    equal(there.do("unlisten", listener="announce"), 0)
    equal(here.do("publish", topic="announce", data=HELLO), 0)
    here.heard()
    sync([here, there])
    equal(there.book()["heard"], [])
    here.do("unlisten", listener="announce")


@test
def a_listener_may_end_itself_inside_its_call(bus):
    here, there = nodes(bus)
    listening([here], once=1)
    equal(here.do("listen", listener="second", topic="announce"), 0)
    for _ in range(2):
        equal(here.do("publish", topic="announce", data=HELLO), 0)
    equal([h["listener"] for h in here.heard(3)],
          ["announce", "second", "second"])
    for name in ("announce", "second"):
        here.do("unlisten", listener=name)
    quiet([here.client, there.client])


@test
def the_topics_of_a_role_have_no_listeners(bus):
    here, _ = nodes(bus)
    equal(here.do("listen", listener="x", topic="badge"), ENOENT)
    equal(here.do("listen", listener="y", topic="nowhere"), ENOENT)
    equal(here.do("publish", topic="badge", data=1), ENOENT)


@test
def a_roles_topic_reaches_clients_of_this_role_only(bus):
    here, _ = nodes(bus)
    users = [connect(bus, slot, "ann", "user") for slot in (0, 1)]
    agents = [connect(bus, slot, "bob", "agent") for slot in (0, 1)]
    for client in users + agents:
        client.sub("badge")
    equal(here.do("publish_role", role="user", topic="badge", data=7), 0)
    for client in users:
        equal(client.msg("badge")["data"], 7)
    sync(nodes(bus))
    quiet(agents)


@test
def what_comes_from_another_node_is_checked_and_the_local_echo_is_trusted(bus):
    here, there = nodes(bus)
    listening([here, there])
    client = connect(bus, 1)
    client.sub("announce")
    equal(here.do("publish", topic="announce", data={"wrong": 1}), 0)
    equal([h["data"] for h in here.heard()], ['{"wrong":1}'])
    error = there.errors()[0]
    equal((error["name"], error["stage"], error["from"]),
          ("announce", "delivery", here.id))
    equal(there.book()["heard"], [])
    quiet(client)
    equal(here.book()["errors"], [])
    for node in (here, there):
        node.do("unlisten", listener="announce")


@test
def a_failing_listener_is_told_and_stops_nobody(bus):
    here, there = nodes(bus)
    for node in (here, there):
        equal(node.do("listen", listener="bad", topic="announce",
                      result=-5), 0)
        equal(node.do("listen", listener="good", topic="announce"), 0)
    sync([here, there])
    client = connect(bus, 1)
    client.sub("announce")
    for _ in range(3):
        equal(here.do("publish", topic="announce", data=HELLO), 0)
    for node in (here, there):
        got, failed = [], []
        while len(got) < 6 or len(failed) < 3:
            book = node.book()
            got += [h["listener"] for h in book["heard"]]
            failed += book["errors"]
        equal(sorted(got), ["bad"] * 3 + ["good"] * 3)
        equal({(e["name"], e["stage"], e["code"]) for e in failed},
              {("announce", "listener", -5)})
        for name in ("bad", "good"):
            node.do("unlisten", listener=name)
    for _ in range(3):
        equal(client.msg("announce")["data"], HELLO)


@test
def the_bus_is_opt_in_and_events_are_not(bus):
    here, _ = nodes(bus)
    stranger = connect(bus, 1, "cid")
    equal(here.do("publish", topic="announce", data=HELLO), 0)
    equal(here.do("emit", user="cid", event="message",
                  data={"text": "hi"}), 0)
    equal(event(stranger, "message"), {"text": "hi"})
    sync(nodes(bus))
    quiet(stranger)


if __name__ == "__main__":
    main(shared=start(2))
