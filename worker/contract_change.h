/*
 * contract_change.h - a new contract is in force: what is not allowed any more
 * ends.
 */
#ifndef WORKER_CONTRACT_CHANGE_H
#define WORKER_CONTRACT_CHANGE_H

struct worker;

/*
 * End the subscriptions and watches that worker->contract does not declare for
 * their client, and tell the client.
 */
void contract_changed(struct worker *worker);

#endif /* WORKER_CONTRACT_CHANGE_H */
