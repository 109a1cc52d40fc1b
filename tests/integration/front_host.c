/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The RDP front and the encoder on a loopback port, without desktop, gate or sandbox: a test card for real clients.
 *
 *   front_host --port N --size 640x480 --cert PEM --key PEM [--picture FILE.ppm] [--animate FRAMES]
 *              [--frames PREFIX] [--strokes] [--wide]
 *
 * Takes one connection of user "ana" with password "secret". Each key that goes down paints a block, so a test can act on the
 * picture, and P shows one of two pages in turn. --animate moves the upper left quarter and a hair for so many frames, which then stand in PREFIX0.ppm and so on. Says on standard
 * output, a line each, what happens; "exact N" means that the client has been sent the whole picture, which then also stands in the
 * file of --picture. --strokes draws thin red ones over what moves; with --wide bytes are cheap, whatever the path's rate seems to be.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/loop.h"
#include "base/mem.h"
#include "encoder/encoder.h"
#include "protocol/front/front.h"

#define KEY_P 25 /* XT's scan code */

struct host {
	uv_loop_t loop;
	struct front *front;
	struct encoder *encoder;
	struct pst_timer *due, *frame;
	uint32_t *pixels;
	int32_t width, height;
	const char *picture, *frames;
	unsigned keys, pages, exact, animate, shown;
	bool is_open, has_strokes, is_wide;
};

static struct pixmap host_screen(const struct host *h)
{
	return (struct pixmap){ (const uint8_t *)h->pixels, h->width, h->height, (uint32_t)h->width * 4 };
}

/* Flat colour, a line pattern of two colours, and a picture-like gradient with noise. */
static void draw_card(struct host *h)
{
	uint32_t noise = 1;
	for (int32_t y = 0; y < h->height; y++) {
		for (int32_t x = 0; x < h->width; x++) {
			uint32_t px = 0xe8e8f0;
			noise = noise * 1664525 + 1013904223;
			if (x < h->width / 3)
				px = (x * 7 + y * 13) % 11 < 3 ? 0x202030 : 0xffffff;
			else if (x > h->width * 2 / 3)
				px = (uint32_t)(x * 255 / h->width) << 16 | (uint32_t)(y * 255 / h->height) << 8 | (noise >> 28);
			h->pixels[(size_t)y * (size_t)h->width + (size_t)x] = px;
		}
	}
}

static void draw_block(struct host *h, int32_t x, int32_t y, int32_t side, uint32_t colour)
{
	struct rect all = { 0, 0, h->width, h->height }, want = { x, y, side, side }, r;
	if (!rect_intersect(&want, &all, &r))
		return;
	for (int32_t row = r.y; row < r.y + r.h; row++)
		for (int32_t col = r.x; col < r.x + r.w; col++)
			h->pixels[(size_t)row * (size_t)h->width + (size_t)col] = colour;
	if (h->encoder)
		encoder_damage(h->encoder, &r, 1);
}

static void write_picture(const struct host *h, const char *path)
{
	char temporary[512];
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	FILE *f = fopen(temporary, "wb");
	if (!f)
		return;
	fprintf(f, "P6\n%d %d\n255\n", h->width, h->height);
	for (int64_t i = 0; i < (int64_t)h->width * h->height; i++) {
		uint32_t px = h->pixels[i];
		const uint8_t rgb[3] = { (uint8_t)(px >> 16), (uint8_t)(px >> 8), (uint8_t)px };
		fwrite(rgb, 1, 3, f);
	}
	fclose(f);
	rename(temporary, path);
}

static void host_pump(void *arg);

static void arm_due(struct host *h)
{
	uint64_t due = encoder_next_due(h->encoder), now = pst_mono_ns();
	/* While the path is full, `ready` brings us back: a timer would spin. */
	if (due != UINT64_MAX && front_can_send(h->front))
		pst_timer_start(h->due, due > now ? (due - now) / 1000000 + 1 : 0, host_pump, h);
}

