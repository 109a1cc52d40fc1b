/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The writable side of a new desktop. On a "host" base the upper layer also hides what
 * of the machine is not the desktop's business: whiteouts for unknown top directories,
 * opaque (empty) directories for the machine's data.
 */
#include "broker/hypervisor/local/local_priv.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "broker/hypervisor/identity.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Of a host base only these show through. */
static const char *const host_shown[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr",
	"etc", "var", "opt" };

/* And of these only the name. */
static const struct {
	const char *path;
	mode_t mode;
} host_emptied[] = {
	{ "/var/tmp", 01777 }, { "/var/log", 0755 }, { "/var/spool", 0755 }, { "/var/mail", 0755 },
	{ "/var/backups", 0755 }, { "/var/crash", 0755 },
};

/* Every root has these; a base's own content of them never shows. */
static const struct {
	const char *path;
	mode_t mode;
} emptied[] = {
	{ "/home", 0755 }, { "/root", 0700 }, { "/tmp", 01777 }, { "/run", 0755 }, { "/dev", 0755 },
	{ "/proc", 0555 }, { "/sys", 0555 }, { "/mnt", 0755 }, { "/media", 0755 }, { "/srv", 0755 },
};

struct upper {
	char dir[PATH_MAX];  /* the upper layer */
	char base[PATH_MAX];  /* "/" or the base tree */
	char layer[PATH_MAX]; /* "" when the image has none */
};

static int dir_make(const char *path, mode_t mode, uid_t uid, gid_t gid, struct pst_err *err)
{
	if ((mkdir(path, 0700) < 0 && errno != EEXIST) || chown(path, uid, gid) < 0 ||
		chmod(path, mode) < 0)
		return pst_err_sys(err, PST_EIO, errno, "make %s", path);
	return 0;
}

/* Makes the directories above inside (as the base has them) and returns upper + inside. */
static int parents_make(const struct upper *u, const char *inside, char out[PATH_MAX],
	struct pst_err *err)
{
	char below[PATH_MAX];
	struct stat st;

	for (const char *p = inside + 1; (p = strchr(p, '/')); p++) {
		int n = (int)(p - inside);

		if (path_make(out, err, "%s%.*s", u->dir, n, inside) < 0 ||
			path_make(below, err, "%s%.*s", strcmp(u->base, "/") == 0 ? "" : u->base, n, inside) < 0)
			return err->code;
		if (lstat(out, &st) == 0)
			continue;
		if (stat(below, &st) < 0 || !S_ISDIR(st.st_mode))
			st = (struct stat){ .st_mode = 0755 };
		if (dir_make(out, st.st_mode & 07777, st.st_uid, st.st_gid, err) < 0)
			return err->code;
	}
	return path_make(out, err, "%s%s", u->dir, inside);
}

/* An opaque directory: nothing of the layers below shows in it. */
static int empty_dir(const struct upper *u, const char *inside, mode_t mode, struct pst_err *err)
{
	char path[PATH_MAX];

	if (parents_make(u, inside, path, err) < 0 || dir_make(path, mode, 0, 0, err) < 0)
		return err->code;
	if (setxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return pst_err_sys(err, PST_EIO, errno,
			"mark %s opaque (the data directory's file system must know trusted attributes)", path);
	return 0;
}

static bool host_shows(const char *name)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(host_shown); i++) {
		if (strcmp(name, host_shown[i]) == 0)
			return true;
	}
	return false;
}

/* A whiteout, unless this upper layer already has something of that name. */
static int whiteout(const struct upper *u, const char *name, struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_make(path, err, "%s/%s", u->dir, name) < 0)
		return err->code;
	if (mknod(path, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
		return pst_err_sys(err, PST_EIO, errno, "hide /%s", name);
	return 0;
}

static int host_hide(const struct local *l, const struct upper *u, struct pst_err *err)
{
	DIR *dir = opendir("/");
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "list /");
	while (rc == 0 && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !host_shows(e->d_name))
			rc = whiteout(u, e->d_name, err);
	}
	closedir(dir);
	for (size_t i = 0; i < PST_ARRAY_LEN(host_emptied) && rc == 0; i++)
		rc = empty_dir(u, host_emptied[i].path, host_emptied[i].mode, err);
	/* Our own data may lie where the desktop sees it: /var/lib/puesto does. */
	for (size_t i = 0; i < PST_ARRAY_LEN(host_shown) && rc == 0; i++) {
		size_t n = strlen(host_shown[i]);

		if (strncmp(l->data + 1, host_shown[i], n) == 0 && l->data[n + 1] == '/')
			rc = empty_dir(u, l->data, 0700, err);
	}
	return rc;
}

/* A file of the image as the desktop would see it, layer before base; "" when it has none. */
static int image_file(const struct upper *u, const char *inside, char **ret_text,
	struct pst_err *err)
{
	const char *lowers[] = { u->layer, u->base };
	char path[PATH_MAX];
	size_t len;

