#!/usr/bin/python3
"""Listening sockets that a service manager keeps for us.

The manager is the test's own: it takes what it is given at its notify socket,
and passes it to the next primary.
"""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from bus import Bus
from check import at_least, equal, main, test, wait_until
from manager import (Manager, PassedBus, address_of, expected, is_answered,
                     listening, served_by, serves, stored_bus, survives, workers_have)
from ports import free_port
from wsclient import Client


@test
def the_store_has_what_there_is():
    with Manager() as manager:
        ports = [free_port(), free_port(), free_port()]
        addresses = ["127.0.0.1:%d" % port for port in ports]
        bus = stored_bus(manager, 2)
        path = os.path.join(bus.dir, "conf")
        bus.options.update(listen=None, config=path)

        def configure(wanted):
            with open(path, "w") as file:
                for address in wanted:
                    file.write("listen %s\n" % address)

        configure(addresses[:2])
        with bus:
            has = lambda wanted, n: wait_until(
                lambda: manager.names() == expected(wanted, n), 5,
                "%r" % manager.names())
            has(addresses[:2], 2)
            for told in manager.all("FDSTORE"):
                equal(told["FDPOLL"], "0")
                equal(len(told.fds), 1)
            equal(bus.cli("scale", "4")[0], 0)
            has(addresses[:2], 4)
            equal(bus.cli("scale", "3")[0], 0)
            has(addresses[:2], 3)
            configure(addresses[1:])
            equal(bus.cli("reload")[0], 0)
            has(addresses[1:], 3)
        equal(manager.names(), expected(addresses[1:], 3))


@test
def who_connects_between_two_primaries_waits_and_is_served():
    with Manager() as manager:
        address = "127.0.0.1:%d" % free_port()
        with stored_bus(manager, 3, listen=address) as bus:
            wait_until(lambda: len(manager.stored) == 3)
            first = bus.address
        waiting = [socket.create_connection(first, 5) for _ in range(30)]
        removed = len(manager.all("FDSTOREREMOVE"))
        with stored_bus(manager, 3, listen=address) as bus:
            bus.wait_log("listening sockets were passed to us: 3")
            for one in waiting:
                is_answered(one)
            for slot, (_, fd) in enumerate(sorted(manager.stored)):
                equal(workers_have(bus, socket.socket(fileno=os.dup(fd))),
                      [slot])
            # Nothing was opened anew, and steering still knows its order.
            equal(bus.cli("scale", "1")[0], 0)
            equal(served_by(bus, first, {0, 1, 2}, 40), {0})
        equal(len(manager.all("FDSTORE")), 3)
        equal(len(manager.all("FDSTOREREMOVE")) - removed, 2)


@test
def a_crash_of_the_whole_unit_refuses_nobody():
    with Manager() as manager:
        address = "127.0.0.1:%d" % free_port()
        bus = stored_bus(manager, 2, listen=address, checked=False)
        with bus:
            wait_until(lambda: len(manager.stored) == 2)
            bus.kill()  # what systemd does with the rest of the unit
        waiting = [socket.create_connection(bus.address, 5)
                   for _ in range(10)]
        with stored_bus(manager, 2, listen=address) as bus:
            for one in waiting:
                is_answered(one)


@test
def workers_that_survive_keep_the_sockets_that_were_stored():
    with Manager() as manager:
        address = "127.0.0.1:%d" % free_port()
        with stored_bus(manager, 3, listen=address, checked=False) as bus:
            wait_until(lambda: len(manager.stored) == 3)
            survives(bus, stored_bus(manager, 3, listen=address,
                                     checked=False))
            wait_until(lambda: manager.names() == expected([address], 1))


@test
def an_upgrade_keeps_sockets_that_were_passed_and_stored():
    with Manager() as manager, listening(("127.0.0.1", 0)) as one:
        stored = "127.0.0.1:%d" % free_port()
        with PassedBus([("web", one.fileno())], 3, env=manager.env,
                       fdstore=True, listen=[address_of(one), stored]) as bus:
            wait_until(lambda: len(manager.stored) == 3)
            pid = bus.pid()
            code, said, errors = bus.cli("upgrade")
            equal(code, 0, said + errors)
            equal(bus.pid(), pid)
            equal(workers_have(bus, one), [0, 1, 2])
            equal(bus.cli("scale", "4")[0], 0)
            equal(workers_have(bus, one), [0, 1, 2, 3])
            equal(served_by(bus, bus.addresses[0], {0, 1, 2, 3}, 2000),
                  {0, 1, 2, 3})
            wait_until(lambda: manager.names() == expected([stored], 4))
            equal(bus.cli("scale", "2")[0], 0)
            wait_until(lambda: manager.names() == expected([stored], 2))
            serves(Client(bus.addresses[0]))
        states = [name for told in manager.told for name in (
            "READY", "STOPPING") if name in told]
        equal(states[-1], "STOPPING")
        equal(len(manager.all("STOPPING")), 1)


@test
def what_does_not_fit_any_more_is_taken_out():
    with Manager() as manager:
        old = "127.0.0.1:%d" % free_port()
        new = "127.0.0.1:%d" % free_port()
        with stored_bus(manager, 4, listen=old):
            wait_until(lambda: len(manager.stored) == 4)
        with stored_bus(manager, 2, listen=old) as bus:
            wait_until(lambda: manager.names() == expected([old], 2))
            equal(served_by(bus, bus.address, {0, 1}), {0, 1})
        with stored_bus(manager, 2, listen=new) as bus:
            wait_until(lambda: manager.names() == expected([new], 2))
            serves(bus.connect())


@test
def a_small_store_is_said_once_and_not_overfilled():
    with Manager() as manager:
        env = dict(manager.env, FDSTORE="3")
        with Bus(5, env=env, allow=["keeps 3 descriptors only"]) as bus:
            wait_until(lambda: len(manager.stored) == 3)
            equal(bus.cli("scale", "6")[0], 0)
            equal(bus.log().count("descriptors only"), 1)
            equal(len(manager.stored), 3)


@test
def sockets_of_a_unit_are_not_stored():
    with Manager() as manager, listening(("127.0.0.1", 0)) as one:
        with PassedBus([("web", one.fileno())], 2, env=manager.env,
                       fdstore=True, listen=[address_of(one),
                                             "127.0.0.1:0"]) as bus:
            wait_until(lambda: len(manager.stored) == 2)
            at_least(bus.addresses[1][1], 1)
            equal(manager.names(),
                  expected(["%s:%d" % bus.addresses[1]], 2))


@test
def without_a_manager_nothing_is_stored():
    with Bus(1, fdstore=True) as bus:
        serves(bus.connect())


main()
