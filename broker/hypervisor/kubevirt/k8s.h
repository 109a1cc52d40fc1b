/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls of the Kubernetes API (OpenAPI v1). Any thread; all end with their operation. JSON that is given back is owned. */
#pragma once

#include "broker/hypervisor/rest/rest.h"

#define K8S_ITEMS_MAX 16384
#define K8S_VERSION_SIZE 64 /* of a resourceVersion */

/* Code and words of a Status. What exists already is PST_ECONFLICT, what has changed meanwhile PST_EBUSY, what is too old (410) PST_EAGAIN. */
int k8s_refusal(const struct http_answer *a, char words[REST_WORDS_SIZE]);

json_t *k8s_get(struct rest_op *op, const char *path, struct pst_err *err);
/* A new object in that collection. */
json_t *k8s_create(struct rest_op *op, const char *path, const json_t *json, struct pst_err *err);
/* Makes it, or makes it so (server-side apply): may be repeated. */
json_t *k8s_apply(struct rest_op *op, const char *path, const json_t *json, struct pst_err *err);
/* JSON merge patch (RFC 7386). */
json_t *k8s_merge(struct rest_op *op, const char *path, const json_t *json, struct pst_err *err);
/* Of a subresource. */
int k8s_put(struct rest_op *op, const char *path, const json_t *json, struct pst_err *err);
/* 0 when there was none; grace_s < 0 leaves it to the object. It may be going still. */
int k8s_delete(struct rest_op *op, const char *path, int grace_s, struct pst_err *err);

/*
 * Each item of a collection, page by page; a list that grows too old in between begins anew (begin is called
 * at each beginning). visit returns 0 or an error. version becomes the list's; may be NULL.
 */
struct k8s_list {
	const char *path;     /* without a query */
	const char *selector; /* escaped */
	void (*begin)(void *arg);
	int (*visit)(const json_t *item, void *arg, struct pst_err *err);
	void *arg;
	char *version; /* K8S_VERSION_SIZE */
};
int k8s_list(struct rest_op *op, const struct k8s_list *l, struct pst_err *err);

/* metadata.name, or "". */
const char *k8s_name(const json_t *object);
