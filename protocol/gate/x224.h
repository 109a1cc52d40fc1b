/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first packet of an RDP client: TPKT (RFC 1006) around an X.224 Connection Request with an optional cookie and the RDP negotiation
 * request (MS-RDPBCGR 2.2.1.1). Read here before any RDP library sees the connection. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X224_REQUEST_MAX 512
#define X224_COOKIE_MAX 256
#define X224_REFUSAL_SIZE 19

enum x224_protocol { X224_TLS = 1, X224_CREDSSP = 2, X224_RDSTLS = 4, X224_CREDSSP_EX = 8 };

struct x224_request {
	char cookie[X224_COOKIE_MAX]; /* printable text between "Cookie: " and CR LF, "" when there is none */
	bool has_negotiation;
	uint8_t flags;
	uint32_t protocols; /* enum x224_protocol bits */
};

enum x224_fault {
	X224_NOT_RDP = -1,     /* not a TPKT or not a connection request */
	X224_MALFORMED = -2,   /* lengths or fields that contradict each other */
	X224_TOO_LONG = -3,
	X224_NO_TLS = -4,      /* offers only the old RDP security */
};

/* Returns the packet's length when it is whole and acceptable, 0 when more bytes are needed, or an x224_fault. */
int x224_request_parse(struct x224_request *r, const uint8_t *bytes, size_t len);

/* A sentence for the log. */
const char *x224_fault_text(int fault);

/* The Connection Confirm that refuses a client without TLS (SSL_REQUIRED_BY_SERVER). */
void x224_refusal(uint8_t out[static X224_REFUSAL_SIZE]);
