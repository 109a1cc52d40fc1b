/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records to and from the metadata of domains. */
#include "broker/hypervisor/libvirt/record.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"
#include "broker/hypervisor/request.h"

#include <stdlib.h>
#include <string.h>

static const char *const phases[] = { "creating", "running", "stopped", "destroying" };

char *lv_record_text(const struct lv_record *r)
{
	json_t *obj = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s*,s:o}", "v", 1, "instance", r->instance, "provider", r->provider,
		"phase", phases[r->phase], "address", r->address, "parent", r->parent[0] ? r->parent : NULL, "request", request_json(&r->request));
	char *text = obj ? pst_json_text(obj, NULL) : NULL;

	json_decref(obj);
	return text;
}

char *lv_record_element(const struct lv_record *r, bool with_namespace)
{
	char *text = lv_record_text(r), *element = NULL;
	struct pst_buf b;

	pst_buf_init(&b, 8 * LV_RECORD_MAX);
	if (text) {
		pst_buf_put_str(&b, with_namespace ? "<" LV_PREFIX ":desktop xmlns:" LV_PREFIX "='" LV_NAMESPACE "'>" : "<desktop>");
		xml_put_text(&b, text);
		pst_buf_put_str(&b, with_namespace ? "</" LV_PREFIX ":desktop>" : "</desktop>");
		element = pst_buf_cstr(&b) ? strdup(pst_buf_cstr(&b)) : NULL;
	}
	pst_buf_finish(&b);
	free(text);
	return element;
}

static int phase_read(const json_t *obj, struct lv_record *r, struct pst_err *err)
{
	const char *phase;

	if (pst_json_need_str(obj, "phase", 16, &phase, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(phases); i++) {
		if (strcmp(phase, phases[i]) == 0) {
			r->phase = (enum lv_phase)i;
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "phase: \"%s\" is not known", phase);
}

static int fields_read(const json_t *obj, struct lv_record *r, struct pst_err *err)
{
	const char *instance, *provider, *address, *parent;
	json_t *request;

	if (pst_json_need_str(obj, "instance", sizeof(r->instance) - 1, &instance, err) < 0 ||
		pst_json_need_str(obj, "provider", sizeof(r->provider) - 1, &provider, err) < 0 ||
		pst_json_need_str(obj, "address", sizeof(r->address) - 1, &address, err) < 0 ||
		pst_json_opt_str(obj, "parent", sizeof(r->parent) - 1, "", &parent, err) < 0 ||
		pst_json_need_obj(obj, "request", &request, err) < 0 || phase_read(obj, r, err) < 0 ||
		request_parse(request, &r->request, err) < 0)
		return err->code;
	pst_strlcpy(r->instance, sizeof(r->instance), instance);
	pst_strlcpy(r->provider, sizeof(r->provider), provider);
	pst_strlcpy(r->address, sizeof(r->address), address);
	/* It becomes a part of a path. */
	if (strspn(parent, "0123456789abcdef") != strlen(parent))
		return pst_err_set(err, PST_EINVAL, "parent: is no key");
	pst_strlcpy(r->parent, sizeof(r->parent), parent);
	return 0;
}

int lv_record_read(const char *text, struct lv_record *ret, struct pst_err *err)
{
	struct lv_record r;
	json_t *obj = pst_json_parse(text, strlen(text), 4, err);
	int rc;

	memset(&r, 0, sizeof(r));
	rc = obj ? fields_read(obj, &r, err) : err->code;
	json_decref(obj);
	if (rc == 0)
		*ret = r;
	return rc;
}

int lv_record_parse(const char *element, struct lv_record *ret, struct pst_err *err)
{
	char *text = xml_root_text(element, LV_RECORD_MAX);
	int rc;

	if (!text)
		return pst_err_set(err, PST_EINVAL, "the metadata is no element with text of at most %u bytes", LV_RECORD_MAX);
	rc = lv_record_read(text, ret, err);
	free(text);
	return rc;
}
