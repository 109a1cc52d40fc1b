/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test card. */
#include "protocol/source/pattern.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"

#define FRAME_MS 33
#define SQUARE 64
#define STEP 7
#define BITS 32 /* of the counter, one cell each */
#define CELL 8
#define DEFAULT_WIDTH 1280
#define DEFAULT_HEIGHT 720

struct pattern {
	struct source base;
	const struct source_events *ev;
	void *arg;
	struct pst_timer *timer;
	uint32_t *pixels;
	struct pixmap screen;
	int32_t next_width, next_height; /* asked for, from the next turn on */
	uint32_t frame;
	bool is_ready;
};

static struct pattern *pattern_of(struct source *s)
{
	return pst_container_of(s, struct pattern, base);
}

/* A point that runs to and fro on 0 … range. */
static int32_t bounce(uint32_t n, int32_t range)
{
	uint32_t at = range > 0 ? n % (2 * (uint32_t)range) : 0;

	return at > (uint32_t)range ? (int32_t)(2 * (uint32_t)range - at) : (int32_t)at;
}

static struct rect square_at(int32_t w, int32_t h, uint32_t n)
{
	int32_t side = PST_MIN(PST_MIN(w, h), SQUARE);

	return (struct rect){ bounce(n * STEP, w - side), bounce(n * STEP / 2, h - side), side, side };
}

static struct rect counter_at(int32_t w, int32_t h)
{
	return (struct rect){ 0, PST_MAX(h - CELL, 0), PST_MIN(w, BITS * CELL), PST_MIN(h, CELL) };
}

static uint32_t card_pixel(int32_t x, int32_t y, int32_t w, int32_t h)
{
	static const uint32_t bars[8] = { 0xffffff, 0xffff00, 0x00ffff, 0x00ff00, 0xff00ff, 0xff0000, 0x0000ff, 0x000000 };

	if (y < h / 2)
		return bars[(int64_t)x * 8 / w];
	if (y < h * 3 / 4) {
		uint32_t grey = (uint32_t)((int64_t)x * 256 / w);

		return grey << 16 | grey << 8 | grey;
	}
	return ((x ^ y) & 1) || (x * 7 + y * 13) % 11 == 0 ? 0x202020 : 0xf0f0f0;
}

static void paint_rect(uint32_t *data, int32_t w, int32_t h, uint32_t n, const struct rect *r)
{
	struct rect square = square_at(w, h, n), counter = counter_at(w, h);

	for (int32_t y = r->y; y < r->y + r->h; y++)
		for (int32_t x = r->x; x < r->x + r->w; x++) {
			struct rect here = { x, y, 1, 1 };
			uint32_t v = card_pixel(x, y, w, h);

			if (rect_contains(&square, &here))
				v = 0x3050a0 + (uint32_t)((x - square.x) << 2) + ((uint32_t)(y - square.y) << 10);
			if (rect_contains(&counter, &here))
				v = n >> (x / CELL) & 1 ? 0xffffff : 0x000000;
			data[(size_t)y * (size_t)w + (size_t)x] = v;
		}
}

void pattern_paint(uint32_t *data, int32_t w, int32_t h, uint32_t n)
{
	struct rect all = { 0, 0, w, h };

	paint_rect(data, w, h, n, &all);
}

size_t pattern_damage(int32_t w, int32_t h, uint32_t n, struct rect *ret)
{
	ret[0] = square_at(w, h, n - 1);
	ret[1] = square_at(w, h, n);
	ret[2] = counter_at(w, h);
	return PATTERN_DAMAGE_MAX;
}

static int allocate(struct pattern *p, int32_t w, int32_t h)
{
	size_t count, size;
	uint32_t *pixels;

	if (!pst_mem_mul((size_t)w, (size_t)h, &count) || !pst_mem_mul(count, 4, &size))
		return PST_ELIMIT;
	pixels = malloc(size);
	if (!pixels)
		return PST_ENOMEM;
	free(p->pixels);
	p->pixels = pixels;
	p->screen = (struct pixmap){ (const uint8_t *)pixels, w, h, (uint32_t)w * 4 };
	pattern_paint(pixels, w, h, p->frame);
	return 0;
}

static void on_turn(void *arg)
{
	struct pattern *p = arg;
	struct rect rects[PATTERN_DAMAGE_MAX];

	pst_timer_start(p->timer, FRAME_MS, on_turn, p);
	if (p->next_width) {
		if (allocate(p, p->next_width, p->next_height) < 0) {
			p->ev->closed(p->arg, PST_ENOMEM, "there is no memory for a test card of this size");
			return;
		}
		p->next_width = 0;
		p->is_ready = true;
		p->ev->surface(p->arg, &p->screen);
		return;
	}
	if (!p->is_ready)
		return;
	p->is_ready = false;
	p->frame++;
	for (size_t i = 0, n = pattern_damage(p->screen.width, p->screen.height, p->frame, rects); i < n; i++)
		paint_rect(p->pixels, p->screen.width, p->screen.height, p->frame, &rects[i]);
	p->ev->damage(p->arg, rects, PATTERN_DAMAGE_MAX);
}

static struct source *pattern_open(const struct source_params *params, const struct source_events *ev, void *arg, struct pst_err *err)
{
	struct pattern *p = calloc(1, sizeof(*p));

	if (params->fd >= 0)
		close(params->fd);
	if (p)
		p->timer = pst_timer_create(params->loop);
	if (!p || !p->timer) {
		free(p);
		pst_err_set(err, PST_ENOMEM, "there is no memory for a test card");
		return NULL;
	}
	p->base.type = &source_pattern;
	p->ev = ev;
	p->arg = arg;
	p->next_width = params->width ? params->width : DEFAULT_WIDTH;
	p->next_height = params->height ? params->height : DEFAULT_HEIGHT;
	pst_timer_start(p->timer, 0, on_turn, p);
	return &p->base;
}

/* A click stops the card and starts it again: a still picture can then be compared pixel by pixel. */
static int pattern_input(struct source *s, const struct input_event *ev)
{
	struct pattern *p = pattern_of(s);

	if (ev->kind != INPUT_POINTER || !(ev->pointer.buttons & INPUT_LEFT))
		return 0;
	if (pst_timer_is_active(p->timer))
		pst_timer_stop(p->timer);
	else
		pst_timer_start(p->timer, FRAME_MS, on_turn, p);
	return 0;
}

static int pattern_resize(struct source *s, int32_t width, int32_t height)
{
	struct pattern *p = pattern_of(s);

	p->next_width = width;
	p->next_height = height;
	pst_timer_start(p->timer, 0, on_turn, p);
	return 0;
}

/* What is put in comes back, in capitals where it is ASCII, so that a test sees it made the round. */
static int pattern_clipboard(struct source *s, const char *utf8, size_t len)
{
	struct pattern *p = pattern_of(s);
	char *text = pst_memdup(utf8, len);

	if (!text)
		return PST_ENOMEM;
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 'a' + 'A');
	p->ev->clipboard(p->arg, text, len);
	free(text);
	return 0;
}

static void pattern_ready(struct source *s)
{
	pattern_of(s)->is_ready = true;
}

static void pattern_close(struct source *s, const char *reason)
{
	struct pattern *p = pattern_of(s);

	pst_timer_destroy(p->timer);
	free(p->pixels);
	free(p);
}

const struct source_type source_pattern = {
	.name = "pattern",
	.open = pattern_open,
	.input = pattern_input,
	.resize = pattern_resize,
	.clipboard = pattern_clipboard,
	.ready = pattern_ready,
	.close = pattern_close,
};
