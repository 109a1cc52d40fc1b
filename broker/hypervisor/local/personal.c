/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' own disks in desktops of the drivers "local" and "lxc". */
#include "broker/hypervisor/local/local_priv.h"

#include "base/mem.h"
#include "broker/hypervisor/local/files.h"

#include <unistd.h>

static struct local *local_of(struct driver *d)
{
	return pst_container_of(d, struct local, base);
}

static struct files_site site_of(const struct local *l)
{
	return (struct files_site){ .provider = l->base.name, .folder = l->data, .libexec = l->libexec, .is_sized = l->has_sizes };
}

static bool desktop_is_there(const char *desktop, void *arg)
{
	const struct local *l = arg;
	char path[PATH_MAX];

	return desktop_path(l, desktop, NULL, path, NULL) < 0 || access(path, F_OK) == 0;
}

/* PST_ENOTFOUND, or PST_EBUSY for one that does not run. */
static int need_running(const struct local *l, const char *desktop, struct record *r, struct pst_err *err)
{
	int rc = record_load(l, desktop, r, err), pidfd;

	if (rc < 0)
		return rc == PST_ENOTFOUND ? pst_err_set(err, rc, "there is no desktop %s", desktop) : rc;
	pidfd = life_open(l, desktop, err);
	if (pidfd < 0 || r->phase != RECORD_RUNNING) {
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
	const struct files_site s = site_of(l);
	char dir[PATH_MAX];
	struct record r;

	if (need_running(l, desktop, &r, err) < 0 || desktop_path(l, desktop, NULL, dir, err) < 0)
		return err->code;
	return files_attach(&s, &(struct files_desktop){ desktop, dir, r.uid, desktop_is_there, l }, p, err);
}

int local_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	struct local *l = local_of(d);
	const struct files_site s = site_of(l);
	char dir[PATH_MAX];

	if (desktop_path(l, desktop, NULL, dir, err) < 0)
		return err->code;
	return files_detach(&s, &(struct files_desktop){ desktop, dir, 0, desktop_is_there, l }, p, err);
}

int local_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	const struct files_site s = site_of(local_of(d));

	return files_remove(&s, p, keep_ms, err);
}

void local_personal_find(struct local *l, const char *name)
{
	struct files_site s = site_of(l);

	s.provider = name;
	l->has_personal = (l->life->can & DRIVER_PERSONAL) && files_can(&s);
	l->has_sizes = l->has_personal && s.is_sized;
}
