"""Publishers and subscribers that keep book of every single delivery.

Every publish carries publisher, sequence number and time, so a subscriber
can tell what is missing, doubled, out of order or altered, and how long it
took.  The same book serves a test that demands everything and one that kills
half of the bus meanwhile and asks what the others saw.
"""
import collections
import json
import time

import wsframe
from check import Failed
from swarm import Swarm

Delivery = collections.namedtuple("Delivery", "at took slot publisher")


class Publisher:
    """A client that publishes on some topics in turn, at a rate."""

    def __init__(self, number, client, topics, rate):
        self.number = number
        self.client = client
        self.topics = topics
        self.rate = rate
        self.sent = collections.Counter()
        self.next_topic = 0
        self.due = time.monotonic()
        self.alive = True


class Subscriber:
    """A client and what it has seen: {(publisher, topic): last number}."""

    def __init__(self, client, topics):
        self.client = client
        self.topics = frozenset(topics)
        self.last = {}
        self.first = {}
        self.count = 0
        self.alive = True


class Load:
    """The book.  Faults stand in gaps, doubles and strangers."""

    def __init__(self):
        self.swarm = Swarm(self._on_message, self._on_end)
        self.publishers = []
        self.subscribers = {}
        self.deliveries = []
        self.gaps = []
        self.doubles = []
        self.strangers = []
        self.lost = []
        self.answers = []

    def subscriber(self, client, topics):
        """Subscribe a client, acknowledged, and keep its book."""
        for topic in topics:
            client.sub(topic)
        entry = Subscriber(client, topics)
        self.subscribers[client] = entry
        self.swarm.add(client)
        return entry

    def publisher(self, client, topics, rate=0.0):
        """A publisher; with a rate, publishes a second from tick()."""
        entry = Publisher(len(self.publishers), client, list(topics), rate)
        self.publishers.append(entry)
        self.swarm.add(client)
        return entry

    def publisher_too(self, client, topics, rate=0.0):
        """A subscriber that publishes as well."""
        entry = Publisher(len(self.publishers), client, list(topics), rate)
        self.publishers.append(entry)
        return entry

    def publish(self, publisher, topic=None):
        """One publish, on this topic or the next one in turn."""
        if topic is None:
            topic = publisher.topics[publisher.next_topic]
            publisher.next_topic = (publisher.next_topic + 1) % len(
                publisher.topics)
        publisher.sent[topic] += 1
        text = '{"op":"pub","topic":"%s","data":[%d,%d,%.6f]}' % (
            topic, publisher.number, publisher.sent[topic], time.monotonic())
        self.swarm.send(publisher.client, wsframe.frame(
            wsframe.TEXT, text.encode()))

    def tick(self):
        """Publish whatever is due by the publishers' rates."""
        now = time.monotonic()
        for publisher in self.publishers:
            if not publisher.rate or not publisher.alive:
                continue
            if now - publisher.due > 0.5:
                publisher.due = now
            while publisher.due <= now and publisher.alive:
                publisher.due += 1.0 / publisher.rate
                self.publish(publisher)

    def _on_message(self, client, _opcode, payload, now):
        if not payload.startswith(b'{"op":"msg"'):
            self.answers.append((client, payload))
            return
        entry = self.subscribers[client]
        message = json.loads(payload)
        topic = message["topic"]
        number, seq, sent_at = message["data"]
        if topic not in entry.topics:
            self.strangers.append((client.conn, topic))
        entry.count += 1
        key = (number, topic)
        last = entry.last.get(key)
        if last is None:
            entry.first[key] = seq
        elif seq <= last:
            self.doubles.append((now, client, number, topic, last, seq))
        elif seq != last + 1:
            self.gaps.append((now, client, number, topic, last, seq))
        entry.last[key] = seq
        self.deliveries.append(Delivery(now, now - sent_at, client.slot,
                                        number))

    def _on_end(self, client, now):
        self.lost.append((client, now))
        entry = self.subscribers.get(client)
        if entry:
            entry.alive = False
        for publisher in self.publishers:
            if publisher.client is client:
                publisher.alive = False

    def run_for(self, duration):
        """Publish by rates and read, for so many seconds."""
        self.swarm.run_for(duration, self.tick, 0.002)

    def run(self, until, deadline, what=""):
        """Publish by rates and read until the condition holds."""
        self.swarm.run(until, deadline, what, 0.002, self.tick)

    def behind(self):
        """What living subscribers still miss of living publishers."""
        missing = []
        for entry in self.subscribers.values():
            if not entry.alive:
                continue
            for publisher in self.publishers:
                for topic, sent in publisher.sent.items():
                    if publisher.alive and topic in entry.topics:
                        got = entry.last.get((publisher.number, topic), 0)
                        if got != sent:
                            missing.append((entry.client.conn,
                                            publisher.number, topic, got,
                                            sent))
        return missing

    def settle(self, deadline=10.0):
        """Publish no more; wait until everybody alive has everything."""
        try:
            self.swarm.run(lambda: not self.behind(), deadline, "the rest",
                           0.05)
        except Failed:
            missing = self.behind()
            raise Failed("%d streams incomplete, such as %r" % (
                len(missing), missing[:5])) from None

    def check(self, gaps=True):
        """Nothing lost in between, doubled, reordered or misdelivered."""
        for name in ("doubles", "strangers") + (("gaps",) if gaps else ()):
            found = getattr(self, name)
            if found:
                raise Failed("%d %s, such as %r" % (
                    len(found), name, found[:3]))

    def between(self, start, end, slots=None, publishers=None):
        """Deliveries in a time span, to these slots, by these publishers."""
        return [d for d in self.deliveries if start <= d.at < end
                and (slots is None or d.slot in slots)
                and (publishers is None or d.publisher in publishers)]

    def close(self):
        """Everybody leaves."""
        self.swarm.close()
