#!/usr/bin/python3
"""SIGHUP and `busctl reload`: what changes, what stays, what is refused.

A setting that can change in place does so without touching a connection; one
that needs new workers rolls them slot by slot; a configuration with mistakes
changes nothing and every mistake is told.
"""
import json
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from bus import Bus
from check import equal, main, test, wait_until
from ports import free_port
from wsclient import Client


TOLD = [r"bus\.conf|config"]  # warnings that mistakes cause


class Configured(Bus):
    """A bus with a configuration file of its own."""

    def __init__(self, n=2, text="", **options):
        super().__init__(n, **options)
        self.path = os.path.join(self.dir, "bus.conf")
        self.options["config"] = self.path
        self.write(text)

    def write(self, text):
        """Replace the file."""
        with open(self.path, "w") as file:
            file.write(text)

    def reload(self, text=None):
        """Write and `busctl reload`: (exit status, what it said)."""
        if text is not None:
            self.write(text)
        code, out, errors = self.cli("reload")
        return code, out + errors


def accepts(client, size):
    """Is a message of this size welcome?"""
    client.send_text('{"op":"ping","id":1,"pad":"%s"}' % ("x" * size))
    try:
        return client.recv()["op"] in ("ok", "err")
    except Exception:
        return False


@test
def a_live_change_touches_no_connection():
    with Configured(2, "max-message 64k\n") as bus:
        clients = [c for cs in bus.connect_each(5).values() for c in cs]
        for client in clients:
            client.sub("news")
        pids, generation = bus.pids(), bus.status()["config_generation"]
        equal(accepts(clients[0], 10000), True)
        code, said = bus.reload("max-message 4k\n")
        equal(code, 0, said)
        equal(bus.pids(), pids)
        equal(bus.status()["config_generation"], generation + 1)
        equal(bus.hub("reloads"), 1)
        for client in clients:
            client.alive()
        clients[0].send_text('{"op":"ping","pad":"%s"}' % ("x" * 10000))
        equal(clients[0].wait_closed().code, 1009)
        code, said = bus.reload("max-message 64k\n")
        equal(code, 0, said)
        equal(accepts(clients[1], 10000), True)
        clients[2].pub("news", "still here")
        equal(clients[3].msg("news")["data"], "still here")


@test
def every_mistake_is_told_with_its_line_and_nothing_changes():
    with Configured(2, "max-message 64k\n", allow=TOLD) as bus:
        client = bus.connect()
        pids = bus.pids()
        code, said = bus.reload(
            "# a comment\nmax-message 1\n\nmax-topic many\nno-such-key 1\n"
            "outbox-policy shout\nping-interval 1x\n")
        equal(code, 2, said)
        for line in (2, 4, 5, 6, 7):
            equal("bus.conf:%d:" % line in said, True,
                  "line %d in %r" % (line, said))
        equal("bus.conf:1:" in said or "bus.conf:3:" in said, False, said)
        equal(bus.pids(), pids)
        equal(bus.hub("reloads_failed"), 1)
        equal(bus.hub("reloads"), 0)
        equal(accepts(client, 10000), True)
        bus.signal(signal.SIGHUP)
        wait_until(lambda: bus.hub("reloads_failed") == 2)
        for line in (2, 4, 5, 6, 7):
            bus.wait_log(r"bus\.conf:%d: " % line, 2)
        equal(client.alive(), True)
        code, said = bus.reload("max-message 32k\n")
        equal(code, 0, said)


@test
def a_missing_file_keeps_the_old_configuration():
    with Configured(1, "max-message 64k\n", allow=TOLD) as bus:
        client = bus.connect()
        os.unlink(bus.path)
        code, said = bus.reload()
        equal(code, 2, said)
        equal("bus.conf" in said, True, said)
        equal(accepts(client, 10000), True)


def roll(bus):
    """A change that needs new workers; every slot has one then."""
    before = {w["slot"]: w for w in bus.status()["workers"]}
    code, said = bus.reload("max-clients 1001\n")
    equal(code, 0, said)
    for worker in bus.status()["workers"]:
        old = before[worker["slot"]]
        equal(worker["pid"] != old["pid"], True, "a new worker")
        equal(worker["generation"], old["generation"] + 1)
        equal(worker["state"], "RUNNING")


@test
def a_change_that_needs_new_workers_rolls_them_under_their_clients():
    with Configured(3, "max-clients 1000\n") as bus:
        clients = [c for cs in bus.connect_each(2).values() for c in cs]
        for client in clients:
            client.sub("news")
        opened = bus.total("clients_opened")
        roll(bus)
        wait_until(lambda: bus.total("clients") == len(clients)
                   and not bus.total("moving"), 10, "all to have moved")
        rows = [json.loads(row) for row in
                bus.cli("clients", "--json")[1].splitlines()]
        equal(sorted(row["conn"] for row in rows),
              sorted(client.conn for client in clients))
        for number, writer in enumerate(clients):
            writer.pub("news", number)
            for client in clients:
                equal(client.msg("news")["data"], number)
        equal(bus.total("clients_opened"), opened, "nobody came anew")
        equal(bus.total("closed_drain"), 0)
        equal(bus.connect().alive(), True)
        equal(bus.hub("restarts"), 0, "a roll is no restart")


