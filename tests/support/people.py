"""Clients with a user, a role and rooms, who check everything they receive.

Every push says in its data whom it is for: "TARGET|NUMBER|FROM".  A person
knows the rooms it is in, so it can tell an event that reached a wrong
recipient, one that came twice and one that came after it had left.
"""
import collections
import itertools
import json

import wsframe
from check import rng
from swarm import Swarm
from wsclient import Refused

IN, JOINING, LEAVING = "in", "joining", "leaving"
ROOM_EVENTS = ("said", "except")


class Person:
    """One connection of a user, replaced when it is lost."""

    def __init__(self, user, role):
        self.user = user
        self.role = role
        self.client = None
        self.rooms = {}
        self.feeds = set()
        self.waiting = {}
        self.seen = set()
        self.excluded = set()
        self.received = collections.Counter()


class People:
    """Everybody, and what went wrong."""

    def __init__(self, bus, users, connections, topics):
        self.bus = bus
        self.topics = topics
        self.numbers = itertools.count(1)
        self.faults = []
        self.refused = []
        self.away = []
        self.lost = 0
        self.by_client = {}
        self.swarm = Swarm(self._on_message, self._on_end)
        self.all = [Person("u%d" % (n % users), ("user", "agent")[n % 2])
                    for n in range(users * connections)]
        for person in self.all:
            self.connect(person)

    def connect(self, person):
        """Come, or come back: without rooms."""
        person.client = self.bus.connect(headers=[
            "Authorization: Bearer %s.%s" % (person.user, person.role)])
        person.rooms.clear()
        person.feeds.clear()
        person.waiting.clear()
        self.by_client[person.client] = person
        self.swarm.add(person.client)
        for topic in self.topics:
            person.feeds.add(topic)
            self.send(person, "sub", topic=topic)

    def come_back(self):
        """Those who were disconnected connect again."""
        away, self.away = self.away, []
        for person in away:
            try:
                self.connect(person)
            except (OSError, Refused, TimeoutError):
                self.away.append(person)

    def send(self, person, op, then=None, **fields):
        """A command; then(answer) when it is ok."""
        number = next(self.numbers)
        person.waiting[number] = (then, fields)
        self.swarm.send(person.client, wsframe.frame(wsframe.TEXT, json.dumps(
            dict({"op": op, "id": number}, **fields))))

    def call(self, person, method, target, then=None):
        """Call a method with "TARGET|NUMBER"; returns the number."""
        number = next(self.numbers)
        if method == "except":
            person.excluded.add(str(number))
        self.send(person, "call", then, method=method,
                  data="%s|%d" % (target, number))
        return number

    def join(self, person, room):
        """Ask to be put into a room."""
        if room not in person.rooms:
            person.rooms[room] = JOINING
            self.call(person, "join", room, lambda answer:
                      person.rooms.__setitem__(room, IN))

    def leave(self, person, room):
        """Ask to be taken out."""
        if person.rooms.get(room) == IN:
            person.rooms[room] = LEAVING
            self.call(person, "leave", room, lambda answer:
                      person.rooms.pop(room))

    def idle(self):
        """Is every command answered and everybody here?"""
        return not self.away and not any(p.waiting for p in self.all)

    def pick(self):
        """Somebody who is here."""
        return rng.choice([p for p in self.all if p not in self.away])

    # What comes

    def _on_end(self, client, _now):
        person = self.by_client.pop(client)
        self.lost += 1
        self.away.append(person)

    def _on_message(self, client, _opcode, payload, _now):
        person = self.by_client[client]
        message = json.loads(payload)
        op = message["op"]
        if op == "ok" and message.get("id") in person.waiting:
            then, _ = person.waiting.pop(message["id"])
            if then:
                then(message)
        elif op == "err":
            _, fields = person.waiting.pop(message.get("id"), (None, None))
            self.refused.append((message, fields))
        elif op in ("evt", "msg", "change"):
            self._on_push(person, message)

    def _on_push(self, person, message):
        kind = (message.get("event") or message.get("topic")
                or message.get("resource"))
        person.received[kind] += 1
        if not isinstance(message["data"], str):
            return
        target, number = message["data"].split("|")[:2]
        if (kind, number) in person.seen:
            self.faults.append(("twice", person.user, message))
        person.seen.add((kind, number))
        if not self._is_for(person, kind, target, number):
            self.faults.append(("wrong recipient", person.user, person.role,
                                dict(person.rooms), message))

    def _is_for(self, person, kind, target, number):
        if kind in ROOM_EVENTS:
            own = kind == "except" and number in person.excluded
            return target in person.rooms and not own
        if kind in ("dm", "pushed"):
            return target == person.user
        if kind in ("here", "far"):
            return target == person.client.conn
        if kind == "feed":
            return target == person.role and kind in person.feeds
        if kind in ("local", "all"):
            return True
        return kind == target and (kind in person.feeds)
