/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects as JSON. */
#include "broker/hypervisor/kubevirt/objects.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PVC "pvc:"
#define VM_API "kubevirt.io/v1"
#define SNAPSHOT_API "snapshot.kubevirt.io/v1beta1"

void objects_name(const char *desktop, const char *suffix, char out[OBJECTS_NAME_SIZE])
{
	snprintf(out, OBJECTS_NAME_SIZE, "puesto-%s%s%s", desktop, suffix[0] ? "-" : "", suffix);
}

int objects_selector(const struct objects_site *s, const char *desktop, char *out, size_t size)
{
	char text[400];
	int n = snprintf(text, sizeof(text), OBJECTS_LABEL "instance=%s," OBJECTS_LABEL "provider=%s", s->instance, s->provider);

	if (desktop)
		snprintf(text + n, sizeof(text) - (size_t)n, "," OBJECTS_LABEL "desktop=%s", desktop);
	return pst_url_escape(text, out, size) ? 0 : PST_ELIMIT;
}

static json_t *checked(json_t *o, struct pst_err *err)
{
	if (!o)
		pst_err_set(err, PST_ENOMEM, "no memory, or a text that is no UTF-8");
	return o;
}

json_t *objects_labels(const struct objects_site *s, const char *desktop)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "app.kubernetes.io/managed-by", "puesto", OBJECTS_LABEL "instance", s->instance, OBJECTS_LABEL "provider",
		s->provider, OBJECTS_LABEL "desktop", desktop);
}

static bool is_dns(const char *text, size_t n)
{
	return n > 0 && n < 254 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") >= n && text[0] != '-' && text[0] != '.';
}

int objects_image(const struct objects_site *s, const struct machine_request *r, char name[256], char space[64], struct pst_err *err)
{
	const char *ref = r->image_base + strlen(REQUEST_REF), *dot;

	if (!pst_str_starts(r->image_base, REQUEST_REF) || !*ref)
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: its base \"%.200s\" is none of Kubernetes; write " REQUEST_REF "REGISTRY/IMAGE:TAG or " REQUEST_REF
			"pvc:NAME", r->image_name, r->image_base);
	space[0] = '\0';
	if (!pst_str_starts(ref, PVC))
		return pst_strlcpy(name, 256, ref) < 0 ? pst_err_set(err, PST_EINVAL, "image %s: too long a name", r->image_name) : 0;
	ref += strlen(PVC);
	dot = strchr(ref, '.');
	if (!is_dns(ref, strlen(ref)) || (dot && (size_t)(dot - ref) >= 64) || (dot && !dot[1]))
		return pst_err_set(err, PST_EINVAL, "image %s: \"%.200s\" is no claim's name, or NAMESPACE.NAME", r->image_name, ref);
	if (dot)
		snprintf(space, 64, "%.*s", (int)(dot - ref), ref);
	else
		pst_strlcpy(space, 64, s->space);
	pst_strlcpy(name, 256, dot ? dot + 1 : ref);
	return 0;
}

static json_t *quantity(uint32_t mb)
{
	return json_sprintf("%uMi", mb);
}

/* A DataVolume that is a clone of a claim: as large as that, or as asked. Its name is of the task, so that a refresh makes another. */
static json_t *volume_template(const struct objects_site *s, const struct claim *c, const char *name, const char *space, const char *own)
{
	json_t *storage = json_object();

	if (c->request.disk_mb)
		json_object_set_new(storage, "resources", json_pack("{s:{s:o}}", "requests", "storage", quantity(c->request.disk_mb)));
	if (s->storage_class[0])
		json_object_set_new(storage, "storageClassName", json_string(s->storage_class));
	return json_pack("{s:{s:s,s:o},s:{s:{s:{s:s,s:s}},s:o}}", "metadata", "name", own, "labels", objects_labels(s, c->request.desktop), "spec", "source", "pvc",
		"namespace", space, "name", name, "storage", storage);
}

static json_t *root_volume(const struct objects_site *s, const char *name, const char *space, const char *own)
{
	json_t *disk;

	if (space[0])
		return json_pack("{s:s,s:{s:s}}", "name", OBJECTS_ROOT, "dataVolume", "name", own);
	disk = json_pack("{s:s}", "image", name);
	if (s->pull_secret[0])
		json_object_set_new(disk, "imagePullSecret", json_string(s->pull_secret));
	return json_pack("{s:s,s:o}", "name", OBJECTS_ROOT, "containerDisk", disk);
}

