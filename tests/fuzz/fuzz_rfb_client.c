/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server's byte stream through the RFB client: the first byte is the size of the pieces that it comes in.
 * It ends, stays within its screen, and reads nothing outside.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "protocol/source/rfb/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rfb_client *client;
static struct pixmap shown;
static volatile uint32_t sum;

static void read_rect(const struct rect *r)
{
	if (r->x < 0 || r->y < 0 || r->x + r->w > shown.width || r->y + r->h > shown.height)
		abort();
	for (int32_t y = r->y; r->w && y < r->y + r->h; y += PST_MAX(r->h - 1, 1))
		sum += *pixmap_at(&shown, r->x, y) + *pixmap_at(&shown, r->x + r->w - 1, y);
}

static void on_surface(void *arg, const struct pixmap *screen)
{
	shown = *screen;
	rfb_client_ready(client);
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	for (size_t i = 0; i < n; i++)
		read_rect(&rects[i]);
	rfb_client_ready(client);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	if (image->w && (image->hot_x >= image->w || image->hot_y >= image->h))
		abort();
	for (size_t i = 0; i < (size_t)image->w * image->h; i++)
		sum += image->pixels[i];
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	sum += (uint8_t)utf8[len - 1];
}

static void on_bell(void *arg)
{
	static const struct input_event move = { .kind = INPUT_POINTER, .pointer = { 5, 5, 1 } };

	rfb_client_input(client, &move);
	rfb_client_resize(client, 20, 20);
}

static const struct rfb_client_events events = { on_surface, on_damage, on_cursor, on_clipboard, on_bell };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rfb_client_params p = { .password = "secret", .is_shared = true, .events = &events };
	size_t piece = size ? data[0] + 1u : 1, at = 1, end = 1;
	struct pst_err err;
	long n = 0;

	client = rfb_client_create(&p);
	shown = (struct pixmap){ 0 };
	while (client && end < size && n >= 0) {
		end = PST_MIN(end + piece, size);
		n = rfb_client_take(client, data + at, end - at, &err);
		if (n > (long)(end - at))
			abort();
		at += n > 0 ? (size_t)n : 0;
		pst_buf_reset(rfb_client_out(client));
	}
	rfb_client_destroy(client);
	return 0;
}
