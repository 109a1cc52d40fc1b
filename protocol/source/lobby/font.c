/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FreeType over a typeface that the build put into the program; see font.h. */
#include "protocol/source/lobby/font.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_ADVANCES_H
#include FT_OUTLINE_H
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

/* Read-only pages of the program's file: shared by all workers, and not read before a lobby is shown. */
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	"puesto_typeface:\n"
	".incbin \"" LOBBY_FONT "\"\n"
	"puesto_typeface_end:\n"
	".popsection\n");
extern const unsigned char typeface[] __asm__("puesto_typeface"), typeface_end[] __asm__(
									  "puesto_typeface_end");

#define BOLD_PER_EM 28 /* a bold stroke is this part of the em thicker */
#define QUARTER 16 /* of a pixel, in FreeType's 64ths: letters stand at four places, as cairo and Skia draw them, and look alike */

struct font {
	FT_Library library;
	FT_Face face;
	int32_t px;
};

struct font *font_open(struct pst_err *err)
{
	struct font *f = pst_zalloc(1, sizeof(*f));

	if (f && !FT_Init_FreeType(&f->library) &&
		!FT_New_Memory_Face(f->library, typeface, typeface_end - typeface, 0, &f->face) &&
		!FT_Select_Charmap(f->face, FT_ENCODING_UNICODE))
		return f;
	font_close(f);
	pst_err_set(err, PST_ENOMEM, "the typeface cannot be read");
	return NULL;
}

void font_close(struct font *f)
{
	if (!f)
		return;
	if (f->face)
		FT_Done_Face(f->face);
	if (f->library)
		FT_Done_FreeType(f->library);
	free(f);
}

static void set_size(struct font *f, const struct font_style *style)
{
	int32_t px = PST_CLAMP(style->px, FONT_PX_MIN, FONT_PX_MAX);

	if (px != f->px && !FT_Set_Pixel_Sizes(f->face, 0, (FT_UInt)px))
		f->px = px;
}

/* The glyph of the next character and how many bytes that takes: at least one, so that every text ends. */
static size_t next_glyph(struct font *f, const char *text, size_t len, FT_UInt *ret_glyph)
{
	uint32_t code = 0;
	int used = pst_utf8_next(text, len, &code);

	if (used <= 0)
		code = 0xfffd;
	else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		code = ' ';
	*ret_glyph = FT_Get_Char_Index(f->face, code);
	return used > 0 ? (size_t)used : 1;
}

static FT_Pos kerning(struct font *f, FT_UInt before, FT_UInt glyph)
{
	FT_Vector v = { 0, 0 };

	if (!before || FT_Get_Kerning(f->face, before, glyph, FT_KERNING_UNFITTED, &v))
		return 0;
	return v.x;
}

/* In 1/64 of a pixel, from outlines that no hinting has changed: the width of a text is the sum of its
 * letters at every size. */
static FT_Pos advance(struct font *f, const struct font_style *style, FT_UInt glyph)
{
	FT_Fixed a = 0;

	if (FT_Get_Advance(f->face, glyph, FT_LOAD_NO_HINTING, &a))
		return 0;
	return (a >> 10) + (style->is_bold ? f->px * 64 / BOLD_PER_EM : 0);
}

int32_t font_width(struct font *f, const struct font_style *style, const char *text, size_t len)
{
	FT_UInt before = 0, glyph;
	FT_Pos x = 0;

	set_size(f, style);
	for (size_t i = 0; i < len; before = glyph) {
		i += next_glyph(f, text + i, len - i, &glyph);
		x += kerning(f, before, glyph) + advance(f, style, glyph);
	}
	return (int32_t)PST_CLAMP(x / 64, 0, INT32_MAX / 2);
}

static void draw_glyph(struct font *f, const struct font_style *style, struct canvas *c, FT_Pos x, int32_t y,
	uint32_t colour, FT_UInt glyph)
{
	FT_GlyphSlot slot = f->face->glyph;

	if (FT_Load_Glyph(f->face, glyph, FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP) ||
		slot->format != FT_GLYPH_FORMAT_OUTLINE)
		return;
	if (style->is_bold)
		FT_Outline_Embolden(&slot->outline, f->px * 64 / BOLD_PER_EM);
	FT_Outline_Translate(&slot->outline, x & 63, 0);
	if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) || slot->bitmap.pixel_mode != FT_PIXEL_MODE_GRAY)
		return;
	canvas_cover(c, (int32_t)(x >> 6) + slot->bitmap_left, y - slot->bitmap_top,
		(int32_t)slot->bitmap.width, (int32_t)slot->bitmap.rows, slot->bitmap.buffer,
		slot->bitmap.pitch, colour);
}

void font_draw(struct font *f, const struct font_style *style, struct canvas *c, int32_t x, int32_t y,
	uint32_t colour, const char *text, size_t len)
{
	FT_UInt before = 0, glyph;
	FT_Pos at = (FT_Pos)x * 64;

	set_size(f, style);
	for (size_t i = 0; i < len && at / 64 < c->width; before = glyph) {
		i += next_glyph(f, text + i, len - i, &glyph);
		at += kerning(f, before, glyph);
		draw_glyph(f, style, c, (at + QUARTER / 2) & ~(FT_Pos)(QUARTER - 1), y, colour, glyph);
		at += advance(f, style, glyph);
	}
}
