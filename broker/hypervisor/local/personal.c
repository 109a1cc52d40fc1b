/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Users' own files: a folder that becomes the home of a desktop that runs (desktop/attach.h). Who has it is
 * decided by disk/personal.h; the size is not enforced.
 */
#include "broker/hypervisor/local/local_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/mapped.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/bins.h"

#include <string.h>
#include <unistd.h>

#define HELP_TIMEOUT_MS 60000

static struct local *local_of(struct driver *d)
{
	return pst_container_of(d, struct local, base);
}

static bool desktop_is_there(const char *desktop, void *arg)
{
	const struct local *l = arg;
	char path[PATH_MAX];

	return desktop_path(l, desktop, NULL, path, NULL) < 0 || access(path, F_OK) == 0;
}

static int help(const struct local *l, char *act, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	char program[PATH_MAX], dir[PATH_MAX], folder[PATH_MAX];
	char *argv[] = { "puesto-desktop", act, dir, folder, NULL };

	if (path_make(program, err, "%s/puesto-desktop", l->libexec) < 0 || desktop_path(l, desktop, NULL, dir, err) < 0 ||
		personal_folder(l->data, p->owner, p->name, folder, err) < 0)
		return err->code;
	return life_call(program, argv, HELP_TIMEOUT_MS, desktop, "its user's files", err);
}

/* PST_ENOTFOUND, or PST_EBUSY for one that does not run. */
static int need_running(const struct local *l, const char *desktop, struct pst_err *err)
{
	struct record r;
	int rc = record_load(l, desktop, &r, err), pidfd;

	if (rc < 0)
		return rc == PST_ENOTFOUND ? pst_err_set(err, rc, "there is no desktop %s", desktop) : rc;
	pidfd = life_open(l, desktop, err);
	if (pidfd < 0 || r.phase != RECORD_RUNNING) {
		if (pidfd >= 0)
			close(pidfd);
		return pst_err_set(err, PST_EBUSY, "desktop %s does not run", desktop);
	}
	close(pidfd);
	return 0;
}

int local_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	struct local *l = local_of(d);

	if (need_running(l, desktop, err) < 0 || personal_folder_make(l->data, p->owner, p->name, err) < 0 ||
		personal_claim(l->data, p->owner, p->name, desktop, desktop_is_there, l, err) < 0)
		return err->code;
	return help(l, "--attach", desktop, p, err);
}

int local_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	char owner[DISK_NAME_MAX + 1], name[DISK_NAME_MAX + 1];
	struct local *l = local_of(d);

	if (personal_held(l->data, desktop, owner, name, err) < 0)
		return err->code;
	if (strcmp(owner, p->owner) != 0 || strcmp(name, p->name) != 0)
		return 0;
	if (desktop_is_there(desktop, l) && help(l, "--detach", desktop, p, err) < 0)
		return err->code;
	return personal_release(l->data, desktop, err);
}

int local_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	struct local *l = local_of(d);
	char folder[PATH_MAX], bin[PATH_MAX], path[900];

	if (personal_folder(l->data, p->owner, p->name, folder, err) < 0 || path_make(bin, err, "%s/recycle", l->data) < 0)
		return err->code;
	if (access(folder, F_OK) < 0)
		return 0;
	if (pst_mkdirs(bin, 0711, err) < 0)
		return err->code;
	if (!bins_lock(stores_shared(), l->base.name, path))
		return pst_err_set(err, PST_EBUSY, "the recycle bin cannot be used");
	if (personal_remove(path, p->owner, p->name, p->reason, pst_wall_ms(), keep_ms, err) == 0)
		(void)recycle_purge(path, NULL, pst_wall_ms(), NULL, err);
	bins_unlock(stores_shared(), l->base.name);
	return err->code;
}

bool local_personal_can(const struct local *l)
{
	struct pst_err why = PST_ERR_INIT;
	char path[PATH_MAX];

	if (!(l->life->can & DRIVER_PERSONAL) || geteuid() != 0)
		return false;
	if (path_make(path, &why, "%s/personal", l->data) == 0 && pst_mkdirs(path, 0711, &why) == 0 && mapped_check(path, &why) == 0)
		return true;
	pst_warn("provider=%s carries no personal disks: %s", l->base.name, why.text);
	return false;
}
