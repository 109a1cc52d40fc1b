/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ws worker without the rest of Puesto, for the client's tests: the real front and encoder on a unix socket, before a screen that is
 * drawn by command. Every event of the front is a line of JSON on stdout; commands are lines on stdin:
 * text SEED | fill COLOUR | photo | scroll PIXELS | video FRAMES | letters FRAMES | wide 0 or 1 | hold | go | cursor | clip TEXT | dump FILE | settle | status | size W H | end CODE
 * letters is a video with small coloured text on it; wide: bytes are cheap, whatever the path's rate seems to be; hold ends it, and lets nothing be refined until go.
 * dump answers when all that was drawn is sent once, settle when it is sent exactly; both with the sequence of the last frame.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "encoder/encoder.h"
#include "protocol/front/ws/ws.h"

struct harness {
	uv_loop_t loop;
	uv_poll_t listener, commands;
	int listen_fd;
	struct front *front;
	struct encoder *encoder;
	struct pst_timer *due, *video;
	uint32_t *pixels;
	int32_t width, height;
	int video_frames;
	char dump_path[512]; /* a dump that waits, "" for none */
	bool is_open, wants_settled, has_letters, is_held, is_wide;
	char line[4096];
	size_t line_len;
};

static void pump(struct harness *h);

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void damage(struct harness *h, struct rect r)
{
	if (h->encoder)
		encoder_damage(h->encoder, &r, 1);
	pump(h);
}

static void damage_all(struct harness *h)
{
	damage(h, (struct rect){ 0, 0, h->width, h->height });
}

static void fill(struct harness *h, struct rect r, uint32_t colour)
{
	for (int32_t y = r.y; y < r.y + r.h && y < h->height; y++) {
		for (int32_t x = r.x; x < r.x + r.w && x < h->width; x++)
			h->pixels[y * h->width + x] = colour;
	}
}

/* Rows of small marks in greys, as anti-aliased text has them. */
static void draw_text(struct harness *h, uint32_t seed)
{
	fill(h, (struct rect){ 0, 0, h->width, h->height }, 0xf6f6f6);
	fill(h, (struct rect){ 0, 0, h->width, 28 }, 0x2457d6);
	for (int32_t line = 40; line + 14 < h->height; line += 18) {
		for (int32_t x = 12; x + 8 < h->width; x += 9) {
			uint32_t glyph = next_random(&seed) % 60;

			if (glyph < 10)
				continue;
			for (int32_t i = 0; i < 7 * 11; i++) {
				uint32_t level = (glyph * 97 + (uint32_t)i * 31) % 19;

				if (level < 8)
					h->pixels[(line + i / 7) * h->width + x + i % 7] = 0x010101u * (30 + level * 28);
			}
		}
	}
	damage_all(h);
}

static void paint_photo(struct harness *h, struct rect r, double phase)
{
	for (int32_t y = r.y; y < r.y + r.h && y < h->height; y++) {
		for (int32_t x = r.x; x < r.x + r.w && x < h->width; x++) {
			int red = (int)(128 + 100 * sin(x / 37.0 + phase) + 20 * sin(y / 5.0));
			int green = (int)(128 + 90 * sin(y / 29.0 - phase * 1.3) + 25 * cos(x / 7.0));
			int blue = (int)(128 + 110 * sin((x + y) / 53.0 + phase * 0.7));

			h->pixels[y * h->width + x] = (uint32_t)(red << 16 | green << 8 | blue) & 0xffffff;
		}
	}
}

static void draw_photo(struct harness *h, struct rect r, double phase)
{
	paint_photo(h, r, phase);
	damage(h, r);
}

static void scroll(struct harness *h, int32_t by)
{
	if (by <= 0 || by >= h->height)
		return;
	memmove(h->pixels, h->pixels + by * h->width, (size_t)(h->height - by) * (size_t)h->width * 4);
	fill(h, (struct rect){ 0, h->height - by, h->width, by }, 0xffffff);
	damage_all(h);
}

/* Marks in full red, blue and green, as programs write on pictures. */
static void put_letters(struct harness *h, const struct rect *r, int32_t shift)
{
	static const uint32_t colours[] = { 0xff2020, 0x2040ff, 0x10d020 };
	uint32_t seed = 5;

	for (int32_t y = r->y + 4; y + 14 < r->y + r->h; y += 16)
		for (int32_t x = r->x + 4 + shift % 9; x + 8 < r->x + r->w; x += 9) {
			uint32_t glyph = next_random(&seed) % 60;

			for (int32_t i = 0; i < 7 * 11; i++)
				if ((glyph * 97 + (uint32_t)i * 31) % 19 < 7)
					h->pixels[(y + i / 7) * h->width + x + i % 7] = colours[y / 16 % 3];
		}
}

