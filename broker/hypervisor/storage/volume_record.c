/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of volumes. */
#include "broker/hypervisor/storage/volume_record.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX 16384
#define DEPTH_MAX 5 /* recycle/TOKEN/item/UUID/volume.json */

int volume_record_write(const char *path, const struct volume_record *r, struct pst_err *err)
{
	json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:s}", "v", 1, "volume", r->volume, "url", r->url, "initiator", r->initiator, "secret", r->secret,
		"block", (int)r->is_block, "base", r->base);
	char *text = o ? pst_json_text(o, NULL) : NULL;
	int rc = text ? pst_file_write(path, text, strlen(text), 0644, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	json_decref(o);
	free(text);
	return rc;
}

static int fields_read(const json_t *o, struct volume_record *r, struct pst_err *err)
{
	const char *volume, *url, *initiator, *secret, *base;
	int64_t v;

	memset(r, 0, sizeof(*r));
	if (pst_json_need_int(o, "v", 1, 1, &v, err) < 0 || pst_json_need_str(o, "volume", sizeof(r->volume) - 1, &volume, err) < 0 ||
		pst_json_need_str(o, "url", sizeof(r->url) - 1, &url, err) < 0 ||
		pst_json_opt_str(o, "initiator", sizeof(r->initiator) - 1, "", &initiator, err) < 0 ||
		pst_json_opt_str(o, "secret", sizeof(r->secret) - 1, "", &secret, err) < 0 || pst_json_opt_bool(o, "block", false, &r->is_block, err) < 0 ||
		pst_json_need_str(o, "base", sizeof(r->base) - 1, &base, err) < 0)
		return err->code;
	pst_strlcpy(r->volume, sizeof(r->volume), volume);
	pst_strlcpy(r->url, sizeof(r->url), url);
	pst_strlcpy(r->initiator, sizeof(r->initiator), initiator);
	pst_strlcpy(r->secret, sizeof(r->secret), secret);
	return pst_strlcpy(r->base, sizeof(r->base), base);
}

int volume_record_read(const char *path, struct volume_record *ret, struct pst_err *err)
{
	struct volume_record r;
	char *text;
	size_t len;
	json_t *o;
	int rc = pst_file_read(path, RECORD_MAX, &text, &len, err);

	if (rc < 0)
		return rc;
	o = pst_json_parse(text, len, 1, err);
	rc = o ? fields_read(o, &r, err) : err->code;
	json_decref(o);
	free(text);
	if (rc < 0)
		return pst_err_wrap(err, "%.200s", path);
	*ret = r;
	return 0;
}

int volume_record_place(const struct volume_record *r, struct disk_place *ret, struct pst_err *err)
{
	if (!r->url[0])
		return pst_err_set(err, PST_EBUSY, "volume \"%s\" is not whole", r->volume);
	if (place_parse(r->url, ret, err) < 0)
		return err->code;
	if (ret->kind == PLACE_FILE && r->is_block)
		ret->kind = PLACE_BLOCK;
	pst_strlcpy(ret->secret, sizeof(ret->secret), r->secret);
	return ret->kind == PLACE_RBD ? 0 : pst_strlcpy(ret->initiator, sizeof(ret->initiator), r->initiator);
}

struct walk {
	volume_visit visit;
	void *arg;
};

static int record_visit(const struct walk *w, const char *path, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct volume_record r;

	if (volume_record_read(path, &r, &why) < 0)
		memset(&r, 0, sizeof(r));
	return why.code == PST_ENOTFOUND ? 0 : w->visit(path, &r, w->arg, err);
}

/* No link is followed. A folder that went meanwhile is no fault. */
static int folder_walk(const struct walk *w, const char *folder, unsigned depth, struct pst_err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	char path[PATH_MAX];
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : pst_err_sys(err, PST_EIO, errno, "list %.200s", folder);
	while (rc == 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		rc = path_make(path, err, "%s/%s", folder, e->d_name);
		if (rc == 0 && strcmp(e->d_name, VOLUME_OF_DESKTOP) == 0)
			rc = record_visit(w, path, err);
		else if (rc == 0 && depth < DEPTH_MAX && e->d_type != DT_REG)
			rc = folder_walk(w, path, depth + 1, err);
	}
	closedir(dir);
	return rc;
}

int volume_records_each(const char *folder, volume_visit visit, void *arg, struct pst_err *err)
{
	static const char *const parts[] = { "desktops", "recycle" };
	struct walk w = { visit, arg };
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; i < 2 && rc == 0; i++) {
		rc = path_make(path, err, "%s/%s", folder, parts[i]);
		if (rc == 0)
			rc = folder_walk(&w, path, 0, err);
	}
	return rc;
}
