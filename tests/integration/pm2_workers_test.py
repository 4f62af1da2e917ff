#!/usr/bin/python3
"""PM2 as the supervisor of workers: examples/deploy/ecosystem.workers.config.js.

The hub is one application, the workers are another one with `instances: N`;
which slot a worker gets is the hub's word.
"""
import contextlib
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from bus import Bus
from check import at_least, equal, main, test, wait_until
from pm2 import Pm2


@contextlib.contextmanager
def started(instances=3, slots=8, settle=True, listen_timeout=15000,
            by_message=False, **options):
    """A hub and workers under PM2: (pm2, bus)."""
    bus = Bus(slots, command="hub", **options)
    with Pm2(bus) as pm2:
        pm2.run("start", pm2.config("ecosystem.workers.config.js", {
            "hub": {"args": ["hub"] + bus.flags(), "kill_timeout": 2000},
            "worker": {"args": ["worker", "--attach", "--run-dir",
                                bus.run_dir],
                       "instances": instances, "kill_timeout": 2000,
                       "listen_timeout": listen_timeout,
                       "shutdown_with_message": by_message}}))
        pm2.wait_ready()
        if settle:
            wait_running(bus, instances)
        yield pm2, bus


def wait_running(bus, count):
    """Wait until so many workers run."""
    def states():
        return [worker["state"] for worker in bus.status()["workers"]]
    wait_until(lambda: states().count("RUNNING") == count, 15,
               "%d workers run" % count, 0.05)


def running(bus):
    """{pid: slot} of those that run."""
    return {worker["pid"]: worker["slot"]
            for worker in bus.status()["workers"]
            if worker["state"] == "RUNNING"}


def ids(pm2):
    """{pid: PM2's id} of the workers."""
    return {row["pid"]: row["pm_id"] for row in pm2.list("worker")}


@test
def three_instances_are_three_workers_and_pm2_sees_each_of_them():
    with started(3) as (pm2, bus):
        equal(sorted(running(bus)), sorted(ids(pm2)))
        clients = [bus.connect(slot) for slot in sorted(running(bus).values())]
        for client in clients:
            client.sub("x")
        clients[0].pub("x", 1)
        for client in clients:
            equal(client.msg("x")["data"], 1)
        wait_until(lambda: [figures.get("Clients") for figures
                            in pm2.figures("worker")] == [1, 1, 1], 10,
                   "each says its clients", 0.2)
        for row in pm2.list("worker"):
            at_least(row["monit"]["memory"], 1 << 20, "its own memory")
            equal("cpu" in row["monit"], True)
        nodes = [figures["Node"] for figures in pm2.figures("worker")]
        equal(sorted(nodes), sorted(client.node for client in clients))
        equal(pm2.figures("hub")[0]["Clients"], 3)
        equal(pm2.figures("hub")[0]["Workers"].split("/")[0], "3")


@test
def scaling_up_and_down_attaches_and_lets_go():
    with started(3) as (pm2, bus):
        pm2.run("scale", "worker", "5")
        wait_running(bus, 5)
        equal(sorted(running(bus)), sorted(ids(pm2)))
        pm2.run("scale", "worker", "2")
        wait_running(bus, 2)
        equal(sorted(running(bus)), sorted(ids(pm2)))
        for slot in running(bus).values():
            equal(bus.connect(slot).alive(), True)


@test
def restarting_one_touches_no_other_and_its_clients_are_moved():
    with started(3) as (pm2, bus):
        before = running(bus)
        victim = sorted(before)[1]
        clients = [bus.connect(slot) for slot in before.values()]
        pm2.run("restart", str(ids(pm2)[victim]))
        wait_running(bus, 3)
        after = running(bus)
        equal(len(set(before) & set(after)), 2)
        equal(victim in after, False)
        for client in clients:
            equal(client.alive(), True)


def stops_in_time(by_message):
    """PM2 stops a worker whose settings leave its clients half a minute."""
    with started(1, by_message=by_message, no_move_clients=True,
                 drain_window="20s", drain_timeout="30s") as (pm2, bus):
        clients = [bus.connect() for _ in range(10)]
        deaf = bus.connect()  # never answers the close
        victim = min(running(bus))
        pm2.run("stop", str(ids(pm2)[victim]))
        for client in clients:
            closed = client.wait_closed(1)
            equal(closed.code, 1001)
            equal("retry_in" in closed.reason, True)
        deaf.abort()
        equal(proc.alive(victim), False)
        said = re.findall(r"App \[worker:\d+\] exited with code \[(\d*)\] "
                          r"via signal \[(\w+)\]", pm2.daemon_log())
        equal(said, [("0", "SIGINT")], "it left by itself")


@test
def a_stop_of_a_worker_fits_into_the_time_that_pm2_gives_it():
    for by_message in (False, True):
        stops_in_time(by_message)


@test
def a_worker_that_is_killed_is_started_again_and_gets_a_slot():
    with started(2) as (pm2, bus):
        victim, kept = sorted(running(bus))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in running(bus) and
                   len(running(bus)) == 2, 15, "two run again")
        equal(kept in running(bus), True)
        equal(sorted(running(bus)), sorted(ids(pm2)))


@test
def more_workers_than_slots_wait_and_say_so_once():
    with started(3, slots=2, settle=False, listen_timeout=2000) as (
            pm2, bus):
        wait_running(bus, 2)
        pm2.wait_log("the hub refused: no slot is free, 2 of 2 have a worker; "
                     "waiting")
        # Its turn comes when one of the others goes.
        victim = sorted(running(bus))[0]
        waiting = (set(ids(pm2)) - set(running(bus))).pop()
        pm2.run("stop", str(ids(pm2)[victim]))
        wait_until(lambda: waiting in running(bus), 10, "it has the slot")
        equal(pm2.log().count("the hub refused: no slot"), 1)


@test
def the_hub_is_restarted_and_the_workers_come_back_to_it():
    with started(2) as (pm2, bus):
        clients = [bus.connect(slot) for slot in running(bus).values()]
        clients[1].sub("x")
        before, hub = running(bus), bus.pid()
        os.kill(hub, signal.SIGKILL)
        wait_until(lambda: bus.pid() != hub, 15, "a new hub")
        wait_running(bus, 2)
        equal(running(bus), before)
        clients[0].pub("x", 1)
        equal(clients[1].msg("x")["data"], 1)


@test
def workers_leave_when_pm2_is_killed_and_resurrect_starts_all_anew():
    with started(2) as (pm2, bus):
        client = bus.connect()
        before, hub = running(bus), bus.pid()
        pm2.run("save")
        os.kill(pm2.pid(), signal.SIGKILL)
        # They wait for another hub for move-timeout: it may take the client.
        equal(client.wait_closed(20).code, 1001)
        wait_until(lambda: not any(map(proc.alive, [hub] + list(before))), 20,
                   "all have gone")
        pm2.run("resurrect")
        wait_running(bus, 2)
        equal(set(before) & set(running(bus)), set())
        bus.read_addresses()
        equal(bus.connect().alive(), True)


if __name__ == "__main__":
    main(limit=90)
