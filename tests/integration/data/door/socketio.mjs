// Two socket.io servers that hear of each other through the door.
import { createServer } from "node:http";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { assert, inbox, run, until } from "./check.mjs";

const path = process.argv[2];

async function start(adapter) {
	const http = createServer();
	const io = new Server(http, { adapter, transports: ["websocket"] });

	io.on("connection", (socket) => {
		socket.on("join", async (room, done) => {
			await socket.join(room);
			done();
		});
		socket.on("say", (text) => socket.broadcast.emit("said", text));
	});
	await new Promise((done) => http.listen(0, "127.0.0.1", done));
	const client = connect(`http://127.0.0.1:${http.address().port}`,
		{ transports: ["websocket"] });
	await new Promise((done) => client.on("connect", done));
	const got = inbox();
	client.onAny((event, ...data) => got.push([event, ...data]));
	return { io, client, got };
}

async function talk(make) {
	const [a, b] = [await start(await make()), await start(await make())];

	// Adapters subscribe on their own, and tell nobody when it is done.
	for (const { io } of [a, b])
		await until(async () => (await io.fetchSockets().catch(
			() => [])).length === 2, "each knows of the other");
	a.client.emit("say", "hello");
	await b.got.reach(1);
	b.io.emit("all", { n: 1 }, Buffer.from([0, 255]));
	await a.got.reach(1);
	await b.got.reach(2);
	await new Promise((done) => b.client.emit("join", "room", done));
	await until(() => {
		a.io.to("room").emit("inside", 2);
		return b.got.length > 2;
	}, "a message for the room");
	assert.deepEqual(a.got, [["all", { n: 1 }, Buffer.from([0, 255])]]);
	assert.deepEqual(b.got.slice(0, 3), [["said", "hello"],
		["all", { n: 1 }, Buffer.from([0, 255])], ["inside", 2]]);
	// A request to all servers: PUBSUB NUMSUB, and the others' answers.
	const found = await a.io.fetchSockets();
	assert.deepEqual(found.map((s) => s.id).sort(),
		[a.client.id, b.client.id].sort());
	b.io.on("ping-all", (n, answer) => answer(n + 1));
	const answers = await a.io.serverSideEmitWithAck("ping-all", 41);
	assert.deepEqual(answers, [42]);
	for (const one of [a, b]) {
		one.client.close();
		await one.io.close();
	}
}

const client = () => createClient({ socket: { path } }).connect();

run(async () => {
	await talk(async () => createAdapter(
		new Redis({ path }), new Redis({ path })));
	await talk(async () => createAdapter(await client(), await client()));
	await talk(async () =>
		createShardedAdapter(await client(), await client()));
});
