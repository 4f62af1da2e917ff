"""What /proc says about processes: who is alive, how busy, how large."""
import os
import time

from check import wait_until


def stat_fields(pid):
    """The fields of /proc/PID/stat after the name, or None."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def alive(pid):
    """Is there such a process, and is it no zombie?"""
    fields = stat_fields(pid)
    return fields is not None and fields[0] not in (b"Z", b"X")


def stopped(pid):
    """Has it been halted by SIGSTOP?"""
    fields = stat_fields(pid)
    return fields is not None and fields[0] == b"T"


def cpu_seconds(pid):
    """User and system time it has used."""
    fields = stat_fields(pid)
    if fields is None:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_during(pid, seconds):
    """CPU time it uses while we look on for so many seconds."""
    before = cpu_seconds(pid)
    time.sleep(seconds)
    return cpu_seconds(pid) - before


def calm(pids, what=""):
    """Wait until each uses next to no CPU time; what spins never gets there."""
    wait_until(lambda: all(cpu_during(pid, 0.2) <= 0.1 for pid in pids), 5,
               "no CPU time is used: " + what)


def fd_count(pid):
    """How many descriptors it has open."""
    return len(os.listdir("/proc/%d/fd" % pid))


def fd_names(pid):
    """What its descriptors lead to, for messages."""
    names = []
    for entry in os.listdir("/proc/%d/fd" % pid):
        try:
            names.append(os.readlink("/proc/%d/fd/%s" % (pid, entry)))
        except FileNotFoundError:
            pass
    return sorted(names)


def memory_kb(pid):
    """Memory of its own in kB: private pages, no shared ones."""
    total = 0
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1])
    return total


def within(folder):
    """Pids of live processes whose working directory it is."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if (entry.isdigit()
                    and os.readlink("/proc/%s/cwd" % entry)
                    == os.path.realpath(folder)):
                found.append(int(entry))
        except OSError:
            pass  # it has ended, or is not ours
    return found


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def marked(mark):
    """Pids of live processes with this text in environment or command."""
    found = []
    needle = mark.encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        pid = int(entry)
        if (needle in _read("/proc/%d/cmdline" % pid)
                or needle in _read("/proc/%d/environ" % pid)):
            if alive(pid):
                found.append(pid)
    return found


def command(pid):
    """Its command line, for messages."""
    line = _read("/proc/%d/cmdline" % pid)
    return line.replace(b"\0", b" ").decode(errors="replace").strip()


def inner_pid(pid):
    """What its own pid namespace calls it; None: it has ended."""
    for line in _read("/proc/%d/status" % pid).split(b"\n"):
        if line.startswith(b"NSpid:"):
            return int(line.split()[-1])
    return None
