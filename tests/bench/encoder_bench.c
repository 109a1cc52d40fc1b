/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The encoder without a network: drawn traces of damage, through the plan and each wire's codecs. Prints
 * bytes and microseconds of processor time per operation, and the time as a share of a calibration loop of
 * the same run, which makes runs on different machines comparable.
 *
 *   encoder_bench [trace …]
 *   encoder_bench --check FILE      every trace: fails where bytes are not within 2 % of the file's
 *   encoder_bench --rewrite FILE    writes the file anew
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"
#include "encoder/blank.h"
#include "encoder/codec.h"
#include "encoder/codec/tight.h"
#include "encoder/encoder.h"
#include "golden.h"
#include "protocol/front/rdp/gfx_pixels.h"
#include "protocol/front/rdp/gfx_wire.h"
#include "protocol/front/rdp/zgfx.h"
#include "trace.h"

#define MS 1000000ull
#define CALIBRATION_BYTES (256u << 20)
#define RATIO_MAX 25.0 /* calibration loops an operation may take: ten times what it takes, and more */

struct wire {
	const char *name;
	uint32_t ops;
	const struct codec_type *lossless, *lossy; /* one codec for both when equal; none for RDP, which has its own writer */
	size_t header, copy, fill;                 /* bytes that the wire adds per operation */
};

static const struct wire wires[] = {
	{ "tight", OP_TAKES_REPEATS | OP_BIT(OP_COPY) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSY), &codec_tight,
		&codec_tight, 12, 16, 16 },
	{ "zrle", OP_TAKES_REPEATS | OP_BIT(OP_COPY) | OP_BIT(OP_LOSSLESS), &codec_zrle, &codec_zrle, 12, 16, 0 },
	{ "web",
		OP_BIT(OP_COPY) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSY) | OP_BIT(OP_VIDEO),
		&codec_flat, &codec_jpeg, 13, 13, 12 },
	{ "rdp",
		OP_BIT(OP_COPY) | OP_BIT(OP_LOSSLESS) | OP_BIT(OP_FILL) | OP_BIT(OP_LOSSY) | OP_BIT(OP_VIDEO),
		NULL, NULL, 0, 0, 0 },
};

struct run {
	const struct wire *wire;
	struct encoder *enc;
	struct codec *lossless, *lossy, *other; /* the last is ZRLE, for what Tight does not do well */
	struct gfx_pixels *pixels; /* RDP alone, with what compresses its channel */
	struct zgfx *zgfx;
	struct pst_buf out, channel, blank;
	uint64_t now, bytes, plain, plan_ns, wire_ns, worst_ns;
	uint64_t ops[OP_KINDS];
};

/* Processor time of this thread: what others do meanwhile does not count. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what, const struct pst_err *err)
{
	fprintf(stderr, "encoder_bench: %s: %s\n", what, err->text);
	exit(1);
}

static void count_head(void *arg, struct pst_buf *out, const struct rect *r)
{
	struct run *run = arg;

	(void)out;
	(void)r;
	run->bytes += run->wire->header;
}

/* Wide rectangles are split for Tight, as a front end must. */
static void write_pixels(struct run *r, struct codec *c, const struct op *op, const struct pixmap *p, const struct rect *all, int quality)
{
	struct pst_err err = PST_ERR_INIT;

	for (int32_t x = 0; x < all->w; x += 2048) {
		struct rect part = { all->x + x, all->y, PST_MIN(2048, all->w - x), all->h };

		if (c->type == &codec_tight && !quality) {
			int n = tight_put(c, p, &part, count_head, r, &r->out, &err);

			if (n < 0)
				die(r->wire->name, &err);
			if (n > 0)
				continue;
			c = op->klass == OP_CLASS_PICTURE ? c : r->other;
		}
		if (codec_encode(c, p, &part, quality, &r->out, &err) < 0)
			die(r->wire->name, &err);
		r->bytes += r->wire->header;
	}
}

/* As the RFB front: what repeats is left out, the rest goes as ZRLE, and copies follow. */
static void write_lossless(struct run *r, const struct op *op)
{
	struct rect all = { 0, 0, op->rect.w, op->rect.h };
	struct pixmap blank;

	if (!op->lossless.repeats_len) {
		write_pixels(r, r->lossless, op, encoder_sent(r->enc), &op->rect, 0);
		return;
	}
	if (blank_repeats(op, encoder_sent(r->enc), &r->blank, &blank) < 0)
		die("blank", &(struct pst_err)PST_ERR_INIT);
	write_pixels(r, r->other, op, &blank, &all, 0);
	r->bytes += r->wire->copy * op->lossless.repeats_len;
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
		write_pixels(r, r->lossy, op, encoder_sent(r->enc), &op->rect, op->quality);
	else
		write_lossless(r, op);
}

