/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bodies of the server's small messages. */
#include "protocol/front/ws/message.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define TEXT_MAX 4096 /* bytes of one text16 that we write */

/* The longest prefix of at most max bytes that does not cut a character. */
static size_t text_cut(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n <= max)
		return n;
	n = max;
	while (n > 0 && ((uint8_t)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void write_text16(struct pst_buf *out, const char *s)
{
	size_t n = s ? text_cut(s, TEXT_MAX) : 0;

	if (n > 0 && !pst_utf8_valid(s, n))
		n = 0;
	pst_buf_put_be16(out, (uint16_t)n);
	pst_buf_append(out, s, n);
}

void ws_write_hello(struct pst_buf *out, const struct ws_hello *hello)
{
	uint8_t flags = (uint8_t)((hello->clipboard_in ? WS_HELLO_CLIPBOARD_IN : 0) | (hello->clipboard_out ? WS_HELLO_CLIPBOARD_OUT : 0) |
				  (hello->is_view_only ? WS_HELLO_VIEW_ONLY : 0));

	pst_buf_put_be16(out, WS_VERSION);
	pst_buf_put_be32(out, WS_MESSAGE_MAX);
	pst_buf_put_be32(out, WS_CLIPBOARD_MAX);
	pst_buf_put_be16(out, INPUT_TEXT_MAX);
	pst_buf_put_be16(out, SCREEN_SIDE_MAX);
	pst_buf_put_u8(out, flags);
	write_text16(out, hello->desktop);
	write_text16(out, hello->user);
}

void ws_write_surface(struct pst_buf *out, int32_t width, int32_t height, uint32_t scale_pct)
{
	pst_buf_put_be16(out, (uint16_t)width);
	pst_buf_put_be16(out, (uint16_t)height);
	pst_buf_put_be16(out, (uint16_t)scale_pct);
}

/* Undoes the premultiplication of one channel, rounded. */
static uint8_t channel_straight(uint32_t value, uint32_t alpha)
{
	return (uint8_t)PST_MIN((value * 255 + alpha / 2) / alpha, 255u);
}

void ws_write_cursor(struct pst_buf *out, const struct cursor_image *image)
{
	size_t n = (size_t)image->w * image->h;

	pst_buf_put_be16(out, image->w);
	pst_buf_put_be16(out, image->h);
	pst_buf_put_be16(out, image->hot_x);
	pst_buf_put_be16(out, image->hot_y);
	uint8_t *to = pst_buf_reserve(out, n * 4);
	if (!to)
		return;

	for (size_t i = 0; i < n; i++, to += 4) {
		uint32_t p = image->pixels[i], alpha = p >> 24;

		memset(to, 0, 4);
		if (alpha == 0)
			continue;
		to[0] = channel_straight((p >> 16) & 0xff, alpha);
		to[1] = channel_straight((p >> 8) & 0xff, alpha);
		to[2] = channel_straight(p & 0xff, alpha);
		to[3] = (uint8_t)alpha;
	}
	pst_buf_commit(out, n * 4);
}

void ws_write_texts(struct pst_buf *out, const char *text_en, const char *text_es)
{
	write_text16(out, text_en);
	write_text16(out, text_es);
}

void ws_write_watched(struct pst_buf *out, const char *names)
{
	write_text16(out, names);
}

void ws_write_stats(struct pst_buf *out, const struct ws_stats *stats)
{
	pst_buf_put_be32(out, stats->rtt_us);
	pst_buf_put_be32(out, stats->rate_kbps);
	pst_buf_put_be32(out, stats->in_flight);
	pst_buf_put_be32(out, stats->encode_us);
	pst_buf_put_be64(out, stats->frames);
	pst_buf_put_be64(out, stats->bytes);
	for (int i = WS_OP_COPY; i < WS_OPS; i++) {
		pst_buf_put_be32(out, stats->mix->ops[i]);
		pst_buf_put_be64(out, stats->mix->bytes[i]);
		pst_buf_put_be64(out, stats->mix->pixels[i]);
	}
}
