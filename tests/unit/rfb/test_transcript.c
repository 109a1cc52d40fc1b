/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Golden transcripts: what a viewer says and what the front answers, byte for byte, over a socket pair and behind a ticket
 * (so in clear). The front's events are written down as words and compared too.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "protocol/front/rfb/rfb.h"

struct host {
	uv_loop_t loop;
	struct front *front;
	int fd; /* the viewer's end */
	char said[2048];
	struct front_caps caps;
	bool is_closed;
	int code;
};

static void note(struct host *h, const char *fmt, long a, long b)
{
	size_t at = strlen(h->said);
	snprintf(h->said + at, sizeof(h->said) - at, fmt, a, b);
}

static void on_opened(void *arg, const struct front_caps *caps)
{
	struct host *h = arg;
	h->caps = *caps;
	note(h, "opened;", 0, 0);
}

static void on_input(void *arg, const struct input_event *ev)
{
	if (ev->kind == INPUT_KEY)
		note(arg, "key %lx %ld;", (long)ev->key.keysym, ev->key.is_down);
	else if (ev->kind == INPUT_POINTER)
		note(arg, "pointer %ld,%ld;", ev->pointer.x, ev->pointer.y);
	else if (ev->kind == INPUT_WHEEL)
		note(arg, "wheel %ld,%ld;", ev->wheel.dx, ev->wheel.dy);
}

static void on_resize(void *arg, int32_t w, int32_t h, uint32_t scale)
{
	note(arg, "resize %ldx%ld;", w, h);
}

static void on_ready(void *arg)
{
}

static void on_refresh(void *arg, const struct rect *r)
{
	note(arg, "refresh %ldx%ld;", r->w, r->h);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct host *h = arg;
	note(h, "clipboard %ld ", (long)len, 0);
	strncat(h->said, utf8, sizeof(h->said) - strlen(h->said) - 1 > len ? len : 0);
	note(h, ";", 0, 0);
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct host *h = arg;
	h->is_closed = true;
	h->code = code;
}

static const struct front_events events = { .opened = on_opened, .input = on_input, .resize = on_resize, .ready = on_ready,
	.refresh = on_refresh, .clipboard = on_clipboard, .closed = on_closed };

static void host_open(struct host *h)
{
	memset(h, 0, sizeof(*h));
	int pair[2];
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	uv_loop_init(&h->loop);
	h->fd = pair[1];
	struct front_params p = { .loop = &h->loop, .fd = pair[0], .remote = "test", .is_authenticated = true,
		.desktop_name = "d1", .clipboard_in = true, .clipboard_out = true };
	struct pst_err err = PST_ERR_INIT;
	h->front = front_rfb.open(&p, &events, h, &err);
	cr_assert(h->front, "%s", err.text);
}

static void host_close(struct host *h)
{
	front_rfb.close(h->front);
	close(h->fd);
	cr_assert_eq(pst_loop_drain(&h->loop), 0);
}

/* Turns the loop until nothing is left to do at once. */
static void host_turn(struct host *h)
{
	for (int i = 0; i < 8; i++)
		uv_run(&h->loop, UV_RUN_NOWAIT);
}

static void viewer_says(struct host *h, const void *bytes, size_t len)
{
	cr_assert_eq(write(h->fd, bytes, len), (ssize_t)len);
	host_turn(h);
}

static void viewer_hears(struct host *h, const void *expected, size_t len)
{
	uint8_t got[4096];
	host_turn(h);
	ssize_t n = read(h->fd, got, sizeof(got));
	cr_assert_eq(n, (ssize_t)len, "%zd bytes instead of %zu", n, len);
	cr_assert_arr_eq(got, expected, len);
}

#define SAYS(h, ...) viewer_says(h, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define HEARS(h, ...) viewer_hears(h, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void handshake(struct host *h)
{
	viewer_hears(h, "RFB 003.008\n", 12);
	viewer_says(h, "RFB 003.008\n", 12);
	HEARS(h, 1, 1);
	SAYS(h, 1);
	HEARS(h, 0, 0, 0, 0);
	SAYS(h, 1);
	cr_assert_eq(front_rfb.surface(h->front, 4, 2, NULL), 0);
	HEARS(h, 0, 4, 0, 2, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 2, 'd', '1');
}

