/*
 * demo.mjs - the demo page: a chat over the bus and a table of its workers.
 *
 * The chat is one topic. A message carries the writer's name and words; which
 * worker it came from is told by the bus. Everything that others wrote is put
 * on the page as text, never as markup. The figures are read from /metrics,
 * which tells the same whichever worker answers. A token, where the bus wants one, is
 * asked for, and kept for this window as long as it is good.
 */
import { connect } from "./bus.mjs";
import { connectionText, count, hueOf, overview, parseMetrics, waitText, wantsToken, workerOf }
	from "./demo-view.mjs";

const TOPIC = "demo";
const LOG_MAX = 200;
const POLL_MS = 2000;

const $ = (id) => document.getElementById(id);

function element(tag, attributes, ...children) {
	const made = Object.assign(document.createElement(tag), attributes);

	made.append(...children);
	return made;
}

function workerDot(worker) {
	const dot = element("span", { className: "worker-dot" });

	dot.style.setProperty("--hue", hueOf(worker));
	dot.setAttribute("aria-hidden", "true");
	return dot;
}

/* ---- connection ---- */

let token = sessionStorage.getItem("token");
const client = open({ onerror: showError,
    ongap: (topic, missed) => addNotice(`${missed} missed: this window was too slow`) });

/* A window that is moved to another worker notices nothing; what it says does. */
let node = null;

client.onstate = () => { node = client.node; keepToken(); showConnection(); };

function open(options) {
	try {
		return connect(null, { ...options, token });
	} catch (error) { /* the token is none */
		return connect(null, options);
	}
}

async function useToken(event) {
	event.preventDefault();
	token = $("token").value.trim();
	$("token-error").textContent = "";
	if (client.state === "closed") {
		sessionStorage.setItem("token", token);
		return location.reload();
	}
	try {
		await client.authenticate(token);
	} catch (error) {
		$("token-error").textContent = error.message;
	}
}

/* Only when the state changes: the next page's token may be there already. */
function keepToken() {
	if (client.state === "open" && token)
		sessionStorage.setItem("token", token);
	else if (client.state === "closed")
		sessionStorage.removeItem("token");
}

function showConnection() {
	const text = connectionText(client, node);

	$("connection").dataset.state = client.state;
	$("connection").dataset.node = node || "";
	$("connection").title = client.conn ? `Connection ${client.conn}` : "";
	/* Only a change is written, for a screen reader says it aloud. */
	if ($("connection-text").textContent !== text)
		$("connection-text").textContent = text;
	$("connection-wait").textContent = waitText(client, Date.now());
	$("retry").hidden = client.state !== "waiting";
	$("token-form").hidden = !wantsToken(client);
	for (const row of $("workers").rows)
		markHere(row);
}

function showError(error) {
	const place = wantsToken(client) ? "token-error" : "say-error";

	$(place).textContent = error.topic ?
	    `The bus refuses topic “${error.topic}”: ${error.message}` : error.message;
}

/* ---- chat ---- */

function addLine(item) {
	const log = $("log");
	const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;

	log.append(item);
	while (log.children.length > LOG_MAX)
		log.firstElementChild.remove();
	if (atEnd)
		log.scrollTop = log.scrollHeight;
	$("log-empty").hidden = true;
}

function addNotice(text) {
	addLine(element("li", { className: "notice", textContent: text }));
}

function addMessage(data, { from }) {
	const worker = workerOf(from);
	const mine = data.window === windowId;
	const item = element("li", { className: mine ? "mine" : "" },
	    element("span", { className: "who", textContent: String(data.name) }));

	if (worker !== null)
		item.append(element("span", { className: "from" }, workerDot(worker),
		    `worker ${worker}`));
	item.append(element("span", { className: "text", textContent: String(data.text) }));
	addLine(item);
	if (mine && node !== from) {
		node = from;
		showConnection();
	}
}

const windowId = Math.random().toString(36).slice(2);

async function say(event) {
	event.preventDefault();
	const text = $("text").value;

	$("say-error").textContent = "";
	try {
		localStorage.setItem("name", $("name").value);
		await client.publish(TOPIC, { window: windowId, name: $("name").value, text });
		if ($("text").value === text)
			$("text").value = "";
	} catch (error) {
		$("say-error").textContent = `Not sent: ${error.message}`;
	}
}

/* ---- figures ---- */

let figures = null;

function cell(text, attributes) {
	return element("td", { className: "number", textContent: text, ...attributes });
}

function markHere(row) {
	const here = Number(row.dataset.worker) === workerOf(node);

	row.classList.toggle("here", here);
	row.querySelector(".here-mark").hidden = !here;
}

function workerRow(row) {
	const state = element("td", { textContent: row.crashLoop ?
	    `${row.state}, keeps dying` : row.state });
	const made = element("tr", {},
	    element("th", { scope: "row" }, workerDot(row.worker), String(row.worker),
		element("span", { className: "here-mark", textContent: "here", title: "This window is on this worker" })),
	    state, cell(count(row.clients)), cell(count(row.deliveries)),
	    cell(row.rate === null ? "–" : count(row.rate)),
	    cell(count(row.drops), row.drops ? { className: "number warn" } : {}),
	    cell(count(row.restarts)));

	state.dataset.state = row.crashLoop ? "backoff" : row.state;
	made.dataset.worker = row.worker;
	markHere(made);
	return made;
}

function showFigures() {
	const { total, rows } = figures;

	$("total-clients").textContent = count(total.clients);
	$("total-rate").textContent = total.rate === null ? "–" : count(total.rate);
	$("total-drops").textContent = count(total.drops);
	$("total-drops").classList.toggle("warn", total.drops > 0);
	$("total-restarts").textContent = count(total.restarts);
	$("workers").replaceChildren(...rows.map(workerRow));
}

function showAge() {
	const age = figures ? Math.round((Date.now() - figures.at) / 1000) : null;
	const stale = age === null ? performance.now() > 3 * POLL_MS : age * 1000 > 3 * POLL_MS;

	$("figures-age").classList.toggle("stale", stale);
	if (stale)
		$("figures-age").textContent = age === null ? "The figures cannot be read." :
		    `These figures are ${age} s old: no worker answers.`;
	else if (age !== null)
		$("figures-age").textContent = "Read every two seconds from /metrics.";
}

async function poll() {
	try {
		const answer = await fetch("/metrics",
		    { signal: AbortSignal.timeout(5 * POLL_MS) });

		if (!answer.ok)
			throw new Error(`status ${answer.status}`);
		figures = overview(parseMetrics(await answer.text()), figures, Date.now());
		showFigures();
	} catch (error) {
		/* showAge() tells it: the figures grow old. */
	}
	showAge();
	setTimeout(poll, POLL_MS);
}

/* ---- start ---- */

$("name").value = localStorage.getItem("name") ||
    `guest ${100 + Math.floor(Math.random() * 900)}`;
$("say").addEventListener("submit", say);
$("token-form").addEventListener("submit", useToken);
/* The library takes this event for "the network is back". */
$("retry").addEventListener("click", () => dispatchEvent(new Event("online")));
client.subscribe(TOPIC, addMessage);
showConnection();
setInterval(() => { showConnection(); showAge(); }, 250);
poll();
