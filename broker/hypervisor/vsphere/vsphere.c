/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Desktops as virtual machines of a vCenter. docs/hypervisors.md has the admin's side. */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct vsphere *vsphere_of(struct driver *d)
{
	return pst_container_of(d, struct vsphere, base);
}

void vs_op_begin(struct vs_op *op, struct vsphere *vs, const char *desktop)
{
	memset(op, 0, sizeof(*op));
	op->vs = vs;
	pst_strlcpy(op->desktop, sizeof(op->desktop), desktop);
	op->vim.vim = vs->vim;
	op->vim.owner = op->desktop;
	op->vim.end_ms = pst_mono_ms() + vs->set.deadline_ms;
	if (desktop[0])
		watches_hold(vs->watches, desktop);
	pthread_mutex_lock(&vs->lock);
	op->next = vs->ops;
	vs->ops = op;
	pthread_mutex_unlock(&vs->lock);
}

void vs_op_end(struct vs_op *op)
{
	struct vsphere *vs = op->vs;
	struct vs_op **p;

	pthread_mutex_lock(&vs->lock);
	for (p = &vs->ops; *p != op; p = &(*p)->next)
		;
	*p = op->next;
	pthread_mutex_unlock(&vs->lock);
	if (op->desktop[0])
		watches_release(vs->watches, op->desktop);
}

static void vsphere_cancel(struct driver *d, const char *desktop)
{
	struct vsphere *vs = vsphere_of(d);

	pthread_mutex_lock(&vs->lock);
	for (struct vs_op *op = vs->ops; op; op = op->next) {
		if (strcmp(op->desktop, desktop) == 0)
			atomic_store(&op->vim.cancelled, true);
	}
	pthread_mutex_unlock(&vs->lock);
	vim_cancel(vs->vim, desktop);
}

static int vsphere_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	return watches_add(vsphere_of(d)->watches, desktop, ended, arg, err);
}

static void vsphere_close(struct driver *d)
{
	struct vsphere *vs = d ? vsphere_of(d) : NULL;

	if (!vs)
		return;
	vs_watcher_stop(vs);
	watches_destroy(vs->watches);
	vim_destroy(vs->vim);
	pthread_mutex_destroy(&vs->lock);
	free(vs);
}

static int begin(struct vsphere *vs, const struct driver_params *p, struct pst_err *err)
{
	struct vim_params params = { .url = NULL };

	if (vs_settings_read(vs, p, &params, err) < 0)
		return err->code;
	vs->vim = vim_create(&params, err);
	if (!vs->vim)
		return err->code;
	vs->watches = watches_create(p->loop);
	if (!vs->watches)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	return vs_watcher_start(vs, err);
}

/* A server that is down is no reason not to start: capacity tells. */
static struct driver *vsphere_open(const struct driver_params *p, struct pst_err *err)
{
	struct vsphere *vs = pst_zalloc(1, sizeof(*vs));

	if (!vs) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&vs->lock, NULL);
	if (begin(vs, p, err) == 0)
		return &vs->base;
	vsphere_close(&vs->base);
	return NULL;
}

extern const struct driver_type driver_vsphere;

const struct driver_type driver_vsphere = {
	.kind = "vsphere",
	.open = vsphere_open,
	.create = vsphere_create,
	.destroy = vsphere_destroy,
	.restart = vsphere_restart,
	.list = vsphere_list,
	.capacity = vsphere_capacity,
	.watch = vsphere_watch,
	.close = vsphere_close,
	.power = vsphere_power,
	.snapshot_take = vsphere_snapshot_take,
	.snapshot_revert = vsphere_snapshot_revert,
	.snapshot_drop = vsphere_snapshot_drop,
	.resize = vsphere_resize,
	.migrate = vsphere_migrate,
	.way = vsphere_way,
	.hosts = vsphere_hosts,
	.networks = vsphere_networks,
	.cancel = vsphere_cancel,
};
