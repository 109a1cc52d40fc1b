/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates: from PEM, and whether another side's is what it should be. The handles are Windows' (PCCERT_CONTEXT). */
#pragma once

#include "base/err.h"

#include <stdint.h>

/* Returns owned (cert_free), NULL with err. */
const void *cert_from_pem(const char *pem, struct pst_err *err);
/* Accepts NULL. */
void cert_free(const void *cert);

/* The end of its validity by the wall clock, in milliseconds since 1970. */
int64_t cert_ends_ms(const void *cert);

/*
 * Is cert signed by that authority directly (ours has nobody in between), valid now, for servers, and of that URI? The machine's own list of
 * authorities plays no part, and nobody is asked over the network. PST_EAUTH with the reason.
 */
int cert_check_server(const void *cert, const void *ca, const char *uri, struct pst_err *err);
