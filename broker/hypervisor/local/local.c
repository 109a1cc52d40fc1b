/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The embedded driver: desktops on this machine, made of namespaces, an overlay and an
 * own uid. docs/local-provider.md draws the picture. The order on disk is what makes it
 * safe to be killed at any point: state.json says what is intended before it is begun.
 */
#include "broker/hypervisor/local/local_priv.h"

#include "base/conf.h"
#include "base/daemon.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"
#include "broker/hypervisor/storage/bins.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CAPACITY_DEFAULT_MB 512 /* of memory for each desktop */
#define DISK_FREE_MIN_MB 256

static struct local *local_of(struct driver *d)
{
	return pst_container_of(d, struct local, base);
}

static int machine_fill(const struct local *l, const struct record *r, struct machine *m,
	struct pst_err *err)
{
	pst_strlcpy(m->desktop, sizeof(m->desktop), r->request.desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->request.task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->request.image_name, r->request.image_version);
	m->uid = r->uid;
	m->state = MACHINE_RUNNING;
	m->endpoint.kind = ENDPOINT_UNIX;
	return desktop_path(l, r->request.desktop, "run/display.sock", m->endpoint.address, err);
}

/* Everything of a desktop, whatever state it is in. The record goes last. */
static int remains_remove(struct local *l, const char *desktop, struct pst_err *err)
{
	char path[PATH_MAX];

	if (life_end(l, desktop, err) < 0 || personal_release(l->data, desktop, err) < 0 || layers_remove(l, desktop, err) < 0 ||
		l->life->remove(l, desktop, err) < 0 || desktop_path(l, desktop, NULL, path, err) < 0)
		return err->code;
	return tree_remove(path, err);
}

static int start_new(struct local *l, struct record *r, struct pst_err *err)
{
	r->phase = RECORD_CREATING;
	if (layers_make(l, r, err) < 0 || record_save(l, r, err) < 0 || layers_enrol(l, r, err) < 0 ||
		l->life->start(l, r, err) < 0)
		return err->code;
	r->phase = RECORD_RUNNING;
	return record_save(l, r, err);
}

/* 1: it stands and ret is filled. 0: nothing is left of an earlier one. Else an error. */
static int create_earlier(struct local *l, const struct machine_request *req, struct machine *ret,
	struct pst_err *err)
{
	struct pst_err gone = PST_ERR_INIT;
	struct record old;
	int known = record_load(l, req->desktop, &old, &gone);
	int pidfd = life_open(l, req->desktop, &gone);

	if (pidfd >= 0)
		close(pidfd);
	if (known == 0 && pidfd >= 0 && old.phase != RECORD_DESTROYING) {
		if (strcmp(old.request.task, req->task) != 0)
			return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs by another task",
				req->desktop);
		old.phase = RECORD_RUNNING;
		if (record_save(l, &old, err) < 0 || machine_fill(l, &old, ret, err) < 0)
			return err->code;
		return 1;
	}
	if (remains_remove(l, req->desktop, err) < 0)
		return err->code;
	if (known == 0)
		uids_mark(&l->uids, old.uid, false);
	return 0;
}

int local_create(struct driver *d, const struct machine_request *req, struct machine *ret,
	struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct local *l = local_of(d);
	struct record r = { .request = *req };
	char base[PATH_MAX];
	int rc = l->life->base(l, req, base, err);

	if (rc == 0)
		rc = create_earlier(l, req, ret, err);
	if (rc != 0)
		return rc > 0 ? 0 : rc;
	if (uids_take(&l->uids, NULL, &r.uid, err) < 0)
		return err->code;
	rc = start_new(l, &r, err);
	if (rc == 0)
		return machine_fill(l, &r, ret, err);
	if (remains_remove(l, req->desktop, &ignored) == 0)
		uids_mark(&l->uids, r.uid, false);
	return rc;
}