@test
def where_clients_do_not_move_a_roll_asks_them_to_come_back():
    with Configured(3, "max-clients 1000\n", no_move_clients=True) as bus:
        clients = [cs[0] for cs in bus.connect_each().values()]
        roll(bus)
        for client in clients:
            closed = client.wait_closed(10)
            equal(closed.code, 1001)
            equal("retry_in" in json.loads(closed.reason), True)
        equal(bus.connect().alive(), True)
        equal(bus.total("closed_drain"), len(clients))
        equal(bus.hub("moves"), 0)


@test
def a_change_that_needs_a_new_primary_is_told_and_not_applied():
    with Configured(1, "max-message 64k\n",
                    allow=[r"restart|log-file|needs"]) as bus:
        pids = bus.pids()
        code, said = bus.reload("max-message 64k\nlog-file /dev/null\n")
        equal(code, 0, said)
        equal("log-file" in said, True, said)
        equal(bus.pids(), pids)


@test
def hangups_during_a_roll_are_remembered_once():
    with Configured(4, "max-clients 1000\n") as bus:
        first = bus.pids()
        bus.write("max-clients 1001\n")
        bus.signal(signal.SIGHUP)
        wait_until(lambda: bus.pids()[0] != first[0], 10, "a roll began")
        bus.write("max-clients 1002\n")
        middle = bus.pids()
        for _ in range(5):
            os.kill(bus.process.pid, signal.SIGHUP)
        wait_until(lambda: bus.hub("reloads") == 2 and bus.running(), 20,
                   "both reloads are done")
        wait_until(lambda: not set(middle.values()) & set(
            bus.pids().values()), 10, "the second roll replaced all")
        generations = {w["slot"]: w["generation"]
                       for w in bus.status()["workers"]}
        equal(set(generations.values()), {3}, "generations")
        equal(bus.hub("reloads"), 2)


@test
def a_signal_reloads_as_the_command_does():
    with Configured(1, "max-message 64k\n") as bus:
        bus.write("max-message 4k\n")
        bus.signal(signal.SIGHUP)
        wait_until(lambda: bus.hub("reloads") == 1)
        client = bus.connect()
        client.send_text('{"op":"ping","pad":"%s"}' % ("x" * 10000))
        equal(client.wait_closed().code, 1009)


@test
def the_number_of_workers_follows_the_file():
    with Configured(None, "workers 2\n") as bus:
        equal(bus.status()["workers_wanted"], 2)
        keeper = bus.connect(0)
        for workers in (4, 1, 2):
            code, said = bus.reload("workers %d\n" % workers)
            equal(code, 0, said)
            wait_until(lambda: bus.running(workers), 10,
                       "%d workers" % workers)
        equal(keeper.alive(), True)


@test
def listen_addresses_come_and_go():
    first, second = free_port(), free_port()
    with Configured(2, "listen 127.0.0.1:%d\n" % first, listen=None) as bus:
        code, said = bus.reload(
            "listen 127.0.0.1:%d\nlisten 127.0.0.1:%d\n" % (first, second))
        equal(code, 0, said)
        one = Client(("127.0.0.1", first))
        two = Client(("127.0.0.1", second))
        one.sub("both")
        two.pub("both", 1)
        equal(one.msg("both")["data"], 1)
        code, said = bus.reload("listen 127.0.0.1:%d\n" % second)
        equal(code, 0, said)
        equal(bus.status()["listen"], ["127.0.0.1:%d" % second])
        equal(Client(("127.0.0.1", second)).alive(), True)

        def refused():
            try:
                Client(("127.0.0.1", first), timeout=1).abort()
            except OSError:
                return True
            except Exception:
                return False
            return False
        wait_until(refused, 10, "the old address is closed")


@test
def an_address_that_is_taken_refuses_the_whole_reload():
    port = free_port()
    with socket.socket() as taken, Configured(
            1, "listen 127.0.0.1:%d\n" % port, listen=None,
            allow=[r"listen|address|config|reload"]) as bus:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        pids = bus.pids()
        code, said = bus.reload(
            "listen 127.0.0.1:%d\nlisten 127.0.0.1:%d\n" % (
                port, taken.getsockname()[1]))
        equal(code in (1, 2), True, said)
        equal(bus.pids(), pids)
        equal(bus.connect().alive(), True)


if __name__ == "__main__":
    main()
