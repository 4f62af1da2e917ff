#!/usr/bin/python3
"""Starting and stopping: one bus for each directory, exit codes, crashes.

What an operator and a supervisor rely on: a second start is refused, a stale
directory is taken over, a bus that cannot work says why and exits with a
status that tells whether a respawn makes sense.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import binary
import proc
from binary import PATIENCE
from bus import Bus
from check import at_least, at_most, equal, main, test, wait_until
from wsclient import Client


def failed_start(*flags, environment=None, deadline=20):
    """`busctl start` that is to fail: (exit status, everything it said)."""
    directory = tempfile.mkdtemp(prefix="cbus-")
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("CLUSTERBUS_")}
    env.update(environment or {})
    try:
        done = subprocess.run(
            [binary.BUSCTL, "start", "--run-dir",
             os.path.join(directory, "run")] + list(flags),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=deadline, text=True, env=env)
        return done.returncode, done.stdout
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@test
def a_second_start_is_refused_with_the_pid_of_the_first():
    with Bus(1) as bus:
        code, out, errors = bus.cli("start", "-n", "1", "--listen",
                                    "127.0.0.1:0")
        equal(code, 75, out + errors)
        equal(str(bus.process.pid) in out + errors, True, out + errors)
        equal(bus.connect().alive(), True)


@test
def a_stale_directory_is_taken_over():
    with Bus(1, allow=[r"stale|orphan|hub|primary|died|killed|gone"]) as bus:
        worker = bus.pid(0)
        bus.process.kill()
        os.kill(worker, signal.SIGKILL)
        bus.process.wait()
        wait_until(lambda: not proc.alive(worker))
        equal(os.path.exists(os.path.join(bus.run_dir, "hub.sock")), True)
        bus.start()
        equal(bus.connect().alive(), True)


@test
def a_clean_stop_leaves_no_socket_behind():
    bus = Bus(2)
    with bus:
        bus.stop()
        left = os.listdir(bus.run_dir) if os.path.isdir(bus.run_dir) else []
        equal([n for n in left if n.endswith(".sock")], [], "sockets")
        code, _, errors = bus.cli("status")
        equal(code, 1)
        equal(bool(errors.strip()), True, "a message")


@test
def status_json_has_what_it_promises():
    with Bus(2, name="my-bus") as bus:
        client = bus.connect(1)
        client.sub("a")
        status = bus.status()
        equal(status["name"], "my-bus")
        equal(status["primary"]["pid"], bus.process.pid)
        equal(status["primary"]["alive"], True)
        at_least(status["primary"]["uptime_ms"], 0)
        equal(status["workers_wanted"], 2)
        equal(status["config_generation"], 0)
        equal(status["listen"], ["127.0.0.1:%d" % bus.port])
        equal([w["slot"] for w in status["workers"]], [0, 1])
        for worker in status["workers"]:
            equal(worker["state"], "RUNNING")
            equal(worker["restarts"], 0)
            equal(worker["crash_loop"], False)
            equal(proc.alive(worker["pid"]), True)
            at_most(worker["heartbeat_age_ms"], 2000 * PATIENCE)
            equal(worker["ready"], 1)
            equal(worker["hub_connected"], 1)
        equal(status["workers"][1]["clients"], 1)
        equal(status["total"]["subscriptions"], 1)
        equal(status["hub"]["nodes"], 2)
        equal(bus.wanted(), 1)
        code, out, _ = bus.cli("status")
        equal(code, 0)
        for word in ("RUNNING", str(status["workers"][0]["pid"]), "my-bus"):
            equal(word in out, True, "%r in %s" % (word, out))


@test
def usage_mistakes_exit_with_2_and_are_all_told():
    code, said = failed_start("--no-such-flag")
    equal(code, 2, said)
    code, said = failed_start("-n", "many", "--max-message", "1", "--listen",
                              "nowhere")
    equal(code, 2, said)
    for flag in ("workers", "max-message", "listen"):
        equal(flag in said, True, "%s in %r" % (flag, said))
    code, said = failed_start("--config", "/no/such/file")
    equal(code, 2, said)
    code, said = failed_start(
        environment={"CLUSTERBUS_MAX_TOPIC": "long"})
    equal(code, 2, said)
    equal("CLUSTERBUS_MAX_TOPIC" in said, True, said)
    for flags in (("--tls-cert", "/dev/null"),
                  ("--outbox-soft", "2m", "--outbox-hard", "1m"),
                  ("--backoff-min", "2s", "--backoff-max", "1s")):
        code, said = failed_start(*flags)
        equal(code, 2, said)


@test
def a_public_address_needs_to_be_called_insecure():
    code, said = failed_start("-n", "1", "--listen", "0.0.0.0:0")
    equal(code, 2, said)
    equal("--insecure" in said, True, said)
    with Bus(1, listen="0.0.0.0:0", insecure=True) as bus:
        equal(Client(("127.0.0.1", bus.port)).alive(), True)


@test
def a_taken_port_exits_with_1():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        code, said = failed_start("-n", "1", "--listen", "127.0.0.1:%d"
                                  % taken.getsockname()[1])
    equal(code, 1, said)
    equal("ddress" in said, True, said)


@test
def a_configuration_that_can_never_work_exits_with_78():
    with tempfile.TemporaryDirectory() as directory:
        bad = os.path.join(directory, "bad.pem")
        with open(bad, "w") as file:
            file.write("no certificate\n")
        code, said = failed_start(
            "-n", "2", "--listen", "127.0.0.1:0", "--tls-cert", bad,
            "--tls-key", bad)
        equal(code in (2, 78), True, "%d: %s" % (code, said))
        equal("bad.pem" in said, True, said)


@test
def several_addresses_and_ipv6_are_served_at_once():
    with Bus(2, listen=["127.0.0.1:0", "[::1]:0"]) as bus:
        equal(len(bus.addresses), 2)
        one, two = Client(bus.addresses[0]), Client(bus.addresses[1])
        one.sub("six")
        two.pub("six", 1)
        equal(one.msg("six")["data"], 1)
        one.close()
        two.close()


@test
def workers_that_keep_dying_are_backed_off_and_called_a_crash_loop():
    with Bus(2, allow=[r"."], backoff_min="10ms", backoff_max="100ms",
             stable_after="60s") as bus:
        keeper = bus.connect(0)
        deaths = set()

        def crash_loop():
            worker = bus.worker(1)
            if worker["pid"] and proc.alive(worker["pid"]):
                deaths.add(worker["pid"])
                try:
                    os.kill(worker["pid"], signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return worker["crash_loop"]
        wait_until(crash_loop, 20, "the verdict", 0.02)
        at_least(len(deaths), 3, "deaths before the verdict")
        equal(keeper.alive(), True)
        wait_until(lambda: bus.running(2), 10, "it comes back all the same")
        at_least(bus.worker(1)["restarts"], 3)
        equal(bus.worker(0)["restarts"], 0)


@test
def the_daemon_is_ready_when_the_command_returns():
    bus = Bus(2, daemon=True)
    bus.options["log_file"] = bus.log_path
    try:
        process = bus.spawn()
        equal(process.wait(20), 0, bus.log())
        bus.read_addresses()
        equal(bus.connect().alive(), True)
        equal(bus.pid() != process.pid, True)
        code, out, errors = bus.cli("stop")
        equal(code, 0, out + errors)
        bus.check_left()
        bus.check_log()
    finally:
        bus.kill()
        shutil.rmtree(bus.dir)


@test
def a_daemon_that_cannot_start_says_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        code, said = failed_start(
            "--daemon", "-n", "1", "--listen",
            "127.0.0.1:%d" % taken.getsockname()[1])
    equal(code, 1, said)
    equal("ddress" in said, True, said)


@test
def an_attached_worker_serves_under_a_foreign_supervisor():
    with Bus(None, command="hub", workers=2, checked=False) as bus:
        workers = [bus.popen("worker", "--attach", stderr=open(
            bus.log_path, "ab")) for _ in range(2)]
        wait_until(lambda: bus.running(2), 10, "both run")
        bus.read_addresses()
        first, second = bus.connect(0), bus.connect(1)
        first.sub("x")
        second.pub("x", 1)
        equal(first.msg("x")["data"], 1)
        slot = 0 if bus.pid(0) == workers[1].pid else 1
        workers[1].kill()
        workers[1].wait()
        again = bus.popen("worker", "--attach", stderr=subprocess.DEVNULL)
        wait_until(lambda: bus.running(2) and bus.pid(slot) == again.pid, 10,
                   "the next one takes the slot")
        equal(bus.connect(slot).alive(), True)
        bus.stop()
        for worker in (workers[0], again):
            equal(worker.wait(10), 0, "exit status of a drained worker")
        bus.check_left()


if __name__ == "__main__":
    main()
