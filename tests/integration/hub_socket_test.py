#!/usr/bin/python3
"""hub.sock and control.sock: polite programs are served, all others cut off.

Whatever is thrown at them, the clients of the bus notice nothing.
"""
import os
import socket
import stat
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import ipc
import proc
from binary import MEMORY
from bus import Bus
from check import at_least, at_most, equal, main, rng, test, wait_until
from ipc import Link, Program


def undisturbed(bus):
    """Two clients on two workers talk through the hub."""
    first, second = bus.connect(0), bus.connect(1)
    first.sub("calm")
    second.pub("calm", 1)
    equal(first.msg("calm")["data"], 1)
    first.close()
    second.close()


def cut_off(bus, name, data):
    """These bytes end the connection and nothing else."""
    pids = bus.pids()
    link = Link(bus.run_dir)
    link.raw(data)
    try:
        link.wait_gone(4)
    except TimeoutError:
        raise AssertionError("still connected after " + name) from None
    link.close()
    undisturbed(bus)
    equal(bus.pids(), pids, "workers after " + name)


@test
def the_sockets_are_for_this_user_alone(bus):
    equal(stat.S_IMODE(os.stat(bus.run_dir).st_mode), 0o700)
    for name in ("hub.sock", "control.sock"):
        path = os.path.join(bus.run_dir, name)
        equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, name)
        equal(stat.S_ISSOCK(os.stat(path).st_mode), True, name)
    equal(stat.S_IMODE(os.stat(os.path.join(
        bus.run_dir, "stats")).st_mode), 0o600)


@test
def a_program_publishes_and_listens(bus):
    program = Program(bus.run_dir)
    equal(program.id[1] >= 0x8000, True, "slot of a program")
    program.join("t:talk")
    client = bus.connect(0)
    client.sub("talk")
    client.pub_raw("talk", "1e400")
    equal(client.msg("talk").data_text, b"1e400")
    equal(program.envelope(), (client.node, "t:talk", b"1e400", 0))
    program.publish("t:talk", b'{"a": 1}')
    got = client.msg("talk")
    equal(got.data_text, b'{"a": 1}')
    equal(got["from"], "%08x-%d-%d" % program.id)
    program.publish("t:talk", b"\xff\x00", ipc.BINARY)
    equal(client.msg("talk")["binary"], True)
    program.close()


@test
def the_origin_is_stamped_by_the_hub(bus):
    program, other = Program(bus.run_dir), Program(bus.run_dir)
    other.join("t:who")
    program.send("PUBLISH", ipc.publish("t:who", b"1",
                                        origin=(0xdead, 0, 1)))
    equal(other.envelope()[0], "%08x-%d-%d" % program.id)
    program.close()
    other.close()


@test
def a_program_does_not_get_its_own_envelopes_back(bus):
    program, other = Program(bus.run_dir), Program(bus.run_dir)
    for each in (program, other):
        each.join("t:loop")
    program.publish("t:loop", b"1")
    other.publish("t:loop", b"2")
    equal(program.envelope()[2], b"2")
    equal(other.envelope()[2], b"1")
    program.close()
    other.close()


@test
def interest_is_counted_and_forgotten(bus):
    wait_until(lambda: bus.wanted() == 0)
    program = Program(bus.run_dir)
    for name in ("t:a", "t:b", "t:a"):
        program.join(name)
    equal(bus.wanted(), 2)
    program.leave("t:b")
    wait_until(lambda: bus.wanted() == 1)
    program.leave("t:none")
    program.close()
    wait_until(lambda: bus.wanted() == 0)
    equal(bus.wanted("channels"), 0)


@test
def ping_is_answered_after_everything_before_it(bus):
    program = Program(bus.run_dir)
    program.send("JOIN", struct.pack("=I", 0) + b"t:quiet")
    program.send("PING", struct.pack("=I", 42))
    kinds = []
    while not kinds or kinds[-1][0] != "PONG":
        kinds.append(program.recv())
    equal(kinds[-1][1], struct.pack("=I", 42))
    equal("JOINED" in [kind for kind, _ in kinds], False)
    program.close()


@test
def another_version_is_refused_with_words(bus):
    for version in (0, ipc.VERSION - 1, ipc.VERSION + 1, 0xffffffff):
        link = Link(bus.run_dir)
        link.send("HELLO", ipc.hello(version=version))
        kind, body = link.recv()
        equal(kind, "REFUSED")
        equal(b"version" in body[4:], True, body)
        link.wait_gone()
        link.close()
    undisturbed(bus)


