/*
 * test_move_state_bad.c - a connection's state that is cut off, changed, too
 * large or not its own is refused, and leaves nothing behind.
 */
#include <errno.h>

#include "state_rig.h"
#include "torture.h"

static void
a_channel_that_cannot_be_joined_ends_it(void **state)
{
	struct worker *worker = *state;
	struct client *client = full_client(worker), *taken = new_taken(worker);
	struct names names = { .text = "", .rc = -ENOSPC };
	struct buf who;

	write_who(client, &who);
	assert_int_equal(move_who_read(buf_data(&who), who.len, taken,
			     note_name, &names),
	    -ENOSPC);
	assert_string_equal(names.text, "t:news ");
	client_moved_away(taken);
	taken = new_taken(worker);
	names.text[0] = '\0';
	worker->config->max_subscriptions = 1;
	assert_int_equal(move_who_read(buf_data(&who), who.len, taken,
			     note_name, &names),
	    -ENOBUFS);
	assert_string_equal(names.text, ""); /* nothing was begun */
	client_moved_away(taken);
	buf_release(&who);
}

/* Read it with this configuration. */
static int
read_rest(struct worker *worker, const struct client *client,
    const unsigned char *bytes, size_t len)
{
	struct client *taken = taken_like(worker, client);
	struct ws_moved moved;
	const void *app;
	size_t app_len;
	int rc = move_state_read(bytes, len, taken, &moved, &app, &app_len);

	if (rc == 0) {
		assert_true(
		    (const unsigned char *)app + app_len <= bytes + len);
		free(moved.tail);
	}
	fixture_check(worker);
	client_moved_away(taken);
	return rc;
}

static void
what_is_over_the_limits_here_is_refused_whole(void **state)
{
	struct worker *worker = *state;
	struct client *client = full_client(worker);
	struct config *config = worker->config;
	struct buf rest;

	write_rest(client, &rest);
	config->max_message = 5;
	assert_int_equal(read_rest(worker, client, buf_data(&rest), rest.len),
	    -ENOBUFS);
	config->max_message = 6;
	assert_int_equal(read_rest(worker, client, buf_data(&rest), rest.len),
	    0);
	config->outbox_hard = 20; /* beside the largest frame */
	assert_int_equal(read_rest(worker, client, buf_data(&rest), rest.len),
	    -ENOBUFS);
	assert_int_equal(worker->stats->drop_outbox, 0);
	buf_release(&rest);
}

static void
the_state_of_another_connection_is_refused(void **state)
{
	struct worker *worker = *state;
	struct client *client = full_client(worker),
		      *other = fixture_client(worker);
	struct buf rest;

	write_rest(client, &rest);
	assert_int_equal(read_rest(worker, other, buf_data(&rest), rest.len),
	    -EPROTO);
	buf_release(&rest);
}

static void
too_much_is_not_written(void **state)
{
	static char app[MOVE_STATE_APP_MAX + 1];
	const struct ws_moved moved = some_moved(NULL, 0);
	struct worker *worker = *state;
	struct client *client = full_client(worker);
	struct buf out;

	buf_init(&out, MOVE_STATE_MAX);
	assert_int_equal(move_state_write(client, &moved, app, sizeof(app),
			     &out),
	    -ENOBUFS);
	assert_int_equal(move_state_write(client, &moved, app, sizeof(app) - 1,
			     &out),
	    0);
	buf_release(&out);
	buf_init(&out, 64); /* as large as the message may be */
	assert_int_equal(move_who_write(client, &out), -ENOBUFS);
	assert_int_equal(move_state_write(client, &moved, NULL, 0, &out),
	    -ENOBUFS);
	buf_release(&out);
}

static int
read_who(struct worker *worker, const unsigned char *bytes, size_t len)
{
	struct client *taken = new_taken(worker);
	struct names names = { .text = "" };
	int rc = move_who_read(bytes, len, taken, note_name, &names);

	if (rc == -EPROTO)
		assert_string_equal(names.text, "");
	fixture_check(worker);
	client_moved_away(taken);
	return rc;
}

