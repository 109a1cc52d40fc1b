/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PKCS#10 requests, signed in the key store. */
#pragma once

#include "agent/windows/key.h"

/* A request for that name in PEM, returns owned (free()). */
int request_make(const struct key_type *type, uintptr_t handle, const char *name, char **ret_pem, struct pst_err *err);
