/*
 * stats_rows.h - every number of the statistics page, once.
 *
 * From these tables come the structs of stats.h, the keys of `status --json` and
 * the names and help texts in /metrics.  A new row needs a new STATS_VERSION,
 * once for all rows of a release.
 */
#ifndef WIRE_STATS_ROWS_H
#define WIRE_STATS_ROWS_H

/*
 * A worker's numbers: field, metric's name, type (counter or gauge), help.
 * The metric's full name is clusterbus_<name>, with _total for counters.
 */
/* clang-format off */
#define STATS_WORKER(X)                                                        \
	X(clients, "clients", GAUGE, "clients connected")                      \
	X(clients_opened, "clients_opened", COUNTER,                           \
	    "clients that completed the WebSocket handshake")                  \
	X(clients_closed, "clients_closed", COUNTER, "clients that have gone") \
	X(handshakes, "handshakes", GAUGE,                                     \
	    "connections accepted and not yet upgraded or answered")           \
	X(accepted, "accepted", COUNTER, "connections accepted")               \
	X(accepts_paced, "accepts_paced", COUNTER,                             \
	    "connections that waited: more came than accept-rate")             \
	X(refused_address, "refused_address", COUNTER,                         \
	    "connections closed: too many from one address")                   \
	X(refused_full, "refused_full", COUNTER,                               \
	    "connections closed: this worker has max-clients")                 \
	X(accept_errors, "accept_errors", COUNTER,                             \
	    "accept failed (out of descriptors or memory); accepting paused")  \
	X(handshake_errors, "handshake_errors", COUNTER,                       \
	    "connections that ended before they were upgraded or answered")    \
	X(http_requests, "http_requests", COUNTER, "HTTP requests answered")   \
	X(http_errors, "http_errors", COUNTER,                                 \
	    "HTTP requests answered with 4xx or 5xx")                          \
	X(auth_failed, "auth_failed", COUNTER,                                 \
	    "clients turned away, or tokens refused: not authenticated")       \
	X(auth_expired, "auth_expired", COUNTER,                               \
	    "clients closed: their token has expired")                         \
	X(auth_in_address, "auth_in_address", COUNTER,                         \
	    "tokens that came in the address (?token=)")                       \
	X(origin_refused, "origin_refused", COUNTER,                           \
	    "upgrades refused: a page of another origin")                      \
	X(channels, "channels", GAUGE, "channels with a member or listener")   \
	X(subscriptions, "subscriptions", GAUGE,                               \
	    "memberships of clients in channels")                              \
	X(api_requests, "api_requests", COUNTER,                               \
	    "requests to the HTTP API")                                        \
	X(api_errors, "api_errors", COUNTER,                                   \
	    "requests to the HTTP API that were refused or failed")            \
	X(api_refused, "api_refused", COUNTER,                                 \
	    "of these refused: answers held api-output already")               \
	X(api_cut, "api_cut", COUNTER,                                         \
	    "of these cut off: the client did not take its answer in time")    \
	X(api_output_bytes, "api_output_bytes", GAUGE,                         \
	    "bytes of answers of the HTTP API that are held")                  \
	X(queries, "queries", COUNTER, "questions answered to the hub")        \
	X(rows_cut, "rows_cut", COUNTER,                                       \
	    "rows left out of answers: max-rows, or no room")                  \
	X(closed_kicked, "closed_kicked", COUNTER, "clients closed: kicked")   \
	X(messages_in, "messages_in", COUNTER, "WebSocket messages received")  \
	X(bytes_in, "bytes_in", COUNTER,                                       \
	    "bytes of WebSocket messages received")                            \
	X(frames_out, "frames_out", COUNTER,                                   \
	    "WebSocket frames handed to the kernel")                           \
	X(bytes_out, "bytes_out", COUNTER,                                     \
	    "bytes of frames handed to the kernel")                            \
	X(writes, "writes", COUNTER,                                           \
	    "write calls that these frames needed")                            \
	X(deliveries, "deliveries", COUNTER,                                   \
	    "publishes queued for clients, counted per client")                \
	X(published, "published", COUNTER,                                     \
	    "messages published or pushed on this worker")                    \
	X(relayed_out, "relayed_out", COUNTER, "envelopes handed to the hub")  \
	X(relayed_in, "relayed_in", COUNTER, "envelopes got from the hub")     \
	X(relayed_in_unwanted, "relayed_in_unwanted", COUNTER,                 \
	    "envelopes got from the hub that nobody here wanted any more")     \
	X(calls, "calls", COUNTER, "methods called by clients")                \
	X(calls_failed, "calls_failed", COUNTER,                               \
	    "calls that an application answered with an error")                \
	X(calls_timeout, "calls_timeout", COUNTER,                             \
	    "calls that were not answered within call-timeout")                \
	X(calls_refused, "calls_refused", COUNTER,                             \
	    "calls refused: unknown, not valid, or too many at once")          \
	X(app_errors, "app_errors", COUNTER,                                   \
	    "errors told to cbus_on_error(), or logged without one")           \
	X(errors_out, "errors_out", COUNTER, "err answers to clients")         \
	X(bad_messages, "bad_messages", COUNTER,                               \
	    "messages that were no valid command")                             \
	X(rate_limited, "rate_limited", COUNTER,                               \
	    "messages refused: over the client's rate")                        \
	X(drop_outbox, "drop_outbox", COUNTER,                                 \
	    "frames dropped: the client did not read")                         \
	X(drop_gone, "drop_gone", COUNTER,                                     \
	    "frames dropped: the client had left")                             \
	X(drop_memory, "drop_memory", COUNTER, "frames dropped: out of memory")\
	X(drop_link_full, "drop_link_full", COUNTER,                           \
	    "envelopes dropped: the queue to the hub was full")                \
	X(drop_hub_away, "drop_hub_away", COUNTER,                             \
	    "envelopes delivered here only: no hub")                           \
	X(drop_invalid, "drop_invalid", COUNTER,                               \
	    "envelopes of attached programs that were no text or no JSON")     \
	X(push_not_for_role, "push_not_for_role", COUNTER,                     \
	    "events and changes not sent to a client whose role lacks them")   \
	X(refused_contract, "refused_contract", COUNTER,                       \
	    "commands refused: not declared, or not for this client")          \
	X(refused_data, "refused_data", COUNTER,                               \
	    "commands refused: the data does not fit the contract")            \
	X(subscriptions_ended, "subscriptions_ended", COUNTER,                 \
	    "subscriptions ended by a new contract")                           \
	X(answers_cut, "answers_cut", COUNTER,                                 \
	    "answers to questions that found no room in the queue to the hub") \
	X(gaps, "gaps", COUNTER,                                               \
	    "envelopes found missing by their sequence numbers")               \
	X(closed_slow, "closed_slow", COUNTER, "clients closed: too slow")     \
	X(closed_idle, "closed_idle", COUNTER,                                 \
	    "clients closed: did not answer a ping")                           \
	X(closed_protocol, "closed_protocol", COUNTER,                         \
	    "clients closed: broke the protocol or a limit")                   \
	X(closed_drain, "closed_drain", COUNTER,                               \
	    "clients asked to go to another worker")                           \
	X(moving, "moving", GAUGE, "clients on their way, in or out")          \
	X(moved_out, "moved_out", COUNTER,                                     \
	    "clients given to another worker, connected all the time")         \
	X(moved_in, "moved_in", COUNTER, "clients taken from another worker")  \
	X(moves_refused, "moves_refused", COUNTER,                             \
	    "moves called off before anything happened; tried again")          \
	X(moves_back, "moves_back", COUNTER,                                   \
	    "clients taken back: the other worker did not want them, or went") \
	X(moves_dropped, "moves_dropped", COUNTER,                             \
	    "clients let fall: their giver or the hub went in mid-move")       \
	X(moves_lost, "moves_lost", COUNTER,                                   \
	    "clients closed: neither worker could serve them")                 \
	X(move_stall_us, "move_stall_us", COUNTER,                             \
	    "microseconds that moved clients were not read from, in all")      \
	X(move_stall_max_us, "move_stall_max_us", COUNTER,                            \
	    "the longest of them")                                             \
	X(outbox_bytes, "outbox_bytes", GAUGE,                                 \
	    "bytes that wait in clients' outboxes")                            \
	X(link_bytes, "link_bytes", GAUGE,                                     \
	    "bytes that wait in the queue to the hub")                         \
	X(hub_connected, "hub_connected", GAUGE,                               \
	    "1 while the hub answers, 0 while it is away")                     \
	X(loop_lag_us, "loop_lag_us", GAUGE,                                   \
	    "how late the last timer ran, in microseconds")                    \
	X(loop_lag_max_us, "loop_lag_max_us", GAUGE,                           \
	    "the worst of that since the worker started")                      \
	X(pm2_bad, "worker_pm2_bad", COUNTER,                                  \
	    "lines from PM2 that an attached worker did not understand")       \
	X(pm2_dropped, "worker_pm2_dropped", COUNTER,                          \
	    "lines for PM2 that an attached worker left out")                  \
	X(ready, "ready", GAUGE, "1 while clients are accepted")

