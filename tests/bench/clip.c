/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames from a file, and their numbers; see clip.h. */
#include "clip.h"

#include <sys/mman.h>
#include <sys/stat.h>

static const void *map(int fd, size_t *ret_bytes)
{
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) || st.st_size <= 0)
		return NULL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	*ret_bytes = (size_t)st.st_size;
	return p == MAP_FAILED ? NULL : p;
}

bool clip_open(struct clip *c, int frames_fd, int photo_fd)
{
	const size_t frame = (size_t)CLIP_W * CLIP_H * 4;
	size_t frames_bytes = 0, photo_bytes = 0;

	*c = (struct clip){ .frames = map(frames_fd, &frames_bytes), .photo = map(photo_fd, &photo_bytes) };
	c->count = (int)(frames_bytes / frame);
	return (frames_fd < 0 || (c->frames && c->count > 0 && frames_bytes % frame == 0)) &&
	       (photo_fd < 0 || (c->photo && photo_bytes == (size_t)PHOTO_W * PHOTO_H * 4));
}

const uint32_t *clip_frame(const struct clip *c, int n)
{
	return c->frames ? c->frames + (size_t)(n % c->count) * CLIP_W * CLIP_H : NULL;
}

static uint32_t mean(uint32_t a, uint32_t b)
{
	return (a & b) + (((a ^ b) & 0xfefefe) >> 1);
}

void clip_double(const struct clip *c, int n, uint32_t *px, int32_t stride, int32_t w, int32_t h)
{
	const uint32_t *from = clip_frame(c, n);

	for (int32_t y = 0; from && y < h; y++) {
		const uint32_t *a = from + (size_t)(y / 2) * CLIP_W,
			       *b = y & 1 && y / 2 + 1 < CLIP_H ? a + CLIP_W : a;

		for (int32_t x = 0; x < w; x++) {
			int32_t l = x / 2, r = x & 1 && l + 1 < CLIP_W ? l + 1 : l;

			px[(size_t)y * (size_t)stride + (size_t)x] = mean(mean(a[l], a[r]), mean(b[l], b[r]));
		}
	}
}

/* What the twelve bits must agree with. */
static unsigned check_of(unsigned n)
{
	return (n ^ n >> 4 ^ n >> 8 ^ 5) & 15;
}

void clip_number(uint32_t *px, int32_t stride, int32_t x, int32_t bottom, int n)
{
	unsigned number = (unsigned)n % BAR_NUMBERS, bits = 1u << 17 | check_of(number) << 12 | number;

	for (int32_t row = 0; row < BAR_CELL; row++)
		for (int32_t i = 0; i < BAR_CELLS * BAR_CELL; i++)
			px[(size_t)(bottom - BAR_CELL + row) * (size_t)stride + (size_t)(x + i)] =
				bits >> (BAR_CELLS - 1 - i / BAR_CELL) & 1 ? 0xffffff : 0;
}

int clip_number_of(const uint8_t cells[BAR_CELLS])
{
	unsigned bits = 0, number;

	for (int i = 0; i < BAR_CELLS; i++)
		bits = bits << 1 | (cells[i] >= 128);
	number = bits & (BAR_NUMBERS - 1);
	return bits >> 16 == 2 && (bits >> 12 & 15) == check_of(number) ? (int)number : -1;
}
