"""Two hosts on one machine: two buses that have a backplane in common."""
from check import equal, wait_until
from remote import Node, connect, start

AWAY = r'warn: (backplane |\w+: hub ")'


class TwoHosts:
    """Two buses of `workers` workers with the application remote.c.

    sync: the URL; both are connected when the context is entered.
    """

    def __init__(self, sync, channel="my-app", workers=4, **more):
        more.setdefault("allow", [AWAY])
        self.buses = [start(workers, sync=sync, channel=channel, **more)
                      for _ in range(2)]

    def __enter__(self):
        entered = []
        try:
            for bus in self.buses:
                entered.append(bus.__enter__())
            self.wait_connected()
        except BaseException:
            for bus in entered:
                bus.__exit__(RuntimeError, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        failed = None
        for bus in self.buses:
            try:
                bus.__exit__(kind, value, trace)
            except BaseException as error:  # the other one ends all the same
                failed = failed or error
        if failed is not None and kind is None:
            raise failed

    def between_tests(self):
        """As a bus does it."""
        for bus in self.buses:
            bus.between_tests()

    def show_log(self):
        """Of both."""
        for bus in self.buses:
            bus.show_log(20)

    def wait_connected(self, wanted=1, deadline=20.0):
        """Both are joined to the backplane, or neither is."""
        for bus in self.buses:
            wait_until(lambda bus=bus: bus.hub("sync_connected") == wanted,
                       deadline, "sync_connected %d" % wanted)

    def pair(self, here=1, there=3, **more):
        """A client on each host, on workers that have nothing in common."""
        return (connect(self.buses[0], here, **more),
                connect(self.buses[1], there, **more))

    def nodes(self, here=1, there=3):
        """A worker of each that does what it is told."""
        return Node(self.buses[0], here), Node(self.buses[1], there)

    def both_ways(self, topic="room:1", here=1, there=3):
        """A message from each host reaches the other."""
        ann, bob = self.pair(here, there)
        for one in (ann, bob):
            one.sub(topic)
        for one, other in ((ann, bob), (bob, ann)):
            one.ok("pub", topic=topic, data={"from": one.conn})
            for reader in (other, one):
                equal(reader.msg(topic)["data"], {"from": one.conn})
        ann.abort()
        bob.abort()


def reaches_local(bus, topic="room:1", count=50):
    """Messages between two workers of one host, in time and in order."""
    writer, reader = connect(bus, 0), connect(bus, 2)
    reader.sub(topic)
    for number in range(count):
        writer.pub(topic, number)
    for number in range(count):
        equal(reader.msg(topic, 2.0)["data"], number)
    writer.abort()
    reader.abort()
