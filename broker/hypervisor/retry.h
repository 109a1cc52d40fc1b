/* SPDX-License-Identifier: GPL-3.0-or-later */
/* May a call to a hypervisor be made again, and when? Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct retry {
	unsigned tries;      /* made so far, at least 1 */
	bool repeatable;     /* doing it twice is as doing it once */
	int code;            /* PST_E… of the transport; 0 when an answer came */
	int status;          /* of the answer */
	bool sent;           /* the other side may have seen it */
	uint64_t left_ms;    /* until the call's deadline */
	bool asked;          /* the answer has a Retry-After */
	uint64_t asked_ms;   /* what it says */
};

#define RETRY_TRIES_MAX 5
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 2000

/* Milliseconds to wait before the next try, or -1: this was the last. */
int64_t retry_wait_ms(const struct retry *r);
