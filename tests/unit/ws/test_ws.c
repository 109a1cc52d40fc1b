/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front on a socketpair: order of messages, closing from inside events, deadlines of a client that does not read. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "protocol/front/ws/message.h"
#include "protocol/front/ws/ws.h"

static struct {
	uv_loop_t loop;
	int client;
	struct front *front;
	int opened, closed, code, inputs, clipboards;
	bool closes_in_input;
	char reason[256];
} t;

static void on_opened(void *arg, const struct front_caps *caps)
{
	(void)arg;
	t.opened++;
	cr_assert(caps->ops & OP_BIT(OP_LOSSLESS));
	cr_assert((caps->ops & OP_BIT(OP_VIDEO)) == 0 && (caps->ops & OP_BIT(OP_LOSSY)) != 0);
}

static void on_input(void *arg, const struct input_event *ev)
{
	(void)arg, (void)ev;
	t.inputs++;
	if (t.closes_in_input) {
		front_ws.close(t.front);
		t.front = NULL;
	}
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	(void)arg, (void)utf8, (void)len;
	t.clipboards++;
}

static void on_closed(void *arg, int code, const char *reason)
{
	(void)arg;
	t.closed++;
	t.code = code;
	strncpy(t.reason, reason, sizeof(t.reason) - 1);
}

static void on_nothing(void *arg)
{
	(void)arg;
}

static const struct front_events events = { .opened = on_opened, .input = on_input, .clipboard = on_clipboard, .closed = on_closed, .ready = on_nothing };

static void setup(void)
{
	struct pst_err err = PST_ERR_INIT;
	int fds[2];

	cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	uv_loop_init(&t.loop);
	t.client = fds[1];
	const struct front_params params = { .loop = &t.loop, .fd = fds[0], .is_authenticated = true };

	t.front = front_ws.open(&params, &events, NULL, &err);
	cr_assert(t.front, "%s", err.text);
}

static void teardown(void)
{
	if (t.front)
		front_ws.close(t.front);
	close(t.client);
	pst_loop_drain(&t.loop);
}

TestSuite(ws, .init = setup, .fini = teardown);

static void say(const void *bytes, uint8_t len)
{
	const uint8_t head[] = { 0, 0, 0, len };

	cr_assert(write(t.client, head, 4) == 4 && write(t.client, bytes, len) == len);
}

static const uint8_t hello[] = { 1, 0, 1, 1, 64, 0, 200, 0, 100, 0, 0, 0, 2, 0, 0, 1, 'x' };

/* One turn at a time until the condition holds; the loop's own timers bound it. */
#define RUN_UNTIL(condition) \
	while (!(condition)) \
		uv_run(&t.loop, UV_RUN_ONCE)

Test(ws, a_hello_opens_and_only_once)
{
	say(hello, sizeof(hello));
	RUN_UNTIL(t.opened);
	say(hello, sizeof(hello));
	RUN_UNTIL(t.closed || shutdown(t.client, SHUT_WR) != 0);
	cr_assert(t.opened == 1 && t.code == PST_EPROTO);
	cr_assert(strstr(t.reason, "HELLO"));
}

Test(ws, input_before_hello_is_refused)
{
	say((const uint8_t[]){ 11 }, 1);
	shutdown(t.client, SHUT_WR);
	RUN_UNTIL(t.closed);
	cr_assert(t.inputs == 0 && t.code == PST_EPROTO);
}

Test(ws, a_client_that_leaves_is_no_error)
{
	say(hello, sizeof(hello));
	RUN_UNTIL(t.opened);
	shutdown(t.client, SHUT_RDWR);
	RUN_UNTIL(t.closed);
	cr_assert(t.code == 0 && t.closed == 1);
}

Test(ws, it_may_be_closed_from_inside_an_event)
{
	t.closes_in_input = true;
	say(hello, sizeof(hello));
	say((const uint8_t[]){ 11 }, 1);
	say((const uint8_t[]){ 11 }, 1);
	RUN_UNTIL(t.inputs);
	uv_run(&t.loop, UV_RUN_NOWAIT);
	cr_assert(t.inputs == 1 && t.closed == 0);
}

