/* SPDX-License-Identifier: GPL-3.0-or-later */
/* X11/XWDFile.h: 25 big-endian words, the window's name, and ncolors entries of 12 bytes before the pixels.
 */
#include "agent/capture/xwd.h"

#include "base/cursor.h"
#include "encoder/rect.h"

#define XWD_VERSION 7
#define XWD_ZPIXMAP 2
#define XWD_COLOR_SIZE 12
#define XWD_WORDS 25

/* Places in the header, counted in words. */
enum {
	XWD_SIZE,
	XWD_FILE_VERSION,
	XWD_FORMAT,
	XWD_DEPTH,
	XWD_WIDTH,
	XWD_HEIGHT,
	XWD_BYTE_ORDER = 7,
	XWD_BITS = 11,
	XWD_STRIDE,
	XWD_RED = 14,
	XWD_GREEN,
	XWD_BLUE,
	XWD_NCOLORS = 19
};

static bool is_bgrx(const uint32_t *w)
{
	return w[XWD_DEPTH] == 24 && w[XWD_BITS] == 32 && w[XWD_BYTE_ORDER] == 0 && w[XWD_RED] == 0xff0000 &&
	       w[XWD_GREEN] == 0xff00 && w[XWD_BLUE] == 0xff;
}

static bool is_side(uint32_t side)
{
	return side >= 1 && side <= SCREEN_SIDE_MAX;
}

static bool stride_is_valid(const uint32_t *w)
{
	return w[XWD_STRIDE] % 4 == 0 && w[XWD_STRIDE] >= w[XWD_WIDTH] * 4 &&
	       w[XWD_STRIDE] <= SCREEN_SIDE_MAX * 4;
}

static bool header_is_valid(const uint32_t *w)
{
	return w[XWD_SIZE] >= XWD_WORDS * 4 && w[XWD_SIZE] <= XWD_HEADER_MAX && w[XWD_SIZE] % 4 == 0 &&
	       w[XWD_NCOLORS] <= XWD_HEADER_MAX / XWD_COLOR_SIZE;
}

static const char *format_fault(const uint32_t *w)
{
	if (w[XWD_FILE_VERSION] != XWD_VERSION || w[XWD_FORMAT] != XWD_ZPIXMAP)
		return "it is not an XWD 7 file of Z pixels";
	if (!is_bgrx(w))
		return "its pixels are not 24 bits in 32: start Xvfb with -screen 0 WxHx24";
	if (!is_side(w[XWD_WIDTH]) || !is_side(w[XWD_HEIGHT]))
		return "its sides are out of range";
	if (!stride_is_valid(w))
		return "its stride is out of range";
	return header_is_valid(w) ? NULL : "its header is out of range";
}

int xwd_parse(const void *head, size_t head_len, uint64_t file_size, struct xwd *ret, struct pst_err *err)
{
	uint32_t w[XWD_WORDS];
	struct pst_cursor c;

	pst_cursor_init(&c, head, head_len);
	for (size_t i = 0; i < XWD_WORDS; i++)
		w[i] = pst_cursor_be32(&c);
	const char *fault = pst_cursor_ok(&c) ? format_fault(w) : "it is too short";
	if (fault)
		return pst_err_set(err, PST_EINVAL, "the X server's screen file cannot be used: %s", fault);

	uint64_t offset = (uint64_t)w[XWD_SIZE] + (uint64_t)w[XWD_NCOLORS] * XWD_COLOR_SIZE;
	if (offset + (uint64_t)w[XWD_STRIDE] * w[XWD_HEIGHT] > file_size)
		return pst_err_set(err, PST_EINVAL, "the X server's screen file is shorter than its screen");

	ret->width = w[XWD_WIDTH];
	ret->height = w[XWD_HEIGHT];
	ret->stride = w[XWD_STRIDE];
	ret->offset = offset;
	return 0;
}
