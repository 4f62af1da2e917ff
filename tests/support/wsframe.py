"""WebSocket frames as bytes: encoding for a client, parsing in bulk.

The parser takes what came from the server in whatever pieces and gives back
whole frames; it is made for hundreds of thousands of them, so it walks one
buffer and copies only payloads.  What a server must never send (masked
frames, reserved bits, broken control frames) is an error.
"""
import os
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80


class BadFrame(AssertionError):
    """The server broke RFC 6455."""


def masked(payload, key):
    """The payload XORed with the repeated four bytes of key."""
    size = len(payload)
    if size == 0:
        return b""
    stream = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "little")
            ^ int.from_bytes(stream, "little")).to_bytes(size, "little")


def header(opcode, length, fin=True, rsv=0, mask=True):
    """A frame's first bytes, without the masking key."""
    first = (FIN if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if mask else 0
    if length < 126:
        return struct.pack("!BB", first, bit | length)
    if length < 1 << 16:
        return struct.pack("!BBH", first, bit | 126, length)
    return struct.pack("!BBQ", first, bit | 127, length)


def frame(opcode, payload=b"", fin=True, rsv=0, mask=True):
    """A whole frame as a client sends it; mask=False breaks the rules."""
    if isinstance(payload, str):
        payload = payload.encode()
    head = header(opcode, len(payload), fin, rsv, mask)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + masked(payload, key)


def close_payload(code, reason=""):
    """What a close frame carries."""
    return struct.pack("!H", code) + reason.encode()


class Parser:
    """Bytes in, frames out."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        """Take bytes; return the frames now complete: [(first, payload)].

        first is the first byte: FIN, reserved bits and opcode.
        """
        buffer = self.buffer
        buffer += data
        at, end, found = 0, len(buffer), []
        while end - at >= 2:
            first, length, head = buffer[at], buffer[at + 1], 2
            if length == 126:
                if end - at < 4:
                    break
                length = buffer[at + 2] << 8 | buffer[at + 3]
                head = 4
            elif length == 127:
                if end - at < 10:
                    break
                length = int.from_bytes(buffer[at + 2:at + 10], "big")
                head = 10
            elif length > 127:
                raise BadFrame("the server sent a masked frame")
            if end - at < head + length:
                break
            if first & 0x70 or (first & 8 and (length > 125 or first < FIN)):
                raise BadFrame("the server sent the header %02x %d" % (
                    first, length))
            start = at + head
            at = start + length
            found.append((first, bytes(buffer[start:at])))
        if at:
            del buffer[:at]
        return found
