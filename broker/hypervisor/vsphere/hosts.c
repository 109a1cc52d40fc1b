/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cluster's hosts: what each of them has, and room for. */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/vsphere/property.h"

#include <stdio.h>
#include <string.h>

#define DESKTOP_MB 2048 /* of the hosts' memory, for each desktop */

int vs_hosts_each(struct vs_op *op, const char *const *paths, property_visit visit, void *arg, struct pst_err *err)
{
	struct vim_ref cluster;
	struct property_set set = { .object = &cluster, .children = "HostSystem", .paths = paths };

	return vs_place_find(op, op->vs->set.cluster, "cluster", &cluster, err) < 0 ? err->code
										    : property_each(&op->vim, &set, visit, arg, err);
}

int vs_host_find(struct vs_op *op, const char *name, struct vim_ref *ret, struct pst_err *err)
{
	char path[VS_PATH_SIZE + MACHINE_NAME_SIZE];

	snprintf(path, sizeof(path), "%s/%s", op->vs->set.cluster, name);
	if (vs_place_look(op, path, ret, err) < 0)
		return err->code;
	if (strcmp(ret->type, "HostSystem") != 0)
		return pst_err_set(err, PST_ENOTFOUND, "%.200s has no host \"%s\"", op->vs->set.cluster, name);
	return 0;
}

static uint64_t number_of(const struct soap_node *content, const char *path)
{
	const struct soap_node *value = property_of(content, path);
	uint64_t n = 0;

	return value && pst_parse_u64(value->text, 0, UINT64_C(1) << 50, &n) == 0 ? n : 0;
}

/* NULL: it can be used. */
static const char *trouble_of(const struct soap_node *content)
{
	const struct soap_node *state = property_of(content, "runtime.connectionState"),
			       *rests = property_of(content, "runtime.inMaintenanceMode");

	if (!state || strcmp(state->text, "connected") != 0)
		return "vCenter does not reach it: look at it there";
	return rests && strcmp(rests->text, "true") == 0 ? "it is in maintenance mode in vCenter: end that there" : NULL;
}

struct hosts {
	driver_host_cb visit;
	void *arg;
};

static int host_tell(const struct vim_ref *ref, const struct soap_node *content, void *arg, struct pst_err *err)
{
	const struct soap_node *name = property_of(content, "name"), *vms = property_of(content, "vm");
	const char *trouble = trouble_of(content);
	const struct hosts *l = arg;
	struct driver_host h;

	memset(&h, 0, sizeof(h));
	if (!name || pst_strlcpy(h.name, sizeof(h.name), name->text) < 0)
		return 0; /* no command could name it */
	h.processors = (uint32_t)PST_MIN(number_of(content, "summary.hardware.numCpuThreads"), (uint64_t)UINT32_MAX);
	h.memory_mb = (uint32_t)PST_MIN(number_of(content, "summary.hardware.memorySize") >> 20, (uint64_t)UINT32_MAX);
	h.free_mb = h.memory_mb - (uint32_t)PST_MIN(number_of(content, "summary.quickStats.overallMemoryUsage"), (uint64_t)h.memory_mb);
	for (const struct soap_node *vm = vms ? vms->first : NULL; vm; vm = vm->next)
		h.machines++;
	h.usable = !trouble;
	pst_strlcpy(h.reason, sizeof(h.reason), trouble ? trouble : "");
	l->visit(&h, l->arg);
	return 0;
}

int vsphere_hosts(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err)
{
	static const char *const paths[] = { "name", "vm", "runtime.connectionState", "runtime.inMaintenanceMode",
		"summary.hardware.memorySize", "summary.hardware.numCpuThreads", "summary.quickStats.overallMemoryUsage", NULL };
	struct vsphere *vs = vsphere_of(d);
	struct hosts l = { .visit = visit, .arg = arg };
	struct vs_op op;
	int rc;

	if (vs->set.host[0])
		return 0; /* the administrator has chosen */
	vs_op_begin(&op, vs, "");
	rc = vs_hosts_each(&op, paths, host_tell, &l, err);
	vs_op_end(&op);
	return rc;
}

