/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parents of instant clones: machines that were booted once for an image, locale, layout, screen, memory, disk and number of
 * processors, saved by libvirt and ended. They lie on each datastore beside the desktops that stand on them; libvirt
 * restores a child from the saved memory behind a head of the child's own (saved_domain.h, pump.h). One thread makes them, one at a time,
 * and nobody waits for it: until there is one, machines boot.
 *
 *	ROOT/parents/KEY/disk.qcow2   0444, an overlay of the golden disk: what its children's disks stand on
 *	                 memory       0400, as libvirt has saved it
 *	                 parent.json  { "v", "uuid", "was", "disk", "memory" }: what they were when they were made
 */
#pragma once

#include "broker/hypervisor/libvirt/found.h"

enum lv_parent_state {
	LV_PARENT_WANTED,
	LV_PARENT_MAKING,
	LV_PARENT_READY,
	LV_PARENT_GOING,
	LV_PARENT_FAILED,
};

struct lv_parent {
	struct lv_parent *next;
	char key[LV_KEY_SIZE];
	char root[PATH_MAX];  /* of the datastore's desktops */
	struct lv_host *host; /* where it is made */
	struct machine_request request; /* whose wish it was */
	enum lv_parent_state state;
	uint64_t since_ms;    /* of the state, or of its last child */
	unsigned users;       /* commands that have it */
	unsigned strikes;     /* children in a row that could not be restored */
	/* of one that is ready */
	char uuid[PST_UUID_SIZE]; /* its own, in the saved document */
	char was[PATH_MAX];       /* where its disk lay then */
};

int lv_parents_start(struct libvirt *lv, struct pst_err *err);
/* When nobody uses lv any more. */
void lv_parents_finish(struct libvirt *lv);

/*
 * One for the request, on the datastore where the desktop's folder is; to be given back. NULL when there is none, or none yet (it
 * is made then, if it may be). Any call's thread.
 */
struct lv_parent *lv_parent_take(struct lv_call *c, struct lv_host *h, virConnectPtr conn, const struct machine_request *r);
/* is_bad: a child of it could not be restored. After several it is looked at again, or made anew. */
void lv_parent_give(struct libvirt *lv, struct lv_parent *p, bool is_bad);

/* parent_make.c: file may be NULL, for the folder. */
int lv_parent_path(const char *root, const char *key, const char *file, char out[PATH_MAX], struct pst_err *err);
/* A file of the parent that the desktop's disk stands on. */
int lv_parent_of(const struct libvirt *lv, const char *desktop, const char *key, const char *file, char out[PATH_MAX], struct pst_err *err);
int lv_parent_key(struct lv_host *h, virConnectPtr conn, const struct machine_request *r, char out[LV_KEY_SIZE], struct pst_err *err);
/* Reads one that was made before. PST_ENOTFOUND, PST_ECONFLICT for one that is not what it was. */
int lv_parent_load(struct lv_parent *p, struct pst_err *err);
/* Boots and saves it: takes minutes. */
int lv_parent_make(struct lv_parent *p, struct pst_err *err);
/* PST_EBUSY while disks stand on it. */
int lv_parent_remove(const char *root, const char *key, struct pst_err *err);

/* plan.c: r has its image, size and uuid; disk is its own, more goes to the kernel's command line. */
char *lv_plan_parent_xml(const struct lv_host *h, const struct lv_record *r, const char *disk, const char *more, struct pst_err *err);

/* clone.c: f has its disk, which stands on p's, and is defined. It runs afterwards, and knows who it is. */
int lv_clone(struct lv_call *c, struct lv_found *f, virConnectPtr conn, const struct lv_parent *p, struct pst_err *err);
/* The key of the parent that the desktop's disk stands on, as the disk says; "" for none. */
int lv_parent_below(const struct libvirt *lv, const char *desktop, char ret_key[LV_KEY_SIZE], struct pst_err *err);
/* The disk of f, which is off, stands on that parent now, or on none. */
int lv_parent_leave(struct lv_found *f, const char *key, struct pst_err *err);
