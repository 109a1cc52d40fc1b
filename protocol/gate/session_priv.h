/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of a session, shared with question.c. */
#pragma once

#include "base/ctl.h"
#include "base/hash.h"
#include "protocol/gate/session.h"

struct broker_call;
struct guest;
struct pst_timer;
struct question;

struct session {
	struct gate *gate;
	struct session *next, **at;
	struct pst_ctl *ctl; /* NULL once the worker closed it */
	struct pst_timer *end_timer;
	struct question *questions;
	struct guest *guests;
	struct seat *seat; /* shows the machine to the worker; NULL where it needs none */
	enum spawn_front front;
	uint32_t serial;
	char uuid[PST_UUID_SIZE]; /* "" until granted */
	char remote[64];
	struct limits_key key;
	bool owns_count, has_ended, has_exited, is_killed;
	int exit_status; /* as from waitpid */
	unsigned refusals; /* log-ins that the broker refused */
	json_t *stats;     /* the last that the worker reported */
	json_t *console;   /* a machine's own screen and who looks at it, in the broker's words; NULL for a desktop's session */
	char end_code[64], end_en[256], end_es[256];
	void (*ended)(void *arg, const struct session_end *end);
	void *arg;
};

const char *session_front_name(const struct session *s);
void session_set_grant(struct session *s, const json_t *grant);
