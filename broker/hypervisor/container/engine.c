/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls of the Docker Engine API. */
#include "broker/hypervisor/container/engine.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/container/spec.h"
#include "broker/hypervisor/container/tar.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define API "/v1.41"
#define PATH_SIZE 2048
#define NAME_SIZE 1024 /* escaped */
#define LOG_MAX (64 * 1024)
#define LOG_MS 3000 /* a reason is worth no more */

struct call {
	const char *method;
	const json_t *json;
	const void *tar; /* an archive of len bytes, or NULL */
	size_t len;
	size_t max;
	uint64_t most_ms; /* 0: what the operation has left */
	bool (*line)(const char *line, size_t len, void *arg);
	bool (*piece)(const void *data, size_t len, void *arg);
	void *arg;
};

/* Some things come as any status: "…: no space left on device", and of Podman a name that is taken. */
static int code_of(const struct http_answer *a, const char *words)
{
	if (strstr(words, "name") && strstr(words, "is already in use"))
		return PST_ECONFLICT;
	if (strstr(words, "no space left") || strstr(words, "disk quota exceeded"))
		return PST_ENOSPC;
	return http_status_code(a->status);
}

static int refusal(const struct http_answer *a, const char *path, struct pst_err *err)
{
	const char *words = pst_json_str(a->json, "message", 4096);
	char text[300];

	/* It goes into logs and pages. */
	spec_log_text(words ? words : "", words ? PST_MIN(strlen(words), sizeof(text) - 1) : 0, text, sizeof(text));
	return pst_err_set(err, code_of(a, text), "the engine refuses %.*s (%d): %s", (int)strcspn(path + strlen(API), "?"), path + strlen(API),
		a->status, text);
}

static int path_make(char path[PATH_SIZE], struct pst_err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int path_make(char path[PATH_SIZE], struct pst_err *err, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, PATH_SIZE, fmt, ap);
	va_end(ap);
	return n >= 0 && n < PATH_SIZE ? 0 : pst_err_set(err, PST_ELIMIT, "an engine's path is longer than %d bytes", PATH_SIZE);
}

/* One call; the answer (2xx, 304) is the caller's to finish. */
static int call(struct engine_op *op, const struct call *c, const char *path, struct http_answer *ret, struct pst_err *err)
{
	uint64_t now = pst_mono_ms();
	struct http_request r = { .method = c->method, .path = path, .json = c->json, .max = c->max, .line = c->line, .piece = c->piece,
		.arg = c->arg, .owner = op->owner, .repeatable = !c->line && !c->piece };

	memset(ret, 0, sizeof(*ret));
	if (atomic_load(&op->cancelled))
		return pst_err_set(err, PST_ECLOSED, "cancelled");
	if (now >= op->end_ms)
		return pst_err_set(err, PST_ETIMEOUT, "the engine took too long");
	r.timeout_ms = PST_MIN(op->end_ms - now, c->most_ms ? c->most_ms : UINT64_MAX);
	if (c->tar) {
		r.data = c->tar;
		r.len = c->len;
		r.type = "application/x-tar";
	}
	if (http_call(op->http, &r, ret, err) < 0)
		return err->code;
	if (http_status_code(ret->status) == 0)
		return 0;
	refusal(ret, path, err);
	http_answer_finish(ret);
	return err->code;
}

/* One whose answer does not matter. */
static int act(struct engine_op *op, const struct call *c, const char *path, struct pst_err *err)
{
	struct http_answer a;
	int rc = call(op, c, path, &a, err);

	http_answer_finish(&a);
	return rc;
}

/* One whose answer is JSON of that type. */
static json_t *ask(struct engine_op *op, const char *path, json_type type, struct pst_err *err)
{
	struct call c = { .method = "GET" };
	struct http_answer a;
	json_t *json = NULL;

	if (call(op, &c, path, &a, err) < 0)
		return NULL;
	if (a.json && json_typeof(a.json) == type)
		json = json_incref(a.json);
	else
		pst_err_set(err, PST_EPROTO, "the engine answers %.100s with something else", path);
	http_answer_finish(&a);
	return json;
}

static bool has_word(const json_t *array, const char *word)
{
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		if (json_is_string(item) && strstr(json_string_value(item), word))
			return true;
	}
	return false;
}

int engine_info(struct engine_op *op, struct engine_info *ret, struct pst_err *err)
{
	json_t *o = ask(op, API "/info", JSON_OBJECT, err);
	const char *version = pst_json_str(o, "ServerVersion", 40);

	if (!o)
		return err->code;
	memset(ret, 0, sizeof(*ret));
	ret->memory = pst_json_bool(o, "MemoryLimit", false);
	ret->cpu = pst_json_bool(o, "CpuCfsQuota", false);
	ret->pids = pst_json_bool(o, "PidsLimit", false);
	ret->rootless = has_word(json_object_get(o, "SecurityOptions"), "name=rootless");
	ret->memory_mb = (uint64_t)pst_json_int(o, "MemTotal", 0, INT64_MAX, 0) >> 20;
	snprintf(ret->words, sizeof(ret->words), "engine %.40s", version ? version : "without a version");
	json_decref(o);
	return 0;
}