int local_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct pst_err unknown = PST_ERR_INIT;
	struct local *l = local_of(d);
	struct record r;
	int known = record_load(l, desktop, &r, &unknown);

	if (known == 0) {
		r.phase = RECORD_DESTROYING;
		/* A full disk must not keep a desktop alive: the removal goes on without the note. */
		(void)record_save(l, &r, &unknown);
	}
	if (remains_remove(l, desktop, err) < 0)
		return err->code;
	if (known == 0)
		uids_mark(&l->uids, r.uid, false);
	return 0;
}

/* The socket of the agent that was killed would only mislead. */
static int socket_remove(const struct local *l, const char *desktop, struct pst_err *err)
{
	char path[PATH_MAX];

	if (desktop_path(l, desktop, "run/display.sock", path, err) < 0)
		return err->code;
	return tree_remove(path, err);
}

static int restart_dead(struct local *l, struct record *r, bool refresh, struct pst_err *err)
{
	if (!refresh) {
		if (socket_remove(l, r->request.desktop, err) < 0 || layers_enrol(l, r, err) < 0 ||
			l->life->start(l, r, err) < 0)
			return err->code;
		r->phase = RECORD_RUNNING;
		return record_save(l, r, err);
	}
	/* From here until the new layers stand it is a desktop that was never finished. */
	r->phase = RECORD_CREATING;
	if (record_save(l, r, err) < 0 || personal_release(l->data, r->request.desktop, err) < 0 || layers_remove(l, r->request.desktop, err) < 0)
		return err->code;
	return start_new(l, r, err);
}

int local_restart(struct driver *d, const struct machine_request *req, bool refresh,
	struct machine *ret, struct pst_err *err)
{
	struct local *l = local_of(d);
	struct pst_err ignored = PST_ERR_INIT;
	struct record r = { 0 };
	struct machine_request old;
	char base[PATH_MAX];
	int pidfd, rc;

	if (req->image_name[0] && l->life->base(l, req, base, err) < 0)
		return err->code;
	rc = record_load(l, req->desktop, &r, err);
	if (rc == PST_ENOTFOUND)
		return pst_err_set(err, rc, "there is no desktop %s to restart", req->desktop);
	if (rc < 0)
		return rc;
	pidfd = life_open(l, req->desktop, &ignored);
	if (pidfd >= 0)
		close(pidfd);
	if (strcmp(r.request.task, req->task) == 0 && pidfd >= 0 && r.phase == RECORD_RUNNING)
		return machine_fill(l, &r, ret, err); /* done before */
	if (r.phase != RECORD_RUNNING && r.phase != RECORD_STOPPED)
		refresh = true; /* its layers are not whole */
	if (life_end(l, req->desktop, err) < 0)
		return err->code;
	old = r.request;
	r.request = *req;
	request_merge(&r.request, &old);
	if (restart_dead(l, &r, refresh, err) < 0)
		return err->code;
	return machine_fill(l, &r, ret, err);
}

static int power_off(struct local *l, struct record *r, bool ask, struct pst_err *err)
{
	r->phase = RECORD_STOPPED;
	if (record_save(l, r, err) < 0)
		return err->code;
	if (ask)
		life_ask(l, r->request.desktop);
	return life_end(l, r->request.desktop, err);
}

static int power_on(struct local *l, struct record *r, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int pidfd = life_open(l, r->request.desktop, &ignored);

	if (pidfd < 0)
		return life_end(l, r->request.desktop, err) < 0 ? err->code : restart_dead(l, r, false, err);
	close(pidfd);
	if (r->phase == RECORD_RUNNING)
		return 0;
	/* Switching it off was interrupted before anything was done. */
	r->phase = RECORD_RUNNING;
	return record_save(l, r, err);
}

int local_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	struct local *l = local_of(d);
	struct record r;
	int rc;

	if (wish == POWER_SUSPEND)
		return pst_err_set(err, PST_EUNSUPPORTED, "a desktop of this machine has no memory on disk: it cannot be suspended");
	rc = record_load(l, desktop, &r, err);
	if (rc < 0)
		return rc == PST_ENOTFOUND ? pst_err_set(err, rc, "there is no desktop %s", desktop) : rc;
	/* Its layers are not whole, and must not come to be taken for it. */
	if (r.phase != RECORD_RUNNING && r.phase != RECORD_STOPPED)
		return pst_err_set(err, PST_EBUSY, "desktop %s was never finished: it has to be refreshed or destroyed", desktop);
	return wish == POWER_START ? power_on(l, &r, err) : power_off(l, &r, wish == POWER_STOP, err);
}

