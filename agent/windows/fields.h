/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON objects as the broker's messages, seeds and our own state have them: read strictly into a flat list of names and values, written
 * field by field. The agent for Windows has no library besides Windows' own. Pure.
 *
 *	{"re": 1, "error": {"code": "denied"}}  →  re = 1, error.code = "denied"
 *
 * Arrays are checked and skipped. Refused: doubled names, bytes that are no UTF-8, nesting and counts above the ceilings, anything after the end.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define FIELDS_MAX 64
#define FIELDS_DEPTH 8
#define FIELDS_NAME_MAX 64

struct fields;

/* Returns owned, NULL with err. */
struct fields *fields_parse(const char *text, size_t len, struct pst_err *err);
/* Wipes it: there are secrets among them. Accepts NULL. */
void fields_free(struct fields *f);

/* The text (at most max bytes, no NUL in it; alive as long as f), or NULL when there is none or it is something else. */
const char *fields_str(const struct fields *f, const char *name, size_t max);
int64_t fields_int(const struct fields *f, const char *name, int64_t min, int64_t max, int64_t fallback);
bool fields_bool(const struct fields *f, const char *name, bool fallback);
bool fields_has(const struct fields *f, const char *name);

/* PST_EINVAL naming the first field that is not in known (ends with NULL). */
int fields_only(const struct fields *f, const char *const *known, struct pst_err *err);

/* An object, written: begin, any number of put, end. What cannot be written makes the buffer fail. */
void fields_begin(struct pst_buf *b);
void fields_put_str(struct pst_buf *b, const char *name, const char *value); /* NULL: null */
void fields_put_int(struct pst_buf *b, const char *name, int64_t value);
void fields_put_bool(struct pst_buf *b, const char *name, bool value);
void fields_end(struct pst_buf *b);
