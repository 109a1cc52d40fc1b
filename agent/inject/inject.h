/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The viewer's events on the desktop's keyboard and pointer. Loop thread only. */
#pragma once

#include "agent/x11.h"
#include "protocol/link/input.h"

struct inject;

/*
 * idle is called when an event that had to wait is done: see inject_event. Returns owned, NULL with err.
 */
struct inject *inject_create(
	uv_loop_t *loop, struct x11 *x, void (*idle)(void *arg), void *arg, struct pst_err *err);
void inject_destroy(struct inject *in);

/* A viewer came, or left: afterwards no key and no button is down. */
void inject_begin(struct inject *in);
void inject_end(struct inject *in);

/*
 * ev has passed input_event_is_valid. False: it waits for spare keys, and no further event may come before
 * idle; the caller stops reading from its viewer. A layout that cannot be loaded is told in the log.
 */
bool inject_event(struct inject *in, const struct input_event *ev);