/* As the RDP front writes it, without the channel's and TLS' headers. */
static void write_rdp_op(struct run *r, const struct op *op)
{
	struct pst_err err = PST_ERR_INIT;

	r->ops[op->kind]++;
	if (op->kind == OP_COPY) {
		gfx_wire_copy(&r->out, 1, 1, &op->rect, op->copy.x, op->copy.y);
	} else if (op->kind == OP_FILL) {
		gfx_wire_solid_fill(&r->out, 1, op->fill, &op->rect);
	} else if (op->kind == OP_VIDEO) {
		gfx_wire_avc420(&r->out, 2, op->video.coded_w, op->video.coded_h, op->video.qp, op->video.data,
			op->video.len);
		gfx_wire_copy(&r->out, 2, 1, &op->rect, 0, 0);
	} else if (gfx_pixels_put(r->pixels, op, encoder_sent(r->enc), 1, &r->out, &err) < 0) {
		die("rdp", &err);
	}
}

static void write_rdp(struct run *r, const struct op_list *list)
{
	gfx_wire_start_frame(&r->out, (uint32_t)list->sequence, 0);
	for (size_t i = 0; i < list->len; i++)
		write_rdp_op(r, &list->ops[i]);
	gfx_pixels_end(r->pixels, encoder_sent(r->enc), list->is_exact, 1, &r->out);
	gfx_wire_end_frame(&r->out, (uint32_t)list->sequence);
	pst_buf_reset(&r->channel);
	zgfx_pack(r->zgfx, r->out.data, r->out.len, &r->channel);
	r->plain += r->out.len;
	r->bytes += r->channel.len;
	pst_buf_reset(&r->out);
}

