/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who has a disk is decided by disk/personal.h; what happens in the desktop, by a helper that the driver can end. */
#include "broker/hypervisor/local/files.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/local/local_priv.h"
#include "broker/hypervisor/mapped.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/bins.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HELP_TIMEOUT_MS 60000
#define FILES_MIN_MB 8u /* a journal needs some */

static int help(const struct files_site *s, char *const argv[], const char *desktop, struct pst_err *err)
{
	char program[PATH_MAX];

	if (path_make(program, err, "%s/puesto-desktop", s->libexec) < 0)
		return err->code;
	return life_call(program, argv, HELP_TIMEOUT_MS, desktop, "its user's files", err);
}

/* Asked of the machine, and not assumed: one in a container may have no loop devices, or no right to mount. */
static bool can_size(const struct files_site *s, char *path)
{
	char *argv[] = { "puesto-desktop", "--attach-check", path, NULL };
	struct pst_err why = PST_ERR_INIT;

	if (help(s, argv, "-", &why) == 0)
		return true;
	pst_warn("provider=%s users' own disks have no size that is enforced: %s", s->provider, why.text);
	return false;
}

bool files_can(struct files_site *s)
{
	struct pst_err why = PST_ERR_INIT;
	char path[PATH_MAX];

	s->is_sized = false;
	if (geteuid() != 0)
		return false;
	if (path_make(path, &why, "%s/personal", s->folder) < 0 || pst_mkdirs(path, 0711, &why) < 0 || mapped_check(path, &why) < 0) {
		pst_warn("provider=%s carries no personal disks: %s", s->provider, why.text);
		return false;
	}
	s->is_sized = can_size(s, path);
	return true;
}

int files_attach(const struct files_site *s, const struct files_desktop *d, const struct machine_personal *p, struct pst_err *err)
{
	char dir[PATH_MAX], folder[PATH_MAX], uid[16], mb[16];
	char *argv[] = { "puesto-desktop", "--attach", dir, folder, uid, mb, NULL };

	if (path_make(dir, err, "%s", d->dir) < 0 || personal_folder(s->folder, p->owner, p->name, folder, err) < 0 ||
		personal_folder_make(s->folder, p->owner, p->name, err) < 0 ||
		personal_claim(s->folder, p->owner, p->name, d->desktop, d->is_there, d->arg, err) < 0)
		return err->code;
	snprintf(uid, sizeof(uid), "%u", (unsigned)d->uid);
	snprintf(mb, sizeof(mb), "%u", s->is_sized ? PST_MAX((unsigned)p->size_mb, FILES_MIN_MB) : 0);
	return help(s, argv, d->desktop, err);
}

int files_detach(const struct files_site *s, const struct files_desktop *d, const struct machine_personal *p, struct pst_err *err)
{
	char owner[DISK_NAME_MAX + 1], name[DISK_NAME_MAX + 1], dir[PATH_MAX], folder[PATH_MAX];
	char *argv[] = { "puesto-desktop", "--detach", dir, folder, NULL };

	if (personal_held(s->folder, d->desktop, owner, name, err) < 0)
		return err->code;
	if (strcmp(owner, p->owner) != 0 || strcmp(name, p->name) != 0)
		return 0;
	if (path_make(dir, err, "%s", d->dir) < 0 || personal_folder(s->folder, p->owner, p->name, folder, err) < 0)
		return err->code;
	if (d->is_there(d->desktop, d->arg) && help(s, argv, d->desktop, err) < 0)
		return err->code;
	return personal_release(s->folder, d->desktop, err);
}

int files_remove(const struct files_site *s, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	char folder[PATH_MAX], bin[PATH_MAX], path[900];
	int rc;

	if (personal_folder(s->folder, p->owner, p->name, folder, err) < 0 || path_make(bin, err, "%s/recycle", s->folder) < 0)
		return err->code;
	if (access(folder, F_OK) < 0)
		return 0;
	if (pst_mkdirs(bin, 0711, err) < 0)
		return err->code;
	if (!bins_lock(stores_shared(), s->provider, path))
		return pst_err_set(err, PST_EBUSY, "the recycle bin cannot be used");
	rc = personal_remove(path, p->owner, p->name, p->reason, pst_wall_ms(), keep_ms, err);
	if (rc == 0)
		rc = recycle_purge(path, NULL, pst_wall_ms(), NULL, err);
	bins_unlock(stores_shared(), s->provider);
	return rc;
}
