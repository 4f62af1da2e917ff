#!/usr/bin/python3
"""The bus as process 1 of a container, and below an init.

A container's process 1 has no default for signals and is the parent of every
orphan in it.  What matters of a container here is its pid namespace, which
`unshare` makes; the Dockerfile's facts are read from the file.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from binary import BUSCTL, ROOT
from bus import Bus
from check import Failed, equal, main, skip_all, test, wait_until
from wsclient import Client

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
if os.getuid() != 0:
    UNSHARE += ["--user", "--map-root-user"]
TRIAL = subprocess.run(UNSHARE + ["true"], capture_output=True, text=True,
                       check=False)
if TRIAL.returncode != 0:
    skip_all("no pid namespace here: " + TRIAL.stderr.strip())


def children(pid):
    """The processes whose parent this is."""
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(word) for word in file.read().split()]


class Container:
    """A bus whose primary, or init, is process 1 of a pid namespace."""

    def __init__(self, bus, init=()):
        self.bus = bus
        with open(bus.log_path, "ab") as log:
            self.outer = subprocess.Popen(
                UNSHARE + list(init) + [BUSCTL, "start"] + bus.flags(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=bus.env,
                start_new_session=True)

    @property
    def first(self):
        """Process 1, by the number that it has out here."""
        return children(self.outer.pid)[0]

    def run(self, *words):
        """Run something inside: what it printed."""
        done = subprocess.run(
            ["nsenter", "--target", str(self.first), "--pid", "--mount"]
            + list(words), env=self.bus.env, stdin=subprocess.DEVNULL,
            capture_output=True, timeout=30, text=True)
        if done.returncode != 0:
            raise Failed("%s: %s" % (words, done.stderr))
        return done.stdout

    def status(self):
        """`busctl status --json` as it is seen inside."""
        return json.loads(self.run(BUSCTL, "status", "--run-dir",
                                   self.bus.run_dir, "--json"))

    def connect(self):
        """A client."""
        host, port = self.status()["listen"][0].rsplit(":", 1)
        client = Client((host, int(port)))
        self.bus.clients.append(client)
        return client

    def wait_exit(self, status):
        """The whole container ends with this exit status."""
        try:
            equal(self.outer.wait(20), status)
        except subprocess.TimeoutExpired:
            raise Failed("it does not end")
        self.bus.check_left()


@contextlib.contextmanager
def started(init=(), **options):
    """(container, bus) with two workers that run."""
    bus = Bus(2, **options)
    container = Container(bus, init)
    try:
        bus.wait_log(r"ready: 2 workers", 20)
        yield container, bus
        bus.check_left()
        bus.check_log()
    except BaseException:
        bus.show_log()
        raise
    finally:
        bus.between_tests()
        bus.kill()
        container.outer.kill()
        container.outer.wait()
        shutil.rmtree(bus.dir, ignore_errors=True)


def stop_of(container):
    """What `docker stop` does: the signal of the Dockerfile to process 1."""
    name = facts()["STOPSIGNAL"]
    os.kill(container.first, getattr(signal, name))


def facts():
    """{instruction: its last text} of the Dockerfile, lines put together."""
    with open(os.path.join(ROOT, "examples", "deploy", "Dockerfile")) as file:
        text = file.read().replace("\\\n", " ")
    return {line.split()[0]: line.split(None, 1)[1]
            for line in text.split("\n") if re.match("[A-Z]+ ", line)}


@test
def as_process_1_it_stops_on_term_and_tells_its_clients():
    with started() as (container, _bus):
        equal(container.status()["primary"]["pid"], 1)
        client = container.connect()
        stop_of(container)
        equal(client.wait_closed(10).code, 1001)
        container.wait_exit(0)


@test
def as_process_1_it_reaps_what_nobody_else_does():
    with started() as (container, bus):
        first = container.first
        workers = set(children(first))
        # Its parent ends at once; process 1 gets it.
        container.run("sh", "-c", "for i in 1 2 3; do sleep 0.2 & done")
        wait_until(lambda: len(children(first)) > 2, 5, "they are adopted")
        wait_until(lambda: set(children(first)) == workers, 10,
                   "they are reaped")
        equal(container.status()["hub"]["orphans"], 3)
        # What ends a worker is still the supervisor's to know.
        os.kill(sorted(workers)[0], signal.SIGKILL)
        bus.allow.append(re.compile("killed by signal 9"))
        bus.wait_log(r"was killed by signal 9 \(Killed\), respawning")
        wait_until(lambda: len(children(first)) == 2 and
                   set(children(first)) != workers, 5, "another worker")
        equal(container.status()["hub"]["orphans"], 3)
        stop_of(container)
        container.wait_exit(0)


@test
def as_process_1_it_knows_all_its_signals():
    with started() as (container, _bus):
        os.kill(container.first, signal.SIGHUP)
        wait_until(lambda: container.status()["hub"]["reloads"] == 1, 10)
        os.kill(container.first, signal.SIGTTIN)
        wait_until(lambda: len(children(container.first)) == 3, 10)
        os.kill(container.first, signal.SIGUSR1)
        os.kill(container.first, signal.SIGQUIT)
        container.wait_exit(0)


@test
def below_an_init_it_is_an_ordinary_process():
    tini = shutil.which("tini")
    if tini is None:
        raise Failed("tini is not there: run tests/deps.sh test")
    with started([tini, "--"]) as (container, _bus):
        with open("/proc/%d/comm" % container.first) as file:
            equal(file.read(), "tini\n")
        client = container.connect()
        primary = children(container.first)[0]
        container.run("sh", "-c", "sleep 0.1 &")
        wait_until(lambda: children(container.first) == [primary], 5,
                   "orphans are the init's")
        equal(container.status()["hub"]["orphans"], 0)
        stop_of(container)
        equal(client.wait_closed(10).code, 1001)
        container.wait_exit(0)


@test
def the_dockerfile_says_what_a_container_needs():
    its = facts()
    equal(its["STOPSIGNAL"], "SIGTERM")
    entry, words = json.loads(its["ENTRYPOINT"]), json.loads(its["CMD"])
    equal(entry, ["clusterbus"], "a list: no shell between")
    equal(its["USER"] in ("root", "0"), False)
    equal(words[0], "start")
    done = subprocess.run(
        [BUSCTL, "config", "check"] + words[1:], stdin=subprocess.DEVNULL,
        capture_output=True, timeout=20, text=True)
    equal(done.stderr, 'busctl: jwt-key: "/key": No such file or directory\n',
          "only the key is not there")
    check = json.loads(its["HEALTHCHECK"].split(" CMD ")[1])
    equal(check, ["clusterbus", "status"])


if __name__ == "__main__":
    main()