int vsphere_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err)
{
	const struct vs_settings *s = &vsphere_of(d)->set;

	for (size_t i = 0; i < s->networks_n; i++) {
		struct driver_network n = { .kind = "existing", .peers = true };
		const char *slash = strrchr(s->networks[i].path, '/');

		pst_strlcpy(n.name, sizeof(n.name), s->networks[i].name);
		pst_strlcpy(n.about, sizeof(n.about), slash ? slash + 1 : s->networks[i].path);
		visit(&n, arg);
	}
	return 0;
}

void vs_host_name(struct vs_op *op, const struct vim_ref *host, char out[MACHINE_NAME_SIZE])
{
	static const char *const names[] = { "name", NULL };
	struct property_set set = { .object = host, .paths = names };
	struct pst_err ignored = PST_ERR_INIT;
	const struct soap_node *content, *name;
	struct soap *s;

	out[0] = '\0';
	s = host->type[0] ? property_get(&op->vim, &set, &content, &ignored) : NULL;
	name = s ? property_of(content, "name") : NULL;
	if (name && pst_strlcpy(out, MACHINE_NAME_SIZE, name->text) < 0)
		out[0] = '\0';
	soap_destroy(s);
}

struct room {
	uint64_t bytes;
	unsigned hosts; /* that work */
};

static int room_visit(const struct vim_ref *ref, const struct soap_node *content, void *arg, struct pst_err *err)
{
	struct room *room = arg;

	if (trouble_of(content))
		return 0;
	room->hosts++;
	room->bytes += number_of(content, "summary.hardware.memorySize");
	return 0;
}

static void room_fill(const struct vsphere *vs, const struct vim_service *service, const struct room *room, struct driver_capacity *ret)
{
	if (!vs->set.capacity)
		ret->machines = (uint32_t)PST_CLAMP((room->bytes >> 20) / DESKTOP_MB, (uint64_t)1, (uint64_t)PROPERTY_OBJECTS_MAX);
	if (room->hosts > 1)
		ret->can |= DRIVER_MIGRATE;
	snprintf(ret->limits, sizeof(ret->limits), "memory cpu (%.40s)", service->words);
	if (room->hosts == 0)
		snprintf(ret->reason, sizeof(ret->reason), "no host of %.200s is connected and out of maintenance", vs->set.cluster);
	ret->healthy = ret->reason[0] == '\0';
}

static int health_ask(struct vs_op *op, struct vim_service *service, struct room *room, struct pst_err *err)
{
	static const char *const paths[] = { "runtime.connectionState", "runtime.inMaintenanceMode", "summary.hardware.memorySize", NULL };
	struct vim_ref folder;

	if (vim_service(&op->vim, service, err) < 0)
		return err->code;
	if (!service->is_vcenter)
		return pst_err_set(
			err, PST_EUNSUPPORTED, "%s is a host alone, which cannot clone: give the address of its vCenter", service->words);
	if (vs_place_need(op, op->vs->set.folder, "folder", "Folder", &folder, err) < 0)
		return err->code;
	return vs_hosts_each(op, paths, room_visit, room, err);
}

int vsphere_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct vsphere *vs = vsphere_of(d);
	struct room room = { .hosts = 0 };
	struct pst_err why = PST_ERR_INIT;
	struct vim_service service;
	struct vs_op op;

	ret->can = DRIVER_POWER | DRIVER_SUSPEND | DRIVER_SNAPSHOT | DRIVER_RESIZE | DRIVER_GROW | DRIVER_LINKED_CLONE;
	ret->machines = vs->set.capacity ? vs->set.capacity : 1;
	vs_op_begin(&op, vs, "");
	if (health_ask(&op, &service, &room, &why) < 0)
		snprintf(ret->reason, sizeof(ret->reason), "%.480s", why.text);
	else
		room_fill(vs, &service, &room, ret);
	vs_op_end(&op);
	return 0;
}
