/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One small reader per kind of field. */
#include "broker/api/fields.h"

#include "base/text.h"
#include "broker/auth/names.h"

#include <stdio.h>
#include <string.h>

#define REF_MAX 256

struct target {
	struct api_call *call;
	const struct field *f;
	char label[96];
	char *at;
};

static int refuse(struct target *t, const char *what)
{
	call_field(t->call, t->label, "%s: %s", t->label, what);
	return PST_EINVAL;
}

/* Lines and tabs are welcome, other control characters are not. */
static bool text_is_readable(const char *s, size_t len, size_t *ret_chars)
{
	size_t chars = 0;

	for (size_t i = 0; i < len; chars++) {
		uint32_t cp;
		int n = pst_utf8_next(s + i, len - i, &cp);

		if (n <= 0 || (cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7f && cp < 0xa0))
			return false;
		i += (size_t)n;
	}
	*ret_chars = chars;
	return true;
}

static int check_text(struct target *t, const char *s, size_t len)
{
	size_t chars;
	char what[96];

	if (!text_is_readable(s, len, &chars))
		return refuse(t, "it holds a control character: leave it out");
	if (chars > (size_t)t->f->max) {
		snprintf(what, sizeof(what), "%zu characters are too many: %d at most", chars, t->f->max);
		return refuse(t, what);
	}
	return 0;
}

static int check_word(struct target *t, const char *s)
{
	char what[256] = "use one of";

	for (const char *const *w = t->f->words; *w; w++) {
		if (strcmp(*w, s) == 0)
			return 0;
		size_t len = strlen(what);
		snprintf(what + len, sizeof(what) - len, " '%s'", *w);
	}
	return refuse(t, what);
}

static int check_string(struct target *t, const char *s, size_t len)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = 0;

	switch (t->f->kind) {
	case FIELD_TEXT:
		return check_text(t, s, len);
	case FIELD_WORD:
		return check_word(t, s);
	case FIELD_LABEL:
		rc = *s ? name_check(t->label, s, &err) : 0;
		break;
	case FIELD_NAME:
		rc = name_check(t->label, s, &err);
		break;
	case FIELD_USER:
		rc = username_check(s, &err);
		break;
	case FIELD_SLUG:
		rc = slug_check(t->label, s, &err);
		break;
	case FIELD_REF:
		rc = len == 0 || len > REF_MAX ? pst_err_set(&err, PST_EINVAL, "%s: give an id or a name", t->label) : 0;
		break;
	default:
		break;
	}
	if (rc < 0)
		call_field(t->call, t->label, "%s", err.text);
	return rc;
}

static int read_string(struct target *t, const json_t *v)
{
	const char *s = json_string_value(v);

	if (!s)
		return refuse(t, "it must be a string");
	size_t len = json_string_length(v);
	if (strlen(s) != len)
		return refuse(t, "it holds a zero byte: leave it out");
	int rc = check_string(t, s, len);
	if (rc < 0)
		return rc;
	if (len >= t->f->size)
		return refuse(t, "it is too long");
	memcpy(t->at, s, len + 1);
	return 0;
}

static int read_int(struct target *t, const json_t *v)
{
	char what[96];

	if (!json_is_integer(v) || json_integer_value(v) < t->f->min || json_integer_value(v) > t->f->max) {
		snprintf(what, sizeof(what), "it must be a whole number from %d to %d", t->f->min, t->f->max);
		return refuse(t, what);
	}
	*(int *)(void *)t->at = (int)json_integer_value(v);
	return 0;
}

static int read_field(struct target *t, json_t *v)
{
	switch (t->f->kind) {
	case FIELD_INT:
		return read_int(t, v);
	case FIELD_BOOL:
		if (!json_is_boolean(v))
			return refuse(t, "it must be true or false");
		*(bool *)(void *)t->at = json_is_true(v);
		return 0;
	case FIELD_OBJECT:
		if (!json_is_object(v))
			return refuse(t, "it must be an object");
		*(json_t **)(void *)t->at = v;
		return 0;
	default:
		return read_string(t, v);
	}
}

static const struct field *find(const struct field *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

static int check_missing(struct target *t, const json_t *obj, const char *prefix, const struct field *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].required && !json_object_get(obj, table[i].name)) {
			snprintf(t->label, sizeof(t->label), "%s%s", prefix, table[i].name);
			return refuse(t, "it is missing");
		}
	}
	return 0;
}

int fields_read(struct api_call *call, const json_t *obj, const char *prefix, const struct field *table, size_t count,
	void *out, uint64_t *ret_given)
{
	struct target t = {.call = call};
	uint64_t given = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)obj, key, value) {
		t.f = find(table, count, key);
		snprintf(t.label, sizeof(t.label), "%s%s", prefix, key);
		if (!t.f)
			return refuse(&t, "there is no such field");
		t.at = (char *)out + t.f->offset;
		if (read_field(&t, value) < 0)
			return PST_EINVAL;
		given |= UINT64_C(1) << (t.f - table);
	}
	if (ret_given)
		*ret_given = given;
	return check_missing(&t, obj, prefix, table, count);
}
