/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What succeeds is not misled by what an earlier call has left in err, and leaves it as it was (base/err.h). */
#pragma once

#include "base/err.h"

#include <criterion/criterion.h>
#include <string.h>

#define STALE { PST_EBUSY, "an earlier one" }

/* err, which began as STALE, was not touched. */
#define LEFT_ALONE(err, what) \
	do { \
		const struct pst_err stale_ = STALE; \
		cr_assert_eq(memcmp(&(err), &stale_, sizeof(stale_)), 0, "%s leaves an error: %s", what, (err).text); \
	} while (0)

/* The call, which is given &err, succeeds. */
#define FINE(call) \
	do { \
		err = (struct pst_err)STALE; \
		cr_assert_eq(call, 0, "%s: %s", #call, err.text); \
		LEFT_ALONE(err, #call); \
	} while (0)
