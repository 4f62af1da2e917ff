/* test_ws_write.c - writing, closing, and certificates. */
#include "ws_rig.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* ---- writing ----------------------------------------------------------- */

static void
what_is_written_whole_leaves_nothing_behind(void **state)
{
	struct client *client = open_client();
	unsigned char bytes[WS_HEADROOM + 5] = { 0 };

	(void)state;
	assert_int_equal(ws_write(client, bytes + WS_HEADROOM, 5), 0);
	assert_said("write 5\n");
	assert_false(client->partial);
	assert_int_equal(client->state, CLIENT_OPEN);
}

static void
a_rest_is_waited_for_before_more_is_written(void **state)
{
	struct client *client = open_client();
	unsigned char bytes[WS_HEADROOM + 5] = { 0 };

	(void)state;
	lib.partial = true;
	assert_int_equal(ws_write(client, bytes + WS_HEADROOM, 5), 0);
	assert_said("write 5\nwait\n");
	assert_true(client->partial);
	client_push_own(client, frame_new(FRAME_PING, 0));
	flush_run(&worker);
	assert_said("");
	/* Room, but not for all of it. */
	assert_int_equal(calls(client, LWS_CALLBACK_SERVER_WRITEABLE, NULL, 0),
	    0);
	assert_true(client->partial);
	flush_run(&worker);
	assert_said("");
	lib.partial = false;
	assert_int_equal(calls(client, LWS_CALLBACK_SERVER_WRITEABLE, NULL, 0),
	    0);
	assert_false(client->partial);
	assert_said(""); /* at the end of the turn, not here */
	flush_run(&worker);
	assert_said("write 2\n");
}

static void
a_write_that_fails_ends_the_client(void **state)
{
	struct client *client = open_client();
	unsigned char bytes[WS_HEADROOM + 5] = { 0 };
	int fd[2];
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd),
	    0);
	client->fd = fd[0];
	lib.broken = true;
	assert_int_equal(ws_write(client, bytes + WS_HEADROOM, 5), -EIO);
	assert_int_equal(client->state, CLIENT_DEAD);
	assert_int_equal(read(fd[1], &byte, 1), 0); /* cut off */
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* ---- closing ----------------------------------------------------------- */

static void
a_close_says_its_code_and_reason_once(void **state)
{
	static const struct {
		enum close_code code;
		const char *reason, *said;
	} cases[] = {
		{ CLOSE_GOING_AWAY, "{\"retry_in\":100}",
		    "close 1001 '{\"retry_in\":100}'\nkill\n" },
		{ CLOSE_BAD_TEXT, NULL, "close 1007 ''\nkill\n" },
		{ CLOSE_POLICY, "no", "close 1008 'no'\nkill\n" },
		{ CLOSE_TOO_BIG, "", "close 1009 ''\nkill\n" },
		{ CLOSE_SLOW, "too slow", "close 4408 'too slow'\nkill\n" },
		{ CLOSE_RATE, "rate", "close 4429 'rate'\nkill\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client *client = open_client();

		client_close(client, cases[i].code, cases[i].reason, false);
		assert_int_equal(client->state, CLIENT_CLOSING);
		flush_run(&worker);
		assert_said(cases[i].said);
		assert_true(client->close_sent);
		ws_close(client);
		assert_said("");
	}
}

static void
a_reason_is_cut_to_what_a_frame_holds(void **state)
{
	struct client *client = open_client();
	char reason[200], said[160];

	(void)state;
	memset(reason, 'r', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	client_close(client, CLOSE_POLICY, reason, false);
	flush_run(&worker);
	/* A control frame has 125 bytes, two of them the code. */
	(void)snprintf(said, sizeof(said), "close 1008 '%.123s'\nkill\n",
	    reason);
	assert_said(said);
}

/* ---- certificates ------------------------------------------------------ */

static char dir[] = "/tmp/clusterbus-test-ws-XXXXXX";
static char cert_path[64], key_path[64], other_path[64], none_path[64];

static void
write_key(const char *path, EVP_PKEY *key)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL,
			     NULL),
	    1);
	assert_int_equal(fclose(out), 0);
}

static void
write_cert(const char *path, EVP_PKEY *key)
{
	X509 *cert = X509_new();
	FILE *out = fopen(path, "w");

	assert_non_null(cert);
	assert_non_null(out);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(out, cert), 1);
	assert_int_equal(fclose(out), 0);
	X509_free(cert);
}

