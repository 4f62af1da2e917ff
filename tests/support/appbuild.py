"""Compile applications and worker programs for a test.

As application.py does it, for what needs more: other compilers, C++, names of
its own for what comes out, flags from pkg-config.
"""
import os
import subprocess

from binary import BUSCTL, ROOT, SANITIZED
from check import Failed

INCLUDE = os.path.join(ROOT, "include")
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all",
            "-fno-omit-frame-pointer"]


def build_folder():
    """Where busctl and the libraries were built."""
    return os.path.dirname(os.path.abspath(BUSCTL))


def pkg_config(*words, path=None):
    env = dict(os.environ)
    if path is not None:
        env["PKG_CONFIG_PATH"] = path
    done = subprocess.run(["pkg-config", *words], text=True, env=env,
                          capture_output=True, timeout=20)
    if done.returncode != 0:
        raise Failed("pkg-config: " + done.stderr)
    return done.stdout.split()


def compile_c(source, target, *flags, compiler="gcc"):
    """Compile; any warning is a failure."""
    done = subprocess.run(
        [compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-fPIC",
         *(SANITIZE if SANITIZED else []), "-o", target, source, *flags],
        text=True, capture_output=True, timeout=100)
    if done.returncode != 0 or done.stderr:
        raise Failed("%s: %s" % (compiler, done.stderr))
    return target


def compile_app(source, target, *flags, compiler="gcc"):
    """A shared object for --app."""
    return compile_c(source, target, "-shared", "-I", INCLUDE, *flags,
                     compiler=compiler)
