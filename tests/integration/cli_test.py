#!/usr/bin/python3
"""The command line as people and scripts use it."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import binary
from bus import Bus
from check import at_least, equal, main, test, wait_until

COMMANDS = ["start", "hub", "worker", "stop", "reload", "restart", "scale",
            "status", "doctor", "clients", "topics", "rooms", "presence",
            "why", "kick", "emit", "publish", "subscribe", "bench", "config",
            "contract", "token", "version",
            "help", "completion"]


def busctl(*words, stdin=""):
    """A command that needs no bus: (exit status, output, errors)."""
    done = subprocess.run([binary.BUSCTL] + list(words), input=stdin,
                          capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


@test
def help_knows_every_command(_bus):
    code, out, _ = busctl("help")
    equal(code, 0)
    for command in COMMANDS:
        equal(command in out, True, command)
        code, text, _ = busctl("help", command)
        equal(code, 0, command)
        equal(command in text, True, command)
        code, text, _ = busctl(command, "--help")
        equal(code, 0, command + " --help")


@test
def version_is_one_line(_bus):
    code, out, _ = busctl("version")
    equal(code, 0)
    equal(len(out.strip().split("\n")) <= 2 and "0.1.0" in out, True, out)


@test
def unknown_words_are_usage_mistakes(_bus):
    for words in (("dance",), (), ("status", "--no-such"),
                  ("config", "dance"), ("help", "dance"), ("scale", "x"),
                  ("publish",), ("subscribe",)):
        code, out, errors = busctl(*words)
        equal(code, 2, " ".join(words) or "nothing")
        equal(bool(errors.strip() or out.strip()), True, words)
    equal("status" in "".join(busctl("statsu")[1:]), True, "the nearest")


@test
def commands_of_the_other_busctl_are_pointed_there(_bus):
    for command in ("list", "tree", "introspect", "call", "monitor"):
        code, out, errors = busctl(command)
        equal(code, 2, command)
        equal("systemd" in (out + errors).lower(), True, out + errors)


@test
def config_print_parses_back_to_itself(bus):
    code, text, _ = busctl("config", "print", "--max-topic", "100",
                           "--listen", "127.0.0.1:1234")
    equal(code, 0)
    equal("max-topic 100" in text, True, text)
    path = os.path.join(bus.dir, "printed.conf")
    with open(path, "w") as file:
        file.write(text)
    equal(busctl("config", "check", path)[0], 0)
    equal(busctl("config", "print", "--config", path)[1], text)


@test
def config_check_tells_every_mistake(bus):
    path = os.path.join(bus.dir, "wrong.conf")
    with open(path, "w") as file:
        file.write("workers many\n\nmax-topic 0\nlisten\n")
    code, out, errors = busctl("config", "check", path)
    equal(code, 2)
    for line in (1, 3, 4):
        equal("wrong.conf:%d:" % line in out + errors, True, out + errors)


@test
def publish_sends_one_message_for_each_line(bus):
    client = bus.connect()
    client.sub("cli")
    code, out, errors = bus.cli("publish", "cli", '{"a":1e400}')
    equal(code, 0, out + errors)
    equal(client.msg("cli").data_text, b'{"a":1e400}')
    code, out, errors = bus.cli("publish", "cli", "-",
                                stdin='1\n"two"\n[3]\n')
    equal(code, 0, out + errors)
    equal([client.msg("cli")["data"] for _ in range(3)], [1, "two", [3]])
    code, out, errors = bus.cli("publish", "cli", stdin="4\n")
    equal(code, 0, out + errors)
    equal(client.msg("cli")["data"], 4)


@test
def subscribe_writes_one_line_for_each_message(bus):
    reader = bus.popen("subscribe", "one", "two", stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL,
                       stdin=subprocess.DEVNULL, text=True)
    try:
        wait_until(lambda: bus.wanted() >= 2, 5, "it listens")
        writer = bus.connect()
        writer.pub("one", {"a": 1})
        first = reader.stdout.readline()
        writer.pub("two", "x\ny")
        second = reader.stdout.readline()
        equal('{"a": 1}' in first or json.dumps({"a": 1}) in first, True,
              first)
        equal("two" in second or "x\\ny" in second, True, second)
    finally:
        reader.terminate()
        reader.wait(5)
    equal(reader.returncode in (0, -15, 143), True, reader.returncode)


@test
def publish_into_subscribe_is_a_pipe(bus):
    reader = bus.popen("subscribe", "pipe", stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL,
                       stdin=subprocess.DEVNULL, text=True)
    try:
        wait_until(lambda: bus.wanted() >= 1, 5, "it listens")
        lines = "".join('{"n":%d}\n' % n for n in range(1000))
        equal(bus.cli("publish", "pipe", "-", stdin=lines)[0], 0)
        got = [reader.stdout.readline() for _ in range(1000)]
        for number, line in enumerate(got):
            equal('{"n":%d}' % number in line, True, line)
    finally:
        reader.terminate()
        reader.wait(5)


@test
def publish_refuses_what_is_no_json_and_says_which_line(bus):
    code, out, errors = bus.cli("publish", "cli", "-",
                                stdin='1\nnot json\n2\n')
    equal(code != 0, True)
    equal("2" in out + errors, True, out + errors)


@test
def without_a_bus_every_command_says_so():
    with Bus(1) as bus:
        bus.stop()
        for words in (("status",), ("stop",), ("reload",), ("restart",),
                      ("scale", "2"), ("publish", "x", "1"),
                      ("subscribe", "x")):
            code, out, errors = bus.cli(*words)
            equal(code, 1, " ".join(words))
            equal(bool(errors.strip()), True, out + errors)


@test
def bench_measures_a_bus(bus):
    code, out, errors = bus.cli(
        "bench", "--url", bus.url, "--subscribers", "20", "--publishers",
        "2", "--duration", "1", "--warmup", "0.2", "--verify", "--json")
    if "--run-dir" in errors:
        code, out, errors = busctl(
            "bench", "--url", bus.url, "--subscribers", "20",
            "--publishers", "2", "--duration", "1", "--warmup", "0.2",
            "--verify", "--json")
    equal(code, 0, out + errors)
    at_least(len(json.loads(out)), 3)


@test
def completion_is_valid_bash(_bus):
    code, out, _ = busctl("completion", "bash")
    equal(code, 0)
    done = subprocess.run(["bash", "-n"], input=out, text=True,
                          capture_output=True)
    equal(done.returncode, 0, done.stderr)
    for command in COMMANDS:
        equal(command in out, True, command)


if __name__ == "__main__":
    main(shared=Bus(2))
