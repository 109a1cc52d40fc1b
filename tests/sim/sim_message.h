/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is on its way between the parts of the simulated world. */
#pragma once

#include "broker/core/event.h"

#include <stdbool.h>
#include <stdint.h>

#define MESSAGES_MAX 4096

struct world;

enum what {
	TO_PROVISIONER, /* a command */
	PROVISIONER_DONE,
	TASK_ANSWER,
	INVENTORY_ASK,
	INVENTORY_ANSWER,
	AGENT_START,
	AGENT_CONNECT,
	AGENT_TOLD,
	AGENT_SAYS,
	AGENT_CUT, /* its connection was found dead */
	END_SESSION,
	SESSION_SAYS,
	USER_ACTS,
	BROKER_START,
	PROVISIONER_START,
	GATEWAY_HELLO,
	ADMIN_ACTS,
	MEDDLES,
	FAULT,
	WHAT_COUNT,
};

struct message {
	int64_t at;
	uint64_t seq;
	enum what what;
	int broker, provisioner; /* the lives of those it needs; -1: whichever */
	int user, host, disk_user, disk_pool; /* host: of a create or a move; -1: none. disk_: of an attach or a detach */
	enum task_kind kind;
	enum agent_tell tell;
	bool ok, retryable, kept, restores; /* kept, restores: a disk into the recycle bin, and out of it */
	int64_t epoch;
	char desktop[CORE_ID_SIZE], task[CORE_ID_SIZE], session[CORE_ID_SIZE], boot[CORE_ID_SIZE];
	char token[44], word[16], version[8];
};

/* sim_rand.c */
/* A message at now + delay; borrowed until the next call. */
struct message *sim_post(struct world *w, enum what what, int64_t delay);
bool sim_take(struct world *w, struct message *ret); /* the next one; false: none */
