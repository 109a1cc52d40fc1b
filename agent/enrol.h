/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the provisioner left in the desktop: {"desktop": uuid, "token": text}, used once. */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#define ENROL_TOKEN_MAX 256

struct enrol {
	char desktop[PST_UUID_SIZE];
	char token[ENROL_TOKEN_MAX + 1];
	char hash[PST_SHA256_HEX_SIZE]; /* of the token: what is remembered of it */
};

/* 0, PST_ENOTFOUND when there is no such file, or another PST_E… with err. */
int enrol_read(const char *path, struct enrol *ret, struct pst_err *err);
