/*
 * bus_js_client.mjs - the client library against a running bus with tokens, a
 * contract and an application. Started by bus_js_test.py.
 *
 * usage: node bus_js_client.mjs URL BUSCTL KEY RUN-DIR CONTRACT
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import WebSocket from "ws";

const { connect } = createRequire(import.meta.url)("../../worker/web/bus.js");
const [url, busctl, key, runDir, contract] = process.argv.slice(2);
const PATIENCE = Number(process.env.PATIENCE ?? 1); /* on a slow machine */
const DEADLINE_MS = 15000 * PATIENCE;
const FAST = { WebSocket, backoffMin: 1, backoffMax: 5 };
let failed = 0;

function tokenOf(user, role, expires = "1h") {
	return execFileSync(busctl, ["token", "--key", key, "--user", user, "--role", role,
	    "--expires", expires], { encoding: "utf8" }).trim();
}

const ann = tokenOf("ann", "user");

/* A client that keeps its errors; it is open, unless something else is waited for. */
async function open(options, wanted = "open") {
	const errors = [];
	const client = connect(url, { ...FAST, onerror: (error) => errors.push(error), ...options });

	client.errors = errors;
	await reaches(client, wanted);
	return client;
}

function reaches(client, wanted) {
	return new Promise((resolve) => {
		client.onstate = (state) => state === wanted && resolve();
		client.onstate(client.state);
	});
}

async function test(sentence, run) {
	const clients = [];
	let timer;
	const late = new Promise((resolve, reject) => {
		timer = setTimeout(() => reject(new Error("took too long")), DEADLINE_MS);
	});
	const start = async (...how) => {
		const client = await open(...how);

		clients.push(client);
		return client;
	};

	try {
		await Promise.race([run(start), late]);
		console.log(`ok - ${sentence}`);
	} catch (error) {
		failed++;
		console.log(`not ok - ${sentence}`);
		console.log(String(error.stack).replace(/^/gm, "# "));
	}
	clearTimeout(timer);
	clients.forEach((client) => client.close());
}

/* What fn is called with: the first time. */
function first(follow) {
	return new Promise((resolve) => follow((...args) => resolve(args)));
}

await test("a token in the handshake makes the client somebody", async (start) => {
	for (const binary of [false, true]) {
		const client = await start({ token: ann, binary });

		assert.deepEqual([client.user, client.role], ["ann", "user"]);
		assert.deepEqual(await client.call("whoami"), { id: "ann", name: "ann" });
	}
});

await test("without a token the bus asks for one, and then goes on", async (start) => {
	const client = await start({}, "authenticating");
	const off = client.subscribe("announce", () => {});
	const called = client.call("whoami");

	await assert.rejects(client.authenticate("not.a.token"), { code: "UNAUTHORIZED" });
	assert.deepEqual(await client.authenticate(ann), { user: "ann", role: "user" });
	await off.ready;
	assert.equal((await called).id, "ann");
	assert.equal(client.state, "open");
	assert.deepEqual(client.errors, []);
});

await test("a bad token is the end, visibly", async (start) => {
	const client = await start({ token: "not.a.token" }, "closed");

	await new Promise(setImmediate);
	assert.deepEqual(client.errors.map((error) => error.code), ["UNAUTHORIZED"]);
});

await test("a function that gives bad tokens is asked three times", async (start) => {
	let asked = 0;
	const client = await start({ token: () => { asked++; return "not.a.token"; } }, "closed");

	await new Promise(setImmediate);
	assert.equal(asked, 3);
	assert.deepEqual(client.errors.map((error) => error.code), ["UNAUTHORIZED"]);
});

await test("a role that is not in the contract is turned away for good", async (start) => {
	let asked = 0;
	const stranger = tokenOf("ann", "stranger");
	const client = await start({ token: () => { asked++; return stranger; } }, "closed");

	await new Promise(setImmediate);
	assert.equal(asked, 1);
	assert.deepEqual(client.errors.map((error) => error.code), ["FORBIDDEN"]);
});

