/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Desktops in containers of an engine that speaks the Docker Engine API, Podman or Docker, on this host.
 * Nothing is kept here but a desktop's run directory: the engine's containers, by name and label, are what
 * there is (spec.h). docs/containers.md has the admin's side.
 */
#include "broker/hypervisor/container/container_priv.h"

#include "base/clock.h"
#include "base/conf.h"
#include "base/daemon.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"
#include "broker/hypervisor/storage/bins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPACITY_DEFAULT_MB 512 /* of memory for each desktop */
#define CONNECT_MS 5000
#define END_GRACE_S 3 /* process 1 gives its services 2 s */

struct container *container_of(struct driver *d)
{
	return pst_container_of(d, struct container, base);
}

void op_begin(struct op *op, struct container *c, const char *desktop)
{
	memset(op, 0, sizeof(*op));
	op->c = c;
	pst_strlcpy(op->desktop, sizeof(op->desktop), desktop);
	op->engine = (struct engine_op){ .http = c->http, .owner = op->desktop, .end_ms = pst_mono_ms() + c->deadline_ms };
	if (desktop[0])
		watches_hold(c->watches, desktop);
	pthread_mutex_lock(&c->lock);
	op->next = c->ops;
	c->ops = op;
	pthread_mutex_unlock(&c->lock);
}

void op_end(struct op *op)
{
	struct container *c = op->c;
	struct op **p;

	pthread_mutex_lock(&c->lock);
	for (p = &c->ops; *p != op; p = &(*p)->next)
		;
	*p = op->next;
	pthread_mutex_unlock(&c->lock);
	if (op->desktop[0])
		watches_release(c->watches, op->desktop);
}

static void container_cancel(struct driver *d, const char *desktop)
{
	struct container *c = container_of(d);

	pthread_mutex_lock(&c->lock);
	for (struct op *op = c->ops; op; op = op->next) {
		if (strcmp(op->desktop, desktop) == 0)
			atomic_store(&op->engine.cancelled, true);
	}
	pthread_mutex_unlock(&c->lock);
	http_cancel(c->http, desktop);
}

static int machine_fill(const struct container *c, const struct machine_request *r, uid_t uid, struct machine *m, struct pst_err *err)
{
	pst_strlcpy(m->desktop, sizeof(m->desktop), r->desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->image_name, r->image_version);
	m->uid = uid;
	m->state = MACHINE_RUNNING;
	m->endpoint.kind = ENDPOINT_UNIX;
	watches_know(c->watches, r->desktop);
	return dirs_path(c, r->desktop, "run/display.sock", m->endpoint.address, err);
}

/* The container before what it stands on. Every step is done whether or not there is one, so a repetition finds the rest. */
static int remains_remove(struct op *op, struct found *f, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;

	if (found_tidy(op, f, err) < 0)
		return err->code;
	if (f->is_there && engine_stop(&op->engine, f->now.id, 0, &why) < 0 && why.code != PST_ENOTFOUND)
		return pst_err_pass(err, why.code, &why);
	if (container_personal_release(op, err) < 0 || dirs_remove(op->c, op->desktop, err) < 0 || (f->is_there && engine_remove(&op->engine, f->now.id, err) < 0))
		return err->code;
	return container_snapshots_remove(op, err);
}

/* Which uids containers of ours have. */
static int uids_listed(struct op *op, bool taken[UIDS_MAX], struct pst_err *err)
{
	const struct uids *u = &op->c->uids;
	struct spec_view v;
	char filter[512];
	json_t *list, *item;
	size_t i;

	if (spec_filter(filter, sizeof(filter), op->c->instance, NULL) < 0)
		return pst_err_set(err, PST_ELIMIT, "too long a filter");
	list = engine_list(&op->engine, filter, err);
	if (!list)
		return err->code;
	json_array_foreach(list, i, item)
	{
		if (spec_view(item, op->c->instance, &v) && v.uid >= u->base && v.uid - u->base < u->count)
			taken[v.uid - u->base] = true;
	}
	json_decref(list);
	return 0;
}

