#!/usr/bin/python3
"""Another binary takes the primary's place, and nobody notices.

The process becomes the new program: same pid, workers stay its children and
their links stay open, so no client is disconnected and nothing that is under
way is lost, doubled or reordered.  What goes wrong is upgrade_refused_test.py.
"""
import json
import os
import signal
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import bus as bus_module
import proc
from binary import BUSCTL, PATIENCE
from bus import Bus
from check import at_least, equal, main, say, test, wait_until
from upgrading import other, script, talkers, talks, upgrade, version


@test
def fifty_clients_who_all_talk_notice_none_of_ten_upgrades():
    with Bus(4) as bus:
        load = talkers(bus, 50)
        load.run_for(0.5)
        pid, pids = bus.pid(), bus.pids()
        for _ in range(10):
            child = bus.popen("upgrade", "--no-roll",
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
            load.run(lambda: child.poll() is not None, 30, "upgrade")
            equal(child.returncode, 0, child.stdout.read())
            load.run_for(0.2)
        load.settle(20)
        equal(load.lost, [], "disconnected")
        load.check()
        equal((bus.pid(), bus.pids()), (pid, pids), "pids")
        equal(bus.hub("upgrades"), 10)
        equal(bus.hub("upgrades_failed"), 0)
        equal(bus.total("gaps"), 0, "gaps")
        equal(bus.hub("drop_slow"), 0, "dropped")
        equal(bus.hub("violations"), 0)
        at_least(len(load.deliveries), 50 * 50 * 8, "deliveries")
        say("slowest delivery: %.1f ms" % (
            max(d.took for d in load.deliveries) * 1e3))
        load.close()


@test
def fifty_clients_go_along_to_the_workers_of_the_new_version():
    with Bus(4) as bus:
        load = talkers(bus, 50)
        load.run_for(0.5)
        for number in b"89":
            path, name = other(bus, number=bytes([number]))
            old = bus.pids()
            child = bus.popen("upgrade", "--binary", path,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
            load.run(lambda: child.poll() is not None, 60, "upgrade")
            equal(child.returncode, 0, child.stdout.read())
            equal(bus.status()["version"], name)
            load.run(lambda: not any(map(proc.alive, old.values())), 30,
                     "the end of the old workers")
        load.settle(20)
        equal(load.lost, [], "disconnected")
        load.check()
        load.close()


@test
def the_new_version_has_the_same_pid_and_says_who_it_is():
    with Bus(2) as bus:
        path, number = other(bus)
        pid, pids = bus.pid(), bus.pids()
        started = bus.status()["primary"]
        said = upgrade(bus, "--binary", path, "--no-roll")
        equal(said.strip(), "upgraded from version %s to %s; workers are the "
              "old ones" % (version(), number))
        status = bus.status()
        equal(status["version"], number)
        equal(status["primary"]["pid"], pid)
        equal(status["primary"]["alive"], True)
        at_least(status["primary"]["uptime_ms"], started["uptime_ms"])
        equal(bus.process.pid, pid)
        with open(os.path.join(bus.run_dir, "primary.pid")) as file:
            equal(int(file.read()), pid)
        equal(os.readlink("/proc/%d/exe" % pid), path)
        equal(bus.pids(), pids)
        equal(bus.running(), True)
        talks(bus)


@test
def workers_are_replaced_one_by_one_by_those_of_the_new_version():
    with Bus(2) as bus:
        path, number = other(bus)
        pids = bus.pids()
        said = upgrade(bus, "--binary", path)
        equal(said.strip(), "upgraded from version %s to %s; 2 workers "
              "restarted" % (version(), number))
        for slot, pid in bus.pids().items():
            equal(pid != pids[slot], True)
            equal(os.readlink("/proc/%d/exe" % pid), path)
        equal(bus.running(), True)
        talks(bus)
        bus.cli("restart")
        equal(bus.running(), True)


@test
def the_signal_takes_what_is_now_where_the_program_was_started_from():
    with Bus(2, checked=False) as frame:
        frame.stop()
        link = os.path.join(frame.dir, "busctl")
        os.symlink(BUSCTL, link)
        path, number = other(frame)
        bus_module.BUSCTL = link
        try:
            with Bus(2) as bus:
                os.unlink(link)
                os.symlink(path, link)
                pids = bus.pids()
                bus.signal(signal.SIGUSR2)
                bus.wait_log("2 workers restarted", 20)
                equal(bus.status()["version"], number)
                equal(bus.pids() != pids, True)
                talks(bus)
        finally:
            bus_module.BUSCTL = BUSCTL


@test
def descriptors_stay_the_same_over_twenty_upgrades():
    with Bus(2, redis_door=True, redis_listen="127.0.0.1:0") as bus:
        client = bus.connect(0)
        client.sub("again")

        def count():
            return {pid: proc.fd_count(pid)
                    for pid in [bus.pid()] + list(bus.pids().values())}

        upgrade(bus, "--no-roll")
        before = count()
        for _ in range(20):
            upgrade(bus, "--no-roll")
        equal(count(), before, "descriptors: %r" % proc.fd_names(bus.pid()))
        client.pub("again", 1)
        equal(client.msg("again")["data"], 1)
        equal(bus.hub("upgrades"), 21)


@test
def what_waits_for_a_program_that_stands_still_arrives_after_the_upgrade():
    with Bus(2) as bus:
        reader = bus.popen("subscribe", "--count", "3000", "much",
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
        equal("subscribed" in reader.stderr.readline(), True)
        os.kill(reader.pid, signal.SIGSTOP)
        text = "x" * 2000
        code, _out, errors = bus.cli(
            "publish", "much", stdin="".join(
                json.dumps([i, text]) + "\n" for i in range(3000)))
        equal(code, 0, errors)
        at_least(bus.hub("queue_bytes"), 1 << 20, "bytes in the hub")
        upgrade(bus, "--no-roll")
        at_least(bus.hub("queue_bytes"), 1 << 20, "bytes in the new hub")
        os.kill(reader.pid, signal.SIGCONT)
        out, _errors = reader.communicate(timeout=30 * PATIENCE)
        got = [json.loads(line)[0] for line in out.splitlines()]
        equal(got, list(range(3000)))
        equal(bus.hub("drop_slow"), 0)


@test
def who_waits_for_another_job_is_answered_by_the_new_program():
    with Bus(2) as bus:
        path = script(bus, "[ $REHEARSE = yes ] && sleep 1\n"
                      "exec $BUSCTL \"$@\"")
        first = bus.popen("upgrade", "--binary", path, "--no-roll",
                          stdout=subprocess.PIPE, text=True)
        bus.wait_log("trying")
        second = bus.popen("reload", stdout=subprocess.PIPE, text=True)
        third = bus.popen("scale", "3", stdout=subprocess.PIPE, text=True)
        equal(first.communicate(timeout=20)[0].startswith("upgraded"), True)
        equal(second.communicate(timeout=20)[0].strip(),
              "reloaded, no option has changed")
        equal(third.communicate(timeout=20)[0].strip(),
              "3 workers, there were 2")
        wait_until(bus.running, 10)
        talks(bus)


@test
def the_number_of_workers_and_what_was_reloaded_go_along():
    with Bus(2, checked=False) as frame:
        config = os.path.join(frame.dir, "bus.conf")
        with open(config, "w") as file:
            file.write("max-message 4k\n")
        with Bus(2, config=config) as bus:
            bus.cli("scale", "3")
            with open(config, "w") as file:
                file.write("max-message 8k\n")
            bus.cli("reload")
            with open(config, "w") as file:
                file.write("max-message 16k\n")
            upgrade(bus)
            equal(bus.status()["workers_wanted"], 3)
            wait_until(bus.running, 10)
            client = bus.connect(0)
            client.sub("size")
            client.pub("size", "x" * 6000)
            equal(len(client.msg("size")["data"]), 6000)
            client.pub("size", "x" * 10000)
            equal(client.wait_closed().code, 1009)
            code, out, _errors = bus.cli("reload")
            equal((code, "max-message" in out), (0, True))


@test
def a_worker_that_dies_after_the_upgrade_is_replaced_and_a_stop_stops_all():
    with Bus(2, allow=[r"killed by signal 9"]) as bus:
        upgrade(bus, "--no-roll")
        old = bus.pid(1)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: bus.running() and bus.pid(1) != old, 10)
        equal(bus.worker(1)["restarts"], 1)
        talks(bus)
        client = bus.connect(0)
        bus.signal(signal.SIGTERM)
        equal(client.wait_closed().code, 1001)
        client.abort()
        bus.wait_exit()
        bus.check_left()


@test
def a_signal_that_comes_in_between_is_not_lost():
    with Bus(2) as bus:
        client = bus.connect(0)
        bus.popen("upgrade", "--no-roll", "--binary", script(
            bus, "[ $REHEARSE = no ] && kill -TERM $$\nexec $BUSCTL \"$@\""),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        equal(client.wait_closed(20).code, 1001)
        client.abort()
        bus.wait_exit()
        equal("has taken over" in bus.log(), True)
        bus.check_left()


@test
def a_hub_without_workers_of_its_own_keeps_those_that_attached():
    with Bus(2, command="hub", checked=False) as bus:
        workers = [bus.popen("worker", "--attach") for _ in range(2)]
        wait_until(lambda: bus.running(2), 10)
        client = bus.connect(0)
        client.sub("still")
        pids = bus.pids()
        equal(sorted(pids.values()), sorted(w.pid for w in workers))
        upgrade(bus, "--no-roll")
        equal(bus.pids(), pids)
        talks(bus)
        client.pub("still", 1)
        equal(client.msg("still")["data"], 1)
        workers[1].kill()
        workers[1].wait()
        wait_until(lambda: bus.running(1), 10, "its death is seen")
        workers[1] = bus.popen("worker", "--attach")
        wait_until(lambda: bus.running(2), 10, "its place is free")
        client.abort()
        bus.stop()
        for worker in workers:
            equal(worker.wait(20), 0)


@test
def the_redis_door_is_at_the_same_place_afterwards():
    with Bus(2, redis_door=True, redis_listen="127.0.0.1:0") as bus:
        port = int(bus.wait_log(
            r"redis door: listening on 127\.0\.0\.1:(\d+)").group(1))
        client = bus.connect(0)
        client.sub("door")

        def publish(number):
            with socket.create_connection(("127.0.0.1", port), 5) as door:
                door.sendall(b"PUBLISH door %d\r\n" % number)
                equal(door.recv(100)[:1], b":")
            equal(client.msg("door")["data"], number)

        publish(1)
        upgrade(bus, "--no-roll")
        publish(2)
        mode = os.stat(os.path.join(bus.run_dir, "redis.sock")).st_mode
        equal(stat.S_ISSOCK(mode), True)


@test
def a_bus_in_the_background_is_upgraded_in_its_place():
    with Bus(2, checked=False) as frame:
        frame.stop()
        frame.options["daemon"] = True
        frame.options["log_file"] = os.path.join(frame.dir, "daemon.log")
        equal(frame.spawn().wait(20), 0)
        pid = frame.pid()
        upgrade(frame)
        equal(frame.pid(), pid)
        frame.read_addresses()
        talks(frame)
        with open(frame.options["log_file"]) as file:
            equal("has taken over" in file.read(), True)
        equal(frame.cli("stop")[0], 0)
        frame.check_left()


if __name__ == "__main__":
    main()
