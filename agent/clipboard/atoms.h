/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The atoms of ICCCM's selections. */
#pragma once

#include <X11/Xlib.h>

struct clipboard_atoms {
	Atom clipboard, targets, timestamp, utf8, text, text_plain, text_plain_utf8, incr, property;
};

void clipboard_atoms_get(Display *dpy, struct clipboard_atoms *ret);