static int uid_take(struct op *op, uid_t *ret_uid, struct pst_err *err)
{
	bool taken[UIDS_MAX] = { false };
	int rc;

	pthread_mutex_lock(&op->c->naming);
	rc = uids_listed(op, taken, err);
	if (rc == 0)
		rc = uids_take(&op->c->uids, taken, ret_uid, err);
	pthread_mutex_unlock(&op->c->naming);
	return rc;
}

static int create_new(struct op *op, const struct machine_request *r, uid_t uid, const char *image, struct pst_err *err)
{
	char name[SPEC_NAME_SIZE];

	spec_name(name, r->desktop, r->task, false);
	if (dirs_make(op->c, r->desktop, uid, err) < 0 || dirs_enrol(op->c, r, uid, err) < 0 ||
		container_make(op, name, r, uid, image, err) < 0)
		return err->code;
	return container_start(op, name, uid, err);
}

/* What a failed create has left; in a time of its own, since the command's may be over. */
static void create_undo(struct op *op)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct op undo;
	struct found f;

	op_begin(&undo, op->c, op->desktop);
	if (found_look(&undo, &f, &ignored) == 0)
		remains_remove(&undo, &f, &ignored);
	found_finish(&f);
	op_end(&undo);
}

static int create_run(struct op *op, struct found *f, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	const char *image;
	uid_t uid;
	int rc;

	if (f->is_there && f->now.phase == SPEC_RUNNING && !f->now.next) {
		if (strcmp(f->now.task, r->task) == 0)
			return machine_fill(op->c, r, f->now.uid, ret, err);
		return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs by another task", r->desktop);
	}
	if (container_image(op, r, &image, err) < 0 || remains_remove(op, f, err) < 0 || uid_take(op, &uid, err) < 0)
		return err->code;
	rc = create_new(op, r, uid, image, err);
	if (rc < 0 && !atomic_load(&op->engine.cancelled))
		create_undo(op);
	uids_mark(&op->c->uids, uid, false); /* from here on the list says it */
	return rc < 0 ? rc : machine_fill(op->c, r, uid, ret, err);
}

static int container_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct found f;
	struct op op;
	int rc;

	op_begin(&op, container_of(d), r->desktop);
	rc = found_look(&op, &f, err);
	if (rc == 0)
		rc = create_run(&op, &f, r, ret, err);
	found_finish(&f);
	op_end(&op);
	return rc;
}

static int container_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct found f;
	struct op op;
	int rc;

	op_begin(&op, container_of(d), desktop);
	rc = found_look(&op, &f, err);
	if (rc == 0)
		rc = remains_remove(&op, &f, err);
	if (rc == 0)
		watches_forget(op.c->watches, desktop);
	found_finish(&f);
	op_end(&op);
	return rc;
}

/* The one that counts is a complete old one: the next is made beside it. Else it is the next itself. */
static int next_make(struct op *op, struct found *f, const struct machine_request *r, const char *image, struct pst_err *err)
{
	char name[SPEC_NAME_SIZE];

	spec_name(name, op->desktop, NULL, false);
	if (found_tidy(op, f, err) < 0 || container_make(op, name, r, f->now.uid, image, err) < 0)
		return err->code;
	/* From here on the desktop is a fresh one, whatever happens. */
	return f->now.next ? 0 : engine_remove(&op->engine, f->now.id, err);
}

/* What of its user is beside the container. Snapshots hold what he had, so they go, too. */
static int side_refresh(struct op *op, uid_t uid, struct pst_err *err)
{
	if (container_personal_release(op, err) < 0 || dirs_remove(op->c, op->desktop, err) < 0 || dirs_make(op->c, op->desktop, uid, err) < 0)
		return err->code;
	return container_snapshots_remove(op, err);
}

int container_replace(struct op *op, struct found *f, const struct machine_request *r, const char *image, bool refresh, bool off,
	struct pst_err *err)
{
	char next[SPEC_NAME_SIZE], name[SPEC_NAME_SIZE];

