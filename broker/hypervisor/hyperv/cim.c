/* SPDX-License-Identifier: GPL-3.0-or-later */
/* References and instances. */
#include "broker/hypervisor/hyperv/cim.h"

#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <stdio.h>
#include <string.h>

#define INSTANCE_MAX (64u << 10)

struct cim_ref cim_ref(const char *cls)
{
	struct cim_ref r = { .space = CIM_V2 };

	pst_strlcpy(r.cls, sizeof(r.cls), cls);
	return r;
}

void cim_key_add(struct cim_ref *r, const char *name, const char *value)
{
	struct cim_key *k;

	if (r->keys_n == CIM_KEYS_MAX)
		return;
	k = &r->keys[r->keys_n++];
	pst_strlcpy(k->name, sizeof(k->name), name);
	pst_strlcpy(k->value, sizeof(k->value), value);
}

const char *cim_key(const struct cim_ref *r, const char *name)
{
	for (size_t i = 0; i < r->keys_n; i++) {
		if (strcmp(r->keys[i].name, name) == 0)
			return r->keys[i].value;
	}
	return NULL;
}

void cim_put_uri(struct pst_buf *b, const struct cim_ref *r)
{
	pst_buf_printf(b, CIM_BASE "%s/%s", r->space, r->cls);
}

void cim_put_selectors(struct pst_buf *b, const struct cim_ref *r)
{
	if (r->keys_n == 0)
		return;
	pst_buf_put_str(b, "<w:SelectorSet>");
	for (size_t i = 0; i < r->keys_n; i++) {
		pst_buf_printf(b, "<w:Selector Name=\"%s\">", r->keys[i].name);
		xml_put_text(b, r->keys[i].value);
		pst_buf_put_str(b, "</w:Selector>");
	}
	pst_buf_put_str(b, "</w:SelectorSet>");
}

void cim_put_ref(struct pst_buf *b, const char *name, const struct cim_ref *r)
{
	pst_buf_printf(b, "<p:%s><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
		"<a:ReferenceParameters><w:ResourceURI>", name);
	cim_put_uri(b, r);
	pst_buf_put_str(b, "</w:ResourceURI>");
	cim_put_selectors(b, r);
	pst_buf_printf(b, "</a:ReferenceParameters></p:%s>", name);
}

int cim_ref_read(const struct soap_node *n, struct cim_ref *ret, struct pst_err *err)
{
	const struct soap_node *parameters = soap_child(n, "ReferenceParameters");
	const char *uri = soap_text(parameters, "ResourceURI"), *cls = strrchr(uri, '/');

	if (!cls || strlen(cls + 1) >= CIM_CLASS_SIZE)
		return pst_err_set(err, PST_EPROTO, "the server gives no reference where one belongs");
	*ret = cim_ref(cls + 1);
	for (const struct soap_node *s = soap_at(parameters, "SelectorSet.Selector"); s; s = soap_again(s)) {
		if (strlen(s->text) >= CIM_VALUE_SIZE || strlen(s->label) >= sizeof(ret->keys[0].name))
			return pst_err_set(err, PST_EPROTO, "the server gives a reference with too long a key");
		if (strcmp(s->label, "__cimnamespace") != 0)
			cim_key_add(ret, s->label, s->text);
	}
	return ret->keys_n ? 0 : pst_err_set(err, PST_EPROTO, "the server gives a reference without keys");
}

/* Within the quotes of a path, \ and " have a \ before them. */
void cim_path(const struct cim_ref *r, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "\\\\.\\root\\virtualization\\v2:%s.", r->cls);

	for (size_t i = 0; i < r->keys_n && at < size; i++) {
		at += (size_t)snprintf(out + at, size - at, "%s%s=\"", i ? "," : "", r->keys[i].name);
		for (const char *p = r->keys[i].value; *p && at + 4 < size; p++) {
			if (*p == '\\' || *p == '"')
				out[at++] = '\\';
			out[at++] = *p;
		}
		if (at < size)
			at += (size_t)snprintf(out + at, size - at, "\"");
	}
}

void cim_begin(struct pst_buf *inner, const char *cls)
{
	pst_buf_init(inner, INSTANCE_MAX);
	pst_buf_printf(inner, "<INSTANCE CLASSNAME=\"%s\">", cls);
}

void cim_put(struct pst_buf *inner, const char *name, const char *type, const char *value)
{
	pst_buf_printf(inner, "<PROPERTY NAME=\"%s\" TYPE=\"%s\"><VALUE>", name, type);
	xml_put_text(inner, value);
	pst_buf_put_str(inner, "</VALUE></PROPERTY>");
}

void cim_put_number(struct pst_buf *inner, const char *name, const char *type, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	cim_put(inner, name, type, text);
}

void cim_put_array(struct pst_buf *inner, const char *name, const char *value)
{
	pst_buf_printf(inner, "<PROPERTY.ARRAY NAME=\"%s\" TYPE=\"string\"><VALUE.ARRAY><VALUE>", name);
	xml_put_text(inner, value);
	pst_buf_put_str(inner, "</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>");
}

/* The instance is text within the argument, so it is escaped once more. */
void cim_end(struct pst_buf *inner, struct pst_buf *args, const char *name)
{
	const char *text;

	pst_buf_put_str(inner, "</INSTANCE>");
	text = pst_buf_cstr(inner);
	pst_buf_printf(args, "<p:%s>", name);
	if (text && !inner->failed)
		xml_put_text(args, text);
	else
		args->failed = true;
	pst_buf_printf(args, "</p:%s>", name);
	pst_buf_finish(inner);
}

bool cim_wql(const char *text, char *out, size_t size)
{
	size_t at = 0;

	for (; *text; text++) {
		if (at + 3 > size)
			return false;
		if (*text == '\\' || *text == '\'')
			out[at++] = '\\';
		out[at++] = *text;
	}
	out[at] = '\0';
	return true;
}