/* The seed is a disk CIDATA with puesto.json, which KubeVirt makes of the secret. */
static json_t *volumes(const struct objects_site *s, const struct claim *c, const char *name, const char *space, const char *own)
{
	json_t *list = json_pack("[o]", root_volume(s, name, space, own));
	char seed[OBJECTS_NAME_SIZE];

	objects_name(c->request.desktop, "seed", seed);
	if (s->has_seeds)
		json_array_append_new(list, json_pack("{s:s,s:{s:s,s:s}}", "name", "seed", "secret", "secretName", seed, "volumeLabel", "CIDATA"));
	return list;
}

/* At most so much of a processor; a tenth of it is reserved, as KubeVirt does by itself. */
static json_t *processors(uint32_t percent)
{
	return json_pack("{s:{s:o},s:{s:o}}", "limits", "cpu", json_sprintf("%um", percent * 10), "requests", "cpu", json_sprintf("%um", percent));
}

const char *objects_network(const struct objects_site *s, const struct machine_request *r)
{
	const struct net_named *named = NULL;

	if (s->nets)
		(void)nets_find(s->nets, r->network, &named, NULL);
	return named ? named->value : s->network;
}

static json_t *domain(const struct objects_site *s, const struct claim *c)
{
	const struct machine_request *r = &c->request;
	json_t *disks = json_pack("[{s:s,s:{s:s}}]", "name", OBJECTS_ROOT, "disk", "bus", "virtio");

	if (s->has_seeds)
		json_array_append_new(disks, json_pack("{s:s,s:{s:s,s:b}}", "name", "seed", "disk", "bus", "virtio", "readonly", 1));
	return json_pack("{s:{s:s},s:{s:i,s:i},s:{s:o},s:o,s:{s:o,s:[{s:s,s:{}}]}}", "firmware", "uuid", r->desktop, "cpu", "sockets", 1, "cores",
		(int)(r->cpu_percent + 99) / 100, "memory", "guest", quantity(r->memory_mb), "resources", processors(r->cpu_percent),
		"devices", "disks", disks, "interfaces", "name", "net", objects_network(s, r)[0] ? "bridge" : "masquerade");
}

static json_t *network(const struct objects_site *s, const struct machine_request *r)
{
	if (objects_network(s, r)[0])
		return json_pack("{s:s,s:{s:s}}", "name", "net", "multus", "networkName", objects_network(s, r));
	return json_pack("{s:s,s:{}}", "name", "net", "pod");
}

json_t *objects_claim(const struct claim *c, struct pst_err *err)
{
	char *text = claim_text(c, err);
	json_t *o = text ? json_pack("{s:{s:{s:s}}}", "metadata", "annotations", OBJECTS_CLAIM, text) : NULL;

	if (text)
		o = checked(o, err);
	free(text);
	return o;
}

json_t *objects_machine(const struct objects_site *s, const struct claim *c, struct pst_err *err)
{
	const char *desktop = c->request.desktop;
	char name[256], space[64], own[OBJECTS_NAME_SIZE], self[OBJECTS_NAME_SIZE], part[9];
	json_t *o = NULL, *claim, *templates;

	if (objects_image(s, &c->request, name, space, err) < 0 || !(claim = objects_claim(c, err)))
		return NULL;
	snprintf(part, sizeof(part), "%.8s", c->request.task);
	objects_name(desktop, part, own);
	objects_name(desktop, "", self);
	templates = space[0] ? json_pack("[o]", volume_template(s, c, name, space, own)) : json_array();
	o = json_pack("{s:s,s:s,s:{s:s,s:o},s:{s:s,s:o,s:{s:{s:o},s:{s:s,s:i,s:s,s:o,s:[o],s:o}}}}", "apiVersion", VM_API, "kind", "VirtualMachine", "metadata",
		"name", self, "labels", objects_labels(s, desktop), "spec", "runStrategy", "Manual", "dataVolumeTemplates", templates, "template", "metadata",
		"labels", objects_labels(s, desktop), "spec", "hostname", c->request.hostname, "terminationGracePeriodSeconds", 60, "evictionStrategy",
		"LiveMigrateIfPossible", "domain", domain(s, c), "networks", network(s, &c->request), "volumes", volumes(s, c, name, space, own));
	if (o)
		json_object_update(json_object_get(o, "metadata"), json_object_get(claim, "metadata"));
	json_decref(claim);
	return checked(o, err);
}

