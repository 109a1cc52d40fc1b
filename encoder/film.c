/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hull of hot pictures, where they are a third of it at least. */
#include "encoder/film.h"

#define TILES_MIN 4
#define FPS 30 /* of what changes in every slot */

static bool is_hot_picture(const struct encoder *e, const struct tile *t)
{
	return !t->is_video && encoder_is_lossy(e, t->klass) && tile_is_hot(t);
}

static uint64_t frames_per_s(const struct tile *t, uint64_t now_ns)
{
	uint64_t slots = (uint64_t)tile_rate(t, now_ns);

	return slots == TILE_RATE_SLOTS ? FPS : slots * (1000000000 / TILE_SLOT_NS) / TILE_RATE_SLOTS;
}

static uint64_t pixels_per_s(const struct encoder *e, uint64_t now_ns)
{
	uint64_t pixels = 0;

	for (int32_t row = e->film.y; row < e->film.y + e->film.h; row++) {
		for (int32_t column = e->film.x; column < e->film.x + e->film.w; column++) {
			const struct tile *t = tiles_at(&e->tiles, column, row);

			if (encoder_is_film(e, t, column, row))
				pixels += (uint64_t)box_area(&t->hot) * frames_per_s(t, now_ns);
		}
	}
	return pixels;
}

uint64_t film_find(struct encoder *e, uint64_t now_ns)
{
	struct rect hull = { 0, 0, 0, 0 };
	int64_t n = 0;

	for (int32_t row = 0; row < e->tiles.rows; row++) {
		for (int32_t column = 0; column < e->tiles.columns; column++) {
			const struct rect tile = { column, row, 1, 1 };
			const struct tile *t = tiles_at(&e->tiles, column, row);

			if (!is_hot_picture(e, t) || !tile_rate(t, now_ns))
				continue;
			hull = rect_union(&hull, &tile);
			n++;
		}
	}
	e->film = n >= TILES_MIN && n * 3 >= rect_area(&hull) ? hull : (struct rect){ 0, 0, 0, 0 };
	return pixels_per_s(e, now_ns);
}
