"""Bytes to the port, bytes back: for requests no client library would send."""
import socket
import time

import wsclient


class Answer:
    """What came back, and how the connection ended."""

    def __init__(self, data, ended, took):
        self.data = data
        self.ended = ended
        self.took = took

    @property
    def status(self):
        """The status of the first answer, or None."""
        words = self.data.split(b" ", 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/"):
            return None
        return int(words[1])

    @property
    def count(self):
        """How many answers there are."""
        return self.data.count(b"HTTP/1.")

    @property
    def body(self):
        """What follows the first head."""
        return self.data.partition(b"\r\n\r\n")[2]

    def header(self, name):
        """A header's value, or None."""
        head = self.data.partition(b"\r\n\r\n")[0].decode("latin-1")
        for line in head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.strip().lower() == name.lower():
                return value.strip()
        return None

    def __repr__(self):
        return "Answer(%r, ended=%s, took=%.2f)" % (
            self.data[:200], self.ended, self.took)


def exchange(address, pieces, deadline=8.0, pause=0.0, half=False):
    """Send the pieces, read until the end or the deadline.

    pause: seconds between pieces; half: shut down our side afterwards.
    """
    began = time.monotonic()
    sock = wsclient.dial(address)
    data, ended = b"", False
    try:
        for piece in pieces:
            try:
                sock.sendall(piece)
            except OSError:
                break
            if pause:
                sock.settimeout(pause)
                try:
                    more = sock.recv(65536)
                    ended = not more
                    data += more
                except socket.timeout:
                    pass
                except OSError:
                    ended = True
                if ended:
                    break
        if half and not ended:
            sock.shutdown(socket.SHUT_WR)
        while not ended:
            left = began + deadline - time.monotonic()
            if left <= 0:
                break
            sock.settimeout(left)
            try:
                more = sock.recv(65536)
            except socket.timeout:
                break
            except OSError:
                more = b""
            ended = not more
            data += more
    finally:
        sock.close()
    return Answer(data, ended, time.monotonic() - began)


def get(address, path, method="GET", headers=()):
    """A plain request."""
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: test"]
    request = "\r\n".join(lines + list(headers) + ["", ""]).encode()
    return exchange(address, [request])
