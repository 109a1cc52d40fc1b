/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver "qemu": its table, its beginning and its end. */
#include "broker/hypervisor/qemu/net.h"
#include "broker/hypervisor/qemu/parent.h"
#include "broker/hypervisor/qemu/qemu_priv.h"
#include "broker/hypervisor/qemu/tpm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/storage/bins.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/disk/version.h"
#include "broker/hypervisor/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct qemu *qemu_of(struct driver *d)
{
	return pst_container_of(d, struct qemu, base);
}

/* The same frame around each command: a body with op in it. */
#define WITH_OP(d, desktop, call)                                     \
	do {                                                          \
		struct qm_op op;                                      \
		int rc_ = qm_op_begin(&op, qemu_of(d), desktop, err); \
		if (rc_ == 0) {                                       \
			rc_ = (call);                                 \
			qm_op_end(&op);                               \
		}                                                     \
		return rc_;                                           \
	} while (0)

static int qemu_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	WITH_OP(d, r->desktop, qm_create(&op, r, ret, err));
}

static int qemu_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_destroy(&op, err));
}

static int qemu_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err)
{
	WITH_OP(d, r->desktop, qm_restart(&op, r, refresh, ret, err));
}

static int qemu_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	return qm_list(qemu_of(d), visit, arg, err);
}

static int qemu_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct qemu *q = qemu_of(d);
	char limits[MACHINE_NAME_SIZE];

	ret->machines = q->set.capacity;
	ret->can = DRIVER_POWER | DRIVER_SUSPEND | DRIVER_SNAPSHOT | DRIVER_RESIZE | DRIVER_GROW | DRIVER_LINKED_CLONE | DRIVER_CONSOLE | DRIVER_BACKUP |
		   DRIVER_PERSONAL | DRIVER_PERSONAL_SIZE | (q->set.is_instant ? DRIVER_INSTANT_CLONE : 0);
	qm_settings_faults(q, ret->reason, sizeof(ret->reason));
	ret->healthy = ret->reason[0] == '\0';
	cgroup_describe(&q->cgroup, limits, sizeof(limits));
	snprintf(ret->limits, sizeof(ret->limits), "%s, %.40s%s", q->set.is_kvm ? "kvm" : "tcg", limits, qm_tpm_is_there(&q->set) ? ", TPM 2.0" : "");
	return 0;
}

static int qemu_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	return watches_add(qemu_of(d)->watches, desktop, ended, arg, err);
}

static int qemu_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_power(&op, wish, err));
}

static int qemu_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_snapshot_take(&op, name, err));
}

static int qemu_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_snapshot_revert(&op, name, err));
}

static int qemu_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_snapshot_drop(&op, name, err));
}

static int qemu_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_resize(&op, size, err));
}

static int qemu_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_console(&op, is_shared, ret, err));
}

static int qemu_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_way(&op, pin, ret, ret_account, err));
}

static int qemu_disk(struct driver *d, const char *desktop, struct driver_disk *ret, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_disk(&op, ret, err));
}

static int qemu_disk_ask(struct driver *d, const char *desktop, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_disk_ask(&op, commands, fd, ret, err));
}

static int qemu_disk_replace(struct driver *d, const char *desktop, const char *file, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_disk_replace(&op, file, err));
}

static int qemu_disk_room(struct driver *d, const char *desktop, const char *base, uint64_t bytes, struct driver_room *ret,
	struct pst_err *err)
{
	WITH_OP(d, desktop, qm_disk_room(&op, base, ret, err));
}

static int qemu_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_personal_attach(&op, p, err));
}

static int qemu_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	WITH_OP(d, desktop, qm_personal_detach(&op, p, err));
}

static int qemu_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	return qm_personal_remove(qemu_of(d), p, keep_ms, err);
}

static void qemu_cancel(struct driver *d, const char *desktop)
{
	qm_op_cancel(qemu_of(d), desktop);
}

