#!/usr/bin/python3
"""The whole bus as one application of PM2: examples/deploy/ecosystem.config.js.

PM2 is the real one, with a daemon of its own for each test.  It is waited for
by what it says itself (`pm2 jlist`) and by what the bus does.
"""
import contextlib
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from bus import Bus
from check import at_least, at_most, equal, main, test, wait_until
from pm2 import Pm2


@contextlib.contextmanager
def started(n=2, options=(), **more):
    """A bus of n workers under PM2: (pm2, bus)."""
    bus = Bus(n, drain_window=None, **dict(options))
    with Pm2(bus) as pm2:
        change = {"args": ["start"] + bus.flags(), "kill_timeout": 2000}
        change.update(more)
        pm2.run("start", pm2.config("ecosystem.config.js", {"bus": change}))
        pm2.wait_ready()
        yield pm2, bus


def stop(pm2):
    """`pm2 stop`."""
    pm2.run("stop", "bus")
    wait_until(lambda: pm2.states("bus") == ["stopped"], 10, "it is stopped")


@test
def pm2_start_returns_when_all_workers_listen_and_shows_the_figures():
    with started(2) as (pm2, bus):
        equal(pm2.states("bus"), ["online"])
        equal(bus.running(2), True, "both workers run already")
        for slot in (0, 1):
            bus.connect(slot).sub("x")
        wait_until(lambda: pm2.figures("bus")[0].get("Clients") == 2, 10,
                   "the clients are counted", 0.2)
        figures = pm2.figures("bus")[0]
        equal(figures["Workers"], "2/2")
        equal(figures["Dropped"], 0)
        at_least(figures["Memory of all"], 1, "MB")
        at_least(len(figures), 8, "figures")
        # Each of 400 publishes goes to both clients.
        for _ in range(400):
            bus.clients[0].pub("x", 1)
        wait_until(lambda: pm2.figures("bus")[0]["Frames out"] > 0, 10,
                   "frames are counted", 0.2)
        equal(bus.hub("pm2_bad"), 0)
        # The channel is the primary's: no worker has it.
        own = proc.fd_names(bus.pid())
        for pid in bus.pids().values():
            with open("/proc/%d/environ" % pid, "rb") as file:
                equal(b"NODE_CHANNEL_FD" in file.read(), False)
            at_most(len(set(proc.fd_names(pid)) & set(
                name for name in own if name.startswith("socket:"))), 3,
                    "sockets that primary and worker share")


@test
def every_trigger_does_what_busctl_does_and_is_answered():
    with started(2) as (pm2, bus):
        client = bus.connect(1)
        equal(pm2.trigger("bus", "status")["slots"][1]["clients"], 1)
        equal(pm2.trigger("bus", "scale", "3"),
              {"ok": True, "text": "3 workers, there were 2"})
        equal(bus.running(3), True)
        equal(pm2.trigger("bus", "scale", "+1")["ok"], True)
        equal(bus.running(4), True)
        old = bus.pid(2)
        equal(pm2.trigger("bus", "restart", "2")["text"],
              "worker of slot 2 restarted")
        equal(bus.pid(2) != old, True)
        equal(pm2.trigger("bus", "reload")["ok"], True)
        equal(bus.hub("reloads"), 1)
        equal(client.alive(), True)
        for words in (["scale"], ["scale", "0"], ["scale", "x"],
                      ["restart", "99"], ["restart", "x"],
                      ["reload", "now"]):
            equal(pm2.trigger("bus", *words)["ok"], False, words)
        equal(bus.running(4), True, "nothing has changed")
        equal(bus.hub("pm2_bad"), 0)


@test
def drain_tells_the_clients_and_pm2_starts_a_fresh_bus():
    with started(1) as (pm2, bus):
        client = bus.connect()
        pid = bus.pid()
        equal(pm2.trigger("bus", "drain")["ok"], True)
        closed = client.wait_closed(10)
        equal(closed.code, 1001)
        equal("retry_in" in json.loads(closed.reason), True)
        wait_until(lambda: pm2.states("bus") == ["online"] and
                   pm2.one("bus")["pid"] not in (0, pid), 15,
                   "PM2 starts it again", 0.2)
        pm2.wait_ready()
        equal(bus.connect().alive(), True)


@test
def a_signal_sent_by_pm2_reaches_the_primary_alone():
    with started(2) as (pm2, bus):
        pids, client = bus.pids(), bus.connect()
        pm2.run("sendSignal", "SIGHUP", "bus")
        wait_until(lambda: bus.hub("reloads") == 1, 10, "it reloads")
        pm2.run("sendSignal", "SIGTTIN", "bus")
        wait_until(lambda: bus.running(3), 10, "a third worker")
        equal({slot: bus.pids()[slot] for slot in (0, 1)}, pids)
        equal(client.alive(), True)


