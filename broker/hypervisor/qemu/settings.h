/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a provider's section says, and what was found on this host when it was read. It does not change afterwards. */
#pragma once

#include "broker/hypervisor/rdp_site.h"
#include "broker/hypervisor/seed.h"
#include "broker/hypervisor/windows_site.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define QM_DIRECTORY_MAX 54 /* bytes: the longest socket below it still fits into a sockaddr_un */

enum qm_network {
	QM_NET_NONE,
	QM_NET_USER, /* QEMU's own */
	QM_NET_BRIDGE,
};

struct qm_settings {
	char directory[PATH_MAX];
	struct qm_firmware {
		char code[PATH_MAX], variables[PATH_MAX]; /* UEFI's, and the template of its variables */
	} firmware, secure; /* as ever, and with Secure Boot */
	char program[PATH_MAX], image_program[PATH_MAX], tpm_program[PATH_MAX]; /* QEMU, qemu-img, swtpm */
	char machine[48];                                /* "pc-q35-7.2": the alias would mean another one after an upgrade */
	char mark[64];                                   /* of the program's file: a parent is resumed by the QEMU that saved it */
	bool is_kvm;
	bool has_display; /* over D-Bus */
	bool knows_tpm;   /* emulated ones */
	gid_t kvm_gid; /* of /dev/kvm */
	bool is_instant;
	enum qm_network network;
	char bridge[16];
	struct seed_site seed;
	struct rdp_site rdp;
	struct windows_site windows;
	uint32_t capacity;
	uint64_t deadline_ms, stop_ms, parent_boot_ms, parent_wait_ms;
	int64_t recycle_ms; /* 0: what is destroyed is gone */
	uid_t gateway_uid;
	gid_t gateway_gid;
};
