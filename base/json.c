/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strict JSON from outside, over jansson. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/*
 * jansson has a fixed ceiling of 2,048 levels of recursion; ours is lower and is checked
 * on the text before anything is built.
 */
static bool depth_fits(const char *text, size_t len, size_t max_depth)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > max_depth)
				return false;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

json_t *pst_json_parse(const char *text, size_t len, size_t max_depth, struct pst_err *err)
{
	json_error_t why;

	if (!depth_fits(text, len, max_depth)) {
		pst_err_set(err, PST_ELIMIT, "JSON: nested deeper than %zu levels", max_depth);
		return NULL;
	}

	/* jansson refuses broken UTF-8 and text after the value by itself. */
	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!value) {
		pst_err_set(err, PST_EINVAL, "JSON: line %d column %d: %s", why.line, why.column,
			why.text);
		return NULL;
	}
	return value;
}

char *pst_json_text(const json_t *value, size_t *ret_len)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text && ret_len)
		*ret_len = strlen(text);
	return text;
}

static json_t *get(const json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	return json_is_null(v) ? NULL : v;
}

static bool str_fits(const json_t *v, size_t max_len)
{
	return json_is_string(v) && json_string_length(v) <= max_len &&
		strlen(json_string_value(v)) == json_string_length(v);
}

const char *pst_json_str(const json_t *obj, const char *key, size_t max_len)
{
	const json_t *v = get(obj, key);

	return str_fits(v, max_len) ? json_string_value(v) : NULL;
}

int64_t pst_json_int(const json_t *obj, const char *key, int64_t min, int64_t max,
	int64_t fallback)
{
	int64_t v;

	return pst_json_need_int(obj, key, min, max, &v, NULL) == 0 ? v : fallback;
}

bool pst_json_bool(const json_t *obj, const char *key, bool fallback)
{
	const json_t *v = get(obj, key);

	return json_is_boolean(v) ? json_is_true(v) : fallback;
}

static int missing(const char *key, struct pst_err *err)
{
	return pst_err_set(err, PST_EINVAL, "%s: is missing", key);
}

int pst_json_need_str(const json_t *obj, const char *key, size_t max_len, const char **ret,
	struct pst_err *err)
{
	const json_t *v = get(obj, key);

	if (!v)
		return missing(key, err);
	if (!json_is_string(v))
		return pst_err_set(err, PST_EINVAL, "%s: must be a string", key);
	if (json_string_length(v) > max_len)
		return pst_err_set(err, PST_EINVAL, "%s: is longer than %zu bytes", key, max_len);
	if (!str_fits(v, max_len))
		return pst_err_set(err, PST_EINVAL, "%s: must not contain a NUL character", key);

	*ret = json_string_value(v);
	return 0;
}

int pst_json_need_int(const json_t *obj, const char *key, int64_t min, int64_t max,
	int64_t *ret, struct pst_err *err)
{
	const json_t *v = get(obj, key);

	if (!v)
		return missing(key, err);
	if (!json_is_integer(v))
		return pst_err_set(err, PST_EINVAL, "%s: must be a whole number", key);

	int64_t n = json_integer_value(v);
	if (n < min || n > max)
		return pst_err_set(err, PST_EINVAL, "%s: must be between %lld and %lld", key,
			(long long)min, (long long)max);

	*ret = n;
	return 0;
}

int pst_json_need_bool(const json_t *obj, const char *key, bool *ret, struct pst_err *err)
{
	const json_t *v = get(obj, key);

	if (!v)
		return missing(key, err);
	if (!json_is_boolean(v))
		return pst_err_set(err, PST_EINVAL, "%s: must be true or false", key);

	*ret = json_is_true(v);
	return 0;
}

int pst_json_need_obj(const json_t *obj, const char *key, json_t **ret_borrowed,
	struct pst_err *err)
{
	json_t *v = get(obj, key);

	if (!v)
		return missing(key, err);
	if (!json_is_object(v))
		return pst_err_set(err, PST_EINVAL, "%s: must be an object", key);

	*ret_borrowed = v;
	return 0;
}

int pst_json_need_arr(const json_t *obj, const char *key, size_t max_items,
	json_t **ret_borrowed, struct pst_err *err)
{
	json_t *v = get(obj, key);

	if (!v)
		return missing(key, err);
	if (!json_is_array(v))
		return pst_err_set(err, PST_EINVAL, "%s: must be an array", key);
	if (json_array_size(v) > max_items)
		return pst_err_set(err, PST_EINVAL, "%s: has more than %zu items", key, max_items);

	*ret_borrowed = v;
	return 0;
}

int pst_json_opt_str(const json_t *obj, const char *key, size_t max_len,
	const char *fallback, const char **ret, struct pst_err *err)
{
	if (get(obj, key))
		return pst_json_need_str(obj, key, max_len, ret, err);

	*ret = fallback;
	return 0;
}

int pst_json_opt_int(const json_t *obj, const char *key, int64_t min, int64_t max,
	int64_t fallback, int64_t *ret, struct pst_err *err)
{
	if (get(obj, key))
		return pst_json_need_int(obj, key, min, max, ret, err);

	*ret = fallback;
	return 0;
}

int pst_json_opt_bool(const json_t *obj, const char *key, bool fallback, bool *ret,
	struct pst_err *err)
{
	if (get(obj, key))
		return pst_json_need_bool(obj, key, ret, err);

	*ret = fallback;
	return 0;
}

static bool is_known(const char *key, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(key, *known) == 0)
			return true;
	return false;
}

int pst_json_only(const json_t *obj, const char *const *known, struct pst_err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)obj, key, value)
		if (!is_known(key, known))
			return pst_err_set(err, PST_EINVAL, "%.64s: is not a known field", key);
	return 0;
}
