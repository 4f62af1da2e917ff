#!/usr/bin/python3
"""busctl asks and acts: clients, topics, rooms, presence, why, kick, emit."""
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import binary
from bus import Bus
from check import equal, main, test, wait_until


def rows(bus, *words, errors=""):
    """The rows of a command with --json."""
    code, out, err = bus.cli(*words, "--json")
    equal((code, err), (0, errors), " ".join(words))
    return [json.loads(line) for line in out.splitlines()]


def conns(found):
    """Who is in these rows."""
    return sorted(row["conn"] for row in found)


def signed(bus, key, user, slot, role="member"):
    """A client who is somebody."""
    done = subprocess.run(
        [binary.BUSCTL, "token", "--key", key, "--user", user, "--role",
         role], capture_output=True, text=True, check=True, timeout=20)
    client = bus.connect(slot)
    client.ok("auth", token=done.stdout.strip())
    return client


class Signed(Bus):
    """A bus that knows its users."""

    def __init__(self, n):
        self.key = None
        super().__init__(n, anonymous=True)
        self.key = os.path.join(self.dir, "key")
        with open(self.key, "w") as file:
            file.write("a secret of at least thirty-two bytes\n")
        os.chmod(self.key, 0o600)
        self.options["jwt_key"] = self.key


@test
def clients_lists_the_connections_of_all_workers(bus):
    clients = [bus.connect(slot) for slot in (0, 1, 1)]
    clients[0].sub("a")
    clients[2].sub("a")
    found = rows(bus, "clients")
    equal(conns(found), sorted(client.conn for client in clients))
    equal({row["subscriptions"] for row in found}, {0, 1})
    found = rows(bus, "clients", "--topic", "a")
    equal(conns(found), sorted([clients[0].conn, clients[2].conn]))
    equal(rows(bus, "clients", "--room=none"), [])
    code, out, _ = bus.cli("clients")
    lines = out.splitlines()
    equal((code, len(lines)), (0, 4))
    equal(lines[0].split()[:2], ["connection", "user"])
    equal(len({line.index("127.0.0.1") for line in lines[1:]}), 1, "aligned")


@test
def topics_of_several_workers_are_one_row(bus):
    for slot in (0, 0, 1):
        bus.connect(slot).sub("a")
    bus.connect(1).sub("b")
    equal([(row["name"], row["clients"]) for row in rows(bus, "topics")],
          [("a", 3), ("b", 1)])
    code, out, _ = bus.cli("topics")
    equal((code, out.splitlines()[1].split()[:2]), (0, ["a", "shared"]))
    equal(rows(bus, "rooms"), [])


@test
def a_user_is_found_shown_and_kicked_wherever_he_is(bus):
    ann = [signed(bus, bus.key, "ann", slot) for slot in (0, 1)]
    bob = signed(bus, bus.key, "bob", 1)
    mine = sorted(client.conn for client in ann)
    equal(conns(rows(bus, "clients", "--user", "ann")), mine)
    found = rows(bus, "presence", "--user", "ann")
    equal(conns(found), mine)
    equal({(row["in"], row["user"], row["role"]) for row in found},
          {("user", "ann", "member")})
    code, _, err = bus.cli("emit", "--user", "ann", "hello", '{"n":1}')
    equal((code, err), (0, ""))
    for client in ann:
        equal(client.recv(), {"op": "evt", "event": "hello",
                              "data": {"n": 1}})
    code, out, _ = bus.cli("kick", "--user", "ann", "--code", "4000",
                           "--reason", "good night")
    equal((code, out), (0, "2 connections closed\n"))
    for client in ann:
        closed = client.wait_closed()
        equal((closed.code, closed.reason), (4000, "good night"))
    wait_until(lambda: not rows(bus, "clients", "--user", "ann"), 5)
    equal(bus.cli("kick", "--user", "ann")[0], 1)
    bob.alive()


