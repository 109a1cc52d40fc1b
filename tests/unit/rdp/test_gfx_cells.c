/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells of text: which are looked up, kept and drawn, and what is left to others. */
#include "protocol/front/rdp/gfx_cells.h"

#include <criterion/criterion.h>

#include "base/mem.h"

#define W 1000
#define H 600
#define FIRST 100
#define LEN 30
#define TO_CACHE_LEN 28u
#define FROM_CACHE_LEN 18u
#define EVICT_LEN 10u

static uint32_t screen[W * H];
static const struct pixmap pm = { (const uint8_t *)screen, W, H, W * 4 };
static const struct rect page = { 24, 3, 950, 520 };

static void draw_page(uint32_t which)
{
	for (uint32_t i = 0; i < W * H; i++)
		screen[i] = (i * 2654435761u >> 7 ^ which) % 5 ? 0xffffff : 0x202020;
}

static void draw_plain(const struct rect *r)
{
	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++)
			screen[y * W + x] = 0xeeeeee;
}

static size_t keep(struct gfx_cells *c, bool is_exact)
{
	struct pst_buf out;
	pst_buf_init(&out, 1 << 20);
	gfx_cells_keep(c, &pm, is_exact, 1, &out);
	size_t len = out.len;
	pst_buf_finish(&out);
	return len;
}

struct rests {
	struct rect at[16];
	int len, limit;
};

static int take_rest(void *arg, const struct rect *rest, struct pst_err *err)
{
	struct rests *rests = arg;
	if (rests->len == rests->limit)
		return pst_err_set(err, PST_ECLOSED, "no more");
	rests->at[rests->len++] = *rest;
	return 0;
}

/* Bytes of known cells. */
static size_t put(struct gfx_cells *c, const struct rect *r, struct rests *ret)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf out;
	*ret = (struct rests){ .limit = 16 };
	pst_buf_init(&out, 1 << 20);
	cr_assert_eq(gfx_cells_put(c, 1, r, &out, take_rest, ret, &err), 0);
	size_t len = out.len;
	pst_buf_finish(&out);
	return len;
}

Test(gfx_cells, a_page_is_kept_and_known_again)
{
	struct gfx_cells *c = gfx_cells_create(FIRST, LEN, W, H);
	struct rests rests;
	cr_assert_eq(gfx_cells_count(W, H), 20);
	draw_page(1);
	cr_expect_not(gfx_cells_know(c, &pm, &page));
	cr_expect_eq(keep(c, true), 16 * TO_CACHE_LEN, "four rows are full, of the fifth eleven lines");
	draw_page(2);
	cr_expect_not(gfx_cells_know(c, &pm, &page));
	cr_expect_eq(keep(c, false), 0, "the client shows something lossy");
	draw_page(1);
	cr_assert(gfx_cells_know(c, &pm, &page));
	cr_expect_eq(put(c, &page, &rests), 16 * FROM_CACHE_LEN);
	cr_assert_eq(rests.len, 1);
	cr_expect(rests.at[0].x == 24 && rests.at[0].y == 512 && rests.at[0].w == 950 && rests.at[0].h == 11, "the fifth row");
	cr_expect_eq(keep(c, true), 0, "all is kept already");
	gfx_cells_destroy(c);
	gfx_cells_destroy(NULL);
}

Test(gfx_cells, what_changed_in_a_known_page_is_left_to_others)
{
	const struct rect letter = { 300, 140, 8, 12 }, blank = { 512, 256, 256, 128 };
	struct gfx_cells *c = gfx_cells_create(FIRST, LEN, W, H);
	struct rests rests;
	draw_page(1);
	draw_plain(&blank);
	gfx_cells_know(c, &pm, &page);
	cr_expect_eq(keep(c, true), 15 * TO_CACHE_LEN, "plain cells need no place");
	draw_plain(&letter);
	cr_assert(gfx_cells_know(c, &pm, &page));
	cr_expect_eq(put(c, &page, &rests), 14 * FROM_CACHE_LEN);
	cr_assert_eq(rests.len, 3);
	cr_expect(rests.at[0].x == 256 && rests.at[0].y == 128 && rests.at[0].w == 256 && rests.at[0].h == 128);
	cr_expect(rests.at[1].x == 512 && rests.at[1].y == 256 && rests.at[1].w == 256 && rests.at[1].h == 128);
	gfx_cells_destroy(c);
}

Test(gfx_cells, little_is_neither_looked_up_nor_kept)
{
	const struct rect line = { 24, 200, 900, 18 }, strip = { 0, 552, W, 48 }, window = { 256, 128, 300, 128 };
	const struct rect cases[] = { line, strip, window };
	struct gfx_cells *c = gfx_cells_create(FIRST, LEN, W, H);
	draw_page(1);
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		cr_expect_not(gfx_cells_know(c, &pm, &cases[i]));
		cr_expect_eq(keep(c, true), 0, "case %zu", i);
	}
	gfx_cells_destroy(c);
}

Test(gfx_cells, several_operations_fill_a_cell_together)
{
	const struct rect upper = { 0, 0, W, 70 }, lower = { 0, 70, W, 58 };
	struct gfx_cells *c = gfx_cells_create(FIRST, LEN, W, H);
	draw_page(1);
	gfx_cells_know(c, &pm, &upper);
	gfx_cells_know(c, &pm, &lower);
	cr_expect_eq(keep(c, true), 4 * TO_CACHE_LEN);
	gfx_cells_know(c, &pm, &upper);
	cr_expect_eq(keep(c, true), 0, "the frame before is forgotten");
	gfx_cells_destroy(c);
}

Test(gfx_cells, the_least_used_gives_way_and_all_can_go)
{
	struct gfx_cells *c = gfx_cells_create(FIRST, LEN, W, H);
	struct pst_buf out;
	for (uint32_t i = 1; i <= 2; i++) {
		draw_page(i);
		gfx_cells_know(c, &pm, &page);
		cr_expect_eq(keep(c, true), 16 * TO_CACHE_LEN + (i == 2 ? 2 * EVICT_LEN : 0));
	}
	pst_buf_init(&out, 1 << 20);
	gfx_cells_empty(c, &out);
	cr_expect_eq(out.len, LEN * EVICT_LEN);
	cr_expect_not(gfx_cells_know(c, &pm, &page));
	pst_buf_finish(&out);
	gfx_cells_destroy(c);
}

Test(gfx_cells, a_failure_ends_the_walk)
{
	struct gfx_cells *c = gfx_cells_create(FIRST, LEN, W, H);
	struct pst_err err = PST_ERR_INIT;
	struct rests none = { .limit = 0 };
	struct pst_buf out;
	draw_page(1);
	gfx_cells_know(c, &pm, &page);
	keep(c, true);
	cr_assert(gfx_cells_know(c, &pm, &page));
	pst_buf_init(&out, 1 << 20);
	cr_expect_eq(gfx_cells_put(c, 1, &page, &out, take_rest, &none, &err), PST_ECLOSED);
	pst_buf_finish(&out);
	gfx_cells_destroy(c);
}
