/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Test decoders: RFB Tight, ZRLE, JPEG (by libjpeg) and docs/flat-codec.md. */
#include "decode.h"
#include "decode_bars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <zstd.h>

void inflater_open(struct inflater *s)
{
	memset(s, 0, sizeof(*s));
	inflateInit(&s->z);
}

void inflater_close(struct inflater *s)
{
	inflateEnd(&s->z);
}

/* Exactly `want` bytes from exactly n bytes of the stream. */
static bool inflate_exact(struct inflater *s, const uint8_t *p, size_t n, uint8_t *out, size_t want)
{
	uint8_t more;

	s->z.next_in = (Bytef *)(uintptr_t)p;
	s->z.avail_in = (uInt)n;
	s->z.next_out = out;
	s->z.avail_out = (uInt)want;
	if (inflate(&s->z, Z_SYNC_FLUSH) < 0 || s->z.avail_out)
		return false;
	s->z.next_out = &more;
	s->z.avail_out = 1;
	inflate(&s->z, Z_SYNC_FLUSH);
	return s->z.avail_out == 1 && s->z.avail_in == 0;
}

void tight_decoder_open(struct tight_decoder *d)
{
	for (int i = 0; i < 4; i++)
		inflater_open(&d->streams[i]);
}

void tight_decoder_close(struct tight_decoder *d)
{
	for (int i = 0; i < 4; i++)
		inflater_close(&d->streams[i]);
}

static size_t compact_length(const uint8_t **p, const uint8_t *end)
{
	size_t v = 0;

	for (int i = 0; i < 3 && *p < end; i++) {
		uint8_t b = *(*p)++;

		v |= (size_t)(i < 2 ? b & 0x7f : b) << (7 * i);
		if (!(b & 0x80) && i < 2)
			break;
	}
	return v;
}

static uint32_t rgb_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static bool tight_data(
	struct tight_decoder *d, int stream, const uint8_t **p, const uint8_t *end, uint8_t *out, size_t want)
{
	size_t n;

	if (want < 12) {
		if ((size_t)(end - *p) != want)
			return false;
		memcpy(out, *p, want);
		*p = end;
		return true;
	}
	n = compact_length(p, end);
	if (n != (size_t)(end - *p) || !inflate_exact(&d->streams[stream], *p, n, out, want))
		return false;
	*p = end;
	return true;
}

/* In place, channel by channel, as the protocol has it. */
static void undo_gradient(uint8_t *raw, int w, int h)
{
	for (int y = 0; y < h; y++)
		for (int i = 0; i < w * 3; i++) {
			uint8_t *at = raw + (size_t)y * (size_t)w * 3 + i;
			int left = i < 3 ? 0 : at[-3], above = y ? at[-w * 3] : 0, corner = y && i >= 3 ? at[-w * 3 - 3] : 0, p = left + above - corner;

			*at = (uint8_t)(*at + (p < 0 ? 0 : p > 255 ? 255 : p));
		}
}

static bool tight_basic(struct tight_decoder *d, uint8_t control, const uint8_t *p, const uint8_t *end, int w,
	int h, uint32_t *ret)
{
	int filter = control & 0x40 ? *p++ : 0, colours = 0, stream = control >> 4 & 3;
	uint32_t palette[256];
	size_t row = (size_t)w * 3, at = 0;
	uint8_t *raw;

	if (filter == 1) {
		colours = *p++ + 1;
		for (int i = 0; i < colours; i++, p += 3)
			palette[i] = rgb_at(p);
		row = colours == 2 ? ((size_t)w + 7) / 8 : (size_t)w;
	} else if (filter > 2) {
		return false;
	}
	raw = malloc(row * (size_t)h + 1);
	if (!tight_data(d, stream, &p, end, raw, row * (size_t)h)) {
		free(raw);
		return false;
	}
	if (filter == 2)
		undo_gradient(raw, w, h);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++, at++) {
			const uint8_t *line = raw + row * (size_t)y;

			if (!colours)
				ret[at] = rgb_at(line + 3 * x);
			else
				ret[at] = palette[colours == 2 ? line[x / 8] >> (7 - x % 8) & 1 : line[x]];
		}
	free(raw);
	return true;
}

bool tight_decode(
	struct tight_decoder *d, const uint8_t *p, size_t n, int w, int h, uint32_t *ret, bool *ret_is_jpeg)
{
	const uint8_t *end = p + n;
	uint8_t control = *p++;

