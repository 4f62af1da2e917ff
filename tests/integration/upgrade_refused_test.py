#!/usr/bin/python3
"""An upgrade that does not work leaves the old program running, untouched.

The new binary is tried first.  A primary that is killed in the middle of it, or
a state that cannot be used, is followed by what always follows the death of a
primary: its workers are adopted with their clients.
"""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import proc
from binary import BUSCTL
from bus import Bus
from check import equal, main, rng, test, wait_until
from upgrading import FAILS, refused, script, talks, upgrade


@test
def a_binary_that_is_no_good_changes_nothing():
    with Bus(2, allow=FAILS, start_timeout="1s") as bus:
        client = bus.connect(0)
        client.sub("still")
        found = refused(bus, script(bus, "echo it has no heart >&2; exit 1"))
        equal("exited with status 1: it has no heart" in found, True, found)
        found = refused(bus, "/bin/true")
        equal("not a clusterbus" in found, True, found)
        found = refused(bus, script(bus, "exit 0", mode=0o644))
        equal("Permission denied" in found, True, found)
        found = refused(bus, os.path.join(bus.dir, "nothing"))
        equal("No such file" in found, True, found)
        with open(os.path.join(bus.dir, "garbage"), "wb") as file:
            file.write(b"\x7fELF and no more")
        os.chmod(os.path.join(bus.dir, "garbage"), 0o755)
        found = refused(bus, os.path.join(bus.dir, "garbage"))
        equal("cannot execute" in found, True, found)
        code, _out, errors = bus.cli("upgrade", "--binary")
        equal(code, 2, errors)
        client.pub("still", 1)
        equal(client.msg("still")["data"], 1)
        talks(bus)


@test
def a_binary_that_hangs_is_given_up_and_leaves_no_process():
    with Bus(2, allow=FAILS, start_timeout="500ms") as bus:
        mark = os.path.join(bus.dir, "pid")
        found = refused(bus, script(
            bus, "sleep 1000 & echo $! >%s; wait" % mark))
        equal("in time" in found, True, found)
        with open(mark) as file:
            pid = int(file.read())
        wait_until(lambda: not proc.alive(pid), 5, "what it had started")
        talks(bus)


@test
def a_binary_that_vanishes_after_its_trial_leaves_the_old_one_as_it_was():
    with Bus(2, allow=FAILS, redis_door=True) as bus:
        client = bus.connect(0)
        client.sub("still")
        fds = proc.fd_count(bus.pid())
        for _ in range(3):
            found = refused(bus, script(
                bus, "[ $REHEARSE = yes ] && rm \"$0\"\nexec $BUSCTL \"$@\""))
            equal("No such file" in found, True, found)
        equal("hands over" in bus.log(), True)
        client.pub("still", 1)
        equal(client.msg("still")["data"], 1)
        talks(bus)
        wait_until(lambda: proc.fd_count(bus.pid()) == fds, 5)
        upgrade(bus)
        bus.signal(signal.SIGHUP)
        bus.wait_log("reloaded")


@test
def a_binary_whose_worker_does_not_start_is_refused():
    with Bus(2, allow=FAILS) as bus:
        path = script(bus, "exit 3", name="worker")
        config = os.path.join(bus.dir, "w.conf")
        with open(config, "w") as file:
            file.write("worker-program %s\n" % path)
        found = refused(bus, script(
            bus, "shift\nexec $BUSCTL start \"$@\" --config %s" % config))
        equal("exited with status 3 before it was ready" in found, True,
              found)
        talks(bus)


@test
def mistakes_in_the_configuration_are_told_and_nothing_changes():
    with Bus(2, allow=FAILS, checked=False) as frame:
        config = os.path.join(frame.dir, "bus.conf")
        with open(config, "w") as file:
            file.write("max-rate 100\n")
        with Bus(2, allow=FAILS, config=config) as bus:
            with open(config, "w") as file:
                file.write("max-rate lots\n")
            found = refused(bus, BUSCTL)
            equal("max-rate" in found, True, found)
            talks(bus)


