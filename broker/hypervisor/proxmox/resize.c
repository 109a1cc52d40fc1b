/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory and processors of a stopped machine, its disk at any time, and its node. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void pve_size_set(json_t *config, uint32_t memory_mb, uint32_t cpu_percent)
{
	char memory[16];

	if (memory_mb) {
		snprintf(memory, sizeof(memory), "%u", memory_mb);
		json_object_set_new(config, "memory", json_string(memory));
	}
	if (!cpu_percent)
		return;
	json_object_set_new(config, "sockets", json_integer(1));
	json_object_set_new(config, "cores", json_integer((cpu_percent + 99) / 100));
	/* A part of a processor is a limit; 0 is none. */
	json_object_set_new(config, "cpulimit", cpu_percent % 100 ? json_real(cpu_percent / 100.0) : json_integer(0));
}

struct disk_wish {
	char drive[VMCONFIG_DRIVE_SIZE];
	uint64_t mb;
};

static int disk_look(struct rest_op *op, const struct pve_vm *vm, const char *drive, uint64_t *ret_mb, struct pst_err *err)
{
	json_t *config = pve_vm_config(op, vm, err);
	const char *value = pst_json_str(config, drive, VMCONFIG_VALUE_SIZE);

	if (!config)
		return err->code;
	*ret_mb = value ? vmconfig_drive_mb(value) : 0;
	json_decref(config);
	return *ret_mb ? 0 : pst_err_set(err, PST_EPROTO, "%s does not say how large disk %s of machine %u is", op->rest->what, drive, vm->id);
}

static int has_grown(struct rest_op *op, const struct pve_goal *g, struct pst_err *err)
{
	const struct disk_wish *w = g->arg;
	uint64_t mb;

	return disk_look(op, g->vm, w->drive, &mb, err) < 0 ? err->code : mb >= w->mb;
}

int pve_disk_grow(struct rest_op *op, struct pve_found *f, uint32_t mb, bool may_be_larger, struct pst_err *err)
{
	struct disk_wish w = { .mb = mb };
	struct pve_goal g = { .vm = &f->vm, .what = "grow its disk", .method = "PUT", .path = "/resize", .is_reached = has_grown, .arg = &w };
	char size[24];
	uint64_t have;
	json_t *body;
	int rc;

	if (!mb)
		return 0;
	if (!vmconfig_disk(f->config, w.drive))
		return pst_err_set(err, PST_EINVAL, "machine %u has no disk of its own: give the template one, first in its boot order", f->vm.id);
	if (disk_look(op, &f->vm, w.drive, &have, err) < 0)
		return err->code;
	if (have > mb && !may_be_larger)
		return pst_err_set(err, PST_EINVAL, "a disk of %llu MB cannot become one of %u MB", (unsigned long long)have, mb);
	snprintf(size, sizeof(size), "%uM", mb);
	body = json_pack("{s:s,s:s}", "disk", w.drive, "size", size);
	g.json = body;
	rc = body ? pve_reach(op, &g, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	json_decref(body);
	return rc;
}

static int resize_run(struct rest_op *op, struct pve_found *f, const struct machine_size *size, struct pst_err *err)
{
	struct machine_request *r = &f->claim.request;
	bool memory = size->memory_mb && size->memory_mb != r->memory_mb, cpus = size->cpu_percent && size->cpu_percent != r->cpu_percent;
	json_t *config = json_object();

	if ((memory || cpus) && (f->vm.is_running || f->vm.lock[0])) {
		json_decref(config);
		return pst_err_set(err, PST_EBUSY, "memory and processors change while the machine is stopped");
	}
	if (pve_disk_grow(op, f, size->disk_mb, false, err) < 0) {
		json_decref(config);
		return err->code;
	}
	pve_size_set(config, memory ? size->memory_mb : 0, cpus ? size->cpu_percent : 0);
	if (memory)
		r->memory_mb = size->memory_mb;
	if (cpus)
		r->cpu_percent = size->cpu_percent;
	if (size->disk_mb)
		r->disk_mb = size->disk_mb;
	return pve_claim_save(op, f, config, err);
}

int proxmox_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err)
{
	struct pve_found f;
	struct rest_op op;
	int rc;

	rest_begin(&op, &proxmox_of(d)->rest, desktop);
	rc = pve_need(&op, &f, true, err);
	if (rc == 0)
		rc = resize_run(&op, &f, size, err);
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}
