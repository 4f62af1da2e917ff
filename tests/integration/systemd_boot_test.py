#!/usr/bin/python3
"""The units of examples/deploy under a systemd that is process 1.

No line of them is changed: user, sandbox, limits, watchdog and descriptor
store are the ones of production.  A drop-in shortens times where a test would
wait for half a minute.
"""
# timeout: 240
# slow: a sanitizer's own memory and calls do not fit the sandbox
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from booted import Machine
from check import equal, main, test, wait_until
from churn import Churn
from load import Load
from ports import free_port
from wsclient import Client

UNIT = "clusterbus.service"
TOPICS = ["a", "b", "c"]


def configure(machine, workers, *lines, name="bus"):
    """Write /etc/clusterbus/NAME.conf; where the bus will listen."""
    address = ("127.0.0.1", free_port())
    machine.write("/etc/clusterbus/%s.conf" % name, "\n".join(
        ("workers %d" % workers, "listen %s:%d" % address,
         *lines)) + "\n")
    return address


def status(machine, run_dir="/run/clusterbus"):
    """`busctl status` of the bus in there."""
    return json.loads(machine.run("clusterbus", "status", "--json",
                                  "--run-dir", run_dir).stdout)


def crowd(address, count):
    """So many clients who all publish, and hear each other."""
    load = Load()
    for _ in range(count):
        client = Client(address)
        load.subscriber(client, TOPICS)
        load.publisher_too(client, TOPICS, rate=8)
    load.run_for(0.3)
    return load


def nobody_notices(machine, load, *words):
    """Traffic while a command runs; nothing is lost and nobody goes."""
    running = machine.popen(*words)
    load.run(lambda: running.poll() is not None, 40, "the command")
    said = running.communicate()[0]
    equal(running.returncode, 0, "%s: %s" % (words, said))
    load.run_for(0.3)
    load.settle()
    load.check()
    equal(load.lost, [], "disconnected by %s" % " ".join(words))


def stop(machine, unit=UNIT):
    """Stop a unit; it ends as it should."""
    machine.systemctl("stop", unit)
    equal((machine.show(unit, "ActiveState"), machine.show(unit, "Result")),
          ("inactive", "success"), machine.journal(unit))


@test
def the_service_starts_in_its_sandbox_and_says_how_it_is(machine):
    address = configure(machine, 3)
    machine.systemctl("start", UNIT)
    load = crowd(address, 10)  # all workers listen when `start` returns
    load.settle()
    load.check()
    equal(machine.show(UNIT, "NFileDescriptorStore"), "3")
    wait_until(lambda: "3 of 3 workers, 10 clients" in machine.show(
        UNIT, "StatusText"), 10)
    group = "/sys/fs/cgroup%s/cgroup.procs" % machine.show(
        UNIT, "ControlGroup")
    with open(machine.path(group)) as file:
        pids = [int(line) for line in file]  # as this side counts them
    equal(len(pids), 4)
    for pid in pids:
        with open("/proc/%d/status" % pid) as file:
            facts = dict(line.rstrip("\n").split(":\t", 1) for line in file
                         if ":\t" in line)
        equal("0" in facts["Uid"].split(), False, "not root")
        equal(int(facts["CapEff"], 16), 0, "no capability")
        equal((facts["NoNewPrivs"], facts["Seccomp"]), ("1", "2"))
    equal("ready: 3 workers" in machine.journal(UNIT), True)
    load.close()
    stop(machine)


@test
def a_reload_changes_it_and_a_bad_one_fails_and_changes_nothing(machine):
    address = configure(machine, 2)
    machine.systemctl("start", UNIT)
    load = crowd(address, 20)
    path = "/etc/clusterbus/bus.conf"
    with open(machine.path(path)) as file:
        text = file.read()
    machine.write(path, text.replace("workers 2", "workers 4"))
    nobody_notices(machine, load, "systemctl", "reload", UNIT)
    wait_until(lambda: status(machine)["workers_wanted"] == 4, 10)
    machine.write(path, text.replace("workers 2", "wokers 2"))
    equal(machine.run("systemctl", "reload", UNIT, check=False).returncode, 1)
    equal(machine.show(UNIT, "ActiveState"), "active")
    equal(status(machine)["workers_wanted"], 4)
    load.settle()
    equal(load.lost, [])
    load.close()
    stop(machine)


@test
def workers_are_replaced_and_the_program_too_and_nobody_notices(machine):
    address = configure(machine, 2)
    machine.systemctl("start", UNIT)
    load = crowd(address, 20)
    pid = machine.main_pid(UNIT)
    nobody_notices(machine, load, "clusterbus", "restart", "--run-dir",
                   "/run/clusterbus")
    nobody_notices(machine, load, "clusterbus", "upgrade", "--run-dir",
                   "/run/clusterbus")
    equal((machine.main_pid(UNIT), machine.show(UNIT, "NRestarts")),
          (pid, "0"))
    equal(status(machine)["hub"]["upgrades"], 1)
    load.close()
    stop(machine)