@test
def emit_reaches_the_one_or_all_line_by_line(bus):
    clients = [bus.connect(slot) for slot in (0, 1)]
    code, _, err = bus.cli("emit", "--conn", clients[1].conn, "one", "-",
                           stdin='1\n\n"two"\n')
    equal((code, err), (0, ""))
    equal([clients[1].recv()["data"] for _ in range(2)], [1, "two"])
    clients[0].silent(0.1)
    code, _, err = bus.cli("emit", "--all", "every", "--text", 'a "b"')
    equal((code, err), (0, ""))
    for client in clients:
        equal(client.recv()["data"], 'a "b"')
    code, _, err = bus.cli("emit", "--all", "every", "no json")
    equal(code, 1)
    equal("is not JSON" in err, True, err)


@test
def publish_leaves_a_connection_out_and_subscribe_names_the_node(bus):
    clients = [bus.connect(slot) for slot in (0, 1)]
    for client in clients:
        client.sub("news")
    reader = bus.popen("subscribe", "--from", "--count", "1", "news",
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True)
    equal("subscribed" in reader.stderr.readline(), True)
    code, _, err = bus.cli("publish", "news", "1", "--exclude-conn",
                           clients[0].conn)
    equal((code, err), (0, ""))
    node = clients[1].msg("news")["from"]
    equal(reader.communicate(timeout=10)[0], node + " 1\n")
    equal(reader.returncode, 0)
    clients[0].silent(0.1)


@test
def why_explains_a_connection_in_words(bus):
    client = signed(bus, bus.key, "ann", 1)
    client.sub("chat")
    code, out, err = bus.cli("why", client.conn)
    equal((code, err), (0, ""))
    for words in ("worker 1, from 127.0.0.1:", "ann, as member", '"chat"',
                  "0 of ", "missed     nothing", "its token ends in"):
        equal(words in out, True, words + ": " + out)
    row = rows(bus, "why", client.conn)[0]
    equal((row["conn"], row["user"], row["topics"]),
          (client.conn, "ann", ["chat"]))
    client.close()
    wait_until(lambda: bus.cli("why", client.conn)[0] == 1, 5)
    equal("no such connection" in bus.cli("why", client.conn)[2], True)


@test
def presence_follows_who_comes_and_goes(bus):
    first = bus.connect(0)
    first.sub("chat")
    reader = bus.popen("presence", "--topic", "chat", "--follow", "--json",
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True)

    def event():
        row = json.loads(reader.stdout.readline())
        return row["event"], row["conn"]

    try:
        equal(event(), ("joined", first.conn))
        equal(event(), ("ready", ""))
        second = bus.connect(1)
        second.sub("chat")
        equal(event(), ("joined", second.conn))
        first.unsub("chat")
        equal(event(), ("left", first.conn))
        second.abort()
        equal(event(), ("left", second.conn))
    finally:
        reader.send_signal(signal.SIGINT)
        out, err = reader.communicate(timeout=10)
    equal((reader.returncode, out), (0, ""), err)
    code, out, _ = bus.cli("presence", "chat")
    equal((code, len(out.splitlines())), (0, 1), out)


@test
def rooms_are_listed_looked_into_and_spoken_to():
    with Bus(2) as bus:
        clients = [bus.connect(slot) for slot in (0, 1, 1)]
        for client in clients[:2]:
            ask = urllib.request.Request(
                "http://%s:%d/api/rooms/lobby/add" % bus.address,
                json.dumps({"conn": client.conn}).encode(),
                {"Content-Type": "application/json"})
            with urllib.request.urlopen(ask, timeout=10) as answer:
                equal(answer.status, 200)
        mine = sorted(client.conn for client in clients[:2])
        wait_until(lambda: rows(bus, "rooms")
                   == [{"name": "lobby", "clients": 2}], 5)
        equal(conns(rows(bus, "presence", "--room", "lobby")), mine)
        equal([row["in"] for row in rows(bus, "presence", "lobby")],
              ["room", "room"])
        equal(conns(rows(bus, "clients", "--room", "lobby")), mine)
        equal('"lobby"' in bus.cli("why", clients[0].conn)[1], True)
        equal(bus.cli("emit", "--room", "lobby", "hello", "1")[0], 0)
        for client in clients[:2]:
            equal(client.recv()["event"], "hello")
        clients[2].silent(0.1)
        code, out, _ = bus.cli("kick", "--conn", clients[0].conn)
        equal((code, out), (0, "1 connection closed\n"))
        equal(clients[0].wait_closed().code, 1008)
        wait_until(lambda: rows(bus, "rooms")
                   == [{"name": "lobby", "clients": 1}], 5)


