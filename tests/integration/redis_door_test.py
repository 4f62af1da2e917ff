#!/usr/bin/python3
"""The Redis door: who comes by it is on the bus.

What it answers is compared with Redis in redis_door_same_test.py; here it is
about the bus behind it, its limits, and who is let in.
"""
import base64
import json
import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from binary import BUSCTL
from bus import Bus
from check import at_least, at_most, equal, main, test, wait_until
from door import Raw, command


def door(bus, **more):
    """A connection to the door of a bus."""
    return Raw(os.path.join(bus.run_dir, "redis.sock"), **more)


def bulk(*words):
    """Strings as they stand in an answer."""
    words = [w if isinstance(w, bytes) else w.encode() for w in words]
    return b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def message(channel, data):
    """What a subscriber gets."""
    return b"*3\r\n" + bulk("message", channel, data)


@test
def json_reaches_clients_of_every_worker_as_it_was_written(bus):
    clients = [found[0] for found in bus.connect_each().values()]
    for client in clients:
        client.sub("news")
    with door(bus) as raw:
        for text in ('{"a":1e400}', '[1, 2]', "12345678901234567890",
                     '"te\\u00e9xt"', "null", "true"):
            equal(raw.ask("PUBLISH", "news", text), b":2\r\n", "workers")
            for client in clients:
                opcode, got = client.message()
                equal(opcode, 1, "text")
                equal(('"data":%s,' % text).encode() in got or
                      ('"data":%s}' % text).encode() in got, True,
                      "%r in %r" % (text, got))


@test
def text_becomes_a_string_and_bytes_are_binary(bus):
    client = bus.connect()
    client.sub("mixed")
    with door(bus) as raw:
        for text in ("hello", "", '{"half', "é \U0001f600", 'say "hi"\n',
                     "nul", "{} {}", "NaN", "\x7f"):
            equal(raw.ask("PUBLISH", "mixed", text.encode()), b":1\r\n")
            equal(client.msg("mixed")["data"], text, "text")
        for data in (b"\xff\x00", b"a\0b", b"\xc3", b"\xed\xa0\x80"):
            equal(raw.ask("PUBLISH", "mixed", data), b":1\r\n")
            got = client.msg("mixed")
            equal(got.get("binary"), True, "binary %r" % data)
            equal(base64.b64decode(got["data"]), data, "bytes")


@test
def publishes_of_every_worker_reach_the_door(bus):
    with door(bus) as raw, door(bus) as three:
        three.ask("HELLO", "3")
        for one in (raw, three):
            one.ask("SUBSCRIBE", "up")
        for slot, found in sorted(bus.connect_each().items()):
            found[0].ok("pub", topic="up", data={"slot": slot})
            text = json.dumps({"slot": slot}).encode()
            raw.expect(message("up", text))
            three.expect(b">3\r\n" + bulk("message", "up", text))
        found[0].publish_binary("up", b"\x00\xff")
        raw.expect(message("up", b"\x00\xff"))


@test
def patterns_hear_of_the_whole_bus_once_for_each(bus):
    clients = bus.connect_each()
    with door(bus) as raw, door(bus) as publisher:
        raw.ask("PSUBSCRIBE", "chat:*")
        raw.ask("PSUBSCRIBE", "nothing*")
        for slot, found in sorted(clients.items()):
            found[0].ok("pub", topic="chat:%d" % slot, data=slot)
            raw.expect(b"*4\r\n" + bulk("pmessage", "chat:*",
                                        "chat:%d" % slot, str(slot)))
            found[0].ok("pub", topic="other", data=slot)
        equal(publisher.ask("PUBLISH", "chat:x", "y"), b":1\r\n")
        raw.expect(b"*4\r\n" + bulk("pmessage", "chat:*", "chat:x", "y"))
        raw.ask("SUBSCRIBE", "chat:x")
        equal(publisher.ask("PUBLISH", "chat:x", "z"), b":2\r\n")
        raw.expect(message("chat:x", "z") + b"*4\r\n" + bulk(
            "pmessage", "chat:*", "chat:x", "z"))
        equal(raw.ask("PUNSUBSCRIBE", "chat:*", "nothing*")[-4:], b":1\r\n")
        found[0].ok("pub", topic="chat:y", data=1)
        found[0].ok("pub", topic="chat:x", data=2)
        raw.expect(message("chat:x", "2"))


