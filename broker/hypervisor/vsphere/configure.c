/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Size, network, seed and record of a machine: one ReconfigVM_Task, so all of them or none. */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/hypervisor/vsphere/property.h"
#include "broker/hypervisor/vsphere/spec.h"
#include "broker/hypervisor/vsphere/task.h"

#include <stdlib.h>
#include <string.h>

#define ARGS_MAX (768u << 10)

/* Base64 of the seed, for guestinfo; *ret NULL when agents have nowhere to go. */
static int seed_make(const struct vs_op *op, const struct machine_request *r, char **ret, struct pst_err *err)
{
	const struct vs_settings *s = &op->vs->set;
	char *text;
	size_t len;

	*ret = NULL;
	if (!s->seed.agents[0])
		return 0;
	text = seed_text(&s->seed, r, err);
	if (!text)
		return err->code;
	len = strlen(text);
	*ret = pst_zalloc(1, PST_BASE64_LEN(len) + 1);
	if (*ret)
		pst_base64_encode(text, len, *ret, PST_BASE64_LEN(len) + 1);
	seed_text_free(text);
	return *ret ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");
}

static int config_run(struct vs_op *op, const struct vs_vm *vm, struct spec_config *spec, struct pst_err *err)
{
	struct vim_call c = { .method = "ReconfigVM_Task", .self = &vm->ref };
	char *record = lv_record_text(&vm->record);
	struct pst_buf b;
	int rc;

	if (!record)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	spec->record = record;
	pst_buf_init(&b, ARGS_MAX);
	spec_config_put(&b, spec);
	c.args = pst_buf_cstr(&b);
	rc = c.args ? task_run(&op->vim, &c, "configuring the machine", NULL, err)
		    : pst_err_set(err, PST_ELIMIT, "too large a configuration");
	if (b.data)
		pst_wipe(b.data, b.len);
	pst_buf_finish(&b);
	free(record);
	return rc;
}

static int portgroup_read(struct vs_op *op, struct spec_network *n, struct pst_err *err)
{
	static const char *const paths[] = { "config.key", "config.distributedVirtualSwitch", NULL }, *const uuid[] = { "uuid", NULL };
	struct property_set set = { .object = &n->network, .paths = paths };
	const struct soap_node *content, *key, *value;
	struct vim_ref device;
	struct soap *s = property_get(&op->vim, &set, &content, err);
	int rc;

	if (!s)
		return err->code;
	key = property_of(content, "config.key");
	rc = vim_ref_read(property_of(content, "config.distributedVirtualSwitch"), &device, err);
	if (rc == 0 && (!key || pst_strlcpy(n->portgroup, sizeof(n->portgroup), key->text) < 0))
		rc = pst_err_set(err, PST_EPROTO, "vSphere's port group has no key");
	soap_destroy(s);
	if (rc < 0)
		return rc;
	set = (struct property_set){ .object = &device, .paths = uuid };
	s = property_get(&op->vim, &set, &content, err);
	if (!s)
		return err->code;
	value = property_of(content, "uuid");
	if (!value || pst_strlcpy(n->switch_uuid, sizeof(n->switch_uuid), value->text) < 0)
		rc = pst_err_set(err, PST_EPROTO, "vSphere's distributed switch has no uuid");
	soap_destroy(s);
	return rc;
}

const char *vs_network_path(const struct vs_settings *s, const char *name, struct pst_err *err)
{
	if (strcmp(name, "host") == 0 || strcmp(name, "none") == 0 || !name[0])
		return s->network;
	for (size_t i = 0; i < s->networks_n; i++) {
		if (strcmp(s->networks[i].name, name) == 0)
			return s->networks[i].path;
	}
	pst_err_set(err, PST_EINVAL, "there is no network \"%s\" in \"networks\"", name);
	return NULL;
}

static int network_find(struct vs_op *op, const char *path, struct spec_network *n, struct pst_err *err)
{
	const char *name = strrchr(path, '/');

	memset(n, 0, sizeof(*n));
	if (vs_place_find(op, path, "network", &n->network, err) < 0)
		return err->code;
	if (strcmp(n->network.type, "DistributedVirtualPortgroup") == 0)
		return portgroup_read(op, n, err);
	if (pst_strlcpy(n->name, sizeof(n->name), name ? name + 1 : path) < 0)
		return pst_err_set(err, PST_EINVAL, "network: longer than %zu bytes", sizeof(n->name) - 1);
	return 0;
}

/* A smaller disk is refused, an equal one is no change. */
static int disk_plan(const struct soap_node *devices, uint32_t disk_mb, struct spec_config *spec, struct pst_err *err)
{
	const struct soap_node *disk = spec_disk_find(devices);
	uint64_t want = (uint64_t)disk_mb << 10, have = soap_u64(disk, "capacityInKB");

	if (!disk)
		return pst_err_set(err, PST_EUNSUPPORTED, "the machine has no disk that could grow");
	if (want < have)
		return pst_err_set(
			err, PST_EINVAL, "a disk of %llu MB cannot become one of %u MB", (unsigned long long)(have >> 10), disk_mb);
	if (want > have) {
		spec->disk = disk;
		spec->disk_kb = want;
	}
	return 0;
}