	spec_name(next, op->desktop, NULL, false);
	spec_name(name, op->desktop, r->task, off);
	if (next_make(op, f, r, image, err) < 0)
		return err->code;
	if (refresh && side_refresh(op, f->now.uid, err) < 0)
		return err->code;
	if (dirs_socket_remove(op->c, op->desktop, err) < 0 || dirs_enrol(op->c, r, f->now.uid, err) < 0 ||
		engine_rename(&op->engine, next, name, err) < 0)
		return err->code;
	return off ? 0 : container_start(op, name, f->now.uid, err);
}

/* The same container, started again. */
static int restart_keep(struct op *op, struct found *f, const struct machine_request *r, struct pst_err *err)
{
	char name[SPEC_NAME_SIZE];

	spec_name(name, op->desktop, r->task, false);
	if (found_tidy(op, f, err) < 0 || engine_stop(&op->engine, f->now.id, END_GRACE_S, err) < 0 ||
		dirs_socket_remove(op->c, op->desktop, err) < 0 || dirs_enrol(op->c, r, f->now.uid, err) < 0)
		return err->code;
	if ((f->now.off || strcmp(f->now.task, r->task) != 0) && engine_rename(&op->engine, f->now.id, name, err) < 0)
		return err->code;
	return container_start(op, name, f->now.uid, err);
}

static int restart_run(struct op *op, struct found *f, const struct machine_request *wish, bool refresh, struct machine *ret, struct pst_err *err)
{
	struct machine_request r = *wish, old;
	const char *image;
	int rc;

	if (spec_request(f->labels, &old, err) < 0)
		return err->code;
	/* The container's layer stays, and so do its limits and its image. */
	if (!refresh && !f->now.next)
		r.image_name[0] = r.memory_mb = 0;
	request_merge(&r, &old);
	if (!f->now.next && !f->now.off && f->now.phase == SPEC_RUNNING && strcmp(f->now.task, r.task) == 0)
		return machine_fill(op->c, &r, f->now.uid, ret, err); /* done before */
	if (f->now.phase == SPEC_PAUSED && engine_unpause(&op->engine, f->now.id, err) < 0)
		return err->code;
	if (refresh || f->now.next || f->now.phase == SPEC_MADE)
		rc = container_image(op, &r, &image, err) < 0 ? err->code : container_replace(op, f, &r, image, true, false, err);
	else
		rc = restart_keep(op, f, &r, err);
	return rc < 0 ? rc : machine_fill(op->c, &r, f->now.uid, ret, err);
}

static int container_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err)
{
	struct found f;
	struct op op;
	int rc;

	op_begin(&op, container_of(d), r->desktop);
	rc = found_look(&op, &f, err);
	if (rc == 0 && !f.is_there)
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s to restart", r->desktop);
	if (rc == 0)
		rc = restart_run(&op, &f, r, refresh, ret, err);
	found_finish(&f);
	op_end(&op);
	return rc;
}

/* The name first: whoever looks in between reads what was meant. */
static int power_off(struct op *op, struct found *f, unsigned grace_s, struct pst_err *err)
{
	char name[SPEC_NAME_SIZE];

	spec_name(name, op->desktop, f->now.task, true);
	if (!f->now.off && engine_rename(&op->engine, f->now.id, name, err) < 0)
		return err->code;
	if (f->now.phase == SPEC_PAUSED && engine_unpause(&op->engine, f->now.id, err) < 0)
		return err->code;
	return f->now.phase == SPEC_MADE ? 0 : engine_stop(&op->engine, f->now.id, grace_s, err);
}

static int power_on(struct op *op, struct found *f, struct pst_err *err)
{
	char name[SPEC_NAME_SIZE];

	spec_name(name, op->desktop, f->now.task, false);
	if (f->now.phase == SPEC_RUNNING && !f->now.off)
		return 0;
	if (f->now.phase == SPEC_PAUSED && engine_unpause(&op->engine, f->now.id, err) < 0)
		return err->code;
	if ((f->now.phase == SPEC_ENDED || f->now.phase == SPEC_MADE) && dirs_socket_remove(op->c, op->desktop, err) < 0)
		return err->code;
	if (f->now.off && engine_rename(&op->engine, f->now.id, name, err) < 0)
		return err->code;
	return container_start(op, name, f->now.uid, err);
}

