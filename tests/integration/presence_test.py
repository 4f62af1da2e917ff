#!/usr/bin/python3
"""Who is there, over the whole bus: exact, whatever dies meanwhile.

A program follows a topic while clients come and go on four workers.  What it
is told must alternate for each connection (joined, left), and in the end be
just who is there.
"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import compile_app
from attached import Attached
from binary import PATIENCE, ROOT
from bus import Bus
from check import Failed, at_most, equal, main, rng, test, wait_until

KILLED = [r"was killed by signal 9", r"link: ", r"the hub has gone",
          r"slot \d: worker", r"is back"]
WORKERS = 4


class Follower:
    """What a program was told so far."""

    def __init__(self, program, topic="chat"):
        self.program = program
        self.here = set()
        self.told = 0
        self.ready = False
        equal(program.do("watch", "topic", topic), 0)

    def look(self):
        """Take in what came; every line must make sense."""
        for line in self.program.came():
            word, *rest = line.split(" ")
            if word == "ready":
                equal(self.ready, False, "ready once")
                self.ready = True
            elif word == "joined":
                equal(rest[0] in self.here, False, "joined twice: " + line)
                self.here.add(rest[0])
                self.told += 1
            elif word == "left":
                equal(rest[0] in self.here, True, "left, not there: " + line)
                self.here.remove(rest[0])
            elif word != "error":
                raise Failed("what is this? " + line)
        return self.here

    def settles(self, clients, deadline=15.0):
        """In the end just these are there."""
        wanted = {client.conn for client in clients}
        try:
            wait_until(lambda: self.look() == wanted, deadline)
        except Failed:
            raise Failed("missing %r, too many %r" % (
                sorted(wanted - self.here), sorted(self.here - wanted)))
        equal(self.program.do("members"), len(wanted))


def subscribed(bus, count):
    """So many new clients in the topic."""
    clients = [bus.connect() for _ in range(count)]
    for client in clients:
        client.sub("chat")
    return clients


def churn(bus, clients, steps):
    """Come, go, leave the topic and return, without an order."""
    for _ in range(steps):
        deed = rng.randrange(4)
        if deed == 0 or not clients:
            clients += subscribed(bus, 1)
            continue
        client = clients.pop(rng.randrange(len(clients)))
        try:
            if deed == 1:
                client.abort()
            elif deed == 2:
                client.close()
            else:
                client.unsub("chat")
                client.sub("chat")
                clients.append(client)
        except (OSError, Failed, EOFError):
            pass  # its worker was killed
        except Exception as error:  # Closed: the same
            if type(error).__name__ not in ("Closed", "Refused"):
                raise


def living(clients):
    """Those whose worker still serves them."""
    alive = []
    for client in clients:
        try:
            client.alive()
            alive.append(client)
        except Exception:
            client.abort()
    return alive


@test
def who_is_there_then_ready_then_joins_and_leaves(bus):
    clients = subscribed(bus, 8)
    with Attached(bus) as program:
        follower = Follower(program)
        wait_until(lambda: follower.look() and follower.ready, 5)
        follower.settles(clients)
        clients += subscribed(bus, 3)
        follower.settles(clients)
        clients.pop().unsub("chat")
        clients.pop().close()
        clients.pop(0).abort()
        follower.settles(clients)
        equal(follower.told, 11)
        # Asking is no member, and other topics are nobody's business.
        bus.connect().sub("other")
        equal(program.do("sync"), 0)
        follower.settles(clients)


@test
def nothing_is_sent_when_nobody_follows(bus):
    before = bus.hub("envelopes_in")
    clients = subscribed(bus, 4)
    for client in clients:
        client.unsub("chat")
    equal(bus.hub("wanted"), 0)
    equal(bus.hub("envelopes_in"), before)
    with Attached(bus) as program:
        follower = Follower(program)
        equal(program.do("sync"), 0)
        equal(bus.hub("wanted"), 1)
        equal(program.do("unwatch"), 0)
        equal(program.do("sync"), 0)
        equal(bus.hub("wanted"), 0)
        clients[0].sub("chat")
        equal(program.do("sync"), 0)
        equal(follower.look(), set())


@test
def a_count_does_not_wait_for_a_worker_that_was_killed(bus):
    clients = subscribed(bus, 12)
    with Attached(bus) as program:
        os.kill(bus.pid(2), signal.SIGKILL)
        start = time.monotonic()
        equal(program.do("count", "chat"), 0)
        error, count, _answered, _gone, late = map(
            int, program.wait("answer"))
        at_most(time.monotonic() - start, 1.5 * PATIENCE, "seconds")
        equal((error, late), (0, 0))
        left = [client for client in clients if client.slot != 2]
        equal(count, len(left))
    wait_until(lambda: bus.running(WORKERS), 10)


@test
def with_churn_and_killed_workers_two_followers_agree_in_the_end(bus):
    clients = subscribed(bus, 20)
    with Attached(bus) as one, Attached(bus) as two:
        first, second = Follower(one), Follower(two)
        for victim in (0, 3, 1):
            churn(bus, clients, 40)
            os.kill(bus.pid(victim), signal.SIGKILL)
            churn(bus, clients, 40)
            wait_until(lambda: bus.running(WORKERS), 10)
            first.look()
            second.look()
        clients = living(clients)
        first.settles(clients)
        second.settles(clients)


@test
def a_worker_that_hangs_is_asked_again():
    with Bus(2, query_timeout="200ms", stall_timeout="1h") as bus:
        clients = [bus.connect(slot) for slot in (0, 1)]
        for client in clients:
            client.sub("chat")
        bus.signal(signal.SIGSTOP, 1)
        try:
            with Attached(bus) as program:
                follower = Follower(program)
                wait_until(lambda: follower.look() is not None
                           and follower.ready, 5)
                equal(follower.look(), {clients[0].conn})
                bus.signal(signal.SIGCONT, 1)
                follower.settles(clients, 5)
        finally:
            bus.signal(signal.SIGCONT, 1)


@test
def a_new_primary_changes_nothing_for_those_who_stay():
    with Bus(WORKERS, allow=KILLED) as bus:
        clients = subscribed(bus, 12)
        with Attached(bus) as program:
            follower = Follower(program)
            follower.settles(clients)
            bus.kill_primary()
            program.wait("error")
            # Meanwhile one leaves, one comes, and a worker dies with its own.
            clients.pop().close()
            clients.append(bus.connect(clients[0].slot))
            clients[-1].sub("chat")
            victim = clients[1].slot
            os.kill(bus.pid(victim), signal.SIGKILL)
            stay = [client for client in clients if client.slot != victim]
            before = {client.conn for client in stay} & follower.look()
            bus.start()
            follower.settles(stay)
            equal(before <= follower.here, True)
            # Nobody who stayed was told to have left.
            equal(follower.told, 13 if stay[-1] is clients[-1] else 12)
            follower.settles(stay + subscribed(bus, 4))


class Told:
    """What each worker's application was told, as it publishes it."""

    def __init__(self, bus):
        self.bus = bus
        self.client = bus.connect(0)
        self.client.sub("told")
        self.here = {}
        self.ready = set()

    def look(self):
        """Take in what has come: {node: its members}."""
        while True:
            try:
                message = self.client.msg("told", 0.02)
            except TimeoutError:
                return self.here
            node, (word, conn) = message["from"], message["data"]
            members = self.here.setdefault(node, set())
            if word == "ready":
                self.ready.add(node)
            elif word == "joined":
                equal(conn in members, False, "joined twice: " + conn)
                members.add(conn)
            else:
                equal(conn in members, True, "left, not there: " + conn)
                members.remove(conn)

    def follow(self):
        """All workers follow, those that are new as well."""
        self.client.ok("pub", topic="follow", data="chat")
        nodes = {client.node for clients in self.bus.connect_each().values()
                 for client in clients}
        wait_until(lambda: self.look() is not None and nodes <= self.ready,
                   10)
        return nodes

    def settles(self, nodes, clients):
        """In the end each has the same."""
        wanted = {client.conn for client in clients}
        wait_until(lambda: self.look() and all(
            self.here.get(node, set()) == wanted for node in nodes), 15,
            "all agree")


@test
def applications_in_all_workers_agree_after_churn_and_death():
    app = compile_app(os.path.join(ROOT, "tests", "integration", "data",
                                   "app", "follower.c"))
    with Bus(WORKERS, allow=KILLED, app=app) as bus:
        told = Told(bus)
        clients = subscribed(bus, 12)
        told.settles(told.follow(), clients)
        for victim in (1, 3):
            churn(bus, clients, 40)
            os.kill(bus.pid(victim), signal.SIGKILL)
            churn(bus, clients, 40)
            wait_until(lambda: bus.running(WORKERS), 10)
            nodes = told.follow()
            clients = living(clients)
            told.settles(nodes, clients)
        # What is told while the hub is away reaches nobody, so ask.
        bus.kill_primary()
        churn(bus, clients, 20)
        bus.start()
        told.client.sub("so-many")

        def counts():
            told.client.ok("pub", topic="how-many", data=0)
            return {told.client.msg("so-many")["data"] for _ in nodes}

        wait_until(lambda: bus.total("hub_connected") == WORKERS, 10)
        wait_until(lambda: counts() == {len(clients)}, 15, "all agree again")


if __name__ == "__main__":
    main(shared=Bus(WORKERS, allow=KILLED))
