/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 8259, one pass, into one arena. */
#include "agent/windows/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define PATH_SIZE 128
#define NUMBER_MAX 32

enum kind { KIND_STR, KIND_INT, KIND_BOOL, KIND_OTHER };

struct field {
	const char *name; /* in the arena */
	const char *text; /* the same; of KIND_STR */
	size_t len;
	int64_t number; /* of KIND_INT and KIND_BOOL */
	enum kind kind;
};

struct fields {
	struct field list[FIELDS_MAX];
	size_t n, at, size; /* fields; bytes of the arena: in use, there */
	char arena[];
};

struct parser {
	const char *s, *end;
	struct fields *f;
	struct pst_err *err;
};

static int value_read(struct parser *p, const char *path, int depth);

static int bad(struct parser *p, const char *what)
{
	return pst_err_set(p->err, PST_EINVAL, "the object is malformed: %s", what);
}

static void space_skip(struct parser *p)
{
	while (p->s < p->end && (*p->s == ' ' || *p->s == '\t' || *p->s == '\n' || *p->s == '\r'))
		p->s++;
}

static bool take(struct parser *p, char c)
{
	space_skip(p);
	if (p->s == p->end || *p->s != c)
		return false;
	p->s++;
	return true;
}

/* The arena is as large as two texts, and nothing in it is longer than what it was read from, with its zero. */
static char *arena_add(struct fields *f, const char *text, size_t len)
{
	char *at = f->arena + f->at;

	if (len + 1 > f->size - f->at)
		return NULL;
	memcpy(at, text, len);
	at[len] = '\0';
	f->at += len + 1;
	return at;
}

/* ---- strings --------------------------------------------------------------- */

static int hex4(struct parser *p, uint32_t *ret)
{
	uint8_t b[2];

	if (p->end - p->s < 4 || pst_hex_decode(p->s, 4, b, sizeof(b)) != 2)
		return bad(p, "an escape is not four digits");
	p->s += 4;
	*ret = (uint32_t)b[0] << 8 | b[1];
	return 0;
}

/* After "\u": one code point, of two escapes where it is above U+FFFF. */
static int unicode_read(struct parser *p, uint32_t *ret)
{
	uint32_t low;

	if (hex4(p, ret) < 0)
		return p->err->code;
	if (*ret < 0xd800 || *ret > 0xdfff)
		return 0;
	if (*ret > 0xdbff || p->end - p->s < 2 || p->s[0] != '\\' || p->s[1] != 'u')
		return bad(p, "half a pair of escapes");
	p->s += 2;
	if (hex4(p, &low) < 0)
		return p->err->code;
	if (low < 0xdc00 || low > 0xdfff)
		return bad(p, "half a pair of escapes");
	*ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

static int escape_read(struct parser *p, char *out, size_t *len)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	uint32_t cp;

	if (p->s == p->end)
		return bad(p, "a text does not end");
	char c = *p->s++;
	const char *at = c ? strchr(from, c) : NULL;
	if (at) {
		out[(*len)++] = to[at - from];
		return 0;
	}
	if (c != 'u')
		return bad(p, "an unknown escape");
	if (unicode_read(p, &cp) < 0)
		return p->err->code;
	*len += (size_t)pst_utf8_put(cp, out + *len);
	return 0;
}

/* Unescapes in place, in the arena: what is read is never shorter than what is written. */
static int string_read(struct parser *p, const char **ret, size_t *ret_len)
{
	char *out = p->f->arena + p->f->at;
	size_t len = 0, room = p->f->size - p->f->at;

	if (!take(p, '"'))
		return bad(p, "a text is expected");
	while (p->s < p->end && *p->s != '"') {
		if (len + 5 > room)
			return bad(p, "it is too long");
		if ((unsigned char)*p->s < 0x20)
			return bad(p, "a control character in a text");
		if (*p->s != '\\')
			out[len++] = *p->s++;
		else if (p->s++, escape_read(p, out, &len) < 0)
			return p->err->code;
	}
	if (p->s == p->end)
		return bad(p, "a text does not end");
	p->s++;
	if (!pst_utf8_valid(out, len))
		return bad(p, "a text is no UTF-8");
	out[len] = '\0';
	p->f->at += len + 1;
	*ret = out;
	*ret_len = len;
	return 0;
}

