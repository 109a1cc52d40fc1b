/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The display link's messages: what an agent in a desktop and a display worker say to each other, as bytes
 * and back (docs/display-link.md). Pure: no sockets, no clocks. Everything that is decoded is hostile until
 * it came out of here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "encoder/rect.h"
#include "protocol/link/input.h"

#define LINK_MAGIC 0x4b4c5350u /* "PSLK" in memory */
#define LINK_VERSION 2         /* 2: INPUT may be a scale */
#define LINK_VERSION_OLDEST 1
#define LINK_HEADER 8              /* bytes: type, flags, zero (2), length (4, little-endian) */
#define LINK_GRANT_MAX 4096        /* bytes of a grant's text */
#define LINK_REASON_MAX 512        /* bytes of UTF-8 */
#define LINK_RECTS_MAX 256         /* in one DAMAGE */
#define LINK_CHUNK_MAX (64 * 1024) /* bytes of one CLIPBOARD message; the text has at most 1 MiB */
#define LINK_TILE_SIDE 256         /* of one PIXELS tile */
#define LINK_FORMAT_BGRX 1         /* the only pixel format so far: see encoder/pixmap.h */

/* zstd's bound for the largest tile, rounded up. */
#define LINK_PIXELS_MAX (LINK_TILE_SIDE * LINK_TILE_SIDE * 4 + 2048)

/* The longest frame of all, with its header: a cursor of 256 × 256 or a PIXELS tile. */
#define LINK_FRAME_MAX (LINK_HEADER + 16 + LINK_PIXELS_MAX)

enum link_type {
	LINK_HELLO = 1,
	LINK_WELCOME = 2,
	LINK_SURFACE = 3,
	LINK_DAMAGE = 4,
	LINK_CURSOR = 5,
	LINK_POINTER_MOVED = 6,
	LINK_CLIPBOARD = 7,
	LINK_BELL = 8,
	LINK_BYE = 9,
	LINK_PIXELS = 10,
	LINK_INPUT = 16,
	LINK_RESIZE = 17,
	LINK_READY = 18,
};

/* Who may send a message. */
enum link_side { LINK_AGENT = 1, LINK_WORKER = 2 };

/* Flags of HELLO and WELCOME: the worker cannot map the agent's memory, pixels must come as bytes. */
#define LINK_FLAG_PIXELS 1
/* Flag of CLIPBOARD: the text ends with this message. */
#define LINK_FLAG_LAST 1
/* Flag of SURFACE: a descriptor travels with its first byte. */
#define LINK_FLAG_FD 1

/* Text and bytes are borrowed: from the frame when decoded, from the caller when encoded. */
struct link_message {
	enum link_type type;
	uint8_t flags;
	union {
		struct {
			uint16_t version_min, version_max;
			uint16_t width, height; /* the viewer's wish, 0 × 0 for none */
			const char *grant;
			size_t grant_len;
		} hello;
		struct {
			uint16_t version;
			uint16_t max_width, max_height;
		} welcome;
		struct {
			uint32_t serial; /* counts surfaces, from 1 */
			uint16_t width, height;
			uint32_t stride, format;
			uint64_t offset, size; /* of the first pixel, and of the whole file, in bytes */
		} surface;
		struct {
			uint32_t sequence; /* counts damage reports, from 1 */
			uint16_t n;
			struct rect rects[LINK_RECTS_MAX];
		} damage;
		struct {
			uint16_t w, h, hot_x, hot_y;
			const uint8_t *pixels; /* w × h × 4 bytes, at any alignment */
		} cursor;
		struct {
			int32_t x, y;
		} pointer;
		struct {
			const char *bytes;
			size_t len;
		} clipboard;
		struct {
			int32_t code; /* PST_E…, 0 for log-off */
			const char *reason;
			size_t len;
		} bye;
		struct {
			struct rect tile;
			const uint8_t *data; /* zstd frame of tile.w × tile.h × 4 bytes */
			size_t len;
		} pixels;
		struct input_event input;
		struct {
			uint16_t width, height;
		} resize;
		struct {
			uint32_t sequence; /* of the damage that has been used */
		} ready;
	};
};

/*
 * Reads one frame that `from` sent. Returns the frame's length with its header and fills ret; 0 when more
 * bytes are needed; PST_EPROTO (unknown or foreign type, bad field) or PST_ELIMIT (above the type's ceiling)
 * with err.
 */
long link_decode(
	const void *data, size_t len, enum link_side from, struct link_message *ret, struct pst_err *err);

/* Appends one frame. PST_EINVAL when the message breaks a ceiling of its type (nothing is appended), or the
 * buffer's error. */
int link_encode(struct pst_buf *out, const struct link_message *m);

/* "DAMAGE"; "?" for an unknown type. */
const char *link_type_name(enum link_type type);
