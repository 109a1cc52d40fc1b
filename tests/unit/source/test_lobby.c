/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lobby as a source: a screen of the size that was asked for, pages, replies, and no wake-up without a reason. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "protocol/source/lobby/lobby.h"

struct seen {
	uv_loop_t loop;
	struct source *source;
	struct pixmap screen;
	struct rect damage;
	int surfaces, damages, cursors, replies;
	int32_t entry;
};

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct seen *s = arg;

	s->surfaces++;
	s->screen = *screen;
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct seen *s = arg;

	s->damages++;
	s->damage = rects[0];
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	struct seen *s = arg;

	s->cursors += image->w > 0 && image->pixels[0] >> 24 == 0xff;
}

static void on_replied(void *arg, int32_t entry)
{
	struct seen *s = arg;

	s->replies++;
	s->entry = entry;
}

static void on_closed(void *arg, int code, const char *reason)
{
	cr_assert_fail("the lobby ended: %s", reason);
}

static const struct source_events events = {
	.surface = on_surface, .damage = on_damage, .cursor = on_cursor, .replied = on_replied, .closed = on_closed
};

static void open_lobby(struct seen *s, int32_t w, int32_t h)
{
	struct source_params p = { .loop = &s->loop, .fd = -1, .width = w, .height = h };
	struct pst_err err;

	memset(s, 0, sizeof(*s));
	uv_loop_init(&s->loop);
	s->source = source_open(source_find("lobby"), &p, &events, s, &err);
	cr_assert_not_null(s->source);
}

static void close_lobby(struct seen *s)
{
	source_close(s->source, NULL);
	cr_assert_eq(pst_loop_drain(&s->loop), 0);
}

static void turn_until_surface(struct seen *s, int n)
{
	while (s->surfaces < n)
		uv_run(&s->loop, UV_RUN_ONCE);
}

static void key(struct seen *s, uint32_t keysym)
{
	struct input_event ev = { .kind = INPUT_KEY, .key = { true, keysym, 0 } };

	cr_assert_eq(source_input(s->source, &ev), 0);
}

Test(lobby, test_screen_has_the_size_of_the_wish_within_bounds)
{
	static const struct {
		int32_t w, h, want_w, want_h;
	} sizes[] = { { 0, 0, 1280, 720 }, { 640, 480, 640, 480 }, { 8192, 8192, LOBBY_WIDTH_MAX, LOBBY_HEIGHT_MAX } };

	for (size_t i = 0; i < PST_ARRAY_LEN(sizes); i++) {
		struct seen s;

		open_lobby(&s, sizes[i].w, sizes[i].h);
		turn_until_surface(&s, 1);
		cr_assert(s.screen.width == sizes[i].want_w && s.screen.height == sizes[i].want_h);
		cr_assert_eq(s.cursors, 1);
		close_lobby(&s);
	}
}

Test(lobby, test_a_choice_is_replied_by_its_entry)
{
	struct page_entry *entries = calloc(3, sizeof(*entries));
	struct page p = { .kind = PAGE_CHOICE, .entries = entries, .n_entries = 3 };
	struct seen s;

	open_lobby(&s, 800, 600);
	cr_assert_eq(source_page(s.source, &p), 0);
	memset(entries, 'x', 3 * sizeof(*entries));
	free(entries); /* the lobby has its own */
	key(&s, '2'); /* nobody can have seen it yet */
	cr_assert_eq(s.replies, 0);
	turn_until_surface(&s, 1);
	key(&s, 0xff54);
	cr_assert(s.damages == 1 && s.damage.w == 800 && s.replies == 0);
	key(&s, 0xff0d);
	cr_assert(s.replies == 1 && s.entry == 1);
	key(&s, 0xff1b);
	cr_assert(s.replies == 2 && s.entry == -1);
	/* Nothing moves by itself on such a page: the loop has no work at all. */
	cr_assert_eq(uv_run(&s.loop, UV_RUN_NOWAIT), 0);
	close_lobby(&s);
}

Test(lobby, test_waiting_damages_its_clock_once_a_second)
{
	struct page p = { .kind = PAGE_PROGRESS, .title = { "a", "b" } };
	struct seen s;
	uint64_t start;

	open_lobby(&s, 800, 600);
	source_page(s.source, &p);
	start = uv_now(&s.loop);
	while (s.damages < 2)
		uv_run(&s.loop, UV_RUN_ONCE);
	cr_assert_geq(uv_now(&s.loop) - start, 2000);
	cr_assert(s.damage.h > 0 && s.damage.h < 100, "all of the page was damaged");
	close_lobby(&s);
}

Test(lobby, test_pages_and_sizes_change_on_an_open_screen)
{
	struct page p = { .kind = PAGE_NOTICE, .title = { "a", "b" } };
	struct page too_many = { .kind = PAGE_CHOICE, .n_entries = PAGE_ENTRIES_MAX + 1 };
	struct seen s;

	open_lobby(&s, 300, 200);
	turn_until_surface(&s, 1);
	s.damages = 0;
	cr_assert_eq(source_page(s.source, &p), 0);
	cr_assert(s.damages == 1 && s.damage.w == 300);
	cr_assert_eq(source_page(s.source, &too_many), PST_EINVAL);
	cr_assert_eq(source_resize(s.source, 400, 300), 0);
	turn_until_surface(&s, 2);
	cr_assert_eq(s.screen.width, 400);
	cr_assert_eq(source_page(s.source, &p), 0);
	close_lobby(&s);
}
