/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Codecs of the graphics pipeline, chosen by what the pixels are; see gfx_pixels.h. */
#include "protocol/front/rdp/gfx_pixels.h"

#include <freerdp/codec/planar.h>
#include <stdlib.h>

#include "base/mem.h"
#include "encoder/codec.h"
#include "encoder/codec/clear_cut.h"
#include "encoder/dsp/dsp.h"
#include "protocol/front/rdp/gfx_cache.h"
#include "protocol/front/rdp/gfx_cells.h"
#include "protocol/front/rdp/gfx_wire.h"
#include "protocol/front/rdp/planar.h"
#include "protocol/front/rdp/remotefx.h"

#define PART_WIDTH_MAX 512
#define PART_HEIGHT_MAX 128
#define SMOOTH_AREA_MIN 1024
#define SMOOTH_STEP 4 /* rows, of which one is looked at */
#define DATA_KEEP (128u * 1024) /* bytes; more is given back after the operation */
#define KEEP_AREA_MIN 256 /* pixels that are worth a slot */
/* Of the client's cache, in bytes: tiles of pictures, and cells of text where two screens of them fit into a part. */
#define SMALL_CACHE (16 * 1024 * 1024)
#define LARGE_CACHE (100 * 1024 * 1024)
#define TILE_BYTES (GFX_CACHE_TILE * GFX_CACHE_TILE * 4)
#define CELL_BYTES (GFX_CELL_WIDTH * GFX_CELL_HEIGHT * 4)
#define SCREENS_MIN 2

struct gfx_pixels {
	struct codec *clear;
	BITMAP_PLANAR_CONTEXT *planar; /* up to 1.2 MB; NULL between operations */
	struct remotefx *remotefx;
	bool has_small_cache;
	struct gfx_cache *cache; /* of pictures' tiles; NULL before the first size */
	struct gfx_cells *cells; /* of text; NULL where there is no room for them */
	struct pst_buf data;
};

/* One operation at work. */
struct job {
	struct gfx_pixels *x;
	uint16_t surface;
	bool is_lossy, is_smooth;
	int quality; /* of lossy ones */
	struct pst_buf *out;
};

static int put_bits(const struct job *j, enum gfx_codec codec, const struct rect *r)
{
	gfx_wire_bits(j->out, j->surface, codec, r, j->x->data.data, j->x->data.len);
	j->out->failed |= j->x->data.failed;
	return 0;
}

static int put_clear(const struct job *j, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	const struct rect lines = clear_cut_grow(sent, r);
	pst_buf_reset(&j->x->data);
	int rc = codec_encode(j->x->clear, sent, &lines, 0, &j->x->data, err);
	return rc < 0 ? rc : put_bits(j, GFX_CODEC_CLEAR, &lines);
}

static int put_plain_planes(const struct job *j, const struct pixmap *sent, const struct rect *r)
{
	pst_buf_reset(&j->x->data);
	planar_put_plain(&j->x->data, sent, r);
	return put_bits(j, GFX_CODEC_PLANAR, r);
}

/* Planes whose runs would be longer than the pixels are refused by the codec: noise, or a few pixels. */
static int put_planes(const struct job *j, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	UINT32 len = 0;
	if (!j->x->planar)
		j->x->planar = freerdp_bitmap_planar_context_new(PLANAR_FORMAT_HEADER_NA | PLANAR_FORMAT_HEADER_RLE, (UINT32)r->w, (UINT32)r->h);
	if (!j->x->planar || !freerdp_bitmap_planar_context_reset(j->x->planar, (UINT32)r->w, (UINT32)r->h))
		return pst_err_set(err, PST_ENOMEM, "no memory for a picture's codec");
	freerdp_planar_topdown_image(j->x->planar, TRUE);
	BYTE *data = planar_pack(j->x->planar, sent, r, &len);
	if (!data)
		return put_plain_planes(j, sent, r);
	gfx_wire_bits(j->out, j->surface, GFX_CODEC_PLANAR, r, data, len);
	free(data);
	return 0;
}

