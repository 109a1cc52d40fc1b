/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a provider's section says of the machines that it makes for Windows:
 *
 *	windows_devices = virtio|emulated   those for which their image has drivers, or those for which Windows has them
 *	tpm = yes|no                        each has a TPM 2.0 of its own, emulated by swtpm; without the word: where that is there
 *	secure_boot = no|yes                new ones that start by UEFI take only what is signed by whom Microsoft's keys trust
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"

#include <stdbool.h>

#define WINDOWS_TPM_MISSING "apt-get install swtpm swtpm-tools"

enum tpm_wish {
	TPM_IF_THERE,
	TPM_YES,
	TPM_NO,
};

struct windows_site {
	bool is_emulated;
	enum tpm_wish tpm;
	bool is_secure;
};

int windows_site_read(struct windows_site *s, const struct driver_params *p, struct pst_err *err);
