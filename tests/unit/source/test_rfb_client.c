/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An RFB client and servers that are told what to say: the handshakes, updates, what has no pixels, and every
 * message cut short.
 * Covers: protocol/source/rfb/client.c
 * Covers: protocol/source/rfb/greeting.c
 * Covers: protocol/source/rfb/update.c
 * Covers: protocol/source/rfb/shape.c
 * Covers: protocol/source/rfb/password.c
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/source/rfb/client.h"
#include "protocol/source/rfb/password.h"
#include "protocol/source/rfb/wire.h"

struct seen {
	struct rfb_client *client;
	struct pst_err err;
	struct pixmap screen;
	int surfaces, damages, cursors, bells;
	struct rect damage;
	struct cursor_image cursor;
	uint32_t cursor_pixel;
	char text[64];
	struct pst_buf server; /* bytes that it says */
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

	s->cursors++;
	s->cursor = *image;
	s->cursor_pixel = image->pixels[0];
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct seen *s = arg;

	memcpy(s->text, utf8, PST_MIN(len, sizeof(s->text) - 1));
}

static void on_bell(void *arg)
{
	struct seen *s = arg;

	s->bells++;
}

static const struct rfb_client_events events = { on_surface, on_damage, on_cursor, on_clipboard, on_bell };

static void open_client(struct seen *s, const char *password)
{
	struct rfb_client_params p = { .password = password, .is_near = true, .is_shared = true, .events = &events, .arg = s };

	memset(s, 0, sizeof(*s));
	pst_buf_init(&s->server, 1 << 20);
	s->client = rfb_client_create(&p);
}

static void close_client(struct seen *s)
{
	rfb_client_destroy(s->client);
	pst_buf_finish(&s->server);
}

/* The server's bytes go to the client, which uses all of them unless something is wrong. */
static int say(struct seen *s, const void *bytes, size_t len)
{
	long n;

	pst_buf_append(&s->server, bytes, len);
	n = rfb_client_take(s->client, s->server.data, s->server.len, &s->err);
	if (n > 0)
		pst_buf_consume(&s->server, (size_t)n);
	return n < 0 ? (int)n : 0;
}

#define SAY(s, ...) say(s, (uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))
#define GREET(s) cr_assert_eq(say(s, "RFB 003.008\n", 12), 0)
/* 4 × 2 pixels, a pixel format of its own, the name "x". */
#define INIT(s) \
	cr_assert_eq(SAY(s, 0, 4, 0, 2, 8, 8, 0, 0, 0, 7, 0, 7, 0, 3, 0, 3, 6, 0, 0, 0, 0, 0, 0, 1, 'x'), 0)
#define UPDATE(n) 0, 0, 0, n
#define RECT(x, y, w, h, e)                                                                     \
	0, x, 0, y, 0, w, 0, h, (uint8_t)((uint32_t)(e) >> 24), (uint8_t)((uint32_t)(e) >> 16), \
		(uint8_t)((uint32_t)(e) >> 8), (uint8_t)(e)
#define PIXEL(v) v, v, v, 0

static void heard(struct seen *s, const void *bytes, size_t len)
{
	struct pst_buf *out = rfb_client_out(s->client);

	cr_assert_geq(out->len, len);
	cr_assert_arr_eq(out->data, bytes, len);
	pst_buf_consume(out, len);
}

#define HEARD(s, ...) heard(s, (uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

static void forget(struct seen *s)
{
	pst_buf_reset(rfb_client_out(s->client));
}

/* Through the handshake, without a picture yet. */
static void open_screen(struct seen *s)
{
	open_client(s, "");
	GREET(s);
	heard(s, "RFB 003.008\n", 12);
	cr_assert_eq(SAY(s, 2, 16, RFB_SECURITY_NONE), 0);
	HEARD(s, RFB_SECURITY_NONE);
	cr_assert_eq(SAY(s, 0, 0, 0, 0), 0);
	HEARD(s, 1);
	INIT(s);
	HEARD(s, RFB_SET_PIXEL_FORMAT, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0);
	HEARD(s, RFB_SET_ENCODINGS, 0, 0, 13, 0, 0, 0, 1, 0, 0, 0, 0);
	pst_buf_consume(rfb_client_out(s->client), 11 * 4);
	HEARD(s, RFB_UPDATE_REQUEST, 0, 0, 0, 0, 0, 0, 4, 0, 2);
}

