"""Applications and programs in C, compiled against the public headers.

They are made from the working tree, with the compiler and the sanitizers that
the bus under test was built with.
"""
import atexit
import os
import shutil
import subprocess
import tempfile

from binary import BUSCTL, ROOT, SANITIZED
from check import Failed

BUILD = os.path.dirname(os.path.realpath(BUSCTL)) if (
    os.environ.get("BUSCTL")) else os.path.join(ROOT, "build", "release")

_dir = None


def _output(name):
    global _dir
    if _dir is None:
        _dir = tempfile.mkdtemp(prefix="cbus-app-")
        atexit.register(shutil.rmtree, _dir, True)
    return os.path.join(_dir, name)


def _compile(words):
    flags = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-g",
             "-I" + os.path.join(ROOT, "include")]
    if SANITIZED:
        flags += ["-fsanitize=address,undefined"]
    done = subprocess.run(["gcc"] + flags + words, capture_output=True,
                          text=True, timeout=120)
    if done.returncode != 0:
        raise Failed("gcc: " + done.stderr)


def compile_app(source, *more):
    """An application for --app: the path of its shared object."""
    path = _output(os.path.basename(source)[:-2] + ".so")
    _compile(["-fPIC", "-shared", "-o", path, source] + list(more))
    return path


def compile_program(source, *more):
    """A program that links libclusterbus: its path."""
    path = _output(os.path.basename(source)[:-2])
    _compile(["-o", path, source] + list(more) + [
        "-L" + BUILD, "-lclusterbus", "-Wl,-rpath," + BUILD])
    return path
