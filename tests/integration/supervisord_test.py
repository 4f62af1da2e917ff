#!/usr/bin/python3
"""A hub and workers as programs of supervisord: examples/deploy/supervisord.conf.

Debian's supervisord is started for each test in a directory of its own.
"""
import configparser
import contextlib
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from binary import BUSCTL, ROOT
from bus import Bus
from check import Failed, equal, main, say, skip_all, test, wait_until

PROGRAM = shutil.which("supervisord")
EXAMPLE = os.path.join(ROOT, "examples", "deploy", "supervisord.conf")
if PROGRAM is None:
    skip_all("supervisord is not there: run tests/deps.sh test")


class Supervisord:
    """supervisord with the example's programs, made smaller."""

    def __init__(self, bus, workers):
        self.bus = bus
        self.path = os.path.join(bus.dir, "supervisord.conf")
        self.socket = os.path.join(bus.dir, "supervisor.sock")
        conf = configparser.RawConfigParser(inline_comment_prefixes=(";",))
        with open(EXAMPLE) as file:
            conf.read_file(file)
        equal(conf["program:worker"]["command"].split()[1:3],
              ["worker", "--attach"])
        conf["program:hub"]["command"] = " ".join(
            [BUSCTL, "hub"] + bus.flags())
        conf["program:worker"]["command"] = (
            "%s worker --attach --run-dir %s --label %%(process_num)d" % (
                BUSCTL, bus.run_dir))
        conf["program:worker"]["numprocs"] = str(workers)
        for name in ("hub", "worker"):
            conf["program:" + name]["stdout_logfile"] = bus.log_path
        conf["supervisord"] = {
            "logfile": os.path.join(bus.dir, "supervisord.log"),
            "pidfile": os.path.join(bus.dir, "supervisord.pid"),
            "childlogdir": bus.dir, "nodaemon": "true"}
        if os.getuid() == 0:
            conf["supervisord"]["user"] = "root"
        conf["unix_http_server"] = {"file": self.socket}
        conf["supervisorctl"] = {"serverurl": "unix://" + self.socket}
        conf["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory":
            "supervisor.rpcinterface:make_main_rpcinterface"}
        with open(self.path, "w") as file:
            conf.write(file)
        self.process = subprocess.Popen(
            [PROGRAM, "-c", self.path], env=bus.env, cwd=bus.dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT, start_new_session=True)

    def ctl(self, *words):
        """`supervisorctl words`: what it printed."""
        done = subprocess.run(
            ["supervisorctl", "-c", self.path] + list(words),
            env=self.bus.env, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=40, text=True)
        return done.stdout + done.stderr

    def states(self):
        """{program: state}."""
        return {line.split()[0]: line.split()[1]
                for line in self.ctl("status").strip().split("\n")
                if line.startswith("bus:")}

    def pid(self, program):
        """The process of a program."""
        text = self.ctl("pid", program).strip()
        if not text.isdigit():
            raise Failed("no pid of %s: %s" % (program, text))
        return int(text)


@contextlib.contextmanager
def started(workers=2):
    """(supervisord, bus) with a hub and so many workers that run."""
    bus = Bus(8, command="hub")
    supervisord = Supervisord(bus, workers)
    try:
        wait_until(lambda: is_up(bus, workers), 20, "all run", 0.05)
        bus.read_addresses()
        yield supervisord, bus
        bus.between_tests()
        supervisord.process.terminate()
        equal(supervisord.process.wait(30), 0)
        bus.check_left()
        bus.check_log()
    except BaseException:
        bus.show_log()
        raise
    finally:
        bus.kill()
        supervisord.process.kill()
        supervisord.process.wait()
        shutil.rmtree(bus.dir, ignore_errors=True)


def running(bus):
    """{pid: slot} of the workers that run."""
    return {worker["pid"]: worker["slot"]
            for worker in bus.status()["workers"]
            if worker["state"] == "RUNNING"}


def is_up(bus, workers):
    """Do so many workers run?"""
    try:
        return len(running(bus)) == workers
    except Failed:
        return False


@test
def all_programs_run_and_the_clients_of_one_that_restarts_stay():
    with started(3) as (supervisord, bus):
        wait_until(lambda: set(supervisord.states().values()) == {"RUNNING"},
                   10, "supervisord says so", 0.1)
        equal(sorted(supervisord.states()), [
            "bus:hub", "bus:worker_00", "bus:worker_01", "bus:worker_02"])
        clients = [bus.connect(slot) for slot in sorted(running(bus).values())]
        for client in clients:
            client.sub("x")
        before = running(bus)
        victim = supervisord.pid("bus:worker_01")
        say(supervisord.ctl("restart", "bus:worker_01").strip().replace("\n", ", "))
        wait_until(lambda: is_up(bus, 3), 10, "three run again")
        equal(set(before) - set(running(bus)), {victim})
        equal(bus.pid(), supervisord.pid("bus:hub"))
        clients[0].pub("x", 1)
        for client in clients:
            equal(client.msg("x")["data"], 1)


@test
def a_hub_that_is_killed_comes_back_to_the_same_workers():
    with started(2) as (supervisord, bus):
        bus.allow.append(re.compile(r"hub|primary|earlier"))
        client, before = bus.connect(), running(bus)
        hub = supervisord.pid("bus:hub")
        os.kill(hub, 9)
        wait_until(lambda: bus.pid() != hub and is_up(bus, 2), 20,
                   "a new hub")
        equal(running(bus), before)
        equal(client.alive(), True)


@test
def a_worker_that_is_drained_by_the_hub_is_started_anew():
    with started(2) as (supervisord, bus):
        before = running(bus)
        code, _out, errors = bus.cli("restart")
        equal(code, 0, errors)
        wait_until(lambda: is_up(bus, 2) and
                   not set(before) & set(running(bus)), 20, "two new ones")
        wait_until(lambda: set(supervisord.states().values()) == {"RUNNING"},
                   10, "supervisord says so", 0.1)


@test
def a_worker_of_another_bus_is_refused_and_not_started_again():
    with started(1) as (supervisord, bus):
        done = subprocess.run(
            [BUSCTL, "worker", "--attach",
             os.path.join(bus.run_dir, "hub.sock"), "--name", "other"],
            env=bus.env, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=20, text=True)
        equal(done.returncode, 78)
        equal('this is the bus "default", not "other"' in done.stderr, True)
        equal(bus.hub("refused"), 1)
        wait_until(lambda: supervisord.states()["bus:worker_00"] == "RUNNING",
                   10, "the right one runs", 0.1)


if __name__ == "__main__":
    main(limit=90)
