#!/usr/bin/python3
"""Signals of the primary and the commands that do the same.

TERM and INT drain, a second one or QUIT ends at once, TTIN and TTOU change
the number of workers, USR1 reopens the log file.
"""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
import wsclient
from binary import PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, rng, test, wait_until
from churn import Churn
from swarm import Swarm


def crowd(bus, count):
    """Clients in a swarm: (swarm, clients)."""
    swarm = Swarm(lambda *_: None)
    clients = [bus.connect() for _ in range(count)]
    for client in clients:
        swarm.add(client)
    return swarm, clients


def returns(swarm, began):
    """When each client was sent away, and when it may come back."""
    ends, backs = [], []
    for client, when in swarm.ended:
        equal(client.closed.code, 1001)
        wait = json.loads(client.closed.reason)["retry_in"]
        at_least(wait, 1)
        ends.append(when - began)
        backs.append(when - began + wait / 1000.0)
    return sorted(ends), sorted(backs)


@test
def term_asks_clients_to_leave_one_after_the_other():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Bus(2, drain_window="2s") as bus:
            swarm, clients = crowd(bus, 100)
            bus.process.send_signal(number)
            began = time.monotonic()
            swarm.run(lambda: len(swarm.ended) == 100, 8, "all have left")
            ends, backs = returns(swarm, began)
            for times in (ends, backs):
                at_least(times[-1] - times[0], 1.0, "seconds of spread")
                # A test that stood still for a moment reads some at once.
                at_most(sum(times[n + 20] - times[n] < 0.1
                            for n in range(80)), 40, "a crowd at once")
            at_most(ends[-1], 3.0 * PATIENCE, "seconds until the last")
            bus.wait_exit(10)


@test
def clients_that_leave_all_at_once_do_not_return_all_at_once():
    with Bus(1, drain_window="0s", accept_rate=500) as bus:
        swarm, clients = crowd(bus, 300)
        bus.process.terminate()
        began = time.monotonic()
        swarm.run(lambda: len(swarm.ended) == 300, 8, "all have left")
        ends, backs = returns(swarm, began)
        at_most(ends[-1], 1.0 * PATIENCE, "seconds until the last")
        at_least(backs[-1] - backs[0], 0.3, "seconds of spread")
        at_least(len(set(client.closed.reason for client in clients)), 50,
                 "different retry_in")
        bus.wait_exit(10)


@test
def a_second_term_or_quit_ends_at_once():
    for numbers in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGQUIT,),
                    (signal.SIGINT, signal.SIGTERM)):
        with Bus(2, drain_window="20s", drain_timeout="30s") as bus:
            swarm, _ = crowd(bus, 10)
            if len(numbers) == 2:
                bus.process.send_signal(numbers[0])
                bus.wait_log("drain|stopping", 5)
            began = time.monotonic()
            bus.process.send_signal(numbers[-1])
            bus.wait_exit(8, None)
            at_most(time.monotonic() - began, 3.0 * PATIENCE, "seconds")
            swarm.run(lambda: len(swarm.ended) == 10, 5)
            bus.check_left()


@test
def stop_and_stop_fast_do_the_same():
    with Bus(2) as bus:
        client = bus.connect()
        code, out, errors = bus.cli("stop")
        equal(code, 0, out + errors)
        equal(client.wait_closed().code, 1001)
        bus.wait_exit(5)
    with Bus(2, drain_window="20s") as bus:
        bus.connect()
        began = time.monotonic()
        code, out, errors = bus.cli("stop", "--fast")
        equal(code, 0, out + errors)
        at_most(time.monotonic() - began, 3.0 * PATIENCE, "seconds")
        bus.wait_exit(5, None)
    with Bus(1) as bus:
        bus.stop()
        equal(bus.cli("stop")[0], 1)


@test
def a_client_that_does_not_answer_the_close_cannot_hold_up_the_end():
    with Bus(1, drain_window="100ms", drain_timeout="2s",
             kill_timeout="1s", allow=[r"drain|TERM|KILL"]) as bus:
        bus.connect()
        deaf = bus.connect(rcvbuf=4096)
        deaf.sub("x")
        writer = bus.connect()
        for _ in range(300):
            writer.pub_raw("x", '"' + "x" * 20000 + '"')
        writer.alive()
        began = time.monotonic()
        bus.process.terminate()
        bus.wait_exit(15)
        at_most(time.monotonic() - began, 8.0 * PATIENCE, "seconds")


@test
def a_worker_that_does_not_drain_is_killed():
    with Bus(2, drain_timeout="500ms", kill_timeout="500ms",
             stall_timeout="60s",
             allow=[r"drain|TERM|KILL|kill|signal|stall"]) as bus:
        pid = bus.pid(1)
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: proc.stopped(pid))
        bus.process.terminate()
        bus.wait_exit(10, None)
        bus.check_left()


@test
def new_connections_are_not_taken_during_a_drain():
    with Bus(1, drain_window="2s") as bus:
        client = bus.connect()
        bus.process.terminate()
        bus.wait_log("drain|stopping", 5)

        def turned_away():
            try:
                wsclient.Client(bus.address, timeout=1).abort()
            except (OSError, wsclient.Refused, wsclient.Closed):
                return True
            return False
        wait_until(turned_away, 2, "turned away")
        equal(client.wait_closed().code, 1001)
        bus.wait_exit(10)


