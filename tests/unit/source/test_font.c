/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lobby's text: measured and drawn, whatever the bytes. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/source/lobby/font.h"

#define W 200
#define H 40

static uint32_t pixels[W * H];

static int ink(struct font *f, const struct font_style *style, const char *text)
{
	struct canvas c;
	int n = 0;

	memset(pixels, 0, sizeof(pixels));
	canvas_init(&c, pixels, W, H);
	font_draw(f, style, &c, 10, 28, 0xffffff, text, strlen(text));
	for (size_t i = 0; i < W * H; i++)
		n += pixels[i] != 0;
	return n;
}

Test(font, test_letters_of_europe_have_shapes_of_their_own)
{
	static const char *const letters[] = { "ñ", "á", "é", "ü", "¿", "¡", "€", "…", "n", "a", "Ω", "Ж", "字" };
	static uint32_t seen[PST_ARRAY_LEN(letters)][W * H];
	const struct font_style style = { 24, false };
	struct font *f = font_open(NULL);

	cr_assert_not_null(f);
	for (size_t i = 0; i < PST_ARRAY_LEN(letters); i++) {
		cr_assert_gt(ink(f, &style, letters[i]), 5, "%s", letters[i]);
		memcpy(seen[i], pixels, sizeof(pixels));
		for (size_t k = 0; k < i; k++)
			cr_assert(memcmp(seen[i], seen[k], sizeof(pixels)), "%s looks like %s", letters[i], letters[k]);
	}
	/* What the typeface lacks is a box, the same one for all. */
	ink(f, &style, "漢");
	cr_assert_arr_eq(seen[PST_ARRAY_LEN(letters) - 1], pixels, sizeof(pixels));
	font_close(f);
}

Test(font, test_any_bytes_are_drawn_and_measured_alike)
{
	static const char *const texts[] = { "", "\xff\xfe", "\xc3", "a\tb\nc\x7f", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x80\xae" "abc", "👍" };
	const struct font_style style = { 16, true }, tiny = { -5, false }, huge = { INT32_MAX, false };
	struct font *f = font_open(NULL);
	char every[255];

	for (size_t i = 0; i < PST_ARRAY_LEN(texts); i++) {
		ink(f, &style, texts[i]);
		cr_assert_eq(font_width(f, &style, texts[i], strlen(texts[i])) > 0, *texts[i] != 0);
	}
	for (size_t i = 0; i < sizeof(every); i++)
		every[i] = (char)(i + 1);
	cr_assert_gt(font_width(f, &tiny, every, sizeof(every)), 0);
	cr_assert_lt(font_width(f, &huge, every, sizeof(every)), 255 * 2 * FONT_PX_MAX);
	font_close(f);
	font_close(NULL);
}

Test(font, test_width_grows_with_size_and_weight)
{
	const struct font_style small = { 12, false }, large = { 24, false }, bold = { 24, true };
	struct font *f = font_open(NULL);

	cr_assert_lt(font_width(f, &small, "Puesto", 6), font_width(f, &large, "Puesto", 6));
	cr_assert_lt(font_width(f, &large, "Puesto", 6), font_width(f, &bold, "Puesto", 6));
	cr_assert_lt(ink(f, &large, "Puesto"), ink(f, &bold, "Puesto"));
	font_close(f);
}
