#!/usr/bin/python3
# timeout: 180
"""Moves under bad conditions; each of these did harm once.

Takers and givers that are halted in the middle, clients with thousands of long
topics, clients to which an answer is always due, workers with few descriptors;
and kicks, questions and events by connection id all the time.
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from application import compile_app
from bus import Bus
from check import at_least, equal, main, say, test, wait_until
from load import Load
from swarm import Swarm
from wsclient import Closed

LATER = compile_app(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                 "data", "app", "later.c"))
CLIENTS = 2000  # so many that their moves take a while


def attach(bus, count):
    """A worker; there are so many then."""
    with open(os.path.join(bus.dir, "workers"), "ab") as log:
        worker = bus.popen("worker", "--attach", stderr=log)
    wait_until(lambda: bus.running(count), 10)
    return worker


@contextlib.contextmanager
def two_workers():
    """A bus, one worker with all clients, and another that is to get half."""
    with Bus(2, command="hub", no_balance=False, balance_rate=1000000,
             stall_timeout="60s", allow=[r"has gone"]) as bus:
        giver = attach(bus, 1)
        for _ in range(CLIENTS):
            bus.connect().sub("people")
        # A file: a pipe that nobody reads would hold the follower up.
        bus.told = os.path.join(bus.dir, "told")
        bus.follower = bus.popen(
            "presence", "people", "--follow", stdout=open(bus.told, "w"),
            stderr=subprocess.DEVNULL)
        time.sleep(1.1)  # one that has just come is not sent on
        taker = attach(bus, 2)
        wait_until(lambda: bus.total("moved_in") > 5, 10, step=0.001)
        try:
            yield bus, giver, taker
        finally:
            bus.follower.kill()
            bus.follower.wait()
            for worker in (giver, taker):
                worker.send_signal(signal.SIGCONT)
                worker.terminate()
                worker.wait(15)


def balanced(bus):
    """Both have half, and nobody is on his way."""
    return (not bus.total("moving")
            and abs(bus.worker(0)["clients"] - bus.worker(1)["clients"]) <=
            CLIENTS * 0.05)


def connected(bus):
    """Ids of those that still answer."""
    found = set()
    for client in bus.clients:
        try:
            client.alive()
            found.add(client.conn)
        except Closed:
            pass
    return found


def followed(bus):
    """Ids of those that the follower believes to be there."""
    there = set()
    with open(bus.told) as file:
        for line in file.read().splitlines(keepends=True):
            if line.endswith("\n"):
                what, _kind, conn = line.split()[:3]
                (there.add if what == "joined" else there.discard)(conn)
    return there


def halted_in_the_midst():
    """A taker is halted while clients come to it.  False: all had come."""
    with two_workers() as (bus, _giver, taker):
        taker.send_signal(signal.SIGSTOP)
        wait_until(lambda: bus.total("moves_refused") > 0
                   or not bus.total("moving"), 15, "moves to be called off")
        if not bus.total("moves_refused"):
            return False
        say("%d taken back" % bus.total("moves_back"))
        taker.send_signal(signal.SIGCONT)
        wait_until(lambda: balanced(bus), 15)
        taker.kill()
        wait_until(lambda: bus.running(1), 10)
        there = connected(bus)
        at_least(len(there), CLIENTS * 0.45)
        wait_until(lambda: bus.total("clients") == len(there), 5)
        code, out, _ = bus.cli("clients", "--json")
        equal((code, len(out.splitlines())), (0, len(there)))
        wait_until(lambda: followed(bus) == there, 5)
        return True


@test
def who_follows_is_not_misled_by_a_taker_that_comes_too_late():
    wait_until(halted_in_the_midst, 50, "one that is halted early enough")


@test
def a_giver_that_was_halted_has_lost_nobody():
    with two_workers() as (bus, giver, _taker):
        giver.send_signal(signal.SIGSTOP)
        time.sleep(11)  # longer than a taker waits in any other stage
        giver.send_signal(signal.SIGCONT)
        wait_until(lambda: balanced(bus), 15)
        equal(len(connected(bus)), CLIENTS)
        equal((bus.total("moves_dropped"), bus.total("moves_lost")), (0, 0))


@test
def ten_thousand_long_topics_move_with_their_client():
    for queue in ("32m", "64k"):
        with Bus(1, hub_queue=queue) as bus:
            client = bus.connect()
            for number in range(10000 if queue == "32m" else 2000):
                client.send({"op": "sub", "topic": "%05d" % number + 240 * "x"})
                if number % 100 == 99:
                    client.alive()
            equal(bus.cli("restart")[0], 0)
            wait_until(lambda: bus.total("moved_in") == 1 and
                       not bus.total("moving"), 5)
            equal(bus.total("subscriptions"), number + 1)
            client.pub("00007" + 240 * "x", 7)
            equal(client.msg("00007" + 240 * "x")["data"], 7)


@test
def one_to_which_an_answer_is_always_due_moves_at_last():
    with Bus(1, app=LATER) as bus:
        client = bus.connect()
        due, number, seen = set(), 0, []
        restart = bus.popen("restart", stdout=subprocess.DEVNULL)
        end = time.monotonic() + 9
        while not bus.total("moved_in") and time.monotonic() < end:
            while len(due) < 4:  # 200 ms apart, so never none
                number += 1
                due.add(number)
                client.send({"op": "call", "id": number, "method": "later",
                             "data": 600 + 200 * (number % 4)})
            answer = client.recv()
            equal(answer["op"], "ok", answer)
            due.remove(answer["id"])
            seen.append(answer["id"])
        equal(bus.total("moved_in"), 1)
        while due:
            due.remove(client.recv()["id"])
        equal(restart.wait(20), 0)
        client.alive()


@test
def workers_with_few_descriptors_take_no_more_than_they_can_serve():
    with Bus(3, nofile=80, move_timeout="2s") as bus:
        load = Load()
        for client in sum(bus.connect_each(30).values(), []):
            load.subscriber(client, ["t"])
            load.publisher_too(client, ["t"], 2)
        scale = bus.popen("scale", "1", stdout=subprocess.DEVNULL)
        load.run(lambda: scale.poll() is not None, 30, "scale")
        load.run(lambda: bus.running(1), 10)
        load.run_for(0.5)
        at_least(bus.total("moved_in"), 5)
        equal((bus.total("moves_lost"), bus.total("drop_hub_away")), (0, 0))
        equal({client.closed and client.closed.code
               for client, _when in load.lost}, {1001})
        load.settle()
        load.check()
        load.close()


@test
def ids_lead_to_their_clients_while_these_move():
    with Bus(2) as bus:
        got, sent, ended = {}, {}, []
        swarm = Swarm(lambda client, _op, payload, _now: got[client].append(
            json.loads(payload)["data"]), lambda client, _now: ended.append(
                (client, client.closed and client.closed.code)))
        for _ in range(40):
            client = bus.connect()
            got[client], sent[client] = [], 0
            swarm.add(client)
        clients = list(got)

        def run(*words):
            command = bus.popen(*words, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
            swarm.run(lambda: command.poll() is not None, 30, words[0], 0.002)
            out = command.communicate()[0]
            equal(command.returncode, 0, "%r: %r" % (words, out))
            return out

        restart, number = None, 0
        end = time.monotonic() + 5
        while time.monotonic() < end or len(ended) < 20:
            if restart is None or restart.poll() is not None:
                restart = bus.popen("restart", stdout=subprocess.DEVNULL)
            number += 1
            client = clients[20 + number % 20]
            sent[client] += 1
            run("emit", "--conn", client.conn, "e", str(sent[client]))
            conns = [json.loads(row)["conn"] for row in run(
                "clients", "--json").splitlines()]
            equal(len(conns), len(set(conns)), "rows, and clients in them")
            equal({c.conn for c in clients[20:]} - set(conns), set())
            if number <= 20:
                run("kick", "--conn", clients[number - 1].conn)
        swarm.run(lambda: restart.poll() is not None, 30, "restart")
        swarm.run(lambda: all(len(got[c]) == sent[c] for c in clients), 5)
        for client in clients:
            equal(got[client], list(range(1, sent[client] + 1)))
        equal({client for client, _code in ended}, set(clients[:20]))
        equal({code for _client, code in ended}, {1008})
        say("%d events while %d moved" % (number, bus.hub("moves")))
        swarm.close()


if __name__ == "__main__":
    main()
