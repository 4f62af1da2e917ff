#!/usr/bin/python3
"""Interest: a node gets what somebody there wants, and nothing else.

And the known faults of libraries that count subscribers for a broker: each of
them has a test here.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import compile_program
from bus import Bus
from check import equal, main, test, wait_until
from remote import DATA, connect, event, nodes, quiet, start, sync

ROOM = "room:1"


def relayed(bus):
    """Envelopes that each worker has received from the hub."""
    return {worker["slot"]: worker["relayed_in"]
            for worker in bus.status()["workers"]}


@test
def seven_uninterested_workers_receive_not_one_envelope():
    with start(8) as bus:
        everybody = nodes(bus)
        reader = connect(bus, 5)
        reader.sub(ROOM)
        writer = connect(bus, 2)
        before = relayed(bus)
        for number in range(500):
            writer.ok("pub", topic=ROOM, data=number)
        for number in range(500):
            equal(reader.msg(ROOM)["data"], number)
        equal({slot: count - before[slot]
               for slot, count in relayed(bus).items()},
              {slot: 500 if slot == 5 else 0 for slot in range(8)})
        # A push to one connection goes to its worker alone.
        before = relayed(bus)
        for _ in range(100):
            everybody[0].do("emit", conn=reader.conn, event="message",
                            data={"text": "hi"})
        for _ in range(100):
            event(reader, "message")
        equal({slot: count - before[slot]
               for slot, count in relayed(bus).items()},
              {slot: 100 if slot == 5 else 0 for slot in range(8)})


@test
def a_push_to_a_local_connection_does_not_leave_the_worker():
    with start(2) as bus:
        here = nodes(bus)[0]
        client = connect(bus, 0)
        before = bus.hub("envelopes_in")
        for _ in range(50):
            here.do("emit", conn=client.conn, event="message",
                    data={"text": "hi"})
        for _ in range(50):
            event(client, "message")
        equal(bus.hub("envelopes_in"), before, "envelopes at the hub")


@test
def the_hub_hears_of_a_first_member_and_of_a_last_one_only():
    with start(2) as bus:
        # Each of them wants its user's channel as well, so they come first.
        first, second = connect(bus, 1), connect(bus, 1)
        # Others had come to worker 0, and their channel goes with them.
        wait_until(lambda: bus.total("clients") == 2)
        sync(nodes(bus))
        before = bus.hub("interests")
        for client in (first, second):
            client.sub(ROOM)
            equal(bus.hub("interests"), before + 1)
        first.unsub(ROOM)
        equal(bus.hub("interests"), before + 1)
        second.unsub(ROOM)
        wait_until(lambda: bus.hub("interests") == before)
        second.sub(ROOM)
        first.close()
        second.close()
        wait_until(lambda: bus.hub("interests") == before - 1)


@test
def two_at_the_same_time_and_one_leaves_at_once_the_other_still_hears():
    with start(2) as bus:
        here, there = nodes(bus)
        stays, leaves = connect(bus, 1), connect(bus, 1)
        for round_number in range(50):
            # All three are on their way before the hub has answered one.
            leaves.send({"op": "sub", "topic": ROOM, "id": "a"})
            stays.send({"op": "sub", "topic": ROOM, "id": "b"})
            leaves.send({"op": "unsub", "topic": ROOM, "id": "c"})
            equal(stays.wait_for(lambda m: m.get("id") == "b")["op"], "ok")
            equal(leaves.wait_for(lambda m: m.get("id") == "c")["op"], "ok")
            equal(here.do("publish", topic=ROOM, data=round_number), 0)
            equal(stays.msg(ROOM)["data"], round_number)
            stays.unsub(ROOM)
        leaves.inbox.clear()
        sync([here, there])
        quiet(leaves)


@test
def unsubscribing_what_was_never_subscribed_harms_nobody():
    with start(2) as bus:
        here, there = nodes(bus)
        reader, stranger = connect(bus, 1), connect(bus, 1)
        reader.sub(ROOM)
        for _ in range(3):
            equal(stranger.ask("unsub", topic=ROOM)["code"], "NOT_FOUND")
        equal(there.do("unlisten", listener="never"), -2)
        equal(here.do("publish", topic=ROOM, data=1), 0)
        equal(reader.msg(ROOM)["data"], 1)


@test
def two_buses_in_one_program_share_nothing():
    program = compile_program(os.path.join(DATA, "two_buses.c"))
    with Bus(1) as first, Bus(1) as second:
        node = subprocess.Popen([program, first.run_dir, second.run_dir],
                                stdout=subprocess.PIPE, text=True)
        try:
            equal(node.stdout.readline(), "ready\n")
            for bus in (first, second):
                equal(bus.cli("publish", "news", "1")[0], 0)
            equal(node.stdout.readline(), "second b 1\n")
            equal(second.cli("publish", "news", '"end"')[0], 0)
            equal(node.stdout.read(), 'second b "end"\n')
            equal(node.wait(10), 0)
        finally:
            node.kill()
            node.wait()


@test
def a_publish_that_did_not_reach_the_others_is_told():
    with start(2, allow=[r"hub is away"], checked=False) as bus:
        here = nodes(bus)[0]
        here.do("listen", listener="l", topic="announce")
        bus.kill_primary()
        wait_until(lambda: here.do("publish", topic="announce", data={
            "msg": "x"}) == 0 and any(
                error["stage"] == "publish" for error in here.book()["errors"]
            ), 5, "an error of stage publish")


@test
def listeners_hear_again_after_the_hub_was_away():
    with start(2, allow=[r"hub is away", r"adopted|taken over|stale"]) as bus:
        here, there = nodes(bus)
        there.do("listen", listener="l", topic="announce")
        sync([here, there])
        bus.kill_primary()
        bus.start()

        def heard():
            equal(here.do("publish", topic="announce", data={"msg": "x"}), 0)
            return there.book()["heard"]
        wait_until(heard, 10, "a message after the hub came back")


@test
def a_client_is_in_several_rooms_and_leaves_them_one_by_one():
    with start(2) as bus:
        here, there = nodes(bus)
        rooms = ["a", "b", "c"]
        for room in rooms:
            equal(there.do("room", room=room), 0)
        while rooms:
            for room in ("a", "b", "c"):
                equal(here.do("broadcast", room=room, event="dm",
                              data=room), 0)
            for room in rooms:
                equal(event(there.client, "dm"), room)
            equal(there.do("room", room=rooms.pop(), remove=1), 0)
        sync([here, there])
        quiet(there.client)


@test
def leaving_all_rooms_does_not_end_what_is_private():
    with start(2) as bus:
        here, there = nodes(bus)
        for room in ("a", "b", "c"):
            equal(there.do("room", room=room), 0)
        for room in ("a", "b", "c"):
            equal(there.do("room", room=room, remove=1), 0)
        sync([here, there])
        equal(here.do("emit", conn=there.client.conn, event="dm", data=1), 0)
        equal(event(there.client, "dm"), 1)


if __name__ == "__main__":
    main()
