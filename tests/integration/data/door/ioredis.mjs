// ioredis at the door: its ready check, names, patterns, buffers, pipelines.
import { Redis } from "ioredis";
import { assert, inbox, run } from "./check.mjs";

run(async () => {
	const options = { path: process.argv[2], connectionName: "io" };
	const one = new Redis(options);
	const two = new Redis(options);
	const got = inbox(), patterns = inbox(), buffers = inbox();

	assert.equal(await one.ping(), "PONG");
	assert.equal(await one.client("GETNAME"), "io");
	assert.match(await one.info(), /role:master/);
	assert.equal(one.status, "ready");
	two.on("message", (channel, text) => got.push([channel, text]));
	two.on("messageBuffer", (channel, data) => buffers.push(data));
	two.on("pmessage", (pattern, channel, text) =>
		patterns.push([pattern, channel, text]));
	assert.equal(await two.subscribe("news", "more"), 2);
	assert.equal(await two.psubscribe("ne*"), 3);
	assert.equal(await one.publish("news", "hello"), 2);
	assert.equal(await one.publish("more", Buffer.from([0, 255])), 1);
	await got.reach(2);
	await patterns.reach(1);
	assert.deepEqual(got[0], ["news", "hello"]);
	assert.deepEqual(buffers[1], Buffer.from([0, 255]));
	assert.deepEqual(patterns[0], ["ne*", "news", "hello"]);
	assert.deepEqual(await one.pubsub("NUMSUB", "news", "none"),
		["news", 1, "none", 0]);
	const answers = await one.pipeline().publish("none", "1")
		.echo("two").pubsub("NUMPAT").exec();
	assert.deepEqual(answers, [[null, 0], [null, "two"], [null, 1]]);
	await assert.rejects(one.call("nope", "x"),
		/unknown command 'nope', with args beginning with: 'x'/);
	assert.equal(await two.unsubscribe("news"), 2);
	assert.equal(await two.unsubscribe("more"), 1);
	assert.equal(await two.punsubscribe("ne*"), 0);
	assert.equal(await two.echo("free again"), "free again");
	await one.quit();
	await two.quit();
});
