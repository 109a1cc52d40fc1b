/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of images, versions and disks that become one component of a path. Pure. */
#pragma once

#include <stdbool.h>

#define DISK_NAME_MAX 100 /* bytes */

/* A name people may type, without '/', not beginning with '.' or '-'. */
bool disk_name_valid(const char *name);
