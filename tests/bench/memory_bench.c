/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the picture of one viewer of 1920 × 1080 holds in memory, on the wires of the browser and of RDP: the encoder and the writer
 * of its operations, without libraries, sockets and TLS. Prints private KiB at four moments of a day with typing, scrolling, pages and a
 * clip; fails above a ceiling.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "encoder/encoder.h"
#include "protocol/front/rdp/gfx_pixels.h"
#include "protocol/front/rdp/gfx_wire.h"
#include "protocol/front/rdp/zgfx.h"
#include "protocol/front/ws/frame.h"
#include "trace.h"

#define MS 1000000ull
#define OPS (OP_BIT(OP_COPY) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSY) | OP_BIT(OP_VIDEO))
#define FRAME_BYTES_MAX (64u << 20)
#define FRAME_KEEP (128u * 1024)

enum moment { FIRST_PICTURE, AFTER_PAGES, CLIP_PLAYS, ALL_STILL, MOMENTS };

static const char *const moment_names[MOMENTS] = { "first picture", "after pages", "clip plays", "all still" };

struct viewer {
	const struct wire *wire;
	struct encoder *encoder;
	struct ws_frame_writer ws;
	struct gfx_pixels *pixels;
	struct zgfx *zgfx;
	struct pst_buf frame, channel;
	uint64_t now;
	long before_kib;
};

struct wire {
	const char *name;
	void (*open)(struct viewer *v);
	void (*write)(struct viewer *v, const struct op_list *list);
	long max_kib[MOMENTS];
};

static void die(const char *what)
{
	fprintf(stderr, "memory_bench: %s\n", what);
	exit(1);
}

/* -1 where the kernel does not tell. */
static long private_kib(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Private_Dirty: %ld kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static void open_ws(struct viewer *v)
{
	if (ws_frame_writer_init(&v->ws) < 0)
		die("no memory for the browser's writer");
}

static void write_ws(struct viewer *v, const struct op_list *list)
{
	if (ws_frame_write(&v->ws, list, encoder_sent(v->encoder), &v->frame, NULL) < 0)
		die("a frame for the browser failed");
}

static void open_rdp(struct viewer *v)
{
	struct pst_err err = PST_ERR_INIT;

	v->pixels = gfx_pixels_create(false, &err);
	v->zgfx = zgfx_create();
	if (!v->pixels || !v->zgfx || gfx_pixels_resize(v->pixels, TRACE_W, TRACE_H, &v->frame, &err) < 0)
		die(err.text);
}

static void write_rdp(struct viewer *v, const struct op_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct op *op = &list->ops[i];

		if (op->kind == OP_LOSSLESS || op->kind == OP_LOSSY)
			gfx_pixels_put(v->pixels, op, encoder_sent(v->encoder), 1, &v->frame, NULL);
		else if (op->kind == OP_VIDEO)
			gfx_wire_avc420(&v->frame, 2, op->video.coded_w, op->video.coded_h, op->video.qp, op->video.data, op->video.len);
	}
	zgfx_pack(v->zgfx, v->frame.data, v->frame.len, &v->channel);
	pst_buf_reset_to(&v->channel, FRAME_KEEP);
}

static const struct wire wires[] = {
	{ "browser", open_ws, write_ws, { 10400, 13900, 18500, 13900 } },
	{ "RDP", open_rdp, write_rdp, { 11000, 14400, 19100, 14400 } },
};

static void send_frame(struct viewer *v, const struct scene *s)
{
	const struct encoder_budget budget = { .rate_kbps = 100000 };
	struct op_list list;

	if (encoder_plan(v->encoder, &s->view, v->now, &budget, &list, NULL) < 0)
		die("a frame could not be planned");
	if (list.len)
		v->wire->write(v, &list);
	pst_buf_reset_to(&v->frame, FRAME_KEEP);
}

static void settle(struct viewer *v, const struct scene *s)
{
	while (encoder_next_due(v->encoder) != UINT64_MAX || encoder_has_work(v->encoder, v->now)) {
		if (!encoder_has_work(v->encoder, v->now))
			v->now = encoder_next_due(v->encoder);
		send_frame(v, s);
	}
}

static void play(struct viewer *v, struct scene *s, const char *name)
{
	const struct trace *t = traces;

	while (t->name && strcmp(t->name, name) != 0)
		t++;
	if (!t->name)
		die(name);
	for (int i = 0; i < t->steps; i++, v->now += (uint64_t)t->interval_ms * MS) {
		struct rect damage = t->step(s, i);

		encoder_damage(v->encoder, &damage, 1);
		do {
			send_frame(v, s);
		} while (encoder_video_since(v->encoder) != UINT64_MAX);
	}
}

static bool tell(const struct viewer *v, enum moment m)
{
	long kib = private_kib() - v->before_kib, max = v->wire->max_kib[m];

	printf("%-8s %-14s %6ld KiB, at most %ld\n", v->wire->name, moment_names[m], kib, max);
	return kib <= max;
}

static bool spend_a_day(struct viewer *v, struct scene *s)
{
	static const char *const office[] = { "type", "scroll-48", "page-new", "page-seen", "page-code", "photo-pan" };
	bool is_good;

	settle(v, s);
	is_good = tell(v, FIRST_PICTURE);
	for (size_t i = 0; i < PST_ARRAY_LEN(office); i++) {
		play(v, s, office[i]);
		settle(v, s);
	}
	is_good &= tell(v, AFTER_PAGES);
	play(v, s, "clip-640x360");
	is_good &= tell(v, CLIP_PLAYS);
	settle(v, s);
	return tell(v, ALL_STILL) && is_good;
}

static bool run(const struct wire *wire)
{
	const struct encoder_params params = { .width = TRACE_W, .height = TRACE_H, .ops = OPS, .video_align = 16, .max_video_regions = 2 };
	struct viewer v = { .wire = wire, .now = 1000 * MS };
	struct scene *s = scene_create(TRACE_W, TRACE_H);

	if (!s)
		die("no memory for the desktop");
	trace_begin(traces, s);
	pst_buf_init(&v.frame, FRAME_BYTES_MAX);
	pst_buf_init(&v.channel, FRAME_BYTES_MAX);
	v.before_kib = private_kib();
	if (v.before_kib < 0)
		exit(77);
	v.encoder = encoder_create(&params, NULL);
	if (!v.encoder)
		die("no memory for the encoder");
	wire->open(&v);
	return spend_a_day(&v, s);
}

/* Each wire in a process of its own: what one leaves behind is not the other's. */
static int run_apart(const struct wire *wire)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		exit(run(wire) ? 0 : 1);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}

int main(void)
{
	int worst = 0;

	if (getenv("SANITIZED"))
		return 77; /* sanitizers have an allocator of their own */
	pst_mem_be_small();
	setvbuf(stdout, NULL, _IOLBF, 256);
	for (size_t i = 0; i < PST_ARRAY_LEN(wires); i++) {
		int status = run_apart(&wires[i]);

		worst = worst == 1 || status == 0 ? worst : status;
	}
	return worst;
}
