/* SPDX-License-Identifier: GPL-3.0-or-later */
/* VNC Authentication. */
#include "protocol/source/rfb/password.h"

#include <nettle/des.h>

#include "base/secret.h"

static uint8_t turned(uint8_t v)
{
	uint8_t out = 0;

	for (int i = 0; i < 8; i++)
		out |= (uint8_t)((v >> i & 1) << (7 - i));
	return out;
}

void rfb_password_answer(
	const char *password, const uint8_t challenge[RFB_CHALLENGE_LEN], uint8_t ret[RFB_CHALLENGE_LEN])
{
	uint8_t key[DES_KEY_SIZE] = { 0 };
	struct des_ctx ctx;

	for (int i = 0; i < DES_KEY_SIZE && password[i]; i++)
		key[i] = turned((uint8_t)password[i]);
	des_set_key(&ctx, key); /* a weak one is said to be so, and set */
	des_encrypt(&ctx, RFB_CHALLENGE_LEN, ret, challenge);
	pst_wipe(key, sizeof(key));
	pst_wipe(&ctx, sizeof(ctx));
}
