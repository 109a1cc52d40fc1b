/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The encoder without a network: drawn workloads, through the plan and each wire's codecs. Prints bytes and
 * microseconds per operation, and the time as a share of a calibration loop of the same run, which makes runs
 * on different machines comparable.
 *
 *   encoder_bench [workload …]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/mem.h"
#include "encoder/codec.h"
#include "encoder/encoder.h"
#include "scene.h"

#define W 1920
#define H 1080
#define MS 1000000ull
#define CALIBRATION_BYTES (256u << 20)

struct wire {
	const char *name;
	uint32_t ops;
	const struct codec_type *lossless, *lossy; /* one codec for both when equal */
	size_t header, copy, fill;                 /* bytes that the wire adds per operation */
};

static const struct wire wires[] = {
	{ "tight", OP_BIT(OP_COPY) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSY), &codec_tight,
		&codec_tight, 12, 16, 16 },
	{ "zrle", OP_BIT(OP_COPY) | OP_BIT(OP_LOSSLESS), &codec_zrle, &codec_zrle, 12, 16, 0 },
	{ "web",
		OP_BIT(OP_COPY) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSY) | OP_BIT(OP_VIDEO),
		&codec_flat, &codec_jpeg, 13, 13, 12 },
};

struct workload {
	const char *name;
	int steps, interval_ms;
	struct rect (*step)(struct scene *s, int i); /* draws and returns the damage */
};

static const struct rect whole = { 0, 0, W, H }, window = { 240, 120, 1440, 840 },
			 clip = { 640, 360, 640, 360 };

static struct rect step_type(struct scene *s, int i)
{
	struct rect r = { 300 + i % 100 * 9, 400 + i / 100 * 18, 9, 16 };

	scene_glyph(s, r.x, r.y, 1 + (i * 37) % 95);
	return r;
}

static struct rect step_type_line(struct scene *s, int i)
{
	struct rect r = step_type(s, i);

	return (struct rect){ window.x, r.y, window.w, 18 };
}

static struct rect step_type_window(struct scene *s, int i)
{
	step_type(s, i);
	return window;
}

static struct rect step_scroll(struct scene *s, int i)
{
	scene_text(s, &window, 3, 48 * (i + 1));
	return window;
}

static struct rect step_new_page(struct scene *s, int i)
{
	scene_text(s, &whole, (uint32_t)i + 100, 0);
	return whole;
}

static struct rect step_seen_page(struct scene *s, int i)
{
	scene_text(s, &whole, (uint32_t)(i % 2) + 3, 0);
	return whole;
}

/* A window of text is dragged over a page; what it uncovers is drawn again. */
static struct rect step_drag(struct scene *s, int i)
{
	struct rect old = { 200 + 10 * i, 150 + 6 * i, 700, 420 },
		    now = { old.x + 10, old.y + 6, old.w, old.h };
	struct rect title = { now.x, now.y, now.w, 24 };

	scene_text(s, &whole, 3, 0);
	scene_text(s, &now, 77, 0);
	scene_fill(s, &title, 0x3465a4);
	return rect_union(&old, &now);
}

static struct rect step_photo(struct scene *s, int i)
{
	struct rect r = { 500, 200, 900, 640 };

	scene_photo(s, &r, 12 * i, 5 * i);
	return r;
}

static struct rect step_clip(struct scene *s, int i)
{
	scene_clip(s, &clip, i);
	return clip;
}

static struct rect step_caret(struct scene *s, int i)
{
	struct rect r = { 700, 500, 2, 16 };

	scene_fill(s, &r, i % 2 ? 0xffffff : 0);
	return r;
}

static const struct workload workloads[] = {
	{ "caret", 40, 500, step_caret },
	{ "type", 100, 200, step_type },
	{ "type-line", 100, 200, step_type_line },
	{ "type-window", 50, 200, step_type_window },
	{ "scroll-48", 16, 250, step_scroll },
	{ "page-new", 8, 800, step_new_page },
	{ "page-seen", 8, 800, step_seen_page },
	{ "drag", 30, 33, step_drag },
	{ "photo-pan", 30, 66, step_photo },
	{ "clip-640x360", 90, 33, step_clip },
};

struct run {
	const struct wire *wire;
	struct encoder *enc;
	struct codec *lossless, *lossy;
	struct pst_buf out;
	uint64_t now, bytes, plan_ns, wire_ns, worst_ns;
	uint64_t ops[OP_KINDS];
};

static void die(const char *what, const struct pst_err *err)
{
	fprintf(stderr, "encoder_bench: %s: %s\n", what, err->text);
	exit(1);
}

/* Wide rectangles are split for Tight, as a front end must. */
static void write_pixels(struct run *r, struct codec *c, const struct op *op, int quality)
{
	struct pst_err err = PST_ERR_INIT;

	for (int32_t x = 0; x < op->rect.w; x += 2048) {
		struct rect part = { op->rect.x + x, op->rect.y, PST_MIN(2048, op->rect.w - x), op->rect.h };

		if (codec_encode(c, encoder_sent(r->enc), &part, quality, &r->out, &err) < 0)
			die(r->wire->name, &err);
		r->bytes += r->wire->header;
	}
}

