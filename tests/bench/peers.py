"""peers.py - starts and stops the servers that are compared.

A server gets a free port, a folder for its files and the number of workers;
it is running when it has said so, or when its port answers.  It is the leader
of a process group, and none of that group is left behind.
"""

import os
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
START_SECONDS = 30
STOP_SECONDS = 10


def free_port():
    """A port nobody listens on right now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A running server: use it in a with statement."""

    protocol = None      # of the generator
    scheme = "ws"
    said_ready = None    # text in its log, or None: its port answers
    stop_signal = signal.SIGTERM

    def __init__(self, program, folder, workers, cpu, options=()):
        self.program = program
        self.folder = folder
        self.workers = workers
        self.cpu = cpu
        self.options = options
        self.port = free_port()
        self.process = None
        self.log_path = os.path.join(folder, "log")

    def words(self):
        """The command line."""
        raise NotImplementedError

    def environment(self):
        """Variables on top of ours."""
        return {}

    @property
    def url(self):
        """What the generator connects to."""
        return f"{self.scheme}://127.0.0.1:{self.port}/"

    @property
    def pid(self):
        """The process whose tree is measured."""
        return self.process.pid

    def log(self):
        """What the server has written so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def is_ready(self):
        """Does it serve?"""
        if self.said_ready is not None and self.said_ready not in self.log():
            return False
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        words = self.words()
        if self.cpu is not None:
            words = ["taskset", "-c", str(self.cpu), *words]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment()},
                start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if (self.process.poll() is not None or
                    time.monotonic() > deadline):
                self.__exit__(None, None, None)
                raise RuntimeError("does not start: " +
                                   " | ".join(self.log().splitlines()[-3:]))
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Clusterbus(Server):
    """Ours."""

    protocol = "clusterbus"
    said_ready = "ready: "
    stop_signal = signal.SIGQUIT

    def words(self):
        return [self.program, "start", "--workers", str(self.workers),
                "--listen", f"127.0.0.1:{self.port}", "--name", "bench",
                "--run-dir", os.path.join(self.folder, "run"),
                *self.options]


class UnixServer(Server):
    """Serves on a Unix socket instead of a port."""

    def socket_path(self):
        """Where the socket is."""
        raise NotImplementedError

    @property
    def url(self):
        return "unix:" + os.path.abspath(self.socket_path())

    def is_ready(self):
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(self.socket_path()) == 0


class Hub(UnixServer):
    """Our hub without workers."""

    protocol = "hub"
    stop_signal = signal.SIGQUIT

    def socket_path(self):
        return os.path.join(self.folder, "run", "hub.sock")

    def words(self):
        return [self.program, "hub", "--listen", f"127.0.0.1:{self.port}",
                "--name", "bench", "--run-dir",
                os.path.join(self.folder, "run")]


class Door(Hub):
    """The same, through its Redis door."""

    protocol = "redis"

    def socket_path(self):
        return os.path.join(self.folder, "run", "redis.sock")


class Redis(UnixServer):
    """Redis as a relay: nothing is stored, limits are out of the way."""

    protocol = "redis"

    def socket_path(self):
        return os.path.join(self.folder, "redis.sock")

    def words(self):
        return [self.program, "--port", "0", "--save", "", "--appendonly",
                "no", "--dir", os.path.abspath(self.folder), "--unixsocket",
                os.path.abspath(self.socket_path()),
                "--client-output-buffer-limit", "pubsub 256mb 128mb 60"]


class Nats(Server):
    """One nats-server; it has no workers.  Limits are out of the way."""

    protocol = "nats"
    said_ready = "Server is ready"

    def config(self):
        """A websocket listener, and plain TCP where nobody looks."""
        return (f"host: 127.0.0.1\nport: {free_port()}\n"
                "max_payload: 8MB\nmax_pending: 256MB\n"
                f"websocket {{ host: 127.0.0.1, port: {self.port}, "
                "no_tls: true, compression: false }\n")

    def words(self):
        path = os.path.join(self.folder, "nats.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.config())
        return [self.program, "-c", path]


class NatsTcp(Nats):
    """The same over its own protocol on plain TCP."""

    protocol = "nats-tcp"
    scheme = "tcp"

    def config(self):
        return (f"host: 127.0.0.1\nport: {self.port}\n"
                "max_payload: 8MB\nmax_pending: 256MB\n")


class Nchan(Server):
    """nginx with the nchan module."""

    protocol = "nchan"

    def words(self):
        nginx, module = self.program
        folder = os.path.abspath(self.folder)
        path = os.path.join(folder, "nginx.conf")
        user = "user root;\n" if os.geteuid() == 0 else ""
        paths = "".join(f"  {name}_temp_path {folder}/{name};\n" for name in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(path, "w", encoding="ascii") as file:
            file.write(
                f"load_module {module};\n{user}"
                f"worker_processes {self.workers};\ndaemon off;\n"
                f"pid {folder}/pid;\nerror_log stderr warn;\n"
                "worker_rlimit_nofile 65536;\n"
                "events { worker_connections 30000; }\n"
                "http {\n  access_log off;\n" + paths +
                "  client_max_body_size 16m;\n"
                "  nchan_max_reserved_memory 1024M;\n"
                f"  server {{\n    listen 127.0.0.1:{self.port} "
                "backlog=4096 reuseport;\n"
                "    location ~ ^/sub/(\\w+)$ {\n"
                "      nchan_subscriber websocket;\n"
                "      nchan_channel_id $1;\n"
                "      nchan_subscriber_first_message newest;\n    }\n"
                "    location ~ ^/pub/(\\w+)$ {\n"
                "      nchan_publisher websocket;\n"
                "      nchan_channel_id $1;\n"
                "      nchan_message_buffer_length 2000;\n"
                "      nchan_message_timeout 10s;\n    }\n  }\n}\n")
        # nchan insists on a folder in /var/lib that it cannot be told to
        # put elsewhere: it gets a /var/lib of its own.
        alone = ["unshare", "--mount"]
        if os.geteuid() != 0:
            alone += ["--user", "--map-root-user"]
        return [*alone, "sh", "-c", "mount -t tmpfs none /var/lib && "
                'mkdir /var/lib/nginx && exec "$0" "$@"',
                nginx, "-e", "stderr", "-p", folder, "-c", path]


class Uws(Server):
    """uWebSockets; one process, whatever the number of workers."""

    protocol = "ws-raw"
    said_ready = "ready"

    def words(self):
        return [self.program, str(self.port)]


class NodeServer(Server):
    """An application in peers/."""

    said_ready = "ready"
    script = None

    def environment(self):
        return {"BENCH_MODULES": os.path.abspath(self.program[1])}

    def words(self):
        return [self.program[0], os.path.join(HERE, "peers", self.script),
                str(self.port), str(self.workers)]


class Crossws(NodeServer):
    """crossws, joined by its cluster sync."""

    protocol = "crossws"
    script = "crossws.mjs"


class SocketIo(NodeServer):
    """socket.io, joined by its cluster adapter."""

    protocol = "socketio"
    script = "socketio.mjs"


def find_all(installer, busctl):
    """The servers that can be started: name to (class, program)."""
    node = installer.node()
    found = {
        "clusterbus": (Clusterbus, busctl),
        "hub": (Hub, busctl),
        "door": (Door, busctl),
        "redis": (Redis, installer.redis()),
        "nats": (Nats, installer.nats()),
        "nats-tcp": (NatsTcp, installer.nats()),
        "nchan": (Nchan, installer.nginx()),
        "uws": (Uws, installer.uws()),
        "crossws": (Crossws, node),
        "socketio": (SocketIo, node),
    }
    return {name: pair for name, pair in found.items()
            if pair[1] is not None}