Test(rfb_transcript, raw_frame_after_a_request)
{
	struct host h;
	host_open(&h);
	handshake(&h);
	SAYS(&h, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1); /* Raw, CopyRect */
	cr_expect_str_eq(h.said, "opened;");
	cr_expect(h.caps.ops & OP_BIT(OP_COPY));
	cr_expect_not(h.caps.ops & OP_BIT(OP_LOSSY));
	cr_expect_not(front_rfb.can_send(h.front));
	SAYS(&h, 3, 0, 0, 0, 0, 0, 0, 4, 0, 2);
	cr_expect(front_rfb.can_send(h.front));

	const uint32_t pixels[8] = { 0x112233, 2, 3, 4, 5, 6, 7, 8 };
	const struct pixmap sent = { (const uint8_t *)pixels, 4, 2, 16 };
	const struct op ops[] = {
		{ .kind = OP_COPY, .rect = { 1, 0, 1, 1 }, .copy = { 3, 1 } },
		{ .kind = OP_LOSSLESS, .rect = { 0, 0, 2, 1 } },
	};
	const struct op_list list = { .ops = ops, .len = 2, .sequence = 1 };
	cr_assert_eq(front_rfb.frame(h.front, &list, &sent, NULL), 0);
	HEARS(&h, 0, 0, 0, 2, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0x33,
		0x22, 0x11, 0, 2, 0, 0, 0);
	cr_expect_not(front_rfb.can_send(h.front), "one request, one update");
	host_close(&h);
}

Test(rfb_transcript, words_that_repeat_are_left_out_and_copied)
{
	struct host h;
	uint8_t got[256];
	const uint32_t pixels[8] = { 5, 5, 1, 2, 5, 5, 3, 4 };
	const struct pixmap sent = { (const uint8_t *)pixels, 4, 2, 16 };
	const struct op_repeat repeat = { { 2, 0, 2, 2 }, 7, 9 };
	const struct op op = { .kind = OP_LOSSLESS, .klass = OP_CLASS_TEXT, .rect = { 0, 0, 4, 2 }, .lossless = { &repeat, 1, 5 } };
	const struct op_list list = { .ops = &op, .len = 1, .sequence = 1 };

	host_open(&h);
	handshake(&h);
	SAYS(&h, 2, 0, 0, 2, 0, 0, 0, 16, 0, 0, 0, 1); /* ZRLE, CopyRect */
	cr_expect(h.caps.ops & OP_TAKES_REPEATS);
	SAYS(&h, 3, 0, 0, 0, 0, 0, 0, 4, 0, 2);
	cr_assert_eq(front_rfb.frame(h.front, &list, &sent, NULL), 0);
	host_turn(&h);
	ssize_t n = read(h.fd, got, sizeof(got));
	const uint8_t head[] = { 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 2, 0, 0, 0, 16, 0, 0, 0 };
	const uint8_t copy[] = { 0, 2, 0, 0, 0, 2, 0, 2, 0, 0, 0, 1, 0, 7, 0, 9 };

	cr_assert_gt(n, (ssize_t)(sizeof(head) + 1 + sizeof(copy)));
	cr_expect_arr_eq(got, head, sizeof(head));
	cr_assert_eq(n, (ssize_t)(sizeof(head) + 1 + got[19] + sizeof(copy)));
	cr_expect_arr_eq(got + n - sizeof(copy), copy, sizeof(copy));
	host_close(&h);
	host_open(&h);
	handshake(&h);
	SAYS(&h, 2, 0, 0, 1, 0, 0, 0, 16);
	cr_expect_not(h.caps.ops & OP_TAKES_REPEATS, "a viewer that does not copy");
	host_close(&h);
}

Test(rfb_transcript, input_of_every_kind_arrives)
{
	struct host h;
	host_open(&h);
	handshake(&h);
	SAYS(&h, 4, 1, 0, 0, 0, 0, 0x20, 0xac);
	SAYS(&h, 5, 0, 0xff, 0xff, 0, 1);
	SAYS(&h, 5, 16, 0, 0, 0, 0);
	SAYS(&h, 6, 0, 0, 0, 0, 0, 0, 2, 0xf1, 'a');
	cr_expect_str_eq(h.said, "key 20ac 1;pointer 3,1;pointer 0,0;wheel 0,120;clipboard 3 ña;");
	host_close(&h);
}

Test(rfb_transcript, a_new_size_is_told_before_any_pixel)
{
	struct host h;
	host_open(&h);
	handshake(&h);
	SAYS(&h, 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xcc); /* Raw, ExtendedDesktopSize */
	SAYS(&h, 3, 1, 0, 0, 0, 0, 0, 4, 0, 2);
	HEARS(&h, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 2, 0xff, 0xff, 0xfe, 0xcc, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 2,
		0, 0, 0, 0);
	SAYS(&h, 251, 0, 0, 6, 0, 3, 0, 0);
	cr_expect_str_eq(h.said, "opened;resize 6x3;");
	cr_assert_eq(front_rfb.surface(h.front, 6, 3, NULL), 0);
	cr_expect_not(front_rfb.can_send(h.front));
	SAYS(&h, 3, 1, 0, 0, 0, 0, 0, 4, 0, 2);
	HEARS(&h, 0, 0, 0, 1, 0, 1, 0, 0, 0, 6, 0, 3, 0xff, 0xff, 0xfe, 0xcc, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 3,
		0, 0, 0, 0);
	host_close(&h);
}

