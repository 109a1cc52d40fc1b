/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of a configuration, shared by conf.c and conf_parse.c. */
#pragma once

#include "base/conf.h"

struct conf_entry {
	char section[PST_CONF_NAME_MAX + 1];
	char key[PST_CONF_NAME_MAX + 1];
	char *value;
	char *where; /* "file:line" or "--set" */
	unsigned generation; /* which text set it last; 0 for --set */
	bool is_override;
	bool is_used;
};

struct pst_conf {
	struct conf_entry *entries; /* at most PST_CONF_MAX_KEYS */
	size_t n, cap;
	unsigned generation; /* texts parsed so far */
};

/* What the parser found; all borrowed. */
struct conf_item {
	const char *section, *key, *value, *where;
	unsigned generation;
	bool is_override;
};

struct conf_entry *conf_find(const struct pst_conf *c, const char *section, const char *key);

/* Adds or replaces; an override is never replaced by a file. */
int conf_put(struct pst_conf *c, const struct conf_item *item, struct pst_err *err);
