"""A PostgreSQL server for a test, in a temporary folder.

It listens on a Unix socket there, and with tcp=True on a free port of the
loopback address, where a password is asked for.  PostgreSQL refuses to run as
root; root starts it as the user postgres (or nobody).
"""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

import proc
from binary import PATIENCE
from check import Failed, skip_all, wait_until
from ports import free_port

PASSWORD = "p@ss:w/rd %41"
USER = "tester"


def _programs():
    found = shutil.which("initdb")
    if found:
        return os.path.dirname(os.path.realpath(found))
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"),
                     key=lambda path: float(path.split("/")[-2]))
    if not folders:
        skip_all("there is no PostgreSQL server here")
    return folders[-1]


def _account():
    """Whom it runs as: None when we may start it ourselves."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    skip_all("PostgreSQL does not run as root")


class PgServer:
    """Started by `with`; its end takes everything along.

    encoding: of the database; tls: a name to make a certificate for; more:
    settings (max_connections=5).
    """

    def __init__(self, tcp=False, encoding="UTF8", tls=None, **more):
        self.programs = _programs()
        self.account = _account()
        self.dir = tempfile.mkdtemp(prefix="cbus-pg-")
        self.data = os.path.join(self.dir, "data")
        self.log_path = os.path.join(self.dir, "log")
        self.port = free_port() if tcp else 5432
        self.settings = {
            "unix_socket_directories": self.dir,
            "listen_addresses": "127.0.0.1" if tcp else "",
            "port": self.port, "fsync": "off", "shared_buffers": "1MB",
            "max_connections": 20, "autovacuum": "off",
            "max_wal_senders": 0, "wal_level": "minimal"}
        self.settings.update(more)
        self.process = None
        if self.account:
            os.chown(self.dir, self.account.pw_uid, self.account.pw_gid)
            os.chmod(self.dir, 0o755)
        self._init(encoding)
        if tls:
            self._make_certificate(tls)

    def _as_account(self):
        if not self.account:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid,
                "extra_groups": []}

    def _init(self, encoding):
        secret = os.path.join(self.dir, "secret")
        with open(secret, "w") as file:
            file.write(PASSWORD + "\n")
        os.chmod(secret, 0o644)
        done = subprocess.run(
            [os.path.join(self.programs, "initdb"), "-D", self.data, "-N",
             "-U", USER, "--pwfile", secret, "--auth-local=trust",
             "--auth-host=scram-sha-256", "--locale=C", "-E", encoding],
            cwd="/", capture_output=True, text=True, **self._as_account())
        if done.returncode != 0:
            raise Failed("initdb: " + done.stderr)

    def _make_certificate(self, name):
        self.certificate = os.path.join(self.dir, "server.crt")
        key = os.path.join(self.dir, "server.key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=" + name, "-keyout", key, "-out", self.certificate],
            capture_output=True, check=True)
        if self.account:
            os.chown(key, self.account.pw_uid, self.account.pw_gid)
        self.settings.update(ssl="on", ssl_cert_file=self.certificate,
                             ssl_key_file=key)

    def start(self):
        """Start, or start again; returns when it accepts connections."""
        words = [os.path.join(self.programs, "postgres"), "-D", self.data]
        for name, value in self.settings.items():
            words += ["-c", "%s=%s" % (name, value)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/", start_new_session=True, **self._as_account())
        wait_until(self._accepts, 30, "PostgreSQL accepts connections")
        return self

    def _accepts(self):
        if self.process.poll() is not None:
            raise Failed("postgres: " + self.log()[-2000:])
        return subprocess.run(
            [os.path.join(self.programs, "pg_isready"), "-q", "-h", self.dir,
             "-p", str(self.port)]).returncode == 0

    def log(self):
        """What it has logged."""
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def stop(self, number=signal.SIGINT):
        """Stop: INT disconnects everybody, QUIT is a crash.

        After KILL the processes that serve connections end a moment later, and
        no server starts as long as one of them holds the shared memory.
        """
        if self.process is None:
            return
        self.signal(signal.SIGCONT)
        self.process.send_signal(number)
        try:
            self.process.wait(20 * PATIENCE)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.process = None
        wait_until(lambda: not proc.within(self.data), 20,
                   "PostgreSQL's processes have ended")

    def signal(self, number):
        """To the server and all that serve a connection."""
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def pids(self):
        """The server's processes; the first is the one we started."""
        pid = self.process.pid
        path = "/proc/%d/task/%d/children" % (pid, pid)
        with open(path) as file:
            return [pid] + [int(word) for word in file.read().split()]

    def sql(self, text, timeout=20):
        """Run a query as it stands; its answer, a line a row."""
        done = subprocess.run(
            [os.path.join(self.programs, "psql"), "-XqAt", "-v",
             "ON_ERROR_STOP=1", "-h", self.dir, "-p", str(self.port), "-U",
             USER, "-d", "postgres", "-c", text],
            capture_output=True, text=True, timeout=timeout * PATIENCE)
        if done.returncode != 0:
            raise Failed("psql: " + done.stderr)
        return done.stdout.strip()

    def url(self, tcp=False, password=PASSWORD, user=USER):
        """For --sync and others, without a channel."""
        if not tcp:
            return "postgres://%s@/postgres?host=%s&port=%d" % (
                user, urllib.parse.quote(self.dir, safe=""), self.port)
        return "postgresql://%s:%s@127.0.0.1:%d/postgres?sslmode=disable" % (
            user, urllib.parse.quote(password, safe=""), self.port)

    def listeners(self):
        """How many clusterbus connections there are."""
        return int(self.sql("SELECT count(*) FROM pg_stat_activity "
                            "WHERE application_name = 'clusterbus'"))

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(self, kind, value, trace):
        try:
            self.stop(signal.SIGQUIT)
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
