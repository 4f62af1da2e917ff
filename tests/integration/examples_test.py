#!/usr/bin/python3
"""The examples, built by the line in their README and run."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import application
from binary import ROOT
from bus import Bus
from check import equal, main, test, wait_until

EXAMPLES = os.path.join(ROOT, "examples")


def build(name, out):
    """Run the cc line of an example's README, in a folder of its own."""
    folder = os.path.join(EXAMPLES, name)
    with open(os.path.join(folder, "README.md"), encoding="utf-8") as file:
        text = file.read()
    equal(text.count("\n") <= 16, True, "a README of about ten lines")
    line = re.search(r"^cc .*$", text, re.M)[0]
    with open(os.path.join(application.BUILD, "clusterbus.pc"),
              encoding="utf-8") as file:
        pc = file.read()
    # The library is not installed: its description points into the tree.
    pc = re.sub(r"^includedir=.*$", "includedir=" + os.path.join(
        ROOT, "include"), pc, flags=re.M)
    pc = re.sub(r"^libdir=.*$", "libdir=" + application.BUILD, pc, flags=re.M)
    with open(os.path.join(out, "clusterbus.pc"), "w",
              encoding="utf-8") as file:
        file.write(pc)
    for source in os.listdir(folder):
        os.symlink(os.path.join(folder, source), os.path.join(out, source))
    flags = "-Wall -Wextra -Werror"
    if application.SANITIZED:
        flags += " -fsanitize=address,undefined"
    env = dict(os.environ, PKG_CONFIG_PATH=out)
    done = subprocess.run(
        ["sh", "-c", line.replace("cc ", "cc %s " % flags, 1)], cwd=out,
        env=env, capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, done.stderr)


@test
def event_bus_one_publish_reaches_listeners_at_once_and_a_client():
    with tempfile.TemporaryDirectory() as out:
        build("event-bus", out)
        with Bus(1, app=os.path.join(out, "event_bus.so")) as bus:
            client = bus.connect()
            for topic in ("announce", "heard"):
                client.sub(topic)
            client.pub("bump", 7)
            message = client.msg("announce")
            equal((message["data"], message["from"]),
                  ({"msg": "bumped by 7"}, client.node))
            equal(client.msg("heard")["data"], 1)
            client.pub("announce", {"msg": "by hand"})
            equal(client.msg("announce")["data"], {"msg": "by hand"})
            client.pub("bump", 8)
            equal(client.msg("heard")["data"], 3)
            bus.wait_log(r"announce from \S+: {\"msg\": \"by hand\"}")
            equal("another node" in bus.log(), False)
            equal(bus.cli("publish", "announce", '{"msg":"far"}')[0], 0)
            bus.wait_log("that was another node")


@test
def bus_cluster_three_nodes_converge_to_the_same_tally():
    with tempfile.TemporaryDirectory() as out:
        build("bus-cluster", out)
        with Bus(2) as bus:
            nodes = [subprocess.Popen(
                [os.path.join(out, "tally"), bus.run_dir, "100"],
                env=dict(bus.env, LD_LIBRARY_PATH=application.BUILD),
                stdout=subprocess.PIPE, text=True) for _ in range(3)]
            for node in nodes:
                line = node.communicate(timeout=30)[0]
                equal(line.split(": ")[1], "own 100, peers 200, sum 300\n")
                equal(node.returncode, 0)
            wait_until(lambda: bus.hub("nodes") == 2, 5, "they have gone")


if __name__ == "__main__":
    main()
