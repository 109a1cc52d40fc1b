/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and writes machine requests. */
#include "broker/hypervisor/request.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/place.h"

#include <stdio.h>
#include <string.h>

#define START_WIDTH 1280
#define START_HEIGHT 800

static bool has_only(const char *s, const char *also)
{
	for (; *s; s++) {
		bool alnum = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');

		if (!alnum && !strchr(also, *s))
			return false;
	}
	return true;
}

/* Names end up in paths, options and the desktop's own files. */
static bool is_plain(const char *s, const char *also)
{
	return s[0] != '.' && s[0] != '-' && has_only(s, also);
}

static int text_read(const json_t *obj, const char *key, const char *fallback, const char *also,
	char *out, size_t size, struct pst_err *err)
{
	const char *s;

	if (pst_json_opt_str(obj, key, size - 1, fallback, &s, err) < 0)
		return err->code;
	if (s && !*s && fallback)
		s = fallback;
	if (!s)
		return pst_err_set(err, PST_EINVAL, "%s: missing", key);
	if (also && !is_plain(s, also))
		return pst_err_set(err, PST_EINVAL, "%s: \"%s\" begins with . or -, or has characters other than letters, digits and %s", key, s, also);
	return pst_strlcpy(out, size, s);
}

/* Base64url, so any of its 64 characters comes first. It is a secret: no message shows it. */
static int token_read(const json_t *obj, const char *key, char *out, size_t size, struct pst_err *err)
{
	const char *s;

	if (pst_json_opt_str(obj, key, size - 1, "", &s, err) < 0)
		return err->code;
	if (!has_only(s, "-_"))
		return pst_err_set(err, PST_EINVAL, "%s: has characters other than letters, digits, - and _", key);
	return pst_strlcpy(out, size, s);
}

static bool is_place(const char *s)
{
	return strncmp(s, "iscsi:", 6) == 0 || strncmp(s, "nfs:", 4) == 0;
}

static int place_check(const char *s, struct pst_err *err)
{
	struct disk_place p;

	return place_parse(s, &p, err) < 0 ? pst_err_wrap(err, "base") : 0;
}

static int path_read(const json_t *obj, const char *key, char out[PATH_MAX], struct pst_err *err)
{
	if (text_read(obj, key, NULL, NULL, out, PATH_MAX, err) < 0)
		return err->code;
	if (strcmp(out, "host") == 0 && strcmp(key, "base") == 0)
		return 0;
	if (strncmp(out, REQUEST_REF, strlen(REQUEST_REF)) == 0 && strcmp(key, "base") == 0) {
		const char *name = out + strlen(REQUEST_REF);

		if (!*name || !is_plain(name, "._-/:@") || strstr(name, ".."))
			return pst_err_set(err, PST_EINVAL,
				"base: \"%s\" must be " REQUEST_REF "NAME, of letters, digits and ._-/:@, without \"..\"", out);
		return 0;
	}
	if (strcmp(key, "base") == 0 && is_place(out))
		return place_check(out, err);
	if (out[0] != '/' || strpbrk(out, ":,\\") || strstr(out, "/../"))
		return pst_err_set(err, PST_EINVAL,
			"%s: \"%s\" must be an absolute path without \"..\", ':', ',' or '\\'", key, out);
	return 0;
}

/* 0, as a pool has it that leaves the choice to its provider, is as good as nothing. */
static int number_read(const json_t *obj, const char *key, int64_t min, int64_t max,
	int64_t fallback, uint32_t *ret, struct pst_err *err)
{
	int64_t v;

	if (pst_json_opt_int(obj, key, 0, max, 0, &v, err) < 0)
		return err->code;
	if (v != 0 && v < min)
		return pst_err_set(err, PST_EINVAL, "%s: must be between %lld and %lld, or 0 for the default", key,
			(long long)min, (long long)max);
	*ret = (uint32_t)(v ? v : fallback);
	return 0;
}

/* "cpus" may be a whole number or a fraction of one. */
static int cpus_read(const json_t *spec, uint32_t *ret_percent, struct pst_err *err)
{
	const json_t *v = json_object_get(spec, "cpus");
	double cpus;

	if (!v || json_is_null(v)) {
		*ret_percent = 200;
		return 0;
	}
	cpus = json_number_value(v);
	if (json_is_number(v) && cpus == 0.0) {
		*ret_percent = 200;
		return 0;
	}
	if (!json_is_number(v) || !(cpus >= 0.05 && cpus <= 1024))
		return pst_err_set(err, PST_EINVAL, "cpus: must be between 0.05 and 1024");
	*ret_percent = (uint32_t)(cpus * 100 + 0.5);
	return 0;
}

