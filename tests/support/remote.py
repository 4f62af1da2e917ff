"""Nodes that do what a test says: the application data/app/remote.c.

A Node stands for one worker.  Its methods are the public API's calls, made
there; they return what the call returned.
"""
import os

from application import compile_app
from binary import ROOT
from bus import Bus
from check import equal, wait_until

DATA = os.path.join(ROOT, "tests", "integration", "data", "app")
ENOENT = -2


def start(workers=2, **more):
    """A bus with the application and its contract."""
    more.setdefault("contract", os.path.join(DATA, "remote.json"))
    return Bus(workers, auth="app", app=compile_app(
        os.path.join(DATA, "remote.c"), "-lcjson"), **more)


def connect(bus, slot=None, user="ann", role="user", **more):
    """A client that is somebody."""
    client = bus.connect(slot, headers=[
        "Authorization: Bearer %s.%s" % (user, role)], **more)
    client.user, client.role = user, role
    return client


def event(client, name, timeout=5.0):
    """The data of the next event of this name."""
    return client.wait_for(lambda m: isinstance(m, dict) and m["op"] == "evt"
                           and m["event"] == name, timeout)["data"]


def quiet(clients):
    """Nothing has come to them, and nothing was on its way."""
    for client in clients if isinstance(clients, list) else [clients]:
        client.ok("ping")
        equal([m for m in client.inbox if m["op"] != "gap"], [], "inbox")


class Node:
    """One worker, told what to do by a client on it."""

    def __init__(self, bus, slot):
        self.bus = bus
        self.slot = slot
        self.client = connect(bus, slot, "driver", "driver")
        self.id = self.client.node

    def do(self, call, **fields):
        """Make a call of the API; its result."""
        return self.client.ok("call", method="do",
                              data=dict(fields, call=call))["data"]

    def book(self):
        """What listeners and the error function were told since."""
        return self.client.ok("call", method="book", data=None)["data"]

    def heard(self, count=1):
        """The next messages of this node's listeners, so many at least."""
        found = []

        def enough():
            found.extend(self.book()["heard"])
            return len(found) >= count
        wait_until(enough, 5.0, "%d messages at %s" % (count, self.id))
        return found

    def errors(self, count=1):
        """The next errors, so many at least."""
        found = []

        def enough():
            found.extend(self.book()["errors"])
            return len(found) >= count
        wait_until(enough, 5.0, "%d errors at %s" % (count, self.id))
        return found

    def count(self, room):
        """Members of a room on all nodes."""
        return self.client.ok("call", method="count",
                              data={"room": room})["data"]


def nodes(bus):
    """One Node for each worker."""
    return [Node(bus, slot) for slot in range(bus.n)]


def sync(everybody):
    """What was sent before has arrived: a round through the hub for each.

    A question passes the same sockets, behind everything that was queued.
    """
    for node in everybody:
        node.count("nobody")
    for node in everybody:
        node.count("nobody")
