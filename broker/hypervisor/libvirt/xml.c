/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes and picks from XML documents (Extensible Markup Language 1.0, 2.2, 2.4, 3.1, 4.1, 4.6). */
#include "broker/hypervisor/libvirt/xml.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAME_END " \t\r\n/>"

static const struct {
	char c;
	const char *entity;
} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&apos;" } };

static const char *entity_of(char c)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(entities); i++) {
		if (entities[i].c == c)
			return entities[i].entity;
	}
	return NULL;
}

void xml_put_text(struct pst_buf *b, const char *text)
{
	for (const char *p = text; *p; p++) {
		const char *entity = entity_of(*p);

		if (entity)
			pst_buf_put_str(b, entity);
		else if ((unsigned char)*p >= ' ' || *p == '\t' || *p == '\n')
			pst_buf_append(b, p, 1);
	}
}

/* "&#10;" or "&#x41;" at s; returns its length, 0 for what is none. */
static size_t reference_read(const char *s, size_t n, struct pst_buf *b)
{
	char *end, utf8[4];
	long value;
	int len;

	if (n < 4 || s[1] != '#')
		return 0;
	value = s[2] == 'x' ? strtol(s + 3, &end, 16) : strtol(s + 2, &end, 10);
	if (*end != ';' || (size_t)(end - s) >= n || value <= 0 || value > 0x10ffff)
		return 0;
	len = pst_utf8_put((uint32_t)value, utf8);
	pst_buf_append(b, utf8, (size_t)len);
	return len > 0 ? (size_t)(end - s) + 1 : 0;
}

static size_t entity_read(const char *s, size_t n, struct pst_buf *b)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(entities); i++) {
		size_t len = strlen(entities[i].entity);

		if (n >= len && memcmp(s, entities[i].entity, len) == 0) {
			pst_buf_append(b, &entities[i].c, 1);
			return len;
		}
	}
	return reference_read(s, n, b);
}

/* Resolves n bytes into a string of at most max, returns owned, or NULL. */
static char *resolve(const char *s, size_t n, size_t max)
{
	struct pst_buf b;
	char *out = NULL;

	pst_buf_init(&b, max);
	while (n > 0 && !b.failed) {
		size_t used = 1;

		if (*s == '&')
			used = entity_read(s, n, &b);
		else
			pst_buf_append(&b, s, 1);
		if (used == 0)
			b.failed = true; /* an entity that we do not know */
		s += used;
		n -= PST_MIN(used, n);
	}
	if (!b.failed)
		out = pst_memdup(b.data ? (const char *)b.data : "", b.len);
	pst_buf_finish(&b);
	return out;
}

/* Behind the tag's '>', or NULL; ret_closed: "<a/>", without a text. */
static const char *tag_end(const char *tag, bool *ret_closed)
{
	char quote = '\0';

	for (const char *p = tag; *p; p++) {
		if (quote) {
			if (*p == quote)
				quote = '\0';
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '>') {
			*ret_closed = p[-1] == '/';
			return p + 1;
		}
	}
	return NULL;
}

/* Behind a comment or a CDATA section, or behind this '<'. */
static const char *aside_skip(const char *p)
{
	const char *end = NULL;

	if (strncmp(p, "<!--", 4) == 0)
		end = strstr(p + 4, "-->");
	else if (strncmp(p, "<![CDATA[", 9) == 0)
		end = strstr(p + 9, "]]>");
	else
		return p + 1;
	return end ? end + 3 : p + strlen(p);
}

char *xml_root_text(const char *xml, size_t max)
{
	const char *tag = strchr(xml, '<'), *text, *end;
	bool is_closed = false;

	while (tag && (tag[1] == '?' || tag[1] == '!'))
		tag = strchr(aside_skip(tag), '<');
	text = tag ? tag_end(tag, &is_closed) : NULL;
	if (!text || is_closed)
		return NULL;
	end = strchr(text, '<');
	if (!end || end[1] != '/')
		return NULL;
	return resolve(text, (size_t)(end - text), max);
}

const char *xml_find(const char *from, const char *element)
{
	size_t len = strlen(element);

	for (const char *p = strchr(from, '<'); p; p = strchr(p, '<')) {
		if (strncmp(p + 1, element, len) == 0 && p[1 + len] && strchr(NAME_END, p[1 + len]))
			return p;
		p = aside_skip(p);
	}
	return NULL;
}

static bool value_copy(const char *s, size_t n, char *out, size_t size)
{
	char *value = resolve(s, n, size - 1);
	bool ok = value && pst_strlcpy(out, size, value) == 0;

	free(value);
	return ok;
}

/* At the first letter of an attribute's name within a tag, or NULL at the tag's end. */
static const char *attribute_next(const char *p)
{
	p += strspn(p, " \t\r\n");
	return *p && *p != '>' && *p != '/' ? p : NULL;
}

bool xml_attribute(const char *tag, const char *name, char *out, size_t size)
{
	const char *p = tag + 1 + strcspn(tag + 1, NAME_END);

	while ((p = attribute_next(p))) {
		size_t n = strcspn(p, "= \t\r\n/>");
		const char *quote = p + n + strspn(p + n, "= \t\r\n");
		const char *end = *quote == '"' || *quote == '\'' ? strchr(quote + 1, *quote) : NULL;

		if (!end)
			return false;
		if (n == strlen(name) && memcmp(p, name, n) == 0)
			return value_copy(quote + 1, (size_t)(end - quote - 1), out, size);
		p = end + 1;
	}
	return false;
}

bool xml_text(const char *tag, char *out, size_t size)
{
	bool is_closed = false;
	const char *text = tag_end(tag, &is_closed);

	if (!text || is_closed)
		return false;
	return value_copy(text, strcspn(text, "<"), out, size);
}
