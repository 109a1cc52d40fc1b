/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes seeds. */
#include "broker/hypervisor/qemu/qemu_priv.h"

json_t *qm_seed(const struct qm_settings *set, const struct machine_request *r, bool fresh, struct pst_err *err)
{
	json_t *seed = seed_json(&set->seed, r, err);

	if (seed && fresh && seed_fresh(seed) < 0) {
		json_decref(seed);
		seed = NULL;
		pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	}
	return seed;
}
