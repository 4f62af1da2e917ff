#!/usr/bin/python3
"""busctl doctor finds what is wrong with a bus and with its backplane.

timeout: 120
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import BUILD, compile_app
from binary import BUSCTL, ROOT
from bus import Bus
from check import Failed, at_least, equal, main, skip_all, test, wait_until
from pg_server import PASSWORD, PgServer
from redis_server import RedisServer

if not all(os.path.exists(os.path.join(BUILD, "clusterbus-%s.so" % name))
           for name in ("redis", "pgsql")):
    skip_all("built without hiredis or libpq")

NO_BUS = "doctor-test-no-such-bus"
AWAY = r"warn: backplane "


def run(*words, env=None, limit=30):
    """Exit status, output, errors."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("CLUSTERBUS_")}
    kept.update(env or {})
    done = subprocess.run([BUSCTL, "doctor"] + list(words), env=kept,
                          capture_output=True, text=True, timeout=limit)
    return done.returncode, done.stdout, done.stderr


def findings(*words, status=0, env=None):
    """What --json says: a list of (result, check), and all by check."""
    code, out, err = run("--json", *words, env=env)
    rows = [json.loads(line) for line in out.splitlines()]
    if code != status:
        raise Failed("status %d: %s%s" % (code, out, err))
    equal(err, "", "nothing on standard error")
    equal(any(row["result"] == "FAIL" for row in rows), status == 1,
          "FAIL and the status: " + out)
    return rows


def sync(url, channel="my-app", **more):
    """A backplane alone, no bus."""
    words = ["--name", NO_BUS, "--sync", url]
    if channel:
        words += ["--channel", channel]
    return findings(*words, **more)


def find(rows, check, result="ok"):
    """The finding of this name and result."""
    for row in rows:
        if row["check"] == check and row["result"] == result:
            return row
    raise Failed("no %s %s in %r" % (result, check, rows))


def check_trips(row):
    at_least(row["min_us"], 1, "the shortest")
    at_least(row["median_us"], row["min_us"], "the median")


@test
def a_redis_that_is_well_is_said_to_be():
    with RedisServer(maxmemory="50mb") as server:
        rows = sync(server.url)
        check_trips(find(rows, "round trip"))
        find(rows, "connected")
        equal(find(rows, "driver")["text"].startswith("redis, from /"), True)
        equal(find(rows, "channel")["text"], "'my-app'")
        equal("Redis " in find(rows, "server")["text"], True)
        equal("52428800" in find(rows, "server memory")["text"], True)
        equal("33554432" in find(rows, "server output limit")["text"], True)
        equal(find(rows, "others")["text"],
              "0 more subscribed to this channel")
        with server.connect() as other:
            other.ask("SUBSCRIBE", "my-app")
            equal(find(sync(server.url), "others")["text"],
                  "1 more subscribed to this channel")
        wait_until(lambda: server.subscribers("my-app") == 0, 5,
                   "nothing of doctor is left")


@test
def a_redis_that_cuts_subscribers_off_early_is_doubtful():
    with RedisServer(client_output_buffer_limit="pubsub 1mb 1mb 1") as server:
        row = find(sync(server.url), "server output limit", "warn")
        equal("client-output-buffer-limit" in row["advice"], True)


@test
def a_wrong_password_fails_and_is_not_shown():
    with RedisServer(tcp=True, password="geheim") as server:
        address = "127.0.0.1:%d" % server.port
        for who in ("", ":falsch@", "ann:falsch@"):
            rows = sync("redis://%s%s" % (who, address), status=1)
            equal("password" in
                  find(rows, "authenticated", "FAIL")["advice"], True)
            equal("falsch" in json.dumps(rows), False, "the password")
        rows = sync("redis://:geheim@" + address)
        find(rows, "others")
        equal("geheim" in json.dumps(rows), False, "the password")


@test
def a_user_without_the_right_to_the_channel_fails():
    with RedisServer(tcp=True, users=[
            "ann on >x resetchannels &other +@all",
            "bob on >x resetchannels &my-app +subscribe +unsubscribe "
            "+ping"]) as server:
        url = "redis://%s:x@127.0.0.1:" + str(server.port)
        find(sync(url % "ann", status=1), "subscribed", "FAIL")
        find(sync(url % "ann", channel="other"), "round trip")
        row = find(sync(url % "bob", status=1), "round trip", "FAIL")
        equal("NOPERM" in row["text"], True, row["text"])


@test
def a_server_that_has_stopped_cannot_be_reached():
    with RedisServer() as server:
        server.stop()
        row = find(sync(server.url, status=1), "reachable", "FAIL")
        equal(server.path in row["text"], True, row["text"])
    with PgServer() as server:
        server.stop()
        row = find(sync(server.url(), status=1), "reachable", "FAIL")
        equal(server.dir in row["text"], True, row["text"])


@test
def a_server_that_stands_still_does_not_answer():
    with RedisServer() as server:
        server.signal(signal.SIGSTOP)
        row = find(sync(server.url, status=1), "reachable", "FAIL")
        equal(row["text"], "no answer within 5 s")


