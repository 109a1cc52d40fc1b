/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One command, and the desktop's machine. */
#include "broker/hypervisor/hyperv/hyperv_priv.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 500

int hv_op_begin(struct hv_op *op, struct hyperv *h, const char *desktop, uint64_t timeout_ms, struct pst_err *err)
{
	memset(op, 0, sizeof(*op));
	op->h = h;
	op->ws = (struct wsman_op){ .w = h->wsman, .call = &op->call };
	if (call_begin(&h->calls, &op->call, desktop, timeout_ms, err) < 0)
		return err->code;
	snprintf(op->name, sizeof(op->name), "puesto-%.36s", desktop);
	if (desktop[0])
		watches_hold(h->watches, desktop);
	return 0;
}

void hv_op_end(struct hv_op *op)
{
	if (op->call.desktop[0])
		watches_release(op->h->watches, op->call.desktop);
	call_end(&op->h->calls, &op->call);
}

struct search {
	struct hv_op *op;
	struct hv_vm *ret;
	bool is_found, is_foreign;
};

static int on_vm(const struct hv_vm *vm, bool is_ours, void *arg, struct pst_err *err)
{
	struct search *s = arg;

	if (!is_ours || strcmp(vm->record.request.desktop, s->op->call.desktop) != 0) {
		s->is_foreign = true;
	} else if (!s->is_found) {
		s->is_found = true;
		*s->ret = *vm;
	}
	return 0;
}

int hv_find(struct hv_op *op, struct hv_vm *ret, bool *ret_foreign, struct pst_err *err)
{
	struct search s = { .op = op, .ret = ret };
	int rc = hv_read(op, op->name, on_vm, &s, err);

	if (rc < 0)
		return rc;
	if (ret_foreign)
		*ret_foreign = s.is_foreign && !s.is_found;
	return s.is_found;
}

int hv_need(struct hv_op *op, struct hv_vm *ret, struct pst_err *err)
{
	int rc = hv_find(op, ret, NULL, err);

	return rc == 0 ? pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", op->call.desktop) : PST_MIN(rc, 0);
}

/* The record and, once it is known, which machine it is: a copy that somebody makes of it has another identity. */
static char *notes_text(const struct hv_vm *vm)
{
	char *text = lv_record_text(&vm->record), *notes = NULL;
	json_t *o = text ? pst_json_parse(text, strlen(text), PST_JSON_DEPTH, NULL) : NULL;

	if (o && json_object_set_new(o, HV_PLACE, json_string(vm->id)) == 0)
		notes = pst_json_text(o, NULL);
	json_decref(o);
	free(text);
	return notes;
}

int hv_save(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	char *text = notes_text(vm);
	int rc = text ? vm_notes(&op->ws, vm->instance_id, text, err) : pst_err_set(err, PST_ENOMEM, "no memory for a record");

	free(text);
	return rc;
}

int hv_await(struct hv_op *op, struct hv_vm *vm, enum vm_state state, uint64_t until_ms, struct pst_err *err)
{
	struct hv_vm now;

	for (;;) {
		if (hv_need(op, &now, err) < 0)
			return err->code;
		vm->state = now.state;
		if (now.state == state)
			return 0;
		if (pst_mono_ms() >= until_ms)
			return pst_err_set(err, PST_ETIMEOUT, "the machine %s does not get there in time", op->name);
		if (wsman_pause(&op->ws, LOOK_MS, err) < 0)
			return err->code;
	}
}

int hv_on(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	if (vm->state == VM_RUNNING)
		return 0;
	if (vm_wish(&op->ws, vm->id, VM_WISH_ON, err) < 0)
		return err->code;
	return hv_await(op, vm, VM_RUNNING, op->call.end_ms, err);
}

int hv_off(struct hv_op *op, struct hv_vm *vm, struct pst_err *err)
{
	if (vm->state == VM_OFF)
		return 0;
	if (vm_wish(&op->ws, vm->id, VM_WISH_OFF, err) < 0)
		return err->code;
	return hv_await(op, vm, VM_OFF, op->call.end_ms, err);
}
