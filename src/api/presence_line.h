/*
 * presence_line.h - how a worker tells a join or a leave on a presence channel.
 *
 * An envelope on "p:CHANNEL" with the flag IPC_PUBLISH_PUSH: its name is
 * "join" or "leave", its data a row of QUERY_MEMBERS:
 * {"conn":C,"user":U,"role":R}.
 *
 * With "here" and data {} a worker answers when it hears that the channel is
 * wanted and has members in it: it may be back after the hub was away, and who
 * follows has not asked it yet.
 */
#ifndef API_PRESENCE_LINE_H
#define API_PRESENCE_LINE_H

#define PRESENCE_JOIN  "join"
#define PRESENCE_LEAVE "leave"
#define PRESENCE_HERE  "here"

#endif /* API_PRESENCE_LINE_H */