@test
def ttin_and_ttou_change_the_number_of_workers():
    with Bus(2) as bus:
        clients = [bus.connect(0)]
        bus.signal(signal.SIGTTIN)
        wait_until(lambda: bus.running(3), 10, "three workers")
        clients += [bus.connect(1), bus.connect(2)]
        for workers in (2, 1):
            bus.signal(signal.SIGTTOU)
            wait_until(lambda: bus.running(workers), 10, "fewer")
        bus.signal(signal.SIGTTOU)
        wait_until(lambda: bus.status()["workers_wanted"] == 1, 5)
        # Whose worker has gone is on the one that is left.
        for client in clients:
            equal(client.alive(), True)
        equal(bus.worker(0)["clients"], 3)
        equal(bus.worker(0)["moved_in"], 2)
        equal(bus.status()["workers_wanted"], 1)


@test
def where_clients_do_not_move_fewer_workers_ask_some_to_come_back():
    with Bus(2, no_move_clients=True) as bus:
        keeper, other = bus.connect(0), bus.connect(1)
        scaling = bus.popen("scale", "1", stdout=subprocess.DEVNULL)
        equal(other.wait_closed().code, 1001)
        equal(scaling.wait(10), 0)
        equal(keeper.alive(), True)


@test
def scaling_refuses_and_resets_nobody():
    with Bus(2, drain_window="200ms") as bus:
        churn = Churn(bus.address, 100)
        for workers in (4, 2, 6, 1, 3):
            running = bus.popen("scale", str(workers),
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
            churn.run_while(lambda: running.poll() is None)
            equal(running.returncode, 0, "scale %d" % workers)
            end = time.monotonic() + 0.3
            churn.run_while(lambda: time.monotonic() < end)
        churn.close()
        equal(churn.faults, [], "%d faults" % len(churn.faults))
        equal(churn.drained, 0, "clients that were asked to come back")
        wait_until(lambda: bus.running(3), 10, "three workers")
        at_least(churn.finished, 100)
        equal(bus.cli("scale", "0")[0], 2)
        equal(bus.cli("scale")[0], 2)
        equal(bus.cli("scale", "1000")[0], 2)


@test
def scaling_down_serves_what_waits_in_the_departing_queue():
    with Bus(2, stall_timeout="60s") as bus:
        pid = bus.pid(1)
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: proc.stopped(pid))
        waiting = [wsclient.dial(bus.address) for _ in range(40)]
        for sock in waiting:
            sock.sendall(wsclient.handshake_bytes(bus.address)[0])
        wait_until(lambda: bus.worker(0)["clients"] > 5)
        at_most(bus.worker(0)["clients"], 35, "all came to one worker")
        scaling = bus.popen("scale", "1", stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
        wait_until(lambda: bus.worker(1)["state"] == "DRAINING", 5)
        os.kill(pid, signal.SIGCONT)
        for sock in waiting:
            equal(sock.recv(12), b"HTTP/1.1 101")
            sock.close()
        equal(scaling.wait(10), 0)


@test
def usr1_reopens_the_log_file():
    bus = Bus(2)
    path = os.path.join(bus.dir, "own.log")
    bus.options["log_file"] = path
    bus.log_path = path
    with bus:
        moved = path + ".1"
        os.rename(path, moved)
        bus.signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(path), 5, "a new file")

        def moved_on(pid):
            return os.path.realpath("/proc/%d/fd/2" % pid) == path
        for pid in list(bus.pids().values()) + [bus.process.pid]:
            wait_until(lambda: moved_on(pid), 5, "fd 2 of %d" % pid)
        with open(moved) as file:
            equal("ready:" in file.read(), True, "the old lines")


@test
def signals_to_workers_are_the_primarys_business():
    with Bus(2) as bus:
        pids = bus.pids()
        client = bus.connect(0)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            os.kill(pids[0], number)
            equal(client.alive(), True)
        equal(bus.pids(), pids)


@test
def a_worker_that_gets_term_gives_its_clients_away_and_is_replaced():
    with Bus(2) as bus:
        clients = [bus.connect(0) for _ in range(5)]
        for client in clients:
            client.sub("x")
        pid = bus.worker(0)["pid"]
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: bus.worker(0)["state"] == "RUNNING" and
                   bus.worker(0)["pid"] != pid, 10, "a new worker")
        bus.connect(0).pub("x", 1)
        for client in clients:
            equal(client.msg("x")["data"], 1)


@test
def a_storm_of_signals_ends_well():
    with Bus(2, allow=[r"."]) as bus:
        keeper = bus.connect(0)
        numbers = [signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD,
                   signal.SIGPIPE]
        for _ in range(300):
            os.kill(bus.process.pid, rng.choice(numbers))
        wait_until(lambda: bus.running(2), 20, "two workers")
        equal(keeper.alive(), True)


if __name__ == "__main__":
    main()
