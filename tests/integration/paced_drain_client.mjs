/*
 * paced_drain_client.mjs - many clients of the client library that note when they are sent away
 * and when they come back. Started by paced_drain_test.py, which writes a line to ask for what
 * was noted since the last one.
 *
 * usage: node paced_drain_client.mjs URL COUNT CERTIFICATE
 *
 * A line is answered with {"open": how many are, "latencies": ms of publishes between two of
 * them, "lag": the longest that this process itself was late, "clients": [{"closes": [],
 * "dials": [], "opens": []}]}, times in ms.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import WebSocket from "ws";

const { connect } = createRequire(import.meta.url)("../../worker/web/bus.js");
const [url, count, certificate] = process.argv.slice(2);
const ca = readFileSync(certificate);
const PUBLISH_MS = 10;
const LAG_MS = 4;
const now = () => performance.now();
const clients = [];
let latencies = [], lag = 0, ticked;

function start() {
	const note = { closes: [], dials: [], opens: [] };
	/* bus.js calls this at the moment at which it connects. */
	const Socket = class extends WebSocket {
		constructor(to, protocols) {
			note.dials.push(now());
			super(to, protocols, { ca });
		}
	};
	const onclose = ({ code, reason, retryIn }) =>
		note.closes.push({ at: now(), code, reason, retryIn });
	const client = connect(url, { WebSocket: Socket, onclose, onerror: () => {}, heartbeat: 0,
	    onstate: (state) => state === "open" && note.opens.push({ at: now(), node: client.node }) });

	clients.push({ client, note });
	return client;
}

const listener = start(), speaker = start();

/* Not what waited in the client for its next connection. */
listener.subscribe("time", ([sent, conn]) => conn === speaker.conn && latencies.push(now() - sent));
while (clients.length < Number(count)) {
	const client = start();

	await new Promise((resolve) => setTimeout(resolve, client.state === "open" ? 0 : 2));
}
setInterval(() => speaker.state === "open" &&
    speaker.publish("time", [now(), speaker.conn]).catch(() => {}), PUBLISH_MS);

ticked = now();
setInterval(() => {
	lag = Math.max(lag, now() - ticked - LAG_MS);
	ticked = now();
}, LAG_MS);

createInterface({ input: process.stdin }).on("line", () => {
	const open = clients.filter(({ client }) => client.state === "open").length;
	const notes = clients.map(({ note }) => ({ ...note }));

	console.log(JSON.stringify({ open, latencies, lag, clients: notes }));
	latencies = [];
	lag = 0;
	clients.forEach(({ note }) => Object.assign(note, { closes: [], dials: [], opens: [] }));
}).on("close", () => process.exit(0));