static void on_video(void *arg)
{
	const struct rect r = { 64, 64, 640, 352 };
	struct harness *h = arg;

	if (h->video_frames-- <= 0)
		return;
	paint_photo(h, r, h->video_frames * 0.15);
	if (h->has_letters)
		put_letters(h, &r, h->video_frames);
	damage(h, r);
	pst_timer_start(h->video, 33, on_video, h);
}

static void send_cursor(struct harness *h)
{
	uint32_t pixels[24 * 24];

	for (uint32_t i = 0; i < 24 * 24; i++)
		pixels[i] = i % 24 <= i / 24 ? 0xff2457d6u : i % 3 ? 0 : 0x80404040u;
	front_ws.cursor(h->front, &(struct cursor_image){ 24, 24, 3, 5, pixels });
}

static int set_size(struct harness *h, int32_t width, int32_t height)
{
	struct pst_err err = PST_ERR_INIT;

	free(h->pixels);
	h->width = width;
	h->height = height;
	h->pixels = pst_zalloc((size_t)width * (size_t)height, 4);
	if (!h->pixels)
		return PST_ENOMEM;
	if (h->encoder && encoder_resize(h->encoder, width, height, &err) < 0)
		return PST_ENOMEM;
	return h->is_open ? front_ws.surface(h->front, width, height, &err) : 0;
}

static unsigned long long last_sequence(const struct harness *h)
{
	struct front_path path;

	front_ws.path(h->front, &path);
	return path.frames_sent;
}

static void dump(struct harness *h)
{
	FILE *f = fopen(h->dump_path, "wb");

	if (f) {
		fwrite(h->pixels, 4, (size_t)h->width * (size_t)h->height, f);
		fclose(f);
	}
	h->dump_path[0] = '\0';
	printf("{\"dumped\":true,\"width\":%d,\"height\":%d,\"sequence\":%llu}\n", h->width, h->height, last_sequence(h));
	fflush(stdout);
}

/* What a pump may send now. */
static bool has_work(const struct harness *h, uint64_t now_ns)
{
	return h->is_open && (h->is_held ? encoder_video_since(h->encoder) != UINT64_MAX : encoder_has_work(h->encoder, now_ns));
}

/* Answers those who wait until nothing is left to send: now, or ever. */
static void answer(struct harness *h, uint64_t now_ns)
{
	if (!h->is_open || has_work(h, now_ns))
		return;
	if (h->dump_path[0])
		dump(h);
	if (!h->wants_settled || h->video_frames > 0 || encoder_next_due(h->encoder) != UINT64_MAX)
		return;
	h->wants_settled = false;
	printf("{\"settled\":true,\"sequence\":%llu}\n", last_sequence(h));
	fflush(stdout);
}

static void print_encoder(struct harness *h)
{
	struct encoder_stats s;
	struct front_path path;

	if (!h->encoder)
		return;
	encoder_stats(h->encoder, &s);
	front_ws.path(h->front, &path);
	printf("{\"ops\":[%llu,%llu,%llu,%llu,%llu],\"rtt_us\":%u,\"rate_kbps\":%u,\"in_flight\":%llu,\"sent\":%llu,\"has_work\":%d}\n",
	       (unsigned long long)s.ops[0], (unsigned long long)s.ops[1], (unsigned long long)s.ops[2], (unsigned long long)s.ops[3],
	       (unsigned long long)s.ops[4], path.rtt_us, path.rate_kbps, (unsigned long long)path.in_flight_bytes,
	       (unsigned long long)path.bytes_sent, encoder_has_work(h->encoder, pst_mono_ns()));
}

