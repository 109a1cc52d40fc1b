/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The networks that an administrator lets pools choose, by names of his own; what each is at the hypervisor is the driver's to read. Pure.
 *
 *	networks = office, lab
 *	network-lab = WHAT
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"

#define NETS_MAX 32
#define NETS_VALUE_SIZE 160

struct nets {
	struct net_named {
		char name[MACHINE_NAME_SIZE];
		char value[NETS_VALUE_SIZE]; /* as it was written */
	} list[NETS_MAX];
	size_t n;
};

/* Each value is there and not empty; read the keys of p's section. PST_EINVAL names the key. */
int nets_read(struct nets *n, const struct driver_params *p, struct pst_err *err);

/*
 * What a request's network is: *ret NULL for "host", "none" and "", which are the provider's own. PST_EINVAL for a name that is
 * not in the list: another network than the one that was chosen is never a substitute.
 */
int nets_find(const struct nets *n, const char *name, const struct net_named **ret, struct pst_err *err);