/* In memory that is exactly as large, so that overruns show. */
static unsigned char *
cut(const struct buf *buf, size_t len)
{
	unsigned char *copy = malloc(len != 0 ? len : 1);

	assert_non_null(copy);
	if (len != 0)
		memcpy(copy, buf_data(buf), len);
	return copy;
}

static void
whatever_is_cut_off_is_refused(void **state)
{
	struct worker *worker = *state;
	struct client *client = full_client(worker);
	unsigned char *copy;
	struct buf bytes;

	write_who(client, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		copy = cut(&bytes, len);
		assert_int_equal(read_who(worker, copy, len), -EPROTO);
		free(copy);
	}
	assert_int_equal(buf_append(&bytes, "", 1), 0); /* one too many */
	assert_int_equal(read_who(worker, buf_data(&bytes), bytes.len),
	    -EPROTO);
	buf_release(&bytes);
	write_rest(client, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		copy = cut(&bytes, len);
		assert_int_equal(read_rest(worker, client, copy, len), -EPROTO);
		free(copy);
	}
	assert_int_equal(buf_append(&bytes, "", 1), 0);
	assert_int_equal(read_rest(worker, client, buf_data(&bytes), bytes.len),
	    -EPROTO);
	buf_release(&bytes);
}

/* Nothing is known of the result but that there is one, and no trace. */
static void
bytes_that_were_changed_do_no_harm(void **state)
{
	struct worker *worker = *state;
	struct client *client = full_client(worker);
	unsigned refused = 0;
	struct buf bytes;

	write_who(client, &bytes);
	for (size_t i = 0; i < bytes.len * 8; i++) {
		buf_data(&bytes)[i / 8] ^= (unsigned char)(1 << i % 8);
		refused += read_who(worker, buf_data(&bytes), bytes.len) != 0;
		buf_data(&bytes)[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	assert_int_equal(read_who(worker, buf_data(&bytes), bytes.len), 0);
	buf_release(&bytes);
	write_rest(client, &bytes);
	for (size_t i = 0; i < bytes.len * 8; i++) {
		buf_data(&bytes)[i / 8] ^= (unsigned char)(1 << i % 8);
		refused +=
		    read_rest(worker, client, buf_data(&bytes), bytes.len) != 0;
		buf_data(&bytes)[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	assert_int_equal(read_rest(worker, client, buf_data(&bytes), bytes.len),
	    0);
	buf_release(&bytes);
	assert_true(refused > 1000); /* magic, lengths, counts */
}

/* ---- memory ------------------------------------------------------------ */

static struct worker *tortured;
static struct client *tortured_client;
static struct buf tortured_who, tortured_rest;

static int
read_both(void)
{
	struct client *taken = client_new_moved(tortured);
	struct names names = { .text = "" };
	struct ws_moved moved;
	const void *app;
	size_t app_len;
	int rc;

	if (taken == NULL)
		return -ENOMEM;
	rc = move_who_read(buf_data(&tortured_who), tortured_who.len, taken,
	    note_name, &names);
	if (rc == 0)
		rc = move_state_read(buf_data(&tortured_rest),
		    tortured_rest.len, taken, &moved, &app, &app_len);
	if (rc == 0)
		free(moved.tail);
	else
		assert_int_equal(rc, -ENOMEM);
	client_moved_away(taken);
	return rc;
}

static void
without_memory_it_does_not_come_and_leaves_nothing(void **state)
{
	tortured = *state;
	tortured_client = full_client(tortured);
	write_who(tortured_client, &tortured_who);
	write_rest(tortured_client, &tortured_rest);
	torture_malloc(read_both);
	buf_release(&tortured_who);
	buf_release(&tortured_rest);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_channel_that_cannot_be_joined_ends_it),
		TEST(what_is_over_the_limits_here_is_refused_whole),
		TEST(the_state_of_another_connection_is_refused),
		TEST(too_much_is_not_written),
		TEST(whatever_is_cut_off_is_refused),
		TEST(bytes_that_were_changed_do_no_harm),
		TEST(without_memory_it_does_not_come_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
