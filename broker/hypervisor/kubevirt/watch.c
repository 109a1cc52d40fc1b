/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stream of changes of instances (watch=true), from the last list's resourceVersion on. It only says when to
 * look. Where the version is too old (410) there is a look, and the stream begins after it; where the token may
 * not watch, the time alone tells.
 */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define SELECTOR_SIZE 800

struct follower {
	char version[K8S_VERSION_SIZE];
	bool is_news, is_old;
};

/* {"type": "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR", "object": …} */
static bool on_event(const char *line, size_t len, void *arg)
{
	struct follower *f = arg;
	json_t *o = pst_json_parse(line, len, PST_JSON_DEPTH, NULL), *object = json_object_get(o, "object");
	const char *type = pst_json_str(o, "type", 16), *version = pst_json_str(json_object_get(object, "metadata"), "resourceVersion", K8S_VERSION_SIZE - 1);
	const char *phase = pst_json_str(json_object_get(object, "status"), "phase", 32);

	if (!type || strcmp(type, "ERROR") == 0) {
		f->is_old = true; /* whatever it is: look, and begin anew */
	} else {
		if (version)
			pst_strlcpy(f->version, sizeof(f->version), version);
		f->is_news = strcmp(type, "DELETED") == 0 || (phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0));
	}
	json_decref(o);
	return !f->is_news && !f->is_old;
}

static void version_set(struct kubevirt *k, const char *version)
{
	pthread_mutex_lock(&k->lock);
	pst_strlcpy(k->version, sizeof(k->version), version);
	pthread_mutex_unlock(&k->lock);
}

int kubevirt_await(struct driver *d, struct rest_op *op, struct pst_err *err)
{
	struct kubevirt *k = kubevirt_of(d);
	struct follower f = { .is_news = false };
	struct rest_call c = { .method = "GET", .line = on_event, .arg = &f, .most_ms = rest_left_ms(op) };
	char path[REST_PATH_SIZE], base[REST_PATH_SIZE], selector[SELECTOR_SIZE], version[REST_NAME_SIZE];
	struct pst_err why = PST_ERR_INIT;
	struct http_answer a;
	int rc;

	pthread_mutex_lock(&k->lock);
	memcpy(f.version, k->version, sizeof(f.version));
	pthread_mutex_unlock(&k->lock);
	if (!f.version[0]) /* no list yet, or not since the last one grew too old */
		return pst_err_set(err, PST_EAGAIN, "nothing to begin at");
	if (objects_selector(&k->site, NULL, selector, sizeof(selector)) < 0 || !pst_url_escape(f.version, version, sizeof(version)))
		return pst_err_set(err, PST_ELIMIT, "too long a selector");
	if (kube_path(k, kube_instances(k), "", base, err) < 0 ||
		rest_path(path, err, "%.500s?watch=true&allowWatchBookmarks=true&timeoutSeconds=%u&resourceVersion=%s&labelSelector=%s", base,
			(unsigned)(rest_left_ms(op) / 1000 + 1), version, selector) < 0)
		return err->code;
	rc = rest_ask(op, &c, path, &a, &why);
	http_answer_finish(&a);
	if (rc == PST_EAGAIN || f.is_old) {
		version_set(k, "");
		return 0;
	}
	if (rc == PST_EDENIED)
		return pst_err_set(err, PST_EUNSUPPORTED, "the token may not watch");
	version_set(k, f.version);
	return rc == 0 && !f.is_news ? pst_err_set(err, PST_ECLOSED, "the stream has ended") : pst_err_pass(err, rc, &why);
}
