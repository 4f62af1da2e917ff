"""A redis-server of its own for a test: start it, hurt it, stop it.

It listens on a Unix socket in a temporary directory and, if asked, on a free
loopback port, plain or with TLS, and keeps nothing on disk.  `commands` are
sent through a connection of a few lines: the tests need nothing from PyPI.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from binary import PATIENCE
from check import Failed, skip_all, wait_until
from ports import free_port

PROGRAM = shutil.which("redis-server")


class RedisError(Exception):
    """The server answered with an error."""


class Connection:
    """RESP2, one command at a time."""

    def __init__(self, path=None, address=None, timeout=5.0):
        self.sock = socket.socket(
            socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_STREAM)
        self.sock.settimeout(timeout * PATIENCE)
        try:
            self.sock.connect(path or address)
        except OSError:
            self.sock.close()
            raise
        self.file = self.sock.makefile("rb")

    def send(self, *words):
        """One command, without waiting for its answer."""
        words = [w if isinstance(w, bytes) else str(w).encode()
                 for w in words]
        self.sock.sendall(b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(word), word) for word in words))

    def read(self):
        """One answer: bytes, int, str of a status, list or None."""
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("redis-server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return (None if rest == b"-1"
                    else self.file.read(int(rest) + 2)[:-2])
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        raise ConnectionError("what is %r?" % line)

    def ask(self, *words):
        """A command and its answer."""
        self.send(*words)
        return self.read()

    def close(self):
        """Gone."""
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RedisServer:
    """One server; its options become lines of its configuration.

    tcp: also on a loopback port.  tls: (cert, key, ca) for a port with TLS.
    password: of the default user.  users: lines for ACL, "ann on >secret ...".
    """

    def __init__(self, tcp=False, tls=None, password=None, users=(),
                 **options):
        if PROGRAM is None:
            skip_all("there is no redis-server here")
        self.dir = tempfile.mkdtemp(prefix="cbus-redis-")
        self.path = os.path.join(self.dir, "redis.sock")
        self.log_path = os.path.join(self.dir, "log")
        self.port = free_port() if tcp else 0
        self.tls_port = free_port() if tls else 0
        self.password = password
        lines = ["port %d" % self.port, "bind 127.0.0.1",
                 "unixsocket " + self.path, "dir " + self.dir, 'save ""',
                 "appendonly no", "daemonize no"]
        if tls:
            lines += ["tls-port %d" % self.tls_port,
                      "tls-cert-file %s" % tls[0], "tls-key-file %s" % tls[1],
                      "tls-ca-cert-file %s" % tls[2], "tls-auth-clients no"]
        if password:
            lines.append("requirepass " + password)
        lines += ["user " + user for user in users]
        lines += ["%s %s" % (name.replace("_", "-"), value)
                  for name, value in options.items()]
        self.config = os.path.join(self.dir, "redis.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self.process = None

    @property
    def url(self):
        """Of the Unix socket."""
        return "unix://" + self.path

    def start(self, deadline=10.0):
        """Start it and wait until it answers."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, self.config], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)
        wait_until(self._answers, deadline, "redis-server answers")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            with open(self.log_path, encoding="utf-8") as file:
                raise Failed("redis-server: " + file.read()[-2000:])
        try:
            with self.connect() as connection:
                return connection.ask("PING") == "PONG"
        except (OSError, RedisError):
            return False

    def connect(self, **more):
        """A connection as the default user."""
        connection = Connection(path=self.path, **more)
        if self.password:
            connection.ask("AUTH", self.password)
        return connection

    def ask(self, *words):
        """One command on a connection of its own."""
        with self.connect() as connection:
            return connection.ask(*words)

    def subscribers(self, channel):
        """How many connections are subscribed to a channel."""
        return self.ask("PUBSUB", "NUMSUB", channel)[1]

    def signal(self, number):
        """STOP, CONT, KILL: by its pid."""
        self.process.send_signal(number)

    def kill(self):
        """kill -9; it may be started again."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        """The end, in order."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
