#!/usr/bin/python3
"""libclusterbus: installed, found by pkg-config, linked, run, removed.

What is installed stands in a folder of the test's own.  Programs are built
with nothing but what is in there.

# timeout: 300
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from appbuild import ROOT, build_folder, compile_c, pkg_config
from bus import Bus
from check import Failed, equal, main, test, wait_until

DATA = os.path.join(HERE, "data", "library")
HEADERS = sorted(os.listdir(os.path.join(ROOT, "include", "clusterbus")))


def make(*words):
    """`make`, of the variant that is under test."""
    folder = build_folder()
    if os.path.samefile(folder, os.path.join(ROOT, "build")):
        folder = os.path.join(folder, "release")
    env = {key: value for key, value in os.environ.items()
           if not key.startswith("MAKE") and key != "MFLAGS"}
    done = subprocess.run(
        ["make", "-s", "V=" + os.path.basename(folder), *words], cwd=ROOT,
        env=env, text=True, capture_output=True, timeout=280)
    if done.returncode != 0:
        raise Failed("make %s: %s" % (" ".join(words), done.stderr[-2000:]))


def below(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder)
                  for at, folders, names in os.walk(folder) for name in
                  names + [f for f in folders if
                           os.path.islink(os.path.join(at, f))])


class Installed:
    """clusterbus in a folder of our own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.prefix = os.path.join(self.folder.name, "prefix")
        self.lib = os.path.join(self.prefix, "lib")

    def __enter__(self):
        make("install", "PREFIX=" + self.prefix)
        return self

    def __exit__(self, *what):
        self.folder.cleanup()

    def path(self, *words):
        return os.path.join(self.folder.name, *words)

    def flags(self, *words):
        return pkg_config(*words, "clusterbus",
                          path=os.path.join(self.lib, "pkgconfig"))

    def shared(self):
        """Flags for the shared library."""
        return self.flags("--cflags", "--libs") + ["-Wl,-rpath," + self.lib]

    def static(self):
        """Flags for the static one, with all that it needs itself."""
        return ["-l:libclusterbus.a" if flag == "-lclusterbus" else flag
                for flag in self.flags("--static", "--cflags", "--libs")]


def greeted(bus):
    """Clients on both workers meet the application."""
    for slot in 0, 1:
        client = bus.connect(slot)
        hello = client.wait_for(lambda m: m["op"] == "evt")
        if not re.match(r"\d+\.\d+", hello["data"]):
            raise Failed(str(hello))
        equal(client.ask("call", method="echo", data=[slot])["data"], [slot])
        client.close()


@test
def all_that_a_user_needs_is_installed(installed):
    found = below(installed.prefix)
    for name in (["bin/clusterbus", "lib/libclusterbus.a",
                  "lib/libclusterbus.so", "lib/libclusterbus.so.0",
                  "lib/pkgconfig/clusterbus.pc"] +
                 ["include/clusterbus/" + header for header in HEADERS]):
        if name not in found:
            raise Failed("%s is not there: %r" % (name, found))
    equal([name for name in found if name.endswith(".h")],
          ["include/clusterbus/" + header for header in HEADERS],
          "nothing else is public")
    version = subprocess.run(
        [os.path.join(installed.prefix, "bin", "clusterbus"), "version"],
        check=True, text=True, capture_output=True, timeout=20).stdout
    if installed.flags("--modversion")[0] not in version:
        raise Failed("versions differ: " + version)


@test
def nothing_but_the_public_api_is_visible(installed):
    for name, flags in ("libclusterbus.so", ["-D"]), ("libclusterbus.a", []):
        text = subprocess.run(
            ["nm", "--defined-only", "--extern-only", "-P", *flags,
             os.path.join(installed.lib, name)], check=True, text=True,
            capture_output=True, timeout=20).stdout
        names = {line.split()[0] for line in text.splitlines()
                 if len(line.split()) > 1}
        # worker/ws_offer.c stands in front of one of libwebsockets' functions,
        # worker/ws_libc.c of three that libwebsockets calls in libc.
        names -= {"lws_hdr_copy", "recv", "send", "shutdown"}
        equal(sorted(n for n in names if not n.startswith("cbus_")
                     and "asan" not in n and "odr" not in n), [], name)
        if not {"cbus_publish", "cbus_attach", "cbus_worker_run"} <= names:
            raise Failed("%s lacks something: %r" % (name, names))


@test
def the_library_has_a_name_that_programs_keep(installed):
    text = subprocess.run(
        ["readelf", "-d", os.path.join(installed.lib, "libclusterbus.so")],
        check=True, text=True, capture_output=True, timeout=20).stdout
    if "[libclusterbus.so.0]" not in text:
        raise Failed(text)


