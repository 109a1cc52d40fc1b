/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads what a driver wrote for one desktop. */
#include "broker/hypervisor/desktop/launch.h"

#include "base/file.h"
#include "base/json.h"
#include "broker/hypervisor/path.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* overlayfs splits its options at these. */
static int path_check(const char *path, const char *what, struct pst_err *err)
{
	if (path[0] != '/' || strpbrk(path, ":,\\"))
		return pst_err_set(err, PST_EINVAL,
			"%s: \"%s\" must be absolute and without ':', ',' or '\\'", what, path);
	return 0;
}

static int paths_read(const json_t *obj, const char *key, size_t max, const char **out,
	size_t *ret_n, struct pst_err *err)
{
	json_t *arr, *item;
	size_t i;

	if (pst_json_need_arr(obj, key, max, &arr, err) < 0)
		return err->code;
	json_array_foreach(arr, i, item)
	{
		if (!json_is_string(item))
			return pst_err_set(err, PST_EINVAL, "%s: not a string", key);
		out[i] = json_string_value(item);
		if (path_check(out[i], key, err) < 0)
			return err->code;
	}
	*ret_n = json_array_size(arr);
	return 0;
}

static int number_read(const json_t *obj, const char *key, uint32_t min, uint32_t max,
	uint32_t *ret, struct pst_err *err)
{
	int64_t v;

	if (pst_json_need_int(obj, key, min, max, &v, err) < 0)
		return err->code;
	*ret = (uint32_t)v;
	return 0;
}

static int numbers_read(struct launch *l, const json_t *o, struct pst_err *err)
{
	uint32_t uid = 0, gateway = 0;

	if (number_read(o, "uid", 1000, INT_MAX, &uid, err) < 0 ||
		number_read(o, "gateway_uid", 0, INT_MAX, &gateway, err) < 0 ||
		number_read(o, "memory_mb", 64, 1 << 20, &l->memory_mb, err) < 0 ||
		number_read(o, "pids", 16, 1 << 20, &l->pids, err) < 0 ||
		number_read(o, "max_width", 320, 8192, &l->max_width, err) < 0 ||
		number_read(o, "max_height", 200, 8192, &l->max_height, err) < 0 ||
		number_read(o, "width", 320, l->max_width, &l->width, err) < 0 ||
		number_read(o, "height", 200, l->max_height, &l->height, err) < 0)
		return err->code;
	l->uid = uid;
	l->gateway_uid = gateway;
	return pst_json_need_bool(o, "network", &l->network, err);
}

static int strings_read(struct launch *l, const json_t *o, struct pst_err *err)
{
	if (pst_json_need_str(o, "hostname", 63, &l->hostname, err) < 0 ||
		pst_json_need_str(o, "locale", 32, &l->locale, err) < 0)
		return err->code;
	return pst_json_need_str(o, "layout", 32, &l->layout, err);
}

static int places_read(struct launch *l, const json_t *o, struct pst_err *err)
{
	if (pst_json_need_str(o, "libexec", PATH_MAX, &l->libexec, err) < 0 ||
		pst_json_need_str(o, "agents", PATH_MAX, &l->agents, err) < 0)
		return err->code;
	if (path_check(l->dir, "directory", err) < 0 || path_check(l->libexec, "libexec", err) < 0)
		return err->code;
	return path_check(l->agents, "agents", err);
}

int launch_read(struct launch *l, const char *dir, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;

	memset(l, 0, sizeof(*l));
	l->dir = dir;
	if (path_make(path, err, "%s/launch.json", dir) < 0 || pst_file_read(path, LAUNCH_FILE_MAX, &text, &len, err) < 0)
		return err->code;
	l->root = pst_json_parse(text, len, 4, err);
	free(text);
	if (!l->root || strings_read(l, l->root, err) < 0 || places_read(l, l->root, err) < 0 || numbers_read(l, l->root, err) < 0 ||
		paths_read(l->root, "lowers", LAUNCH_LOWERS_MAX, l->lowers, &l->lowers_n, err) < 0 ||
		paths_read(l->root, "cgroups", LAUNCH_CGROUPS_MAX, l->cgroups, &l->cgroups_n, err) < 0)
		return pst_err_wrap(err, "%s", path);
	if (l->lowers_n == 0)
		return pst_err_set(err, PST_EINVAL, "%s: lowers: empty", path);
	return 0;
}

int launch_parse(struct launch *l, const char *text, struct pst_err *err)
{
	memset(l, 0, sizeof(*l));
	l->root = pst_json_parse(text, strlen(text), 2, err);
	if (!l->root || strings_read(l, l->root, err) < 0 || numbers_read(l, l->root, err) < 0)
		return err->code;
	return 0;
}

void launch_finish(struct launch *l)
{
	json_decref(l->root);
	memset(l, 0, sizeof(*l));
}