@test
def from_door_to_door_everything_stays_what_it_was(bus):
    payloads = [b"", b"plain", b'"quoted"', b"\x00", b"\xff" * 9, b" {} ",
                b"\r\n", b"x" * 2000000]
    with door(bus) as one, door(bus) as other:
        one.ask("SUBSCRIBE", "bytes")
        for payload in payloads:
            equal(other.ask("PUBLISH", "bytes", payload), b":1\r\n")
            one.expect(message("bytes", payload))


@test
def a_name_that_no_topic_can_have_stays_at_the_door(bus):
    with door(bus) as one, door(bus) as other:
        wait_until(lambda: bus.wanted() == 0)  # those of others have gone
        for name in (b"", b"a\nb", b"\xff", b"n" * 1024):
            one.ask("SUBSCRIBE", name)
            equal(other.ask("PUBLISH", name, "x"), b":1\r\n")
            one.expect(message(name, "x"))
        one.ask("SSUBSCRIBE", "shard")
        equal(other.ask("SPUBLISH", "shard", "x"), b":1\r\n")
        one.expect(b"*3\r\n" + bulk("smessage", "shard", "x"))
        equal(bus.wanted(), 0, "the hub knows nothing of them")


@test
def a_name_that_is_too_long_to_be_matched_is_refused(bus):
    long = b"*" + b"a" * 1024
    refused = b"-ERR channel names and patterns have at most 1024 bytes\r\n"
    with door(bus) as raw:
        for words in (("SUBSCRIBE", long), ("PSUBSCRIBE", long),
                      ("SSUBSCRIBE", long), ("PUBLISH", long, "x"),
                      ("SPUBLISH", long, "x"), ("PUBSUB", "CHANNELS", long),
                      ("PUBSUB", "SHARDCHANNELS", long)):
            equal(raw.ask(*words), refused, words[0])
        equal(raw.ask("PUBSUB", "NUMPAT"), b":0\r\n", "patterns")
        equal(raw.ask("SUBSCRIBE", "short", long, "never"),
              b"*3\r\n" + bulk("subscribe", "short") + b":1\r\n" + refused)


@test
def there_are_at_most_a_thousand_patterns(bus):
    with door(bus) as one, door(bus) as other:
        for number in range(1000):
            one.ask("PSUBSCRIBE", "p%d*" % number)
        refused = b"-ERR max number of patterns reached\r\n"
        equal(one.ask("PSUBSCRIBE", "more*"), refused)
        equal(other.ask("PSUBSCRIBE", "other*"), refused)
        # One that is there already costs nothing more.
        equal(other.ask("PSUBSCRIBE", "p7*"),
              b"*3\r\n" + bulk("psubscribe", "p7*") + b":1\r\n")
        one.ask("PUNSUBSCRIBE", "p8*")
        equal(other.ask("PSUBSCRIBE", "other*"),
              b"*3\r\n" + bulk("psubscribe", "other*") + b":2\r\n")


@test
def numbers_of_subscribers_count_each_worker_once(bus):
    clients = bus.connect_each(per_worker=2)
    for found in clients.values():
        for client in found:
            client.sub("counted")
    with door(bus) as one, door(bus) as other:
        one.ask("SUBSCRIBE", "counted")
        wanted = bulk("counted") + b":3\r\n" + bulk("none") + b":0\r\n"
        equal(other.ask("PUBSUB", "NUMSUB", "counted", "none"),
              b"*4\r\n" + wanted, "NUMSUB")
        equal(other.ask("PUBLISH", "counted", "1"), b":3\r\n", "PUBLISH")
        one.expect(message("counted", "1"))
    wait_until(lambda: bus.hub("door_clients") == 0, what="both have gone")
    with door(bus) as raw:
        equal(raw.ask("PUBLISH", "counted", "2"), b":2\r\n", "PUBLISH")


