/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loads an XKB layout into the X server, as setxkbmap does, without a program of its own. */
#pragma once

#include "agent/x11.h"

#define LAYOUT_RULES_DIR "/usr/share/X11/xkb/rules"

/*
 * name: "es" or "de(nodeadkeys)", characters checked again here. Rules evdev, model pc105. The server
 * compiles the map (about 50 ms) and it is in force on return. 0, PST_EINVAL for a name that XKB does not
 * know, PST_E… with err.
 */
int layout_load(struct x11 *x, const char *name, struct pst_err *err);

/* Splits "de(nodeadkeys)" into layout and variant ("" for none), each of size bytes. False for a malformed
 * name. Pure. */
bool layout_split(const char *name, char *layout, char *variant, size_t size);