/* Returns owned, with the devices in *ret; NULL with err. */
static struct soap *devices_get(struct vs_op *op, const struct vs_vm *vm, const struct soap_node **ret, struct pst_err *err)
{
	static const char *const paths[] = { "config.hardware.device", NULL };
	struct property_set set = { .object = &vm->ref, .paths = paths };
	const struct soap_node *content;
	struct soap *s = property_get(&op->vim, &set, &content, err);

	if (s)
		*ret = property_of(content, "config.hardware.device");
	return s;
}

static int devices_plan(struct vs_op *op, const struct vs_vm *vm, const struct soap_node *devices, struct spec_config *spec,
	struct spec_network *network, struct pst_err *err)
{
	const struct machine_request *r = &vm->record.request;
	const char *path;

	if (r->disk_mb && disk_plan(devices, r->disk_mb, spec, err) < 0)
		return err->code;
	path = vs_network_path(&op->vs->set, r->network, err);
	if (!path || !path[0])
		return path ? 0 : err->code;
	spec->card = spec_card_find(devices);
	spec->network = network;
	if (!spec->card)
		return pst_err_set(err, PST_EINVAL, "the template has no network card to connect with \"network\": give it one");
	return network_find(op, path, network, err);
}

/* With the guest's seed in it. */
static int seeded_run(struct vs_op *op, struct vs_vm *vm, struct spec_config *spec, struct pst_err *err)
{
	char *seed;
	int rc = seed_make(op, &vm->record.request, &seed, err);

	spec->seed = seed;
	if (rc == 0)
		rc = config_run(op, vm, spec, err);
	if (seed)
		pst_wipe(seed, strlen(seed));
	free(seed);
	return rc;
}

int vs_configure(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	const struct machine_request *r = &vm->record.request;
	struct spec_config spec = { .cpus = (r->cpu_percent + 99) / 100, .memory_mb = (r->memory_mb + 3) / 4 * 4 /* its unit */ };
	const struct soap_node *devices;
	struct spec_network network;
	struct soap *s = devices_get(op, vm, &devices, err);
	int rc;

	if (!s)
		return err->code;
	vm->record.phase = LV_RUNNING;
	rc = devices_plan(op, vm, devices, &spec, &network, err);
	if (rc == 0)
		rc = seeded_run(op, vm, &spec, err);
	soap_destroy(s);
	return rc;
}

int vs_save(struct vs_op *op, struct vs_vm *vm, bool has_seed, struct pst_err *err)
{
	struct spec_config spec = { .seed = NULL };

	return has_seed ? seeded_run(op, vm, &spec, err) : config_run(op, vm, &spec, err);
}

static int size_plan(const struct vs_vm *vm, const struct machine_size *size, struct spec_config *spec, struct pst_err *err)
{
	const struct machine_request *r = &vm->record.request;

	if (size->memory_mb && size->memory_mb != r->memory_mb)
		spec->memory_mb = (size->memory_mb + 3) / 4 * 4;
	if (size->cpu_percent && size->cpu_percent != r->cpu_percent)
		spec->cpus = (size->cpu_percent + 99) / 100;
	if (vm->power == VS_SUSPENDED)
		return pst_err_set(err, PST_EBUSY, "a suspended machine does not change: start it, or switch it off");
	if ((spec->memory_mb || spec->cpus) && vm->power != VS_OFF)
		return pst_err_set(err, PST_EBUSY, "memory and processors change while the machine is stopped");
	return 0;
}

static int resize(struct vs_op *op, struct vs_vm *vm, const void *arg, struct pst_err *err)
{
	const struct machine_size *size = arg;
	struct machine_request *r = &vm->record.request;
	struct spec_config spec = { .cpus = 0 };
	const struct soap_node *devices;
	struct soap *s;
	int rc;

	if (size_plan(vm, size, &spec, err) < 0)
		return err->code;
	s = devices_get(op, vm, &devices, err);
	if (!s)
		return err->code;
	rc = size->disk_mb ? disk_plan(devices, size->disk_mb, &spec, err) : 0;
	r->memory_mb = size->memory_mb ? size->memory_mb : r->memory_mb;
	r->cpu_percent = size->cpu_percent ? size->cpu_percent : r->cpu_percent;
	r->disk_mb = size->disk_mb ? size->disk_mb : r->disk_mb;
	if (rc == 0)
		rc = config_run(op, vm, &spec, err);
	soap_destroy(s);
	return rc;
}

int vsphere_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err)
{
	return vs_work(d, desktop, resize, size, err);
}
