/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Manifests of back-ups that are read back, and others. */
#include "broker/hypervisor/backup/note.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct note sample = { .id = 0x0123456789abcdef, .parent = 7, .made_ms = 1764500000123, .disk_size = UINT64_C(40) << 30, .bytes = 400000,
	.sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", .reason = "due", .desktop = "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
	.name = "ana-1", .pool = "Oficina", .user = "ana", .image = "debian", .version = "3", .base = "/srv/images/debian/3/disk.qcow2",
	.base_format = DISK_QCOW2, .base_size = UINT64_C(20) << 30 };

Test(note, what_is_written_is_read_back)
{
	struct pst_err err = PST_ERR_INIT;
	struct note back;
	size_t len;
	char *text = note_text(&sample, &len);

	cr_assert_eq(note_parse(text, len, &back, &err), 0, "%s", err.text);
	cr_assert(back.id == sample.id && back.parent == 7 && back.made_ms == sample.made_ms && back.disk_size == sample.disk_size &&
		back.bytes == 400000 && back.base_size == sample.base_size && back.base_format == DISK_QCOW2);
	cr_assert_str_eq(back.sha256, sample.sha256);
	cr_assert_str_eq(back.base, sample.base);
	cr_assert_str_eq(back.pool, "Oficina");
	for (size_t n = 0; n < len; n++)
		cr_assert_lt(note_parse(text, n, &back, &err), 0, "cut at %zu", n);
	free(text);
}

Test(note, variables_are_there_or_not)
{
	struct pst_err err = PST_ERR_INIT;
	struct note with = sample, back;
	char *text = note_text(&sample, NULL);

	cr_assert_null(strstr(text, "variables"), "older provisioners read it");
	cr_assert_eq(note_parse(text, strlen(text), &back, &err), 0, "%s", err.text);
	cr_assert_str_eq(back.variables, "");
	free(text);
	strcpy(with.variables, sample.sha256);
	text = note_text(&with, NULL);
	cr_assert_eq(note_parse(text, strlen(text), &back, &err), 0, "%s", err.text);
	cr_assert_str_eq(back.variables, sample.sha256);
	free(text);
}

Test(note, a_wrong_field_is_refused)
{
	static const struct {
		const char *key;
		json_t *(*value)(const char *);
		const char *text;
	} cases[] = {
		{ "id", json_string, "0123456789ABCDEF" },
		{ "id", json_string, "" },
		{ "parent", json_string, "7" },
		{ "made", json_string, "yesterday" },
		{ "base", json_string, "relative/disk.qcow2" },
		{ "base_format", json_string, "floppy" },
		{ "sha256", json_string, "abc" },
		{ "desktop", json_string, "../../etc" },
		{ "variables", json_string, "abc" },
		{ "more", json_string, "unknown" },
	};
	struct pst_err err;
	struct note back;
	char *text = note_text(&sample, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *o = json_loads(text, 0, NULL);
		json_object_set_new(o, cases[i].key, cases[i].value(cases[i].text));
		char *spoilt = json_dumps(o, 0);

		err = (struct pst_err)PST_ERR_INIT;
		cr_assert_eq(note_parse(spoilt, strlen(spoilt), &back, &err), PST_EINVAL, "%s = %s", cases[i].key, cases[i].text);
		free(spoilt);
		json_decref(o);
	}
	free(text);
}
