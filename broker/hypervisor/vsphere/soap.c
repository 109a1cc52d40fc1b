/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tree in an arena, made by expat. */
#include "broker/hypervisor/vsphere/soap.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE (64u << 10)
#define TEXT_MAX (4u << 20) /* bytes of one leaf */
#define XSI_TYPE "http://www.w3.org/2001/XMLSchema-instance\ntype"

struct chunk {
	struct chunk *next;
	size_t used, size;
	char data[];
};

struct soap {
	struct chunk *chunks;
	struct soap_node *root;
	bool is_unauthenticated;
};

struct open_node {
	struct soap_node *node, *last;
};

struct reader {
	struct soap *soap;
	XML_Parser parser;
	struct open_node open[SOAP_DEPTH_MAX];
	size_t depth, nodes;
	struct pst_buf text; /* of the leaf that is open */
	int code;            /* why it was stopped */
	const char *reason;
};

static void *arena_take(struct soap *s, size_t n)
{
	size_t want = (n + 15) & ~(size_t)15;
	struct chunk *c = s->chunks;

	if (!c || c->size - c->used < want) {
		size_t size = PST_MAX(want, (size_t)CHUNK_SIZE);

		c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		c->size = size;
		c->used = 0;
		c->next = s->chunks;
		s->chunks = c;
	}
	c->used += want;
	return c->data + c->used - want;
}

static void stop(struct reader *r, int code, const char *reason)
{
	if (r->code == 0) {
		r->code = code;
		r->reason = reason;
		XML_StopParser(r->parser, XML_FALSE);
	}
}

