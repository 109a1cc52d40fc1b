/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our own lossless codec, made for screens: text as marks (marks.c), columns that the reader keeps (clear.c),
 * indices into a palette that lives on from rectangle to rectangle, or rows by prediction, then zstd.
 * docs/flat-codec.md gives every byte. The stream variant keeps one zstd frame open for the whole connection,
 * with a window of 2 MB, so that what was shown before costs next to nothing when it comes back.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/mem.h"
#include "encoder/codec.h"
#include "encoder/codec/marks.h"
#include "encoder/dsp/dsp.h"
#include "encoder/palette.h"

#define WINDOW_LOG 21 /* 2 MB: what a browser's decoder must keep, and our worker */
#define PALETTES 4
#define STEP 16384
#define SMALL_AREA_MAX \
	1024 /* a few letters cost less as indices: their palette is known, their columns are not */
#define PLAIN_MAX (64u << 20) /* plain bytes of a rectangle of marks or columns */
#define PLAIN_KEEP (128u * 1024) /* more than this is given back after the rectangle */
enum { MODE_ROWS = 0x01, MODE_BARS = 0x05, MODE_EXTEND = 0x10, MODE_FRESH = 0x20 };
enum { FILTER_NONE, FILTERS = DSP_FILTERS };

struct flat {
	struct codec base;
	ZSTD_CCtx *zstd;
	bool is_stream;
	struct marks *marks; /* of a stream */
	struct codec *bars;  /* ClearCodec; NULL where every rectangle stands alone */
	struct pst_buf plain;
	struct palette palettes[PALETTES], scan;
	uint64_t used[PALETTES], clock;
	uint8_t indices[SCREEN_SIDE_MAX];
	/* This row and the one above, as G, R-G, B-G, behind a black pixel. */
	uint8_t rows[2][3 + SCREEN_SIDE_MAX * 3];
	const struct dsp *dsp;
	uint8_t filtered[FILTERS][1 + SCREEN_SIDE_MAX * 3];
};

static int write_bytes(struct flat *f, const void *data, size_t n, ZSTD_EndDirective end, struct pst_buf *out,
	struct pst_err *err)
{
	ZSTD_inBuffer in = { data, n, 0 };
	size_t left;

	do {
		uint8_t *at = pst_buf_reserve(out, STEP);
		ZSTD_outBuffer to = { at, STEP, 0 };

		if (!at)
			return pst_err_set(err, PST_ELIMIT, "flat: no room for %d bytes", STEP);
		left = ZSTD_compressStream2(f->zstd, &to, &in, end);
		if (ZSTD_isError(left))
			return pst_err_set(
				err, PST_EINTERNAL, "flat: zstd failed: %s", ZSTD_getErrorName(left));
		pst_buf_commit(out, to.pos);
	} while (end == ZSTD_e_continue ? in.pos < in.size : left > 0);
	return 0;
}

static int finish(struct flat *f, struct pst_buf *out, struct pst_err *err)
{
	return write_bytes(f, NULL, 0, f->is_stream ? ZSTD_e_flush : ZSTD_e_end, out, err);
}

/* How many of scan's colours the palette lacks; -1 when it cannot take them all. */
static int32_t count_missing(const struct palette *have, const struct palette *scan)
{
	int32_t missing = 0;

	for (int32_t i = 0; i < scan->len; i++)
		missing += palette_find(have, scan->colours[i]) < 0;
	return have->len + missing <= PALETTE_MAX ? missing : -1;
}

/*
 * The palette that needs the fewest new colours. A slot that would have to grow by more than half is left
 * alone: another text with other colours gets its own slot, and the first one's indices stay what they were.
 */
static int choose_slot(const struct flat *f, bool *ret_is_fresh)
{
	int best = -1, oldest = 0;
	int32_t best_missing = INT32_MAX;

	for (int i = 0; i < PALETTES && f->is_stream; i++) {
		int32_t missing = count_missing(&f->palettes[i], &f->scan);

		if (f->palettes[i].len && missing >= 0 && missing < best_missing) {
			best = i;
			best_missing = missing;
		}
		if (f->used[i] < f->used[oldest])
			oldest = i;
	}
	*ret_is_fresh = best < 0 || best_missing * 2 > f->scan.len;
	return *ret_is_fresh ? oldest : best;
}

