/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A grant as the agent reads it. The input is the JSON inside, sealed here: past the seal is where a parser
 * could err. */
#include <stdlib.h>
#include <string.h>

#include "agent/lease.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[8192];
	struct lease lease = { .desktop = "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11", .has_key = true };
	struct pst_err err = PST_ERR_INIT;
	uint8_t mac[PST_SHA256_LEN];
	struct grant g;

	if (grant_parse((const char *)data, size, &lease, &g, &err) == 0)
		abort(); /* nobody guesses a seal */
	long n = pst_base64url_encode(data, size, text, sizeof(text) - 64);
	if (n < 0)
		return 0;
	pst_hmac_sha256(lease.key, sizeof(lease.key), text, (size_t)n, mac);
	text[n] = '.';
	long m = pst_base64url_encode(mac, sizeof(mac), text + n + 1, sizeof(text) - (size_t)n - 1);
	if (grant_parse(text, (size_t)(n + 1 + m), &lease, &g, &err) == 0 && (g.epoch == 0 || g.user[0] == 0))
		abort();
	return 0;
}