/* One of two words; the first is what nothing means. */
static int word_read(const json_t *obj, const char *key, const char *const words[2], bool *ret_second, struct pst_err *err)
{
	const char *s;

	if (pst_json_opt_str(obj, key, 16, words[0], &s, err) < 0)
		return err->code;
	*ret_second = strcmp(s, words[1]) == 0;
	if (*ret_second || strcmp(s, words[0]) == 0)
		return 0;
	return pst_err_set(err, PST_EINVAL, "%s: \"%s\" is not %s or %s", key, s, words[0], words[1]);
}

static int spec_read(const json_t *spec, struct machine_request *r, struct pst_err *err)
{
	static const char *const displays[2] = { "image", "rdp" };

	if (number_read(spec, "memory_mb", 64, REQUEST_MEMORY_MAX_MB, 1024, &r->memory_mb, err) < 0 ||
		number_read(spec, "pids", 32, 1 << 20, 512, &r->pids, err) < 0 ||
		number_read(spec, "disk_mb", 16, REQUEST_DISK_MAX_MB, 0, &r->disk_mb, err) < 0 ||
		number_read(spec, "max_width", 640, REQUEST_WIDTH_MAX, 3840, &r->max_width, err) < 0 ||
		number_read(spec, "max_height", 400, REQUEST_HEIGHT_MAX, 2160, &r->max_height, err) < 0 ||
		cpus_read(spec, &r->cpu_percent, err) < 0 ||
		text_read(spec, "locale", "en_US", "_@", r->locale, sizeof(r->locale), err) < 0 ||
		text_read(spec, "layout", "us", "_,", r->layout, sizeof(r->layout), err) < 0 ||
		text_read(spec, "network", "host", "._-", r->network, sizeof(r->network), err) < 0 ||
		word_read(spec, "display", displays, &r->has_rdp, err) < 0)
		return err->code;
	return 0;
}

/* What the hypervisor keeps itself, or reaches itself, has no path of ours. */
static int image_path_read(const json_t *image, struct machine_request *r, struct pst_err *err)
{
	const char *path = json_string_value(json_object_get(image, "path"));

	if ((strncmp(r->image_base, REQUEST_REF, strlen(REQUEST_REF)) == 0 || place_is_remote(r->image_base)) && (!path || !*path)) {
		r->image_path[0] = '\0';
		return 0;
	}
	return path_read(image, "path", r->image_path, err);
}

static int image_read(const json_t *image, struct machine_request *r, struct pst_err *err)
{
	const char *os;

	/* What is neither is treated as Linux is. */
	if (pst_json_opt_str(image, "os", sizeof(r->image_name) - 1, "linux", &os, err) < 0)
		return pst_err_wrap(err, "image");
	r->is_windows = strcmp(os, "windows") == 0;
	if (text_read(image, "name", NULL, "._-", r->image_name, sizeof(r->image_name), err) < 0 ||
		path_read(image, "base", r->image_base, err) < 0 || image_path_read(image, r, err) < 0)
		return pst_err_wrap(err, "image");
	if (json_is_integer(json_object_get(image, "version"))) {
		uint32_t v = 0;

		if (number_read(image, "version", 0, UINT32_MAX, 0, &v, err) < 0)
			return pst_err_wrap(err, "image");
		snprintf(r->image_version, sizeof(r->image_version), "%u", v);
		return 0;
	}
	return text_read(image, "version", NULL, "._-", r->image_version, sizeof(r->image_version), err);
}

static int ids_read(const json_t *msg, struct machine_request *r, struct pst_err *err)
{
	struct pst_uuid u;

	memset(r, 0, sizeof(*r));
	if (text_read(msg, "task", NULL, "-", r->task, sizeof(r->task), err) < 0 ||
		text_read(msg, "desktop", NULL, "-", r->desktop, sizeof(r->desktop), err) < 0 ||
		token_read(msg, "enrol_token", r->enrol_token, sizeof(r->enrol_token), err) < 0 ||
		text_read(msg, "hostname", "", "-", r->hostname, sizeof(r->hostname), err) < 0 ||
		text_read(msg, "host", "", "._-", r->host, sizeof(r->host), err) < 0)
		return err->code;
	if (pst_uuid_parse(r->task, &u) < 0 || pst_uuid_parse(r->desktop, &u) < 0)
		return pst_err_set(err, PST_EINVAL, "task and desktop must be UUIDs");
	/* One spelling: it names a directory. */
	pst_uuid_text(&u, r->desktop);
	return 0;
}

