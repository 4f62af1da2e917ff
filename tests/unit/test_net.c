/* test_net.c - addresses and the listeners on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/net.h"

enum {
	MANY = 40
};

static int
option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
assert_born_right(int fd)
{
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
}

static void
wait_for_input(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&pollfd, 1, 5000), 1);
}

static void
addresses_survive_parsing_and_formatting(void **state)
{
	static const char *const texts[][2] = {
		{ "127.0.0.1:80", "127.0.0.1:80" },
		{ "0.0.0.0:0", "0.0.0.0:0" },
		{ "[::1]:65535", "[::1]:65535" },
		{ "[2001:DB8::0:1]:1", "[2001:db8::1]:1" },
		{ "localhost:8080", "127.0.0.1:8080" },
	};
	struct net_address address;
	char text[NET_ADDRESS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(net_parse(texts[i][0], &address), 0);
		net_format(&address, text, sizeof(text));
		assert_string_equal(text, texts[i][1]);
	}
}

static void
no_host_means_every_address(void **state)
{
	struct net_address address;
	char text[NET_ADDRESS_MAX];

	(void)state;
	assert_int_equal(net_parse(":80", &address), 0);
	assert_false(net_is_loopback(&address));
	net_format(&address, text, sizeof(text));
	assert_true(
	    strcmp(text, "[::]:80") == 0 || strcmp(text, "0.0.0.0:80") == 0);
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = { "", ":", "80", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8x",
		"127.0.0.1: 8", "256.0.0.1:80", "127.1:80", "::1:80", "[::1]80",
		"[::1:80", "[]:80", "[127.0.0.1]:80", "example.org:80",
		"localhost :80", "[::1%lo]:80",
		"127.0.0.1:99999999999999999999" };
	struct net_address address;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(net_parse(texts[i], &address), -EINVAL);
}

static void
a_very_long_address_is_refused(void **state)
{
	struct net_address address;
	char text[1000];

	(void)state;
	memset(text, '1', sizeof(text));
	memcpy(text + sizeof(text) - 4, ":80", 4);
	assert_int_equal(net_parse(text, &address), -EINVAL);
}

static void
loopback_is_known_in_both_families(void **state)
{
	static const struct {
		const char *text;
		bool loopback;
	} cases[] = { { "127.0.0.1:1", true }, { "127.255.3.4:1", true },
		{ "[::1]:1", true }, { "[::ffff:127.0.0.1]:1", true },
		{ "128.0.0.1:1", false }, { "0.0.0.0:1", false },
		{ "[::]:1", false }, { "[::ffff:8.8.8.8]:1", false },
		{ "192.168.1.1:1", false } };
	struct net_address address;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(net_parse(cases[i].text, &address), 0);
		assert_int_equal(net_is_loopback(&address), cases[i].loopback);
	}
}

static void
an_ipv4_peer_looks_the_same_on_a_dual_stack_socket(void **state)
{
	struct net_address plain, mapped;
	char a[NET_ADDRESS_MAX], b[NET_ADDRESS_MAX];

	(void)state;
	assert_int_equal(net_parse("10.1.2.3:9", &plain), 0);
	assert_int_equal(net_parse("[::ffff:10.1.2.3]:9", &mapped), 0);
	net_format_ip((const void *)&plain.sa, a, sizeof(a));
	net_format_ip((const void *)&mapped.sa, b, sizeof(b));
	assert_string_equal(a, "10.1.2.3");
	assert_string_equal(b, "10.1.2.3");
}

static void
two_listeners_share_a_port_and_one_of_them_gets_each_client(void **state)
{
	struct net_address address;
	int listeners[2], clients[MANY], got = 0, fd;

	(void)state;
	assert_int_equal(net_parse("127.0.0.1:0", &address), 0);
	listeners[0] = net_listen(&address, 128);
	assert_born_right(listeners[0]);
	assert_int_equal(net_local(listeners[0], &address), 0);
	listeners[1] = net_listen(&address, 128);
	assert_born_right(listeners[1]);
	for (size_t i = 0; i < MANY; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(clients[i], (const void *)&address.sa,
				     address.len),
		    0);
	}
	for (size_t i = 0; i < 2; i++) {
		while ((fd = accept(listeners[i], NULL, NULL)) != -1) {
			got++;
			(void)close(fd);
		}
		(void)close(listeners[i]);
	}
	for (size_t i = 0; i < MANY; i++)
		(void)close(clients[i]);
	assert_int_equal(got, MANY);
}

static void
accepted_connections_inherit_their_options(void **state)
{
	struct net_address address;
	int listener, client, fd;

	(void)state;
	assert_int_equal(net_parse("127.0.0.1:0", &address), 0);
	listener = net_listen(&address, 1);
	assert_born_right(listener);
	assert_int_equal(net_local(listener, &address), 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (const void *)&address.sa,
			     address.len),
	    0);
	wait_for_input(listener);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_true(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) > 0);
	(void)close(fd);
	(void)close(client);
	(void)close(listener);
}

static void
a_port_of_somebody_else_is_refused(void **state)
{
	struct net_address address;
	int other;

	(void)state;
	assert_int_equal(net_parse("127.0.0.1:0", &address), 0);
	other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(other, (const void *)&address.sa, address.len),
	    0);
	assert_int_equal(listen(other, 1), 0);
	assert_int_equal(net_local(other, &address), 0);
	assert_int_equal(net_listen(&address, 1), -EADDRINUSE);
	(void)close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_survive_parsing_and_formatting),
		cmocka_unit_test(no_host_means_every_address),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_very_long_address_is_refused),
		cmocka_unit_test(loopback_is_known_in_both_families),
		cmocka_unit_test(
		    an_ipv4_peer_looks_the_same_on_a_dual_stack_socket),
		cmocka_unit_test(
		    two_listeners_share_a_port_and_one_of_them_gets_each_client),
		cmocka_unit_test(accepted_connections_inherit_their_options),
		cmocka_unit_test(a_port_of_somebody_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
