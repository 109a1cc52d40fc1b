/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filter specifications, pages with their tokens, and WaitForUpdatesEx. */
#include "broker/hypervisor/vsphere/property.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define ARGS_MAX (64u << 10)
#define TOKEN_SIZE 256
#define SLACK_MS 10000 /* that an answer may come after its time */
#define END_MS 2000

/* PropertyFilterSpec. */
static void set_put(struct pst_buf *b, const char *name, const struct property_set *set)
{
	pst_buf_printf(b, "<%s><propSet>", name);
	soap_put(b, "type", set->children ? set->children : set->object->type);
	for (size_t i = 0; set->paths[i]; i++)
		soap_put(b, "pathSet", set->paths[i]);
	pst_buf_put_str(b, "</propSet><objectSet>");
	vim_put_ref(b, "obj", set->object);
	if (set->children) {
		pst_buf_put_str(b, "<skip>true</skip><selectSet xsi:type=\"TraversalSpec\">");
		soap_put(b, "type", set->object->type);
		/* A StoragePod is a Folder, too. */
		soap_put(b, "path", strcmp(set->object->type, "Folder") == 0 || strcmp(set->object->type, "StoragePod") == 0 ? "childEntity" : "host");
		pst_buf_put_str(b, "<skip>false</skip></selectSet>");
	}
	pst_buf_printf(b, "</objectSet></%s>", name);
}

const struct soap_node *property_of(const struct soap_node *object, const char *path)
{
	const struct soap_node *p = soap_child(object, "propSet");

	for (; p; p = soap_again(p)) {
		if (strcmp(soap_text(p, "name"), path) == 0)
			return soap_child(p, "val");
	}
	return NULL;
}

const struct soap_node *property_refused(const struct soap_node *object, const char *path)
{
	const struct soap_node *m = soap_child(object, "missingSet");

	for (; m; m = soap_again(m)) {
		if (strcmp(soap_text(m, "path"), path) == 0)
			return soap_child(m, "fault");
	}
	return NULL;
}

static struct soap *retrieve(struct vim_op *op, const struct property_set *set, struct pst_err *err)
{
	struct vim_service service;
	struct vim_call c = { .method = "RetrievePropertiesEx", .self = &service.collector, .repeatable = true };
	struct soap *s = NULL;
	struct pst_buf b;

	if (vim_service(op, &service, err) < 0)
		return NULL;
	pst_buf_init(&b, ARGS_MAX);
	set_put(&b, "specSet", set);
	pst_buf_printf(&b, "<options><maxObjects>%d</maxObjects></options>", PROPERTY_PAGE);
	c.args = pst_buf_cstr(&b);
	if (c.args)
		s = vim_call(op, &c, err);
	else
		pst_err_set(err, PST_ELIMIT, "too long a filter");
	pst_buf_finish(&b);
	return s;
}

struct soap *property_get(struct vim_op *op, const struct property_set *set, const struct soap_node **ret_object, struct pst_err *err)
{
	struct soap *s = retrieve(op, set, err);
	const struct soap_node *object = s ? soap_at(soap_body(s), "returnval.objects") : NULL;

	if (object) {
		*ret_object = object;
		return s;
	}
	if (s)
		pst_err_set(err, PST_ENOTFOUND, "vSphere has no %s any more", set->object->id);
	soap_destroy(s);
	return NULL;
}

struct page {
	char token[TOKEN_SIZE];
	size_t seen;
};

static int page_visit(const struct soap *s, struct page *p, property_visit visit, void *arg, struct pst_err *err)
{
	const struct soap_node *result = soap_child(soap_body(s), "returnval");
	const struct soap_node *o = soap_child(result, "objects");
	struct vim_ref ref;

	if (pst_strlcpy(p->token, sizeof(p->token), soap_text(result, "token")) < 0 || (p->token[0] && !o))
		return pst_err_set(err, PST_EPROTO, "vSphere's answer says that there is more, and not how to get it");
	for (; o; o = soap_again(o)) {
		if (++p->seen > PROPERTY_OBJECTS_MAX)
			return pst_err_set(
				err, PST_ELIMIT, "vSphere lists more than %d objects: use a folder of Puesto's own", PROPERTY_OBJECTS_MAX);
		if (vim_ref_read(soap_child(o, "obj"), &ref, err) < 0 || visit(&ref, o, arg, err) < 0)
			return err->code;
	}
	return 0;
}