@test
def a_worker_program_runs_with_either_library(installed):
    for name, flags in (("shared", installed.shared()),
                        ("static", installed.static())):
        program = compile_c(os.path.join(DATA, "worker.c"),
                            installed.path("worker-" + name), *flags)
        with Bus(2, worker_program=program) as bus:
            greeted(bus)
        done = subprocess.run([program], text=True, capture_output=True,
                              timeout=20)
        equal(done.returncode, 2, "started by hand")
        equal("--worker-program" in done.stderr, True, done.stderr)
        done = subprocess.run([program, "--nonsense"], text=True,
                              capture_output=True, timeout=20)
        equal(done.returncode, 2, "with a word that is none")


@test
def a_worker_program_is_attached_by_another_supervisor(installed):
    program = compile_c(os.path.join(DATA, "worker.c"),
                        installed.path("worker-attach"), *installed.shared())
    with Bus(None, command="hub", workers=2, checked=False) as bus:
        workers = [subprocess.Popen(
            [program, "worker", "--attach", "--run-dir", bus.run_dir],
            env=bus.env, stderr=subprocess.DEVNULL) for _ in range(2)]
        wait_until(lambda: bus.running(2), 10, "both are there")
        bus.read_addresses()
        greeted(bus)
        bus.stop()
        for worker in workers:
            equal(worker.wait(10), 0, "a drained worker's exit status")


@test
def a_program_attaches_with_either_library(installed):
    worker = compile_c(os.path.join(DATA, "worker.c"),
                       installed.path("worker"), *installed.shared())
    with Bus(2, worker_program=worker) as bus:
        clients = [bus.connect(slot) for slot in (0, 1)]
        for name, flags in (("shared", installed.shared()),
                            ("static", installed.static())):
            program = compile_c(os.path.join(DATA, "attach.c"),
                                installed.path("attach-" + name), *flags)
            done = subprocess.run([program, bus.run_dir], text=True,
                                  capture_output=True, timeout=30)
            equal((done.returncode, done.stdout, done.stderr),
                  (0, "count 0 2\n", ""), name)
            for client in clients:
                equal(client.wait_for(lambda m: m.get("event") == "news")
                      ["data"], [1])


@test
def an_application_needs_the_headers_only_also_in_cxx(installed):
    app = compile_c(os.path.join(DATA, "app.cc"), installed.path("cxx.so"),
                    "-shared", "-fvisibility=hidden",
                    *installed.flags("--cflags"), compiler="g++")
    with Bus(2, app=app) as bus:
        reader = bus.connect(1)
        bus.connect(0).pub("news", 7)
        for _ in range(2):  # the listeners of both workers
            equal(reader.wait_for(lambda m: m["op"] == "evt")["data"],
                  [7, "news"])


@test
def a_worker_program_loads_applications_as_well(installed):
    program = compile_c(os.path.join(DATA, "worker.c"),
                        installed.path("worker-apps"), *installed.shared())
    static = compile_c(os.path.join(DATA, "worker.c"),
                       installed.path("worker-dynamic"), "-rdynamic",
                       *installed.static())
    app = compile_c(os.path.join(DATA, "app.cc"), installed.path("more.so"),
                    "-shared", *installed.flags("--cflags"), compiler="g++")
    for worker in program, static:
        with Bus(2, worker_program=worker, app=app) as bus:
            greeted(bus)
            reader = bus.connect(1)
            bus.connect(0).pub("news", 7)
            equal(reader.wait_for(lambda m: m.get("event") == "heard")
                  ["data"], [7, "news"])


@test
def a_program_with_a_recv_of_its_own_serves_but_moves_nobody(installed):
    program = compile_c(os.path.join(DATA, "worker.c"),
                        installed.path("own-recv"),
                        os.path.join(DATA, "recv.c"), *installed.shared())
    with Bus(2, worker_program=program,
             allow=["connections cannot be moved"]) as bus:
        greeted(bus)
        equal(len(re.findall("connections cannot be moved", bus.log())), 2)


@test
def each_header_compiles_alone_as_c_and_as_cxx(installed):
    for header in HEADERS:
        for compiler, language, standard in (("gcc", "c", "c99"),
                                             ("clang", "c", "c11"),
                                             ("g++", "c++", "c++11")):
            done = subprocess.run(
                [compiler, "-x", language, "-std=" + standard, "-Wall",
                 "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-",
                 *installed.flags("--cflags")], text=True,
                input="#include <clusterbus/%s>\nextern int one;\n" % header,
                capture_output=True, timeout=60)
            equal((done.returncode, done.stderr), (0, ""),
                  "%s %s" % (compiler, header))


@test
def a_package_is_made_elsewhere_than_it_will_be(installed):
    stage = installed.path("stage")
    make("install", "DESTDIR=" + stage, "PREFIX=/usr")
    with open(os.path.join(stage, "usr/lib/pkgconfig/clusterbus.pc"),
              encoding="utf-8") as file:
        text = file.read()
    equal("prefix=/usr\n" in text and stage not in text, True, text)
    make("uninstall", "DESTDIR=" + stage, "PREFIX=/usr")
    equal(below(stage), [], "what is left")


main(shared=Installed(), limit=280)
