/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes against the file of before. */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERCENT 2

void golden_add(struct golden *g, const char *trace, const char *wire, uint64_t bytes)
{
	struct golden_line *l = &g->lines[g->len];

	if (g->len == GOLDEN_MAX) {
		fprintf(stderr, "golden: more than %d lines\n", GOLDEN_MAX);
		exit(1);
	}
	snprintf(l->trace, sizeof(l->trace), "%s", trace);
	snprintf(l->wire, sizeof(l->wire), "%s", wire);
	l->bytes = bytes;
	g->len++;
}

static bool load(struct golden *g, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[128], trace[GOLDEN_NAME], wire[GOLDEN_NAME];
	unsigned long long bytes;

	if (!f) {
		perror(path);
		return false;
	}
	while (fgets(line, sizeof(line), f))
		if (line[0] != '#' && sscanf(line, "%31s %31s %llu", trace, wire, &bytes) == 3)
			golden_add(g, trace, wire, bytes);
	fclose(f);
	return true;
}

static const struct golden_line *find(const struct golden *g, const struct golden_line *l)
{
	for (size_t i = 0; i < g->len; i++)
		if (strcmp(g->lines[i].trace, l->trace) == 0 && strcmp(g->lines[i].wire, l->wire) == 0)
			return &g->lines[i];
	return NULL;
}

static bool is_near(uint64_t now, uint64_t was)
{
	uint64_t apart = now > was ? now - was : was - now;

	return apart * 100 <= was * PERCENT;
}

bool golden_check(const struct golden *g, const char *path)
{
	struct golden was = { .len = 0 };
	bool is_good = load(&was, path);

	for (size_t i = 0; is_good && i < was.len; i++) {
		if (find(g, &was.lines[i]))
			continue;
		printf("golden: %s on %s was not run\n", was.lines[i].trace, was.lines[i].wire);
		is_good = false;
	}
	for (size_t i = 0; i < g->len; i++) {
		const struct golden_line *now = &g->lines[i], *old = find(&was, now);

		if (old && is_near(now->bytes, old->bytes))
			continue;
		printf("golden: %s on %s takes %llu bytes, the file says %llu\n", now->trace, now->wire,
			(unsigned long long)now->bytes, old ? (unsigned long long)old->bytes : 0);
		is_good = false;
	}
	if (!is_good)
		printf("golden: where that is meant: encoder_bench --rewrite %s\n", path);
	return is_good;
}

bool golden_write(const struct golden *g, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f) {
		perror(path);
		return false;
	}
	fprintf(f,
		"# Trace, wire, bytes of all steps: written by encoder_bench --rewrite, held within %d %%.\n",
		PERCENT);
	for (size_t i = 0; i < g->len; i++)
		fprintf(f, "%s %s %llu\n", g->lines[i].trace, g->lines[i].wire,
			(unsigned long long)g->lines[i].bytes);
	return fclose(f) == 0;
}
