/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's body, shared by agent.c (making, waiting, ending), orders.c (the broker's side) and occupancy.c (Windows' side). */
#pragma once

#include "agent/windows/agent.h"
#include "agent/windows/checkup.h"
#include "agent/windows/guard.h"
#include "agent/windows/line.h"
#include "agent/windows/probe.h"
#include "agent/windows/seeding.h"
#include "agent/windows/settings.h"

struct agent {
	const struct disk *disk;
	const char *seed; /* a file, or NULL */
	bool is_service;
	struct settings settings;
	struct hold hold;
	struct seats seats;
	struct guard guard;
	struct pending pending; /* the token that waits to be used; desktop "" for none */
	char boot[PST_UUID_SIZE];
	struct identity *identity;
	struct talk *talk;
	struct line *line;
	struct probe *probe;
	struct checkup *checkup;
	void *stop, *wake; /* HANDLE */
	uint64_t look_ms;  /* when the sessions are looked at though nobody called */
	bool is_logging_off; /* by order: reported when the last remote log-on has ended */
};

uint64_t agent_now_ms(void);

/* orders.c */
extern const struct talk_events orders_events;
/* user: that it is about, or "". */
void orders_report(struct agent *a, const char *event, const char *user, const char *account, const char *reason);
/* The hold goes to disk; a line in the log where that fails. */
int orders_keep(struct agent *a, struct pst_err *err);
/* Desktop and key as the seed and the disk have them. */
int orders_open(struct agent *a, const struct place *place, struct pst_err *err);
bool orders_is_enrolled(const struct agent *a);

/* occupancy.c */
void occupancy_look(struct agent *a, uint64_t now_ms);
void occupancy_logoff(struct agent *a, const char *reason);
void occupancy_message(struct agent *a, const char *text);
bool occupancy_is_in(const struct agent *a);
