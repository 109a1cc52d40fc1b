/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Objects, patches, pages. */
#include "broker/hypervisor/kubevirt/k8s.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 500
#define BEGINNINGS 4
#define CONTINUE_MAX 4096

int k8s_refusal(const struct http_answer *a, char words[REST_WORDS_SIZE])
{
	const char *message = pst_json_str(a->json, "message", 16384), *reason = pst_json_str(a->json, "reason", 128);

	rest_words(words, REST_WORDS_SIZE, message && *message ? message : a->reason);
	if (a->status == 409)
		return reason && strcmp(reason, "AlreadyExists") == 0 ? PST_ECONFLICT : PST_EBUSY;
	if (a->status == 410)
		return PST_EAGAIN;
	/* A kind that it does not know, and somebody before it, have another page: that is no word about an object. */
	if (a->status == 404 && (!reason || strcmp(reason, "NotFound") != 0))
		return PST_EPROTO;
	if (a->status == 403 && strstr(words, "exceeded quota"))
		return PST_ELIMIT;
	return http_status_code(a->status);
}

/* What is answered must be an object. */
static json_t *object_take(struct rest_op *op, const struct rest_call *c, const char *path, struct pst_err *err)
{
	struct http_answer a;
	json_t *o = NULL;

	if (rest_ask(op, c, path, &a, err) < 0)
		return NULL;
	if (json_is_object(a.json))
		o = json_incref(a.json);
	else
		pst_err_set(err, PST_EPROTO, "%s answers %s %.120s with something else than it should", op->rest->what, c->method, path);
	http_answer_finish(&a);
	return o;
}

json_t *k8s_get(struct rest_op *op, const char *path, struct pst_err *err)
{
	return rest_get(op, path, JSON_OBJECT, err);
}

json_t *k8s_create(struct rest_op *op, const char *path, const json_t *json, struct pst_err *err)
{
	struct rest_call c = { .method = "POST", .json = json };

	return object_take(op, &c, path, err);
}

static json_t *patch(struct rest_op *op, const char *path, const json_t *json, const char *type, struct pst_err *err)
{
	struct rest_call c = { .method = "PATCH", .type = type, .is_repeatable = true };
	char *text = pst_json_text(json, &c.len);
	json_t *o;

	if (!text) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	c.data = text;
	o = object_take(op, &c, path, err);
	free(text);
	return o;
}

json_t *k8s_apply(struct rest_op *op, const char *path, const json_t *json, struct pst_err *err)
{
	char query[REST_PATH_SIZE];

	/* JSON is YAML, too. */
	return rest_path(query, err, "%s?fieldManager=puesto&force=true", path) < 0 ? NULL : patch(op, query, json, "application/apply-patch+yaml", err);
}

json_t *k8s_merge(struct rest_op *op, const char *path, const json_t *json, struct pst_err *err)
{
	return patch(op, path, json, "application/merge-patch+json", err);
}

static int act(struct rest_op *op, const struct rest_call *c, const char *path, struct pst_err *err)
{
	struct http_answer a;
	int rc = rest_ask(op, c, path, &a, err);

	http_answer_finish(&a);
	return rc;
}

int k8s_put(struct rest_op *op, const char *path, const json_t *json, struct pst_err *err)
{
	struct rest_call c = { .method = "PUT", .json = json };

	return act(op, &c, path, err);
}

int k8s_delete(struct rest_op *op, const char *path, int grace_s, struct pst_err *err)
{
	json_t *how = json_pack("{s:s,s:s,s:s}", "apiVersion", "v1", "kind", "DeleteOptions", "propagationPolicy", "Foreground");
	struct rest_call c = { .method = "DELETE", .json = how };
	struct pst_err why = PST_ERR_INIT;
	int rc;

	if (grace_s >= 0)
		json_object_set_new(how, "gracePeriodSeconds", json_integer(grace_s));
	rc = act(op, &c, path, &why);
	json_decref(how);
	return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
}

const char *k8s_name(const json_t *object)
{
	const char *name = pst_json_str(json_object_get(object, "metadata"), "name", 253);

	return name ? name : "";
}

static int items_visit(const struct k8s_list *l, const json_t *page, size_t *n, struct pst_err *err)
{
	json_t *items = json_object_get(page, "items"), *item;
	size_t i;

	if (!json_is_null(items) && !json_is_array(items))
		return pst_err_set(err, PST_EPROTO, "a list of Kubernetes has no items: is \"url\" that of its API server?");
	json_array_foreach(items, i, item)
	{
		if (++*n > K8S_ITEMS_MAX)
			return pst_err_set(err, PST_ELIMIT, "Kubernetes lists more than %d objects of ours", K8S_ITEMS_MAX);
		if (l->visit(item, l->arg, err) < 0)
			return err->code;
	}
	return 0;
}

/* One page. *ret_more becomes the escaped key of the next one, "" after the last. */
static int page_read(struct rest_op *op, const struct k8s_list *l, char more[CONTINUE_MAX], size_t *n, struct pst_err *err)
{
	const char *key, *version;
	char path[REST_PATH_SIZE + CONTINUE_MAX];
	json_t *page, *meta;
	int rc;

	snprintf(path, sizeof(path), "%.600s?limit=%d&labelSelector=%.1200s%s%s", l->path, PAGE, l->selector, more[0] ? "&continue=" : "", more);
	page = rest_get(op, path, JSON_OBJECT, err);
	if (!page)
		return err->code;
	meta = json_object_get(page, "metadata");
	rc = items_visit(l, page, n, err);
	key = pst_json_str(meta, "continue", CONTINUE_MAX / 3 - 1);
	version = pst_json_str(meta, "resourceVersion", K8S_VERSION_SIZE - 1);
	more[0] = '\0';
	if (rc == 0 && key && *key && !pst_url_escape(key, more, CONTINUE_MAX))
		rc = pst_err_set(err, PST_ELIMIT, "too long a key of a page");
	if (rc == 0 && json_object_get(meta, "continue") && !key)
		rc = pst_err_set(err, PST_EPROTO, "the key of a page is no text, or too long");
	if (l->version)
		pst_strlcpy(l->version, K8S_VERSION_SIZE, version ? version : "");
	json_decref(page);
	return rc;
}

static int list_once(struct rest_op *op, const struct k8s_list *l, struct pst_err *err)
{
	char more[CONTINUE_MAX] = "";
	size_t n = 0;
	int rc;

	l->begin(l->arg);
	do
		rc = page_read(op, l, more, &n, err);
	while (rc == 0 && more[0]);
	return rc;
}

int k8s_list(struct rest_op *op, const struct k8s_list *l, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = PST_EAGAIN;

	for (int i = 0; i < BEGINNINGS && rc == PST_EAGAIN; i++)
		rc = list_once(op, l, &why);
	return pst_err_pass(err, rc, &why);
}