static size_t put_colours(const struct palette *p, int32_t from, uint8_t *at)
{
	uint8_t *start = at;

	for (int32_t i = from; i < p->len; i++) {
		*at++ = (uint8_t)(p->colours[i] >> 16);
		*at++ = (uint8_t)(p->colours[i] >> 8);
		*at++ = (uint8_t)p->colours[i];
	}
	return (size_t)(at - start);
}

static int encode_indexed(struct flat *f, const struct pixmap *p, const struct rect *r, struct pst_buf *out,
	struct pst_err *err)
{
	uint8_t head[2 + PALETTE_MAX * 3], packed[SCREEN_SIDE_MAX];
	bool is_fresh;
	int slot = choose_slot(f, &is_fresh), rc;
	struct palette *pal = &f->palettes[slot];
	int32_t had;

	if (is_fresh)
		palette_clear(pal);
	had = pal->len;
	for (int32_t i = 0; i < f->scan.len; i++)
		palette_add(pal, f->scan.colours[i], PALETTE_MAX);
	f->used[slot] = ++f->clock;

	head[0] = (uint8_t)((is_fresh ? MODE_FRESH : MODE_EXTEND) | slot);
	head[1] = (uint8_t)(pal->len - had - is_fresh); /* fresh: at least one, so one less is written */
	rc = write_bytes(f, head, 2 + put_colours(pal, had, head + 2), ZSTD_e_continue, out, err);
	for (int32_t y = r->y; y < r->y + r->h && rc == 0; y++) {
		palette_map_row(pal, pixmap_at(p, r->x, y), r->w, f->indices);
		rc = write_bytes(f, packed,
			palette_pack_row(f->indices, r->w, palette_bits(pal->len), packed), ZSTD_e_continue,
			out, err);
	}
	return rc;
}

static void split_row(const uint32_t *row, int32_t n, uint8_t *out)
{
	for (int32_t x = 0; x < n; x++) {
		uint8_t g = (uint8_t)(row[x] >> 8);

		*out++ = g;
		*out++ = (uint8_t)((row[x] >> 16) - g);
		*out++ = (uint8_t)(row[x] - g);
	}
}

/* Fills every filter's form of the row and returns the one with the smallest residues. */
static int filter_row(struct flat *f, const uint8_t *cur, const uint8_t *above, size_t n)
{
	uint8_t *const out[FILTERS] = { &f->filtered[0][1], &f->filtered[1][1], &f->filtered[2][1],
		&f->filtered[3][1] };
	uint32_t weights[FILTERS];
	int best = FILTER_NONE;

	f->dsp->residues(cur, above, (int32_t)n, out, weights);
	for (int k = 0; k < FILTERS; k++) {
		f->filtered[k][0] = (uint8_t)k;
		if (weights[k] < weights[best])
			best = k;
	}
	return best;
}

static int encode_rows(struct flat *f, const struct pixmap *p, const struct rect *r, struct pst_buf *out,
	struct pst_err *err)
{
	const uint8_t mode = MODE_ROWS;
	size_t n = (size_t)r->w * 3;
	int rc = write_bytes(f, &mode, 1, ZSTD_e_continue, out, err), turn = 0;

	memset(f->rows[1], 0, n + 3); /* black above the first row */
	for (int32_t y = r->y; y < r->y + r->h && rc == 0; y++, turn ^= 1) {
		int filter;

		split_row(pixmap_at(p, r->x, y), r->w, f->rows[turn] + 3);
		filter = filter_row(f, f->rows[turn] + 3, f->rows[turn ^ 1] + 3, n);
		rc = write_bytes(f, f->filtered[filter], n + 1, ZSTD_e_continue, out, err);
	}
	return rc;
}