static int container_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	struct found f;
	struct op op;
	int rc;

	if (wish == POWER_SUSPEND)
		return pst_err_set(err, PST_EUNSUPPORTED, "containers have no memory on disk: a desktop in one cannot be suspended");
	op_begin(&op, container_of(d), desktop);
	rc = found_look(&op, &f, err);
	if (rc == 0 && (!f.is_there || f.now.next))
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", desktop);
	if (rc == 0)
		rc = wish == POWER_START ? power_on(&op, &f, err) : power_off(&op, &f, wish == POWER_STOP ? END_GRACE_S : 0, err);
	if (rc == 0 && wish == POWER_START)
		watches_know(op.c->watches, desktop);
	else if (rc == 0)
		watches_forget(op.c->watches, desktop);
	found_finish(&f);
	op_end(&op);
	return rc;
}

static void info_fill(const struct container *c, const struct engine_info *info, struct driver_capacity *ret)
{
	char path[PATH_MAX];

	if (!c->capacity)
		ret->machines = (uint32_t)PST_CLAMP(info->memory_mb / CAPACITY_DEFAULT_MB, (uint64_t)2, (uint64_t)c->uids.count);
	snprintf(ret->limits, sizeof(ret->limits), "%s%s%s(%.30s)", info->memory ? "memory " : "", info->cpu ? "cpu " : "",
		info->pids ? "pids " : "", info->words);
	if (info->rootless)
		snprintf(ret->reason, sizeof(ret->reason), "%.200s is a rootless engine, whose uids are not the host's: run one as root", c->engine);
	else if (path_make(path, NULL, "%s/puesto-desktop", c->libexec) < 0 || access(path, X_OK) < 0)
		snprintf(ret->reason, sizeof(ret->reason), "%.200s/puesto-desktop is missing: install Puesto's helper programs", c->libexec);
	ret->healthy = ret->reason[0] == '\0';
}

static int container_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct container *c = container_of(d);
	struct pst_err why = PST_ERR_INIT;
	struct engine_info info;
	struct op op;

	ret->can = DRIVER_POWER | DRIVER_SNAPSHOT | DRIVER_LINKED_CLONE | (c->has_personal ? DRIVER_PERSONAL : 0) |
		(c->has_sizes ? DRIVER_PERSONAL_SIZE : 0);
	ret->machines = c->capacity ? c->capacity : c->uids.count;
	op_begin(&op, c, "");
	if (geteuid() != 0)
		pst_strlcpy(ret->reason, sizeof(ret->reason), "the container provider needs root: run puesto-provisioner as root");
	else if (engine_info(&op.engine, &info, &why) < 0)
		snprintf(ret->reason, sizeof(ret->reason), "%.400s; is the engine's service started?", why.text);
	else
		info_fill(c, &info, ret);
	op_end(&op);
	return 0;
}

static int container_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	return watches_add(container_of(d)->watches, desktop, ended, arg, err);
}

