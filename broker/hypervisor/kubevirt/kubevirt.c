/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver of kind "kubevirt": virtual machines of a Kubernetes cluster with KubeVirt. docs/hypervisors.md has the admin's side. */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define HEALTH_MS 10000

struct kubevirt *kubevirt_of(struct driver *d)
{
	return pst_container_of(d, struct kubevirt, base);
}

struct kubevirt *kubevirt_of_op(const struct rest_op *op)
{
	return pst_container_of(op->rest, struct kubevirt, rest);
}

/* A list of one is enough to see that all is there: the interface, the namespace, the right. */
static int kubevirt_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct kubevirt *k = kubevirt_of(d);
	struct pst_err why = PST_ERR_INIT;
	char path[REST_PATH_SIZE], query[REST_PATH_SIZE];
	struct rest_op op;
	json_t *o = NULL;

	ret->can = DRIVER_POWER | DRIVER_RESIZE | DRIVER_GROW | (k->site.is_pods ? 0 : DRIVER_SNAPSHOT | DRIVER_MIGRATE | DRIVER_CONSOLE);
	ret->machines = k->capacity;
	rest_begin(&op, &k->rest, "");
	op.end_ms -= rest_left_ms(&op) - PST_MIN(rest_left_ms(&op), (uint64_t)HEALTH_MS);
	if (kube_path(k, kube_machines(k), "", path, &why) == 0 && rest_path(query, &why, "%.1000s?limit=1", path) == 0)
		o = k8s_get(&op, query, &why);
	rest_end(&op);
	json_decref(o);
	if (op.status == 404)
		snprintf(ret->reason, sizeof(ret->reason), "the cluster has no KubeVirt: install it there (%.300s)", why.text);
	else
		pst_strlcpy(ret->reason, sizeof(ret->reason), why.text);
	ret->healthy = o != NULL;
	snprintf(ret->limits, sizeof(ret->limits), "memory cpu (%s)", k->site.is_pods ? "pods" : "KubeVirt");
	return 0;
}

static int kubevirt_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	return watches_add(kubevirt_of(d)->rest.watches, desktop, ended, arg, err);
}

static void kubevirt_cancel(struct driver *d, const char *desktop)
{
	rest_cancel(&kubevirt_of(d)->rest, desktop);
}

static void kubevirt_close(struct driver *d)
{
	struct kubevirt *k = kubevirt_of(d);

	rest_shut(&k->rest);
	lookout_destroy(k->lookout);
	rest_finish(&k->rest);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static struct driver *kubevirt_open(const struct driver_params *p, struct pst_err *err)
{
	struct kubevirt *k = pst_zalloc(1, sizeof(*k));
	struct rest_params rest;

	if (!k) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&k->lock, NULL);
	if (kube_settings_read(k, p, &rest, err) == 0 && rest_init(&k->rest, &rest, err) == 0) {
		struct lookout_params look = { .driver = &k->base, .rest = &k->rest, .poll_ms = k->poll_ms, .list = kubevirt_list, .await = kubevirt_await };

		k->lookout = lookout_create(&look, err);
	}
	if (k->lookout)
		return &k->base;
	kubevirt_close(&k->base);
	return NULL;
}

extern const struct driver_type driver_kubevirt;

const struct driver_type driver_kubevirt = {
	.kind = "kubevirt",
	.open = kubevirt_open,
	.create = kubevirt_create,
	.destroy = kubevirt_destroy,
	.restart = kubevirt_restart,
	.list = kubevirt_list,
	.capacity = kubevirt_capacity,
	.watch = kubevirt_watch,
	.close = kubevirt_close,
	.power = kubevirt_power,
	.snapshot_take = kubevirt_snapshot_take,
	.snapshot_revert = kubevirt_snapshot_revert,
	.snapshot_drop = kubevirt_snapshot_drop,
	.resize = kubevirt_resize,
	.migrate = kubevirt_migrate,
	.console = kubevirt_console,
	.networks = kubevirt_networks,
	.cancel = kubevirt_cancel,
};
