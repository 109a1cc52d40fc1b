/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A user's own disk, plugged into the free root port while the machine runs. It is on no command line: after a restart it is
 * plugged in again. Its file belongs to the uid of the QEMU that has it.
 */
#include "broker/hypervisor/qemu/command.h"
#include "broker/hypervisor/qemu/qemu_priv.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/storage/bins.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DEVICE "personal0"
#define NODE "personal"
#define LOOK_MS 300 /* a guest lets five seconds pass by itself (PCI Express, 6.7.1.5: the attention button): it is asked again */

static bool desktop_is_there(const char *desktop, void *arg)
{
	char path[PATH_MAX];

	return qm_path(arg, desktop, NULL, path, NULL) < 0 || access(path, F_OK) == 0;
}

/* The file, as this machine's own. */
static int file_take(struct qm_op *op, const struct qm_record *r, const struct machine_personal *p, char path[PATH_MAX], uint64_t *ret_size,
	struct pst_err *err)
{
	const struct personal_wish w = { .folder = op->q->set.directory, .owner = p->owner, .name = p->name, .desktop = op->desktop,
		.size = (uint64_t)p->size_mb << 20, .uid = r->uid, .gid = r->uid, .is_there = desktop_is_there, .arg = op->q };

	if (personal_file_take(&w, path, ret_size, err) < 0)
		return err->code;
	return lchown(path, r->uid, r->uid) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;
}

static int is_plugged(struct qm_op *op, bool *ret, struct pst_err *err)
{
	json_t *list = NULL, *o;
	size_t i;

	*ret = false;
	if (qmp_call(op->qmp, "qom-list", json_pack("{s:s}", "path", "/machine/peripheral"), &list, op->end_ms, err) < 0)
		return err->code;
	json_array_foreach(list, i, o) {
		const char *name = pst_json_str(o, "name", 64);

		*ret |= name && strcmp(name, DEVICE) == 0;
	}
	json_decref(list);
	return 0;
}

/* What an earlier attempt has left of it is taken away first. */
static int node_add(struct qm_op *op, const char *path, struct pst_err *err)
{
	struct pst_err none = PST_ERR_INIT;

	(void)qmp_call(op->qmp, "blockdev-del", json_pack("{s:s}", "node-name", NODE), NULL, op->end_ms, &none);
	return qmp_call(op->qmp, "blockdev-add",
		json_pack("{s:s,s:s,s:s,s:n,s:{s:s,s:s,s:s}}", "driver", "qcow2", "node-name", NODE, "discard", "unmap", "backing", "file", "driver",
			"file", "filename", path, "discard", "unmap"),
		NULL, op->end_ms, err);
}

static int plug(struct qm_op *op, const struct machine_personal *p, const char *path, uint64_t size, struct pst_err *err)
{
	uint64_t want = (uint64_t)p->size_mb << 20;
	char serial[PERSONAL_SERIAL_SIZE];

	personal_serial(p->owner, p->name, serial);
	if (node_add(op, path, err) < 0)
		return err->code;
	if (want > size && qmp_call(op->qmp, "block_resize", json_pack("{s:s,s:I}", "node-name", NODE, "size", (json_int_t)want), NULL,
				   op->end_ms, err) < 0)
		return err->code;
	return qmp_call(op->qmp, "device_add",
		json_pack("{s:s,s:s,s:s,s:s,s:s}", "driver", "virtio-blk-pci", "id", DEVICE, "drive", NODE, "bus", COMMAND_PERSONAL_SLOT, "serial",
			serial),
		NULL, op->end_ms, err);
}

