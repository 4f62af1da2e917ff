/*
 * A WebSocket server of crossws, as its manual shows it, on a Redis channel.
 *
 *	node redis_server.mjs PATH-OF-REDIS-SOCKET CHANNEL ioredis|node-redis
 *
 * Everybody subscribes to room:1 and publishes there what is sent.  Prints
 * "port N" when it is ready, "error STAGE TEXT" when crossws tells of one.
 */
import { createServer } from "node:http";

import nodeAdapter from "crossws/adapters/node";
import { redis } from "crossws/sync";
import Redis from "ioredis";
import { createClient } from "redis";

const [path, channel, flavour] = process.argv.slice(2);
const client =
	flavour === "ioredis"
		? new Redis({ path })
		: await createClient({ socket: { path } }).connect();

const ws = nodeAdapter({
	hooks: {
		open(peer) {
			peer.subscribe("room:1");
			peer.send("welcome");
		},
		message(peer, message) {
			const raw = message.rawData;

			peer.publish(
				"room:1",
				typeof raw === "string" ? raw : message.uint8Array(),
			);
		},
	},
	sync: redis({ client, channel }),
	onError(error, { stage }) {
		console.log("error", stage, String(error));
	},
});

const server = createServer((_request, response) => {
	response.end();
});

server.on("upgrade", ws.handleUpgrade);
server.listen(0, "127.0.0.1", () => {
	console.log("port", server.address().port);
});
process.on("SIGTERM", () => {
	process.exit(0);
});
