/*
 * bus_js_token.test.mjs - the client library and who it is: tokens.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last, reconnect, sockets, start, startOpen, tick, tokenFor, turn, waitAfter }
	from "../support/fake_socket.mjs";

const REQUIRED = { auth: "required" };
const ANN = { user: "ann", role: "admin" };

/* A function that gives tokens "t1", "t2" and so on, and counts. */
function dispenser() {
	const give = async () => `t${++give.count}`;

	give.count = 0;
	return give;
}

/* The errors that are told from now on. */
function errorsOf(client) {
	const errors = [];

	client.onerror = (error) => errors.push(error.code ?? error.message);
	return errors;
}

test("a token goes along as a subprotocol, and the welcome says who we are", () => {
	const client = start({ token: "a.b-c_d", binary: true });

	assert.deepEqual(last().protocols, ["clusterbus.v1.bin", "bearer.a.b-c_d"]);
	assert.deepEqual([client.user, client.role], [null, null]);
	last().welcome(undefined, ANN);
	assert.deepEqual([client.user, client.role], ["ann", "admin"]);
	last().goes();
	assert.deepEqual([client.user, client.role], [null, null]);
	reconnect(client);
	assert.equal(last().protocols[1], "bearer.a.b-c_d");
	last().welcome();
	assert.deepEqual([client.user, client.role], [null, null]);
});

test("a token that cannot be a subprotocol is refused at once, and nothing is left", () => {
	for (const token of ["a b", "a,b", "ä", "a=", 'a"'])
		assert.throws(() => start({ token }), /letters, digits/, token);
	tick(100000);
	assert.equal(sockets.length, 0);
});

test("nor does authenticate() take it, for the next connection could not", async () => {
	const client = startOpen();

	await assert.rejects(client.authenticate("a b"), /letters, digits/);
	assert.deepEqual(last().sent, []);
});

test("a function is asked for a token before each connection", async () => {
	const token = dispenser();
	const client = start({ token });

	assert.equal(client.state, "connecting");
	assert.equal(sockets.length, 0);
	await turn();
	assert.deepEqual(last().protocols, ["clusterbus.v1", "bearer.t1"]);
	last().welcome();
	last().goes();
	reconnect(client);
	await turn();
	assert.equal(last().protocols[1], "bearer.t2");
});

test("a function may be plain, and say that there is no token", async () => {
	start({ token: () => null });
	await turn();
	assert.deepEqual(last().protocols, ["clusterbus.v1"]);
});

test("a function that fails is told, and asked again later", async () => {
	let works = false;
	const token = () => {
		if (!works)
			throw new Error("no network");
		return "t";
	};
	const client = start({ token });
	const errors = errorsOf(client);

	await turn();
	assert.equal(client.state, "waiting");
	assert.deepEqual(errors, ["no network"]);
	works = true;
	reconnect(client);
	await turn();
	assert.equal(last().protocols[1], "bearer.t");
});

test("a function whose token cannot be a subprotocol is told so, each time", async () => {
	const client = start({ token: () => "a b" });
	const errors = errorsOf(client);

	await turn();
	assert.equal(client.state, "waiting");
	reconnect(client);
	await turn();
	assert.equal(errors.length, 2);
	assert.match(errors[1], /letters, digits/);
	assert.equal(sockets.length, 0);
});

test("a bus that wants a token asks the function that had none once more", async () => {
	const tokens = [null, "t", null, null];
	const client = start({ token: () => tokens.shift() });

	await turn();
	last().welcome(undefined, REQUIRED);
	await turn();
	assert.deepEqual(last().sent, [{ op: "auth", token: "t", id: 1 }]);
	last().says({ op: "ok", id: 1, ...ANN });
	last().goes();
	reconnect(client);
	await turn();
	last().welcome(undefined, REQUIRED);
	await turn();
	assert.deepEqual([last().sent, client.state], [[], "waiting"]);
});

