// crossws's redis() driver: two instances, with ioredis and with node-redis.
import { redis } from "crossws/sync";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { assert, inbox, run } from "./check.mjs";

const path = process.argv[2];

async function talk(make, connector) {
	const instances = [];

	for (const id of ["11111111-1111-4111-8111-111111111111",
		"22222222-2222-4222-8222-222222222222"]) {
		const sync = redis({ client: await make(), channel: "my-app",
			connector })({ id });
		const got = inbox();
		await sync.subscribe((message) => got.push(message));
		instances.push({ sync, got });
	}
	const [a, b] = instances;
	const text = { namespace: "/_ws", topic: "chat", data: 'h"é\u2028' };
	const bytes = { namespace: "", topic: "chat",
		data: new Uint8Array([0, 1, 255]) };
	await a.sync.publish(text);
	await b.got.reach(1);
	await b.sync.publish(bytes);
	await a.got.reach(1);
	assert.deepEqual(b.got, [text]);
	assert.deepEqual(a.got, [bytes]);
	await a.sync.close();
	await b.sync.close();
}

run(async () => {
	await talk(async () => new Redis({ path }), "ioredis");
	await talk(async () => createClient({ socket: { path } }).connect(),
		"node-redis");
});
