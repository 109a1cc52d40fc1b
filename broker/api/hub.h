/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The live streams. What changes is noted and sent in batches, a tenth of a second later and
 * after it was committed; an object that changes ten times meanwhile is sent once. What is noted
 * is bounded: beyond it the readers are told to load their lists again ("reset").
 */
#pragma once

#include "broker/api/call.h"

#define HUB_READERS_MAX 64
#define HUB_READERS_USER_MAX 8

struct hub;
struct api;

struct hub *hub_create(struct api *api);
/* The readers' calls are the caller's to end first. */
void hub_destroy(struct hub *hub);

void hub_changed(struct hub *hub, const char *kind, const char *id);
void hub_audited(struct hub *hub);

/* Makes the call a reader; false: too many. last_seq < 0 starts with what comes next. */
bool hub_join(struct hub *hub, struct api_call *call, int64_t last_seq);
