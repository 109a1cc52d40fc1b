/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TPMs of machines of Windows (https://libvirt.org/formatdomain.html#tpm-device). libvirt starts an swtpm beside each QEMU and keeps its
 * state on that host, by the domain's uuid: it stays while the domain is defined, moves with a migration, and goes when the domain is
 * undefined. So a machine that is made anew is defined anew, too.
 */
#include "broker/hypervisor/libvirt/tpm.h"

#include "broker/hypervisor/libvirt/xml.h"

#include <stdio.h>
#include <stdlib.h>

/* The first known host that has none; NULL: each has. With the lock. */
static const struct lv_host *host_without(const struct libvirt *lv)
{
	for (size_t i = 0; i < lv->hosts_n; i++) {
		if (lv->hosts[i].nature.type[0] && !lv->hosts[i].nature.has_tpm)
			return &lv->hosts[i];
	}
	return NULL;
}

bool lv_tpm_fault(const struct libvirt *lv, char *out, size_t size)
{
	const struct lv_host *h = lv->set.windows.tpm == TPM_YES ? host_without(lv) : NULL;

	if (h)
		snprintf(out, size, "tpm = yes, and libvirt%s%s has no TPM for its machines: " WINDOWS_TPM_MISSING " there, then restart libvirtd",
			h->name[0] ? " of host " : "", h->name);
	return h != NULL;
}

bool lv_tpm_is_there(const struct libvirt *lv)
{
	return lv->set.windows.tpm != TPM_NO && !host_without(lv);
}

int lv_tpm_wanted(const struct lv_host *h, const struct machine_request *r, bool *ret, struct pst_err *err)
{
	struct libvirt *lv = h->lv;
	char words[LV_REASON_SIZE];
	bool is_fault;

	*ret = false;
	if (!r->is_windows || h->nature.form->needs_kernel || !h->nature.form->disk[0])
		return 0;
	pthread_mutex_lock(&lv->lock);
	is_fault = lv_tpm_fault(lv, words, sizeof(words));
	*ret = lv_tpm_is_there(lv);
	pthread_mutex_unlock(&lv->lock);
	return is_fault ? pst_err_set(err, PST_EUNSUPPORTED, "%s", words) : 0;
}

int lv_tpm_of(const struct lv_found *f, bool *ret, struct pst_err *err)
{
	char *xml = virDomainGetXMLDesc(f->domain, VIR_DOMAIN_XML_INACTIVE);

	if (!xml)
		return lv_error(err, f->host, "read the domain's definition");
	*ret = xml_find(xml, "tpm") != NULL;
	free(xml);
	return 0;
}