static struct soap *page_next(struct vim_op *op, const struct page *p, struct pst_err *err)
{
	struct vim_service service;
	struct vim_call c = { .method = "ContinueRetrievePropertiesEx", .self = &service.collector };
	struct soap *s = NULL;
	struct pst_buf b;

	if (vim_service(op, &service, err) < 0)
		return NULL;
	pst_buf_init(&b, ARGS_MAX);
	soap_put(&b, "token", p->token);
	c.args = pst_buf_cstr(&b);
	s = vim_call(op, &c, err);
	pst_buf_finish(&b);
	return s;
}

int property_each(struct vim_op *op, const struct property_set *set, property_visit visit, void *arg, struct pst_err *err)
{
	struct page p = { .seen = 0 };
	struct soap *s = retrieve(op, set, err);
	int rc;

	do {
		if (!s)
			return err->code;
		rc = page_visit(s, &p, visit, arg, err);
		soap_destroy(s);
		s = rc == 0 && p.token[0] ? page_next(op, &p, err) : NULL;
	} while (rc == 0 && p.token[0]);
	return rc;
}

/* A call whose answer is a reference, or nothing that matters (ret NULL). */
static int refer(struct vim_op *op, const struct vim_call *c, struct vim_ref *ret, struct pst_err *err)
{
	struct soap *s = vim_call(op, c, err);
	int rc = 0;

	if (!s)
		return err->code;
	if (ret)
		rc = vim_ref_read(soap_child(soap_body(s), "returnval"), ret, err);
	soap_destroy(s);
	return rc;
}

int property_wait_begin(struct vim_op *op, const struct property_set *set, struct property_wait *ret, struct pst_err *err)
{
	struct vim_service service;
	struct vim_call c = { .method = "CreatePropertyCollector", .self = &service.collector, .repeatable = true };
	struct vim_ref filter;
	struct pst_buf b;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (vim_service(op, &service, err) < 0 || refer(op, &c, &ret->collector, err) < 0)
		return err->code;
	pst_buf_init(&b, ARGS_MAX);
	set_put(&b, "spec", set);
	pst_buf_put_str(&b, "<partialUpdates>false</partialUpdates>");
	c = (struct vim_call){ .method = "CreateFilter", .self = &ret->collector, .args = pst_buf_cstr(&b), .repeatable = true };
	rc = refer(op, &c, &filter, err);
	pst_buf_finish(&b);
	if (rc < 0)
		property_wait_end(op, ret);
	return rc;
}

int property_wait_next(struct vim_op *op, struct property_wait *w, unsigned max_s, struct pst_err *err)
{
	uint64_t most_s = PST_MIN((uint64_t)max_s, vim_op_left(op) / 1000);
	struct vim_call c = { .method = "WaitForUpdatesEx", .self = &w->collector, .most_ms = most_s * 1000 + SLACK_MS };
	const struct soap_node *update;
	struct soap *s;
	struct pst_buf b;
	int rc = 0;

	pst_buf_init(&b, ARGS_MAX);
	if (w->version[0])
		soap_put(&b, "version", w->version);
	pst_buf_put_str(&b, "<options>");
	soap_put_u64(&b, "maxWaitSeconds", PST_MAX(most_s, (uint64_t)1));
	pst_buf_put_str(&b, "</options>");
	c.args = pst_buf_cstr(&b);
	s = vim_call(op, &c, err);
	pst_buf_finish(&b);
	if (!s)
		return err->code;
	update = soap_child(soap_body(s), "returnval");
	if (update)
		rc = pst_strlcpy(w->version, sizeof(w->version), soap_text(update, "version")) < 0 || !w->version[0]
			     ? pst_err_set(err, PST_EPROTO, "vSphere's update has no version that we take")
			     : soap_child(update, "filterSet") != NULL;
	soap_destroy(s);
	return rc;
}

void property_wait_end(struct vim_op *op, struct property_wait *w)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct vim_op last = { .vim = op->vim, .owner = op->owner, .end_ms = pst_mono_ms() + END_MS };
	struct vim_call c = { .method = "DestroyPropertyCollector", .self = &w->collector, .repeatable = true };

	if (w->collector.id[0])
		(void)refer(&last, &c, NULL, &ignored);
	w->collector.id[0] = '\0';
}
