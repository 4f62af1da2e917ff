#!/usr/bin/python3
"""drivers.py - what a message costs on its way to another host.

Two buses of two workers on one machine are two hosts; redis-server and
PostgreSQL are real, on Unix sockets.  A client on host A publishes.  Added
latency: one message at a time; when a client on host B has it, minus when a
client on another worker of A has it.  CPU: messages in batches, all with
another payload, to one client on B; user and system time of each process.
crossws does the same in two processes of Node with redis() and ioredis, on
the same Redis; what it adds is counted from a client of the same process.

Usage: tests/bench/drivers.py [--rounds N] [--count N] [--latency N]
prints one JSON list: [name, {figure: [median, smallest, largest]}]
"""
import argparse
import json
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from application import BUILD
from bus import Bus
from check import Failed, wait_until
from pg_server import PgServer
from ports import free_port
from redis_server import PROGRAM, RedisServer
from two_hosts import AWAY, TwoHosts
from wsclient import Client
from wsframe import TEXT, frame

BATCH = 256          # sent at once, then all have to arrive
SIZE = 128           # of a payload
NUMBER = re.compile(rb"#(\d{8})")
MODULES = os.path.join(HERE, "..", "integration")


def cpu_ns(pids):
    """CPU time of these processes so far, all threads."""
    total = 0
    for pid in pids:
        for task in os.listdir("/proc/%d/task" % pid):
            path = "/proc/%d/task/%s/schedstat" % (pid, task)
            with open(path, "rb") as file:
                total += int(file.read().split()[0])
    return total


def number_of(message):
    """Which of the payloads this is."""
    return int(NUMBER.search(message[1]).group(1))


