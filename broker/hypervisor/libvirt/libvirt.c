/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver "libvirt": its table, and what belongs to no call. */
#include "broker/hypervisor/libvirt/backup.h"
#include "broker/hypervisor/libvirt/call.h"
#include "broker/hypervisor/libvirt/events.h"
#include "broker/hypervisor/libvirt/known.h"
#include "broker/hypervisor/libvirt/parent.h"
#include "broker/hypervisor/libvirt/personal.h"
#include "broker/hypervisor/libvirt/store.h"
#include "broker/hypervisor/libvirt/tpm.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEALTH_MS 8000 /* a hypervisor that hangs shall be known soon */
#define CLOSE_MS 3000  /* that the driver's threads get to end */

static struct libvirt *libvirt_of(struct driver *d)
{
	return pst_container_of(d, struct libvirt, base);
}

void lv_ref(struct libvirt *lv)
{
	pthread_mutex_lock(&lv->lock);
	lv->refs++;
	pthread_mutex_unlock(&lv->lock);
}

void lv_unref(struct libvirt *lv)
{
	bool last;

	pthread_mutex_lock(&lv->lock);
	last = --lv->refs == 0;
	pthread_cond_broadcast(&lv->changed);
	pthread_mutex_unlock(&lv->lock);
	if (!last)
		return;
	lv_known_finish(lv);
	lv_parents_finish(lv);
	for (size_t i = 0; i < lv->nets_n; i++)
		lv_net_finish(&lv->nets[i]);
	lv_stores_finish(lv);
	pthread_cond_destroy(&lv->changed);
	pthread_mutex_destroy(&lv->lock);
	free(lv);
}

/* A call with its question in it, or NULL with err. */
static struct lv_call *ask(struct driver *d, const char *desktop, unsigned needs,
	int (*work)(struct lv_call *c, struct pst_err *err), struct pst_err *err)
{
	struct lv_call *c = lv_call_create(libvirt_of(d), desktop, work);

	if (c)
		c->needs = needs;
	else
		pst_err_set(err, PST_ENOMEM, "no memory");
	return c;
}

static int machine_ask(struct driver *d, const struct machine_request *r, bool refresh,
	int (*work)(struct lv_call *c, struct pst_err *err), struct machine *ret, struct pst_err *err)
{
	struct lv_call *c = ask(d, r->desktop, 0, work, err);
	int rc;

	if (!c)
		return err->code;
	c->request = *r;
	c->refresh = refresh;
	rc = lv_call_run(c, 0, err);
	if (rc == 0)
		*ret = c->machine;
	lv_call_unref(c);
	return rc;
}

static int libvirt_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	return machine_ask(d, r, false, lv_create_work, ret, err);
}

static int libvirt_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err)
{
	return machine_ask(d, r, refresh, lv_restart_work, ret, err);
}

static int libvirt_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, 0, lv_destroy_work, err);

	return c ? lv_call_finish(c, err) : err->code;
}

static void item_machine(const struct libvirt *lv, const struct lv_item *item, struct machine *m)
{
	const struct machine_request r = { .is_windows = item->is_windows, .has_rdp = item->has_rdp };

	memset(m, 0, sizeof(*m));
	pst_strlcpy(m->desktop, sizeof(m->desktop), item->desktop);
	pst_strlcpy(m->task, sizeof(m->task), item->task);
	pst_strlcpy(m->image, sizeof(m->image), item->image);
	pst_strlcpy(m->reason, sizeof(m->reason), item->reason);
	pst_strlcpy(m->host, sizeof(m->host), lv->hosts[item->host].name);
	m->state = item->state;
	if (item->address[0] == '\0')
		return;
	rdp_site_endpoint(&lv->set.rdp, &lv->set.seed, &r, item->address, &m->endpoint);
}

static int libvirt_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct libvirt *lv = libvirt_of(d);
	struct lv_call *c = ask(d, NULL, 0, lv_inventory_work, err);
	int rc = c ? lv_call_run(c, 0, err) : err->code;
	struct machine m;

	for (size_t i = 0; rc == 0 && i < c->items_n; i++) {
		item_machine(lv, &c->items[i], &m);
		visit(&m, arg);
	}
	for (size_t i = 0; rc == 0 && i < lv->hosts_n; i++) {
		memset(&m, 0, sizeof(m));
		m.state = MACHINE_UNKNOWN;
		pst_strlcpy(m.host, sizeof(m.host), lv->hosts[i].name);
		pst_strlcpy(m.reason, sizeof(m.reason), c->silence[i]);
		if (c->is_silent[i])
			visit(&m, arg);
	}
	if (c)
		lv_call_unref(c);
	return rc;
}

static int libvirt_hosts(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err)
{
	struct libvirt *lv = libvirt_of(d);
	struct lv_call *c;
	int rc;

	if (!lv->hosts[0].name[0])
		return 0; /* it is the only one */
	c = ask(d, NULL, 0, lv_hosts_work, err);
	if (!c)
		return err->code;
	rc = lv_call_run(c, PST_MIN(lv->set.deadline_ms, (uint64_t)HEALTH_MS), err);
	for (size_t i = 0; rc == 0 && i < lv->hosts_n; i++)
		visit(&c->hosts[i], arg);
	lv_call_unref(c);
	return rc;
}

