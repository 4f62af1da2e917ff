/**
 * bus.js - the client library of clusterbus; bus.d.ts tells every call, README.md how to use it.
 *
 * A client connects, and connects again when the connection goes: after a random time below
 * 500 ms, which doubles up to 30 s, or exactly when a worker that closes down asks it to. It
 * then subscribes again to all it had. Requests made meanwhile wait for the connection, and
 * for the token when the bus wants one.
 */
(function (root) {
"use strict";

const REFUSALS = { 4401: "UNAUTHORIZED", 4403: "FORBIDDEN" };
const REFUSALS_MAX = 3; /* in a row; until then the next token may be better */
const TIMER_MAX = 2 ** 31 - 1; /* longer ones ring at once */
const DEFAULTS = { backoffMin: 500, backoffMax: 30000, stableAfter: 5000, queue: 1000,
    connectTimeout: 10000, timeout: 10000, heartbeat: 30000 };

/* What can be followed: how it is asked for and left. Events just come. */
const KINDS = { topic: ["sub", "unsub"], resource: ["watch", "unwatch"], event: [] };

/* What the server says. An "err" without an id may be about a topic that we had. */
const MESSAGES = {
	welcome: (client, m) => client._welcome(m),
	ok: (client, m) => client._settle(m.id, null, m),
	err: (client, { id = null, code, message, topic }) => {
		const error = new BusError(code, message), item = client._followed.topic.get(topic);

		if (id !== null)
			client._settle(id, error);
		else
			item ? client._refuse("topic", item, error) : client._fail(error);
	},
	msg: (client, { topic, data, from, binary = false }) => client._deliver("topic", topic,
	    binary && typeof data === "string" ? fromBase64(data) : data, { from, binary }),
	evt: (client, m) => client._deliver("event", m.event, m.data, {}),
	change: (client, m) => client._deliver("resource", m.resource, m.data, { type: m.type }),
	gap: (client, m) => client._guard(() => client.ongap?.(m.topic, m.missed)),
};

/* What a Promise is rejected with, and what onerror gets. */
class BusError extends Error {
	constructor(code, message) {
		super(message || code);
		Object.assign(this, { name: "BusError", code });
	}
}

class Client {
	constructor(url, options = {}) {
		const { onstate = null, onclose = null, onerror = null, ongap = null, token } = options;

		Object.assign(this, { onstate, onclose, onerror, ongap, state: "closed" });
		this._options = { ...DEFAULTS, WebSocket: root.WebSocket, ...options };
		if (!this._options.WebSocket)
			throw new TypeError("no WebSocket here: give one as options.WebSocket");
		this._newToken = typeof token === "function" ? async () => token() : null;
		this._token = this._newToken ? null : token;
		this._followed = { topic: new Map(), resource: new Map(), event: new Map() };
		this._requests = new Map(); /* id -> request */
		Object.assign(this, { _url: url, _timers: {}, _lastId: 0, _attempt: 0, _refusals: 0 });
		this._open();
		/* The network is back: old failures say nothing about it. */
		this._onOnline = () => { this._attempt = 0; this.state === "waiting" && this._open(); };
		root.addEventListener?.("online", this._onOnline);
	}

	subscribe(topic, fn) { return this._follow("topic", topic, fn); }
	watch(resource, fn) { return this._follow("resource", resource, fn); }
	on(event, fn) { return this._follow("event", event, fn); }

	/* Bytes go out as they are, and only while connected; nobody answers to that. */
	async publish(topic, data = null, { echo, ...options } = {}) {
		if (data instanceof ArrayBuffer || ArrayBuffer.isView(data))
			return this._publishBytes(topic, data, echo);
		await this._request({ op: "pub", topic, data, echo }, options);
	}

	async call(method, data = null, options) {
		return (await this._request({ op: "call", method, data }, options)).data;
	}

	async ping(options) {
		return (await this._request({ op: "ping" }, { ...options, early: true })).took;
	}

	/* Prove who we are, on this connection and on the next ones. */
	async authenticate(token) {
		const given = token ?? await this._newToken?.() ?? this._token;
		const accepted = ({ user = null, role = null }) => {
			Object.assign(this, { _token: given, user, role });
			this._held ? this._enter() : this._planRefresh();
		};

		if (!given)
			throw new BusError("UNAUTHORIZED", "there is no token");
		subprotocolOf(given); /* the next connection will need it as one */
		const request = this._request({ op: "auth", token: given }, { early: true, accepted });
		const { user = null, role = null } = await request;
		return { user, role };
	}

	close(code, reason) {
		const socket = this._detach();

		this._stop();
		socket?.close(code || 1000, reason || "");
	}

	/* Run fn later, instead of what this name was set to; without fn: never mind. */
	_timer(name, ms, fn) {
		clearTimeout(this._timers[name]);
		this._timers[name] = fn && setTimeout(fn, ms);
	}

	_open() {
		this._detach();
		this._turn = {};
		if (this._newToken)
			this._newToken().then(this._mine(this._dial)).catch(this._mine(this._noToken));
		else
			this._dial(this._token);
		this._timer("connect", this._options.connectTimeout, () => this._lost(1006, ""));
		this._setState("connecting");
	}

	_dial(token) {
		const protocol = this._options.binary ? "clusterbus.v1.bin" : "clusterbus.v1";
		const socket = this._socket = new this._options.WebSocket(this._url,
		    token ? [protocol, subprotocolOf(token)] : [protocol]);

		this._token = token;
		socket.binaryType = "arraybuffer";
		socket.onmessage = (event) => this._guard(() => this._onMessage(event.data));
		socket.onclose = (event) => this._lost(event.code, event.reason);
		/* A close follows an error, says the standard. Not everybody keeps to it. */
		socket.onerror = () => this._timer("connect", 1000, () => this._lost(1006, ""));
	}

	/* None could be had, or the bus does not like it. */
	_noToken(error) {
		const code = { UNAUTHORIZED: 4401, FORBIDDEN: 4403 }[error?.code];

		if (!code)
			this._fail(error);
		this._lost(code || 1006, error?.message);
	}

	/* Let go of the socket: nothing that it still says is heard. No timer rings. */
	_detach() {
		const socket = this._socket;

		Object.keys(this._timers).forEach((name) => this._timer(name));
		this._socket = this.conn = this.node = this.user = this.role = null;
		this._turn = this.retryAt = null;
		this._held = false; /* welcomed, but a token is asked for first */
		if (socket) /* Node's must have an onerror */
			Object.assign(socket, { onmessage: null, onclose: null, onerror: () => {} });
		return socket;
	}

	_lost(code, reason) {
		const socket = this._detach();
		const again = code === 4401 && this._newToken && ++this._refusals < REFUSALS_MAX;
		const refused = !again && REFUSALS[code];
		const asked = code === 1001 ? retryIn(reason) : null;

		if (socket?.readyState < 2)
			socket.close();
		this._requests.forEach((r, id) => r.sent !== null && this._settle(id, disconnected()));
		refused ? this._stop() : this._wait(asked);
		this._guard(() => this.onclose?.({ code, reason, retryIn: asked && Number(asked) }, this));
		if (refused)
			this._fail(new BusError(refused, reason || "the bus turns this client away"));
	}

	_wait(asked) {
		const { backoffMin: min, backoffMax: max } = this._options;
		const random = () => Math.random() * Math.min(max, min * 2 ** this._attempt++);
		const delay = Number(asked ?? random()); /* being asked to go is no failure */

		this.retryAt = Date.now() + delay;
		this._timer("retry", delay, () => this._open());
		this._setState("waiting");
	}

	_stop() {
		root.removeEventListener?.("online", this._onOnline);
		this._requests.forEach((request, id) => this._settle(id, disconnected()));
		this._setState("closed");
	}

	_welcome({ conn, node, user = null, role = null, auth }) {
		Object.assign(this, { conn, node, user, role });
		this._timer("connect");
		if (auth !== "required")
			return this._enter();
		this._held = true;
		this._flush();
		if (this._token || this._newToken)
			this.authenticate(this._token).catch(this._mine(this._noToken));
		this._setState("authenticating");
	}

	/* From now on we may say what we like. */
	_enter() {
		this._held = false;
		this._timer("stable", this._options.stableAfter, () => this._attempt = this._refusals = 0);
		for (const [kind, items] of Object.entries(this._followed))
			items.forEach((item) => this._join(kind, item));
		this._flush();
		this._planRefresh();
		this._setState("open");
	}

	/* A function is asked for a new token before the one in force ends. */
	_planRefresh() {
		const left = expiryOf(this._token) - Date.now();
		const wait = Math.min(left - Math.min(60000, left / 5), TIMER_MAX);
		const failed = (error) => this.conn && (this._fail(error), this._planRefresh());

		if (this._newToken && left > 1000)
			this._timer("refresh", wait, () => this.authenticate().catch(failed));
	}

	/* After a long silence: is anybody there? */
	_listen() {
		const dead = (error) => error.code === "TIMEOUT" && this._lost(1006, "");

		if (this._options.heartbeat > 0)
			this._timer("heartbeat", this._options.heartbeat, () => this.ping().catch(dead));
	}

	/* Send a message and wait for its answer; the time includes that for a connection. What
	 * is early goes even when the bus wants a token first. accepted is called at the answer. */
	_request(message, { timeout = this._options.timeout, signal, early, accepted } = {}) {
		return new Promise((resolve, reject) => {
			const id = ++this._lastId;
			const text = JSON.stringify({ ...message, id });
			const abort = () => this._settle(id, signal.reason);
			const late = () => this._settle(id, new BusError("TIMEOUT", "no answer"));
			const request = { text, early, accepted, resolve, reject, sent: null };

			if (signal?.aborted)
				return reject(signal.reason);
			if (this.state === "closed" ||
			    (!this._isUp(early) && this._requests.size >= this._options.queue))
				return reject(disconnected());
			if (timeout > 0 && timeout <= TIMER_MAX)
				request.timer = setTimeout(late, timeout);
			signal?.addEventListener("abort", abort);
			request.forget = () => signal?.removeEventListener("abort", abort);
			this._requests.set(id, request);
			this._send(request);
		});
	}

	/* What may not go now goes with a later flush. */
	_send(request) {
		if (request.sent !== null || !this._isUp(request.early))
			return;
		request.sent = Date.now();
		this._socket.send(request.text);
	}

	_settle(id, error, answer) {
		const request = this._requests.get(id);

		if (!request)
			return;
		this._requests.delete(id);
		clearTimeout(request.timer);
		request.forget();
		if (!answer)
			return request.reject(error);
		request.resolve({ ...answer, took: Date.now() - request.sent });
		request.accepted?.(answer);
	}

	_publishBytes(topic, data, echo) {
		const name = new TextEncoder().encode(topic);
		const bytes = new Uint8Array(data.buffer || data, data.byteOffset, data.byteLength);
		const message = new Uint8Array(2 + name.length + bytes.length);

		if (name.length > 255 || echo === false)
			throw new BusError("BAD_REQUEST", "not with bytes: long topics, echo: false");
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
			item.ready = new Promise((resolve, reject) => Object.assign(item, { resolve, reject }));
			item.ready.catch(() => {}); /* onerror tells it, too */
			this._followed[kind].set(key, item);
			this._join(kind, item);
		}
		item.followers.add(follower);
		return Object.assign(() => this._unfollow(kind, key, follower), { ready: item.ready });
	}

	_unfollow(kind, key, follower) {
		const item = this._followed[kind].get(key), op = KINDS[kind][1];

		if (!item || !item.followers.delete(follower) || item.followers.size > 0)
			return;
		this._followed[kind].delete(key);
		item.reject(disconnected());
		if (this._isUp() && op)
			this._request({ op, [kind]: key }).catch(() => {});
	}

	/* Ask for it on this connection; without one, the next welcome will. */
	_join(kind, item) {
		const op = KINDS[kind][0];

		if (!op)
			return item.resolve();
		if (!this._isUp())
			return;
		item.refused = false;
		this._request({ op, [kind]: item.key }).then(() => item.resolve(), (error) =>
			error.code === "DISCONNECTED" || this._refuse(kind, item, error));
	}

	_refuse(kind, item, error) {
		item.refused = true;
		item.reject(error);
		this._fail(Object.assign(error, { [kind]: item.key }));
	}

	_onMessage(data) {
		const message = typeof data === "string" ? JSON.parse(data) : binaryMessage(data);

		this._listen();
		MESSAGES[message.op]?.(this, message);
	}

	/* One follower that fails does not stop the others. */
	_deliver(kind, key, data, info) {
		info[kind] = key;
		for (const follower of [...this._followed[kind].get(key)?.followers || []])
			this._guard(() => follower.fn(data, info));
	}

	_setState(state) { this.state = state; this._guard(() => this.onstate?.(state, this)); }
	/* fn, unless by then this connection is not the one that it was. */
	_mine(fn) { const turn = this._turn; return (x) => turn === this._turn && fn.call(this, x); }
	_isUp(early) { return this.conn && this._socket.readyState === 1 && (early || !this._held); }
	_flush() { this._requests.forEach((request) => this._send(request)); }
	_fail(error) { (this.onerror || console.error)(error); }
	_guard(call) { try { call(); } catch (error) { this._fail(error); } }
}

const disconnected = () => new BusError("DISCONNECTED", "no connection to the bus");
const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

/* The wait that a worker asks for when it closes down, or null. */
const retryIn = (reason) => /^\{\s*"retry_in"\s*:\s*(\d{1,6})\s*[,}]/.exec(reason)?.[1] ?? null;

/* 2, the length of the topic, the topic, the payload: as if it had been written in JSON. */
function binaryMessage(data) {
	const bytes = new Uint8Array(data), end = 2 + bytes[1];

	if (bytes[0] !== 2 || !(end <= bytes.length))
		throw new TypeError("the bus sent bytes that make no sense");
	return { op: "msg", topic: new TextDecoder().decode(bytes.subarray(2, end)),
		data: bytes.slice(end), from: "", binary: true };
}

/* A token goes along as a subprotocol, which may not have all characters. */
function subprotocolOf(token) {
	if (!/^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(token))
		throw new TypeError("a token has letters, digits and !#$%&'*+-.^_`|~, nothing else");
	return `bearer.${token}`;
}

/* When a JSON Web Token ends, in milliseconds; NaN when it does not say so. */
function expiryOf(token) {
	try {
		const claims = atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));

		return JSON.parse(claims).exp * 1000;
	} catch { return NaN; }
}

/* In a page, without a URL, it is whence the page came. */
function connect(url, options) {
	return new Client(url || root.location.origin.replace(/^http/, "ws") + "/bus", options);
}

root.clusterbus = { connect, Client, BusError };
if (typeof module === "object") module.exports = root.clusterbus;
})(globalThis);
