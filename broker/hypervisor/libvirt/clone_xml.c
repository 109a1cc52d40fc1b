/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes children's documents. */
#include "broker/hypervisor/libvirt/clone_xml.h"

#include "base/buf.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <stdlib.h>
#include <string.h>

#define CHILD_MAX (1u << 20)

/* Up to the end of what is looked for; NULL when it is not there. */
static const char *copy_past(struct pst_buf *b, const char *from, const char *what)
{
	const char *at = from ? strstr(from, what) : NULL;

	if (!at)
		return NULL;
	at += strlen(what);
	pst_buf_append(b, from, (size_t)(at - from));
	return at;
}

/* Name and uuid, and then what says whose machine it is. */
static const char *names_put(struct pst_buf *b, const char *from, const struct lv_child *c)
{
	for (int i = 0; i < 2 && from; i++) {
		const char *at = strstr(from, c->parent);

		if (!at)
			return NULL;
		pst_buf_append(b, from, (size_t)(at - from));
		pst_buf_put_str(b, c->desktop);
		from = at + strlen(c->parent);
	}
	from = copy_past(b, from, "</uuid>");
	if (!from)
		return NULL;
	pst_buf_put_str(b, "<title>");
	xml_put_text(b, c->hostname);
	pst_buf_put_str(b, "</title><metadata>");
	pst_buf_put_str(b, c->metadata);
	pst_buf_put_str(b, "</metadata>");
	return from;
}

static char *source_text(const char *path)
{
	struct pst_buf b;
	char *text;

	pst_buf_init(&b, CHILD_MAX);
	pst_buf_put_str(&b, "<source file='");
	xml_put_text(&b, path);
	pst_buf_put_str(&b, "'");
	text = pst_buf_cstr(&b) ? strdup(pst_buf_cstr(&b)) : NULL;
	pst_buf_finish(&b);
	return text;
}

/* The parent's disk becomes one more layer below the child's, and stays root's. */
static const char *disk_put(struct pst_buf *b, const char *from, const struct lv_child *c)
{
	char *was = source_text(c->was), *disk = source_text(c->disk), *base = source_text(c->base);
	const char *at = was && disk && base ? strstr(from, was) : NULL, *end = at ? strstr(at, "/>") : NULL, *rest = end ? strstr(end, "<target ") : NULL;

	/* A source with something in it would end in another way; and what another disk's were, two would write to. */
	if (rest && (memchr(at, '>', (size_t)(end - at)) || strstr(rest, was)))
		rest = NULL;
	if (rest) {
		pst_buf_append(b, from, (size_t)(at - from));
		pst_buf_printf(b, "%s/><backingStore type='file'><format type='qcow2'/>%s><seclabel model='dac' relabel='no'/></source>", disk, base);
		pst_buf_append(b, end + 2, (size_t)(rest - end - 2));
		pst_buf_put_str(b, "</backingStore>");
	}
	free(was);
	free(disk);
	free(base);
	return rest;
}

char *lv_child_xml(const char *document, const struct lv_child *c, struct pst_err *err)
{
	struct pst_buf b;
	const char *rest;
	char *text = NULL;

	pst_buf_init(&b, CHILD_MAX);
	rest = names_put(&b, document, c);
	if (rest)
		rest = disk_put(&b, rest, c);
	if (!rest || strstr(rest, c->parent)) {
		pst_buf_finish(&b);
		pst_err_set(err, PST_EINVAL, "the saved document of the parent is not as it was written");
		return NULL;
	}
	pst_buf_put_str(&b, rest);
	if (pst_buf_cstr(&b))
		text = strdup(pst_buf_cstr(&b));
	pst_buf_finish(&b);
	if (!text)
		pst_err_set(err, PST_ENOMEM, "no memory for the child's document");
	return text;
}
