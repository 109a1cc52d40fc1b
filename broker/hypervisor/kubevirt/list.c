/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every machine of ours, with what its instance does: two lists, joined by name. */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SELECTOR_SIZE 800

struct instance {
	char name[OBJECTS_NAME_SIZE];
	char host[MACHINE_NAME_SIZE];
	char address[CLAIM_ADDRESS_SIZE];
	bool is_up;
};

struct entry {
	struct machine machine; /* without its state */
	enum claim_phase phase;
	bool is_apart;
};

struct listing {
	const struct kubevirt *k;
	struct entry *entries;
	struct instance *instances;
	size_t entries_n, instances_n;
};

static void *grow(void *items, size_t n, size_t size, struct pst_err *err)
{
	void *more = n & (n - 1) ? items : realloc(items, (n ? 2 * n : 1) * size); /* at powers of two */

	if (!more)
		pst_err_set(err, PST_ENOMEM, "no memory");
	return more;
}

static void entries_begin(void *arg)
{
	((struct listing *)arg)->entries_n = 0;
}

static int entry_take(const json_t *item, void *arg, struct pst_err *err)
{
	struct listing *l = arg;
	struct entry *e;
	struct claim c;
	void *more;

	if (!kube_claim_read(l->k, item, &c))
		return 0;
	more = grow(l->entries, l->entries_n, sizeof(*e), err);
	if (!more)
		return err->code;
	l->entries = more;
	e = &l->entries[l->entries_n++];
	memset(e, 0, sizeof(*e));
	e->phase = c.phase;
	e->is_apart = kube_is_apart(l->k, &c.request);
	pst_strlcpy(e->machine.desktop, sizeof(e->machine.desktop), c.request.desktop);
	pst_strlcpy(e->machine.task, sizeof(e->machine.task), c.request.task);
	snprintf(e->machine.image, sizeof(e->machine.image), "%s:%s", c.request.image_name, c.request.image_version);
	if (c.address[0] && !e->is_apart) {
		e->machine.endpoint.kind = ENDPOINT_TLS;
		e->machine.endpoint.port = l->k->seed.agent_port;
		pst_strlcpy(e->machine.endpoint.address, sizeof(e->machine.endpoint.address), c.address);
	}
	return 0;
}

static void instances_begin(void *arg)
{
	((struct listing *)arg)->instances_n = 0;
}

static int instance_take(const json_t *item, void *arg, struct pst_err *err)
{
	const json_t *status = json_object_get(item, "status");
	const char *phase = pst_json_str(status, "phase", 32);
	struct listing *l = arg;
	struct instance *i;
	void *more = grow(l->instances, l->instances_n, sizeof(*i), err);

	if (!more)
		return err->code;
	l->instances = more;
	i = &l->instances[l->instances_n++];
	memset(i, 0, sizeof(*i));
	if (pst_strlcpy(i->name, sizeof(i->name), k8s_name(item)) < 0)
		i->name[0] = '\0';
	kube_host(item, i->host);
	kube_address(item, i->address);
	i->is_up = !json_object_get(json_object_get(item, "metadata"), "deletionTimestamp") &&
		!(phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0));
	return 0;
}

static int instance_compare(const void *a, const void *b)
{
	return strcmp(((const struct instance *)a)->name, ((const struct instance *)b)->name);
}

static void entry_visit(const struct listing *l, struct entry *e, uint64_t moment, driver_visit_cb visit, void *arg)
{
	struct claim c = { .phase = e->phase };
	const struct instance *i;
	struct instance key;

	objects_name(e->machine.desktop, "", key.name);
	i = l->instances_n ? bsearch(&key, l->instances, l->instances_n, sizeof(key), instance_compare) : NULL;
	e->machine.state = claim_state(&c, i && i->is_up, e->machine.reason);
	if (i)
		pst_strlcpy(e->machine.host, sizeof(e->machine.host), i->host);
	if (i && i->address[0] && e->is_apart) {
		e->machine.endpoint.kind = ENDPOINT_TLS;
		e->machine.endpoint.port = l->k->seed.agent_port;
		pst_strlcpy(e->machine.endpoint.address, sizeof(e->machine.endpoint.address), i->address);
	}
	if (e->machine.state == MACHINE_RUNNING)
		watches_see(l->k->rest.watches, e->machine.desktop, moment);
	visit(&e->machine, arg);
}

static int both_read(struct rest_op *op, struct listing *l, char version[K8S_VERSION_SIZE], struct pst_err *err)
{
	char path[REST_PATH_SIZE], selector[SELECTOR_SIZE];
	struct k8s_list machines = { .path = path, .selector = selector, .begin = entries_begin, .visit = entry_take, .arg = l };
	struct k8s_list instances = { .path = path, .selector = selector, .begin = instances_begin, .visit = instance_take, .arg = l, .version = version };

	if (objects_selector(&l->k->site, NULL, selector, sizeof(selector)) < 0)
		return pst_err_set(err, PST_ELIMIT, "too long a selector");
	if (kube_path(l->k, kube_machines(l->k), "", path, err) < 0 || k8s_list(op, &machines, err) < 0)
		return err->code;
	return kube_path(l->k, kube_instances(l->k), "", path, err) < 0 ? err->code : k8s_list(op, &instances, err);
}

int kubevirt_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct kubevirt *k = kubevirt_of(d);
	struct listing l = { .k = k };
	uint64_t moment = watches_now(k->rest.watches);
	char version[K8S_VERSION_SIZE] = "";
	struct rest_op op;
	int rc;

	rest_begin(&op, &k->rest, "");
	rc = both_read(&op, &l, version, err);
	if (rc == 0) {
		pthread_mutex_lock(&k->lock);
		memcpy(k->version, version, sizeof(k->version));
		pthread_mutex_unlock(&k->lock);
		if (l.instances_n)
			qsort(l.instances, l.instances_n, sizeof(*l.instances), instance_compare);
		for (size_t i = 0; i < l.entries_n; i++)
			entry_visit(&l, &l.entries[i], moment, visit, arg);
	}
	free(l.entries);
	free(l.instances);
	rest_end(&op);
	return rc;
}
