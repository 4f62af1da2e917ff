/*
 * bus_js.test.mjs - the client library: subscriptions, requests, messages.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bus, last, start, startOpen, tick, turn }
	from "../support/fake_socket.mjs";

test("the welcome tells connection and worker", () => {
	const states = [];
	const client = start({ onstate: (state) => states.push(state) });

	assert.deepEqual(last().protocols, ["clusterbus.v1"]);
	assert.equal(client.conn, null);
	last().welcome();
	assert.equal(client.node, "0000002a-0-1");
	assert.equal(client.conn, "0000002a-0-1-7");
	last().goes();
	assert.equal(client.node, null);
	assert.deepEqual(states, ["connecting", "open", "waiting"]);
});

test("subscribers of a topic share one subscription", async () => {
	const client = startOpen();
	const got = [];
	const off1 = client.subscribe("a", (data, info) => got.push([1, data, info.from]));
	const off2 = client.subscribe("a", (data) => got.push([2, data]));

	assert.deepEqual(last().ops(), ["sub a"]);
	last().says({ op: "ok", id: last().sent[0].id });
	await off1.ready;
	await off2.ready;
	last().says({ op: "msg", topic: "a", data: { x: 1 }, from: "N" });
	last().says({ op: "msg", topic: "b", data: "not for us", from: "N" });
	off1();
	off1();
	last().says({ op: "msg", topic: "a", data: 2, from: "N" });
	assert.deepEqual(got, [[1, { x: 1 }, "N"], [2, { x: 1 }], [2, 2]]);
	assert.equal(last().sent.length, 1);
	off2();
	assert.deepEqual(last().ops(), ["sub a", "unsub a"]);
});

test("a subscriber that fails does not stop the others", () => {
	const errors = [], got = [];
	const client = startOpen({ onerror: (error) => errors.push(error.message) });

	client.subscribe("a", () => { throw new Error("mine"); });
	client.subscribe("a", (data) => got.push(data));
	last().says({ op: "msg", topic: "a", data: 5, from: "N" });
	assert.deepEqual(got, [5]);
	assert.deepEqual(errors, ["mine"]);
});

test("binary data comes as bytes", () => {
	const client = startOpen();
	let got;

	client.subscribe("a", (data, info) => { got = [...data, info.binary]; });
	last().says({ op: "msg", topic: "a", data: "AP8B", binary: true, from: "N" });
	assert.deepEqual(got, [0, 255, 1, true]);
});

test("publish carries data and echo and waits for the answer", async () => {
	const client = startOpen();
	const published = client.publish("a", undefined, { echo: false });

	assert.deepEqual(last().sent[0],
	    { op: "pub", topic: "a", data: null, echo: false, id: 1 });
	last().says({ op: "ok", id: 1 });
	assert.equal(await published, undefined);
	const refused = client.publish("a", 1);

	assert.equal("echo" in last().sent[1], false);
	last().says({ op: "err", id: 2, code: "FORBIDDEN", message: "no" });
	await assert.rejects(refused, { code: "FORBIDDEN", message: "no" });
});

test("bytes are published as they are", async () => {
	const client = startOpen();
	const whole = new Uint8Array([9, 0, 255, 9]);
	const large = new Uint8Array(1 << 20).fill(7);

	await client.publish("ä", whole.subarray(1, 3));
	assert.deepEqual([...last().sent[0]], [1, 2, 0xc3, 0xa4, 0, 255]);
	await client.publish("b", large.buffer);
	assert.equal(last().sent[1].length, 3 + large.length);
	await assert.rejects(client.publish("x".repeat(256), whole), { code: "BAD_REQUEST" });
	await assert.rejects(client.publish("b", whole, { echo: false }), { code: "BAD_REQUEST" });
	last().goes();
	await assert.rejects(client.publish("b", whole), { code: "DISCONNECTED" });
});

test("call, watch, on and ping", async () => {
	const client = startOpen();
	const changes = [], events = [];
	const called = client.call("add", [1, 2]);

	last().says({ op: "ok", id: 1, data: 3 });
	assert.equal(await called, 3);
	const off = client.watch("doc:1", (data, info) => changes.push([info.type, data]));

	last().says({ op: "change", resource: "doc:1", type: "edit", data: "x" });
	const offEvent = client.on("hi", (data, info) => events.push([info.event, data]));

	await offEvent.ready;
	last().says({ op: "evt", event: "hi", data: 1 });
	offEvent();
	last().says({ op: "evt", event: "hi", data: 2 });
	off();
	const pinged = client.ping();

	tick(12);
	last().says({ op: "ok", id: last().sent.at(-1).id });
	assert.equal(await pinged, 12);
	assert.deepEqual(changes, [["edit", "x"]]);
	assert.deepEqual(events, [["hi", 1]]);
	assert.deepEqual(last().ops(),
	    ["call add", "watch doc:1", "unwatch doc:1", "ping "]);
});

test("with binary, bytes come as bytes", () => {
	const errors = [], got = [];
	const client = start({ binary: true, onerror: (error) => errors.push(error.name) });
	const keep = (data, info) => got.push([data, info]);

	assert.deepEqual(last().protocols, ["clusterbus.v1.bin"]);
	assert.equal(last().binaryType, "arraybuffer");
	last().welcome();
	client.subscribe("ä", keep);
	client.subscribe("b", keep);
	last().saysBytes(2, 2, 0xc3, 0xa4, 0, 255);
	last().saysBytes(2, 1, 98);
	last().says({ op: "msg", topic: "b", data: "AP8B", from: "N" });
	assert.deepEqual(got, [
		[Uint8Array.of(0, 255), { topic: "ä", from: "", binary: true }],
		[Uint8Array.of(), { topic: "b", from: "", binary: true }],
		["AP8B", { topic: "b", from: "N", binary: false }]]);
	last().saysBytes();
	last().saysBytes(2);
	last().saysBytes(2, 3, 98, 98);
	last().saysBytes(1, 1, 98, 0);
	assert.equal(got.length, 3);
	assert.deepEqual(errors, Array(4).fill("TypeError"));
});

test("a call may have a time of its own", async () => {
	const client = startOpen({ heartbeat: 0 });
	const short = client.call("slow", 1, { timeout: 50 });
	const long = client.call("slow", 2, { timeout: 60000 });
	const endless = client.call("slow", 3, { timeout: 0 });

	tick(50);
	await assert.rejects(short, { code: "TIMEOUT" });
	tick(59949);
	last().says({ op: "ok", id: 2, data: "just" });
	assert.equal(await long, "just");
	last().says({ op: "ok", id: 1, data: "too late" });
	last().says({ op: "err", id: 1, code: "TIMEOUT", message: "too late, too" });
	last().says({ op: "ok", id: 3, data: "at last" });
	assert.equal(await endless, "at last");
});

test("a call may be aborted, before and after it was sent", async () => {
	const client = startOpen();
	const before = AbortSignal.abort(new Error("no need"));
	const control = new AbortController();
	const called = client.call("slow", 1, { signal: control.signal });
	const answered = client.call("slow", 2, { signal: control.signal });

	await assert.rejects(client.call("never", 1, { signal: before }), { message: "no need" });
	last().says({ op: "ok", id: 2, data: "in time" });
	control.abort();
	await assert.rejects(called, { name: "AbortError" });
	assert.equal(await answered, "in time");
	last().says({ op: "ok", id: 1, data: "nobody listens" });
	assert.deepEqual(last().ops(), ["call slow", "call slow"]);
});

test("calls in flight end with DISCONNECTED, each with its own error", async () => {
	const client = startOpen();
	const calls = [client.call("a"), client.call("b", null, { timeout: 0 })];

	last().goes();
	for (const call of calls)
		await assert.rejects(call, { name: "BusError", code: "DISCONNECTED" });
});

test("an error of the server rejects the call with its code", async () => {
	const client = startOpen();
	const called = client.call("add", "x");

	last().says({ op: "err", id: 1, code: "VALIDATION", message: "/: not an array" });
	await assert.rejects(called, { code: "VALIDATION", message: "/: not an array" });
});

test("a subscription that the server ends is told, and may be made again", async () => {
	const errors = [];
	const client = startOpen({ onerror: (error) => errors.push([error.code, error.topic]) });
	const off = client.subscribe("a", () => {});

	last().says({ op: "ok", id: 1 });
	await off.ready;
	last().says({ op: "err", code: "NOT_FOUND", message: "no more", topic: "a" });
	last().says({ op: "err", code: "NOT_FOUND", message: "no more", topic: "never had" });
	assert.deepEqual(errors, [["NOT_FOUND", "a"], ["NOT_FOUND", undefined]]);
	const again = client.subscribe("a", () => {});

	assert.deepEqual(last().ops(), ["sub a", "sub a"]);
	last().says({ op: "ok", id: 2 });
	await again.ready;
	await turn();
});

test("the codes are those of the server, and of the types", () => {
	const header = readFileSync(new URL("../../worker/errors.h", import.meta.url), "utf8");
	const types = readFileSync(new URL("../../worker/web/bus.d.ts", import.meta.url), "utf8");
	const union = /type ErrorCode =([^;]*);/.exec(types)[1];
	const codes = [...header.matchAll(/^\tX\(([A-Z_]+),/gm)].map((found) => found[1]);

	assert.ok(codes.length >= 10);
	assert.deepEqual([...union.matchAll(/"([A-Z_]+)"/g)].map((found) => found[1]), codes);
});

test("a gap is told", () => {
	const gaps = [];

	startOpen({ ongap: (topic, missed) => gaps.push([topic, missed]) });
	last().says({ op: "gap", topic: "a", missed: 3 });
	assert.deepEqual(gaps, [["a", 3]]);
});

test("what makes no sense is told and harms nothing", async () => {
	const errors = [];
	const client = startOpen({ onerror: (error) => errors.push(error.name) });
	const published = client.publish("a", 1);

	last().onmessage({ data: "{" });
	last().onmessage({ data: "null" });
	last().says({ op: "new in a later version" });
	last().says({ op: "err", code: "INTERNAL", message: "" });
	last().says({ op: "ok", id: 1 });
	await published;
	assert.deepEqual(errors, ["SyntaxError", "TypeError", "BusError"]);
});

test("without any WebSocket it says what to do", () => {
	assert.throws(() => bus.connect("ws://x", { WebSocket: undefined }), /options\.WebSocket/);
});

test("it can be imported as a module", async () => {
	const { connect } = await import("../../worker/web/bus.mjs");

	assert.equal(typeof connect, "function");
});
