/*
 * signals.h - what the primary does on a signal: name, in short, in words.
 *
 * The primary's handlers, --help and the README come from this one table.
 * Workers ignore INT and HUP, which a terminal sends to them too: the primary
 * decides.
 */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

/* clang-format off */
#define SIGNALS(X)                                                             \
	X(TERM, "stop", "workers drain, paced over drain-window; then exit. "  \
	    "A second one: at once")                                           \
	X(INT,  "stop", "the same as TERM")                                    \
	X(QUIT, "stop at once", "workers close all clients now. "              \
	    "A second one: workers are killed")                                \
	X(HUP,  "reload", "the configuration is read again; see "              \
	    "`busctl reload`")                                                 \
	X(USR1, "reopen", "the log file is opened anew, in all processes")     \
	X(USR2, "upgrade", "the binary is replaced in place; see "             \
	    "`busctl upgrade`")                                                \
	X(TTIN, "grow", "one worker more")                                     \
	X(TTOU, "shrink", "one worker less")                                   \
	X(CHLD, "reap", "a worker has gone; its slot gets a new one")          \
	X(PIPE, "nothing", "ignored: a write says it as well")
/* clang-format on */

#endif /* BASE_SIGNALS_H */
