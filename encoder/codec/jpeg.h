/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A JPEG compressor that is kept from one rectangle to the next; used by the jpeg codec and by tight. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "encoder/pixmap.h"

struct jpeg_writer;

/* NULL when out of memory. */
struct jpeg_writer *jpeg_writer_create(void);
/* Accepts NULL. */
void jpeg_writer_destroy(struct jpeg_writer *j);
/* Whether fewer bytes are worth twice the time; at first not. */
void jpeg_writer_set_thrift(struct jpeg_writer *j, bool is_thrifty);
/* Appends a baseline JFIF of r; quality 1…100. On failure out may hold a part: the caller cuts it off. */
int jpeg_writer_write(struct jpeg_writer *j, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err);
