/*
 * use.js - the npm package at work; npm_package_test.py puts the lines that
 * import it, and maybe a WebSocket, in front. tsc reads the types in comments.
 *
 * usage: node use.mjs URL
 */
async function main() {
	const url = process.argv[2];
	/** @type {string[]} */
	const got = [];
	const reader = connect(url, { WebSocket, binary: true });
	const writer = connect(url, { WebSocket });
	/** @type {Promise<void>} */
	const all = new Promise((resolve) => {
		reader.subscribe("npm", (data, info) => {
			got.push(info.binary ? "bytes " + data.join() : JSON.stringify(data));
			if (got.length === 3)
				resolve();
		}).ready.then(async () => {
			await writer.publish("npm", { text: "hello" });
			await writer.publish("npm");
			await writer.publish("npm", Uint8Array.of(1, 2, 255));
		});
	});

	await all;
	const ms = await reader.ping();
	const code = await writer.publish("", 1).catch((error) =>
		error instanceof BusError ? error.code : error);

	reader.close();
	writer.close();
	console.log(JSON.stringify([got, ms < 10000, code, reader.state]));
}

main();
