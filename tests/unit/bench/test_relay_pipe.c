/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The relay's path: bytes come whole and in order, not before their time, and not faster than the rate. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/relay_pipe.h"

#define MS 1000000ull

struct world {
	int server, client; /* what the two ends hold */
	struct pipe down, up;
	struct bucket bucket;
};

static void open_world(struct world *w)
{
	int a[2], b[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b), 0);
	*w = (struct world){ .server = a[0], .client = b[0] };
	cr_assert(pipe_open(&w->down, a[1], b[1]));
	cr_assert(pipe_open(&w->up, b[1], a[1]));
}

static void close_world(struct world *w)
{
	pipe_break(&w->down, &w->up);
	close(w->server);
	close(w->client);
}

static ssize_t arrived(struct world *w, char *text, size_t room)
{
	ssize_t n = recv(w->client, text, room, 0);

	return n < 0 ? 0 : n;
}

Test(relay_pipe, a_free_path_hands_bytes_on_at_once)
{
	struct world w;
	struct path path = { 0 };
	uint32_t got;
	char text[16] = "";

	open_world(&w);
	cr_assert_eq(write(w.server, "pixels", 6), 6);
	cr_assert(pipe_read(&w.down, &path, &w.bucket, 5 * MS, &got));
	cr_assert_eq(got, 6);
	cr_assert(pipe_write(&w.down, 5 * MS));
	cr_assert_eq(arrived(&w, text, sizeof(text)), 6);
	cr_assert_str_eq(text, "pixels");
	close_world(&w);
}

Test(relay_pipe, a_delay_is_kept_to_the_nanosecond)
{
	struct world w;
	struct path path = { .delay = 20 * MS };
	struct pollfd fds[2];
	uint32_t got;
	char text[16];

	open_world(&w);
	cr_assert_eq(write(w.server, "x", 1), 1);
	cr_assert(pipe_read(&w.down, &path, &w.bucket, 7 * MS, &got));
	cr_assert(pipe_write(&w.down, 27 * MS - 1));
	cr_assert_eq(arrived(&w, text, sizeof(text)), 0);
	cr_assert_eq(pipe_await(&w.down, &path, &w.bucket, 8 * MS, fds), 27 * MS);
	cr_assert(pipe_write(&w.down, 27 * MS));
	cr_assert_eq(arrived(&w, text, sizeof(text)), 1);
	close_world(&w);
}

/* 10 Mbit/s are 1,250 bytes a millisecond; the bucket's burst comes on top once. */
Test(relay_pipe, a_rate_is_kept)
{
	static char many[65536];
	struct world w;
	struct path path = { .bytes_per_ns = 10e6 / 8 / 1e9 };
	uint64_t sum = 0, now = MS;
	uint32_t got;

	open_world(&w);
	for (; now < 101 * MS; now += MS / 4) {
		(void)!write(w.server, many, sizeof(many));
		cr_assert(pipe_read(&w.down, &path, &w.bucket, now, &got));
		sum += got;
		cr_assert(pipe_write(&w.down, now));
		while (recv(w.client, many, sizeof(many), 0) > 0) {
		}
	}
	cr_assert_geq(sum, 100 * 1250);
	cr_assert_leq(sum, 100 * 1250 + 3000);
	close_world(&w);
}

Test(relay_pipe, the_end_comes_after_the_last_byte)
{
	struct world w;
	struct path path = { .delay = MS };
	uint32_t got;
	char text[16];

	open_world(&w);
	cr_assert_eq(write(w.server, "bye", 3), 3);
	shutdown(w.server, SHUT_WR);
	cr_assert(pipe_read(&w.down, &path, &w.bucket, MS, &got));
	cr_assert(pipe_read(&w.down, &path, &w.bucket, MS, &got));
	cr_assert(w.down.is_ended);
	cr_assert(pipe_write(&w.down, MS));
	cr_assert_not(w.down.is_shut);
	cr_assert(pipe_write(&w.down, 2 * MS));
	cr_assert_eq(recv(w.client, text, sizeof(text), 0), 3);
	cr_assert_eq(recv(w.client, text, sizeof(text), 0), 0);
	close_world(&w);
}

/* The ring goes round many times, and every byte is the one that was sent. */
Test(relay_pipe, bytes_keep_their_order_round_the_ring)
{
	static uint8_t out[50000], in[50000];
	struct world w;
	struct path path = { 0 };
	uint8_t next_out = 0, next_in = 0;
	uint64_t sum = 0;
	uint32_t got;

	open_world(&w);
	while (sum < 3ull * PIPE_BYTES) {
		ssize_t n, sent;

		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = (uint8_t)(next_out + i);
		sent = write(w.server, out, sizeof(out));
		next_out = (uint8_t)(next_out + (sent > 0 ? sent : 0));
		cr_assert(pipe_read(&w.down, &path, &w.bucket, MS, &got));
		cr_assert(pipe_write(&w.down, MS));
		while ((n = recv(w.client, in, sizeof(in), 0)) > 0)
			for (ssize_t i = 0; i < n; i++, sum++)
				cr_assert_eq(in[i], next_in++);
	}
	close_world(&w);
}
