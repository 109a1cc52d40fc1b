/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To another host of the cluster: vMotion where it runs. */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "broker/hypervisor/vsphere/task.h"

#include <stdio.h>
#include <string.h>

int vs_move(struct vs_op *op, struct vs_vm *vm, const struct vim_ref *host, struct pst_err *err)
{
	struct vim_call c = { .method = "RelocateVM_Task", .self = &vm->ref };
	struct pst_buf b;
	int rc;

	if (vim_ref_equal(host, &vm->host))
		return 0;
	pst_buf_init(&b, 2048);
	pst_buf_put_str(&b, "<spec>");
	vim_put_ref(&b, "host", host);
	pst_buf_put_str(&b, "</spec>");
	c.args = pst_buf_cstr(&b);
	rc = task_run(&op->vim, &c, "moving the machine", NULL, err);
	pst_buf_finish(&b);
	return rc;
}

static int migrate(struct vs_op *op, struct vs_vm *vm, const void *name, struct pst_err *err)
{
	struct vim_ref host;

	return vs_host_find(op, name, &host, err) < 0 ? err->code : vs_move(op, vm, &host, err);
}

int vsphere_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err)
{
	return vs_work(d, desktop, migrate, host, err);
}
