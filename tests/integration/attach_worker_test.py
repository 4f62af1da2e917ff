#!/usr/bin/python3
"""Workers that somebody else starts: who may attach, and who is turned away.

The hub believes the kernel only: pid, user and groups of the other end.  A
false worker is a Python process of its own, because a hub may well send it
TERM in the end.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from binary import BUSCTL
from bus import Bus
from check import equal, main, say, test, wait_until

SUPPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                       "support")
GROUP, NOBODY = 54321, 65534  # a group that no one else is in; a user

# Says HELLO with the arguments, prints what comes back, waits.
FALSE_WORKER = """
import sys
sys.path.insert(0, %r)
import ipc, struct
links = []
for line in sys.stdin:
    link = ipc.Link(%r)
    links.append(link)
    link.send("HELLO", eval(line))
    kind, body = link.recv(5.0)
    if kind == "REFUSED":
        print(kind, struct.unpack("=I", body[:4])[0], body[4:].decode())
    else:
        print(kind, ipc.NODE.unpack(body[:ipc.NODE.size])[1])
    sys.stdout.flush()
"""


@contextlib.contextmanager
def hub(slots=4, **options):
    """A hub without workers; whoever was started is gone at the end."""
    bus = Bus(slots, command="hub", **options)
    bus.workers = []
    with bus:
        try:
            yield bus
        finally:
            for worker in bus.workers:
                worker.terminate()
            for worker in bus.workers:
                worker.wait(15)


def attach(bus, *words, **more):
    """A worker, its log in the bus's."""
    with open(bus.log_path, "ab") as log:
        worker = bus.popen("worker", "--attach", *words, stderr=log,
                           stdin=subprocess.DEVNULL, **more)
    bus.workers.append(worker)
    return worker


