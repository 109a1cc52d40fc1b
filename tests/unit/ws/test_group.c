/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several browsers at one picture, each with a decoder of its own: they show the same, whoever comes late or
 * falls behind. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "protocol/front/ws/ws.h"
#include "protocol/front/ws/ws_priv.h"
#include "tests/unit/encoder/decode.h"

#define W 640 /* a snapshot of two steps */
#define H 256
#define CLIENTS 4

struct client {
	int fd;
	struct front *front;
	struct pst_buf in, body;
	struct flat_decoder *flat;
	uint32_t picture[W * H];
	uint32_t sequence;
	int frames, anews, ended, closed;
	uint8_t flags; /* of the last frame */
	bool is_deaf; /* reads nothing */
};

static struct {
	uv_loop_t loop;
	struct client clients[CLIENTS]; /* the first leads */
	uint32_t sent[W * H];
	struct pixmap pixmap;
	uint32_t seed;
	int opened, joins;
} t;

static void on_opened(void *arg, const struct front_caps *caps)
{
	(void)arg, (void)caps;
	t.opened++;
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct client *c = arg;

	(void)code, (void)reason;
	c->closed++;
}

static void on_nothing(void *arg)
{
	(void)arg;
}

static void on_join(void *arg)
{
	struct client *c = arg;

	t.joins += front_ws.join(c->front, &t.pixmap);
}

static const struct front_events events = {
	.opened = on_opened, .closed = on_closed, .ready = on_nothing, .join = on_join
};

