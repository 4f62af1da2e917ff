#!/usr/bin/python3
"""The PostgreSQL driver alone, against a real server.

timeout: 200
"""
import errno
import json
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import BUILD, compile_app
from binary import PATIENCE, SANITIZED
from check import at_most, equal, main, skip_all, test, wait_until
from pg_server import PASSWORD, PgServer
from remote import DATA
from sync_player import PUBLISH, SUBSCRIBE, Player

if not os.path.exists(os.path.join(BUILD, "clusterbus-pgsql.so")):
    skip_all("built without libpq")


def play(server, **more):
    """A driver over the Unix socket."""
    return Player("pgsql", server.url(), **more)


def refused(url, channel="play"):
    """What check() says against it."""
    with Player("pgsql", url, channel) as player:
        line = player.next()
        assert line.startswith("check "), line
        return line[6:]


def answers(player, begin):
    """Until it begins like this: how many, and the last."""
    player.say("sync")
    player.wait("synced")
    return sum(line.startswith(begin) for line in player.seen)


@test
def what_one_publishes_the_other_gets_and_itself_not(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        equal(ann.publish("chat", 'he "said" \u00e9\u4e16\U0001f600'), (0, 1))
        equal(bob.wait("got"), 'got  chat text he "said" \u00e9\u4e16\U0001f600')
        equal(bob.publish("chat", "and back"), (0, 1))
        equal(ann.wait("got"), "got  chat text and back")


@test
def a_hundred_identical_messages_arrive_a_hundred_times(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        equal(ann.publish("chat", "the same", 100), (0, 100))
        for _ in range(100):
            equal(bob.wait("got"), "got  chat text the same")
        equal(bob.publish("chat", "end"), (0, 1))
        equal(ann.wait("got"), "got  chat text end")


@test
def thousands_of_messages_keep_their_order(server):
    with play(server, queue_max=8 << 20).ready() as ann, \
            play(server).ready() as bob:
        for number in range(3000):
            ann.say("pub 1 chat %d" % number)
        for number in range(3000):
            equal(bob.wait("got"), "got  chat text %d" % number)


@test
def the_envelope_on_the_wire_is_that_of_crossws(server):
    with play(server).ready() as ann:
        envelope = '{"id":"other","msg":{"namespace":"/_ws","topic":"t",' \
            '"binary":true,"data":"aGk="}}'
        server.sql("SELECT pg_notify('play', 'rubbish'); "
                   "NOTIFY play; SELECT pg_notify('play', '%s')" % envelope)
        equal(ann.wait("got"), "got /_ws t binary hi")
        # An envelope with our own id in another place is an echo, too.
        server.sql("SELECT pg_notify('play', '%s')" % json.dumps(
            {"msg": {"namespace": "", "topic": "t", "data": "echo"},
             "id": ann.id}))
        server.sql("SELECT pg_notify('play', '%s')" %
                   envelope.replace("aGk=", "eW8="))
        equal(ann.wait("got"), "got /_ws t binary yo")


@test
def a_channel_is_quoted_and_keeps_its_case(server):
    name = 'My "App"; --\u00e9'
    with play(server, channel=name).ready() as ann, \
            play(server, channel=name).ready() as bob, \
            play(server, channel=name.lower()).ready() as other:
        ann.publish("chat", "hello")
        equal(bob.wait("got"), "got  chat text hello")
        equal(answers(other, "got"), 0)


@test
def a_channel_of_63_bytes_is_taken_and_one_of_64_is_a_mistake(server):
    with play(server, channel="c" * 63).ready() as ann, \
            play(server, channel="c" * 63).ready() as bob:
        ann.publish("chat", "hello")
        equal(bob.wait("got"), "got  chat text hello")
    why = refused(server.url(), "c" * 64)
    assert "1 to 63 bytes" in why and "64" in why, why
    assert "66" in refused(server.url(), "\u00e9" * 33)


@test
def a_payload_of_7999_bytes_goes_and_one_of_8000_is_too_large(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        frame = len('{"id":"%s","msg":{"namespace":"","topic":"t",'
                    '"binary":false,"data":""}}' % ann.id)
        equal(ann.publish("t", "x" * (7999 - frame)), (0, 1))
        equal(bob.wait("got"), "got  t text " + "x" * (7999 - frame))
        equal(ann.publish("t", "x" * (8000 - frame)), (-errno.EMSGSIZE, 0))
        equal(ann.publish_bytes("t", 6000), (-errno.EMSGSIZE, 0))
        equal(ann.publish_bytes("t", 50000), (-errno.EMSGSIZE, 0))
        equal(answers(ann, "error"), 0)


@test
def the_queue_has_a_limit(server):
    with play(server, queue_max=4096).ready() as ann, \
            play(server).ready() as bob:
        code, taken = ann.publish("t", "x" * 100, 1000)
        equal(code, -errno.ENOBUFS)
        at_most(taken, 40, "of 4096 bytes")
        for _ in range(taken):
            bob.wait("got")
        equal(ann.publish("t", "again"), (0, 1))
        equal(bob.wait("got"), "got  t text again")


@test
def nothing_is_kept_while_the_server_is_away(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        server.stop()
        ann.wait("state 0")
        bob.wait("state 0")
        ann.wait("error %d" % SUBSCRIBE)
        equal(ann.publish("chat", "lost"), (-errno.ENOTCONN, 0))
        server.start()
        ann.ready()
        bob.ready()
        equal(ann.publish("chat", "found"), (0, 1))
        equal(bob.wait("got"), "got  chat text found")
        equal(sum(line.startswith("got") for line in bob.seen), 1)


@test
def a_crashed_server_is_connected_to_again(server):
    with play(server).ready() as ann:
        for _ in range(2):
            server.stop(signal.SIGKILL)
            ann.wait("state 0")
            server.start()
            ann.ready()


@test
def a_connection_that_the_server_ends_is_made_again(server):
    with play(server).ready() as ann:
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE application_name = 'clusterbus'")
        ann.wait("state 0")
        ann.ready()
        wait_until(lambda: server.listeners() == 1)


@test
def a_server_that_stands_still_is_noticed(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        server.signal(signal.SIGSTOP)
        try:
            code, taken = ann.publish("t", "x" * 1000, 2000)
            equal(code, -errno.ENOBUFS)
            line = ann.wait("error %d" % SUBSCRIBE, 20)
            assert "does not answer" in line, line
            equal(ann.wait("lost"), "lost %d" % taken)
            lost = ann.wait("error %d" % PUBLISH)
            assert "%d messages" % taken in lost, lost
            bob.wait("state 0", 20)  # and it had nothing to send
        finally:
            server.signal(signal.SIGCONT)
        ann.ready()
        bob.ready()
        equal(ann.publish("t", "back"), (0, 1))
        equal(bob.wait("got  t text b"), "got  t text back")


@test
def what_is_queued_goes_out_before_close_returns(server):
    with play(server).ready() as ann, play(server).ready() as bob:
        ann.say("pub 30 t the same")  # thirty transactions
        ann.close(5000)
        for _ in range(30):
            equal(bob.wait("got"), "got  t text the same")


@test
def close_does_not_wait_longer_than_allowed(server):
    with play(server).ready() as ann:
        server.signal(signal.SIGSTOP)
        try:
            ann.publish("t", "x")
            at_most(ann.close(300), 2.0 * PATIENCE, "seconds")
        finally:
            server.signal(signal.SIGCONT)


@test
def a_close_leaves_no_connection_behind(server):
    ann = play(server).ready()
    wait_until(lambda: server.listeners() == 1)
    ann.close()
    wait_until(lambda: server.listeners() == 0)


@test
def a_password_opens_and_a_wrong_one_is_told_without_it(server):
    with Player("pgsql", server.url(tcp=True)).ready() as ann:
        ann.publish("t", "x")
    wrong = "Geheim" + PASSWORD
    with Player("pgsql", server.url(tcp=True, password=wrong)) as ann:
        line = ann.wait("error %d" % SUBSCRIBE)
        assert "password authentication failed" in line, line
        ann.wait("error %d" % SUBSCRIBE)  # and it keeps trying
        assert not any("Geheim" in line for line in ann.seen)
        equal(ann.publish("t", "x"), (-errno.ENOTCONN, 0))


@test
def a_name_is_looked_up_and_one_that_nobody_knows_is_told(server):
    url = server.url(tcp=True)
    with Player("pgsql", url.replace("127.0.0.1", "localhost")).ready() as ann:
        equal(ann.publish("t", "x"), (0, 1))
    with Player("pgsql", url.replace("127.0.0.1", "no-such.invalid")) as ann:
        ann.say("sync")
        ann.wait("synced", 2)  # nothing waits for the answer
        line = ann.wait("error %d" % SUBSCRIBE, 30)
        assert "address" in line, line
        ann.close()


@test
def a_name_server_that_does_not_answer_is_not_waited_for(_server):
    if SANITIZED:
        return  # a sanitizer wants to be the first that is loaded
    env = dict(os.environ, LD_PRELOAD=compile_app(
        os.path.join(DATA, "slow_names.c")))
    url = "postgres://tester@database.example/x?connect_timeout=1"
    with Player("pgsql", url, env=env) as ann:
        for _ in range(3):
            ann.say("sync")
            ann.wait("synced", 0.9)
            children = "/proc/%d/task/%d/children" % (
                ann.process.pid, ann.process.pid)
            wait_until(lambda: open(children).read().strip(), 5,
                       "somebody else waits")
            line = ann.wait("error %d" % SUBSCRIBE, 5)
            assert "address" in line, line
        wait_until(lambda: open(children).read().strip(), 5)
        at_most(ann.close(), 1.0 * PATIENCE, "seconds")


@test
def tls_checks_the_name_that_the_url_has(_server):
    with PgServer(tcp=True, tls="localhost") as server:
        url = server.url(tcp=True).replace(
            "sslmode=disable", "sslmode=verify-full&sslrootcert=" +
            server.certificate)
        with Player("pgsql", url.replace("127.0.0.1", "localhost")).ready():
            equal(server.sql(
                "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING "
                "(pid) WHERE application_name = 'clusterbus'"), "t")
        with Player("pgsql", url) as ann:
            line = ann.wait("error %d" % SUBSCRIBE)
            assert "certificate" in line and "127.0.0.1" in line, line


@test
def the_next_host_is_tried_when_the_first_is_not_there(server):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = server.url(tcp=True).replace(
            "@", "@127.0.0.1:%d," % closed.getsockname()[1])
        with Player("pgsql", url).ready():
            pass


@test
def a_host_that_says_nothing_does_not_keep_the_others_from_being_tried(server):
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(16)
        url = server.url(tcp=True).replace(
            "@", "@127.0.0.1:%d," % mute.getsockname()[1])
        with Player("pgsql", url + "&connect_timeout=1") as ann:
            line = ann.wait("error %d" % SUBSCRIBE)
            assert "in time" in line, line
            ann.ready()


@test
def mistakes_in_the_url_are_told_without_any_part_of_it(_server):
    for url, word in (
            ("pgsql://u:Geheim@h/db", "must begin with"),
            ("postgres://u:Geheim%zz@h/db", "percent"),
            ("postgres://u:Geh/eim@h/db", "'@'"),
            ("postgres://u:Geheim/x", "port"),
            ("postgres://u:Geh@eim@h/db", "'@'"),
            ("postgres://u/Geheim:x@h/db", "'@'"),
            ("postgres://u:Geheim@h:99999/db", "port"),
            ("postgres://u:Geheim@h/db?Geheim", "separator"),
            ("postgres://u:Geheim@h/db?nonsense=Geheim", "query"),
            ("postgres://u:Geheim@h/db?service=Geheim", "service"),
            ("postgres://u:Geheim@%s/db" % ",".join("h" * 17), "16 hosts")):
        why = refused(url)
        assert word in why, (url, why)
        assert "Geh" not in why and "eim" not in why, (url, why)


@test
def a_message_that_the_database_cannot_write_fails_alone(_server):
    with PgServer(encoding="LATIN1") as server:
        with play(server).ready() as ann, play(server).ready() as bob:
            ann.say("pub 1 t first")
            ann.say("pub 1 t \u4e16")
            for number in range(20):
                ann.say("pub 1 t \u00e9%d" % number)
            equal(bob.wait("got"), "got  t text first")
            for number in range(20):
                equal(bob.wait("got"), "got  t text \u00e9%d" % number)
            equal(ann.wait("lost"), "lost 1")
            line = ann.wait("error %d" % PUBLISH)
            assert "ERROR" in line, line
            equal(sum(line.startswith("error") for line in ann.seen), 1)


@test
def names_of_the_environment_are_used_as_by_psql(server):
    env = dict(os.environ, PGHOST=server.dir, PGPORT=str(server.port),
               PGUSER="tester", PGDATABASE="postgres")
    with Player("pgsql", "postgres://", env=env).ready() as ann:
        began = time.monotonic()
        ann.publish("t", "x")
        ann.close()
        at_most(time.monotonic() - began, 5 * PATIENCE, "seconds")


main(PgServer(tcp=True), limit=60)
