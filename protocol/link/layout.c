/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keyboard layout identifiers; see layout.h. The low word is the language, the high word a variant of its keyboard. */
#include "protocol/link/layout.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"

static const struct {
	uint32_t id;
	const char *name;
} layouts[] = {
	{ 0x00000409, "us" }, { 0x00020409, "us(intl)" }, { 0x00010409, "us(dvorak)" }, { 0x00000809, "gb" },
	{ 0x0000040a, "es" }, { 0x0001040a, "es" }, { 0x00000c0a, "es" }, { 0x0000080a, "latam" },
	{ 0x00000403, "es(cat)" }, { 0x00000407, "de" }, { 0x00000807, "ch" }, { 0x0000100c, "ch(fr)" },
	{ 0x0000040c, "fr" }, { 0x0000080c, "be" }, { 0x00000813, "be" }, { 0x00000c0c, "ca" }, { 0x00001009, "ca" },
	{ 0x00000410, "it" }, { 0x00000413, "nl" }, { 0x00000416, "br" }, { 0x00000816, "pt" }, { 0x00000406, "dk" },
	{ 0x0000041d, "se" }, { 0x00000414, "no" }, { 0x0000040b, "fi" }, { 0x0000040f, "is" }, { 0x00000415, "pl" },
	{ 0x00000405, "cz" }, { 0x0000041b, "sk" }, { 0x0000040e, "hu" }, { 0x00000418, "ro" }, { 0x00000424, "si" },
	{ 0x0000041a, "hr" }, { 0x00000408, "gr" }, { 0x0000041f, "tr" }, { 0x00000419, "ru" }, { 0x00000422, "ua" },
	{ 0x0000040d, "il" }, { 0x00000411, "jp" }, { 0x00000412, "kr" },
};

const char *layout_name(uint32_t windows_id)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(layouts); i++)
		if (layouts[i].id == windows_id)
			return layouts[i].name;
	/* An unknown variant of a known language is better than nothing. */
	for (size_t i = 0; i < PST_ARRAY_LEN(layouts); i++)
		if (layouts[i].id == (windows_id & 0xffff))
			return layouts[i].name;
	return NULL;
}

uint32_t layout_id(const char *name)
{
	size_t len = strcspn(name, "(");

	for (size_t i = 0; i < PST_ARRAY_LEN(layouts); i++)
		if (strcmp(layouts[i].name, name) == 0)
			return layouts[i].id;
	for (size_t i = 0; len && i < PST_ARRAY_LEN(layouts); i++)
		if (strlen(layouts[i].name) == len && strncmp(layouts[i].name, name, len) == 0)
			return layouts[i].id;
	return 0;
}
