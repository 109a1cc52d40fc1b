/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A desktop's folder, DIRECTORY/INSTANCE-PROVIDER/UUID: disk.qcow2, a linked overlay of the
 * golden disk, and seed.json. The golden disk is only ever named as a backing file: nothing
 * here opens it for writing, and no block job is ever started that could.
 */
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CA_MAX (64u << 10)

static int root_path(const struct libvirt *lv, char out[PATH_MAX], struct pst_err *err)
{
	return path_make(out, err, "%s/%.8s-%s", lv->set.directory, lv->instance, lv->provider);
}

int lv_disk_path(const struct libvirt *lv, const char *desktop, const char *file, char out[PATH_MAX], struct pst_err *err)
{
	char root[PATH_MAX];

	if (root_path(lv, root, err) < 0)
		return err->code;
	if (!file)
		return path_make(out, err, "%s/%s", root, desktop);
	return path_make(out, err, "%s/%s/%s", root, desktop, file);
}

static int folder_make(const struct libvirt *lv, const char *desktop, struct pst_err *err)
{
	char root[PATH_MAX], path[PATH_MAX];

	if (root_path(lv, root, err) < 0 || lv_disk_path(lv, desktop, NULL, path, err) < 0 || pst_mkdirs(root, 0711, err) < 0)
		return err->code;
	/* QEMU runs under another user, who reaches its files by their names. */
	return pst_mkdirs(path, 0711, err);
}

enum disk_format lv_golden_format(const char *path)
{
	return pst_str_ends(path, ".qcow2") ? DISK_QCOW2 : DISK_RAW;
}

int lv_disk_make(const struct libvirt *lv, const struct machine_request *r, struct pst_err *err)
{
	char path[PATH_MAX];
	struct qcow2_overlay o = { .path = path, .backing = r->image_base, .size = (uint64_t)r->disk_mb << 20,
		.backing_format = lv_golden_format(r->image_base),
		.uid = geteuid(), .gid = getegid() };

	if (folder_make(lv, r->desktop, err) < 0 || lv_disk_path(lv, r->desktop, "disk.qcow2", path, err) < 0)
		return err->code;
	if (unlink(path) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "remove %s", path);
	return qcow2_overlays_create(&o, 1, err);
}

int lv_disk_remove(const struct libvirt *lv, const char *desktop, struct pst_err *err)
{
	char path[PATH_MAX];

	if (lv->set.directory[0] == '\0')
		return 0;
	if (lv_disk_path(lv, desktop, NULL, path, err) < 0)
		return err->code;
	return tree_remove(path, err);
}

/* What the guest's agent is told, as JSON; returns owned. */
static char *seed_text(const struct libvirt *lv, const struct machine_request *r, struct pst_err *err)
{
	char display[32], *ca, *text = NULL;
	json_t *seed;
	size_t len;

	if (pst_file_read(lv->set.agents_ca, CA_MAX, &ca, &len, err) < 0) {
		pst_err_wrap(err, "agents_ca");
		return NULL;
	}
	snprintf(display, sizeof(display), "0.0.0.0:%u", lv->set.agent_port);
	seed = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "desktop", r->desktop, "hostname", r->hostname, "broker", lv->set.agents,
		"display", display, "ca", ca, "locale", r->locale, "layout", r->layout);
	free(ca);
	if (r->enrol_token[0])
		json_object_set_new(seed, "token", json_string(r->enrol_token));
	if (seed)
		text = pst_json_text(seed, NULL);
	json_decref(seed);
	if (!text)
		pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	return text;
}

int lv_seed_write(const struct libvirt *lv, const struct machine_request *r, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	int rc;

	if (lv->set.agents[0] == '\0')
		return 0;
	if (lv_disk_path(lv, r->desktop, "seed.json", path, err) < 0)
		return err->code;
	text = seed_text(lv, r, err);
	if (!text)
		return err->code;
	rc = pst_file_write(path, text, strlen(text), 0600, err);
	pst_wipe(text, strlen(text));
	free(text);
	return rc;
}

int lv_disk_each(const struct libvirt *lv, void (*visit)(const char *desktop, void *arg), void *arg, struct pst_err *err)
{
	char root[PATH_MAX];
	struct dirent *e;
	struct pst_uuid u;
	DIR *dir;

	if (lv->set.directory[0] == '\0')
		return 0;
	if (root_path(lv, root, err) < 0)
		return err->code;
	dir = opendir(root);
	if (!dir)
		return errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "list %s", root);
	while ((e = readdir(dir))) {
		if (pst_uuid_parse(e->d_name, &u) == 0)
			visit(e->d_name, arg);
	}
	closedir(dir);
	return 0;
}
