/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A datastore's recycle bin. */
#include "broker/hypervisor/disk/recycle.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/references.h"
#include "broker/hypervisor/disk/seal.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_BYTES 12
#define LABEL_MAX (8 * 1024)

static int entry_path(const char *folder, const char *token, const char *name, char out[PATH_MAX],
	struct pst_err *err)
{
	return path_make(out, err, "%s/recycle/%s%s%s", folder, token, name ? "/" : "", name ? name : "");
}

/* The item keeps the last part of its path. */
static int item_path(const char *folder, struct recycle_entry *e, struct pst_err *err)
{
	const char *slash = strrchr(e->path, '/');

	if (!slash || !slash[1])
		return pst_err_set(err, PST_EINVAL, "a label without a path");
	return path_make(e->item, err, "%s/recycle/%s/item%s", folder, e->token, slash);
}

static bool is_token(const char *name)
{
	return strlen(name) == RECYCLE_TOKEN_SIZE - 1 &&
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == RECYCLE_TOKEN_SIZE - 1;
}

/* Both the name that went and the name that came. */
static int folders_sync(const char *a, const char *b, struct pst_err *err)
{
	const char *const paths[] = { a, b };

	for (int i = 0; i < 2; i++) {
		char folder[PATH_MAX];
		const char *slash = strrchr(paths[i], '/');

		if (path_make(folder, err, "%.*s", slash == paths[i] ? 1 : (int)(slash - paths[i]), paths[i]) < 0)
			return PST_ELIMIT;
		int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int rc = fd < 0 || fsync(fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", folder) : 0;
		pst_fd_close(&fd);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int move(const char *from, const char *to, struct pst_err *err)
{
	int rc = temp_move(AT_FDCWD, from, AT_FDCWD, to, err);

	return rc < 0 ? rc : folders_sync(from, to, err);
}

static int label_write(const char *folder, const struct recycle_entry *e, struct pst_err *err)
{
	char path[PATH_MAX], removed[PST_RFC3339_SIZE], until[PST_RFC3339_SIZE];
	char *text;
	json_t *obj;
	size_t len;

	pst_rfc3339(e->removed_ms, removed);
	pst_rfc3339(e->until_ms, until);
	obj = json_pack("{s:i, s:s, s:s, s:s, s:s}", "v", 1, "path", e->path, "reason", e->reason, "removed", removed,
		"until", until);
	text = obj ? pst_json_text(obj, &len) : NULL;
	json_decref(obj);
	if (!text)
		return pst_err_set(err, PST_EINVAL, "a label that is no text: %.100s", e->path);
	int rc = entry_path(folder, e->token, "label.json", path, err);
	if (rc == 0)
		rc = pst_file_write(path, text, len, 0600, err);
	free(text);
	return rc;
}

static int label_parse(const json_t *obj, struct recycle_entry *e, struct pst_err *err)
{
	const char *path, *reason, *removed, *until;
	int64_t v;

	if (pst_json_need_int(obj, "v", 1, 1, &v, err) < 0 ||
		pst_json_need_str(obj, "path", PATH_MAX - 1, &path, err) < 0 ||
		pst_json_need_str(obj, "reason", RECYCLE_REASON_MAX, &reason, err) < 0 ||
		pst_json_need_str(obj, "removed", PST_RFC3339_SIZE - 1, &removed, err) < 0 ||
		pst_json_need_str(obj, "until", PST_RFC3339_SIZE - 1, &until, err) < 0)
		return err->code;
	if (pst_rfc3339_parse(removed, &e->removed_ms) < 0 || pst_rfc3339_parse(until, &e->until_ms) < 0)
		return pst_err_set(err, PST_EINVAL, "a label without a time");
	pst_strlcpy(e->path, sizeof(e->path), path);
	pst_strlcpy(e->reason, sizeof(e->reason), reason);
	return 0;
}

static int entry_read(const char *folder, const char *token, struct recycle_entry *e, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc;

	if (!is_token(token))
		return pst_err_set(err, PST_ENOTFOUND, "no such entry in the recycle bin");
	pst_strlcpy(e->token, sizeof(e->token), token);
	if (entry_path(folder, token, "label.json", path, err) < 0 ||
		pst_file_read(path, LABEL_MAX, &text, &len, err) < 0)
		return err->code;
	json_t *obj = pst_json_parse(text, len, 1, err);
	rc = obj ? label_parse(obj, e, err) : err->code;
	if (rc == 0)
		rc = item_path(folder, e, err);
	json_decref(obj);
	free(text);
	e->is_whole = faccessat(AT_FDCWD, e->item, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return rc;
}

static int entry_check(const char *folder, const char *path, const char *reason, struct pst_err *err)
{
	size_t n = strlen(folder);

	if (strncmp(path, folder, n) != 0 || path[n] != '/' || strstr(path, "/../"))
		return pst_err_set(err, PST_EINVAL, "%.200s: does not lie under %.200s", path, folder);
	if (strlen(reason) > RECYCLE_REASON_MAX)
		return pst_err_set(err, PST_EINVAL, "a reason of more than %d bytes", RECYCLE_REASON_MAX);
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return pst_err_sys(err, PST_ENOTFOUND, errno, "%.200s", path);
	return 0;
}

int recycle_put(const char *folder, const char *path, const char *reason, int64_t now_ms, int64_t keep_ms,
	struct recycle_entry *ret_entry, struct pst_err *err)
{
	struct recycle_entry e = { .removed_ms = now_ms, .until_ms = now_ms + keep_ms, .is_whole = true };
	char entry[PATH_MAX], item[PATH_MAX];
	int rc = entry_check(folder, path, reason, err);

	if (rc < 0)
		return rc;
	pst_token(e.token, TOKEN_BYTES);
	pst_strlcpy(e.reason, sizeof(e.reason), reason);
	if (pst_strlcpy(e.path, sizeof(e.path), path) < 0 || entry_path(folder, e.token, NULL, entry, err) < 0 ||
		entry_path(folder, e.token, "item", item, err) < 0 || item_path(folder, &e, err) < 0)
		return pst_err_set(err, PST_EINVAL, "%.200s: not a path for the recycle bin", path);
	/* The label is there before the item: nothing ever lies in the bin unnamed. */
	if (pst_mkdirs(entry, 0700, err) < 0 || pst_mkdirs(item, 0700, err) < 0 || label_write(folder, &e, err) < 0 ||
		folders_sync(entry, entry, err) < 0 || move(path, e.item, err) < 0) {
		struct pst_err ignored = PST_ERR_INIT;

		/* A move that was made but not synced stays as it is: the entry is whole. */
		if (faccessat(AT_FDCWD, e.item, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			tree_remove(entry, &ignored);
		return err->code;
	}
	if (ret_entry)
		*ret_entry = e;
	return 0;
}

int recycle_restore(const char *folder, const char *token, struct pst_err *err)
{
	char entry[PATH_MAX];
	struct recycle_entry e;
	int rc = entry_read(folder, token, &e, err);

	if (rc < 0)
		return rc;
	rc = move(e.item, e.path, err);
	if (rc < 0)
		return rc;
	rc = entry_path(folder, token, NULL, entry, err);
	return rc < 0 ? rc : tree_remove(entry, err);
}

int recycle_list(const char *folder, recycle_cb visit, void *arg, struct pst_err *err)
{
	char path[PATH_MAX];
	struct recycle_entry e;
	struct dirent *d;
	int rc = path_make(path, err, "%s/recycle", folder);
	DIR *dir = rc < 0 ? NULL : opendir(path);

	if (!dir)
		return rc < 0 ? rc : pst_err_sys(err, PST_ENOTFOUND, errno, "%.200s", path);
	while (rc == 0 && (d = readdir(dir))) {
		struct pst_err why = PST_ERR_INIT;

		if (is_token(d->d_name) && entry_read(folder, d->d_name, &e, &why) == 0)
			rc = visit(&e, arg, err);
	}
	closedir(dir);
	return rc;
}

struct purge {
	const char *folder, *const *others;
	int64_t now_ms;
	unsigned n;
};

/* A version's folder holds a sealed image; overlays name it by where it was. Nothing stands on a user's own disk. */
static int image_is_needed(const struct purge *p, const struct recycle_entry *e, struct pst_err *err)
{
	char path[PATH_MAX];
	struct references r;
	struct stat st;

	if (lstat(e->item, &st) < 0 || pst_str_starts(e->path + strlen(p->folder), "/personal/"))
		return 0;
	if (path_make(path, err, "%s%s", e->path, S_ISDIR(st.st_mode) ? "/disk.qcow2" : "") < 0 ||
		references_count(p->folder, p->others, path, &r, err) < 0)
		return err->code;
	return r.overlays > 0;
}

static int entry_end(const char *folder, const struct recycle_entry *e, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX];

	if (path_make(path, err, "%s/disk.qcow2", e->item) < 0)
		return err->code;
	/* An immutable file would stay, and keep its folder. */
	seal_break(path, &ignored);
	seal_break(e->item, &ignored);
	return entry_path(folder, e->token, NULL, path, err) < 0 ? err->code : tree_remove(path, err);
}

static int entry_purge(const struct recycle_entry *e, void *arg, struct pst_err *err)
{
	struct purge *p = arg;
	int needed;

	if (e->is_whole && e->until_ms > p->now_ms)
		return 0;
	needed = image_is_needed(p, e, err);
	if (needed != 0)
		return needed < 0 ? needed : 0;
	p->n++;
	return entry_end(p->folder, e, err);
}

int recycle_end(const char *folder, const char *const *others, const char *token, struct pst_err *err)
{
	struct purge p = { .folder = folder, .others = others };
	struct recycle_entry e;
	int rc = entry_read(folder, token, &e, err);

	if (rc == 0)
		rc = image_is_needed(&p, &e, err);
	if (rc > 0)
		return pst_err_set(err, PST_EBUSY, "disks stand on %.200s, which is in the recycle bin", e.path);
	return rc < 0 ? rc : entry_end(folder, &e, err);
}

int recycle_purge(const char *folder, const char *const *others, int64_t now_ms, unsigned *ret_n,
	struct pst_err *err)
{
	struct purge p = { .folder = folder, .others = others, .now_ms = now_ms };
	int rc = recycle_list(folder, entry_purge, &p, err);

	if (ret_n)
		*ret_n = p.n;
	return rc;
}
