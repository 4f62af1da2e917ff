/*
 * Uses of the types that are made of chat.json.  What must not compile stands
 * under a @ts-expect-error, which is an error itself when it does compile.
 */
import type { BusClient, ModeratorClient, Off, SharedClient, User, UserClient } from "./chat";

declare const shared: SharedClient;
declare const user: UserClient;
declare const moderator: ModeratorClient;
const ann: User = { id: "1", name: "Ann", likes: [{ id: "2", name: "Bob" }] };

/* ---- topics */
const off: Off = shared.subscribe("announce", (data, { from }) => {
	const text: string = data.msg + from;
	return text;
});
off();
shared.subscribe("chat:garden", (data) => data.from.likes?.[0]?.name.length);
shared.subscribe("chat:lobby", (data) => data.toUpperCase());
user.subscribe("badge", (data) => data + 1);
const room: string = "garden";
user.subscribe(`chat:${room}`, (data) => data.text);
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

/* ---- publishing */
user.publish("chat:garden", { from: ann, text: "hello" });
user.publish("chat:garden", { from: ann, text: "hello", mood: null }, { echo: false });
user.publish("chat:lobby", "hello");
user.publish("position", [1, 2.5]);
// @ts-expect-error clients may not publish to it
user.publish("announce", { msg: "hello" });
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

/* ---- events */
user.on("message", (data) => data.room + data.text + data.from)();
moderator.on("report", (data) => data["spam"]?.toFixed());
// @ts-expect-error this is a topic
user.on("announce", () => {});
// @ts-expect-error this is another role's
user.on("report", () => {});

/* ---- methods */
export async function calls(): Promise<boolean> {
	const me: User = await shared.call("whoami");
	await shared.call("whoami", null);
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
	return moderator.call("kick", "ann");
}

/* ---- what all clients have */
const any: BusClient = moderator;
any.ping().then((ms) => ms.toFixed());
any.close(1000, "enough");
