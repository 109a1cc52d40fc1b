/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making, removing and renewing machines. The record is the intent: it is there before the machine and goes after it,
 * so what a crash leaves is found by the desktop's uuid.
 *
 *	create:  record (creating) → create → seed → start → record (running)
 *	destroy: record (destroying) → destroy → not listed any more → no record
 */
#include "broker/hypervisor/ssh/ssh_priv.h"

#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <stdlib.h>
#include <string.h>

static int address_take(struct ssh_op *op, struct ssh_record *r, struct pst_err *err)
{
	struct ssh *s = op->s;
	bool has_looked;
	int rc;

	r->address[0] = '\0';
	if (s->addresses.n == 0)
		return 0;
	pthread_mutex_lock(&s->naming);
	has_looked = s->has_looked;
	pthread_mutex_unlock(&s->naming);
	/* What earlier runs of ours gave out is not free. */
	if (!has_looked && ssh_list(&s->base, NULL, NULL, err) < 0)
		return err->code;
	pthread_mutex_lock(&s->naming);
	rc = lv_addresses_take(&s->addresses, op->call.desktop, r->address, err);
	pthread_mutex_unlock(&s->naming);
	return rc;
}

/* The steps from nothing to a running machine; the records around them are the caller's. */
static void make_put(struct script *sc, const struct ssh *s, const char *seed)
{
	static const enum ssh_command steps[] = { SSH_CREATE, SSH_SEED, SSH_START };

	script_seed(sc, seed);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (s->commands[steps[i]] && (steps[i] != SSH_SEED || seed))
			script_run(sc, ssh_command_key(steps[i]), s->commands[steps[i]]);
	}
	script_seed(sc, NULL);
}

/* Where desktops have an agent of ours; *ret_seed is NULL elsewhere. */
static int seed_make(const struct ssh *s, const struct machine_request *r, char **ret_seed, struct pst_err *err)
{
	*ret_seed = NULL;
	if (s->seed.agents[0] == '\0')
		return 0;
	*ret_seed = seed_text(&s->seed, r, err);
	return *ret_seed ? 0 : err->code;
}

/* What is there before; what was never listed may be half there. */
static void destroy_put(struct script *sc, const struct ssh *s, bool is_listed)
{
	if (is_listed)
		script_run(sc, ssh_command_key(SSH_DESTROY), s->commands[SSH_DESTROY]);
	else
		script_try(sc, s->commands[SSH_DESTROY]);
}

/* One script from the intent to the running machine; before (or NULL) is what it takes the place of. */
static int machine_make(struct ssh_op *op, struct ssh_record *r, const struct ssh_found *before, struct pst_err *err)
{
	struct ssh *s = op->s;
	struct script sc;
	char *seed;
	int rc;

	r->phase = SSH_CREATING;
	r->snapshots_n = 0;
	if (seed_make(s, &r->request, &seed, err) < 0)
		return err->code;
	ssh_script_begin(&sc, op, r);
	script_lock(&sc, true);
	rc = ssh_script_put(&sc, r, err);
	if (before)
		destroy_put(&sc, s, before->has_machine);
	make_put(&sc, s, seed);
	seed_text_free(seed);
	r->phase = SSH_RUNNING;
	if (rc == 0)
		rc = ssh_script_put(&sc, r, err);
	if (rc < 0) {
		script_finish(&sc);
		return rc;
	}
	return ssh_script_do(&sc, op, err);
}

/* Everything of the desktop. f: what is there; what the host says is gone is looked for. */
static int remains_remove(struct ssh_op *op, struct ssh_found *f, struct pst_err *err)
{
	struct script sc;
	struct pst_buf text;
	struct answer a;
	int rc;

	if (!f->has_record)
		return 0; /* and a machine of that name is none of ours */
	f->record.phase = SSH_DESTROYING;
	ssh_script_begin(&sc, op, &f->record);
	script_lock(&sc, true);
	if (ssh_script_put(&sc, &f->record, err) < 0) {
		script_finish(&sc);
		return err->code;
	}
	destroy_put(&sc, op->s, f->has_machine);
	script_print(&sc, op->s->commands[SSH_LIST]);
	rc = exec_script(op->s->remote, &sc, &op->call, &text, &a, err);
	if (rc == 0 && answer_find(&a, op->name))
		rc = pst_err_set(err, PST_EBUSY, "\"destroy\" on %s ended well, and the host still lists %s", remote_name(op->s->remote), op->name);
	answer_finish(&a);
	pst_buf_finish(&text);
	if (rc < 0)
		return rc;
	ssh_script_begin(&sc, op, NULL);
	script_lock(&sc, false);
	script_forget(&sc);
	return ssh_script_do(&sc, op, err);
}

/* What the commands say was done is believed once the host lists it; without a range of ours it tells the address, too. */
static int machine_answer(struct ssh_op *op, struct machine *ret, struct pst_err *err)
{
	struct ssh_found f;

	if (ssh_need(op, &f, err) < 0)
		return err->code;
	if (!f.has_machine)
		return pst_err_set(err, PST_EIO, "the commands on %s ended well, and it does not list %s: look at \"create\" and \"list\" there",
			remote_name(op->s->remote), op->name);
	ssh_machine_fill(op->s, &f.record, &f.machine, ret);
	ret->state = MACHINE_RUNNING;
	ret->reason[0] = '\0';
	watches_know(op->s->watches, op->call.desktop);
	return 0;
}

