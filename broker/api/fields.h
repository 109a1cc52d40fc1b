/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a JSON body into a struct by a table: strict types, ranges and names, and an answer
 * that names the field. A field that is not in the table is an error too.
 */
#pragma once

#include "broker/api/call.h"

enum field_kind {
	FIELD_TEXT,   /* char[size]: lines of readable text, `max` characters */
	FIELD_LABEL,  /* char[size]: a name for people, or "" */
	FIELD_NAME,   /* char[size]: a name for people */
	FIELD_USER,   /* char[size]: a log-in name */
	FIELD_SLUG,   /* char[size]: letters, digits, . _ - */
	FIELD_REF,    /* char[size]: id or name of another object */
	FIELD_SECRET, /* char[size]: any string */
	FIELD_WORD,   /* char[size]: one of words */
	FIELD_INT,    /* int, min … max */
	FIELD_BOOL,   /* bool */
	FIELD_OBJECT, /* json_t *: borrowed object */
};

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
	size_t offset, size;
	int min, max;
	const char *const *words; /* ends with NULL */
};

#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/*
 * Reads obj (NULL counts as {}) into out; what is missing keeps its value there. ret_given (may
 * be NULL) gets a bit per row of the table that was given. prefix ("" or "spec.") goes before the
 * names in answers. 0, or the call is answered.
 */
int fields_read(struct api_call *call, const json_t *obj, const char *prefix, const struct field *table, size_t count,
	void *out, uint64_t *ret_given);
