/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first words that a seat and we exchange, enough to know that its protocol's server is there. Pure. */
#pragma once

#include "broker/hypervisor/hosts/seats.h"

#define GREETING_HELLO_MAX 256
#define GREETING_ANSWER_MAX 512

enum greeting_state {
	GREETING_MORE,  /* too few bytes to say */
	GREETING_RIGHT,
	GREETING_REPLY, /* right so far; send what greeting_reply says and go on */
	GREETING_WRONG, /* it speaks something else */
};

/* What we say first; 0 where the server speaks first. Returns its length. */
size_t greeting_hello(enum seat_protocol p, uint8_t out[GREETING_HELLO_MAX]);

/* All that came so far; sent: bytes of replies that have been given (0 at first). */
enum greeting_state greeting_check(enum seat_protocol p, const uint8_t *data, size_t len, size_t sent);

/* After GREETING_REPLY: what to send. Returns its length. */
size_t greeting_reply(enum seat_protocol p, const uint8_t *data, size_t len, size_t sent, uint8_t out[GREETING_HELLO_MAX]);
