/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory and processors of a stopped machine, the disk of any, and the screen. */
#include "broker/hypervisor/qemu/qemu_priv.h"

#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/qemu/net.h"
#include "broker/hypervisor/request.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* In use; otherwise it grows before its next start (power.c). */
static int disk_grow_running(struct qm_op *op, uint64_t size, struct pst_err *err)
{
	if (qm_op_step(op, err, "growing its disk") < 0 || qm_disk_forget(op, err) < 0 || qm_op_monitor(op, err) < 0)
		return err->code;
	return qmp_call(
		op->qmp, "block_resize", json_pack("{s:s,s:I}", "node-name", "disk", "size", (json_int_t)size), NULL, op->end_ms, err);
}

static int disk_grow(struct qm_op *op, struct qm_record *r, uint32_t disk_mb, struct pst_err *err)
{
	uint64_t want = (uint64_t)disk_mb << 20;
	struct disk_info info;
	char path[PATH_MAX];

	if (qm_path(op->q, op->desktop, "disk.qcow2", path, err) < 0 || disk_chain_walk(path, DISK_QCOW2, NULL, NULL, NULL, &info, err) < 0)
		return err->code;
	if (want < info.size || disk_mb < r->request.disk_mb)
		return pst_err_set(
			err, PST_EINVAL, "a disk of %llu MB cannot become one of %u MB", (unsigned long long)(info.size >> 20), disk_mb);
	r->request.disk_mb = disk_mb;
	if (qm_record_save(op->q, r, err) < 0)
		return err->code;
	return want > info.size && qm_machine_runs(op) ? disk_grow_running(op, want, err) : 0;
}

int qm_resize(struct qm_op *op, const struct machine_size *size, struct pst_err *err)
{
	struct machine_request *now;
	struct qm_record r;
	bool is_other;

	if (qm_need(op, &r, err) < 0)
		return err->code;
	now = &r.request;
	is_other = (size->memory_mb && size->memory_mb != now->memory_mb) || (size->cpu_percent && size->cpu_percent != now->cpu_percent);
	if (is_other && (r.phase == QM_SUSPENDED || qm_machine_runs(op)))
		return pst_err_set(err, PST_EBUSY, "memory and processors change while the machine is stopped, and not suspended");
	now->memory_mb = size->memory_mb ? size->memory_mb : now->memory_mb;
	now->cpu_percent = size->cpu_percent ? size->cpu_percent : now->cpu_percent;
	if (is_other && qm_record_save(op->q, &r, err) < 0)
		return err->code;
	return size->disk_mb ? disk_grow(op, &r, size->disk_mb, err) : 0;
}

/* QEMU listens from now on, on a socket of ours; who looks already stays. */
static int screen_open(struct qm_op *op, int fd, struct pst_err *err)
{
	if (qmp_lend(op->qmp, "screen", fd, op->end_ms, err) < 0)
		return err->code;
	return qmp_call(op->qmp, "display-update",
		json_pack("{s:s,s:[{s:s,s:s}]}", "type", "vnc", "addresses", "type", "fd", "str", "screen"), NULL, op->end_ms, err);
}

static int socket_open(struct qm_op *op, struct machine_endpoint *ret, struct pst_err *err)
{
	struct machine_endpoint e = { .kind = ENDPOINT_RFB };
	int fd, rc;

	if (qm_path(op->q, op->desktop, "screen", e.address, err) < 0)
		return err->code;
	if (unlink(e.address) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%s", e.address);
	fd = pst_unix_listen(e.address, 0660, 4, err);
	if (fd < 0)
		return fd;
	rc = chown(e.address, 0, op->q->set.gateway_gid) < 0 ? pst_err_sys(err, PST_EIO, errno, "%s", e.address) : screen_open(op, fd, err);
	pst_fd_close(&fd);
	if (rc < 0)
		(void)unlink(e.address);
	else
		*ret = e;
	return rc;
}

/* The connection, or -1: a machine that was started without, or by a QEMU that has no such display. */
static int display_dial(struct qm_op *op)
{
	struct pst_err ignored = PST_ERR_INIT;
	int pair[2], rc;

	if (pst_unix_pair(pair, &ignored) < 0)
		return -1;
	rc = qmp_lend(op->qmp, "display", pair[1], op->end_ms, &ignored);
	if (rc == 0)
		rc = qmp_call(op->qmp, "add_client", json_pack("{s:s,s:s}", "protocol", "@dbus-display", "fdname", "display"), NULL, op->end_ms, &ignored);
	pst_fd_close(&pair[1]);
	if (rc < 0)
		pst_fd_close(&pair[0]);
	return pair[0];
}

/* Its D-Bus display has one viewer at a time: whoever comes while others look gets a socket that takes many. */
int qm_console(struct qm_op *op, bool is_shared, struct machine_screen *ret, struct pst_err *err)
{
	struct qm_record r;

	if (qm_need(op, &r, err) < 0)
		return err->code;
	if (!qm_machine_runs(op))
		return pst_err_set(err, PST_EBUSY, "desktop %s does not run: it has no screen", op->desktop);
	if (qm_op_monitor(op, err) < 0)
		return err->code;
	ret->fd = is_shared ? -1 : display_dial(op);
	if (ret->fd < 0)
		return socket_open(op, &ret->at, err);
	ret->at.kind = ENDPOINT_DBUS;
	return 0;
}

int qm_way(struct qm_op *op, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err)
{
	struct machine_endpoint e = { .kind = ENDPOINT_NONE };
	struct qm_record r;

	if (qm_need(op, &r, err) < 0)
		return err->code;
	qm_net_endpoint(op->q, &r, &e);
	if (rdp_site_enter(&op->q->set.rdp, &r.request, &e, pin, ret_account, err) < 0)
		return err->code;
	*ret = e;
	return 0;
}
