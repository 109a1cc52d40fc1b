/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table small enough to be searched from end to end. */
#include "agent/inject/spare.h"

#include <string.h>

void spare_reset(struct spare *s)
{
	memset(s, 0, sizeof(*s));
}

void spare_add(struct spare *s, uint8_t code)
{
	if (s->n < SPARE_MAX)
		s->keys[s->n++] = (struct spare_key){ .code = code };
}

static struct spare_key *key_of(struct spare *s, uint8_t code)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->keys[i].code == code)
			return &s->keys[i];
	return NULL;
}

bool spare_is_bound(const struct spare *s, uint32_t keysym)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->keys[i].keysym == keysym)
			return true;
	return false;
}

void spare_touch(struct spare *s, uint8_t code, uint64_t now_ms)
{
	struct spare_key *key = key_of(s, code);

	if (key && key->keysym) {
		key->used_ms = now_ms;
		key->was_used = true;
	}
}

static bool is_older(const struct spare_key *a, const struct spare_key *b)
{
	if (a->was_used != b->was_used)
		return !a->was_used;
	return a->used_ms < b->used_ms;
}

uint8_t spare_take(struct spare *s, uint32_t keysym, uint64_t now_ms, bool is_patient, uint64_t *ret_wait_ms)
{
	struct spare_key *oldest = NULL;

	*ret_wait_ms = 0;
	for (size_t i = 0; i < s->n; i++)
		if (!s->keys[i].is_down && (!oldest || is_older(&s->keys[i], oldest)))
			oldest = &s->keys[i];
	if (!oldest)
		return 0;
	if (is_patient && oldest->was_used && now_ms < oldest->used_ms + SPARE_REST_MS) {
		*ret_wait_ms = oldest->used_ms + SPARE_REST_MS - now_ms;
		return 0;
	}

	oldest->keysym = keysym;
	oldest->used_ms = oldest->bound_ms = now_ms;
	oldest->was_used = true;
	return oldest->code;
}

uint64_t spare_settle(const struct spare *s, uint8_t code, uint64_t now_ms)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct spare_key *key = &s->keys[i];
		if (key->code == code && key->keysym && now_ms < key->bound_ms + SPARE_SETTLE_MS)
			return key->bound_ms + SPARE_SETTLE_MS - now_ms;
	}
	return 0;
}

void spare_set_down(struct spare *s, uint8_t code, bool is_down)
{
	struct spare_key *key = key_of(s, code);

	if (key)
		key->is_down = is_down;
}

void spare_drop(struct spare *s, uint8_t code)
{
	struct spare_key *key = key_of(s, code);

	if (key)
		*key = s->keys[--s->n];
}

bool spare_has(const struct spare *s, uint8_t code)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->keys[i].code == code)
			return true;
	return false;
}

void spare_unbind(struct spare *s, uint8_t code)
{
	struct spare_key *key = key_of(s, code);

	if (key)
		key->keysym = 0;
}
