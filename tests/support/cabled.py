"""Two hosts in two network namespaces, and the cable between them."""
from bus import Bus
from check import equal, skip_all, wait_until
from netns import two_namespaces
from two_hosts import AWAY

TOPIC = "news"


class Cabled:
    """One namespace with the backplane and a host, one with another host.

    start(near) starts the server there and returns (server, URL).
    """

    def __init__(self, start):
        self.start = start

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
            server, url = self.start(near)
        self.parts.append((near, server))
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
        """Of the host that is far from the backplane."""
        self.buses[1].show_log()

    def connect(self, host, slot, **more):
        """A client on one of the hosts."""
        with self.spaces[host]:
            client = self.buses[host].connect(slot, **more)
        client.sub(TOPIC)
        return client

    def both_ways(self):
        """Worker 1 of one host and worker 3 of the other hear each other."""
        ann, bob = self.connect(0, 1), self.connect(1, 3)
        for one, other in ((ann, bob), (bob, ann)):
            one.ok("pub", topic=TOPIC, data="text")
            equal(other.msg(TOPIC)["data"], "text")
            equal(one.msg(TOPIC)["data"], "text")
        ann.publish_binary(TOPIC, b"\0\1")
        equal("AAE=" in str(bob.msg(TOPIC)), True)
