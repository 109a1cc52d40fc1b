/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration files: `key = value` lines under [sections], comments with # or ; at the
 * start of a line. Keys and sections are [a-z0-9_-]; a value is the rest of the line,
 * trimmed, or a "quoted" one where \" \\ \n \t are known. A key stands once in a section.
 * Ceilings: PST_CONF_MAX_BYTES, PST_CONF_MAX_KEYS. One thread.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PST_CONF_MAX_BYTES (256 * 1024)
#define PST_CONF_MAX_KEYS 1024
#define PST_CONF_NAME_MAX 63

struct pst_conf;

/* An empty configuration, returns owned; NULL on no memory. */
struct pst_conf *pst_conf_create(void);
void pst_conf_destroy(struct pst_conf *c);

/* Adds a file. Errors name file:line. */
int pst_conf_load(struct pst_conf *c, const char *path, struct pst_err *err);

/* Adds text; name stands for the file in errors. */
int pst_conf_parse(struct pst_conf *c, const char *name, const char *text, size_t len,
	struct pst_err *err);

/* "section.key=value" from the command line; wins over files loaded before or after. */
int pst_conf_override(struct pst_conf *c, const char *assignment, struct pst_err *err);

bool pst_conf_has(const struct pst_conf *c, const char *section, const char *key);

/* The value, or fallback (may be NULL) when it is not set. Borrowed until destroy. */
const char *pst_conf_str(struct pst_conf *c, const char *section, const char *key,
	const char *fallback);

/*
 * Typed getters write fallback when the key is not set; a bad or out-of-range value is
 * PST_EINVAL with "file:line: [section] key: reason".
 */
int pst_conf_u32(struct pst_conf *c, const char *section, const char *key, uint32_t min,
	uint32_t max, uint32_t fallback, uint32_t *ret, struct pst_err *err);
int pst_conf_u64(struct pst_conf *c, const char *section, const char *key, uint64_t min,
	uint64_t max, uint64_t fallback, uint64_t *ret, struct pst_err *err);
int pst_conf_bool(struct pst_conf *c, const char *section, const char *key, bool fallback,
	bool *ret, struct pst_err *err);

/* "250ms", "10s", "5m", "12h", "7d" in milliseconds; a bare number is seconds. */
int pst_conf_duration_ms(struct pst_conf *c, const char *section, const char *key,
	uint64_t min_ms, uint64_t max_ms, uint64_t fallback_ms, uint64_t *ret_ms,
	struct pst_err *err);

/* A string that must be set. */
int pst_conf_need(struct pst_conf *c, const char *section, const char *key,
	const char **ret, struct pst_err *err);

/*
 * After all getters: PST_EINVAL naming the first key that nobody asked for, so that a
 * typing mistake in a file is found at the start.
 */
int pst_conf_check_unused(const struct pst_conf *c, struct pst_err *err);

/* Every section name that begins with prefix, in file order; false ends the walk. */
void pst_conf_each_section(const struct pst_conf *c, const char *prefix,
	bool (*visit)(const char *section, void *arg), void *arg);
