/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strict reading of JSON that came from outside, over jansson. Objects are borrowed;
 * results that are strings live as long as the object.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PST_JSON_DEPTH 32

/*
 * Parses one whole text (UTF-8, no duplicate keys, nothing after it, nesting of arrays
 * and objects <= max_depth, top level object or array). Returns owned (json_decref), or
 * NULL with err filled.
 */
json_t *pst_json_parse(const char *text, size_t len, size_t max_depth, struct pst_err *err);

/* Compact UTF-8 text, returns owned (free()); NULL on no memory. ret_len may be NULL. */
char *pst_json_text(const json_t *value, size_t *ret_len);

/*
 * Lenient look-ups for messages whose sender we wrote: the string (at most max_len bytes)
 * or NULL; the fallback when missing or of another type or out of range.
 */
const char *pst_json_str(const json_t *obj, const char *key, size_t max_len);
int64_t pst_json_int(const json_t *obj, const char *key, int64_t min, int64_t max,
	int64_t fallback);
bool pst_json_bool(const json_t *obj, const char *key, bool fallback);

/*
 * Strict readers: PST_EINVAL with "field: reason" on a missing field, a wrong type, a
 * string with NUL or longer than max_len bytes, a number out of range.
 */
int pst_json_need_str(const json_t *obj, const char *key, size_t max_len, const char **ret,
	struct pst_err *err);
int pst_json_need_int(const json_t *obj, const char *key, int64_t min, int64_t max,
	int64_t *ret, struct pst_err *err);
int pst_json_need_bool(const json_t *obj, const char *key, bool *ret, struct pst_err *err);
int pst_json_need_obj(const json_t *obj, const char *key, json_t **ret_borrowed,
	struct pst_err *err);
int pst_json_need_arr(const json_t *obj, const char *key, size_t max_items,
	json_t **ret_borrowed, struct pst_err *err);

/* As above, but a missing or null field gives the fallback. */
int pst_json_opt_str(const json_t *obj, const char *key, size_t max_len,
	const char *fallback, const char **ret, struct pst_err *err);
int pst_json_opt_int(const json_t *obj, const char *key, int64_t min, int64_t max,
	int64_t fallback, int64_t *ret, struct pst_err *err);
int pst_json_opt_bool(const json_t *obj, const char *key, bool fallback, bool *ret,
	struct pst_err *err);

/* PST_EINVAL naming the first key of obj that is not in known (ends with NULL). */
int pst_json_only(const json_t *obj, const char *const *known, struct pst_err *err);