static void host_pump(void *arg)
{
	struct host *h = arg;
	struct pst_err err = PST_ERR_INIT;
	while (h->encoder && h->front && front_can_send(h->front) && encoder_has_work(h->encoder, pst_mono_ns())) {
		const struct pixmap screen = host_screen(h);
		struct op_list ops;
		struct front_path path;
		front_path(h->front, &path);
		const struct encoder_budget budget = { .rate_kbps = h->is_wide ? 0 : path.rate_kbps, .rtt_us = path.rtt_us };
		if (encoder_plan(h->encoder, &screen, pst_mono_ns(), &budget, &ops, &err) < 0 ||
			front_frame(h->front, &ops, encoder_sent(h->encoder), &err) < 0) {
			printf("failed %s\n", err.text);
			return front_end(h->front, err.code, err.text, err.text);
		}
		if (ops.is_exact) {
			if (h->picture)
				write_picture(h, h->picture);
			printf("exact %u\n", ++h->exact);
		}
	}
	if (h->encoder && h->front)
		arm_due(h);
}

/* Up and down again within 0…255. */
static uint32_t wave(uint32_t at)
{
	return at & 256 ? 255 - (at & 255) : at & 255;
}

/* One pixel wide, as a caret is: the narrowest thing to be packed. */
static void draw_hair(struct host *h, uint32_t n)
{
	const struct rect r = { (int32_t)(n * 5) % (h->width / 2), h->height * 3 / 4, 1, 16 };
	for (int32_t y = r.y; y < r.y + r.h; y++)
		h->pixels[(size_t)y * (size_t)h->width + (size_t)r.x] = n << 19 | (uint32_t)y << 11 | 0x77;
	encoder_damage(h->encoder, &r, 1);
}

/* A film: three slopes that travel, each its own way, and a hair below them. */
static void draw_film(struct host *h, uint32_t n)
{
	const struct rect r = { 0, 0, h->width / 2, h->height / 2 };
	for (int32_t y = 0; y < r.h; y++)
		for (int32_t x = 0; x < r.w; x++) {
			uint32_t red = wave((uint32_t)x * 2 + n * 7), green = wave((uint32_t)y * 3 + n * 5), blue = wave((uint32_t)(x + y) + n * 3);
			bool is_stroke = h->has_strokes && (x + y / 3) % 8 < 2;
			h->pixels[(size_t)y * (size_t)h->width + (size_t)x] = is_stroke ? 0xe01010 : red << 16 | green << 8 | blue;
		}
	encoder_damage(h->encoder, &r, 1);
	draw_hair(h, n);
}

static void on_frame(void *arg)
{
	struct host *h = arg;
	char path[512];
	if (h->shown == h->animate)
		return;
	draw_film(h, h->shown);
	if (h->frames) {
		snprintf(path, sizeof(path), "%s%u.ppm", h->frames, h->shown);
		write_picture(h, path);
	}
	if (++h->shown == h->animate)
		printf("shown %u\n", h->shown);
	host_pump(h);
	pst_timer_start(h->frame, 40, on_frame, h);
}

static void on_login(void *arg, const char *user, const char *password)
{
	struct host *h = arg;
	struct pst_err err = PST_ERR_INIT;
	bool is_right = strcmp(user, "ana") == 0 && strcmp(password, "secret") == 0;
	printf("login %s %s\n", user, is_right ? "accepted" : "refused");
	if (!is_right)
		pst_err_set(&err, PST_EAUTH, "Wrong user name or password.");
	front_login_result(h->front, is_right ? NULL : &err);
	if (is_right && front_surface(h->front, h->width, h->height, &err) < 0)
		printf("failed %s\n", err.text);
}

static void print_ops(const struct host *h)
{
	struct encoder_stats s;
	encoder_stats(h->encoder, &s);
	printf("ops copy=%llu fill=%llu lossless=%llu lossy=%llu video=%llu\n", (unsigned long long)s.ops[OP_COPY], (unsigned long long)s.ops[OP_FILL],
	       (unsigned long long)s.ops[OP_LOSSLESS], (unsigned long long)s.ops[OP_LOSSY], (unsigned long long)s.ops[OP_VIDEO]);
}

static void print_path(const struct host *h)
{
	struct front_path path;
	front_path(h->front, &path);
	printf("path rtt_us=%u rate_kbps=%u sent=%llu\n", path.rtt_us, path.rate_kbps, (unsigned long long)path.bytes_sent);
}

