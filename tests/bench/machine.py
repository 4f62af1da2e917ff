"""machine.py - describes the machine and the versions of what was compared."""

import os
import re
import subprocess


def first_line(words):
    """The first line a program prints, or "?"."""
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    except OSError:
        return "?"
    lines = done.stdout.decode(errors="replace").splitlines()
    return lines[0].strip() if lines else "?"


def cpu_model():
    """As the kernel names it."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "?"


def memory_gb():
    """All of it."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return pages / 1e9


def distribution():
    """The system's name."""
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r'^PRETTY_NAME="?([^"\n]+)', file.read(), re.M)
    return found.group(1) if found else "?"


def package(name):
    """The version of a Debian package."""
    return first_line(["dpkg-query", "-W", "-f", "${Version}", name])


def version(words):
    """The first number with dots in what a program says about itself."""
    found = re.search(r"\d+(\.\d+)+", first_line(words))
    return found.group(0) if found else "?"


def describe(peers, load):
    """Rows (what, value) about machine and versions."""
    rows = [
        ("processor", f"{cpu_model()}, {os.cpu_count()} CPUs"),
        ("memory", f"{memory_gb():.0f} GB"),
        ("kernel", os.uname().release),
        ("system", distribution()),
        ("load before the run",
         "not recorded" if load is None else f"{load:.1f}"),
        ("libwebsockets", package("libwebsockets17")),
        ("libev", package("libev4")),
    ]
    if "clusterbus" in peers:
        rows.append(("clusterbus",
                     version([peers["clusterbus"][1], "version"])))
    if "nats" in peers:
        rows.append(("nats-server", version([peers["nats"][1], "-v"])))
    if "nchan" in peers:
        rows.append(("nginx", version([peers["nchan"][1][0], "-v"]) +
                     " with Debian's libnginx-mod-nchan"))
    if "redis" in peers:
        rows.append(("redis", version([peers["redis"][1], "--version"])))
    if "uws" in peers:
        rows.append(("uWebSockets", "the program that UWS_SERVER names"))
    if "crossws" in peers:
        node, folder = peers["crossws"][1]
        rows.append(("node", version([node, "--version"])))
        for name in ("crossws", "socket.io", "@socket.io/cluster-adapter",
                     "ws", "ioredis"):
            path = os.path.join(folder, "node_modules", name, "package.json")
            with open(path, encoding="utf-8") as file:
                found = re.search(r'"version":\s*"([^"]+)"', file.read())
            rows.append((name, found.group(1) if found else "?"))
    return rows