static void first_picture(struct seen *s)
{
	cr_assert_eq(SAY(s, UPDATE(1), RECT(0, 0, 4, 2, RFB_RAW), PIXEL(1), PIXEL(2), PIXEL(3), PIXEL(4),
			     PIXEL(5), PIXEL(6), PIXEL(7), PIXEL(8)),
		0);
	cr_assert_eq(s->surfaces, 1);
	cr_assert_eq(s->screen.width, 4);
	cr_assert_eq(s->screen.height, 2);
	cr_assert_eq(*pixmap_at(&s->screen, 3, 1), 0x080808);
}

Test(rfb_client, test_updates_are_asked_for_one_at_a_time)
{
	struct seen s;

	open_screen(&s);
	first_picture(&s);
	cr_assert_eq(rfb_client_out(s.client)->len, 0);
	rfb_client_ready(s.client);
	rfb_client_ready(s.client);
	HEARD(&s, RFB_UPDATE_REQUEST, 1, 0, 0, 0, 0, 0, 4, 0, 2);
	cr_assert_eq(rfb_client_out(s.client)->len, 0);
	cr_assert_eq(SAY(&s, UPDATE(2), RECT(1, 1, 1, 1, RFB_RAW), PIXEL(9), RECT(2, 1, 1, 1, RFB_COPY_RECT),
			     0, 1, 0, 1),
		0);
	cr_assert_eq(s.damages, 1);
	cr_assert(rect_contains(&s.damage, &(struct rect){ 1, 1, 2, 1 }));
	cr_assert_eq(*pixmap_at(&s.screen, 2, 1), 0x090909);
	cr_assert_eq(rfb_client_out(s.client)->len, 0);
	close_client(&s);
}

/* QEMU says by itself what it can: that is no picture, and what has not come yet is asked for again. */
Test(rfb_client, test_an_update_without_pixels_is_no_picture)
{
	struct seen s;
	struct input_event key = { .kind = INPUT_KEY, .key = { true, 'a', 30 } };

	open_screen(&s);
	cr_assert_eq(
		SAY(&s, UPDATE(2), RECT(0, 0, 4, 2, RFB_QEMU_KEY), RECT(0, 0, 4, 2, RFB_QEMU_POINTER)), 0);
	cr_assert_eq(s.surfaces, 0);
	HEARD(&s, RFB_UPDATE_REQUEST, 1, 0, 0, 0, 0, 0, 4, 0, 2);
	first_picture(&s);
	rfb_client_input(s.client, &key);
	HEARD(&s, RFB_QEMU, 0, 0, 1, 0, 0, 0, 'a', 0, 0, 0, 30);
	close_client(&s);
}

Test(rfb_client, test_the_viewer_sees_the_last_screen_until_the_next_is_whole)
{
	struct seen s;
	struct pixmap old;

	open_screen(&s);
	first_picture(&s);
	old = s.screen;
	rfb_client_ready(s.client);
	forget(&s);
	cr_assert_eq(
		SAY(&s, UPDATE(2), RECT(0, 0, 1, 1, RFB_RAW), PIXEL(9), RECT(0, 0, 2, 1, RFB_DESKTOP_SIZE)),
		0);
	cr_assert_eq(s.surfaces, 1);
	cr_assert_eq(s.damages, 0);
	cr_assert_eq(*pixmap_at(&old, 3, 1), 0x080808); /* still readable */
	HEARD(&s, RFB_UPDATE_REQUEST, 0, 0, 0, 0, 0, 0, 2, 0, 1);
	cr_assert_eq(SAY(&s, UPDATE(1), RECT(0, 0, 2, 1, RFB_RAW), PIXEL(1), PIXEL(2)), 0);
	cr_assert_eq(s.surfaces, 2);
	cr_assert_eq(s.screen.width, 2);
	cr_assert_eq(*pixmap_at(&s.screen, 1, 0), 0x020202);
	close_client(&s);
}

