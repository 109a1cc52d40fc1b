/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A folder of a test's own, which goes with the test, and small files in it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Absolute, without a link in it. */
extern char disk_folder[64];

/* For .init and .fini of a test. */
void disk_folder_make(void);
void disk_folder_remove(void);

/* The path of a name in it; the last eight answers stay. */
const char *disk_at(const char *name);

/* A file of size bytes that begins with len bytes of data; returns disk_at(name). */
const char *disk_file(const char *name, const void *data, size_t len, uint64_t size);

/* How many names there are in it. */
unsigned disk_names(void);
