/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate: everything of Puesto that faces the network. It accepts, keeps limits and deadlines, serves HTTPS, and hands each display
 * connection to a worker. It holds no database, no password store and no token longer than a request.
 */
#pragma once

#include <uv.h>

#include "base/err.h"

struct gate;
struct gate_config;

/* Opens listeners, certificate and web files (as root where that needs root). config is borrowed. Takes spawner_fd. */
struct gate *gate_create(uv_loop_t *loop, const struct gate_config *config, int spawner_fd, struct pst_err *err);
/*
 * Locks the process down (lock_down, unless NULL, gets the web directory, borrowed), connects to the broker and starts to serve; call it
 * after privileges were dropped.
 */
int gate_start(struct gate *g, int (*lock_down)(int web_dir_fd, struct pst_err *err), struct pst_err *err);
/* Reads certificate and key anew through the spawner. */
void gate_reload(struct gate *g);
/* Tells viewers and ends everything; the loop then runs dry. */
void gate_stop(struct gate *g);
/* After the loop. Accepts NULL. */
void gate_destroy(struct gate *g);