Test(rfb_client, test_a_server_that_can_is_asked_for_a_size)
{
	struct seen s;

	open_screen(&s);
	cr_assert_not(rfb_client_resize(s.client, 8, 6));
	cr_assert_eq(SAY(&s, UPDATE(1), RECT(0, 0, 4, 2, RFB_EXTENDED_DESKTOP_SIZE), 1, 0, 0, 0, 0, 0, 0, 7,
			     0, 0, 0, 0, 0, 4, 0, 2, 0, 0, 0, 5),
		0);
	forget(&s);
	cr_assert(rfb_client_resize(s.client, 8, 6));
	HEARD(&s, RFB_SET_DESKTOP_SIZE, 0, 0, 8, 0, 6, 1, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 8, 0, 6, 0, 0, 0, 5);
	/* It will not: the screen stays. */
	cr_assert_eq(SAY(&s, UPDATE(1), RECT(1, 1, 8, 6, RFB_EXTENDED_DESKTOP_SIZE), 0, 0, 0, 0), 0);
	first_picture(&s);
	close_client(&s);
}

Test(rfb_client, test_pointer_shapes)
{
	struct seen s;

	open_screen(&s);
	cr_assert_eq(SAY(&s, UPDATE(1), RECT(1, 0, 2, 1, RFB_CURSOR), 1, 2, 3, 0, 4, 5, 6, 0, 0x80), 0);
	cr_assert_eq(s.cursors, 1);
	cr_assert_eq(s.cursor.w, 2);
	cr_assert_eq(s.cursor.hot_x, 1);
	cr_assert_eq(s.cursor_pixel, 0xff030201);
	/* Transparent, and brighter than it may be; the hot spot beside it. */
	cr_assert_eq(SAY(&s, UPDATE(1), RECT(9, 9, 1, 1, RFB_ALPHA_CURSOR), 0, 0, 0, 0, 255, 20, 10, 100), 0);
	cr_assert_eq(s.cursor_pixel, 0x6464140a);
	cr_assert_eq(s.cursor.hot_x, 0);
	cr_assert_eq(SAY(&s, UPDATE(1), RECT(0, 0, 0, 0, RFB_CURSOR)), 0);
	cr_assert_eq(s.cursor.w, 0);
	/* One that is larger than ours may be is passed over. */
	cr_assert_eq(SAY(&s, UPDATE(1), 0, 0, 0, 0, 2, 0, 0, 1, 0xff, 0xff, 0xff, 0x11), 0);
	for (int i = 0; i < 512 * 4 + 64; i++)
		cr_assert_eq(SAY(&s, 0), 0);
	cr_assert_eq(s.cursors, 3);
	first_picture(&s);
	close_client(&s);
}

Test(rfb_client, test_last_rect_bell_clipboard_and_colours)
{
	static const char utf8[] = "\xc3\xb1\xe2\x82\xac";
	struct seen s;

	open_screen(&s);
	cr_assert_eq(
		SAY(&s, 0, 0, 0xff, 0xff, RECT(0, 0, 4, 1, RFB_RAW), PIXEL(1), PIXEL(1), PIXEL(1), PIXEL(1)),
		0);
	cr_assert_eq(s.surfaces, 0);
	cr_assert_eq(SAY(&s, RECT(0, 0, 0, 0, RFB_LAST_RECT)), 0);
	cr_assert_eq(s.surfaces, 1);
	cr_assert_eq(SAY(&s, RFB_BELL, RFB_COLOUR_MAP, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, RFB_BELL), 0);
	cr_assert_eq(s.bells, 2);
	cr_assert_eq(SAY(&s, RFB_SERVER_CUT_TEXT, 0, 0, 0, 0, 0, 0, 2, 'a', 0xf1), 0);
	cr_assert_str_eq(s.text, "a\xc3\xb1");
	rfb_client_clipboard(s.client, utf8, strlen(utf8));
	HEARD(&s, RFB_CLIENT_CUT_TEXT, 0, 0, 0, 0, 0, 0, 2, 0xf1, '?');
	close_client(&s);
}

