/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tight, as the community's rfbproto describes it, without JPEG, which is not asked for: a solid colour, or
 * rows of pixels through one of three filters, in one of four zlib streams where they are 12 bytes or more.
 * Colours are three bytes, R G B.
 */
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/source/rfb/decoder_priv.h"

#define PLAIN_MAX 12 /* fewer bytes are not packed */
#define FILL 8       /* in the upper half of the control byte */
#define HAS_FILTER 4

enum { FILTER_COPY, FILTER_PALETTE, FILTER_GRADIENT };

static uint32_t colour_of(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static size_t row_bytes(const struct rfb_decoder *d)
{
	if (d->tight.filter != FILTER_PALETTE)
		return (size_t)d->rect.w * 3;
	return d->tight.palette.count == 2 ? ((size_t)d->rect.w + 7) / 8 : (size_t)d->rect.w;
}

/* Each part is what those of the left, above and above left make likely, plus what comes. */
static void gradient_row(struct rfb_decoder *d, const uint8_t *data, uint32_t *out)
{
	uint8_t *above = d->tight.row, left[3] = { 0 }, corner[3] = { 0 };

	for (int32_t x = 0; x < d->rect.w; x++, data += 3, above += 3) {
		for (int i = 0; i < 3; i++) {
			int guess = PST_CLAMP(above[i] + left[i] - corner[i], 0, 255);

			corner[i] = above[i];
			left[i] = (uint8_t)(guess + data[i]);
			above[i] = left[i];
		}
		*out++ = colour_of(left);
	}
}

/* False: a colour that the palette has not. */
static bool palette_row(const struct rfb_decoder *d, const uint8_t *data, uint32_t *out)
{
	const struct rfb_palette *p = &d->tight.palette;
	bool is_good = true;

	for (int32_t x = 0; x < d->rect.w; x++) {
		unsigned i = p->count == 2 ? data[x / 8] >> (7 - x % 8) & 1u : data[x];

		is_good &= i < p->count;
		*out++ = p->colours[i];
	}
	return is_good;
}

static int row_paint(struct rfb_decoder *d, const uint8_t *data, struct pst_err *err)
{
	uint32_t *out = rfb_screen_at(d->screen, d->rect.x, d->rect.y + d->y);

	if (d->tight.filter == FILTER_GRADIENT)
		gradient_row(d, data, out);
	else if (d->tight.filter == FILTER_PALETTE && !palette_row(d, data, out))
		return pst_err_set(err, PST_EPROTO, "a colour that is not in Tight's palette");
	for (int32_t x = 0; d->tight.filter == FILTER_COPY && x < d->rect.w; x++)
		out[x] = colour_of(data + (size_t)x * 3);
	d->y++;
	return 0;
}

/* Whole rows; returns how many bytes they were. */
static long rows_paint(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	size_t row = row_bytes(d), used = 0;

	while (d->y < d->rect.h && len - used >= row) {
		if (row_paint(d, data + used, err) < 0)
			return err->code;
		used += row;
	}
	return (long)used;
}

static long fill_take(struct rfb_decoder *d, struct pst_cursor *c)
{
	const uint8_t *colour = pst_cursor_bytes(c, 3);

	if (!colour)
		return 0;
	rfb_screen_fill(d->screen, &d->rect, colour_of(colour));
	d->is_done = true;
	return (long)c->at;
}

static bool palette_read(struct pst_cursor *c, struct rfb_palette *p)
{
	unsigned count = pst_cursor_u8(c) + 1u;
	const uint8_t *colours = pst_cursor_bytes(c, (size_t)count * 3);

	p->count = count;
	for (unsigned i = 0; colours && i < count; i++)
		p->colours[i] = colour_of(colours + (size_t)i * 3);
	return count > 1;
}

/* Control byte, and filter with its palette: all of it, or nothing. */
static long control_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct rfb_tight *t = &d->tight;
	struct pst_cursor c;
	uint8_t control;
	bool is_good = !rect_is_empty(&d->rect);

	pst_cursor_init(&c, data, len);
	control = pst_cursor_u8(&c);
	if (is_good && control >> 4 == FILL)
		return fill_take(d, &c);
	t->stream = control >> 4 & 3;
	t->filter = control >> 4 & HAS_FILTER ? pst_cursor_u8(&c) : FILTER_COPY;
	is_good &= control >> 4 < FILL && t->filter <= FILTER_GRADIENT;
	if (is_good && t->filter == FILTER_PALETTE)
		is_good = palette_read(&c, &t->palette);
	if (!pst_cursor_ok(&c))
		return 0;
	if (!is_good)
		return pst_err_set(err, PST_EPROTO, "a Tight rectangle of a kind that was not asked for");
	for (unsigned i = 0; i < TIGHT_STREAMS; i++)
		if (control >> i & 1 && rfb_unpack_reset(&d->tight_unpack[i], err) < 0)
			return err->code;
	t->has_control = true;
	t->is_packed = row_bytes(d) * (size_t)d->rect.h >= PLAIN_MAX;
	t->has_length = !t->is_packed;
	t->left = row_bytes(d) * (size_t)d->rect.h;
	memset(t->row, 0, sizeof(t->row));
	return (long)c.at;
}

/* Seven bits a byte, the lowest first, three bytes at most. */
static long length_take(struct rfb_decoder *d, const uint8_t *data, size_t len)
{
	size_t length = 0;

	for (size_t i = 0; i < 3 && i < len; i++) {
		length |= (size_t)(i < 2 ? data[i] & 0x7f : data[i]) << (7 * i);
		if (i == 2 || !(data[i] & 0x80)) {
			d->tight.left = length;
			d->tight.has_length = true;
			return (long)i + 1;
		}
	}
	return 0;
}

/* Unpacks and paints; with the rectangle's last byte its last row must have come, and not a byte beyond. */
static int unpack(struct rfb_decoder *d, const uint8_t *data, size_t n, struct pst_err *err)
{
	struct rfb_unpack *u = &d->tight_unpack[d->tight.stream];
	size_t before;
	long used;

	do {
		before = n;
		if (rfb_unpack_fill(u, &data, &n, err) < 0)
			return err->code;
		used = rows_paint(d, u->window, u->len, err);
		if (used < 0)
			return (int)used;
		rfb_unpack_used(u, (size_t)used);
		if ((d->y == d->rect.h && u->len) || (!used && n && n == before))
			return pst_err_set(err, PST_EPROTO, "Tight with more than its rectangle holds");
	} while (n || used);
	return 0;
}

static long pixels_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	size_t n = PST_MIN(len, d->tight.left);
	long used;

	if (d->tight.is_packed) {
		used = unpack(d, data, n, err) < 0 ? err->code : (long)n;
	} else {
		/* Eleven bytes: they are waited for. */
		used = n == d->tight.left ? rows_paint(d, data, n, err) : 0;
	}
	if (used < 0)
		return used;
	d->tight.left -= (size_t)used;
	d->is_done = d->tight.left == 0;
	if (d->is_done && d->y < d->rect.h)
		return pst_err_set(err, PST_EPROTO, "Tight with less than its rectangle");
	return used;
}

long rfb_tight_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	size_t used = 0;
	long n;

	do {
		if (!d->tight.has_control)
			n = control_take(d, data + used, len - used, err);
		else if (!d->tight.has_length)
			n = length_take(d, data + used, len - used);
		else
			n = pixels_take(d, data + used, len - used, err);
		if (n < 0)
			return n;
		used += (size_t)n;
	} while (n && !d->is_done && used < len);
	return (long)used;
}
