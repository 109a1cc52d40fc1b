/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Does a Remote Desktop service answer? The first packet of an RDP client and the answer to it ([MS-RDPBCGR] 2.2.1.1 and 2.2.1.2): whoever sends a
 * Connection Confirm has its stack up, so that a viewer will be taken. Pure.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define GREETING_ANSWER_MAX 64

/* The request, which offers TLS and CredSSP: a constant of *ret_len bytes. */
const uint8_t *greeting_request(size_t *ret_len);

/* 1: it is the answer of an RDP server. 0: more bytes are needed. PST_EPROTO with what is wrong. */
int greeting_check(const uint8_t *data, size_t len, struct pst_err *err);