/* ---- values ------------------------------------------------------------------ */

static const struct field *find(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->list[i].name, name) == 0)
			return &f->list[i];
	return NULL;
}

/* A path of "" is inside of an array: checked, and not kept. */
static int add(struct parser *p, const char *path, struct field value)
{
	struct fields *f = p->f;

	if (!path[0])
		return 0;
	if (find(f, path))
		return bad(p, "a name stands there twice");
	value.name = arena_add(f, path, strlen(path));
	if (f->n == FIELDS_MAX || !value.name)
		return bad(p, "it has too many fields");
	f->list[f->n++] = value;
	return 0;
}

static size_t digits_count(const char *s, const char *end)
{
	size_t n = 0;

	while (s + n < end && s[n] >= '0' && s[n] <= '9')
		n++;
	return n;
}

/* RFC 8259, 6: the length of a number, 0 when there is none. */
static size_t number_length(const char *s, const char *end)
{
	const char *at = s + (s < end && *s == '-');
	size_t n = digits_count(at, end);

	if (n == 0 || (n > 1 && *at == '0'))
		return 0;
	at += n;
	if (at < end && *at == '.') {
		if ((n = digits_count(++at, end)) == 0)
			return 0;
		at += n;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < end && (*at == '+' || *at == '-');
		if ((n = digits_count(at, end)) == 0)
			return 0;
		at += n;
	}
	return (size_t)(at - s);
}

static int number_read(struct parser *p, const char *path)
{
	struct field value = { .kind = KIND_OTHER };
	char text[NUMBER_MAX];
	size_t n = number_length(p->s, p->end);

	if (n == 0 || n >= sizeof(text))
		return bad(p, "a value is expected");
	memcpy(text, p->s, n);
	text[n] = '\0';
	p->s += n;
	if (pst_parse_i64(text, INT64_MIN, INT64_MAX, &value.number) == 0)
		value.kind = KIND_INT;
	return add(p, path, value);
}

static int word_read(struct parser *p, const char *path)
{
	static const struct {
		const char *word;
		struct field value;
	} words[] = {
		{ "true", { .kind = KIND_BOOL, .number = 1 } },
		{ "false", { .kind = KIND_BOOL } },
		{ "null", { .kind = KIND_OTHER } },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i].word);

		if ((size_t)(p->end - p->s) >= n && memcmp(p->s, words[i].word, n) == 0) {
			p->s += n;
			return add(p, path, words[i].value);
		}
	}
	return number_read(p, path);
}

static int member_read(struct parser *p, const char *path, bool is_kept, int depth)
{
	char inner[PATH_SIZE] = "";
	const char *name;
	size_t len, n = strlen(path);

	if (string_read(p, &name, &len) < 0)
		return p->err->code;
	if (len == 0 || len > FIELDS_NAME_MAX || strlen(name) != len || n + len + 2 > sizeof(inner))
		return bad(p, "a name that is empty or too long");
	if (!take(p, ':'))
		return bad(p, "a colon is expected");
	if (is_kept) {
		memcpy(inner, path, n);
		if (n > 0)
			inner[n++] = '.';
		memcpy(inner + n, name, len + 1);
	}
	return value_read(p, inner, depth);
}

static int object_read(struct parser *p, const char *path, bool is_kept, int depth)
{
	if (take(p, '}'))
		return 0;
	do {
		if (member_read(p, path, is_kept, depth) < 0)
			return p->err->code;
	} while (take(p, ','));
	return take(p, '}') ? 0 : bad(p, "an object does not end");
}

static int array_read(struct parser *p, int depth)
{
	if (take(p, ']'))
		return 0;
	do {
		if (value_read(p, "", depth) < 0)
			return p->err->code;
	} while (take(p, ','));
	return take(p, ']') ? 0 : bad(p, "an array does not end");
}

