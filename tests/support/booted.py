"""A real systemd as process 1, in namespaces of its own, over a copy-on-write
view of this machine's files: what a unit file says is done by the program that
reads it in production.

The network is this machine's, so that a test's clients connect as always.
Nothing of this machine's own units is started and nothing that is written
there stays.  Needs root and a mounted cgroup2.
"""
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time

import proc
from binary import BUSCTL, PATIENCE, ROOT
from check import Failed, skip_all, wait_until

SYSTEMD = "/lib/systemd/systemd"
UNITS = ["basic.target", "multi-user.target", "network-online.target",
         "shutdown.target", "sockets.target", "sysinit.target",
         "systemd-journald.service", "systemd-journald.socket"]

# What a container manager does for the system that it boots.  $1: a folder,
# $2: the control group.
BOOT = r"""
set -e
echo $$ >"$2/cgroup.procs"
exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc \
	sh -ec '
root=$1/root
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$root" "$1/upper" "$1/work"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" \
	overlay "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
	: >"$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
rm -rf "$root"/etc/systemd/system/* "$root/etc/fstab"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
mkdir "$root/run/units"
for unit in $2; do cp "/lib/systemd/system/$unit" "$root/run/units/"; done
exec env -i container=other PATH="$PATH" LANG=C.UTF-8 \
	SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units \
	chroot "$root" "$0" --unit=basic.target --log-target=console \
	--show-status=no
' "$0" "$1" "$3"
"""


def cgroup2():
    """Where the one hierarchy of control groups is mounted, or None."""
    with open("/proc/mounts") as file:
        for line in file:
            _, where, kind = line.split()[:3]
            if kind == "cgroup2":
                return where
    return None


class Machine:
    """Booted at its entry; gone with all its processes at its exit."""

    def __init__(self):
        if os.getuid() != 0:
            skip_all("only root can boot a systemd in namespaces")
        if not os.path.exists(SYSTEMD) or not cgroup2():
            skip_all("no %s or no cgroup2 here" % SYSTEMD)
        self.dir = tempfile.mkdtemp(prefix="cbus-booted-")
        self.group = os.path.join(cgroup2(), os.path.basename(self.dir))
        self.console = os.path.join(self.dir + ".log")

    def __enter__(self):
        os.mkdir(self.group)
        with open(self.console, "wb") as log:
            self.outer = subprocess.Popen(
                ["sh", "-c", BOOT, SYSTEMD, self.dir, self.group,
                 " ".join(UNITS)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)
        try:
            wait_until(self._booted, 20, "systemd has booted")
            self._install()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.outer.send_signal(signal.SIGKILL)  # and so PID 1, and so all
        self.outer.wait()
        try:
            wait_until(self._remove_groups, 10, "its processes have ended")
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
            os.unlink(self.console)

    def _remove_groups(self):
        for folder, _, _ in os.walk(self.group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True

    def _booted(self):
        if self.outer.poll() is not None:
            with open(self.console, errors="replace") as file:
                raise Failed("no systemd: " + file.read()[-2000:])
        path = "/proc/%d/task/%d/children" % (self.outer.pid, self.outer.pid)
        with open(path) as file:
            children = file.read().split()
        if not children:
            return False
        self.init = int(children[0])
        return (proc.command(self.init).startswith(SYSTEMD)
                and self.run("systemctl", "is-active", "basic.target",
                             check=False).returncode == 0)

    def _install(self):
        """What `make install` does, as far as the units need it."""
        shutil.copy2(BUSCTL, self.path("/usr/local/bin/clusterbus"))
        for name in os.listdir(os.path.join(ROOT, "examples", "deploy")):
            if name.startswith("clusterbus"):
                shutil.copy2(os.path.join(ROOT, "examples", "deploy", name),
                             self.path("/etc/systemd/system/"))
        self.systemctl("daemon-reload")
        self.systemctl("start", "systemd-journald.service")

    def path(self, inside):
        """The name from outside of a file of that machine."""
        return "/proc/%d/root%s" % (self.init, inside)

    def write(self, inside, text):
        """Make a file, and the folders above it."""
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        with open(self.path(inside), "w") as file:
            file.write(text)

    def drop_in(self, unit, *lines):
        """What `systemctl edit` would: lines for [Service]."""
        self.write("/etc/systemd/system/%s.d/test.conf" % unit,
                   "[Service]\n" + "\n".join(lines) + "\n")
        self.systemctl("daemon-reload")

    def enter(self, *words):
        """The words that run a command there."""
        return ["nsenter", "--target", str(self.init), "--mount", "--pid",
                "--cgroup", "--uts", "--ipc", "--root", "--wd=/"] + list(words)

    def between_tests(self):
        """No unit of clusterbus runs, has failed, or has a drop-in."""
        self.run("systemctl", "stop", "clusterbus*", check=False)
        self.run("systemctl", "reset-failed", "clusterbus*", check=False)
        for folder in glob.glob(self.path("/etc/systemd/system/*.d")):
            shutil.rmtree(folder)
        self.systemctl("daemon-reload")

    def popen(self, *words):
        """A command there that runs beside the test."""
        return subprocess.Popen(self.enter(*words), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.STDOUT)

    def run(self, *words, check=True):
        """Run a command there, to its end."""
        done = subprocess.run(self.enter(*words), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True,
                              timeout=60 * PATIENCE)
        if check and done.returncode != 0:
            raise Failed("%r: status %d: %s%s" % (
                words, done.returncode, done.stdout, done.stderr))
        return done

    def systemctl(self, *words, check=True):
        """systemctl, and what it said."""
        return self.run("systemctl", *words, check=check).stdout

    def show(self, unit, name):
        """One property of a unit."""
        return self.systemctl("show", "--value", "-p", name, unit).strip()

    def journal(self, unit):
        """What a unit has logged."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u",
                        unit).stdout

    def main_pid(self, unit):
        """Its main process as this side counts them; 0: none."""
        inside = int(self.show(unit, "MainPID"))
        if not inside:
            return 0
        return next((pid for pid in self.pids()
                     if proc.inner_pid(pid) == inside), 0)

    def pids(self):
        """All its processes, as this side counts them."""
        space = os.readlink("/proc/%d/ns/pid" % self.init)
        found = []
        for entry in os.listdir("/proc"):
            try:
                if (entry.isdigit()
                        and os.readlink("/proc/%s/ns/pid" % entry) == space):
                    found.append(int(entry))
            except OSError:
                pass  # it has ended
        return found
