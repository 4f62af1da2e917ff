#!/usr/bin/python3
"""The contract's way: read by the primary, checked, the same text to all.

With a mistake in it a bus does not start, and a reload changes nothing.  And
worker-program: another program that is run as worker.
"""
import json
import os
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from binary import BUSCTL
from bus import Bus
from check import equal, main, test
from ipc import Program

TOLD = [r"contract\.json|configuration has"]
BROKEN = '{"shared": {},\n "rolls": 1,\n "roles": {"a/b": {}}}\n'


def contract(*topics):
    """A contract with these topics."""
    return json.dumps({"shared": {"serverToClient": {
        name: {"subscribe": True, "publish": True} for name in topics}}})


class Contracted(Bus):
    """A bus with a contract."""

    def __init__(self, text, n=2, **options):
        super().__init__(n, **options)
        self.path = os.path.join(self.dir, "contract.json")
        self.options["contract"] = self.path
        self.write(text)

    def write(self, text):
        """Replace the contract."""
        with open(self.path, "w") as file:
            file.write(text)


@test
def programs_get_the_contract_in_front_of_each_configuration():
    with Contracted(contract("a")) as bus:
        program = Program(bus.run_dir)
        equal(program.recv(), ("CONTRACT", contract("a").encode()))
        kind, text = program.recv()
        equal(kind, "CONFIG")
        equal(b"contract " + bus.path.encode() + b"\n" in text, True)
        bus.write(contract("a", "b"))
        code, out, errors = bus.cli("reload")
        equal(code, 0, errors)
        equal("changed in place: contract" in out + errors, True, out)
        equal(program.recv(), ("CONTRACT", contract("a", "b").encode()))
        equal(program.recv()[0], "CONFIG")
        program.close()


@test
def without_a_contract_its_text_is_empty():
    with Bus(1) as bus:
        program = Program(bus.run_dir)
        equal(program.recv(), ("CONTRACT", b""))
        equal(program.recv()[0], "CONFIG")
        program.close()


@test
def a_reload_with_a_broken_contract_changes_nothing_and_tells_each_mistake():
    with Contracted(contract("a"), allow=TOLD) as bus:
        program, client = Program(bus.run_dir), bus.connect(0)
        program.wait("CONFIG")
        bus.write(BROKEN)
        code, out, errors = bus.cli("reload")
        equal(code, 2)
        said = out + errors
        equal(bus.path + ":2: /rolls: " in said, True, said)
        equal(bus.path + ":3: /roles/a~1b: a role's name" in said, True, said)
        equal("configuration has 2 mistakes; the old one stays" in said, True,
              said)
        equal(bus.hub("reloads_failed"), 1)
        client.alive()
        program.close()
        # Who comes now gets the one that is in force.
        program = Program(bus.run_dir)
        equal(program.recv(), ("CONTRACT", contract("a").encode()))
        program.close()


@test
def a_bus_does_not_start_with_a_broken_contract():
    for options in ({}, {"daemon": True}):
        bus = Contracted(BROKEN, checked=False, **options)
        bus.spawn()
        equal(bus.process.wait(10), 2)
        log = bus.log()
        equal(log.count("contract.json:"), 2, log)
        equal(os.path.exists(os.path.join(bus.run_dir, "hub.sock")), False)
        shutil.rmtree(bus.dir)


@test
def config_check_looks_into_the_contract_too():
    bus = Contracted(BROKEN, checked=False)
    words = [BUSCTL, "config", "check", "--contract", bus.path]
    done = subprocess.run(words, capture_output=True, text=True)
    equal(done.returncode, 2)
    equal(done.stderr.count("contract.json:"), 2, done.stderr)
    equal("2 mistakes" in done.stderr, True, done.stderr)
    bus.write(contract("a"))
    equal(subprocess.run(words, capture_output=True).returncode, 0)
    os.unlink(bus.path)
    done = subprocess.run(words, capture_output=True, text=True)
    equal(done.returncode, 2)
    equal("No such file" in done.stderr, True, done.stderr)
    shutil.rmtree(bus.dir)


def write_program(path, text, mode=0o700):
    """A script."""
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


@test
def another_program_is_run_as_worker_with_the_same_words():
    bus = Bus(2, allow=[r"killed|died"])
    path, seen = (os.path.join(bus.dir, name) for name in ("mine", "seen"))
    write_program(path, '#!/bin/sh\necho "$0 $*" >>%s\nexec %s "$@"\n' % (
        seen, BUSCTL))
    bus.options["worker_program"] = path
    with bus:
        bus.connect(1).alive()
        with open(seen) as file:
            lines = sorted(file.read().splitlines())
        equal([line.split()[:4] for line in lines],
              [[path, "worker", "--slot", str(slot)] for slot in (0, 1)])
        # A worker takes another's place in the same way.
        code, out, errors = bus.cli("restart", "0")
        equal(code, 0, out + errors)
        with open(seen) as file:
            equal(len(file.read().splitlines()), 3)


@test
def a_worker_program_that_cannot_be_run_is_a_mistake():
    bus = Bus(1, checked=False)
    path = os.path.join(bus.dir, "mine")
    for text in (None, "#!/bin/sh\n"):
        if text is not None:
            write_program(path, text, stat.S_IRUSR | stat.S_IWUSR)
            if os.geteuid() == 0:
                equal(os.access(path, os.X_OK), False)
        done = subprocess.run([BUSCTL, "start", "--worker-program", path],
                              capture_output=True, text=True)
        equal(done.returncode, 2)
        equal("--worker-program: '%s': " % path in done.stderr, True,
              done.stderr)
    shutil.rmtree(bus.dir)


if __name__ == "__main__":
    main()
