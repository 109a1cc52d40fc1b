/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clipboard text between the viewer and the desktop's X selections. Incoming text becomes the CLIPBOARD and
 * PRIMARY selection, owned by a window of ours; what a program of the desktop copies is fetched and handed
 * out. A text never comes back to where it came from. Loop thread only.
 */
#pragma once

#include "agent/x11.h"

#define CLIPBOARD_MAX (1024 * 1024) /* bytes of UTF-8, either way */

struct clipboard;

/* copied: a program of the desktop copied a text (valid UTF-8, at most CLIPBOARD_MAX). Returns owned, NULL
 * with err. */
struct clipboard *clipboard_create(uv_loop_t *loop, struct x11 *x,
	void (*copied)(void *arg, const char *utf8, size_t len), void *arg, struct pst_err *err);
void clipboard_destroy(struct clipboard *c);

/* Nothing is fetched unless somebody wants it. */
void clipboard_watch(struct clipboard *c, bool is_watched);

/* The viewer's text (valid UTF-8, at most CLIPBOARD_MAX; copied). */
void clipboard_set(struct clipboard *c, const char *utf8, size_t len);

/* Wipes what was set and gives the selections up: the next user finds nothing. */
void clipboard_clear(struct clipboard *c);
