/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One round trip for all of them. */
#include "agent/clipboard/atoms.h"

#include "base/mem.h"

void clipboard_atoms_get(Display *dpy, struct clipboard_atoms *ret)
{
	static char *names[] = { "CLIPBOARD", "TARGETS", "TIMESTAMP", "UTF8_STRING", "TEXT", "text/plain",
		"text/plain;charset=utf-8", "INCR", "PUESTO_SELECTION" };
	Atom a[PST_ARRAY_LEN(names)];

	XInternAtoms(dpy, names, (int)PST_ARRAY_LEN(names), False, a);
	*ret = (struct clipboard_atoms){ a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8] };
}