static void write_op(struct run *r, const struct op *op)
{
	r->ops[op->kind]++;
	if (op->kind == OP_COPY)
		r->bytes += r->wire->copy;
	else if (op->kind == OP_FILL)
		r->bytes += r->wire->fill;
	else if (op->kind == OP_VIDEO)
		r->bytes += r->wire->header + op->video.len;
	else if (op->kind == OP_LOSSY)
		write_pixels(r, r->lossy, op, op->quality);
	else
		write_pixels(r, r->lossless, op, 0);
}

static void send_frame(struct run *r, struct scene *s)
{
	struct encoder_budget budget = { 0 };
	struct pst_err err = PST_ERR_INIT;
	struct op_list list;
	uint64_t begin = pst_mono_ns(), middle, end;

	if (encoder_plan(r->enc, &s->view, r->now, &budget, &list, &err) < 0)
		die("plan", &err);
	middle = pst_mono_ns();
	pst_buf_reset(&r->out);
	for (size_t i = 0; i < list.len; i++)
		write_op(r, &list.ops[i]);
	end = pst_mono_ns();
	r->bytes += r->out.len;
	r->plan_ns += middle - begin;
	r->wire_ns += end - middle;
	r->worst_ns = PST_MAX(r->worst_ns, end - begin);
}

/* Until everything is exact: what a step costs includes its refinement. */
static void settle(struct run *r, struct scene *s)
{
	while (encoder_next_due(r->enc) != UINT64_MAX || encoder_has_work(r->enc, r->now)) {
		if (!encoder_has_work(r->enc, r->now))
			r->now = encoder_next_due(r->enc);
		send_frame(r, s);
	}
}

static void open_run(struct run *r, const struct wire *wire)
{
	struct encoder_params params = {
		.width = W, .height = H, .ops = wire->ops, .video_align = 2, .max_video_regions = 2
	};
	struct pst_err err = PST_ERR_INIT;

	*r = (struct run){ .wire = wire, .now = 1000 * MS };
	pst_buf_init(&r->out, 256u << 20);
	r->enc = encoder_create(&params, &err);
	r->lossless = codec_create(wire->lossless);
	r->lossy = wire->lossy == wire->lossless ? r->lossless : codec_create(wire->lossy);
	if (!r->enc || !r->lossless || !r->lossy)
		die(wire->name, &err);
}

static void close_run(struct run *r)
{
	if (r->lossy != r->lossless)
		codec_destroy(r->lossy);
	codec_destroy(r->lossless);
	encoder_destroy(r->enc);
	pst_buf_finish(&r->out);
}

static void report(const struct workload *w, const struct run *r, double calibration_us)
{
	double n = w->steps, us = (double)(r->plan_ns + r->wire_ns) / 1000 / n;

	printf("%-13s %-6s %10.0f %9.0f %9.0f %9.0f %9.5f  copy %llu fill %llu lossless %llu lossy %llu "
	       "video %llu\n",
		w->name, r->wire->name, (double)r->bytes / n, (double)r->plan_ns / 1000 / n,
		(double)r->wire_ns / 1000 / n, (double)r->worst_ns / 1000, us / calibration_us,
		(unsigned long long)r->ops[OP_COPY], (unsigned long long)r->ops[OP_FILL],
		(unsigned long long)r->ops[OP_LOSSLESS], (unsigned long long)r->ops[OP_LOSSY],
		(unsigned long long)r->ops[OP_VIDEO]);
}

static void run_workload(
	const struct workload *w, const struct wire *wire, struct scene *s, double calibration_us)
{
	struct run r;

	open_run(&r, wire);
	scene_text(s, &whole, 3, 0);
	settle(&r, s);
	/* The last step's state is drawn first, so that a workload which begins at rest has nothing left of
	 * another one. */
	r.bytes = r.plan_ns = r.wire_ns = r.worst_ns = 0;
	memset(r.ops, 0, sizeof(r.ops));
	for (int i = 0; i < w->steps; i++) {
		struct rect damage = w->step(s, i);

		r.now += (uint64_t)w->interval_ms * MS;
		encoder_damage(r.enc, &damage, 1);
		send_frame(&r, s);
		if (w->interval_ms >= 200)
			settle(&r, s);
	}
	settle(&r, s);
	report(w, &r, calibration_us);
	close_run(&r);
}

static double calibrate(void)
{
	size_t block = 16u << 20;
	uint8_t *p = malloc(block);
	uint64_t begin, sum = 0;

	if (!p)
		exit(1);
	memset(p, 1, block);
	begin = pst_mono_ns();
	for (size_t done = 0; done < CALIBRATION_BYTES; done += block)
		sum ^= XXH3_64bits_withSeed(p, block, sum);
	begin = pst_mono_ns() - begin;
	printf("calibration: xxh3 of %u MB in %.1f ms (%016llx)\n", CALIBRATION_BYTES >> 20,
		(double)begin / 1e6, (unsigned long long)sum);
	free(p);
	return (double)begin / 1000;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	struct scene *s = scene_create(W, H);
	double calibration_us = calibrate();

	if (!s)
		return 1;
	printf("%-13s %-6s %10s %9s %9s %9s %9s\n", "workload", "wire", "bytes/op", "plan us", "wire us",
		"worst us", "ratio");
	for (size_t i = 0; i < PST_ARRAY_LEN(workloads); i++)
		for (size_t k = 0; k < PST_ARRAY_LEN(wires) && is_wanted(workloads[i].name, argc, argv); k++)
			run_workload(&workloads[i], &wires[k], s, calibration_us);
	scene_destroy(s);
	return 0;
}
