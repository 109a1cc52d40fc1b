/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RDP8 bulk compression: the library's decoder, as clients have it, gives back every byte. */
#include "protocol/front/rdp/zgfx.h"

#include <criterion/criterion.h>
#include <freerdp/codec/zgfx.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LEN_MAX 200000

struct line {
	struct zgfx *sender;
	ZGFX_CONTEXT *client;
	struct pst_buf out;
	uint64_t plain, packed;
};

static void line_init(struct line *l)
{
	*l = (struct line){ .sender = zgfx_create(), .client = zgfx_context_new(FALSE) };
	pst_buf_init(&l->out, 64 << 20);
	cr_assert(l->sender && l->client);
}

static void line_finish(struct line *l)
{
	zgfx_destroy(l->sender);
	zgfx_context_free(l->client);
	pst_buf_finish(&l->out);
}

static size_t send(struct line *l, const uint8_t *data, size_t len)
{
	BYTE *shown = NULL;
	UINT32 shown_len = 0;
	pst_buf_reset(&l->out);
	zgfx_pack(l->sender, data, len, &l->out);
	cr_assert_not(l->out.failed);
	cr_assert_geq(zgfx_decompress(l->client, l->out.data, (UINT32)l->out.len, &shown, &shown_len, 0), 0, "%zu bytes", len);
	cr_assert_eq(shown_len, len);
	cr_assert_eq(memcmp(shown, data, len), 0, "%zu bytes", len);
	free(shown);
	l->plain += len;
	l->packed += l->out.len;
	return l->out.len;
}

static uint32_t seed;

static uint32_t any(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void make_noise(uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)any();
}

static void make_text(uint8_t *to, size_t len)
{
	static const char *const words[] = { "the ", "desktop ", "is ", "drawn ", "again\n", "and ", "damage ", "grows " };
	size_t n = 0;
	while (n < len) {
		const char *w = words[any() % PST_ARRAY_LEN(words)];
		size_t part = PST_MIN(strlen(w), len - n);
		memcpy(to + n, w, part);
		n += part;
	}
}

/* Indices of columns that come again, runs of nothing, and here and there pixels that nobody has seen. */
static void make_screen(uint8_t *to, size_t len)
{
	size_t n = 0;
	while (n < len) {
		size_t part = PST_MIN((size_t)(any() % 300 + 1), len - n);
		uint32_t what = any() % 4;
		if (what == 0)
			make_noise(to + n, part);
		else if (what == 1)
			memset(to + n, (int)any() % 3, part);
		else
			for (size_t i = 0; i < part; i++)
				to[n + i] = (uint8_t)(i % 2 ? 0x80 : (any() % 8 ? i / 2 : any()));
		n += part;
	}
}

static void (*const makers[])(uint8_t *, size_t) = { make_noise, make_text, make_screen };

Test(zgfx, every_length_comes_back)
{
	static uint8_t data[LEN_MAX];
	static const size_t lengths[] = { 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 1000, 4095, 32766, 32767, 32768, 32769, 65534, 65535,
					  65536, 65537, 131070, 131071, LEN_MAX };
	struct line l;
	line_init(&l);
	for (size_t m = 0; m < PST_ARRAY_LEN(makers); m++) {
		for (size_t i = 0; i < PST_ARRAY_LEN(lengths); i++) {
			makers[m](data, lengths[i]);
			send(&l, data, lengths[i]);
		}
	}
	line_finish(&l);
}

Test(zgfx, the_history_goes_round)
{
	static uint8_t data[LEN_MAX], first[5000];
	struct line l;
	line_init(&l);
	seed = 5;
	make_noise(first, sizeof(first));
	for (size_t sent = 0; sent < 3u * ZGFX_HISTORY; sent = l.plain) {
		size_t len = any() % LEN_MAX + 1;
		makers[any() % PST_ARRAY_LEN(makers)](data, len);
		/* What was said before comes again, from far and near. */
		send(&l, first, sizeof(first));
		send(&l, data, len);
		send(&l, data + len / 2, len - len / 2);
	}
	line_finish(&l);
}

Test(zgfx, storms_of_pieces_come_back)
{
	static uint8_t data[LEN_MAX];
	struct line l;
	line_init(&l);
	seed = 1;
	for (int round = 0; round < 400; round++) {
		size_t len = any() % (any() % 8 ? 400 : LEN_MAX) + 1;
		makers[any() % PST_ARRAY_LEN(makers)](data, len);
		for (uint32_t i = any() % 20; i > 0; i--)
			data[any() % len] = (uint8_t)any();
		send(&l, data, len);
	}
	line_finish(&l);
}

Test(zgfx, what_repeats_is_short_and_noise_does_not_grow)
{
	static uint8_t data[60000];
	struct line l;
	line_init(&l);
	seed = 9;
	make_noise(data, sizeof(data));
	cr_expect_leq(send(&l, data, sizeof(data)), sizeof(data) + 10);
	cr_expect_leq(send(&l, data, sizeof(data)), 30, "a message that was sent before is one match");
	memset(data, 0, sizeof(data));
	cr_expect_leq(send(&l, data, sizeof(data)), 20);
	make_text(data, sizeof(data));
	cr_expect_leq(send(&l, data, sizeof(data)), sizeof(data) / 4);
	cr_expect_leq(send(&l, data, 100), 16);
	line_finish(&l);
}

Test(zgfx, nothing_to_say_says_nothing)
{
	struct pst_buf out;
	struct zgfx *z = zgfx_create();
	pst_buf_init(&out, 100);
	zgfx_pack(z, NULL, 0, &out);
	cr_expect_eq(out.len, 0);
	static const uint8_t long_one[200];
	zgfx_pack(z, long_one, sizeof(long_one), &out);
	cr_expect(out.failed, "a buffer without room is no crash");
	pst_buf_finish(&out);
	zgfx_destroy(z);
	zgfx_destroy(NULL);
}
