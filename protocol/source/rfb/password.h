/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer of "VNC Authentication" (RFC 6143, 7.2.2): the challenge through DES with the password's first
 * eight bytes, each with its bits turned round. It keeps nothing secret from who listens; servers that want
 * it are reached by a unix socket or over a network of their own.
 */
#pragma once

#include <stdint.h>

#include "protocol/source/rfb/wire.h"

void rfb_password_answer(
	const char *password, const uint8_t challenge[RFB_CHALLENGE_LEN], uint8_t ret[RFB_CHALLENGE_LEN]);