static int value_read(struct parser *p, const char *path, int depth)
{
	struct field value = { .kind = KIND_OTHER };

	space_skip(p);
	if (p->s == p->end)
		return bad(p, "it ends early");
	if (*p->s == '"') {
		value.kind = KIND_STR;
		return string_read(p, &value.text, &value.len) < 0 ? p->err->code : add(p, path, value);
	}
	if (*p->s != '{' && *p->s != '[')
		return word_read(p, path);
	if (depth == 0)
		return bad(p, "it is nested too deeply");
	if (add(p, path, value) < 0)
		return p->err->code;
	return *p->s++ == '{' ? object_read(p, path, path[0] != '\0', depth - 1) : array_read(p, depth - 1);
}

struct fields *fields_parse(const char *text, size_t len, struct pst_err *err)
{
	size_t size;
	struct fields *f = NULL;

	/* Names stand in the arena twice, by themselves and as a path. */
	if (pst_mem_mul(len, 2, &size) && pst_mem_add(size, FIELDS_MAX * PATH_SIZE, &size))
		f = pst_zalloc(1, sizeof(*f) + size);
	if (!f) {
		pst_err_set(err, PST_ENOMEM, "no memory for an object of %zu bytes", len);
		return NULL;
	}
	struct parser p = { text, text + len, f, err };
	f->size = size;
	int rc = take(&p, '{') ? object_read(&p, "", true, FIELDS_DEPTH - 1) : bad(&p, "it is no object");
	space_skip(&p);
	if (rc == 0 && p.s < p.end)
		rc = bad(&p, "something follows it");
	if (rc == 0)
		return f;
	fields_free(f);
	return NULL;
}

void fields_free(struct fields *f)
{
	if (f)
		pst_wipe(f, sizeof(*f) + f->size);
	free(f);
}

/* ---- looking --------------------------------------------------------------- */

const char *fields_str(const struct fields *f, const char *name, size_t max)
{
	const struct field *v = find(f, name);

	return v && v->kind == KIND_STR && v->len <= max && strlen(v->text) == v->len ? v->text : NULL;
}

int64_t fields_int(const struct fields *f, const char *name, int64_t min, int64_t max, int64_t fallback)
{
	const struct field *v = find(f, name);

	return v && v->kind == KIND_INT && v->number >= min && v->number <= max ? v->number : fallback;
}

bool fields_bool(const struct fields *f, const char *name, bool fallback)
{
	const struct field *v = find(f, name);

	return v && v->kind == KIND_BOOL ? v->number != 0 : fallback;
}

bool fields_has(const struct fields *f, const char *name)
{
	return find(f, name) != NULL;
}

int fields_only(const struct fields *f, const char *const *known, struct pst_err *err)
{
	for (size_t i = 0; i < f->n; i++) {
		size_t k = 0;

		while (known[k] && strcmp(known[k], f->list[i].name) != 0)
			k++;
		if (!known[k])
			return pst_err_set(err, PST_EINVAL, "%.64s: is not known", f->list[i].name);
	}
	return 0;
}

/* ---- writing ----------------------------------------------------------------- */

static void text_put(struct pst_buf *b, const char *s)
{
	if (!pst_utf8_valid(s, strlen(s)))
		b->failed = true;
	pst_buf_put_u8(b, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			pst_buf_put_u8(b, '\\');
		if ((unsigned char)*s < 0x20)
			pst_buf_printf(b, "\\u%04x", (unsigned)*s);
		else
			pst_buf_put_u8(b, (uint8_t)*s);
	}
	pst_buf_put_u8(b, '"');
}

static void name_put(struct pst_buf *b, const char *name)
{
	if (b->len > 0 && b->data[b->len - 1] != '{')
		pst_buf_put_u8(b, ',');
	text_put(b, name);
	pst_buf_put_u8(b, ':');
}

void fields_begin(struct pst_buf *b)
{
	pst_buf_put_u8(b, '{');
}

void fields_put_str(struct pst_buf *b, const char *name, const char *value)
{
	name_put(b, name);
	if (value)
		text_put(b, value);
	else
		pst_buf_put_str(b, "null");
}

void fields_put_int(struct pst_buf *b, const char *name, int64_t value)
{
	name_put(b, name);
	pst_buf_printf(b, "%lld", (long long)value);
}

void fields_put_bool(struct pst_buf *b, const char *name, bool value)
{
	name_put(b, name);
	pst_buf_put_str(b, value ? "true" : "false");
}

void fields_end(struct pst_buf *b)
{
	pst_buf_put_u8(b, '}');
}
