/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graphics pipeline PDUs; see gfx_wire.h. */
#include "protocol/front/rdp/gfx_wire.h"

#include "base/cursor.h"
#include "base/mem.h"

#define HEADER_LEN 8
#define PIXEL_XRGB 0x20

enum gfx_cmd {
	CMD_WIRE_TO_SURFACE_1 = 0x0001,
	CMD_SOLID_FILL = 0x0004,
	CMD_SURFACE_TO_SURFACE = 0x0005,
	CMD_SURFACE_TO_CACHE = 0x0006,
	CMD_CACHE_TO_SURFACE = 0x0007,
	CMD_EVICT_CACHE_ENTRY = 0x0008,
	CMD_CREATE_SURFACE = 0x0009,
	CMD_DELETE_SURFACE = 0x000a,
	CMD_START_FRAME = 0x000b,
	CMD_END_FRAME = 0x000c,
	CMD_FRAME_ACKNOWLEDGE = 0x000d,
	CMD_RESET_GRAPHICS = 0x000e,
	CMD_MAP_SURFACE = 0x000f,
	CMD_CAPS_ADVERTISE = 0x0012,
	CMD_CAPS_CONFIRM = 0x0013,
};

static void put_header(struct pst_buf *out, enum gfx_cmd cmd, size_t body)
{
	pst_buf_put_le16(out, (uint16_t)cmd);
	pst_buf_put_le16(out, 0);
	pst_buf_put_le32(out, (uint32_t)(HEADER_LEN + body));
}

/* RDPGFX_RECT16: left, top, right, bottom; right and bottom are outside. */
static void put_rect(struct pst_buf *out, const struct rect *r)
{
	pst_buf_put_le16(out, (uint16_t)r->x);
	pst_buf_put_le16(out, (uint16_t)r->y);
	pst_buf_put_le16(out, (uint16_t)(r->x + r->w));
	pst_buf_put_le16(out, (uint16_t)(r->y + r->h));
}

static int parse_caps(struct pst_cursor *c, struct gfx_client_pdu *ret, struct pst_err *err)
{
	uint16_t count = pst_cursor_le16(c);
	ret->kind = GFX_CLIENT_CAPS;
	ret->caps.len = 0;
	for (uint16_t i = 0; i < count && pst_cursor_ok(c); i++) {
		struct gfx_capset set = { .version = pst_cursor_le32(c) };
		uint32_t len = pst_cursor_le32(c);
		struct pst_cursor body;
		const uint8_t *data = pst_cursor_bytes(c, len);
		pst_cursor_init(&body, data, data ? len : 0);
		set.flags = pst_cursor_le32(&body);
		if (data && ret->caps.len < GFX_CAPSETS_MAX)
			ret->caps.sets[ret->caps.len++] = set;
	}
	return pst_cursor_ok(c) ? 0 : pst_err_set(err, PST_EPROTO, "the client's graphics capabilities are cut short");
}

static int parse_ack(struct pst_cursor *c, struct gfx_client_pdu *ret, struct pst_err *err)
{
	ret->kind = GFX_CLIENT_FRAME_ACK;
	ret->ack.queue_depth = pst_cursor_le32(c);
	ret->ack.frame_id = pst_cursor_le32(c);
	ret->ack.total = pst_cursor_le32(c);
	return pst_cursor_ok(c) ? 0 : pst_err_set(err, PST_EPROTO, "a frame acknowledgement is cut short");
}

bool gfx_wire_has_avc(const struct gfx_capset *set)
{
	if (set->version == GFX_VERSION_81)
		return set->flags & GFX_CAPS_AVC420_ENABLED;
	return set->version >= GFX_VERSION_10 && !(set->flags & GFX_CAPS_AVC_DISABLED);
}

bool gfx_wire_has_avc444(const struct gfx_capset *set)
{
	return set->version >= GFX_VERSION_102 && gfx_wire_has_avc(set);
}

bool gfx_wire_has_small_cache(const struct gfx_capset *set)
{
	return set->flags & (GFX_CAPS_THINCLIENT | GFX_CAPS_SMALL_CACHE);
}

