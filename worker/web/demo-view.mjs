/*
 * demo-view.mjs - what the demo page shows, worked out without a page.
 *
 * Pure functions: the text of /metrics, node ids, times and counts to what a
 * person reads. demo.mjs puts it on the page.
 */

const STATES = ["empty", "starting", "running", "draining", "backoff"];

/** "5f0c9a11-3-1" is worker 3. null: no node id. */
export function workerOf(node) {
	const found = /^[0-9a-f]{8}-(\d+)-\d+/.exec(node || "");

	return found ? Number(found[1]) : null;
}

/** A colour for each worker, far from its neighbours' ones. */
export function hueOf(worker) {
	return Math.round((worker * 137.508) % 360);
}

/** 1234567 is "1,234,567". */
export function count(value) {
	return Math.round(value).toLocaleString("en");
}

/**
 * Read Prometheus text: a Map of metric name to a Map of worker number (null
 * for a metric without one) to value. Metrics with other labels are left out.
 */
export function parseMetrics(text) {
	const metrics = new Map();
	const line = /^clusterbus_(\w+)(?:\{worker="(\d+)"\})? (\S+)$/gm;

	for (const [, name, worker, value] of text.matchAll(line)) {
		if (!metrics.has(name))
			metrics.set(name, new Map());
		metrics.get(name).set(
		    worker === undefined ? null : Number(worker), Number(value));
	}
	return metrics;
}

function read(metrics, name, worker) {
	return metrics.get(name)?.get(worker) ?? 0;
}

/* Every cause of a drop has a counter drop_CAUSE of its own. */
function drops(metrics, worker) {
	let sum = 0;

	for (const name of metrics.keys())
		if (/^drop_\w+_total$/.test(name))
			sum += read(metrics, name, worker);
	return sum;
}

/**
 * The table: a row for each worker, and the totals.
 * @param {Map} metrics of parseMetrics()
 * @param {?object} before what this returned last time
 * @param {number} now milliseconds
 */
export function overview(metrics, before, now) {
	const rows = [];
	const total = { clients: 0, deliveries: 0, drops: 0, restarts: 0 };

	for (const worker of (metrics.get("worker_state") || new Map()).keys()) {
		const row = {
			worker,
			state: STATES[read(metrics, "worker_state", worker)] || "unknown",
			crashLoop: read(metrics, "slot_crash_loop", worker) > 0,
			clients: read(metrics, "clients", worker),
			deliveries: read(metrics, "deliveries_total", worker),
			drops: drops(metrics, worker),
			restarts: read(metrics, "slot_restarts_total", worker),
		};
		const last = before?.rows.find((r) => r.worker === worker);

		row.rate = rate(row.deliveries, last?.deliveries, now - before?.at);
		for (const key of Object.keys(total))
			total[key] += row[key];
		rows.push(row);
	}
	/* What the hub drops is for one node, but not by it. */
	total.drops += read(metrics, "hub_drop_slow_total", null);
	total.rate = rows.some((row) => row.rate === null) && before === null ?
	    null : rows.reduce((sum, row) => sum + (row.rate || 0), 0);
	return { at: now, rows, total };
}

function rate(value, last, ms) {
	if (last === undefined || !(ms > 0))
		return null;
	return Math.max(0, value - last) * 1000 / ms;
}

/**
 * The sentence at the top of the page.
 * @param {object} client
 * @param {?string} node it was last heard of on: welcome's, until it is moved
 */
export function connectionText(client, node) {
	if (client.state === "open") {
		const worker = workerOf(node);

		return (worker === null ? `Connected to ${node}` :
		    `This window is on worker ${worker}`) + (client.user ? `, as ${client.user}` : "");
	}
	if (client.state === "connecting")
		return "Connecting…";
	if (client.state === "authenticating")
		return "Connected. This bus wants a token.";
	if (client.state === "closed")
		return "The bus turned this window away";
	return "No connection.";
}

/** Whether a person must give a token, the first or a better one. */
export function wantsToken(client) {
	return client.state === "authenticating" || client.state === "closed";
}

/** What goes on counting behind it. */
export function waitText(client, now) {
	if (client.state !== "waiting")
		return "";
	return `Next try in ${Math.max(0, Math.ceil((client.retryAt - now) / 1000))} s`;
}
