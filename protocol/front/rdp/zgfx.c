/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The RDP8 bulk compressor; see zgfx.h. History lies in one piece with the segment at work behind it, and slides when the room is used up. Two
 * tables find matches: where three bytes were last, and four places where eight bytes were. A match is taken by the bits that it
 * saves, and waits when the next byte begins a better one.
 */
#include "protocol/front/rdp/zgfx.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SEGMENT_MAX 65535
#define SEGMENTS_MAX 65535
#define ROOM (ZGFX_HISTORY + 4 * (SEGMENT_MAX + 1))
#define TAIL 8 /* readable bytes behind the last */
#define NEAR_BITS 13
#define FAR_BITS 15
#define FAR_WAYS 4
#define TAG_BITS 8 /* of a hash, beside each place: most that only share a slot are never looked at */
#define TAG_MASK ((1u << TAG_BITS) - 1)
#define PLACE_MASK (UINT32_MAX >> TAG_BITS)
#define NEAR_MIN 3
#define FAR_MIN 8
#define GOOD_LEN 48      /* long enough to look no further */
#define INSERT_ALL 32    /* of longer matches only every fourth byte is noted */
#define SKIP_SHIFT 5     /* after 32 bytes without a match every second is tried, and so on */
#define RAW_MAX 32767
#define RAW_TOKEN_BITS 25

enum { SINGLE = 0xe0, MULTIPART = 0xe1, PLAIN = 0x04, PACKED = 0x24 };

struct zgfx {
	uint8_t *buf;   /* ROOM + TAIL bytes; the newest ZGFX_HISTORY of them are what the client remembers */
	uint32_t used;
	uint32_t base;  /* place in the stream of buf[0], modulo 2^32 */
	uint32_t near[1 << NEAR_BITS], far[1 << FAR_BITS][FAR_WAYS]; /* places in the stream, modulo 2^24, above a tag */
	uint32_t cost[SEGMENT_MAX + 1]; /* bits of the segment's first n bytes as literals */
};

/* Bits, highest first; is_full when there is no more room. */
struct bits {
	uint8_t *at, *end;
	uint64_t held;
	unsigned len;
	bool is_full;
};

struct match {
	uint32_t len, distance;
	int32_t gain; /* bits saved, against literals */
};

/* 3.1.9.1.2: single bytes with a code of their own; all others have a zero bit and their eight. */
static const struct {
	uint8_t byte, len, code;
} short_literals[] = {
	{ 0x00, 5, 0x18 }, { 0x01, 5, 0x19 }, { 0x02, 6, 0x34 }, { 0x03, 6, 0x35 }, { 0xff, 6, 0x36 }, { 0x04, 7, 0x6e }, { 0x05, 7, 0x6f },
	{ 0x06, 7, 0x70 }, { 0x07, 7, 0x71 }, { 0x08, 7, 0x72 }, { 0x09, 7, 0x73 }, { 0x0a, 7, 0x74 }, { 0x0b, 7, 0x75 }, { 0x3a, 7, 0x76 },
	{ 0x3b, 7, 0x77 }, { 0x3c, 7, 0x78 }, { 0x3d, 7, 0x79 }, { 0x3e, 7, 0x7a }, { 0x3f, 7, 0x7b }, { 0x40, 7, 0x7c }, { 0x80, 7, 0x7d },
	{ 0x0c, 8, 0xfc }, { 0x38, 8, 0xfd }, { 0x39, 8, 0xfe }, { 0x66, 8, 0xff },
};

static const struct distance_code {
	uint32_t base;
	uint8_t len, code, bits;
} distances[] = {
	{ 0, 5, 17, 5 }, { 32, 5, 18, 7 }, { 160, 5, 19, 9 }, { 672, 5, 20, 10 }, { 1696, 5, 21, 12 }, { 5792, 6, 44, 14 }, { 22176, 6, 45, 15 },
	{ 54944, 7, 92, 18 }, { 317088, 7, 93, 20 }, { 1365664, 8, 188, 20 }, { 2414240, 8, 189, 21 }, { UINT32_MAX, 0, 0, 0 },
};

static struct {
	uint8_t len;
	uint16_t code;
} literals[256];

static void fill_literals(void)
{
	for (unsigned i = 0; i < 256; i++) {
		literals[i].len = 9;
		literals[i].code = (uint16_t)i;
	}
	for (size_t i = 0; i < PST_ARRAY_LEN(short_literals); i++) {
		literals[short_literals[i].byte].len = short_literals[i].len;
		literals[short_literals[i].byte].code = short_literals[i].code;
	}
}

static void put_bits(struct bits *b, uint32_t value, unsigned n)
{
	b->held = b->held << n | value;
	b->len += n;
	while (b->len >= 8) {
		b->is_full |= b->at == b->end;
		if (b->is_full)
			return;
		b->len -= 8;
		*b->at++ = (uint8_t)(b->held >> b->len);
	}
}