static void dead_explain(const struct local *l, struct machine *m)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX], boot[PROCESS_BOOT_SIZE];
	struct process_id id;

	m->state = MACHINE_FAILED;
	if (desktop_path(l, m->desktop, "pid", path, &ignored) == 0 && process_load(path, &id, &ignored) == 0 &&
		process_boot(boot, &ignored) == 0 && strcmp(id.boot, boot) != 0) {
		m->state = MACHINE_STOPPED;
		pst_strlcpy(m->reason, sizeof(m->reason), "the machine it ran on was restarted");
		return;
	}
	life_reason(l, m->desktop, m->reason);
}

static void machine_find(const struct local *l, const char *desktop, driver_visit_cb visit, void *arg)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine m;
	struct record r;
	int pidfd;

	memset(&m, 0, sizeof(m));
	pst_strlcpy(m.desktop, sizeof(m.desktop), desktop);
	m.state = MACHINE_FAILED;
	if (record_load(l, desktop, &r, &err) < 0 || machine_fill(l, &r, &m, &err) < 0) {
		m.state = MACHINE_FAILED;
		snprintf(m.reason, sizeof(m.reason), "it was never finished (%.200s)", err.text);
		visit(&m, arg);
		return;
	}
	pidfd = life_open(l, desktop, &err);
	if (pidfd >= 0)
		close(pidfd);
	else
		dead_explain(l, &m);
	if (r.phase == RECORD_STOPPED && m.state != MACHINE_RUNNING) {
		m.state = MACHINE_STOPPED;
		m.reason[0] = '\0';
	} else if (r.phase == RECORD_DESTROYING) {
		m.state = MACHINE_FAILED;
		pst_strlcpy(m.reason, sizeof(m.reason), "its removal was interrupted");
	} else if (r.phase == RECORD_CREATING && m.state != MACHINE_RUNNING) {
		m.state = MACHINE_FAILED;
		pst_strlcpy(m.reason, sizeof(m.reason), "its creation was interrupted");
	}
	visit(&m, arg);
}

int local_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct local *l = local_of(d);
	DIR *dir = opendir(l->desktops);
	struct dirent *e;

	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "list %s", l->desktops);
	while ((e = readdir(dir))) {
		struct pst_uuid u;

		if (pst_uuid_parse(e->d_name, &u) == 0)
			machine_find(l, e->d_name, visit, arg);
	}
	closedir(dir);
	return 0;
}

/* What is missing on this machine, in words that say what to do; "" when nothing is. */
static void faults_find(const struct local *l, char *out, size_t size)
{
	struct statvfs fs;

	out[0] = '\0';
	if (geteuid() == 0)
		l->life->faults(l, out, size);
	if (geteuid() != 0)
		snprintf(out, size, "desktops of this machine need root: run puesto-provisioner as root");
	else if (out[0])
		return;
	else if (statvfs(l->desktops, &fs) < 0)
		snprintf(out, size, "%.200s cannot be read: %s", l->desktops, strerror(errno));
	else if ((uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)DISK_FREE_MIN_MB << 20)
		snprintf(out, size, "less than %d MB are free in %.200s: make room", DISK_FREE_MIN_MB, l->desktops);
}

int local_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct local *l = local_of(d);

	ret->machines = l->capacity;
	ret->can = l->has_personal ? l->life->can : l->life->can & ~(unsigned)DRIVER_PERSONAL;
	ret->can |= l->has_sizes ? DRIVER_PERSONAL_SIZE : 0;
	faults_find(l, ret->reason, sizeof(ret->reason));
	ret->healthy = ret->reason[0] == '\0';
	cgroup_describe(&l->cgroup, ret->limits, sizeof(ret->limits));
	return 0;
}