@test
def the_hub_forgets_what_a_client_wanted_that_has_gone(bus):
    wait_until(lambda: bus.wanted() == 0, what="nobody wants anything")
    before = bus.status()["hub"]
    with door(bus) as raw:
        raw.ask("SUBSCRIBE", *["gone:%d" % i for i in range(1000)])
        raw.ask("PSUBSCRIBE", "x*")
        equal(bus.hub("interests"), before["interests"] + 1000, "joined")
    wait_until(lambda: bus.hub("interests") == before["interests"],
               what="forgotten")
    equal(bus.hub("channels"), before["channels"], "channels")


@test
def order_is_kept_and_nothing_is_lost_or_doubled(bus):
    client = bus.connect()
    client.sub("order")
    count = 5000
    with door(bus) as one, door(bus) as other:
        one.ask("SUBSCRIBE", "order")
        other.sock.sendall(b"".join(
            command("PUBLISH", "order", i) for i in range(count)))
        one.expect(b"".join(message("order", str(i)) for i in range(count)))
        other.expect(b":2\r\n" * count)
    for i in range(count):
        equal(client.msg("order")["data"], i, "in order")
    equal(client.inbox, type(client.inbox)(), "no gap is told")


@test
def a_subscriber_that_does_not_read_is_cut_and_the_others_go_on():
    with Bus(1, redis_output="256k") as bus:
        with door(bus) as slow, door(bus) as fast, door(bus) as publisher:
            slow.ask("SUBSCRIBE", "flood")
            fast.ask("SUBSCRIBE", "flood")
            data = b"x" * 60000
            for _ in range(60):
                publisher.ask("PUBLISH", "flood", data)
                fast.expect(message("flood", data))
            equal(bus.hub("door_cut"), 1, "cut")
            equal(publisher.ask("PUBLISH", "flood", "y"), b":1\r\n")
            at_most(len(slow.rest()), 60 * 60100, "what the slow one got")
            # An argument that no subscriber could get is not read.
            publisher.sock.sendall(b"*2\r\n$4\r\nECHO\r\n$262145\r\n")
            equal(publisher.rest(),
                  b"-ERR Protocol error: invalid bulk length\r\n")


@test
def clients_beyond_the_limit_are_told_and_turned_away():
    with Bus(1, redis_clients=2) as bus:
        with door(bus) as one, door(bus) as other:
            one.ask("PING")
            other.ask("PING")
            with door(bus) as third:
                equal(third.rest(),
                      b"-ERR max number of clients reached\r\n", "third")
            equal(bus.hub("door_refused"), 1, "refused")
            equal(bus.hub("door_clients"), 2, "clients")
        wait_until(lambda: bus.hub("door_clients") == 0, what="gone")
        with door(bus) as again:
            equal(again.ask("PING"), b"+PONG\r\n", "room again")


def tcp(bus):
    """Where the door listens on TCP."""
    found = bus.wait_log(r"redis door: listening on ([\d.]+):(\d+)")
    return found.group(1), int(found.group(2))


@test
def tcp_with_a_password_from_a_file():
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"),
                        "cbus-door-%d" % os.getpid())
    with open(path, "w", encoding="utf-8") as file:
        file.write("s3cret word\nsecond line\n")
    try:
        bus = Bus(1, redis_listen="127.0.0.1:0", redis_password=path)
        with bus:
            for where in (tcp(bus), os.path.join(bus.run_dir, "redis.sock")):
                with Raw(where) as raw:
                    check_password(raw)
                with Raw(where) as raw:
                    check_strangers_limits(raw)
            equal("s3cret" in bus.log(), False, "the log has it")
    finally:
        os.unlink(path)


def check_password(raw):
    noauth = b"-NOAUTH Authentication required.\r\n"
    wrong = (b"-WRONGPASS invalid username-password pair or user is "
             b"disabled.\r\n")
    equal(raw.ask("PING"), noauth)
    equal(raw.ask("PUBLISH", "a", "b"), noauth)
    equal(raw.ask("SUBSCRIBE", "a"), noauth)
    equal(raw.ask("CLIENT", "ID"), noauth)
    equal(raw.ask("HELLO", "3")[:13], b"-NOAUTH HELLO")
    equal(raw.ask("AUTH", "s3cret"), wrong)
    equal(raw.ask("AUTH", "s3cret word\n"), wrong)
    equal(raw.ask("AUTH", "ann", "s3cret word"), wrong)
    equal(raw.ask("HELLO", "3", "AUTH", "default", ""), wrong)
    equal(raw.ask("AUTH", "s3cret word"), b"+OK\r\n")
    equal(raw.ask("PING"), b"+PONG\r\n")
    equal(raw.ask("RESET"), b"+RESET\r\n")
    equal(raw.ask("PING"), noauth, "after RESET")
    equal(raw.ask("HELLO", "3", "AUTH", "default", "s3cret word")[:1], b"%")
    equal(raw.ask("PING"), b"+PONG\r\n")


