#!/usr/bin/python3
"""Run the tests and count.

usage: tests/run.py --build build/release [options] KIND...

KIND  unit         build/V/test_* and tests/unit/*.test.mjs
      replay       build/V/replay_*: every file of the fuzz corpora once more
      integration  programs tests/integration/*_test.*

A test prints `ok ...` and `not ok ...` lines; it exits with 0 when all is well
and with 77, the last line saying why, when it cannot run here.  Any other exit
without a `not ok`, a time-out, and an exit of 0 without an `ok` line count as
one failure.  A line `# timeout: SECONDS` in a test's source changes the limit
of 120 s (times 2 with $CI, 3 with sanitizers); `# slow` leaves it out of --quick runs.

The output goes to build/V/log/NAME.log; that of failed tests is shown.  The
last line is always `N passed, N failed`.
"""
import argparse
import concurrent.futures
import fnmatch
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TIMEOUT_S = 120
TIMEOUT_MAX_S = 600  # of a soak run there is none
SKIPPED = 77
GRACE_S = 3
SHOWN_LINES = 200
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible",
            "--track-fds=yes", "--child-silent-after-fork=yes"]

running = set()
lock = threading.Lock()


class Test:
    """One program to run, and what came of it."""

    def __init__(self, name, source, command, patience=1):
        self.name = name
        self.command = command
        with open(source, encoding="utf-8") as file:
            text = file.read()
        limit = re.search(r"^\W*timeout: (\d+)", text, re.M)
        self.timeout = int(limit[1]) if limit else TIMEOUT_S
        if "SOAK" not in os.environ:
            self.timeout = min(self.timeout, TIMEOUT_MAX_S)
        self.timeout *= patience
        self.slow = re.search(r"^(#|//) slow\b", text, re.M) is not None
        self.ok = self.failed = self.skipped = 0
        self.why = ""
        self.seconds = 0

    def run(self, log_dir, env):
        log = os.path.join(log_dir, self.name + ".log")
        mark = "CBUS_TEST_RUN=%s-%d" % (self.name, os.getpid())
        env = dict(env, CBUS_TEST_RUN=mark.partition("=")[2])
        start = time.monotonic()
        with open(log, "wb") as out:
            try:
                child = subprocess.Popen(
                    self.command, stdin=subprocess.DEVNULL, stdout=out,
                    stderr=subprocess.STDOUT, cwd=ROOT, env=env,
                    start_new_session=True)
            except OSError as error:
                self.text = ""
                self.failed = 1
                self.why = str(error)
                return self
            with lock:
                running.add(child.pid)
            try:
                code = child.wait(self.timeout)
            except subprocess.TimeoutExpired:
                code = None
                child.send_signal(signal.SIGINT)  # it may want to clean up
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    pass
            kill_group(child.pid)
            child.wait()
            with lock:
                running.discard(child.pid)
        left = left_behind(mark)
        self.seconds = time.monotonic() - start
        with open(log, encoding="utf-8", errors="replace") as file:
            self.text = file.read()
        self.judge(code)
        if left and not self.why:
            self.why = "left processes behind: " + ", ".join(left)
            self.failed += 1
        return self

    def judge(self, code):
        lines = re.findall(r"^(not ok|ok)\b(.*)$", self.text, re.M)
        for word, rest in lines:
            if "# SKIP" in rest or "# TODO" in rest:
                self.skipped += 1
            elif word == "ok":
                self.ok += 1
            else:
                self.failed += 1
        last = (self.text.strip().splitlines() or [""])[-1]
        if code == SKIPPED:
            self.skipped += 1
            self.why = "skipped: " + last
            return
        if code is None:
            self.why = "still running after %d s" % self.timeout
        elif code < 0:
            self.why = "killed by %s" % signal.Signals(-code).name
        elif code != 0:
            self.why = "exit status %d" % code
        elif not lines:
            self.why = "said nothing about any test"
        if self.why and self.failed == 0:
            self.failed += 1

    def report(self):
        word = "FAIL" if self.failed else "ok" if self.ok else "skip"
        skipped = ", %d skipped" % self.skipped if self.skipped else ""
        print("%-4s %-32s %4d ok%s%s  %.1f s" % (
            word, self.name, self.ok,
            ", %d failed" % self.failed if self.failed else "",
            skipped, self.seconds), flush=True)
        if self.why:
            print("     " + self.why)
        if self.failed:
            lines = self.text.splitlines()
            if len(lines) > SHOWN_LINES:
                print("     | (%d lines more in the log)"
                      % (len(lines) - SHOWN_LINES))
            for line in lines[-SHOWN_LINES:]:
                print("     | " + line)
        sys.stdout.flush()


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def marked(mark):
    """Pid and name of processes with this text in their environment."""
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                if mark.encode() in file.read().split(b"\0"):
                    with open(path.replace("environ", "comm")) as comm:
                        yield int(path.split("/")[2]), comm.read().strip()
        except OSError:
            pass  # it has ended, or is not ours


def left_behind(mark):
    """What is still there after a moment; killed now, named for the report."""
    end = time.monotonic() + GRACE_S
    while time.monotonic() < end and any(marked(mark)):
        time.sleep(0.05)
    left = list(marked(mark))
    for pid, _name in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return sorted({name for _pid, name in left})


def on_signal(number, _frame):
    with lock:
        for pid in running:
            kill_group(pid)
    os._exit(128 + number)


def stem(path):
    return os.path.basename(path).split(".")[0]


def find(kind, args):
    if kind == "unit":
        wrap = VALGRIND if args.valgrind else []
        patience = 10 if args.valgrind else 1
        for path in sorted(glob.glob("tests/unit/test_*.c")):
            name = stem(path)
            yield Test(name, path, wrap + [os.path.join(args.build, name)],
                       patience)
        if args.valgrind:
            return
        for path in sorted(glob.glob("tests/unit/*.test.mjs")):
            yield Test(stem(path) + "_mjs", path,
                       ["node", "--test-reporter=tap", path])
    elif kind == "replay":
        for path in sorted(glob.glob("tests/fuzz/fuzz_*.c")):
            name = stem(path)[len("fuzz_"):]
            corpus = sorted(glob.glob("tests/fuzz/corpus/%s/*" % name))
            yield Test("replay_" + name, path,
                       [os.path.join(args.build, "replay_" + name)] + corpus)
    else:
        patience = (3 if "san" in args.build
                    else 2 if os.environ.get("CI") else 1)
        for path in sorted(glob.glob("tests/integration/*_test.*")):
            yield Test(stem(path), path, [path], patience)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="words or patterns")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("kinds", nargs="+",
                        choices=["unit", "replay", "integration"])
    args = parser.parse_args()
    os.chdir(ROOT)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    log_dir = os.path.join(args.build, "log")
    os.makedirs(log_dir, exist_ok=True)
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
               BUSCTL=os.path.join(ROOT, args.build, "busctl"))
    only = ["*%s*" % word for word in args.only.split()]
    tests = [test for kind in args.kinds for test in find(kind, args)
             if not (args.quick and test.slow)
             and (not only or any(fnmatch.fnmatch(test.name, pattern)
                                  for pattern in only))]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = [pool.submit(test.run, log_dir, env) for test in tests]
        for future in concurrent.futures.as_completed(futures):
            test = future.result()
            test.report()
            passed += test.ok
            failed += test.failed
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
