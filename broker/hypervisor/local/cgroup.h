/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resource limits by control groups, where the platform has them: v2, v1 or hybrid. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"

#include <jansson.h>

#define CGROUP_HIERARCHIES_MAX 3

enum cgroup_limit {
	CGROUP_MEMORY = 1 << 0,
	CGROUP_PIDS = 1 << 1,
	CGROUP_CPU = 1 << 2,
};

struct cgroup_hierarchy {
	char dir[PATH_MAX]; /* our own directory in it; desktops are below */
	unsigned limits;    /* CGROUP_... that it can keep */
	bool unified;
};

struct cgroup {
	struct cgroup_hierarchy hierarchies[CGROUP_HIERARCHIES_MAX];
	size_t n;
	unsigned limits; /* of all together */
};

/*
 * Finds what is mounted and makes our directories, named by instance so that two
 * installations do not meet. What is missing is simply not in limits.
 */
void cgroup_find(struct cgroup *c, const char *instance);

/* "memory, pids, cpu (cgroup v1)" or "none", for the log. */
void cgroup_describe(const struct cgroup *c, char *out, size_t size);

/* Makes the desktop's groups with its limits; adds their directories to array. */
int cgroup_make(const struct cgroup *c, const struct machine_request *r, json_t *array,
	struct pst_err *err);

/* Removes them; processes must be gone. */
int cgroup_remove(const struct cgroup *c, const char *desktop, struct pst_err *err);
