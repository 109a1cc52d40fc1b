/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What auth.c and tokens.c share. */
#pragma once

#include "broker/auth/auth.h"

struct check;

struct auth {
	struct db *db; /* borrowed */
	struct auth_settings settings;
	struct hasher *hasher;
	struct penalty *accounts, *sources;
	struct check *checks; /* at work */
};