int qm_personal_attach(struct qm_op *op, const struct machine_personal *p, struct pst_err *err)
{
	char path[PATH_MAX];
	struct qm_record r;
	bool has_it = false;
	uint64_t size = 0;

	if (qm_need(op, &r, err) < 0)
		return err->code;
	if (r.phase != QM_RUNNING || !qm_machine_runs(op))
		return pst_err_set(err, PST_EBUSY, "desktop %s does not run", op->desktop);
	if (r.plugs < QM_PLUGS)
		return pst_err_set(err, PST_EUNSUPPORTED, "desktop %s was made before there were personal disks: refresh it", op->desktop);
	if (qm_op_step(op, err, "attaching its user's disk") < 0 || file_take(op, &r, p, path, &size, err) < 0 ||
		qm_op_monitor(op, err) < 0 || is_plugged(op, &has_it, err) < 0)
		return err->code;
	return has_it ? 0 : plug(op, p, path, size, err);
}

/* QEMU has it until the device is finished, which may be after its DEVICE_DELETED. */
static int node_close(struct qm_op *op, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	json_t *list = NULL, *o;
	bool is_there = false;
	size_t i;

	if (qmp_call(op->qmp, "blockdev-del", json_pack("{s:s}", "node-name", NODE), NULL, op->end_ms, &why) == 0)
		return 0;
	if (qmp_call(op->qmp, "query-named-block-nodes", json_pack("{s:b}", "flat", 1), &list, op->end_ms, err) < 0)
		return err->code;
	json_array_foreach(list, i, o) {
		const char *name = pst_json_str(o, "node-name", 64);

		is_there |= name && strcmp(name, NODE) == 0;
	}
	json_decref(list);
	return is_there ? pst_err_set(err, PST_EAGAIN, "the disk of desktop %s is not closed: %s", op->desktop, why.text) : 0;
}

static int unplug(struct qm_op *op, struct pst_err *err)
{
	uint64_t until = PST_MIN(op->end_ms, pst_mono_ms() + LOOK_MS);
	struct pst_err none = PST_ERR_INIT;
	bool has_it = false;

	if (qm_op_monitor(op, err) < 0 || is_plugged(op, &has_it, err) < 0)
		return err->code;
	/* Asked before, it may be on its way: QEMU says no then, and tells when it is gone. */
	if (has_it)
		(void)qmp_call(op->qmp, "device_del", json_pack("{s:s}", "id", DEVICE), NULL, op->end_ms, &none);
	while (has_it && qmp_wait(op->qmp, "DEVICE_DELETED", until, &none) == 0) {
		if (is_plugged(op, &has_it, err) < 0)
			return err->code;
	}
	if (has_it)
		return pst_err_set(err, PST_EAGAIN, "the guest of desktop %s does not let go of its user's disk", op->desktop);
	return node_close(op, err);
}

int qm_personal_detach(struct qm_op *op, const struct machine_personal *p, struct pst_err *err)
{
	char owner[DISK_NAME_MAX + 1], name[DISK_NAME_MAX + 1];

	if (personal_held(op->q->set.directory, op->desktop, owner, name, err) < 0)
		return err->code;
	if (strcmp(owner, p->owner) != 0 || strcmp(name, p->name) != 0)
		return 0;
	if (qm_machine_runs(op) && (qm_op_step(op, err, "detaching its user's disk") < 0 || unplug(op, err) < 0))
		return err->code;
	return qm_personal_release(op, err);
}

int qm_personal_release(struct qm_op *op, struct pst_err *err)
{
	return personal_file_release(op->q->set.directory, op->desktop, err);
}

int qm_personal_remove(struct qemu *q, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	char path[PATH_MAX], folder[900];
	int rc;

	if (personal_folder(q->set.directory, p->owner, p->name, path, err) < 0)
		return err->code;
	if (access(path, F_OK) < 0)
		return 0;
	if (!bins_lock(stores_shared(), q->base.name, folder))
		return pst_err_set(err, PST_EBUSY, "the recycle bin cannot be used");
	rc = personal_remove(folder, p->owner, p->name, p->reason, pst_wall_ms(), keep_ms, err);
	bins_unlock(stores_shared(), q->base.name);
	return rc;
}
