#!/usr/bin/python3
"""Clients that nobody here wrote, at the Redis door, with no Redis running.

redis-cli, ioredis, node-redis, socket.io's Redis adapters and crossws's driver,
as their packages have them.  The programs are in data/door; each runs with a
real redis-server, too, so that it is known to ask for nothing that is wrong.
"""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from bus import Bus
from check import equal, main, say, test, wait_until
from door import Raw
from redis_server import PROGRAM, RedisServer


def path_of(bus):
    """The door's socket."""
    return os.path.join(bus.run_dir, "redis.sock")


def node(name, *arguments):
    """Run a program of data/door to its end."""
    done = subprocess.run(
        ["node", os.path.join(HERE, "data", "door", name)] + list(arguments),
        capture_output=True, text=True, timeout=50)
    equal((done.returncode, done.stdout), (0, "ok\n"),
          "%s: %s" % (name, done.stderr))


def run(bus, name, package):
    """With the door, and with a server where there is one."""
    if shutil.which("node") is None or not os.path.isdir(
            os.path.join(HERE, "node_modules", package)):
        say("skipped: no node, or no %s (tests/deps.sh test)" % package)
        return
    node(name, path_of(bus))
    if PROGRAM is not None:
        with RedisServer() as server:
            node(name, server.path)
    wait_until(lambda: bus.hub("door_clients") == 0, what="all have gone")


@test
def ioredis(bus):
    run(bus, "ioredis.mjs", "ioredis")


@test
def node_redis_with_both_versions_of_the_protocol(bus):
    run(bus, "node_redis.mjs", "redis")


@test
def socket_io_servers_that_hear_of_each_other(bus):
    run(bus, "socketio.mjs", "@socket.io/redis-adapter")


@test
def the_redis_driver_of_crossws(bus):
    run(bus, "crossws.mjs", "crossws")


@test
def redis_cli(bus):
    if shutil.which("redis-cli") is None:
        say("skipped: no redis-cli")
        return

    def cli(*words, stdin=None):
        done = subprocess.run(
            ["redis-cli", "-s", path_of(bus)] + list(words), text=True,
            input=stdin, stdin=None if stdin else subprocess.DEVNULL,
            capture_output=True, timeout=20)
        equal(done.stderr, "", "errors of redis-cli")
        return done.stdout

    equal(cli("PING"), "PONG\n")
    equal(cli("-3", "PUBSUB", "NUMPAT"), "0\n")
    client = bus.connect()
    client.sub("news")
    equal(cli("PUBLISH", "news", '{"a":1}'), "1\n")
    equal(client.msg("news")["data"], {"a": 1})
    equal(cli(stdin="PUBLISH news 'two words'\nECHO done\n"), "1\ndone\n")
    equal(client.msg("news")["data"], "two words")
    equal(json.loads(cli("--json", "COMMAND", "DOCS", "publish"))
          ["publish"]["group"], "pubsub")
    listener = subprocess.Popen(
        ["redis-cli", "-s", path_of(bus), "SUBSCRIBE", "down"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        equal([listener.stdout.readline() for _ in range(3)],
              [b"subscribe\n", b"down\n", b"1\n"])
        client.pub_raw("down", '{"b":2}')
        equal([listener.stdout.readline() for _ in range(3)],
              [b"message\n", b"down\n", b'{"b":2}\n'])
    finally:
        listener.kill()
        listener.communicate()


@test
def a_library_publishes_to_clients_of_every_worker(bus):
    clients = [found[0] for found in bus.connect_each().values()]
    for client in clients:
        client.sub("socket.io#/#")
    with Raw(path_of(bus)) as raw:
        equal(raw.ask("PUBLISH", "socket.io#/#", b"\x93\xa6"), b":2\r\n")
    for client in clients:
        equal(client.msg("socket.io#/#")["binary"], True)


main(Bus(2))
