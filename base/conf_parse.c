/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of configuration files and of --set. */
#include "base/conf_priv.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 8192

struct parser {
	struct pst_conf *conf;
	const char *name;
	unsigned line;
	char section[PST_CONF_NAME_MAX + 1];
	char where[300];
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **s, size_t *n)
{
	while (*n > 0 && is_space(**s)) {
		(*s)++;
		(*n)--;
	}
	while (*n > 0 && is_space((*s)[*n - 1]))
		(*n)--;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool name_take(const char *s, size_t n, char out[PST_CONF_NAME_MAX + 1])
{
	if (n == 0 || n > PST_CONF_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!name_char(s[i]))
			return false;

	memcpy(out, s, n);
	out[n] = '\0';
	return true;
}

static int unescape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case 'n':
		return '\n';
	case 't':
		return '\t';
	default:
		return -1;
	}
}

/* s begins after the opening quote and n counts up to the end of the line. */
static const char *quoted_take(const char *s, size_t n, char *out)
{
	size_t i = 0, o = 0;

	for (; i < n && s[i] != '"'; i++) {
		int c = (unsigned char)s[i];

		if (c == '\\') {
			c = i + 1 < n ? unescape(s[++i]) : -1;
			if (c < 0)
				return "only \\\" \\\\ \\n and \\t are known in a quoted value";
		}
		out[o++] = (char)c;
	}
	if (i == n)
		return "the closing quote is missing";
	if (i + 1 != n)
		return "text follows the closing quote";

	out[o] = '\0';
	return NULL;
}

/* Returns NULL or what is wrong; out has VALUE_MAX + 1 bytes. */
static const char *value_take(const char *s, size_t n, char *out)
{
	trim(&s, &n);
	if (n > VALUE_MAX)
		return "the value is longer than 8192 bytes";
	if (memchr(s, '\0', n) || !pst_utf8_valid(s, n))
		return "the value is not valid UTF-8 text";
	if (n > 0 && *s == '"')
		return quoted_take(s + 1, n - 1, out);

	memcpy(out, s, n);
	out[n] = '\0';
	return NULL;
}

static int wrong(const struct parser *p, const char *reason, struct pst_err *err)
{
	return pst_err_set(err, PST_EINVAL, "%s: %s", p->where, reason);
}

static int section_line(struct parser *p, const char *s, size_t n, struct pst_err *err)
{
	if (n < 3 || s[n - 1] != ']' || !name_take(s + 1, n - 2, p->section))
		return wrong(p, "a section is written [name], with a-z 0-9 _ -", err);
	return 0;
}

/* A second line for the same key in one text is a mistake; over another file it wins. */
static bool is_repeated(const struct parser *p, const char *key)
{
	const struct conf_entry *e = conf_find(p->conf, p->section, key);

	return e && e->generation == p->conf->generation;
}

static int key_line(struct parser *p, const char *s, size_t n, struct pst_err *err)
{
	char key[PST_CONF_NAME_MAX + 1], *value;
	const char *equals = memchr(s, '=', n);

	if (!equals)
		return wrong(p, "expected: key = value", err);
	if (!p->section[0])
		return wrong(p, "a [section] must come first", err);

	size_t key_len = (size_t)(equals - s);
	const char *key_at = s;
	trim(&key_at, &key_len);
	if (!name_take(key_at, key_len, key))
		return wrong(p, "a key has 1 to 63 characters of a-z 0-9 _ -", err);
	if (is_repeated(p, key))
		return wrong(p, "this key stands twice in the section", err);

	value = malloc(VALUE_MAX + 1);
	if (!value)
		return pst_err_set(err, PST_ENOMEM, "%s: out of memory", p->where);
	const char *reason = value_take(equals + 1, n - (size_t)(equals + 1 - s), value);
	struct conf_item item = { .section = p->section, .key = key, .value = value, .where = p->where,
		.generation = p->conf->generation };
	int rc = reason ? wrong(p, reason, err) : conf_put(p->conf, &item, err);
	free(value);
	return rc;
}

static int one_line(struct parser *p, const char *s, size_t n, struct pst_err *err)
{
	snprintf(p->where, sizeof(p->where), "%.255s:%u", p->name, p->line);
	trim(&s, &n);
	if (n == 0 || *s == '#' || *s == ';')
		return 0;
	return *s == '[' ? section_line(p, s, n, err) : key_line(p, s, n, err);
}

int pst_conf_parse(struct pst_conf *c, const char *name, const char *text, size_t len,
	struct pst_err *err)
{
	struct parser p = { .conf = c, .name = name };
	const char *end = text + len;

	if (len > PST_CONF_MAX_BYTES)
		return pst_err_set(err, PST_ELIMIT, "%s: larger than %d bytes", name, PST_CONF_MAX_BYTES);

	c->generation++;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		int rc;

		p.line++;
		rc = one_line(&p, text, (size_t)(stop - text), err);
		if (rc < 0)
			return rc;
		text = stop + (newline ? 1 : 0);
	}
	return 0;
}

int pst_conf_override(struct pst_conf *c, const char *assignment, struct pst_err *err)
{
	struct conf_item item = { .where = "--set", .is_override = true };
	char section[PST_CONF_NAME_MAX + 1], key[PST_CONF_NAME_MAX + 1];
	const char *equals = strchr(assignment, '=');
	const char *dot = equals ? memchr(assignment, '.', (size_t)(equals - assignment)) : NULL;

	if (!dot || !name_take(assignment, (size_t)(dot - assignment), section) ||
		!name_take(dot + 1, (size_t)(equals - dot - 1), key))
		return pst_err_set(err, PST_EINVAL, "--set %.200s: expected section.key=value", assignment);
	if (strlen(equals + 1) > VALUE_MAX || !pst_utf8_valid(equals + 1, strlen(equals + 1)))
		return pst_err_set(err, PST_EINVAL, "--set %s.%s: the value is too long or not UTF-8",
			section, key);

	item.section = section;
	item.key = key;
	item.value = equals + 1;
	return conf_put(c, &item, err);
}
