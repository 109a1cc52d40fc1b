/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libvirt's errors in our words. */
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const struct {
	int vir;
	int pst;
} codes[] = {
	{ VIR_ERR_NO_MEMORY, PST_ENOMEM },
	{ VIR_ERR_NO_SUPPORT, PST_EUNSUPPORTED },
	{ VIR_ERR_CONFIG_UNSUPPORTED, PST_EUNSUPPORTED },
	{ VIR_ERR_OPERATION_UNSUPPORTED, PST_EUNSUPPORTED },
	{ VIR_ERR_ARGUMENT_UNSUPPORTED, PST_EUNSUPPORTED },
	{ VIR_ERR_AUTH_FAILED, PST_EDENIED },
	{ VIR_ERR_ACCESS_DENIED, PST_EDENIED },
	{ VIR_ERR_OPERATION_DENIED, PST_EDENIED },
	{ VIR_ERR_NO_DOMAIN, PST_ENOTFOUND },
	{ VIR_ERR_NO_DOMAIN_SNAPSHOT, PST_ENOTFOUND },
	{ VIR_ERR_NO_NETWORK, PST_ENOTFOUND },
	{ VIR_ERR_DOM_EXIST, PST_ECONFLICT },
	{ VIR_ERR_OPERATION_TIMEOUT, PST_ETIMEOUT },
	{ VIR_ERR_OPERATION_ABORTED, PST_ECLOSED },
	{ VIR_ERR_RPC, PST_ECLOSED },
	{ VIR_ERR_NO_CONNECT, PST_ECLOSED },
};

static int code_of(const virError *e)
{
	if (e->message && (strstr(e->message, "No space left on device") || strstr(e->message, "Disk quota exceeded")))
		return PST_ENOSPC;
	for (size_t i = 0; i < PST_ARRAY_LEN(codes); i++) {
		if (codes[i].vir == e->code)
			return codes[i].pst;
	}
	return PST_EIO;
}

bool lv_error_is(int vir_code)
{
	const virError *e = virGetLastError();

	return e && e->code == vir_code;
}

/* Did the connection die, rather than the operation fail? */
static bool is_dead(const struct lv_host *h, const virError *e)
{
	bool dead;

	if (e->domain == VIR_FROM_RPC)
		return true;
	pthread_mutex_lock(&h->lv->lock);
	dead = h->conn && virConnectIsAlive(h->conn) == 0;
	pthread_mutex_unlock(&h->lv->lock);
	return dead;
}

int lv_error(struct pst_err *err, struct lv_host *h, const char *fmt, ...)
{
	virErrorPtr e = virSaveLastError();
	char what[160];
	va_list ap;
	int rc;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (!e)
		return pst_err_set(err, PST_EIO, "%s: libvirt failed and did not say why", what);
	rc = code_of(e);
	if (h && is_dead(h, e)) {
		lv_host_lost(h, e->message ? e->message : "the connection broke");
		rc = PST_ECLOSED;
	}
	pst_err_set(err, rc, "%s: %s", what, e->message ? e->message : "libvirt did not say why");
	if (h && h->name[0])
		pst_err_wrap(err, "host %s", h->name);
	virFreeError(e);
	return rc;
}