FOREIGN = ("if [ $REHEARSE = yes ]; then\n"
           "  $BUSCTL \"$@\" | sed 's/ ipc [0-9]*/ ipc 99/'\n"
           "  exit 0\n"
           "fi\nexec $BUSCTL \"$@\"")


@test
def another_version_of_the_protocol_is_refused_unless_forced():
    with Bus(2, allow=FAILS + [r"hub|primary|link|adopt"]) as bus:
        path = script(bus, FOREIGN)
        found = refused(bus, path)
        equal("does not understand" in found, True, found)
        equal("--force" in found, True, found)
        pid = bus.pid()
        offset = len(bus.log())
        said = upgrade(bus, "--binary", path, "--force")
        equal("starts anew" in said, True, said)
        bus.wait_log(r"ready: 2 workers", 20, offset)
        equal(bus.pid(), pid)
        wait_until(bus.running, 20)
        talks(bus)


@test
def a_primary_that_is_killed_right_after_the_exec_is_followed_by_adoption():
    with Bus(2, allow=[r"hub|primary|link|adopt"],
             orphan_timeout="30s") as bus:
        client = bus.connect(0)
        client.sub("still")
        pids = bus.pids()
        child = bus.popen("upgrade", "--binary", script(
            bus, "[ $REHEARSE = no ] && kill -9 $$\nexec $BUSCTL \"$@\""),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        equal(bus.process.wait(20), -signal.SIGKILL)
        equal(child.wait(20), 1)
        bus.start()
        equal(bus.hub("adopted"), 2)
        equal(bus.pids(), pids)
        client.pub("still", 1)
        equal(client.msg("still")["data"], 1)
        talks(bus)


@test
def a_primary_that_is_killed_at_any_moment_of_an_upgrade_disconnects_nobody():
    with Bus(2, allow=[r"hub|primary|link|adopt"],
             orphan_timeout="30s") as bus:
        clients = [bus.connect(slot) for slot in (0, 1)]
        for client in clients:
            client.sub("still")
        pids = bus.pids()
        for round_number in range(6):
            child = bus.popen("upgrade", "--no-roll",
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, 0.08))  # the moment is the subject
            bus.kill_primary()
            child.wait(20)
            bus.start()
            equal(bus.pids(), pids)
            wait_until(lambda: bus.total("hub_connected") == 2, 10)
            for client in clients:
                client.sub("round-%d" % round_number)
            clients[0].pub("still", round_number)
            for client in clients:
                equal(client.msg("still")["data"], round_number)


@test
def a_state_that_cannot_be_used_is_followed_by_adoption_in_the_process():
    with Bus(2, allow=[r"hub|primary|link|adopt|of no use"],
             orphan_timeout="30s") as bus:
        client = bus.connect(0)
        client.sub("still")
        pid, pids, offset = bus.pid(), bus.pids(), len(bus.log())
        child = bus.popen("upgrade", "--binary", script(
            bus, "[ $REHEARSE = no ] && export CBUS_HANDOVER=3\n"
            "exec $BUSCTL \"$@\""),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        bus.wait_log("ready: 2 workers", 20, offset)
        equal(child.wait(20), 1)
        equal((bus.pid(), bus.pids()), (pid, pids))
        client.pub("still", 1)
        equal(client.msg("still")["data"], 1)
        talks(bus)
        os.kill(pids[1], signal.SIGKILL)
        bus.allow += Bus(2, allow=[r"died|killed|gone"]).allow
        wait_until(lambda: bus.pid(1) not in (0, pids[1]) and bus.running(),
                   20, "the next worker")
        equal(os.path.exists("/proc/%d" % pids[1]), False, "it was reaped")


@test
def a_stop_in_the_middle_of_a_trial_stops_the_bus():
    with Bus(2) as bus:
        child = bus.popen("upgrade", "--binary", script(
            bus, "exec sleep 1000"), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        bus.wait_log("trying")
        bus.stop()
        equal(child.wait(10), 1)
        bus.check_left()


if __name__ == "__main__":
    main()
