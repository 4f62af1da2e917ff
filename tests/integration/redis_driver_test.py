#!/usr/bin/python3
"""The Redis driver alone, against a real server.

timeout: 200
"""
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import BUILD
from binary import PATIENCE
from check import at_most, equal, main, skip_all, test, wait_until
from redis_server import RedisServer
from sync_player import PUBLISH, SUBSCRIBE, Player

if not os.path.exists(os.path.join(BUILD, "clusterbus-redis.so")):
    skip_all("built without hiredis")

USERS = ["ann on >sesame%open resetchannels &play* +@pubsub +client|setname"
         " +select",
         "bob on >deaf resetchannels &other +@all"]


def play(server, url=None, **more):
    """A driver over the Unix socket."""
    return Player("redis", url or server.url, **more)


def certificate(folder, name):
    """A self-signed certificate for an address: (cert, key)."""
    cert, key = (os.path.join(folder, name.rpartition(":")[2] + end)
                 for end in (".pem", ".key"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=redis", "-addext", "subjectAltName=" + name, "-keyout", key,
         "-out", cert], check=True, capture_output=True)
    return cert, key


def has_tls():
    """Was the driver built with a hiredis that has it?"""
    with Player("redis", "rediss://127.0.0.1:1?ca=/nowhere") as player:
        line = player.next()
    assert line.startswith("check "), line
    if "needs hiredis 1.0" in line:
        return False
    assert "ca '/nowhere'" in line, line
    return True


def envelope(text, identity=None, topic="chat"):
    """What crossws would publish."""
    return json.dumps({"id": identity or str(uuid.uuid4()), "msg": {
        "namespace": "/_ws", "topic": topic, "binary": False, "data": text}})


