/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of a desktop become a container image of one layer, for oci_import.h: without what made them that desktop's and nobody
 * else's. What its user could write, and may have made hostile, is read by puesto-unpack in a sandbox. Any thread.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct capture_params {
	const char *program; /* the path of puesto-unpack */
	const char *source;  /* absolute; a tar of all files, from the root on: it goes when it has been read */
	const char *folder;  /* absolute; root's and nobody else's: what is made on the way lies there */
	const char *target;  /* absolute; is made: an archive as `docker save` writes it */
	uint64_t bytes_max, entries_max;
	uint32_t timeout_ms;
	int cancel_fd; /* readable: stop. -1: never */
};

/*
 * On failure something may be left in folder, and of target. PST_EINVAL for what is no tar, PST_ELIMIT, PST_ENOSPC, PST_ETIMEOUT, PST_ECLOSED,
 * PST_ENOTFOUND without the program.
 */
int capture_run(const struct capture_params *p, struct pst_err *err);

/*
 * Is that what no image has? Names as in a tar, "./" or "/" before them or not: homes, temporary files, host name and keys, machine id,
 * the agent's identity, what engines put there. Pure.
 */
bool capture_leaves_out(const char *path);
