/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the host has, by two queries: the settings of machines with our records in their notes, and the states of the
 * machines. Settings come first: what is made meanwhile has a state too many, not one too few.
 */
#include "broker/hypervisor/hyperv/hyperv_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEALTH_MS 10000
#define PREFIX "puesto-"

struct shelf {
	struct hyperv *h;
	struct hv_vm *list; /* owned */
	bool *ours;         /* owned */
	size_t n, size;
};

static int shelf_grow(struct shelf *s, struct pst_err *err)
{
	size_t size = s->size ? 2 * s->size : 32;
	struct hv_vm *list = size <= 2 * HV_MACHINES_MAX ? realloc(s->list, size * sizeof(*list)) : NULL;
	bool *ours;

	if (!list)
		return pst_err_set(err, PST_ELIMIT, "no memory for the machines, or more than %d", HV_MACHINES_MAX);
	s->list = list;
	ours = realloc(s->ours, size * sizeof(*ours));
	if (!ours)
		return pst_err_set(err, PST_ENOMEM, "no memory for the machines");
	s->ours = ours;
	s->size = size;
	return 0;
}

/* In whose notes it stands; notes of a definition do not know that yet. */
static bool place_is(const char *text, const char *id)
{
	json_t *o = pst_json_parse(text, strlen(text), PST_JSON_DEPTH, NULL);
	const char *place = pst_json_str(o, HV_PLACE, VM_ID_SIZE);
	bool is_same = !place || strcasecmp(place, id) == 0;

	json_decref(o);
	return is_same;
}

/* Hyper-V may keep lines of notes apart. */
static bool notes_read(const struct soap_node *item, const char *id, struct lv_record *ret)
{
	struct pst_err ignored = PST_ERR_INIT;
	const char *text = NULL;
	struct pst_buf b;
	bool is_record;

	pst_buf_init(&b, LV_RECORD_MAX);
	for (const struct soap_node *n = soap_child(item, "Notes"); n; n = soap_again(n))
		pst_buf_put_str(&b, n->text);
	if (b.len > 0)
		text = pst_buf_cstr(&b);
	is_record = text && lv_record_read(text, ret, &ignored) == 0 && place_is(text, id);
	pst_buf_finish(&b);
	return is_record;
}

static int on_settings(const struct soap_node *item, void *arg, struct pst_err *err)
{
	struct shelf *s = arg;
	struct hv_vm *vm;

	if (!pst_str_starts(soap_text(item, "ElementName"), PREFIX))
		return 0;
	if (s->n == s->size && shelf_grow(s, err) < 0)
		return err->code;
	vm = &s->list[s->n];
	memset(vm, 0, sizeof(*vm));
	vm->state = VM_ODD;
	if (pst_strlcpy(vm->id, sizeof(vm->id), soap_text(item, "VirtualSystemIdentifier")) < 0 ||
		pst_strlcpy(vm->instance_id, sizeof(vm->instance_id), soap_text(item, "InstanceID")) < 0 || !vm->id[0])
		return pst_err_set(err, PST_EPROTO, "%s lists a machine without an identity", wsman_name(s->h->wsman));
	s->ours[s->n] = notes_read(item, vm->id, &vm->record) && strcmp(vm->record.instance, s->h->mark) == 0 && strcmp(vm->record.provider, s->h->provider) == 0;
	s->n++;
	return 0;
}

static int on_state(const struct soap_node *item, void *arg, struct pst_err *err)
{
	struct shelf *s = arg;

	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->list[i].id, soap_text(item, "Name")) == 0)
			s->list[i].state = vm_state_read(soap_text(item, "EnabledState"));
	}
	return 0;
}

int hv_read(struct hv_op *op, const char *name, int (*visit)(const struct hv_vm *vm, bool is_ours, void *arg, struct pst_err *err), void *arg,
	struct pst_err *err)
{
	struct shelf s = { .h = op->h };
	char query[512], which[160] = "";
	int rc;

