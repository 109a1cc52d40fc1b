/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory and processors of a stopped machine, the disk of a running one. */
#include "broker/hypervisor/libvirt/backup.h"
#include "broker/hypervisor/libvirt/found.h"

/* Bytes of the disk now. */
static int disk_size(struct lv_found *f, uint64_t *ret, struct pst_err *err)
{
	virDomainBlockInfo info;

	if (virDomainGetBlockInfo(f->domain, lv_form_for(f->host, &f->record.request)->disk, &info, 0) < 0)
		return lv_error(err, f->host, "read the disk's size");
	*ret = info.capacity;
	return 0;
}

int lv_resize_disk(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	uint64_t want = (uint64_t)f->record.request.disk_mb << 20, have = 0;

	if (disk_size(f, &have, err) < 0)
		return err->code;
	if (want <= have)
		return 0;
	if (lv_disk_forget(c, f, err) < 0 || lv_disk_grow(f->host->lv, f->record.request.desktop, want, err) < 0)
		return err->code;
	if (virDomainBlockResize(f->domain, lv_form_for(f->host, &f->record.request)->disk, want, VIR_DOMAIN_BLOCK_RESIZE_BYTES) < 0)
		return lv_error(err, f->host, "grow the disk to %u MB", f->record.request.disk_mb);
	return 0;
}

/* A stopped machine's grows at its next start; there is room for it from now on, or it would not start any more. */
static int disk_grow(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	uint64_t want = (uint64_t)c->size.disk_mb << 20, have = 0;

	if (!f->host->nature.form->disk[0])
		return pst_err_set(err, PST_EUNSUPPORTED, "domains of libvirt's \"%s\" have no disk", f->host->nature.type);
	if (disk_size(f, &have, err) < 0)
		return err->code;
	if (want < have || c->size.disk_mb < f->record.request.disk_mb)
		return pst_err_set(err, PST_EINVAL, "a disk of %llu MB cannot become one of %u MB", (unsigned long long)(have >> 20),
			c->size.disk_mb);
	if (want > have && lv_disk_grow(f->host->lv, c->desktop, want, err) < 0)
		return err->code;
	f->record.request.disk_mb = c->size.disk_mb;
	if (lv_found_save(f, err) < 0)
		return err->code;
	return f->is_active ? lv_resize_disk(c, f, err) : 0;
}

static int memory_set(struct lv_found *f, uint32_t mb, struct pst_err *err)
{
	unsigned long kib = (unsigned long)mb << 10;

	if (virDomainSetMemoryFlags(f->domain, kib, VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_MEM_MAXIMUM) < 0 ||
		virDomainSetMemoryFlags(f->domain, kib, VIR_DOMAIN_AFFECT_CONFIG) < 0)
		return lv_error(err, f->host, "set its memory to %u MB", mb);
	f->record.request.memory_mb = mb;
	return 0;
}

/* Fewer than before: the present number first, else the new maximum would be below it. */
static int cpus_set(struct lv_found *f, uint32_t percent, struct pst_err *err)
{
	unsigned n = (percent + 99) / 100;
	bool is_fewer = percent < f->record.request.cpu_percent;

	if ((is_fewer && virDomainSetVcpusFlags(f->domain, n, VIR_DOMAIN_AFFECT_CONFIG) < 0) ||
		virDomainSetVcpusFlags(f->domain, n, VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM) < 0 ||
		(!is_fewer && virDomainSetVcpusFlags(f->domain, n, VIR_DOMAIN_AFFECT_CONFIG) < 0))
		return lv_error(err, f->host, "set its processors to %u", n);
	f->record.request.cpu_percent = percent;
	return 0;
}

static int machine_set(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	const struct machine_size *s = &c->size;
	const struct machine_request *r = &f->record.request;
	bool memory = s->memory_mb && s->memory_mb != r->memory_mb, cpus = s->cpu_percent && s->cpu_percent != r->cpu_percent;

	if ((memory || cpus) && f->is_active)
		return pst_err_set(err, PST_EBUSY, "memory and processors change while the machine is stopped");
	if ((memory && memory_set(f, s->memory_mb, err) < 0) || (cpus && cpus_set(f, s->cpu_percent, err) < 0))
		return err->code;
	if (memory || cpus)
		return lv_found_save(f, err);
	return 0;
}

int lv_resize_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc == 0)
		rc = lv_call_step(c, f.host, "changing its size", err);
	if (rc == 0)
		rc = machine_set(c, &f, err);
	if (rc == 0 && c->size.disk_mb)
		rc = disk_grow(c, &f, err);
	lv_found_finish(&f);
	return rc;
}
