/* SPDX-License-Identifier: GPL-3.0-or-later */
/* argon2id by libargon2, with ceilings on what a stored string may ask for. */
#include "broker/auth/password.h"

#include "base/hash.h"
#include "base/secret.h"
#include "base/text.h"

#include <argon2.h>
#include <stdio.h>
#include <string.h>

#define COST_KIB 19456
#define COST_PASSES 2
#define COST_LANES 1
#define SALT_LEN 16
#define HASH_LEN 32

/* What a string from the database may cost us at most. */
#define COST_KIB_MAX (128 * 1024)
#define COST_PASSES_MAX 8

int password_check(const char *password, struct pst_err *err)
{
	size_t len = strlen(password), chars = 0;

	if (len > PASSWORD_MAX_BYTES)
		return pst_err_set(err, PST_EINVAL, "the password is longer than %d bytes: choose a shorter one",
			PASSWORD_MAX_BYTES);
	for (size_t i = 0; i < len; chars++) {
		uint32_t cp;
		int n = pst_utf8_next(password + i, len - i, &cp);

		if (n <= 0)
			return pst_err_set(err, PST_EINVAL, "the password is not valid UTF-8 text");
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return pst_err_set(err, PST_EINVAL, "the password holds a control character: leave it out");
		i += (size_t)n;
	}
	if (chars < PASSWORD_MIN_CHARS)
		return pst_err_set(err, PST_EINVAL, "the password has fewer than %d characters: choose a longer one",
			PASSWORD_MIN_CHARS);
	return 0;
}

int password_hash(const char *password, char out[PASSWORD_PHC_SIZE])
{
	uint8_t salt[SALT_LEN];
	size_t len = strlen(password);

	if (len > PASSWORD_MAX_BYTES)
		return PST_ELIMIT;
	pst_random(salt, sizeof(salt));
	int rc = argon2id_hash_encoded(COST_PASSES, COST_KIB, COST_LANES, password, len, salt,
		sizeof(salt), HASH_LEN, out, PASSWORD_PHC_SIZE);
	return rc == ARGON2_OK ? 0 : PST_ENOMEM;
}

/* A hash of nothing anybody typed: what unknown users are compared with. */
static const char *phc_nobody(void)
{
	return "$argon2id$v=19$m=19456,t=2,p=1$cHVlc3RvLW5vYm9keS0xMQ$"
	       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
}

static bool phc_is_affordable(const char *phc, bool *ret_rehash)
{
	unsigned version, kib, passes, lanes;

	if (strlen(phc) >= PASSWORD_PHC_SIZE ||
		sscanf(phc, "$argon2id$v=%u$m=%u,t=%u,p=%u$", &version, &kib, &passes, &lanes) != 4)
		return false;
	*ret_rehash = version != ARGON2_VERSION_NUMBER || kib != COST_KIB || passes != COST_PASSES ||
		lanes != COST_LANES;
	return kib <= COST_KIB_MAX && passes <= COST_PASSES_MAX && lanes <= 4;
}

bool password_verify(const char *phc, const char *password, bool *ret_rehash)
{
	bool rehash = false, is_known = phc && phc_is_affordable(phc, &rehash);
	size_t len = strnlen(password, PASSWORD_MAX_BYTES + 1);
	bool fits = len <= PASSWORD_MAX_BYTES;
	int rc = argon2id_verify(is_known ? phc : phc_nobody(), password, fits ? len : PASSWORD_MAX_BYTES);

	if (ret_rehash)
		*ret_rehash = rehash && is_known;
	return rc == ARGON2_OK && is_known && fits;
}
