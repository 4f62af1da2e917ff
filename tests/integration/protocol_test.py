#!/usr/bin/python3
"""The client protocol, command by command, as text.

What a program sees that speaks clusterbus.v1: the welcome, answers with its
own ids, data as it was written, and a clear error for every mistake.  Binary
frames are protocol_binary_test.py's story, broken WebSocket frames are
bad_ws_test.py's.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import wsframe
from bus import Bus
from check import equal, main, test
from wsclient import Client

OPTIONS = {"max_topic": 64, "max_message": "64k"}


@test
def the_welcome_comes_first_and_says_who_and_where(bus):
    client = bus.connect()
    equal(client.welcome["op"], "welcome")
    equal(client.welcome["protocol"], "clusterbus.v1")
    equal(client.conn.startswith(client.node + "-"), True, "connection id")
    host, slot, generation = client.node.split("-")
    equal(len(host), 8)
    int(host, 16)
    equal(bus.worker(int(slot))["generation"], int(generation))


@test
def without_a_subprotocol_clusterbus_v1_is_spoken(bus):
    client = bus.connect(protocol=None)
    equal(client.protocol, "")
    equal(client.welcome["protocol"], "clusterbus.v1")
    client.sub("plain")


@test
def the_first_known_subprotocol_is_chosen(bus):
    client = bus.connect(protocol="other, clusterbus.v1")
    equal(client.protocol, "clusterbus.v1")


@test
def any_path_upgrades(bus):
    for path in ("/", "/chat", "/a/b?x=y", "/ws/"):
        equal(bus.connect(path=path).alive(), True)


@test
def sub_unsub_pub_and_ping_are_answered_with_ok(bus):
    client = bus.connect()
    for message in ({"op": "sub", "topic": "a"}, {"op": "ping"},
                    {"op": "pub", "topic": "b", "data": 1},
                    {"op": "unsub", "topic": "a"}):
        op = message.pop("op")
        answer = client.ask(op, **message)
        equal(answer["op"], "ok", op)


@test
def ids_come_back_as_they_were_written(bus):
    client = bus.connect()
    for text in ('1', '-7', '1.50', '1e3', '12345678901234567890', '"x"',
                 '"\\u00e9\\n"', '""', 'null', 'true'):
        client.send_text('{"op":"ping","id":%s}' % text)
        answer = client.recv()
        if answer["op"] == "err":
            equal(answer["code"], "BAD_REQUEST", text)
            equal(text in ("null", "true"), True, "refused id " + text)
        else:
            equal(b'"id":' + text.encode() in answer.raw, True, text)


@test
def without_an_id_a_publish_is_not_answered(bus):
    client = bus.connect()
    client.sub("quiet")
    client.pub("quiet", 1)
    client.send({"op": "unsub", "topic": "quiet"})
    equal(client.alive(), True)
    equal([m["op"] for m in client.inbox], ["msg"])
    client.send({"op": "sub", "topic": "quiet"})
    client.inbox.clear()
    equal(client.recv(), {"op": "ok"})


@test
def a_publisher_gets_its_own_publish_unless_it_asks_for_no_echo(bus):
    client = bus.connect()
    other = bus.connect()
    for one in (client, other):
        one.sub("echo")
    client.pub("echo", "mine")
    equal(client.msg("echo")["data"], "mine")
    client.pub("echo", "not mine", echo=False)
    client.pub("echo", "mine again", echo=True)
    equal(client.msg("echo")["data"], "mine again")
    equal([other.msg("echo")["data"] for _ in range(3)],
          ["mine", "not mine", "mine again"])


@test
def nothing_arrives_after_unsub(bus):
    client = bus.connect()
    client.sub("on and off")
    client.sub("end")
    client.unsub("on and off")
    client.pub("on and off", 1)
    client.pub("end", 2)
    equal(client.wait_for(lambda m: m["op"] == "msg")["topic"], "end")


@test
def subscribing_twice_delivers_once_and_one_unsub_ends_it(bus):
    client = bus.connect()
    client.sub("twice")
    client.sub("twice")
    client.pub("twice", 1)
    client.alive()
    equal([m["data"] for m in client.inbox], [1])
    client.inbox.clear()
    client.unsub("twice")
    client.pub("twice", 2)
    client.alive()
    equal(list(client.inbox), [])


@test
def topics_are_any_text(bus):
    client = bus.connect()
    for topic in ("a", "with blanks", "größe", "日本", "a/b:c*#+$", '"',
                  "\\", "x" * 64, "\U0001f600"):
        client.sub(topic)
        client.pub(topic, topic)
        got = client.msg(topic)
        equal(got["data"], topic)


@test
def a_topic_is_the_same_however_it_is_escaped(bus):
    client = bus.connect()
    client.sub("é")
    client.send_text('{"op":"pub","topic":"\\u00e9","data":1}')
    equal(client.msg("é")["data"], 1)


@test
def data_keeps_its_bytes_and_other_members_may_stand_around_it(bus):
    client = bus.connect()
    client.sub("t")
    for text in ('{ "b":1,\n "a" : 1e400 }', '12345678901234567890',
                 '"\\u00e9\\/"', '[]', 'null'):
        client.send_text(
            ' { "data" : %s , "topic":"t", "id" : 9, "op":"pub" } ' % text)
        equal(client.msg("t").data_text, text.encode())


@test
def keys_may_be_escaped(bus):
    client = bus.connect()
    client.send_text('{"\\u006fp":"ping","id":5}')
    answer = client.recv()
    equal(answer["op"] in ("ok", "err"), True)


MISTAKES = [
    ("no JSON", "hello"),
    ("half an object", '{"op":"ping"'),
    ("empty text", ""),
    ("an array", '["op","ping"]'),
    ("a number", "1"),
    ("no op", '{"topic":"a"}'),
    ("an op that is no string", '{"op":1}'),
    ("an unknown op", '{"op":"dance"}'),
    ("sub without a topic", '{"op":"sub"}'),
    ("sub with a number as topic", '{"op":"sub","topic":1}'),
    ("sub with an empty topic", '{"op":"sub","topic":""}'),
    ("sub with a topic that is too long",
     '{"op":"sub","topic":"%s"}' % ("x" * 65)),
    ("a control character in a topic", '{"op":"sub","topic":"a\\u0001"}'),
    ("a NUL in a topic", '{"op":"sub","topic":"a\\u0000b"}'),
    ("a line break in a topic", '{"op":"sub","topic":"a\\nb"}'),
    ("half a surrogate pair in a topic",
     '{"op":"sub","topic":"\\ud800"}'),
    ("unsub without a topic", '{"op":"unsub"}'),
    ("pub without a topic", '{"op":"pub","data":1}'),
    ("pub without data", '{"op":"pub","topic":"a"}'),
    ("echo that is no truth value",
     '{"op":"pub","topic":"a","data":1,"echo":"no"}'),
    ("a key twice", '{"op":"ping","op":"ping"}'),
    ("an id that is an object", '{"op":"ping","id":{}}'),
    ("an id that is an array", '{"op":"ping","id":[1]}'),
    ("words behind the object", '{"op":"ping"} and more'),
    ("a number JSON does not know", '{"op":"pub","topic":"a","data":01}'),
    ("a trailing comma", '{"op":"ping",}'),
    ("a raw line break in a string",
     '{"op":"pub","topic":"a","data":"\n"}'),
    ("nesting without end", '{"op":"pub","topic":"a","data":%s%s}' % (
        "[" * 5000, "]" * 5000)),
]


@test
def every_mistake_is_answered_with_bad_request_and_forgiven(bus):
    client = bus.connect()
    before = bus.total("bad_messages")
    for name, text in MISTAKES:
        client.send_text(text)
        answer = client.recv()
        equal(answer["op"], "err", name)
        equal(answer["code"], "NOT_FOUND" if name == "an unknown op"
              and answer["code"] == "NOT_FOUND" else "BAD_REQUEST", name)
        equal(bool(answer["message"]), True, "a message for " + name)
        equal(client.alive(), True, "alive after " + name)
    equal(bus.total("bad_messages") >= before + len(MISTAKES), True,
          "bad_messages")


@test
def an_error_carries_the_id_of_its_command(bus):
    client = bus.connect()
    for text, wanted in (('{"op":"sub","id":7}', 7),
                         ('{"id":"x","op":"dance"}', "x"),
                         ('{"op":"pub","topic":"","data":1,"id":8}', 8)):
        client.send_text(text)
        answer = client.recv()
        equal((answer["op"], answer.get("id")), ("err", wanted), text)


@test
def an_open_bus_has_resources_but_neither_methods_nor_tokens(bus):
    client = bus.connect()
    for text, code in (
            ('{"op":"call","method":"notify","data":1,"id":1}', "NOT_FOUND"),
            ('{"op":"watch","resource":"doc:42","id":1}', None),
            ('{"op":"unwatch","resource":"doc:42","id":1}', None),
            ('{"op":"unwatch","resource":"doc:42","id":1}', "NOT_FOUND"),
            ('{"op":"auth","token":"x","id":1}', "NOT_FOUND")):
        client.send_text(text)
        answer = client.recv()
        equal((answer["id"], answer.get("code")), (1, code), text)


@test
def many_commands_in_one_write_are_answered_in_order(bus):
    client = bus.connect()
    client.raw(b"".join(
        wsframe.frame(wsframe.TEXT, json.dumps({"op": "ping", "id": n}))
        for n in range(500)))
    equal([client.recv()["id"] for _ in range(500)], list(range(500)))


@test
def a_command_may_come_in_fragments(bus):
    client = bus.connect()
    client.fragments(1, [b'{"op":', b'"pi', b"", b'ng","id":1', b"}"])
    equal(client.recv()["id"], 1)


@test
def two_clients_of_one_worker_and_of_two_workers_talk(bus):
    first, same = bus.connect(0), bus.connect(0)
    other = bus.connect(1)
    for client in (first, same, other):
        client.sub("talk")
    for writer in (first, same, other):
        writer.pub("talk", writer.conn)
        for reader in (first, same, other):
            got = reader.msg("talk")
            equal((got["data"], got["from"]), (writer.conn, writer.node))


@test
def a_close_is_answered_with_its_code(bus):
    equal(bus.connect().close(1000), 1000)
    equal(bus.connect().close(4999), 4999)
    client = bus.connect()
    client.send_frame(8)
    equal(client.wait_closed().code in (1000, 1005), True)


@test
def the_bus_counts_what_it_did(bus):
    before = bus.status()["total"]
    client = Client(bus.address)
    client.sub("counted")
    for number in range(10):
        client.pub("counted", number)
    for number in range(10):
        equal(client.msg("counted")["data"], number)
    after = bus.status()["total"]
    for field, more in (("clients_opened", 1), ("published", 10),
                        ("deliveries", 10), ("messages_in", 11),
                        ("subscriptions", 1)):
        equal(after[field] - before[field], more, field)
    client.close()


if __name__ == "__main__":
    main(shared=Bus(2, **OPTIONS))
