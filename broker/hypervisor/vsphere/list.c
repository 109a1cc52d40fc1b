/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every machine of ours in the folder. */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/vsphere/property.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX 256
#define NEXTS_MAX 1024

struct host {
	struct vim_ref ref;
	char name[MACHINE_NAME_SIZE];
};

struct list {
	const struct vsphere *vs;
	uint64_t moment;
	driver_visit_cb visit;
	void *arg;
	struct host *hosts;
	size_t hosts_n;
	char (*seen)[PST_UUID_SIZE]; /* desktops that have been told */
	size_t seen_n, seen_cap;
	struct machine *nexts; /* of an interrupted refresh: told when nothing else is */
	size_t nexts_n;
};

void vs_machine_fill(const struct vsphere *vs, const struct vs_vm *vm, struct machine *m)
{
	const struct machine_request *r = &vm->record.request;

	memset(m, 0, sizeof(*m));
	pst_strlcpy(m->desktop, sizeof(m->desktop), r->desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->image_name, r->image_version);
	m->state = vm->power == VS_ON                                            ? MACHINE_RUNNING
		   : vm->record.phase == LV_STOPPED || vm->power == VS_SUSPENDED ? MACHINE_STOPPED
										 : MACHINE_FAILED;
	if (vm->power != VS_ON && vm->is_next)
		pst_strlcpy(m->reason, sizeof(m->reason), "its refresh was interrupted");
	else if (m->state == MACHINE_FAILED)
		pst_strlcpy(m->reason, sizeof(m->reason),
			vm->record.phase == LV_CREATING ? "its creation was interrupted"
							: "it was switched off in vSphere, or from within");
	else if (m->state == MACHINE_STOPPED && vm->record.phase != LV_STOPPED)
		pst_strlcpy(m->reason, sizeof(m->reason), "it was suspended in vSphere: start it");
	if (!vm->is_connected)
		pst_strlcpy(m->reason, sizeof(m->reason), "vSphere does not reach its host: this is what was known before");
	rdp_site_endpoint(&vs->set.rdp, &vs->set.seed, r, vm->address, &m->endpoint);
}

static const char *host_of(const struct list *l, const struct vim_ref *ref)
{
	for (size_t i = 0; i < l->hosts_n; i++) {
		if (vim_ref_equal(&l->hosts[i].ref, ref))
			return l->hosts[i].name;
	}
	return "";
}

static int host_visit(const struct vim_ref *ref, const struct soap_node *content, void *arg, struct pst_err *err)
{
	const struct soap_node *name = property_of(content, "name");
	struct list *l = arg;

	if (l->hosts_n < HOSTS_MAX && name && pst_strlcpy(l->hosts[l->hosts_n].name, MACHINE_NAME_SIZE, name->text) == 0)
		l->hosts[l->hosts_n++].ref = *ref;
	return 0;
}

static int seen_add(struct list *l, const char *desktop, struct pst_err *err)
{
	if (l->seen_n == l->seen_cap) {
		size_t cap = l->seen_cap ? 2 * l->seen_cap : 64;
		void *seen = realloc(l->seen, cap * PST_UUID_SIZE);

		if (!seen)
			return pst_err_set(err, PST_ENOMEM, "no memory");
		l->seen = seen;
		l->seen_cap = cap;
	}
	memcpy(l->seen[l->seen_n++], desktop, PST_UUID_SIZE);
	return 0;
}

/*
 * A machine that was meant to run, on a host that vCenter does not reach, and that vCenter says is off: nobody knows. Its host is
 * told to be silent instead (driver.h), and it is neither failed nor gone.
 */
static bool is_away(const struct list *l, const struct vs_vm *vm, const char *host)
{
	struct machine m = { .state = MACHINE_UNKNOWN };

	if (vm->is_connected || vm->power == VS_ON || vm->record.phase != LV_RUNNING || !host[0] || l->vs->set.host[0])
		return false;
	pst_strlcpy(m.host, sizeof(m.host), host);
	pst_strlcpy(m.reason, sizeof(m.reason), "vCenter does not reach it: look at it there");
	l->visit(&m, l->arg);
	return true;
}

static int vm_visit(const struct vim_ref *ref, const struct soap_node *content, void *arg, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct list *l = arg;
	struct machine m;
	struct vs_vm vm;

	vs_vm_read(l->vs, ref, content, &vm);
	/* One that is being made is its command's; any other is not left out. */
	if (vm.whose == VS_UNREADABLE && vs_vm_explain(&vm, content, &why) != PST_EBUSY) {
		*err = why;
		return why.code;
	}
	if (vm.whose != VS_OURS || is_away(l, &vm, host_of(l, &vm.host)))
		return 0;
	vs_machine_fill(l->vs, &vm, &m);
	pst_strlcpy(m.host, sizeof(m.host), host_of(l, &vm.host));
	if (vm.is_next) {
		if (l->nexts_n < NEXTS_MAX)
			l->nexts[l->nexts_n++] = m;
		return 0;
	}
	if (m.state == MACHINE_RUNNING)
		watches_see(l->vs->watches, m.desktop, l->moment);
	l->visit(&m, l->arg);
	return seen_add(l, m.desktop, err);
}

static int uuid_compare(const void *a, const void *b)
{
	return memcmp(a, b, PST_UUID_SIZE);
}

static void nexts_tell(struct list *l)
{
	if (l->seen_n)
		qsort(l->seen, l->seen_n, PST_UUID_SIZE, uuid_compare);
	for (size_t i = 0; i < l->nexts_n; i++) {
		if (!l->seen_n || !bsearch(l->nexts[i].desktop, l->seen, l->seen_n, PST_UUID_SIZE, uuid_compare))
			l->visit(&l->nexts[i], l->arg);
	}
}

static int list_run(struct vs_op *op, struct list *l, struct pst_err *err)
{
	static const char *const names[] = { "name", NULL };
	struct vim_ref folder;
	struct property_set set = { .object = &folder, .children = "VirtualMachine", .paths = vs_vm_paths };

	if (vs_hosts_each(op, names, host_visit, l, err) < 0 || vs_place_find(op, op->vs->set.folder, "folder", &folder, err) < 0 ||
		property_each(&op->vim, &set, vm_visit, l, err) < 0)
		return err->code;
	nexts_tell(l);
	return 0;
}

int vsphere_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct vsphere *vs = vsphere_of(d);
	struct list l = { .vs = vs, .moment = watches_now(vs->watches), .visit = visit, .arg = arg };
	struct vs_op op;
	int rc;

	vs_op_begin(&op, vs, "");
	l.hosts = pst_zalloc(HOSTS_MAX, sizeof(*l.hosts));
	l.nexts = pst_zalloc(NEXTS_MAX, sizeof(*l.nexts));
	rc = l.hosts && l.nexts ? list_run(&op, &l, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	free(l.hosts);
	free(l.nexts);
	free(l.seen);
	vs_op_end(&op);
	return rc;
}
