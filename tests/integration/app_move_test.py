#!/usr/bin/python3
"""What an application keeps about a connection moves with it, or keeps it.

Workers are replaced below clients of an application that has hooks for that;
of one that has none; and of one that says no for some of them.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from application import compile_app
from bus import Bus
from check import at_least, equal, main, test, wait_until

COUNTER = compile_app(os.path.join(HERE, "data", "app", "counter.c"))
HOOKS = compile_app(os.path.join(HERE, "data", "app", "hooks.c"))


def bump(client):
    answer = client.ask("call", method="bump")
    equal(answer["op"], "ok", answer)
    return answer["data"]


def restart(bus):
    """All workers are replaced, and nobody is on its way any more."""
    pids = set(bus.pids().values())
    equal(bus.cli("restart")[0], 0)
    wait_until(lambda: not pids & set(bus.pids().values()) and
               not bus.total("moving"), 10, "new workers")


@test
def what_is_kept_about_a_connection_moves_with_it():
    with Bus(2, app=COUNTER) as bus:
        clients = sum(bus.connect_each(5).values(), [])
        listener = bus.connect()
        listener.sub("closed")
        for client in clients:
            equal(bump(client)[:3], [1, 1, 0])
        for number in (2, 3):
            restart(bus)
            wait_until(lambda: bus.total("clients") == 11, 10)
            rooms = 0
            for client in clients:
                bumps, connects, moves, size = bump(client)
                equal((bumps, connects), (number, 1))
                at_least(moves, number - 1)
                rooms = max(rooms, size)
            at_least(rooms, 5, "members of the room")
        listener.silent()  # of no connection was the end told
        clients[0].close()
        equal(listener.msg("closed")["data"], 1)


@test
def with_an_application_that_cannot_tell_clients_are_asked_to_come_back():
    with Bus(2, app=HOOKS) as bus:
        clients = sum(bus.connect_each(
            2, protocol="clusterbus.v1, bearer.ann:user").values(), [])
        restart(bus)
        for client in clients:
            equal(client.wait_closed().code, 1001)
        equal(bus.total("moved_in"), 0)


@test
def one_that_is_not_to_move_comes_back_and_the_others_move():
    with Bus(2, app=COUNTER) as bus:
        clients = sum(bus.connect_each(2).values(), [])
        equal(clients[0].ask("call", method="stay")["op"], "ok")
        restart(bus)
        equal(clients[0].wait_closed().code, 1001)
        for client in clients[1:]:
            equal(bump(client)[:2], [1, 1])


main()