	*ret_is_jpeg = control >> 4 == 9;
	if (control & 15)
		return false; /* our streams are never reset */
	if (control >> 4 == 8) {
		for (size_t i = 0; i < (size_t)w * (size_t)h; i++)
			ret[i] = rgb_at(p);
		return n == 4;
	}
	if (*ret_is_jpeg) {
		size_t len = compact_length(&p, end);

		return len == (size_t)(end - p) && jpeg_decode(p, len, w, h, ret);
	}
	return control >> 4 < 8 && tight_basic(d, control, p, end, w, h, ret);
}

/* ---- ZRLE ---- */

struct reader {
	struct inflater *s;
	bool failed;
};

static uint8_t zbyte(struct reader *r)
{
	uint8_t b = 0;

	r->s->z.next_out = &b;
	r->s->z.avail_out = 1;
	inflate(&r->s->z, Z_SYNC_FLUSH);
	r->failed |= r->s->z.avail_out != 0;
	return b;
}

static uint32_t cpixel(struct reader *r)
{
	uint32_t b = zbyte(r), g = zbyte(r), red = zbyte(r);

	return red << 16 | g << 8 | b;
}

static int run_length(struct reader *r)
{
	int run = 1;
	uint8_t b;

	do {
		b = zbyte(r);
		run += b;
	} while (b == 255 && !r->failed);
	return run;
}

static void zrle_packed(struct reader *r, int n, const uint32_t *palette, int w, int h, uint32_t *out)
{
	int bits = n <= 2 ? 1 : n <= 4 ? 2 : 4;

	for (int y = 0; y < h; y++) {
		uint8_t cur = 0;

		for (int x = 0; x < w; x++) {
			if (x * bits % 8 == 0)
				cur = zbyte(r);
			out[y * w + x] = palette[cur >> (8 - bits - x * bits % 8) & ((1 << bits) - 1)];
		}
	}
}

static void zrle_runs(struct reader *r, int n, const uint32_t *palette, int w, int h, uint32_t *out)
{
	for (int i = 0; i < w * h && !r->failed;) {
		uint8_t index = n ? zbyte(r) : 128;
		uint32_t colour = n ? palette[index & 127] : cpixel(r);
		int run = index & 128 ? run_length(r) : 1;

		if (i + run > w * h) {
			r->failed = true;
			return;
		}
		while (run--)
			out[i++] = colour;
	}
}

static void zrle_tile(struct reader *r, int w, int h, uint32_t *out)
{
	uint8_t sub = zbyte(r);
	uint32_t palette[128];
	int n = sub < 128 ? sub : sub - 128;

	if (sub == 129 || (sub > 16 && sub < 128))
		r->failed = true;
	for (int i = 0; i < n && !r->failed; i++)
		palette[i] = cpixel(r);
	if (sub == 0)
		for (int i = 0; i < w * h; i++)
			out[i] = cpixel(r);
	else if (sub == 1)
		for (int i = 0; i < w * h; i++)
			out[i] = palette[0];
	else if (sub < 128)
		zrle_packed(r, n, palette, w, h, out);
	else
		zrle_runs(r, n, palette, w, h, out);
}

bool zrle_decode(struct inflater *s, const uint8_t *p, size_t n, int w, int h, uint32_t *ret)
{
	struct reader r = { s, false };
	uint32_t tile[64 * 64];
	uint8_t more;

	if (n < 4 || ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) != n - 4)
		return false;
	s->z.next_in = (Bytef *)(uintptr_t)(p + 4);
	s->z.avail_in = (uInt)(n - 4);
	for (int y = 0; y < h; y += 64)
		for (int x = 0; x < w; x += 64) {
			int tw = w - x < 64 ? w - x : 64, th = h - y < 64 ? h - y : 64;

			zrle_tile(&r, tw, th, tile);
			for (int i = 0; i < th; i++)
				memcpy(ret + (size_t)(y + i) * (size_t)w + x, tile + i * tw, (size_t)tw * 4);
		}
	s->z.next_out = &more;
	s->z.avail_out = 1;
	inflate(&s->z, Z_SYNC_FLUSH);
	return !r.failed && s->z.avail_in == 0 && s->z.avail_out == 1;
}

/* ---- JPEG ---- */

