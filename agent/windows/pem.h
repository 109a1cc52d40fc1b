/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PEM (RFC 7468): one block of it. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the block, terminated. PST_ELIMIT or PST_ENOMEM. */
int pem_write(struct pst_buf *out, const char *label, const void *der, size_t len);

/* The bytes of the first block of that label in text, appended to out. PST_EINVAL with the reason. */
int pem_read(const char *text, const char *label, struct pst_buf *out, struct pst_err *err);
