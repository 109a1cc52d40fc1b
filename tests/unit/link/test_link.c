/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every message there and back, its ceilings, and frames that nobody may send. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/link/link.h"

struct frame_case {
	const char *what;
	enum link_side from;
	long want;
	size_t len;
	uint8_t bytes[64];
};

#define MAGIC 'P', 'S', 'L', 'K'

static const struct frame_case frames[] = {
	{ "nothing yet", LINK_WORKER, 0, 0, { 0 } },
	{ "half a header", LINK_WORKER, 0, 7, { LINK_READY, 0, 0, 0, 4, 0, 0 } },
	{ "payload not here yet", LINK_WORKER, 0, 10, { LINK_READY, 0, 0, 0, 4, 0, 0, 0, 9, 9 } },
	{ "ready", LINK_WORKER, 12, 12, { LINK_READY, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0 } },
	{ "ready of the agent", LINK_AGENT, PST_EPROTO, 12, { LINK_READY, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0 } },
	{ "unknown type", LINK_WORKER, PST_EPROTO, 8, { 15, 0, 0, 0, 0, 0, 0, 0 } },
	{ "type far away", LINK_WORKER, PST_EPROTO, 8, { 255, 0, 0, 0, 0, 0, 0, 0 } },
	{ "zero is not zero", LINK_WORKER, PST_EPROTO, 12, { LINK_READY, 0, 1, 0, 4, 0, 0, 0, 1, 0, 0, 0 } },
	{ "unknown flag", LINK_WORKER, PST_EPROTO, 12, { LINK_READY, 1, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0 } },
	{ "too short", LINK_WORKER, PST_EPROTO, 8, { LINK_READY, 0, 0, 0, 3, 0, 0, 0 } },
	{ "too long is told by the header", LINK_WORKER, PST_ELIMIT, 8,
		{ LINK_READY, 0, 0, 0, 0, 0, 0, 0x80 } },
	{ "hello without a grant", LINK_WORKER, PST_EPROTO, 20,
		{ LINK_HELLO, 0, 0, 0, 12, 0, 0, 0, MAGIC, 1, 0, 1, 0, 0, 0, 0, 0 } },
	{ "hello of another protocol", LINK_WORKER, PST_EPROTO, 21,
		{ LINK_HELLO, 0, 0, 0, 13, 0, 0, 0, 'H', 'T', 'T', 'P', 1, 0, 1, 0, 0, 0, 0, 0, 'g' } },
	{ "hello", LINK_WORKER, 21, 21,
		{ LINK_HELLO, 0, 0, 0, 13, 0, 0, 0, MAGIC, 1, 0, 1, 0, 0, 0, 0, 0, 'g' } },
	{ "versions upside down", LINK_WORKER, PST_EPROTO, 21,
		{ LINK_HELLO, 0, 0, 0, 13, 0, 0, 0, MAGIC, 2, 0, 1, 0, 0, 0, 0, 0, 'g' } },
	{ "damage without rectangles", LINK_AGENT, PST_EPROTO, 22,
		{ LINK_DAMAGE, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0 } },
	{ "damage of no width", LINK_AGENT, PST_EPROTO, 22,
		{ LINK_DAMAGE, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0 } },
	{ "damage", LINK_AGENT, 22, 22,
		{ LINK_DAMAGE, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 2, 0, 1, 0 } },
	{ "damage that promises more", LINK_AGENT, PST_EPROTO, 22,
		{ LINK_DAMAGE, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 1, 0, 2, 0, 1, 0 } },
	{ "resize to nothing", LINK_WORKER, PST_EPROTO, 12,
		{ LINK_RESIZE, 0, 0, 0, 4, 0, 0, 0, 0, 0, 1, 0 } },
	{ "resize to 65535", LINK_WORKER, PST_EPROTO, 12,
		{ LINK_RESIZE, 0, 0, 0, 4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff } },
	{ "cursor larger than its bytes", LINK_AGENT, PST_EPROTO, 16,
		{ LINK_CURSOR, 0, 0, 0, 8, 0, 0, 0, 1, 0, 1, 0 } },
	{ "hidden cursor", LINK_AGENT, 16, 16, { LINK_CURSOR, 0, 0, 0, 8, 0, 0, 0 } },
	{ "good-bye that is no UTF-8", LINK_AGENT, PST_EPROTO, 13,
		{ LINK_BYE, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0xff } },
};

Test(link, frames_are_accepted_or_refused_by_their_bytes)
{
	static struct link_message m;

	for (size_t i = 0; i < PST_ARRAY_LEN(frames); i++) {
		struct pst_err err = PST_ERR_INIT;
		long n = link_decode(frames[i].bytes, frames[i].len, frames[i].from, &m, &err);
		cr_assert_eq(n, frames[i].want, "%s: %ld %s", frames[i].what, n, err.text);
		cr_assert(n >= 0 || err.text[0], "%s: no reason", frames[i].what);
	}
}

