/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration: what is stored and how it is read back. The text is in conf_parse.c. */
#include "base/conf_priv.h"

#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pst_conf *pst_conf_create(void)
{
	return calloc(1, sizeof(struct pst_conf));
}

void pst_conf_destroy(struct pst_conf *c)
{
	if (!c)
		return;

	for (size_t i = 0; i < c->n; i++) {
		free(c->entries[i].value);
		free(c->entries[i].where);
	}
	free(c->entries);
	free(c);
}

struct conf_entry *conf_find(const struct pst_conf *c, const char *section, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->entries[i].section, section) == 0 && strcmp(c->entries[i].key, key) == 0)
			return &c->entries[i];
	return NULL;
}

static struct conf_entry *entry_add(struct pst_conf *c)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 32;
		struct conf_entry *entries = realloc(c->entries, cap * sizeof(*entries));

		if (!entries)
			return NULL;
		c->entries = entries;
		c->cap = cap;
	}
	c->entries[c->n] = (struct conf_entry){ 0 };
	return &c->entries[c->n++];
}

int conf_put(struct pst_conf *c, const struct conf_item *item, struct pst_err *err)
{
	struct conf_entry *e = conf_find(c, item->section, item->key);

	if (e && e->is_override && !item->is_override)
		return 0;
	if (!e && c->n >= PST_CONF_MAX_KEYS)
		return pst_err_set(err, PST_ELIMIT, "%s: more than %d keys", item->where, PST_CONF_MAX_KEYS);

	char *value = strdup(item->value), *where = strdup(item->where);
	if (value && where && !e) {
		e = entry_add(c);
		if (e) {
			pst_strlcpy(e->section, sizeof(e->section), item->section);
			pst_strlcpy(e->key, sizeof(e->key), item->key);
		}
	}
	if (!value || !where || !e) {
		free(value);
		free(where);
		return pst_err_set(err, PST_ENOMEM, "%s: out of memory", item->where);
	}

	free(e->value);
	free(e->where);
	e->value = value;
	e->where = where;
	e->generation = item->generation;
	e->is_override = item->is_override;
	return 0;
}

int pst_conf_load(struct pst_conf *c, const char *path, struct pst_err *err)
{
	char *text;
	size_t len;
	int rc = pst_file_read(path, PST_CONF_MAX_BYTES, &text, &len, err);

	if (rc < 0) {
		pst_err_wrap(err, "configuration");
		return rc;
	}

	rc = pst_conf_parse(c, path, text, len, err);
	free(text);
	return rc;
}

bool pst_conf_has(const struct pst_conf *c, const char *section, const char *key)
{
	return conf_find(c, section, key) != NULL;
}

const char *pst_conf_str(struct pst_conf *c, const char *section, const char *key,
	const char *fallback)
{
	struct conf_entry *e = conf_find(c, section, key);

	if (!e)
		return fallback;

	e->is_used = true;
	return e->value;
}

static int bad_value(const struct pst_conf *c, const char *section, const char *key,
	const char *reason, struct pst_err *err)
{
	const struct conf_entry *e = conf_find(c, section, key);

	return pst_err_set(err, PST_EINVAL, "%s: [%s] %s: %s", e ? e->where : "?", section, key, reason);
}

static int bad_number(const struct pst_conf *c, const char *section, const char *key,
	uint64_t min, uint64_t max, struct pst_err *err)
{
	char reason[96];

	snprintf(reason, sizeof(reason), "must be a whole number between %llu and %llu",
		(unsigned long long)min, (unsigned long long)max);
	return bad_value(c, section, key, reason, err);
}

int pst_conf_u64(struct pst_conf *c, const char *section, const char *key, uint64_t min,
	uint64_t max, uint64_t fallback, uint64_t *ret, struct pst_err *err)
{
	const char *text = pst_conf_str(c, section, key, NULL);

	if (!text) {
		*ret = fallback;
		return 0;
	}
	if (pst_parse_u64(text, min, max, ret) < 0)
		return bad_number(c, section, key, min, max, err);
	return 0;
}

int pst_conf_u32(struct pst_conf *c, const char *section, const char *key, uint32_t min,
	uint32_t max, uint32_t fallback, uint32_t *ret, struct pst_err *err)
{
	uint64_t v;
	int rc = pst_conf_u64(c, section, key, min, max, fallback, &v, err);

	if (rc == 0)
		*ret = (uint32_t)v;
	return rc;
}

int pst_conf_bool(struct pst_conf *c, const char *section, const char *key, bool fallback,
	bool *ret, struct pst_err *err)
{
	const char *text = pst_conf_str(c, section, key, NULL);

	if (!text) {
		*ret = fallback;
		return 0;
	}
	if (pst_parse_bool(text, ret) < 0)
		return bad_value(c, section, key, "must be true or false", err);
	return 0;
}

static int parse_duration(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "", 1000 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 } };
	size_t n = strspn(text, "0123456789");
	char digits[24];
	uint64_t count;

	if (n == 0 || n >= sizeof(digits))
		return PST_EINVAL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (pst_parse_u64(digits, 0, UINT64_MAX, &count) < 0)
		return PST_EINVAL;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + n, units[i].suffix) == 0)
			return __builtin_mul_overflow(count, units[i].ms, ret_ms) ? PST_ELIMIT : 0;
	return PST_EINVAL;
}

int pst_conf_duration_ms(struct pst_conf *c, const char *section, const char *key,
	uint64_t min_ms, uint64_t max_ms, uint64_t fallback_ms, uint64_t *ret_ms,
	struct pst_err *err)
{
	const char *text = pst_conf_str(c, section, key, NULL);
	char reason[96];
	uint64_t ms;

	if (!text) {
		*ret_ms = fallback_ms;
		return 0;
	}
	if (parse_duration(text, &ms) < 0)
		return bad_value(c, section, key, "must be a duration such as 250ms, 10s, 5m or 12h", err);
	if (ms < min_ms || ms > max_ms) {
		snprintf(reason, sizeof(reason), "must be between %llums and %llums",
			(unsigned long long)min_ms, (unsigned long long)max_ms);
		return bad_value(c, section, key, reason, err);
	}

	*ret_ms = ms;
	return 0;
}

int pst_conf_need(struct pst_conf *c, const char *section, const char *key,
	const char **ret, struct pst_err *err)
{
	const char *text = pst_conf_str(c, section, key, NULL);

	if (!text || !*text)
		return pst_err_set(err, PST_EINVAL, "configuration: [%s] %s is not set", section, key);

	*ret = text;
	return 0;
}

int pst_conf_check_unused(const struct pst_conf *c, struct pst_err *err)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->entries[i].is_used)
			return bad_value(c, c->entries[i].section, c->entries[i].key,
				"is not a known key", err);
	return 0;
}

static bool seen_before(const struct pst_conf *c, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(c->entries[k].section, c->entries[i].section) == 0)
			return true;
	return false;
}

void pst_conf_each_section(const struct pst_conf *c, const char *prefix,
	bool (*visit)(const char *section, void *arg), void *arg)
{
	for (size_t i = 0; i < c->n; i++)
		if (pst_str_starts(c->entries[i].section, prefix) && !seen_before(c, i) &&
			!visit(c->entries[i].section, arg))
			return;
}
