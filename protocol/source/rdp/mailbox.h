/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between the loop's thread and FreeRDP's: orders one way, news the other. Of what is a state (a shape, a size, a text) only the
 * newest waits; what a viewer does waits in order, RDP_INPUT_MAX of it. Every call takes the lock for itself; none blocks on anything else.
 */
#pragma once

#include <stdbool.h>

#include "encoder/region.h"
#include "protocol/link/cursor_image.h"
#include "protocol/link/input.h"
#include "protocol/source/rdp/screen.h"

#define RDP_INPUT_MAX 1024

struct rdp_mailbox;

/* Texts are owned by whoever has taken them. */
struct rdp_text {
	char *utf8; /* NULL: none */
	size_t len;
};

struct rdp_news {
	struct rdp_screen *screen; /* a new one, owned; NULL: none */
	struct region damage;
	bool has_cursor, has_position, has_end;
	struct cursor_image cursor; /* its pixels: below */
	uint32_t *pixels;           /* owned */
	int32_t x, y;
	struct rdp_text clipboard;
	int code;
	char reason[512];
};

struct rdp_orders {
	bool stops, is_ready;
	int32_t width, height; /* wished, 0 for none */
	struct rdp_text clipboard;
	struct input_event *input; /* owned, n of them */
	size_t n;
};

/* ring is called, from the thread that posts, when there are orders (news) and there were none; NULL without memory. */
struct rdp_mailbox *rdp_mailbox_create(void (*ring_orders)(void *arg), void (*ring_news)(void *arg), void *arg);
void rdp_mailbox_destroy(struct rdp_mailbox *b);

/* Orders. */
/* PST_ELIMIT: FreeRDP's thread has not taken any for long. */
int rdp_order_input(struct rdp_mailbox *b, const struct input_event *ev);
void rdp_order_size(struct rdp_mailbox *b, int32_t width, int32_t height);
/* Copied. PST_ENOMEM. */
int rdp_order_clipboard(struct rdp_mailbox *b, const char *utf8, size_t len);
void rdp_order_ready(struct rdp_mailbox *b);
void rdp_order_stop(struct rdp_mailbox *b);
/* Moves all of them out. */
void rdp_orders_take(struct rdp_mailbox *b, struct rdp_orders *ret);
void rdp_orders_finish(struct rdp_orders *o);
/* How often orders were taken; *ret_waits: some wait. Who does not take any in a while is stuck. */
unsigned rdp_orders_taken(struct rdp_mailbox *b, bool *ret_waits);

/* News. */
/* Takes screen. Damage that waits belonged to the last one and is forgotten. */
void rdp_news_screen(struct rdp_mailbox *b, struct rdp_screen *screen);
void rdp_news_damage(struct rdp_mailbox *b, const struct region *damage);
/* Takes image->pixels, which is allocated. */
void rdp_news_cursor(struct rdp_mailbox *b, const struct cursor_image *image);
void rdp_news_position(struct rdp_mailbox *b, int32_t x, int32_t y);
/* Takes utf8. */
void rdp_news_clipboard(struct rdp_mailbox *b, char *utf8, size_t len);
/* The last. */
void rdp_news_end(struct rdp_mailbox *b, int code, const char *reason);
void rdp_news_take(struct rdp_mailbox *b, struct rdp_news *ret);
/* Frees what nobody took over; set to NULL what was. */
void rdp_news_finish(struct rdp_news *n);
