/*
 * demo_view.test.mjs - what the demo page makes of figures and node ids.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionText, count, hueOf, overview, parseMetrics, waitText, wantsToken, workerOf }
	from "../../worker/web/demo-view.mjs";

function metricsOf(deliveries) {
	return parseMetrics(`# HELP clusterbus_clients clients connected
# TYPE clusterbus_clients gauge
clusterbus_clients{worker="0"} 3
clusterbus_clients{worker="11"} 4
clusterbus_build_info{version="0.1.0",name="x"} 1
clusterbus_workers{state="RUNNING"} 2
clusterbus_worker_state{worker="0"} 2
clusterbus_worker_state{worker="11"} 4
clusterbus_slot_restarts_total{worker="11"} 5
clusterbus_slot_crash_loop{worker="11"} 1
clusterbus_deliveries_total{worker="0"} ${deliveries}
clusterbus_deliveries_total{worker="11"} 7
clusterbus_drop_outbox_total{worker="0"} 1
clusterbus_drop_memory_total{worker="0"} 2
clusterbus_hub_drop_slow_total 10
`);
}

test("a node id tells the worker", () => {
	assert.equal(workerOf("5f0c9a11-13-2"), 13);
	assert.equal(workerOf("5f0c9a11-0-1-77"), 0);
	for (const bad of [null, undefined, "", "worker", "5f0c9a11"])
		assert.equal(workerOf(bad), null);
});

test("the table has a row for each worker and their sums", () => {
	const { rows, total } = overview(metricsOf(100), null, 5000);

	assert.deepEqual(rows.map((row) => [row.worker, row.state, row.clients, row.drops,
	    row.restarts, row.crashLoop, row.rate]),
	    [[0, "running", 3, 3, 0, false, null], [11, "backoff", 4, 0, 5, true, null]]);
	assert.deepEqual(total,
	    { clients: 7, deliveries: 107, drops: 13, restarts: 5, rate: null });
});

test("a rate needs two readings and never falls below zero", () => {
	const first = overview(metricsOf(100), null, 5000);
	const second = overview(metricsOf(600), first, 7000);
	const third = overview(metricsOf(0), second, 9000);

	assert.equal(second.rows[0].rate, 250);
	assert.equal(second.rows[1].rate, 0);
	assert.equal(second.total.rate, 250);
	assert.equal(third.rows[0].rate, 0);
});

test("a text without figures is an empty table", () => {
	const { rows, total } = overview(parseMetrics("<html>"), null, 0);

	assert.deepEqual(rows, []);
	assert.equal(total.clients, 0);
});

test("the sentence says where this window is, or when it tries again", () => {
	const open = { state: "open", node: "5f0c9a11-3-1" };

	assert.equal(connectionText(open, open.node), "This window is on worker 3");
	assert.equal(connectionText({ ...open, user: "ann" }, "5f0c9a11-4-1"),
	    "This window is on worker 4, as ann"); /* it has been moved */
	assert.equal(waitText(open, 0), "");
	assert.equal(connectionText({ state: "waiting" }), "No connection.");
	assert.equal(waitText({ state: "waiting", retryAt: 5200 }, 1000), "Next try in 5 s");
	assert.equal(waitText({ state: "waiting", retryAt: 5 }, 1000), "Next try in 0 s");
	assert.match(connectionText({ state: "connecting" }), /^Connecting/);
	assert.match(connectionText({ state: "closed" }), /turned this window away/);
});

test("a token is asked for when the bus wants one or turns the window away", () => {
	assert.match(connectionText({ state: "authenticating" }), /wants a token/);
	assert.deepEqual(["connecting", "authenticating", "open", "waiting", "closed"]
		.filter((state) => wantsToken({ state })), ["authenticating", "closed"]);
});

test("counts and colours are for people", () => {
	assert.equal(count(1234567.4), "1,234,567");
	assert.equal(new Set([0, 1, 2, 3, 4, 5, 6, 7].map(hueOf)).size, 8);
});
