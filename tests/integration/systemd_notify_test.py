#!/usr/bin/python3
"""What the primary tells the service manager, through its whole life.

The other side is a notify socket of the test's own; what comes is compared
with what systemd expects of a service with Type=notify.
"""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from binary import BUSCTL, PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, test, wait_until
from manager import Manager, failed_start

STATES = ("READY", "RELOADING", "STOPPING")


def states(manager):
    """READY, RELOADING and STOPPING in their order."""
    return [name for told in manager.told for name in STATES if name in told]


def environment(pid):
    """The variables of a process that begin as the manager's do."""
    with open("/proc/%d/environ" % pid) as file:
        return [one for one in file.read().split("\0")
                if one.startswith(("NOTIFY_", "WATCHDOG_", "LISTEN_",
                                   "FDSTORE"))]


def life(abstract):
    """Start, look, stop: in either kind of namespace."""
    with Manager(abstract) as manager:
        with Bus(3, env=manager.env) as bus:
            at = manager.wait("READY")
            equal(at, 0, "the first message")
            at_least(bus.log().count("info: ready"), 3, "workers by then")
            status = manager.told[at]["STATUS"]
            equal(status.startswith("3 of 3 workers, 0 clients"), True, status)
            equal({told.pid for told in manager.told}, {bus.process.pid})
            for pid in bus.pids().values():
                equal(environment(pid), [], "a worker's environment")
        equal(states(manager), ["READY", "STOPPING"])
        at = manager.wait("STOPPING")
        at_least(int(manager.told[at]["EXTEND_TIMEOUT_USEC"]), 1000000)


@test
def ready_is_said_when_all_workers_listen_and_stopping_when_they_leave():
    life(False)


@test
def an_abstract_name_does_as_well():
    life(True)


@test
def nothing_is_said_while_a_worker_is_missing():
    with Manager() as manager:
        log = failed_start(Bus(2, env=manager.env,
                               worker_program="/bin/false"), 1)
        equal("no worker becomes ready" in log, True, log)
        told = manager.told[manager.wait("STOPPING")]
        equal(told["STATUS"][:23], "no worker becomes ready")
        equal(states(manager), ["STOPPING"])


def reload(bus, line, code):
    """Add a line to the file and reload."""
    with open(os.path.join(bus.dir, "conf"), "a") as file:
        file.write(line + "\n")
    equal(bus.cli("reload")[0], code)


