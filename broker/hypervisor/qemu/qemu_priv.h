/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the qemu driver share. A QEMU is a process of its own session and uid that outlives us; it
 * is found again by its folder:
 *
 *	DIRECTORY/desktops/UUID/record.json   what was asked, how far it came: written before anything is done
 *	                        pid           of its QEMU (process.h)
 *	                        disk.qcow2    an overlay of the golden disk, or of a parent's
 *	                        variables     of its UEFI, where its disk starts by that; new with each new disk
 *	                        qmp, seed, screen   sockets, bound by us and handed to QEMU as descriptors
 *	                        memory        of a suspended machine
 *	                        tpm           of a machine of Windows (tpm.h)
 *	DIRECTORY/parents/KEY/                parent.h
 *	DIRECTORY/recycle/                    disk/recycle.h
 *
 * Threads: the provisioner's (each has an op), one that looks after processes (keeper.c), one that makes
 * parents (parents.c).
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/libvirt/address.h"
#include "broker/hypervisor/local/cgroup.h"
#include "broker/hypervisor/qemu/qmp.h"
#include "broker/hypervisor/qemu/record.h"
#include "broker/hypervisor/qemu/settings.h"
#include "broker/hypervisor/uids.h"
#include "broker/hypervisor/watches.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define QM_STEP_SIZE 200
#define QM_PLUGS 2 /* free root ports of new machines */

struct qm_keeper;
struct qm_parents;

struct qemu {
	struct driver base;
	struct qm_settings set;
	struct uids uids;
	struct cgroup cgroup;
	struct watches *watches;
	struct qm_keeper *keeper;
	struct qm_parents *parents;
	pthread_mutex_t lock; /* guards ops, what they point to, and addresses; taken after none */
	struct qm_op *ops;
	struct lv_addresses addresses; /* on a bridge */
};

/* A command on a desktop, from its begin to its end. */
struct qm_op {
	struct qemu *q;
	struct qm_op *next;
	char desktop[PST_UUID_SIZE];
	uint64_t end_ms;
	atomic_bool is_cancelled;
	int cancel_fd;           /* readable when cancelled */
	struct qmp *qmp;         /* NULL while there is none */
	char step[QM_STEP_SIZE]; /* what it is at, for people */
};

