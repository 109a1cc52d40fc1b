/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls that start a task ("…_Task" in the vSphere API reference), followed to its end. */
#pragma once

#include "broker/hypervisor/vsphere/vim.h"

/*
 * Starts it and waits for its end. When the operation ends first, the task is cancelled: what it did until then
 * stays. ret_result may be NULL. The words of an error begin with what.
 */
int task_run(struct vim_op *op, const struct vim_call *c, const char *what, struct vim_ref *ret_result, struct pst_err *err);
