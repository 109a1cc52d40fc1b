/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines are what rows of paper part, letters what columns of paper part; a table tells by the hashes of two where they stood. */
#include "encoder/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define AREA_MIN 4096    /* of an operation: letters that are typed are looked for by twin.c */
#define PAGE_H_MIN 12    /* of an operation: less has no whole letters */
#define LINE_MAX 64      /* rows: what is higher is no line */
#define LINE_MIN 5
#define REPEAT_W_MIN 6   /* less is a letter, and hardly dearer than a copy */
#define REPEAT_AREA_MIN 40
#define PAPER_SAMPLES 61 /* a prime */
#define COLUMNS_MAX 2048
#define LETTERS 16384    /* that are remembered; a power of two */
#define SLOTS 16384      /* a power of two */
#define TRIES 12         /* places where a letter stands, */
#define STEPS 64         /* among those where it stood */
#define RGB_MASK 0xffffffu
#define LATER_MAX 256    /* operations that are looked through for what is not there yet */

/* What stands between two columns of paper: a letter, or some that touch each other. */
struct letter {
	uint64_t hash; /* 0: something else stands there now */
	struct rect rect;
	uint32_t stamp; /* of the operation that it was found in */
	uint32_t line;  /* letters of a line have one number */
	uint32_t older; /* the one like it before, as counted; 0 none */
};

struct words {
	struct letter letters[LETTERS]; /* a ring: the newest of count */
	uint32_t heads[SLOTS];          /* by a letter's hash: the last one like it, as counted */
	uint32_t count, line, stamp;    /* letters are counted from 1 */
	struct op_repeat *list;         /* of this plan */
	size_t len;
	uint32_t apart[COLUMNS_MAX];
	struct letter now[COLUMNS_MAX / 2 + 1]; /* of the line that is looked at */
	size_t now_len;
};

/* What is looked through now. */
struct search {
	struct encoder *e;
	struct words *w;
	size_t op; /* its place in the plan */
	const struct rect *all;
	uint32_t paper;
};

/* A row of letters, and where it stood. */
struct match {
	size_t len;
	struct rect rect;
	int32_t x, y;
};

struct words *words_create(void)
{
	struct words *w = pst_zalloc(1, sizeof(*w));

	if (w)
		w->list = pst_zalloc(REPEATS_MAX, sizeof(*w->list));
	if (w && w->list)
		return w;
	words_destroy(w);
	return NULL;
}

void words_destroy(struct words *w)
{
	if (w)
		free(w->list);
	free(w);
}

void words_clear(struct words *w)
{
	memset(w->heads, 0, sizeof(w->heads));
	w->count = 0;
}

static struct letter *letter_at(struct words *w, uint32_t n)
{
	return &w->letters[n & (LETTERS - 1)];
}

/* Rows are too short for a vector's start and end to pay. */
static uint64_t hash_short(uint64_t h, const uint32_t *px, int32_t n)
{
	for (; n >= 2; n -= 2, px += 2)
		h = (h ^ (px[0] & RGB_MASK) ^ (uint64_t)(px[1] & RGB_MASK) << 32) * UINT64_C(0x9e3779b97f4a7c15) ^ h >> 29;
	return n ? (h ^ (px[0] & RGB_MASK)) * UINT64_C(0x9e3779b97f4a7c15) : h;
}

static uint64_t hash_of(const struct search *s, const struct rect *r)
{
	uint64_t h = (uint64_t)r->w << 32 | (uint32_t)r->h;

	for (int32_t y = r->y; y < r->y + r->h; y++)
		h = hash_short(h, encoder_row(s->e, r->x, y), r->w) ^ h >> 31;
	return h | 1;
}

static bool is_same(const struct search *s, const struct rect *a, const struct rect *b)
{
	if (a->w != b->w || a->h != b->h)
		return false;
	for (int32_t y = 0; y < a->h; y++)
		if (!s->e->dsp->same_row(encoder_row(s->e, a->x, a->y + y), encoder_row(s->e, b->x, b->y + y), a->w))
			return false;
	return true;
}

/* The client's pixels in r may differ from the sent picture, or be sent after this operation. */
static bool is_uncertain(const struct search *s, const struct rect *r, uint32_t stamp)
{
	struct rect span = tiles_span(r), in;

	if (rect_intersect(r, s->all, &in) && stamp != s->w->stamp)
		return true;
	for (size_t i = s->op + 1; i < s->e->ops_len; i++)
		if (rect_intersect(r, &s->e->ops[i].rect, &in))
			return true;
	for (int32_t row = span.y; row < span.y + span.h; row++)
		for (int32_t column = span.x; column < span.x + span.w; column++)
			if (!box_is_empty(&tiles_at(&s->e->tiles, column, row)->lossy))
				return true;
	return false;
}