static void say(struct client *c, const void *bytes, uint8_t len)
{
	const uint8_t head[] = { 0, 0, 0, len };

	cr_assert(write(c->fd, head, 4) == 4 && write(c->fd, bytes, len) == len);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static void paint(struct client *c, uint32_t x, uint32_t y, uint32_t w, uint32_t h, const uint32_t *pixels)
{
	for (uint32_t row = 0; row < h; row++)
		memcpy(c->picture + (y + row) * W + x, pixels + row * w, w * sizeof(*pixels));
}

/* FLAT only: what the tests send. */
static void take_frame(struct client *c, const uint8_t *p, size_t len)
{
	static uint32_t pixels[W * H];
	const uint8_t *end = p + len;
	uint8_t flags = p[4];
	uint32_t ops = be16(p + 5);

	cr_assert(be32(p) > c->sequence, "sequences rise");
	c->sequence = be32(p);
	c->frames++;
	c->flags = flags;
	if (flags & WS_FRAME_ANEW) {
		flat_decoder_destroy(c->flat);
		c->flat = flat_decoder_create();
		c->anews++;
	}
	for (p += 7; ops > 0; ops--) {
		uint32_t x = be16(p + 1), y = be16(p + 3), w = be16(p + 5), h = be16(p + 7),
			 size = be32(p + 9);

		cr_assert(p[0] == WS_OP_FLAT && x + w <= W && y + h <= H);
		cr_assert(flat_decode(c->flat, false, p + 13, size, (int)w, (int)h, pixels));
		paint(c, x, y, w, h, pixels);
		p += 13 + size;
	}
	cr_assert(p == end);
	if (!(flags & WS_FRAME_QUIET))
		say(c,
			(uint8_t[]){ WS_C_ACK, (uint8_t)(c->sequence >> 24), (uint8_t)(c->sequence >> 16),
				(uint8_t)(c->sequence >> 8), (uint8_t)c->sequence, 0, 0, 0, 9 },
			9);
}

static void take_messages(struct client *c)
{
	while (c->in.len >= 4 && c->in.len >= 4 + be32(c->in.data)) {
		uint32_t len = be32(c->in.data);
		uint8_t type = c->in.data[4];

		if ((type & ~WS_PART) == WS_S_FRAME)
			pst_buf_append(&c->body, c->in.data + 5, len - 1);
		if (type == WS_S_FRAME) {
			take_frame(c, c->body.data, c->body.len);
			pst_buf_reset(&c->body);
		}
		c->ended += type == WS_S_END;
		pst_buf_consume(&c->in, 4 + len);
	}
}

static void hear(struct client *c)
{
	uint8_t bytes[65536];
	ssize_t n;

	while (!c->is_deaf && c->front && (n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		pst_buf_append(&c->in, bytes, (size_t)n);
		take_messages(c);
	}
}

static void turn(void)
{
	uv_run(&t.loop, UV_RUN_NOWAIT);
	for (int i = 0; i < CLIENTS; i++)
		hear(&t.clients[i]);
}

#define RUN_UNTIL(condition) \
	while (!(condition)) \
	turn()

static void open_client(int i)
{
	static const uint8_t hello[] = { 1, 0, 1, W >> 8, W & 255, H >> 8, H & 255, 0, 100, 0, 0, 0, 0, 0, 0, 1, 'x' };
	struct client *c = &t.clients[i];
	struct pst_err err = PST_ERR_INIT;
	int fds[2], before = t.opened;

	cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	c->fd = fds[1];
	pst_buf_init(&c->in, 64u << 20);
	pst_buf_init(&c->body, 64u << 20);
	c->flat = flat_decoder_create();
	c->front = front_ws.open(
		&(struct front_params){ .loop = &t.loop, .fd = fds[0], .is_authenticated = true }, &events, c,
		&err);
	cr_assert(c->front);
	say(c, hello, sizeof(hello));
	RUN_UNTIL(t.opened > before);
}

static void setup(void)
{
	uv_loop_init(&t.loop);
	t.pixmap = (struct pixmap){ (const uint8_t *)t.sent, W, H, W * 4 };
	open_client(0);
	cr_assert_eq(front_ws.surface(t.clients[0].front, W, H, NULL), 0);
}

static void close_client(struct client *c)
{
	if (!c->front)
		return;
	front_ws.close(c->front);
	c->front = NULL;
	close(c->fd);
	flat_decoder_destroy(c->flat);
	pst_buf_finish(&c->in);
	pst_buf_finish(&c->body);
}

static void teardown(void)
{
	/* The leader last but one: followers may stay behind and leave. */
	close_client(&t.clients[1]);
	for (int i = 0; i < CLIENTS; i++)
		close_client(&t.clients[i]);
	pst_loop_drain(&t.loop);
}

TestSuite(group, .init = setup, .fini = teardown);

static uint32_t chance(void)
{
	t.seed = t.seed * 1664525 + 1013904223;
	return t.seed >> 8;
}

/* Draws a rectangle, of few colours or of noise, and sends it as soon as the leader's path allows. */
static void draw(bool is_noise)
{
	struct rect r = { (int32_t)(chance() % (W - 40)), (int32_t)(chance() % (H - 40)),
		8 + (int32_t)(chance() % 32), 8 + (int32_t)(chance() % 32) };
	struct op op = { .kind = OP_LOSSLESS };
	const struct op_list list = { .ops = &op, .len = 1, .is_exact = true };

	if (is_noise)
		r = (struct rect){ 0, 0, W, H };
	op.rect = r;
	for (int32_t y = r.y; y < r.y + r.h; y++)
		for (int32_t x = r.x; x < r.x + r.w; x++)
			t.sent[y * W + x] = is_noise ? chance() & 0xffffff : (chance() % 5) * 0x102030;
	RUN_UNTIL(front_ws.can_send(t.clients[0].front));
	cr_assert_eq(front_ws.frame(t.clients[0].front, &list, &t.pixmap, NULL), 0);
}

static bool shows(const struct client *c)
{
	return memcmp(c->picture, t.sent, sizeof(t.sent)) == 0;
}

static struct ws *ws(int i)
{
	return pst_container_of(t.clients[i].front, struct ws, front);
}

static void follow(int i)
{
	open_client(i);
	front_ws.follow(t.clients[0].front, t.clients[i].front);
}

Test(group, a_late_joiner_shows_what_the_owner_shows)
{
	for (int i = 0; i < 20; i++)
		draw(false);
	follow(1);
	RUN_UNTIL(t.clients[1].frames == 1);
	cr_assert(shows(&t.clients[1]), "the snapshot");
	cr_assert_eq(t.clients[1].flags, WS_FRAME_EXACT | WS_FRAME_ANEW, "as exact as what the owner has");
	for (int i = 0; i < 50; i++)
		draw(i == 7);
	RUN_UNTIL(shows(&t.clients[0]) && shows(&t.clients[1]));
	cr_assert_eq(t.clients[0].anews, 1, "the owner's stream began anew once");
	cr_assert_eq(t.clients[1].anews, 2, "the snapshot's, and the group's");
	cr_assert_eq(ws(1)->writer.flat == NULL, true, "a follower has no encoder");
}

Test(group, what_the_owner_draws_while_a_picture_is_encoded_follows_it)
{
	draw(true);
	follow(1);
	RUN_UNTIL(ws(0)->group.snapshot);
	for (int i = 0; i < 3; i++)
		draw(false);
	cr_assert_eq(t.clients[1].frames, 0, "not yet");
	RUN_UNTIL(shows(&t.clients[0]) && shows(&t.clients[1]));
	cr_assert(ws(1)->group.member.is_in_step && !ws(0)->group.snapshot);
	for (int i = 0; i < 20; i++)
		draw(i == 5);
	RUN_UNTIL(shows(&t.clients[0]) && shows(&t.clients[1]));
	cr_assert_eq(t.joins, 1);
}

Test(group, a_picture_that_grew_old_while_it_was_encoded_is_not_sent)
{
	draw(false);
	follow(1);
	RUN_UNTIL(ws(0)->group.snapshot);
	cr_assert_eq(front_ws.surface(t.clients[0].front, W, 100, NULL), 0);
	cr_assert_null(ws(0)->group.snapshot);
	follow(2);
	cr_assert_eq(front_ws.surface(t.clients[0].front, W, H, NULL), 0);
	draw(true);
	ws(0)->group.anew_ns = 1;
	ws_group_wake(ws(1));
	RUN_UNTIL(ws(0)->group.snapshot);
	close_client(&t.clients[1]);
	RUN_UNTIL(shows(&t.clients[2]));
}

Test(group, joiners_of_one_moment_share_one_snapshot)
{
	draw(false);
	for (int i = 1; i < CLIENTS; i++)
		follow(i);
	RUN_UNTIL(t.clients[1].frames && t.clients[2].frames && t.clients[3].frames);
	for (int i = 0; i < 30; i++)
		draw(false);
	for (int i = 0; i < CLIENTS; i++)
		RUN_UNTIL(shows(&t.clients[i]));
	cr_assert_eq(t.clients[0].anews, 1);
}

Test(group, one_that_does_not_read_disturbs_nobody_and_joins_again)
{
	int taken;

	draw(false);
	follow(1);
	follow(2);
	RUN_UNTIL(t.clients[1].frames && t.clients[2].frames);
	t.clients[2].is_deaf = true;
	for (int i = 0; i < 40; i++)
		draw(true);
	RUN_UNTIL(shows(&t.clients[0]) && shows(&t.clients[1]));
	cr_assert(!ws(2)->group.member.is_in_step && ws(1)->group.member.is_in_step);
	cr_assert(ws_stream_queued(ws(2)->stream) < 2 * WS_MEMBER_FLIGHT_MAX);
	taken = t.joins;
	ws(0)->group.anew_ns = 1; /* long ago */
	t.clients[2].is_deaf = false;
	RUN_UNTIL(shows(&t.clients[2]));
	cr_assert_eq(t.joins, taken + 1);
	for (int i = 0; i < 30; i++)
		draw(false);
	for (int i = 0; i < 3; i++)
		RUN_UNTIL(shows(&t.clients[i]));
}

Test(group, streams_begin_anew_only_now_and_then)
{
	draw(false);
	follow(1);
	RUN_UNTIL(t.clients[1].frames);
	draw(false);
	follow(2);
	for (int i = 0; i < 30; i++)
		draw(false);
	cr_assert(t.joins == 1 && t.clients[2].frames == 0, "it waits");
	ws(0)->group.anew_ns = 1;
	ws_group_wake(ws(2));
	RUN_UNTIL(shows(&t.clients[2]));
}

Test(group, one_that_stays_behind_is_ended)
{
	draw(false);
	follow(1);
	RUN_UNTIL(t.clients[1].frames);
	ws(1)->group.member = (struct ws_member){ .behind_ns = 1 };
	window_sent(&ws(1)->window, 99, 5, 1);
	ws_group_wake(ws(1));
	RUN_UNTIL(t.clients[1].ended);
	draw(false);
	RUN_UNTIL(shows(&t.clients[0]));
	cr_assert_eq(t.clients[0].closed, 0);
}

Test(group, a_refresh_brings_the_picture_again)
{
	draw(false);
	follow(1);
	RUN_UNTIL(t.clients[1].frames);
	say(&t.clients[1], (const uint8_t[]){ WS_C_REFRESH, 0, 0, 0, 0, 0, 9, 0, 9 }, 9);
	RUN_UNTIL(t.clients[1].frames == 2);
	cr_assert(shows(&t.clients[1]));
}

Test(group, a_new_size_goes_to_all)
{
	draw(false);
	follow(1);
	RUN_UNTIL(t.clients[1].frames);
	cr_assert_eq(front_ws.surface(t.clients[0].front, W, 100, NULL), 0);
	cr_assert_eq(ws(1)->group.height, 100);
}
