/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Screens from QEMU's messages: kinds of pixels, sizes that lie, rectangles that lead outside, memory that is shared.
 * Covers: protocol/source/dbus/picture.c protocol/source/dbus/format.c
 */
#include "protocol/source/dbus/picture.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "protocol/source/dbus/format.h"

#define XRGB 0x20020888u
#define RGB565 0x10020565u

static struct dbus_pixels pixels(int64_t w, int64_t h, uint32_t stride, uint32_t format, const void *data, size_t len)
{
	return (struct dbus_pixels){ w, h, stride, format, data, len };
}

Test(dbus_picture, test_kinds_of_pixels_become_the_screen_s)
{
	static const struct {
		uint32_t code;
		uint8_t bytes[4];
		uint32_t pixel;
	} kinds[] = {
		{ XRGB, { 3, 2, 1, 0 }, 0x010203 },
		{ 0x20028888, { 3, 2, 1, 255 }, 0xff010203 },
		{ 0x20030888, { 1, 2, 3, 0 }, 0x010203 }, /* x8b8g8r8 */
		{ 0x20080888, { 0, 1, 2, 3 }, 0x010203 }, /* b8g8r8x8 */
		{ 0x20090888, { 0, 1, 2, 3 }, 0x030201 }, /* r8g8b8x8 */
		{ 0x18020888, { 3, 2, 1 }, 0x010203 },
		{ 0x18030888, { 1, 2, 3 }, 0x010203 },
		{ RGB565, { 0x1f, 0xf8 }, 0xff00ff },
		{ RGB565, { 0xe0, 0x07 }, 0x00ff00 },
		{ RGB565, { 0x00, 0x80 }, 0x840000 },
		{ 0x10020555, { 0x00, 0x7c }, 0xff0000 },
	};
	struct dbus_format f;
	uint32_t out;

	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		cr_assert(dbus_format_read(kinds[i].code, &f), "%zu", i);
		dbus_format_row(&f, kinds[i].bytes, &out, 1);
		cr_expect_eq(out, kinds[i].pixel, "%zu: %x", i, out);
	}
}

Test(dbus_picture, test_other_kinds_are_refused)
{
	/* Eight bits in all, ten a colour, none, more than there are, an unknown order, floating point. */
	static const uint32_t codes[] = { 0x08020332, 0x20022aaa, 0x20020000, 0x10020888, 0x20050888, 0x20ff0888, 0, 0xffffffff };
	struct dbus_format f;

	for (size_t i = 0; i < PST_ARRAY_LEN(codes); i++)
		cr_expect_not(dbus_format_read(codes[i], &f), "%zu", i);
}

Test(dbus_picture, test_sizes_that_lie_are_refused)
{
	static const uint32_t data[16];
	const struct {
		struct dbus_pixels in;
		int code;
	} lies[] = {
		{ pixels(0, 4, 16, XRGB, data, sizeof(data)), PST_ELIMIT },
		{ pixels(4, 8193, 16, XRGB, data, sizeof(data)), PST_ELIMIT },
		{ pixels(UINT32_MAX, UINT32_MAX, UINT32_MAX, XRGB, data, sizeof(data)), PST_ELIMIT },
		{ pixels(-4, 4, 16, XRGB, data, sizeof(data)), PST_ELIMIT },
		{ pixels(4, 4, 15, XRGB, data, sizeof(data)), PST_EPROTO },
		{ pixels(4, 4, 17, XRGB, data, sizeof(data)), PST_EPROTO },
		{ pixels(4, 5, 16, XRGB, data, sizeof(data)), PST_EPROTO },
		{ pixels(8192, 8192, UINT32_MAX, XRGB, data, sizeof(data)), PST_EPROTO },
		{ pixels(4, 4, 16, 7, data, sizeof(data)), PST_EUNSUPPORTED },
	};
	struct pst_err err = PST_ERR_INIT;
	struct dbus_picture p;

	for (size_t i = 0; i < PST_ARRAY_LEN(lies); i++)
		cr_expect_eq(dbus_picture_make(&p, &lies[i].in, &err), lies[i].code, "%zu: %d %s", i, err.code, err.text);
}