static int put_exact(const struct job *j, const struct pixmap *sent, const struct rect *all, struct pst_err *err)
{
	for (int32_t y = all->y; y < all->y + all->h; y += PART_HEIGHT_MAX) {
		for (int32_t x = all->x; x < all->x + all->w; x += PART_WIDTH_MAX) {
			const struct rect part = { x, y, PST_MIN(PART_WIDTH_MAX, all->x + all->w - x),
						   PST_MIN(PART_HEIGHT_MAX, all->y + all->h - y) };
			int r = put_planes(j, sent, &part, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int put_lossy(void *arg, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	const struct job *j = arg;
	pst_buf_reset(&j->x->data);
	int rc = remotefx_pack(j->x->remotefx, sent, r, j->quality, &j->x->data, err);
	return rc < 0 ? rc : put_bits(j, GFX_CODEC_CAVIDEO, r);
}

/* Few neighbours are equal and most are near: a wallpaper, whose columns nobody knows again. */
static bool is_smooth(const struct pixmap *sent, const struct rect *r)
{
	uint32_t equal = 0, soft = 0, pairs = 0;
	if (rect_area(r) < SMOOTH_AREA_MIN)
		return false;
	for (int32_t y = r->y; y < r->y + r->h; y += SMOOTH_STEP, pairs += (uint32_t)r->w - 1)
		dsp_best()->slopes(pixmap_at(sent, r->x, y), r->w, &equal, &soft);
	return equal * 2 < pairs && soft * 2 >= pairs;
}

static int put_picture_part(const struct job *j, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	if (rect_is_empty(r))
		return 0;
	if (j->is_lossy)
		return remotefx_split(r, sent, put_lossy, (void *)(uintptr_t)j, err);
	return j->is_smooth ? put_plain_planes(j, sent, r) : put_exact(j, sent, r, err);
}

/* Cells are what r covers of the screen's tiles. */
static struct rect cells_of(const struct rect *r)
{
	int32_t s = GFX_CACHE_TILE, x = r->x / s, y = r->y / s;
	return (struct rect){ x, y, (r->x + r->w + s - 1) / s - x, (r->y + r->h + s - 1) / s - y };
}

static struct rect cell_at(const struct rect *r, int32_t column, int32_t row)
{
	const struct rect tile = { column * GFX_CACHE_TILE, row * GFX_CACHE_TILE, GFX_CACHE_TILE, GFX_CACHE_TILE };
	struct rect cell = { 0 };
	rect_intersect(&tile, r, &cell);
	return cell;
}

static uint16_t find_cell(const struct job *j, const struct pixmap *sent, const struct rect *cell)
{
	struct gfx_tile_key key = gfx_cache_key(j->x->cache, sent, cell);
	return gfx_cache_find(j->x->cache, &key);
}

/* One row of cells: known ones from the cache, what lies between them by a codec. */
static int put_row(const struct job *j, const struct pixmap *sent, const struct rect *r, const struct rect *cells, int32_t row, struct pst_err *err)
{
	struct rect open = cell_at(r, cells->x, row);
	int rc = 0;
	for (int32_t i = cells->x; rc == 0 && i < cells->x + cells->w; i++) {
		struct rect cell = cell_at(r, i, row);
		uint16_t slot = find_cell(j, sent, &cell);
		if (!slot)
			continue;
		open.w = cell.x - open.x;
		rc = put_picture_part(j, sent, &open, err);
		gfx_wire_from_cache(j->out, slot, j->surface, cell.x, cell.y);
		open.x = cell.x + cell.w;
	}
	open.w = r->x + r->w - open.x;
	return rc < 0 ? rc : put_picture_part(j, sent, &open, err);
}

static bool knows_any(const struct job *j, const struct pixmap *sent, const struct rect *r, const struct rect *cells)
{
	for (int32_t row = cells->y; row < cells->y + cells->h; row++) {
		for (int32_t i = cells->x; i < cells->x + cells->w; i++) {
			struct rect cell = cell_at(r, i, row);
			if (find_cell(j, sent, &cell))
				return true;
		}
	}
	return false;
}

/* A cell that the client shows exactly now, for another time. */
static void keep(const struct job *j, const struct pixmap *sent, const struct rect *cell)
{
	struct gfx_tile_key key = gfx_cache_key(j->x->cache, sent, cell);
	if (rect_area(cell) >= KEEP_AREA_MIN && !gfx_cache_find(j->x->cache, &key))
		gfx_cache_put(j->x->cache, &key, j->surface, cell, j->out);
}

static void keep_cells(const struct job *j, const struct pixmap *sent, const struct rect *r, const struct rect *cells)
{
	for (int32_t row = cells->y; row < cells->y + cells->h; row++) {
		for (int32_t i = cells->x; i < cells->x + cells->w; i++) {
			struct rect cell = cell_at(r, i, row);
			keep(j, sent, &cell);
		}
	}
}

/* In one where nothing is known, else row by row. */
static int put_picture(const struct job *j, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	struct rect cells = cells_of(r);
	int rc = 0;
	if (!knows_any(j, sent, r, &cells))
		rc = put_picture_part(j, sent, r, err);
	else
		for (int32_t row = cells.y; rc == 0 && row < cells.y + cells.h; row++)
			rc = put_row(j, sent, r, &cells, row, err);
	if (rc == 0 && !j->is_lossy)
		keep_cells(j, sent, r, &cells);
	return rc;
}

struct rest {
	const struct job *job;
	const struct pixmap *sent;
};

static int put_rest(void *arg, const struct rect *r, struct pst_err *err)
{
	const struct rest *rest = arg;
	return put_clear(rest->job, rest->sent, r, err);
}

static int put_text(const struct job *j, const struct pixmap *sent, const struct rect *r, struct pst_err *err)
{
	struct rest rest = { j, sent };
	if (!j->x->cells || !gfx_cells_know(j->x->cells, sent, r))
		return put_clear(j, sent, r, err);
	return gfx_cells_put(j->x->cells, j->surface, r, j->out, put_rest, &rest, err);
}

struct gfx_pixels *gfx_pixels_create(bool has_small_cache, struct pst_err *err)
{
	struct gfx_pixels *x = pst_zalloc(1, sizeof(*x));
	if (x) {
		pst_buf_init(&x->data, GFX_PDU_MAX);
		x->clear = codec_create(&codec_clear);
		x->has_small_cache = has_small_cache;
	}
	if (!x || !x->clear) {
		gfx_pixels_destroy(x);
		pst_err_set(err, PST_ENOMEM, "no memory for the graphics pipeline's codecs");
		return NULL;
	}
	return x;
}

void gfx_pixels_destroy(struct gfx_pixels *x)
{
	if (!x)
		return;
	codec_destroy(x->clear);
	freerdp_bitmap_planar_context_free(x->planar);
	remotefx_destroy(x->remotefx);
	gfx_cache_destroy(x->cache);
	gfx_cells_destroy(x->cells);
	pst_buf_finish(&x->data);
	free(x);
}

/* How many cells a cache of so many bytes has for a screen. */
static uint32_t cells_for(uint32_t bytes, int32_t width, int32_t height)
{
	uint32_t screen = gfx_cells_count(width, height), most = bytes / 8 * 5 / CELL_BYTES;
	return most < SCREENS_MIN * screen ? 0 : most;
}

static int share_cache(struct gfx_pixels *x, int32_t width, int32_t height)
{
	uint32_t bytes = x->has_small_cache ? SMALL_CACHE : LARGE_CACHE, cells = cells_for(bytes, width, height);
	uint32_t tiles = (bytes - cells * CELL_BYTES) / TILE_BYTES;
	x->cache = gfx_cache_create(1, (uint16_t)tiles);
	if (cells > 0)
		x->cells = gfx_cells_create((uint16_t)(tiles + 1), (uint16_t)cells, width, height);
	return x->cache && (x->cells || cells == 0) ? 0 : PST_ENOMEM;
}

static void forget_cache(struct gfx_pixels *x, struct pst_buf *out)
{
	if (x->cache)
		gfx_cache_empty(x->cache, out);
	if (x->cells)
		gfx_cells_empty(x->cells, out);
	gfx_cache_destroy(x->cache);
	gfx_cells_destroy(x->cells);
	x->cache = NULL;
	x->cells = NULL;
}

int gfx_pixels_resize(struct gfx_pixels *x, int32_t width, int32_t height, struct pst_buf *out, struct pst_err *err)
{
	forget_cache(x, out);
	if (share_cache(x, width, height) < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory for what the RDP client keeps");
	remotefx_destroy(x->remotefx);
	x->remotefx = remotefx_create(width, height, err);
	return x->remotefx ? 0 : err->code;
}

int gfx_pixels_put(struct gfx_pixels *x, const struct op *op, const struct pixmap *sent, uint16_t surface, struct pst_buf *out, struct pst_err *err)
{
	struct job job = { .x = x, .surface = surface, .is_lossy = op->kind == OP_LOSSY, .out = out };
	job.quality = job.is_lossy ? op->quality : 0;
	bool is_picture = job.is_lossy || op->klass == OP_CLASS_PICTURE;
	job.is_smooth = !is_picture && is_smooth(sent, &op->rect);
	int rc = is_picture || job.is_smooth ? put_picture(&job, sent, &op->rect, err) : put_text(&job, sent, &op->rect, err);
	pst_buf_reset_to(&x->data, DATA_KEEP);
	freerdp_bitmap_planar_context_free(x->planar);
	x->planar = NULL;
	return rc;
}

void gfx_pixels_end(struct gfx_pixels *x, const struct pixmap *sent, bool is_exact, uint16_t surface, struct pst_buf *out)
{
	if (x->cells)
		gfx_cells_keep(x->cells, sent, is_exact, surface, out);
}