/* Zeros up to a whole byte; returns how many. */
static unsigned put_padding(struct bits *b)
{
	unsigned n = (8 - b->len % 8) % 8;
	put_bits(b, 0, n);
	return n;
}

static const struct distance_code *code_of(uint32_t distance)
{
	const struct distance_code *c = distances;
	while (distance >= c[1].base)
		c++;
	return c;
}

static unsigned log2_floor(uint32_t v)
{
	return 31u - (unsigned)__builtin_clz(v);
}

static uint32_t match_bits(uint32_t len, uint32_t distance)
{
	const struct distance_code *c = code_of(distance);
	return c->len + c->bits + (len == 3 ? 1 : 2 * log2_floor(len));
}

static void put_match(struct bits *b, const struct match *m)
{
	const struct distance_code *c = code_of(m->distance);
	put_bits(b, c->code, c->len);
	put_bits(b, m->distance - c->base, c->bits);
	if (m->len == 3) {
		put_bits(b, 0, 1);
		return;
	}
	unsigned k = log2_floor(m->len);
	put_bits(b, (1u << k) - 2, k); /* k - 1 ones and a zero */
	put_bits(b, m->len - (1u << k), k);
}

/* A match of distance zero says how many bytes follow as they are, from the next whole byte on. */
static void put_raw(struct bits *b, const uint8_t *data, uint32_t len)
{
	put_bits(b, distances[0].code, 5);
	put_bits(b, 0, 5);
	put_bits(b, len, 15);
	put_padding(b);
	b->is_full |= (size_t)(b->end - b->at) < len;
	if (b->is_full)
		return;
	memcpy(b->at, data, len);
	b->at += len;
}

