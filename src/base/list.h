/*
 * list.h - doubly linked list with its links inside the members.
 *
 * A list head is a struct list that points to itself when empty; so does a
 * member that is in no list, and taking such a member out does nothing.  The
 * list owns nothing.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>

#include "base.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void
list_init(struct list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* Put link at the end of list. */
static inline void
list_append(struct list *list, struct list *link)
{
	link->prev = list->prev;
	link->next = list;
	list->prev->next = link;
	list->prev = link;
}

/* Take link out of the list it is in, if any. */
static inline void
list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#define LIST_ENTRY(link, type, member) CONTAINER_OF(link, type, member)

/* Walk a list; the member that pos points to may be taken out on the way. */
#define list_for_each_safe(pos, tmp, list)                                     \
	for ((pos) = (list)->next, (tmp) = (pos)->next; (pos) != (list);       \
	     (pos) = (tmp), (tmp) = (pos)->next)

#endif /* BASE_LIST_H */