/* The hub's numbers, written by the primary: the same columns. */
#define STATS_HUB(X)                                                           \
	X(envelopes_in, "hub_envelopes_in", COUNTER, "envelopes read by the hub")\
	X(envelopes_out, "hub_envelopes_out", COUNTER,                         \
	    "envelopes queued to nodes, counted per node")                     \
	X(bytes_in, "hub_bytes_in", COUNTER, "bytes read by the hub")          \
	X(bytes_out, "hub_bytes_out", COUNTER, "bytes written by the hub")     \
	X(drop_slow, "hub_drop_slow", COUNTER,                                 \
	    "envelopes dropped: the node's queue was full")                    \
	X(moves, "hub_moves", COUNTER, "clients offered to another worker")    \
	X(violations, "hub_violations", COUNTER,                               \
	    "nodes cut off: broke the protocol")                               \
	X(refused, "hub_refused", COUNTER, "nodes turned away")                \
	X(nodes, "hub_nodes", GAUGE, "nodes on the bus")                       \
	X(channels, "hub_channels", GAUGE, "channels that a node wants")       \
	X(interests, "hub_interests", GAUGE,                                   \
	    "pairs of a channel and a node that wants it")                     \
	X(queue_bytes, "hub_queue_bytes", GAUGE, "bytes queued to nodes")      \
	X(queue_bytes_max, "hub_queue_bytes_max", GAUGE,                       \
	    "the most that was ever queued to one node")                       \
	X(restarts, "worker_restarts", COUNTER,                                \
	    "workers started in place of one that died")                       \
	X(stalled, "workers_stalled", COUNTER,                                 \
	    "workers killed: did not move for stall-timeout")                  \
	X(reloads, "reloads", COUNTER, "reloads that took effect")             \
	X(reloads_failed, "reloads_failed", COUNTER,                           \
	    "reloads refused: the new configuration is invalid")               \
	X(notify_lost, "notify_lost", COUNTER,                                 \
	    "messages that the service manager (systemd) did not take")        \
	X(upgrades, "upgrades", COUNTER,                                       \
	    "times that another binary took this one's place")                 \
	X(upgrades_failed, "upgrades_failed", COUNTER,                         \
	    "upgrades refused: the new binary failed its trial, or could not") \
	X(adopted, "workers_adopted", COUNTER,                                 \
	    "workers taken over from a primary that had gone")                 \
	X(pm2_bad, "pm2_bad", COUNTER,                                         \
	    "lines from PM2 that were not understood")                         \
	X(pm2_dropped, "pm2_dropped", COUNTER,                                 \
	    "lines for PM2 left out: it did not read")                         \
	X(orphans, "orphans", COUNTER,                                         \
	    "processes of others reaped, as process 1 of a container")         \
	X(queries, "hub_queries", COUNTER, "questions to the workers")         \
	X(queries_late, "hub_queries_late", COUNTER,                           \
	    "workers that did not answer a question in time")                  \
	X(answers_late, "hub_answers_late", COUNTER,                           \
	    "answers that nobody waited for any more")                         \
	X(wanted, "hub_wanted", GAUGE,                                         \
	    "presence channels that somebody listens to")                      \
	X(door_clients, "door_clients", GAUGE, "clients at the Redis door")    \
	X(door_commands, "door_commands", COUNTER,                             \
	    "commands of the Redis door's clients")                            \
	X(door_errors, "door_errors", COUNTER,                                 \
	    "commands that failed, messages that could not be passed on")      \
	X(door_cut, "door_cut", COUNTER,                                       \
	    "clients of the door cut off: did not read")                       \
	X(door_refused, "door_refused", COUNTER,                               \
	    "clients of the door turned away")                                 \
	X(sync_connected, "sync_connected", GAUGE,                             \
	    "1 while the backplane is there")                                  \
	X(sync_reconnects, "sync_reconnects", COUNTER,                         \
	    "times that the backplane came back")                              \
	X(sync_out, "sync_out", COUNTER, "messages given to the backplane")    \
	X(sync_in, "sync_in", COUNTER,                                         \
	    "messages of other hosts taken from the backplane")                \
	X(sync_bytes_out, "sync_bytes_out", COUNTER,                           \
	    "bytes of data given to the backplane")                            \
	X(sync_bytes_in, "sync_bytes_in", COUNTER,                             \
	    "bytes of data taken from the backplane")                          \
	X(drop_sync_away, "drop_sync_away", COUNTER,                           \
	    "messages not sent to other hosts: the backplane was away")        \
	X(drop_sync_full, "drop_sync_full", COUNTER,                           \
	    "messages not sent to other hosts: sync-queue was full")           \
	X(drop_sync_large, "drop_sync_large", COUNTER,                         \
	    "messages not sent to other hosts: too large for the backplane")   \
	X(sync_bad, "sync_bad", COUNTER,                                       \
	    "messages that could not be sent, or taken, as they were")

/* clang-format on */

#endif /* WIRE_STATS_ROWS_H */
