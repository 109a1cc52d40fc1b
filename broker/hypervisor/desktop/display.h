/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The number of a desktop's X display. X clients try the abstract socket of that number before the one in /tmp, and desktops with the
 * machine's network share its abstract names: whoever had the name could pose as the X server and read what is typed. So process 1
 * holds it, without listening; clients are refused there and go on to the socket in /tmp, which is the desktop's own.
 */
#pragma once

#include "base/err.h"

#include <sys/types.h>

/*
 * Takes the name of a number that nobody has, the uid where possible, until the process ends. After confine_drop: where Landlock
 * scopes abstract sockets, its "not permitted" would end a client's search. 0 or negative with err.
 */
int display_hold(uid_t uid, unsigned *ret_number, struct pst_err *err);
