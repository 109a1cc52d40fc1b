/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To another host while it runs. */
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/network.h"

#include "base/mem.h"
#include "base/text.h"

/* The source's DHCP need not keep its address. */
static void move_settle(struct lv_found *f, virDomainPtr moved)
{
	lv_network_release(f->host, virDomainGetConnect(f->domain), &f->record);
	virDomainFree(moved);
}

/*
 * The two connections are ours, so the hosts need not trust each other with libvirt's own
 * log-in. UNSAFE only says that the directory is shared as the administrator told: libvirt
 * cannot see that, and refuses a cache other than none elsewhere.
 */
static int move(struct lv_call *c, struct lv_found *f, struct lv_host *to, struct pst_err *err)
{
	unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
	virConnectPtr conn = lv_host_connection(to, c->deadline_ms, err);
	virTypedParameterPtr params = NULL;
	int n = 0, max = 0;
	virDomainPtr moved;

	if (!conn)
		return err->code;
	/* Its address must be its own over there before it asks for it again. */
	if (lv_network_ensure(c, to, conn, &f->record.request, err) < 0 || lv_network_reserve(c, to, conn, &f->record, err) < 0) {
		virConnectClose(conn);
		return err->code;
	}
	if (c->lv->set.shares_directory)
		flags |= VIR_MIGRATE_UNSAFE;
	if (to->migrate_uri[0])
		virTypedParamsAddString(&params, &n, &max, VIR_MIGRATE_PARAM_URI, to->migrate_uri);
	lv_call_job(c, true);
	moved = virDomainMigrate3(f->domain, conn, params, (unsigned)n, flags);
	lv_call_job(c, false);
	virTypedParamsFree(params, n);
	if (!moved)
		lv_error(err, f->host, "move it to host %s", to->name);
	else
		move_settle(f, moved);
	virConnectClose(conn);
	return moved ? 0 : err->code;
}

int lv_migrate_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_host *to = lv_host_named(c->lv, c->name);
	struct lv_found f;
	int rc;

	if (!to)
		return pst_err_set(err, PST_ENOTFOUND, "there is no host \"%s\" in \"hosts\"", c->name);
	rc = lv_need(c, &f, err);
	if (rc < 0)
		return rc;
	if (f.host != to && !f.is_active)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s does not run: only a running machine is moved", c->desktop);
	else if (f.host != to && !c->lv->set.shares_directory && f.host->nature.form->disk[0])
		rc = pst_err_set(err, PST_EUNSUPPORTED,
			"its disk lies on host %s alone: put \"directory\" on storage that all hosts share, and say shared_directory = yes",
			f.host->name);
	else if (f.host != to && lv_call_step(c, f.host, "moving it", err) == 0)
		rc = move(c, &f, to, err);
	else if (f.host != to)
		rc = err->code;
	lv_found_finish(&f);
	return rc;
}
