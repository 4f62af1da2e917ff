// What the programs here share: a deadline, and a last line that says "ok".
import assert from "node:assert/strict";

export { assert };

const limit = setTimeout(() => {
	console.error("not within 20 s");
	process.exit(1);
}, 20000);

// Wait until the condition holds.
export async function until(condition, what) {
	const end = Date.now() + 10000;
	while (!(await condition())) {
		if (Date.now() > end)
			throw new Error("never: " + what);
		await new Promise((done) => setTimeout(done, 5));
	}
}

// A list that can be waited for.
export function inbox() {
	const got = [];
	const reach = (count) => until(() => got.length >= count,
		`${count} messages, only ${JSON.stringify(got)}`);
	return Object.defineProperty(got, "reach", { value: reach });
}

// Run the program; its clients are closed by itself.
export async function run(program) {
	try {
		await program();
		clearTimeout(limit);
		console.log("ok");
		process.exit(0);
	} catch (error) {
		console.error(error);
		process.exit(1);
	}
}
