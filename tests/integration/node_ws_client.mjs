/*
 * node_ws_client.mjs - the "ws" package against a running bus.
 *
 * usage: node node_ws_client.mjs URL
 *
 * Started by node_ws_test.py. Nothing in the package was written for this
 * protocol: what it sends and accepts is what any WebSocket client does. The
 * last tests let our own library run on top of it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import WebSocket from "ws";

const { connect } = createRequire(import.meta.url)("../../worker/web/bus.js");
const url = process.argv[2];
const DEADLINE_MS = 15000 * Number(process.env.PATIENCE ?? 1);
let failed = 0;

async function test(sentence, run) {
	let timer;
	const late = new Promise((resolve, reject) => {
		timer = setTimeout(() => reject(new Error("took too long")), DEADLINE_MS);
	});

	try {
		await Promise.race([run(), late]);
		console.log(`ok - ${sentence}`);
	} catch (error) {
		failed++;
		console.log(`not ok - ${sentence}`);
		console.log(String(error.stack).replace(/^/gm, "# "));
	}
	clearTimeout(timer);
}

/* A connection: next() is the next frame, parsed when it is text. */
async function open(protocol = "clusterbus.v1") {
	const socket = new WebSocket(url, protocol);
	const frames = [], waiting = [];

	socket.on("message", (data, isBinary) => {
		const frame = isBinary ? data : JSON.parse(data.toString());

		frame.text = isBinary ? null : data.toString();
		if (waiting.length > 0)
			waiting.shift().resolve(frame);
		else
			frames.push(frame);
	});
	socket.on("close", (code) => waiting.splice(0).forEach((who) =>
		who.reject(new Error(`closed with ${code}`))));
	socket.next = () => frames.length > 0 ? Promise.resolve(frames.shift()) :
		new Promise((resolve, reject) => waiting.push({ resolve, reject }));
	socket.ask = (message) => {
		socket.send(JSON.stringify(message));
		return socket.next();
	};
	await once(socket, "open");
	socket.welcome = await socket.next();
	return socket;
}

async function close(...sockets) {
	for (const socket of sockets) {
		socket.close();
		await once(socket, "close");
	}
}

/* Two of them, on different workers when the kernel lets us. */
async function openTwo() {
	const first = await open();

	for (let i = 0; i < 50; i++) {
		const second = await open();

		if (second.welcome.node !== first.welcome.node)
			return [first, second];
		await close(second);
	}
	throw new Error("all connections are on one worker");
}

await test("ws gets a welcome and the subprotocol", async () => {
	const socket = await open();

	assert.equal(socket.protocol, "clusterbus.v1");
	assert.equal(socket.extensions, "");
	assert.equal(socket.welcome.op, "welcome");
	assert.match(socket.welcome.node, /^[0-9a-f]{8}-\d+-\d+$/);
	assert.ok(socket.welcome.conn.startsWith(socket.welcome.node + "-"));
	await close(socket);
});

await test("ws subscribes and gets what ws on another worker publishes", async () => {
	const [reader, writer] = await openTwo();
	const data = '{"n":12345678901234567890, "e":1e400,"u":"\\u00e9"}';

	assert.deepEqual(await reader.ask({ op: "sub", topic: "a", id: 1 }), { op: "ok", id: 1,
	    text: '{"op":"ok","id":1}' });
	writer.send(`{"op":"pub","topic":"a","data":${data},"id":"x"}`);
	assert.equal((await writer.next()).id, "x");
	const message = await reader.next();

	assert.equal(message.from, writer.welcome.node);
	assert.ok(message.text.includes(`"data":${data},`), message.text);
	await close(reader, writer);
});

await test("ws is answered a ping, and answers one of the protocol", async () => {
	const socket = await open();

	socket.ping("abc");
	assert.equal(String((await once(socket, "pong"))[0]), "abc");
	assert.equal((await socket.ask({ op: "ping", id: 9 })).id, 9);
	await close(socket);
});

await test("ws sends a message in fragments, with a ping between them", async () => {
	const socket = await open();
	const text = JSON.stringify({ op: "pub", topic: "f", data: "ä".repeat(3000), id: 2 });
	const bytes = Buffer.from(text);

	await socket.ask({ op: "sub", topic: "f", id: 1 });
	for (let i = 0; i < bytes.length; i += 999) {
		const part = bytes.subarray(i, i + 999);

		socket.send(part, { fin: i + 999 >= bytes.length, binary: false });
		if (i === 999)
			socket.ping();
	}
	const got = [await socket.next(), await socket.next()];

	assert.equal(got.find((m) => m.op === "msg").data, "ä".repeat(3000));
	assert.equal(got.find((m) => m.op === "ok").id, 2);
	await close(socket);
});

await test("ws publishes binary and both kinds of subscriber get it", async () => {
	const [json, binary] = [await open(), await open("clusterbus.v1.bin")];
	const payload = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

	assert.equal(binary.protocol, "clusterbus.v1.bin");
	await json.ask({ op: "sub", topic: "b", id: 1 });
	await binary.ask({ op: "sub", topic: "b", id: 1 });
	json.send(Buffer.concat([Buffer.from([1, 1]), Buffer.from("b"), payload]));
	const frame = await binary.next();
	const message = await json.next();

	assert.deepEqual([...frame], [2, 1, 98, ...payload]);
	assert.equal(message.binary, true);
	assert.deepEqual(Buffer.from(message.data, "base64"), payload);
	await close(json, binary);
});

await test("ws sends and gets a large message", async () => {
	const socket = await open();
	const data = "x".repeat(900 * 1024);

	await socket.ask({ op: "sub", topic: "large", id: 1 });
	socket.send(JSON.stringify({ op: "pub", topic: "large", data }));
	for (;;) {
		const message = await socket.next();

		if (message.op === "msg") {
			assert.equal(message.data, data);
			break;
		}
	}
	await close(socket);
});

await test("ws closes and gets the close back", async () => {
	const socket = await open();

	socket.close(1000, "bye");
	assert.equal((await once(socket, "close"))[0], 1000);
});

await test("ws is told 1009 when a message is too large", async () => {
	const socket = await open();

	socket.on("error", () => {}); /* the rest of the message finds no reader */
	socket.send("x".repeat(3 << 20));
	assert.equal((await once(socket, "close"))[0], 1009);
});

await test("our library runs on ws: subscribe, publish, refuse, ping", async () => {
	const errors = [], got = [];
	const client = connect(url, { WebSocket, onerror: (error) => errors.push(error.code) });
	const off = client.subscribe("lib", (data, info) => got.push([data, info.binary]));

	await off.ready;
	await client.publish("lib", { x: 1 });
	await client.publish("lib", { x: 2 }, { echo: false });
	await client.publish("lib", Uint8Array.of(1, 2));
	assert.ok(await client.ping() < DEADLINE_MS);
	await assert.rejects(client.publish("", 1), { code: "BAD_REQUEST" });
	assert.deepEqual(got.map(([data]) => data instanceof Uint8Array ? [...data] : data),
	    [{ x: 1 }, [1, 2]]);
	assert.deepEqual(errors, []);
	client.close();
	assert.equal(client.state, "closed");
});

process.exitCode = failed ? 1 : 0;
