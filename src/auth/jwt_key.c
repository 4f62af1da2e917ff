/*
 * jwt_key.c - see jwt_key.h.
 *
 * A PEM file is read by OpenSSL and written anew, so that libjwt sees one block
 * of the kind that was looked at here, whatever else the file has.
 */
#include "auth/jwt_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/jwt.h"

enum {
	RSA_BITS_MIN = 2048
};

const char *
jwt_key_algorithm(const struct jwt_key *key)
{
	static const char *const names[] = { "HS256", "RS256", "ES256" };

	return names[key->kind];
}

void
jwt_key_release(struct jwt_key *key)
{
	if (key->bytes != NULL)
		OPENSSL_cleanse(key->bytes, key->len);
	free(key->bytes);
	key->bytes = NULL;
	key->len = 0;
}

/* ---- the file ---------------------------------------------------------- */

/* Read all that fd has, at most max bytes: their number, or -errno. */
static ssize_t
read_all(int fd, unsigned char *bytes, size_t max)
{
	size_t len = 0;
	ssize_t n;

	while (len < max) {
		n = read(fd, bytes + len, max - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* The file's bytes with a '\0' behind them.  0 or -errno and why. */
static int
read_file(const char *path, unsigned char **ret_bytes, size_t *ret_len,
    char *why, size_t size)
{
	unsigned char *bytes = malloc(JWT_KEY_FILE_MAX + 2);
	struct stat st;
	ssize_t len;
	int fd, rc;

	if (bytes == NULL) {
		(void)snprintf(why, size, "\"%s\": out of memory", path);
		return -ENOMEM;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1) {
		rc = -errno;
		goto fail;
	}
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		(void)close(fd);
		free(bytes);
		(void)snprintf(why, size, "\"%s\": is not a file", path);
		return -EINVAL;
	}
	len = read_all(fd, bytes, JWT_KEY_FILE_MAX + 1);
	(void)close(fd);
	if (len < 0) {
		rc = (int)len;
		goto fail;
	}
	bytes[len] = '\0';
	*ret_bytes = bytes;
	*ret_len = (size_t)len;
	return 0;
fail:
	free(bytes);
	(void)snprintf(why, size, "\"%s\": %s", path, strerror(-rc));
	return rc;
}

/* ---- PEM --------------------------------------------------------------- */

/* Nobody is asked for a pass phrase; the signature is OpenSSL's. */
static int
no_pass_phrase(char *text, int size, int writing, void *arg)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The first key of the text; NULL: there is none. */
static EVP_PKEY *
read_pem(const unsigned char *bytes, size_t len, bool is_private)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	EVP_PKEY *pkey = NULL;

	if (bio != NULL && is_private)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
	else if (bio != NULL)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, no_pass_phrase, NULL);
	(void)BIO_free(bio);
	ERR_clear_error();
	return pkey;
}

/* What is wrong with the key; NULL: nothing, and its kind is known. */
static const char *
pkey_fault(const EVP_PKEY *pkey, enum jwt_key_kind *ret_kind)
{
	char group[64] = "";
	size_t len;

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		*ret_kind = JWT_KEY_RS256;
		return EVP_PKEY_get_bits(pkey) >= RSA_BITS_MIN ?
		    NULL :
		    "an RSA key must have 2048 bits or more";
	case EVP_PKEY_EC:
		*ret_kind = JWT_KEY_ES256;
		(void)EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len);
		return strcmp(group, "prime256v1") == 0 ?
		    NULL :
		    "of elliptic curves only P-256 is supported (ES256)";
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		return "EdDSA is not supported: libjwt has it not; use an RSA "
		       "or a P-256 key";
	default:
		return "is neither an RSA nor a P-256 key";
	}
}