@test
def what_one_publishes_the_other_gets_and_itself_not(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        text = 'he "said" \u00e9\u4e16\U0001f600'
        equal(ann.publish("chat", text), (0, 1))
        equal(bob.wait("got"), "got  chat text " + text)
        equal(bob.publish("chat", "and back"), (0, 1))
        equal(ann.wait("got"), "got  chat text and back")
        assert not [line for line in ann.seen if "said" in line], ann.seen


@test
def a_hundred_identical_messages_arrive_a_hundred_times(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        equal(ann.publish("chat", "the same", 100), (0, 100))
        for _ in range(100):
            equal(bob.wait("got"), "got  chat text the same")


@test
def what_is_on_the_wire_is_the_envelope_on_the_channel_verbatim(server):
    with server.connect() as spy, play(
            server, channel="pl ay:*").ready() as ann:
        spy.ask("SUBSCRIBE", "pl ay:*")
        ann.publish("chat", 'a "b" \u20ac')
        equal(spy.read(), [b"message", b"pl ay:*", (
            '{"id":"%s","msg":{"namespace":"","topic":"chat","binary":false,'
            '"data":"a \\"b\\" \u20ac"}}' % ann.id).encode()])
        ann.publish_bytes("chat", 4)
        equal(json.loads(spy.read()[2])["msg"], {
            "namespace": "", "topic": "chat", "binary": True,
            "data": "AAAAAA=="})


@test
def a_foreign_publish_arrives_and_garbage_does_not(server):
    with play(server).ready() as ann:
        for text in ("", "nonsense", "{}", '{"id":1,"msg":{}}', b"\xff\0",
                     envelope("mine", ann.id), envelope("x") + "x"):
            server.ask("PUBLISH", "play", text)
        server.ask("PUBLISH", "other", envelope("elsewhere"))
        server.ask("PUBLISH", "play", envelope("good"))
        equal(ann.wait("got"), "got /_ws chat text good")
        equal([line for line in ann.seen if line.startswith("got")],
              ["got /_ws chat text good"])
        equal([line for line in ann.seen if line.startswith("error")], [])


@test
def users_passwords_databases_and_tcp_work(server):
    url = "redis://ann:sesame%%25open@127.0.0.1:%d/3" % server.port
    with play(server, url).ready() as ann, play(server).ready() as bob:
        ann.publish("chat", "hello")
        equal(bob.wait("got"), "got  chat text hello")
        listed = server.ask("CLIENT", "LIST").decode()
        equal(listed.count("name=clusterbus"), 4)
        equal(listed.count("user=ann"), 2)
        equal(listed.count("db=3"), 2)


@test
def a_name_is_looked_up_without_waiting(server):
    with play(server, "redis://localhost:%d" % server.port).ready():
        pass
    began = time.monotonic()
    with play(server, "redis://no-such-host.invalid") as ann:
        line = ann.wait("error")
        assert line.startswith("error %d %d " % (
            SUBSCRIBE, -errno.EHOSTUNREACH)), line
        assert "no address" in line, line
        at_most(ann.close(), 5 * PATIENCE, "seconds to close")
    at_most(time.monotonic() - began, 30 * PATIENCE, "seconds")


@test
def a_wrong_password_is_told_without_it_and_tried_again(server):
    with play(server, "unix://ann:wrong-word@" + server.path) as ann:
        for _ in range(3):
            line = ann.wait("error")
            assert line.startswith("error %d %d %s" % (
                SUBSCRIBE, -errno.EACCES, server.path)), line
            assert "wrong user or password" in line, line
        assert not [x for x in ann.seen if "wrong-word" in x or "ann" in x]
        equal(ann.publish("chat", "x"), (-errno.ENOTCONN, 0))


@test
def a_channel_that_the_user_may_not_have_is_told(server):
    with play(server, "unix://bob:deaf@" + server.path) as bob:
        line = bob.wait("error")
        assert "subscriber: NOPERM" in line, line


@test
def a_lacking_password_is_told(_server):
    with RedisServer(password="sesame") as closed, play(
            closed) as ann:
        line = ann.wait("error")
        assert line.startswith("error %d %d" % (
            SUBSCRIBE, -errno.EACCES)) and "NOAUTH" in line, line
        with play(closed, "unix://:sesame@" + closed.path).ready():
            pass


@test
def a_server_without_room_is_told_as_such(_server):
    with RedisServer(maxclients=2) as full:
        with full.connect() as one, full.connect() as two, play(full) as ann:
            equal([one.ask("PING"), two.ask("PING")], ["PONG", "PONG"])
            for _ in range(3):
                line = ann.wait("error")
                assert "max number of clients reached" in line, line
            one.close()
            two.close()
            ann.wait("state 1")


@test
def mistakes_are_found_without_connecting(server):
    for url, word in (("redis://", "no host"), ("redis://h:x", "port"),
                      ("redis://h?channels=x", "unknown parameter"),
                      ("redis://ann:se/same@h", "%2F")):
        with Player("redis", url) as player:
            line = player.next()
            assert line.startswith("check ") and word in line, line
    with Player("redis", server.url, channel="x" * 256) as player:
        assert "255 bytes" in player.next()


@test
def tls_asks_for_the_right_certificate_or_is_refused_with_a_reason():
    if not has_tls() or shutil.which("openssl") is None:
        return
    folder = tempfile.mkdtemp(prefix="cbus-tls-")
    try:
        for name, good in (("IP:127.0.0.1", True), ("IP:127.0.0.2", False)):
            cert, key = certificate(folder, name)
            with RedisServer(tls=(cert, key, cert)) as server:
                url = "rediss://127.0.0.1:%d" % server.tls_port
                with Player("redis", url + "?ca=" + cert) as ann, Player(
                        "redis", url) as stranger:
                    line = stranger.wait("error")
                    assert "certificate verify failed" in line, line
                    if not good:
                        line = ann.wait("error")
                        assert "certificate verify failed" in line, line
                        continue
                    ann.ready()
                    with play(server, queue_max=8 << 20).ready() as bob:
                        ann.publish("chat", "hello", 500)
                        for _ in range(500):
                            equal(bob.wait("got"), "got  chat text hello")
                        bob.publish_bytes("chat", 300000, 10)
                        for _ in range(10):
                            ann.wait("got  chat binary")
    finally:
        shutil.rmtree(folder)


@test
def a_server_that_was_killed_is_found_again():
    with RedisServer() as server, play(server).ready() as ann, play(
            server).ready() as bob:
        for turn in range(3):
            server.kill()
            ann.wait("state 0")
            bob.wait("state 0")
            equal(ann.publish("chat", "lost"), (-errno.ENOTCONN, 0))
            server.start()
            ann.wait("state 1")
            bob.wait("state 1")
            ann.publish("chat", "back %d" % turn)
            equal(bob.wait("got"), "got  chat text back %d" % turn)


@test
def a_connection_that_the_server_ends_is_made_anew(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        for kind in ("normal", "pubsub"):
            server.ask("CLIENT", "KILL", "TYPE", kind)
            for one in (ann, bob):
                one.wait("state 0")
                one.wait("state 1")
            ann.publish("chat", kind)
            equal(bob.wait("got"), "got  chat text " + kind)


@test
def a_server_that_stands_still_costs_a_bounded_queue_and_is_given_up():
    with RedisServer() as server, play(
            server, queue_max=1 << 20).ready() as ann:
        server.signal(signal.SIGSTOP)
        code, taken = ann.publish_bytes("chat", 3000, 10000)
        equal(code, -errno.ENOBUFS)
        at_most(taken * 4000, 1 << 20, "bytes taken")
        assert taken > 100, taken
        began = time.monotonic()
        ann.wait("state 0", 15)
        at_most(time.monotonic() - began, 10 * PATIENCE,
                "seconds until noticed")
        line = ann.wait("error")
        assert "does not answer" in line, line
        line = ann.wait("error %d" % PUBLISH)
        assert "%d messages" % taken in line, line
        server.signal(signal.SIGCONT)
        ann.wait("state 1", 15)


@test
def a_server_that_accepts_and_never_answers_is_given_up():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        url = "redis://127.0.0.1:%d" % listener.getsockname()[1]
        with Player("redis", url) as ann:
            line = ann.wait("error", 15)
            assert "does not answer" in line, line


@test
def closing_sends_what_waits_and_leaves_others_alone(server):
    with play(server).ready() as bob, server.connect() as other:
        with play(server).ready() as ann:
            equal(ann.publish("chat", "last", 2000), (0, 2000))
            at_most(ann.close(5000), 5 * PATIENCE, "seconds")
        for _ in range(2000):
            equal(bob.wait("got"), "got  chat text last")
        equal(other.ask("PING"), "PONG")
        wait_until(lambda: server.subscribers("play") == 1,
                   what="its subscription is gone")


@test
def a_message_of_a_megabyte_passes(server):
    with play(server, queue_max=8 << 20).ready() as ann, play(
            server).ready() as bob:
        equal(ann.publish_bytes("chat", 1 << 20), (0, 1))
        line = bob.wait("got")
        equal(line.split(" ")[2:4], ["chat", "binary"])
        equal(ann.publish_bytes("chat", 7 << 20), (-errno.EMSGSIZE, 0))


main(RedisServer(tcp=True, users=USERS))