void local_close(struct driver *d)
{
	struct local *l = d ? local_of(d) : NULL;

	if (!l)
		return;
	local_watches_close(l);
	if (l->uids.count)
		uids_finish(&l->uids);
	free(l);
}

static uint32_t capacity_default(void)
{
	uint64_t mb = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;

	return (uint32_t)PST_CLAMP(mb / CAPACITY_DEFAULT_MB, (uint64_t)2, (uint64_t)UIDS_MAX);
}

static int settings_read(struct local *l, const struct driver_params *p, struct pst_err *err)
{
	struct pst_conf *c = p->conf;
	struct pst_err none = PST_ERR_INIT;
	uint32_t base, count;

	if (pst_conf_u32(c, p->section, "uid_base", 10000, INT32_MAX - UIDS_MAX,
			uids_base_default(p->data, l->life->uid_lowest), &base, err) < 0 ||
		pst_conf_u32(c, p->section, "uid_count", 1, UIDS_MAX, 500, &count, err) < 0 ||
		pst_conf_u32(c, p->section, "capacity", 1, UIDS_MAX, capacity_default(), &l->capacity,
			err) < 0)
		return err->code;
	uids_init(&l->uids, base, count);
	l->capacity = PST_MIN(l->capacity, count);
	/* Without that account the gateway runs as root. */
	if (pst_user_find(pst_conf_str(c, p->section, "gateway_user", "puesto-gateway"), &l->gateway_uid,
			&l->gateway_gid, &none) < 0)
		l->gateway_uid = l->gateway_gid = 0;
	if (path_make(l->data, err, "%s", p->data) < 0 || path_make(l->libexec, err, "%s", p->libexec) < 0 ||
		path_make(l->desktops, err, "%s/%s", l->data, l->life->folder) < 0)
		return err->code;
	if (strpbrk(l->data, ":,\\") || strpbrk(l->libexec, ":,\\"))
		return pst_err_set(err, PST_EINVAL,
			"%s: a data directory with ':', ',' or '\\' cannot hold overlay layers; choose another", l->data);
	return path_make(l->agents, err, "%s/run/agents", l->data);
}

static void uid_adopt(const struct machine *m, void *arg)
{
	struct local *l = arg;

	if (m->uid != 0)
		uids_mark(&l->uids, m->uid, true);
}

static int local_begin(struct local *l, struct pst_err *err)
{
	uint8_t sum[PST_SHA256_LEN];
	char instance[17];

	if (pst_mkdirs(l->desktops, 0711, err) < 0 || pst_mkdirs(l->agents, 0755, err) < 0)
		return err->code;
	pst_sha256(l->data, strlen(l->data), sum);
	pst_hex_encode(sum, 8, instance, sizeof(instance));
	if (geteuid() == 0)
		cgroup_find(&l->cgroup, instance);
	return local_list(&l->base, uid_adopt, l, err);
}

struct driver *local_open_with(const struct driver_params *p, const struct local_life *life, struct pst_err *err)
{
	struct local *l = pst_zalloc(1, sizeof(*l));

	if (!l) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	l->loop = p->loop;
	l->life = life;
	if (settings_read(l, p, err) < 0 || bins_add(p->name, l->data, err) < 0 || local_begin(l, err) < 0) {
		local_close(&l->base);
		return NULL;
	}
	local_personal_find(l, p->name);
	return &l->base;
}

static struct driver *local_open(const struct driver_params *p, struct pst_err *err)
{
	return local_open_with(p, &life_own, err);
}

extern const struct driver_type driver_local;

const struct driver_type driver_local = {
	.kind = "local",
	.open = local_open,
	.create = local_create,
	.destroy = local_destroy,
	.restart = local_restart,
	.list = local_list,
	.capacity = local_capacity,
	.watch = local_watch,
	.close = local_close,
	.power = local_power,
	.personal_attach = local_personal_attach,
	.personal_detach = local_personal_detach,
	.personal_remove = local_personal_remove,
};
