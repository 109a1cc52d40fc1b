/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine's TPM 2.0: an swtpm beside its QEMU, of the same uid and control groups. The two speak by a socket without a name, so that
 * the one ends when the other does. It outlives us as QEMU does; in the desktop's folder are
 *
 *	tpm             what it keeps: the machine's own, new with each new disk
 *	tpm.s-NAME      the same, of a snapshot that was taken while the machine was off; in others it is with the memory
 *	tpm.pid, tpm.log
 *
 * Any thread, under the desktop's op.
 */
#pragma once

#include "broker/hypervisor/qemu/qemu_priv.h"
#include "broker/hypervisor/qemu/spawn.h"

/* This host can give machines one. */
bool qm_tpm_is_there(const struct qm_settings *set);
/* "tpm = yes", and it cannot: in words. */
bool qm_tpm_fault(const struct qm_settings *set, char *out, size_t size);
/* Shall a new machine of that request have one? PST_EUNSUPPORTED where it must and cannot. */
int qm_tpm_wanted(const struct qm_settings *set, const struct machine_request *r, bool *ret, struct pst_err *err);

/* Starts it as what l says of uid and groups (borrowed). Returns QEMU's end of the socket, owned, or a PST_E… with err. */
int qm_tpm_start(struct qm_op *op, const struct spawn_params *l, struct pst_err *err);
bool qm_tpm_runs(const struct qemu *q, const char *desktop);
/* Whose QEMU has ended, or never came. 0 when it does not run. */
int qm_tpm_end(struct qm_op *op, struct pst_err *err);
/* An earlier provisioner left it without a QEMU. */
void qm_tpm_sweep(const struct qemu *q, const char *desktop);

/* What it keeps, of a machine that is off: for a snapshot, back from it (one without stays as it is), and without that snapshot. */
int qm_tpm_keep(struct qm_op *op, const char *snapshot, struct pst_err *err);
int qm_tpm_return(struct qm_op *op, uid_t uid, const char *snapshot, struct pst_err *err);
int qm_tpm_drop(struct qm_op *op, const char *snapshot, struct pst_err *err);
/* Nothing of the record's snapshots is left. */
int qm_tpm_drop_all(struct qm_op *op, const struct qm_record *r, struct pst_err *err);
/* The next start begins with a new one. */
int qm_tpm_forget(struct qm_op *op, struct pst_err *err);
