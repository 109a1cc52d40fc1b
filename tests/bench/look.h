/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's screen beside the server's: what changes there, where the one shows the other, how they differ.
 * Places are the server's. */
#pragma once

#include <X11/extensions/Xdamage.h>
#include <stdbool.h>
#include <stdint.h>

#include "screen.h"

struct look {
	struct screen client, server;
	Damage damage;
	int damage_event;
	int32_t dx, dy;          /* from the server's screen to the client's */
	uint32_t *mine, *theirs; /* what look_grab and look_differing took of the client and of the server */
};

uint64_t now_ns(void);

/* Both are X displays; the server may be a file of Xvfb's. False with a sentence on standard error. Ends with
 * the program. */
bool look_open(struct look *l, const char *client, const char *server);
/* Waits until the client's screen has changed, or until then; what was drawn before it returns is seen by the
 * next grab. */
void look_await(struct look *l, uint64_t until);
/* Learns where the client shows this part of the server's screen; the mean difference of brightness there,
 * below 0 when it cannot be looked for. */
double look_find(struct look *l, const struct rect *r);
/* This part of the client's screen, into mine. */
bool look_grab(struct look *l, const struct rect *r);
/* How many pixels of this part differ; it is in mine and theirs then. */
long look_differing(struct look *l, const struct rect *r);
/* Mean of 4 x 4 pixels of the client around this place; -1 when it is outside. */
int look_brightness(struct look *l, int32_t x, int32_t y);
/* Moves the client's pointer; with a click the window there gets the keys, and a button. */
void look_point(struct look *l, int32_t x, int32_t y, bool is_click);
