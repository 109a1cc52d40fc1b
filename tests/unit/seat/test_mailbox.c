/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders and news between two threads: what waits in order, what only the newest of counts. Covers: protocol/source/rdp/mailbox.c protocol/source/rdp/screen.c */
#include "protocol/source/rdp/mailbox.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static int orders, news;

static void ring_orders(void *arg)
{
	orders++;
}

static void ring_news(void *arg)
{
	news++;
}

Test(rdp_mailbox, input_waits_in_order_and_a_pointer_is_where_it_is)
{
	struct rdp_mailbox *b = rdp_mailbox_create(ring_orders, ring_news, NULL);
	struct input_event key = { .kind = INPUT_KEY, .key = { true, 0x61, 30 } }, move = { .kind = INPUT_POINTER };
	struct rdp_orders o;

	orders = 0;
	rdp_order_input(b, &key);
	for (int i = 1; i <= 3000; i++) {
		move.pointer.x = i;
		cr_assert_eq(rdp_order_input(b, &move), 0);
	}
	move.pointer.buttons = INPUT_LEFT;
	rdp_order_input(b, &move);
	cr_expect_eq(orders, 1, "one bell for all that wait");
	rdp_orders_take(b, &o);
	cr_assert_eq(o.n, 3);
	cr_expect(o.input[0].kind == INPUT_KEY && o.input[1].pointer.x == 3000 && o.input[2].pointer.buttons == INPUT_LEFT);
	rdp_orders_finish(&o);
	for (int i = 0; i < RDP_INPUT_MAX; i++)
		cr_assert_eq(rdp_order_input(b, &key), 0);
	cr_expect_eq(rdp_order_input(b, &key), PST_ELIMIT);
	cr_expect_eq(orders, 2);
	rdp_mailbox_destroy(b);
}

Test(rdp_mailbox, of_a_state_the_newest_counts)
{
	struct rdp_mailbox *b = rdp_mailbox_create(ring_orders, ring_news, NULL);
	struct rdp_orders o;
	bool waits;

	rdp_order_size(b, 800, 600);
	rdp_order_size(b, 1024, 768);
	rdp_order_clipboard(b, "one", 3);
	rdp_order_clipboard(b, "two", 3);
	rdp_order_ready(b);
	cr_expect_eq(rdp_orders_taken(b, &waits), 0);
	cr_expect(waits);
	rdp_orders_take(b, &o);
	cr_expect(o.width == 1024 && o.is_ready && !o.stops && o.clipboard.len == 3 && memcmp(o.clipboard.utf8, "two", 3) == 0);
	rdp_orders_finish(&o);
	rdp_order_stop(b);
	rdp_orders_take(b, &o);
	rdp_orders_take(b, &o);
	cr_expect(o.stops, "an end is not forgotten");
	cr_expect_eq(rdp_orders_taken(b, &waits), 3);
	cr_expect(!waits);
	rdp_mailbox_destroy(b);
}

Test(rdp_mailbox, news_of_an_old_screen_go_with_it)
{
	struct rdp_mailbox *b = rdp_mailbox_create(ring_orders, ring_news, NULL);
	const uint32_t from[4] = { 1, 2, 3, 4 };
	struct pst_err err = PST_ERR_INIT;
	struct region damage;
	struct rdp_news n;
	struct stat st;

	news = 0;
	region_clear(&damage);
	region_add(&damage, &(struct rect){ 0, 0, 2, 2 });
	rdp_news_screen(b, rdp_screen_create(2, 2, &err));
	rdp_news_damage(b, &damage);
	rdp_news_screen(b, rdp_screen_create(2, 3, &err));
	rdp_news_end(b, PST_ECLOSED, "gone");
	rdp_news_end(b, 0, "again");
	cr_expect_eq(news, 1);
	rdp_news_take(b, &n);
	cr_assert(n.screen && n.screen->view.height == 3);
	cr_expect_eq(n.damage.len, 0);
	cr_expect(n.has_end && n.code == PST_ECLOSED);
	rdp_screen_take(n.screen, (const uint8_t *)from, 8, &(struct rect){ 1, 0, 1, 2 });
	cr_expect(*pixmap_at(&n.screen->view, 1, 1) == 4 && *pixmap_at(&n.screen->view, 0, 1) == 0);
	cr_assert_eq(fstat(n.screen->fd, &st), 0);
	cr_expect_eq(st.st_size, 24);
	cr_expect_neq(ftruncate(n.screen->fd, 4), 0, "nobody cuts it short under a reader");
	rdp_news_finish(&n);
	cr_expect_null(rdp_screen_create(SCREEN_SIDE_MAX + 1, 1, &err));
	cr_expect_eq(err.code, PST_ELIMIT);
	rdp_mailbox_destroy(b);
}