json_t *engine_list(struct engine_op *op, const char *filter, struct pst_err *err)
{
	char path[PATH_SIZE];
	json_t *list;

	if (path_make(path, err, API "/containers/json?all=1&filters=%s", filter) < 0)
		return NULL;
	list = ask(op, path, JSON_ARRAY, err);
	if (list && json_array_size(list) > SPEC_LIST_MAX) {
		json_decref(list);
		pst_err_set(err, PST_ELIMIT, "the engine lists more than %d containers of ours", SPEC_LIST_MAX);
		return NULL;
	}
	return list;
}

json_t *engine_inspect(struct engine_op *op, const char *name, struct pst_err *err)
{
	char path[PATH_SIZE];

	return path_make(path, err, API "/containers/%s/json", name) < 0 ? NULL : ask(op, path, JSON_OBJECT, err);
}

int engine_create(struct engine_op *op, const char *name, const json_t *body, struct pst_err *err)
{
	struct call c = { .method = "POST", .json = body };
	char path[PATH_SIZE];

	if (path_make(path, err, API "/containers/create?name=%s", name) < 0)
		return err->code;
	return act(op, &c, path, err);
}

/* POST on a container; query may be "". */
static int post(struct engine_op *op, const char *name, const char *verb, struct pst_err *err)
{
	struct call c = { .method = "POST" };
	char path[PATH_SIZE];

	return path_make(path, err, API "/containers/%s/%s", name, verb) < 0 ? err->code : act(op, &c, path, err);
}

int engine_start(struct engine_op *op, const char *name, struct pst_err *err)
{
	return post(op, name, "start", err);
}

int engine_stop(struct engine_op *op, const char *name, unsigned grace_s, struct pst_err *err)
{
	char verb[32];

	snprintf(verb, sizeof(verb), "stop?t=%u", grace_s);
	return post(op, name, verb, err);
}

int engine_unpause(struct engine_op *op, const char *name, struct pst_err *err)
{
	return post(op, name, "unpause", err);
}

int engine_rename(struct engine_op *op, const char *name, const char *to, struct pst_err *err)
{
	char verb[SPEC_NAME_SIZE + 16];

	snprintf(verb, sizeof(verb), "rename?name=%s", to);
	return post(op, name, verb, err);
}

static int delete_if_there(struct engine_op *op, const char *path, struct pst_err *err)
{
	struct call c = { .method = "DELETE" };
	struct pst_err why = PST_ERR_INIT;
	int rc = act(op, &c, path, &why);

	return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
}

int engine_remove(struct engine_op *op, const char *name, struct pst_err *err)
{
	char path[PATH_SIZE];

	return path_make(path, err, API "/containers/%s?force=1&v=1", name) < 0 ? err->code : delete_if_there(op, path, err);
}

int engine_file_get(struct engine_op *op, const char *name, const char *path, size_t max, char **ret_text, struct pst_err *err)
{
	struct call c = { .method = "GET", .max = max + 16 * TAR_BLOCK };
	char where[PATH_SIZE];
	struct http_answer a;
	const char *data;
	size_t len;
	int rc;

	if (path_make(where, err, API "/containers/%s/archive?path=%s", name, path) < 0 || call(op, &c, where, &a, err) < 0)
		return err->code;
	rc = tar_first(a.data ? a.data : "", a.len, &data, &len, err);
	if (rc == 0 && !(*ret_text = pst_memdup(data, len)))
		rc = pst_err_set(err, PST_ENOMEM, "no memory");
	http_answer_finish(&a);
	return rc;
}

struct exporting {
	int fd;
	uint64_t left;
	bool (*go_on)(void *arg);
	void *arg;
	int rc; /* what the pieces met, with its words in err */
	struct pst_err err;
};

static bool on_piece(const void *data, size_t len, void *arg)
{
	struct exporting *e = arg;

	if (!e->go_on(e->arg))
		e->rc = pst_err_set(&e->err, PST_ECLOSED, "cancelled");
	else if (len > e->left)
		e->rc = pst_err_set(&e->err, PST_ELIMIT, "the desktop's files take more room than there is");
	for (size_t done = 0; e->rc == 0 && done < len;) {
		ssize_t n = write(e->fd, (const char *)data + done, len - done);

		if (n < 0 && errno != EINTR)
			e->rc = pst_err_sys(&e->err, errno == ENOSPC || errno == EDQUOT ? PST_ENOSPC : PST_EIO, errno, "write the desktop's files");
		done += n > 0 ? (size_t)n : 0;
	}
	e->left -= PST_MIN((uint64_t)len, e->left);
	return e->rc == 0;
}

int engine_export(struct engine_op *op, const char *name, int fd, uint64_t max, bool (*go_on)(void *arg), void *arg, struct pst_err *err)
{
	struct exporting e = { .fd = fd, .left = max, .go_on = go_on, .arg = arg };
	struct call c = { .method = "GET", .piece = on_piece, .arg = &e };
	char path[PATH_SIZE];
	int rc;

	if (path_make(path, err, API "/containers/%s/export", name) < 0)
		return err->code;
	rc = act(op, &c, path, err);
	return e.rc < 0 ? pst_err_pass(err, e.rc, &e.err) : rc;
}

