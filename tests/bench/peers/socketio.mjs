/*
 * socketio.mjs - a bus made of socket.io, as its documentation shows it.
 *
 * Usage: node socketio.mjs PORT WORKERS.  One worker: this process alone.
 * More: node:cluster, joined by @socket.io/cluster-adapter.  Clients use
 * WebSocket only, so that no sticky sessions are needed.  Events: "sub" TOPIC
 * (acknowledged), "pub" TOPIC PAYLOAD; subscribers get "m" PAYLOAD.
 */
import cluster from "node:cluster";
import { createServer } from "node:http";
import { createRequire } from "node:module";

/* The packages are where the benchmark put them, not beside this file. */
const require = createRequire(process.env.BENCH_MODULES + "/");
const { Server } = require("socket.io");
const adapter = require("@socket.io/cluster-adapter");

const port = Number(process.argv[2]);
const workers = Number(process.argv[3]);

function serve(joined) {
	const server = createServer();
	const io = new Server(server, {
		transports: ["websocket"],
		serveClient: false,
		maxHttpBufferSize: 16 << 20,
		...(joined ? { adapter: adapter.createAdapter() } : {}),
	});
	io.on("connection", (socket) => {
		socket.on("sub", (topic, done) => {
			socket.join(topic);
			done();
		});
		socket.on("pub", (topic, payload) => {
			io.to(topic).emit("m", payload);
		});
	});
	server.listen(port, "127.0.0.1", () => {
		if (process.send)
			process.send("ready");
		else
			console.log("ready");
	});
}

if (workers === 1) {
	serve(false);
} else if (cluster.isPrimary) {
	let ready = 0;
	adapter.setupPrimary();
	cluster.on("message", (worker, message) => {
		if (message === "ready" && ++ready === workers)
			console.log("ready");
	});
	for (let i = 0; i < workers; i++)
		cluster.fork();
} else {
	serve(true);
}
