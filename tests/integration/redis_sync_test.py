#!/usr/bin/python3
"""Two hosts on one Redis: what is published on one reaches the other.

timeout: 240
"""
import base64
import json
import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import BUILD
from check import equal, main, skip_all, test, wait_until
from redis_server import RedisServer
from remote import ENOENT, connect, event, quiet
from two_hosts import TwoHosts

if not os.path.exists(os.path.join(BUILD, "clusterbus-redis.so")):
    skip_all("built without hiredis")

BIN = "clusterbus.v1.bin"
TOPIC = "room:1"
HI = {"text": "gr\u00fc\u00df \"dich\""}


class Hosts(TwoHosts):
    """Two hosts, and the server between them."""

    def __init__(self):
        self.server = RedisServer()
        super().__init__("unix://" + self.server.path)

    def __enter__(self):
        self.server.start()
        try:
            return super().__enter__()
        except BaseException:
            self.server.__exit__()
            raise

    def __exit__(self, *what):
        try:
            super().__exit__(*what)
        finally:
            self.server.__exit__()

    def publish(self, text, binary=False, topic=TOPIC, namespace=""):
        """What an instance of crossws would send."""
        return self.server.ask("PUBLISH", "my-app", json.dumps(
            {"id": str(uuid.uuid4()), "msg": {
                "namespace": namespace, "topic": topic, "binary": binary,
                "data": text}}))


@test
def text_goes_from_worker_1_of_one_host_to_worker_3_of_the_other(hosts):
    ann, bob = hosts.pair()
    ann.sub(TOPIC)
    bob.sub(TOPIC)
    for data in (HI, 1, None, "text", [True, {"a": []}], "\0\u2028\U0001f600"):
        ann.ok("pub", topic=TOPIC, data=data)
        equal(bob.msg(TOPIC)["data"], data)
        bob.ok("pub", topic=TOPIC, data=data)
        equal([ann.msg(TOPIC)["data"] for _ in range(2)], [data, data])
        equal(bob.msg(TOPIC)["data"], data)


@test
def bytes_go_the_same_way(hosts):
    ann, bob = hosts.pair(protocol=BIN)
    plain = connect(hosts.buses[1], 2)
    bob.sub(TOPIC)
    plain.sub(TOPIC)
    name = TOPIC.encode()
    for payload in (b"", b"\0\xff", bytes(range(256)) * 40):
        ann.publish_binary(TOPIC, payload)
        equal(bob.message()[1], bytes([2, len(name)]) + name + payload)
        message = plain.msg(TOPIC)
        assert base64.b64encode(payload).decode() in json.dumps(message), (
            message)


@test
def every_worker_of_both_hosts_gets_it_once(hosts):
    clients = [connect(bus, slot) for bus in hosts.buses for slot in range(4)]
    for client in clients:
        client.sub("room:all")
    writer = clients[5]
    for number in range(20):
        writer.pub("room:all", number)
    for client in clients:
        equal([client.msg("room:all")["data"] for _ in range(20)],
              list(range(20)))
    quiet(clients)


@test
def a_room_has_members_on_both_hosts(hosts):
    here, there = hosts.nodes()
    ann, bob = hosts.pair(here=2, there=0)
    for node, client in ((here, ann), (there, bob)):
        equal(node.do("room", room="room:42", conn=client.conn), 0)
        wait_until(lambda node=node: node.count("room:42") >= 1, 5, "member")
    for node in (here, there):
        equal(node.do("broadcast", room="room:42", event="message", data=HI),
              0)
        for client in (ann, bob):
            equal(event(client, "message"), HI)


@test
def a_user_is_reached_wherever_connected(hosts):
    here, there = hosts.nodes()
    ann, bob = hosts.pair(here=0, there=2, user="cid")
    for node in (here, there):
        equal(node.do("emit", user="cid", event="message", data=HI), 0)
        for client in (ann, bob):
            equal(event(client, "message"), HI)