long gfx_wire_parse(const uint8_t *data, size_t len, struct gfx_client_pdu *ret, struct pst_err *err)
{
	struct pst_cursor c;
	pst_cursor_init(&c, data, len);
	uint16_t cmd = pst_cursor_le16(&c);
	pst_cursor_skip(&c, 2);
	uint32_t total = pst_cursor_le32(&c);
	if (!pst_cursor_ok(&c))
		return 0;
	if (total < HEADER_LEN || total > 64 * 1024)
		return pst_err_set(err, PST_EPROTO, "a graphics message of %u bytes is not possible", total);
	if (len < total)
		return 0;
	pst_cursor_init(&c, data + HEADER_LEN, total - HEADER_LEN);
	int r = 0;
	ret->kind = GFX_CLIENT_OTHER;
	if (cmd == CMD_CAPS_ADVERTISE)
		r = parse_caps(&c, ret, err);
	else if (cmd == CMD_FRAME_ACKNOWLEDGE)
		r = parse_ack(&c, ret, err);
	return r < 0 ? r : (long)total;
}

void gfx_wire_caps_confirm(struct pst_buf *out, const struct gfx_capset *set)
{
	put_header(out, CMD_CAPS_CONFIRM, 12);
	pst_buf_put_le32(out, set->version);
	pst_buf_put_le32(out, 4);
	pst_buf_put_le32(out, set->flags);
}

/* The PDU has 340 bytes whatever the number of monitors: the rest is padding. */
void gfx_wire_reset(struct pst_buf *out, int32_t width, int32_t height)
{
	put_header(out, CMD_RESET_GRAPHICS, 332);
	pst_buf_put_le32(out, (uint32_t)width);
	pst_buf_put_le32(out, (uint32_t)height);
	pst_buf_put_le32(out, 1);
	pst_buf_put_le32(out, 0);
	pst_buf_put_le32(out, 0);
	pst_buf_put_le32(out, (uint32_t)width - 1);
	pst_buf_put_le32(out, (uint32_t)height - 1);
	pst_buf_put_le32(out, 1); /* primary */
	pst_buf_put_zero(out, 332 - 32);
}

void gfx_wire_create_surface(struct pst_buf *out, uint16_t id, int32_t width, int32_t height)
{
	put_header(out, CMD_CREATE_SURFACE, 7);
	pst_buf_put_le16(out, id);
	pst_buf_put_le16(out, (uint16_t)width);
	pst_buf_put_le16(out, (uint16_t)height);
	pst_buf_put_u8(out, PIXEL_XRGB);
}

void gfx_wire_delete_surface(struct pst_buf *out, uint16_t id)
{
	put_header(out, CMD_DELETE_SURFACE, 2);
	pst_buf_put_le16(out, id);
}

void gfx_wire_map_surface(struct pst_buf *out, uint16_t id, int32_t x, int32_t y)
{
	put_header(out, CMD_MAP_SURFACE, 12);
	pst_buf_put_le16(out, id);
	pst_buf_put_le16(out, 0);
	pst_buf_put_le32(out, (uint32_t)x);
	pst_buf_put_le32(out, (uint32_t)y);
}

void gfx_wire_start_frame(struct pst_buf *out, uint32_t frame_id, uint32_t timestamp)
{
	put_header(out, CMD_START_FRAME, 8);
	pst_buf_put_le32(out, timestamp);
	pst_buf_put_le32(out, frame_id);
}

void gfx_wire_end_frame(struct pst_buf *out, uint32_t frame_id)
{
	put_header(out, CMD_END_FRAME, 4);
	pst_buf_put_le32(out, frame_id);
}

void gfx_wire_solid_fill(struct pst_buf *out, uint16_t id, uint32_t rgb, const struct rect *r)
{
	put_header(out, CMD_SOLID_FILL, 16);
	pst_buf_put_le16(out, id);
	pst_buf_put_le32(out, rgb | 0xff000000u);
	pst_buf_put_le16(out, 1);
	put_rect(out, r);
}

