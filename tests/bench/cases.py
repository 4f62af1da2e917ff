"""cases.py - the work that is put on every server.

A case is one row: what the generator does, how many workers the server may
have, whether server and generator have a CPU each, and who takes part.
`pinned` means: the server may use one CPU, the generator has another.  The
first peer is ours; the others are compared with it.
"""

from dataclasses import dataclass, field

EVERYBODY = ("clusterbus", "nats", "uws", "nchan", "crossws", "socketio")


@dataclass(frozen=True)
class Case:
    """One row of the benchmark."""

    name: str
    title: str
    words: tuple
    workers: int = 1
    pinned: bool = True
    peers: tuple = EVERYBODY
    figure: str = "deliveries_per_cpu_second"
    options: tuple = field(default=())  # of busctl start


def load(subscribers, *more):
    """Words for the generator: a number of subscribers, then the rest."""
    return ("--subscribers", str(subscribers)) + more


CASES = (
    Case("w64", "1000 subscribers, 1 topic, window 64, one core",
         load(1000, "--window", "64"),
         peers=EVERYBODY[:2] + ("nats-tcp",) + EVERYBODY[2:]),
    Case("burst", "1000 subscribers, 1 topic, bursts of 64, one core",
         load(1000, "--burst", "64")),
    Case("w64-100", "100 subscribers, 1 topic, window 64, one core",
         load(100, "--window", "64")),
    Case("four", "400 subscribers, 1 topic, window 64, four workers",
         load(400, "--window", "64"), workers=4, pinned=False),
    Case("four-as-one", "the same on one worker",
         load(400, "--window", "64"), workers=1, pinned=False,
         peers=("clusterbus",)),
    Case("relay", "8 subscribers, 8 publishers, 8 workers, 256 in flight: "
         "relaying dominates",
         load(8, "--publishers", "8", "--window", "256"), workers=8,
         pinned=False),
    Case("hub", "the hub alone, and its Redis door, against Redis: 8 programs "
         "listen, 8 publish, Unix socket, 256 in flight, one core",
         load(8, "--publishers", "8", "--window", "256"),
         peers=("hub", "door", "redis")),
    Case("hub-burst", "the same in bursts of 256",
         load(8, "--publishers", "8", "--burst", "256"),
         peers=("hub", "door", "redis")),
    Case("light", "400 subscribers, 200 publishes a second, one core",
         load(400, "--rate", "200"), figure="latency"),
    Case("light-four", "the same, four workers",
         load(400, "--rate", "200"), workers=4, pinned=False,
         figure="latency"),
    # By itself a worker accepts 2000 a second, so that those who are there
    # are not kept waiting; this is about what it could.
    Case("idle", "5000 connections that do nothing, one worker",
         ("--idle", "5000"), figure="idle",
         options=("--accept-rate", "1000000")),
    Case("topics-one", "1000 subscribers with one topic each",
         load(1000, "--topics", "1000", "--window", "64"),
         peers=EVERYBODY[:3], figure="publishes_per_cpu_second"),
    Case("topics-100k", "100 000 topics, 100 for each of 1000 subscribers",
         load(1000, "--topics", "100000", "--topics-per-subscriber", "100",
              "--window", "64"),
         peers=EVERYBODY[:3], figure="publishes_per_cpu_second"),
    Case("topics-1000-each", "100 subscribers with the same 1000 topics",
         load(100, "--topics", "1000", "--topics-per-subscriber", "1000",
              "--window", "64"),
         peers=("clusterbus", "nats", "uws")),
    Case("workers-64", "8 subscribers, 8 publishers, 64 workers, "
         "256 in flight",
         load(8, "--publishers", "8", "--window", "256"), workers=64,
         pinned=False, peers=("clusterbus",)),
    Case("uninterested-1", "1 subscriber, 1 publisher, 1 worker",
         load(1, "--window", "64"), workers=1, pinned=False,
         peers=("clusterbus",), figure="publishes_per_cpu_second"),
    Case("uninterested-64", "the same with 64 workers, most of which do not "
         "care", load(1, "--window", "64"), workers=64, pinned=False,
         peers=("clusterbus",), figure="publishes_per_cpu_second"),
    Case("big", "10 subscribers, messages of 1 MB, 4 in flight",
         load(10, "--size", "1000000", "--window", "4"),
         figure="bytes_per_second"),
)

# Messages in each send() when the limit of the kernel is measured.
LIMITS = (1, 4, 16, 64)
