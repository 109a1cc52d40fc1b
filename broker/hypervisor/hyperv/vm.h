/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A virtual machine of Hyper-V, by the WMI classes of root/virtualization/v2 (learn.microsoft.com, "Hyper-V WMI provider
 * (V2)"). Each function is one method of them, and waits for the job that it starts. Any thread.
 */
#pragma once

#include "broker/hypervisor/hyperv/wsman.h"

#define VM_ID_SIZE 48      /* a GUID */
#define VM_INSTANCE_SIZE 192
#define VM_PATH_SIZE 300   /* of Windows */
#define VM_NAME_SIZE 96
#define VM_SEED_MAX 2000   /* bytes of a key's value (HV_KVP_EXCHANGE_MAX_VALUE_SIZE has 2048) */

/* Msvm_ComputerSystem.EnabledState, as far as it matters here. */
enum vm_state { VM_RUNNING, VM_OFF, VM_SAVED, VM_MOVING, VM_ODD };

enum vm_state vm_state_read(const char *text);

/* RequestStateChange. Its 4, a guest's shutdown, is of version 1 of the provider only. */
enum vm_wish { VM_WISH_ON = 2, VM_WISH_OFF = 3, VM_WISH_SAVE = 6 };

struct vm_plan {
	const char *name, *notes;
	const char *disk, *parent; /* paths */
	const char *switch_path;   /* of its Msvm_VirtualEthernetSwitch, or "" for no network */
	const char *mac;           /* "52:54:…" */
	uint32_t memory_mb, processors, disk_mb;
};

/* Defines it, without anything in it; ret_id is its GUID. */
int vm_define(const struct wsman_op *op, const struct vm_plan *p, char ret_id[VM_ID_SIZE], struct pst_err *err);
/* Makes its differencing disk. */
int vm_disk_make(const struct wsman_op *op, const struct vm_plan *p, struct pst_err *err);
/* Puts controller, disk and network card into it. */
int vm_equip(const struct wsman_op *op, const char *id, const struct vm_plan *p, struct pst_err *err);
/* Removes it with its snapshots; its files stay. */
int vm_destroy(const struct wsman_op *op, const char *id, struct pst_err *err);
int vm_wish(const struct wsman_op *op, const char *id, enum vm_wish wish, struct pst_err *err);
/* Asks the guest to shut down; PST_EBUSY where nobody in it takes that. */
int vm_ask(const struct wsman_op *op, const char *id, struct pst_err *err);
/* Writes its notes (of the settings instance_id). */
int vm_notes(const struct wsman_op *op, const char *instance_id, const char *notes, struct pst_err *err);
/* Gives the guest a key and its value, which the guest's KVP service writes down. */
int vm_seed(const struct wsman_op *op, const char *id, const char *text, struct pst_err *err);
/* Takes a snapshot, under a name of Hyper-V's; which one it is, a job's answer does not say. */
int vm_snapshot(const struct wsman_op *op, const char *id, struct pst_err *err);
/* Calls those settings so. */
int vm_rename(const struct wsman_op *op, const char *instance_id, const char *name, struct pst_err *err);
int vm_snapshot_apply(const struct wsman_op *op, const char *instance_id, struct pst_err *err);
int vm_snapshot_drop(const struct wsman_op *op, const char *instance_id, struct pst_err *err);
/* Removes the files of folder that begin with name. */
int vm_files_remove(const struct wsman_op *op, const char *folder, const char *name, struct pst_err *err);
