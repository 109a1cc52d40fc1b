/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the host has, by our records and by its own list. */
#include "broker/hypervisor/ssh/ssh_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEALTH_MS 8000 /* a host that hangs shall be known soon */
#define MISSING_FEW 5  /* or a tenth of all, that may go at once */

static void failed(struct machine *m, const char *reason)
{
	m->state = MACHINE_FAILED;
	pst_strlcpy(m->reason, sizeof(m->reason), reason);
}

static void state_fill(const struct ssh_record *r, const struct answer_machine *listed, struct machine *m)
{
	m->state = MACHINE_RUNNING;
	if (r->phase == SSH_DESTROYING)
		failed(m, "its removal was interrupted");
	else if (r->phase == SSH_CREATING)
		failed(m, "its creation was interrupted");
	else if (!listed)
		failed(m, "the host has no such machine any more");
	else if (listed->state == ANSWER_RUNNING)
		return;
	else if (r->phase == SSH_STOPPED && listed->state != ANSWER_OTHER)
		m->state = MACHINE_STOPPED;
	else if (listed->state == ANSWER_OTHER) {
		m->state = MACHINE_FAILED;
		snprintf(m->reason, sizeof(m->reason), "the host lists it as \"%s\"", listed->word);
	} else
		failed(m, "it ended by itself, or was switched off on the host");
}

void ssh_machine_fill(const struct ssh *s, const struct ssh_record *r, const struct answer_machine *listed, struct machine *m)
{
	const char *address = listed && listed->address[0] && !s->addresses.n ? listed->address : r->address;

	memset(m, 0, sizeof(*m));
	pst_strlcpy(m->desktop, sizeof(m->desktop), r->request.desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->request.task);
	snprintf(m->image, sizeof(m->image), "%s:%s", r->request.image_name, r->request.image_version);
	state_fill(r, listed, m);
	if (address[0] == '\0')
		return;
	m->endpoint.kind = ENDPOINT_TLS;
	m->endpoint.port = s->seed.agent_port;
	pst_strlcpy(m->endpoint.address, sizeof(m->endpoint.address), address);
}

/* A record that cannot be read would leave a machine out: then there is no list. */
static int record_read(const struct ssh *s, const struct answer_line *line, struct ssh_record *r, struct pst_err *err)
{
	if (ssh_record_parse(line->text, line->len, r, err) < 0)
		return pst_err_wrap(err, "%s: a record in %s (%.*s…)", remote_name(s->remote), s->dir, (int)PST_MIN(line->len, (size_t)60), line->text);
	return 0;
}

/* Many machines that are not listed at once, or none of several, are rather the list's fault (broker/core/inventory.c has the same rule). */
static int list_check(const struct ssh *s, const struct answer *a, struct ssh_record *r, struct pst_err *err)
{
	size_t all = 0, missing = 0;
	char name[ANSWER_NAME_SIZE];

	for (size_t i = 0; i < a->records_n; i++) {
		if (record_read(s, &a->records[i], r, err) < 0)
			return err->code;
		ssh_machine_name(r->request.desktop, name);
		if (r->phase != SSH_RUNNING && r->phase != SSH_STOPPED)
			continue;
		all++;
		missing += answer_find(a, name) == NULL;
	}
	if (missing <= PST_MAX(all / 10, (size_t)MISSING_FEW) && (missing < all || all < 2))
		return 0;
	if (missing == all)
		return pst_err_set(err, PST_EPROTO, "%s lists none of its %zu desktops: look at \"list\" there; if they are gone, remove their records in %s",
			remote_name(s->remote), all, s->dir);
	return pst_err_set(err, PST_EPROTO, "%s does not list %zu of its %zu desktops: look at \"list\" there; if they are gone, remove their records in %s",
		remote_name(s->remote), missing, all, s->dir);
}

static void record_visit(struct ssh *s, const struct answer *a, const struct ssh_record *r, uint64_t moment, driver_visit_cb visit, void *arg)
{
	char name[ANSWER_NAME_SIZE];
	struct machine m;

	ssh_machine_name(r->request.desktop, name);
	ssh_machine_fill(s, r, answer_find(a, name), &m);
	pthread_mutex_lock(&s->naming);
	lv_addresses_mark(&s->addresses, m.desktop, r->address);
	pthread_mutex_unlock(&s->naming);
	if (m.state == MACHINE_RUNNING)
		watches_see(s->watches, m.desktop, moment);
	if (visit)
		visit(&m, arg);
}

static int records_visit(struct ssh *s, const struct answer *a, uint64_t moment, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct ssh_record *r = pst_zalloc(1, sizeof(*r));
	int rc = r ? list_check(s, a, r, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	for (size_t i = 0; rc == 0 && i < a->records_n; i++) {
		rc = record_read(s, &a->records[i], r, err);
		if (rc == 0)
			record_visit(s, a, r, moment, visit, arg);
	}
	free(r);
	return rc;
}

static int inventory(struct ssh *s, uint64_t timeout_ms, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	uint64_t moment = watches_now(s->watches);
	struct pst_buf text;
	struct script sc;
	struct ssh_op op;
	struct answer a;
	int rc;

	if (ssh_op_begin(&op, s, "", timeout_ms, err) < 0)
		return err->code;
	ssh_script_begin(&sc, &op, NULL);
	if (s->commands[SSH_HEALTH] && !visit)
		script_run(&sc, ssh_command_key(SSH_HEALTH), s->commands[SSH_HEALTH]);
	script_print(&sc, s->commands[SSH_LIST]);
	rc = exec_script(s->remote, &sc, &op.call, &text, &a, err);
	if (rc == 0)
		rc = records_visit(s, &a, moment, visit, arg, err);
	answer_finish(&a);
	pst_buf_finish(&text);
	ssh_op_end(&op);
	if (rc == 0) {
		pthread_mutex_lock(&s->naming);
		s->has_looked = true;
		pthread_mutex_unlock(&s->naming);
	}
	return rc;
}

int ssh_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct ssh *s = ssh_of(d);

	return inventory(s, s->deadline_ms, visit, arg, err);
}

int ssh_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct ssh *s = ssh_of(d);

	ret->machines = s->addresses.n ? PST_MIN(s->capacity, s->addresses.n) : s->capacity;
	ret->can = s->can;
	snprintf(ret->limits, sizeof(ret->limits), "ssh %.40s, %s", remote_name(s->remote), s->set);
	if (inventory(s, PST_MIN(s->deadline_ms, (uint64_t)HEALTH_MS), NULL, NULL, &why) < 0)
		pst_strlcpy(ret->reason, sizeof(ret->reason), why.text);
	ret->healthy = ret->reason[0] == '\0';
	return 0;
}