/* Write the key as one block into *ret_key.  0 or -ENOMEM. */
static int
write_pem(EVP_PKEY *pkey, bool is_private, struct jwt_key *ret_key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const char *text = NULL;
	long len = 0;
	int rc = 0;

	if (bio != NULL && is_private)
		rc = PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL,
		    NULL);
	else if (bio != NULL)
		rc = PEM_write_bio_PUBKEY(bio, pkey);
	if (rc == 1)
		len = BIO_get_mem_data(bio, &text);
	if (len > 0)
		ret_key->bytes = malloc((size_t)len + 1);
	if (len > 0 && ret_key->bytes != NULL) {
		memcpy(ret_key->bytes, text, (size_t)len);
		ret_key->bytes[len] = '\0';
		ret_key->len = (size_t)len;
	}
	(void)BIO_free(bio);
	ERR_clear_error();
	return ret_key->bytes != NULL ? 0 : -ENOMEM;
}

static int
take_pem(const unsigned char *bytes, size_t len, bool to_sign,
    struct jwt_key *ret_key, const char **ret_fault)
{
	EVP_PKEY *pkey = read_pem(bytes, len, true);
	int rc;

	if (pkey == NULL && to_sign) {
		*ret_fault = "has no private key that can be read without a "
			     "pass phrase";
		return -EINVAL;
	}
	if (pkey == NULL)
		pkey = read_pem(bytes, len, false);
	if (pkey == NULL) {
		*ret_fault = "has no key that can be read";
		return -EINVAL;
	}
	*ret_fault = pkey_fault(pkey, &ret_key->kind);
	rc = -EINVAL;
	if (*ret_fault == NULL) {
		rc = write_pem(pkey, to_sign, ret_key);
		*ret_fault = "out of memory";
	}
	EVP_PKEY_free(pkey);
	return rc;
}

/* ---- either ------------------------------------------------------------ */

/*
 * Is it a public key in another form?  Taken for a secret, everybody who knows
 * it could sign with it.
 */
static bool
is_other_key(const unsigned char *bytes, size_t len)
{
	const unsigned char *at = bytes;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)len);
	X509 *certificate;

	at = bytes;
	certificate = d2i_X509(NULL, &at, (long)len);
	EVP_PKEY_free(pkey);
	X509_free(certificate);
	ERR_clear_error();
	return pkey != NULL || certificate != NULL ||
	    memmem(bytes, len, "\"kty\"", 5) != NULL ||
	    (len > 8 &&
		(memcmp(bytes, "ssh-", 4) == 0 ||
		    memcmp(bytes, "ecdsa-", 6) == 0));
}

/* The secret without the newline that editors put behind it. */
static int
take_secret(const unsigned char *bytes, size_t len, struct jwt_key *ret_key,
    const char **ret_fault)
{
	if (is_other_key(bytes, len)) {
		*ret_fault = "is a key, but not in PEM form";
		return -EINVAL;
	}
	if (len != 0 && bytes[len - 1] == '\n')
		len--;
	if (len < JWT_SECRET_MIN) {
		*ret_fault = "a secret must have 32 bytes or more";
		return -EINVAL;
	}
	ret_key->kind = JWT_KEY_HS256;
	ret_key->bytes = malloc(len + 1);
	if (ret_key->bytes == NULL) {
		*ret_fault = "out of memory";
		return -ENOMEM;
	}
	memcpy(ret_key->bytes, bytes, len);
	ret_key->bytes[len] = '\0';
	ret_key->len = len;
	return 0;
}

int
jwt_key_load(const char *path, bool to_sign, struct jwt_key *ret_key, char *why,
    size_t size)
{
	const char *fault = "";
	unsigned char *bytes = NULL;
	size_t len = 0;
	int rc;

	*ret_key = (struct jwt_key){ .bytes = NULL };
	rc = read_file(path, &bytes, &len, why, size);
	if (rc != 0)
		return rc;
	if (len > JWT_KEY_FILE_MAX) {
		rc = -EFBIG;
		fault = "is larger than 65536 bytes";
	} else if (memmem(bytes, len, "-----BEGIN ", 11) != NULL) {
		rc = take_pem(bytes, len, to_sign, ret_key, &fault);
	} else {
		rc = take_secret(bytes, len, ret_key, &fault);
	}
	if (rc != 0)
		(void)snprintf(why, size, "\"%s\": %s", path, fault);
	OPENSSL_cleanse(bytes, len);
	free(bytes);
	return rc;
}