static const char *text_keep(struct reader *r, const char *text, size_t len)
{
	char *copy;

	if (len == 0)
		return "";
	copy = arena_take(r->soap, len + 1);
	if (!copy) {
		stop(r, PST_ENOMEM, "no memory");
		return "";
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

/* Behind the last sep; names of everybody's are short. */
static const char *local_keep(struct reader *r, const char *text, char sep)
{
	const char *local = strrchr(text, sep);

	local = local ? local + 1 : text;
	if (strlen(local) > SOAP_NAME_MAX) {
		stop(r, PST_ELIMIT, "too long a name");
		return "";
	}
	return text_keep(r, local, strlen(local));
}

static void attributes_read(struct reader *r, struct soap_node *n, const char **attributes)
{
	for (; attributes[0]; attributes += 2) {
		if (strcmp(attributes[0], XSI_TYPE) == 0)
			n->type = local_keep(r, attributes[1], ':');
		else if (strcmp(attributes[0], "type") == 0)
			n->kind = local_keep(r, attributes[1], ':');
		else if (strcmp(attributes[0], "Name") == 0)
			n->label = local_keep(r, attributes[1], ':');
	}
	if (strcmp(n->type, "NotAuthenticated") == 0)
		r->soap->is_unauthenticated = true;
}

static void node_append(struct reader *r, struct soap_node *n)
{
	struct open_node *parent = r->depth ? &r->open[r->depth - 1] : NULL;

	if (!parent)
		r->soap->root = n;
	else if (parent->last)
		parent->last->next = n;
	else
		parent->node->first = n;
	if (parent)
		parent->last = n;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
	struct reader *r = arg;
	struct soap_node *n;

	if (r->code < 0)
		return;
	if (r->depth == SOAP_DEPTH_MAX || r->nodes == SOAP_NODES_MAX) {
		stop(r, PST_ELIMIT, "too deep, or too many elements");
		return;
	}
	n = arena_take(r->soap, sizeof(*n));
	if (!n) {
		stop(r, PST_ENOMEM, "no memory");
		return;
	}
	*n = (struct soap_node){ .name = local_keep(r, name, '\n'), .type = "", .kind = "", .label = "", .text = "" };
	attributes_read(r, n, attributes);
	node_append(r, n);
	r->open[r->depth++] = (struct open_node){ .node = n };
	r->nodes++;
	pst_buf_reset(&r->text);
}

static void on_end(void *arg, const char *name)
{
	struct reader *r = arg;
	struct soap_node *n;

	if (r->code < 0)
		return;
	n = r->open[--r->depth].node;
	if (!n->first)
		n->text = text_keep(r, (const char *)r->text.data, r->text.len);
	pst_buf_reset(&r->text);
}

static void on_text(void *arg, const char *text, int len)
{
	struct reader *r = arg;

	if (r->code == 0 && pst_buf_append(&r->text, text, (size_t)len) < 0)
		stop(r, PST_ELIMIT, "too long a text");
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public, int has_subset)
{
	stop(arg, PST_EPROTO, "it has a document type");
}

static int reader_run(struct reader *r, const char *data, size_t len, struct pst_err *err)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	if (XML_Parse(r->parser, data, (int)len, 1) == XML_STATUS_OK && r->code == 0)
		return 0;
	if (r->code < 0)
		return pst_err_set(err, r->code, "the answer is no XML that we take: %s", r->reason);
	return pst_err_set(err, PST_EPROTO, "the answer is no XML: %s in line %lu", XML_ErrorString(XML_GetErrorCode(r->parser)),
		(unsigned long)XML_GetCurrentLineNumber(r->parser));
}

struct soap *soap_parse(const char *data, size_t len, struct pst_err *err)
{
	struct soap *s = len <= INT_MAX ? pst_zalloc(1, sizeof(*s)) : NULL;
	struct reader *r = pst_zalloc(1, sizeof(*r));
	int rc = PST_ENOMEM;

	if (r)
		r->parser = XML_ParserCreateNS(NULL, '\n');
	if (s && r && r->parser) {
		r->soap = s;
		pst_buf_init(&r->text, TEXT_MAX);
		rc = reader_run(r, data, len, err);
		pst_buf_finish(&r->text);
	} else {
		pst_err_set(err, PST_ENOMEM, "no memory");
	}
	if (r && r->parser)
		XML_ParserFree(r->parser);
	free(r);
	if (rc == 0 && soap_body(s))
		return s;
	if (rc == 0)
		pst_err_set(err, PST_EPROTO, "the answer is no SOAP envelope with a body");
	soap_destroy(s);
	return NULL;
}

void soap_destroy(struct soap *s)
{
	struct chunk *next;

	if (!s)
		return;
	for (struct chunk *c = s->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(s);
}

const struct soap_node *soap_body(const struct soap *s)
{
	const struct soap_node *body = strcmp(s->root->name, "Envelope") == 0 ? soap_child(s->root, "Body") : NULL;

	return body ? body->first : NULL;
}

bool soap_is_unauthenticated(const struct soap *s)
{
	return s->is_unauthenticated;
}

static const struct soap_node *named(const struct soap_node *n, const char *name, size_t len)
{
	for (; n; n = n->next) {
		if (strncmp(n->name, name, len) == 0 && n->name[len] == '\0')
			return n;
	}
	return NULL;
}

const struct soap_node *soap_child(const struct soap_node *n, const char *name)
{
	return n ? named(n->first, name, strlen(name)) : NULL;
}

const struct soap_node *soap_at(const struct soap_node *n, const char *path)
{
	while (n && *path) {
		size_t len = strcspn(path, ".");

		n = named(n->first, path, len);
		path += len + (path[len] == '.' ? 1 : 0);
	}
	return n;
}

const struct soap_node *soap_again(const struct soap_node *n)
{
	return n ? named(n->next, n->name, strlen(n->name)) : NULL;
}

const char *soap_text(const struct soap_node *n, const char *path)
{
	n = soap_at(n, path);
	return n ? n->text : "";
}

bool soap_bool(const struct soap_node *n, const char *path)
{
	const char *text = soap_text(n, path);

	return strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
}

uint64_t soap_u64(const struct soap_node *n, const char *path)
{
	uint64_t v = 0;

	return pst_parse_u64(soap_text(n, path), 0, INT64_MAX, &v) < 0 ? 0 : v;
}

void soap_put(struct pst_buf *b, const char *name, const char *text)
{
	pst_buf_printf(b, "<%s>", name);
	xml_put_text(b, text);
	pst_buf_printf(b, "</%s>", name);
}

void soap_put_u64(struct pst_buf *b, const char *name, uint64_t value)
{
	pst_buf_printf(b, "<%s>%llu</%s>", name, (unsigned long long)value, name);
}

void soap_put_open(struct pst_buf *b, const char *name, const struct soap_node *n)
{
	pst_buf_printf(b, "<%s", name);
	if (n->type[0]) {
		pst_buf_put_str(b, " xsi:type=\"");
		/* Types of the schema itself have the prefix that the envelope gives them. */
		pst_buf_put_str(b, n->type[0] >= 'a' && n->type[0] <= 'z' ? "xsd:" : "");
		xml_put_text(b, n->type);
		pst_buf_put_str(b, "\"");
	}
	if (n->kind[0]) {
		pst_buf_put_str(b, " type=\"");
		xml_put_text(b, n->kind);
		pst_buf_put_str(b, "\"");
	}
	pst_buf_put_str(b, ">");
}

/* Depth is bounded by the parser's ceiling. */
void soap_put_node(struct pst_buf *b, const struct soap_node *n)
{
	soap_put_open(b, n->name, n);
	xml_put_text(b, n->text);
	for (const struct soap_node *c = n->first; c; c = c->next)
		soap_put_node(b, c);
	pst_buf_printf(b, "</%s>", n->name);
}
