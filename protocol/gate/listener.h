/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The listening sockets of the gate: accept, count against the limits, pass on to an intake. */
#pragma once

#include "base/err.h"

struct gate;

/* Opens every configured address. A taken port is an error that says so. */
int listener_open_all(struct gate *g, struct pst_err *err);
void listener_close_all(struct gate *g);
