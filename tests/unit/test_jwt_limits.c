/* test_jwt_limits.c - tokens at the limits, and the files that keys come in. */
#include "jwt_rig.h"
#include "torture.h"

#define GOOD "{\"exp\":2000000}"

static void
every_token_that_is_cut_or_changed_is_refused(void **state)
{
	char whole[512], changed[512];
	struct jwt_claims claims;
	const char *why;
	size_t len;

	(void)state;
	(void)snprintf(whole, sizeof(whole), "%s", rig_claims(GOOD));
	len = strlen(whole);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(jwt_check(keys, &plain, whole, i, RIG_NOW,
				     &claims, &why),
		    -EACCES);
		memcpy(changed, whole, len + 1);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_int_equal(check(changed, &plain, &claims, &why),
		    -EACCES);
		for (const char *odd = "+/= \n."; *odd != '\0'; odd++) {
			if (*odd == whole[i])
				continue;
			changed[i] = *odd;
			assert_int_equal(check(changed, &plain, &claims, &why),
			    -EACCES);
		}
	}
	whole[10] = '\0';
	assert_int_equal(jwt_check(keys, &plain, whole, len, RIG_NOW, &claims,
			     &why),
	    -EACCES);
}

static void
size_and_number_have_limits(void **state)
{
	static char claims[30000];
	size_t at;

	(void)state;
	memset(claims, ' ', 7000);
	memcpy(claims + 7000, GOOD, sizeof(GOOD));
	refused(rig_claims(claims), -EACCES, "longer than 8192");
	accepted(rig_claims(claims + 1500));
	at = (size_t)snprintf(claims, sizeof(claims),
	    "{\"exp\":2000000,\"topics\":[\"\"");
	for (int i = 0; i < 999; i++)
		at +=
		    (size_t)snprintf(claims + at, sizeof(claims) - at, ",\"\"");
	(void)snprintf(claims + at, sizeof(claims) - at, "]}");
	accepted(rig_claims(claims));
	(void)snprintf(claims + at, sizeof(claims) - at, ",\"\"]}");
	refused(rig_claims(claims), -EACCES, "up to 1000");
	at = (size_t)snprintf(claims, sizeof(claims), "{\"exp\":2000000");
	for (int i = 0; i < 128; i++)
		at += (size_t)snprintf(claims + at, sizeof(claims) - at,
		    ",\"%d\":0", i);
	(void)snprintf(claims + at, sizeof(claims) - at, "}");
	refused(rig_claims(claims), -EACCES, "not a JSON object");
}

static int
check_once(void)
{
	struct jwt_claims claims;
	const char *why;
	int rc;

	rc = check(rig_token, &plain, &claims, &why);
	if (rc == 0)
		jwt_claims_release(&claims);
	else
		assert_int_equal(rc, -ENOMEM);
	return rc;
}

static void
without_memory_a_token_is_not_judged(void **state)
{
	(void)state;
	(void)rig_claims("{\"exp\":2000000,\"sub\":\"a\",\"role\":\"b\","
			 "\"topics\":[\"a\",\"b\",\"c\"],\"publish\":[\"d\"]}");
	torture_malloc(check_once);
}

/* ---- key files ---------------------------------------------------------- */

static void
key_refused(const char *path, int rc, const char *reason)
{
	struct jwt_keys *none;
	char *paths[] = { rig_path("secret"), rig_path("x") }, why[256] = "";

	(void)snprintf(paths[1], 64, "%s", path);
	assert_int_equal(jwt_keys_load(paths, 2, &none, why, sizeof(why)), rc);
	assert_int_equal(jwt_keys_check(paths, 2, why, sizeof(why)), rc);
	if (strstr(why, reason) == NULL || strstr(why, path) == NULL)
		fail_msg("'%s' does not say '%s'", why, reason);
}

static void
a_key_file_that_is_none_is_refused_with_its_name(void **state)
{
	static const struct {
		const char *text, *reason;
	} others[] = {
		{ "-----BEGIN PUBLIC KEY-----\n", "no key that can be read" },
		{ "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB", "not in PEM form" },
		{ "{\"kty\":\"RSA\",\"n\":\"AAAAAAAAAAAAAAAA\"}",
		    "not in PEM form" },
	};

	static char large[JWT_KEY_FILE_MAX + 1];

	(void)state;
	key_refused("/nonexistent/key", -ENOENT, "No such file");
	key_refused("/tmp", -EINVAL, "is not a file");
	key_refused("/dev/zero", -EINVAL, "is not a file");
	key_refused(rig_write("k", "", 0), -EINVAL, "32 bytes or more");
	key_refused(rig_write("k", large, JWT_SECRET_MIN - 1), -EINVAL,
	    "32 bytes or more");
	large[JWT_SECRET_MIN - 1] = '\n';
	key_refused(rig_write("k", large, JWT_SECRET_MIN), -EINVAL,
	    "32 bytes or more");
	key_refused(rig_write("k", large, sizeof(large)), -EFBIG, "larger");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		key_refused(rig_write("k", others[i].text,
				strlen(others[i].text)),
		    -EINVAL, others[i].reason);
}