Test(rfb_transcript, a_size_that_changes_before_the_encodings_waits_for_them)
{
	struct host h;
	host_open(&h);
	handshake(&h);
	cr_assert_eq(front_rfb.surface(h.front, 6, 3, NULL), 0);
	SAYS(&h, 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21); /* Raw, DesktopSize */
	SAYS(&h, 3, 1, 0, 0, 0, 0, 0, 4, 0, 2);
	HEARS(&h, 0, 0, 0, 1, 0, 0, 0, 0, 0, 6, 0, 3, 0xff, 0xff, 0xff, 0x21);
	cr_expect_str_eq(h.said, "opened;");
	host_close(&h);

	host_open(&h);
	handshake(&h);
	cr_assert_eq(front_rfb.surface(h.front, 6, 3, NULL), 0);
	SAYS(&h, 2, 0, 0, 1, 0, 0, 0, 0); /* Raw */
	cr_expect(h.is_closed && h.code == PST_EUNSUPPORTED);
	host_close(&h);
}

Test(rfb_transcript, nonsense_ends_the_session_with_a_reason)
{
	struct host h;
	host_open(&h);
	handshake(&h);
	SAYS(&h, 99);
	cr_expect(h.is_closed);
	cr_expect_eq(h.code, PST_EPROTO);
	host_close(&h);
}

Test(rfb_transcript, a_fence_is_echoed_and_an_unsent_one_refused)
{
	struct host h;
	host_open(&h);
	handshake(&h);
	SAYS(&h, 248, 0, 0, 0, 0x80, 0, 0, 5, 2, 'h', 'i');
	HEARS(&h, 248, 0, 0, 0, 0, 0, 0, 5, 2, 'h', 'i');
	SAYS(&h, 248, 0, 0, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 9);
	cr_expect(h.is_closed);
	cr_expect_eq(h.code, PST_EPROTO);
	host_close(&h);
}

static void send_pixel(struct host *h, int32_t x)
{
	static const uint32_t pixels[8];
	const struct pixmap sent = { (const uint8_t *)pixels, 4, 2, 16 };
	const struct op op = { .kind = OP_LOSSLESS, .rect = { x, 0, 1, 1 } };
	const struct op_list list = { .ops = &op, .len = 1, .sequence = 1 };
	cr_assert(front_rfb.can_send(h->front));
	cr_assert_eq(front_rfb.frame(h->front, &list, &sent, NULL), 0);
}

Test(rfb_transcript, a_small_update_comes_without_a_fence_but_now_and_then)
{
	struct host h;
	host_open(&h);
	handshake(&h);
	SAYS(&h, 2, 0, 0, 3, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xc8, 0xff, 0xff, 0xfe, 0xc7); /* Raw, Fence, ContinuousUpdates */
	HEARS(&h, 150, 248, 0, 0, 0, 0x80, 0, 0, 1, 0);
	SAYS(&h, 150, 1, 0, 0, 0, 0, 0, 4, 0, 2);
	send_pixel(&h, 0);
	HEARS(&h, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 248, 0, 0, 0, 0x80, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 1);
	SAYS(&h, 248, 0, 0, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 1);
	for (int i = 0; i < 15; i++) {
		send_pixel(&h, 1);
		HEARS(&h, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
	}
	send_pixel(&h, 2);
	HEARS(&h, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 248, 0, 0, 0, 0x80, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 2);
	cr_expect_not(h.is_closed);
	host_close(&h);
}

Test(rfb_transcript, a_video_is_open_h264)
{
	struct host h;
	host_open(&h);
	handshake(&h);
	SAYS(&h, 2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 50); /* Raw, Open H.264 */
	cr_expect(h.caps.ops & OP_BIT(OP_VIDEO));
	cr_expect_eq(h.caps.max_video_regions, 4);
	SAYS(&h, 3, 1, 0, 0, 0, 0, 0, 4, 0, 2);
	static const uint8_t unit[] = { 0, 0, 0, 1, 0x65 };
	const struct op ops[] = {
		{ .kind = OP_VIDEO, .rect = { 0, 0, 4, 2 }, .video = { .is_key = true, .coded_w = 4, .coded_h = 2, .data = unit, .len = 5 } },
		{ .kind = OP_VIDEO, .rect = { 2, 0, 2, 2 }, .video = { .region = 1, .coded_w = 2, .coded_h = 2, .data = unit, .len = 4 } },
	};
	const struct op_list list = { .ops = ops, .len = 2, .sequence = 1 };
	cr_assert_eq(front_rfb.frame(h.front, &list, NULL, NULL), 0);
	HEARS(&h, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 2, 0, 0, 0, 50, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 1, 0x65, /* a new decoder */
		0, 2, 0, 0, 0, 2, 0, 2, 0, 0, 0, 50, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1);
	host_close(&h);
}
