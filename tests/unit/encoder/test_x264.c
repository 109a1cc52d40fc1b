/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a decoder makes of a region's access units: the picture, in the colours that were meant. Decoded by
 * the ffmpeg program where there is one. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encoder/x264.h"

#define W 321
#define H 243
#define CODED_W 322
#define CODED_H 244
#define FRAMES 12

static uint32_t px[W * H];
static const struct pixmap pm = { (const uint8_t *)px, W, H, W * 4 };
static const struct rect all = { 0, 0, W, H };

static void draw(int frame)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			px[y * W + x] = (uint32_t)(128 + 90 * sin((x + 3 * frame) / 31.0)) << 16 |
					(uint32_t)(128 + 90 * cos((y + frame) / 23.0)) << 8 |
					(uint32_t)(40 + (x + y) / 4);
}

/* The types of the NAL units, as bits. */
static uint32_t nal_types(const struct h264_unit *u)
{
	uint32_t types = 0;

	for (size_t i = 0; i + 3 < u->len; i++)
		if (u->data[i] == 0 && u->data[i + 1] == 0 && u->data[i + 2] == 1)
			types |= 1u << (u->data[i + 3] & 31);
	return types;
}

Test(x264, a_stream_is_key_first_and_then_small)
{
	struct pst_err err = PST_ERR_INIT;
	struct h264 *h = h264_create(CODED_W, CODED_H, 0, VIDEO_420, &err);
	struct h264_unit u;
	size_t key_len;

	cr_assert_not_null(h, "%s", err.text);
	draw(0);
	cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, true, NULL, &u, &err), 0);
	cr_assert(u.is_key);
	cr_assert_eq(nal_types(&u) & (1u << 5 | 1u << 7 | 1u << 8), 1u << 5 | 1u << 7 | 1u << 8,
		"IDR with SPS and PPS");
	key_len = u.len;
	for (int i = 0; i < 300; i++) {
		cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, false, NULL, &u, &err), 0);
		cr_assert(!u.is_key && !(nal_types(&u) & 1u << 5), "no key frame by itself at %d", i);
	}
	cr_assert_lt(u.len * 20, key_len, "nothing changed: %zu bytes", u.len);
	cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, true, NULL, &u, &err), 0);
	cr_assert(u.is_key, "on demand");
	h264_destroy(h);
	h264_destroy(NULL);
}

static void check_still(enum video_chroma chroma)
{
	uint8_t still[21 * 16];
	struct h264 *h = h264_create(CODED_W, CODED_H, 0, chroma, NULL);
	struct h264_unit u;
	size_t moved;

	draw(0);
	cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, true, NULL, &u, NULL), 0);
	memset(still, 1, sizeof(still));
	draw(40);
	cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, false, still, &u, NULL), 0);
	cr_assert_lt(u.len, 60u, "%zu bytes for a still picture", u.len);
	memset(still, 0, sizeof(still));
	cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, false, still, &u, NULL), 0);
	moved = u.len;
	cr_assert_gt(moved, 600u, "%zu bytes for another picture", moved);
	memset(still, 1, sizeof(still));
	cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, true, still, &u, NULL), 0);
	cr_assert(u.is_key && u.len > 600, "a key frame is whole");
	h264_destroy(h);
}

Test(x264, what_is_still_is_neither_read_nor_sent)
{
	check_still(VIDEO_420);
	check_still(VIDEO_444);
}

Test(x264, another_region_of_the_same_size_can_go_on)
{
	struct h264 *h = h264_create(CODED_W, CODED_H, 0, VIDEO_420, NULL);

	cr_assert(h264_fits(h, CODED_W, CODED_H, VIDEO_420));
	cr_assert(!h264_fits(h, CODED_W, CODED_H + 2, VIDEO_420) &&
		  !h264_fits(h, CODED_W - 2, CODED_H, VIDEO_420) &&
		  !h264_fits(h, CODED_W, CODED_H, VIDEO_444));
	h264_destroy(h);
}

Test(x264, a_rate_holds_the_stream)
{
	struct pst_err err = PST_ERR_INIT;
	struct h264 *h = h264_create(CODED_W, CODED_H, 2000, VIDEO_420, &err);
	uint32_t seed = 1;
	struct h264_unit u;
	size_t total = 0;

	for (int i = 0; i < 60; i++) {
		for (int k = 0; k < W * H; k++)
			px[k] = seed = seed * 1664525u + 1013904223u;
		if (i == 30)
			h264_set_rate(h, 1000);
		cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, i == 0, NULL, &u, &err), 0);
		total += i >= 40 ? u.len : 0;
	}
	/* Noise at 1 Mbit/s: 20 frames are two thirds of a second. */
	cr_assert_lt(total, 2 * 1000000 / 8 * 2 / 3, "%zu bytes at %d", total, u.qp);
	h264_destroy(h);
}

