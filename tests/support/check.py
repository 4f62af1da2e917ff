"""A tiny test runner: tests are functions whose names are sentences.

A test file registers functions with @test and calls main() at its end.  Each
prints `ok - sentence` or `not ok - sentence` with its traceback; the process
exits 1 when one has failed and 77 when the whole file has to be skipped.  An
argument on the command line picks the tests whose names contain it.

A test that takes one parameter gets what main(shared=...) makes, a context
manager entered once for the whole file.
"""
import inspect
import os
import random
import signal
import sys
import time
import traceback

from binary import PATIENCE

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
rng = random.Random(SEED)

_tests = []


class Failed(AssertionError):
    """What was to happen did not, or not in time."""


def test(function):
    """Register a function as a test."""
    _tests.append(function)
    return function


def skip_all(reason):
    """End the whole file: it cannot run here."""
    print("# skipped: " + reason)
    sys.exit(77)


def say(text):
    """A note for whoever reads the log."""
    print("# " + text, flush=True)


def deadline_in(seconds):
    """The moment from which on waiting is in vain."""
    return time.monotonic() + seconds * PATIENCE


def wait_until(condition, deadline=5.0, what="", step=0.01):
    """Ask until the answer is true; return it.  Failed after the deadline."""
    end = deadline_in(deadline)
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed("not within %.1f s: %s" % (
                deadline * PATIENCE, what or inspect.getsource(condition).strip()))
        time.sleep(step)


def stays(condition, duration, what="", step=0.02):
    """The condition holds all the time."""
    end = time.monotonic() + duration
    while time.monotonic() < end:
        if not condition():
            raise Failed("did not stay: " + what)
        time.sleep(step)


def equal(got, wanted, what=""):
    """Fail with both values when they differ."""
    if got != wanted:
        raise Failed("%s: got %.600r, wanted %.600r" % (what, got, wanted))


def at_most(got, limit, what=""):
    """Fail when got is larger than the limit."""
    if got > limit:
        raise Failed("%s: got %r, at most %r" % (what, got, limit))


def at_least(got, limit, what=""):
    """Fail when got is smaller than the limit."""
    if got < limit:
        raise Failed("%s: got %r, at least %r" % (what, got, limit))


def percentile(values, percent):
    """The value below which so many percent of them are."""
    ordered = sorted(values)
    if not ordered:
        raise Failed("no values to take a percentile of")
    at = min(len(ordered) - 1, int(len(ordered) * percent / 100.0))
    return ordered[at]


def _on_alarm(_number, _frame):
    raise Failed("the test took too long")


def _run_one(function, shared, limit):
    sentence = function.__name__.replace("_", " ")
    began = time.monotonic()
    signal.alarm(limit * PATIENCE)
    try:
        if inspect.signature(function).parameters:
            function(shared)
        else:
            function()
    except Exception:
        signal.alarm(0)
        print("not ok - " + sentence)
        for line in traceback.format_exc().rstrip().split("\n"):
            print("# " + line)
        if hasattr(shared, "show_log"):
            shared.show_log()
        sys.stdout.flush()
        return False
    finally:
        signal.alarm(0)
        if hasattr(shared, "between_tests"):
            shared.between_tests()
    print("ok - %s # %.2f s" % (sentence, time.monotonic() - began),
          flush=True)
    return True


def _run_all(picked, shared, limit):
    failed = 0
    for function in picked:
        rng.seed(SEED)
        if not _run_one(function, shared, limit):
            failed += 1
    return failed


def main(shared=None, limit=60):
    """Run what was registered and exit."""
    picked = [f for f in _tests if not sys.argv[1:]
              or any(word in f.__name__ for word in sys.argv[1:])]
    signal.signal(signal.SIGALRM, _on_alarm)
    say("seed %d (SEED=%d repeats it)" % (SEED, SEED))
    failed = 0
    try:
        if shared is None:
            failed = _run_all(picked, None, limit)
        else:
            with shared as entered:
                failed = _run_all(picked, entered, limit)
    except Exception:
        failed += 1
        print("not ok - the bus starts, stops and leaves nothing behind")
        for line in traceback.format_exc().rstrip().split("\n"):
            print("# " + line)
    sys.exit(1 if failed else 0)
