/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, removing and renewing machines. The record is the intent: it is written before anything else exists and
 * goes after everything else, so what a crash leaves is found by the desktop's uuid.
 *
 *	create:  record (creating) → overlay → QEMU: a child that is told who it is, or a boot → record (running)
 *	destroy: record (destroying) → end → folder
 */
#include "broker/hypervisor/qemu/command.h"
#include "broker/hypervisor/qemu/instant.h"
#include "broker/hypervisor/qemu/net.h"
#include "broker/hypervisor/qemu/parent.h"
#include "broker/hypervisor/qemu/tpm.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/libvirt/mac.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"
#include "broker/hypervisor/storage/bins.h"
#include "broker/hypervisor/storage/order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEED_MS 20000 /* that a child gets to say who it is now */

void qm_fill(const struct qemu *q, const struct qm_record *r, struct machine *m)
{
	memset(m, 0, sizeof(*m));
	pst_strlcpy(m->desktop, sizeof(m->desktop), r->request.desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->request.task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->request.image_name, r->request.image_version);
	m->state = MACHINE_RUNNING;
	/* No uid: its agent is inside, and comes over TLS. */
	qm_net_endpoint(q, r, &m->endpoint);
}

static bool is_restored(const struct qm_op *op)
{
	struct order order;

	order_of(op->desktop, &order);
	return order.is_restore;
}

static int overlay_make(struct qm_op *op, const struct qm_record *r, struct pst_err *err)
{
	char path[PATH_MAX], backing[PATH_MAX], variables[PATH_MAX];
	struct qcow2_overlay o = { .path = path,
		.backing = backing,
		.size = (uint64_t)r->request.disk_mb << 20,
		.backing_format = r->parent[0] ? DISK_QCOW2 : qm_golden_format(r->request.image_base),
		.uid = r->uid,
		.gid = r->uid };

	if (is_restored(op))
		return qm_disk_take(op, r, err);
	if (qm_path(op->q, op->desktop, "disk.qcow2", path, err) < 0 ||
		(r->parent[0] ? qm_parent_path(op->q, r->parent, "disk.qcow2", backing, err)
			      : path_make(backing, err, "%s", r->request.image_base)) < 0)
		return err->code;
	if (qm_path(op->q, op->desktop, "variables", variables, err) < 0)
		return err->code;
	/* What the last user has written into the firmware, or put into the TPM, goes with the disk. */
	if (qm_tpm_forget(op, err) < 0)
		return err->code;
	if ((unlink(path) < 0 && errno != ENOENT) || (unlink(variables) < 0 && errno != ENOENT))
		return pst_err_sys(err, PST_EIO, errno, "remove %s", path);
	return qcow2_overlays_create(&o, 1, err);
}

static int cable_lend(struct qm_op *op, const struct qm_record *r, struct pst_err *err)
{
	int fd, rc;

	if (op->q->set.network != QM_NET_BRIDGE)
		return 0;
	fd = qm_net_cable(op->q, r, err);
	if (fd < 0)
		return fd;
	rc = qmp_lend(op->qmp, QM_CABLE, fd, op->end_ms, err);
	pst_fd_close(&fd);
	return rc;
}

static int child_resume(struct qm_op *op, const struct qm_record *r, int state, struct pst_err *err)
{
	char mac[LV_MAC_SIZE];
	json_t *netdev;
	int rc;

	if (op->q->set.network == QM_NET_NONE)
		return instant_resume(op->qmp, state, NULL, op->end_ms, err);
	if (cable_lend(op, r, err) < 0)
		return err->code;
	lv_mac(op->desktop, mac);
	netdev = qm_net_json(op->q, r);
	const struct instant_card card = { .bus = COMMAND_SLOT, .mac = mac, .netdev = netdev };
	rc = instant_resume(op->qmp, state, &card, op->end_ms, err);
	json_decref(netdev);
	return rc;
}

/* Its own card, clock and names: from here on it is no copy of anybody. */
static int child_begin(struct qm_op *op, const struct qm_record *r, int state, struct pst_err *err)
{
	char port[PATH_MAX];
	json_t *seed;
	int rc;

	if (child_resume(op, r, state, err) < 0 || qm_path(op->q, op->desktop, "seed", port, err) < 0)
		return err->code;
	seed = qm_seed(&op->q->set, &r->request, true, err);
	if (!seed)
		return err->code;
	rc = instant_seed(port, seed, PST_MIN(op->end_ms, pst_mono_ms() + SEED_MS), err);
	json_decref(seed);
	return rc;
}

