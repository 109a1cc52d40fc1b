/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said between this agent and the broker (docs/display-link.md, docs/windows.md): enrolment once, hello at every connection, reports, orders. Bytes
 * in, bytes out, time as a parameter; whoever holds the connection carries them. The broker may be away for as long as it likes: the newest
 * TALK_REPORTS_MAX reports wait.
 *
 *	closed ──connected──► enrolling ──key, certificate──► greeting ──► greeted
 *	   ▲                      │ refused: again later           │ refused: again later
 *	   └──────────────────────┴────────── the connection ends ─┘
 */
#pragma once

#include "agent/lease.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define TALK_REPORTS_MAX 64
#define TALK_FRAME_MAX (64 * 1024) /* bytes of one message, both ways */
#define TALK_QUEUE_MAX (256 * 1024)

struct talk;

/* What hello says. Texts are borrowed; "" for none. */
struct talk_state {
	const char *desktop, *boot, *user, *fault;
	const char *pin; /* of the certificate at Remote Desktop */
	uint64_t epoch;
	bool is_occupied;
};

/* One report. Texts are copied; "" for none. */
struct talk_report {
	const char *event, *reason;
	const char *desktop, *user;
	const char *account; /* at Windows */
	uint64_t epoch;
};

struct talk_events {
	/* The token that waits to be used, borrowed; false: there is none. */
	bool (*token)(void *arg, const char **ret_desktop, const char **ret_token);
	/* A new key and a request for it (PEM, returns owned, free()). */
	int (*request)(void *arg, const char *desktop, char **ret_csr, struct pst_err *err);
	/* Its certificate, to be kept and used. */
	int (*certified)(void *arg, const char *cert_pem, struct pst_err *err);
	int (*enrolled)(void *arg, const uint8_t key[LEASE_KEY_SIZE], struct pst_err *err);
	bool (*is_due)(void *arg); /* shall the certificate be renewed? */
	/* false: not yet, talk_greet() comes. */
	bool (*state)(void *arg, struct talk_state *ret);
	void (*lease)(void *arg, const char *user, uint64_t epoch);
	void (*logoff)(void *arg, const char *reason);
	void (*message)(void *arg, const char *text);
	void (*power)(void *arg, bool is_restart);
	void (*log)(void *arg, const char *text);
};

/* Returns owned, NULL on no memory. events and arg are borrowed. */
struct talk *talk_create(const struct talk_events *events, void *arg);
void talk_destroy(struct talk *t);

/* The key of an earlier enrolment is there: hello may be said. */
void talk_set_enrolled(struct talk *t, bool is_enrolled);

void talk_connected(struct talk *t, uint64_t now_ms);
void talk_closed(struct talk *t);
bool talk_is_greeted(const struct talk *t);

/* state() has something else to say: hello (again). */
void talk_greet(struct talk *t, uint64_t now_ms);
void talk_report(struct talk *t, const struct talk_report *r);

/* Takes bytes of the broker's. PST_E… ends the connection: its sentence says why. */
int talk_receive(struct talk *t, const void *data, size_t len, uint64_t now_ms, struct pst_err *err);
/* Deadlines and second tries. PST_ETIMEOUT ends the connection. */
int talk_tick(struct talk *t, uint64_t now_ms, struct pst_err *err);
/* When tick is wanted, UINT64_MAX for never. */
uint64_t talk_next_ms(const struct talk *t);
/* What is to be sent; the sender consumes it. */
struct pst_buf *talk_out(struct talk *t);
