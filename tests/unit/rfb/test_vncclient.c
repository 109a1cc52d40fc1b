/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What our codecs write, read by libvncclient: updates over a socket pair, pixel by pixel. */
#include <criterion/criterion.h>
#include <rfb/rfbclient.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "encoder/codec/tight.h"

#define W 640
#define H 256
#define ENC_TIGHT 7

static uint32_t px[W * H];
static const struct pixmap pm = { (const uint8_t *)px, W, H, W * 4 };

/* Slopes with a little noise: many colours, and neither text nor noise alone. */
static void draw_photo(uint32_t seed)
{
	for (int32_t y = 0; y < H; y++)
		for (int32_t x = 0; x < W; x++) {
			seed = seed * 1664525u + 1013904223u;
			px[y * W + x] = ((uint32_t)(x * 200 / W) << 16 | (uint32_t)(y * 200 / H) << 8 | (uint32_t)((x + y) & 127)) + (seed >> 30) * 0x010101u;
		}
}

static void put_head(void *arg, struct pst_buf *out, const struct rect *r)
{
	const uint16_t fields[] = { (uint16_t)r->x, (uint16_t)r->y, (uint16_t)r->w, (uint16_t)r->h };

	(void)arg;
	for (size_t i = 0; i < PST_ARRAY_LEN(fields); i++)
		pst_buf_put_be16(out, fields[i]);
	pst_buf_put_be32(out, ENC_TIGHT);
}

/* FramebufferUpdate of one rectangle. */
static void put_update(struct codec *c, const struct rect *r, struct pst_buf *out)
{
	pst_buf_put_be16(out, 0);
	pst_buf_put_be16(out, 1);
	put_head(NULL, out, r);
	cr_assert_eq(codec_encode(c, &pm, r, 0, out, NULL), 0);
}

static rfbClient *open_viewer(int fd)
{
	rfbClient *viewer = rfbGetClient(8, 3, 4);

	viewer->sock = fd;
	viewer->width = viewer->si.framebufferWidth = W;
	viewer->height = viewer->si.framebufferHeight = H;
	viewer->format.redShift = 16;
	viewer->format.greenShift = 8;
	viewer->format.blueShift = 0;
	viewer->updateRect.w = W;
	viewer->updateRect.h = H;
	cr_assert(viewer->MallocFrameBuffer(viewer));
	return viewer;
}

static void show(rfbClient *viewer, int fd, const struct pst_buf *update)
{
	pid_t writer = fork();

	if (writer == 0) {
		for (size_t at = 0; at < update->len;) {
			ssize_t n = write(fd, update->data + at, update->len - at);

			if (n <= 0)
				_exit(1);
			at += (size_t)n;
		}
		_exit(0);
	}
	cr_assert(HandleRFBServerMessage(viewer));
}

Test(vncclient, photos_by_the_gradient_filter_are_exact)
{
	const struct rect rects[] = { { 0, 0, W, H }, { 3, 5, 101, 77 }, { 600, 200, 40, 56 }, { 0, 0, W, 2 }, { 17, 0, 64, 64 } };
	struct codec *c = codec_create(&codec_tight);
	struct pst_buf out;
	int fds[2], filtered = 0;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	rfbClient *viewer = open_viewer(fds[0]);

	tight_set_gradient(c, true);
	pst_buf_init(&out, 4 << 20);
	for (uint32_t i = 0; i < PST_ARRAY_LEN(rects); i++) {
		draw_photo(i);
		pst_buf_reset(&out);
		put_update(c, &rects[i], &out);
		filtered += out.data[16] == 0x70 && out.data[17] == 2;
		show(viewer, fds[1], &out);
		for (int32_t y = rects[i].y; y < rects[i].y + rects[i].h; y++)
			for (int32_t x = rects[i].x; x < rects[i].x + rects[i].w; x++)
				cr_assert_eq(((uint32_t *)viewer->frameBuffer)[y * W + x] & 0xffffff, px[y * W + x], "%u at %d, %d", i, x, y);
	}
	cr_assert_geq(filtered, 4);
	codec_destroy(c);
	pst_buf_finish(&out);
	close(fds[1]);
	free(viewer->frameBuffer);
	rfbClientCleanup(viewer);
}
