/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first twelve bytes of an RFB client: its protocol version (RFC 6143 §7.1.1). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RFB_HELLO_SIZE 12
#define RFB_SERVER_HELLO "RFB 003.008\n"

/*
 * Returns the minor version that both speak (8) when the twelve bytes are whole, 0 when more are needed, -1 when this is no RFB
 * client, -2 when it is older than 3.8 (versions above 3.8 count as 3.8).
 */
int rfb_hello_parse(const uint8_t *bytes, size_t len);
