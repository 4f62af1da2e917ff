#!/usr/bin/python3
"""Scopes: all nodes, this node, those who watch; and who is excluded."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from check import equal, main, test
from remote import ENOENT, connect, event, nodes, quiet, start, sync

NEWS = {"text": "the cache is stale"}


def crowd(bus):
    """A client on each of three nodes."""
    return [connect(bus, slot) for slot in range(3)]


def change(client):
    """The next change of a watched resource."""
    message = client.wait_for(lambda m: m.get("op") == "change")
    return message["resource"], message["type"], message["data"]


@test
def distribute_reaches_every_node_its_listeners_and_its_clients(bus):
    everybody, clients = nodes(bus), crowd(bus)
    for node in everybody:
        equal(node.do("listen", listener="d", event="message"), 0)
    sync(everybody)
    equal(everybody[0].do("distribute", event="message", data=NEWS), 0)
    for node, client in zip(everybody, clients):
        equal([(h["name"], h["from"]) for h in node.heard()],
              [("message", everybody[0].id)])
        equal(event(client, "message"), NEWS)
        equal(event(node.client, "message"), NEWS)
    for node in everybody:
        node.do("unlisten", listener="d")
    quiet(clients)


@test
def distribute_leaves_the_excluded_node_out(bus):
    everybody, clients = nodes(bus), crowd(bus)
    for excluded in everybody:
        equal(everybody[0].do("distribute", event="message", data=NEWS,
                              exclude_node=excluded.id), 0)
        for node, client in zip(everybody, clients):
            if node is not excluded:
                equal(event(client, "message"), NEWS)
                equal(event(node.client, "message"), NEWS)
    sync(everybody)
    quiet(clients + [node.client for node in everybody])


@test
def distribute_takes_shared_events_only(bus):
    node = nodes(bus)[0]
    equal(node.do("distribute", event="ping-user", data=1), ENOENT)
    equal(node.do("distribute", event="announce", data=1), ENOENT)


@test
def a_broadcast_stays_on_its_node_and_leaves_one_connection_out(bus):
    everybody = nodes(bus)
    near, also_near = connect(bus, 0), connect(bus, 0)
    far = connect(bus, 1)
    equal(everybody[0].do("broadcast", event="message", data=NEWS,
                          exclude_conn=near.conn), 0)
    equal(event(also_near, "message"), NEWS)
    equal(event(everybody[0].client, "message"), NEWS)
    sync(everybody)
    quiet([near, far, everybody[1].client, everybody[2].client])


@test
def notify_reaches_those_who_watch_on_this_node(bus):
    everybody = nodes(bus)
    watching, excluded, idle = [connect(bus, 0) for _ in range(3)]
    far = connect(bus, 1)
    for client in (watching, excluded, far):
        client.ok("watch", resource="doc:42")
    sync(everybody)
    equal(everybody[0].do("notify", resource="doc:42", type="edited",
                          data=NEWS, exclude_conn=excluded.conn), 0)
    equal(change(watching), ("doc:42", "edited", NEWS))
    sync(everybody)
    quiet([excluded, idle, far])
    watching.ok("unwatch", resource="doc:42")
    equal(everybody[0].do("notify", resource="doc:42", type="edited",
                          data=NEWS, exclude_conn=excluded.conn), 0)
    quiet(watching)


@test
def notify_goes_to_all_nodes_when_the_contract_says_so(bus):
    everybody = nodes(bus)
    clients = crowd(bus)
    for client in clients:
        client.ok("watch", resource="file:7")
    sync(everybody)
    equal(everybody[2].do("notify", resource="file:7", type="moved", data=1,
                          exclude_conn=clients[1].conn), 0)
    for client in (clients[0], clients[2]):
        equal(change(client), ("file:7", "moved", 1))
    sync(everybody)
    quiet(clients)


@test
def a_publish_can_leave_a_connection_out_wherever_it_is(bus):
    everybody, clients = nodes(bus), crowd(bus)
    for client in clients:
        client.sub("room:general")
    for excluded in clients:
        equal(everybody[0].do("publish", topic="room:general", data=1,
                              exclude_conn=excluded.conn), 0)
        for client in clients:
            if client is not excluded:
                equal(client.msg("room:general")["data"], 1)
    sync(everybody)
    quiet(clients)


@test
def a_publish_with_local_only_stays_on_its_node(bus):
    everybody, clients = nodes(bus), crowd(bus)
    for node in everybody:
        equal(node.do("listen", listener="l", topic="room:general"), 0)
    for client in clients:
        client.sub("room:general")
    sync(everybody)
    equal(everybody[0].do("publish", topic="room:general", data=2,
                          local_only=1), 0)
    equal(clients[0].msg("room:general")["data"], 2)
    equal(len(everybody[0].heard()), 1)
    sync(everybody)
    quiet(clients)
    for node in everybody[1:]:
        equal(node.book()["heard"], [])
    for node in everybody:
        node.do("unlisten", listener="l")


@test
def a_client_publishes_where_it_may_and_all_subscribers_get_it(bus):
    clients = crowd(bus)
    for client in clients:
        client.sub("room:general")
    clients[0].ok("pub", topic="room:general", data="hello")
    for client in clients:
        equal(client.msg("room:general")["data"], "hello")
    equal(clients[0].ask("pub", topic="quiet", data=1)["code"], "FORBIDDEN")


if __name__ == "__main__":
    main(shared=start(3))