int engine_files_put(struct engine_op *op, const char *name, const struct pst_buf *tar, struct pst_err *err)
{
	struct call c = { .method = "PUT", .tar = tar->data, .len = tar->len };
	char path[PATH_SIZE];

	return path_make(path, err, API "/containers/%s/archive?path=/", name) < 0 ? err->code : act(op, &c, path, err);
}

void engine_log(struct engine_op *op, const char *name, char *out, size_t size)
{
	struct call c = { .method = "GET", .max = LOG_MAX, .most_ms = LOG_MS };
	struct pst_err ignored = PST_ERR_INIT;
	struct http_answer a;
	char path[PATH_SIZE];

	out[0] = '\0';
	if (path_make(path, &ignored, API "/containers/%s/logs?stderr=1&stdout=1&tail=8", name) < 0 || call(op, &c, path, &a, &ignored) < 0)
		return;
	spec_log_text(a.data ? a.data : "", a.len, out, size);
	http_answer_finish(&a);
}

int engine_commit(struct engine_op *op, const char *name, const char *repo, const char *tag, const char *comment, struct pst_err *err)
{
	json_t *none = json_object(); /* Podman answers 500 without a body */
	struct call c = { .method = "POST", .json = none };
	char path[PATH_SIZE];
	int rc;

	rc = path_make(path, err, API "/commit?container=%s&repo=%s&tag=%s&comment=%s", name, repo, tag, comment);
	if (rc == 0)
		rc = act(op, &c, path, err);
	json_decref(none);
	return rc;
}

json_t *engine_image(struct engine_op *op, const char *image, struct pst_err *err)
{
	char path[PATH_SIZE];

	return path_make(path, err, API "/images/%s/json", image) < 0 ? NULL : ask(op, path, JSON_OBJECT, err);
}

int engine_image_load(struct engine_op *op, const void *tar, size_t len, struct pst_err *err)
{
	struct call c = { .method = "POST", .tar = tar, .len = len };

	return act(op, &c, API "/images/load?quiet=1", err);
}

int engine_image_remove(struct engine_op *op, const char *image, struct pst_err *err)
{
	char path[PATH_SIZE];

	return path_make(path, err, API "/images/%s", image) < 0 ? err->code : delete_if_there(op, path, err);
}

int engine_image_tag(struct engine_op *op, const char *image, const char *repo, const char *tag, struct pst_err *err)
{
	struct call c = { .method = "POST" };
	char path[PATH_SIZE];

	return path_make(path, err, API "/images/%s/tag?repo=%s&tag=%s", image, repo, tag) < 0 ? err->code : act(op, &c, path, err);
}

json_t *engine_images(struct engine_op *op, const char *repo, struct pst_err *err)
{
	char path[PATH_SIZE], text[300], filter[NAME_SIZE];

	snprintf(text, sizeof(text), "{\"reference\":[\"%.200s\"]}", repo);
	if (!pst_url_escape(text, filter, sizeof(filter))) {
		pst_err_set(err, PST_ELIMIT, "too long a name of images: %.200s", repo);
		return NULL;
	}
	if (path_make(path, err, API "/images/json?filters=%s", filter) < 0)
		return NULL;
	return ask(op, path, JSON_ARRAY, err);
}

struct follower {
	int64_t moment_ns;
	bool ended;
};

/* One event of the stream. */
static bool on_event(const char *line, size_t len, void *arg)
{
	struct follower *f = arg;
	json_t *o = pst_json_parse(line, len, 8, NULL);
	int64_t moment = pst_json_int(o, "timeNano", 0, INT64_MAX, 0);

	if (moment > f->moment_ns) {
		f->moment_ns = moment;
		f->ended = true;
	}
	json_decref(o);
	return !f->ended;
}

int engine_await_end(struct engine_op *op, const char *instance, int64_t *moment_ns, struct pst_err *err)
{
	static const char *const filters =
		"{\"type\":[\"container\"],\"event\":[\"die\",\"died\",\"destroy\",\"remove\"],\"label\":[\"org.puesto.instance=%s\"]}";
	struct follower f = { .moment_ns = *moment_ns };
	struct call c = { .method = "GET", .line = on_event, .arg = &f };
	char path[PATH_SIZE], text[256], filter[NAME_SIZE];
	int rc;

	snprintf(text, sizeof(text), filters, instance);
	if (!pst_url_escape(text, filter, sizeof(filter)))
		return pst_err_set(err, PST_ELIMIT, "too long a filter");
	rc = path_make(path, err, API "/events?since=%lld&filters=%s", (long long)(*moment_ns / 1000000000), filter);
	if (rc == 0)
		rc = act(op, &c, path, err);
	*moment_ns = f.moment_ns;
	if (rc == 0 && !f.ended)
		return pst_err_set(err, PST_ECLOSED, "the engine ended the stream of events");
	return rc;
}
