/*
 * bus_js_reconnect.test.mjs - the client library when connections go.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last, online, reconnect, sockets, start, startOpen, tick, turn, waitAfter }
	from "../support/fake_socket.mjs";

test("the wait doubles from 500 ms to 30 s and is random", () => {
	const client = start();
	const waits = [];

	for (let i = 0; i < 9; i++) {
		waits.push(waitAfter(client));
		reconnect(client);
	}
	assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
	Math.random = () => 0;
	assert.equal(waitAfter(client), 0);
});

test("failures are forgotten once a connection was stable", () => {
	const client = start();

	assert.equal(waitAfter(client), 250);
	reconnect(client);
	last().welcome();
	tick(4999);
	assert.equal(waitAfter(client), 500, "too short");
	reconnect(client);
	last().welcome();
	tick(5000);
	assert.equal(waitAfter(client), 250);
});

test("a worker that closes down says when to come back", () => {
	const client = startOpen();

	assert.equal(waitAfter(client, 1001, '{"retry_in":1234}'), 1234);
	reconnect(client);
	for (const [i, bad] of ["", "{", '{"retry_in":-5}', '{"retry_in":"x"}', "null",
	    '{"retry_in":99999999999}'].entries()) {
		assert.equal(waitAfter(client, 1001, bad), Math.min(15000, 250 * 2 ** i), bad);
		reconnect(client);
	}
	assert.equal(waitAfter(client, 1000, '{"retry_in":1}'), 15000, "only with 1001");
});

test("the time that a worker asks for is kept, whatever chance says", () => {
	const client = startOpen();

	for (const random of [0, 0.1, 0.9]) {
		Math.random = () => random;
		assert.equal(waitAfter(client, 1001, '{"retry_in":2345}'), 2345);
		tick(2344);
		assert.equal(client.state, "waiting");
		tick(1);
		assert.equal(client.state, "connecting");
		last().welcome();
	}
	assert.equal(waitAfter(client, 1001, '{"retry_in":0}'), 0);
});

test("to be asked to go is no failure, what follows is", () => {
	const client = startOpen();

	for (let i = 0; i < 5; i++) {
		assert.equal(waitAfter(client, 1001, '{"retry_in":700}'), 700);
		reconnect(client);
	}
	assert.deepEqual([waitAfter(client), (reconnect(client), waitAfter(client))], [250, 500]);
	reconnect(client);
	assert.equal(waitAfter(client, 1001, '{"retry_in":700}'), 700);
	reconnect(client);
	assert.equal(waitAfter(client), 1000);
});

test("onclose hears why, once the next try is planned", () => {
	const heard = [];
	const onclose = (info, client) =>
		heard.push([info, client.state, client.retryAt && client.retryAt - Date.now()]);
	const client = startOpen({ onclose });

	for (const [code, reason] of [[1001, '{"retry_in":1234}'], [1001, "bye"], [1006, ""],
	    [4403, "no"]]) {
		last().goes(code, reason);
		tick(client.retryAt ? client.retryAt - Date.now() : 0);
	}
	assert.deepEqual(heard, [
		[{ code: 1001, reason: '{"retry_in":1234}', retryIn: 1234 }, "waiting", 1234],
		[{ code: 1001, reason: "bye", retryIn: null }, "waiting", 250],
		[{ code: 1006, reason: "", retryIn: null }, "waiting", 500],
		[{ code: 4403, reason: "no", retryIn: null }, "closed", null]]);
});

test("onclose may close for good, and does not hear of that", () => {
	let heard = 0;
	const client = startOpen({ onclose: (info, self) => { heard++; self.close(); } });

	last().goes(1001, '{"retry_in":5}');
	assert.equal(client.state, "closed");
	tick(100000);
	assert.deepEqual([heard, sockets.length], [1, 1]);
});

test("everything followed is asked for again", async () => {
	const client = startOpen();
	const off = client.subscribe("gone", () => {});

	client.subscribe("a", () => {});
	client.watch("r", () => {});
	client.on("event", () => {});
	off();
	last().goes();
	client.subscribe("late", () => {});
	reconnect(client);
	assert.deepEqual(last().sent, [], "not before the welcome");
	last().welcome("0000002a-1-1");
	assert.deepEqual(last().ops(), ["sub a", "sub late", "watch r"]);
	assert.equal(client.node, "0000002a-1-1");
});

test("more topics than may wait are all asked for again", () => {
	const client = start({ queue: 3 });

	for (let i = 0; i < 10; i++)
		client.subscribe(`t${i}`, () => {});
	last().welcome();
	assert.equal(last().sent.length, 10);
});

test("a refused subscription is told, and tried on the next connection", async () => {
	const errors = [];
	const client = startOpen({ onerror: (e) => errors.push([e.code, e.topic]) });
	const off = client.subscribe("a", () => {});

	last().says({ op: "err", id: 1, code: "FORBIDDEN", message: "no" });
	await assert.rejects(off.ready, { code: "FORBIDDEN" });
	last().goes();
	reconnect(client);
	last().welcome();
	assert.deepEqual(last().ops(), ["sub a"]);
	last().says({ op: "err", id: last().sent[0].id, code: "NOT_FOUND", message: "" });
	await turn();
	assert.deepEqual(errors, [["FORBIDDEN", "a"], ["NOT_FOUND", "a"]]);
});

test("a topic that is no longer ours after a reconnection is told", async () => {
	const errors = [];
	const client = startOpen({ onerror: (e) => errors.push([e.code, e.topic, e.resource]) });
	const off = client.subscribe("a", () => {});

	client.watch("r", () => {});
	last().says({ op: "ok", id: 1 });
	last().says({ op: "ok", id: 2 });
	await off.ready;
	last().goes();
	reconnect(client);
	last().welcome();
	for (const { id } of last().sent)
		last().says({ op: "err", id, code: "NOT_FOUND", message: "" });
	await turn();
	assert.deepEqual(errors, [["NOT_FOUND", "a", undefined], ["NOT_FOUND", undefined, "r"]]);
	await off.ready; /* it was, once */
});

