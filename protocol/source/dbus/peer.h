/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One D-Bus connection without a bus, on a descriptor, on a libuv loop: sd-bus speaks, we wait for it. Nothing
 * here blocks: no call may be made that waits for its answer, for the other side waits for ours.
 */
#pragma once

#include <systemd/sd-bus.h>
#include <uv.h>

#include "base/err.h"

struct dbus_peer;

struct dbus_peer_events {
	/* The handshake is over, descriptors can be passed. Once. */
	void (*ready)(void *arg);
	/* The end; nothing comes after it. The peer is not closed from inside. */
	void (*closed)(void *arg);
};

/* Takes fd, whatever becomes of it. NULL with err. Objects and filters are added to dbus_peer_bus before the loop's next turn. */
struct dbus_peer *dbus_peer_open(uv_loop_t *loop, int fd, const struct dbus_peer_events *events, void *arg, struct pst_err *err);
/* Borrowed. */
sd_bus *dbus_peer_bus(struct dbus_peer *p);
/* To be called after something was sent on the bus from outside its callbacks. */
void dbus_peer_touch(struct dbus_peer *p);
/* Sends what the socket takes at once, and frees. Accepts NULL. No event follows. */
void dbus_peer_close(struct dbus_peer *p);
