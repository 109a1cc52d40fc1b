/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parents of instant clones (instant.h): machines that were booted once for an image, locale, layout, screen,
 * memory and number of processors, and ended. Made by one thread, one at a time; kept as long as somebody stands
 * on them or may want the next one.
 *
 *	DIRECTORY/parents/KEY/disk.qcow2    0444, an overlay of the golden disk: what its children's disks stand on
 *	                      ram, state    0400, read once into sealed memory (memory.h)
 *	                      parent.json   { "v", "golden", "golden_mark", "disk", "ram", "ram_size", "state" }
 */
#pragma once

#include "broker/hypervisor/qemu/qemu_priv.h"

enum qm_parent_state {
	QM_PARENT_WANTED,
	QM_PARENT_MAKING,
	QM_PARENT_READY,
	QM_PARENT_FAILED,
};

struct qm_parent {
	struct qm_parent *next;
	char key[QM_KEY_SIZE];
	struct machine_request request; /* whose wish it was */
	enum qm_parent_state state;
	int ram_fd, state_fd; /* sealed; -1 unless it is ready */
	uint64_t ram_size;
	unsigned users;                   /* commands that have it */
	uint64_t since_ms;                /* of the state */
	bool is_spoilt;                   /* a child could not be resumed: it is looked at again when nobody has it */
	unsigned strikes;                 /* how many in a row */
	uint64_t again_ms;                /* after a failure: until it is tried again */
	char reason[MACHINE_REASON_SIZE]; /* of a failure */
};

int qm_parents_start(struct qemu *q, struct pst_err *err);
void qm_parents_stop(struct qemu *q);

/* A command is cancelled: whoever waits looks again. */
void qm_parents_wake(struct qm_parents *ps);

/*
 * The parent for op's request, waited for as long as the settings say. ret is NULL when there is none (yet), and
 * the machine has to boot by itself; given back by qm_parent_give. What is in it does not change meanwhile.
 */
int qm_parent_take(struct qm_op *op, const struct machine_request *r, struct qm_parent **ret, struct pst_err *err);
void qm_parent_give(struct qemu *q, struct qm_parent *p);
/* A child of it could not be resumed: its files are looked at again, and after several it is made anew. */
void qm_parent_spoil(struct qemu *q, struct qm_parent *p, const char *reason);
/* Takes away those that nobody stands on and nobody will want. */
void qm_parents_sweep(struct qemu *q);

/* parent_make.c; all but the key are the maker's. */
int qm_parent_key(const struct qemu *q, const struct machine_request *r, char out[QM_KEY_SIZE], struct pst_err *err);
int qm_parent_path(const struct qemu *q, const char *key, const char *name, char out[PATH_MAX], struct pst_err *err);
/* Reads one that was made before; PST_ENOTFOUND, PST_ECONFLICT for one that is not what it was. */
int qm_parent_load(const struct qemu *q, struct qm_parent *p, struct pst_err *err);
/* Boots and saves it. watch (borrowed) is told of the QEMU, which may be ended by its pidfd meanwhile. */
int qm_parent_make(struct qemu *q, struct qm_parent *p, void (*watch)(void *arg, int pidfd), void *arg, struct pst_err *err);
/* Is its golden disk still the one that it was made from? */
bool qm_parent_is_current(const struct qemu *q, const char *key);
/* 0 when nothing is left of it; PST_EBUSY while disks stand on it. */
int qm_parent_remove(const struct qemu *q, const char *key, struct pst_err *err);

/* What a machine of that request is started with. */
struct command_params;
struct qm_plan {
	char kernel[PATH_MAX], initrd[PATH_MAX], append[400];
};
/* plan.c: fills p but for memory, sockets, seed, card and UEFI's variables; strings lie in plan, which has to live as long. */
int qm_plan(const struct qemu *q, const struct machine_request *r, bool is_secure, struct qm_plan *plan, struct command_params *p, struct pst_err *err);
/* plan.c: a machine's own variables of UEFI, from the template of that firmware where there are none yet. */
int qm_variables_make(const struct qemu *q, bool is_secure, const char *path, uid_t uid, struct pst_err *err);