static void there_and_back(const struct link_message *m, enum link_side from)
{
	static struct link_message back;
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf one, two;

	pst_buf_init(&one, LINK_FRAME_MAX);
	pst_buf_init(&two, LINK_FRAME_MAX);
	cr_assert_eq(link_encode(&one, m), 0, "%s", link_type_name(m->type));
	cr_assert_eq(link_decode(one.data, one.len, from, &back, &err), (long)one.len, "%s: %s",
		link_type_name(m->type), err.text);
	cr_assert_eq(back.type, m->type);
	cr_assert_eq(link_encode(&two, &back), 0);
	cr_assert(one.len == two.len && memcmp(one.data, two.data, one.len) == 0, "%s",
		link_type_name(m->type));
	for (size_t n = 0; n < one.len; n += 1 + one.len / 64)
		cr_assert_eq(link_decode(one.data, n, from, &back, &err), 0, "%s cut at %zu",
			link_type_name(m->type), n);
	pst_buf_finish(&one);
	pst_buf_finish(&two);
}

Test(link, messages_travel_there_and_back)
{
	static uint8_t pixels[LINK_PIXELS_MAX];
	static struct link_message m;

	m = (struct link_message){ .type = LINK_HELLO, .flags = LINK_FLAG_PIXELS };
	m.hello.version_min = m.hello.version_max = 1;
	m.hello.width = 1920;
	m.hello.height = 1080;
	m.hello.grant = "a.b";
	m.hello.grant_len = 3;
	there_and_back(&m, LINK_WORKER);
	m = (struct link_message){ .type = LINK_WELCOME, .welcome = { 1, 3840, 2160 } };
	there_and_back(&m, LINK_AGENT);
	m = (struct link_message){ .type = LINK_SURFACE,
		.flags = LINK_FLAG_FD,
		.surface = { 3, 1001, 701, 6400, LINK_FORMAT_BGRX, 3232, 7683232 } };
	there_and_back(&m, LINK_AGENT);
	m = (struct link_message){ .type = LINK_DAMAGE, .damage = { .sequence = 7, .n = LINK_RECTS_MAX } };
	for (int i = 0; i < LINK_RECTS_MAX; i++)
		m.damage.rects[i] = (struct rect){ i, 2 * i, 1 + i, 3 };
	there_and_back(&m, LINK_AGENT);
	m = (struct link_message){ .type = LINK_CURSOR, .cursor = { 256, 256, 255, 0, pixels } };
	there_and_back(&m, LINK_AGENT);
	m = (struct link_message){ .type = LINK_POINTER_MOVED, .pointer = { -5, 70000 } };
	there_and_back(&m, LINK_AGENT);
	m = (struct link_message){ .type = LINK_CLIPBOARD, .flags = LINK_FLAG_LAST, .clipboard = { "ñ", 2 } };
	there_and_back(&m, LINK_AGENT);
	there_and_back(&m, LINK_WORKER);
	m = (struct link_message){ .type = LINK_BELL };
	there_and_back(&m, LINK_AGENT);
	m = (struct link_message){ .type = LINK_BYE, .bye = { PST_ECONFLICT, "moved", 5 } };
	there_and_back(&m, LINK_AGENT);
	m = (struct link_message){ .type = LINK_PIXELS,
		.pixels = { { 10, 20, 256, 256 }, pixels, LINK_PIXELS_MAX } };
	there_and_back(&m, LINK_AGENT);
	m = (struct link_message){ .type = LINK_RESIZE, .resize = { 1, 8192 } };
	there_and_back(&m, LINK_WORKER);
	m = (struct link_message){ .type = LINK_READY, .ready = { 0xffffffff } };
	there_and_back(&m, LINK_WORKER);
}

Test(link, screens_must_lie_inside_their_memory)
{
	static const struct {
		uint16_t w, h;
		uint32_t stride, format;
		uint64_t offset, size;
		bool is_good;
	} cases[] = {
		{ 100, 100, 400, 1, 0, 40000, true },
		{ 100, 100, 400, 1, 0, 39999, false },
		{ 100, 100, 400, 1, 4, 40000, false },
		{ 100, 100, 396, 1, 0, 40000, false },
		{ 100, 100, 402, 1, 0, 80000, false },
		{ 0, 100, 400, 1, 0, 40000, false },
		{ 8192, 8192, 32768, 1, 0, 268435456, true },
		{ 8193, 1, 32772, 1, 0, 268435456, false },
		{ 100, 100, 400, 2, 0, 40000, false },
		{ 100, 100, 400, 1, UINT64_MAX - 3, 40000, false },
		{ 100, 100, 400, 1, 0, UINT64_MAX, false },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct link_message m = { .type = LINK_SURFACE,
			.surface = { 1, cases[i].w, cases[i].h, cases[i].stride, cases[i].format,
				cases[i].offset, cases[i].size } };
		struct pst_buf b;
		pst_buf_init(&b, 100);
		cr_assert_eq(link_encode(&b, &m), cases[i].is_good ? 0 : PST_EINVAL, "case %zu", i);
		cr_assert_eq(b.len, cases[i].is_good ? 40u : 0u);
		pst_buf_finish(&b);
	}
}
