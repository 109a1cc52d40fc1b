/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wake-on-LAN: AMD's Magic Packet Technology (white paper 20213), in a UDP datagram. Any thread. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define WAKE_PACKET_MAX 108
#define WAKE_PORT 9 /* discard */

/* Six bytes of ones, sixteen times the address, and the SecureOn password of 0, 4 or 6 bytes; returns its length. */
size_t wake_packet(const uint8_t mac[6], const uint8_t *secureon, size_t secureon_len, uint8_t out[WAKE_PACKET_MAX]);

/* Sends it to a numeric address, which may be a broadcast one. */
int wake_send(const char *address, uint16_t port, const uint8_t *packet, size_t len, struct pst_err *err);
