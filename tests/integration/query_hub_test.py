#!/usr/bin/python3
"""Questions to the workers: who has died is not waited for, who hangs not long.

Asked and listened to by a program at hub.sock, so that only the hub and the
workers have a part in it.
"""
import os
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import ipc
from binary import PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, test, wait_until
from ipc import Program

WORKERS = 3
DEATH = [r"died|killed|signal 9"]


def ask(program, kind="clients", **args):
    """(rows, counts, seconds)"""
    began = time.monotonic()
    rows, counts = program.ask(kind, **args)
    return rows, counts, time.monotonic() - began


def counts_are(counts, asked, answered, gone=0, late=0):
    """What QUERIED said."""
    equal(counts, {"asked": asked, "answered": answered, "gone": gone,
                   "late": late})


@test
def every_worker_answers_for_its_own_clients():
    with Bus(WORKERS) as bus:
        clients = [bus.connect(slot) for slot in range(WORKERS)]
        program = Program(bus.run_dir)
        rows, counts, _ = ask(program)
        counts_are(counts, WORKERS, WORKERS)
        equal(sorted((node, row["conn"]) for node, row in rows),
              sorted((client.node, client.conn) for client in clients))
        rows, counts, _ = ask(program, slot=1)
        counts_are(counts, 1, 1)
        equal([row["conn"] for _, row in rows], [clients[1].conn])
        _, counts, _ = ask(program, slot=WORKERS)
        counts_are(counts, 0, 0)
        at_least(bus.hub("queries"), 3, "queries")
        program.close()


@test
def a_worker_that_hangs_is_late_and_the_others_answer():
    with Bus(WORKERS, query_timeout="300ms", stall_timeout="60s") as bus:
        clients = [bus.connect(slot) for slot in range(WORKERS)]
        program = Program(bus.run_dir)
        bus.signal(signal.SIGSTOP, 1)
        rows, counts, took = ask(program)
        counts_are(counts, WORKERS, WORKERS - 1, late=1)
        equal(sorted(row["conn"] for _, row in rows),
              sorted([clients[0].conn, clients[2].conn]))
        at_least(took, 0.29, "seconds")
        at_most(took, 0.6 * PATIENCE, "seconds")
        equal(bus.hub("queries_late"), 1)
        # A question may ask for less time.
        _, counts, took = ask(program, timeout_ms=50)
        counts_are(counts, WORKERS, WORKERS - 1, late=1)
        at_most(took, 0.25 * PATIENCE, "seconds")
        # Its answers come after all, to nobody; then all is as before.
        bus.signal(signal.SIGCONT, 1)
        wait_until(lambda: bus.hub("answers_late") == 2)
        rows, counts, _ = ask(program)
        counts_are(counts, WORKERS, WORKERS)
        equal(len(rows), WORKERS)
        equal(bus.hub("violations"), 0)
        program.close()


@test
def a_worker_that_is_killed_is_gone_at_once():
    with Bus(WORKERS, allow=DEATH, query_timeout="30s",
             stall_timeout="60s") as bus:
        survivor = bus.connect(0)
        victim = bus.pid(1)
        program = Program(bus.run_dir)
        # It cannot answer any more; then it dies with the question unread.
        os.kill(victim, signal.SIGSTOP)
        program.send("QUERY", ipc.query(77, "clients"))
        for _ in range(WORKERS - 1):
            program.wait("ANSWER")
        began = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        token, *counts = ipc.QUERIED.unpack(program.wait("QUERIED"))
        took = time.monotonic() - began
        equal(token, 77)
        equal(counts, [WORKERS, WORKERS - 1, 1, 0])
        at_most(took, 0.2 * PATIENCE, "seconds")
        wait_until(lambda: bus.running() and bus.pid(1) != victim)
        rows, counts, _ = ask(program)
        counts_are(counts, WORKERS, WORKERS)
        equal([row["conn"] for _, row in rows], [survivor.conn])
        program.close()


@test
def deaths_in_a_row_are_told_and_never_waited_for():
    with Bus(2, allow=DEATH, query_timeout="30s", backoff_max="100ms") as bus:
        program = Program(bus.run_dir)
        program.join("p:t:any")
        for number in range(3):
            bus.signal(signal.SIGKILL, 1)
            body = program.wait("GONE")
            equal(ipc.NODE.unpack(body)[1], 1, "slot")
            _, counts, took = ask(program)
            equal(counts["asked"], counts["answered"] + counts["gone"])
            equal(counts["late"], 0, "round %d" % number)
            at_most(took, 1.0 * PATIENCE, "seconds")
            wait_until(lambda: bus.running(2), 20)
        program.close()


@test
def while_workers_are_replaced_every_question_ends_and_none_is_late():
    with Bus(WORKERS, query_timeout="20s") as bus:
        program = Program(bus.run_dir)
        roll = bus.popen("restart", stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
        asked = 0
        while roll.poll() is None:
            _, counts, took = ask(program)
            equal(counts["late"], 0)
            equal(counts["asked"], counts["answered"] + counts["gone"])
            at_least(counts["asked"], WORKERS, "workers asked")
            at_most(took, 2.0 * PATIENCE, "seconds")
            asked += 1
        equal(roll.wait(), 0)
        at_least(asked, 3, "questions")
        program.close()


@test
def presence_is_wanted_by_the_first_and_until_the_last():
    with Bus(2, allow=DEATH) as bus:
        first, second = Program(bus.run_dir), Program(bus.run_dir)
        equal(bus.hub("wanted"), 0)
        first.join("p:r:room")
        second.join("p:r:room")
        second.join("p:r:other")
        equal(bus.hub("wanted"), 2)
        first.leave("p:r:room")
        second.close()
        wait_until(lambda: bus.hub("wanted") == 0)
        # Who wants none hears of no death.
        bus.signal(signal.SIGKILL, 0)
        wait_until(lambda: bus.running(2))
        first.send("PING", struct.pack("=I", 1))
        equal([kind for kind, _ in iter(first.recv, ("PONG",
                                                     struct.pack("=I", 1)))
               if kind == "GONE"], [])
        first.close()


@test
def an_asker_that_never_reads_costs_a_bounded_queue_and_nobody_notices():
    with Bus(2, hub_queue="64k") as bus:
        clients = [bus.connect(n % 2) for n in range(40)]
        deaf, program = Program(bus.run_dir), Program(bus.run_dir)
        asked = ipc.message("QUERY", ipc.query(1, "clients"))
        before = bus.hub("queries_late")
        for _ in range(60):
            deaf.raw(asked * 60)
        # What found no room is counted: the asker's own question lacks it.
        wait_until(lambda: bus.hub("queries_late") > before, 20 * PATIENCE)
        rows, counts, _ = ask(program)
        counts_are(counts, 2, 2)
        equal(len(rows), len(clients))
        at_most(bus.hub("queue_bytes_max"), 4 * 65536, "bytes in its queue")
        deaf.close()
        program.close()


if __name__ == "__main__":
    main()