@test
def a_postgresql_that_is_well_is_said_to_be():
    with PgServer(tcp=True) as server:
        for url in (server.url(), server.url(tcp=True)):
            rows = sync(url)
            check_trips(find(rows, "round trip"))
            equal("PostgreSQL 1" in find(rows, "server")["text"], True)
            equal("7999" in find(rows, "payload limit")["text"], True)
            equal(find(rows, "notify queue")["text"], "0 % used")
            equal(find(rows, "others")["text"].split()[0], "0")
            wait_until(lambda: server.listeners() == 0, 5, "all gone")
        rows = sync(server.url(tcp=True, password="falsch"), status=1)
        find(rows, "authenticated", "FAIL")
        equal("falsch" in json.dumps(rows), False, "the password")
        url = server.url().replace("/postgres?", "/nowhere?")
        row = find(sync(url, status=1), "connected", "FAIL")
        equal("database" in row["advice"], True)
        equal(PASSWORD in json.dumps(rows), False, "the password")


@test
def a_database_that_cannot_write_all_characters_is_doubtful():
    with PgServer(encoding="LATIN1") as server:
        equal(find(sync(server.url()), "server encoding", "warn")["text"],
              "LATIN1")


@test
def a_driver_of_ones_own_that_tells_no_facts_is_looked_at_too():
    driver = os.path.dirname(compile_app(os.path.join(
        ROOT, "tests", "integration", "data", "sync", "clusterbus-test.c")))
    with tempfile.TemporaryDirectory(prefix="cbus-") as place:
        words = ("--name", NO_BUS, "--channel", "a", "--sync",
                 "test://" + place, "--sync-dir", driver)
        rows = findings(*words)
        check_trips(find(rows, "round trip"))
        equal([row["check"] for row in rows], [
            "primary", "driver", "channel", "connected", "round trip"])
        with open(os.path.join(place, "away"), "w"):
            find(findings(*words, status=1), "reachable", "FAIL")


@test
def mistakes_before_connecting_are_failures():
    for url, channel, text in (
            ("redis://127.0.0.1", None, "needs a channel"),
            ("redis://127.0.0.1?db=x", "my-app", "sync: "),
            ("postgres://h/db", "x" * 64, "at most 63"),
            ("nosuch://127.0.0.1", "my-app", "clusterbus-nosuch.so")):
        row = find(sync(url, channel, status=1), "configuration", "FAIL")
        equal(text in row["text"], True, row["text"])


@test
def wrong_words_are_wrong_usage():
    for words in (("--no-such",), ("one-word",), ("--sync-queue", "many")):
        code, out, err = run(*words)
        equal((code, out), (2, ""), "status and output")
        equal(err != "", True, "errors")


@test
def without_a_bus_it_says_that_there_is_none():
    find(findings("--name", NO_BUS, status=1), "primary", "FAIL")
    code, out, _ = run("--name", NO_BUS)
    equal(code, 1)
    equal([line.split()[0] for line in out.splitlines()], ["FAIL", "ok"])


@test
def a_bus_that_is_well_is_said_to_be():
    with Bus(3) as bus:
        rows = findings("--run-dir", bus.run_dir)
        equal({row["result"] for row in rows}, {"ok"})
        check_trips(find(rows, "hub"))
        equal(find(rows, "workers")["text"], "3 of 3 ready")
        equal(find(rows, "backplane")["text"], "none (sync cluster)")


@test
def a_bus_that_stands_still_fails():
    with Bus(2) as bus:
        os.kill(bus.process.pid, signal.SIGSTOP)
        try:
            rows = findings("--run-dir", bus.run_dir, status=1)
        finally:
            os.kill(bus.process.pid, signal.SIGCONT)
        find(rows, "hub", "FAIL")


@test
def a_bus_without_its_primary_fails():
    with Bus(2, checked=False) as bus:
        bus.process.kill()
        bus.process.wait()
        row = find(findings("--run-dir", bus.run_dir, status=1), "primary",
                   "FAIL")
        equal("has gone" in row["text"], True, row["text"])
        bus.start()


@test
def the_backplane_of_a_running_bus_is_found():
    with RedisServer(tcp=True, password="geheim") as server:
        url = "redis://:geheim@127.0.0.1:%d" % server.port
        with Bus(1, allow=[AWAY], channel="my-app",
                 env={"CLUSTERBUS_SYNC": url}) as bus:
            wait_until(lambda: bus.hub("sync_connected") == 1, 10, "up")
            rows = findings("--run-dir", bus.run_dir)
            check_trips(find(rows, "round trip"))
            equal("connected" in find(rows, "bus and backplane")["text"],
                  True)
            equal(find(rows, "others")["text"].split()[0], "1", "the bus")
            equal("geheim" in json.dumps(rows), False, "the password")
            equal(bus.hub("sync_bad"), 0, "bad messages of doctor")
            at_least(bus.hub("sync_in"), 20, "messages of doctor")
            rows = findings("--run-dir", bus.run_dir, "--sync", url,
                            "--channel", "yours")
            find(rows, "configuration", "warn")
            server.stop()
            wait_until(lambda: bus.hub("sync_connected") == 0, 10, "away")
            rows = findings("--run-dir", bus.run_dir, status=1)
            find(rows, "bus and backplane", "FAIL")
            find(rows, "reachable", "FAIL")


main()
