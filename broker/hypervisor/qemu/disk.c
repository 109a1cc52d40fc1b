/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disk as back-ups see it: asked of its QEMU, exchanged for a restored one, or taken from where one was restored. */
#include "broker/hypervisor/qemu/qemu_priv.h"
#include "broker/hypervisor/qemu/tpm.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/backup/forget.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int qm_disk(struct qm_op *op, struct driver_disk *ret, struct pst_err *err)
{
	struct qm_record r;

	if (qm_need(op, &r, err) < 0 || qm_path(op->q, op->desktop, "disk.qcow2", ret->path, err) < 0)
		return err->code;
	ret->is_open = qm_machine_runs(op);
	return pst_strlcpy(ret->base, sizeof(ret->base), r.request.image_base);
}

int qm_disk_ask(struct qm_op *op, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	if (!qm_machine_runs(op))
		return pst_err_set(err, PST_ECONFLICT, "desktop %s does not run any more", op->desktop);
	return qm_op_monitor(op, err) < 0 ? err->code : qmp_call_all(op->qmp, commands, fd, ret, op->end_ms, err);
}

static int on_ask(void *arg, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	struct qm_op *op = arg;

	if (!op->qmp && qm_op_monitor(op, err) < 0)
		return err->code;
	return qmp_call_all(op->qmp, commands, fd, ret, op->end_ms, err);
}

int qm_disk_forget(struct qm_op *op, struct pst_err *err)
{
	struct blocks b = { .ask = on_ask, .arg = op };
	char path[PATH_MAX];

	if (qm_path(op->q, op->desktop, "disk.qcow2", path, err) < 0)
		return err->code;
	return backup_forget(path, qm_machine_runs(op) ? &b : NULL, op->end_ms, err);
}

static int folder_room(const struct qemu *q, const char *desktop, char out[PATH_MAX], struct pst_err *err)
{
	return path_make(out, err, "%s/desktops/.restore-%s", q->set.directory, desktop);
}

static int give(const char *file, uid_t uid, const char *path, struct pst_err *err)
{
	if (chown(file, uid, uid) < 0 || chmod(file, 0600) < 0 || rename(file, path) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", file);
	return 0;
}

/* Before the disk: a crash in between leaves the old one, whose snapshots nobody names any more. */
int qm_disk_replace(struct qm_op *op, const char *file, struct pst_err *err)
{
	char path[PATH_MAX], memory[PATH_MAX];
	struct qm_record r;

	if (qm_need(op, &r, err) < 0 || qm_path(op->q, op->desktop, "disk.qcow2", path, err) < 0 ||
		qm_path(op->q, op->desktop, "memory", memory, err) < 0)
		return err->code;
	if (qm_machine_runs(op))
		return pst_err_set(err, PST_EBUSY, "desktop %s runs: stop it first", op->desktop);
	if (qm_tpm_drop_all(op, &r, err) < 0)
		return err->code;
	r.phase = QM_STOPPED;
	r.snapshots_n = 0;
	if (tree_remove(memory, err) < 0 || qm_record_save(op->q, &r, err) < 0 || give(file, r.uid, path, err) < 0)
		return err->code;
	r.parent[0] = '\0';
	return qm_record_save(op->q, &r, err);
}

int qm_disk_room(struct qm_op *op, const char *base, struct driver_room *ret, struct pst_err *err)
{
	if (folder_room(op->q, op->desktop, ret->folder, err) < 0 || pst_mkdirs(ret->folder, 0700, err) < 0)
		return err->code;
	return path_make(ret->base, err, "%s", base);
}

int qm_disk_return(struct qm_op *op, struct pst_err *err)
{
	char folder[PATH_MAX], file[PATH_MAX], path[PATH_MAX], variables[PATH_MAX], own[PATH_MAX];

	if (folder_room(op->q, op->desktop, folder, err) < 0 || path_make(file, err, "%s/disk.qcow2", folder) < 0 ||
		qm_path(op->q, op->desktop, "disk.qcow2", path, err) < 0)
		return err->code;
	if (access(path, F_OK) < 0 || access(file, F_OK) == 0)
		return 0;
	if (pst_mkdirs(folder, 0700, err) < 0 || qm_path(op->q, op->desktop, "variables", own, err) < 0 ||
		path_make(variables, err, "%s/variables", folder) < 0)
		return err->code;
	if (rename(own, variables) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", own);
	return rename(path, file) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;
}

int qm_disk_take(struct qm_op *op, const struct qm_record *r, struct pst_err *err)
{
	char folder[PATH_MAX], file[PATH_MAX], path[PATH_MAX], variables[PATH_MAX], own[PATH_MAX];

	if (folder_room(op->q, op->desktop, folder, err) < 0 || path_make(file, err, "%s/disk.qcow2", folder) < 0 ||
		qm_path(op->q, op->desktop, "disk.qcow2", path, err) < 0)
		return err->code;
	if (access(file, F_OK) < 0)
		return access(path, F_OK) == 0 ? 0 : pst_err_set(err, PST_ENOTFOUND, "the disk that desktop %s was to come back with is not there",
			op->desktop);
	/* Without variables in it, those are made anew at the start. */
	if (path_make(variables, err, "%s/variables", folder) < 0 || qm_path(op->q, op->desktop, "variables", own, err) < 0)
		return err->code;
	if (access(variables, F_OK) == 0 && give(variables, r->uid, own, err) < 0)
		return err->code;
	return give(file, r->uid, path, err) < 0 ? err->code : tree_remove(folder, err);
}
