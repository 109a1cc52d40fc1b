/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connection to the broker: dials, waits longer after each failure, and carries what talk.c says and hears. One thread. */
#pragma once

#include "agent/windows/identity.h"
#include "agent/windows/talk.h"

struct line;

/* address: ADDRESS:PORT, copied. identity and talk are borrowed. Returns owned, NULL with err. */
struct line *line_create(const char *address, struct identity *identity, struct talk *talk, struct pst_err *err);
void line_destroy(struct line *l);

/* Whether there is something to say: without, nobody is dialled (the broker hangs up on who says no hello). */
void line_want(struct line *l, bool is_wanted);

void *line_event(const struct line *l); /* a HANDLE, or NULL: not connected */
uint64_t line_next_ms(const struct line *l);
void line_step(struct line *l, uint64_t now_ms);
