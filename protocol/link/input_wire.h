/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The payload of the link's INPUT message: a kind and its fields, checked on both ways. */
#pragma once

#include "base/buf.h"
#include "base/cursor.h"
#include "protocol/link/input.h"

/* Reads an event to the end of the cursor; a bad field fails the cursor. */
void input_wire_decode(struct pst_cursor *c, struct input_event *ret);

/* Appends an event; false when it breaks a ceiling or is none. */
bool input_wire_encode(struct pst_buf *b, const struct input_event *ev);

/* True when every field is within its ceiling, text is UTF-8 and a layout's name has only the characters XKB
 * uses. */
bool input_event_is_valid(const struct input_event *ev);