static double luma_psnr(const uint8_t *got)
{
	static uint8_t y[2][W + 1], u[W], v[W];
	double sum = 0;

	for (int row = 0; row < H; row += 2) {
		int below = row + 1 < H ? row + 1 : row;

		dsp_c.i420_rows(pixmap_at(&pm, 0, row), pixmap_at(&pm, 0, below), W, y[0], y[1], u, v);
		for (int k = 0; k < 2; k++)
			for (int x = 0; x < CODED_W; x++)
				sum += pow(got[(row + k) * CODED_W + x] - y[k][x], 2);
	}
	return 10 * log10(255.0 * 255 * CODED_W * CODED_H / (sum + 1e-9));
}

static void write_stream(const char *path)
{
	struct h264 *h = h264_create(CODED_W, CODED_H, 0, VIDEO_420, NULL);
	FILE *f = fopen(path, "wb");
	struct h264_unit u;

	cr_assert_not_null(f);
	for (int i = 0; i < FRAMES; i++) {
		draw(i);
		cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, i == 0, NULL, &u, NULL), 0);
		cr_assert_eq(fwrite(u.data, 1, u.len, f), u.len);
	}
	fclose(f);
	h264_destroy(h);
}

Test(x264, another_decoder_shows_the_picture_in_bt709_full_range)
{
	char dir[] = "/tmp/test-x264-XXXXXX", in[64], cmd[256], words[256] = "";
	uint8_t *got = malloc(CODED_W * CODED_H * 3 / 2 * FRAMES);
	size_t frame = CODED_W * CODED_H * 3 / 2;
	FILE *p;

	if (system("command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null"))
		cr_skip_test("the ffmpeg program is not installed");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(in, sizeof(in), "%s/s.h264", dir);
	write_stream(in);
	snprintf(cmd, sizeof(cmd),
		"ffprobe -v error -show_entries stream=color_range,color_space,width,height -of csv=p=0 %s",
		in);
	p = popen(cmd, "r");
	cr_assert_not_null(fgets(words, sizeof(words), p));
	pclose(p);
	cr_assert_not_null(strstr(words, "322,244,pc,bt709"), "%s", words);
	snprintf(cmd, sizeof(cmd), "ffmpeg -v error -i %s -f rawvideo -pix_fmt yuvj420p -", in);
	p = popen(cmd, "r");
	cr_assert_eq(fread(got, 1, frame * FRAMES, p), frame * FRAMES);
	pclose(p);
	cr_assert_gt(
		luma_psnr(got + frame * (FRAMES - 1)), 34, "%.1f dB", luma_psnr(got + frame * (FRAMES - 1)));
	unlink(in);
	rmdir(dir);
	free(got);
}

/* Red and blue stripes of one pixel: in 4:2:0 they would be one purple. */
static void draw_stripes(void)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			px[y * W + x] = x & 1 ? 0xd02020 : 0x2020d0;
}

static uint8_t *decode(const char *path, const char *format, size_t size)
{
	uint8_t *got = malloc(size);
	char cmd[256];
	FILE *p;

	snprintf(cmd, sizeof(cmd), "ffmpeg -v error -i %s -f rawvideo -pix_fmt %s -", path, format);
	p = popen(cmd, "r");
	cr_assert_eq(fread(got, 1, size, p), size);
	pclose(p);
	return got;
}

Test(x264, full_chroma_keeps_what_changes_from_pixel_to_pixel)
{
	struct h264 *h = h264_create(CODED_W, CODED_H, 0, VIDEO_444, NULL);
	char dir[] = "/tmp/test-x264-XXXXXX", in[64];
	size_t plane = CODED_W * CODED_H;
	struct h264_unit u;
	FILE *f;

	if (system("command -v ffmpeg >/dev/null"))
		cr_skip_test("the ffmpeg program is not installed");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(in, sizeof(in), "%s/s.h264", dir);
	draw_stripes();
	cr_assert_eq(h264_encode(h, dsp_best(), &pm, &all, true, NULL, &u, NULL), 0);
	f = fopen(in, "wb");
	cr_assert_eq(fwrite(u.data, 1, u.len, f), u.len);
	fclose(f);
	h264_destroy(h);
	uint8_t *got = decode(in, "yuvj444p", 3 * plane);

	/* V of red and of blue, to the last column and row. */
	for (size_t i = 0; i < plane; i++) {
		size_t x = i % CODED_W;
		int want = x < W && x & 1 ? 208 : 124;

		cr_assert(abs(got[2 * plane + i] - want) < 24, "V at %zu, %zu is %d", x, i / CODED_W,
			got[2 * plane + i]);
	}
	free(got);
	unlink(in);
	rmdir(dir);
}