bool jpeg_decode(const uint8_t *p, size_t n, int w, int h, uint32_t *ret)
{
	struct jpeg_decompress_struct d;
	struct jpeg_error_mgr errors;

	d.err = jpeg_std_error(&errors); /* ends the test program on an error: a failed test */
	jpeg_create_decompress(&d);
	jpeg_mem_src(&d, p, n);
	jpeg_read_header(&d, TRUE);
	d.out_color_space = JCS_EXT_BGRX;
	jpeg_start_decompress(&d);
	if ((int)d.output_width != w || (int)d.output_height != h) {
		jpeg_destroy_decompress(&d);
		return false;
	}
	while (d.output_scanline < d.output_height) {
		JSAMPROW row = (JSAMPROW)(ret + (size_t)d.output_scanline * (size_t)w);

		jpeg_read_scanlines(&d, &row, 1);
	}
	jpeg_finish_decompress(&d);
	jpeg_destroy_decompress(&d);
	for (size_t i = 0; i < (size_t)w * (size_t)h; i++)
		ret[i] &= 0x00ffffff;
	return errors.num_warnings == 0;
}

/* ---- flat ---- */

struct flat_mark {
	int w, h;
	uint32_t *px;
};

struct flat_decoder {
	ZSTD_DCtx *zstd;
	struct flat_mark marks[4080];
	int marks_len, marks_px;
	uint32_t tints[8][256], paper;
	uint32_t palette[4][256];
	int len[4];
	struct bars_decoder *bars;
};

struct flat_decoder *flat_decoder_create(void)
{
	struct flat_decoder *d = calloc(1, sizeof(*d));

	d->zstd = ZSTD_createDCtx();
	d->bars = bars_decoder_create();
	ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, 23);
	return d;
}

static void forget_marks(struct flat_decoder *d)
{
	while (d->marks_len > 0)
		free(d->marks[--d->marks_len].px);
	d->marks_px = 0;
	memset(d->tints, 0xff, sizeof(d->tints));
}

void flat_decoder_destroy(struct flat_decoder *d)
{
	forget_marks(d);
	ZSTD_freeDCtx(d->zstd);
	bars_decoder_destroy(d->bars);
	free(d);
}

static size_t unzstd(struct flat_decoder *d, const uint8_t *p, size_t n, uint8_t *out, size_t cap)
{
	ZSTD_inBuffer in = { p, n, 0 };
	ZSTD_outBuffer to = { out, cap, 0 };
	size_t before;

	do {
		size_t rc, had = in.pos;

		before = to.pos;
		rc = ZSTD_decompressStream(d->zstd, &to, &in);
		if (ZSTD_isError(rc))
			return SIZE_MAX;
		if (had == in.pos && before == to.pos)
			break;
	} while (1);
	return in.pos == n ? to.pos : SIZE_MAX;
}

/* A new mark; returns where it ends in p, NULL when it is wrong. */
static const uint8_t *new_mark(struct flat_decoder *d, const uint8_t *p, const uint8_t *end)
{
	struct flat_mark *m = &d->marks[d->marks_len];
	int n = p[0] * p[1], tint = p[2];

	if (d->marks_len == 4080 || !n || p[0] > 64 || p[1] > 64 || (d->marks_px += n) > 1 << 20)
		return NULL;
	*m = (struct flat_mark){ p[0], p[1], malloc((size_t)n * 4) };
	d->marks_len++;
	p += 3;
	if (tint == 255) {
		for (int i = 0; i < n && end - p >= 3 * n; i++)
			m->px[i] = (uint32_t)((p[n + i] + p[i]) & 255) << 16 | (uint32_t)p[i] << 8 |
				   ((p[2 * n + i] + p[i]) & 255);
		return end - p >= 3 * n ? p + 3 * n : NULL;
	}
	for (int changes = tint < 8 && p < end ? *p++ : 0; changes && end - p >= 3; changes--, p += 3)
		d->tints[tint][p[0]] = (uint32_t)p[1] << 16 | (uint32_t)p[0] << 8 | p[2];
	for (int i = 0; i < n && tint < 8 && end - p >= n; i++) {
		m->px[i] = d->tints[tint][p[i]];
		if (m->px[i] == UINT32_MAX)
			return NULL;
	}
	return tint < 8 && end - p >= n ? p + n : NULL;
}

static bool draw_mark(const struct flat_mark *m, int x, int y, int w, int h, uint32_t *ret)
{
	if (x < 0 || y < 0 || x + m->w > w || y + m->h > h)
		return false;
	for (int row = 0; row < m->h; row++)
		memcpy(ret + (y + row) * w + x, m->px + row * m->w, (size_t)m->w * 4);
	return true;
}

