/* test_door.c - connections are counted, limited and handed on. */
#include "door_rig.h"

static void
a_connection_is_handed_on_and_counted(void **state)
{
	struct rig *r = *state;
	int a = dial(r), b = dial(r);
	struct client *client;

	accept_until(r, 2);
	assert_int_equal(r->worker.clients.count, 2);
	client = r->worker.clients.all[0];
	assert_true((fcntl(client->fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(client->fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_false(client->tls);
	assert_int_equal(r->worker.stats->handshakes, 2);
	(void)close(a);
	(void)close(b);
}

static void
a_full_worker_says_so_and_hangs_up(void **state)
{
	struct rig *r = *state;
	int a, b;

	r->config.max_clients = 1;
	a = dial(r);
	b = dial(r);
	accept_until(r, 2);
	assert_int_equal(r->worker.clients.count, 1);
	assert_int_equal(r->worker.stats->refused_full, 1);
	assert_memory_equal(read_all(b), "HTTP/1.1 503 ", 13);
	gone(r->worker.clients.all[0]);
	b = dial(r);
	accept_until(r, 3);
	assert_int_equal(r->worker.clients.count, 1);
	(void)close(a);
	(void)close(b);
}

static void
an_address_has_room_again_when_one_has_gone(void **state)
{
	struct rig *r = *state;
	int fds[4];

	r->config.max_clients_per_address = 2;
	for (int i = 0; i < 3; i++)
		fds[i] = dial(r);
	accept_until(r, 3);
	assert_int_equal(r->worker.clients.count, 2);
	assert_int_equal(r->worker.stats->refused_address, 1);
	client_opened(r->worker.clients.all[0]);
	gone(r->worker.clients.all[0]);
	fds[3] = dial(r);
	accept_until(r, 4);
	assert_int_equal(r->worker.clients.count, 2);
	assert_int_equal(r->worker.stats->refused_address, 1);
	for (int i = 0; i < 4; i++)
		(void)close(fds[i]);
}

static void
handshakes_have_a_limit_of_their_own(void **state)
{
	struct rig *r = *state;
	int fds[5];

	r->config.max_handshakes_per_address = 2;
	for (int i = 0; i < 3; i++)
		fds[i] = dial(r);
	accept_until(r, 3);
	assert_int_equal(r->worker.stats->refused_address, 1);
	client_opened(r->worker.clients.all[0]); /* a handshake less */
	fds[3] = dial(r);
	accept_until(r, 4);
	assert_int_equal(r->worker.stats->refused_address, 1);
	gone(r->worker.clients.all[0]); /* that one was open */
	fds[4] = dial(r);
	accept_until(r, 5);
	assert_int_equal(r->worker.stats->refused_address, 2);
	for (int i = 0; i < 5; i++)
		(void)close(fds[i]);
}

static void
who_speaks_tls_is_turned_away_without_words(void **state)
{
	struct rig *r = rig_new(true);
	int fd;

	(void)state;
	if (r == NULL) {
		fail();
		return;
	}
	r->config.max_clients = 0;
	fd = dial(r);
	accept_until(r, 1);
	assert_string_equal(read_all(fd), "");
	rig_free(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_is_handed_on_and_counted),
		TEST(a_full_worker_says_so_and_hangs_up),
		TEST(an_address_has_room_again_when_one_has_gone),
		TEST(handshakes_have_a_limit_of_their_own),
		cmocka_unit_test(who_speaks_tls_is_turned_away_without_words),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
