/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set-up file, object by object, through the API. */
#include "broker/bootstrap.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/api/api.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct answer {
	bool is_done;
	int status;
	json_t *body;
};

struct setup {
	uv_loop_t *loop;
	struct api *api;
	struct pst_err *err;
};

static void finish_cb(struct api_call *call, void *arg)
{
	struct answer *a = arg;

	a->is_done = true;
	a->status = call->status;
	a->body = json_incref(call->reply);
}

static const struct call_out out = {.finish = finish_cb};

static struct answer run(struct setup *s, const char *method, const char *path, const json_t *body)
{
	struct answer a = {.status = 0};

	api_handle_system(s->api, method, path, body, &out, &a);
	while (!a.is_done && uv_run(s->loop, UV_RUN_ONCE) != 0)
		;
	return a;
}

/* A name as one segment of a path. */
static int path_of(char *out_path, size_t size, const char *list, const char *name, const char *rest)
{
	size_t at = (size_t)snprintf(out_path, size, "/api/v1/%s/", list);

	for (; *name; name++) {
		if (at + 4 >= size)
			return PST_ELIMIT;
		if (isalnum((unsigned char)*name))
			out_path[at++] = *name;
		else
			at += (size_t)snprintf(out_path + at, size - at, "%%%02X", (unsigned char)*name);
	}
	return (size_t)snprintf(out_path + at, size - at, "%s", rest) < size - at ? 0 : PST_ELIMIT;
}

static int explain(struct setup *s, const struct answer *a, const char *list, const char *name)
{
	const char *detail = json_string_value(json_object_get(a->body, "detail"));
	const char *title = json_string_value(json_object_get(a->body, "title"));

	return pst_err_set(s->err, PST_EINVAL, "%s '%s': %s", list, name, detail && *detail ? detail : title ? title : "failed");
}

/* POSTs body to path; "it stands already" is as good. */
static int post(struct setup *s, const char *path, const json_t *body, const char *list, const char *name)
{
	struct answer a = run(s, "POST", path, body);
	const char *code = json_string_value(json_object_get(a.body, "code"));
	bool ok = (a.status >= 200 && a.status < 300) || (code && strcmp(code, "exists") == 0);
	int rc = ok ? 0 : explain(s, &a, list, name);

	json_decref(a.body);
	return rc;
}

static int each_version(struct setup *s, const json_t *image, const char *name)
{
	const char *publish = json_string_value(json_object_get(image, "publish"));
	char path[1024];
	json_t *version;
	size_t i;

	json_array_foreach(json_object_get(image, "versions"), i, version) {
		int rc = path_of(path, sizeof(path), "images", name, "/versions");
		if (rc == 0)
			rc = post(s, path, version, "image version of", name);
		if (rc < 0)
			return rc;
	}
	if (!publish)
		return 0;
	json_t *body = json_pack("{s:s}", "version", publish);
	int rc = path_of(path, sizeof(path), "images", name, "/publish");
	if (rc == 0)
		rc = post(s, path, body, "published version of", name);
	json_decref(body);
	return rc;
}

static int each_member(struct setup *s, const json_t *group, const char *name)
{
	char path[1024], member[700];
	json_t *user;
	size_t i;

	json_array_foreach(json_object_get(group, "members"), i, user) {
		const char *user_name = json_string_value(user) ? json_string_value(user) : "";

		if (path_of(member, sizeof(member), "", user_name, "") < 0 ||
			path_of(path, sizeof(path), "groups", name, "/members/") < 0)
			return pst_err_set(s->err, PST_ELIMIT, "group '%s': a name is too long", name);
		size_t len = strlen(path);
		snprintf(path + len, sizeof(path) - len, "%s", member + strlen("/api/v1//"));
		struct answer a = run(s, "PUT", path, NULL);
		int rc = a.status == 204 ? 0 : explain(s, &a, "member of group", name);
		json_decref(a.body);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What belongs to the object and is not part of its own body. */
static void strip(json_t *body)
{
	json_object_del(body, "versions");
	json_object_del(body, "publish");
	json_object_del(body, "members");
}

static int one_object(struct setup *s, const char *list, const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	char path[1024];

	if (!name || path_of(path, sizeof(path), list, name, "") < 0)
		return pst_err_set(s->err, PST_EINVAL, "%s: an object has no name, or a very long one", list);
	struct answer a = run(s, "GET", path, NULL);
	bool is_new = a.status == 404;
	json_decref(a.body);
	if (is_new) {
		json_t *body = json_copy((json_t *)(uintptr_t)object);

		strip(body);
		snprintf(path, sizeof(path), "/api/v1/%s", list);
		int rc = post(s, path, body, list, name);
		json_decref(body);
		if (rc < 0)
			return rc;
		pst_info("set-up: made %s '%s'", list, name);
	}
	int rc = is_new ? each_version(s, object, name) : 0;
	return rc < 0 ? rc : each_member(s, object, name);
}

int bootstrap_run(uv_loop_t *loop, struct api *api, const json_t *doc, struct pst_err *err)
{
	static const char *const lists[] = {"providers", "images", "pools", "users", "groups"};
	struct setup s = {.loop = loop, .api = api, .err = err};
	json_t *object;
	size_t n;

	for (size_t i = 0; i < PST_ARRAY_LEN(lists); i++) {
		json_array_foreach(json_object_get(doc, lists[i]), n, object) {
			int rc = one_object(&s, lists[i], object);
			if (rc < 0)
				return rc;
		}
	}
	json_array_foreach(json_object_get(doc, "entitlements"), n, object) {
		int rc = post(&s, "/api/v1/entitlements", object, "entitlement", "");
		if (rc < 0)
			return rc;
	}
	return 0;
}
