/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One command: what its script begins with, and what the host knows of its desktop. */
#include "broker/hypervisor/ssh/ssh_priv.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/mac.h"
#include "broker/hypervisor/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_FIRST 1000000u
#define NUMBERS 2146000000u

void ssh_machine_name(const char *desktop, char out[ANSWER_NAME_SIZE])
{
	snprintf(out, ANSWER_NAME_SIZE, "puesto-%.36s", desktop);
}

int ssh_op_begin(struct ssh_op *op, struct ssh *s, const char *desktop, uint64_t timeout_ms, struct pst_err *err)
{
	memset(op, 0, sizeof(*op));
	op->s = s;
	if (call_begin(&s->calls, &op->call, desktop, timeout_ms, err) < 0)
		return err->code;
	ssh_machine_name(desktop, op->name);
	if (desktop[0])
		watches_hold(s->watches, desktop);
	return 0;
}

void ssh_op_end(struct ssh_op *op)
{
	if (op->call.desktop[0])
		watches_release(op->s->watches, op->call.desktop);
	call_end(&op->s->calls, &op->call);
}

static void number_value(struct script *sc, enum template_name name, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	script_value(sc, name, text);
}

/* Where machines have numbers, each has one that follows from its desktop's uuid. */
static void names_put(struct script *sc, const struct ssh_op *op)
{
	uint8_t sum[PST_SHA256_LEN];
	char mac[LV_MAC_SIZE];
	uint32_t number;

	pst_sha256(op->call.desktop, strlen(op->call.desktop), sum);
	number = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
	lv_mac(op->call.desktop, mac);
	script_value(sc, TEMPLATE_NAME, op->name);
	number_value(sc, TEMPLATE_NUMBER, NUMBER_FIRST + number % NUMBERS);
	script_value(sc, TEMPLATE_MAC, mac);
	script_value(sc, TEMPLATE_ROOT, op->s->root);
}

static void request_put(struct script *sc, const struct machine_request *r)
{
	const char *image = strncmp(r->image_base, REQUEST_REF, strlen(REQUEST_REF)) == 0 ? r->image_base + strlen(REQUEST_REF) : r->image_base;

	script_value(sc, TEMPLATE_HOSTNAME, r->hostname);
	script_value(sc, TEMPLATE_IMAGE, image);
	script_value(sc, TEMPLATE_IMAGE_NAME, r->image_name);
	script_value(sc, TEMPLATE_IMAGE_VERSION, r->image_version);
	script_value(sc, TEMPLATE_LOCALE, r->locale);
	script_value(sc, TEMPLATE_LAYOUT, r->layout);
	script_value(sc, TEMPLATE_NETWORK, request_has_network(r) ? "yes" : "no");
	number_value(sc, TEMPLATE_MEMORY_MB, r->memory_mb);
	number_value(sc, TEMPLATE_CPU_PERCENT, r->cpu_percent);
	number_value(sc, TEMPLATE_CPUS, PST_MAX((r->cpu_percent + 99) / 100, 1u));
	number_value(sc, TEMPLATE_PIDS, r->pids);
	number_value(sc, TEMPLATE_DISK_MB, r->disk_mb);
}

void ssh_script_begin(struct script *sc, const struct ssh_op *op, const struct ssh_record *r)
{
	script_begin(sc, op->s->dir, op->call.desktop);
	if (!op->call.desktop[0])
		script_value(sc, TEMPLATE_ROOT, op->s->root);
	else
		names_put(sc, op);
	if (!r)
		return;
	request_put(sc, &r->request);
	script_value(sc, TEMPLATE_ADDRESS, r->address);
}

int ssh_script_put(struct script *sc, const struct ssh_record *r, struct pst_err *err)
{
	char *text = ssh_record_text(r);

	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for a record");
	script_put(sc, text);
	free(text);
	return 0;
}

int ssh_script_do(struct script *sc, struct ssh_op *op, struct pst_err *err)
{
	return exec_steps(op->s->remote, sc, &op->call, err);
}

static int found_read(const struct ssh_op *op, const struct answer *a, struct ssh_found *f, struct pst_err *err)
{
	const struct answer_machine *m = answer_find(a, op->name);

	memset(f, 0, sizeof(*f));
	f->has_machine = m != NULL;
	if (m)
		f->machine = *m;
	f->has_record = a->records_n > 0;
	if (!f->has_record)
		return 0;
	if (ssh_record_parse(a->records[0].text, a->records[0].len, &f->record, err) < 0)
		return pst_err_wrap(err, "%s: the record %s/%s.json", remote_name(op->s->remote), op->s->dir, op->call.desktop);
	if (strcmp(f->record.request.desktop, op->call.desktop) != 0)
		return pst_err_set(err, PST_EINVAL, "%s: the record %s/%s.json is another desktop's", remote_name(op->s->remote), op->s->dir,
			op->call.desktop);
	return 0;
}

int ssh_look(struct ssh_op *op, struct ssh_found *ret, struct pst_err *err)
{
	struct script sc;
	struct pst_buf text;
	struct answer a;
	int rc;

	ssh_script_begin(&sc, op, NULL);
	script_lock(&sc, false);
	script_print(&sc, op->s->commands[SSH_LIST]);
	rc = exec_script(op->s->remote, &sc, &op->call, &text, &a, err);
	if (rc == 0)
		rc = found_read(op, &a, ret, err);
	answer_finish(&a);
	pst_buf_finish(&text);
	return rc;
}

int ssh_need(struct ssh_op *op, struct ssh_found *ret, struct pst_err *err)
{
	int rc = ssh_look(op, ret, err);

	if (rc == 0 && !ret->has_record)
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", op->call.desktop);
	return rc;
}
