#!/usr/bin/python3
"""Clients that break the WebSocket protocol: a clear close, nobody hurt.

Every attack runs beside a polite client on the same worker, which has to be
served afterwards by the same process.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
import wsframe
from bus import Bus
from check import at_most, equal, main, rng, test, wait_until
from wsframe import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

OPTIONS = {"max_message": "64k", "handshake_timeout": "2s"}


def attack(bus, send, codes, name):
    """Run send(client); the close code must be one of these."""
    pid = bus.pid(0)
    client = bus.connect()
    send(client)
    closed = client.wait_closed(8)
    equal(closed.code in codes, True, "%s: closed with %s" % (
        name, closed.code))
    client.abort()
    other = bus.connect()
    other.sub("fine")
    other.pub("fine", 1)
    equal(other.msg("fine")["data"], 1)
    other.abort()
    equal(bus.pid(0), pid, "the worker after " + name)


def frames(*parts):
    """A function that sends these bytes."""
    return lambda client: client.raw(b"".join(parts))


@test
def a_giant_frame_header_is_refused_at_once_with_1009(bus):
    for length in (1 << 40, (1 << 63) - 1, 65537):
        for opcode in (TEXT, BINARY):
            attack(bus, frames(wsframe.header(opcode, length) + b"1234x"),
                   (1009,), "a frame of %d bytes" % length)


@test
def a_length_with_the_top_bit_is_refused(bus):
    attack(bus, frames(struct.pack("!BBQ", 0x81, 0xff, 1 << 63) + b"1234"),
           (1002, 1009, None), "a negative length")


@test
def a_message_over_the_limit_is_refused_with_1009(bus):
    text = b'{"op":"ping","pad":"' + b"x" * 70000 + b'"}'
    attack(bus, frames(wsframe.frame(TEXT, text)), (1009,), "one frame")
    attack(bus, frames(*[
        wsframe.frame(TEXT if at == 0 else CONTINUATION,
                      text[at:at + 1000], fin=False)
        for at in range(0, 70000, 1000)]), (1009,), "fragments")


@test
def endless_fragments_are_refused_with_1009(bus):
    def send(client):
        client.send_frame(TEXT, b"x", fin=False)
        try:
            for _ in range(200):
                client.send_frame(CONTINUATION, b"y" * 1000, fin=False)
        except OSError:
            pass
    attack(bus, send, (1009, None), "endless fragments")


@test
def text_that_is_no_utf8_is_refused_with_1007(bus):
    for bad in (b"\xff", b"\xc3\x28", b"\xc0\xaf", b"\xed\xa0\x80",
                b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\x80",
                b"\xe2\x82"):
        text = b'{"op":"pub","topic":"a","data":"' + bad + b'"}'
        attack(bus, frames(wsframe.frame(TEXT, text)), (1007,), repr(bad))
        attack(bus, frames(wsframe.frame(TEXT, text[:33], fin=False),
                           wsframe.frame(CONTINUATION, text[33:])),
               (1007,), "fragments of %r" % bad)


@test
def a_character_may_be_split_across_fragments(bus):
    client = bus.connect()
    client.sub("é€😀")
    text = '{"op":"pub","topic":"é€😀","data":"é€😀"}'.encode()
    for at in range(1, len(text)):
        client.fragments(TEXT, [text[:at], text[at:]])
        equal(client.msg("é€😀")["data"], "é€😀")
    client.fragments(TEXT, [text[at:at + 1] for at in range(len(text))])
    equal(client.msg("é€😀")["data"], "é€😀")


@test
def reserved_opcodes_and_bits_are_refused(bus):
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        attack(bus, frames(wsframe.frame(opcode, b"x")), (1002, None),
               "opcode %d" % opcode)
    for rsv in (1, 2, 4, 7):
        attack(bus, frames(wsframe.frame(TEXT, b'{"op":"ping"}', rsv=rsv)),
               (1002, None), "reserved bits %d" % rsv)


@test
def broken_control_frames_are_refused(bus):
    for opcode in (PING, PONG, CLOSE):
        attack(bus, frames(wsframe.frame(opcode, b"x" * 126)),
               (1002, None), "a long control frame")
        attack(bus, frames(wsframe.frame(opcode, b"xx", fin=False)),
               (1002, None), "a fragmented control frame")


@test
def broken_sequences_of_fragments_are_refused(bus):
    attack(bus, frames(wsframe.frame(CONTINUATION, b"x")), (1002, None),
           "a continuation of nothing")
    attack(bus, frames(wsframe.frame(TEXT, b"{", fin=False),
                       wsframe.frame(TEXT, b"}")), (1002, None),
           "a message inside a message")


@test
def pings_between_fragments_are_answered(bus):
    client = bus.connect()
    client.send_frame(TEXT, b'{"op":"pi', fin=False)
    client.send_frame(PING, b"now")
    first, payload = client.frame()
    equal((first, payload), (0x8a, b"now"))
    client.send_frame(CONTINUATION, b'ng","id":1}')
    equal(client.recv()["id"], 1)


@test
def a_frame_without_a_mask_is_a_protocol_error(bus):
    pid = bus.pid(0)
    whole = wsframe.frame(TEXT, b'{"op":"ping","id":1}', mask=False)
    before = bus.total("closed_protocol")
    for cut in (1, 2, len(whole)):
        client = bus.connect()
        client.raw(whole[:cut])
        client.raw(whole[cut:])
        equal(client.wait_closed().code, 1002, "cut at %d" % cut)
        client.abort()
    wait_until(lambda: bus.total("closed_protocol") == before + 3)
    equal(bus.connect().alive(), True)
    equal(bus.pid(0), pid)


@test
def close_frames_are_answered_and_bad_ones_refused(bus):
    for code in (1000, 1001, 1003, 1008, 1011, 1012, 1013, 1014, 3000,
                 4000, 4999):
        equal(bus.connect().close(code), code, "answer to %d" % code)
    for code in (0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 65535):
        attack(bus, frames(wsframe.frame(
            CLOSE, struct.pack("!H", code))), (1002, code, None),
            "close code %d" % code)
    attack(bus, frames(wsframe.frame(CLOSE, b"\x03")), (1002, 1005, None),
           "half a close code")
    attack(bus, frames(wsframe.frame(CLOSE, b"\x03\xe8\xff\xff")),
           (1007, 1002, 1000, None), "a reason that is no UTF-8")


@test
def what_follows_a_close_frame_is_ignored(bus):
    reader = bus.connect()
    reader.sub("after")
    client = bus.connect()
    client.raw(wsframe.frame(CLOSE, wsframe.close_payload(1000))
               + wsframe.frame(
                   TEXT, b'{"op":"pub","topic":"after","data":1}'))
    client.wait_closed()
    reader.alive()
    equal(list(reader.inbox), [])


@test
def half_a_frame_and_gone(bus):
    wait_until(lambda: bus.total("handshakes") == 0)
    fds = proc.fd_count(bus.pid(0))
    whole = wsframe.frame(TEXT, b'{"op":"sub","topic":"half","id":1}')
    for cut in range(1, len(whole)):
        client = bus.connect()
        client.raw(whole[:cut])
        client.abort()
    wait_until(lambda: proc.fd_count(bus.pid(0)) <= fds + 2, 8,
               "descriptors")
    equal(bus.connect().alive(), True)


@test
def a_frame_may_come_byte_by_byte_and_many_in_one_write(bus):
    client = bus.connect()
    for byte in wsframe.frame(TEXT, b'{"op":"ping","id":1}'):
        client.raw(bytes([byte]))
    equal(client.recv()["id"], 1)
    client.raw(b"".join(wsframe.frame(TEXT, b'{"op":"ping","id":%d}' % n)
                        for n in range(3000)))
    equal([client.recv()["id"] for _ in range(3000)], list(range(3000)))


@test
def random_bytes_and_mutated_frames_hurt_nobody(bus):
    pid = bus.pid(0)
    began = proc.cpu_seconds(pid)
    for number in range(300):
        client = bus.connect()
        if number % 2:
            data = bytearray(wsframe.frame(
                rng.choice((0, 1, 2, 8, 9, 10)),
                b'{"op":"pub","topic":"r","data":%d}' % number))
            for _ in range(rng.randrange(1, 5)):
                data[rng.randrange(len(data))] = rng.randrange(256)
        else:
            data = rng.randbytes(rng.randrange(1, 2000))
        try:
            client.raw(bytes(data))
            client.raw(wsframe.frame(TEXT, b'{"op":"ping"}'))
        except OSError:
            pass
        client.abort()
    equal(bus.connect().alive(), True)
    equal(bus.pid(0), pid)
    wait_until(lambda: bus.total("clients") < 100, 8, "they are gone")
    at_most(proc.cpu_seconds(pid) - began, 5.0, "CPU seconds")


if __name__ == "__main__":
    main(shared=Bus(1, **OPTIONS))
