/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a screen's pixels lie in memory that a worker can map: the file that Xvfb draws into (fbdir), or
 * memory of our own that the X server copies into (shm). One table of functions, two entries, chosen once by
 * store_open.
 */
#pragma once

#include "agent/x11.h"
#include "encoder/pixmap.h"

struct store;

struct store_type {
	const char *name;
	struct store *(*open)(struct x11 *x, const char *fbdir, struct pst_err *err);
	/* The screen has a new size: afterwards fd, offset, size and view are valid for it. */
	int (*resize)(struct store *s, int32_t width, int32_t height, struct pst_err *err);
	/* Brings the pixels of the rectangles (inside the screen) up to date. Does nothing where the X server
	 * draws here itself. */
	void (*fetch)(struct store *s, const struct rect *rects, size_t n);
	void (*close)(struct store *s);
};

/* Embedded first; fields are for reading. */
struct store {
	const struct store_type *type;
	int fd;
	uint64_t offset, size;
	struct pixmap view;
};

extern const struct store_type store_fbdir, store_shm;

/* fbdir NULL or unusable: shm. Returns owned, NULL with err. */
struct store *store_open(struct x11 *x, const char *fbdir, struct pst_err *err);
