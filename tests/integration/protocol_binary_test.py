#!/usr/bin/python3
"""Binary publishes: opcode byte 1, topic length, topic, payload.

Subscribers that negotiated clusterbus.v1.bin get opcode 2 frames, all others
get the payload as base64 in JSON.
"""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from bus import Bus
from check import equal, main, rng, test
from wsclient import Client, Refused
from wsframe import BINARY, TEXT

BIN = "clusterbus.v1.bin"
PAYLOADS = [b"", b"x", bytes(range(256)), b"\0" * 1000, b"\xff\xfe\xc3\x28"]


@test
def the_binary_subprotocol_has_the_same_messages(bus):
    client = bus.connect(protocol=BIN)
    equal(client.protocol, BIN)
    equal(client.welcome["protocol"], "clusterbus.v1")
    equal(client.ask("ping"), {"op": "ok", "id": 1})


@test
def the_clients_first_choice_wins(bus):
    equal(bus.connect(protocol=BIN + ", clusterbus.v1").protocol, BIN)
    equal(bus.connect(protocol="clusterbus.v1, " + BIN).protocol,
          "clusterbus.v1")


@test
def an_unknown_subprotocol_alone_is_refused(bus):
    try:
        client = Client(bus.address, protocol="soap")
    except Refused as refused:
        equal(refused.status in (None, 400, 403, 426), True, "status")
    else:
        raise AssertionError("upgraded: %r" % client.welcome)


@test
def binary_subscribers_get_the_bytes(bus):
    writer = bus.connect(0)
    for slot in (0, 1):
        reader = bus.connect(slot, protocol=BIN)
        # One of its own: what the loop said before may still be on its way.
        topic = "größe %d" % slot
        reader.sub(topic)
        name = topic.encode()
        for payload in PAYLOADS + [rng.randbytes(100000)]:
            writer.publish_binary(topic, payload)
            opcode, got = reader.message()
            equal(opcode, BINARY)
            equal(got, bytes([2, len(name)]) + name + payload)


@test
def json_subscribers_get_base64(bus):
    writer = bus.connect(0)
    for slot in (0, 1):
        reader = bus.connect(slot)
        topic = "raw %d" % slot
        reader.sub(topic)
        for payload in PAYLOADS + [rng.randbytes(100001)]:
            writer.publish_binary(topic, payload)
            got = reader.msg(topic)
            equal(got["binary"], True)
            equal(base64.b64decode(got["data"], validate=True), payload)
            equal(got["from"], writer.node)


@test
def a_json_publish_reaches_binary_subscribers_as_text(bus):
    reader = bus.connect(0, protocol=BIN)
    reader.sub("mixed")
    for slot in (0, 1):
        writer = bus.connect(slot)
        writer.pub_raw("mixed", "1e400")
        equal(reader.msg("mixed").data_text, b"1e400")
        writer.publish_binary("mixed", b"\1")
        equal(reader.message(), (BINARY, b"\2\5mixed\1"))


@test
def text_and_binary_keep_their_order(bus):
    reader = bus.connect(1, protocol=BIN)
    reader.sub("order")
    writer = bus.connect(0)
    for number in range(200):
        if number % 3:
            writer.pub("order", number)
        else:
            writer.publish_binary("order", b"%d" % number)
    for number in range(200):
        opcode, got = reader.message()
        equal(opcode, TEXT if number % 3 else BINARY)
        equal(b"%d" % number in got, True, number)


@test
def broken_binary_messages_are_answered_and_forgiven(bus):
    client = bus.connect()
    for name, payload in (
            ("nothing", b""), ("an opcode alone", b"\1"),
            ("no topic", b"\1\0data"), ("half a topic", b"\1\5abc"),
            ("an unknown opcode", b"\7\1adata"),
            ("the server's opcode", b"\2\1adata"),
            ("opcode 0", b"\0\1adata"),
            ("a topic that is no UTF-8", b"\1\2\xc3\x28data"),
            ("a control character in the topic", b"\1\2a\ndata")):
        client.send_frame(BINARY, payload)
        answer = client.recv()
        equal((answer["op"], answer["code"]), ("err", "BAD_REQUEST"), name)
        equal(client.alive(), True, name)


@test
def a_binary_message_may_come_in_fragments(bus):
    client = bus.connect(protocol=BIN)
    client.sub("parts")
    client.fragments(BINARY, [b"\1", b"\5pa", b"rts", b"", b"\xc3", b"\x28"])
    equal(client.message(), (BINARY, b"\2\5parts\xc3\x28"))


@test
def one_megabyte_goes_through(bus):
    payload = rng.randbytes(1000000)
    reader = bus.connect(1, protocol=BIN)
    plain = bus.connect(1)
    for client in (reader, plain):
        client.sub("mega")
    bus.connect(0).publish_binary("mega", payload)
    equal(reader.message(10)[1], b"\2\4mega" + payload)
    equal(base64.b64decode(plain.msg("mega", 10)["data"]), payload)


if __name__ == "__main__":
    main(shared=Bus(2))
