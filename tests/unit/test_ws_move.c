/*
 * test_ws_move.c - a connection goes from one worker to another, and its client
 * notices nothing.
 */
#include "move_rig.h"

#define TEXT    0x81
#define TEXT_1  0x01 /* the first of several */
#define MORE    0x00
#define LAST    0x80
#define CLOSING 0x88
#define PINGING 0x89

static void
a_client_is_moved_between_two_messages(void **state)
{
	(void)state;
	client_comes(NULL, 0);
	for (int i = 0; i < 4; i++) {
		peer_frame(TEXT, "hello", 5);
		assert_heard("T5:hello");
		assert_got("", 0);
		move_soon();
		assert_int_equal(at, (i + 1) & 1);
	}
	assert_int_equal(workers[0].stats->clients_opened, 1);
	assert_int_equal(workers[1].stats->clients_opened, 0);
}

static void
the_subprotocol_is_kept(void **state)
{
	static const char *const offers[] = { NULL, "clusterbus.v1",
		"clusterbus.v1.bin" };

	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		client_comes(offers[i], 0);
		move_soon();
		assert_int_equal(client->wants_binary, i == 2);
		assert_string_equal(lws_get_protocol(client->wsi)->name,
		    i == 2 ? "clusterbus.v1.bin" : "clusterbus.v1");
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void
half_a_message_goes_on_with_its_limit(void **state)
{
	char text[100];

	(void)state;
	config.max_message = 250;
	memset(text, 'x', sizeof(text));
	client_comes(NULL, 0);
	for (int i = 0; i < 2; i++) {
		peer_frame(i == 0 ? TEXT_1 : MORE, text, sizeof(text));
		wait_until_read();
		move_soon();
	}
	assert_int_equal(client->in->len, 200);
	peer_frame(LAST, text, 51);
	assert_got("\x88\x18\x03\xf1the message is too big", 26);
	peer_frame(CLOSING, "\x03\xf1", 2);
	assert_last_words("", 0);
	turn();
	assert_int_equal(heard.len, 0);
	assert_int_equal(workers[at].clients.count, 0);
}

static void
a_ping_that_was_read_is_answered(void **state)
{
	(void)state;
	client_comes(NULL, 0);
	peer_frame(PINGING, "now", 3);
	/* Read, and moved before libwebsockets may write. */
	read_once();
	move();
	assert_got("\x8a\x03now", 5);
	peer_frame(PINGING, "", 0);
	read_once();
	move_soon();
	assert_got("\x8a\0", 2);
	peer_frame(PINGING, "more", 4);
	assert_got("\x8a\x04more", 6);
}

/* Does the kernel watch this descriptor for this epoll set? */
static bool
epoll_has(int epoll_fd, int fd)
{
	char path[64], line[128];
	bool found = false;
	FILE *file;
	int tfd;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll_fd);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		found |= sscanf(line, "tfd: %d", &tfd) == 1 && tfd == fd;
	(void)fclose(file);
	return found;
}

static void
the_old_worker_watches_it_no_more(void **state)
{
	/* What is known of libev's descriptor: nothing, it, something wrong. */
	static const int known[] = { -1, 0, 250 };
	int epoll_fd = find_epoll(workers[0].loop), fd;

	(void)state;
	client_comes(NULL, 0);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i] != 0)
			workers[0].ws->epoll_fd = known[i];
		fd = client->fd;
		assert_true(epoll_has(epoll_fd, fd));
		move_soon();
		assert_false(epoll_has(epoll_fd, fd));
		assert_int_equal(workers[0].ws->epoll_fd, epoll_fd);
		peer_frame(TEXT, "hello", 5);
		assert_heard("T5:hello");
		move_soon();
		turns(2);
	}
}

/* ---- the end ----------------------------------------------------------- */

static void
a_client_closes_after_a_move(void **state)
{
	static const unsigned codes[] = { 1000, 1001, 1011, 1012, 1013, 1014,
		3000, 4999 };

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		char payload[] = { (char)(codes[i] >> 8), (char)codes[i], 'b',
			'y', 'e' };
		char answer[7] = "\x88\x05";

		memcpy(answer + 2, payload, sizeof(payload));
		client_comes(NULL, 0);
		move_soon();
		peer_frame(CLOSING, payload, sizeof(payload));
		assert_last_words(answer, sizeof(answer));
		turn();
		assert_int_equal(workers[at].clients.count, 0);
		assert_int_equal(workers[at].stats->clients_closed, 1);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static void
a_client_is_closed_after_a_move(void **state)
{
	(void)state;
	client_comes(NULL, 0);
	move_soon();
	client_close(client, CLOSE_GOING_AWAY, "so long", false);
	turn();
	assert_got("\x88\x09\x03\xe9so long", 11);
	peer_frame(CLOSING, "\x03\xe9", 2);
	assert_last_words("", 0);
	turn();
	assert_int_equal(workers[at].clients.count, 0);
}

static void
a_client_that_has_gone_meanwhile_is_closed_where_it_comes(void **state)
{
	struct ws_moved moved;
	struct linger hard = { 1, 0 };
	unsigned char frame[] = "\x81\x01x";
	uint64_t end = clock_now_ms() + 2000;

	(void)state;
	client_comes(NULL, 0);
	assert_int_equal(ws_move_out(client, &moved), 0);
	(void)setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(peer);
	peer = -1;
	client = follows(client, &workers[1]);
	moved.tail = frame;
	moved.tail_len = 3;
	assert_int_equal(ws_move_in(workers[1].ws, client, &moved), 0);
	while (workers[1].clients.count != 0 && clock_now_ms() < end)
		turn();
	assert_int_equal(workers[1].clients.count, 0);
}

static void
a_frame_without_a_mask_is_a_protocol_error(void **state)
{
	static const char good[] = "\x81\x80\0\0\0\0";
	static const char bad[] = "\x81\x01x";

	for (unsigned cut = 0; cut <= 2; cut++) {
		client_comes(NULL, 0);
		if (cut == 0)
			peer_writes(good, 6);
		peer_writes(bad, cut);
		if (cut != 0)
			wait_until_read();
		peer_writes(bad + cut, 3 - cut);
		wait_for_bytes(4);
		assert_memory_equal(buf_data(&got), "\x88\x09\x03\xea", 4);
		buf_clear(&got);
		assert_int_equal(heard.len, cut == 0 ? 3 : 0);
		peer_frame(CLOSING, "\x03\xea", 2);
		assert_last_words("", 0);
		turn();
		assert_int_equal(workers[0].clients.count, 0);
		assert_int_equal(workers[0].stats->closed_protocol, 1);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_is_moved_between_two_messages),
		TEST(the_subprotocol_is_kept),
		TEST(half_a_message_goes_on_with_its_limit),
		TEST(a_ping_that_was_read_is_answered),
		TEST(the_old_worker_watches_it_no_more),
		TEST(a_client_closes_after_a_move),
		TEST(a_client_is_closed_after_a_move),
		TEST(a_client_that_has_gone_meanwhile_is_closed_where_it_comes),
		TEST(a_frame_without_a_mask_is_a_protocol_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