static void make_encoder(struct host *h, const struct front_caps *caps)
{
	struct pst_err err = PST_ERR_INIT;
	const struct encoder_params p = { .width = h->width, .height = h->height, .ops = caps->ops,
		.video_align = caps->video_align, .max_video_regions = caps->max_video_regions, .chroma = caps->chroma };
	encoder_destroy(h->encoder);
	h->encoder = encoder_create(&p, &err);
	if (!h->encoder)
		printf("failed %s\n", err.text);
}

/* A square of half transparent orange, a smaller one, and the first again. */
static void show_cursors(struct host *h)
{
	static const uint16_t sides[] = { 16, 12, 16 };
	uint32_t pixels[16 * 16];
	for (size_t i = 0; i < PST_ARRAY_LEN(pixels); i++)
		pixels[i] = 0x80804000;
	for (size_t i = 0; i < PST_ARRAY_LEN(sides); i++) {
		const struct cursor_image image = { .w = sides[i], .h = sides[i], .hot_x = 8, .hot_y = 8, .pixels = pixels };
		front_cursor(h->front, &image);
	}
}

static void on_opened(void *arg, const struct front_caps *caps)
{
	struct host *h = arg;
	printf("opened ops=%x size=%dx%d client=%s\n", caps->ops, caps->width, caps->height, caps->client);
	print_path(h);
	make_encoder(h, caps);
	show_cursors(h);
	host_pump(h);
	if (h->animate && !h->is_open)
		pst_timer_start(h->frame, 500, on_frame, h);
	h->is_open = true;
}

/* Marks as letters have them, in lines, all over the screen. */
static void flip_page(struct host *h)
{
	const struct rect all = { 0, 0, h->width, h->height };
	uint32_t which = ++h->pages % 2;
	for (int32_t y = 0; y < h->height; y++) {
		for (int32_t x = 0; x < h->width; x++) {
			uint32_t mark = ((uint32_t)x / 2 * 2654435761u + (uint32_t)y / 18 * 40503u + which * 97) * 0x9e3779b1u;
			bool is_ink = y % 18 < 12 && mark >> (y % 18) & 1;
			h->pixels[(size_t)y * (size_t)h->width + (size_t)x] = is_ink ? 0x202020 : 0xffffff;
		}
	}
	encoder_damage(h->encoder, &all, 1);
	print_path(h);
	host_pump(h);
}

static void on_input(void *arg, const struct input_event *ev)
{
	struct host *h = arg;
	if (ev->kind == INPUT_KEY && ev->key.is_down) {
		printf("key %x %u\n", ev->key.keysym, ev->key.keycode);
		if (ev->key.keycode == KEY_P)
			return flip_page(h);
		h->keys++;
		draw_block(h, (int32_t)(h->keys * 40) % h->width, h->height / 2, 24, 0x3060c0 + h->keys * 0x1111);
		host_pump(h);
	} else if (ev->kind == INPUT_POINTER && ev->pointer.buttons) {
		printf("pointer %d %d %u\n", ev->pointer.x, ev->pointer.y, ev->pointer.buttons);
	} else if (ev->kind == INPUT_TEXT) {
		printf("text %.*s\n", (int)ev->text.len, ev->text.utf8);
	} else if (ev->kind == INPUT_LAYOUT) {
		printf("layout %s\n", ev->layout.name);
	} else if (ev->kind == INPUT_WHEEL) {
		printf("wheel %d %d\n", ev->wheel.dx, ev->wheel.dy);
	}
}

static void take_size(struct host *h, int32_t width, int32_t height)
{
	struct pst_err err = PST_ERR_INIT;
	uint32_t *pixels = pst_zalloc((size_t)width * (size_t)height, 4);
	if (!pixels)
		return;
	free(h->pixels);
	h->pixels = pixels;
	h->width = width;
	h->height = height;
	draw_card(h);
	if (h->encoder && (encoder_resize(h->encoder, width, height, &err) < 0 || front_surface(h->front, width, height, &err) < 0))
		printf("failed %s\n", err.text);
}

/* By way of another size: a desktop may change its mind before a client has followed. */
static void on_resize(void *arg, int32_t width, int32_t height, uint32_t scale_pct)
{
	struct host *h = arg;
	printf("resize %dx%d %u\n", width, height, scale_pct);
	take_size(h, PST_MAX(width - 40, 1), height);
	take_size(h, width, height);
	host_pump(h);
}

static void on_ready(void *arg)
{
	host_pump(arg);
}

