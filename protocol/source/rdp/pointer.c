/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pointer shapes: colour over masks ([MS-RDPBCGR] 2.2.9.1.1.4), as premultiplied pixels. */
#include <freerdp/codec/color.h>
#include <freerdp/gdi/gdi.h>
#include <freerdp/graphics.h>
#include <stdlib.h>

#include "base/mem.h"
#include "protocol/source/rdp/client_priv.h"

#define ARROW_WIDTH 12
#define ARROW_HEIGHT 19

/* What Windows calls the system's default: # is the edge, . the inside. */
static const char *const arrow[ARROW_HEIGHT] = {
	"#           ", "##          ", "#.#         ", "#..#        ", "#...#       ", "#....#      ", "#.....#     ", "#......#    ",
	"#.......#   ", "#........#  ", "#.........# ", "#......#####", "#...#..#    ", "#..##..#    ", "#.#  #..#   ", "##   #..#   ",
	"#     #..#  ", "      #..#  ", "       ##   ",
};

static uint32_t premultiply(uint32_t v)
{
	uint32_t a = v >> 24, out = a << 24;

	for (unsigned shift = 0; shift < 24; shift += 8)
		out |= ((v >> shift & 255) * a + 127) / 255 << shift;
	return out;
}

static void tell(struct rdp_client *c, uint32_t *pixels, uint32_t w, uint32_t h, uint32_t hot_x, uint32_t hot_y)
{
	const struct cursor_image image = { (uint16_t)w, (uint16_t)h, (uint16_t)PST_MIN(hot_x, w ? w - 1 : 0), (uint16_t)PST_MIN(hot_y, h ? h - 1 : 0), pixels };

	rdp_news_cursor(c->box, &image);
}

static BOOL on_new(rdpContext *context, rdpPointer *pointer)
{
	return TRUE; /* its pixels are made when it is set: only then they are wanted */
}

static void on_free(rdpContext *context, rdpPointer *pointer)
{
}

static BOOL on_set(rdpContext *context, rdpPointer *p)
{
	uint32_t n = p->width * p->height, *pixels;

	if (p->width < 1 || p->height < 1 || p->width > CURSOR_SIDE_MAX || p->height > CURSOR_SIDE_MAX)
		return TRUE; /* a shape that cannot be: the last one stays */
	pixels = pst_zalloc(n, sizeof(*pixels));
	if (!pixels || !freerdp_image_copy_from_pointer_data((BYTE *)pixels, PIXEL_FORMAT_BGRA32, p->width * 4, 0, 0, p->width, p->height, p->xorMaskData,
			       p->lengthXorMask, p->andMaskData, p->lengthAndMask, p->xorBpp, &context->gdi->palette)) {
		free(pixels);
		return TRUE;
	}
	for (uint32_t i = 0; i < n; i++)
		pixels[i] = premultiply(pixels[i]);
	tell(rdp_client_of(context), pixels, p->width, p->height, p->xPos, p->yPos);
	return TRUE;
}

static BOOL on_set_null(rdpContext *context)
{
	tell(rdp_client_of(context), NULL, 0, 0, 0, 0);
	return TRUE;
}

static BOOL on_set_default(rdpContext *context)
{
	uint32_t *pixels = pst_zalloc((size_t)ARROW_WIDTH * ARROW_HEIGHT, sizeof(*pixels));

	for (size_t i = 0; pixels && i < (size_t)ARROW_WIDTH * ARROW_HEIGHT; i++) {
		char at = arrow[i / ARROW_WIDTH][i % ARROW_WIDTH];

		pixels[i] = at == '#' ? 0xff000000 : at == '.' ? 0xffffffff : 0;
	}
	if (pixels)
		tell(rdp_client_of(context), pixels, ARROW_WIDTH, ARROW_HEIGHT, 0, 0);
	return TRUE;
}

static BOOL on_set_position(rdpContext *context, UINT32 x, UINT32 y)
{
	if (x < SCREEN_SIDE_MAX && y < SCREEN_SIDE_MAX)
		rdp_news_position(rdp_client_of(context)->box, (int32_t)x, (int32_t)y);
	return TRUE;
}

void rdp_pointer_register(rdpContext *context)
{
	rdpPointer type = {
		.size = sizeof(type),
		.New = on_new,
		.Free = on_free,
		.Set = on_set,
		.SetNull = on_set_null,
		.SetDefault = on_set_default,
		.SetPosition = on_set_position,
	};

	graphics_register_pointer(context->graphics, &type);
}
