/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtio-serial port over which a running machine is given its seed: an instant clone has the devices,
 *and the memory, of its parent, so nothing that was read at the boot can tell it who it is. Each message is
 *one line of JSON:
 *
 *	machine: {"seed":"waiting"}     it is painted and has no name yet; said again whenever somebody opens
 *the port host:    the seed (seed.h) machine: {"seed":"applied"}  or  {"seed":"refused","reason":text}
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

#define SEED_PORT "org.puesto.seed"

/* The port of that name: its descriptor (owned), PST_ENOTFOUND when this machine has none. */
int port_open(const char *root, const char *name, struct pst_err *err);

/* Says that we wait and returns the next line that comes (owned, without its end), however long that takes;
 * PST_EINVAL when it exceeds max. */
int port_wait(int fd, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err);

/* reason NULL: applied. */
void port_answer(int fd, const char *reason);
