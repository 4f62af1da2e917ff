/*
 * status_json.c - the status as JSON; see status.h.
 *
 * Numbers are written as the 64-bit integers they are: cJSON would make
 * doubles of them.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/status.h"

/* Every function here returns whether there was memory. */
static bool
add_number(cJSON *object, const char *key, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	return cJSON_AddRawToObject(object, key, text) != NULL;
}

static bool
add_bool(cJSON *object, const char *key, bool value)
{
	return cJSON_AddBoolToObject(object, key, value) != NULL;
}

static bool
add_text(cJSON *object, const char *key, const char *text)
{
	return cJSON_AddStringToObject(object, key, text) != NULL;
}

/* All fields of a struct that the table describes. */
static bool
add_fields(cJSON *object, const struct stats_field *fields, size_t count,
    const uint64_t *values)
{
	for (size_t i = 0; i < count; i++) {
		if (!add_number(object, fields[i].field, stats_get(&values[i])))
			return false;
	}
	return true;
}

static bool
add_worker_fields(cJSON *object, const struct stats_worker *worker)
{
	return object != NULL &&
	    add_fields(object, stats_worker_fields, STATS_WORKER_COUNT,
		(const uint64_t *)worker);
}

static bool
add_worker(cJSON *array, const struct stats_page *page,
    const struct status_worker *worker)
{
	const struct stats_slot *slot = &page->slots[worker->slot];
	cJSON *object = cJSON_CreateObject();

	if (object == NULL || !cJSON_AddItemToArray(array, object)) {
		cJSON_Delete(object);
		return false;
	}
	return add_number(object, "slot", worker->slot) &&
	    add_text(object, "state", slot_state_name(slot->state)) &&
	    add_number(object, "pid", slot->pid) &&
	    add_number(object, "generation", slot->generation) &&
	    add_number(object, "restarts", slot->restarts) &&
	    add_bool(object, "crash_loop", slot->crash_loop != 0) &&
	    add_number(object, "uptime_ms", worker->uptime_ms) &&
	    add_number(object, "heartbeat_age_ms", worker->heartbeat_age_ms) &&
	    add_worker_fields(object, &worker->sum);
}

static bool
add_workers(cJSON *root, const struct status *status)
{
	cJSON *array = cJSON_AddArrayToObject(root, "workers");

	for (size_t i = 0; array != NULL && i < status->worker_count; i++) {
		if (!add_worker(array, status->page, &status->workers[i]))
			return false;
	}
	return array != NULL;
}

/* The addresses stand in one string, a blank between. */
static bool
add_listen(cJSON *root, const struct stats_page *page)
{
	cJSON *array = cJSON_AddArrayToObject(root, "listen"), *item;
	char text[STATS_LISTEN_MAX];
	char *rest = NULL;

	(void)snprintf(text, sizeof(text), "%.*s", STATS_LISTEN_MAX - 1,
	    page->listen);
	for (char *one = strtok_r(text, " ", &rest);
	     array != NULL && one != NULL; one = strtok_r(NULL, " ", &rest)) {
		item = cJSON_CreateString(one);
		if (item == NULL || !cJSON_AddItemToArray(array, item)) {
			cJSON_Delete(item);
			return false;
		}
	}
	return array != NULL;
}

static bool
add_primary(cJSON *root, const struct status *status)
{
	cJSON *object = cJSON_AddObjectToObject(root, "primary");

	return object != NULL &&
	    add_number(object, "pid", status->page->primary_pid) &&
	    add_bool(object, "alive", status->primary_alive) &&
	    add_number(object, "uptime_ms", status->uptime_ms);
}

static bool
add_hub(cJSON *root, const struct stats_page *page)
{
	cJSON *object = cJSON_AddObjectToObject(root, "hub");

	return object != NULL &&
	    add_fields(object, stats_hub_fields, STATS_HUB_COUNT,
		(const uint64_t *)&page->hub);
}

static bool
add_all(cJSON *root, const struct status *status)
{
	const struct stats_page *page = status->page;
	char name[STATS_NAME_MAX], version[STATS_NAME_MAX];
	char sync[STATS_SYNC_MAX];

	(void)snprintf(name, sizeof(name), "%.*s", STATS_NAME_MAX - 1,
	    page->name);
	(void)snprintf(version, sizeof(version), "%.*s", STATS_NAME_MAX - 1,
	    page->software);
	(void)snprintf(sync, sizeof(sync), "%.*s", STATS_SYNC_MAX - 1,
	    page->sync);
	return add_text(root, "name", name) &&
	    add_text(root, "version", version) &&
	    add_text(root, "sync", sync) && add_primary(root, status) &&
	    add_listen(root, page) &&
	    add_number(root, "config_generation",
		stats_get(&page->config_generation)) &&
	    add_number(root, "workers_wanted", page->slot_count) &&
	    add_workers(root, status) && add_hub(root, page) &&
	    add_worker_fields(cJSON_AddObjectToObject(root, "total"),
		&status->total);
}

int
status_print_json(const struct status *status)
{
	cJSON *root = cJSON_CreateObject();
	char *text = NULL;

	if (root != NULL && add_all(root, status))
		text = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	if (text == NULL)
		return -ENOMEM;
	(void)puts(text);
	cJSON_free(text);
	return 0;
}