int request_parse(const json_t *msg, struct machine_request *ret, struct pst_err *err)
{
	struct machine_request r;
	json_t *image, *spec;

	if (ids_read(msg, &r, err) < 0 || pst_json_need_obj(msg, "image", &image, err) < 0 ||
		pst_json_need_obj(msg, "spec", &spec, err) < 0 || image_read(image, &r, err) < 0 ||
		spec_read(spec, &r, err) < 0)
		return err->code;
	if (r.hostname[0] == '\0')
		snprintf(r.hostname, sizeof(r.hostname), "desktop-%.8s", r.desktop);
	*ret = r;
	return 0;
}

int request_parse_restart(const json_t *msg, struct machine_request *ret, struct pst_err *err)
{
	const json_t *image = json_object_get(msg, "image"), *spec = json_object_get(msg, "spec");
	struct machine_request r;

	if (ids_read(msg, &r, err) < 0 || (json_is_object(image) && image_read(image, &r, err) < 0) ||
		(json_is_object(spec) && spec_read(spec, &r, err) < 0))
		return err->code;
	*ret = r;
	return 0;
}

json_t *request_json(const struct machine_request *r)
{
	return json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s,s:s,s:s},s:{s:i,s:f,s:i,s:i,s:i,s:i,s:s,s:s,s:s,s:s}}", "task",
		r->task, "desktop", r->desktop, "hostname", r->hostname, "image", "name", r->image_name,
		"version", r->image_version, "base", r->image_base, "path", r->image_path, "os", r->is_windows ? "windows" : "linux", "spec", "memory_mb",
		(int)r->memory_mb, "cpus", r->cpu_percent / 100.0, "pids", (int)r->pids, "disk_mb",
		(int)r->disk_mb, "max_width", (int)r->max_width, "max_height", (int)r->max_height, "locale", r->locale, "layout", r->layout,
		"network", r->network[0] ? r->network : "host", "display", r->has_rdp ? "rdp" : "image");
}

bool request_has_network(const struct machine_request *r)
{
	return strcmp(r->network, "none") != 0;
}

bool request_speaks_rdp(const struct machine_request *r)
{
	return r->is_windows || r->has_rdp;
}

json_t *request_launch(const struct machine_request *r, uid_t uid, uid_t gateway_uid)
{
	return json_pack("{s:I,s:I,s:i,s:i,s:i,s:i,s:i,s:i,s:b,s:s,s:s,s:s}", "uid", (json_int_t)uid, "gateway_uid",
		(json_int_t)gateway_uid, "memory_mb", (int)r->memory_mb, "pids", (int)r->pids, "max_width", (int)r->max_width,
		"max_height", (int)r->max_height, "width", (int)PST_MIN(r->max_width, (uint32_t)START_WIDTH), "height",
		(int)PST_MIN(r->max_height, (uint32_t)START_HEIGHT), "network", (int)request_has_network(r), "hostname", r->hostname, "locale",
		r->locale, "layout", r->layout);
}

static void text_merge(char *text, size_t size, const char *old)
{
	if (text[0] == '\0')
		pst_strlcpy(text, size, old);
}

void request_merge(struct machine_request *r, const struct machine_request *old)
{
	text_merge(r->hostname, sizeof(r->hostname), old->hostname);
	if (r->image_name[0] == '\0') {
		memcpy(r->image_name, old->image_name, sizeof(r->image_name));
		memcpy(r->image_version, old->image_version, sizeof(r->image_version));
		memcpy(r->image_base, old->image_base, sizeof(r->image_base));
		memcpy(r->image_path, old->image_path, sizeof(r->image_path));
		r->is_windows = old->is_windows;
	}
	if (r->memory_mb == 0) {
		r->memory_mb = old->memory_mb;
		r->cpu_percent = old->cpu_percent;
		r->pids = old->pids;
		r->disk_mb = old->disk_mb;
		r->max_width = old->max_width;
		r->max_height = old->max_height;
		r->has_rdp = old->has_rdp;
		memcpy(r->network, old->network, sizeof(r->network));
		memcpy(r->locale, old->locale, sizeof(r->locale));
		memcpy(r->layout, old->layout, sizeof(r->layout));
	}
}