static int libvirt_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err)
{
	struct libvirt *lv = libvirt_of(d);

	for (size_t i = 1; i < lv->nets_n; i++) {
		struct driver_network n = { .peers = lv->nets[i].peers };

		pst_strlcpy(n.name, sizeof(n.name), lv->nets[i].name);
		pst_strlcpy(n.kind, sizeof(n.kind), lv_net_kind_name(lv->nets[i].kind));
		lv_net_about(&lv->nets[i], n.about, sizeof(n.about));
		visit(&n, arg);
	}
	return 0;
}

/* With the lock. */
static void capacity_fill(const struct libvirt *lv, struct driver_capacity *ret)
{
	const struct lv_nature *n = &lv->hosts[0].nature;

	for (size_t i = 0; i < lv->hosts_n; i++)
		ret->machines += lv->hosts[i].nature.machines;
	if (lv->set.capacity)
		ret->machines = lv->set.capacity;
	ret->can = lv_can(lv);
	snprintf(ret->limits, sizeof(ret->limits), "libvirt %s%s%s%s", n->type, n->form ? ", " : "", n->form ? n->form->virt : "",
		n->has_tpm && lv_tpm_is_there(lv) ? ", TPM 2.0" : "");
	if (ret->reason[0] == '\0')
		(void)lv_tpm_fault(lv, ret->reason, sizeof(ret->reason));
}

static int libvirt_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct libvirt *lv = libvirt_of(d);
	struct lv_call *c = ask(d, NULL, 0, lv_capacity_work, err);
	struct pst_err why = PST_ERR_INIT;

	if (!c)
		return err->code;
	if (lv_call_run(c, PST_MIN(lv->set.deadline_ms, (uint64_t)HEALTH_MS), &why) == 0)
		*ret = c->capacity;
	else
		snprintf(ret->reason, sizeof(ret->reason), "%.400s: look at libvirtd there", why.text);
	lv_call_unref(c);
	pthread_mutex_lock(&lv->lock);
	capacity_fill(lv, ret);
	pthread_mutex_unlock(&lv->lock);
	ret->healthy = ret->reason[0] == '\0';
	return 0;
}

static int libvirt_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, wish == POWER_SUSPEND ? DRIVER_SUSPEND : DRIVER_POWER, lv_power_work, err);

	if (!c)
		return err->code;
	c->wish = wish;
	return lv_call_finish(c, err);
}

static int named_ask(struct driver *d, const char *desktop, const char *name, unsigned needs,
	int (*work)(struct lv_call *c, struct pst_err *err), struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, needs, work, err);

	if (!c)
		return err->code;
	pst_strlcpy(c->name, sizeof(c->name), name);
	return lv_call_finish(c, err);
}

static int libvirt_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return named_ask(d, desktop, name, DRIVER_SNAPSHOT, lv_snapshot_take_work, err);
}

static int libvirt_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return named_ask(d, desktop, name, DRIVER_SNAPSHOT, lv_snapshot_revert_work, err);
}

static int libvirt_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return named_ask(d, desktop, name, DRIVER_SNAPSHOT, lv_snapshot_drop_work, err);
}

static int libvirt_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err)
{
	return named_ask(d, desktop, host, DRIVER_MIGRATE, lv_migrate_work, err);
}

static int libvirt_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, size->disk_mb ? DRIVER_GROW : DRIVER_RESIZE, lv_resize_work, err);

	if (!c)
		return err->code;
	c->size = *size;
	return lv_call_finish(c, err);
}

static int libvirt_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, DRIVER_CONSOLE, lv_console_work, err);
	int rc;

	if (!c)
		return err->code;
	c->is_shared = is_shared;
	rc = lv_call_run(c, 0, err);
	if (rc == 0) {
		*ret = c->screen;
		c->screen.fd = -1;
	}
	lv_call_unref(c);
	return rc;
}

static int libvirt_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err)
{
	struct libvirt *lv = libvirt_of(d);
	struct lv_call *c = ask(d, desktop, 0, lv_way_work, err);
	int rc = c ? lv_call_run(c, 0, err) : err->code;

	if (rc == 0)
		rc = rdp_site_enter(&lv->set.rdp, &c->request, &c->screen.at, pin, ret_account, err);
	if (rc == 0)
		*ret = c->screen.at;
	if (c)
		lv_call_unref(c);
	return rc;
}

static int libvirt_disk(struct driver *d, const char *desktop, struct driver_disk *ret, struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, DRIVER_BACKUP, lv_disk_work, err);
	int rc = c ? lv_call_run(c, 0, err) : err->code;

	if (rc == 0)
		*ret = c->disk;
	if (c)
		lv_call_unref(c);
	return rc;
}

