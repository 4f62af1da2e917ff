/*
 * crossws.mjs - a bus made of crossws, as its documentation shows it.
 *
 * Usage: node crossws.mjs PORT WORKERS [REDIS-SOCKET].  One worker: this
 * process alone, or joined with others by that Redis and ioredis.  More:
 * node:cluster, joined by crossws's cluster sync.  Messages are
 * "s TOPIC" answered by "k", and "p TOPIC PAYLOAD"; subscribers get the
 * payload alone.  Nothing is done that an application would not do.
 */
import cluster from "node:cluster";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/* The packages are where the benchmark put them, not beside this file. */
const require = createRequire(process.env.BENCH_MODULES + "/");
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

const port = Number(process.argv[2]);
const workers = Number(process.argv[3]);
const path = process.argv[4];

async function serve(sync) {
	const { default: crossws } = await load("crossws/adapters/node");
	const ws = crossws({
		sync,
		hooks: {
			message(peer, message) {
				const text = message.text();
				const space = text.indexOf(" ", 2);
				if (text[0] === "s") {
					peer.subscribe(text.slice(2));
					peer.send("k");
				} else {
					peer.publish(text.slice(2, space),
						text.slice(space + 1));
				}
			},
		},
	});
	const server = createServer((request, response) => response.end());
	server.on("upgrade", ws.handleUpgrade);
	server.listen(port, "127.0.0.1", () => {
		if (process.send)
			process.send("ready");
		else
			console.log("ready");
	});
}

const sync = await load("crossws/sync");
if (path) {
	const { Redis } = await load("ioredis");
	await serve(sync.redis({ client: new Redis({ path }),
		channel: "bench" }));
} else if (workers === 1) {
	await serve(undefined);
} else if (cluster.isPrimary) {
	let ready = 0;
	await sync.setupPrimaryCluster();
	cluster.on("message", (worker, message) => {
		if (message === "ready" && ++ready === workers)
			console.log("ready");
	});
	for (let i = 0; i < workers; i++)
		cluster.fork();
} else {
	await serve(sync.cluster({ channel: "bench" }));
}
