/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes seeds. */
#include "broker/hypervisor/qemu/qemu_priv.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#define RANDOM_SIZE 64

/* All clones of a parent have its clock and its random state: they get their own. */
static int fresh_add(json_t *seed)
{
	char text[PST_BASE64_LEN(RANDOM_SIZE) + 1];
	uint8_t random[RANDOM_SIZE];

	pst_random(random, sizeof(random));
	pst_base64_encode(random, sizeof(random), text, sizeof(text));
	if (json_object_set_new(seed, "time_ms", json_integer(pst_wall_ms())) < 0)
		return -1;
	return json_object_set_new(seed, "random", json_string(text));
}

json_t *qm_seed(const struct qm_settings *set, const struct machine_request *r, bool fresh, struct pst_err *err)
{
	json_t *seed = seed_json(&set->seed, r, err);

	if (seed && fresh && fresh_add(seed) < 0) {
		json_decref(seed);
		seed = NULL;
		pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	}
	return seed;
}
