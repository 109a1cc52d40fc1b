/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A database with an image, and a provisioner and an audit that remember what they were asked. */
#pragma once

#include "broker/storage/ops.h"

#include <uv.h>

struct db;

#define WORLD_IMAGE "10000000-0000-4000-8000-000000000001"
#define WORLD_VERSION "20000000-0000-4000-8000-000000000001"

struct storage_world {
	struct db *db;
	uv_loop_t loop;
	bool is_connected;
	json_t *asked;  /* array of messages */
	pst_ctl_done_cb done; /* of the last one */
	void *done_arg;
	json_t *events; /* array of kinds */
	unsigned changes, image_changes, restored;
	bool carries_none; /* no provider makes back-ups */
	int restore_error; /* with which a restore is refused, or 0 */
};

extern const struct storage_ops storage_world_ops;

void storage_world_open(struct storage_world *w);
void storage_world_close(struct storage_world *w);

/* The last message of the provisioner's, or "" where there is none. */
const char *storage_world_asked(const struct storage_world *w, const char *key);
/* "a b c" of all kinds of events; static. */
const char *storage_world_events(const struct storage_world *w);
/* Answers the last question: error NULL is a plain reply. */
void storage_world_answer(struct storage_world *w, int error, const char *text);