Test(rfb_client, test_passwords_and_versions)
{
	/* By OpenSSL: DES-ECB of the bytes 0…15 with the turned bits of "secret12". */
	static const uint8_t challenge[RFB_CHALLENGE_LEN] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
		14, 15 };
	static const uint8_t known[RFB_CHALLENGE_LEN] = { 0xad, 0xcd, 0x99, 0x7f, 0x8e, 0x16, 0xfe, 0xe5,
		0x75, 0xe9, 0x73, 0xf9, 0x3c, 0x2b, 0x62, 0xb4 };
	uint8_t answer[RFB_CHALLENGE_LEN];
	struct seen s;

	rfb_password_answer("secret12", challenge, answer);
	cr_assert_arr_eq(answer, known, sizeof(known));
	open_client(&s, "secret12 and more");
	cr_assert_eq(say(&s, "RFB 003.889\n", 12), 0);
	heard(&s, "RFB 003.008\n", 12);
	cr_assert_eq(SAY(&s, 2, 19, RFB_SECURITY_VNC), 0);
	HEARD(&s, RFB_SECURITY_VNC);
	cr_assert_eq(say(&s, challenge, sizeof(challenge)), 0);
	heard(&s, answer, sizeof(answer));
	cr_assert_eq(SAY(&s, 0, 0, 0, 1, 0, 0, 0, 4, 'n', 'o', '\n', '!'), PST_EAUTH);
	cr_assert(strstr(s.err.text, "no !"));
	close_client(&s);

	open_client(&s, "");
	cr_assert_eq(say(&s, "RFB 003.005\n", 12), 0);
	heard(&s, "RFB 003.003\n", 12);
	cr_assert_eq(SAY(&s, 0, 0, 0, 1), 0);
	HEARD(&s, 1);
	INIT(&s);
	first_picture(&s);
	close_client(&s);
}

struct refusal {
	const char *what;
	int code;
	size_t len;
	uint8_t data[40];
};

static void expect_refusals(const struct refusal *cases, size_t n, bool is_open)
{
	for (size_t i = 0; i < n; i++) {
		struct seen s;

		if (is_open) {
			open_screen(&s);
		} else {
			open_client(&s, "");
			GREET(&s);
		}
		cr_assert_eq(say(&s, cases[i].data, cases[i].len), cases[i].code, "%s: %s", cases[i].what,
			s.err.text);
		cr_assert(s.err.text[0]);
		close_client(&s);
	}
}

