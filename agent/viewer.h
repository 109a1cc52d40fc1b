/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One worker on the display link: its HELLO with the grant, then what it sends and what we send it. Whether
 *it is let in is the owner's decision.
 *
 *	waiting ──admit──► attached ──► ended
 *	   └──────refuse, deadline──────► ended
 */
#pragma once

#include "agent/capture/store.h"
#include "protocol/link/channel.h"
#include "protocol/link/cursor_image.h"

struct viewer;

struct viewer_hello {
	const char *grant;
	size_t grant_len;
	int32_t width, height; /* wish, 0 for none */
};

/* Every callback may end the viewer. `ended` comes once, when it ends by itself: the pointer dies after it
 * returns. */
struct viewer_events {
	void (*hello)(struct viewer *v, const struct viewer_hello *hello, void *arg);
	void (*input)(struct viewer *v, const struct input_event *ev, void *arg);
	void (*resize)(struct viewer *v, int32_t width, int32_t height, void *arg);
	void (*ready)(struct viewer *v, void *arg); /* the last damage we sent has been used */
	void (*clipboard)(struct viewer *v, const char *utf8, size_t len, void *arg);
	void (*ended)(struct viewer *v, const char *reason, void *arg);
};

/* Takes fd. Returns owned, NULL with err. */
struct viewer *viewer_create(
	uv_loop_t *loop, int fd, const struct viewer_events *events, void *arg, struct pst_err *err);

/* From inside hello: says WELCOME. */
void viewer_admit(struct viewer *v, uint16_t max_width, uint16_t max_height);

/* Says BYE with a reason and ends: no event follows and the pointer dies. Accepts NULL. */
void viewer_end(struct viewer *v, int code, const char *reason);

/* Only once attached. The store's view is read until the next surface. */
void viewer_surface(struct viewer *v, const struct store *store);
void viewer_damage(struct viewer *v, const struct rect *rects, size_t n);
void viewer_cursor(struct viewer *v, const struct cursor_image *image);
void viewer_pointer_moved(struct viewer *v, int32_t x, int32_t y);
void viewer_clipboard(struct viewer *v, const char *utf8, size_t len);
void viewer_bell(struct viewer *v);

/* Stops reading what the worker sends, and goes on. */
void viewer_pause(struct viewer *v, bool is_paused);