/* How many letters from now[at] on stand from letter n on as they do here. */
static size_t length_of(struct words *w, size_t at, uint32_t n)
{
	const struct letter *here = &w->now[at], *there = letter_at(w, n);
	size_t len = 0;

	for (; at + len < w->now_len && n + len <= w->count; len++) {
		const struct letter *a = &w->now[at + len], *b = letter_at(w, n + (uint32_t)len);

		if (a->hash != b->hash || b->line != there->line || b->stamp != there->stamp || a->rect.x - here->rect.x != b->rect.x - there->rect.x ||
			a->rect.y - here->rect.y != b->rect.y - there->rect.y)
			break;
	}
	return len;
}

static bool is_worth(const struct rect *r)
{
	return r->w >= REPEAT_W_MIN && rect_area(r) >= REPEAT_AREA_MIN;
}

static struct rect hull_of(const struct letter *letters, size_t n)
{
	struct rect hull = letters[0].rect;

	for (size_t i = 1; i < n; i++)
		hull = rect_union(&hull, &letters[i].rect);
	return hull;
}

static uint32_t *head_of(struct words *w, size_t at)
{
	return &w->heads[w->now[at].hash >> 40 & (SLOTS - 1)];
}

static bool is_remembered(const struct words *w, uint32_t n)
{
	return n && n <= w->count && w->count - n < LETTERS - COLUMNS_MAX;
}

/* The longest row from now[at] on that is known and still there. */
static struct match find_match(struct search *s, size_t at)
{
	struct words *w = s->w;
	struct match best = { .len = 0 };
	uint32_t n = *head_of(w, at);

	for (int tries = 0, steps = 0; tries < TRIES && steps < STEPS && is_remembered(w, n); steps++, n = letter_at(w, n)->older) {
		const struct letter *there = letter_at(w, n);
		size_t len = length_of(w, at, n);

		tries += len > 0;
		if (len <= best.len)
			continue;
		struct rect r = hull_of(&w->now[at], len), from = r;

		from.x += there->rect.x - w->now[at].rect.x;
		from.y += there->rect.y - w->now[at].rect.y;
		if (is_worth(&r) && from.x >= 0 && from.y >= 0 && is_same(s, &r, &from) && !is_uncertain(s, &from, there->stamp))
			best = (struct match){ len, r, from.x, from.y };
	}
	return best;
}

static void remember(struct words *w, size_t at)
{
	uint32_t *head = head_of(w, at), n = ++w->count;

	*letter_at(w, n) = w->now[at];
	letter_at(w, n)->older = *head;
	*head = n;
}

static void add_repeat(struct search *s, const struct match *m)
{
	struct op *op = &s->e->ops[s->op];

	s->w->list[s->w->len++] = (struct op_repeat){ m->rect, m->x, m->y };
	op->lossless.repeats_len++;
	op->lossless.paper = s->paper;
}

/* The rows of the columns that have ink. */
static void add_letter(struct search *s, const struct rect *line, int32_t from, int32_t to)
{
	struct words *w = s->w;
	struct rect r = { line->x + from, line->y, to - from, line->h };

	while (r.h > 1 && s->e->dsp->is_colour(encoder_row(s->e, r.x, r.y), r.w, s->paper)) {
		r.y++;
		r.h--;
	}
	while (r.h > 1 && s->e->dsp->is_colour(encoder_row(s->e, r.x, r.y + r.h - 1), r.w, s->paper))
		r.h--;
	w->now[w->now_len++] = (struct letter){ hash_of(s, &r), r, w->stamp, w->line, 0 };
}

static void split_line(struct search *s, const struct rect *line)
{
	uint32_t *apart = s->w->apart;
	int32_t first = -1;

	memset(apart, 0, (size_t)line->w * sizeof(*apart));
	for (int32_t y = line->y; y < line->y + line->h; y++)
		s->e->dsp->mark_apart(apart, encoder_row(s->e, line->x, y), line->w, s->paper);
	s->w->now_len = 0;
	for (int32_t x = 0; x <= line->w; x++) {
		bool is_ink = x < line->w && apart[x];

		if (!is_ink && first >= 0)
			add_letter(s, line, first, x);
		first = !is_ink ? -1 : first < 0 ? x : first;
	}
}