static void container_close(struct driver *d)
{
	struct container *c = d ? container_of(d) : NULL;

	if (!c)
		return;
	watcher_stop(c);
	watches_destroy(c->watches);
	http_destroy(c->http);
	if (c->uids.count)
		uids_finish(&c->uids);
	pthread_mutex_destroy(&c->naming);
	pthread_mutex_destroy(&c->loading);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int places_read(struct container *c, const struct driver_params *p, struct pst_err *err)
{
	const char *engine = pst_conf_str(p->conf, p->section, "engine", "/run/podman/podman.sock");
	const char *network = pst_conf_str(p->conf, p->section, "network", "bridge");

	if (engine[0] != '/')
		return pst_err_set(err, PST_EINVAL, "[%s] engine: \"%.200s\" must be the absolute path of the engine's socket", p->section, engine);
	if (pst_strlcpy(c->network, sizeof(c->network), network) < 0 || strchr(network, ':') || strcmp(network, "host") == 0)
		return pst_err_set(err, PST_EINVAL, "[%s] network: \"%.100s\" must be a network of the engine, and not the host's", p->section, network);
	if (path_make(c->engine, err, "%s", engine) < 0 || path_make(c->data, err, "%s", p->data) < 0 || path_make(c->dirs, err, "%s/containers", p->data) < 0 ||
		path_make(c->agents, err, "%s/run/agents", p->data) < 0 || path_make(c->libexec, err, "%s", p->libexec) < 0)
		return err->code;
	if (strpbrk(c->dirs, ":,\\") || strpbrk(c->libexec, ":,\\"))
		return pst_err_set(err, PST_EINVAL, "%s: a data directory with ':', ',' or '\\' cannot be shown in a container; choose another", p->data);
	return 0;
}

/* Which installation and provider: others on the same engine are none of our business. */
static void instance_make(struct container *c, const struct driver_params *p)
{
	uint8_t sum[PST_SHA256_LEN];
	char text[PATH_MAX + MACHINE_NAME_SIZE];

	snprintf(text, sizeof(text), "%s\n%s", p->data, p->name);
	pst_sha256(text, strlen(text), sum);
	pst_hex_encode(sum, 8, c->instance, sizeof(c->instance));
}

static int settings_read(struct container *c, const struct driver_params *p, struct pst_err *err)
{
	struct pst_err none = PST_ERR_INIT;
	char salt[PATH_MAX + MACHINE_NAME_SIZE];
	uint32_t base, count, deadline_s, poll_s;

	snprintf(salt, sizeof(salt), "%s\n%s", p->data, p->name);
	if (pst_conf_u32(p->conf, p->section, "uid_base", 10000, INT32_MAX - UIDS_MAX, uids_base_default(salt, 5000000), &base, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "uid_count", 1, UIDS_MAX, 500, &count, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "capacity", 0, count, 0, &c->capacity, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "deadline_s", 1, 3600, 120, &deadline_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "poll_s", 1, 3600, 10, &poll_s, err) < 0)
		return err->code;
	c->deadline_ms = deadline_s * UINT64_C(1000);
	c->poll_ms = poll_s * UINT64_C(1000);
	uids_init(&c->uids, base, count);
	/* Without that account the gateway runs as root. */
	if (pst_user_find(pst_conf_str(p->conf, p->section, "gateway_user", "puesto-gateway"), &c->gateway_uid, &c->gateway_gid, &none) < 0)
		c->gateway_uid = c->gateway_gid = 0;
	instance_make(c, p);
	return places_read(c, p, err);
}

static int container_begin(struct container *c, const struct driver_params *p, struct pst_err *err)
{
	struct http_params params = { .socket = c->engine, .timeout_ms = c->deadline_ms, .connect_ms = CONNECT_MS };

	if (pst_mkdirs(c->dirs, 0711, err) < 0 || pst_mkdirs(c->agents, 0755, err) < 0)
		return err->code;
	c->http = http_create(&params, err);
	if (!c->http)
		return err->code;
	c->watches = watches_create(p->loop);
	if (!c->watches)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (bins_add(p->name, c->data, err) < 0)
		return err->code;
	container_personal_find(c, p->name);
	return watcher_start(c, err);
}

static struct driver *container_open(const struct driver_params *p, struct pst_err *err)
{
	struct container *c = pst_zalloc(1, sizeof(*c));

	if (!c) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&c->naming, NULL);
	pthread_mutex_init(&c->loading, NULL);
	pthread_mutex_init(&c->lock, NULL);
	if (settings_read(c, p, err) < 0 || container_begin(c, p, err) < 0) {
		container_close(&c->base);
		return NULL;
	}
	return &c->base;
}

extern const struct driver_type driver_container;

const struct driver_type driver_container = {
	.kind = "container",
	.open = container_open,
	.create = container_create,
	.destroy = container_destroy,
	.restart = container_restart,
	.list = container_list,
	.capacity = container_capacity,
	.watch = container_watch,
	.close = container_close,
	.power = container_power,
	.snapshot_take = container_snapshot_take,
	.snapshot_revert = container_snapshot_revert,
	.snapshot_drop = container_snapshot_drop,
	.personal_attach = container_personal_attach,
	.personal_detach = container_personal_detach,
	.personal_remove = container_personal_remove,
	.files = container_files,
	.cancel = container_cancel,
};
