/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an image's job does, from its first step to its last, on the calling thread. */
#pragma once

#include "broker/hypervisor/storage/image_job.h"

struct image_work {
	struct stores *set;
	const struct image_job_params *p;
	const struct image_tools *tools;
	int cancel_fd;        /* readable: stop */
	/* step: a literal; percent of the whole, 0 to 100, never less than before. */
	void (*tell)(void *arg, const char *step, unsigned percent);
	void *arg;
};

struct image_result {
	char path[PATH_MAX]; /* of the version's disk; "" of a removal */
	struct manifest manifest;
};

/* PST_ECLOSED when it was cancelled; on failure nothing of it is left. */
int image_work_run(const struct image_work *w, struct image_result *ret, struct pst_err *err);
