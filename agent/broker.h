/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent's line to the broker: enrolment once, hello at every connection, reports, orders. The broker may
 * be away for as long as it likes: reports wait (the newest BROKER_REPORTS_MAX) and streams never notice.
 * Loop thread only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "agent/lease.h"

#define BROKER_REPORTS_MAX 64

struct broker;
struct dial;
struct identity;

struct broker_events {
	/* A connection stands and no key is there yet: gives desktop and token (borrowed), or false when
	 * there are none. */
	bool (*token)(void *arg, const char **ret_desktop, const char **ret_token);
	/* The token was taken; the key is ours. */
	void (*enrolled)(void *arg, const uint8_t key[LEASE_KEY_SIZE]);
	/* The identity has a new certificate. */
	void (*certified)(void *arg);
	/* Returns what hello says of us, owned; NULL: not yet, broker_greet() comes. */
	json_t *(*state)(void *arg);
	void (*lease)(void *arg, uint64_t epoch);
	void (*logoff)(void *arg, const char *reason);
	void (*message)(void *arg, const char *text);
	/* The user's own files are to be in the home, or are to leave it. */
	void (*personal)(void *arg, bool is_wanted);
};

/* Where the broker is: a socket of this host, or (dial and identity set) behind TLS. All borrowed; path is copied. */
struct broker_way {
	const char *path;
	struct dial *dial;
	struct identity *identity;
};

/* Returns owned, NULL on no memory. */
struct broker *broker_create(
	uv_loop_t *loop, const struct broker_way *way, const struct broker_events *events, void *arg);
void broker_close(struct broker *b);

/* state() has something to say now. */
void broker_greet(struct broker *b);
/* The key is known from earlier: hello may be said. */
void broker_set_enrolled(struct broker *b);

/* {"op":"report","event":…} with the fields of body, which is taken. */
void broker_report(struct broker *b, const char *event, json_t *body);
