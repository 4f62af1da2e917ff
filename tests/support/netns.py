"""Two network namespaces with a cable between them, where iproute2 makes them.

What is started inside `with namespace:` lives there, sockets that are made
there too; a Unix socket is reached from everywhere.
"""
import ctypes
import os
import subprocess

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def _ip(*words):
    subprocess.run(["ip"] + list(words), check=True, capture_output=True)


class Namespace:
    """One of them; its address is that of its end of the cable."""

    def __init__(self, name, address):
        self.name = name
        self.address = address
        self.outside = None
        _ip("netns", "add", name)

    def _enter(self, fd):
        if _libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self.outside = os.open("/proc/thread-self/ns/net",
                               os.O_RDONLY | os.O_CLOEXEC)
        inside = os.open("/var/run/netns/" + self.name,
                         os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._enter(inside)
        finally:
            os.close(inside)
        return self

    def __exit__(self, *_):
        self._enter(self.outside)
        os.close(self.outside)

    def ip(self, *words):
        """An ip command inside."""
        _ip("-n", self.name, *words)

    def cable(self, plugged):
        """Plug it in, or pull it out: no packet says that it went."""
        self.ip("link", "set", "cable", "up" if plugged else "down")

    def remove(self):
        """Its end, the cable's too."""
        _ip("netns", "del", self.name)


def two_namespaces():
    """A pair, or None where they cannot be made."""
    made = []
    try:
        for end in (1, 2):
            made.append(Namespace("cbus-%d-%d" % (os.getpid(), end),
                                  "10.77.1.%d" % end))
        _ip("link", "add", "cable", "netns", made[0].name, "type", "veth",
            "peer", "name", "cable", "netns", made[1].name)
        for one in made:
            one.ip("address", "add", one.address + "/24", "dev", "cable")
            one.ip("link", "set", "lo", "up")
            one.cable(True)
            with one:
                pass
    except (OSError, subprocess.CalledProcessError):
        for one in made:
            one.remove()
        return None
    return made
