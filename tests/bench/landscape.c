/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Renders a flight over hills under clouds: pictures with the statistics of a camera's, the same on every
 * machine.
 *
 *   landscape WIDTH HEIGHT FRAMES
 *
 * It writes raw frames to standard output, four bytes a pixel (B G R X), each drawn at twice its size and
 * made smaller, as a lens does.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MAP 1024 /* a power of two; the ground repeats after it */
#define FAR 900.0f

struct ground {
	float height[MAP * MAP];
	uint8_t colour[MAP * MAP][3];
};

struct view {
	int w, h; /* drawn at this size, twice the frame's */
	uint8_t (*px)[3];
	float x, y, above, turn;
	float clouds;
};

static uint32_t hash32(uint32_t v)
{
	v = (v ^ v >> 16) * 0x7feb352du;
	v = (v ^ v >> 15) * 0x846ca68bu;
	return v ^ v >> 16;
}

static float lattice(int x, int y, int period, uint32_t seed)
{
	return (float)(hash32((uint32_t)((y & (period - 1)) * period + (x & (period - 1))) +
			       seed * 0x9e3779b9u) &
		       0xffff) /
	       65535.0f;
}

static float soft(float t)
{
	return t * t * (3 - 2 * t);
}

/* Smooth noise that repeats after period cells. */
static float noise(float x, float y, int period, uint32_t seed)
{
	int ix = (int)floorf(x), iy = (int)floorf(y);
	float fx = soft(x - (float)ix), fy = soft(y - (float)iy);
	float top = lattice(ix, iy, period, seed) * (1 - fx) + lattice(ix + 1, iy, period, seed) * fx;
	float low = lattice(ix, iy + 1, period, seed) * (1 - fx) + lattice(ix + 1, iy + 1, period, seed) * fx;

	return top * (1 - fy) + low * fy;
}

/* Octaves of noise, each twice as fine and half as strong: what hills, clouds and most photos have. */
static float fractal(float x, float y, int period, int octaves, uint32_t seed)
{
	float sum = 0, part = 0.5f;

	for (int i = 0; i < octaves; i++, x *= 2, y *= 2, period *= 2, part /= 2)
		sum += part * noise(x, y, period, seed + (uint32_t)i);
	return sum;
}