	/* Names are ours: uuids. */
	if (name[0])
		snprintf(which, sizeof(which), "ElementName = '%s'", name);
	snprintf(query, sizeof(query), "SELECT * FROM Msvm_VirtualSystemSettingData WHERE VirtualSystemType = 'Microsoft:Hyper-V:System:Realized'%s%s",
		name[0] ? " AND " : "", which);
	rc = wsman_enumerate(&op->ws, CIM_V2, query, on_settings, &s, err);
	if (rc == 0 && s.n > 0) {
		/* The host is one of them; what tells it from machines in words is in the host's language. */
		snprintf(query, sizeof(query), "SELECT * FROM Msvm_ComputerSystem%s%s", name[0] ? " WHERE " : "", which);
		rc = wsman_enumerate(&op->ws, CIM_V2, query, on_state, &s, err);
	}
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		rc = visit(&s.list[i], s.ours[i], arg, err);
	free(s.list);
	free(s.ours);
	return rc;
}

static void failed(struct machine *m, const char *reason)
{
	m->state = MACHINE_FAILED;
	pst_strlcpy(m->reason, sizeof(m->reason), reason);
}

static void state_fill(const struct hv_vm *vm, struct machine *m)
{
	m->state = MACHINE_RUNNING;
	if (vm->record.phase == LV_DESTROYING)
		failed(m, "its removal was interrupted");
	else if (vm->record.phase == LV_CREATING)
		failed(m, "its creation was interrupted");
	else if (vm->state == VM_RUNNING || (vm->state == VM_MOVING && vm->record.phase == LV_RUNNING))
		return;
	else if (vm->record.phase == LV_STOPPED && vm->state != VM_ODD)
		m->state = MACHINE_STOPPED;
	else
		failed(m, vm->state == VM_ODD ? "Hyper-V does not say what it does: look at it there" : "it ended by itself, or was switched off at the host");
}

void hv_machine_fill(const struct hyperv *h, const struct hv_vm *vm, struct machine *m)
{
	const struct machine_request *r = &vm->record.request;

	memset(m, 0, sizeof(*m));
	pst_strlcpy(m->desktop, sizeof(m->desktop), r->desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->image_name, r->image_version);
	state_fill(vm, m);
	rdp_site_endpoint(&h->rdp, &h->seed, r, vm->record.address, &m->endpoint);
}

struct listing {
	struct hyperv *h;
	uint64_t moment;
	driver_visit_cb visit; /* or NULL */
	void *arg;
};

static int on_vm(const struct hv_vm *vm, bool is_ours, void *arg, struct pst_err *err)
{
	struct listing *l = arg;
	struct machine m;

	if (!is_ours)
		return 0;
	hv_machine_fill(l->h, vm, &m);
	pthread_mutex_lock(&l->h->naming);
	lv_addresses_mark(&l->h->addresses, m.desktop, vm->record.address);
	pthread_mutex_unlock(&l->h->naming);
	if (m.state == MACHINE_RUNNING)
		watches_see(l->h->watches, m.desktop, l->moment);
	if (l->visit)
		l->visit(&m, l->arg);
	return 0;
}

static int inventory(struct hyperv *h, uint64_t timeout_ms, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct listing l = { .h = h, .moment = watches_now(h->watches), .visit = visit, .arg = arg };
	struct hv_op op;
	int rc;

	if (hv_op_begin(&op, h, "", timeout_ms, err) < 0)
		return err->code;
	rc = hv_read(&op, "", on_vm, &l, err);
	hv_op_end(&op);
	if (rc == 0) {
		pthread_mutex_lock(&h->naming);
		h->has_looked = true;
		pthread_mutex_unlock(&h->naming);
	}
	return rc;
}

int hv_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct hyperv *h = hyperv_of(d);

	return inventory(h, h->deadline_ms, visit, arg, err);
}

int hv_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct hyperv *h = hyperv_of(d);

	ret->machines = PST_MIN(h->capacity, h->addresses.n);
	ret->can = DRIVER_POWER | DRIVER_SUSPEND | DRIVER_SNAPSHOT | DRIVER_LINKED_CLONE;
	snprintf(ret->limits, sizeof(ret->limits), "Hyper-V %.50s", wsman_name(h->wsman));
	if (inventory(h, PST_MIN(h->deadline_ms, (uint64_t)HEALTH_MS), NULL, NULL, &why) < 0)
		pst_strlcpy(ret->reason, sizeof(ret->reason), why.text);
	ret->healthy = ret->reason[0] == '\0';
	return 0;
}
