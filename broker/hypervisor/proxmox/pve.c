/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls of the Proxmox VE API, and its tasks: what takes longer answers with an id (UPID) that is asked for until it has ended. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define PAUSE_FIRST_MS 50
#define PAUSE_LAST_MS 1000
#define STOP_MS 3000 /* for telling a task that nobody wants it any more */

/* {"errors": {"newid": "…"}}: the first of them. */
static const char *field_error(const json_t *o)
{
	const char *key;
	json_t *value;

	json_object_foreach(json_object_get(o, "errors"), key, value)
	{
		if (json_is_string(value))
			return json_string_value(value);
	}
	return NULL;
}

int pve_refusal(const struct http_answer *a, char words[REST_WORDS_SIZE])
{
	const char *text = field_error(a->json);

	/* Newer ones say it in the body, all of them in the status line. */
	if (!text)
		text = pst_json_str(a->json, "message", 4096);
	rest_words(words, REST_WORDS_SIZE, text && *text ? text : a->reason);
	if (a->status >= 595 && a->status <= 599) /* of its proxy: another node does not answer */
		return PST_ECLOSED;
	if (a->status == 404) /* of somebody before it: what is not there Proxmox VE says with 500 and 400 */
		return PST_EPROTO;
	return a->status >= 500 || a->status == 400 ? vmconfig_code(words, http_status_code(a->status)) : http_status_code(a->status);
}

static json_t *data_take(const struct rest_op *op, const char *path, const json_t *answer, json_type type, struct pst_err *err)
{
	json_t *data = json_object_get(answer, "data");

	if (data && json_typeof(data) == type)
		return json_incref(data);
	pst_err_set(err, PST_EPROTO, "%s answers %.120s with something else than it should", op->rest->what, path);
	return NULL;
}

json_t *pve_get(struct rest_op *op, const char *path, json_type type, struct pst_err *err)
{
	json_t *answer = rest_get(op, path, JSON_OBJECT, err), *data = NULL;

	if (answer)
		data = data_take(op, path, answer, type, err);
	json_decref(answer);
	return data;
}

/* Nobody waits for it any more; what it has done so far stays. In a time of its own. */
static void task_stop(struct rest *r, const char *path)
{
	struct rest_call c = { .method = "DELETE", .most_ms = STOP_MS };
	struct pst_err ignored = PST_ERR_INIT;
	struct http_answer a;
	struct rest_op op;

	rest_begin(&op, r, "");
	op.end_ms = pst_mono_ms() + STOP_MS;
	if (rest_ask(&op, &c, path, &a, &ignored) == 0)
		http_answer_finish(&a);
	rest_end(&op);
}

/* 1 when it has ended well, 0 while it goes on. */
static int task_look(struct rest_op *op, const char *path, const char *upid, struct pst_err *err)
{
	json_t *o = pve_get(op, path, JSON_OBJECT, err);
	const char *status = pst_json_str(o, "status", 32), *end = pst_json_str(o, "exitstatus", 4096);
	char words[REST_WORDS_SIZE];
	int rc = 0;

	if (!o)
		return err->code;
	if (!status || (strcmp(status, "stopped") == 0 && !end)) {
		rc = pst_err_set(err, PST_EPROTO, "%s does not say how task %.100s stands", op->rest->what, upid);
	} else if (strcmp(status, "stopped") == 0) {
		rest_words(words, sizeof(words), end);
		rc = strcmp(words, "OK") == 0 || pst_str_starts(words, "WARNINGS") ? 1 : pst_err_set(err, vmconfig_code(words, PST_EIO),
			"a task of %s failed: %s (its log is that of %.100s)", op->rest->what, words, upid);
	}
	json_decref(o);
	return rc;
}

static int task_wait(struct rest_op *op, const char *upid, struct pst_err *err)
{
	char node[VMCONFIG_NAME_SIZE], escaped[REST_NAME_SIZE], path[REST_PATH_SIZE], task[REST_PATH_SIZE];
	uint64_t pause = PAUSE_FIRST_MS;
	int rc;

	if (!vmconfig_upid_node(upid, node) || !pst_url_escape(upid, escaped, sizeof(escaped)))
		return pst_err_set(err, PST_EPROTO, "%s answers with \"%.60s\", which is no task", op->rest->what, upid);
	if (rest_path(task, err, PVE_API "/nodes/%s/tasks/%s", node, escaped) < 0 || rest_path(path, err, "%.1900s/status", task) < 0)
		return err->code;
	while ((rc = task_look(op, path, upid, err)) == 0) {
		rc = rest_wait(op, pause, err);
		if (rc < 0)
			break;
		pause = PST_MIN(pause * 3 / 2, (uint64_t)PAUSE_LAST_MS);
	}
	if (rc < 0 && (atomic_load(&op->cancelled) || rest_left_ms(op) == 0))
		task_stop(op->rest, task);
	return rc < 0 ? rc : 0;
}

int pve_do(struct rest_op *op, const struct rest_call *c, const char *path, struct pst_err *err)
{
	struct http_answer a;
	char upid[VMCONFIG_UPID_SIZE] = "";
	const json_t *data;
	int rc = rest_ask(op, c, path, &a, err);

	if (rc < 0)
		return rc;
	data = json_object_get(a.json, "data");
	if (json_is_string(data))
		rc = pst_strlcpy(upid, sizeof(upid), json_string_value(data));
	else if (!json_is_null(data))
		rc = PST_EPROTO;
	http_answer_finish(&a);
	if (rc < 0)
		return pst_err_set(err, PST_EPROTO, "%s answers %s %.120s with something else than it should", op->rest->what, c->method, path);
	return upid[0] ? task_wait(op, upid, err) : 0;
}

int pve_send(struct rest_op *op, const char *method, const char *path, const json_t *json, struct pst_err *err)
{
	struct rest_call c = { .method = method, .json = json };

	return pve_do(op, &c, path, err);
}
