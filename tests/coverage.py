#!/usr/bin/python3
"""How much of src/, primary/ and worker/ the tests have run.

usage: tests/coverage.py build/coverage

Reads what gcov says about the objects of that build and prints a table per
file: lines and branches, and which lines never ran.
"""
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile

SHOWN = 12  # stretches of lines that never ran, at most


def read(build):
    """File -> line -> [times run, branches, branches taken]."""
    root = os.getcwd()
    notes = [os.path.join(root, path) for path in glob.glob(
        os.path.join(build, "**", "*.gcda"), recursive=True)]
    files = collections.defaultdict(dict)
    with tempfile.TemporaryDirectory() as scratch:
        for note in notes:
            subprocess.run(["gcov", "--json-format", "--branch-probabilities",
                            note], cwd=scratch, check=False,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            for path in glob.glob(os.path.join(scratch, "*.gcov.json.gz")):
                with gzip.open(path, "rt") as packed:
                    merge(files, json.load(packed))
                os.unlink(path)
    return files


def merge(files, report):
    for file in report["files"]:
        name = os.path.normpath(file["file"])
        if not name.startswith(("src/", "primary/", "worker/")):
            continue
        for line in file["lines"]:
            entry = files[name].setdefault(line["line_number"], [0, 0, 0])
            entry[0] += line["count"]
            ways = line["branches"]
            entry[1] = max(entry[1], len(ways))
            entry[2] = max(entry[2], sum(way["count"] > 0 for way in ways))


def stretches(numbers):
    """1 2 3 7 -> 1-3 7, as text."""
    out = []
    for number in numbers:
        if out and out[-1][1] == number - 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    words = ["%d" % a if a == b else "%d-%d" % (a, b) for a, b in out[:SHOWN]]
    return " ".join(words) + (" ..." if len(out) > SHOWN else "")


def percent(part, whole):
    return "%5.1f%%" % (100.0 * part / whole) if whole else "     -"


def main():
    files = read(sys.argv[1])
    if not files:
        print("nothing was run in " + sys.argv[1])
        return 1
    total = [0, 0, 0, 0]
    print("%-32s %7s %8s  %s" % ("file", "lines", "branches", "never run"))
    for name in sorted(files):
        lines = files[name]
        missed = sorted(n for n, entry in lines.items() if entry[0] == 0)
        row = [len(lines) - len(missed), len(lines),
               sum(entry[2] for entry in lines.values()),
               sum(entry[1] for entry in lines.values())]
        total = [a + b for a, b in zip(total, row)]
        print("%-32s %7s %8s  %s" % (name, percent(row[0], row[1]),
                                     percent(row[2], row[3]),
                                     stretches(missed)))
    print("%-32s %7s %8s" % ("all", percent(total[0], total[1]),
                             percent(total[2], total[3])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