void gfx_wire_copy(struct pst_buf *out, uint16_t from_id, uint16_t to_id, const struct rect *to, int32_t from_x, int32_t from_y)
{
	const struct rect from = { from_x, from_y, to->w, to->h };
	put_header(out, CMD_SURFACE_TO_SURFACE, 18);
	pst_buf_put_le16(out, from_id);
	pst_buf_put_le16(out, to_id);
	put_rect(out, &from);
	pst_buf_put_le16(out, 1);
	pst_buf_put_le16(out, (uint16_t)to->x);
	pst_buf_put_le16(out, (uint16_t)to->y);
}

void gfx_wire_to_cache(struct pst_buf *out, uint16_t id, uint64_t key, uint16_t slot, const struct rect *r)
{
	put_header(out, CMD_SURFACE_TO_CACHE, 20);
	pst_buf_put_le16(out, id);
	pst_buf_put_le64(out, key);
	pst_buf_put_le16(out, slot);
	put_rect(out, r);
}

void gfx_wire_from_cache(struct pst_buf *out, uint16_t slot, uint16_t id, int32_t x, int32_t y)
{
	put_header(out, CMD_CACHE_TO_SURFACE, 10);
	pst_buf_put_le16(out, slot);
	pst_buf_put_le16(out, id);
	pst_buf_put_le16(out, 1);
	pst_buf_put_le16(out, (uint16_t)x);
	pst_buf_put_le16(out, (uint16_t)y);
}

void gfx_wire_evict(struct pst_buf *out, uint16_t slot)
{
	put_header(out, CMD_EVICT_CACHE_ENTRY, 2);
	pst_buf_put_le16(out, slot);
}

static void put_bits_header(struct pst_buf *out, uint16_t id, enum gfx_codec codec, const struct rect *r, size_t len)
{
	put_header(out, CMD_WIRE_TO_SURFACE_1, 17 + len);
	pst_buf_put_le16(out, id);
	pst_buf_put_le16(out, (uint16_t)codec);
	pst_buf_put_u8(out, PIXEL_XRGB);
	put_rect(out, r);
	pst_buf_put_le32(out, (uint32_t)len);
}

void gfx_wire_bits(struct pst_buf *out, uint16_t id, enum gfx_codec codec, const struct rect *r, const void *data, size_t len)
{
	put_bits_header(out, id, codec, r, len);
	pst_buf_append(out, data, len);
}

#define AVC420_HEADER_LEN (4u + 8 + 2) /* RFX_AVC420_METABLOCK with one region, 2.2.4.4.1 */

static void put_avc420(struct pst_buf *out, const struct rect *all, uint8_t qp, const void *data, size_t len)
{
	pst_buf_put_le32(out, 1);
	put_rect(out, all);
	pst_buf_put_u8(out, qp & 0x3f);
	pst_buf_put_u8(out, (uint8_t)(100 - qp)); /* quality, 0…100 */
	pst_buf_append(out, data, len);
}

void gfx_wire_avc420(struct pst_buf *out, uint16_t id, int32_t w, int32_t h, uint8_t qp, const void *data, size_t len)
{
	const struct rect all = { 0, 0, w, h };
	put_bits_header(out, id, GFX_CODEC_AVC420, &all, AVC420_HEADER_LEN + len);
	put_avc420(out, &all, qp, data, len);
}

/* The first word is the first stream's length; its upper two bits (LC) are 0 for both views. */
void gfx_wire_avc444(struct pst_buf *out, uint16_t id, int32_t w, int32_t h, uint8_t qp, const void *data, size_t len, const void *chroma,
		     size_t chroma_len)
{
	const struct rect all = { 0, 0, w, h };
	PRE(len < GFX_PDU_MAX);
	put_bits_header(out, id, GFX_CODEC_AVC444V2, &all, 4 + 2 * AVC420_HEADER_LEN + len + chroma_len);
	pst_buf_put_le32(out, (uint32_t)(AVC420_HEADER_LEN + len));
	put_avc420(out, &all, qp, data, len);
	put_avc420(out, &all, qp, chroma, chroma_len);
}
