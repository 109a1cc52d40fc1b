/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our side as a selection's owner: answers other programs' requests for the viewer's text, in pieces where it
 * is long. */
#pragma once

#include <uv.h>

#include "agent/clipboard/atoms.h"
#include "agent/x11.h"

struct offer;

/* window owns the selections. Returns owned, NULL on no memory. */
struct offer *offer_create(
	uv_loop_t *loop, struct x11 *x, Window window, const struct clipboard_atoms *atoms);
void offer_destroy(struct offer *o);

/* Copies the text and takes both selections with time. Empty text gives them up. */
void offer_set(struct offer *o, const char *utf8, size_t len, Time time);

/* The text is the one that is offered already. */
bool offer_is(const struct offer *o, const char *utf8, size_t len);

/* SelectionRequest, SelectionClear and PropertyNotify events are for here; others are ignored. */
void offer_event(struct offer *o, const XEvent *ev);
