/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wrappers of a source: only sound input goes through. */
#include <criterion/criterion.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "protocol/source/source.h"

static int n_inputs;

static int fake_input(struct source *s, const struct input_event *ev)
{
	return n_inputs++, 0;
}

static const struct source_type fake = { .name = "fake", .input = fake_input };

Test(source, test_only_sound_input_reaches_a_source)
{
	struct source s = { &fake };
	struct input_event bad[] = {
		{ .kind = INPUT_KINDS },
		{ .kind = INPUT_KEY },
		{ .kind = INPUT_TEXT },
		{ .kind = INPUT_TEXT, .text = { "\xff", 1 } },
		{ .kind = INPUT_TEXT, .text = { "a", INPUT_TEXT_MAX + 1 } },
		{ .kind = INPUT_TOUCH, .touch = { .finger = INPUT_TOUCH_MAX } },
	};
	struct input_event good[] = { { .kind = INPUT_KEY, .key = { true, 0x61, 0 } }, { .kind = INPUT_TEXT, .text = { "ñ", 2 } }, { .kind = INPUT_RELEASE_ALL } };

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_eq(source_input(&s, &bad[i]), PST_EINVAL, "%zu", i);
	for (size_t i = 0; i < PST_ARRAY_LEN(good); i++)
		cr_assert_eq(source_input(&s, &good[i]), 0);
	cr_assert_eq(n_inputs, 3);
}

Test(source, test_sizes_and_slots_that_are_not_there)
{
	struct source s = { &fake };

	cr_assert_eq(source_resize(&s, 0, 5), PST_EINVAL);
	cr_assert_eq(source_resize(&s, 65535, 5), PST_EINVAL);
	cr_assert_eq(source_resize(&s, 5, 5), PST_EUNSUPPORTED);
	cr_assert_eq(source_clipboard(&s, "\xff", 1), PST_EINVAL);
	cr_assert_eq(source_clipboard(&s, "a", 1), PST_EUNSUPPORTED);
	source_ready(&s);
	source_close(NULL, NULL);
	cr_assert_null(source_find("nothing"));
}

Test(source, test_only_a_unix_socket_carries_descriptors)
{
	int unix_fd = socket(AF_UNIX, SOCK_STREAM, 0), tcp_fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(source_fd_is_unix(unix_fd));
	cr_assert_not(source_fd_is_unix(tcp_fd));
	cr_assert_not(source_fd_is_unix(-1));
	close(unix_fd);
	close(tcp_fd);
}