static void on_refresh(void *arg, const struct rect *r)
{
	struct host *h = arg;
	if (h->encoder)
		encoder_invalidate(h->encoder, r);
	host_pump(h);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct host *h = arg;
	printf("clipboard %.*s\n", (int)len, utf8);
	/* Comes back changed, so that both directions can be seen. */
	char answer[256];
	int n = snprintf(answer, sizeof(answer), "«%.*s»", (int)PST_MIN(len, (size_t)200), utf8);
	front_clipboard(h->front, answer, (size_t)n);
}

static void host_stop(void *arg)
{
	struct host *h = arg;
	front_close(h->front);
	h->front = NULL;
	encoder_destroy(h->encoder);
	h->encoder = NULL;
	pst_timer_destroy(h->due);
	pst_timer_destroy(h->frame);
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct host *h = arg;
	if (h->encoder)
		print_ops(h);
	print_path(h);
	printf("closed %d %s\n", code, reason);
	pst_loop_stop(&h->loop);
}

static const struct front_events events = { .login = on_login,
	.opened = on_opened,
	.input = on_input,
	.resize = on_resize,
	.ready = on_ready,
	.refresh = on_refresh,
	.clipboard = on_clipboard,
	.closed = on_closed };

static int accept_one(uint16_t port)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0) {
		perror("front_host: listen");
		return -1;
	}
	printf("listening %u\n", port);
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	close(fd);
	return client;
}

struct options {
	const char *cert, *key, *picture, *frames;
	uint16_t port;
	int32_t width, height;
	unsigned animate;
	bool has_strokes, is_wide;
};

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = { { "port", 1, 0, 'p' }, { "size", 1, 0, 's' },
		{ "cert", 1, 0, 'c' }, { "key", 1, 0, 'k' }, { "picture", 1, 0, 'o' }, { "animate", 1, 0, 'a' }, { "frames", 1, 0, 'r' },
		{ "strokes", 0, 0, 't' }, { "wide", 0, 0, 'w' }, { 0 } };
	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 'p': o->port = (uint16_t)atoi(optarg); break;
		case 's':
			if (sscanf(optarg, "%dx%d", &o->width, &o->height) != 2)
				return -1;
			break;
		case 'c': o->cert = optarg; break;
		case 'k': o->key = optarg; break;
		case 'o': o->picture = optarg; break;
		case 'r': o->frames = optarg; break;
		case 't': o->has_strokes = true; break;
		case 'w': o->is_wide = true; break;
		case 'a': o->animate = (unsigned)atoi(optarg); break;
		default: return -1;
		}
	}
	return o->port && o->cert && o->key ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options o = { .width = 640, .height = 480 };
	static struct host h;
	struct pst_err err = PST_ERR_INIT;
	char *cert = NULL, *key = NULL;
	size_t len;
	if (read_options(argc, argv, &o) < 0 || pst_file_read(o.cert, 65536, &cert, &len, &err) < 0 ||
		pst_file_read(o.key, 65536, &key, &len, &err) < 0) {
		fprintf(stderr, "front_host: %s\n", err.text[0] ? err.text : "see the head of tests/integration/front_host.c");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	int fd = accept_one(o.port);
	if (fd < 0)
		return 1;
	uv_loop_init(&h.loop);
	h.width = o.width;
	h.height = o.height;
	h.picture = o.picture;
	h.animate = o.animate;
	h.has_strokes = o.has_strokes;
	h.is_wide = o.is_wide;
	h.frames = o.frames;
	h.pixels = pst_zalloc((size_t)o.width * (size_t)o.height, 4);
	h.due = pst_timer_create(&h.loop);
	h.frame = pst_timer_create(&h.loop);
	draw_card(&h);
	const struct front_params p = { .loop = &h.loop, .fd = fd, .remote = "127.0.0.1", .cert_pem = cert, .key_pem = key,
		.desktop_name = "test card", .clipboard_in = true, .clipboard_out = true };
	h.front = front_open(front_find("rdp"), &p, &events, &h, &err);
	if (!h.front) {
		fprintf(stderr, "front_host: %s\n", err.text);
		return 1;
	}
	pst_loop_run_until_signal(&h.loop, host_stop, NULL, &h);
	free(cert);
	free(key);
	free(h.pixels);
	return 0;
}
