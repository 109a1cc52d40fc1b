/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders and news under one lock. */
#include "protocol/source/rdp/mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct rdp_mailbox {
	pthread_mutex_t lock; /* guards all below but the bells; nothing else is taken under it */
	struct rdp_orders orders;
	struct rdp_news news;
	bool has_orders, has_news;
	unsigned taken;
	void (*ring_orders)(void *arg);
	void (*ring_news)(void *arg);
	void *arg;
};

struct rdp_mailbox *rdp_mailbox_create(void (*ring_orders)(void *arg), void (*ring_news)(void *arg), void *arg)
{
	struct rdp_mailbox *b = pst_zalloc(1, sizeof(*b));

	if (!b)
		return NULL;
	pthread_mutex_init(&b->lock, NULL);
	b->ring_orders = ring_orders;
	b->ring_news = ring_news;
	b->arg = arg;
	return b;
}

void rdp_mailbox_destroy(struct rdp_mailbox *b)
{
	if (!b)
		return;
	rdp_orders_finish(&b->orders);
	rdp_news_finish(&b->news);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static void unlock_orders(struct rdp_mailbox *b)
{
	bool is_first = !b->has_orders;

	b->has_orders = true;
	pthread_mutex_unlock(&b->lock);
	if (is_first)
		b->ring_orders(b->arg);
}

static void unlock_news(struct rdp_mailbox *b)
{
	bool is_first = !b->has_news;

	b->has_news = true;
	pthread_mutex_unlock(&b->lock);
	if (is_first)
		b->ring_news(b->arg);
}

/* A pointer that goes on moving is where it is now. */
static bool replaces(const struct input_event *last, const struct input_event *ev)
{
	return last->kind == INPUT_POINTER && ev->kind == INPUT_POINTER && last->pointer.buttons == ev->pointer.buttons;
}

int rdp_order_input(struct rdp_mailbox *b, const struct input_event *ev)
{
	struct rdp_orders *o = &b->orders;
	int rc = 0;

	pthread_mutex_lock(&b->lock);
	if (!o->input)
		o->input = pst_zalloc(RDP_INPUT_MAX, sizeof(*o->input));
	if (!o->input)
		rc = PST_ENOMEM;
	else if (o->n > 0 && replaces(&o->input[o->n - 1], ev))
		o->input[o->n - 1] = *ev;
	else if (o->n < RDP_INPUT_MAX)
		o->input[o->n++] = *ev;
	else
		rc = PST_ELIMIT;
	unlock_orders(b);
	return rc;
}

void rdp_order_size(struct rdp_mailbox *b, int32_t width, int32_t height)
{
	pthread_mutex_lock(&b->lock);
	b->orders.width = width;
	b->orders.height = height;
	unlock_orders(b);
}

int rdp_order_clipboard(struct rdp_mailbox *b, const char *utf8, size_t len)
{
	char *copy = pst_memdup(utf8, len), *old;

	if (!copy)
		return PST_ENOMEM;
	pthread_mutex_lock(&b->lock);
	old = b->orders.clipboard.utf8;
	b->orders.clipboard = (struct rdp_text){ copy, len };
	unlock_orders(b);
	free(old);
	return 0;
}

void rdp_order_ready(struct rdp_mailbox *b)
{
	pthread_mutex_lock(&b->lock);
	b->orders.is_ready = true;
	unlock_orders(b);
}

void rdp_order_stop(struct rdp_mailbox *b)
{
	pthread_mutex_lock(&b->lock);
	b->orders.stops = true;
	unlock_orders(b);
}

void rdp_orders_take(struct rdp_mailbox *b, struct rdp_orders *ret)
{
	pthread_mutex_lock(&b->lock);
	*ret = b->orders;
	b->orders = (struct rdp_orders){ .stops = ret->stops };
	b->has_orders = false;
	b->taken++;
	pthread_mutex_unlock(&b->lock);
}

void rdp_orders_finish(struct rdp_orders *o)
{
	free(o->input);
	free(o->clipboard.utf8);
	*o = (struct rdp_orders){ .stops = o->stops };
}

unsigned rdp_orders_taken(struct rdp_mailbox *b, bool *ret_waits)
{
	unsigned n;

	pthread_mutex_lock(&b->lock);
	*ret_waits = b->has_orders;
	n = b->taken;
	pthread_mutex_unlock(&b->lock);
	return n;
}

void rdp_news_screen(struct rdp_mailbox *b, struct rdp_screen *screen)
{
	struct rdp_screen *old;

	pthread_mutex_lock(&b->lock);
	old = b->news.screen;
	b->news.screen = screen;
	region_clear(&b->news.damage);
	unlock_news(b);
	rdp_screen_destroy(old);
}

void rdp_news_damage(struct rdp_mailbox *b, const struct region *damage)
{
	pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < damage->len; i++)
		region_add(&b->news.damage, &damage->rects[i]);
	unlock_news(b);
}

void rdp_news_cursor(struct rdp_mailbox *b, const struct cursor_image *image)
{
	uint32_t *old;

	pthread_mutex_lock(&b->lock);
	old = b->news.pixels;
	b->news.cursor = *image;
	b->news.pixels = (uint32_t *)(uintptr_t)image->pixels;
	b->news.has_cursor = true;
	unlock_news(b);
	free(old);
}

void rdp_news_position(struct rdp_mailbox *b, int32_t x, int32_t y)
{
	pthread_mutex_lock(&b->lock);
	b->news.has_position = true;
	b->news.x = x;
	b->news.y = y;
	unlock_news(b);
}

void rdp_news_clipboard(struct rdp_mailbox *b, char *utf8, size_t len)
{
	char *old;

	pthread_mutex_lock(&b->lock);
	old = b->news.clipboard.utf8;
	b->news.clipboard = (struct rdp_text){ utf8, len };
	unlock_news(b);
	free(old);
}

void rdp_news_end(struct rdp_mailbox *b, int code, const char *reason)
{
	pthread_mutex_lock(&b->lock);
	if (!b->news.has_end) {
		b->news.has_end = true;
		b->news.code = code;
		pst_strlcpy(b->news.reason, sizeof(b->news.reason), reason);
	}
	unlock_news(b);
}

void rdp_news_take(struct rdp_mailbox *b, struct rdp_news *ret)
{
	pthread_mutex_lock(&b->lock);
	*ret = b->news;
	memset(&b->news, 0, sizeof(b->news));
	b->has_news = false;
	pthread_mutex_unlock(&b->lock);
}

void rdp_news_finish(struct rdp_news *n)
{
	rdp_screen_destroy(n->screen);
	free(n->pixels);
	free(n->clipboard.utf8);
	memset(n, 0, sizeof(*n));
}
