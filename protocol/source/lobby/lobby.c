/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A source that shows pages; see lobby.h. */
#include "protocol/source/lobby/lobby.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "protocol/source/lobby/draw.h"

#define DEFAULT_WIDTH 1280
#define DEFAULT_HEIGHT 720
#define TICK_MS 1000

struct lobby {
	struct source base;
	const struct source_events *ev;
	void *arg;
	struct pst_timer *tick;
	struct font *font;
	struct canvas canvas; /* pixels owned */
	struct page page;     /* entries owned */
	struct layout layout;
	struct reply reply;
	uint64_t shown_ms;
	int32_t next_width, next_height; /* asked for, from the next turn on */
	bool has_page;
};

static struct lobby *lobby_of(struct source *s)
{
	return pst_container_of(s, struct lobby, base);
}

static uint64_t elapsed_s(const struct lobby *l)
{
	uint64_t now = pst_mono_ms();

	return now > l->page.since_ms ? (now - l->page.since_ms) / 1000 : 0;
}

static void on_turn(void *arg);

/* Draws all, and sets the clock going where the page has one. */
static void paint(struct lobby *l)
{
	layout_make(&l->layout, &l->page, l->font, l->canvas.width, l->canvas.height);
	reply_set_rows(&l->reply, l->layout.n_rows);
	draw_page(&l->canvas, l->font, &l->layout, &l->page, &l->reply, elapsed_s(l));
	if (l->page.kind == PAGE_PROGRESS)
		pst_timer_start(l->tick, TICK_MS, on_turn, l);
	else
		pst_timer_stop(l->tick);
}

static void repaint(struct lobby *l)
{
	const struct rect all = { 0, 0, l->canvas.width, l->canvas.height };

	if (l->next_width || !l->canvas.pixels)
		return; /* a turn is due that paints */
	paint(l);
	l->ev->damage(l->arg, &all, 1);
}

static int allocate(struct lobby *l)
{
	uint32_t *pixels;
	size_t count, size;

	if (!pst_mem_mul((size_t)l->next_width, (size_t)l->next_height, &count) ||
		!pst_mem_mul(count, 4, &size))
		return PST_ELIMIT;
	pixels = malloc(size);
	if (!pixels)
		return PST_ENOMEM;
	free(l->canvas.pixels);
	canvas_init(&l->canvas, pixels, l->next_width, l->next_height);
	l->next_width = 0;
	return 0;
}

static void new_screen(struct lobby *l)
{
	const struct cursor_image arrow = { ARROW_WIDTH, ARROW_HEIGHT, 0, 0, draw_arrow() };
	struct pixmap screen;

	if (allocate(l) < 0) {
		l->ev->closed(l->arg, PST_ENOMEM, "there is no memory for a screen of this size");
		return;
	}
	paint(l);
	screen = (struct pixmap){ (const uint8_t *)l->canvas.pixels, l->canvas.width, l->canvas.height,
		(uint32_t)l->canvas.width * 4 };
	l->ev->surface(l->arg, &screen);
	l->ev->cursor(l->arg, &arrow);
}

/* A screen that was asked for, or a second that has passed. */
static void on_turn(void *arg)
{
	struct lobby *l = arg;

	if (l->next_width) {
		new_screen(l);
		return;
	}
	pst_timer_start(l->tick, TICK_MS, on_turn, l);
	draw_clock(&l->canvas, l->font, &l->layout, elapsed_s(l));
	l->ev->damage(l->arg, &l->layout.clock, 1);
}

static int lobby_resize(struct source *s, int32_t width, int32_t height)
{
	struct lobby *l = lobby_of(s);

	l->next_width = PST_MIN(width, LOBBY_WIDTH_MAX);
	l->next_height = PST_MIN(height, LOBBY_HEIGHT_MAX);
	pst_timer_start(l->tick, 0, on_turn, l);
	return 0;
}

static void lobby_close(struct source *s, const char *reason)
{
	struct lobby *l = lobby_of(s);

	pst_timer_destroy(l->tick);
	font_close(l->font);
	free(l->canvas.pixels);
	free((void *)(uintptr_t)l->page.entries);
	free(l);
}

static struct source *lobby_open(
	const struct source_params *params, const struct source_events *ev, void *arg, struct pst_err *err)
{
	struct lobby *l = pst_zalloc(1, sizeof(*l));

	if (params->fd >= 0)
		close(params->fd);
	if (!l) {
		pst_err_set(err, PST_ENOMEM, "no memory for a lobby");
		return NULL;
	}
	l->base.type = &source_lobby;
	l->ev = ev;
	l->arg = arg;
	l->page.since_ms = pst_mono_ms();
	l->font = font_open(err);
	l->tick = pst_timer_create(params->loop);
	if (!l->font || !l->tick) {
		if (l->font)
			pst_err_set(err, PST_ENOMEM, "no memory for a lobby");
		lobby_close(&l->base, NULL);
		return NULL;
	}
	lobby_resize(&l->base, params->width ? params->width : DEFAULT_WIDTH,
		params->height ? params->height : DEFAULT_HEIGHT);
	return &l->base;
}

static int lobby_page(struct source *s, const struct page *p)
{
	struct lobby *l = lobby_of(s);
	struct page_entry *entries = NULL;

	if (p->n_entries) {
		entries = calloc(p->n_entries, sizeof(*entries));
		if (!entries)
			return PST_ENOMEM;
		memcpy(entries, p->entries, p->n_entries * sizeof(*entries));
	}
	free((void *)(uintptr_t)l->page.entries);
	l->page = *p;
	l->page.entries = entries;
	l->shown_ms = pst_mono_ms();
	reply_init(&l->reply, p->kind, p->n_entries, l->layout.n_rows);
	repaint(l);
	return 0;
}

static int lobby_input(struct source *s, const struct input_event *ev)
{
	struct lobby *l = lobby_of(s);

	/* Nobody replies to what is not on a screen yet. */
	if (!l->canvas.pixels)
		return 0;
	switch (reply_input(&l->reply, ev, l->layout.rows, pst_mono_ms() - l->shown_ms)) {
	case REPLY_MOVED:
		repaint(l);
		break;
	case REPLY_TAKEN:
		l->ev->replied(l->arg, (int32_t)l->reply.selected);
		break;
	case REPLY_LEFT:
		l->ev->replied(l->arg, -1);
		break;
	default:
		break;
	}
	return 0;
}

const struct source_type source_lobby = {
	.name = "lobby",
	.open = lobby_open,
	.input = lobby_input,
	.resize = lobby_resize,
	.page = lobby_page,
	.close = lobby_close,
};
