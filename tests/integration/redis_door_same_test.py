#!/usr/bin/python3
"""The Redis door answers as Redis does, byte for byte.

The same bytes go to a real redis-server and to the door of a bus; what comes
back has to be the same.  Left out are commands that the door does not have;
what has to differ (INFO, CLIENT ID, COMMAND) is compared in form.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from bus import Bus
from check import Failed, equal, main, say, test
from door import Raw, command
from redis_server import RedisServer


class Both:
    """A server and a door."""

    def __init__(self):
        self.server = RedisServer()
        self.bus = Bus(1, allow=["somebody speaks HTTP"])

    def __enter__(self):
        self.server.__enter__()
        self.bus.__enter__()
        version = self.server.ask("INFO", "server")
        say("redis-server " + re.search(
            rb"redis_version:(\S+)", version).group(1).decode())
        return self

    def __exit__(self, *what):
        try:
            self.bus.__exit__(*what)
        finally:
            self.server.__exit__(*what)

    def show_log(self):
        self.bus.show_log()

    @property
    def paths(self):
        """Of the two sockets: the server's, the door's."""
        return self.server.path, os.path.join(self.bus.run_dir, "redis.sock")

    def talk(self, lines, mask=None):
        """Say each line (bytes, or words) to both; compare each answer."""
        with Raw(self.paths[0]) as one, Raw(self.paths[1]) as other:
            for line in lines:
                line = line if isinstance(line, bytes) else command(*line)
                wanted, got = one.raw(line), other.raw(line)
                if mask is not None:
                    wanted, got = mask(wanted), mask(got)
                equal(got, wanted, "answer to %r" % line[:200])

    def end(self, data):
        """Say it and hear what comes until the end of the connection."""
        answers = []
        for path in self.paths:
            with Raw(path) as raw:
                raw.sock.sendall(data)
                answers.append(raw.rest())
        equal(answers[1], answers[0], "answer to %.200r" % data)


def words(*lines):
    """Lines of words, each one command."""
    return [line.split() for line in lines]


@test
def small_commands_and_their_mistakes(both):
    both.talk(words(
        "PING", "ping hi", "PING a b", "ECHO", "ECHO x", "echo x y", "FOO",
        "foo a b c", "SELECT 0", "SELECT 15", "SELECT 16", "SELECT -1",
        "SELECT x", "SELECT 01", "SELECT 99999999999", "SELECT",
        "CLIENT", "CLIENT FOO", "CLIENT SETNAME", "CLIENT GETNAME",
        "CLIENT SETNAME joe", "client getname", "CLIENT GETNAME x",
        "CLIENT ID x", "CLIENT NO-EVICT on", "CLIENT NO-EVICT x", "AUTH",
        "AUTH x", "AUTH a b", "AUTH default x", "AUTH a b c", "COMMAND FOO",
        "COMMAND COUNT x", "RESET", "CLIENT GETNAME", "RESET x"))
    both.talk([("CLIENT", "SETNAME", "a b"), ("CLIENT", "SETNAME", "a\n"),
               ("CLIENT", "SETNAME", ""), ("CLIENT", "GETNAME"),
               ("ECHO", b"\x00\xff\r\n"), ("ECHO", ""),
               ("ECHO", "x" * 100000), ("",), ("foo\r\nbar\r\n",),
               ("a", b"a\0b", b"\xff"), ("x" * 200, "y" * 100, "z" * 100),
               ("CLIENT", "x\ny"), ("PUBSUB", "z" * 300)])


def without_id(answer):
    return re.sub(rb"\$2\r\nid\r\n:\d+", b"id", answer)


@test
def hello_and_its_mistakes(both):
    both.talk(words(
        "HELLO", "HELLO 4", "HELLO 1", "HELLO x", "HELLO 3 FOO",
        "HELLO 3 SETNAME", "HELLO 3 AUTH x", "HELLO 3 AUTH a b",
        "HELLO 3 AUTH default x SETNAME ann", "CLIENT GETNAME", "HELLO",
        "HELLO 2", "CLIENT GETNAME", "HELLO 3", "RESET", "CLIENT GETNAME",
        "HELLO"), without_id)
    both.talk([("HELLO", "3", "SETNAME", "a b"), ("HELLO",)], without_id)


@test
def subscribers_that_speak_version_2(both):
    both.talk(words(
        "SUBSCRIBE", "SUBSCRIBE a a b", "PSUBSCRIBE p*", "CLIENT ID", "FOO",
        "HELLO 3", "PING", "PING x", "PING x y", "ECHO x", "PUBLISH a b",
        "PUBSUB NUMPAT", "PUBSUB", "UNSUBSCRIBE a", "UNSUBSCRIBE x y",
        "UNSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE q p*", "PUNSUBSCRIBE",
        "PING", "SSUBSCRIBE x y", "ECHO a", "SUNSUBSCRIBE z x y",
        "SUNSUBSCRIBE", "ECHO a", "SUBSCRIBE a", "RESET", "ECHO b",
        "UNSUBSCRIBE", "PUBSUB CHANNELS"))


@test
def subscribers_that_speak_version_3(both):
    both.talk(words(
        "HELLO 3", "UNSUBSCRIBE", "UNSUBSCRIBE a b", "SUBSCRIBE a", "PING",
        "PING x", "ECHO x", "PUBLISH a x", "PSUBSCRIBE ?", "PUBLISH a y",
        "PUBLISH b z", "PUBLISH bb z", "SSUBSCRIBE s s", "SPUBLISH s 1",
        "SPUBLISH a 1", "PUBLISH s 1", "PUBSUB NUMSUB a b", "PUBSUB NUMSUB",
        "PUBSUB SHARDNUMSUB s", "PUBSUB SHARDCHANNELS", "PUBSUB CHANNELS",
        "PUBSUB CHANNELS x*", "PUBSUB CHANNELS [a]", "PUBSUB CHANNELS a b",
        "PUBSUB NUMPAT", "PUBSUB NUMPAT x", "PUBSUB FOO", "SUNSUBSCRIBE",
        "PUNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE x", "HELLO 2",
        "ECHO x", "RESET", "PUBLISH a x", "SPUBLISH a x"), without_id)


@test
def a_message_reaches_others_byte_for_byte(both):
    payloads = [b"", b"x", b"{}", b'"text"', b"\x00\xff\r\n", b"x" * 300000,
                "é".encode(), b" 1 ", b'{"a":1e400}']
    names = [b"news", b"", b"a\nb", b"\xff\xfe", b"n" * 1000, b"x*y"]
    for version in (2, 3):
        heard = []
        for path in both.paths:
            with Raw(path) as listener, Raw(path) as publisher:
                got = listener.ask("HELLO", version)[:4]
                for name in names:
                    got += listener.ask("SUBSCRIBE", name)
                got += listener.ask("PSUBSCRIBE", "n*")  # Redis has no order
                for name in names:
                    for payload in payloads:
                        got += publisher.ask("PUBLISH", name, payload)
                        got += listener.ask("PING")
            heard.append(got)
        equal(heard[1], heard[0], "version %d" % version)


@test
def patterns_match_the_same_names(both):
    patterns = ["h?llo", "h*llo", "h[ae]llo", "h[^e]llo", "h[a-b]llo",
                "h[b-a]llo", "h\\?llo", "*", "?", "", "**o", "h[", "h[^",
                "[", "[]", "[^]", "h[a\\]e]llo", "h\\", "*\\", "h*l*o*", "h[a-",
                "*h*e*x*", "[h-]*", "[\\h]*", "h]llo", "[a-z]*[0-9]", "[^a-g]*",
                "*?", "?*", "[-a]b", "[a-]b", "a**", "\\*", "[[]", "[*]"]
    names = ["hello", "hallo", "hbllo", "hllo", "heeeello", "h?llo", "", "h",
             "o", "h]llo", "hlo", "hex", "[", "]", "\\", "ab", "-b", "z9",
             "h-llo", "h\\", "a", "*", "h^llo", "h[", "heo"]
    with Raw(both.paths[0]) as one, Raw(both.paths[1]) as other:
        for raw in (one, other):
            raw.ask("SUBSCRIBE", *names)
            raw.ask("SSUBSCRIBE", *names)
    for path in both.paths:
        with Raw(path) as raw:
            equal(raw.ask("PUBSUB", "CHANNELS"), b"*0\r\n", "all have left")
    answers = []
    for path in both.paths:
        with Raw(path) as listener, Raw(path) as raw:
            listener.ask("SSUBSCRIBE", *names)
            answers.append([
                sorted(raw.ask("PUBSUB", "SHARDCHANNELS", pattern).split(
                    b"\r\n")) for pattern in patterns])
    for at, pattern in enumerate(patterns):
        equal(answers[1][at], answers[0][at], "what matches %r" % pattern)


@test
def lines_that_are_typed(both):
    both.talk([b"\r\nPING\r\n", b"  PING  \r\n", b"PING\n",
               b"ECHO 'it\\'s'\r\n",
               b'ECHO "a\\x41\\n\\r\\t\\a\\b\\q\\\\\\""\r\n', b"\t\r\n",
               b'foo "\\x4" \'a\\nb\'\r\n', b'""\r\n', b'ECHO ""\r\n',
               b'ECHO "\\x"\r\n', b'ECHO a"b"\r\n', b"ECHO a'b' \r\n",
               b"*0\r\n", b"*-1\r\n",
               b"*1\r\n$4\r\nPINGxx"])


@test
def what_cannot_be_understood_ends_the_connection(both):
    for data in (b"*x\r\n", b"*1\r\n:4\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n",
                 b"*1\r\n$600000000\r\n", b"*2147483648\r\n", b"*1\r\n\r\n",
                 b'SET "a\r\n', b'foo "a"b\r\n', b"foo 'a\r\n", b"x" * 70000,
                 b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000,
                 b"*1\n$4\nPING\r\n", b"*1\r\n$4 \r\nPING\r\n", b"*+1\r\n",
                 b"*01\r\n$4\r\nPING\r\n", b"*\r\n", b"*1\r\n$\r\n",
                 b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", b"Host: x\r\n",
                 b"PING\r\nQUIT\r\nPING\r\n", b"QUIT now\r\n"):
        both.end(data)


@test
def an_answer_does_not_depend_on_how_the_bytes_are_cut(both):
    whole = (command("HELLO", "3") + command("SUBSCRIBE", "a", "b") +
             b"PING 'x y'\r\n" + command("PUBLISH", "a", "x" * 50) +
             command("ECHO", "\r\n") + b"QUIT\r\n")
    answers = set()
    for size in (1, 2, 3, 7, 50, len(whole)):
        with Raw(both.paths[1]) as raw:
            for at in range(0, len(whole), size):
                raw.sock.sendall(whole[at:at + size])
            answers.add(without_id(raw.rest()))
    equal(len(answers), 1, "different answers: %r" % answers)
    with Raw(both.paths[0]) as raw:
        raw.sock.sendall(whole)
        equal(answers.pop(), without_id(raw.rest()), "as Redis")


def shape(value):
    """RESP with every text and number replaced by its type."""
    return re.sub(rb"([$:+,=])[^\r]*", rb"\1", value)


@test
def what_has_to_differ_has_the_same_form(both):
    with Raw(both.paths[0]) as one, Raw(both.paths[1]) as other:
        for raw in (one, other):
            equal(shape(raw.ask("CLIENT", "ID")), b":\r\n", "id")
        for version in (2, 3):
            for raw in (one, other):
                raw.ask("HELLO", version)
                equal(raw.ask("INFO")[:1], b"$" if version == 2 else b"=",
                      "INFO")
                number = int(raw.ask("COMMAND", "COUNT")[1:-2])
                equal(raw.ask("COMMAND").split(b"\r\n")[0],
                      b"*%d" % number, "COMMAND")
                docs = raw.ask("COMMAND", "DOCS").split(b"\r\n")[0]
                equal(docs, b"*%d" % (2 * number) if version == 2
                      else b"%%%d" % number, "COMMAND DOCS")
            for name in ("publish", "subscribe", "quit", "reset", "nope",
                         "client|id", "auth", "hello", "echo", "client|nope",
                         "unsubscribe", "select", "pubsub|numsub"):
                ask = ("COMMAND", "INFO", name)
                equal(other.ask(*ask), one.ask(*ask), "COMMAND INFO " + name)


@test
def info_tells_what_clients_look_for(both):
    fields = {}
    with Raw(both.paths[1]) as raw:
        text = raw.ask("INFO").decode()
        for line in text.split("\r\n"):
            if ":" in line:
                name, value = line.split(":", 1)
                fields[name] = value
        for name, value in (("loading", "0"), ("role", "master"),
                            ("redis_mode", "standalone"),
                            ("cluster_enabled", "0")):
            equal(fields.get(name), value, name)
        if "# Server" in raw.ask("INFO", "clients").decode():
            raise Failed("INFO clients has other sections")
        equal(raw.ask("INFO", "nope"), b"$0\r\n\r\n", "no such section")


main(Both())
