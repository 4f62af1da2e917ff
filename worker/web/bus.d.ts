/**
 * bus.d.ts - the types of bus.js, and the reference of its calls.
 *
 * A client knows what may be said when it is given a contract's types:
 *
 *	busctl contract types --lang ts chat.json >chat.d.ts
 *
 *	import type * as chat from "./chat";
 *	const bus = connect<chat.User>("wss://host/bus");
 *
 * connect<chat.User>() is for clients whose role is "user", chat.Shared for those that have
 * none. Without any, all topics, events and methods are taken, and their data is any.
 */

/** Why something did not work. */
export type ErrorCode =
	| "BAD_REQUEST" | "UNAUTHORIZED" | "FORBIDDEN" | "NOT_FOUND" | "VALIDATION" | "TOO_LARGE"
	| "RATE_LIMITED" | "TIMEOUT" | "DISCONNECTED" | "INTERNAL";

/** What Promises are rejected with, and what onerror gets. */
export class BusError extends Error {
	constructor(code: ErrorCode, message?: string);
	readonly name: "BusError";
	readonly code: ErrorCode;
	/** The topic or resource that was refused, for onerror. */
	readonly topic?: string;
	readonly resource?: string;
}

/** What onerror gets: a BusError, or what a handler or the token function has thrown. */
export type ClientError = Error & Partial<Pick<BusError, "code" | "topic" | "resource">>;

/**
 * connecting: on the way. authenticating: connected, but the bus wants a token. open: all is
 * well. waiting: for the next try, at retryAt. closed: for good.
 */
export type State = "connecting" | "authenticating" | "open" | "waiting" | "closed";

/** Call it to stop. */
export interface Off {
	(): void;
	/**
	 * Fulfilled when the bus has acknowledged, rejected when the bus refuses (onerror is told,
	 * too) or when it was stopped before. It speaks of the first time; when a reconnection is
	 * refused what was granted before, onerror alone tells.
	 */
	readonly ready: Promise<void>;
}

export interface TopicInfo {
	topic: string;
	/** The publisher's node; "" when it came in a binary message, which does not say. */
	from: string;
	/** The data is bytes, as Uint8Array. */
	binary: boolean;
}

export interface EventInfo {
	event: string;
}

export interface ChangeInfo {
	resource: string;
	type: string;
}

export interface RequestOptions {
	/** Milliseconds until TIMEOUT, those without a connection included; 0: never. */
	timeout?: number;
	/** Aborted, the Promise is rejected with its reason. The server is not told. */
	signal?: AbortSignal;
}

export interface PublishOptions extends RequestOptions {
	/** false: not to this client itself. Not for bytes. */
	echo?: boolean;
}

/**
 * A token, or a function that gets one: before each connection and before the last one ends.
 * It goes along as a subprotocol, so it may have letters, digits and !#$%&'*+-.^_`|~ only;
 * JSON Web Tokens do.
 */
export type Token = string | (() => string | null | undefined | Promise<string | null | undefined>);

/** Why a connection went. */
export interface CloseInfo {
	/** As the bus has closed it; 1006: it just broke, or could not be had. */
	code: number;
	reason: string;
	/** The worker leaves and asks to come back after so many milliseconds; null: it does not. */
	retryIn: number | null;
}

/** What a WebSocket must have, be it the browser's, Node's or that of the "ws" package. */
export interface WebSocketConstructor {
	new (url: string, protocols: string[]): object;
}

/** Times are in milliseconds. */
export interface Options<C extends Contract = OpenContract> {
	/** Who we are. null from a function: connect without, as nobody. */
	token?: Token;
	/** Receive bytes as they are, and not in base64. Either way handlers get Uint8Array. */
	binary?: boolean;
	/** The implementation; for Node before version 22. */
	WebSocket?: WebSocketConstructor;
	onstate?: Client<C>["onstate"];
	onclose?: Client<C>["onclose"];
	onerror?: Client<C>["onerror"];
	ongap?: Client<C>["ongap"];
	/** First and longest wait before a new try: 500 and 30000. */
	backoffMin?: number;
	backoffMax?: number;
	/** A connection that lived so long makes earlier failures forgotten: 5000. */
	stableAfter?: number;
	/** For a connection, the token included: 10000. */
	connectTimeout?: number;
	/** For the answer to a request: 10000. */
	timeout?: number;
	/** Silence before a ping, which is then waited for: 30000; 0: never. */
	heartbeat?: number;
	/** Requests that may wait for a connection: 1000. More are DISCONNECTED at once. */
	queue?: number;
}

/** What a role may say and hear; `busctl contract types --lang ts` writes these. */
export interface Contract {
	/** Topics with a plain name: what their data is. */
	topics: object;
	/**
	 * Topics with variables in their names, and their data; the first that fits counts. The
	 * compiler follows some hundreds of them, then it gives up.
	 */
	topicPatterns: Patterns;
	/** Topics that clients may publish to. */
	publish: string;
	/** Events: what their data is. */
	events: object;
	/** Methods: { input, output } of each. */
	methods: object;
	/** Resources: what the data of a change is; and those with variables, as above. */
	resources: object;
	resourcePatterns: Patterns;
}
type Patterns = readonly (readonly [name: string, data: unknown])[];

