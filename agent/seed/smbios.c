/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Structures one after the other: a header, its formatted area, and strings up to an empty one
 * (SMBIOS 3.4, 6.1.2 and 6.1.3). */
#include "agent/seed/smbios.h"

#include <string.h>

#include "base/cursor.h"
#include "base/text.h"

#define TYPE_OEM_STRINGS 11
#define TYPE_END 127
#define HEADER_LEN 4

/* One string of a structure, terminated within the table, or NULL. */
static const char *string_take(struct pst_cursor *c)
{
	const char *text = (const char *)c->data + c->at;
	const void *end = memchr(text, 0, pst_cursor_left(c));

	if (!end) {
		pst_cursor_fail(c);
		return NULL;
	}
	pst_cursor_skip(c, (size_t)((const char *)end - text) + 1);
	return text;
}

/* Goes past the strings; a structure without any has two zero bytes all the same. */
static const char *strings_walk(struct pst_cursor *c, bool is_oem)
{
	const char *found = NULL, *text = string_take(c);

	if (text && text[0] == 0)
		(void)string_take(c);
	while (text && text[0]) {
		if (is_oem && !found && pst_str_starts(text, SMBIOS_SEED))
			found = text + strlen(SMBIOS_SEED);
		text = string_take(c);
	}
	return found;
}

const char *smbios_seed_find(const void *table, size_t len)
{
	const char *found = NULL;
	struct pst_cursor c;

	pst_cursor_init(&c, table, len);
	while (!found && pst_cursor_left(&c) > HEADER_LEN) {
		uint8_t type = pst_cursor_u8(&c), size = pst_cursor_u8(&c);
		if (size < HEADER_LEN || type == TYPE_END)
			break;
		pst_cursor_skip(&c, size - 2u);
		if (!pst_cursor_ok(&c))
			break;
		found = strings_walk(&c, type == TYPE_OEM_STRINGS);
	}
	return found;
}
