/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Filters, scores, and the sentence that says how it came out.
 */
#include "broker/core/placement.h"

#include "broker/core/state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCORE_MEMORY 60
#define SCORE_POOL 30
#define SCORE_USER 10
#define SCORE_FAILED (-50)
#define WORDS_MAX 4096

enum verdict { FITS, EXCLUDED, MAINTENANCE, AWAY, NO_MEMORY, NO_PLACE };

/* {0} and {1} are numbers of verdict_numbers(). */
static const struct {
	const char *en, *es;
} verdicts[] = {
	[EXCLUDED] = { "it is there", "está ahí" },
	[MAINTENANCE] = { "maintenance", "en mantenimiento" },
	[AWAY] = { "away", "no responde" },
	[NO_MEMORY] = { "%d MB free, %d needed", "%d MB libres, hacen falta %d" },
	[NO_PLACE] = { "%d of %d places taken", "%d de %d plazas ocupadas" },
};

struct ranked {
	const struct placement_host *h;
	int index, score;
};

struct words {
	char text[2][WORDS_MAX]; /* English, Spanish */
};

static enum verdict judge(const struct placement_host *h, int memory_mb)
{
	if (h->maintenance)
		return MAINTENANCE;
	if (h->excluded)
		return EXCLUDED;
	if (!h->usable)
		return AWAY;
	if (h->memory_mb && h->free_mb < memory_mb)
		return NO_MEMORY;
	return h->capacity && h->machines >= h->capacity ? NO_PLACE : FITS;
}

static int share(int points, int mine, int total)
{
	return points - points * mine / (total + 1);
}

int placement_score(const struct placement_host *h, int memory_mb, int pool_total, int user_total)
{
	int64_t left = h->memory_mb ? h->free_mb - memory_mb : 0;
	int score = h->memory_mb ? (int)(SCORE_MEMORY * left / h->memory_mb) : SCORE_MEMORY / 2;

	score += share(SCORE_POOL, h->of_pool, pool_total) + share(SCORE_USER, h->of_user, user_total);
	return h->failed ? score + SCORE_FAILED : score;
}

/* The better first; of equals the emptier, then by name: the same hosts give the same answer. */
static int by_score(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->score != y->score)
		return y->score - x->score;
	if (x->h->machines != y->h->machines)
		return x->h->machines - y->h->machines;
	return strcmp(x->h->name, y->h->name) ? strcmp(x->h->name, y->h->name) : x->index - y->index;
}

static void say(struct words *w, int language, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void say(struct words *w, int language, const char *fmt, ...)
{
	size_t len = strlen(w->text[language]);
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->text[language] + len, WORDS_MAX - len, fmt, args);
	va_end(args);
}

static void say_ranked(struct words *w, const struct ranked *r)
{
	const struct placement_host *h = r->h;
	int percent = h->memory_mb ? (int)(100LL * h->free_mb / h->memory_mb) : 0;

	say(w, 0, "%s (%d: %d %% memory free, %d of this pool%s)", h->name, r->score, percent, h->of_pool,
	    h->failed ? ", the last move there failed" : "");
	say(w, 1, "%s (%d: %d %% de memoria libre, %d de este grupo%s)", h->name, r->score, percent, h->of_pool,
	    h->failed ? ", el último traslado allí falló" : "");
}

/* The formats are the table's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void say_verdict(struct words *w, const struct placement_host *h, enum verdict v, int memory_mb)
{
	char text[2][96];
	int a = v == NO_PLACE ? h->machines : h->free_mb, b = v == NO_PLACE ? h->capacity : memory_mb;

	snprintf(text[0], sizeof(text[0]), verdicts[v].en, a, b);
	snprintf(text[1], sizeof(text[1]), verdicts[v].es, a, b);
	for (int i = 0; i < 2; i++)
		say(w, i, "%s%s: %s", w->text[i][0] ? "; " : "", h->name, text[i]);
}
#pragma GCC diagnostic pop

static size_t rank(const struct placement_host *hosts, size_t count, int memory_mb, struct ranked *ret)
{
	int pool_total = 0, user_total = 0;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		pool_total += hosts[i].of_pool;
		user_total += hosts[i].of_user;
	}
	for (size_t i = 0; i < count; i++) {
		if (judge(&hosts[i], memory_mb) == FITS)
			ret[n++] = (struct ranked){ &hosts[i], (int)i, placement_score(&hosts[i], memory_mb, pool_total, user_total) };
	}
	qsort(ret, n, sizeof(*ret), by_score);
	return n;
}

void placement_choose(const struct placement_host *hosts, size_t count, int memory_mb, struct placement *ret)
{
	struct ranked ranked[PLACEMENT_HOSTS_MAX];
	struct words w = { .text = { "", "" } };
	size_t n;

	if (count > PLACEMENT_HOSTS_MAX)
		count = PLACEMENT_HOSTS_MAX;
	n = rank(hosts, count, memory_mb, ranked);
	for (size_t i = 0; i < n; i++) {
		if (i > 0) {
			say(&w, 0, i == 1 ? " before " : ", ");
			say(&w, 1, i == 1 ? " antes que " : ", ");
		}
		say_ranked(&w, &ranked[i]);
	}
	for (size_t i = 0; i < count; i++) {
		enum verdict v = judge(&hosts[i], memory_mb);

		if (v != FITS)
			say_verdict(&w, &hosts[i], v, memory_mb);
	}
	ret->index = n ? ranked[0].index : -1;
	CORE_COPY(ret->en, w.text[0]);
	CORE_COPY(ret->es, w.text[1]);
}
