"""README.md as a test sees it: its blocks, and a shell that is typed into.

A comment above a block says what it is: `tour N` is typed into terminal N (with
`exit S`, its last line ends with status S), `shown N` is what terminal N prints,
`...` any lines.  `page` is for a browser.  `run` is typed, too, and the `prints`
below it is what it prints; before it `windows N` has so many clients connected.
"""
import os
import re
import subprocess

from binary import ROOT
from check import equal, wait_until

DEADLINE_S = 15.0
BLOCK = re.compile(
    r"^\*\*([A-Z][^*]*)\.\*\*|<!-- (tour|shown|page|run|prints)(?: (\d))?"
    r"(?: exit (\d+))?(?: windows (\d+))? -->\n```\w*\n(.*?)```", re.M | re.S)
NODE_ID = re.compile(r"\b[0-9a-f]{8}-[a-z0-9-]+")


def read_readme():
    """The text of README.md."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return file.read()


def shape(line):
    """An expression for a line: any numbers and ids, any number of blanks."""
    text = re.sub(r"\d+", "0", NODE_ID.sub("\a", line.strip()))
    text = re.escape(text).replace("0", r"\d+")
    text = text.replace(re.escape("\a"), NODE_ID.pattern)
    return r"[ \t]*" + re.sub(r"(\\ )+", " +", text) + r"[ \t]*\n"


def shape_of_all(lines, between):
    """The same for lines; `...` and what may stand between them."""
    return between.join(r"(?:.*\n)*?" if line == "..." else shape(line)
                        for line in lines)


def commands(lines):
    """Lines that are typed at once: each one, but a whole here-document."""
    command = []
    for line in lines:
        command.append(line)
        if "<<'END'" not in command[0] or line == "END":
            yield "\n".join(command)
            command = []
    equal(command, [], "a here-document without its end")


class Terminal:
    """A shell that is typed into."""

    def __init__(self, path, cwd, env):
        self.path = path
        self.seen = 0
        self.typed = 0
        with open(path, "wb") as out:
            self.shell = subprocess.Popen(
                ["bash"], stdin=subprocess.PIPE, stdout=out, stderr=out,
                cwd=cwd, env=env, start_new_session=True)

    def output(self):
        """What has been printed since the last look."""
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()[self.seen:]

    def type(self, line):
        """Type a line and do not wait."""
        self.shell.stdin.write(line.encode() + b"\n")
        self.shell.stdin.flush()

    def run(self, line):
        """Type a line; its exit status."""
        self.typed += 1
        self.type(line)
        self.type("printf '@@%%d %%d\\n' %d $?" % self.typed)
        done = re.compile(r"^@@%d (\d+)\n" % self.typed, re.M)
        found = wait_until(lambda: done.search(self.output()), DEADLINE_S,
                           "%r to end" % line)
        return int(found[1])

    def forget(self):
        """What was printed so far is of no interest any more."""
        self.seen += len(self.output())

    def lines(self):
        """The output without our marks."""
        return re.sub(r"^@@\d+ \d+\n", "", self.output(), flags=re.M)
