#!/usr/bin/python3
"""run.py - the benchmark: clusterbus and its peers, side by side.

Every case is run in rounds, and in a round every server has its turn, so
that a machine that gets slower or faster does so for all of them.  A server
is started for each run and stopped after it.  The report is Markdown, the
raw results are kept in the build folder.

Usage: tests/bench/run.py [--quick] [--only CASE]... [--peer NAME]...
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

from cases import CASES, LIMITS
from install import Installer, say
from machine import describe
from peers import find_all
from report import render

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SERVER_CPU = 0
GENERATOR_CPU = 1


def parse_words():
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Compare clusterbus with its peers.")
    parser.add_argument("--busctl",
                        default=os.path.join(TOP, "build", "release",
                                             "busctl"),
                        help="the program to measure (build/release/busctl)")
    parser.add_argument("--generator", help="another busctl for the load")
    parser.add_argument("--build", default=os.path.join(TOP, "build"),
                        help="folder for peers and results (build)")
    parser.add_argument("--report", help="where the report goes "
                        "(tests/bench/REPORT.md; partial runs: build)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--duration", type=float, default=3.0,
                        help="seconds of each run (3)")
    parser.add_argument("--only", action="append", metavar="CASE",
                        choices=[case.name for case in CASES] +
                        ["limit", "costs", "drivers"])
    parser.add_argument("--peer", action="append", metavar="NAME",
                        help="take part: clusterbus, hub, door, redis, "
                        "nats, nats-tcp, nchan, uws, crossws, socketio (all)")
    parser.add_argument("--quick", action="store_true",
                        help="one round of one second")
    parser.add_argument("--note", default="", metavar="TEXT",
                        help="a sentence for the report, such as who else "
                        "used the machine")
    parser.add_argument("--again", action="store_true",
                        help="render the report from the last results")
    parser.add_argument("--keep", action="store_true",
                        help="add to the last results instead of starting "
                        "anew")
    words = parser.parse_args()
    if words.quick:
        words.rounds, words.duration = 1, 1.0
    words.generator = words.generator or words.busctl
    return words


def generate(words, more):
    """Run the generator; its result as a dictionary."""
    line = [words.generator, "bench", "--json",
            "--duration", str(words.duration), *more]
    done = subprocess.run(line, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=300)
    try:
        return json.loads(done.stdout.decode())
    except ValueError:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return {"failed": lines[-1] if lines else f"exit {done.returncode}"}


def run_once(words, case, pair, folder):
    """One server, one load."""
    maker, program = pair
    pinned = case.pinned and os.cpu_count() > 1
    shutil.rmtree(folder, ignore_errors=True)
    server = maker(program, folder, case.workers,
                   SERVER_CPU if pinned else None, case.options)
    try:
        with server:
            more = ["--protocol", server.protocol, "--url", server.url,
                    "--pid", str(server.pid), *case.words]
            if pinned:
                more += ["--cpu", str(GENERATOR_CPU)]
            return generate(words, more)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return {"failed": str(error)}


def tell(result):
    """One line about a run."""
    if "failed" in result:
        return "failed: " + result["failed"]
    if result["mode"] == "idle":
        return (f"{result['handshakes_per_cpu_second']:,.0f} handshakes per "
                f"CPU second, {result['bytes_per_connection']:,.0f} bytes")
    return (f"{result['deliveries_per_cpu_second']:,.0f} per CPU second, "
            f"{result['deliveries_per_second']:,.0f}/s, "
            f"p50 {result['latency_us']['p50']:,.0f} us, "
            f"lost {result['lost']}")


def run_cases(words, peers, runs, save):
    """All cases in rounds, servers in turns."""
    for case in CASES:
        if words.only and case.name not in words.only:
            continue
        runs[case.name] = {}
        for turn in range(words.rounds):
            for name in case.peers:
                if name not in peers:
                    continue
                folder = os.path.join(words.build, "bench", "run", name)
                result = run_once(words, case, peers[name], folder)
                runs[case.name].setdefault(name, []).append(result)
                say(f"{case.name} {turn + 1}/{words.rounds} {name}: "
                    f"{tell(result)}")
        save()


def run_limits(words, limits, save):
    """What the kernel allows."""
    for count in LIMITS:
        result = generate(words, ["--limit", str(count), "--subscribers",
                                  "1000", "--cpu", str(GENERATOR_CPU)])
        if "failed" not in result:
            limits[str(count)] = result["deliveries_per_cpu_second"]
            say(f"limit {count}: {limits[str(count)]:,.0f}")
    save()


def run_costs(words, kept, save):
    """What single things cost inside of a worker."""
    done = subprocess.run(
        [os.path.join(HERE, "costs.py"), "--rounds", str(words.rounds)],
        stdout=subprocess.PIPE, check=False, timeout=600,
        env=dict(os.environ, BUSCTL=words.busctl))
    if done.returncode != 0:
        say("costs: failed")
        return
    kept["costs"] = json.loads(done.stdout.decode().splitlines()[-1])
    for name, middle, _, _ in kept["costs"]:
        say(f"costs: {name}: {middle:.2f} us")
    save()


def run_drivers(words, node, kept, save):
    """What a message to another host costs, with each driver."""
    line = [os.path.join(HERE, "drivers.py"), "--rounds", str(words.rounds)]
    if node is not None:
        line += ["--modules", node[1]]
    done = subprocess.run(line, stdout=subprocess.PIPE, check=False,
                          timeout=600, env=dict(os.environ,
                                                BUSCTL=words.busctl))
    if done.returncode != 0:
        say("drivers: failed")
        return
    kept["drivers"] = json.loads(done.stdout.decode().splitlines()[-1])
    for name, found in kept["drivers"]:
        say(f"drivers: {name}: {found['added_p50'][0]:,.0f} us, "
            f"{found['per_cpu_second'][0]:,.0f} per CPU second")
    save()


def choose_report(words):
    """A partial run must not replace the report in the repository."""
    if words.report:
        return words.report
    if words.only or words.peer or words.quick:
        return os.path.join(words.build, "bench", "REPORT.md")
    return os.path.join(HERE, "REPORT.md")


def main():
    """Install, run, report."""
    words = parse_words()
    store = os.path.join(words.build, "bench", "results.json")
    installer = Installer(os.path.join(words.build, "bench"))
    if not os.access(words.busctl, os.X_OK):
        say(f"{words.busctl} is not there: run make first")
        return 2
    peers = find_all(installer, words.busctl)
    if words.peer:
        peers = {name: pair for name, pair in peers.items()
                 if name in words.peer}
    kept = {"runs": {}, "limits": {}, "load": os.getloadavg()[0],
            "rounds": words.rounds, "duration": words.duration}
    if (words.again or words.keep) and os.path.exists(store):
        with open(store, encoding="utf-8") as file:
            kept = json.load(file)

    def save():
        with open(store, "w", encoding="utf-8") as file:
            json.dump(kept, file)

    if not words.again:
        run_cases(words, peers, kept["runs"], save)
        if not words.only or "limit" in words.only:
            run_limits(words, kept["limits"], save)
        if not words.only or "costs" in words.only:
            run_costs(words, kept, save)
        if not words.only or "drivers" in words.only:
            run_drivers(words, installer.node(), kept, save)
    path = choose_report(words)
    note = (f"{kept['rounds']} rounds of {kept['duration']:g} s for each "
            f"server and case. {words.note}").rstrip()
    with open(path, "w", encoding="utf-8") as file:
        file.write(render(kept, describe(peers, kept.get("load")), CASES,
                          note))
    say(f"report: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