test("a token that comes too late is not used", async () => {
	const gates = [];
	const client = start({ token: () => new Promise((resolve) => gates.push(resolve)) });

	await turn();
	tick(10000);
	assert.equal(client.state, "waiting");
	reconnect(client);
	await turn();
	gates[0]("old");
	await turn();
	assert.equal(sockets.length, 0);
	gates[1]("new");
	await turn();
	assert.deepEqual(sockets.map((socket) => socket.protocols[1]), ["bearer.new"]);
	client.close();
	const closed = start({ token: () => new Promise((resolve) => gates.push(resolve)) });

	await turn();
	closed.close();
	gates[2]("unwanted");
	await turn();
	assert.equal(sockets.length, 1);
});

test("a bus that wants a token gets it before anything else", async () => {
	const client = start({ token: "t" });
	const published = client.publish("a", 1);

	client.subscribe("a", () => {});
	last().welcome(undefined, REQUIRED);
	assert.equal(client.state, "authenticating");
	await turn();
	assert.deepEqual(last().sent, [{ op: "auth", token: "t", id: 2 }]);
	client.ping().catch(() => {});
	await assert.rejects(client.publish("a", new Uint8Array(1)), { code: "DISCONNECTED" });
	assert.equal(last().sent.length, 2, "a ping is answered to anybody");
	last().says({ op: "ok", id: 2, ...ANN });
	assert.equal(client.state, "open");
	assert.deepEqual([client.user, client.role], ["ann", "admin"]);
	assert.deepEqual(last().ops().slice(2), ["sub a", "pub a"]);
	last().says({ op: "ok", id: 1 });
	await published;
});

test("without a token the page is asked for one, and it is kept", async () => {
	const states = [];
	const client = start({ onstate: (state) => states.push(state) });

	client.subscribe("a", () => {});
	last().welcome(undefined, REQUIRED);
	await turn();
	assert.deepEqual(last().sent, []);
	await assert.rejects(client.authenticate(), { code: "UNAUTHORIZED" });
	const done = client.authenticate("mine");

	await turn();
	assert.deepEqual(last().sent, [{ op: "auth", token: "mine", id: 1 }]);
	last().says({ op: "ok", id: 1, ...ANN });
	assert.deepEqual(await done, ANN);
	assert.deepEqual(last().ops(), ["auth ", "sub a"]);
	assert.deepEqual(states, ["connecting", "authenticating", "open"]);
	last().goes();
	reconnect(client);
	assert.equal(last().protocols[1], "bearer.mine");
});

test("a token refused in band ends a client that has no other", async () => {
	const client = start({ token: "bad" });
	const errors = errorsOf(client);

	last().welcome(undefined, REQUIRED);
	await turn();
	last().says({ op: "err", id: 1, code: "UNAUTHORIZED", message: "expired" });
	await turn();
	assert.equal(client.state, "closed");
	assert.equal(last().readyState, 2);
	assert.deepEqual(errors, ["UNAUTHORIZED"]);
});

test("what authenticate() was given may be wrong: the next may be right", async () => {
	const client = start();
	const errors = errorsOf(client);

	last().welcome(undefined, REQUIRED);
	const wrong = client.authenticate("wrong");

	await turn();
	last().says({ op: "err", id: 1, code: "UNAUTHORIZED", message: "no" });
	await assert.rejects(wrong, { code: "UNAUTHORIZED" });
	assert.equal(client.state, "authenticating");
	client.authenticate("right");
	await turn();
	last().says({ op: "ok", id: 2 });
	assert.equal(client.state, "open");
	assert.deepEqual(errors, []);
});

test("after 4401 a function is asked again, three times in a row at most", async () => {
	const token = dispenser();
	const client = start({ token });
	const errors = errorsOf(client);
	const waits = [];

	for (let i = 0; i < 2; i++) {
		await turn();
		waits.push(waitAfter(client, 4401, "token expired"));
		reconnect(client);
	}
	await turn();
	assert.deepEqual(waits, [250, 500], "with back-off");
	assert.deepEqual(errors, []);
	last().goes(4401, "token expired");
	assert.equal(client.state, "closed");
	assert.deepEqual(errors, ["UNAUTHORIZED"]);
	assert.equal(token.count, 3);
	tick(100000);
	await turn();
	assert.equal(token.count, 3);
});

