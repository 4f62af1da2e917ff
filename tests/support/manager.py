"""A service manager as systemd is one, for tests: its notify socket, its file
descriptor store, and sockets that it passes to what it starts.
"""
import array
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import proc
from binary import BUSCTL, PATIENCE
from bus import Bus
from check import Failed, equal, wait_until
from wsclient import Client

# The program's pid is known to itself only: become it, then say LISTEN_PID.
LAUNCHER = """
import fcntl, os, sys
count = int(sys.argv[1])
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 3 + 2 * count)
        for fd in sys.argv[2:2 + count]]
for place, fd in enumerate(high):
    os.dup2(fd, 3 + place, inheritable=True)
os.closerange(3 + count, 1000)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


class Told(dict):
    """One message: its variables, when it came, from whom, with what."""

    def __init__(self, text, pid, fds):
        super().__init__(line.split("=", 1) for line in text.split("\n"))
        self.when = time.monotonic()
        self.pid = pid
        self.fds = fds


class Manager:
    """Listens at NOTIFY_SOCKET and keeps what it is told, and given."""

    def __init__(self, abstract=False, reading=True):
        self.dir = tempfile.mkdtemp(prefix="cbus-manager-")
        self.name = ("@cbus-test-" + uuid.uuid4().hex if abstract
                     else os.path.join(self.dir, "notify"))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(self.name.replace("@", "\0", 1))
        self.told = []
        self.stored = []  # (name, fd)
        self.env = {"NOTIFY_SOCKET": self.name}
        self.thread = threading.Thread(target=self._listen, daemon=True)
        if reading:
            self.read()

    def read(self):
        """From now on what comes is read."""
        self.thread.start()

    def fill(self):
        """Fill the queue of one that does not read."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.setblocking(False)
            try:
                while True:
                    one.sendto(b"FILLER=1", self.name)
            except BlockingIOError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RD)
        self.thread.join()
        self.socket.close()
        for _, fd in self.stored:
            os.close(fd)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _listen(self):
        while True:
            data, parts, _, _ = self.socket.recvmsg(8192, 4096)
            if not data:
                return
            fds, pid = array.array("i"), None
            for _, kind, part in parts:
                if kind == socket.SCM_RIGHTS:
                    fds.frombytes(part)
                else:
                    pid = array.array("i", part[:12])[0]
            self._take(Told(data.decode(), pid, list(fds)))

    def _take(self, told):
        name = told.get("FDNAME")
        if "FDSTORE" in told:
            for fd in told.fds:
                self._store(name, fd)
        if "FDSTOREREMOVE" in told:
            for one in [one for one in self.stored if one[0] == name]:
                self.stored.remove(one)
                os.close(one[1])
        self.told.append(told)

    def _store(self, name, fd):
        # What is there already stays as it is, as with systemd.
        if any(os.path.sameopenfile(fd, other) for _, other in self.stored):
            os.close(fd)
        else:
            self.stored.append((name, fd))

    def wait(self, name, value="1", after=0, deadline=10.0):
        """The place of the first such message behind `after`."""
        def find():
            for place in range(after, len(self.told)):
                if self.told[place].get(name) == value or (
                        value is None and name in self.told[place]):
                    return place + 1
            return 0
        return wait_until(find, deadline, "%s=%s in %r" % (
            name, value, [dict(told) for told in self.told[after:]])) - 1

    def all(self, name):
        """The messages that have this variable."""
        return [told for told in self.told if name in told]

    def names(self):
        """The names in the store."""
        return sorted(name for name, _ in self.stored)


class PassedBus(Bus):
    """A bus that gets sockets: [(name, descriptor)]."""

    def __init__(self, passed, *more, **options):
        super().__init__(*more, **options)
        self.passed = passed

    def spawn(self):
        fds = [fd for _, fd in self.passed]
        self.env["LISTEN_FDS"] = str(len(fds))
        self.env["LISTEN_FDNAMES"] = ":".join(name for name, _ in self.passed)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCHER, str(len(fds))] +
                [str(fd) for fd in fds] + [BUSCTL, self.command] +
                self.flags(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self.env, pass_fds=fds,
                start_new_session=True)
        return self.process


def listening(address, family=socket.AF_INET, reuse=False):
    """A listening socket, as a .socket unit opens it."""
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(address)
    one.listen(128)
    return one


def failed_start(bus, status, deadline=20.0):
    """Start a bus that must refuse to; returns its log."""
    bus.spawn()
    try:
        got = bus.process.wait(deadline * PATIENCE)
    except subprocess.TimeoutExpired:
        raise Failed("it did not exit")
    finally:
        bus.kill()
    text = bus.log()
    shutil.rmtree(bus.dir, ignore_errors=True)
    if got != status:
        raise Failed("exit status %r, not %r: %s" % (got, status, text))
    return text


def address_of(one):
    """A socket's address as busctl writes it."""
    host, port = one.getsockname()[:2]
    return "%s:%d" % ("[%s]" % host if ":" in host else host, port)


def serves(client):
    """Is it a client like others?"""
    client.sub("a")
    client.pub("a", 1)
    equal(client.msg("a")["data"], 1)


def is_answered(one):
    """A connection that was made before there was anybody to serve it."""
    one.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n"
                b"Connection: close\r\n\r\n")
    one.settimeout(10)
    equal(one.recv(100).split()[1], b"200")
    one.close()


def workers_have(bus, one):
    """The numbers of workers that have this very socket."""
    name = "socket:[%d]" % os.fstat(one.fileno()).st_ino
    return [slot for slot, pid in sorted(bus.pids().items())
            if name in proc.fd_names(pid)]


def served_by(bus, address, wanted, tries=300):
    """Connect until each of the wanted slots has had a client."""
    seen = set()
    for _ in range(tries):
        client = Client(address)
        seen.add(client.slot)
        client.abort()
        if seen == wanted:
            break
    return seen


def stored_bus(manager, n, **options):
    """A bus that stores its sockets at the manager, and gets what it has."""
    return PassedBus(list(manager.stored), n, env=manager.env, fdstore=True,
                     **options)


def expected(addresses, n):
    """The names of n slots' sockets."""
    return sorted("clusterbus-%d-%d-%s" % (slot, slot,
                                           address.replace(":", "_"))
                  for address in addresses for slot in range(n))


def survives(bus, again):
    """Kill the primary alone; the next one takes over what there is."""
    client = bus.connect(0)
    pids = bus.pids()
    bus.kill_primary()
    again.run_dir, again.mark, again.env["CBUS_TEST_MARK"] = (
        bus.run_dir, bus.mark, bus.mark)
    with again:
        wait_until(again.running)
        equal(again.pids(), pids, "the same workers")
        equal(again.hub("adopted"), len(pids))
        serves(client)
        equal(served_by(again, again.address, set(pids)), set(pids))
        equal(again.cli("scale", "1")[0], 0)
        equal(served_by(again, again.address, set(pids), 40), {0})
        equal(again.pids(), {0: pids[0]})
