/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wrappers of a front: defaults for slots that are not there, and checks. */
#include <criterion/criterion.h>

#include "protocol/front/front.h"

static int n_cursors, n_frames;

static int take_surface(struct front *f, int32_t width, int32_t height, struct pst_err *err)
{
	return 0;
}

static int take_frame(struct front *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	n_frames++;
	return 0;
}

static void take_cursor(struct front *f, const struct cursor_image *image)
{
	n_cursors++;
}

static const struct front_type bare = { .name = "bare", .surface = take_surface, .frame = take_frame, .cursor = take_cursor };

Test(front, test_sizes_shapes_and_empty_frames)
{
	struct front f = { &bare };
	struct op op = { 0 };
	struct op_list none = { 0 }, one = { .ops = &op, .len = 1 };
	struct cursor_image good = { 4, 4, 3, 3, NULL }, hidden = { 0 }, outside = { 4, 4, 4, 0, NULL }, large = { CURSOR_SIDE_MAX + 1, 1, 0, 0, NULL };
	struct pst_err err;

	cr_assert_eq(front_surface(&f, 1, SCREEN_SIDE_MAX, &err), 0);
	cr_assert_eq(front_surface(&f, 0, 1, &err), PST_EINVAL);
	cr_assert_eq(front_surface(&f, 65535, 1, &err), PST_EINVAL);
	front_cursor(&f, &good);
	front_cursor(&f, &hidden);
	front_cursor(&f, &outside);
	front_cursor(&f, &large);
	cr_assert_eq(n_cursors, 2);
	cr_assert_eq(front_frame(&f, &none, NULL, &err), 0);
	cr_assert_eq(front_frame(&f, &one, NULL, &err), 0);
	cr_assert_eq(n_frames, 1);
}

static bool is_open;

static bool can_send(struct front *f)
{
	return is_open;
}

static bool can_send_small(struct front *f)
{
	return true;
}

Test(front, test_a_front_that_knows_no_small_frames_takes_them_as_any_other)
{
	const struct front_type plain = { .name = "plain", .can_send = can_send },
				fine = { .name = "fine", .can_send = can_send, .can_send_small = can_send_small };
	struct front a = { &plain }, b = { &fine };

	cr_assert_not(front_can_send_small(&a));
	cr_assert(front_can_send_small(&b));
	is_open = true;
	cr_assert(front_can_send_small(&a));
}

Test(front, test_slots_that_are_not_there_are_silent)
{
	struct front f = { &bare };
	struct front_path path = { .rtt_us = 5 };

	front_login_result(&f, NULL);
	front_status(&f, "a", NULL);
	front_pointer_moved(&f, 1, 1);
	front_clipboard(&f, "a", 1);
	front_bell(&f);
	front_path(&f, &path);
	cr_assert_eq(path.rtt_us, 0);
	front_close(NULL);
}