/* Five bytes behind the end may be read: the buffer has them. */
static bool flat_marks(struct flat_decoder *d, const uint8_t *p, size_t n, int w, int h, uint32_t *ret)
{
	const uint8_t *end = p + n;
	int mode = *p++, x = 0, y = 0;

	if (mode == 4)
		forget_marks(d);
	if (mode != 2) {
		d->paper = rgb_at(p);
		p += 3;
	}
	for (int i = 0; i < w * h; i++)
		ret[i] = d->paper;
	while (p && p < end) {
		bool is_far = *p == 255;
		int number;

		x += is_far ? (int16_t)(p[1] | p[2] << 8) : *p >> 4;
		y += is_far ? (int16_t)(p[3] | p[4] << 8) : (*p & 15) - 8;
		p += is_far ? 5 : 1;
		number = *p++;
		if (number == 255) {
			number = d->marks_len;
			p = new_mark(d, p, end);
		} else if (number >= 240) {
			number = 240 + (number - 240) * 256 + *p++;
		}
		if (!p || p > end || number >= d->marks_len || !draw_mark(&d->marks[number], x, y, w, h, ret))
			return false;
		x += d->marks[number].w;
	}
	return p == end;
}

static bool flat_indexed(struct flat_decoder *d, const uint8_t *p, size_t n, int w, int h, uint32_t *ret)
{
	bool is_fresh = (p[0] & 0xf0) == 0x20;
	int slot = p[0] & 3, more = p[1] + is_fresh, bits;
	size_t row, at = 2;

	if (is_fresh)
		d->len[slot] = 0;
	if (d->len[slot] + more > 256 || n < 2 + (size_t)more * 3)
		return false;
	for (int i = 0; i < more; i++, at += 3)
		d->palette[slot][d->len[slot]++] = rgb_at(p + at);
	bits = d->len[slot] <= 2 ? 1 : d->len[slot] <= 4 ? 2 : d->len[slot] <= 16 ? 4 : 8;
	row = ((size_t)w * (size_t)bits + 7) / 8;
	if (n != at + row * (size_t)h)
		return false;
	for (int y = 0; y < h; y++, at += row)
		for (int x = 0; x < w; x++)
			*ret++ =
				d->palette[slot][p[at + (size_t)(x * bits / 8)] >> (8 - bits - x * bits % 8) &
						 ((1 << bits) - 1)];
	return true;
}

static bool flat_rows(const uint8_t *p, size_t n, int w, int h, uint32_t *ret)
{
	size_t row = (size_t)w * 3;
	uint8_t *above = calloc(2, row), *cur = above + row;
	bool ok = n == 1 + (row + 1) * (size_t)h;

	p++;
	for (int y = 0; y < h && ok; y++) {
		int filter = *p++;

		ok = filter < 4;
		for (size_t i = 0; i < row; i++) {
			int left = i >= 3 ? cur[i - 3] : 0, corner = i >= 3 ? above[i - 3] : 0;
			int guess[4] = { 0, left, above[i], left + above[i] - corner };

			cur[i] = (uint8_t)(*p++ + guess[filter & 3]);
		}
		for (int x = 0; x < w; x++) {
			uint8_t g = cur[3 * x], r = (uint8_t)(cur[3 * x + 1] + g),
				b = (uint8_t)(cur[3 * x + 2] + g);

			*ret++ = (uint32_t)r << 16 | (uint32_t)g << 8 | b;
		}
		memcpy(above, cur, row);
	}
	free(above);
	return ok;
}

bool flat_decode(
	struct flat_decoder *d, bool is_single, const uint8_t *p, size_t n, int w, int h, uint32_t *ret)
{
	size_t cap = (size_t)w * (size_t)h * 8 + (size_t)h + 1024;
	uint8_t *plain = malloc(cap);
	size_t len;
	bool ok;

	if (is_single)
		ZSTD_DCtx_reset(d->zstd, ZSTD_reset_session_only);
	len = unzstd(d, p, n, plain, cap);
	ok = len != SIZE_MAX && len > 0;
	if (ok && plain[0] >= 2 && plain[0] <= 4)
		ok = !is_single && flat_marks(d, plain, len, w, h, ret);
	else if (ok && plain[0] == 5)
		ok = !is_single && bars_decode(d->bars, plain + 1, len - 1, w, h, ret);
	else
		ok = ok && len > 2 &&
		     (plain[0] == 1 ? flat_rows(plain, len, w, h, ret)
				    : flat_indexed(d, plain, len, w, h, ret));
	free(plain);
	return ok;
}