static void
keys_of_other_kinds_are_refused_by_name(void **state)
{
	(void)state;
	rig_pair("ed", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	key_refused(rig_path("ed.pub"), -EINVAL, "EdDSA is not supported");
	key_refused(rig_path("ed.pem"), -EINVAL, "EdDSA is not supported");
	rig_pair("p384", EVP_EC_gen("P-384"));
	key_refused(rig_path("p384.pub"), -EINVAL, "only P-256");
	rig_pair("small", EVP_RSA_gen(1024));
	key_refused(rig_path("small.pub"), -EINVAL, "2048 bits");
	rig_pair("x", EVP_PKEY_Q_keygen(NULL, NULL, "X25519"));
	key_refused(rig_path("x.pub"), -EINVAL, "neither");
}

static void
a_public_key_in_der_form_is_no_secret(void **state)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);

	(void)state;
	assert_true(len > JWT_SECRET_MIN);
	key_refused(rig_write("k", der, (size_t)len), -EINVAL,
	    "not in PEM form");
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

static void
nobody_is_asked_for_a_pass_phrase(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	FILE *file = fopen(rig_path("locked.pem"), "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(PEM_write_PKCS8PrivateKey(file, pkey,
			     EVP_aes_128_cbc(), "phrase", 6, NULL, NULL),
	    1);
	assert_int_equal(fclose(file), 0);
	EVP_PKEY_free(pkey);
	key_refused(rig_path("locked.pem"), -EINVAL, "no key");
}

static void
a_token_needs_a_private_key(void **state)
{
	char why[256], *token;

	(void)state;
	assert_int_equal(jwt_make(rig_path("rsa.pub"), GOOD, &token, why,
			     sizeof(why)),
	    -EINVAL);
	assert_non_null(strstr(why, "no private key"));
}

static void
a_private_key_checks_as_its_public_half_does(void **state)
{
	char *path = rig_path("ec.pem"), *token, why[256];
	struct jwt_claims claims;
	struct jwt_keys *private;
	const char *fault;

	(void)state;
	assert_int_equal(jwt_make(path, GOOD, &token, why, sizeof(why)), 0);
	assert_int_equal(jwt_keys_load(&path, 1, &private, why, sizeof(why)),
	    0);
	assert_int_equal(jwt_check(private, &plain, token, strlen(token),
			     RIG_NOW, &claims, &fault),
	    0);
	jwt_claims_release(&claims);
	jwt_keys_free(private);
	free(token);
}

static void
too_many_keys_are_refused(void **state)
{
	char *paths[JWT_KEYS_MAX + 1], why[256];
	struct jwt_keys *many;

	(void)state;
	for (size_t i = 0; i <= JWT_KEYS_MAX; i++)
		paths[i] = rig_path("secret");
	assert_int_equal(jwt_keys_check(paths, JWT_KEYS_MAX, why, sizeof(why)),
	    0);
	assert_int_equal(jwt_keys_check(paths, JWT_KEYS_MAX + 1, why,
			     sizeof(why)),
	    -E2BIG);
	assert_int_equal(jwt_keys_load(NULL, 0, &many, why, sizeof(why)), 0);
	jwt_keys_free(many);
}

static int
load_once(void)
{
	char *paths[] = { rig_path("secret"), rig_path("rsa.pub") }, why[256];

	return jwt_keys_check(paths, 2, why, sizeof(why));
}

static void
without_memory_no_key_is_loaded(void **state)
{
	(void)state;
	torture_malloc(load_once);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_token_that_is_cut_or_changed_is_refused),
		cmocka_unit_test(size_and_number_have_limits),
		cmocka_unit_test(without_memory_a_token_is_not_judged),
		cmocka_unit_test(
		    a_key_file_that_is_none_is_refused_with_its_name),
		cmocka_unit_test(keys_of_other_kinds_are_refused_by_name),
		cmocka_unit_test(a_public_key_in_der_form_is_no_secret),
		cmocka_unit_test(nobody_is_asked_for_a_pass_phrase),
		cmocka_unit_test(a_token_needs_a_private_key),
		cmocka_unit_test(a_private_key_checks_as_its_public_half_does),
		cmocka_unit_test(too_many_keys_are_refused),
		cmocka_unit_test(without_memory_no_key_is_loaded),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
