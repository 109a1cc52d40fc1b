/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pixel codec: turns one rectangle of a pixmap into bytes for a wire. Each lives in encoder/codec/NAME.c
 * and may keep state from one rectangle to the next (a zlib stream), which then belongs to one connection and
 * one direction.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "encoder/pixmap.h"

struct codec;

struct codec_type {
	const char *name;
	bool is_lossless;
	bool is_stateful; /* output depends on earlier output: order must be kept, and nothing may be dropped
			   */
	struct codec *(*create)(void);
	void (*destroy)(struct codec *c);
	/* Appends to out. quality 1…100 is for lossy codecs. On failure nothing usable was appended; a
	 * stateful codec is then dead. */
	int (*encode)(struct codec *c, const struct pixmap *p, const struct rect *r, int quality,
		struct pst_buf *out, struct pst_err *err);
	/* Optional: whether fewer bytes are worth more time. */
	void (*set_thrift)(struct codec *c, bool is_thrifty);
};

/* Embedded first in every codec's own struct. */
struct codec {
	const struct codec_type *type;
};

/* NULL when out of memory. */
struct codec *codec_create(const struct codec_type *type);
/* Accepts NULL. */
void codec_destroy(struct codec *c);
/* From the next rectangle on, fewer bytes are worth more time, or not; at first not. Codecs that have no choice ignore it. */
void codec_set_thrift(struct codec *c, bool is_thrifty);
/* Checks that r lies in p, then encodes. */
int codec_encode(struct codec *c, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err);

/* RFB Tight (RFB 7.7.6): fill, mono, palette, full colour over four zlib streams; JPEG where quality is 1…100
 * and the area is a picture. */
extern const struct codec_type codec_tight;
/* RFB ZRLE (RFC 6143 §7.7.6), one zlib stream. */
extern const struct codec_type codec_zrle;
/* JPEG (baseline, 4:2:0 below quality 90, 4:4:4 from there), libjpeg-turbo. */
extern const struct codec_type codec_jpeg;
/* Our own lossless codec of the web protocol: palette or rows by prediction, then one zstd stream with a long
 * window. See docs/web-protocol.md. */
extern const struct codec_type codec_flat;
/* The same without stream state: every rectangle stands alone. */
extern const struct codec_type codec_flat_single;
/* RDP ClearCodec ([MS-RDPEGFX] 2.2.4.1): bands of columns that the client keeps, for text and what is drawn. RDP8 bulk
 * compression is meant to follow. */
extern const struct codec_type codec_clear;
