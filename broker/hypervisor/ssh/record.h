/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the driver has promised about a desktop: a line of JSON in a file of the host, DIRECTORY/MARK-PROVIDER/DESKTOP.json.
 * It is written before the thing is done. A machine without one is none of ours.
 *
 *	(none) --> creating --> running <--> stopped
 *	              ^            |            |
 *	              '--(refresh)-+------------'--> destroying --> (none)
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/libvirt/address.h"
#include "broker/hypervisor/machine.h"

#include <stdbool.h>

#define SSH_RECORD_MAX (32u << 10) /* bytes of a line */
#define SSH_SNAPSHOTS_MAX 64

enum ssh_phase {
	SSH_CREATING,
	SSH_RUNNING,
	SSH_STOPPED, /* by us */
	SSH_DESTROYING,
};

struct ssh_snapshot {
	char name[MACHINE_NAME_SIZE];
	bool ran;   /* when it was taken */
	bool whole; /* the command that takes it has ended well */
};

struct ssh_record {
	enum ssh_phase phase;
	char address[LV_ADDRESS_SIZE]; /* "" while none is known */
	struct machine_request request; /* its token is never written */
	struct ssh_snapshot snapshots[SSH_SNAPSHOTS_MAX]; /* in the order they were taken */
	size_t snapshots_n;
};

/* The line without its end. Returns owned, NULL on no memory. */
char *ssh_record_text(const struct ssh_record *r);
/* PST_EINVAL for what is no record. */
int ssh_record_parse(const char *line, size_t len, struct ssh_record *ret, struct pst_err *err);

/* NULL when there is none of that name. */
struct ssh_snapshot *ssh_record_snapshot(struct ssh_record *r, const char *name);
/* Removes one of its own. */
void ssh_record_snapshot_remove(struct ssh_record *r, struct ssh_snapshot *s);