/* Programs draw with equal neighbours: letters on paper, lines, areas. Photos have hardly any. */
static bool is_drawn(const struct pixmap *p, const struct rect *r)
{
	uint32_t equal = 0, soft = 0, pairs = (uint32_t)((r->w - 1) * ((r->h + 1) / 2));

	for (int32_t y = r->y; y < r->y + r->h; y += 2)
		dsp_best()->slopes(pixmap_at(p, r->x, y), r->w, &equal, &soft);
	return equal * 4 >= pairs;
}

static int write_plain(struct flat *f, struct pst_buf *out, struct pst_err *err)
{
	int rc = write_bytes(f, f->plain.data, f->plain.len, ZSTD_e_continue, out, err);

	pst_buf_reset_to(&f->plain, PLAIN_KEEP);
	return rc;
}

static int encode_bars(struct flat *f, const struct pixmap *p, const struct rect *r, struct pst_buf *out,
	struct pst_err *err)
{
	int rc;

	pst_buf_reset(&f->plain);
	pst_buf_put_u8(&f->plain, MODE_BARS);
	rc = codec_encode(f->bars, p, r, 0, &f->plain, err);
	return rc < 0 ? rc : write_plain(f, out, err);
}

/* Returns 1 when the rectangle is no text on one paper. */
static int encode_marks(struct flat *f, const struct pixmap *p, const struct rect *r, struct pst_buf *out,
	struct pst_err *err)
{
	pst_buf_reset(&f->plain);
	return f->marks && marks_write(f->marks, p, r, &f->plain) ? write_plain(f, out, err) : 1;
}

static int encode_others(struct flat *f, const struct pixmap *p, const struct rect *r, struct pst_buf *out,
	struct pst_err *err)
{
	bool is_small = rect_area(r) <= SMALL_AREA_MAX;

	palette_clear(&f->scan);
	if (is_small && palette_scan(&f->scan, p, r, PALETTE_MAX))
		return encode_indexed(f, p, r, out, err);
	if (f->bars && is_drawn(p, r))
		return encode_bars(f, p, r, out, err);
	if (!is_small && palette_scan(&f->scan, p, r, PALETTE_MAX))
		return encode_indexed(f, p, r, out, err);
	return encode_rows(f, p, r, out, err);
}

static int flat_encode(struct codec *c, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err)
{
	struct flat *f = pst_container_of(c, struct flat, base);
	int rc;

	(void)quality;
	if (!f->is_stream)
		ZSTD_CCtx_reset(f->zstd, ZSTD_reset_session_only);
	rc = encode_marks(f, p, r, out, err);
	if (rc > 0)
		rc = encode_others(f, p, r, out, err);
	return rc < 0 ? rc : finish(f, out, err);
}

static void flat_destroy(struct codec *c)
{
	struct flat *f = pst_container_of(c, struct flat, base);

	ZSTD_freeCCtx(f->zstd);
	codec_destroy(f->bars);
	marks_destroy(f->marks);
	pst_buf_finish(&f->plain);
	free(f);
}

static struct codec *create(bool is_stream)
{
	struct flat *f = pst_zalloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->is_stream = is_stream;
	f->dsp = dsp_best();
	pst_buf_init(&f->plain, PLAIN_MAX);
	f->bars = is_stream ? codec_create(&codec_clear) : NULL;
	f->marks = is_stream ? marks_create() : NULL;
	f->zstd = ZSTD_createCCtx();
	if (!f->zstd || (is_stream && (!f->bars || !f->marks))) {
		flat_destroy(&f->base);
		return NULL;
	}
	ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_compressionLevel, 1);
	ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_contentSizeFlag, 0);
	if (is_stream) {
		ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_windowLog, WINDOW_LOG);
		ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_enableLongDistanceMatching, 1);
	}
	return &f->base;
}

static struct codec *flat_create(void)
{
	return create(true);
}

static struct codec *flat_single_create(void)
{
	return create(false);
}

const struct codec_type codec_flat = {
	.name = "flat",
	.is_lossless = true,
	.is_stateful = true,
	.create = flat_create,
	.destroy = flat_destroy,
	.encode = flat_encode,
};

const struct codec_type codec_flat_single = {
	.name = "flat-single",
	.is_lossless = true,
	.create = flat_single_create,
	.destroy = flat_destroy,
	.encode = flat_encode,
};
