/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks for a desktop's domain, and tells ours from others. */
#include "broker/hypervisor/libvirt/found.h"

#include <stdlib.h>
#include <string.h>

int lv_record_load(const struct libvirt *lv, struct lv_host *h, virDomainPtr d, struct lv_record *ret, struct pst_err *err)
{
	char *element = virDomainGetMetadata(d, VIR_DOMAIN_METADATA_ELEMENT, LV_NAMESPACE, 0);
	int rc;

	if (!element && lv_error_is(VIR_ERR_NO_DOMAIN_METADATA))
		return pst_err_set(err, PST_ENOTFOUND, "the domain is not ours");
	if (!element)
		return lv_error(err, h, "read a domain's metadata");
	rc = lv_record_parse(element, ret, err);
	free(element);
	if (rc < 0 || strcmp(ret->instance, lv->instance) != 0 || strcmp(ret->provider, lv->provider) != 0)
		return pst_err_set(err, PST_ENOTFOUND, "the domain is not ours");
	return 0;
}

static int found_read(const struct libvirt *lv, struct lv_found *f, struct pst_err *err)
{
	int active = virDomainIsActive(f->domain);

	if (active < 0)
		return lv_error(err, f->host, "ask whether a domain runs");
	f->is_active = active == 1;
	return lv_record_load(lv, f->host, f->domain, &f->record, err);
}

/* On one host. */
static int host_find(struct lv_call *c, struct lv_host *h, struct lv_found *ret, struct pst_err *err)
{
	virConnectPtr conn = lv_host_connection(h, c->deadline_ms, err);
	struct lv_found f = { .host = h };
	struct pst_err why = PST_ERR_INIT;
	int rc = 0;

	if (!conn)
		return err->code;
	f.domain = virDomainLookupByUUIDString(conn, c->desktop);
	if (!f.domain && !lv_error_is(VIR_ERR_NO_DOMAIN))
		rc = lv_error(&why, h, "look for desktop %s", c->desktop);
	if (f.domain)
		rc = found_read(c->lv, &f, &why);
	virConnectClose(conn);
	if (rc == 0 && f.domain && (!ret->domain || (f.is_active && !ret->is_active))) {
		lv_found_finish(ret);
		f.is_foreign = ret->is_foreign;
		*ret = f;
		return 0;
	}
	lv_found_finish(&f);
	if (rc != PST_ENOTFOUND)
		return pst_err_pass(err, rc, &why);
	ret->is_foreign = true;
	return 0;
}

/* Is there a connection now, without waiting for one? */
static bool host_stands(struct lv_host *h)
{
	bool stands;

	pthread_mutex_lock(&h->lv->lock);
	stands = h->conn && !h->is_lost;
	pthread_mutex_unlock(&h->lv->lock);
	return stands;
}

static bool host_is_needed(const struct lv_call *c, const struct lv_host *h)
{
	return !c->tolerates || strcmp(h->name, c->request.host) == 0;
}

/* The hosts that stand, or the others. Ends early when the domain is found running: it runs once only. */
static int hosts_find(struct lv_call *c, bool standing, struct lv_found *ret, struct pst_err *err)
{
	for (size_t i = 0; i < c->lv->hosts_n; i++) {
		struct lv_host *h = &c->lv->hosts[i];
		struct pst_err one = PST_ERR_INIT;

		if (ret->is_active || c->is_asked[i] || (standing && !host_stands(h)) || (!standing && !host_is_needed(c, h)))
			continue;
		c->is_asked[i] = true;
		if (lv_call_step(c, h, "looking for the domain", &one) < 0 || host_find(c, h, ret, &one) < 0)
			return pst_err_pass(err, one.code, &one);
	}
	return 0;
}

int lv_find(struct lv_call *c, struct lv_found *ret, struct pst_err *err)
{
	memset(ret, 0, sizeof(*ret));
	memset(c->is_asked, 0, sizeof(c->is_asked));
	if (hosts_find(c, true, ret, err) == 0 && hosts_find(c, false, ret, err) == 0)
		return 0;
	lv_found_finish(ret);
	return err->code;
}

int lv_need(struct lv_call *c, struct lv_found *ret, struct pst_err *err)
{
	if (lv_find(c, ret, err) < 0)
		return err->code;
	if (ret->domain && ret->record.phase != LV_DESTROYING)
		return 0;
	lv_found_finish(ret);
	return pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", c->desktop);
}

void lv_found_finish(struct lv_found *f)
{
	if (f->domain)
		virDomainFree(f->domain);
	f->domain = NULL;
}

int lv_found_save(struct lv_found *f, struct pst_err *err)
{
	char *element = lv_record_element(&f->record, false);
	unsigned flags = VIR_DOMAIN_AFFECT_CONFIG;
	int rc;

	if (!element)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (virDomainIsActive(f->domain) == 1)
		flags |= VIR_DOMAIN_AFFECT_LIVE;
	rc = virDomainSetMetadata(f->domain, VIR_DOMAIN_METADATA_ELEMENT, element, LV_PREFIX, LV_NAMESPACE, flags);
	free(element);
	return rc < 0 ? lv_error(err, f->host, "write the domain's metadata") : 0;
}