@test
def a_topic_of_a_role_is_published_to_that_role():
    contract = {"shared": {}, "roles": {"member": {"serverToClient": {
        "board": {"subscribe": True}}}}}
    with Signed(1) as bus:
        path = os.path.join(bus.dir, "contract.json")
        with open(path, "w") as file:
            json.dump(contract, file)
        bus.stop()
        bus.options["contract"] = path
        bus.start()
        member = signed(bus, bus.key, "ann", 0)
        member.sub("board")
        equal(bus.cli("publish", "board", "1")[0], 1)
        equal(bus.cli("publish", "--role", "member", "board", "2")[0], 0)
        equal(member.msg("board")["data"], 2)
        equal([(row["name"], row["kind"], row["role"])
               for row in rows(bus, "topics")], [("board", "role", "member")])


@test
def a_worker_that_hangs_is_left_out_and_that_is_said():
    with Bus(2, query_timeout="200ms", stall_timeout="1h") as bus:
        clients = [bus.connect(slot) for slot in (0, 1)]
        bus.signal(signal.SIGSTOP, 1)
        try:
            code, out, err = bus.cli("clients", "--json")
            equal((code, conns(map(json.loads, out.splitlines()))),
                  (0, [clients[0].conn]))
            equal(bool(re.search(r"1 worker did not answer in time", err)),
                  True, err)
        finally:
            bus.signal(signal.SIGCONT, 1)


@test
def rows_beyond_max_rows_are_told():
    with Bus(1, max_rows="3") as bus:
        for _ in range(5):
            bus.connect()
        equal(len(rows(bus, "clients",
                       errors="busctl: 2 rows were left out "
                              "(--max-rows)\n")), 3)


@test
def a_contract_knows_what_may_be_published_and_emitted():
    contract = {"shared": {"serverToClient": {
        "news": {"subscribe": True, "payload": {"type": "number"}},
        "hello": {"payload": {"required": ["text"]}}}}}
    with Bus(1) as bus:
        path = os.path.join(bus.dir, "contract.json")
        with open(path, "w") as file:
            json.dump(contract, file)
        bus.stop()
        bus.options["contract"] = path
        bus.start()
        for words in (("publish", "other", "1"),
                      ("emit", "--all", "other", "1"),
                      ("subscribe", "other")):
            code, _, err = bus.cli(*words)
            equal(code, 1, " ".join(words))
            equal("contract has no such" in err, True, err)
        equal(bus.cli("publish", "news", "1")[0], 0)
        equal(bus.cli("emit", "--all", "hello", '{"text":1}')[0], 0)
        for words in (("publish", "news", '"one"'),
                      ("emit", "--all", "hello", "{}"),
                      ("emit", "--room", "r", "hello", "{}"),
                      ("emit", "--user", "u", "hello", "{}")):
            code, _, err = bus.cli(*words)
            equal(code, 1, " ".join(words))
            equal("does not fit the contract" in err, True, err)


@test
def without_a_bus_each_command_says_so_and_fails():
    for words in (("clients",), ("topics",), ("rooms",), ("presence", "x"),
                  ("why", "00000001-0-1-1"), ("kick", "--user", "x"),
                  ("emit", "--all", "x", "1")):
        done = subprocess.run(
            [binary.BUSCTL, words[0], "--run-dir", "/tmp/no-such-bus"]
            + list(words[1:]), capture_output=True, text=True, timeout=20)
        equal((done.returncode, done.stdout), (1, ""), words[0])
        equal("no bus runs in" in done.stderr, True, done.stderr)


if __name__ == "__main__":
    main(shared=Signed(2))