/* What failed half-way is taken away again, in a time of its own; else the list has it. */
static void make_undo(struct ssh_op *op)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct ssh_found f;
	struct ssh_op undo;

	if (call_is_cancelled(&op->call) || ssh_op_begin(&undo, op->s, op->call.desktop, op->s->deadline_ms, &ignored) < 0)
		return;
	if (ssh_look(&undo, &f, &ignored) == 0)
		(void)remains_remove(&undo, &f, &ignored);
	ssh_op_end(&undo);
}

static bool stands(const struct ssh_found *f)
{
	return f->has_record && f->has_machine && f->machine.state == ANSWER_RUNNING && (f->record.phase == SSH_RUNNING || f->record.phase == SSH_STOPPED);
}

static int create_run(struct ssh_op *op, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct ssh_record record = { .request = *r };
	struct ssh_found f;
	int rc = ssh_look(op, &f, err);

	if (rc < 0)
		return rc;
	if (f.has_machine && !f.has_record)
		return pst_err_set(err, PST_ECONFLICT, "%s has a machine %s without a record of ours; it is left alone", remote_name(op->s->remote), op->name);
	if (stands(&f)) {
		if (strcmp(f.record.request.task, r->task) == 0)
			return machine_answer(op, ret, err);
		return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs by another task", r->desktop);
	}
	if (remains_remove(op, &f, err) < 0 || address_take(op, &record, err) < 0)
		return err->code;
	rc = machine_make(op, &record, NULL, err);
	if (rc == 0)
		rc = machine_answer(op, ret, err);
	if (rc < 0)
		make_undo(op);
	return rc;
}

int ssh_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct ssh *s = ssh_of(d);
	struct ssh_op op;
	int rc;

	if (strcmp(r->image_base, "host") == 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: the base \"host\" is for the local provider; give " REQUEST_REF "NAME or a path of the host",
			r->image_name);
	if (ssh_op_begin(&op, s, r->desktop, s->deadline_ms, err) < 0)
		return err->code;
	rc = create_run(&op, r, ret, err);
	ssh_op_end(&op);
	return rc;
}

int ssh_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct ssh *s = ssh_of(d);
	struct ssh_found f;
	struct ssh_op op;
	int rc;

	if (ssh_op_begin(&op, s, desktop, s->deadline_ms, err) < 0)
		return err->code;
	rc = ssh_look(&op, &f, err);
	if (rc == 0)
		rc = remains_remove(&op, &f, err);
	if (rc == 0) {
		watches_forget(s->watches, desktop);
		pthread_mutex_lock(&s->naming);
		lv_addresses_release(&s->addresses, desktop);
		pthread_mutex_unlock(&s->naming);
	}
	ssh_op_end(&op);
	return rc;
}

/* The machine as it is, ended and started. */
static int restart_keep(struct ssh_op *op, struct ssh_found *f, struct pst_err *err)
{
	struct ssh *s = op->s;
	struct script sc;
	char *seed = NULL;
	int rc;

	if (!(s->can & DRIVER_POWER))
		return pst_err_set(err, PST_EUNSUPPORTED, "a restart needs the commands \"start\" and \"stop\"");
	if (!f->has_machine)
		return pst_err_set(err, PST_EIO, "%s has no machine %s any more: refresh the desktop", remote_name(s->remote), op->name);
	if (f->record.request.enrol_token[0] && seed_make(s, &f->record.request, &seed, err) < 0)
		return err->code;
	ssh_script_begin(&sc, op, &f->record);
	script_lock(&sc, true);
	if (f->machine.state != ANSWER_STOPPED)
		script_run(&sc, ssh_command_key(SSH_STOP), s->commands[SSH_STOP]);
	script_seed(&sc, seed);
	if (seed && s->commands[SSH_SEED])
		script_run(&sc, ssh_command_key(SSH_SEED), s->commands[SSH_SEED]);
	script_run(&sc, ssh_command_key(SSH_START), s->commands[SSH_START]);
	seed_text_free(seed);
	f->record.phase = SSH_RUNNING;
	rc = ssh_script_put(&sc, &f->record, err);
	if (rc < 0)
		script_finish(&sc);
	return rc < 0 ? rc : ssh_script_do(&sc, op, err);
}

static int restart_run(struct ssh_op *op, const struct machine_request *wish, bool refresh, struct machine *ret, struct pst_err *err)
{
	struct machine_request old;
	struct ssh_found f;
	bool is_whole;
	int rc = ssh_need(op, &f, err);

	if (rc < 0)
		return rc;
	is_whole = f.record.phase == SSH_RUNNING || f.record.phase == SSH_STOPPED;
	if (stands(&f) && f.record.phase == SSH_RUNNING && strcmp(f.record.request.task, wish->task) == 0)
		return machine_answer(op, ret, err); /* done before */
	old = f.record.request;
	f.record.request = *wish;
	/* The machine stays what it was made of. */
	if (!refresh && is_whole)
		f.record.request.image_name[0] = '\0';
	request_merge(&f.record.request, &old);
	if (refresh || !is_whole)
		rc = machine_make(op, &f.record, &f, err);
	else
		rc = restart_keep(op, &f, err);
	return rc < 0 ? rc : machine_answer(op, ret, err);
}

int ssh_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err)
{
	struct ssh *s = ssh_of(d);
	struct ssh_op op;
	int rc;

	if (ssh_op_begin(&op, s, r->desktop, s->deadline_ms, err) < 0)
		return err->code;
	rc = restart_run(&op, r, refresh, ret, err);
	ssh_op_end(&op);
	return rc;
}
