#!/usr/bin/python3
"""Nothing lost, nothing twice, nothing out of order, nothing altered.

Eight workers, four hundred clients on all of them, four publishers on
different workers, twenty topics, a hundred thousand deliveries; then the
payloads that programs like to alter.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from bus import Bus
from check import equal, main, rng, say, test
from load import Load
from wsframe import BINARY

TOPICS = ["topic-%d" % number for number in range(20)]
PER_CLIENT = 4       # topics of each client
DELIVERIES = 100000

PAYLOADS = [
    '1e400', '12345678901234567890', '-0', '0.10', '1E+2',
    '"\\u00e9"', '"é"', '"\\ud83d\\ude00"', '"\\/"', '""',
    '{ "a" : [ 1 , 2,\t3 ] }', '[[[[[]]]]]', 'null', 'true', 'false',
    '{"data":1,"from":"me","op":"msg"}', '"\\u0000"', '" \u2028 "',
]


def everybody(bus):
    """Fifty clients on each of eight workers, four topics each."""
    load = Load()
    topics_of = 0
    for clients in bus.connect_each(50).values():
        for client in clients:
            load.subscriber(client, [
                TOPICS[(topics_of + step) % len(TOPICS)]
                for step in range(PER_CLIENT)])
            topics_of += 1
    return load


@test
def a_hundred_thousand_deliveries_arrive_once_and_in_order():
    with Bus(8) as bus:
        load = everybody(bus)
        for slot in rng.sample(range(8), 4):
            load.publisher(bus.connect(slot), TOPICS)
        per_round = len(load.subscribers) * PER_CLIENT
        rounds = DELIVERIES // per_round // 4 + 1
        for _ in range(rounds):
            for publisher in load.publishers:
                for topic in TOPICS:
                    load.publish(publisher, topic)
            load.swarm.turn()
        load.settle(40)
        load.check()
        wanted = rounds * 4 * per_round
        equal(len(load.deliveries), wanted, "deliveries")
        equal(sum(e.count for e in load.subscribers.values()), wanted)
        for entry in load.subscribers.values():
            equal(set(entry.first.values()), {1}, "first numbers")
        equal(load.lost, [], "disconnected clients")
        equal(load.answers, [], "answers that nobody asked for")
        status = bus.status()
        equal(status["total"]["gaps"], 0, "gaps that the workers found")
        equal(status["total"]["deliveries"], wanted, "deliveries counted")
        equal(status["hub"]["drop_slow"], 0, "drops of the hub")
        took = [delivery.took for delivery in load.deliveries]
        say("%d deliveries, the slowest took %.3f s" % (
            len(took), max(took)))
        load.close()


@test
def every_payload_arrives_byte_for_byte_on_every_worker():
    with Bus(8) as bus:
        readers = [clients[0] for clients in bus.connect_each().values()]
        for reader in readers:
            reader.sub("bytes")
        writer = bus.connect()
        large = '"' + "\u00e9" * 500000 + '"'
        for text in PAYLOADS + [large]:
            writer.pub_raw("bytes", text)
            for reader in readers:
                got = reader.msg("bytes", 10)
                equal(got.data_text, text.encode(), "data")
                equal(got["from"], writer.node, "from")


@test
def binary_payloads_arrive_byte_for_byte_on_every_worker():
    with Bus(4) as bus:
        readers = [clients[0] for clients in bus.connect_each(
            protocol="clusterbus.v1.bin").values()]
        for reader in readers:
            equal(reader.protocol, "clusterbus.v1.bin")
            reader.sub("raw")
        writer = bus.connect()
        for payload in (b"", bytes(range(256)), b"\0", b"\xff\xfe\xc3\x28",
                        rng.randbytes((1 << 20) - 100)):
            writer.publish_binary("raw", payload)
            for reader in readers:
                opcode, got = reader.message(10)
                equal(opcode, BINARY, "opcode of the frame")
                equal(got[:5], b"\x02\x03raw", "head")
                equal(got[5:], payload, "payload")


if __name__ == "__main__":
    main()
