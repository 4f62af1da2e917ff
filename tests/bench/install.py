"""install.py - gets the peers, into a folder of the build directory.

Nothing is installed on the machine: Debian packages are downloaded and
unpacked, Node packages go into a node_modules of their own.  What is there
already is used.  What cannot be had is left out, and the report says so.
"""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/bin", "/usr/local/bin")
NCHAN_MODULE = "usr/lib/nginx/modules/ngx_nchan_module.so"


def say(text):
    """Progress is for people and goes where errors go."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(words, **more):
    """Run a program quietly; returns whether it succeeded."""
    done = subprocess.run(words, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False, **more)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        say(f"{words[0]} failed: {lines[-1] if lines else done.returncode}")
    return done.returncode == 0


class Installer:
    """Knows where each peer's program is, or that it cannot be had."""

    def __init__(self, folder):
        self.folder = folder
        self.root = os.path.join(folder, "root")
        self.node_folder = os.path.join(folder, "node")
        self.updated = False
        os.makedirs(self.root, exist_ok=True)

    def find(self, name):
        """Path of an installed or unpacked program, or None."""
        for base in SYSTEM_FOLDERS + tuple(
                self.root + one for one in SYSTEM_FOLDERS):
            path = os.path.join(base, name)
            if os.access(path, os.X_OK):
                return path
        return shutil.which(name)

    def unpack(self, *packages):
        """Download Debian packages and unpack them under root."""
        say(f"downloads {', '.join(packages)} into {self.root}")
        download = os.path.join(self.folder, "deb")
        shutil.rmtree(download, ignore_errors=True)
        os.makedirs(download)
        words = ["apt-get", "download", "-q", *packages]
        if not run(words, cwd=download):
            if self.updated:
                return False
            self.updated = True
            update = ["apt-get", "update", "-q"]
            run(update if os.geteuid() == 0 else ["sudo", *update])
            if not run(words, cwd=download):
                return False
        return all(run(["dpkg-deb", "-x", os.path.join(download, one),
                        self.root]) for one in os.listdir(download))

    def nats(self):
        """nats-server, or None."""
        if self.find("nats-server") is None:
            self.unpack("nats-server")
        return self.find("nats-server")

    def redis(self):
        """redis-server, or None; it needs more than its package to run."""
        path = self.find("redis-server")
        if path is None:
            say("no redis-server here: it is left out")
        return path

    def nginx(self):
        """(nginx, its nchan module), or None."""
        for base in ("/", self.root):
            module = os.path.join(base, NCHAN_MODULE)
            nginx = os.path.join(base, "usr/sbin/nginx")
            if os.path.exists(module) and os.access(nginx, os.X_OK):
                return nginx, module
        if not self.unpack("nginx", "nginx-common", "libnginx-mod-nchan"):
            return None
        module = os.path.join(self.root, NCHAN_MODULE)
        nginx = os.path.join(self.root, "usr/sbin/nginx")
        return (nginx, module) if os.path.exists(module) else None

    def uws(self):
        """A program made with uWebSockets, or None.

        There is no package of it, so it takes part when UWS_SERVER names a
        program that does what peers/ws-raw.txt says.
        """
        program = os.environ.get("UWS_SERVER")
        if not program or not os.access(program, os.X_OK):
            say("uWebSockets is left out: UWS_SERVER names no program")
            return None
        return program

    def node(self):
        """(node, folder with the packages), or None."""
        node = shutil.which("node")
        if node is None or shutil.which("npm") is None:
            say("no node and npm here: the peers on Node are left out")
            return None
        stamp = os.path.join(self.node_folder, "installed")
        lock = os.path.join(HERE, "peers", "package-lock.json")
        if not (os.path.exists(stamp) and
                os.path.getmtime(stamp) >= os.path.getmtime(lock)):
            say(f"runs npm ci in {self.node_folder}")
            os.makedirs(self.node_folder, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(os.path.join(HERE, "peers", name),
                            self.node_folder)
            if not run(["npm", "ci", "--no-audit", "--no-fund"],
                       cwd=self.node_folder):
                return None
            with open(stamp, "w", encoding="ascii"):
                pass
        return node, self.node_folder
