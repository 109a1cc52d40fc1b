/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The RFB source on a socket, with a server of a few lines behind it.
 * Covers: protocol/source/rfb/rfb.c
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "protocol/source/source.h"

/* 3.8, no password, 2 × 1 pixels without a name, and their picture. */
static const uint8_t said[] = {
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
	1,
	0,
	0,
	0,
	0,
	0,
	2,
	0,
	1,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	1,
	0,
	0,
	0,
	0,
	0,
	2,
	0,
	1,
	0,
	0,
	0,
	0,
	1,
	2,
	3,
	0,
	4,
	5,
	6,
	0,
};

struct seen {
	uv_loop_t loop;
	struct source *source;
	int surfaces, code;
	uint32_t pixel;
	char reason[256];
};

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct seen *s = arg;

	s->surfaces++;
	s->pixel = *pixmap_at(screen, 1, 0);
	uv_stop(&s->loop);
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct seen *s = arg;

	s->code = code;
	strncpy(s->reason, reason, sizeof(s->reason) - 1);
	uv_stop(&s->loop);
}

static const struct source_events events = { .surface = on_surface, .closed = on_closed };

static int open_source(struct seen *s)
{
	struct source_params p = { .loop = &s->loop, .grant = "" };
	struct pst_err err;
	int pair[2];

	memset(s, 0, sizeof(*s));
	uv_loop_init(&s->loop);
	cr_assert_eq(pst_unix_pair(pair, &err), 0);
	p.fd = pair[0];
	s->source = source_open(source_find("rfb"), &p, &events, s, &err);
	cr_assert(s->source);
	return pair[1];
}

static void close_source(struct seen *s)
{
	source_close(s->source, NULL);
	pst_loop_drain(&s->loop);
}

Test(rfb_source, test_a_server_s_screen_is_the_picture)
{
	static const struct input_event key = { .kind = INPUT_KEY, .key = { true, 'a', 30 } };
	uint8_t heard[256];
	struct seen s;
	int fd = open_source(&s);
	ssize_t n;

	cr_assert_eq(write(fd, said, sizeof(said)), sizeof(said));
	uv_run(&s.loop, UV_RUN_DEFAULT);
	cr_assert_eq(s.surfaces, 1);
	cr_assert_eq(s.pixel & 0xffffff, 0x060504);
	source_input(s.source, &key);
	source_ready(s.source);
	cr_assert_eq(source_resize(s.source, 3, 3), PST_EUNSUPPORTED);
	uv_run(&s.loop, UV_RUN_NOWAIT);
	uv_run(&s.loop, UV_RUN_NOWAIT);
	n = recv(fd, heard, sizeof(heard), MSG_DONTWAIT);
	cr_assert_geq(n, 18);
	cr_assert_arr_eq(heard + n - 18, "\x04\x01\0\0\0\0\0a\x03\x01\0\0\0\0\0\x02\0\x01", 18);
	/* Who leaves lets go of the key. */
	close_source(&s);
	n = recv(fd, heard, sizeof(heard), MSG_DONTWAIT);
	cr_assert_eq(n, 8);
	cr_assert_arr_eq(heard, "\x04\0\0\0\0\0\0a", 8);
	close(fd);
}

Test(rfb_source, test_an_end_is_told_once_and_in_words)
{
	struct seen s;
	int fd = open_source(&s);

	close(fd);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	cr_assert_eq(s.code, PST_ECLOSED);
	cr_assert(strstr(s.reason, "closed the connection"));
	source_ready(s.source);
	close_source(&s);

	fd = open_source(&s);
	cr_assert_eq(write(fd, "HTTP/1.1 400 no\r\n", 17), 17);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	cr_assert_eq(s.code, PST_EPROTO);
	close_source(&s);
	close(fd);
}
