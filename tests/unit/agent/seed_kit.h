/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of seeds share: a temporary root, an authority, a seed with one field changed. */
#pragma once

#include <stddef.h>

/* A new folder below /tmp; kit_close removes it with all that is in it. */
void kit_open(void);
void kit_close(void);
const char *kit_root(void);

/* root + path, in one of a few buffers. */
const char *kit_path(const char *path);
void kit_put(const char *path, const void *data, size_t len);
/* The file's text ("" when there is none), owned. */
char *kit_get(const char *path);

/* A whole seed as JSON (owned), with key set to value (a JSON text), or without key for NULL. */
char *kit_seed(const char *key, const char *value);

#define KIT_DESKTOP "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11"
