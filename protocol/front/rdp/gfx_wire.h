/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PDUs of the graphics pipeline, [MS-RDPEGFX] 2.2, as bytes: pure writers of what a server says and one parser of what a client
 * says. Every PDU begins with RDPGFX_HEADER (cmdId, flags, pduLength), little-endian.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "encoder/rect.h"

#define GFX_CAPSETS_MAX 32
#define GFX_PDU_MAX (64u * 1024 * 1024)

enum gfx_codec {
	GFX_CODEC_UNCOMPRESSED = 0x0000,
	GFX_CODEC_CAVIDEO = 0x0003,
	GFX_CODEC_CLEAR = 0x0008,
	GFX_CODEC_PLANAR = 0x000a,
	GFX_CODEC_AVC420 = 0x000b,
	GFX_CODEC_AVC444V2 = 0x000f,
};

enum gfx_version {
	GFX_VERSION_8 = 0x00080004,
	GFX_VERSION_81 = 0x00080105,
	GFX_VERSION_10 = 0x000a0002,
	GFX_VERSION_102 = 0x000a0200,
};
#define GFX_CAPS_THINCLIENT 0x01u
#define GFX_CAPS_SMALL_CACHE 0x02u
#define GFX_CAPS_AVC420_ENABLED 0x10u  /* 8.1 */
#define GFX_CAPS_AVC_DISABLED 0x20u    /* 10 and above */

struct gfx_capset {
	uint32_t version, flags;
};

enum gfx_client_kind { GFX_CLIENT_CAPS, GFX_CLIENT_FRAME_ACK, GFX_CLIENT_OTHER };

struct gfx_client_pdu {
	enum gfx_client_kind kind;
	union {
		struct {
			struct gfx_capset sets[GFX_CAPSETS_MAX];
			uint16_t len;
		} caps;
		struct {
			uint32_t queue_depth, frame_id, total;
		} ack;
	};
};

/* [MS-RDPEGFX] 2.2.2.13: reports no longer wanted; the client stops acknowledging. */
#define GFX_QUEUE_SUSPENDED 0xffffffffu

/* True when the set lets the server send H.264 4:2:0. */
bool gfx_wire_has_avc(const struct gfx_capset *set);

/* And H.264 with all of the chroma, in YUV444v2 mode, which clients have from 10.1 on. */
bool gfx_wire_has_avc444(const struct gfx_capset *set);

/* True when the client's bitmap cache has 16 MB and not 100. */
bool gfx_wire_has_small_cache(const struct gfx_capset *set);

/* One PDU from data; returns its bytes, 0 when it is not whole, negative with err. */
long gfx_wire_parse(const uint8_t *data, size_t len, struct gfx_client_pdu *ret, struct pst_err *err);

void gfx_wire_caps_confirm(struct pst_buf *out, const struct gfx_capset *set);
void gfx_wire_reset(struct pst_buf *out, int32_t width, int32_t height);
void gfx_wire_create_surface(struct pst_buf *out, uint16_t id, int32_t width, int32_t height);
void gfx_wire_delete_surface(struct pst_buf *out, uint16_t id);
void gfx_wire_map_surface(struct pst_buf *out, uint16_t id, int32_t x, int32_t y);
void gfx_wire_start_frame(struct pst_buf *out, uint32_t frame_id, uint32_t timestamp);
void gfx_wire_end_frame(struct pst_buf *out, uint32_t frame_id);
void gfx_wire_solid_fill(struct pst_buf *out, uint16_t id, uint32_t rgb, const struct rect *r);
/* From one surface to another or to the same. */
void gfx_wire_copy(struct pst_buf *out, uint16_t from_id, uint16_t to_id, const struct rect *to, int32_t from_x, int32_t from_y);
/* A part of a surface into a slot of the client's cache, from 1 on; back to a surface; a slot made empty. */
void gfx_wire_to_cache(struct pst_buf *out, uint16_t id, uint64_t key, uint16_t slot, const struct rect *r);
void gfx_wire_from_cache(struct pst_buf *out, uint16_t slot, uint16_t id, int32_t x, int32_t y);
void gfx_wire_evict(struct pst_buf *out, uint16_t slot);
void gfx_wire_bits(struct pst_buf *out, uint16_t id, enum gfx_codec codec, const struct rect *r, const void *data, size_t len);
/* RFX_AVC420_BITMAP_STREAM (2.2.4.4) with one region over the whole w × h. */
void gfx_wire_avc420(struct pst_buf *out, uint16_t id, int32_t w, int32_t h, uint8_t qp, const void *data, size_t len);
/* RFX_AVC444V2_BITMAP_STREAM (2.2.4.6) with both views, each with the same region. */
void gfx_wire_avc444(struct pst_buf *out, uint16_t id, int32_t w, int32_t h, uint8_t qp, const void *data, size_t len, const void *chroma,
		     size_t chroma_len);
