/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pointer shapes, [MS-RDPBCGR] 2.2.9.1.1.4.5 (new pointer, 32 bits): rows from the bottom, colours that are not multiplied by
 * their alpha, and a mask of one bit each whose rows have an even number of bytes. A shape that the client still has in its pointer cache
 * (2.2.7.1.5) is the number of its slot.
 */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/mem.h"
#include "encoder/codec/slot_ring.h"
#include "protocol/front/rdp/rdp_priv.h"

#define SIDE_MAX_SMALL 32
#define SIDE_MAX_LARGE 96
#define LARGE_POINTER_96 1
#define CACHE_MAX 20 /* slots that are used, of those that the client has */

static uint32_t straight(uint32_t px)
{
	uint32_t a = px >> 24, out = a << 24;
	for (int shift = 0; a && shift < 24; shift += 8)
		out |= PST_MIN(((px >> shift & 255) * 255 + a / 2) / a, 255u) << shift;
	return out;
}

static void put_colours(struct pst_buf *out, const struct cursor_image *c, uint16_t w, uint16_t h)
{
	for (int y = h - 1; y >= 0; y--)
		for (int x = 0; x < w; x++)
			pst_buf_put_le32(out, straight(c->pixels[y * c->w + x]));
}

static void put_mask(struct pst_buf *out, const struct cursor_image *c, uint16_t w, uint16_t h)
{
	for (int y = h - 1; y >= 0; y--) {
		for (int at = 0; at < (w + 15) / 16 * 2; at++) {
			uint8_t bits = 0;
			for (int i = 0; i < 8; i++)
				if (at * 8 + i >= w || c->pixels[y * c->w + at * 8 + i] >> 24 == 0)
					bits |= (uint8_t)(0x80 >> i);
			pst_buf_put_u8(out, bits);
		}
	}
}

static void hide(struct rdp *f)
{
	const POINTER_SYSTEM_UPDATE none = { SYSPTR_NULL };
	f->peer->context->update->pointer->PointerSystem(f->peer->context, &none);
}

/* The slot of a shape; *ret_is_known when the client has it there. */
static uint16_t slot_of(struct rdp *f, const struct cursor_image *c, bool *ret_is_known)
{
	uint32_t slots = PST_MIN(freerdp_settings_get_uint32(f->peer->context->settings, FreeRDP_PointerCacheSize), (UINT32)CACHE_MAX);
	*ret_is_known = false;
	if (slots > 0 && !f->pointer.known)
		f->pointer.known = slot_ring_create(slots);
	if (!f->pointer.known)
		return 0;
	uint64_t shape = (uint64_t)c->w << 48 | (uint64_t)c->h << 32 | (uint64_t)c->hot_x << 16 | c->hot_y;
	XXH128_hash_t h = XXH3_128bits_withSeed(c->pixels, (size_t)c->w * c->h * sizeof(*c->pixels), shape);
	const struct slot_key key = { h.low64, h.high64 };
	int32_t slot = slot_ring_find(f->pointer.known, &key);
	*ret_is_known = slot != SLOT_NONE;
	return (uint16_t)(slot != SLOT_NONE ? slot : slot_ring_add(f->pointer.known, &key));
}

static void send_shape(struct rdp *f, const struct cursor_image *c)
{
	rdpContext *context = f->peer->context;
	UINT16 large = (UINT16)freerdp_settings_get_uint32(context->settings, FreeRDP_LargePointerFlag);
	uint16_t max = large & LARGE_POINTER_96 ? SIDE_MAX_LARGE : SIDE_MAX_SMALL;
	uint16_t w = PST_MIN(c->w, max), h = PST_MIN(c->h, max);
	if (w == 0 || h == 0)
		return hide(f);
	bool is_known;
	uint16_t slot = slot_of(f, c, &is_known);
	if (is_known) {
		const POINTER_CACHED_UPDATE cached = { slot };
		context->update->pointer->PointerCached(context, &cached);
		return;
	}

	struct pst_buf colours, mask;
	pst_buf_init(&colours, (size_t)max * max * 4);
	pst_buf_init(&mask, (size_t)max * max);
	put_colours(&colours, c, w, h);
	put_mask(&mask, c, w, h);
	const POINTER_NEW_UPDATE update = { .xorBpp = 32,
		.colorPtrAttr = { .cacheIndex = slot, .hotSpotX = PST_MIN(c->hot_x, (uint16_t)(w - 1)), .hotSpotY = PST_MIN(c->hot_y, (uint16_t)(h - 1)), .width = w,
				  .height = h, .lengthAndMask = (UINT16)mask.len, .lengthXorMask = (UINT16)colours.len,
				  .xorMaskData = colours.data, .andMaskData = mask.data } };
	if (!colours.failed && !mask.failed)
		context->update->pointer->PointerNew(context, &update);
	pst_buf_finish(&colours);
	pst_buf_finish(&mask);
}

static int keep(struct rdp_shape *p, const struct cursor_image *c)
{
	size_t bytes = (size_t)c->w * c->h * sizeof(*c->pixels);
	uint32_t *pixels = bytes ? pst_memdup(c->pixels, bytes) : NULL;
	if (bytes && !pixels)
		return PST_ENOMEM;
	free(p->pixels);
	p->pixels = pixels;
	p->image = *c;
	p->image.pixels = pixels;
	p->has_shape = true;
	return 0;
}

/* Between two activations the client takes nothing. */
void rdp_pointer_shape(struct rdp *f, const struct cursor_image *c)
{
	if (keep(&f->pointer, c) == 0 && f->is_activated)
		send_shape(f, &f->pointer.image);
}

void rdp_pointer_again(struct rdp *f)
{
	slot_ring_destroy(f->pointer.known);
	f->pointer.known = NULL;
	if (f->is_activated && f->pointer.has_shape)
		send_shape(f, &f->pointer.image);
}

void rdp_pointer_finish(struct rdp *f)
{
	free(f->pointer.pixels);
	slot_ring_destroy(f->pointer.known);
}

void rdp_pointer_position(struct rdp *f, int32_t x, int32_t y)
{
	if (!f->is_activated)
		return;
	const POINTER_POSITION_UPDATE at = { .xPos = (UINT32)x, .yPos = (UINT32)y };
	f->peer->context->update->pointer->PointerPosition(f->peer->context, &at);
}
