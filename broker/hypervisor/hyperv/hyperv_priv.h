/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the hyperv driver share. */
#pragma once

#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/hyperv/vm.h"
#include "broker/hypervisor/libvirt/record.h"
#include "broker/hypervisor/mark.h"
#include "broker/hypervisor/poller.h"
#include "broker/hypervisor/rdp_site.h"
#include "broker/hypervisor/rest/nets.h"
#include "broker/hypervisor/seed.h"
#include "broker/hypervisor/watches.h"

#include <jansson.h>
#include <pthread.h>

#define HV_MACHINES_MAX 8192
#define HV_PLACE "place" /* in the notes, beside the record: the machine's own GUID */

struct hyperv {
	struct driver base;
	char provider[MACHINE_NAME_SIZE];
	char mark[MARK_SIZE];
	char folder[VM_PATH_SIZE]; /* of disks, on the host: "D:\puesto" */
	char images[VM_PATH_SIZE]; /* of golden disks */
	char network[VM_NAME_SIZE]; /* name of its virtual switch, or "" */
	struct nets nets;           /* others that pools may choose; each value is a switch's name */
	uint32_t capacity;
	uint64_t deadline_ms;
	struct seed_site seed;
	struct rdp_site rdp;
	struct wsman *wsman;
	struct calls calls;
	struct watches *watches;
	struct poller *poller;
	pthread_mutex_t naming; /* guards the two below */
	struct lv_addresses addresses;
	bool has_looked; /* addresses of earlier runs are marked */
};

/* A command for a desktop ("": for none). */
struct hv_op {
	struct hyperv *h;
	struct call call;
	struct wsman_op ws;
	char name[VM_NAME_SIZE]; /* of the desktop's machine */
};

/* A machine with our mark. */
struct hv_vm {
	struct lv_record record;
	char id[VM_ID_SIZE];
	char instance_id[VM_INSTANCE_SIZE]; /* of its settings */
	enum vm_state state;
};

struct hyperv *hyperv_of(struct driver *d);

/* op.c */
int hv_op_begin(struct hv_op *op, struct hyperv *h, const char *desktop, uint64_t timeout_ms, struct pst_err *err);
void hv_op_end(struct hv_op *op);
/* 1: found. 0: there is none; *ret_foreign says whether a stranger's has its name. */
int hv_find(struct hv_op *op, struct hv_vm *ret, bool *ret_foreign, struct pst_err *err);
/* Without one PST_ENOTFOUND. */
int hv_need(struct hv_op *op, struct hv_vm *ret, struct pst_err *err);
/* Writes vm->record into its notes. */
int hv_save(struct hv_op *op, struct hv_vm *vm, struct pst_err *err);
/* Until it is in that state, and no longer than until_ms. PST_ETIMEOUT. */
int hv_await(struct hv_op *op, struct hv_vm *vm, enum vm_state state, uint64_t until_ms, struct pst_err *err);
/* Starts it, or ends it at once; nothing when it is so. */
int hv_on(struct hv_op *op, struct hv_vm *vm, struct pst_err *err);
int hv_off(struct hv_op *op, struct hv_vm *vm, struct pst_err *err);

/* inventory.c */
void hv_machine_fill(const struct hyperv *h, const struct hv_vm *vm, struct machine *m);
int hv_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
int hv_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err);
/* Settings of machines (of that name, or all when ""), and which of them are ours. */
int hv_read(struct hv_op *op, const char *name, int (*visit)(const struct hv_vm *vm, bool is_ours, void *arg, struct pst_err *err), void *arg,
	struct pst_err *err);

/* life.c */
int hv_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err);
int hv_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int hv_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err);

/* power.c */
/* Asks the guest, which has half of what is left of the command's time, and ends it if it does not listen. */
int hv_stop(struct hv_op *op, struct hv_vm *vm, struct pst_err *err);
int hv_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err);
int hv_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);
int hv_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int hv_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int hv_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
