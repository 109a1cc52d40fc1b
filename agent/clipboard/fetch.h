/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads another program's CLIPBOARD: converted to UTF-8, whole or in pieces, with a deadline and a ceiling.
 */
#pragma once

#include <uv.h>

#include "agent/clipboard/atoms.h"
#include "agent/x11.h"

struct fetch;

/* done gets valid UTF-8, at most max bytes; nothing comes where the owner fails. Returns owned, NULL on no
 * memory. */
struct fetch *fetch_create(uv_loop_t *loop, struct x11 *x, Window window, const struct clipboard_atoms *atoms,
	size_t max, void (*done)(void *arg, const char *utf8, size_t len), void *arg);
void fetch_destroy(struct fetch *f);

/* Asks the present owner; a fetch under way is given up. */
void fetch_start(struct fetch *f, Time time);
void fetch_stop(struct fetch *f);

/* SelectionNotify and PropertyNotify events are for here; others are ignored. */
void fetch_event(struct fetch *f, const XEvent *ev);
