/*
 * crossws_pgsql_server.mjs - an application of others on our channel.
 *
 * usage: node crossws_pgsql_server.mjs DATABASE_URL CHANNEL
 *
 * Started by pgsql_sync_test.py: crossws and pg from npm as they are. Every
 * peer subscribes to "chat", what it sends is published there; "all:TEXT" goes
 * to every namespace. Prints the port it listens on.
 */
import { createServer } from "node:http";
import crossws from "crossws/adapters/node";
import { pgsql } from "crossws/sync";
import pg from "pg";

const [, , connectionString, channel] = process.argv;
const client = new pg.Client({ connectionString });

await client.connect();

const sockets = crossws({
	sync: pgsql({ client, channel }),
	hooks: {
		open(peer) {
			peer.subscribe("chat");
			peer.send("welcome");
		},
		message(peer, message) {
			const bytes = message.uint8Array();
			const text = message.text();

			if (text.startsWith("all:"))
				sockets.publish("chat", text.slice(4));
			else
				peer.publish("chat", bytes[0] < 9 ? bytes : text);
		},
	},
	onError(error, { stage }) {
		console.error(stage, error);
	},
});
const server = createServer((request, response) => response.end());

server.on("upgrade", sockets.handleUpgrade);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
