#!/usr/bin/python3
"""Two hosts in two network namespaces, and the cable between them.

timeout: 120
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import BUILD
from bus import Bus
from check import equal, main, skip_all, test, wait_until
from netns import two_namespaces
from redis_server import RedisServer
from two_hosts import AWAY

if not os.path.exists(os.path.join(BUILD, "clusterbus-redis.so")):
    skip_all("built without hiredis")

TOPIC = "news"
PASSWORD = "sesame-street"


class Cabled:
    """One namespace with Redis and a host, one with another host."""

    def __enter__(self):
        self.parts = []
        self.spaces = two_namespaces()
        if self.spaces is None:
            skip_all("no network namespaces can be made here")
        try:
            self._start()
        except BaseException:
            self.__exit__(RuntimeError, None, None)
            raise
        return self

    def _start(self):
        near, far = self.spaces
        with near:
            self.redis = RedisServer(
                tcp=True, password=PASSWORD, bind=near.address).__enter__()
        self.parts.append((near, self.redis))
        url = "redis://:%s@%s:%d" % (PASSWORD, near.address, self.redis.port)
        self.buses = []
        for space in (near, far):
            with space:
                self.buses.append(Bus(
                    4, allow=[AWAY], sync=url,
                    channel="my-app").__enter__())
            self.parts.append((space, self.buses[-1]))
        for bus in self.buses:
            wait_until(lambda bus=bus: bus.hub("sync_connected") == 1, 20,
                       "joined")

    def __exit__(self, *what):
        while self.parts:
            space, part = self.parts.pop()
            with space:
                part.__exit__(*what)
        for space in self.spaces:
            space.remove()

    def between_tests(self):
        """As a bus does it."""
        for bus in self.buses:
            bus.between_tests()

    def show_log(self):
        """Of the host that is far from Redis."""
        self.buses[1].show_log()

    def connect(self, host, slot, **more):
        """A client on one of the hosts."""
        with self.spaces[host]:
            client = self.buses[host].connect(slot, **more)
        client.sub(TOPIC)
        return client


@test
def worker_1_of_one_host_reaches_worker_3_of_the_other(cabled):
    ann, bob = cabled.connect(0, 1), cabled.connect(1, 3)
    for one, other in ((ann, bob), (bob, ann)):
        one.ok("pub", topic=TOPIC, data="text")
        equal(other.msg(TOPIC)["data"], "text")
        equal(one.msg(TOPIC)["data"], "text")
    ann.publish_binary(TOPIC, b"\0\1")
    equal("AAE=" in str(bob.msg(TOPIC)), True)


@test
def a_pulled_cable_is_noticed_and_both_hosts_go_on_alone(cabled):
    far = cabled.buses[1]
    writer, reader = cabled.connect(1, 0), cabled.connect(1, 2)
    near = cabled.connect(0, 0)
    cabled.spaces[1].cable(False)
    for number in range(100):
        writer.pub(TOPIC, number)
        equal(reader.msg(TOPIC, 2.0)["data"], number)
    wait_until(lambda: far.hub("sync_connected") == 0, 15, "noticed")
    equal(cabled.buses[0].hub("sync_connected"), 1)
    writer.pub(TOPIC, "alone")
    equal(reader.msg(TOPIC, 2.0)["data"], "alone")
    cabled.spaces[1].cable(True)
    wait_until(lambda: far.hub("sync_connected") == 1, 40, "back")
    writer.pub(TOPIC, "together")
    equal(reader.msg(TOPIC)["data"], "together")
    wait_until(lambda: near.msg(TOPIC)["data"] == "together", 5, "at both")
    equal(far.hub("sync_reconnects"), 1)


main(Cabled())