test("refusals in a row are forgotten once a connection was stable", async () => {
	const client = start({ token: dispenser() });

	for (let i = 0; i < 5; i++) {
		await turn();
		last().welcome();
		tick(5000);
		assert.equal(waitAfter(client, 4401, "token expired"), 250);
		reconnect(client);
	}
});

test("refusals in band count, too", async () => {
	const client = start({ token: dispenser() });

	for (let i = 0; i < 3; i++) {
		await turn();
		last().welcome(undefined, REQUIRED);
		await turn();
		last().says({ op: "err", id: last().sent[0].id, code: "UNAUTHORIZED", message: "" });
		await turn();
		if (i < 2)
			reconnect(client);
	}
	assert.equal(client.state, "closed");
});

test("after 4403 nobody tries again, token or not", async () => {
	const token = dispenser();
	const client = start({ token });
	const errors = errorsOf(client);

	await turn();
	last().goes(4403, "no such role");
	assert.equal(client.state, "closed");
	tick(100000);
	await turn();
	assert.deepEqual([errors, token.count], [["FORBIDDEN"], 1]);
});

test("authenticate() refreshes in band, and a refusal changes nothing", async () => {
	const client = startOpen({ token: "old" });
	const done = client.authenticate("new");

	await turn();
	assert.deepEqual(last().sent, [{ op: "auth", token: "new", id: 1 }]);
	last().says({ op: "ok", id: 1, ...ANN });
	assert.deepEqual(await done, ANN);
	const refused = client.authenticate("another.roles");

	await turn();
	last().says({ op: "err", id: 2, code: "FORBIDDEN", message: "not your role" });
	await assert.rejects(refused, { code: "FORBIDDEN" });
	assert.deepEqual([client.state, client.user], ["open", "ann"]);
	last().goes();
	reconnect(client);
	assert.equal(last().protocols[1], "bearer.new");
});

test("a function is asked for a new token before the old one ends", async () => {
	const given = [];
	const token = () => given[given.push(tokenFor(given.length ? 3600000 : 600000)) - 1];
	const client = start({ token, heartbeat: 0 });

	await turn();
	last().welcome(undefined, ANN);
	tick(540000 - 1);
	await turn();
	assert.deepEqual(last().sent, []);
	tick(1);
	await turn();
	assert.deepEqual(last().sent, [{ op: "auth", token: given[1], id: 1 }]);
	last().says({ op: "ok", id: 1, ...ANN });
	assert.equal(client.state, "open");
	assert.equal(given.length, 2);
	assert.equal(sockets.length, 1);
});

test("a refresh that fails is told and tried again while there is time", async () => {
	let fails = false, asked = 0;
	const token = () => {
		asked++;
		if (fails)
			throw new Error("no network");
		return tokenFor(100000);
	};
	const client = start({ token, heartbeat: 0 });
	const errors = errorsOf(client);

	await turn();
	last().welcome();
	fails = true;
	for (let i = 0; i < 20; i++) {
		tick(10000);
		await turn();
	}
	assert.ok(asked >= 3 && asked <= 6, `asked ${asked} times`);
	assert.equal(errors.length, asked - 1);
	assert.equal(client.state, "open", "the bus decides when it has ended");
});

test("a token that does not say when it ends is not refreshed", async () => {
	for (const text of ["opaque", "a.b.c", `a.${btoa('{"exp":"soon"}')}.c`, `a.${btoa("1")}.c`]) {
		let asked = 0;

		start({ token: () => { asked++; return text.replace(/=/g, ""); }, heartbeat: 0 });
		await turn();
		last().welcome();
		tick(1e9);
		await turn();
		assert.equal(asked, 1, text);
	}
});

test("a token of a month does not ring at once", async () => {
	let asked = 0;

	start({ token: () => { asked++; return tokenFor(40 * 86400000); }, heartbeat: 0 });
	await turn();
	last().welcome();
	tick(86400000);
	await turn();
	assert.equal(asked, 1);
});

test("a string is not refreshed by itself", async () => {
	startOpen({ token: tokenFor(2000), heartbeat: 0 });
	tick(10000);
	await turn();
	assert.deepEqual(last().sent, []);
});
