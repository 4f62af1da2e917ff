/* test_jwt.c - which tokens are good, and what each of the others lacks. */
#include "jwt_rig.h"

/* Claims are refused for this reason. */
static void
bad(const char *claims, const char *reason)
{
	refused(rig_claims(claims), -EACCES, reason);
}

static void
a_token_tells_user_role_and_grants(void **state)
{
	struct jwt_claims claims;
	const char *why;

	(void)state;
	assert_int_equal(
	    check(rig_claims("{\"exp\":1000001.9,\"sub\":\"a\\u0062\\\"c\","
			     "\"role\":\"admin\",\"publish\":[],"
			     "\"topics\":[ \"chat:*\" , \"a\\\\\\\"]\" ],"
			     "\"other\":{\"exp\":1}}"),
		&plain, &claims, &why),
	    0);
	assert_string_equal(claims.user, "ab\"c");
	assert_string_equal(claims.role, "admin");
	assert_int_equal(claims.expires_s, 1000001);
	assert_true(claims.topics.given && claims.publish.given);
	assert_int_equal(claims.topics.count, 2);
	assert_string_equal(claims.topics.names[0], "chat:*");
	assert_string_equal(claims.topics.names[1], "a\\\"]");
	assert_int_equal(claims.publish.count, 0);
	jwt_claims_release(&claims);
	assert_int_equal(check(rig_claims("{\"exp\":2e6}"), &plain, &claims,
			     &why),
	    0);
	assert_string_equal(claims.user, "");
	assert_string_equal(claims.role, "");
	assert_int_equal(claims.expires_s, 2000000);
	assert_false(claims.topics.given || claims.publish.given);
	jwt_claims_release(&claims);
}

static void
times_are_kept_to(void **state)
{
	(void)state;
	bad("{}", "no \"exp\"");
	bad("{\"exp\":1000000}", "expired");
	bad("{\"exp\":-5}", "expired");
	bad("{\"exp\":\"2000000\"}", "not a number");
	bad("{\"exp\":null}", "not a number");
	bad("{\"exp\":2000000,\"nbf\":1000061}", "not valid yet");
	bad("{\"exp\":2000000,\"iat\":1000061}", "not valid yet");
	bad("{\"exp\":2000000,\"nbf\":true}", "not a number");
	bad("{\"exp\":2000000,\"iat\":[]}", "not a number");
	accepted(rig_claims("{\"exp\":1000001}"));
	accepted(rig_claims("{\"exp\":2000000,\"nbf\":1000060}"));
	accepted(rig_claims("{\"exp\":2000000,\"iat\":1000060}"));
	accepted(rig_claims("{\"exp\":1e300}"));
}

static void
claims_of_a_wrong_type_are_refused(void **state)
{
	(void)state;
	bad("[]", "not a JSON object");
	bad("{\"exp\":2000000", "not a JSON object");
	bad("{\"exp\":2000000} ,", "not a JSON object");
	bad("\xff{}", "not a JSON object");
	bad("{\"exp\":2000000,\"sub\":5}", "user is not a string");
	bad("{\"exp\":2000000,\"sub\":\"a\\u0000b\"}", "");
	bad("{\"exp\":2000000,\"role\":[\"a\"]}", "role is not a string");
	bad("{\"exp\":2000000,\"topics\":\"a\"}", "\"topics\"");
	bad("{\"exp\":2000000,\"topics\":[1]}", "\"topics\"");
	bad("{\"exp\":2000000,\"publish\":[\"a\",[]]}", "\"publish\"");
	bad("{\"exp\":2000000,\"publish\":{}}", "\"publish\"");
}

static void
a_claim_that_stands_there_twice_is_refused(void **state)
{
	static const char *const twice[] = { "\"sub\":\"a\",\"sub\":\"b\"",
		"\"sub\":\"a\",\"s\\u0075b\":\"b\"", "\"exp\":3000000",
		"\"nbf\":1,\"nbf\":1", "\"role\":\"a\",\"role\":\"a\"",
		"\"topics\":[],\"topics\":[]", "\"iss\":\"a\",\"iss\":\"b\"" };
	char claims[128];

	(void)state;
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
		(void)snprintf(claims, sizeof(claims), "{\"exp\":2000000,%s}",
		    twice[i]);
		bad(claims, "twice");
	}
}

static void
issuer_and_audience_are_kept_to(void **state)
{
	static const struct jwt_rules rules = { "us", "chat", "sub", "role" };

	static const struct {
		const char *claims;
		int rc;
	} cases[] = {
		{ "\"iss\":\"us\",\"aud\":\"chat\"", 0 },
		{ "\"iss\":\"us\",\"aud\":[\"a\",\"chat\"]", 0 },
		{ "\"iss\":\"us\"", -EPERM },
		{ "\"aud\":\"chat\"", -EPERM },
		{ "\"iss\":[\"us\"],\"aud\":\"chat\"", -EPERM },
		{ "\"iss\":\"us2\",\"aud\":\"chat\"", -EPERM },
		{ "\"iss\":\"us\",\"aud\":\"cha\"", -EPERM },
		{ "\"iss\":\"us\",\"aud\":[]", -EPERM },
		{ "\"iss\":\"us\",\"aud\":{\"chat\":1}", -EPERM },
		{ "\"iss\":\"us\",\"aud\":[\"chat\",1]", -EPERM },
	};
	struct jwt_claims claims;
	char text[128];
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"exp\":2000000,%s}",
		    cases[i].claims);
		assert_int_equal(check(rig_claims(text), &rules, &claims, &why),
		    cases[i].rc);
		if (cases[i].rc == 0)
			jwt_claims_release(&claims);
	}
}

