/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program run to its end on the calling thread: with a deadline, a way to stop it, a
 * ceiling for what it says, and in a sandbox if wished. It dies with its parent. Any thread.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/sandbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHILD_WORDS_MAX 512 /* bytes of stderr that are kept for the error */

struct child_params {
	const char *const *argv;       /* argv[0] is a path; ends with NULL */
	const struct sandbox *sandbox; /* or NULL */
	uint32_t timeout_ms;
	int cancel_fd; /* readable: stop it. -1: never */
	/* Its stdin, which stays open until it ends; NULL: none. Borrowed. */
	const char *input;
	size_t input_len;
	/*
	 * Instead of input: speaks with its stdin, a socket (borrowed), on the calling thread, and returns when it has been
	 * told to end. Not 0: it is killed. NULL: nobody speaks.
	 */
	int (*talk)(void *arg, int fd, struct pst_err *err);
	/* Pieces of stdout as they come, not terminated; borrowed for the call. May be NULL. */
	void (*said)(void *arg, const char *text, size_t len);
	/* Asked after each piece; false ends it with PST_ECLOSED. May be NULL. */
	bool (*go_on)(void *arg);
	void *arg;
};

/*
 * 0 when it ended with status 0. PST_ETIMEOUT, PST_ECLOSED (cancelled), PST_ELIMIT (a
 * sandbox's ceiling ended it), PST_ENOTFOUND (no such program), else PST_EIO with the last
 * line that it wrote to stderr. It has ended when this returns.
 */
int child_run(const struct child_params *p, struct pst_err *err);