static uint8_t byte(float v)
{
	return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void paint_ground(struct ground *g, int x, int y)
{
	size_t at = (size_t)y * MAP + (size_t)x;
	float h = g->height[at], east = g->height[(size_t)y * MAP + (size_t)((x + 1) & (MAP - 1))];
	float light = 0.75f + (h - east) * 0.12f, grain = 0.8f + 0.4f * lattice(x, y, MAP, 77);
	float patch = fractal((float)x / 32, (float)y / 32, 32, 4, 31);
	bool is_water = h <= 60.5f, is_snow = h > 122 + 30 * patch, is_rock = h > 104 + 24 * patch;
	float r = is_water ? 38 : is_snow ? 235 : is_rock ? 122 : 62 + 90 * patch;
	float gr = is_water ? 74 : is_snow ? 238 : is_rock ? 112 : 92 + 44 * patch;
	float b = is_water ? 104 : is_snow ? 245 : is_rock ? 100 : 40 + 24 * patch;

	grain = is_water ? 0.97f + 0.06f * grain : grain;
	light = light < 0.35f ? 0.35f : light > 1.25f ? 1.25f : light;
	g->colour[at][0] = byte(b * light * grain);
	g->colour[at][1] = byte(gr * light * grain);
	g->colour[at][2] = byte(r * light * grain);
}

static void make_ground(struct ground *g)
{
	for (int y = 0; y < MAP; y++)
		for (int x = 0; x < MAP; x++) {
			float h = 200 * fractal((float)x / 256, (float)y / 256, 4, 8, 3);

			g->height[(size_t)y * MAP + (size_t)x] = h < 60 ? 60 : h;
		}
	for (int y = 0; y < MAP; y++)
		for (int x = 0; x < MAP; x++)
			paint_ground(g, x, y);
}

/* Between the four points around x, y. */
static float height_at(const struct ground *g, float x, float y)
{
	int ix = (int)floorf(x), iy = (int)floorf(y);
	float fx = x - (float)ix, fy = y - (float)iy;
	const float *a = g->height + (size_t)(iy & (MAP - 1)) * MAP,
		    *b = g->height + (size_t)((iy + 1) & (MAP - 1)) * MAP;
	int l = ix & (MAP - 1), r = (ix + 1) & (MAP - 1);

	return (a[l] * (1 - fx) + a[r] * fx) * (1 - fy) + (b[l] * (1 - fx) + b[r] * fx) * fy;
}

static void sky_at(const struct view *v, float direction, float up, float out[3])
{
	float far = 40 / (up + 0.06f);
	float cloud = fractal(sinf(direction) * far / 24 + v->clouds, cosf(direction) * far / 24, 64, 5, 51);
	float cover = soft(fminf(1, fmaxf(0, (cloud - 0.42f) * 4))), haze = fminf(1, up * 2.2f);

	out[0] = (232 - 20 * haze) * (1 - cover) + 244 * cover;
	out[1] = (212 - 70 * haze) * (1 - cover) + 240 * cover;
	out[2] = (200 - 118 * haze) * (1 - cover) + 236 * cover;
}

static void colour_at(const struct ground *g, float x, float y, float out[3])
{
	int ix = (int)floorf(x), iy = (int)floorf(y);
	float fx = x - (float)ix, fy = y - (float)iy;
	size_t a = (size_t)(iy & (MAP - 1)) * MAP, b = (size_t)((iy + 1) & (MAP - 1)) * MAP;
	size_t l = (size_t)(ix & (MAP - 1)), r = (size_t)((ix + 1) & (MAP - 1));

	for (int k = 0; k < 3; k++)
		out[k] = (g->colour[a + l][k] * (1 - fx) + g->colour[a + r][k] * fx) * (1 - fy) +
			 (g->colour[b + l][k] * (1 - fx) + g->colour[b + r][k] * fx) * fy;
}

static void draw_span(struct view *v, int x, int from, int to, const float colour[3], float fog)
{
	static const float haze[3] = { 226, 208, 196 };

	for (int y = from; y < to; y++)
		for (int k = 0; k < 3; k++)
			v->px[(size_t)y * (size_t)v->w + (size_t)x][k] =
				byte(colour[k] * (1 - fog) + haze[k] * fog);
}

/* From near to far, each point of ground that stands higher on the screen than all before it. */
static void draw_column(struct view *v, const struct ground *g, int x)
{
	float direction = v->turn + ((float)x / (float)v->w - 0.5f) * 1.1f;
	float dx = sinf(direction), dy = cosf(direction), horizon = (float)v->h * 0.38f;
	int lowest = v->h;

	for (float z = 4, step = 0.25f; z < FAR && lowest > 0; z += step, step *= 1.004f) {
		float px = v->x + dx * z, py = v->y + dy * z, fog = z / FAR;
		float h = height_at(g, px, py);
		int y = (int)(horizon + (v->above - h) * (float)v->h * 0.8f / z);
		float colour[3];

		if (y < 0)
			y = 0;
		if (y < lowest) {
			colour_at(g, px, py, colour);
			draw_span(v, x, y, lowest, colour, fog * fog);
			lowest = y;
		}
	}
	for (int y = 0; y < lowest; y++) {
		float sky[3];

		sky_at(v, direction, fmaxf(0, (horizon - (float)y) / (float)v->h), sky);
		for (int k = 0; k < 3; k++)
			v->px[(size_t)y * (size_t)v->w + (size_t)x][k] = byte(sky[k]);
	}
}

static void write_smaller(const struct view *v)
{
	for (int y = 0; y < v->h; y += 2) {
		for (int x = 0; x < v->w; x += 2) {
			const uint8_t *a = v->px[(size_t)y * (size_t)v->w + (size_t)x],
				      *b = a + (size_t)v->w * 3;

			for (int k = 0; k < 3; k++)
				putchar((a[k] + a[k + 3] + b[k] + b[k + 3] + 2) / 4);
			putchar(0);
		}
	}
}

int main(int argc, char **argv)
{
	struct ground *g = malloc(sizeof(*g));
	struct view v = { .w = argc == 4 ? atoi(argv[1]) * 2 : 0, .h = argc == 4 ? atoi(argv[2]) * 2 : 0 };
	int frames = argc == 4 ? atoi(argv[3]) : 0;

	if (v.w < 2 || v.h < 2 || v.w > 8192 || v.h > 8192 || frames < 1) {
		fprintf(stderr, "usage: landscape WIDTH HEIGHT FRAMES\n");
		return 1;
	}
	v.px = malloc((size_t)v.w * (size_t)v.h * 3);
	if (!g || !v.px)
		return 1;
	make_ground(g);
	for (int n = 0; n < frames; n++) {
		float t = (float)n / 30;

		v.turn = 0.7f + 0.35f * sinf(t * 0.9f);
		v.x = 300 + 40 * t;
		v.y = 200 + 48 * t;
		v.above = fmaxf(height_at(g, v.x, v.y) + 24, 124 + 6 * sinf(t));
		v.clouds = 3 + t * 0.02f;
		for (int x = 0; x < v.w; x++)
			draw_column(&v, g, x);
		write_smaller(&v);
	}
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