def check_strangers_limits(raw):
    raw.sock.sendall(b"*11\r\n")
    equal(raw.rest(),
          b"-ERR Protocol error: unauthenticated multibulk length\r\n")


@test
def a_mistake_in_its_options_is_told_at_start():
    for options, status, words in (
            (dict(redis_listen="0.0.0.0:0"), 2, "not a loopback address"),
            (dict(redis_listen="nowhere"), 2, "redis-listen"),
            (dict(env={"CLUSTERBUS_REDIS_DOOR": "false"},
                  redis_listen="127.0.0.1:0"), 2,
             "with no-redis-door nobody listens there"),
            (dict(redis_password="/nonexistent"), 1, "No such file"),
            (dict(redis_password="/dev/null"), 1, "first line is empty")):
        bus = Bus(1, checked=False, **options)
        try:
            equal(bus.spawn().wait(20), status, "exit status")
            at_least(bus.log().find(words), 0,
                     "%r in the log: %s" % (words, bus.log()))
        finally:
            bus.kill()


@test
def without_a_door_there_is_no_socket():
    with Bus(1, env={"CLUSTERBUS_REDIS_DOOR": "false"}) as bus:
        equal(os.path.exists(os.path.join(bus.run_dir, "redis.sock")), False)


@test
def the_door_is_for_its_user_only_and_goes_with_the_bus():
    bus = Bus(1)
    with bus:
        path = os.path.join(bus.run_dir, "redis.sock")
        equal(os.stat(path).st_mode & 0o777, 0o600, "mode")
        raw = door(bus)
        raw.ask("SUBSCRIBE", "x")
    equal(raw.rest(), b"", "closed")
    equal(os.path.exists(path), False, "the socket is gone")


@test
def a_new_primary_opens_the_door_again_to_the_same_workers():
    with Bus(2) as bus:
        clients = [found[0] for found in bus.connect_each().values()]
        for client in clients:
            client.sub("again")
        with door(bus) as raw:
            equal(raw.ask("PUBLISH", "again", "1"), b":2\r\n")
            for client in clients:
                equal(client.msg("again")["data"], 1)
            bus.process.kill()
            bus.process.wait()
            equal(raw.rest(), b"", "closed")
        bus.start()
        with door(bus) as raw:
            wait_until(lambda: raw.ask("PUBLISH", "again", "2") == b":2\r\n",
                       what="both workers are back")
        for client in clients:
            equal(client.msg("again")["data"], 2)
        bus.clients.clear()


@test
def half_a_command_and_garbage_hurt_nobody(bus):
    with door(bus) as good:
        good.ask("SUBSCRIBE", "safe")
        for data in (b"*3\r\n$7\r\nPUB", b"*1\r\n$100000\r\nx", b"\xff" * 3000,
                     b"*2\r\n$-5\r\n", b"$3\r\nfoo\r\n", b"\0" * 100):
            with door(bus) as bad:
                bad.sock.sendall(data)
                bad.sock.shutdown(socket.SHUT_WR)
                bad.rest()
        with door(bus) as other:
            equal(other.ask("PUBLISH", "safe", "x"), b":1\r\n")
        good.expect(message("safe", "x"))


@test
def busctl_bench_runs_against_the_door(bus):
    path = "unix:" + os.path.join(bus.run_dir, "redis.sock")
    done = subprocess.run(
        [BUSCTL, "bench", "--protocol", "redis", "--url", path,
         "--subscribers", "20", "--topics", "4", "--publishers", "2",
         "--duration", "0.5", "--warmup", "0.1", "--verify", "--json"],
        capture_output=True, text=True, timeout=50)
    equal(done.returncode, 0, done.stdout + done.stderr)


main(Bus(2))