static void command(struct harness *h, const char *line)
{
	int a = 0, b = 0;

	if (sscanf(line, "text %d", &a) == 1)
		draw_text(h, (uint32_t)a);
	else if (sscanf(line, "fill %x", (unsigned *)&a) == 1)
		fill(h, (struct rect){ 100, 100, 200, 120 }, (uint32_t)a), damage(h, (struct rect){ 100, 100, 200, 120 });
	else if (strcmp(line, "photo") == 0)
		draw_photo(h, (struct rect){ 0, 0, h->width, h->height }, 0.3);
	else if (sscanf(line, "scroll %d", &a) == 1)
		scroll(h, a);
	else if (sscanf(line, "video %d", &a) == 1)
		h->has_letters = false, h->video_frames = a, on_video(h);
	else if (sscanf(line, "letters %d", &a) == 1)
		h->has_letters = true, h->video_frames = a, on_video(h);
	else if (sscanf(line, "wide %d", &a) == 1)
		h->is_wide = a;
	else if (strcmp(line, "hold") == 0)
		h->video_frames = 0, h->is_held = true;
	else if (strcmp(line, "go") == 0)
		h->is_held = false, pump(h);
	else if (sscanf(line, "size %d %d", &a, &b) == 2)
		set_size(h, a, b), draw_text(h, 1);
	else if (sscanf(line, "dump %511s", h->dump_path) == 1)
		pump(h);
	else if (strcmp(line, "settle") == 0)
		h->wants_settled = true, pump(h);
	else if (strcmp(line, "encoder") == 0)
		print_encoder(h);
	else if (h->front && strcmp(line, "cursor") == 0)
		send_cursor(h);
	else if (h->front && strncmp(line, "clip ", 5) == 0)
		front_ws.clipboard(h->front, line + 5, strlen(line + 5));
	else if (h->front && strcmp(line, "bell") == 0)
		front_ws.bell(h->front);
	else if (h->front && strncmp(line, "watched", 7) == 0)
		front_ws.watched(h->front, line + 7 + (line[7] == ' '));
	else if (h->front && strcmp(line, "status") == 0)
		front_ws.status(h->front, "Your desktop is starting…", "Su escritorio está arrancando…");
	else if (h->front && sscanf(line, "end %d", &a) == 1)
		front_ws.end(h->front, a, "The session was ended by the test.", "La prueba ha terminado la sesión.");
	fflush(stdout);
}

static void on_command(uv_poll_t *poll, int status, int events)
{
	struct harness *h = poll->data;
	ssize_t n = status < 0 ? 0 : read(0, h->line + h->line_len, sizeof(h->line) - h->line_len - 1);
	char *end;

	(void)events;
	if (n <= 0)
		exit(0);
	h->line_len += (size_t)n;
	h->line[h->line_len] = '\0';
	while ((end = strchr(h->line, '\n'))) {
		*end = '\0';
		command(h, h->line);
		h->line_len -= (size_t)(end + 1 - h->line);
		memmove(h->line, end + 1, h->line_len + 1);
	}
}

static void on_due(void *arg)
{
	pump(arg);
}

/* What the worker does: plan when there is work and the path is free. */
static void pump(struct harness *h)
{
	struct pixmap screen = { (const uint8_t *)h->pixels, h->width, h->height, (uint32_t)h->width * 4 };
	struct pst_err err = PST_ERR_INIT;
	struct op_list list;
	uint64_t now = pst_mono_ns();

	while (has_work(h, now) && front_ws.can_send(h->front)) {
		struct front_path path;

		front_ws.path(h->front, &path);
		struct encoder_budget budget = { .bytes = path.budget_bytes, .rate_kbps = h->is_wide ? 0 : path.rate_kbps, .rtt_us = path.rtt_us };

		if (encoder_plan(h->encoder, &screen, now, &budget, &list, &err) < 0 ||
		    (list.len && front_ws.frame(h->front, &list, encoder_sent(h->encoder), &err) < 0)) {
			printf("{\"error\":\"%s\"}\n", err.text);
			break;
		}
		now = pst_mono_ns();
		if (!list.len)
			break;
	}
	uint64_t due = h->is_open && !h->is_held ? encoder_next_due(h->encoder) : UINT64_MAX;

	answer(h, now);
	if (due != UINT64_MAX)
		pst_timer_start(h->due, due > now ? (due - now) / 1000000 + 1 : 1, on_due, h);
}

static void on_opened(void *arg, const struct front_caps *caps)
{
	struct harness *h = arg;
	struct pst_err err = PST_ERR_INIT;
	struct encoder_params params = { .ops = caps->ops, .video_align = caps->video_align, .max_video_regions = caps->max_video_regions, .chroma = caps->chroma };

	printf("{\"opened\":true,\"ops\":%u,\"width\":%d,\"height\":%d,\"client\":\"%s\"}\n", caps->ops, caps->width, caps->height, caps->client);
	fflush(stdout);
	if (set_size(h, caps->width ? caps->width : 800, caps->height ? caps->height : 600) < 0)
		exit(1);
	params.width = h->width;
	params.height = h->height;
	encoder_destroy(h->encoder);
	h->encoder = encoder_create(&params, &err);
	if (!h->encoder)
		exit(1);
	h->is_open = true;
	front_ws.surface(h->front, h->width, h->height, &err);
	draw_text(h, 1);
}

