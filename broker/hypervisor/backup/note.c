/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manifest of a back-up, there and back. */
#include "broker/hypervisor/backup/note.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const known[] = { "v", "id", "parent", "kind", "reason", "made", "disk_size", "bytes", "sha256", "desktop", "name", "pool",
	"user", "image", "version", "base", "base_format", "base_size", "variables", NULL };

static const struct {
	const char *key;
	size_t at, size;
} texts[] = {
	{ "reason", offsetof(struct note, reason), sizeof(((struct note *)0)->reason) },
	{ "desktop", offsetof(struct note, desktop), sizeof(((struct note *)0)->desktop) },
	{ "name", offsetof(struct note, name), sizeof(((struct note *)0)->name) },
	{ "pool", offsetof(struct note, pool), sizeof(((struct note *)0)->pool) },
	{ "user", offsetof(struct note, user), sizeof(((struct note *)0)->user) },
	{ "image", offsetof(struct note, image), sizeof(((struct note *)0)->image) },
	{ "version", offsetof(struct note, version), sizeof(((struct note *)0)->version) },
	{ "base", offsetof(struct note, base), sizeof(((struct note *)0)->base) },
	{ "sha256", offsetof(struct note, sha256), sizeof(((struct note *)0)->sha256) },
};

void note_id_text(uint64_t id, char out[NOTE_ID_SIZE])
{
	snprintf(out, NOTE_ID_SIZE, "%016" PRIx64, id);
}

uint64_t note_id_parse(const char *text)
{
	char again[NOTE_ID_SIZE];
	uint64_t id = 0;

	if (strlen(text) != NOTE_ID_SIZE - 1 || sscanf(text, "%16" SCNx64, &id) != 1)
		return 0;
	note_id_text(id, again);
	return strcmp(again, text) == 0 ? id : 0;
}

char *note_text(const struct note *n, size_t *ret_len)
{
	char id[NOTE_ID_SIZE], parent[NOTE_ID_SIZE] = "", made[PST_RFC3339_SIZE], *text;
	json_t *o;

	note_id_text(n->id, id);
	if (n->parent)
		note_id_text(n->parent, parent);
	pst_rfc3339(n->made_ms, made);
	o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:I}", "v", 1, "id", id, "parent", parent, "kind", n->parent ? "incremental" : "full",
		"made", made, "disk_size", (json_int_t)n->disk_size, "bytes", (json_int_t)n->bytes, "base_format", disk_format_name(n->base_format),
		"base_size", (json_int_t)n->base_size);
	for (size_t i = 0; o && i < PST_ARRAY_LEN(texts); i++)
		json_object_set_new(o, texts[i].key, json_string((const char *)n + texts[i].at));
	if (o && n->variables[0])
		json_object_set_new(o, "variables", json_string(n->variables));
	text = o ? pst_json_text(o, ret_len) : NULL;
	json_decref(o);
	return text;
}

static int id_read(const json_t *o, const char *key, bool may_miss, uint64_t *ret, struct pst_err *err)
{
	const char *text;

	if (pst_json_need_str(o, key, NOTE_ID_SIZE - 1, &text, err) < 0)
		return err->code;
	*ret = note_id_parse(text);
	return *ret || (may_miss && !*text) ? 0 : pst_err_set(err, PST_EINVAL, "%s: is none", key);
}

static int numbers_read(const json_t *o, struct note *n, struct pst_err *err)
{
	int64_t disk, bytes, base;
	const char *made, *format;

	if (pst_json_need_int(o, "disk_size", 1, INT64_MAX, &disk, err) < 0 || pst_json_need_int(o, "bytes", 1, INT64_MAX, &bytes, err) < 0 ||
		pst_json_need_int(o, "base_size", 1, INT64_MAX, &base, err) < 0 || pst_json_need_str(o, "made", PST_RFC3339_SIZE - 1, &made, err) < 0 ||
		pst_json_need_str(o, "base_format", 16, &format, err) < 0)
		return err->code;
	if (pst_rfc3339_parse(made, &n->made_ms) < 0)
		return pst_err_set(err, PST_EINVAL, "made: is no time");
	if (disk_format_parse(format, &n->base_format) < 0)
		return pst_err_set(err, PST_EINVAL, "base_format: is none that is known");
	n->disk_size = (uint64_t)disk;
	n->bytes = (uint64_t)bytes;
	n->base_size = (uint64_t)base;
	return 0;
}

static bool is_digest(const char *text)
{
	return strlen(text) == PST_SHA256_HEX_SIZE - 1 && strspn(text, "0123456789abcdef") == PST_SHA256_HEX_SIZE - 1;
}

/* Those of machines that start by BIOS, and from before they were kept, have none. */
static int variables_read(const json_t *o, struct note *n, struct pst_err *err)
{
	const char *text;

	if (pst_json_opt_str(o, "variables", PST_SHA256_HEX_SIZE - 1, "", &text, err) < 0)
		return err->code;
	if (*text && !is_digest(text))
		return pst_err_set(err, PST_EINVAL, "variables: is no digest");
	return pst_strlcpy(n->variables, sizeof(n->variables), text);
}

static int fields_read(const json_t *o, struct note *n, struct pst_err *err)
{
	struct pst_uuid u;
	int64_t v;

	if (pst_json_only(o, known, err) < 0 || pst_json_need_int(o, "v", 1, 1, &v, err) < 0 || id_read(o, "id", false, &n->id, err) < 0 ||
		id_read(o, "parent", true, &n->parent, err) < 0 || numbers_read(o, n, err) < 0 || variables_read(o, n, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(texts); i++) {
		const char *text;

		if (pst_json_need_str(o, texts[i].key, texts[i].size - 1, &text, err) < 0)
			return err->code;
		pst_strlcpy((char *)n + texts[i].at, texts[i].size, text);
	}
	if (pst_uuid_parse(n->desktop, &u) < 0 || n->base[0] != '/' || !is_digest(n->sha256))
		return pst_err_set(err, PST_EINVAL, "desktop, base or sha256 is impossible");
	return 0;
}

int note_parse(const char *text, size_t len, struct note *ret, struct pst_err *err)
{
	json_t *o = len > NOTE_MAX ? NULL : pst_json_parse(text, len, 1, err);
	struct note n;
	int rc;

	if (!o)
		return len > NOTE_MAX ? pst_err_set(err, PST_EINVAL, "a manifest is too long") : err->code;
	memset(&n, 0, sizeof(n));
	rc = fields_read(o, &n, err);
	json_decref(o);
	if (rc == 0)
		*ret = n;
	return rc;
}
