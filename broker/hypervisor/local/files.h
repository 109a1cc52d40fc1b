/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Users' own disks (disk/personal.h) in desktops that share this machine's kernel: puesto-desktop mounts them over the home of a
 * desktop that runs (desktop/attach.h). For the drivers of such desktops; any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/machine.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct files_site {
	const char *provider; /* whose recycle bin it is (storage/bins.h) */
	const char *folder;   /* in which personal/ is */
	const char *libexec;
	bool is_sized;        /* disks have a size here; else they are folders */
};

struct files_desktop {
	const char *desktop; /* its uuid */
	const char *dir;     /* with "pid" of its process 1 (process.h) */
	uid_t uid;           /* of everything in it, as seen from outside */
	bool (*is_there)(const char *desktop, void *arg); /* as of personal_claim */
	void *arg;
};

/* Can it be done on this machine? The log says why not, or that disks have no size. Blocks for a moment. */
bool files_can(struct files_site *s);

/* As the slots of driver.h; the desktop is known to run. */
int files_attach(const struct files_site *s, const struct files_desktop *d, const struct machine_personal *p, struct pst_err *err);
int files_detach(const struct files_site *s, const struct files_desktop *d, const struct machine_personal *p, struct pst_err *err);
int files_remove(const struct files_site *s, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err);
