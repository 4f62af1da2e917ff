/**
 * bus.js - the client library of clusterbus.
 *
 * As a script <script src="/bus.js"></script>, then clusterbus.connect(); as a module
 * import { connect } from "/bus.mjs"; in Node require("./bus.js"). Node before version 22
 * has no WebSocket: give one, for example that of the "ws" package, as options.WebSocket.
 *
 * A client connects, and connects again when the connection goes: after a random time
 * below 500 ms, which doubles up to 30 s, or exactly when a worker that closes down asks
 * it to. It then subscribes again to all it had. Delivery is at most once: what is
 * published while it is away is missed. Requests made meanwhile wait for the connection.
 */
(function (root) {
"use strict";

const NEVER_AGAIN = { 4401: "UNAUTHORIZED", 4403: "FORBIDDEN" };
const DEFAULTS = { backoffMin: 500, backoffMax: 30000, stableAfter: 5000, queue: 1000,
    connectTimeout: 10000, timeout: 10000, heartbeat: 30000 };

/* What can be followed: how it is asked for and left. Events just come. */
const KINDS = {
	topic: { join: "sub", leave: "unsub" },
	resource: { join: "watch", leave: "unwatch" },
	event: {},
};

/**
 * What a Promise is rejected with and what onerror gets.
 * @property {string} code BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, VALIDATION,
 *     TOO_LARGE, RATE_LIMITED, TIMEOUT, DISCONNECTED or INTERNAL
 */
class BusError extends Error {
	constructor(code, message) {
		super(message || code);
		Object.assign(this, { name: "BusError", code });
	}
}

/**
 * Call it to stop. Its ready is fulfilled when the bus has acknowledged, rejected when the
 * bus refuses (then onerror is told, too) or when it was stopped before.
 * @typedef {function & { ready: Promise }} Off
 */

/**
 * One client of the bus, whatever happens to its connections. Made by connect().
 * @property {string} state "connecting", "open", "waiting" (for the next try), "closed"
 * @property {?string} conn id of this connection; null while there is none
 * @property {?string} node the worker it is on
 * @property {?number} retryAt when the next try is (as Date.now() has it)
 * @property {?function} onstate (state, client): the state has changed
 * @property {?function} onerror (error): a subscription was refused (error.topic), a handler
 *     threw, the bus turns us away; without it errors go to the console
 * @property {?function} ongap (topic, missed): messages were dropped for us
 */
class Client {
	constructor(url, options) {
		const { onstate = null, onerror = null, ongap = null } = options || {};

		Object.assign(this, { onstate, onerror, ongap, state: "closed", retryAt: null });
		this._options = { ...DEFAULTS, WebSocket: root.WebSocket, ...options };
		if (!this._options.WebSocket)
			throw new TypeError("no WebSocket here: give one as options.WebSocket");
		Object.assign(this, { _url: url, _timers: {}, _lastId: 0 });
		this._socket = this.conn = this.node = null;
		this._attempt = 0; /* tries since it was stable */
		this._requests = new Map(); /* id -> request */
		this._followed = { topic: new Map(), resource: new Map(), event: new Map() };
		root.addEventListener?.("online", this._onOnline = () => this._online());
		this._open();
	}

	/**
	 * Follow a topic; fn gets (data, { topic, from, binary }), binary data as Uint8Array.
	 * @type {(topic: string, fn: function) => Off}
	 */
	subscribe(topic, fn) {
		return this._follow("topic", topic, fn);
	}

	/** The same for the changes of a resource; fn gets (data, { resource, type }). */
	watch(resource, fn) {
		return this._follow("resource", resource, fn);
	}

	/** The same for an event, which the server pushes to whom it likes; (data, { event }). */
	on(event, fn) {
		return this._follow("event", event, fn);
	}

	/**
	 * Publish what JSON can say, with echo false not to ourselves. A Uint8Array or ArrayBuffer
	 * goes out as it is, and only while connected; nobody answers to that.
	 * @type {(topic: string, data: any, options?: { echo?: boolean }) => Promise<void>}
	 */
	async publish(topic, data, options) {
		if (data instanceof ArrayBuffer || ArrayBuffer.isView(data))
			return this._publishBytes(topic, data);
		const echo = options?.echo === false ? { echo: false } : {};

		await this._request({ op: "pub", topic, data: data ?? null, ...echo });
	}

	/**
	 * Call a method of the server; the result is the answer's data.
	 * @type {(method: string, data?: any) => Promise<any>}
	 */
	async call(method, data) {
		return (await this._request({ op: "call", method, data: data ?? null })).data;
	}

	/** Milliseconds to the worker and back. @type {() => Promise<number>} */
	async ping() {
		return (await this._request({ op: "ping" })).took;
	}

	/**
	 * Close for good. What waits for an answer is rejected with DISCONNECTED.
	 * @type {(code?: number, reason?: string) => void} code is 1000 or 3000 to 4999
	 */
	close(code, reason) {
		const socket = this._detach();

		this._stop();
		socket?.close(code || 1000, reason || "");
	}

	_setState(state) {
		this.state = state;
		this._guard(() => this.onstate?.(state, this));
	}

	/* Run fn later, instead of what this name was set to; without fn: never mind. */
	_timer(name, ms, fn) {
		clearTimeout(this._timers[name]);
		if (fn)
			this._timers[name] = setTimeout(fn, ms);
	}

	_open() {
		const lost = () => this._lost(1006, "");
		const socket = new this._options.WebSocket(this._url, ["clusterbus.v1"]);

		this._socket = socket;
		this._timer("retry");
		this._timer("connect", this._options.connectTimeout, lost);
		socket.onmessage = (event) => this._guard(() => this._onMessage(event.data));
		socket.onclose = (event) => this._lost(event.code, event.reason);
		/* A close follows an error, says the standard. Not everybody keeps to it. */
		socket.onerror = () => this._timer("connect", 1000, lost);
		this.retryAt = null;
		this._setState("connecting");
	}

	/* Let go of the socket: nothing that it still says is heard. */
	_detach() {
		const socket = this._socket;

		for (const name of ["connect", "heartbeat", "stable"])
			this._timer(name);
		this._socket = this.conn = this.node = null;
		if (socket) {
			socket.onmessage = socket.onclose = null;
			socket.onerror = () => {}; /* Node's must have one */
		}
		return socket;
	}

	_lost(code, reason) {
		const socket = this._detach();
		const refused = NEVER_AGAIN[code];

		if (socket?.readyState < 2)
			socket.close();
		for (const [id, request] of this._requests)
			if (request.sent !== null)
				this._settle(id, disconnected());
		if (!refused)
			return this._wait(code === 1001 ? retryIn(reason) : null);
		this._stop();
		this._fail(new BusError(refused, reason || "the bus turns this client away"));
	}

	_wait(asked) {
		const { backoffMin, backoffMax } = this._options;
		const top = Math.min(backoffMax, backoffMin * 2 ** this._attempt++);
		const delay = asked ?? Math.random() * top;

		this.retryAt = Date.now() + delay;
		this._timer("retry", delay, () => this._open());
		this._setState("waiting");
	}

	_stop() {
		this._timer("retry");
		this.retryAt = null;
		root.removeEventListener?.("online", this._onOnline);
		for (const id of [...this._requests.keys()])
			this._settle(id, disconnected());
		this._setState("closed");
	}

	/* The network is back: old failures say nothing about it. */
	_online() {
		this._attempt = 0;
		if (this.state === "waiting")
			this._open();
	}

	_welcome(message) {
		const waiting = [...this._requests.values()];

		Object.assign(this, { conn: message.conn, node: message.node });
		this._timer("connect");
		this._timer("stable", this._options.stableAfter, () => { this._attempt = 0; });
		for (const [kind, items] of Object.entries(this._followed))
			for (const item of items.values())
				this._join(kind, item);
		for (const request of waiting)
			this._send(request);
		this._setState("open");
	}

	/* After a long silence: is anybody there? */
	_listen() {
		const dead = (error) => error.code === "TIMEOUT" && this._lost(1006, "");
		const silence = this._options.heartbeat;

		if (silence > 0)
			this._timer("heartbeat", silence, () => this.ping().catch(dead));
	}

	/* Send a message and wait for its answer; the time includes that for a connection. */
	_request(message) {
		return new Promise((resolve, reject) => {
			const id = ++this._lastId;
			const text = JSON.stringify({ ...message, id });
			const late = () => this._settle(id, new BusError("TIMEOUT", "no answer"));
			const request = { text, resolve, sent: null };

			if (this.state === "closed" ||
			    (!this._isUp() && this._requests.size >= this._options.queue))
				return reject(disconnected());
			request.timer = setTimeout(late, this._options.timeout);
			this._requests.set(id, request);
			this._send(request);
		});
	}

	_isUp() { return this.conn !== null && this._socket.readyState === 1; }

	/* Without a connection the next welcome does it. */
	_send(request) {
		if (!this._isUp())
			return;
		request.sent = Date.now();
		this._socket.send(request.text);
	}

	_settle(id, error, answer) {
		const request = this._requests.get(id);

		if (!request)
			return false;
		this._requests.delete(id);
		clearTimeout(request.timer);
		request.resolve(error ? Promise.reject(error) :
		    { ...answer, took: Date.now() - request.sent });
		return true;
	}

	_publishBytes(topic, data) {
		const name = new TextEncoder().encode(topic);
		const bytes = new Uint8Array(data.buffer || data, data.byteOffset, data.byteLength);
		const message = new Uint8Array(2 + name.length + bytes.length);

		if (name.length > 255)
			throw new BusError("BAD_REQUEST", "too long a topic for a binary message");
		if (!this._isUp())
			throw disconnected();
		message.set([1, name.length, ...name]);
		message.set(bytes, 2 + name.length);
		this._socket.send(message);
	}

	_follow(kind, key, fn) {
		const follower = { fn }; /* the same function twice is two followers */
		let item = this._followed[kind].get(key);

		if (!item || item.refused) {
			item = { key, followers: item ? item.followers : new Set(), refused: false };
			item.ready = new Promise((resolve, reject) =>
				Object.assign(item, { resolve, reject }));
			item.ready.catch(() => {}); /* onerror tells it, too */
			this._followed[kind].set(key, item);
			this._join(kind, item);
		}
		item.followers.add(follower);
		return Object.assign(() => this._unfollow(kind, key, follower), { ready: item.ready });
	}

	_unfollow(kind, key, follower) {
		const item = this._followed[kind].get(key);

		if (!item || !item.followers.delete(follower) || item.followers.size > 0)
			return;
		this._followed[kind].delete(key);
		item.reject(disconnected());
		if (this._isUp() && KINDS[kind].leave)
			this._request({ op: KINDS[kind].leave, [kind]: key }).catch(() => {});
	}

	/* Ask for it on this connection; without one, the next welcome will. */
	_join(kind, item) {
		const op = KINDS[kind].join;

		if (!op)
			item.resolve({});
		if (!op || !this._isUp())
			return;
		item.refused = false;
		this._request({ op, [kind]: item.key }).then(item.resolve, (error) => {
			if (error.code === "DISCONNECTED")
				return;
			item.refused = true;
			item.reject(error);
			this._fail(Object.assign(error, { [kind]: item.key }));
		});
	}

	_onMessage(text) {
		const m = JSON.parse(text);

		this._listen();
		if (m.op === "msg")
			this._deliver("topic", m.topic, m.binary ? fromBase64(m.data) : m.data,
			    { from: m.from, binary: m.binary === true });
		else if (m.op === "evt")
			this._deliver("event", m.event, m.data, {});
		else if (m.op === "change")
			this._deliver("resource", m.resource, m.data, { type: m.type });
		else if (m.op === "ok")
			this._settle(m.id, null, m);
		else if (m.op === "err" && !this._settle(m.id, new BusError(m.code, m.message)))
			this._fail(new BusError(m.code, m.message)); /* about no request */
		else if (m.op === "gap")
			this._guard(() => this.ongap?.(m.topic, m.missed));
		else if (m.op === "welcome")
			this._welcome(m);
	}

	/* One follower that fails does not stop the others. */
	_deliver(kind, key, data, info) {
		info[kind] = key;
		for (const follower of [...this._followed[kind].get(key)?.followers || []])
			this._guard(() => follower.fn(data, info));
	}

	_fail(error) { (this.onerror || console.error)(error); }

	_guard(call) {
		try {
			call();
		} catch (error) {
			this._fail(error);
		}
	}
}

const disconnected = () => new BusError("DISCONNECTED", "no connection to the bus");
const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

/* The wait that a worker asks for when it closes down, or null. */
function retryIn(reason) {
	const found = /^\{\s*"retry_in"\s*:\s*(\d{1,6})\s*[,}]/.exec(reason);

	return found ? Number(found[1]) : null;
}

/**
 * Connect to a bus.
 * @param {string} [url] "wss://host/bus"; in a page, without it, whence the page came
 * @param {object} [options] WebSocket: the implementation; onstate, onerror, ongap: see
 *     Client; in milliseconds: backoffMin 500, backoffMax 30000, connectTimeout 10000,
 *     timeout 10000 (of a request), heartbeat 30000 (silence before a ping; 0: never),
 *     stableAfter 5000 (of a connection; then failures are forgotten); queue 1000:
 *     requests that may wait
 * @returns {Client}
 */
function connect(url, options) {
	if (!url)
		url = root.location.origin.replace(/^http/, "ws") + "/bus";
	return new Client(url, options);
}

root.clusterbus = { connect, Client, BusError };
if (typeof module === "object" && module.exports)
	module.exports = root.clusterbus;
})(globalThis);
