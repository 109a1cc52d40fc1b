/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs puesto-unpack, in its sandbox, on an open file, and hears its records to their end. On the calling thread. */
#pragma once

#include "broker/hypervisor/oci/oci_record.h"

struct unpacked {
	const char *const *argv; /* argv[0] is the path of puesto-unpack; ends with NULL */
	int fd;                  /* the file that it may read; borrowed */
	uint64_t deadline_ms;    /* of the monotonic clock */
	int cancel_fd;           /* readable: stop. -1: never */
	/* As of struct record_reader: not 0 ends it with that. content may be NULL. */
	int (*record)(void *arg, const struct record *r, struct pst_err *err);
	int (*content)(void *arg, const uint8_t *data, size_t len, struct pst_err *err);
	void *arg;
};

/* What a function of it returned, PST_EINVAL for what cannot be unpacked, PST_EPROTO, PST_ETIMEOUT, PST_ECLOSED, PST_ELIMIT, PST_ENOTFOUND. */
int unpacked_run(const struct unpacked *u, struct pst_err *err);
