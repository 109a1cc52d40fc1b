/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A task is asked for its state; while it runs, its change is awaited, or, where that fails, it is asked again. */
#include "broker/hypervisor/vsphere/task.h"

#include "base/clock.h"
#include "base/text.h"
#include "broker/hypervisor/vsphere/fault.h"
#include "broker/hypervisor/vsphere/property.h"

#include <string.h>

#define WAIT_S 60
#define AGAIN_MS 500
#define UPDATES 4 /* that may come at once: queued, running, its end */
#define CANCEL_MS 5000

enum task_state { TASK_RUNNING, TASK_DONE };

static const char *const paths[] = { "info.state", "info.error", "info.result", NULL };

static int ended_read(const struct soap_node *object, const char *state, const char *what, struct vim_ref *ret_result, struct pst_err *err)
{
	const struct soap_node *error;

	if (strcmp(state, "success") == 0) {
		if (ret_result && vim_ref_read(property_of(object, "info.result"), ret_result, err) < 0)
			return err->code;
		return TASK_DONE;
	}
	error = property_of(object, "info.error");
	return fault_set(err, soap_child(error, "fault"), soap_text(error, "localizedMessage"), what);
}

/* A task_state, or the error with which it ended, or that of the question. */
static int state_read(struct vim_op *op, const struct vim_ref *task, const char *what, struct vim_ref *ret_result, struct pst_err *err)
{
	struct property_set set = { .object = task, .paths = paths };
	const struct soap_node *object, *state;
	struct soap *s = property_get(op, &set, &object, err);
	int rc = TASK_RUNNING;

	if (!s)
		return pst_err_wrap(err, "%s", what);
	state = property_of(object, "info.state");
	if (!state)
		rc = pst_err_set(err, PST_EPROTO, "%s: vSphere does not say how its task goes", what);
	else if (strcmp(state->text, "success") == 0 || strcmp(state->text, "error") == 0)
		rc = ended_read(object, state->text, what, ret_result, err);
	soap_destroy(s);
	return rc;
}

/* The first update tells what there is, so no change between it and the question is lost. */
static int updates_follow(struct vim_op *op, const struct vim_ref *task, const char *what, struct vim_ref *ret_result, struct pst_err *err)
{
	static const char *const state[] = { "info.state", NULL };
	struct property_set set = { .object = task, .paths = state };
	struct pst_err ignored = PST_ERR_INIT;
	struct property_wait w;
	int rc = TASK_RUNNING, told;

	if (property_wait_begin(op, &set, &w, &ignored) < 0)
		return TASK_RUNNING;
	for (unsigned i = 0; rc == TASK_RUNNING && (told = property_wait_next(op, &w, WAIT_S, &ignored)) >= 0; i++) {
		/* A server that does not wait is not asked all the time. */
		if ((told == 0 || i >= UPDATES) && vim_op_pause(op, AGAIN_MS, &ignored) < 0)
			break;
		rc = state_read(op, task, what, ret_result, err);
	}
	property_wait_end(op, &w);
	return rc;
}

static void task_cancel(struct vim_op *op, const struct vim_ref *task)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct vim_op last = { .vim = op->vim, .owner = "cancel", .end_ms = pst_mono_ms() + CANCEL_MS };

	soap_destroy(vim_call(&last, &(struct vim_call){ .method = "CancelTask", .self = task }, &ignored));
}

static int task_await(struct vim_op *op, const struct vim_ref *task, const char *what, struct vim_ref *ret_result, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = state_read(op, task, what, ret_result, err);

	while (rc == TASK_RUNNING) {
		rc = updates_follow(op, task, what, ret_result, err);
		if (rc == TASK_RUNNING)
			rc = vim_op_pause(op, AGAIN_MS, err) < 0 ? err->code : state_read(op, task, what, ret_result, err);
	}
	if (rc < 0 && vim_op_check(op, &why) < 0) {
		task_cancel(op, task);
		return pst_err_set(err, why.code, "%s: %s", what, why.text);
	}
	return rc < 0 ? rc : 0;
}

int task_run(struct vim_op *op, const struct vim_call *c, const char *what, struct vim_ref *ret_result, struct pst_err *err)
{
	struct vim_ref task;
	struct soap *s = vim_call(op, c, err);
	int rc;

	if (!s)
		return pst_err_wrap(err, "%s", what);
	rc = vim_ref_read(soap_child(soap_body(s), "returnval"), &task, err);
	soap_destroy(s);
	return rc < 0 ? rc : task_await(op, &task, what, ret_result, err);
}
