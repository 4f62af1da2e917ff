#!/usr/bin/python3
"""`busctl contract`: mistakes, and types that compilers take, and do not.

TypeScript's and C's compilers are shown uses of what is generated, those of
TypeScript together with the types of bus.js.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from binary import BUSCTL
from check import Failed, equal, main, say, skip_all, test

DATA = os.path.join(HERE, "data", "contract")
CHAT = os.path.join(DATA, "chat.json")
INCLUDE = os.path.join(HERE, "..", "..", "include")
WEB = os.path.join(HERE, "..", "..", "worker", "web")
TSC = os.path.join(HERE, "node_modules", "typescript", "bin", "tsc")


def busctl(*words):
    return subprocess.run([BUSCTL, "contract", *words], timeout=20, text=True,
                          capture_output=True)


def tsc(folder):
    """The lines of uses.ts that do not compile."""
    done = subprocess.run(
        ["node", TSC, "--noEmit", "--strict", "--target", "es2022",
         "--module", "esnext", "--moduleResolution", "bundler",
         "--noUncheckedIndexedAccess", "--pretty", "false", "uses.ts"],
        cwd=folder, timeout=100, text=True, capture_output=True)
    elsewhere = [line for line in done.stdout.splitlines()
                 if line and not line.startswith(("uses.ts(", " "))]
    equal(elsewhere + done.stderr.splitlines(), [], "tsc says")
    return {int(n) for n in re.findall(r"^uses\.ts\((\d+)", done.stdout, re.M)}


@test
def a_contract_without_mistakes_is_counted():
    done = busctl("check", CHAT)
    equal(done.returncode, 0, "exit status")
    equal(done.stderr, "", "standard error")
    equal(done.stdout,
          CHAT + ": no mistake; topics: 5, events: 2, methods: 3\n")


@test
def all_mistakes_are_told_with_their_lines():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bad.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"shared":{"serverToClient":{\n'
                       '"a":{"payload":{"typ":"string"}},\n'
                       '"b":{"publish":true}\n}}}')
        done = busctl("check", path)
        equal(done.returncode, 2, "exit status")
        equal(done.stdout, "", "standard output")
        equal(done.stderr.replace(folder + "/", ""),
              'bad.json:2: /shared/serverToClient/a/payload/typ: "typ" is not '
              "a keyword of JSON Schema 2020-12\n"
              "bad.json:3: /shared/serverToClient/b: to publish is only for "
              'topics: "subscribe" is missing\n'
              "busctl: 2 mistakes\n")
        equal(busctl("types", "--lang", "ts", path).returncode, 2, "types")


@test
def wrong_words_are_usage():
    for words in [], ["lint", CHAT], ["check"], ["check", CHAT, CHAT], \
            ["types", CHAT], ["types", "--lang", "cobol", CHAT], \
            ["types", "--lang", "ts"], ["check", "/does/not/exist"]:
        done = busctl(*words)
        equal((done.returncode, done.stdout), (2, ""), repr(words))
        if not done.stderr:
            raise Failed("no reason for %r" % words)


@test
def typescript_takes_what_fits_and_nothing_else():
    if not os.path.exists(TSC) or shutil.which("node") is None:
        skip_all("there is no tsc (tests/deps.sh test)")
    done = busctl("types", "--lang=ts", CHAT)
    equal((done.returncode, done.stderr), (0, ""), "types")
    with open(os.path.join(DATA, "uses.ts"), encoding="utf-8") as file:
        uses = file.read()
    marks = {number for number, line in enumerate(uses.split("\n"), 1)
             if line.strip().startswith("// @ts-expect-error")}
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "node_modules"))
        os.symlink(os.path.abspath(WEB),
                   os.path.join(folder, "node_modules", "clusterbus"))
        with open(os.path.join(folder, "chat.d.ts"), "w",
                  encoding="utf-8") as file:
            file.write(done.stdout)
        target = os.path.join(folder, "uses.ts")
        with open(target, "w", encoding="utf-8") as file:
            file.write(uses)
        equal(sorted(tsc(folder)), [], "lines that should compile")
        with open(target, "w", encoding="utf-8") as file:
            file.write(uses.replace("// @ts-expect-error", "//"))
        equal(sorted(tsc(folder)), sorted(n + 1 for n in marks),
              "lines that should not compile")
    say("%d lines do not compile, as they must" % len(marks))


@test
def the_c_header_compiles_without_a_warning_and_works():
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libcjson"],
                           check=True, text=True,
                           capture_output=True).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        for name in "chat", "rich":
            done = busctl("types", "--lang", "c",
                          os.path.join(DATA, name + ".json"))
            equal((done.returncode, done.stderr), (0, ""), "types")
            with open(os.path.join(folder, name + ".h"), "w",
                      encoding="utf-8") as file:
                file.write(done.stdout)
        for compiler in "gcc", "clang":
            program = os.path.join(folder, compiler)
            done = subprocess.run(
                [compiler, "-std=c11", "-Wall", "-Wextra", "-Wpedantic",
                 "-Wconversion", "-Wshadow", "-g",
                 "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                 "-I", folder, "-I", INCLUDE, os.path.join(DATA, "uses.c"), "-o", program,
                 *flags], timeout=100, text=True, capture_output=True)
            equal((done.returncode, done.stderr), (0, ""), compiler)
            done = subprocess.run([program], timeout=20, text=True,
                                  capture_output=True)
            equal((done.returncode, done.stderr), (0, ""), done.stdout[-300:])
            say("%s: %d things hold" % (compiler, done.stdout.count("ok - ")))


@test
def the_c_header_refuses_the_wrong_types():
    wrong = ["shared_word_publish(bus, 1);", "shared_spot_publish(bus);",
             "shared_count_publish(bus, \"1\");",
             "struct place p; p.outside = NULL;",
             "n2nd_class_seat_subscribe(bus, NULL, NULL);"]
    flags = subprocess.run(["pkg-config", "--cflags", "libcjson"], check=True,
                           text=True, capture_output=True).stdout.split()
    done = busctl("types", "--lang=c", os.path.join(DATA, "rich.json"))
    for line in [""] + wrong:
        source = done.stdout + "\nvoid f(void);\nvoid f(void)\n{\n" \
            "struct cbus *bus = NULL;\n(void)bus;\n%s\n}\n" % line
        code = subprocess.run(
            ["gcc", "-std=c11", "-Werror", "-x", "c", "-fsyntax-only", "-",
             "-I", INCLUDE,
             *flags], input=source, timeout=100, text=True,
            capture_output=True).returncode
        equal(code == 0, line == "", line)


main()
