/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates of agents on other hosts: puesto:agent:UUID for 30 days. Their common name is a mark of the desktop's grant key, which every
 * enrolment makes anew and a refreshed or deleted desktop loses, so an older disk's certificate is worth nothing however long it is valid.
 */
#pragma once

#include "base/tls.h"

#define CERTIFY_MARK_SIZE 33
#define CERTIFY_URI "puesto:agent:"
#define CERTIFY_CSR_MAX 16384

void certify_mark(const uint8_t key[32], char out[CERTIFY_MARK_SIZE]);

/* Is this a request that can be signed? Before a token is spent for it. */
int certify_check(const struct pst_tls_pair *ca, const char *csr_pem, struct pst_err *err);

/* Returns owned PEM in ret_cert (free()). */
int certify_sign(const struct pst_tls_pair *ca, const char *csr_pem, const char *desktop, const uint8_t key[32], int64_t now_ms, char **ret_cert,
	struct pst_err *err);
