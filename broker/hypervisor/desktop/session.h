/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runs in a desktop, in which order and with which environment. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/desktop/launch.h"

#include <stdbool.h>
#include <stddef.h>

/* Things that services wait for. */
enum session_need {
	SESSION_X = 1 << 0,      /* the X server answers */
	SESSION_SCREEN = 1 << 1, /* first mode and background are set */
	SESSION_KEYS = 1 << 2,   /* keyboard layout is set */
	SESSION_WM = 1 << 3,     /* the window manager has announced itself */
	SESSION_PAINTED = 1 << 4,
};

struct session_service {
	const char *name;
	const char *argv[20]; /* argv[0] is looked up in PATH; NULL-terminated */
	unsigned needs;       /* SESSION_... that must hold before it starts */
	unsigned gives;       /* what holds once it has ended well (one-shot) */
	bool is_x;            /* the X server: gives SESSION_X by its -displayfd */
	bool stays;           /* survives the end of a user's session */
	bool optional;        /* a missing program is no fault */
};

#define SESSION_SERVICES_MAX 16
#define SESSION_DISPLAYFD 3 /* the descriptor number the X server writes to */

struct session {
	struct session_service services[SESSION_SERVICES_MAX];
	size_t services_n;
	char *env[32];
	size_t env_n;
	char text[8][96]; /* storage of computed arguments */
};

/* Fills both lists; display is the X server's number. env strings are owned: end with session_finish. */
int session_init(struct session *s, const struct launch *l, unsigned display, struct pst_err *err);
void session_finish(struct session *s);

/* Writes the cookie file that X server and clients share. As the desktop's uid. */
int session_cookie(struct pst_err *err);