json_t *objects_metadata(const struct objects_site *s, const char *desktop, const char *name, const char *owner_uid)
{
	char self[OBJECTS_NAME_SIZE];

	objects_name(desktop, "", self);
	return json_pack("{s:s,s:o,s:[{s:s,s:s,s:s,s:s}]}", "name", name, "labels", objects_labels(s, desktop), "ownerReferences", "apiVersion",
		s->is_pods ? "v1" : VM_API, "kind", s->is_pods ? "ConfigMap" : "VirtualMachine", "name", self, "uid", owner_uid);
}

json_t *objects_seed(const struct objects_site *s, const struct claim *c, const char *owner_uid, const char *seed, struct pst_err *err)
{
	char name[OBJECTS_NAME_SIZE];

	objects_name(c->request.desktop, "seed", name);
	return checked(json_pack("{s:s,s:s,s:o,s:s,s:{s:s}}", "apiVersion", "v1", "kind", "Secret", "metadata", objects_metadata(s, c->request.desktop, name, owner_uid),
		"type", "Opaque", "stringData", "puesto.json", seed), err);
}

json_t *objects_service(const struct objects_site *s, const struct claim *c, const char *owner_uid, struct pst_err *err)
{
	char name[OBJECTS_NAME_SIZE];

	objects_name(c->request.desktop, "", name);
	return checked(json_pack("{s:s,s:s,s:o,s:{s:s,s:o,s:[{s:s,s:s,s:i,s:i}]}}", "apiVersion", "v1", "kind", "Service", "metadata",
		objects_metadata(s, c->request.desktop, name, owner_uid), "spec", "type", s->service, "selector", objects_labels(s, c->request.desktop), "ports", "name", "agent",
		"protocol", "TCP", "port", (int)s->agent_port, "targetPort", (int)s->agent_port), err);
}

json_t *objects_snapshot(const struct objects_site *s, const char *desktop, const char *name, const char *words, bool ran, struct pst_err *err)
{
	char self[OBJECTS_NAME_SIZE];

	objects_name(desktop, "", self);
	return checked(json_pack("{s:s,s:s,s:{s:s,s:o,s:{s:s,s:s}},s:{s:{s:s,s:s,s:s}}}", "apiVersion", SNAPSHOT_API, "kind", "VirtualMachineSnapshot", "metadata",
		"name", name, "labels", objects_labels(s, desktop), "annotations", OBJECTS_LABEL "name", words, OBJECTS_RAN, ran ? "yes" : "no", "spec", "source",
		"apiGroup", "kubevirt.io", "kind", "VirtualMachine", "name", self), err);
}

json_t *objects_restore(const struct objects_site *s, const char *desktop, const char *name, const char *snapshot, struct pst_err *err)
{
	char self[OBJECTS_NAME_SIZE];

	objects_name(desktop, "", self);
	return checked(json_pack("{s:s,s:s,s:{s:s,s:o},s:{s:{s:s,s:s,s:s},s:s}}", "apiVersion", SNAPSHOT_API, "kind", "VirtualMachineRestore", "metadata", "name",
		name, "labels", objects_labels(s, desktop), "spec", "target", "apiGroup", "kubevirt.io", "kind", "VirtualMachine", "name", self,
		"virtualMachineSnapshotName", snapshot), err);
}

json_t *objects_migration(const struct objects_site *s, const char *desktop, const char *name, const char *host, struct pst_err *err)
{
	char self[OBJECTS_NAME_SIZE];

	objects_name(desktop, "", self);
	return checked(json_pack("{s:s,s:s,s:{s:s,s:o},s:{s:s,s:{s:s}}}", "apiVersion", VM_API, "kind", "VirtualMachineInstanceMigration", "metadata", "name", name,
		"labels", objects_labels(s, desktop), "spec", "vmiName", self, "addedNodeSelector", "kubernetes.io/hostname", host), err);
}

json_t *objects_size(uint32_t memory_mb, uint32_t cpu_percent, struct pst_err *err)
{
	json_t *d = json_object();

	if (memory_mb)
		json_object_set_new(d, "memory", json_pack("{s:o}", "guest", quantity(memory_mb)));
	if (cpu_percent) {
		json_object_set_new(d, "cpu", json_pack("{s:i,s:i}", "sockets", 1, "cores", (int)(cpu_percent + 99) / 100));
		json_object_set_new(d, "resources", processors(cpu_percent));
	}
	return checked(json_pack("{s:{s:{s:{s:o}}}}", "spec", "template", "spec", "domain", d), err);
}
