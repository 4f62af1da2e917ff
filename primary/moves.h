/*
 * moves.h - which clients should go to which worker.
 *
 * A worker that leaves gives its clients to others: to the one that replaces
 * it, or to all by turns.  And while nothing else goes on, workers that have
 * more clients than others give some away, until they differ by at most
 * MOVES_BALANCE_PERCENT.  How one connection moves is worker/move.h.
 */
#ifndef PRIMARY_MOVES_H
#define PRIMARY_MOVES_H

struct process;
struct supervisor;

enum {
	MOVES_BALANCE_PERCENT = 5,
	/* Ticks without an effect, after which balancing rests as many. */
	MOVES_BALANCE_REST = 8,
};

/* This worker is going to leave: it is told where its clients may go. */
void moves_send_away(struct process *process);

/*
 * One more is leaving, or is ready: those that are leaving may have been
 * sending their clients to it, or had nobody, and are told anew where to.
 */
void moves_renew(struct supervisor *supervisor);

/* Its clients stay where they are: no more moves. */
void moves_stop(struct process *process);

/* Once a tick: workers with too many clients are told to give some away. */
void moves_balance(struct supervisor *supervisor);

#endif /* PRIMARY_MOVES_H */
