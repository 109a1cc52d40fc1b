/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The screen as a viewer needs it: a surface, damage, the pointer's shape and place. Nothing happens, and
 * nothing wakes up, unless somebody watches; damage is reported when the viewer is ready for it and merged
 * until then.
 */
#pragma once

#include "agent/capture/store.h"
#include "protocol/link/cursor_image.h"

struct capture;

struct capture_events {
	/* A first or a new surface: map store->fd, or read store->view. Full damage follows at once. */
	void (*surface)(void *arg, const struct store *store);
	/* Pixels of these rectangles are in the surface by now. At most LINK_RECTS_MAX. */
	void (*damage)(void *arg, const struct rect *rects, size_t n);
	void (*cursor)(void *arg, const struct cursor_image *image);
	/* The desktop moved the pointer by itself. */
	void (*pointer_moved)(void *arg, int32_t x, int32_t y);
};

/* fbdir: Xvfb's -fbdir folder or NULL. events must outlive it. Returns owned, NULL with err. */
struct capture *capture_create(struct x11 *x, const char *fbdir, const struct capture_events *events,
	void *arg, struct pst_err *err);

/* Accepts NULL. */
void capture_destroy(struct capture *c);

/* Begins (surface, full damage and cursor come from inside) or ends. */
void capture_watch(struct capture *c, bool is_watched);

/* The viewer has used the last damage: the next may come, from inside this call if it is there already. */
void capture_ready(struct capture *c);

/* The viewer put the pointer there: no pointer_moved for it. */
void capture_pointer_placed(struct capture *c, int32_t x, int32_t y);

/* "fbdir" or "shm". */
const char *capture_store_name(const struct capture *c);
