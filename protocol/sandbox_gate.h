/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate's door: it serves streams that it accepts, reads files below its web directory and calls the broker's unix socket. Programs,
 * processes, other sockets and other files are out of reach; what is unforeseen ends the gate, and its supervisor starts it anew.
 */
#pragma once

#include "base/err.h"

/* After the listeners are open and root is dropped, before a thread is started. web_dir_fd is borrowed. */
int sandbox_gate_enter(int web_dir_fd, struct pst_err *err);
/* The same, but unforeseen calls pass and are logged by the kernel. */
int sandbox_gate_enter_logging(int web_dir_fd, struct pst_err *err);
