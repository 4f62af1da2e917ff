/*
 * options.h - every setting, once.
 *
 * From this table come the parser of flags, environment and file, --help, the
 * man page, `config print`, `config check`, the README's table and the bash
 * completion.  A row's flag is --name, its variable CLUSTERBUS_NAME (dashes as
 * underscores), its key in the file is the name.
 *
 * field, name, type, default (as text), smallest, largest, reload, argument's
 * name in --help, help.
 *
 * Reload: LIVE changes in place, without touching a connection; ROLL needs new
 * workers, which are rolled in slot by slot; START needs a new primary and is
 * reported as such when a reload finds it changed.
 *
 * INT is a number; BYTES takes k, m, g (1024 each); TIME takes ms, s, m, h and
 * is kept in milliseconds (a bare number is seconds); LIST may be given more
 * than once, a file's list replaces the default; ENUM's words stand where the
 * limits are for the others, separated by '|'.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

/* clang-format off */
#define OPTIONS(INT, BYTES, TIME, STRING, LIST, ENUM, BOOL)                    \
	/* The bus */                                                          \
	STRING(name, "name", "default", 1, 63, START, "NAME",                  \
	    "name of the bus; each name is a bus of its own")                  \
	STRING(run_dir, "run-dir", "", 0, 80, START, "DIR",                    \
	    "where its sockets, pid and statistics are")                       \
	INT(workers, "workers", "0", 0, 256, LIVE, "N",                        \
	    "worker processes; 0: one per core")                               \
	LIST(listen, "listen", "127.0.0.1:8080", 0, 128, ROLL, "ADDR:PORT",    \
	    "address for clients; port 0 picks a free one")                    \
	STRING(tls_cert, "tls-cert", "", 0, 4000, ROLL, "FILE",                \
	    "certificate chain (PEM); with it all listen addresses speak TLS") \
	STRING(tls_key, "tls-key", "", 0, 4000, ROLL, "FILE",                  \
	    "its private key (PEM)")                                           \
	BOOL(insecure, "insecure", "false", 0, 0, START, "",                   \
	    "serve everybody on an address that is not loopback")              \
	ENUM(log_level, "log-level", "info", "error|warn|info|debug", 0, LIVE, \
	    "LEVEL", "how much to log")                                        \
	STRING(log_file, "log-file", "", 0, 4000, START, "FILE",               \
	    "log there instead of standard error; USR1 reopens it")            \
	BOOL(daemon, "daemon", "false", 0, 0, START, "",                       \
	    "go into the background once the workers are ready")               \
	BOOL(fdstore, "fdstore", "false", 0, 0, START, "",                     \
	    "have systemd keep the listening sockets over a restart; by "      \
	    "itself where FDSTORE is set")                                     \
	/* Clients */                                                          \
	INT(max_clients, "max-clients", "10000", 1, 1000000, ROLL, "N",        \
	    "clients per worker; further ones are turned away")                \
	INT(max_clients_per_address, "max-clients-per-address", "10000", 1,    \
	    1000000, LIVE, "N", "clients per worker from one IP address")      \
	INT(max_handshakes_per_address, "max-handshakes-per-address", "1000",  \
	    1, 1000000, LIVE, "N",                                             \
	    "unfinished handshakes per worker from one IP address")            \
	INT(accept_rate, "accept-rate", "2000", 1, 1000000, LIVE, "N",         \
	    "new connections a second that a worker accepts; others wait")     \
	TIME(handshake_timeout, "handshake-timeout", "5s", 1000, 60000, ROLL,  \
	    "TIME", "a connection must be upgraded within this")               \
	BYTES(max_message, "max-message", "1m", 128, 64 << 20, LIVE, "BYTES",  \
	    "largest message from a client; beyond it: close 1009")            \
	BYTES(max_topic, "max-topic", "255", 1, 480, LIVE, "BYTES",            \
	    "longest topic name")                                              \
	INT(max_subscriptions, "max-subscriptions", "10000", 1, 1000000, LIVE, \
	    "N", "subscriptions per client")                                   \
	INT(max_channels, "max-channels", "1000000", 1, 100000000, LIVE, "N",  \
	    "channels per worker, and per attached program")                                             \
	INT(max_rate, "max-rate", "0", 0, 1000000000, LIVE, "N",               \
	    "messages a second per client, bursts of as many; 0: any")         \
	TIME(ping_interval, "ping-interval", "25s", 100, 3600000, LIVE, "TIME",\
	    "ping a client that was silent for this long")                     \
	TIME(ping_timeout, "ping-timeout", "10s", 100, 3600000, LIVE, "TIME",  \
	    "close it when it then stays silent for this long")                \
	/* What may be said, and by whom */                                    \
	STRING(contract, "contract", "", 0, 4000, LIVE, "FILE",                \
	    "what may be said: topics, events, methods, roles (JSON)")         \
	LIST(app, "app", "", 0, 4000, ROLL, "FILE",                            \
	    "application (shared object) that every worker loads")             \
	STRING(worker_program, "worker-program", "", 0, 4000, START, "FILE",   \
	    "run this as worker; it calls cbus_worker_run()")                  \
	ENUM(auth, "auth", "auto", "auto|app", 0, ROLL, "HOW",                 \
	    "auto: an application that can, else jwt-key; app: it must")       \
	LIST(jwt_key, "jwt-key", "", 0, 4000, LIVE, "FILE",                    \
	    "key that tokens are checked with: a secret, or a public PEM key") \
	STRING(jwt_issuer, "jwt-issuer", "", 0, 255, LIVE, "NAME",             \
	    "the token's \"iss\" must be this")                                \
	STRING(jwt_audience, "jwt-audience", "", 0, 255, LIVE, "NAME",         \
	    "the token's \"aud\" must have this")                              \
	STRING(jwt_user_claim, "jwt-user-claim", "sub", 1, 63, LIVE, "NAME",   \
	    "claim that names the user")                                       \
	STRING(jwt_role_claim, "jwt-role-claim", "role", 1, 63, LIVE, "NAME",  \
	    "claim that names the role")                                       \
	BOOL(anonymous, "anonymous", "false", 0, 0, LIVE, "",                  \
	    "clients without a token are served, without user and role")       \
	TIME(auth_timeout, "auth-timeout", "5s", 100, 3600000, LIVE, "TIME",   \
	    "a client that must authenticate does so within this")             \
	LIST(allowed_origin, "allowed-origin", "", 0, 255, LIVE, "ORIGIN",     \
	    "pages of these origins may connect; none given: all may")         \
	STRING(api_role, "api-role", "admin", 1, 255, LIVE, "ROLE",            \
	    "role whose tokens may use the HTTP API")                          \
	BYTES(max_body, "max-body", "1m", 128, 64 << 20, LIVE, "BYTES",        \
	    "largest body of a request to the HTTP API")                       \
	BYTES(api_output, "api-output", "64m", 65536, 1 << 30, LIVE, "BYTES",  \
	    "answers of the HTTP API that one worker may hold at once; "       \
	    "further requests get 503")                                        \
	INT(max_calls, "max-calls", "1000", 1, 1000000, LIVE, "N",             \
	    "calls of one client that wait for an answer")                     \
	TIME(call_timeout, "call-timeout", "30s", 10, 3600000, LIVE, "TIME",   \
	    "a call without an answer ends with TIMEOUT after this")           \
	TIME(query_timeout, "query-timeout", "2s", 10, 60000, LIVE, "TIME",    \
	    "a worker that does not answer a question in this is left out")    \
	INT(max_rows, "max-rows", "10000", 1, 1000000, LIVE, "N",              \
	    "rows of one worker in an answer to clients, members and so on")   \
	/* Slow clients */                                                     \
	BYTES(outbox_soft, "outbox-soft", "512k", 1024, 1 << 30, LIVE,         \
	    "BYTES", "queue of a client that is too much for outbox-time")     \
	TIME(outbox_time, "outbox-time", "10s", 10, 3600000, LIVE, "TIME",     \
	    "how long a client may stay above outbox-soft")                    \
	BYTES(outbox_hard, "outbox-hard", "8m", 1024, 1 << 30, LIVE,           \
	    "BYTES", "queue of a client that is too much at once")             \
	ENUM(outbox_policy, "outbox-policy", "close",                          \
	    "close|drop-newest|drop-oldest", 0, LIVE, "POLICY",                \
	    "what happens to a client that is too slow")                       \
	/* Moves */                                                            \
	BOOL(move_clients, "move-clients", "true", 0, 0, LIVE, "",             \
	    "clients go to another worker instead of being closed")            \
	TIME(move_timeout, "move-timeout", "10s", 10, 3600000, LIVE, "TIME",   \
	    "a worker that leaves closes those it could not move in this")     \
	BOOL(balance, "balance", "true", 0, 0, LIVE, "",                       \
	    "move clients until workers differ by at most 5 %")                \
	INT(balance_rate, "balance-rate", "500", 1, 1000000, LIVE, "N",        \
	    "clients a second that one worker gives away for that")            \
	/* Hub */                                                              \
	BYTES(hub_queue, "hub-queue", "32m", 65536, 1 << 30, LIVE, "BYTES",    \
	    "what the hub queues for one node before it drops")                \
	BYTES(link_queue, "link-queue", "32m", 65536, 1 << 30, LIVE, "BYTES",  \
	    "what a worker queues for the hub before it drops")                \
	STRING(attach_group, "attach-group", "", 0, 255, START, "GROUP",       \
	    "its members may attach workers and programs, too")                \
	INT(max_programs, "max-programs", "256", 0, 1024, LIVE, "N",           \
	    "attached programs")                                               \
	/* Other hosts */                                                      \
	STRING(sync, "sync", "cluster", 0, 4000, START, "DRIVER",              \
	    "local, cluster, redis://HOST:PORT?channel=NAME, postgres://...")  \
	STRING(channel, "channel", "", 0, 255, START, "NAME",                  \
	    "what hosts that belong together have in common")                  \
	STRING(sync_namespace, "sync-namespace", "", 0, 255, START, "NAME",    \
	    "crossws's namespace of our messages; empty: all")                 \
	STRING(sync_dir, "sync-dir", "", 0, 4000, START, "DIR",                \
	    "look for drivers here first")                                     \
	BYTES(sync_queue, "sync-queue", "8m", 4096, 1 << 30, START, "BYTES",   \
	    "what may wait for the backplane before messages are dropped")     \
	BOOL(redis_door, "redis-door", "true", 0, 0, START, "",                \
	    "speak the Redis protocol at RUNDIR/redis.sock")                   \
	STRING(redis_listen, "redis-listen", "", 0, 128, START, "ADDR:PORT",   \
	    "speak it on this loopback address, too")                          \
	STRING(redis_password, "redis-password", "", 0, 4000, START, "FILE",   \
	    "the first line of this file is its password")                     \
	BYTES(redis_output, "redis-output", "32m", 65536, 1 << 30, LIVE,       \
	    "BYTES", "what waits for one client of the door before it is cut") \
	INT(redis_clients, "redis-clients", "1000", 1, 2000, LIVE, "N",        \
	    "clients of the Redis door")                                       \
	/* Supervision */                                                      \
	TIME(start_timeout, "start-timeout", "10s", 100, 3600000, LIVE,        \
	    "TIME", "a worker must be ready within this")                      \
	TIME(stall_timeout, "stall-timeout", "10s", 200, 3600000, LIVE,        \
	    "TIME", "a worker that does not move for this long is replaced")   \
	TIME(drain_window, "drain-window", "5s", 0, 3600000, LIVE, "TIME",     \
	    "closing clients is spread over this time")                        \
	TIME(drain_timeout, "drain-timeout", "15s", 100, 3600000, LIVE,        \
	    "TIME", "then workers that still drain get TERM")                  \
	TIME(kill_timeout, "kill-timeout", "5s", 100, 3600000, LIVE, "TIME",   \
	    "and this much later KILL")                                        \
	TIME(backoff_min, "backoff-min", "100ms", 1, 3600000, LIVE, "TIME",    \
	    "first wait before a worker that died early is started again")     \
	TIME(backoff_max, "backoff-max", "10s", 1, 3600000, LIVE, "TIME",      \
	    "longest wait; it doubles up to here")                             \
	TIME(stable_after, "stable-after", "5s", 1, 3600000, LIVE, "TIME",     \
	    "a worker that lived this long did not die early")                 \
	TIME(orphan_timeout, "orphan-timeout", "30s", 0, 86400000, LIVE,       \
	    "TIME", "workers without a primary drain and exit after this")
/* clang-format on */

#endif /* CONFIG_OPTIONS_H */
