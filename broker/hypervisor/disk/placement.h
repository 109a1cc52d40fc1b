/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * On which datastore a new disk goes: filters first, then scores by the space that stays
 * free and by the jobs that wait, and the whole decision in words. Pure.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/level.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACEMENT_NAME_SIZE 64

/* A datastore as it is now. */
struct placement_candidate {
	const char *name; /* borrowed */
	bool is_online, in_maintenance;
	bool is_allowed; /* the pool may use it */
	bool has_image;  /* the image's version lies here, so an overlay can */
	enum level level;
	uint64_t total, free; /* bytes */
	uint64_t reserved;    /* bytes of jobs that have begun, not yet seen in free */
	uint64_t promised;    /* bytes of datastore_census */
	uint32_t overcommit_percent; /* promised at most, of total; 0: no ceiling */
	uint32_t jobs, jobs_max;     /* at work or waiting; at work at most */
	bool takes_whole;            /* what is promised is taken at once, as on a volume group */
};

/* What is to be placed. */
struct placement_request {
	uint64_t needs;    /* bytes that are written soon */
	uint64_t promises; /* bytes when it is full */
	uint64_t keeps_free; /* bytes that must stay free afterwards */
	bool is_overlay;   /* wants its image on the same datastore */
};

/* Why not this one; the order is that of the filters. */
enum placement_verdict {
	PLACEMENT_FITS,
	PLACEMENT_OFFLINE,
	PLACEMENT_MAINTENANCE,
	PLACEMENT_NOT_ALLOWED,
	PLACEMENT_NO_IMAGE,
	PLACEMENT_CRITICAL,
	PLACEMENT_NO_SPACE,
	PLACEMENT_OVERCOMMITTED,
};

/* For each candidate: 0 to 100 each, 0 when it does not fit. */
struct placement_score {
	enum placement_verdict verdict;
	uint8_t space; /* share of the total that stays free */
	uint8_t calm;  /* share of its jobs that are not taken */
	uint8_t whole; /* both together; less under a warning */
};

const char *placement_verdict_name(enum placement_verdict verdict);

/*
 * Fills scores[n] and returns the index of the best, the first of equals. PST_ENOSPC when
 * some lack nothing but space, PST_EBUSY when none is fit for another reason.
 */
int placement_choose(const struct placement_request *request, const struct placement_candidate *candidates,
	struct placement_score *scores, size_t n);

/*
 * "fast (83: 91 free, 75 idle) before slow (40: …); full: no_space" into out, cut to size
 * with "…" where it does not fit. best: what placement_choose returned.
 */
void placement_explain(const struct placement_candidate *candidates, const struct placement_score *scores, size_t n,
	int best, char *out, size_t size);