Test(ws, a_forbidden_clipboard_is_dropped)
{
	say(hello, sizeof(hello));
	say((const uint8_t[]){ 9, 'a' }, 2);
	say((const uint8_t[]){ 11 }, 1);
	RUN_UNTIL(t.inputs);
	cr_assert(t.clipboards == 0);
}

Test(ws, cursors_for_a_client_that_does_not_read_do_not_pile_up)
{
	static uint32_t pixels[256 * 256];
	const struct cursor_image image = { 256, 256, 0, 0, pixels };
	struct front_path path;

	say(hello, sizeof(hello));
	RUN_UNTIL(t.opened);
	for (int i = 0; i < 1000; i++)
		front_ws.cursor(t.front, &image);
	front_ws.path(t.front, &path);
	cr_assert(path.bytes_sent < 1024 * 1024);
	cr_assert(!front_ws.can_send(t.front));
}

Test(ws, an_end_closes_with_its_reason)
{
	say(hello, sizeof(hello));
	RUN_UNTIL(t.opened);
	front_ws.end(t.front, PST_EDENIED, "ended by an administrator", "terminada por un administrador");
	front_ws.end(t.front, 0, "again", "otra vez");
	shutdown(t.client, SHUT_WR);
	RUN_UNTIL(t.closed);
	cr_assert(t.code == PST_EDENIED && strcmp(t.reason, "ended by an administrator") == 0);
}

/* What the front says next: one message. */
static size_t hear(uint8_t *body, size_t max)
{
	uint8_t head[4];

	while (read(t.client, head, 4) != 4)
		uv_run(&t.loop, UV_RUN_NOWAIT);
	size_t len = (size_t)head[2] << 8 | head[3];

	cr_assert(len <= max && read(t.client, body, len) == (ssize_t)len);
	return len;
}

static void send_fill(int32_t x, int32_t side)
{
	static const uint32_t pixels[1];
	const struct pixmap sent = { (const uint8_t *)pixels, 1, 1, 4 };
	const struct op op = { .kind = OP_FILL, .rect = { x, 0, side, side } };
	const struct op_list list = { .ops = &op, .len = 1, .sequence = 77 };

	cr_assert(front_ws.can_send(t.front));
	cr_assert_eq(front_ws.frame(t.front, &list, &sent, NULL), 0);
}

Test(ws, a_small_frame_need_not_be_acknowledged_once_the_path_is_known)
{
	uint8_t m[256];

	say(hello, sizeof(hello));
	RUN_UNTIL(t.opened);
	hear(m, sizeof(m));
	cr_assert_eq(m[0], WS_S_HELLO);
	send_fill(0, 4);
	cr_assert_eq(hear(m, sizeof(m)), 1u + 7 + 12);
	cr_assert(m[0] == WS_S_FRAME && m[4] == 1 && m[5] == 0, "the first one is to be acknowledged");
	say((const uint8_t[]){ 2, 0, 0, 0, 1, 0, 0, 0, 0 }, 9);
	struct front_path path = { 0 };

	while (front_ws.path(t.front, &path), !path.frames_acked)
		uv_run(&t.loop, UV_RUN_ONCE);
	for (uint8_t i = 2; i < 17; i++) {
		send_fill(1, 4);
		hear(m, sizeof(m));
		cr_assert(m[4] == i && m[5] == WS_FRAME_QUIET);
	}
	send_fill(2, 4);
	hear(m, sizeof(m));
	cr_assert(m[4] == 17 && m[5] == 0, "but one in sixteen is");
	say((const uint8_t[]){ 2, 0, 0, 0, 5, 0, 0, 0, 0 }, 9); /* a quiet one, acknowledged all the same */
	say((const uint8_t[]){ 2, 0, 0, 0, 17, 0, 0, 0, 0 }, 9);
	while (front_ws.path(t.front, &path), path.frames_acked < 17)
		uv_run(&t.loop, UV_RUN_ONCE);
	cr_assert_eq(t.closed, 0);
}