Test(dbus_picture, test_parts_are_painted_as_far_as_they_lie_on_it)
{
	static const struct {
		int64_t x, y;
		struct rect on;
		uint32_t first; /* of the part's pixels, which count from 1 */
	} parts[] = {
		{ 1, 1, { 1, 1, 3, 2 }, 1 },
		{ -1, -1, { 0, 0, 2, 1 }, 5 },
		{ 6, 4, { 6, 4, 2, 1 }, 1 },
		{ 8, 0, { 0, 0, 0, 0 }, 0 },
		{ INT32_MIN, INT32_MAX, { 0, 0, 0, 0 }, 0 },
	};
	uint32_t blank[8 * 5] = { 0 }, part[] = { 1, 2, 3, 4, 5, 6 };
	struct dbus_pixels all = pixels(8, 5, 32, XRGB, blank, sizeof(blank)), in = pixels(3, 2, 12, XRGB, part, sizeof(part));
	struct pst_err err = PST_ERR_INIT;
	struct dbus_picture p = { 0 };
	struct rect r;

	cr_assert_eq(dbus_picture_paint(&p, 0, 0, &in, &r, &err), PST_EPROTO);
	for (size_t i = 0; i < PST_ARRAY_LEN(parts); i++) {
		cr_assert_eq(dbus_picture_make(&p, &all, &err), 0);
		cr_assert_eq(dbus_picture_paint(&p, parts[i].x, parts[i].y, &in, &r, &err), 0);
		cr_expect_arr_eq(&r, &parts[i].on, sizeof(r), "%zu: %d %d %d %d", i, r.x, r.y, r.w, r.h);
		if (r.w)
			cr_expect_eq(*pixmap_at(&p.shown, r.x, r.y), parts[i].first, "%zu", i);
		dbus_picture_finish(&p);
	}
}

Test(dbus_picture, test_shared_memory_is_looked_into_as_far_as_it_reaches)
{
	int fd = memfd_create("screen", MFD_CLOEXEC);
	struct dbus_pixels in = pixels(16, 8, 64, XRGB, NULL, 0), other = pixels(16, 8, 32, RGB565, NULL, 0);
	struct pst_err err = PST_ERR_INIT;
	struct dbus_picture p;
	uint32_t pixel = 0x00aabbcc;
	struct rect r;

	cr_assert_eq(ftruncate(fd, 64 * 8 + 128), 0);
	cr_assert_eq(dbus_picture_map(&p, fd, 128, &in, &err), 0, "%s", err.text);
	cr_assert_eq(pwrite(fd, &pixel, 4, 128 + 64 + 8), 4);
	cr_expect_eq(*pixmap_at(&p.shown, 2, 1), pixel);
	cr_expect(dbus_picture_clip(&p, 10, -2, 100, 4, &r) && r.x == 10 && r.y == 0 && r.w == 6 && r.h == 2);
	cr_expect_not(dbus_picture_fits(&p, &in), "it is not ours to paint");
	cr_expect_eq(dbus_picture_paint(&p, 0, 0, &in, &r, &err), PST_EPROTO);
	dbus_picture_finish(&p);
	cr_expect_eq(dbus_picture_map(&p, fd, 132, &in, &err), PST_EPROTO);
	cr_expect_eq(dbus_picture_map(&p, fd, UINT32_MAX & ~3u, &in, &err), PST_EPROTO);
	cr_expect_eq(dbus_picture_map(&p, fd, 2, &in, &err), PST_EUNSUPPORTED);
	cr_expect_eq(dbus_picture_map(&p, fd, 0, &other, &err), PST_EUNSUPPORTED);
	cr_expect_eq(dbus_picture_map(&p, STDIN_FILENO + 999, 0, &in, &err), PST_EPROTO);
	close(fd);
}
