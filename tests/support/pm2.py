"""PM2 itself, the real daemon, with a home of its own.

What it starts carries the mark of a Bus, so that nothing of it is missed at
the end.  The applications are those of examples/deploy, with what a test needs
to be different.
"""
import json
import os
import re
import shutil
import subprocess
import time

from binary import BUSCTL, PATIENCE, ROOT
from check import Failed, say, skip_all, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "integration", "node_modules", ".bin",
                       "pm2")
EXAMPLES = os.path.join(ROOT, "examples", "deploy")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Pm2:
    """A daemon for the time of a test; bus says where everything is."""

    def __init__(self, bus):
        if not os.path.exists(PROGRAM):
            skip_all("pm2 is not there: run tests/deps.sh test")
        self.bus = bus
        self.home = os.path.join(bus.dir, "pm2")
        self.env = dict(bus.env, PM2_HOME=self.home, BUSCTL=BUSCTL,
                        PM2_DISABLE_VERSION_CHECK="true")

    def run(self, *words, timeout=40.0, check=True):
        """`pm2 words`: what it printed."""
        done = subprocess.run([PROGRAM] + list(words), env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout * PATIENCE, text=True, cwd=self.bus.dir)
        text = COLOUR.sub("", done.stdout + done.stderr)
        if check and done.returncode != 0:
            raise Failed("pm2 %s: %d: %s" % (words, done.returncode, text))
        return text

    def config(self, example, changes):
        """A file with an example's applications; changes by name."""
        path = os.path.join(self.bus.dir, "ecosystem.config.js")
        with open(path, "w") as file:
            file.write("""
const its = require(%s);
const changes = %s;
for (const app of its.apps)
    Object.assign(app, changes[app.name]);
module.exports = its;
""" % (json.dumps(os.path.join(EXAMPLES, example)), json.dumps(changes)))
        return path

    def list(self, name=None):
        """What `pm2 jlist` says of the applications with this name."""
        text = self.run("jlist")
        rows = json.loads(text[text.index("["):])
        return [row for row in rows if name in (None, row["name"])]

    def one(self, name):
        """The only application with this name."""
        rows = self.list(name)
        if len(rows) != 1:
            raise Failed("%d applications named %s" % (len(rows), name))
        return rows[0]

    def states(self, name):
        """Their states: online, stopped, ..."""
        return [row["pm2_env"]["status"] for row in self.list(name)]

    def figures(self, name):
        """{metric: value} of each."""
        return [{metric: what["value"] for metric, what
                 in row["pm2_env"].get("axm_monitor", {}).items()}
                for row in self.list(name)]

    def trigger(self, name, action, *words):
        """`pm2 trigger`: the one answer, parsed."""
        text = self.run("trigger", name, action, *words)
        found = re.findall(r"^\[[^\]]*\]=(.*)$", text, re.MULTILINE)
        if len(found) != 1:
            raise Failed("pm2 trigger: " + text)
        return json.loads(found[0])

    def pid(self):
        """The daemon's."""
        with open(os.path.join(self.home, "pm2.pid")) as file:
            return int(file.read())

    def log(self):
        """What the applications have printed."""
        text = ""
        folder = os.path.join(self.home, "logs")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), errors="replace") as file:
                text += file.read()
        return text

    def daemon_log(self):
        """What the daemon has to say."""
        with open(os.path.join(self.home, "pm2.log")) as file:
            return file.read()

    def wait_log(self, pattern, deadline=10.0):
        """Wait until a line of the applications matches."""
        wait_until(lambda: re.search(pattern, self.log()), deadline,
                   "%r in the logs" % pattern)

    def wait_ready(self, deadline=15.0):
        """Wait until the bus answers, and learn where it listens."""
        def listens():
            try:
                return self.bus.status()["listen"]
            except Failed:
                return None
        wait_until(listens, deadline, "the bus answers", 0.05)
        self.bus.read_addresses()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is not None:
                for line in self.log().rstrip().split("\n")[-60:]:
                    say("log: " + line)
                for line in self.daemon_log().rstrip().split("\n")[-30:]:
                    say("pm2: " + line)
        except OSError as trouble:
            say("no logs: %s" % trouble)
        began = time.monotonic()
        self.run("kill", check=False)
        self.bus.between_tests()
        try:
            if kind is None:
                self.bus.check_left()
        finally:
            self.bus.kill()
            shutil.rmtree(self.bus.dir, ignore_errors=True)
        if kind is None and time.monotonic() - began > 30:
            raise Failed("pm2 kill took too long")
