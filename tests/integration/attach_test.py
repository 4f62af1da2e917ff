#!/usr/bin/python3
"""A C program joins the bus with cbus_attach(), in a poll() loop of its own."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import ipc
from attached import Attached
from bus import Bus
from check import equal, main, test, wait_until

ENOENT, ENOSPC, EPIPE, ENODATA, EPROTO, ENOTSUP = -2, -28, -32, -61, -71, -95


@test
def what_clients_publish_reaches_the_program_with_its_node(bus):
    client = bus.connect()
    with Attached(bus) as program:
        equal(program.do("sub", "chat"), 0)
        equal(program.do("sync"), 0)
        client.pub("chat", {"a": 1})
        equal(program.wait("msg"), ["chat", client.node, "1", '{"a":', '1}'])


@test
def what_the_program_publishes_reaches_clients_and_itself_once(bus):
    clients = [bus.connect(slot) for slot in (0, 1)]
    for client in clients:
        client.sub("chat")
    with Attached(bus) as program, Attached(bus) as other:
        for node in (program, other):
            equal(node.do("sub", "chat"), 0)
            equal(node.do("sync"), 0)
        equal(program.do("pub", "chat", '{"b":2}'), 0)
        # Its own listener was called before publish returned.
        equal(program.came(), ["msg chat %s 1 {\"b\":2}" % program.id])
        for client in clients:
            message = client.msg("chat")
            equal((message["data"], message["from"]), ({"b": 2}, program.id))
        equal(other.wait("msg"), ["chat", program.id, "1", '{"b":2}'])
        equal(program.do("sync"), 0)
        equal(program.came(), [])


@test
def a_connection_can_be_left_out(bus):
    clients = [bus.connect(slot) for slot in (0, 1)]
    for client in clients:
        client.sub("chat")
    with Attached(bus) as program:
        equal(program.do("exclude", "chat", clients[0].conn), 0)
        equal(clients[1].msg("chat")["data"], "not you")
        equal(program.do("pub", "chat", "2"), 0)
        equal(clients[0].msg("chat")["data"], 2)


@test
def after_unsubscribing_nothing_comes_any_more(bus):
    client = bus.connect()
    with Attached(bus) as program:
        program.do("sub", "chat")
        program.do("sync")
        program.do("unsub")
        client.pub("chat", 1)
        client.ok("ping")
        program.do("pub", "chat", "2")
        program.do("sync")
        equal(program.came(), [])
    wait_until(lambda: bus.hub("interests") == 4, 5, "n: and a: of workers")


@test
def an_event_reaches_the_nodes_that_are_not_excluded(bus):
    client = bus.connect()
    with Attached(bus) as one, Attached(bus) as two:
        for node in (one, two):
            equal(node.do("event", "news"), 0)
            equal(node.do("sync"), 0)
        equal(one.do("dist", "news", two.id), 0)
        equal(one.do("dist", "news", one.id), 0)
        equal(client.recv()["event"], "news")
        equal(client.recv()["event"], "news")
        equal(two.wait("msg")[1], one.id)
        equal(two.do("sync"), 0)
        equal(two.came(), [])
        equal(len(one.came()), 1)
        equal(one.do("local", "news"), ENOTSUP)


@test
def members_of_the_whole_bus_are_counted(bus):
    for slot in (0, 1, 1):
        bus.connect(slot).sub("chat")
    with Attached(bus) as program:
        equal(program.do("count", "chat"), 0)
        equal(program.wait("answer"), ["0", "3", "2", "0", "0"])


@test
def a_program_joins_no_more_channels_than_are_allowed():
    with Bus(1, max_channels=4) as bus, Attached(bus) as program:
        for number in range(4):
            equal(program.do("sub", "t%d" % number), 0)
        equal(program.do("sub", "one-more"), ENOSPC)
        equal(program.do("unsub"), 0)  # the last of the four
        equal(program.do("sub", "one-more"), 0)
        equal(program.do("sync"), 0)
        equal(program.came(), [])
        equal(bus.hub("violations"), 0)


@test
def what_does_not_fit_the_contract_is_told_and_not_delivered():
    with Bus(1) as bus:
        path = os.path.join(bus.dir, "contract.json")

        def declare(kind):
            with open(path, "w") as file:
                json.dump({"shared": {"serverToClient": {
                    "chat": {"subscribe": True,
                             "payload": {"type": kind}}}}}, file)

        declare("number")
        bus.stop()
        bus.options["contract"] = path
        bus.start()
        with Attached(bus) as program:
            equal(program.do("sub", "none"), ENOENT)
            equal(program.do("pub", "none", "1"), ENOENT)
            equal(program.do("sub", "chat"), 0)
            equal(program.do("sync"), 0)
            other = ipc.Program(bus.run_dir)
            other.publish("t:chat", b'"text"', seq=1)
            equal(program.wait("error"), ["topic", "delivery", str(EPROTO)])
            other.publish("t:chat", b"1", seq=2)
            equal(program.wait("msg")[-1], "1")
            other.publish("t:chat", b"2", seq=4)
            equal(program.wait("error"), ["topic", "delivery", str(ENODATA)])
            equal(program.wait("msg")[-1], "2")
            # A new contract reaches programs as well.
            declare("string")
            equal(bus.cli("reload")[0], 0)
            equal(program.do("sync"), 0)
            other.publish("t:chat", b'"text"', seq=5)
            equal(program.wait("msg")[-1], '"text"')
            equal(program.came(), [])
            other.close()


@test
def a_program_survives_the_primary_and_listens_again():
    with Bus(2) as bus, Attached(bus) as program:
        client = bus.connect()
        client.sub("chat")
        program.do("sub", "chat")
        program.do("sync")
        bus.kill_primary()
        equal(program.wait("error"), ["hub", "subscribe", str(EPIPE)])
        equal(program.do("pub", "chat", "1"), 0)
        equal(program.wait("msg")[0], "chat")  # its own listener has it
        equal(program.wait("error"), ["topic", "publish", str(EPIPE)])
        equal(program.do("sync"), EPIPE)
        equal(program.do("count", "chat"), EPIPE)
        bus.start()
        wait_until(lambda: program.do("sync") == 0, 10, "it is back")
        wait_until(lambda: bus.total("hub_connected") == 2, 10, "workers too")
        client.ok("pub", topic="chat", data=2)
        equal(program.wait("msg")[-1], "2")
        program.do("pub", "chat", "3")
        wait_until(lambda: client.msg("chat")["data"] == 3, 5)


@test
def a_bus_that_stops_leaves_the_program_running():
    with Bus(1) as bus, Attached(bus) as program:
        bus.stop()
        equal(program.wait("error")[0], "hub")
        equal(program.do("pub", "chat", "1"), 0)


if __name__ == "__main__":
    main(shared=Bus(2))