@test
def nonsense_is_cut_off(bus):
    before = bus.hub("violations")
    large = ipc.HELLO.size + 4096 + 1
    for name, data in (
            ("an HTTP request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("ones", b"\xff" * 64),
            ("an unknown type", ipc.message(99, b"x")),
            ("a type of the hub", ipc.message("WELCOME", b"x" * 64)),
            ("a short HELLO", ipc.message("HELLO", b"xx")),
            ("a long HELLO", ipc.message("HELLO", b"x" * large)),
            ("4 GB to come", ipc.message("HELLO", b"x", 0xffffffff)),
            ("a kind that is none", ipc.message(
                "HELLO", ipc.hello(kind=9))),
            ("READY before HELLO", ipc.message("READY")),
            ("PUBLISH before HELLO", ipc.message(
                "PUBLISH", ipc.publish("t:calm", b"1"))),
            ("HELLO twice", ipc.message("HELLO", ipc.hello()) * 2)):
        cut_off(bus, name, data)
    at_least(bus.hub("violations"), before + 5, "violations are counted")


@test
def a_welcome_is_no_licence(bus):
    welcome = ipc.message("HELLO", ipc.hello()) + ipc.message("READY")
    for name, data in (
            ("JOINED from below", ipc.message(
                "JOINED", struct.pack("=I", 1))),
            ("CONFIG from below", ipc.message("CONFIG", b"workers 1\n")),
            ("DRAIN from below", ipc.message("DRAIN", b"\0" * 8)),
            ("JOIN of nothing", ipc.message("JOIN", b"\0\0\0\0")),
            ("a long channel", ipc.message(
                "JOIN", b"\0\0\0\0" + b"x" * 513)),
            ("a channel longer than its message", ipc.message(
                "PUBLISH", ipc.PUBLISH.pack(0, 0, 0, 1, 0, 500, 0) + b"x")),
            ("a channel of no length", ipc.message(
                "PUBLISH", ipc.PUBLISH.pack(0, 0, 0, 1, 0, 0, 0) + b"x")),
            ("a payload over the limit", ipc.message(
                "PUBLISH", b"x" * 64, (64 << 20) + 1024))):
        cut_off(bus, name, welcome + data)


@test
def half_a_message_and_gone_or_byte_by_byte(bus):
    whole = (ipc.message("HELLO", ipc.hello()) + ipc.message("READY")
             + ipc.message("JOIN", struct.pack("=I", 3) + b"t:half"))
    for cut in range(0, len(whole), 5):
        link = Link(bus.run_dir)
        link.raw(whole[:cut])
        link.close()
    slow = Link(bus.run_dir)
    for byte in whole:
        slow.raw(bytes([byte]))
    equal(slow.wait("JOINED"), struct.pack("=I", 3))
    slow.close()
    wait_until(lambda: bus.hub("nodes") == 2 and bus.wanted() == 0)
    undisturbed(bus)


@test
def a_hundred_silent_and_random_connections_disturb_nobody(bus):
    fds = proc.fd_count(bus.process.pid)
    links = [Link(bus.run_dir) for _ in range(100)]
    for link in links[50:]:
        link.raw(rng.randbytes(rng.randrange(1, 3000)))
    undisturbed(bus)
    for link in links:
        link.close()
    wait_until(lambda: proc.fd_count(bus.process.pid) <= fds, 5,
               "descriptors")


@test
def a_program_that_does_not_read_is_bounded_and_cut_off_or_dropped_for():
    with Bus(2, hub_queue="256k", allow=[r"drop|queue|slow|cut|gone"]) as bus:
        program = Program(bus.run_dir)
        program.join("t:flood")
        writer, reader = bus.connect(0), bus.connect(1)
        reader.sub("flood")
        before = proc.memory_kb(bus.process.pid)
        for number in range(400):
            writer.pub_raw("flood", '"' + "x" * 10000 + '"')
            reader.msg("flood")
        hub = bus.status()["hub"]
        equal(hub["drop_slow"] > 0, True, "drops")
        at_most(hub["queue_bytes_max"], 2 * 262144 + 16384, "queue")
        at_most(proc.memory_kb(bus.process.pid), before + 4096 + MEMORY,
                "memory")
        program.close()


@test
def a_program_joins_max_channels_and_no_more():
    with Bus(1, max_channels=50, allow=[r"max-channels|cut|gone"]) as bus:
        program = Program(bus.run_dir)
        for number in range(50):
            program.join("t:%d" % number)
        program.leave("t:0")
        program.join("t:0")
        equal(bus.wanted(), 50)
        program.send("JOIN", b"\0\0\0\0t:more")
        program.wait_gone()
        wait_until(lambda: bus.wanted() == 0, 5, "they are forgotten")
        equal(bus.hub("violations"), 1)
        equal(bus.connect().alive(), True)


def control(bus, data, timeout=8.0):
    """What control.sock answers to these bytes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout)
        sock.connect(os.path.join(bus.run_dir, "control.sock"))
        got = b""
        try:
            sock.sendall(data)
            while True:
                more = sock.recv(4096)
                if not more:
                    return got.decode()
                got += more
        except (ConnectionResetError, BrokenPipeError):
            return got.decode()


@test
def the_control_socket_answers_one_line_and_refuses_nonsense(bus):
    equal(control(bus, b"ping\n").startswith("ok"), True)
    for name, data in (("nonsense", b"dance\n"), ("nothing", b"\n"),
                       ("binary", bytes(range(256)) + b"\n"),
                       ("a long line", b"x" * 5000 + b"\n"),
                       ("scale what", b"scale many\n"),
                       ("scale to none", b"scale 0\n"),
                       ("scale to a lot", b"scale 99999\n"),
                       ("restart nobody", b"restart 77\n"),
                       ("two words too many", b"stop it now\n")):
        answer = control(bus, data)
        equal(answer.startswith("error 2 "), True, "%s: %r" % (name, answer))
        equal(answer.count("\n"), 1, name)
    undisturbed(bus)


@test
def the_control_socket_does_not_wait_for_ever(bus):
    fds = proc.fd_count(bus.process.pid)
    answer = control(bus, b"relo", 9)
    equal(answer == "" or answer.startswith("error "), True, answer)
    silent = []
    for _ in range(40):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(2)
        sock.connect(os.path.join(bus.run_dir, "control.sock"))
        silent.append(sock)
    for sock in silent:
        sock.close()
    wait_until(lambda: proc.fd_count(bus.process.pid) <= fds, 8)
    equal(control(bus, b"ping\n").startswith("ok"), True)


if __name__ == "__main__":
    main(shared=Bus(2, allow=[
        r"hub|node|violation|version|refus|control|program"]))
