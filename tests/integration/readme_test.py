#!/usr/bin/python3
"""What README.md tells people to type does what README.md says.

The tour's shell blocks are run as they stand, in two shells for the two
terminals, with a run directory and a port of their own; what is shown below a
block must be printed, apart from the numbers.  Two clients of ours are the
browser's windows.

tests/support/readme.py says how a block is marked.
"""
# timeout: 180
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import proc  # noqa: E402
from binary import BUSCTL, ROOT  # noqa: E402
from check import (Failed, at_least, equal, main, say, test,  # noqa: E402
                   wait_until)
from readme import (BLOCK, DEADLINE_S, Terminal, commands,  # noqa: E402
                    read_readme, shape_of_all)
from wsclient import Client  # noqa: E402

class Tour:
    """The blocks of the tour by the titles of its steps, and where it is."""

    def __init__(self):
        self.mark = "clusterbus-test-" + uuid.uuid4().hex
        self.dir = tempfile.mkdtemp(prefix="cbus-")
        self.steps = {}
        self.windows = []
        self.address = None
        title = None
        text = read_readme().split("## A tour", 1)[1].split("\n## ", 1)[0]
        for found in BLOCK.finditer(text):
            if found[1]:
                title = found[1]
                self.steps[title] = []
            else:
                self.steps[title].append((found[2], int(found[3]),
                                          int(found[4] or 0),
                                          list(commands(
                                              found[6].splitlines()))))

    def __enter__(self):
        env = {name: value for name, value in os.environ.items()
               if not name.startswith("CLUSTERBUS_")}
        env.update(CBUS_TEST_MARK=self.mark, XDG_RUNTIME_DIR=self.dir,
                   CLUSTERBUS_RUN_DIR=os.path.join(self.dir, "run"),
                   CLUSTERBUS_LISTEN="127.0.0.1:0")
        os.mkdir(os.path.join(self.dir, "build"))
        os.symlink(os.path.abspath(BUSCTL),
                   os.path.join(self.dir, "build", "busctl"))
        self.terminals = {
            number: Terminal(os.path.join(self.dir, "terminal%d" % number),
                             self.dir, env) for number in (1, 2)}
        return self

    def __exit__(self, kind, value, trace):
        for window in self.windows:
            window.abort()
        for terminal in self.terminals.values():
            terminal.shell.stdin.close()
        for pid in proc.marked(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for terminal in self.terminals.values():
            terminal.shell.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def show_log(self):
        """What the terminals have printed, as notes."""
        for number, terminal in self.terminals.items():
            with open(terminal.path, errors="replace") as file:
                for line in file.read().splitlines()[-30:]:
                    say("terminal %d: %s" % (number, line))

    def walk(self, title):
        """Run a step: its blocks in their order."""
        steps = self.steps.pop(title)
        for at, (kind, number, status, lines) in enumerate(steps):
            if kind == "shown":
                self.wait_shown(number, lines, steps[at - 1][3])
            elif number == 1:
                for line in lines:
                    self.terminals[1].type(self.start_of(line))
            else:
                self.terminals[2].forget()
                for line in lines:
                    equal(self.terminals[2].run(line),
                          status if line is lines[-1] else 0, line)

    @staticmethod
    def start_of(line):
        """`make start` without the building, for what was built is tested."""
        if not line.startswith("make start"):
            return line
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(["make", "-n"] + line.split()[1:], cwd=ROOT,
                              env=env, capture_output=True, text=True,
                              check=True)
        last = done.stdout.strip().splitlines()[-1]
        equal(last.startswith("exec build/busctl start "), True, last)
        return last[len("exec "):]

    def wait_shown(self, number, lines, before):
        """Wait until the terminal shows these lines, numbers aside."""
        terminal = self.terminals[number]
        if number == 1:  # a log: others may say something in between
            wanted = re.compile(shape_of_all(lines, r"(?:.*\n)*?"))
            found = wait_until(lambda: wanted.search(terminal.output()),
                               DEADLINE_S, "terminal 1 to show %r" % lines)
            terminal.seen += found.end()
            return
        wanted = re.compile(shape_of_all(lines, ""))
        end = time.monotonic() + DEADLINE_S
        while not wanted.fullmatch(terminal.lines()):
            if time.monotonic() > end:
                raise Failed("terminal 2 shows %r instead of %r" % (
                    terminal.lines(), lines))
            time.sleep(0.05)
            if before[0].startswith("build/busctl status"):
                terminal.forget()  # looking changes nothing: look again
                terminal.run(before[0])

    def open_window(self, unlike):
        """A client as the page has it, on a worker of its own."""
        for _ in range(200):
            window = Client(self.address)
            if window.slot not in unlike:
                window.sub("demo")
                self.windows.append(window)
                return
            window.abort()
        raise Failed("every connection landed on the same few workers")


@test
def start(tour):
    tour.walk("Start")
    with open(tour.terminals[1].path) as file:
        port = re.search(r"ready: 8 workers on [\d.]+:(\d+)", file.read())[1]
    tour.address = ("127.0.0.1", int(port))


@test
def look(tour):
    tour.walk("Look")
    with urllib.request.urlopen("http://%s:%d/" % tour.address) as answer:
        equal(b"/demo.mjs" in answer.read(), True, "the page")
    tour.open_window({3})
    tour.open_window({3, tour.windows[0].slot})
    tour.windows[0].pub("demo", {"text": "hello"})
    for window in tour.windows:
        equal(window.msg("demo")["data"], {"text": "hello"})


@test
def publish_and_subscribe_from_the_shell(tour):
    tour.walk("Publish from the shell")
    for window in tour.windows:
        equal(window.msg("demo")["data"], {"name": "shell", "text": "hello"})
    tour.walk("Subscribe from the shell")
    tour.walk("See who is there")
    for window in tour.windows:
        equal(window.msg("demo")["data"]["text"], "hello again")


@test
def kill_a_worker_and_change_their_number(tour):
    tour.walk("Kill a worker")
    tour.walk("Change the number of workers")
    for window in tour.windows:
        equal(window.alive(), True, "a window on another worker")


@test
def kill_the_primary_and_start_it_again(tour):
    tour.walk("Kill the primary")
    for window in tour.windows:
        equal(window.alive(), True, "a window without a primary")
    wait_until(lambda: b"ready" == ready(tour)[:5], DEADLINE_S, "/ready")
    wait_until(lambda: all_have_a_hub(tour), DEADLINE_S, "every worker")
    tour.windows[0].pub("demo", 1)
    equal(tour.windows[1].msg("demo")["data"], 1, "relayed again")


def status(tour):
    """What `busctl status --json` says, None while it cannot."""
    done = subprocess.run(
        [BUSCTL, "status", "--json", "--run-dir",
         os.path.join(tour.dir, "run")], capture_output=True, timeout=20)
    return json.loads(done.stdout) if done.returncode == 0 else None


def all_have_a_hub(tour):
    """Has every worker found the new primary?  /ready is one worker's word."""
    told = status(tour)
    return told and all(worker["hub_connected"] == 1
                        for worker in told["workers"]
                        if worker["state"] == "RUNNING")


def all_have_arrived(tour):
    """Is every window on a worker, and none on its way to one?"""
    total = status(tour)["total"]
    return total["clients"] == len(tour.windows) and total["moving"] == 0


def ready(tour):
    """What /ready says."""
    try:
        with urllib.request.urlopen("http://%s:%d/ready" % tour.address) as got:
            return got.read()
    except urllib.error.HTTPError as error:
        return error.read()


@test
def upgrade(tour):
    tour.walk("Upgrade")
    wait_until(lambda: all_have_arrived(tour), DEADLINE_S, "every window")
    for window in tour.windows:
        equal(window.alive(), True, "a window under another program")
    tour.windows[0].pub("demo", 3)
    equal(tour.windows[1].msg("demo")["data"], 3, "the chat goes on")


@test
def reload(tour):
    tour.walk("Reload")
    wait_until(lambda: all_have_arrived(tour), DEADLINE_S, "every window")
    for window in tour.windows:
        equal(window.alive(), True, "a window whose worker was replaced")
    tour.windows[0].pub("demo", 2)
    equal(tour.windows[1].msg("demo")["data"], 2, "the chat goes on")


@test
def the_script_for_a_page_gets_what_it_publishes(tour):
    modules = os.path.join(ROOT, "tests", "integration", "node_modules")
    if not shutil.which("node") or not os.path.isdir(modules + "/ws"):
        raise Failed("node and the ws package are missing: make check "
                     "installs them")
    page = [found[6] for found in BLOCK.finditer(read_readme())
            if found[2] == "page"]
    equal(len(page), 1, "scripts for a page")
    script = re.search(r"<script>\n(.*)</script>", page[0], re.S)[1]
    frame = ("globalThis.WebSocket = require(%r);"
             "globalThis.location = { origin: 'http://%s:%d' };"
             "require(%r);\n" % (modules + "/ws", *tour.address, os.path.join(
                 ROOT, "worker", "web", "bus.js")))
    child = subprocess.Popen(["node", "-e", frame + script], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        told = []
        for line in child.stdout:
            told.append(line)
            if "hello" in line:
                break
        equal("hello" in told[-1], True, "".join(told))
        at_least(len([line for line in told if line.startswith("open")]), 1)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@test
def say_what_may_be_said_and_ask_who_they_are(tour):
    tour.walk("Say what may be said")
    tour.walk("Ask who they are")
    token = tour.terminals[2].lines().split()[-1]
    window = Client(tour.address, headers=["Authorization: Bearer " + token])
    tour.windows.append(window)
    equal(window.welcome["user"], "ann")
    shell = tour.terminals[2]
    shell.forget()
    equal(shell.run("build/busctl clients"), 0)
    equal(" ann " in shell.lines(), True, shell.lines())
    equal(shell.run("build/busctl kick --user ann"), 0)
    equal(window.wait_closed(DEADLINE_S).code, 1008)
    for window in tour.windows[:2]:
        equal(window.wait_closed(DEADLINE_S).code, 4401)
    tour.windows.append(Client(tour.address, headers=[
        "Authorization: Bearer " + token]))


@test
def stop_and_nothing_is_left_to_run_or_running(tour):
    told = []
    reader = threading.Thread(target=lambda: told.append(
        tour.windows[-1].wait_closed(DEADLINE_S)))
    reader.start()
    tour.walk("Stop")
    reader.join()
    closed = told[0]
    equal(closed.code, 1001)
    equal("retry_in" in closed.reason, True, closed.reason)
    equal(tour.steps, {}, "steps that no test has taken")
    shells = {terminal.shell.pid for terminal in tour.terminals.values()}
    wait_until(lambda: set(proc.marked(tour.mark)) <= shells, DEADLINE_S,
               "all processes to go")


def anchors(text):
    """What a heading can be linked to by, as code hosts make it."""
    return {"#" + re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.M)}


@test
def every_link_leads_somewhere(_tour):
    written_by_make_bench = "tests/bench/REPORT.md"
    for name in ("README.md", "primary/README.md", "worker/README.md",
                 "src/README.md", "tests/README.md", "examples/README.md",
                 "examples/deploy/README.md", "worker/web/README.md",
                 ".github/CONTRIBUTING.md"):
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            text = file.read()
        for link in re.findall(r"\]\(([^)]+)\)", text):
            if link == written_by_make_bench:
                continue
            target, _, place = link.partition("#")
            path = os.path.join(ROOT, os.path.dirname(name), target) \
                if target else os.path.join(ROOT, name)
            equal(os.path.exists(path), True, "%s: %s" % (name, link))
            if place:
                with open(path, encoding="utf-8") as file:
                    equal("#" + place in anchors(file.read()), True,
                          "%s: %s" % (name, link))


if __name__ == "__main__":
    main(Tour())
