"""A real bus for a test: start it, look at it, hurt it, stop it.

Every bus has a directory of its own,
a free port and a mark in its environment by which every process that belongs
to it can be found again, whoever its parent has become.

Leaving the context stops the bus and checks what must hold for every test:
exit status 0, no process left, nothing unexpected in the log, no report of a
sanitizer.
"""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
import uuid

import proc
from binary import BUSCTL, PATIENCE
from check import Failed, deadline_in, say, wait_until
from wsclient import Client

ALWAYS = [r"descriptors are allowed; max-clients needs"]
SANITIZER = re.compile(
    r"AddressSanitizer|LeakSanitizer|UndefinedBehavior|runtime error:"
    r"|Assertion .* failed")


def _environment(mark):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("CLUSTERBUS_")}
    kept["CBUS_TEST_MARK"] = mark
    return kept


class Bus:
    """A bus of n workers; options become flags (max_rate=5: --max-rate 5).

    allow: regular expressions of warnings that the test provokes.
    nofile: soft and hard limit of descriptors for the primary.
    checked=False: only for tests whose subject is a bus that fails.
    """

    def __init__(self, n=2, allow=(), nofile=None, env=None, checked=True,
                 command="start", **options):
        self.n = n
        self.allow = [re.compile(text) for text in list(allow) + ALWAYS]
        self.nofile = nofile
        self.checked = checked
        self.command = command
        # Clients stay on the worker that a test has put them on.
        self.options = {"listen": "127.0.0.1:0", "drain_window": "300ms",
                        "no_balance": True}
        self.options.update(options)
        self.mark = "clusterbus-test-" + uuid.uuid4().hex
        self.env = _environment(self.mark)
        self.env.update(env or {})
        self.dir = tempfile.mkdtemp(prefix="cbus-")
        self.run_dir = os.path.join(self.dir, "run")
        self.log_path = os.path.join(self.dir, "log")
        self.process = None
        self.addresses = []
        self.clients = []

    # Life

    def flags(self):
        """The words after `busctl start`."""
        words = ["--run-dir", self.run_dir]
        if self.n is not None:
            words += ["-n", str(self.n)]
        for name, value in self.options.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                words.append(flag)
            elif value is not None and value is not False:
                values = value if isinstance(value, list) else [value]
                for one in values:
                    words += [flag, str(one)]
        return words

    def spawn(self):
        """Start the primary and do not wait for anything."""
        if not os.access(BUSCTL, os.X_OK):
            raise Failed("no program at %s: run make first" % BUSCTL)

        def limit():
            if self.nofile is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE,
                                   (self.nofile, self.nofile))

        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BUSCTL, self.command] + self.flags(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env, preexec_fn=limit, start_new_session=True)
        return self.process

    def start(self, deadline=20.0):
        """Start the primary and wait until its workers are ready."""
        offset = len(self.log())
        self.spawn()
        self.wait_log(r"ready: \d+ worker", deadline, offset)
        self.read_addresses()
        return self

    def read_addresses(self):
        """Learn from status where the bus listens."""
        self.addresses = []
        for text in self.status()["listen"]:
            host, port = text.rsplit(":", 1)
            self.addresses.append((host.strip("[]"), int(port)))

    @property
    def address(self):
        """Host and port of the first listen address."""
        return self.addresses[0]

    @property
    def port(self):
        """Port of the first listen address."""
        return self.addresses[0][1]

    @property
    def url(self):
        """Where a WebSocket client connects to."""
        return "ws://%s:%d/" % self.address

    def stop(self, deadline=20.0, status=0):
        """TERM; wait; the exit status must be this one."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.wait_exit(deadline, status)

    def wait_exit(self, deadline=20.0, status=0):
        """Wait for the end of the primary and check its exit status."""
        try:
            got = self.process.wait(deadline * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed("the primary did not exit within %.0f s" % (
                deadline * PATIENCE))
        if status is not None and got != status:
            raise Failed("exit status %r, not %r" % (got, status))
        self.process = None
        return got

    def kill(self):
        """End everything that belongs to this bus, at once."""
        for pid in proc.marked(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process is not None:
            self.process.wait()
            self.process = None

    def kill_primary(self):
        """kill -9 of the primary alone; its workers stay."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.kill()
            try:
                self.show_log()
            finally:
                shutil.rmtree(self.dir, ignore_errors=True)
            raise

    def between_tests(self):
        """The clients of one test are gone before the next begins."""
        for client in self.clients:
            client.abort()
        self.clients.clear()

    def __exit__(self, kind, value, trace):
        self.between_tests()
        failed = True
        try:
            if kind is None and self.checked:
                self.stop()
                self.check_left()
                self.check_log()
            failed = kind is not None
        finally:
            self.kill()  # first of all: printing may fail
            try:
                if failed:
                    self.show_log()
            finally:
                shutil.rmtree(self.dir, ignore_errors=True)

    # What must hold in the end

    def check_left(self, deadline=5.0):
        """No process of this bus may be left."""
        wait_until(lambda: not proc.marked(self.mark), deadline,
                   "processes left: " + ", ".join(
                       "%d %s" % (pid, proc.command(pid))
                       for pid in proc.marked(self.mark)))

    def check_log(self):
        """No warning that the test did not ask for, no sanitizer's report."""
        text = self.log()
        for line in text.split("\n"):
            if SANITIZER.search(line):
                raise Failed("in the log: " + line)
            if re.search(r" (warn|fatal): ", line) and not any(
                    allowed.search(line) for allowed in self.allow):
                raise Failed("unexpected in the log: " + line)

    def show_log(self, lines=60):
        """Print the end of the log as notes."""
        for line in self.log().rstrip().split("\n")[-lines:]:
            say("log: " + line)

    # Looking

    def log(self):
        """The whole log so far."""
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, pattern, deadline=10.0, offset=0):
        """Wait for a line in the log; returns the match.

        When the primary has gone, workers may have something to say about it.
        """
        wanted = re.compile(pattern)
        end = deadline_in(deadline)
        dead = None
        while True:
            found = wanted.search(self.log()[offset:])
            if found:
                return found
            if (dead is None and self.process is not None
                    and self.process.poll() is not None):
                dead = deadline_in(1)
            if dead is not None and time.monotonic() > dead:
                raise Failed("exited with %d while waiting for %r" % (
                    self.process.returncode, pattern))
            if time.monotonic() > end:
                raise Failed("no %r in the log within %.1f s" % (
                    pattern, deadline * PATIENCE))
            time.sleep(0.01)

    def cli(self, command, *words, stdin=None, timeout=60.0):
        """Run busctl against this bus: (exit status, output, errors)."""
        done = subprocess.run(
            [BUSCTL, command, "--run-dir", self.run_dir] + list(words),
            input=stdin, stdin=None if stdin is not None
            else subprocess.DEVNULL, capture_output=True,
            timeout=timeout * PATIENCE,
            env=self.env, text=True)
        return done.returncode, done.stdout, done.stderr

    def popen(self, command, *words, **more):
        """The same, running beside the test."""
        return subprocess.Popen(
            [BUSCTL, command, "--run-dir", self.run_dir] + list(words),
            env=self.env, **more)

    def status(self):
        """`busctl status --json`, parsed."""
        code, out, errors = self.cli("status", "--json")
        if code != 0:
            raise Failed("status: exit status %d: %s" % (code, errors))
        return json.loads(out)

    def total(self, field):
        """One figure of all workers together."""
        return self.status()["total"][field]

    def hub(self, field):
        """One figure of the hub."""
        return self.status()["hub"][field]

    def wanted(self, field="interests"):
        """The hub's interests or channels without what every worker has from
        its start: the channel of all, and its own."""
        status = self.status()
        workers = sum(worker["hub_connected"] for worker in status["workers"])
        own = {"interests": 2 * workers,
               "channels": workers + 1 if workers else 0}
        return status["hub"][field] - own[field]

    def metrics(self):
        """/metrics as {'name{labels}': number}."""
        found = {}
        with urllib.request.urlopen(
                "http://%s:%d/metrics" % self.address, timeout=10) as answer:
            for line in answer.read().decode().split("\n"):
                if line and not line.startswith("#"):
                    name, value = line.rsplit(" ", 1)
                    found[name] = float(value)
        return found

    def worker(self, slot):
        """The status of the worker in a slot."""
        for worker in self.status()["workers"]:
            if worker["slot"] == slot:
                return worker
        raise Failed("no slot %d" % slot)

    def pid(self, slot=None):
        """Pid of the worker in a slot; without one, of the primary."""
        if slot is None:
            return self.status()["primary"]["pid"]
        return self.worker(slot)["pid"]

    def pids(self):
        """{slot: pid} of the workers."""
        return {worker["slot"]: worker["pid"]
                for worker in self.status()["workers"]}

    def running(self, n=None):
        """Do n workers (all that are wanted) run?

        One that was killed a moment ago does not, whatever the primary has
        heard of it by now.
        """
        status = self.status()
        states = [worker["state"] if worker["state"] != "RUNNING"
                  or proc.alive(worker["pid"]) else "DEAD"
                  for worker in status["workers"]]
        wanted = status["workers_wanted"] if n is None else n
        return states.count("RUNNING") == wanted == len(
            [state for state in states if state != "EMPTY"])

    # Hurting

    def signal(self, number, slot=None):
        """Send a signal to the worker in a slot, or to the primary."""
        os.kill(self.pid(slot), number)

    # Clients

    def connect(self, slot=None, tries=400, **more):
        """A client; with a slot, on the worker there."""
        for _ in range(tries):
            client = Client(self.address, **more)
            if slot is None or client.slot == slot:
                self.clients.append(client)
                return client
            client.abort()
        raise Failed("no connection landed on slot %d" % slot)

    def connect_each(self, per_worker=1, **more):
        """So many clients on every worker: {slot: [client, ...]}."""
        found = {worker["slot"]: []
                 for worker in self.status()["workers"]
                 if worker["state"] == "RUNNING"}
        for _ in range(400 * per_worker):
            if all(len(clients) == per_worker for clients in found.values()):
                return found
            client = Client(self.address, **more)
            if len(found.get(client.slot, ())) < per_worker and (
                    client.slot in found):
                found[client.slot].append(client)
                self.clients.append(client)
            else:
                client.abort()
        raise Failed("the kernel spread the connections too unevenly")
