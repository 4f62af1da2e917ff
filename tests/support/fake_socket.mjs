/*
 * fake_socket.mjs - a WebSocket that a test plays the server of, for bus.js.
 *
 * Time and chance are the test's as well: the clock moves with tick() only and
 * Math.random() is 0.5, so every wait is exact.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { afterEach, beforeEach } from "node:test";

export const bus = createRequire(import.meta.url)("../../worker/web/bus.js");
export let sockets;
let onOnline, clients, now, timers;
const real = { random: Math.random, now: Date.now, setTimeout, clearTimeout };

class FakeSocket {
	constructor(url, protocols) {
		Object.assign(this, { url, protocols, readyState: 0, sent: [] });
		sockets.push(this);
	}

	send(data) {
		this.sent.push(typeof data === "string" ? JSON.parse(data) : data);
	}

	close(code, reason) {
		this.readyState = 2;
		this.closedWith = [code, reason];
	}

	/* What the server does. */
	welcome(node = "0000002a-0-1", more = {}) {
		this.readyState = 1;
		this.says({ op: "welcome", conn: `${node}-7`, node, protocol: "clusterbus.v1", ...more });
	}

	saysBytes(...bytes) {
		this.onmessage?.({ data: Uint8Array.from(bytes).buffer });
	}

	says(message) {
		this.onmessage?.({ data: JSON.stringify(message) });
	}

	goes(code = 1006, reason = "") {
		this.readyState = 3;
		this.onclose?.({ code, reason });
	}

	ops() {
		return this.sent.map((m) => m.op + " " + (m.topic ?? m.resource ?? m.method ?? ""));
	}
}

beforeEach(() => {
	sockets = [];
	clients = [];
	now = 1000;
	timers = new Map();
	Date.now = () => now;
	Math.random = () => 0.5;
	globalThis.setTimeout = (fn, ms) => {
		const timer = Symbol("timer");

		timers.set(timer, { fn, at: now + ms });
		return timer;
	};
	globalThis.clearTimeout = (timer) => timers.delete(timer);
	globalThis.addEventListener = (name, fn) => { onOnline = fn; };
	globalThis.removeEventListener = () => { onOnline = null; };
});

afterEach(() => {
	clients.forEach((client) => client.close());
	Object.assign(globalThis,
	    { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
	Date.now = real.now;
	Math.random = real.random;
	delete globalThis.addEventListener;
	delete globalThis.removeEventListener;
});

/* Let promises that are settled call their handlers. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/* Let ms pass; what is due on the way is called, the earliest first. */
export function tick(ms) {
	const end = now + ms;

	for (;;) {
		const due = [...timers].filter(([, timer]) => timer.at <= end)
			.sort(([, a], [, b]) => a.at - b.at)[0];

		if (!due)
			break;
		timers.delete(due[0]);
		now = due[1].at;
		due[1].fn();
	}
	now = end;
}

export const last = () => sockets.at(-1);

export function start(options) {
	const client = bus.connect("ws://host/bus", { WebSocket: FakeSocket, ...options });

	clients.push(client);
	return client;
}

export function startOpen(options) {
	const client = start(options);

	last().welcome();
	return client;
}

/* A JSON Web Token that ends in so many milliseconds; nobody checks more of it here. */
export function tokenFor(ms, name = "ann") {
	const claims = { sub: name, note: "ÿ>?~", exp: (now + ms) / 1000 };
	const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

	return `${part({ alg: "HS256" })}.${part(claims)}.c2ln`;
}

/* Lose the connection and say how long the client then waits. */
export function waitAfter(client, code, reason) {
	last().goes(code, reason);
	assert.equal(client.state, "waiting");
	return client.retryAt - Date.now();
}

export function reconnect(client) {
	tick(client.retryAt - Date.now());
	assert.equal(client.state, "connecting");
}

/* The browser says that the network is back; false: nobody listens. */
export function online() {
	onOnline?.();
	return Boolean(onOnline);
}
