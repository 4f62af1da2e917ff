"""Upgrades of a bus in a test: other binaries, and what must hold.

Every binary is a copy of busctl with another version number in it, or a script
around it.
"""
import os
import subprocess

from binary import BUSCTL
from check import at_least, equal
from load import Load

FAILS = [r"no upgrade to|speaks? another|does not understand"]
TOPICS = ["a", "b"]


def version():
    """The version that this busctl has."""
    return subprocess.run([BUSCTL, "version"], capture_output=True,
                          text=True).stdout.split()[-1]


def other(bus, name="next", number=b"9"):
    """A copy of busctl whose primary says that its version is another one."""
    old = version().encode()
    new = old[:-1] + number
    path = os.path.join(bus.dir, name)
    with open(BUSCTL, "rb") as file:
        content = file.read()
    at_least(content.count(old + b"\0"), 1, "places of the version")
    with open(path + ".new", "wb") as file:
        file.write(content.replace(old + b"\0", new + b"\0"))
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)
    return path, new.decode()


def script(bus, text, name="script", mode=0o755):
    """A program around busctl: $BUSCTL is it, $REHEARSE is yes in a trial."""
    path = os.path.join(bus.dir, name)
    with open(path, "w") as file:
        file.write("#!/bin/sh\nBUSCTL='%s'\nREHEARSE=no\n"
                   "[ \"$2\" = --rehearse ] && REHEARSE=yes\n%s\n" % (
                       BUSCTL, text))
    os.chmod(path, mode)
    return path


def upgrade(bus, *words):
    """`busctl upgrade`, which must work; what it has said."""
    code, out, errors = bus.cli("upgrade", *words)
    equal((code, errors if code else ""), (0, ""))
    return out


def refused(bus, path, *words):
    """`busctl upgrade` to something that is no good: why; all is as before."""
    before = (bus.pid(), bus.pids(), bus.hub("upgrades_failed"))
    offset = len(bus.log())
    code, _out, errors = bus.cli("upgrade", "--binary", path, *words)
    equal(code, 1, errors)
    equal((bus.pid(), bus.pids(), bus.hub("upgrades_failed") - 1), before)
    equal("takes over" in bus.log()[offset:], False)
    equal(errors.rstrip().endswith("version %s goes on" % version()), True,
          errors)
    return errors


def talks(bus):
    """A publish on one worker reaches a client on another one."""
    first, second = bus.connect(0), bus.connect(1)
    first.sub("talk")
    second.pub("talk", second.conn)
    equal(first.msg("talk")["data"], second.conn)
    first.abort()
    second.abort()


def talkers(bus, count):
    """So many clients who all publish, and hear each other."""
    load = Load()
    for number in range(count):
        client = bus.connect(number % bus.n)
        load.subscriber(client, TOPICS)
        load.publisher_too(client, TOPICS, rate=8)
    return load
