#!/usr/bin/python3
"""What README.md shows after its tour works, and what it claims is tested.

The `run` blocks of a section are typed in their order, in a folder that looks
like the project's; the block before `prints` prints that.  Each line of the
table of features names tests, and there are such tests.
"""
# timeout: 120
import os
import re
import signal
import sys
import tempfile
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import application  # noqa: E402
import proc  # noqa: E402
from binary import BUSCTL, ROOT  # noqa: E402
from check import at_least, equal, main, say, test, wait_until  # noqa: E402
from ports import free_port  # noqa: E402
from readme import (BLOCK, DEADLINE_S, Terminal, commands,  # noqa: E402
                    read_readme, shape_of_all)
from wsclient import Client  # noqa: E402


def sections():
    """Those after the tour that are to be run: title and blocks."""
    for part in re.split(r"^## ", read_readme(), flags=re.M)[1:]:
        blocks = [found for found in BLOCK.finditer(part)
                  if found[2] in ("run", "prints")]
        if blocks:
            yield part.splitlines()[0], blocks


class Place:
    """What the sections are run in: a folder like the project's, a shell."""

    def __init__(self, folder):
        self.port = free_port()
        self.mark = "clusterbus-test-" + uuid.uuid4().hex
        self.windows = []
        os.mkdir(os.path.join(folder, "build"))
        os.symlink(os.path.abspath(BUSCTL),
                   os.path.join(folder, "build", "busctl"))
        for name in ("examples", "include"):
            os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
        with open(os.path.join(folder, "clusterbus.pc"), "w",
                  encoding="utf-8") as file:
            file.write("Name: clusterbus\nDescription: of this tree\n"
                       "Version: 0\nCflags: -I%s/include\nLibs: -L%s "
                       "-lclusterbus\n" % (ROOT, application.BUILD))
        with open(os.path.join(folder, "cc"), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexec gcc -Wall -Werror %s \"$@\"\n" % (
                "-fsanitize=address,undefined" if application.SANITIZED
                else ""))
        os.chmod(os.path.join(folder, "cc"), 0o755)
        env = {name: value for name, value in os.environ.items()
               if not name.startswith("CLUSTERBUS_")}
        env.update(CBUS_TEST_MARK=self.mark, PKG_CONFIG_PATH=folder,
                   CLUSTERBUS_RUN_DIR=os.path.join(folder, "run"),
                   CLUSTERBUS_LISTEN="127.0.0.1:%d" % self.port,
                   LD_LIBRARY_PATH=application.BUILD,
                   PATH=folder + ":" + os.environ["PATH"])
        self.shell = Terminal(os.path.join(folder, "out"), folder, env)

    def walk(self, blocks):
        """Run the blocks of a section."""
        printed = None
        for found in blocks:
            text = found[6].replace(":8080", ":%d" % self.port)
            if found[2] == "prints":
                wanted = shape_of_all(text.splitlines(), "")
                equal(bool(re.fullmatch(wanted, printed)), True, printed)
                continue
            self.windows += [Client(("127.0.0.1", self.port))
                             for _ in range(int(found[5] or 0))]
            self.shell.forget()
            for line in commands(text.splitlines()):
                equal(self.shell.run(line), 0, line + self.shell.lines())
            printed = re.sub(r"\n+", "\n", self.shell.lines())

    def leave(self):
        """Nothing of it stays."""
        for window in self.windows:
            window.abort()
        self.shell.shell.stdin.close()
        self.shell.shell.wait()
        try:
            wait_until(lambda: not proc.marked(self.mark), DEADLINE_S,
                       "all processes to go")
        finally:
            for pid in proc.marked(self.mark):
                os.kill(pid, signal.SIGKILL)


@test
def each_section_does_what_it_shows():
    done = []
    for title, blocks in sections():
        with tempfile.TemporaryDirectory() as folder:
            place = Place(folder)
            try:
                place.walk(blocks)
                done.append(title)
            finally:
                place.leave()
    say("run: " + ", ".join(done))
    at_least(len(done), 4, "sections")


def tests_in(name):
    """The sentences of a test file, and what else stands in it in quotes."""
    sources = {"_test": ["tests/integration/%s.py" % name,
                         "tests/integration/%s_client.mjs" % name[:-5]],
               ".test": ["tests/unit/%s.mjs" % name]}.get(
                   name[-5:], ["tests/unit/%s.c" % name])
    found = set()
    for source in sources:
        path = os.path.join(ROOT, source)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if source.endswith(".py"):
            names = re.findall(r"^@\w+\ndef (\w+)", text, re.M)
        elif source.endswith(".c"):
            names = [name for name in re.findall(
                r"^(\w+)\(void \*\*\w+\)", text, re.M)
                if len(re.findall(r"\b%s\b" % name, text)) > 1]
            names += re.findall(r" - ([a-z ]+)\\n\"", text)
        else:
            names = re.findall(r"^(?:await )?test\(\"([^\"]+)\"", text, re.M)
        found |= {name.replace("_", " ") for name in names}
    return found


@test
def each_feature_has_tests_that_exist():
    table = read_readme().split("<!-- features -->", 1)[1].split("<!--")[0]
    known = {}
    missing = []
    proven = 0
    for line in table.strip().splitlines()[2:]:
        row = [cell.strip() for cell in line.strip("|\n ").split(" | ")]
        if row[0].startswith("**"):
            continue
        equal(len(row), 3, "columns of %r" % line)
        for proof in row[2].split("; "):
            name, _, sentence = proof.partition(": ")
            known.setdefault(name, tests_in(name))
            missing += [proof] if sentence not in known[name] else []
            proven += 1
    equal(missing, [], "tests that do not exist")
    at_least(proven, 250, "proofs")


if __name__ == "__main__":
    main()
