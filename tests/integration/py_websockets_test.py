#!/usr/bin/python3
"""Python's websockets, a client that nobody here wrote.

Everything is as the library does it by itself: it offers compression (which
the bus does not take up), sends an iterable as fragments, answers pings.
"""
import asyncio
import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from bus import Bus
from check import Failed, equal, main, skip_all, test

try:
    import websockets
except ImportError:
    skip_all("the websockets library is not installed")

BINARY = "clusterbus.v1.bin"


class Client:
    """A connection and its welcome."""

    def __init__(self, socket, welcome):
        self.socket = socket
        self.welcome = welcome

    @classmethod
    async def open(cls, bus, protocol="clusterbus.v1"):
        socket = await websockets.connect(
            bus.url, subprotocols=[protocol], max_size=4 << 20)
        return cls(socket, json.loads(await socket.recv()))

    async def next(self):
        """The next frame: a dict, or bytes."""
        frame = await asyncio.wait_for(self.socket.recv(), 10)
        return frame if isinstance(frame, bytes) else json.loads(frame)

    async def until(self, op):
        """The next message of this kind."""
        while True:
            message = await self.next()
            if not isinstance(message, bytes) and message["op"] == op:
                return message

    async def ask(self, **message):
        """Send a message and wait for its answer."""
        await self.socket.send(json.dumps(message))
        return await self.until("ok")


async def open_two(bus):
    """Two clients on different workers."""
    first = await Client.open(bus)
    for _ in range(50):
        second = await Client.open(bus)
        if second.welcome["node"] != first.welcome["node"]:
            return first, second
        await second.socket.close()
    raise Failed("all connections are on one worker")


@test
def websockets_gets_a_welcome_and_the_subprotocol(bus):
    async def run():
        client = await Client.open(bus)
        equal(client.welcome["op"], "welcome")
        equal(client.socket.subprotocol, "clusterbus.v1")
        equal(client.socket.extensions, [], "extensions")
        await client.socket.close()
    asyncio.run(run())


@test
def websockets_subscribes_and_gets_what_another_worker_publishes(bus):
    async def run():
        reader, writer = await open_two(bus)
        equal(await reader.ask(op="sub", topic="a", id=1),
              {"op": "ok", "id": 1})
        await writer.ask(op="pub", topic="a", data={"x": "é"}, id="mine")
        message = await reader.next()
        equal(message["data"], {"x": "é"})
        equal(message["from"], writer.welcome["node"])
        await reader.ask(op="unsub", topic="a", id=2)
        await writer.ask(op="pub", topic="a", data=2, id=3)
        equal(await reader.ask(op="ping", id=4), {"op": "ok", "id": 4})
        await reader.socket.close()
        await writer.socket.close()
    asyncio.run(run())


@test
def websockets_is_answered_a_ping(bus):
    async def run():
        client = await Client.open(bus)
        for payload in (b"abc", b"", b"x" * 125):
            await asyncio.wait_for(await client.socket.ping(payload), 10)
        await client.socket.close()
    asyncio.run(run())


@test
def websockets_sends_fragments(bus):
    async def run():
        client = await Client.open(bus)
        data = "ä€" * 5000
        text = '{"op":"pub","topic":"f","data":"%s","id":2}' % data
        await client.ask(op="sub", topic="f", id=1)
        await client.socket.send(
            text[i:i + 777] for i in range(0, len(text), 777))
        got = [await client.next(), await client.next()]
        equal(sorted(m["op"] for m in got), ["msg", "ok"])
        equal([m["data"] for m in got if m["op"] == "msg"], [data])
        await client.socket.close()
    asyncio.run(run())


@test
def websockets_sends_and_gets_binary(bus):
    async def run():
        plain = await Client.open(bus)
        binary = await Client.open(bus, BINARY)
        payload = bytes(range(256))
        equal(binary.socket.subprotocol, BINARY)
        await plain.ask(op="sub", topic="b", id=1)
        await binary.ask(op="sub", topic="b", id=1)
        await plain.socket.send(bytes([1, 1]) + b"b" + payload)
        equal(await binary.next(), bytes([2, 1]) + b"b" + payload)
        message = await plain.until("msg")
        equal(message["binary"], True)
        equal(base64.b64decode(message["data"]), payload)
        await plain.socket.close()
        await binary.socket.close()
    asyncio.run(run())


@test
def websockets_closes_and_gets_the_close_back(bus):
    async def run():
        client = await Client.open(bus)
        await client.socket.close(1000, "bye")
        equal(client.socket.close_code, 1000)
    asyncio.run(run())


@test
def websockets_is_told_1009_when_a_message_is_too_large(bus):
    async def run():
        client = await Client.open(bus)
        try:
            await client.socket.send("x" * (3 << 20))
            await client.next()
        except websockets.ConnectionClosed:
            pass
        await client.socket.wait_closed()
        equal(client.socket.close_code, 1009)
    asyncio.run(run())


main(shared=Bus(2))
