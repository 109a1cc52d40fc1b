/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is this the server that the account is for? Pure. */
#pragma once

#include <stddef.h>

#include "protocol/source/rdp/account.h"

/*
 * pem: the server's certificate, and after it those of its issuers. 0; PST_EDENIED with a sentence when it is another one,
 * PST_EPROTO when it cannot be read.
 */
int rdp_trust_check(const struct rdp_account *a, const char *pem, size_t len, struct pst_err *err);
