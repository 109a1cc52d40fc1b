/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots within the desktop's own overlay, with the memory of what runs. */
#include "broker/hypervisor/libvirt/backup.h"
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/known.h"

#include "base/mem.h"
#include "broker/hypervisor/libvirt/domain.h"

#include <stdlib.h>
#include <string.h>

/* Returns owned, or NULL: lv_error_is(VIR_ERR_NO_DOMAIN_SNAPSHOT) tells why. */
static virDomainSnapshotPtr lookup(struct lv_found *f, const char *name)
{
	return virDomainSnapshotLookupByName(f->domain, name, 0);
}

/* libvirt has qemu-img do it to a disk that nobody has open, and that only to files and devices. */
static int failed(struct lv_call *c, struct lv_found *f, const char *what, struct pst_err *err)
{
	lv_error(err, f->host, "%s snapshot \"%s\"", what, c->name);
	if (strstr(err->text, "inactive snapshots"))
		return pst_err_set(err, PST_EBUSY, "%s snapshot \"%s\": of a disk on the network that is done while the machine runs: start it first", what, c->name);
	return err->code;
}

int lv_snapshot_take_work(struct lv_call *c, struct pst_err *err)
{
	virDomainSnapshotPtr s;
	struct lv_found f;
	char *xml;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	s = lookup(&f, c->name);
	xml = s ? NULL : lv_snapshot_xml(c->name);
	if (!s && !xml)
		rc = pst_err_set(err, PST_ENOMEM, "no memory");
	else if (!s)
		rc = lv_call_step(c, f.host, "taking a snapshot", err);
	if (!s && rc == 0) {
		lv_call_job(c, true);
		s = virDomainSnapshotCreateXML(f.domain, xml, 0);
		lv_call_job(c, false);
		rc = s ? 0 : failed(c, &f, "take", err);
	}
	free(xml);
	if (s)
		virDomainSnapshotFree(s);
	lv_found_finish(&f);
	return rc;
}

/* The domain has the snapshot's own, older record now. */
static int revert(struct lv_call *c, struct lv_found *f, virDomainSnapshotPtr s, struct pst_err *err)
{
	if (lv_disk_forget(c, f, err) < 0 || lv_call_step(c, f->host, "reverting to a snapshot", err) < 0)
		return err->code;
	if (virDomainRevertToSnapshot(s, 0) < 0)
		return lv_error(err, f->host, "revert to snapshot \"%s\"", c->name);
	f->record.phase = virDomainIsActive(f->domain) == 1 ? LV_RUNNING : LV_STOPPED;
	return lv_found_save(f, err);
}

int lv_snapshot_revert_work(struct lv_call *c, struct pst_err *err)
{
	virDomainSnapshotPtr s;
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	s = lookup(&f, c->name);
	if (s) {
		lv_watch_sleep(c->lv, c->desktop, true);
		rc = revert(c, &f, s, err);
		lv_watch_sleep(c->lv, c->desktop, f.record.phase == LV_STOPPED);
		virDomainSnapshotFree(s);
	} else {
		rc = lv_error(err, f.host, "snapshot \"%s\"", c->name);
	}
	lv_found_finish(&f);
	return rc;
}

int lv_snapshot_drop_work(struct lv_call *c, struct pst_err *err)
{
	virDomainSnapshotPtr s;
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	s = lookup(&f, c->name);
	if (!s && !lv_error_is(VIR_ERR_NO_DOMAIN_SNAPSHOT))
		rc = lv_error(err, f.host, "look for snapshot \"%s\"", c->name);
	if (s)
		rc = lv_call_step(c, f.host, "dropping a snapshot", err);
	if (s && rc == 0 && virDomainSnapshotDelete(s, 0) < 0)
		rc = failed(c, &f, "drop", err);
	if (s)
		virDomainSnapshotFree(s);
	lv_found_finish(&f);
	return rc;
}

/* Its disk goes anyway; drivers that cannot forget the name alone delete the whole. */
static int forget(virDomainSnapshotPtr s)
{
	if (virDomainSnapshotDelete(s, VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY) == 0 || lv_error_is(VIR_ERR_NO_DOMAIN_SNAPSHOT))
		return 0;
	return lv_error_is(VIR_ERR_INVALID_ARG) ? virDomainSnapshotDelete(s, 0) : -1;
}

int lv_snapshots_forget(struct lv_found *f, struct pst_err *err)
{
	virDomainSnapshotPtr *all = NULL;
	int n = virDomainListAllSnapshots(f->domain, &all, 0), rc = 0;

	if (n < 0)
		return lv_error_is(VIR_ERR_NO_SUPPORT) ? 0 : lv_error(err, f->host, "list snapshots");
	for (int i = 0; i < n; i++) {
		if (rc == 0 && forget(all[i]) < 0)
			rc = lv_error(err, f->host, "forget a snapshot");
		virDomainSnapshotFree(all[i]);
	}
	free(all);
	return rc;
}