	for (size_t i = u->layer[0] ? 0 : 1; i < PST_ARRAY_LEN(lowers); i++) {
		if (path_make(path, err, "%s%s", strcmp(lowers[i], "/") == 0 ? "" : lowers[i], inside) < 0)
			return err->code;
		if (access(path, F_OK) == 0)
			return pst_file_read(path, IDENTITY_ACCOUNTS_MAX, ret_text, &len, err);
	}
	*ret_text = strdup("");
	return *ret_text ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");
}

static int upper_file(const struct upper *u, const char *inside, const char *text,
	struct pst_err *err)
{
	char path[PATH_MAX];

	if (parents_make(u, inside, path, err) < 0)
		return err->code;
	return pst_file_write(path, text, strlen(text), 0644, err);
}

/* The image's accounts, and ours. */
static int accounts_file(const struct upper *u, const char *inside, const char *own,
	struct pst_err *err)
{
	struct pst_buf b;
	char *text;
	int rc;

	if (image_file(u, inside, &text, err) < 0)
		return err->code;
	pst_buf_init(&b, 2 * IDENTITY_ACCOUNTS_MAX);
	identity_accounts(&b, text, own);
	rc = b.failed ? pst_err_set(err, PST_ELIMIT, "%s of the image is too large", inside) :
		upper_file(u, inside, pst_buf_cstr(&b), err);
	pst_buf_finish(&b);
	free(text);
	return rc;
}

/* The host's may be a link into /run, which the desktop has not. */
static int resolver_file(const struct upper *u, bool network, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	char *text = NULL;
	size_t len;
	int rc;

	if (!network || pst_file_read("/etc/resolv.conf", IDENTITY_ACCOUNTS_MAX, &text, &len, &ignored) < 0)
		return upper_file(u, "/etc/resolv.conf", "", err);
	rc = upper_file(u, "/etc/resolv.conf", text, err);
	free(text);
	return rc;
}

static int identity_files(const struct upper *u, const struct record *r, struct pst_err *err)
{
	const struct machine_request *q = &r->request;
	char text[IDENTITY_LINE_SIZE], id[IDENTITY_ID_SIZE];

	identity_passwd(r->uid, text);
	if (accounts_file(u, "/etc/passwd", text, err) < 0)
		return err->code;
	identity_group(r->uid, text);
	if (accounts_file(u, "/etc/group", text, err) < 0)
		return err->code;
	snprintf(text, sizeof(text), "%s\n", q->hostname);
	if (upper_file(u, "/etc/hostname", text, err) < 0)
		return err->code;
	snprintf(text, sizeof(text), "127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost\n", q->hostname);
	if (upper_file(u, "/etc/hosts", text, err) < 0)
		return err->code;
	identity_machine_id(q->desktop, id);
	if (upper_file(u, "/etc/machine-id", id, err) < 0)
		return err->code;
	return resolver_file(u, request_has_network(q), err);
}

static int upper_fill(const struct local *l, const struct record *r, struct pst_err *err)
{
	bool host = strcmp(r->request.image_base, "host") == 0;
	struct upper u = { .layer = "" };

	if (l->life->base(l, &r->request, u.base, err) < 0 || desktop_path(l, r->request.desktop, "upper", u.dir, err) < 0 ||
		(r->request.image_path[0] && path_make(u.layer, err, "%s/layer", r->request.image_path) < 0))
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(emptied); i++) {
		if (empty_dir(&u, emptied[i].path, emptied[i].mode, err) < 0)
			return err->code;
	}
	if (host && host_hide(l, &u, err) < 0)
		return err->code;
	return identity_files(&u, r, err);
}

int layers_make(const struct local *l, const struct record *r, struct pst_err *err)
{
	const struct {
		const char *name;
		mode_t mode;
		uid_t uid;
		gid_t gid;
	} dirs[] = {
		{ NULL, 0711, 0, 0 }, { "upper", 0755, 0, 0 }, { "work", 0700, 0, 0 }, { "root", 0755, 0, 0 },
		{ "home", 0755, l->life->home_owned ? r->uid : 0, l->life->home_owned ? r->uid : 0 },
		/* What the agent makes here belongs to the gateway's group and nobody else. */
		{ "run", 02770, r->uid, l->gateway_gid }, { "run/broker", 0755, 0, 0 },
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < PST_ARRAY_LEN(dirs); i++) {
		if (desktop_path(l, r->request.desktop, dirs[i].name, path, err) < 0 ||
			dir_make(path, dirs[i].mode, dirs[i].uid, dirs[i].gid, err) < 0)
			return err->code;
	}
	return upper_fill(l, r, err);
}

int layers_remove(const struct local *l, const char *desktop, struct pst_err *err)
{
	static const char *const names[] = { "upper", "work", "home", "run", "root" };
	char path[PATH_MAX];

	for (size_t i = 0; i < PST_ARRAY_LEN(names); i++) {
		if (desktop_path(l, desktop, names[i], path, err) < 0 || tree_remove(path, err) < 0)
			return err->code;
	}
	return 0;
}

int layers_enrol(const struct local *l, const struct record *r, struct pst_err *err)
{
	char run[PATH_MAX];

	if (desktop_path(l, r->request.desktop, "run", run, err) < 0)
		return err->code;
	return identity_enrol(run, r->request.desktop, r->request.enrol_token, r->uid, err);
}