@test
def after_an_upgrade_pm2_sees_the_same_process_and_speaks_with_it():
    with started(2) as (pm2, bus):
        pid, client = bus.pid(), bus.connect()
        pm2.run("sendSignal", "SIGUSR2", "bus")
        wait_until(lambda: bus.hub("upgrades") == 1, 15, "it is upgraded")
        equal(bus.pid(), pid)
        equal(pm2.trigger("bus", "status")["slots"][0]["state"], "RUNNING")
        wait_until(lambda: pm2.figures("bus")[0].get("Clients") == 1, 10,
                   "figures", 0.2)
        equal(client.alive(), True)
        equal(pm2.one("bus")["pm2_env"]["restart_time"], 0)
        equal(pm2.daemon_log().count("App [bus:0] disconnected"), 0)


@test
def stop_fits_into_kill_timeout_and_every_client_is_told():
    for tree in (True, False):
        with started(2, treekill=tree) as (pm2, bus):
            clients = [bus.connect(number % 2) for number in range(6)]
            pid = bus.pid()
            stop(pm2)
            for client in clients:
                equal(client.wait_closed(5).code, 1001)
            bus_left = [p for p in proc.marked(bus.mark)
                        if proc.command(p).startswith("busctl") or p == pid]
            equal(bus_left, [], "treekill %s" % tree)
            pm2.wait_log(r"primary %d info: stopped" % pid)
            # It ended by itself: PM2 had nobody to kill.
            equal("exited with code [0]" in pm2.daemon_log(), True)
            equal("SIGKILL" in pm2.daemon_log(), False)


@test
def shutdown_with_message_is_a_paced_stop_too():
    with started(2, shutdown_with_message=True) as (pm2, bus):
        clients = [bus.connect(slot) for slot in (0, 1)]
        stop(pm2)
        for client in clients:
            equal(client.wait_closed(5).code, 1001)
        pm2.wait_log("PM2 says shutdown")
        pm2.wait_log("info: stopped")
        equal("got INT" in pm2.log(), False)


@test
def what_was_set_is_not_changed_for_pm2_but_said():
    with started(1, kill_timeout=1500,
                 options={"drain_timeout": "30s"}) as (pm2, _bus):
        pm2.wait_log(r"a stop may take \d+ ms, but PM2 kills after 1500")


@test
def when_pm2_is_killed_the_workers_stay_and_resurrect_finds_them():
    with started(2) as (pm2, bus):
        clients = [bus.connect(slot) for slot in (0, 1)]
        for client in clients:
            client.sub("x")
        pids, primary = bus.pids(), bus.pid()
        pm2.run("save")
        os.kill(pm2.pid(), signal.SIGKILL)
        wait_until(lambda: not proc.alive(primary), 5, "the primary lets go")
        for client in clients:
            equal(client.alive(), True, "served without PM2 and a primary")
        pm2.run("resurrect")
        wait_until(lambda: pm2.states("bus") == ["online"], 15, "", 0.2)
        wait_until(bus.running, 10, "all are back")
        equal(bus.pids(), pids, "the same workers")
        equal(bus.pid() != primary, True)
        clients[0].pub("x", "again")
        equal(clients[1].msg("x")["data"], "again")
        stop(pm2)
        for client in clients:
            equal(client.wait_closed(5).code, 1001)


@test
def a_primary_that_is_killed_is_started_again_and_nobody_notices():
    with started(2) as (pm2, bus):
        clients = [bus.connect(slot) for slot in (0, 1)]
        clients[1].sub("x")
        pids, primary = bus.pids(), bus.pid()
        os.kill(primary, signal.SIGKILL)
        wait_until(lambda: pm2.one("bus")["pid"] not in (0, primary), 15,
                   "PM2 starts it again", 0.1)
        wait_until(lambda: bus.pid() != primary and bus.running(), 15,
                   "it has the workers back")
        equal(bus.pids(), pids)
        clients[0].pub("x", 1)
        equal(clients[1].msg("x")["data"], 1)
        equal(pm2.one("bus")["pm2_env"]["restart_time"], 1)


@test
def words_that_are_wrong_are_not_tried_again():
    bus = Bus(1, listen="nowhere")
    with Pm2(bus) as pm2:
        pm2.run("start", pm2.config("ecosystem.config.js", {
            "bus": {"args": ["start"] + bus.flags(), "listen_timeout": 1000,
                    "min_uptime": 100}}))
        wait_until(lambda: pm2.states("bus") == ["stopped"], 10, "", 0.2)
        equal(pm2.one("bus")["pm2_env"]["restart_time"], 0)
        pm2.wait_log("nowhere")


if __name__ == "__main__":
    main(limit=90)
