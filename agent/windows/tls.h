/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS to the broker by Windows' own Schannel: 1.3 where this Windows has it, else 1.2, with our certificate once we have one. Nothing here blocks; whoever
 * has it waits for its event and calls step. One thread.
 *
 *	connecting ──► handshake ──the broker's certificate is good──► open ──► closed, with a reason
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define TLS_DEADLINE_MS 15000 /* up to open */

struct tls;

struct tls_params {
	const char *host; /* numeric */
	uint16_t port;
	const void *ca, *cert; /* PCCERT_CONTEXT; cert NULL: we have none yet. Must outlive it */
	const char *peer;      /* the URI that the other side's certificate must have; borrowed */
};

/* Begins to connect. Returns owned, NULL with err. */
struct tls *tls_dial(const struct tls_params *p, uint64_t now_ms, struct pst_err *err);
/* Says good-bye as far as it goes without waiting. Accepts NULL. */
void tls_close(struct tls *t);

/* A HANDLE that is signalled when step has something to do. */
void *tls_event(const struct tls *t);
bool tls_is_open(const struct tls *t);
/* When step is wanted though nothing happened, UINT64_MAX for never. */
uint64_t tls_next_ms(const struct tls *t);

/* Goes on as far as it can; what came is appended to in. PST_E… with a sentence: it is over. */
int tls_step(struct tls *t, uint64_t now_ms, struct pst_buf *in, struct pst_err *err);

/* Takes what it can of out (which is consumed); the rest when step has made room. */
int tls_send(struct tls *t, struct pst_buf *out, struct pst_err *err);

/* "TLS 1.3", for the log; "" before it is open. */
const char *tls_version(const struct tls *t);
