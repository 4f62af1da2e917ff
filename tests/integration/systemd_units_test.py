#!/usr/bin/python3
"""The units of examples/deploy: systemd finds no mistake in them, and the
words in them really start a bus.
"""
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from binary import BUSCTL, ROOT
from bus import Bus
from check import at_least, equal, main, test, wait_until
from manager import Manager, PassedBus, listening
from wsclient import Client

DEPLOY = os.path.join(ROOT, "examples", "deploy")
PROGRAM = "/usr/local/bin/clusterbus"
EXPOSURE = 20  # tenths; 1.5 now, "OK" ends at 4.0, a plain unit has 9.6


def read(name):
    """A unit's text."""
    with open(os.path.join(DEPLOY, name)) as file:
        return file.read()


def values(name, key):
    """What stands behind KEY= in a unit."""
    return re.findall("(?m)^%s=(.*)$" % key, read(name))


def copies(folder):
    """The units with a program that exists here: their paths."""
    made = []
    for path in (glob.glob(os.path.join(DEPLOY, "*.service")) +
                 glob.glob(os.path.join(DEPLOY, "*.socket"))):
        name = os.path.basename(path)
        copy = os.path.join(folder, name)
        with open(copy, "w") as file:
            file.write(read(name).replace("=" + PROGRAM, "=/bin/true"))
        made.append(copy)
    return sorted(made)


def analyze(*words):
    """systemd-analyze: (exit status, all that it says)."""
    done = subprocess.run(["systemd-analyze"] + list(words),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    return done.returncode, done.stdout


@test
def systemd_finds_no_mistake_in_any_unit():
    with tempfile.TemporaryDirectory() as folder:
        units = copies(folder)
        equal([os.path.basename(unit) for unit in units],
              ["clusterbus-worker@.service", "clusterbus.service",
               "clusterbus.socket", "clusterbus@.service"])
        words = [unit.replace("@.", "@one.") for unit in units]
        equal(analyze("verify", "--man=no", *words), (0, ""))
        # It would find one.
        with open(units[1], "a") as file:
            file.write("\n[Service]\nKillMod=mixed\n")
        equal("KillMod" in analyze("verify", "--man=no", units[1])[1], True)


@test
def every_service_is_hardened():
    with tempfile.TemporaryDirectory() as folder:
        services = [unit for unit in copies(folder)
                    if unit.endswith(".service")]
        for unit in services:
            code, said = analyze("security", "--offline=true",
                                 "--threshold=%d" % EXPOSURE, unit)
            equal(code, 0, said)
        with open(services[1], "a") as file:
            file.write("\n[Service]\nUser=root\nDynamicUser=no\n"
                       "CapabilityBoundingSet=~\nSystemCallFilter=\n")
        equal(analyze("security", "--offline=true", "--threshold=%d" %
                      EXPOSURE, services[1])[0], 1)


def seconds(option):
    """An option's default."""
    out = subprocess.run([BUSCTL, "config", "print"], capture_output=True,
                         text=True, check=True).stdout
    number, unit = re.search(r"(?m)^%s (\d+)(ms|s|m)?$" % option,
                             out).groups()
    return int(number) * {"ms": 0.001, "m": 60}.get(unit, 1)


@test
def the_units_times_fit_the_defaults_of_the_bus():
    drain = (seconds("drain-window") + seconds("drain-timeout") +
             seconds("kill-timeout"))
    for name in ("clusterbus.service", "clusterbus@.service",
                 "clusterbus-worker@.service"):
        at_least(int(values(name, "TimeoutStopSec")[0]), drain + 10, name)
        equal(values(name, "KillMode"), ["mixed"], name)
    for name in ("clusterbus.service", "clusterbus@.service"):
        at_least(int(values(name, "WatchdogSec")[0]),
                 2 * seconds("stall-timeout"), name)
        at_least(int(values(name, "TimeoutStartSec")[0]),
                 2 * seconds("start-timeout"), name)
        equal(values(name, "Type"), ["notify"], name)


def fill_in(line, bus, instance=""):
    """The words of a unit, in the folder of a test."""
    line = line.replace("%i", instance)
    line = re.sub(r"/run/clusterbus(-\w+)?", bus.run_dir, line)
    line = re.sub(r"/etc/clusterbus/\w+\.conf", bus.dir + "/conf", line)
    words = shlex.split(line)
    equal(words[0], PROGRAM)
    return words[1:]


def configure(bus, *lines):
    """Write the file that the units name."""
    with open(os.path.join(bus.dir, "conf"), "w") as file:
        file.write("\n".join(lines) + "\n")


def runs(name, instance=""):
    """Start, reload and stop with a unit's words."""
    with Manager() as manager:
        bus = Bus(2, env=manager.env)
        configure(bus, "workers 2", "listen 127.0.0.1:0", "drain-window 1s")
        words = fill_in(values(name, "ExecStart")[0], bus, instance)
        bus.command, rest = words[0], words[1:]
        bus.flags = lambda: rest
        with bus:
            manager.wait("READY")
            wait_until(lambda: len(manager.stored) == 2)
            client = bus.connect()
            client.sub("a")
            words = fill_in(values(name, "ExecReload")[0], bus, instance)
            at = len(manager.told)
            equal(subprocess.run([BUSCTL] + words, env=bus.env,
                                 stdout=subprocess.DEVNULL).returncode, 0)
            manager.wait("RELOADING", after=at)
            manager.wait("READY", after=at)
        manager.wait("STOPPING")


@test
def the_words_of_the_service_start_and_reload_a_bus():
    runs("clusterbus.service")


@test
def the_words_of_the_template_start_and_reload_a_bus():
    runs("clusterbus@.service", "chat")


@test
def the_words_of_the_worker_join_a_hub():
    name = "clusterbus-worker@.service"
    bus = Bus(2, command="hub")
    configure(bus, "listen 127.0.0.1:0", "drain-window 300ms")
    line = re.search(r"(?m)^#\s+ExecStart=(/.*)$", read(name)).group(1)
    words = fill_in(line, bus)
    equal(words[0], "hub")
    bus.flags = lambda: words[1:] + ["-n", "1"]
    with bus:
        words = fill_in(values(name, "ExecStart")[0], bus, "1")
        with open(bus.log_path, "ab") as log:
            worker = subprocess.Popen([BUSCTL] + words, env=bus.env,
                                      stdout=log, stderr=log)
        try:
            wait_until(lambda: bus.running(1), 10)
            bus.wait_log(r'attaches')
            client = bus.connect()
            client.sub("a")
        finally:
            bus.stop()
            equal(worker.wait(10), 0)


@test
def the_sockets_of_the_socket_unit_are_taken():
    name = "clusterbus.socket"
    lines = values(name, "ListenStream")
    equal(values(name, "ReusePort"), ["yes"])
    equal(set(lines), {"127.0.0.1:8080"})
    first = listening(("127.0.0.1", 0), reuse=True)
    group = [first] + [listening(first.getsockname(), reuse=True)
                       for _ in lines[1:]]
    passed = [(values(name, "FileDescriptorName")[0], one.fileno())
              for one in group]
    with PassedBus(passed, len(group), listen="127.0.0.1:%d" %
                   first.getsockname()[1]) as bus:
        seen = set()
        for _ in range(400):
            client = Client(bus.address)
            seen.add(client.slot)
            client.abort()
            if len(seen) == len(group):
                break
        equal(seen, set(range(len(group))))
    for one in group:
        one.close()


main()
