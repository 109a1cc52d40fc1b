/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a program works that reads a stranger's file: no network, a uid of its own, no
 * files but the named ones and the system's libraries (Landlock), ceilings for memory, time
 * and what it writes. Prepared in the parent, where faults have words; entered between fork
 * and exec, where only system calls are allowed. Needs root.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sandbox_params {
	uint64_t memory_max; /* bytes of address space */
	uint64_t file_max;   /* bytes of a file that it writes; 0: it writes none */
	uint32_t cpu_s_max;
	const char *program; /* that it may start and read besides the system's, or NULL */
	const int *read_fds; /* files that it may open by their paths and read */
	size_t n_read;
	int write_fd; /* a file that it may open and write; becomes its uid's. -1: none */
	const int *write_fds; /* and more of them */
	size_t n_write;
};

struct sandbox {
	struct sandbox_params params;
	uid_t uid;
	int ruleset; /* of Landlock */
};

/*
 * Fills s (ended by sandbox_finish). Descriptors and their array are borrowed for this call.
 * PST_EDENIED without root, PST_EUNSUPPORTED without Landlock.
 */
int sandbox_init(struct sandbox *s, const struct sandbox_params *params, struct pst_err *err);
void sandbox_finish(struct sandbox *s);

/*
 * In the child: from here on the calling process is confined for good, what is open stays
 * open. Returns NULL, or the name of the step that failed, with errno. Only system calls.
 */
const char *sandbox_enter(const struct sandbox *s);