@test
def every_reload_is_told_at_its_begin_and_its_end():
    with Manager() as manager:
        bus = Bus(2, env=manager.env, allow=["lots", "1 mistake"])
        path = os.path.join(bus.dir, "conf")
        with open(path, "w"):
            pass
        bus.options["config"] = path
        with bus:
            manager.wait("READY")
            for line, code in (("max-message 64k", 0),
                               ("max-clients 77", 0),
                               ("max-rate lots", 2)):
                before = time.monotonic_ns() // 1000
                start = len(manager.told)
                reload(bus, line, code)
                at = manager.wait("RELOADING", after=start)
                usec = int(manager.told[at]["MONOTONIC_USEC"])
                at_least(usec, before, "of this reload")
                at_most(usec, time.monotonic_ns() // 1000, "not of the next")
                manager.wait("READY", after=at + 1)
                equal(states(manager)[-2:], ["RELOADING", "READY"])
            bus.process.send_signal(signal.SIGHUP)
            at = manager.wait("RELOADING", after=len(manager.told))
            manager.wait("READY", after=at)
        equal(states(manager),
              ["READY"] + ["RELOADING", "READY"] * 4 + ["STOPPING"])


@test
def a_restart_of_workers_is_no_reload():
    with Manager() as manager:
        with Bus(2, env=manager.env) as bus:
            manager.wait("READY")
            equal(bus.cli("restart")[0], 0)
            equal(bus.cli("scale", "3")[0], 0)
        equal(states(manager), ["READY", "STOPPING"])


@test
def the_status_follows_the_clients_and_comes_rarely():
    with Manager() as manager:
        with Bus(2, env=manager.env) as bus:
            manager.wait("READY")
            for _ in range(4):
                bus.connect()
            at = wait_until(lambda: [
                told for told in manager.all("STATUS")
                if "2 of 2 workers, 4 clients" in told["STATUS"]], 12)
            times = [told.when for told in manager.all("STATUS")]
            for one, next_one in zip(times, times[1:]):
                at_least(next_one - one, 4.0, "seconds between two")
            equal(len(at), 1)


@test
def a_long_drain_asks_for_more_time_until_it_is_over():
    with Manager() as manager:
        with Bus(2, env=manager.env, drain_window="5s") as bus:
            manager.wait("READY")
            for _ in range(30):
                bus.connect()
            bus.process.send_signal(signal.SIGTERM)
            at = manager.wait("STOPPING")
            first = manager.wait("EXTEND_TIMEOUT_USEC", None, at + 1)
            told = manager.told[first]
            at_most(told.when - manager.told[at].when, 4.0 * PATIENCE)
            at_least(int(told["EXTEND_TIMEOUT_USEC"]), 10000000)
            equal(told["STATUS"].startswith("stopping: 2 workers"), True,
                  told["STATUS"])


@test
def a_worker_that_does_not_move_keeps_the_watchdog_from_being_fed():
    with Manager() as manager:
        env = dict(manager.env, WATCHDOG_USEC="600000")
        with Bus(2, env=env, stall_timeout="4s",
                 allow=["has not moved", "was killed", "respawning"]) as bus:
            manager.wait("WATCHDOG", after=manager.wait("READY"))
            wait_until(lambda: len(manager.all("WATCHDOG")) >= 6, 10)
            times = [told.when for told in manager.all("WATCHDOG")][:6]
            at_most(times[-1] - times[0], 5 * 0.6 * PATIENCE, "seconds for 5")
            bus.signal(signal.SIGSTOP, slot=1)
            wait_until(lambda: bus.hub("stalled") == 1, 15)
            wait_until(bus.running, 10)
            fed = len(manager.all("WATCHDOG"))
            wait_until(lambda: len(manager.all("WATCHDOG")) >= fed + 3, 5)
            times = [told.when for told in manager.all("WATCHDOG")]
            gap = max(b - a for a, b in zip(times, times[1:]))
            at_least(gap, 2.0, "seconds without it")
            at_most(gap, 6.0 * PATIENCE, "seconds until it was replaced")


@test
def a_watchdog_of_another_process_is_not_ours():
    with Manager() as manager:
        env = dict(manager.env, WATCHDOG_USEC="100000", WATCHDOG_PID="1")
        with Bus(1, env=env) as bus:
            manager.wait("READY")
            time.sleep(0.4)  # nothing is what must come
            equal(bus.running(), True)
            equal(manager.all("WATCHDOG"), [])


@test
def a_manager_that_does_not_read_delays_nothing_and_misses_no_state():
    with Manager(reading=False) as manager:
        manager.fill()
        with Bus(2, env=manager.env) as bus:
            equal(bus.cli("reload")[0], 0)
            equal(manager.told, [])
            manager.read()
            at = manager.wait("RELOADING", after=manager.wait("READY"))
            manager.wait("READY", after=at)
            equal(bus.hub("notify_lost"), 0)


@test
def who_goes_into_the_background_becomes_the_main_process():
    with Manager() as manager:
        bus = Bus(2, env=dict(manager.env, WATCHDOG_USEC="400000"))
        bus.env["NOTIFY_SOCKET"] = manager.name
        started = subprocess.Popen(
            [BUSCTL, "start", "--daemon"] + bus.flags(), env=bus.env,
            start_new_session=True)
        try:
            equal(started.wait(20), 0)
            at = manager.wait("MAINPID", None)
            equal(manager.told[at].pid, started.pid, "who says it")
            main_pid = int(manager.told[at]["MAINPID"])
            equal(main_pid, bus.pid())
            at = manager.wait("READY", after=at)
            equal(manager.told[at].pid, main_pid)
            manager.wait("WATCHDOG", after=at)
            equal(bus.cli("stop")[0], 0)
            equal(states(manager), ["READY", "STOPPING"])
        finally:
            bus.kill()


@test
def after_an_upgrade_the_new_program_goes_on():
    with Manager() as manager:
        env = dict(manager.env, WATCHDOG_USEC="400000")
        with Bus(2, env=env) as bus:
            manager.wait("READY")
            code, said, errors = bus.cli("upgrade")
            equal(code, 0, said + errors)
            at = len(manager.told)
            manager.wait("WATCHDOG", after=at)
            at = manager.wait("WATCHDOG", after=at + 1)
            equal(manager.told[at].pid, bus.process.pid)
            equal(bus.cli("reload")[0], 0)
            at = manager.wait("RELOADING", after=at)
            manager.wait("READY", after=at)
            for pid in bus.pids().values():
                equal(environment(pid), [], "a worker's environment")
        manager.wait("STOPPING")


@test
def what_is_no_socket_is_said_and_the_bus_runs():
    for name in ("vsock:2:1234", "relative", "/" + 200 * "x"):
        with Bus(1, env={"NOTIFY_SOCKET": name},
                 allow=["NOTIFY_SOCKET"]) as bus:
            bus.wait_log("NOTIFY_SOCKET .* is no path")


@test
def a_manager_that_has_gone_is_counted_and_the_bus_runs():
    with Bus(1, env={"NOTIFY_SOCKET": "/tmp/there-is-no-such-socket"},
             allow=["cannot be told"]) as bus:
        wait_until(lambda: bus.hub("notify_lost") > 0, 5)
        equal(bus.cli("reload")[0], 0)
        equal(bus.log().count("cannot be told"), 1)


main()
