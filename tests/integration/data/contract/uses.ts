/*
 * Uses of bus.js with the types that are made of chat.json.  What must not
 * compile stands under a @ts-expect-error, which is an error itself when it
 * does compile.
 */
import { BusError, Client, connect } from "clusterbus";
import type { ClientError, ErrorCode, Off, State, TopicData } from "clusterbus";
import type * as chat from "./chat";

const shared = connect<chat.Shared>("wss://host/bus");
const user = connect<chat.User>("wss://host/bus", { token: "a.b.c", binary: true });
const moderator: Client<chat.Moderator> = connect(null, {
	token: async () => (await fetch("/token")).text(),
	onstate: (state, client) => state === "authenticating" && client.authenticate("x"),
	onerror: (error) => error.code === "FORBIDDEN" && error.topic?.length,
});
const ann: chat.Types.User = { id: "1", name: "Ann", likes: [{ id: "2", name: "Bob" }] };

/* ---- topics */
const off: Off = shared.subscribe("announce", (data, { from }) => {
	const text: string = data.msg + from;
	return text;
});
off();
off.ready.then((nothing: void) => nothing);
shared.subscribe("chat:garden", (data) => data.from.likes?.[0]?.name.length);
shared.subscribe("chat:lobby", (data) => data.toUpperCase());
user.subscribe("badge", (data) => data + 1);
const room: string = "garden";
user.subscribe(`chat:${room}`, (data) => data.text);
const said: TopicData<chat.User, "chat:x"> = { from: ann, text: "hello" };
// @ts-expect-error there is no such topic
shared.subscribe("anounce", () => {});
// @ts-expect-error this is an event
shared.subscribe("message", () => {});
// @ts-expect-error this is another role's
shared.subscribe("badge", () => {});
// @ts-expect-error this is another role's
moderator.subscribe("badge", () => {});
// @ts-expect-error there is no such member
shared.subscribe("announce", (data) => data.message);
// @ts-expect-error the plain name is meant, and its data is a string
shared.subscribe("chat:lobby", (data) => data.text);
// @ts-expect-error it need not be there
shared.subscribe("chat:garden", (data) => data.at.toFixed());
// @ts-expect-error it can only be called
off.subscribe("announce", () => {});

/* ---- publishing */
user.publish("chat:garden", said);
user.publish("chat:garden", { from: ann, text: "hello", mood: null }, { echo: false });
user.publish("chat:lobby", "hello", { timeout: 100, signal: new AbortController().signal });
user.publish("position", [1, 2.5]);
// @ts-expect-error clients may not publish to it
user.publish("announce", { msg: "hello" });
// @ts-expect-error data is missing
user.publish("chat:lobby");
// @ts-expect-error a member is missing
user.publish("chat:garden", { text: "hello" });
// @ts-expect-error a member has the wrong type
user.publish("chat:garden", { from: ann, text: 1 });
// @ts-expect-error this is none of the values
user.publish("chat:garden", { from: ann, text: "hello", mood: "glad" });
// @ts-expect-error too few items
user.publish("position", [1]);
// @ts-expect-error too many items
user.publish("position", [1, 2, 3]);
// @ts-expect-error a user has no such member
user.publish("chat:garden", { from: { id: "1", name: "A", age: 1 }, text: "hello" });
// @ts-expect-error there is no such option
user.publish("chat:lobby", "hello", { echoes: false });

/* ---- events */
user.on("message", (data, { event }) => data.room + data.text + data.from + event)();
moderator.on("report", (data) => data["spam"]?.toFixed());
// @ts-expect-error this is a topic
user.on("announce", () => {});
// @ts-expect-error this is another role's
user.on("report", () => {});

/* ---- resources */
user.watch("profile", (data, { resource, type }) => data.name + resource + type)();
user.watch("doc:42", (data) => data.map((line) => line.length));
// @ts-expect-error there is no such resource
user.watch("file:42", () => {});
// @ts-expect-error this is a list
user.watch("doc:42", (data) => data.name);

/* ---- methods */
export async function calls(): Promise<boolean> {
	const me: chat.Types.User = await shared.call("whoami");
	await shared.call("whoami", null, { timeout: 1000 });
	const answer = await user.call("join", { room: "garden" });
	if (!answer.ok)
		throw new Error(answer.why + me.name);
	// @ts-expect-error there is no reason when all is well
	answer.why;
	// @ts-expect-error the input is missing
	await user.call("join");
	// @ts-expect-error the input has the wrong type
	await user.call("join", { room: 7 });
	// @ts-expect-error this is another role's
	await user.call("kick", "ann");
	// @ts-expect-error the output has another type
	const kicked: string = await moderator.call("kick", kicked);
	return moderator.call("kick", "ann");
}

/* ---- what all clients have */
user.ping({ timeout: 100 }).then((ms) => ms.toFixed());
user.authenticate().then(({ user: name, role }) => name?.length ?? role?.length);
user.onstate = (state: State, client) => { client.on("message", () => {}); };
user.onerror = (error: ClientError) => { console.log(error.resource, error.message); };
user.ongap = (topic, missed) => topic.repeat(missed);
user.close(1000, "enough");
export const who: string = user.user ?? user.role ?? user.conn ?? user.node ?? user.state;
const code: ErrorCode = new BusError("TIMEOUT").code;
// @ts-expect-error there is no such code
if (code === "TIME_OUT") user.close();
// @ts-expect-error the library sets it
user.state = "open";
// @ts-expect-error a client is made by connect()
new Client("wss://host/bus");
// @ts-expect-error there is no such option
connect("wss://host/bus", { tokens: "x" });
// @ts-expect-error a token is a string
connect("wss://host/bus", { token: 1 });
// @ts-expect-error this is no contract
connect<{ topics: {} }>("wss://host/bus");

/* ---- a bus without a contract takes everything */
const open = connect();
open.subscribe("anything", (data) => data.at.all);
open.on("anything", (data) => data.at.all);
open.watch("anything", (data) => data.at.all);
open.publish("anything", new Uint8Array(1));
open.publish("anything");
open.call("anything", 1).then((answer) => answer.at.all);
// @ts-expect-error a topic is a string
open.subscribe(1, () => {});
