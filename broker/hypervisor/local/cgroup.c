/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the mounted control-group hierarchies and keeps one group per desktop in each. */
#include "broker/hypervisor/local/cgroup.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CPU_PERIOD_US 100000
#define REMOVE_TRIES 100 /* of 20 ms: a dying process leaves its group a little late */

static int value_write(const char *dir, const char *file, const char *value, struct pst_err *err)
{
	char path[PATH_MAX];
	size_t n = strlen(value);
	int fd;

	if (path_make(path, err, "%s/%s", dir, file) < 0)
		return err->code;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, n) != (ssize_t)n) {
		pst_err_sys(err, PST_EIO, errno, "write \"%s\" to %s", value, path);
		pst_fd_close(&fd);
		return err->code;
	}
	close(fd);
	return 0;
}

/* True when the word is in the file's list, as in cgroup.controllers. */
static bool file_has_word(const char *dir, const char *file, const char *word)
{
	char path[PATH_MAX], text[512], *save = NULL;
	ssize_t n = -1;
	int fd;

	if (path_make(path, NULL, "%s/%s", dir, file) < 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, sizeof(text) - 1);
	pst_fd_close(&fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	for (char *t = strtok_r(text, " \n", &save); t; t = strtok_r(NULL, " \n", &save)) {
		if (strcmp(t, word) == 0)
			return true;
	}
	return false;
}

static const struct {
	const char *controller;
	enum cgroup_limit limit;
} controllers[] = {
	{ "memory", CGROUP_MEMORY },
	{ "pids", CGROUP_PIDS },
	{ "cpu", CGROUP_CPU },
};

/* v2: controllers are handed down level by level. */
static unsigned unified_enable(const char *mount, const char *dir)
{
	unsigned limits = 0;
	char word[16];

	for (size_t i = 0; i < PST_ARRAY_LEN(controllers); i++) {
		if (!file_has_word(mount, "cgroup.controllers", controllers[i].controller))
			continue;
		snprintf(word, sizeof(word), "+%s", controllers[i].controller);
		value_write(mount, "cgroup.subtree_control", word, NULL);
		value_write(dir, "cgroup.subtree_control", word, NULL);
		if (file_has_word(dir, "cgroup.subtree_control", controllers[i].controller))
			limits |= controllers[i].limit;
	}
	return limits;
}

static unsigned v1_limits(const struct mntent *m)
{
	unsigned limits = 0;

	for (size_t i = 0; i < PST_ARRAY_LEN(controllers); i++) {
		if (hasmntopt(m, controllers[i].controller))
			limits |= controllers[i].limit;
	}
	return limits;
}

static void hierarchy_add(struct cgroup *c, const struct mntent *m, const char *instance)
{
	bool unified = strcmp(m->mnt_type, "cgroup2") == 0;
	struct cgroup_hierarchy *h = &c->hierarchies[c->n];
	unsigned limits = unified ? 0 : v1_limits(m);

	if (c->n == CGROUP_HIERARCHIES_MAX || (!unified && (limits & ~c->limits) == 0))
		return;
	if (path_make(h->dir, NULL, "%s/puesto-%s", m->mnt_dir, instance) < 0 ||
		(mkdir(h->dir, 0755) < 0 && errno != EEXIST))
		return;
	if (unified)
		limits = unified_enable(m->mnt_dir, h->dir);
	if (limits == 0) {
		rmdir(h->dir);
		return;
	}
	h->unified = unified;
	h->limits = limits & ~c->limits;
	c->limits |= limits;
	c->n++;
}

void cgroup_find(struct cgroup *c, const char *instance)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	char text[4096];
	struct mntent m;

	memset(c, 0, sizeof(*c));
	while (f && getmntent_r(f, &m, text, sizeof(text))) {
		if (strcmp(m.mnt_type, "cgroup") == 0 || strcmp(m.mnt_type, "cgroup2") == 0)
			hierarchy_add(c, &m, instance);
	}
	if (f)
		endmntent(f);
}

void cgroup_describe(const struct cgroup *c, char *out, size_t size)
{
	size_t used = 0;

	pst_strlcpy(out, size, "none");
	for (size_t h = 0; h < c->n; h++) {
		for (size_t i = 0; i < PST_ARRAY_LEN(controllers); i++) {
			if ((c->hierarchies[h].limits & controllers[i].limit) && used < size)
				used += (size_t)snprintf(out + used, size - used, "%s%s (v%d)", used ? ", " : "",
					controllers[i].controller, c->hierarchies[h].unified ? 2 : 1);
		}
	}
}

static int limits_write(const struct cgroup_hierarchy *h, const char *dir,
	const struct machine_request *r, struct pst_err *err)
{
	char v[64];
	int rc = 0;

	if (h->limits & CGROUP_MEMORY) {
		snprintf(v, sizeof(v), "%" PRIu64, (uint64_t)r->memory_mb << 20);
		rc = value_write(dir, h->unified ? "memory.max" : "memory.limit_in_bytes", v, err);
	}
	if (rc == 0 && (h->limits & CGROUP_PIDS)) {
		snprintf(v, sizeof(v), "%u", r->pids);
		rc = value_write(dir, "pids.max", v, err);
	}
	if (rc == 0 && (h->limits & CGROUP_CPU)) {
		uint64_t quota = (uint64_t)r->cpu_percent * CPU_PERIOD_US / 100;

		snprintf(v, sizeof(v), h->unified ? "%" PRIu64 " %d" : "%" PRIu64, quota, CPU_PERIOD_US);
		rc = value_write(dir, h->unified ? "cpu.max" : "cpu.cfs_quota_us", v, err);
	}
	return rc;
}

int cgroup_make(const struct cgroup *c, const struct machine_request *r, json_t *array,
	struct pst_err *err)
{
	char dir[PATH_MAX];

	for (size_t i = 0; i < c->n; i++) {
		if (path_make(dir, err, "%s/%s", c->hierarchies[i].dir, r->desktop) < 0)
			return err->code;
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return pst_err_sys(err, PST_EIO, errno, "make control group %s", dir);
		if (limits_write(&c->hierarchies[i], dir, r, err) < 0)
			return err->code;
		if (json_array_append_new(array, json_string(dir)) < 0)
			return pst_err_set(err, PST_ENOMEM, "no memory");
	}
	return 0;
}

int cgroup_remove(const struct cgroup *c, const char *desktop, struct pst_err *err)
{
	static const struct timespec pause = { 0, 20 * 1000 * 1000 };
	char dir[PATH_MAX];

	for (size_t i = 0; i < c->n; i++) {
		int tries = 0;

		if (path_make(dir, err, "%s/%s", c->hierarchies[i].dir, desktop) < 0)
			return err->code;
		while (rmdir(dir) < 0 && errno == EBUSY && tries++ < REMOVE_TRIES)
			nanosleep(&pause, NULL);
		if (access(dir, F_OK) == 0)
			return pst_err_set(err, PST_EBUSY, "control group %s still has processes", dir);
	}
	return 0;
}