static void qemu_close(struct driver *d)
{
	struct qemu *q = d ? qemu_of(d) : NULL;

	if (!q)
		return;
	qm_parents_stop(q);
	qm_keeper_stop(q);
	watches_destroy(q->watches);
	if (q->uids.count)
		uids_finish(&q->uids);
	lv_addresses_finish(&q->addresses);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

/* What an earlier provisioner left on its way, in every folder where we make things. */
static void leftovers_sweep(struct qemu *q)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	size_t parents = 0;
	unsigned images = 0, over = 0;

	if (path_make(path, &err, "%s/parents", q->set.directory) < 0 || temp_sweep(path, &parents, &err) < 0 ||
		version_sweep(q->set.directory, pst_wall_ms(), PST_MAX(q->set.recycle_ms, INT64_C(3600000)), &images, &err) < 0 ||
		recycle_purge(q->set.directory, NULL, pst_wall_ms(), &over, &err) < 0)
		pst_warn("provider=%s cannot clear up: %s", q->base.name, err.text);
	if (parents || images || over)
		pst_info("provider=%s cleared up: parents=%zu images=%u recycled=%u", q->base.name, parents, images, over);
}

/* A machine of an earlier provisioner: its uid is taken, its QEMU is looked after; a TPM that has none is ended. */
static void adopt(const struct machine *m, void *arg)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct qemu *q = arg;
	char path[PATH_MAX];
	struct qm_record r;
	int pidfd;

	if (qm_path(q, m->desktop, NULL, path, &ignored) == 0)
		(void)temp_sweep(path, NULL, &ignored);
	pidfd = qm_machine_open(q, m->desktop, &ignored);
	if (pidfd >= 0 && qm_keeper_add(q, m->desktop, pidfd, &ignored) < 0)
		pst_warn("desktop=%s is not looked after: %s", m->desktop, ignored.text);
	if (pidfd < 0)
		qm_tpm_sweep(q, m->desktop);
	if (qm_record_load(q, m->desktop, &r, &ignored) < 0)
		return;
	uids_mark(&q->uids, r.uid, true);
	qm_net_mark(q, &r);
	if (r.phase != QM_RUNNING)
		return;
	watches_know(q->watches, m->desktop);
	qm_keeper_look(q, m->desktop);
}

static int begin(struct qemu *q, const struct driver_params *p, struct pst_err *err)
{
	uint8_t sum[PST_SHA256_LEN];
	char instance[17], salt[PATH_MAX + MACHINE_NAME_SIZE];

	snprintf(salt, sizeof(salt), "%s\n%s", p->data, p->name);
	pst_sha256(salt, strlen(salt), sum);
	pst_hex_encode(sum, 8, instance, sizeof(instance));
	if (geteuid() == 0)
		cgroup_find(&q->cgroup, instance);
	q->watches = watches_create(p->loop);
	if (!q->watches)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (bins_add(q->base.name, q->set.directory, err) < 0)
		return err->code;
	leftovers_sweep(q);
	if (qm_keeper_start(q, err) < 0 || qm_list(q, adopt, q, err) < 0 || qm_parents_start(q, err) < 0)
		return err->code;
	qm_parents_sweep(q);
	return 0;
}

static struct driver *qemu_open(const struct driver_params *p, struct pst_err *err)
{
	struct qemu *q = pst_zalloc(1, sizeof(*q));

	if (!q) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&q->lock, NULL);
	pst_strlcpy(q->base.name, sizeof(q->base.name), p->name);
	if (qm_settings_read(q, p, err) < 0 || begin(q, p, err) < 0) {
		qemu_close(&q->base);
		return NULL;
	}
	return &q->base;
}

extern const struct driver_type driver_qemu;

const struct driver_type driver_qemu = {
	.kind = "qemu",
	.open = qemu_open,
	.create = qemu_create,
	.destroy = qemu_destroy,
	.restart = qemu_restart,
	.list = qemu_list,
	.capacity = qemu_capacity,
	.watch = qemu_watch,
	.close = qemu_close,
	.power = qemu_power,
	.snapshot_take = qemu_snapshot_take,
	.snapshot_revert = qemu_snapshot_revert,
	.snapshot_drop = qemu_snapshot_drop,
	.resize = qemu_resize,
	.console = qemu_console,
	.way = qemu_way,
	.disk = qemu_disk,
	.disk_ask = qemu_disk_ask,
	.disk_replace = qemu_disk_replace,
	.disk_room = qemu_disk_room,
	.personal_attach = qemu_personal_attach,
	.personal_detach = qemu_personal_detach,
	.personal_remove = qemu_personal_remove,
	.cancel = qemu_cancel,
};