/* op.c */
int qm_op_begin(struct qm_op *op, struct qemu *q, const char *desktop, struct pst_err *err);
void qm_op_end(struct qm_op *op);
void qm_op_cancel(struct qemu *q, const char *desktop);
/* Says what is next; PST_ECLOSED when it is not wanted any more, PST_ETIMEOUT when its time is over. */
int qm_op_step(struct qm_op *op, struct pst_err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What is at work for that desktop, in words; false when nothing is. */
bool qm_op_words(struct qemu *q, const char *desktop, char out[QM_STEP_SIZE]);
/* Connects to the monitor of the desktop's QEMU; closed by qm_op_end or the next one. */
int qm_op_monitor(struct qm_op *op, struct pst_err *err);
void qm_op_monitor_close(struct qm_op *op);
/* Waits for the end of a process (borrowed pidfd), at most until then. PST_ETIMEOUT, PST_ECLOSED. */
int qm_op_await(struct qm_op *op, int pidfd, uint64_t until_ms, struct pst_err *err);

/* seed.c: what the guest is told (puesto-seed(8)); fresh: also the clock and randomness, for a clone. Owned. */
json_t *qm_seed(const struct qm_settings *set, const struct machine_request *r, bool fresh, struct pst_err *err);

/* machine.c: the QEMU of a desktop. */
/* A pidfd (owned), or PST_ENOTFOUND when it has ended. */
int qm_machine_open(const struct qemu *q, const char *desktop, struct pst_err *err);
bool qm_machine_runs(const struct qm_op *op);
/* In words why it is not there. */
void qm_machine_reason(const struct qemu *q, const char *desktop, char out[MACHINE_REASON_SIZE]);
/* Ends it: politely first, where its disk is to be kept whole. 0 when it does not run. */
int qm_machine_end(struct qm_op *op, bool politely, struct pst_err *err);
enum qm_start {
	QM_BOOT,
	QM_PAUSED, /* nothing runs: for its disk and its snapshots */
	QM_WAKE,   /* waits for its memory to be loaded */
};
/* Starts QEMU on what the record says, with its card; its monitor is op's. */
int qm_machine_start(struct qm_op *op, const struct qm_record *r, enum qm_start how, struct pst_err *err);
/* As a child of that memory, without a card, waiting to be loaded. */
int qm_machine_start_child(struct qm_op *op, const struct qm_record *r, int ram_fd, struct pst_err *err);

/* life.c */
int qm_create(struct qm_op *op, const struct machine_request *r, struct machine *ret, struct pst_err *err);
int qm_destroy(struct qm_op *op, struct pst_err *err);
int qm_restart(struct qm_op *op, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err);
void qm_fill(const struct qemu *q, const struct qm_record *r, struct machine *m);
/* PST_ENOTFOUND, or PST_EBUSY for one that was never finished. */
int qm_need(struct qm_op *op, struct qm_record *ret, struct pst_err *err);

/* list.c */
int qm_list(struct qemu *q, driver_visit_cb visit, void *arg, struct pst_err *err);

/* power.c */
int qm_power(struct qm_op *op, enum machine_power wish, struct pst_err *err);
int qm_power_stop(struct qm_op *op, struct pst_err *err); /* the guest is asked first */
/* From what it holds, its memory included; the record is then running. */
int qm_power_start(struct qm_op *op, struct qm_record *r, struct pst_err *err);

/* snapshot.c */
int qm_snapshot_take(struct qm_op *op, const char *name, struct pst_err *err);
int qm_snapshot_revert(struct qm_op *op, const char *name, struct pst_err *err);
int qm_snapshot_drop(struct qm_op *op, const char *name, struct pst_err *err);

/* resize.c */
int qm_resize(struct qm_op *op, const struct machine_size *size, struct pst_err *err);
int qm_console(struct qm_op *op, bool is_shared, struct machine_screen *ret, struct pst_err *err);
/* ret_account may be NULL. */
int qm_way(struct qm_op *op, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err);

/* disk.c: for back-ups. */
int qm_disk(struct qm_op *op, struct driver_disk *ret, struct pst_err *err);
int qm_disk_ask(struct qm_op *op, const json_t *commands, int fd, json_t **ret, struct pst_err *err);
int qm_disk_replace(struct qm_op *op, const char *file, struct pst_err *err);
int qm_disk_room(struct qm_op *op, const char *base, struct driver_room *ret, struct pst_err *err);
/* The disk that was made in that room becomes the desktop's; 0 when there is none. */
int qm_disk_take(struct qm_op *op, const struct qm_record *r, struct pst_err *err);
/* A create that failed, or that a crash has ended, puts it back for the next one. */
int qm_disk_return(struct qm_op *op, struct pst_err *err);
/* Before the disk goes back to what it was, or grows: its bitmaps would be wrong afterwards, or are in the way. */
int qm_disk_forget(struct qm_op *op, struct pst_err *err);

/* personal.c */
int qm_personal_attach(struct qm_op *op, const struct machine_personal *p, struct pst_err *err);
int qm_personal_detach(struct qm_op *op, const struct machine_personal *p, struct pst_err *err);
int qm_personal_remove(struct qemu *q, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err);
/* Whatever it has is nobody's: its QEMU has ended. */
int qm_personal_release(struct qm_op *op, struct pst_err *err);

/* keeper.c */
int qm_keeper_start(struct qemu *q, struct pst_err *err);
void qm_keeper_stop(struct qemu *q);
/* A process that is to be looked after; takes pidfd. */
int qm_keeper_add(struct qemu *q, const char *desktop, int pidfd, struct pst_err *err);
/* If it should run and does not, somebody may want to hear of it. */
void qm_keeper_look(struct qemu *q, const char *desktop);

/* settings.c */
int qm_settings_read(struct qemu *q, const struct driver_params *p, struct pst_err *err);
/* What is missing, in words; "" when nothing is. */
void qm_settings_faults(const struct qemu *q, char *out, size_t size);