/* Rows of letters that are known become repeats; all letters are remembered behind what was looked at. */
static void look_line(struct search *s, const struct rect *line)
{
	struct words *w = s->w;

	w->line++;
	split_line(s, line);
	for (size_t at = 0; at < w->now_len;) {
		struct match m = find_match(s, at);
		size_t n = PST_MAX(m.len, (size_t)1);

		if (m.len && w->len < REPEATS_MAX)
			add_repeat(s, &m);
		for (; n > 0; n--)
			remember(w, at++);
	}
}

static void split_lines(struct search *s)
{
	const struct rect *all = s->all;
	struct rect line = { all->x, all->y, all->w, 0 };

	for (int32_t y = all->y; y <= all->y + all->h; y++) {
		bool is_paper = y == all->y + all->h || s->e->dsp->is_colour(encoder_row(s->e, all->x, y), all->w, s->paper);

		if (!is_paper) {
			line.h++;
			continue;
		}
		if (line.h >= LINE_MIN && line.h <= LINE_MAX)
			look_line(s, &line);
		line.y = y + 1;
		line.h = 0;
	}
}

/* The most frequent colour of some pixels. */
static uint32_t paper_of(const struct encoder *e, const struct rect *r)
{
	int64_t area = rect_area(r), step = PST_MAX(area / PAPER_SAMPLES, (int64_t)1);
	uint32_t best = 0, votes = 0;

	for (int64_t i = 0; i < area; i += step) {
		uint32_t px = *encoder_row(e, r->x + (int32_t)(i % r->w), r->y + (int32_t)(i / r->w));

		best = votes ? best : px;
		votes += px == best ? 1 : UINT32_MAX;
	}
	return best;
}

static bool is_painting(const struct op *op)
{
	return op->kind != OP_COPY && rect_area(&op->rect) >= AREA_MIN;
}

static bool is_painted(const struct encoder *e, const struct rect *r)
{
	struct rect in;

	for (size_t i = 0; i < e->ops_len; i++)
		if (is_painting(&e->ops[i]) && rect_intersect(&e->ops[i].rect, r, &in))
			return true;
	return false;
}

/* What the plan paints over is no source any more. Once for all operations: the table is larger than a cache. */
static void forget_painted(struct words *w, const struct encoder *e)
{
	struct rect hull = { 0, 0, 0, 0 }, in;

	for (size_t i = 0; i < e->ops_len; i++)
		if (is_painting(&e->ops[i]))
			hull = rect_union(&hull, &e->ops[i].rect);
	for (size_t i = 0; i < LETTERS && !rect_is_empty(&hull); i++)
		if (w->letters[i].hash && rect_intersect(&w->letters[i].rect, &hull, &in) && is_painted(e, &w->letters[i].rect))
			w->letters[i].hash = 0;
}

/* Letters go along with what is copied. */
static void follow_copy(struct words *w, const struct op *op)
{
	const struct rect from = { op->copy.x, op->copy.y, op->rect.w, op->rect.h };

	for (size_t i = 0; i < LETTERS; i++) {
		struct letter *letter = &w->letters[i];

		if (!rect_contains(&from, &letter->rect))
			continue;
		letter->rect.x += op->rect.x - from.x;
		letter->rect.y += op->rect.y - from.y;
	}
}

static bool is_page(const struct op *op)
{
	return op->kind == OP_LOSSLESS && op->klass == OP_CLASS_TEXT && rect_area(&op->rect) >= AREA_MIN && op->rect.h >= PAGE_H_MIN &&
		op->rect.w <= COLUMNS_MAX;
}

void words_find(struct encoder *e)
{
	struct words *w = e->words;
	size_t at = 0;

	w->len = 0;
	for (size_t i = 0; i < e->ops_len; i++)
		if (e->ops[i].kind == OP_COPY && rect_area(&e->ops[i].rect) >= AREA_MIN)
			follow_copy(w, &e->ops[i]);
	forget_painted(w, e);
	for (size_t i = 0; i < e->ops_len; i++) {
		struct op *op = &e->ops[i];

		w->stamp++;
		if (!is_page(op) || e->ops_len - i > LATER_MAX)
			continue;
		struct search s = { e, w, i, &op->rect, paper_of(e, &op->rect) };

		split_lines(&s);
		op->lossless.repeats = w->list + at;
		at = w->len;
	}
}
