/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names are data: every readable character is welcome, what hides or breaks a line is not. */
#include "broker/auth/names.h"

#include "base/text.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* C0, C1, line and paragraph separators, direction overrides, zero width, non-characters. */
static bool is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
		(c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
		(c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe;
}

static bool is_space(uint32_t c)
{
	return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
		c == 0x205f || c == 0x3000;
}

int name_check(const char *what, const char *name, struct pst_err *err)
{
	size_t len = strlen(name), chars = 0;
	bool space_first = false, space_last = false;

	for (size_t i = 0; i < len; chars++) {
		uint32_t cp;
		int n = pst_utf8_next(name + i, len - i, &cp);

		if (n <= 0)
			return pst_err_set(err, PST_EINVAL, "%s: the text is not valid UTF-8", what);
		if (is_hidden(cp))
			return pst_err_set(err, PST_EINVAL,
				"%s: character %zu (U+%04X) is a control or invisible character: leave it out", what,
				chars + 1, (unsigned)cp);
		space_last = is_space(cp);
		if (chars == 0)
			space_first = space_last;
		i += (size_t)n;
	}
	if (chars == 0)
		return pst_err_set(err, PST_EINVAL, "%s: it is empty: give 1 to %d characters", what, NAME_MAX_CHARS);
	if (chars > NAME_MAX_CHARS)
		return pst_err_set(err, PST_EINVAL, "%s: %zu characters are too many: %d at most", what, chars,
			NAME_MAX_CHARS);
	if (space_first || space_last)
		return pst_err_set(err, PST_EINVAL, "%s: it begins or ends with a space: leave it out", what);
	return 0;
}

int slug_check(const char *what, const char *name, struct pst_err *err)
{
	size_t len = strlen(name);
	bool ok = len >= 1 && len <= NAME_MAX_CHARS && isalnum((unsigned char)name[0]);

	for (size_t i = 0; ok && i < len; i++)
		ok = isalnum((unsigned char)name[i]) || strchr("._-", name[i]);
	if (!ok)
		return pst_err_set(err, PST_EINVAL,
			"%s: use 1 to %d of the characters A-Z a-z 0-9 . _ - and begin with a letter or digit",
			what, NAME_MAX_CHARS);
	return 0;
}

int username_check(const char *name, struct pst_err *err)
{
	if (strchr(name, '#'))
		return pst_err_set(err, PST_EINVAL,
			"name: '#' parts the user from the pool in RDP and VNC (ana#pool): leave it out");
	return name_check("name", name, err);
}

int username_split(const char *text, char *ret_user, size_t user_size, char *ret_pool,
	size_t pool_size)
{
	size_t user_len = strcspn(text, "#");
	const char *pool = text[user_len] ? text + user_len + 1 : "";

	if (user_len >= user_size || strlen(pool) >= pool_size)
		return PST_EINVAL;
	memcpy(ret_user, text, user_len);
	ret_user[user_len] = '\0';
	strcpy(ret_pool, pool);
	if (name_check("user", ret_user, NULL) < 0 || (*pool && name_check("pool", pool, NULL) < 0))
		return PST_EINVAL;
	return 0;
}