await test("a token is renewed in band before it ends", async (start) => {
	let asked = 0;
	const token = () => tokenOf("ann", "user", asked++ ? "1h" : `${2 * PATIENCE}s`);
	const client = await start({ token });
	const conn = client.conn;
	const lost = first((fn) => { client.onstate = fn; });

	while (asked < 2) /* time goes by with pings */
		await client.ping();
	await client.authenticate();
	assert.equal(client.conn, conn);
	assert.equal(await Promise.race([lost, "nothing"]), "nothing");
	assert.deepEqual(client.errors, []);
});

await test("a refresh must not change who it is", async (start) => {
	const client = await start({ token: ann });

	await assert.rejects(client.authenticate(tokenOf("bob", "user")), { code: "FORBIDDEN" });
	assert.equal((await client.call("whoami")).id, "ann");
});

await test("what is not in the contract, or another role's, is not found", async (start) => {
	const client = await start({ token: ann });

	for (const topic of ["nothing", "message", "report"])
		await assert.rejects(client.subscribe(topic, () => {}).ready, { code: "NOT_FOUND" });
	assert.deepEqual(client.errors.map((error) => error.topic), ["nothing", "message", "report"]);
	await assert.rejects(client.call("kick", "bob"), { code: "NOT_FOUND" });
	await assert.rejects(client.watch("file:1", () => {}).ready, { code: "NOT_FOUND" });
	await assert.rejects(client.publish("announce", { msg: "x" }), { code: "FORBIDDEN" });
});

await test("what does not fit the contract says where", async (start) => {
	const client = await start({ token: ann });
	const bad = { from: { id: "1", name: "A" }, text: "" };

	await assert.rejects(client.publish("chat:x", bad), (error) =>
		error.code === "VALIDATION" && error.message.includes("/text"));
	await assert.rejects(client.call("join", { room: 1 }), { code: "VALIDATION" });
});

await test("a call is answered, and pushes events and changes", async (start) => {
	const client = await start({ token: ann });
	const event = first((fn) => client.on("message", fn));
	let watch;
	const change = first((fn) => watch = client.watch("doc:42", fn));
	const answer = watch.ready.then(() => client.call("join", { room: "garden" }));

	assert.deepEqual(await event,
	    [{ room: "garden", text: "hello", from: "app" }, { event: "message" }]);
	assert.deepEqual(await change, [["a line"], { type: "edit", resource: "doc:42" }]);
	assert.deepEqual(await answer, { ok: true });
});

await test("a call that fails has the application's code and words", async (start) => {
	const client = await start({ token: ann });

	await assert.rejects(client.call("join", { room: "closed" }),
	    { code: "FORBIDDEN", message: "the room is closed" });
});

await test("a call that is not answered ends in one of four ways", async (start) => {
	const [patient, hasty] = [await start({ token: ann }), await start({ token: ann })];
	const control = new AbortController();
	const slow = { room: "slow" };
	const calls = [hasty.call("join", slow, { timeout: 20 }),
	    hasty.call("join", slow, { signal: control.signal }),
	    hasty.call("join", slow)];

	await assert.rejects(calls[0], { code: "TIMEOUT", message: "no answer" });
	control.abort();
	await assert.rejects(calls[1], { name: "AbortError" });
	hasty.close();
	await assert.rejects(calls[2], { code: "DISCONNECTED" });
	await assert.rejects(patient.call("join", slow, { timeout: 0 }), { code: "TIMEOUT" });
	assert.deepEqual([...patient.errors, ...hasty.errors], []);
});

await test("a topic that a new contract has no more is told", async (start) => {
	const client = await start({ token: ann });
	const offs = ["announce", "badge"].map((topic) => client.subscribe(topic, () => {}));
	const refused = first((fn) => { client.onerror = fn; });
	const changed = JSON.parse(readFileSync(contract, "utf8"));

	await Promise.all(offs.map((off) => off.ready));
	delete changed.shared.serverToClient.announce;
	writeFileSync(contract, JSON.stringify(changed));
	execFileSync(busctl, ["reload", "--run-dir", runDir]);
	const [error] = await refused;

	assert.deepEqual([error.code, error.topic], ["NOT_FOUND", "announce"]);
	await assert.rejects(client.subscribe("announce", () => {}).ready, { code: "NOT_FOUND" });
});

process.exitCode = failed ? 1 : 0;