Test(rfb_client, test_what_cannot_be_ends_it)
{
	static const struct refusal greetings[] = {
		{ "a password that is not set", PST_EAUTH, 2, { 1, RFB_SECURITY_VNC } },
		{ "only its own TLS", PST_EUNSUPPORTED, 3, { 2, 19, 18 } },
		{ "a refusal", PST_EAUTH, 8, { 0, 0, 0, 0, 3, 'n', 'o', 't' } },
	};
	static const struct refusal messages[] = {
		{ "a message of nobody", PST_EPROTO, 1, { 200 } },
		{ "an encoding of nobody", PST_EPROTO, 16, { UPDATE(1), RECT(0, 0, 1, 1, 2) } },
		{ "a rectangle beside the screen", PST_EPROTO, 16, { UPDATE(1), RECT(4, 0, 1, 1, RFB_RAW) } },
		{ "a screen that is too large", PST_ELIMIT, 16,
			{ UPDATE(1), 0, 0, 0, 0, 0x20, 1, 0, 1, 0xff, 0xff, 0xff, 0x21 } },
		{ "a screen of nothing", PST_ELIMIT, 16, { UPDATE(1), RECT(0, 0, 0, 0, RFB_DESKTOP_SIZE) } },
		{ "a pointer that is too large", PST_ELIMIT, 16,
			{ UPDATE(1), 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x11 } },
		{ "a packed pointer", PST_EPROTO, 24,
			{ UPDATE(1), RECT(0, 0, 1, 1, RFB_ALPHA_CURSOR), 0, 0, 0, 7, 1, 2, 3, 4 } },
		{ "a clipboard of another kind", PST_EPROTO, 8,
			{ RFB_SERVER_CUT_TEXT, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0 } },
	};
	struct seen s;

	expect_refusals(greetings, PST_ARRAY_LEN(greetings), false);
	expect_refusals(messages, PST_ARRAY_LEN(messages), true);
	open_client(&s, "");
	cr_assert_eq(say(&s, "SSH-2.0-OpenSSH_9.2p1\r\n", 23), PST_EPROTO);
	close_client(&s);
	open_client(&s, "");
	GREET(&s);
	cr_assert_eq(SAY(&s, 1, RFB_SECURITY_NONE, 0, 0, 0, 0), 0);
	cr_assert_eq(
		SAY(&s, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		PST_ELIMIT);
	close_client(&s);
}

/* Byte by byte, and stopped at every one of them: nothing is read that is not there, and nothing lost. */
Test(rfb_client, test_every_message_may_be_cut_anywhere)
{
	static const uint8_t all[] = {
		'R',
		'F',
		'B',
		' ',
		'0',
		'0',
		'3',
		'.',
		'0',
		'0',
		'8',
		'\n',
		1,
		RFB_SECURITY_NONE,
		0,
		0,
		0,
		0,
		0,
		4,
		0,
		2,
		8,
		8,
		0,
		0,
		0,
		7,
		0,
		7,
		0,
		3,
		0,
		3,
		6,
		0,
		0,
		0,
		0,
		0,
		0,
		1,
		'x',
		UPDATE(1),
		RECT(0, 0, 4, 2, RFB_RAW),
		PIXEL(1),
		PIXEL(2),
		PIXEL(3),
		PIXEL(4),
		PIXEL(5),
		PIXEL(6),
		PIXEL(7),
		PIXEL(8),
		RFB_BELL,
		RFB_SERVER_CUT_TEXT,
		0,
		0,
		0,
		0,
		0,
		0,
		1,
		'a',
		RFB_COLOUR_MAP,
		0,
		0,
		0,
		0,
		1,
		1,
		2,
		3,
		4,
		5,
		6,
		UPDATE(7),
		RECT(0, 0, 2, 1, RFB_HEXTILE),
		2,
		PIXEL(1),
		RECT(0, 0, 2, 1, RFB_TRLE),
		1,
		1,
		2,
		3,
		RECT(0, 0, 2, 1, RFB_TIGHT),
		0x80,
		1,
		2,
		3,
		RECT(1, 1, 1, 1, RFB_COPY_RECT),
		0,
		0,
		0,
		0,
		RECT(0, 0, 1, 1, RFB_CURSOR),
		1,
		2,
		3,
		0,
		0x80,
		RECT(0, 0, 4, 2, RFB_EXTENDED_DESKTOP_SIZE),
		0,
		0,
		0,
		0,
		RECT(0, 0, 0, 0, RFB_QEMU_POINTER),
	};
	struct seen s;

	for (size_t len = 0; len <= sizeof(all); len++) {
		open_client(&s, "");
		for (size_t i = 0; i < len; i++)
			cr_assert_eq(say(&s, all + i, 1), 0, "%zu of %zu: %s", i, len, s.err.text);
		if (len == sizeof(all)) {
			cr_assert_eq(s.surfaces, 1);
			cr_assert_eq(s.damages, 1);
			cr_assert_eq(s.cursors, 1);
			cr_assert_eq(s.server.len, 0);
		}
		close_client(&s);
	}
}
