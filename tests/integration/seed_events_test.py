#!/usr/bin/python3
"""Events and rooms, statement by statement: the server chooses who gets it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from check import equal, main, test, wait_until
from remote import ENOENT, connect, event, nodes, quiet, start, sync

HI = {"text": "hi"}


@test
def emit_reaches_just_that_connection(bus):
    here, _ = nodes(bus)
    same_user = connect(bus, 0, "driver", "driver")
    equal(here.do("emit", event="message", data=HI), 0)
    equal(event(here.client, "message"), HI)
    quiet(same_user)


@test
def emit_is_scoped_to_the_roles_events(bus):
    here, there = nodes(bus)
    user = connect(bus, 1, "ann", "user")
    agent = connect(bus, 1, "ann", "agent")
    equal(here.do("emit", event="ping-user", data=1), ENOENT)
    equal(here.do("emit", event="nowhere", data=1), ENOENT)
    equal(here.do("emit", event="announce", data=1), ENOENT)
    # A user may have connections of several roles; each gets its own.
    equal(here.do("emit", user="ann", event="ping-user", data=1), 0)
    equal(event(user, "ping-user"), 1)
    sync([here, there])
    quiet(agent)


@test
def a_connection_or_a_user_is_reached_from_every_node(bus):
    clients = [connect(bus, slot, "ann", "user") for slot in (0, 1)]
    stranger = connect(bus, 1, "bob", "user")
    for node in nodes(bus):
        for client in clients:
            equal(node.do("emit", conn=client.conn, event="message",
                          data=HI), 0)
            equal(event(client, "message"), HI)
        equal(node.do("emit", user="ann", event="message", data=HI), 0)
        for client in clients:
            equal(event(client, "message"), HI)
    sync(nodes(bus))
    quiet(clients + [stranger])


@test
def a_room_is_what_servers_put_into_it(bus):
    here, there = nodes(bus)
    inside = [connect(bus, slot, "ann") for slot in (0, 1)]
    outside = connect(bus, 0, "bob")
    for client in inside:
        equal(here.do("room", room="room:42", conn=client.conn), 0)
    wait_until(lambda: here.count("room:42") == 2, 5, "two members")
    for node in (here, there):
        equal(node.do("size", room="room:42"), 1, "members on THIS node")
        equal(node.count("room:42"), 2, "members on all nodes")
        equal(node.do("broadcast", room="room:42", event="message",
                      data=HI), 0)
        for client in inside:
            equal(event(client, "message"), HI)
    equal(there.do("room", room="room:42", conn=inside[0].conn,
                   remove=1), 0)
    wait_until(lambda: here.count("room:42") == 1, 5, "one member")
    equal(there.do("broadcast", room="room:42", event="message", data=HI), 0)
    equal(event(inside[1], "message"), HI)
    sync([here, there])
    quiet([inside[0], outside])


@test
def what_is_done_after_a_user_was_added_or_removed_from_afar_stays(bus):
    here, there = nodes(bus)
    user = {"call": "room", "user": here.client.user}
    for room, first, then, size in (("in-out", {}, {"remove": 1}, 0),
                                    ("out-in", {"remove": 1}, {}, 1)):
        for call in (dict(user, room=room, **first),
                     dict({"call": "room", "room": room}, **then)):
            here.client.send({"op": "call", "id": room, "method": "do",
                              "data": call})
        for _ in range(2):
            equal(here.client.wait_for(lambda m: m.get("id") == room)["data"],
                  0)
        sync([here, there])
        equal(here.do("size", room=room), size, room)


@test
def what_is_broadcast_after_a_user_was_added_from_afar_reaches_him(bus):
    here, there = nodes(bus)
    for number in range(50):
        room = "far:%d" % number
        for call in ({"call": "room", "user": here.client.user},
                     {"call": "broadcast", "event": "dm", "data": number}):
            here.client.send({"op": "call", "id": room, "method": "do",
                              "data": dict(call, room=room)})
        for node in (here, there):
            equal(event(node.client, "dm"), number)


@test
def a_user_is_reached_from_every_node_as_soon_as_he_is_welcome(bus):
    here, _ = nodes(bus)
    for number in range(100):
        client = connect(bus, 1, "new%d" % number)
        equal(here.do("emit", user=client.user, event="dm", data=number), 0)
        equal(event(client, "dm"), number)
        client.abort()


@test
def a_room_is_known_to_all_nodes_when_the_method_has_answered(bus):
    here, there = nodes(bus)
    for number in range(200):
        room = "new:%d" % number
        equal(here.do("room", room=room), 0)
        equal(there.do("broadcast", room=room, event="dm", data=number), 0)
        equal(event(here.client, "dm"), number)


@test
def a_client_cannot_join_a_room_by_itself(bus):
    client = connect(bus, 0)
    for topic in ("r:room:1", "room:1x:2", "message"):
        equal(client.ask("sub", topic=topic)["code"], "NOT_FOUND")


@test
def rooms_are_mixed_and_take_shared_events_only(bus):
    here, there = nodes(bus)
    user, agent = connect(bus, 0, "u", "user"), connect(bus, 1, "a", "agent")
    for client in (user, agent):
        equal(here.do("room", room="both", conn=client.conn), 0)
    wait_until(lambda: here.count("both") == 2, 5, "two members")
    equal(here.do("broadcast", room="both", event="ping-user", data=1),
          ENOENT)
    equal(here.do("broadcast", room="both", event="badge", data=1), ENOENT)
    equal(here.do("broadcast", room="both", event="message", data=HI), 0)
    for client in (user, agent):
        equal(event(client, "message"), HI)
    sync([here, there])
    quiet([user, agent])


@test
def membership_ends_with_the_connection(bus):
    here, there = nodes(bus)
    client = connect(bus, 1)
    equal(here.do("room", room="brief", conn=client.conn), 0)
    wait_until(lambda: here.count("brief") == 1, 5, "one member")
    client.close()
    wait_until(lambda: here.count("brief") == 0, 5, "nobody")
    equal(there.do("size", room="brief"), 0)


@test
def direct_messages_go_through_a_room_of_the_user(bus):
    here, there = nodes(bus)
    for node, client in ((here, here.client), (there, there.client)):
        equal(node.do("room", room="user:" + client.conn), 0)
    sync([here, there])
    equal(here.do("broadcast", room="user:" + there.client.conn, event="dm",
                  data={"from": "ann"}), 0)
    equal(event(there.client, "dm"), {"from": "ann"})
    quiet(here.client)


@test
def adding_twice_counts_once_and_removing_a_stranger_is_an_error(bus):
    here, _ = nodes(bus)
    equal([here.do("room", room="twice") for _ in range(2)], [0, 0])
    equal(here.do("size", room="twice"), 1)
    equal(here.do("broadcast", room="twice", event="message", data=HI), 0)
    equal(event(here.client, "message"), HI)
    quiet(here.client)
    equal(here.do("room", room="twice", remove=1), 0)
    equal(here.do("room", room="twice", remove=1), ENOENT)


@test
def who_is_away_misses_events_for_good(bus):
    here, _ = nodes(bus)
    gone = connect(bus, 1, "eve")
    gone.close()
    equal(here.do("emit", conn=gone.conn, event="message", data=HI), 0)
    equal(here.do("emit", user="eve", event="message", data=HI), 0)
    back = connect(bus, 1, "eve")
    sync(nodes(bus))
    quiet(back)


@test
def events_have_no_listeners_and_no_subscribers(bus):
    here, _ = nodes(bus)
    equal(here.do("listen", listener="e", topic="message"), ENOENT)
    equal(here.do("publish", topic="message", data=HI), ENOENT)
    equal(connect(bus, 0).ask("sub", topic="message")["code"], "NOT_FOUND")


@test
def another_roles_names_are_not_found(bus):
    user, agent = connect(bus, 0), connect(bus, 0, "bob", "agent")
    equal(user.ask("sub", topic="queue")["code"], "NOT_FOUND")
    equal(agent.ask("sub", topic="queue")["op"], "ok")
    equal(user.ask("pub", topic="queue", data=1)["code"], "NOT_FOUND")
    equal(user.ask("sub", topic="nowhere")["code"], "NOT_FOUND")
    equal(user.ask("call", method="nowhere")["code"], "NOT_FOUND")


if __name__ == "__main__":
    main(shared=start(2))
