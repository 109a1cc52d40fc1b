/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What auth.c and tokens.c share. */
#pragma once

#include "broker/auth/auth.h"
#include "broker/auth/names.h"

struct check;

struct auth {
	struct db *db; /* borrowed */
	struct auth_settings settings;
	struct hasher *hasher;
	struct penalty *sources;
	struct check *checks; /* at work */
};

/* account.c: the wait of a name, PENALTY_BLOCKED when only an administrator ends it. */
int account_wait(struct auth *a, const char *name, uint64_t *ret_wait_ms, struct pst_err *err);
int account_fail(struct auth *a, const char *name, uint64_t *ret_wait_ms, struct pst_err *err);
int account_clear(struct auth *a, const char *name, struct pst_err *err);