@test
def a_connection_of_the_other_host_is_reached(hosts):
    here, _ = hosts.nodes()
    _, bob = hosts.pair()
    equal(here.do("emit", conn=bob.conn, event="message", data=HI), 0)
    equal(event(bob, "message"), HI)


@test
def a_connection_is_kicked_and_put_into_rooms_on_its_own_host_only(hosts):
    here, there = hosts.nodes()
    ann, bob = hosts.pair(user="eve")
    for call in (dict(call="kick"), dict(call="room", room="r"),
                 dict(call="room", room="r", remove=1)):
        equal(here.do(conn=bob.conn, **call), ENOENT, str(call))
    equal(here.do("kick", user="eve", code=4000), 0)
    equal(ann.wait_closed().code, 4000)
    quiet(bob)
    equal(there.do("kick", conn=bob.conn, code=4001), 0)
    equal(bob.wait_closed().code, 4001)


@test
def what_is_distributed_reaches_the_nodes_of_the_other_host(hosts):
    here, there = hosts.nodes()
    equal(there.do("listen", listener="d", event="message"), 0)
    _, bob = hosts.pair()
    equal(here.do("distribute", event="message", data=HI), 0)
    equal(event(bob, "message"), HI)
    heard = there.heard()
    equal([(h["name"], h["from"]) for h in heard], [("message", here.id)])
    there.do("unlisten", listener="d")


@test
def a_foreign_publish_arrives_at_both_hosts(hosts):
    ann, bob = hosts.pair()
    ann.sub(TOPIC)
    bob.sub(TOPIC)
    for text, data in (('{"a":1}', {"a": 1}), ("no json", "no json"),
                       ("", ""), ("7", 7)):
        equal(hosts.publish(text, namespace="/_ws"), 2)
        for client in (ann, bob):
            equal(client.msg(TOPIC)["data"], data)


@test
def garbage_on_the_channel_is_ignored(hosts):
    ann, bob = hosts.pair()
    ann.sub(TOPIC)
    bob.sub(TOPIC)
    for text in (b"", b"\xff\xfe", "{}", "x" * 100000, '{"id":"a","msg":1}',
                 '{"id":"a","msg":{"namespace":"","topic":"room:1",'
                 '"binary":true,"data":"***"}}'):
        equal(hosts.server.ask("PUBLISH", "my-app", text), 2)
    hosts.publish("x", topic="")
    hosts.publish("x", topic="t" * 5000)
    hosts.publish("AAAA", binary=True, topic="t:room:1",
                  namespace="clusterbus")
    hosts.publish("x", topic="f:x", namespace="clusterbus")
    hosts.publish('"good"')
    for client in (ann, bob):
        equal(client.msg(TOPIC)["data"], "good")
    quiet([ann, bob])


@test
def a_host_counts_what_goes_and_comes(hosts):
    one, two = hosts.buses
    before = [(bus.hub("sync_out"), bus.hub("sync_in")) for bus in hosts.buses]
    ann, bob = hosts.pair()
    bob.sub(TOPIC)
    for _ in range(10):
        ann.pub(TOPIC, HI)
    for _ in range(10):
        bob.msg(TOPIC)
    wait_until(lambda: one.hub("sync_out") - before[0][0] >= 10, 5, "out")
    wait_until(lambda: two.hub("sync_in") - before[1][1] >= 10, 5, "in")
    equal(one.hub("sync_in"), before[0][1])


@test
def a_channel_keeps_others_out(hosts):
    with TwoHosts(hosts.server.url, channel="another", workers=1) as others:
        ann, _ = hosts.pair()
        cid = connect(others.buses[0], 0)
        ann.sub(TOPIC)
        cid.sub(TOPIC)
        cid.ok("pub", topic=TOPIC, data=1)
        others.both_ways("room:2", here=0, there=0)
        quiet(ann)


main(Hosts())