static void send_frame(struct run *r, struct scene *s)
{
	struct encoder_budget budget = { 0 };
	struct pst_err err = PST_ERR_INIT;
	struct op_list list;
	uint64_t begin = cpu_ns(), bytes = r->bytes, middle, end;

	if (encoder_plan(r->enc, &s->view, r->now, &budget, &list, &err) < 0)
		die("plan", &err);
	middle = cpu_ns();
	pst_buf_reset(&r->out);
	if (r->pixels && list.len)
		write_rdp(r, &list);
	for (size_t i = 0; i < list.len && !r->pixels; i++)
		write_op(r, &list.ops[i]);
	end = cpu_ns();
	r->bytes += r->out.len;
	encoder_note_cost(r->enc, r->bytes - bytes, 0);
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

static void open_rdp(struct run *r)
{
	struct pst_err err = PST_ERR_INIT;

	pst_buf_init(&r->channel, 256u << 20);
	r->pixels = gfx_pixels_create(false, &err);
	r->zgfx = zgfx_create();
	if (!r->enc || !r->pixels || !r->zgfx || gfx_pixels_resize(r->pixels, TRACE_W, TRACE_H, &r->out, &err) < 0)
		die("rdp", &err);
}

static void open_run(struct run *r, const struct wire *wire)
{
	struct encoder_params params = {
		.width = TRACE_W, .height = TRACE_H, .ops = wire->ops, .video_align = wire->lossless ? 2 : 16, .max_video_regions = 2
	};
	struct pst_err err = PST_ERR_INIT;

	*r = (struct run){ .wire = wire, .now = 1000 * MS };
	pst_buf_init(&r->out, 256u << 20);
	pst_buf_init(&r->blank, 64u << 20);
	r->enc = encoder_create(&params, &err);
	if (!wire->lossless) {
		open_rdp(r);
		return;
	}
	r->lossless = codec_create(wire->lossless);
	if (r->lossless && wire->lossless == &codec_tight)
		tight_set_gradient(r->lossless, true); /* as viewers but noVNC have it */
	r->lossy = wire->lossy == wire->lossless ? r->lossless : codec_create(wire->lossy);
	r->other = codec_create(&codec_zrle);
	if (!r->enc || !r->lossless || !r->lossy || !r->other)
		die(wire->name, &err);
}

static void close_run(struct run *r)
{
	if (r->lossy != r->lossless)
		codec_destroy(r->lossy);
	codec_destroy(r->lossless);
	codec_destroy(r->other);
	encoder_destroy(r->enc);
	gfx_pixels_destroy(r->pixels);
	zgfx_destroy(r->zgfx);
	pst_buf_finish(&r->channel);
	pst_buf_finish(&r->blank);
	pst_buf_finish(&r->out);
}

static double report(const struct trace *t, const struct run *r, double calibration_us)
{
	double n = t->steps, us = (double)(r->plan_ns + r->wire_ns) / 1000 / n;

	printf("%-13s %-6s %10.0f %9.0f %9.0f %9.0f %9.5f  copy %llu fill %llu lossless %llu lossy %llu "
	       "video %llu\n",
		t->name, r->wire->name, (double)r->bytes / n, (double)r->plan_ns / 1000 / n,
		(double)r->wire_ns / 1000 / n, (double)r->worst_ns / 1000, us / calibration_us,
		(unsigned long long)r->ops[OP_COPY], (unsigned long long)r->ops[OP_FILL],
		(unsigned long long)r->ops[OP_LOSSLESS], (unsigned long long)r->ops[OP_LOSSY],
		(unsigned long long)r->ops[OP_VIDEO]);
	return us / calibration_us;
}

/* Returns the bytes of all steps together, and by *ret_ratio the time. */
static uint64_t run_trace(const struct trace *t, const struct wire *wire, struct scene *s,
	double calibration_us, double *ret_ratio)
{
	struct run r;

	open_run(&r, wire);
	trace_begin(t, s);
	settle(&r, s);
	r.bytes = r.plain = r.plan_ns = r.wire_ns = r.worst_ns = 0;
	memset(r.ops, 0, sizeof(r.ops));
	for (int i = 0; i < t->steps; i++) {
		struct rect damage = t->step(s, i);

		r.now += (uint64_t)t->interval_ms * MS;
		encoder_damage(r.enc, &damage, 1);
		do {
			send_frame(&r, s);
		} while (encoder_video_since(r.enc) != UINT64_MAX);
		if (t->interval_ms >= 200)
			settle(&r, s);
	}
	settle(&r, s);
	*ret_ratio = report(t, &r, calibration_us);
	close_run(&r);
	return r.bytes;
}

static double calibrate(void)
{
	size_t block = 16u << 20;
	uint8_t *p = malloc(block);
	uint64_t begin, sum = 0;

	if (!p)
		exit(1);
	memset(p, 1, block);
	begin = cpu_ns();
	for (size_t done = 0; done < CALIBRATION_BYTES; done += block)
		sum ^= XXH3_64bits_withSeed(p, block, sum);
	begin = cpu_ns() - begin;
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

/* Runs what is wanted; returns false when something took longer than anybody could explain. */
static bool run_all(struct golden *g, int argc, char **argv)
{
	double calibration_us = calibrate(), ratio;
	struct scene *s = scene_create(TRACE_W, TRACE_H);
	bool is_good = true;

	if (!s)
		exit(1);
	printf("%-13s %-6s %10s %9s %9s %9s %9s\n", "trace", "wire", "bytes/op", "plan us", "wire us",
		"worst us", "ratio");
	for (const struct trace *t = traces; t->name; t++) {
		for (size_t k = 0; k < PST_ARRAY_LEN(wires) && is_wanted(t->name, argc, argv); k++) {
			golden_add(g, t->name, wires[k].name,
				run_trace(t, &wires[k], s, calibration_us, &ratio));
			if (ratio > RATIO_MAX) {
				printf("%s on %s takes %.1f calibration loops a step: the ceiling is %.0f\n",
					t->name, wires[k].name, ratio, RATIO_MAX);
				is_good = false;
			}
		}
	}
	scene_destroy(s);
	return is_good;
}

int main(int argc, char **argv)
{
	bool is_check = argc == 3 && strcmp(argv[1], "--check") == 0;
	bool is_rewrite = argc == 3 && strcmp(argv[1], "--rewrite") == 0;
	struct golden g = { .len = 0 };

	if (!run_all(&g, is_check || is_rewrite ? 1 : argc, argv) && is_check)
		return 1;
	if (is_rewrite)
		return golden_write(&g, argv[2]) ? 0 : 1;
	return is_check && !golden_check(&g, argv[2]) ? 1 : 0;
}