static int child_make(struct qm_op *op, struct qm_record *r, const struct qm_parent *p, struct pst_err *err)
{
	char path[32];
	int state, rc;

	pst_strlcpy(r->parent, sizeof(r->parent), p->key);
	if (qm_record_save(op->q, r, err) < 0 || overlay_make(op, r, err) < 0 ||
		qm_op_step(op, err, "resuming a copy of its booted parent") < 0 || qm_machine_start_child(op, r, p->ram_fd, err) < 0)
		return err->code;
	/* Opened anew: children that are loaded at the same time have a position each. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p->state_fd);
	state = open(path, O_RDONLY | O_CLOEXEC);
	if (state < 0)
		return pst_err_sys(err, PST_ELIMIT, errno, "a parent's state");
	rc = child_begin(op, r, state, err);
	pst_fd_close(&state);
	return rc;
}

static int boot(struct qm_op *op, struct qm_record *r, struct pst_err *err)
{
	r->parent[0] = '\0';
	if (qm_record_save(op->q, r, err) < 0 || overlay_make(op, r, err) < 0 || qm_op_step(op, err, "starting its machine") < 0)
		return err->code;
	return qm_machine_start(op, r, QM_BOOT, err);
}

static bool is_given_up(const struct qm_op *op, int code)
{
	return atomic_load(&op->is_cancelled) || code == PST_ENOSPC;
}

/* What a child cannot do, a boot may: nobody waits for a parent that is broken. */
static int child_or_boot(struct qm_op *op, struct qm_record *r, struct qm_parent *p, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = child_make(op, r, p, &why);

	if (rc < 0 && is_given_up(op, rc)) {
		*err = why;
		return rc;
	}
	if (rc == 0)
		return 0;
	pst_warn("desktop=%s boots by itself, because its parent cannot be resumed: %s", op->desktop, why.text);
	qm_parent_spoil(op->q, p, why.text);
	return qm_machine_end(op, false, err) < 0 ? err->code : boot(op, r, err);
}

/* A new disk and what runs on it; the record is saved as creating and the old QEMU has ended. */
static int machine_make(struct qm_op *op, struct qm_record *r, struct pst_err *err)
{
	struct qm_parent *p = NULL;
	int rc;

	r->plugs = QM_PLUGS;
	r->is_secure = r->request.is_windows && op->q->set.windows.is_secure;
	if (qm_tpm_wanted(&op->q->set, &r->request, &r->has_tpm, err) < 0)
		return err->code;
	rc = is_restored(op) ? 0 : qm_parent_take(op, &r->request, &p, err);

	if (rc < 0)
		return rc;
	rc = p ? child_or_boot(op, r, p, err) : boot(op, r, err);
	if (p)
		qm_parent_give(op->q, p);
	if (rc < 0)
		return rc;
	r->phase = QM_RUNNING;
	return qm_record_save(op->q, r, err);
}

static int folder_remove(struct qm_op *op, bool is_kept, struct pst_err *err)
{
	struct qemu *q = op->q;
	char path[PATH_MAX], folder[900];
	int rc = 0;

	if (qm_path(q, op->desktop, NULL, path, err) < 0)
		return err->code;
	if (access(path, F_OK) < 0)
		return 0;
	if (is_restored(op) && qm_disk_return(op, err) < 0)
		return err->code;
	if (is_kept && q->set.recycle_ms) {
		struct pst_err why = PST_ERR_INIT;

		if (bins_lock(stores_shared(), q->base.name, folder)) {
			rc = recycle_put(folder, path, "destroyed", pst_wall_ms(), q->set.recycle_ms, NULL, &why);
			bins_unlock(stores_shared(), q->base.name);
		}
		if (rc < 0)
			pst_warn("desktop=%s is not kept in the recycle bin: %s", op->desktop, why.text);
	}
	return tree_remove(path, err);
}

static int remains_remove(struct qm_op *op, bool is_kept, struct pst_err *err)
{
	return qm_machine_end(op, is_kept && op->q->set.recycle_ms > 0, err) < 0 || qm_personal_release(op, err) < 0 ? err->code :
		folder_remove(op, is_kept, err);
}

/* When nothing of it is left; uid: 0 when nobody knows. */
static void places_free(struct qm_op *op, uid_t uid)
{
	qm_net_release(op->q, op->desktop);
	uids_mark(&op->q->uids, uid, false);
}

/* 1: it stands and ret is filled. 0: nothing is left of an earlier one. Else an error. */
static int create_earlier(struct qm_op *op, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct pst_err unknown = PST_ERR_INIT;
	struct qm_record old;
	int known = qm_record_load(op->q, op->desktop, &old, &unknown);

	if (known == 0 && old.phase == QM_RUNNING && qm_machine_runs(op)) {
		if (strcmp(old.request.task, r->task) != 0)
			return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs by another task", r->desktop);
		qm_fill(op->q, &old, ret);
		return 1;
	}
	if (remains_remove(op, false, err) < 0)
		return err->code;
	places_free(op, known == 0 ? old.uid : 0);
	return 0;
}

static int create_new(struct qm_op *op, struct qm_record *r, struct pst_err *err)
{
	char path[PATH_MAX];

	if (qm_net_take(op->q, r, err) < 0 || qm_path(op->q, op->desktop, NULL, path, err) < 0 || pst_mkdirs(path, 0711, err) < 0 ||
		qm_record_save(op->q, r, err) < 0 || qm_net_announce(op->q, r, err) < 0)
		return err->code;
	return machine_make(op, r, err);
}

int qm_create(struct qm_op *op, const struct machine_request *request, struct machine *ret, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct qm_record r = { .phase = QM_CREATING, .plugs = QM_PLUGS, .request = *request };
	int rc = create_earlier(op, request, ret, err);

	if (rc != 0)
		return rc > 0 ? 0 : rc;
	if (qm_op_step(op, err, "making its folder") < 0 || uids_take(&op->q->uids, NULL, &r.uid, err) < 0)
		return err->code;
	rc = create_new(op, &r, err);
	if (rc == 0) {
		watches_know(op->q->watches, op->desktop);
		qm_fill(op->q, &r, ret);
	} else if (!atomic_load(&op->is_cancelled) && remains_remove(op, false, &ignored) == 0) {
		places_free(op, r.uid);
	}
	return rc;
}

int qm_destroy(struct qm_op *op, struct pst_err *err)
{
	struct pst_err unknown = PST_ERR_INIT;
	struct qm_record r;
	int known = qm_record_load(op->q, op->desktop, &r, &unknown);
	bool was_whole = known == 0 && r.phase != QM_CREATING && r.phase != QM_DESTROYING;

	watches_forget(op->q->watches, op->desktop);
	if (known == 0) {
		r.phase = QM_DESTROYING;
		/* A full disk must not keep a desktop alive: the removal goes on without the note. */
		(void)qm_record_save(op->q, &r, &unknown);
	}
	if (remains_remove(op, was_whole, err) < 0)
		return err->code;
	places_free(op, known == 0 ? r.uid : 0);
	qm_parents_sweep(op->q);
	return 0;
}

int qm_need(struct qm_op *op, struct qm_record *ret, struct pst_err *err)
{
	int rc = qm_record_load(op->q, op->desktop, ret, err);

	if (rc == PST_ENOTFOUND)
		return pst_err_set(err, rc, "there is no desktop %s", op->desktop);
	if (rc < 0)
		return rc;
	if (ret->phase == QM_CREATING || ret->phase == QM_DESTROYING)
		return pst_err_set(err, PST_EBUSY, "desktop %s was never finished: it has to be refreshed or destroyed", op->desktop);
	return 0;
}

static int memory_remove(struct qm_op *op, struct pst_err *err)
{
	char path[PATH_MAX];

	return qm_path(op->q, op->desktop, "memory", path, err) < 0 ? err->code : tree_remove(path, err);
}

static int restart_run(struct qm_op *op, struct qm_record *r, bool refresh, struct pst_err *err)
{
	/* Its agent has asked Windows to shut down: what it has in memory is written out. */
	bool asks = !refresh && r->request.is_windows;

	if ((asks ? qm_power_stop(op, err) : qm_machine_end(op, !refresh, err)) < 0 || memory_remove(op, err) < 0)
		return err->code;
	if (refresh) {
		if (qm_personal_release(op, err) < 0 || qm_tpm_drop_all(op, r, err) < 0)
			return err->code;
		/* From here until the new disk stands it is a desktop that was never finished. */
		r->phase = QM_CREATING;
		r->snapshots_n = 0;
		return qm_record_save(op->q, r, err) < 0 ? err->code : machine_make(op, r, err);
	}
	r->phase = QM_STOPPED;
	return qm_record_save(op->q, r, err) < 0 ? err->code : qm_power_start(op, r, err);
}

int qm_restart(struct qm_op *op, const struct machine_request *request, bool refresh, struct machine *ret, struct pst_err *err)
{
	struct qm_record r;
	struct machine_request old;
	int rc = qm_record_load(op->q, op->desktop, &r, err);

	if (rc < 0)
		return rc == PST_ENOTFOUND ? pst_err_set(err, rc, "there is no desktop %s to restart", op->desktop) : rc;
	if (r.phase == QM_RUNNING && strcmp(r.request.task, request->task) == 0 && qm_machine_runs(op)) {
		qm_fill(op->q, &r, ret); /* done before */
		return 0;
	}
	if (r.phase == QM_CREATING || r.phase == QM_DESTROYING)
		refresh = true; /* its disk is not whole */
	old = r.request;
	r.request = *request;
	request_merge(&r.request, &old);
	if (!refresh)
		pst_strlcpy(r.request.image_base, sizeof(r.request.image_base), old.image_base);
	rc = restart_run(op, &r, refresh, err);
	if (rc < 0)
		return rc;
	watches_know(op->q->watches, op->desktop);
	qm_fill(op->q, &r, ret);
	return 0;
}