#define GOOD "{\"exp\":2000000}"

/* A token of this header, signed with the secret. */
static const char *
header(const char *text)
{
	return rig_hmac(text, GOOD, RIG_SECRET, strlen(RIG_SECRET));
}

static void
the_header_must_be_that_of_the_key(void **state)
{
	(void)state;
	accepted(header("{\"alg\":\"HS256\"}"));
	accepted(header("{\"typ\":\"jwt\",\"kid\":\"x\",\"alg\":\"HS256\"}"));
	refused(header("{\"alg\":\"none\"}"), -EACCES, "algorithm");
	refused(header("{\"alg\":\"hs256\"}"), -EACCES, "algorithm");
	refused(header("{\"alg\":\"HS512\"}"), -EACCES, "algorithm");
	refused(header("{\"alg\":\"RS256\"}"), -EACCES, "");
	refused(header("{\"alg\":\"ES256\"}"), -EACCES, "");
	refused(header("{\"alg\":5}"), -EACCES, "names no algorithm");
	refused(header("{}"), -EACCES, "names no algorithm");
	refused(header("[]"), -EACCES, "header is not a JSON object");
	refused(header("{\"alg\":\"none\",\"alg\":\"HS256\"}"), -EACCES,
	    "twice");
	refused(header("{\"alg\":\"HS256\",\"typ\":\"JWE\"}"), -EACCES,
	    "not JWT");
	refused(header("{\"alg\":\"HS256\",\"crit\":[\"b64\"]}"), -EACCES,
	    "extensions");
}

static void
a_token_without_a_signature_is_refused(void **state)
{
	(void)state;
	rig_unsigned("{\"alg\":\"none\",\"typ\":\"JWT\"}", GOOD);
	refused(rig_token, -EACCES, "three parts");
	rig_add(".");
	refused(rig_token, -EACCES, "three parts");
	rig_add("AAAA");
	refused(rig_token, -EACCES, "algorithm");
}

/* The text of a file in rig_dir. */
static size_t
read_file(const char *name, char *text, size_t size)
{
	FILE *file = fopen(rig_path(name), "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, size, file);
	assert_int_equal(fclose(file), 0);
	return len;
}

static void
a_public_key_is_never_taken_for_a_secret(void **state)
{
	char pem[4096];
	size_t len = read_file("rsa.pub", pem, sizeof(pem));
	struct jwt_claims claims;
	const char *token, *why;

	(void)state;
	for (size_t cut = 0; cut < 2; cut++) {
		token = rig_hmac("{\"alg\":\"HS256\"}", GOOD, pem, len - cut);
		refused(token, -EACCES, "not signed");
		assert_int_equal(jwt_check(rsa, &plain, token, strlen(token),
				     RIG_NOW, &claims, &why),
		    -EACCES);
		token = rig_hmac("{\"alg\":\"RS256\"}", GOOD, pem, len - cut);
		refused(token, -EACCES, "");
	}
}

static void
what_is_made_with_a_key_is_good_for_its_other_half_alone(void **state)
{
	static const char *const names[] = { "rsa.pem", "ec.pem", "secret" };
	struct jwt_claims claims;
	char *token, why[256];
	const char *fault;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(jwt_make(rig_path(names[i]),
				     "{\"exp\":2000000,\"sub\":\"a\"}", &token,
				     why, sizeof(why)),
		    0);
		accepted(token);
		assert_int_equal(jwt_check(rsa, &plain, token, strlen(token),
				     RIG_NOW, &claims, &fault),
		    i == 0 ? 0 : -EACCES);
		if (i == 0)
			jwt_claims_release(&claims);
		/* Another claim under the same signature. */
		token[strcspn(token, ".") + 8] ^= 1;
		refused(token, -EACCES, "");
		free(token);
	}
	assert_int_equal(jwt_make(rig_path("secret"), "{", &token, why,
			     sizeof(why)),
	    -EINVAL);
}

static void
a_signature_of_another_secret_is_refused(void **state)
{
	(void)state;
	refused(rig_hmac("{\"alg\":\"HS256\"}", GOOD, RIG_SECRET "x",
		    strlen(RIG_SECRET) + 1),
	    -EACCES, "not signed");
	refused(rig_hmac("{\"alg\":\"HS256\"}", GOOD, "", 0), -EACCES,
	    "not signed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_tells_user_role_and_grants),
		cmocka_unit_test(times_are_kept_to),
		cmocka_unit_test(claims_of_a_wrong_type_are_refused),
		cmocka_unit_test(a_claim_that_stands_there_twice_is_refused),
		cmocka_unit_test(issuer_and_audience_are_kept_to),
		cmocka_unit_test(the_header_must_be_that_of_the_key),
		cmocka_unit_test(a_token_without_a_signature_is_refused),
		cmocka_unit_test(a_public_key_is_never_taken_for_a_secret),
		cmocka_unit_test(
		    what_is_made_with_a_key_is_good_for_its_other_half_alone),
		cmocka_unit_test(a_signature_of_another_secret_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