@contextlib.contextmanager
def false_worker(bus):
    """A function that says a HELLO and returns the answer."""
    with subprocess.Popen(
            [sys.executable, "-c", FALSE_WORKER % (SUPPORT, bus.run_dir)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=bus.env,
            text=True) as process:
        def hello(words):
            process.stdin.write("ipc.hello(%s)\n" % words)
            process.stdin.flush()
            return process.stdout.readline().strip()
        hello.pid = process.pid
        yield hello
        process.kill()


def slots(bus):
    """{slot: pid} of those that run."""
    return {worker["slot"]: worker["pid"]
            for worker in bus.status()["workers"]
            if worker["state"] == "RUNNING"}


@test
def a_worker_that_comes_before_its_hub_waits_and_says_so_once():
    bus = Bus(2, command="hub")
    bus.workers = []
    os.makedirs(bus.run_dir)
    os.chmod(bus.run_dir, 0o700)
    worker = attach(bus)
    bus.wait_log(r"worker %d info: no hub at .* yet .*, waiting" % worker.pid)
    with bus:
        wait_until(lambda: slots(bus) == {0: worker.pid}, 5, "it came")
        equal(bus.log().count("no hub at"), 1)
    equal(worker.wait(10), 0)


@test
def every_worker_gets_a_slot_and_one_too_many_waits_for_its_turn():
    with hub(2) as bus:
        workers = [attach(bus) for _ in range(3)]
        wait_until(lambda: len(slots(bus)) == 2, 10, "two have a place")
        bus.wait_log("the hub refused: no slot is free, 2 of 2 have a worker; "
                     "waiting")
        bus.allow.append(re.compile("has gone"))
        late = [w for w in workers if w.pid not in slots(bus).values()][0]
        gone = [w for w in workers if w is not late][0]
        gone.kill()
        wait_until(lambda: late.pid in slots(bus).values(), 5, "its turn")
        equal(bus.log().count("the hub refused: no slot"), 1)


@test
def a_worker_waits_through_the_end_of_one_hub_for_the_next():
    with hub(1) as bus:
        first, second = attach(bus), attach(bus)
        wait_until(lambda: len(slots(bus)) == 1, 10)
        bus.wait_log("waiting")
        inside, outside = (first, second) if slots(bus)[0] == first.pid else (
            second, first)
        bus.stop()
        equal(inside.wait(10), 0, "the one with a place was drained")
        equal(outside.poll(), None, "the other one waits")
        bus.start()
        wait_until(lambda: slots(bus) == {0: outside.pid}, 5, "it came")


@test
def another_bus_is_not_the_one_that_was_meant():
    with hub(name="mine") as bus:
        socket = os.path.join(bus.run_dir, "hub.sock")
        for name, status in (("other", 78), ("mine", None)):
            worker = subprocess.Popen(
                [BUSCTL, "worker", "--attach", socket, "--name", name],
                env=bus.env, stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True)
            if status is not None:
                _out, errors = worker.communicate(timeout=10)
                equal(worker.returncode, status)
                equal('this is the bus "mine", not "other"' in errors, True)
            else:
                wait_until(lambda: slots(bus) == {0: worker.pid}, 5)
                worker.terminate()
                worker.communicate(timeout=10)
                equal(worker.returncode, 0)


@test
def claims_of_a_worker_are_not_believed():
    with hub(3) as bus, false_worker(bus) as hello:
        kind = "kind=ipc.WORKER"
        equal(hello(kind + ", version=99").split()[:2], ["REFUSED", "0"])
        equal(hello(kind + ", name=b'x' + bytes(1) + b'other'"),
              'REFUSED 0 this is the bus "default", not "other"')
        equal(hello("kind=7").split()[:2], ["REFUSED", "0"])
        # Whose pid it says it has does not matter: the kernel's counts.
        equal(hello(kind + ", pid=1"), "WELCOME 0")
        wait_until(lambda: bus.worker(0)["pid"] == hello.pid, 5, "as it is")
        # One process has one place, however often it asks.
        for _ in range(3):
            equal(hello(kind), "REFUSED 1000 this process has a place already")
        bus.allow.append(re.compile("has gone|has no link"))
        os.kill(hello.pid, signal.SIGKILL)
        wait_until(lambda: bus.worker(0)["state"] == "EMPTY", 5,
                   "its death is seen")
        attach(bus)
        wait_until(lambda: len(slots(bus)) == 1, 5, "others are not disturbed")


@test
def a_death_is_seen_however_it_comes():
    with hub() as bus:
        bus.allow.append(re.compile("has gone"))
        for number in (signal.SIGKILL, signal.SIGABRT):
            worker = attach(bus)
            wait_until(lambda: slots(bus) == {0: worker.pid}, 10)
            fds = proc.fd_count(bus.pid())
            worker.send_signal(number)
            wait_until(lambda: slots(bus) == {}, 5, "the slot is free")
            worker.wait()
            # Its node and its pidfd are given back.
            wait_until(lambda: proc.fd_count(bus.pid()) == fds - 2, 5)


@test
def a_worker_leaves_on_int_as_on_term_and_its_clients_are_moved():
    with hub() as bus:
        for number in (signal.SIGINT, signal.SIGTERM):
            first, second = attach(bus), attach(bus)
            wait_until(lambda: len(slots(bus)) == 2, 10)
            bus.read_addresses()
            slot = [s for s, pid in slots(bus).items() if pid == first.pid][0]
            client = bus.connect(slot)
            client.sub("x")
            first.send_signal(number)
            equal(first.wait(15), 0)
            wait_until(lambda: len(slots(bus)) == 1, 5)
            client.ok("pub", topic="x", data=1)
            equal(client.msg("x")["data"], 1)
            client.abort()
            second.terminate()
            equal(second.wait(15), 0)


@test
def members_of_a_group_may_attach_when_they_are_told_to():
    if os.getuid() != 0:
        say("not root: no other users here")
        return
    with hub(attach_group=str(GROUP)) as bus:
        os.chmod(bus.dir, 0o711)  # the test's own
        os.chmod(bus.log_path, 0o666)
        state = os.stat(os.path.join(bus.run_dir, "hub.sock"))
        equal((state.st_gid, state.st_mode & 0o777), (GROUP, 0o660))
        state = os.stat(bus.run_dir)
        equal((state.st_gid, state.st_mode & 0o777), (GROUP, 0o710))
        equal(os.stat(os.path.join(bus.run_dir, "control.sock")).st_mode
              & 0o777, 0o600)
        attach(bus, user=NOBODY, group=GROUP, extra_groups=[])
        wait_until(lambda: len(slots(bus)) == 1, 10, "by its own group")
        attach(bus, user=NOBODY, group=NOBODY, extra_groups=[7, GROUP])
        wait_until(lambda: len(slots(bus)) == 2, 10, "by another one of its")
        bus.read_addresses()
        first, second = bus.connect(0), bus.connect(1)
        first.sub("x")
        second.pub("x", 1)
        equal(first.msg("x")["data"], 1)
        # The mode alone lets nobody in.
        os.chmod(os.path.join(bus.run_dir, "hub.sock"), 0o666)
        os.chmod(bus.run_dir, 0o711)
        refused = bus.hub("refused")
        attach(bus, user=NOBODY, group=NOBODY, extra_groups=[7])
        wait_until(lambda: bus.hub("refused") > refused, 10, "turned away")
        equal(len(slots(bus)), 2)
        first.close()
        second.close()


@test
def a_group_that_is_not_there_is_said_at_the_start():
    bus = Bus(1, command="hub", attach_group="no-such-group", checked=False)
    try:
        equal(bus.spawn().wait(10), 2)
        equal('attach-group "no-such-group": there is no such group'
              in bus.log(), True)
    finally:
        bus.kill()
        shutil.rmtree(bus.dir, ignore_errors=True)


if __name__ == "__main__":
    main()
