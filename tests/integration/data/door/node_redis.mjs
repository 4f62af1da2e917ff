// node-redis at the door, with both versions of the protocol.
import { createClient } from "redis";
import { assert, inbox, run } from "./check.mjs";

async function talk(RESP) {
	const socket = { path: process.argv[2] };
	const options = { socket, RESP, name: "node" };
	const one = await createClient(options).connect();
	const two = await one.duplicate().connect();
	const got = inbox();

	assert.equal(await one.ping(), "PONG");
	assert.equal(await one.clientGetName(), "node");
	const hear = (text, channel) => got.push([channel, text]);
	await two.subscribe("news", hear);
	await two.pSubscribe("n?ws", hear);
	await two.sSubscribe("shard", hear);
	assert.equal(await one.publish("news", "hello"), 2);
	await got.reach(2);
	assert.deepEqual(got, [["news", "hello"], ["news", "hello"]]);
	assert.equal(await one.sPublish("shard", "bits"), 1);
	await got.reach(3);
	assert.deepEqual(got[2], ["shard", "bits"]);
	assert.deepEqual(await one.pubSubChannels("n*"), ["news"]);
	assert.deepEqual({ ...await one.pubSubNumSub(["news"]) }, { news: 1 });
	assert.equal(await one.pubSubNumPat(), 1);
	await assert.rejects(one.sendCommand(["NOPE", "x"]),
		/unknown command 'NOPE', with args beginning with: 'x'/);
	await two.unsubscribe("news");
	await two.pUnsubscribe();
	await two.sUnsubscribe();
	assert.equal(await one.publish("news", "nobody"), 0);
	await one.close();
	await two.close();
}

run(async () => {
	await talk(2);
	await talk(3);
});