static void on_input(void *arg, const struct input_event *ev)
{
	(void)arg;
	switch (ev->kind) {
	case INPUT_KEY:
		printf("{\"key\":[%d,%u,%u]}\n", ev->key.is_down, ev->key.keysym, ev->key.keycode);
		break;
	case INPUT_POINTER:
		printf("{\"pointer\":[%d,%d,%u]}\n", ev->pointer.x, ev->pointer.y, ev->pointer.buttons);
		break;
	case INPUT_WHEEL:
		printf("{\"wheel\":[%d,%d]}\n", ev->wheel.dx, ev->wheel.dy);
		break;
	case INPUT_TEXT:
		printf("{\"text\":\"%.*s\"}\n", ev->text.len, ev->text.utf8);
		break;
	case INPUT_RELEASE_ALL:
		printf("{\"release\":true}\n");
		break;
	default:
		printf("{\"input\":%d}\n", ev->kind);
	}
	fflush(stdout);
}

static void on_resize(void *arg, int32_t width, int32_t height, uint32_t scale_pct)
{
	struct harness *h = arg;

	printf("{\"resize\":[%d,%d,%u]}\n", width, height, scale_pct);
	set_size(h, width, height);
	draw_text(h, 1);
	fflush(stdout);
}

static void on_ready(void *arg)
{
	pump(arg);
}

static void on_refresh(void *arg, const struct rect *r)
{
	struct harness *h = arg;

	printf("{\"refresh\":[%d,%d,%d,%d]}\n", r->x, r->y, r->w, r->h);
	fflush(stdout);
	encoder_invalidate(h->encoder, r);
	pump(h);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	(void)arg;
	printf("{\"clipboard\":%zu,\"start\":\"%.*s\"}\n", len, (int)PST_MIN(len, (size_t)60), utf8);
	fflush(stdout);
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct harness *h = arg;

	printf("{\"closed\":%d,\"reason\":\"%s\"}\n", code, reason);
	fflush(stdout);
	h->is_open = false;
	front_ws.close(h->front);
	h->front = NULL;
}

static const struct front_events events = {
	.opened = on_opened,
	.input = on_input,
	.resize = on_resize,
	.ready = on_ready,
	.refresh = on_refresh,
	.clipboard = on_clipboard,
	.closed = on_closed,
};

/* One client at a time: a new one replaces the old. */
static void on_connection(uv_poll_t *poll, int status, int unused)
{
	struct harness *h = poll->data;
	struct pst_err err = PST_ERR_INIT;
	int fd = accept4(h->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)status, (void)unused;
	if (fd < 0)
		return;
	if (h->front)
		front_ws.close(h->front);
	h->is_open = false;
	struct front_params params = { .loop = &h->loop, .fd = fd, .is_authenticated = true, .user = "ana", .desktop_name = "Prueba",
				       .clipboard_in = true, .clipboard_out = true };

	h->front = front_ws.open(&params, &events, h, &err);
	if (!h->front)
		exit(1);
}

int main(int argc, char **argv)
{
	static struct harness h;
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path)) {
		fprintf(stderr, "usage: harness SOCKET\n");
		return 2;
	}
	strcpy(address.sun_path, argv[1]);
	uv_loop_init(&h.loop);
	h.due = pst_timer_create(&h.loop);
	h.video = pst_timer_create(&h.loop);
	h.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h.listen_fd < 0 || bind(h.listen_fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(h.listen_fd, 4) < 0) {
		perror("harness");
		return 1;
	}
	uv_poll_init(&h.loop, &h.listener, h.listen_fd);
	uv_poll_init(&h.loop, &h.commands, 0);
	h.listener.data = h.commands.data = &h;
	uv_poll_start(&h.listener, UV_READABLE, on_connection);
	uv_poll_start(&h.commands, UV_READABLE, on_command);
	printf("{\"listening\":true}\n");
	fflush(stdout);
	return uv_run(&h.loop, UV_RUN_DEFAULT);
}
