#!/usr/bin/python3
"""The npm package of bus.js: packed, installed, and used in all the ways.

The tarball of `npm pack` is installed into an empty project, which then talks
to a running bus: by require and by import, with the "ws" package and with the
WebSocket that Node itself has. tsc checks the same programs with the types that
the package brings.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
WEB = os.path.join(ROOT, "worker", "web")
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from bus import Bus
from check import equal, main, say, skip_all, test

MODULES = os.path.join(HERE, "node_modules")
TSC = os.path.join(MODULES, "typescript", "bin", "tsc")
EXPECTED = [['{"text":"hello"}', "null", "bytes 1,2,255"], True, "BAD_REQUEST",
            "closed"]

def run(words, folder, **more):
    done = subprocess.run(words, cwd=folder, timeout=100, text=True,
                          capture_output=True, **more)
    equal(done.returncode, 0, "%s: %s%s" % (" ".join(words), done.stdout,
                                            done.stderr))
    return done.stdout


def npm(folder, *words):
    env = dict(os.environ, npm_config_offline="true", npm_config_audit="false",
               npm_config_fund="false", npm_config_update_notifier="false",
               npm_config_cache=os.path.join(folder, "cache"))
    return run(["npm", *words], folder, env=env)


class Project:
    """A bus, and an empty project with the package installed."""

    def __enter__(self):
        self.bus = Bus(2)
        self.bus.__enter__()
        self.folder = tempfile.mkdtemp()
        try:
            npm(self.folder, "pack", os.path.abspath(WEB))
            self.tarball, = glob.glob(os.path.join(self.folder, "*.tgz"))
            self.write("package.json", '{"private":true}')
            npm(self.folder, "install", "--ignore-scripts", self.tarball)
            for name in "ws", "typescript":
                os.symlink(os.path.join(MODULES, name), os.path.join(
                    self.folder, "node_modules", name))
            with open(os.path.join(HERE, "data", "npm", "use.js"),
                      encoding="utf-8") as file:
                self.body = file.read()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, *what):
        shutil.rmtree(self.folder)
        self.bus.__exit__(*what)

    def show_log(self):
        self.bus.show_log()

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w",
                  encoding="utf-8") as file:
            file.write(text)

    def use(self, name, *lines):
        """A program of these lines and what they are for."""
        self.write(name, "\n".join(lines) + "\n" + self.body)

    def node(self, name, *flags):
        return json.loads(run(["node", *flags, name, self.bus.url],
                              self.folder))


@test
def the_package_is_of_the_version_of_the_bus(project):
    with open(os.path.join(WEB, "package.json"), encoding="utf-8") as file:
        package = json.load(file)
    with open(os.path.join(ROOT, "include", "clusterbus", "version.h"),
              encoding="utf-8") as file:
        version = re.search(r'VERSION "(.*)"', file.read())[1]
    equal((package["name"], package["version"]), ("clusterbus", version))


@test
def the_tarball_has_the_library_its_types_and_manual_and_nothing_else(project):
    with tarfile.open(project.tarball) as tar:
        names = sorted(name.partition("/")[2] for name in tar.getnames())
    equal(names, ["README.md", "bus.d.mts", "bus.d.ts", "bus.js", "bus.mjs",
                  "package.json"])


@test
def it_works_by_require(project):
    project.use("use.cjs", 'const { connect, BusError } ='
                ' require("clusterbus");', 'const WebSocket = require("ws");')
    equal(project.node("use.cjs"), EXPECTED)


@test
def it_works_by_import(project):
    project.use("use.mjs", 'import { connect, BusError } from "clusterbus";',
                'import WebSocket from "ws";')
    equal(project.node("use.mjs"), EXPECTED)


@test
def it_works_with_the_websocket_that_node_has(project):
    flag = "--experimental-websocket"
    if subprocess.run(["node", flag, "-e", "new WebSocket('ws://[::1]:1')"],
                      capture_output=True, timeout=100).returncode == 9:
        say("not tested: this node has no WebSocket")
        return
    project.use("own.mjs", 'import { connect, BusError } from "clusterbus";')
    equal(project.node("own.mjs", flag), EXPECTED)


@test
def tsc_finds_the_types_for_import_and_for_require(project):
    project.write("ambient.d.ts", """
declare const process: { argv: string[] };
declare module "ws" { const other: typeof WebSocket; export = other; }
declare function require(name: string): any;
""")
    project.write("wrong.cjs", 'require("clusterbus").connect(1);\n')
    project.write("wrong.mjs", 'import bus from "clusterbus";\nbus;\n')
    done = subprocess.run(
        ["node", TSC, "--strict", "--noEmit", "--allowJs", "--checkJs",
         "--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext",
         "use.mjs", "own.mjs", "use.cjs", "wrong.cjs", "wrong.mjs",
         "ambient.d.ts"], cwd=project.folder, timeout=100, text=True,
        capture_output=True)
    equal(re.findall(r"^(\S+)\(.*(TS\d+)", done.stdout, re.M),
          [("wrong.cjs", "TS2345"), ("wrong.mjs", "TS1192")], done.stdout)


@test
def the_types_have_what_the_library_has_and_nothing_else(project):
    project.write("has.cjs", """
const { connect, ...others } = require("clusterbus");
class Silent { send() {} close() {} }
const client = connect("ws://x", { WebSocket: Silent, heartbeat: 0 });
const names = [...Object.keys(client),
    ...Object.getOwnPropertyNames(Object.getPrototypeOf(client))];
client.close();
console.log(JSON.stringify([Object.keys(others).sort(),
    names.filter((name) => !/^_|^constructor$/.test(name)).sort()]));
""")
    exports, members = json.loads(run(["node", "has.cjs"], project.folder))
    with open(os.path.join(WEB, "bus.d.ts"), encoding="utf-8") as file:
        types = file.read()
    body = re.search(r"^export class Client.*?^}", types, re.S | re.M)[0]
    equal(sorted(set(re.findall(
        r"^\t(?:readonly )?(?!private)(\w+)(?:<.*)?[(:]", body, re.M))),
        members)
    equal(sorted(re.findall(r"^export class (\w+)", types, re.M)), exports)


if shutil.which("npm") is None or not os.path.exists(TSC):
    skip_all("there is no npm or no tsc (tests/deps.sh test)")
main(shared=Project(), limit=90)