static void put_literals(struct bits *b, const uint8_t *data, uint32_t len, uint32_t cost)
{
	while (len > 0 && cost > RAW_TOKEN_BITS + 7 + 8 * len) {
		uint32_t n = PST_MIN(len, (uint32_t)RAW_MAX);
		put_raw(b, data, n);
		data += n;
		len -= n;
		cost = UINT32_MAX; /* the rest in the same way */
	}
	for (; len > 0 && !b->is_full; len--, data++)
		put_bits(b, literals[*data].code, literals[*data].len);
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t same_bytes(const uint8_t *a, const uint8_t *b, uint32_t max)
{
	uint32_t n = 0;
	while (n + 8 <= max) {
		uint64_t differ = load64(a + n) ^ load64(b + n);
		if (differ)
			return n + (uint32_t)__builtin_ctzll(differ) / 8;
		n += 8;
	}
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

/* Hashes of the first three and of all eight bytes: slot bits on top, then the tag. */
static uint32_t near_hash(uint64_t v)
{
	return (uint32_t)(v & 0xffffff) * 0x9e3779b1u;
}

static uint64_t far_hash(uint64_t v)
{
	return v * 0x9e3779b97f4a7c15u;
}

static uint32_t near_tag(uint32_t hash)
{
	return hash >> (32 - NEAR_BITS - TAG_BITS) & TAG_MASK;
}

static uint32_t far_tag(uint64_t hash)
{
	return (uint32_t)(hash >> (64 - FAR_BITS - TAG_BITS)) & TAG_MASK;
}

static void note(struct zgfx *z, uint32_t i)
{
	uint64_t v = load64(z->buf + i), fh = far_hash(v);
	uint32_t nh = near_hash(v), place = (z->base + i) << TAG_BITS, *far = z->far[fh >> (64 - FAR_BITS)];
	z->near[nh >> (32 - NEAR_BITS)] = place | near_tag(nh);
	far[3] = far[2];
	far[2] = far[1];
	far[1] = far[0];
	far[0] = place | far_tag(fh);
}

static void note_match(struct zgfx *z, uint32_t i, uint32_t len)
{
	uint32_t step = len > INSERT_ALL ? 4 : 1;
	for (uint32_t k = 0; k < len; k += step)
		note(z, i + k);
}

/* An entry of the tables against what stands at i; better is replaced. Old entries point anywhere: what counts is compared. */
static void try_place(const struct zgfx *z, uint32_t entry, uint32_t i, uint32_t start, uint32_t end, struct match *best)
{
	uint32_t distance = (z->base + i - (entry >> TAG_BITS)) & PLACE_MASK;
	if (distance - 1 >= PST_MIN(i, (uint32_t)ZGFX_HISTORY) || z->buf[i - distance + best->len] != z->buf[i + best->len])
		return;
	uint32_t len = same_bytes(z->buf + i - distance, z->buf + i, end - i);
	if (len < NEAR_MIN || len <= best->len)
		return;
	int32_t gain = (int32_t)(z->cost[i - start + len] - z->cost[i - start]) - (int32_t)match_bits(len, distance);
	if (gain > best->gain)
		*best = (struct match){ len, distance, gain };
}

static struct match find(const struct zgfx *z, uint32_t i, uint32_t start, uint32_t end)
{
	struct match best = { 0 };
	if (end - i < NEAR_MIN)
		return best;
	uint64_t v = load64(z->buf + i), fh = far_hash(v);
	uint32_t nh = near_hash(v), entry = z->near[nh >> (32 - NEAR_BITS)];
	if ((entry & TAG_MASK) == near_tag(nh))
		try_place(z, entry, i, start, end, &best);
	if (end - i < FAR_MIN)
		return best;
	const uint32_t *far = z->far[fh >> (64 - FAR_BITS)];
	for (int way = 0; way < FAR_WAYS && best.len < GOOD_LEN; way++)
		if ((far[way] & TAG_MASK) == far_tag(fh))
			try_place(z, far[way], i, start, end, &best);
	return best;
}

/* Matches and literals of buf[start … end). */
static void pack_tokens(struct zgfx *z, uint32_t start, uint32_t end, struct bits *b)
{
	uint32_t i = start, literal = start;
	struct match m = find(z, i, start, end);
	while (i < end && !b->is_full) {
		note(z, i);
		if (m.gain <= 0) {
			i += 1 + ((i - literal) >> SKIP_SHIFT);
			m = find(z, PST_MIN(i, end), start, end);
			continue;
		}
		struct match later = { 0 };
		if (m.len < GOOD_LEN)
			later = find(z, i + 1, start, end);
		if (later.gain > m.gain) {
			i++;
			m = later;
			continue;
		}
		put_literals(b, z->buf + literal, i - literal, z->cost[i - start] - z->cost[literal - start]);
		put_match(b, &m);
		note_match(z, i + 1, m.len - 1);
		i += m.len;
		literal = i;
		m = find(z, i, start, end);
	}
	put_literals(b, z->buf + literal, end - literal, z->cost[end - start] - z->cost[literal - start]);
}

/* Makes the segment the end of the history. */
static uint32_t take(struct zgfx *z, const uint8_t *data, uint32_t len)
{
	if (z->used + len > ROOM) {
		uint32_t gone = z->used - ZGFX_HISTORY;
		memmove(z->buf, z->buf + gone, ZGFX_HISTORY);
		z->base += gone;
		z->used = ZGFX_HISTORY;
	}
	uint32_t start = z->used;
	memcpy(z->buf + start, data, len);
	z->used += len;
	for (uint32_t i = 0; i < len; i++)
		z->cost[i + 1] = z->cost[i] + literals[data[i]].len;
	return start;
}

/* RDP8_BULK_ENCODED_DATA, 2.2.5.3: a header, tokens, and how many bits of the last byte but one are unused. */
static void put_segment(struct zgfx *z, const uint8_t *data, uint32_t len, struct pst_buf *out)
{
	uint8_t *to = pst_buf_reserve(out, (size_t)len + 1);
	if (!to)
		return;
	uint32_t start = take(z, data, len);
	struct bits b = { .at = to + 1, .end = to + len };
	pack_tokens(z, start, start + len, &b);
	unsigned unused = put_padding(&b);
	if (b.is_full || b.at == b.end) {
		to[0] = PLAIN;
		memcpy(to + 1, data, len);
		pst_buf_commit(out, (size_t)len + 1);
		return;
	}
	to[0] = PACKED;
	*b.at++ = (uint8_t)unused;
	pst_buf_commit(out, (size_t)(b.at - to));
}

struct zgfx *zgfx_create(void)
{
	struct zgfx *z = pst_zalloc(1, sizeof(*z));
	if (!z)
		return NULL;
	z->buf = pst_zalloc(1, ROOM + TAIL);
	if (!z->buf) {
		zgfx_destroy(z);
		return NULL;
	}
	fill_literals();
	return z;
}

void zgfx_destroy(struct zgfx *z)
{
	if (!z)
		return;
	free(z->buf);
	free(z);
}

void zgfx_pack(struct zgfx *z, const void *data, size_t len, struct pst_buf *out)
{
	const uint8_t *from = data;
	size_t segments = (len + SEGMENT_MAX - 1) / SEGMENT_MAX;
	if (segments == 0)
		return;
	out->failed |= segments > SEGMENTS_MAX;
	pst_buf_put_u8(out, segments == 1 ? SINGLE : MULTIPART);
	if (segments > 1) {
		pst_buf_put_le16(out, (uint16_t)segments);
		pst_buf_put_le32(out, (uint32_t)len);
	}
	for (; len > 0 && !out->failed; len -= PST_MIN(len, (size_t)SEGMENT_MAX), from += SEGMENT_MAX) {
		size_t at = out->len;
		if (segments > 1)
			pst_buf_put_le32(out, 0);
		put_segment(z, from, (uint32_t)PST_MIN(len, (size_t)SEGMENT_MAX), out);
		if (segments > 1 && !out->failed)
			pst_buf_poke_le32(out, at, (uint32_t)(out->len - at - 4));
	}
}
