#!/usr/bin/python3
"""Listening sockets that a service manager opens and passes to us.

With the real systemd-socket-activate, and with sockets of the test's own.
"""
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from binary import BUSCTL
from bus import Bus
from check import equal, main, say, test
from manager import (PassedBus, address_of, failed_start, is_answered,
                     listening, served_by, serves, survives, workers_have)
from ports import free_port
from wsclient import Client


class ActivatedBus(Bus):
    """A bus that systemd-socket-activate starts when somebody connects."""

    def spawn(self):
        words = ["systemd-socket-activate"]
        for name in self.env:
            words += ["-E", name]
        for address in self.options["listen"]:
            words += ["-l", address]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                words + [BUSCTL, "start"] + self.flags(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env, start_new_session=True)
        self.wait_log("Listening on .* as %d" % (
            2 + len(self.options["listen"])))
        host, port = self.options["listen"][0].rsplit(":", 1)
        self.first = Client((host, int(port)))  # waits until it is started
        return self.process


@test
def systemd_socket_activate_starts_it_and_who_was_first_is_served():
    ports = [free_port(), free_port()]
    with ActivatedBus(3, listen=["127.0.0.1:%d" % port
                                 for port in ports]) as bus:
        bus.wait_log("listening sockets were passed to us: 2")
        equal(bus.addresses, [("127.0.0.1", port) for port in ports])
        clients = [Client(("127.0.0.1", port))
                   for port in ports for _ in range(10)]
        for client in [bus.first] + clients:
            serves(client)
        for pid in bus.pids().values():
            with open("/proc/%d/environ" % pid) as file:
                equal("LISTEN_" in file.read(), False, "a worker's variables")
        for client in [bus.first] + clients:
            client.abort()


@test
def one_socket_is_shared_by_all_workers_also_by_new_ones():
    with listening(("127.0.0.1", 0)) as one:
        with PassedBus([("web", one.fileno())], 3,
                       listen=address_of(one)) as bus:
            equal(workers_have(bus, one), [0, 1, 2])
            for _ in range(20):
                serves(bus.connect())
            bus.between_tests()
            equal(bus.cli("scale", "4")[0], 0)
            equal(workers_have(bus, one), [0, 1, 2, 3])
            equal(bus.cli("restart")[0], 0)
            equal(bus.cli("scale", "1")[0], 0)
            equal(workers_have(bus, one), [0])
            for _ in range(20):
                serves(bus.connect())
        # Nobody has shut it down: one more bus, and who waited is served.
        waiting = socket.create_connection(one.getsockname(), 5)
        with PassedBus([("web", one.fileno())], 2,
                       listen=address_of(one)) as bus:
            is_answered(waiting)


@test
def several_sockets_are_one_for_each_slot():
    first = listening(("127.0.0.1", 0), reuse=True)
    group = [first] + [listening(first.getsockname(), reuse=True)
                       for _ in range(2)]
    with PassedBus([("web", one.fileno()) for one in group], 3,
                   listen=address_of(first)) as bus:
        equal([workers_have(bus, one) for one in group], [[0], [1], [2]])
        equal(served_by(bus, bus.address, {0, 1, 2}), {0, 1, 2})
        # Fewer workers than sockets: nobody is sent where no worker is.
        equal(bus.cli("scale", "2")[0], 0)
        equal(served_by(bus, bus.address, {0, 1, 2}, 60), {0, 1})
        # More: they share.
        equal(bus.cli("scale", "5")[0], 0)
        equal([workers_have(bus, one) for one in group],
              [[0, 3], [1, 4], [2]])
        equal(served_by(bus, bus.address, {0, 1, 2, 3, 4}, 2000),
              {0, 1, 2, 3, 4})
    for one in group:
        one.close()


@test
def an_address_that_was_not_passed_is_opened_as_always():
    with listening(("127.0.0.1", 0)) as one:
        with PassedBus([("web", one.fileno())], 2,
                       listen=[address_of(one), "127.0.0.1:0"]) as bus:
            for address in bus.addresses:
                client = Client(address)
                serves(client)
                client.abort()
            equal(len(set(bus.addresses)), 2)


@test
def every_address_family_finds_its_own():
    with listening(("::", 0), socket.AF_INET6) as one:
        port = one.getsockname()[1]
        with PassedBus([("web", one.fileno())], 2,
                       listen=":%d" % port, insecure=True) as bus:
            for host in ("127.0.0.1", "::1"):
                client = Client((host, port))
                serves(client)
                client.abort()


@test
def a_socket_of_no_configured_address_is_refused_and_named():
    with listening(("127.0.0.1", 0)) as one, socket.socket() as idle:
        bus = PassedBus([("web", one.fileno())], 2, listen="127.0.0.1:%d" %
                        free_port())
        log = failed_start(bus, 2)
        equal(bool(re.search(
            r'descriptor 3 \("web", %s\) is of no configured address; those '
            r"are 127.0.0.1:\d+" % re.escape(address_of(one)), log)), True,
            log)
        idle.bind(("127.0.0.1", 0))
        log = failed_start(PassedBus([("x", one.fileno()),
                                      ("idle", idle.fileno())], 2,
                                     listen=address_of(one)), 2)
        equal('descriptor 4 ("idle") is no listening socket' in log, True, log)


@test
def variables_that_make_no_sense_are_said():
    for count, word in (("-1", "is no number from 0"),
                        ("x", "is no number from 0"),
                        ("99999", "is no number from 0"),
                        ("900", "descriptor 3 is not open")):
        bus = PassedBus([], 1)
        spawn, env = bus.spawn, bus.env
        popen = subprocess.Popen

        def with_count(*words, **more):
            more["env"]["LISTEN_FDS"] = count
            return popen(*words, **more)
        subprocess.Popen = with_count
        try:
            log = failed_start(bus, 2)
        finally:
            subprocess.Popen = popen
        equal(word in log, True, log)


@test
def sockets_of_another_process_are_not_ours():
    with Bus(1, env={"LISTEN_PID": "1", "LISTEN_FDS": "7"}) as bus:
        serves(bus.connect())


@test
def workers_that_survive_keep_the_sockets_that_were_passed():
    with listening(("127.0.0.1", 0)) as one:
        make = lambda: PassedBus([("web", one.fileno())], 3,
                                 listen=address_of(one), checked=False)
        with make() as bus:
            survives(bus, make())


@test
def a_socket_that_only_the_survivors_have_left_is_shared_as_before():
    with listening(("127.0.0.1", 0)) as one:
        with PassedBus([("web", one.fileno())], 3, listen=address_of(one),
                       checked=False) as bus:
            survives(bus, Bus(3, listen=address_of(one), checked=False))


say("real program: " + subprocess.run(
    ["systemd-socket-activate", "--version"], capture_output=True,
    text=True).stdout.split("\n")[0])
main()
