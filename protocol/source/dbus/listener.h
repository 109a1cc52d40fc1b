/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What QEMU calls to show its screen: org.qemu.Display1.Listener, and .Listener.Unix.Map, by which newer ones
 * share their memory ("D-Bus display" in QEMU's manual, Interoperability). QEMU waits for each answer, so every
 * call is answered at once, whatever becomes of the viewer; damage that nobody takes is merged.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "encoder/region.h"
#include "protocol/link/cursor_image.h"
#include "protocol/source/dbus/picture.h"

/* All come from inside sd_bus_process. What is borrowed is so for the call. */
struct dbus_listener_events {
	void (*surface)(void *arg, const struct pixmap *screen); /* readable until the next */
	void (*damage)(void *arg, const struct rect *rects, size_t n);
	void (*cursor)(void *arg, const struct cursor_image *image);
	void (*moved)(void *arg, int32_t x, int32_t y);
	/* What is shown is not what it draws into any more: it has to show it anew. */
	void (*stale)(void *arg);
	/* It said what cannot be. */
	void (*failed)(void *arg, const struct pst_err *err);
};

struct dbus_listener {
	const struct dbus_listener_events *events;
	void *arg;
	struct dbus_picture picture;
	struct region damage;
	bool has_credit;
	uint32_t shape[CURSOR_SIDE_MAX * CURSOR_SIDE_MAX];
};

/* Both are the caller's and stay until the bus is gone; l is zeroed but for its events. 0, or PST_ENOMEM. */
int dbus_listener_add(struct dbus_listener *l, sd_bus *bus);
/* What was shown has been used. */
void dbus_listener_ready(struct dbus_listener *l);
void dbus_listener_finish(struct dbus_listener *l);