test("what was sent is rejected, what was not waits", async () => {
	const client = startOpen();
	const sent = client.publish("a", 1);

	last().goes();
	await assert.rejects(sent, { code: "DISCONNECTED" });
	const waits = client.publish("a", 2);

	reconnect(client);
	last().welcome();
	assert.deepEqual(last().ops(), ["pub a"]);
	last().says({ op: "ok", id: last().sent[0].id });
	await waits;
});

test("what waits has an end, in time and in number", async () => {
	const client = start({ queue: 1 });
	const waits = client.publish("a", 1);

	await assert.rejects(client.publish("a", 2), { code: "DISCONNECTED" });
	tick(10000);
	await assert.rejects(waits, { code: "TIMEOUT" });
});

test("no more tries after 4401 and 4403", async () => {
	for (const [code, name] of [[4401, "UNAUTHORIZED"], [4403, "FORBIDDEN"]]) {
		const errors = [];
		const client = startOpen({ onerror: (error) => errors.push(error.code) });
		const count = sockets.length;

		last().goes(code, "go away");
		assert.equal(client.state, "closed");
		assert.deepEqual(errors, [name]);
		tick(100000);
		assert.equal(sockets.length, count);
		await assert.rejects(client.ping(), { code: "DISCONNECTED" });
	}
});

test("tries at once when the network is back, and forgets failures", () => {
	const client = start();

	for (let i = 0; i < 5; i++) {
		waitAfter(client);
		reconnect(client);
	}
	waitAfter(client);
	online();
	assert.equal(client.state, "connecting");
	assert.equal(sockets.length, 7);
	assert.equal(waitAfter(client), 250);
});

test("an error without a close is a close", () => {
	const client = start();

	last().onerror({});
	tick(999);
	assert.equal(client.state, "connecting");
	tick(1);
	assert.equal(client.state, "waiting");
	assert.equal(last().readyState, 2);
	last().goes();
	assert.equal(sockets.length, 1, "the late close changes nothing");
});

test("a connection that never opens or goes silent is given up", async () => {
	const client = start();

	tick(10000);
	assert.equal(client.state, "waiting");
	reconnect(client);
	last().welcome();
	tick(30000);
	assert.deepEqual(last().ops(), ["ping "]);
	last().says({ op: "ok", id: last().sent[0].id });
	await turn();
	tick(30000);
	tick(10000);
	await turn();
	assert.equal(client.state, "waiting");
});

test("close is for good", async () => {
	const client = startOpen();
	const socket = last();
	const waits = client.ping();

	client.close(4000, "bye");
	assert.deepEqual(socket.closedWith, [4000, "bye"]);
	await assert.rejects(waits, { code: "DISCONNECTED" });
	await assert.rejects(client.publish("a", 1), { code: "DISCONNECTED" });
	tick(100000);
	assert.equal(sockets.length, 1);
	assert.equal(online(), false, "nothing is left behind");
});