@test
def who_connects_while_the_unit_restarts_waits_and_is_served(machine):
    address = configure(machine, 2, "drain-window 300ms")
    machine.systemctl("start", UNIT)
    pid = machine.main_pid(UNIT)
    churn = Churn(address, count=20, deadline=20)
    running = machine.popen("systemctl", "restart", UNIT)
    churn.run_while(lambda: running.poll() is None)
    equal(running.returncode, 0)
    served = churn.finished
    churn.run_while(lambda: churn.finished < served + 100)
    equal(churn.faults, [])
    equal(machine.main_pid(UNIT) not in (0, pid), True)
    churn.close()
    stop(machine)


@test
def a_primary_that_is_killed_or_stands_still_is_started_again(machine):
    address = configure(machine, 2, "stall-timeout 1s")
    machine.drop_in(UNIT, "WatchdogSec=3", "TimeoutStopSec=5",
                    "TimeoutAbortSec=2")
    machine.systemctl("start", UNIT)
    for times, number in enumerate((signal.SIGKILL, signal.SIGSTOP), 1):
        pid = machine.main_pid(UNIT)
        os.kill(pid, number)
        wait_until(lambda: machine.show(UNIT, "NRestarts") == str(times) and
                   machine.show(UNIT, "ActiveState") == "active", 30,
                   "started again after signal %d" % number, 0.1)
        equal(proc.alive(pid), False)
        load = crowd(address, 4)
        load.settle()
        load.check()
        load.close()
    stop(machine)


@test
def a_drain_that_needs_longer_than_the_unit_allows_is_let_end(machine):
    address = configure(machine, 1, "drain-window 5s")
    machine.drop_in(UNIT, "TimeoutStopSec=2")
    machine.systemctl("start", UNIT)
    clients = [Client(address) for _ in range(20)]
    running = machine.popen("systemctl", "stop", UNIT)
    for client in clients:
        equal(client.wait_closed(20).code, 1001)
    equal(running.wait(60), 0)
    running.stdout.close()
    equal(machine.show(UNIT, "Result"), "success", machine.journal(UNIT))


@test
def a_mistake_in_the_configuration_is_tried_once(machine):
    machine.write("/etc/clusterbus/bus.conf", "wokers 2\n")
    equal(machine.run("systemctl", "start", UNIT, check=False).returncode, 1)
    equal((machine.show(UNIT, "ActiveState"), machine.show(UNIT, "NRestarts"),
           machine.show(UNIT, "ExecMainStatus")), ("failed", "0", "2"))
    equal("wokers" in machine.journal(UNIT), True)


@test
def the_first_connection_starts_it_by_the_socket_unit(machine):
    address = configure(machine, 4)
    path = "/etc/systemd/system/clusterbus.socket"
    with open(machine.path(path)) as file:
        text = file.read()
    machine.write(path, text.replace("127.0.0.1:8080", "%s:%d" % address))
    machine.systemctl("daemon-reload")
    machine.systemctl("start", "clusterbus.socket")
    equal(machine.show(UNIT, "ActiveState"), "inactive")
    client = Client(address, timeout=20)
    client.sub("a")
    wait_until(lambda: machine.show(UNIT, "ActiveState") == "active", 10)
    slots = set()
    for _ in range(400):
        other = Client(address)
        slots.add(other.slot)
        other.close()
    equal(slots, {0, 1, 2, 3}, "a socket for each worker")
    client.close()
    machine.systemctl("stop", "clusterbus.socket")


@test
def two_buses_run_by_the_template(machine):
    names = ("chat", "stock")
    addresses = [configure(machine, 1, name=name) for name in names]
    units = ["clusterbus@%s.service" % name for name in names]
    machine.systemctl("start", *units)
    chat, stock = [Client(address) for address in addresses]
    chat.sub("a")
    stock.sub("a")
    stock.pub("a", 1)
    equal(stock.msg("a")["data"], 1)
    chat.silent()
    equal([status(machine, "/run/clusterbus-" + name)["name"]
           for name in names], list(names))
    for client in (chat, stock):
        client.close()
    for unit in units:
        stop(machine, unit)


@test
def workers_that_are_units_of_their_own_change_and_nobody_notices(machine):
    address = configure(machine, 3)
    with open(machine.path(
            "/etc/systemd/system/clusterbus-worker@.service")) as file:
        line = next(line.lstrip("#").strip() for line in file
                    if "ExecStart=/usr" in line)
    machine.drop_in(UNIT, "ExecStart=", line.replace("-n 8", "-n 3"))
    workers = ["clusterbus-worker@%d.service" % n for n in (1, 2, 3)]
    machine.systemctl("start", *workers, UNIT)  # in whatever order

    def running(count):
        return sum(worker["state"] == "RUNNING"
                   for worker in status(machine)["workers"]) == count
    wait_until(lambda: running(3), 20)
    load = crowd(address, 30)
    before = machine.main_pid(workers[1])
    nobody_notices(machine, load, "systemctl", "restart", workers[1])
    wait_until(lambda: running(3), 20)
    equal(machine.main_pid(workers[1]) not in (0, before), True)
    nobody_notices(machine, load, "systemctl", "stop", workers[2])
    load.close()
    machine.systemctl("stop", UNIT, *workers)
    for unit in workers:
        equal(machine.show(unit, "Result"), "success", machine.journal(unit))


main(shared=Machine(), limit=90)
