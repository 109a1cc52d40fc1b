/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the spawner reaches a desktop's display link without being led elsewhere by what lies in the desktop's own folder. */
#pragma once

#include <stdbool.h>

/* A uuid in lower case, as it names a desktop. */
bool spawn_is_desktop(const char *s);

/*
 * Connects to desktops_dir/<uuid>/run/display.sock. No step may be a symbolic link and the last must be a socket, because
 * the desktop's user owns that folder. Returns a connected non-blocking fd or -errno.
 */
int spawn_open_display(const char *desktops_dir, const char *uuid);