/* Whoever asked may be gone before libvirt answers: what it was asked is the call's own. */
static int libvirt_disk_ask(struct driver *d, const char *desktop, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, DRIVER_BACKUP, lv_disk_ask_work, err);
	int rc = c ? 0 : err->code;

	if (c) {
		c->commands = json_deep_copy(commands);
		c->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
		rc = !c->commands || (fd >= 0 && c->fd < 0) ? pst_err_set(err, PST_ENOMEM, "no memory") : lv_call_run(c, 0, err);
		if (rc == 0 && ret)
			*ret = json_incref(c->returned);
		lv_call_unref(c);
	}
	return rc;
}

static int libvirt_disk_replace(struct driver *d, const char *desktop, const char *file, struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, DRIVER_BACKUP, lv_disk_replace_work, err);

	if (!c)
		return err->code;
	pst_strlcpy(c->path, sizeof(c->path), file);
	return lv_call_finish(c, err);
}

static int libvirt_disk_room(struct driver *d, const char *desktop, const char *base, uint64_t bytes, struct driver_room *ret,
	struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, DRIVER_BACKUP, lv_disk_room_work, err);
	int rc = c ? 0 : err->code;

	if (c) {
		pst_strlcpy(c->path, sizeof(c->path), base);
		c->bytes = bytes;
		rc = lv_call_run(c, 0, err);
		if (rc == 0)
			*ret = c->room;
		lv_call_unref(c);
	}
	return rc;
}

static int personal_ask(struct driver *d, const char *desktop, const struct machine_personal *p,
	int (*work)(struct lv_call *c, struct pst_err *err), int64_t keep_ms, struct pst_err *err)
{
	struct lv_call *c = ask(d, desktop, DRIVER_PERSONAL, work, err);

	if (!c)
		return err->code;
	c->personal = *p;
	c->keep_ms = keep_ms;
	return lv_call_finish(c, err);
}

static int libvirt_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	return personal_ask(d, desktop, p, lv_personal_attach_work, 0, err);
}

static int libvirt_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	return personal_ask(d, desktop, p, lv_personal_detach_work, 0, err);
}

static int libvirt_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	return personal_ask(d, NULL, p, lv_personal_remove_work, keep_ms, err);
}

static void libvirt_cancel(struct driver *d, const char *desktop)
{
	lv_call_cancel(libvirt_of(d), desktop);
}

static void libvirt_close(struct driver *d)
{
	struct libvirt *lv = libvirt_of(d);
	struct timespec until = lv_until(pst_mono_ms() + CLOSE_MS);

	lv_watch_stop(lv);
	pthread_mutex_lock(&lv->lock);
	lv->is_closing = true;
	pthread_cond_broadcast(&lv->changed);
	/* What hangs in libvirt keeps its reference, and is left. Ours and the mailbox's remain. */
	while (lv->refs > 2 && pthread_cond_timedwait(&lv->changed, &lv->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&lv->lock);
	if (lv->has_events_loop)
		lv_events_stop();
	lv_unref(lv);
}

static void primitives_init(struct libvirt *lv)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&lv->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&lv->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static int begin(struct libvirt *lv, uv_loop_t *loop, struct pst_err *err)
{
	if (lv_events_start(err) < 0)
		return err->code;
	lv->has_events_loop = true;
	if (lv_watch_start(lv, loop, err) < 0 || lv_parents_start(lv, err) < 0)
		return err->code;
	for (size_t i = 0; i < lv->hosts_n; i++) {
		if (lv_host_start(&lv->hosts[i], err) < 0)
			return err->code;
	}
	return 0;
}

/* Connections are opened by their keepers: a host that is down is no reason not to start. */
static struct driver *libvirt_open(const struct driver_params *p, struct pst_err *err)
{
	struct libvirt *lv = pst_zalloc(1, sizeof(*lv));

	if (!lv) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	lv->refs = 1;
	primitives_init(lv);
	if (lv_settings_read(lv, p, err) < 0 || begin(lv, p->loop, err) < 0) {
		libvirt_close(&lv->base);
		return NULL;
	}
	return &lv->base;
}

extern const struct driver_type driver_libvirt;

const struct driver_type driver_libvirt = {
	.kind = "libvirt",
	.open = libvirt_open,
	.create = libvirt_create,
	.destroy = libvirt_destroy,
	.restart = libvirt_restart,
	.list = libvirt_list,
	.capacity = libvirt_capacity,
	.watch = lv_watch,
	.close = libvirt_close,
	.power = libvirt_power,
	.snapshot_take = libvirt_snapshot_take,
	.snapshot_revert = libvirt_snapshot_revert,
	.snapshot_drop = libvirt_snapshot_drop,
	.resize = libvirt_resize,
	.migrate = libvirt_migrate,
	.console = libvirt_console,
	.personal_attach = libvirt_personal_attach,
	.personal_detach = libvirt_personal_detach,
	.personal_remove = libvirt_personal_remove,
	.way = libvirt_way,
	.disk = libvirt_disk,
	.disk_ask = libvirt_disk_ask,
	.disk_replace = libvirt_disk_replace,
	.disk_room = libvirt_disk_room,
	.hosts = libvirt_hosts,
	.networks = libvirt_networks,
	.cancel = libvirt_cancel,
};
