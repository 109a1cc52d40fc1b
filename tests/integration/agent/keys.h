/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A window with the focus that reads what is typed, as a program with an input method does. */
#pragma once

#include "tests/integration/agent/desk.h"

struct keys {
	Display *dpy;
	Window window;
	XIM im;
	XIC ic;
	char text[8192];  /* UTF-8, in the order of arrival */
	char trace[8192]; /* "keycode:keysym " of each press, for whoever must find out */
	KeySym last_sym;
	unsigned last_state;
	unsigned presses, releases;
	unsigned wheel[10]; /* presses by button */
};

void keys_open(struct keys *k, struct desk *d);
void keys_close(struct keys *k);

/* Reads all events that are there. */
void keys_read(struct keys *k);

/* Waits until the text ends with want, shows both where it does not. */
void keys_expect(struct keys *k, struct desk *d, const char *want);

/* No key is down in the X server, and no modifier is in force. */
bool keys_all_up(struct keys *k);
