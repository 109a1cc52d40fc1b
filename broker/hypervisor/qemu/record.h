/* SPDX-License-Identifier: GPL-3.0-or-later */
/* record.json of a desktop: what was asked and how far it came, written before anything is done. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/libvirt/address.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct qemu;

#define QM_ADDRESS_SIZE 16
#define QM_KEY_SIZE 33
#define QM_SNAPSHOTS_MAX 8

enum qm_phase {
	QM_CREATING,
	QM_RUNNING,
	QM_STOPPED,
	QM_SUSPENDED,
	QM_DESTROYING,
};

struct qm_snapshot {
	char name[MACHINE_NAME_SIZE];
	bool is_whole;   /* false: announced, perhaps not taken */
	bool has_memory; /* it ran in it */
	uint32_t memory_mb, cpu_percent;
};

struct qm_record {
	enum qm_phase phase;
	uid_t uid;
	char parent[QM_KEY_SIZE];      /* whose disk the overlay stands on; "" for the golden one */
	char address[LV_ADDRESS_SIZE]; /* on a bridge; else "" */
	struct machine_request request;
	struct qm_snapshot snapshots[QM_SNAPSHOTS_MAX];
	size_t snapshots_n;
	unsigned plugs; /* what is saved of its memory has as many */
	bool has_tpm;   /* and has that */
	bool is_secure; /* firmware that starts it by UEFI asks for signatures */
};

/* The desktop's folder, or a file in it (name may be NULL). */
int qm_path(const struct qemu *q, const char *desktop, const char *name, char out[PATH_MAX], struct pst_err *err);
int qm_record_save(const struct qemu *q, const struct qm_record *r, struct pst_err *err);
/* PST_ENOTFOUND when there is none. */
int qm_record_load(const struct qemu *q, const char *desktop, struct qm_record *ret, struct pst_err *err);
/* Where its agent is reached: an address of this host's loopback that follows from the uid. */
void qm_address(uid_t uid, char out[QM_ADDRESS_SIZE]);
/* Told by the name: "….qcow2", else raw. */
enum disk_format qm_golden_format(const char *path);
