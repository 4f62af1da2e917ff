"""Ports for servers that cannot be told to take any."""
import random
import socket

from check import Failed

# Below those that the kernel gives to whoever connects: one of these could be
# taken by a client between our look and the server's start.
FIRST, LAST = 10000, 32000


def free_port():
    """A port of 127.0.0.1 that nobody has now."""
    chance = random.SystemRandom()  # the seed is the tests'
    for _ in range(1000):
        port = chance.randrange(FIRST, LAST)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise Failed("no port is free")