/** Everything goes: a bus without a contract. */
export interface OpenContract extends Contract {
	topics: { [topic: string]: any };
	topicPatterns: [];
	publish: string;
	events: { [event: string]: any };
	methods: { [method: string]: { input: any; output: any } };
	resources: { [resource: string]: any };
	resourcePatterns: [];
}

type Names<T> = Extract<keyof T, string>;
type FirstMatch<All, N> = All extends readonly [infer First, ...infer Rest] ?
	First extends readonly [infer Name, infer Data] ?
		N extends Name ? Data : FirstMatch<Rest, N> : never : never;
/* What may be null may be left out. */
type Arguments<Data, More> = null extends Data ? [data?: Data, options?: More] :
	[data: Data, options?: More];

type DataOf<Plain, All, N> = N extends keyof Plain ? Plain[N] : FirstMatch<All, N>;

export type Topic<C extends Contract> = Names<C["topics"]> | C["topicPatterns"][number][0];
export type TopicData<C extends Contract, N extends string> =
	DataOf<C["topics"], C["topicPatterns"], N>;
export type Resource<C extends Contract> =
	Names<C["resources"]> | C["resourcePatterns"][number][0];
export type ResourceData<C extends Contract, N extends string> =
	DataOf<C["resources"], C["resourcePatterns"], N>;
export type Event<C extends Contract> = Names<C["events"]>;
export type Method<C extends Contract> = Names<C["methods"]>;
export type MethodInput<C extends Contract, N extends Method<C>> =
	C["methods"][N] extends { input: infer Input } ? Input : never;
export type MethodOutput<C extends Contract, N extends Method<C>> =
	C["methods"][N] extends { output: infer Output } ? Output : never;

/** One client of the bus, whatever happens to its connections. Made by connect(). */
export class Client<C extends Contract = OpenContract> {
	private constructor();

	readonly state: State;
	/** This connection, and the worker it came to; null while there is none. */
	readonly conn: string | null;
	readonly node: string | null;
	/** Who the bus takes us for; null: nobody, or it has not said. */
	readonly user: string | null;
	readonly role: string | null;
	/** When the next try is, as Date.now() has it. */
	readonly retryAt: number | null;

	/** The state has changed. */
	onstate: ((state: State, client: this) => void) | null;
	/**
	 * The connection went, and not by close(). The next try is at retryAt: exactly when the
	 * worker has asked for it, else after a random time. state is "closed" when there is none.
	 */
	onclose: ((info: CloseInfo, client: this) => void) | null;
	/**
	 * Nobody else hears of it: a subscription was refused, a handler or the token function
	 * threw, a new token was refused, the bus turns us away. Not set: the console gets it.
	 */
	onerror: ((error: ClientError) => void) | null;
	/** Messages were dropped for us; "*": on too many topics to tell them. */
	ongap: ((topic: string, missed: number) => void) | null;

	/** Follow a topic. */
	subscribe<N extends Topic<C>>(topic: N,
	    fn: (data: TopicData<C, N>, info: TopicInfo) => void): Off;

	/** Hear an event, which the server pushes to whom it likes. */
	on<N extends Event<C>>(event: N,
	    fn: (data: C["events"][N], info: EventInfo) => void): Off;

	/** Follow the changes of a resource. */
	watch<N extends Resource<C>>(resource: N,
	    fn: (data: ResourceData<C, N>, info: ChangeInfo) => void): Off;

	/**
	 * Publish what JSON can say; fulfilled when a worker has taken it. A Uint8Array (or the
	 * like) goes out as it is, and only while connected: nobody answers to that.
	 */
	publish<N extends C["publish"]>(topic: N,
	    ...data: Arguments<TopicData<C, N>, PublishOptions>): Promise<void>;

	/** Call a method of the server. */
	call<N extends Method<C>>(method: N,
	    ...input: Arguments<MethodInput<C, N>, RequestOptions>): Promise<MethodOutput<C, N>>;

	/** Milliseconds to the worker and back. */
	ping(options?: RequestOptions): Promise<number>;

	/**
	 * Prove who we are: when the state is "authenticating", or to go on with a new token
	 * before the old one ends. Without a token that of the options is taken.
	 */
	authenticate(token?: string): Promise<{ user: string | null; role: string | null }>;

	/** Close for good; what waits for an answer is DISCONNECTED. 1000 or 3000 to 4999. */
	close(code?: number, reason?: string): void;
}

/** Connect to a bus. In a page, without a URL, to that from which the page came. */
export function connect<C extends Contract = OpenContract>(url?: string | null,
    options?: Options<C>): Client<C>;

export as namespace clusterbus;