class Hosts:
    """Two hosts with clients: writer and near on A, far on B.

    parts: name to pids, read by whoever measures.
    """

    number = 0

    def pub(self, topic):
        """The frame of the next publish: (its number, bytes)."""
        self.number += 1
        text = ('"#%08d' % self.number).ljust(SIZE - 1, "x") + '"'
        return self.number, frame(TEXT, self.wording % (topic, text))

    def latency(self, count):
        """Microseconds to near and to far, one message at a time."""
        readers = {one.sock.fileno(): one for one in (self.near, self.far)}
        poll = select.poll()
        for file in readers:
            poll.register(file, select.POLLIN)
        rows = []
        for _ in range(count):
            number, data = self.pub("slow")
            took = {}
            start = time.monotonic()
            self.writer.raw(data)
            while len(took) < len(readers):
                ready = poll.poll(10000)
                if not ready:
                    raise Failed("message %d did not arrive" % number)
                for file, _ in ready:
                    if number_of(readers[file].message()) != number:
                        raise Failed("message %d is another" % number)
                    took[file] = (time.monotonic() - start) * 1e6
            rows.append([took[one.sock.fileno()]
                         for one in (self.near, self.far)])
        return rows

    def batch(self):
        """A batch from A to B; everything has to arrive."""
        made = [self.pub("fast") for _ in range(BATCH)]
        self.writer.raw(b"".join(data for _, data in made))
        found = {number_of(self.far.message(20)) for _ in made}
        if found != {number for number, _ in made}:
            raise Failed("a batch did not arrive as it was sent")

    def cpu(self, count):
        """Microseconds of CPU for each message, of each part."""
        for _ in range(1 + count // BATCH // 4):
            self.batch()  # compilers and caches are warm
        before = {name: cpu_ns(pids) for name, pids in self.parts().items()}
        turns = max(1, count // BATCH)
        for _ in range(turns):
            self.batch()
        return {name: (cpu_ns(pids) - before[name]) / turns / BATCH / 1e3
                for name, pids in self.parts().items()}


class OurHosts(TwoHosts, Hosts):
    """Two buses on a backplane, with no application."""

    wording = '{"op":"pub","topic":"%s","data":%s}'

    def __init__(self, sync, server_pids):
        self.server_pids = server_pids
        self.buses = [Bus(2, sync=sync, channel="bench", allow=[AWAY])
                      for _ in range(2)]

    def __enter__(self):
        super().__enter__()
        try:
            here, there = self.buses
            self.writer, self.near = here.connect(1), here.connect(0)
            self.far = there.connect(1)
            for client in (self.near, self.far):
                client.sub("slow")
            self.far.sub("fast")
        except BaseException:
            self.__exit__(RuntimeError, None, None)
            raise
        self.hosts = [[bus.process.pid, *bus.pids().values()]
                      for bus in self.buses]
        return self

    def parts(self):
        """Primaries, the server, and both hosts with their workers."""
        return {"sends": self.hosts[0][:1], "receives": self.hosts[1][:1],
                "server": self.server_pids(),
                "hosts": self.hosts[0] + self.hosts[1]}


class CrosswsHosts(Hosts):
    """Two processes of Node."""

    wording = "p %s %s"

    def __init__(self, redis, modules):
        self.redis = redis
        self.modules = modules
        self.processes = []

    def start(self):
        """One process: the port it listens on."""
        port = free_port()
        process = subprocess.Popen(
            ["node", os.path.join(HERE, "peers", "crossws.mjs"), str(port),
             "1", self.redis.path], stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, BENCH_MODULES=os.path.abspath(self.modules)))
        self.processes.append(process)
        if process.stdout.readline().strip() != "ready":
            raise Failed("crossws does not start")
        return port

    def connect(self, port, *topics):
        """A client that is subscribed."""
        client = Client(("127.0.0.1", port), protocol="", welcome=False)
        for topic in topics:
            client.send_text("s " + topic)
            if client.message() != (TEXT, b"k"):
                raise Failed("crossws does not subscribe")
        return client

    def __enter__(self):
        try:
            here, there = self.start(), self.start()
            wait_until(lambda: self.redis.subscribers("bench") == 2, 20,
                       "both have subscribed")
            self.writer = self.connect(here)
            self.near = self.connect(here, "slow")
            self.far = self.connect(there, "slow", "fast")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()

    def parts(self):
        """The server, and both processes."""
        pids = [process.pid for process in self.processes]
        return {"sends": pids[:1], "receives": pids[1:],
                "server": [self.redis.process.pid], "hosts": pids}


def share(values, part):
    """A percentile."""
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def one_round(hosts, words):
    """All figures once."""
    rows = hosts.latency(words.latency)
    found = {}
    for name, values in (("near", [near for near, _ in rows]),
                         ("far", [far for _, far in rows]),
                         ("added", [far - near for near, far in rows])):
        found[name + "_p50"] = share(values, 0.50)
        found[name + "_p99"] = share(values, 0.99)
    for name, value in hosts.cpu(words.count).items():
        found["cpu_" + name] = value
    found["per_cpu_second"] = 1e6 / found["cpu_hosts"]
    return found


def pgsql(words, rounds):
    """PostgreSQL, if it is here."""
    with PgServer() as server:
        for _ in range(words.rounds):
            with OurHosts(server.url(), server.pids) as hosts:
                rounds.setdefault("pgsql", []).append(
                    one_round(hosts, words))


def redis(words, rounds):
    """Redis: ours and crossws in turns."""
    with RedisServer() as server:
        makers = {}
        if has_driver("redis"):
            makers["redis"] = lambda: OurHosts(
                server.url, lambda: [server.process.pid])
        if shutil.which("node") and os.path.isdir(os.path.join(
                words.modules, "node_modules", "ioredis")):
            makers["crossws"] = lambda: CrosswsHosts(server, words.modules)
        for _ in range(words.rounds):
            for name, maker in makers.items():
                with maker() as hosts:
                    rounds.setdefault(name, []).append(one_round(hosts, words))


def has_driver(name):
    """Was it built?"""
    return os.path.exists(os.path.join(BUILD, "clusterbus-%s.so" % name))


def summary(rounds):
    """Median, smallest and largest of each figure."""
    found = {}
    for figure in rounds[0]:
        values = [one[figure] for one in rounds]
        found[figure] = [statistics.median(values), min(values), max(values)]
    return found


def main():
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=20000,
                        help="messages whose CPU is measured (20000)")
    parser.add_argument("--latency", type=int, default=1000,
                        help="messages whose latency is measured (1000)")
    parser.add_argument("--modules", default=MODULES,
                        help="folder with node_modules")
    words = parser.parse_args()
    rounds = {}
    for wanted, run in ((PROGRAM, redis), (has_driver("pgsql"), pgsql)):
        try:
            if wanted:
                run(words, rounds)
        except SystemExit:
            pass  # the server is not here, and the row is left out
    print(json.dumps([[name, summary(some)]
                      for name, some in rounds.items()]))


if __name__ == "__main__":
    main()