static int
make_files(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");

	(void)state;
	if (mkdtemp(dir) == NULL || key == NULL || other == NULL)
		return -1;
	(void)snprintf(cert_path, sizeof(cert_path), "%s/cert", dir);
	(void)snprintf(key_path, sizeof(key_path), "%s/key", dir);
	(void)snprintf(other_path, sizeof(other_path), "%s/other", dir);
	(void)snprintf(none_path, sizeof(none_path), "%s/none", dir);
	write_cert(cert_path, key);
	write_key(key_path, key);
	write_key(other_path, other);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return 0;
}

static int
remove_files(void **state)
{
	(void)state;
	(void)unlink(cert_path);
	(void)unlink(key_path);
	(void)unlink(other_path);
	return rmdir(dir);
}

static struct ws *
new_with(char *cert, char *key, bool *ret_hopeless)
{
	config.tls_cert = cert;
	config.tls_key = key;
	return ws_new(&worker, ret_hopeless);
}

static void
a_certificate_that_is_none_can_never_work(void **state)
{
	bool hopeless = false;

	(void)state;
	assert_null(new_with(none_path, key_path, &hopeless));
	assert_true(hopeless);
	assert_null(new_with(cert_path, none_path, &hopeless));
	assert_true(hopeless);
	assert_null(new_with(key_path, key_path, &hopeless));
	assert_true(hopeless);
	assert_null(new_with(cert_path, other_path, &hopeless));
	assert_true(hopeless);
	assert_said(""); /* libwebsockets was not even asked */
	/* This one is good; what fails is something else. */
	lib.no_tls = true;
	assert_null(new_with(cert_path, key_path, &hopeless));
	assert_false(hopeless);
	assert_said("context\nplain\ndestroy\n");
}

static void
with_a_certificate_there_is_a_host_of_its_own(void **state)
{
	struct client *client = connection(true);
	bool hopeless;

	(void)state;
	worker.ws = new_with(cert_path, key_path, &hopeless);
	assert_non_null(worker.ws);
	assert_said("context\nplain\ntls\ntimer 200 ms\nkick\n");
	assert_string_equal(lib.tls_info.ssl_cert_filepath, cert_path);
	assert_string_equal(lib.tls_info.ssl_private_key_filepath, key_path);
	assert_int_not_equal(lib.tls_info.port, lib.plain_info.port);
	assert_true(ws_adopt(worker.ws, client));
	assert_ptr_equal(lib.desc.vh, &lib.tls);
	assert_int_equal(lib.desc.type,
	    LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL);
	assert_true(ws_adopt(worker.ws, connection(false)));
	assert_ptr_equal(lib.desc.vh, &lib.plain);
}

static void
certificates_are_read_again_or_the_old_ones_stay(void **state)
{
	const X509 *before;
	bool hopeless;

	(void)state;
	worker.ws = new_with(cert_path, key_path, &hopeless);
	assert_non_null(worker.ws);
	assert_null(SSL_CTX_get0_certificate(lib.ssl_ctx));
	assert_int_equal(ws_reload_tls(worker.ws), 0);
	before = SSL_CTX_get0_certificate(lib.ssl_ctx);
	assert_non_null(before);
	config.tls_key = other_path; /* as if the file had another's key */
	assert_int_equal(ws_reload_tls(worker.ws), -EINVAL);
	config.tls_key = key_path;
	config.tls_cert = none_path;
	assert_int_equal(ws_reload_tls(worker.ws), -EINVAL);
	assert_ptr_equal(SSL_CTX_get0_certificate(lib.ssl_ctx), before);
	config.tls_cert = cert_path;
	assert_int_equal(ws_reload_tls(worker.ws), 0);
	worker.ws->ssl_ctx = NULL;
	assert_int_equal(ws_reload_tls(worker.ws), -EINVAL);
}

static void
without_tls_there_is_nothing_to_read_again(void **state)
{
	(void)state;
	config.tls_cert = none_path;
	assert_int_equal(ws_reload_tls(worker.ws), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_WITH(name)                                                        \
	cmocka_unit_test_setup_teardown(name, setup_with_context, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH(what_is_written_whole_leaves_nothing_behind),
		TEST_WITH(a_rest_is_waited_for_before_more_is_written),
		TEST_WITH(a_write_that_fails_ends_the_client),
		TEST_WITH(a_close_says_its_code_and_reason_once),
		TEST_WITH(a_reason_is_cut_to_what_a_frame_holds),
		TEST(a_certificate_that_is_none_can_never_work),
		TEST(with_a_certificate_there_is_a_host_of_its_own),
		TEST(certificates_are_read_again_or_the_old_ones_stay),
		TEST_WITH(without_tls_there_is_nothing_to_read_again),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
