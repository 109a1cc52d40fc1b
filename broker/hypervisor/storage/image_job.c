/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A job's thread and what is known of it; the work itself is image_work.c. */
#include "broker/hypervisor/storage/image_work.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct image_job {
	struct image_job_params p; /* constant, as the next three lines */
	struct stores *set;
	const struct image_tools *tools;
	pthread_t thread;
	int cancel_fd;
	void (*changed)(void *arg);
	void *arg;
	pthread_mutex_t lock; /* guards what follows */
	const char *step;
	unsigned percent;
	bool is_over;
	struct image_result result;
	int rc; /* with its words in err */
	struct pst_err err;
	const char *told_step; /* NULL: nothing yet */
	unsigned told_percent;
	bool told_over;
};

static const char *const kinds[] = {
	[IMAGE_IMPORT] = "import",
	[IMAGE_CAPTURE] = "capture",
	[IMAGE_REMOVE] = "remove",
	[IMAGE_COPY] = "copy",
};

static int kind_read(const json_t *msg, struct image_job_params *p, struct pst_err *err)
{
	const char *kind;

	if (pst_json_need_str(msg, "kind", 16, &kind, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i], kind) == 0) {
			p->kind = (enum image_job_kind)i;
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "kind: \"%s\" is not known", kind);
}

static int uuid_read(const json_t *msg, const char *key, char out[PST_UUID_SIZE], struct pst_err *err)
{
	struct pst_uuid u;
	const char *text;

	if (pst_json_need_str(msg, key, PST_UUID_SIZE - 1, &text, err) < 0)
		return err->code;
	if (pst_uuid_parse(text, &u) < 0)
		return pst_err_set(err, PST_EINVAL, "%s: \"%s\" is no UUID", key, text);
	pst_uuid_text(&u, out);
	return 0;
}

static int name_read(const json_t *msg, const char *key, char *out, size_t size, struct pst_err *err)
{
	const char *text;

	if (pst_json_need_str(msg, key, size - 1, &text, err) < 0)
		return err->code;
	if (!disk_name_valid(text))
		return pst_err_set(err, PST_EINVAL, "%s: \"%.60s\" is no usable name", key, text);
	return pst_strlcpy(out, size, text);
}

static int import_read(const json_t *msg, struct image_job_params *p, struct pst_err *err)
{
	const char *format;

	if (name_read(msg, "file", p->file, sizeof(p->file), err) < 0 || pst_json_opt_str(msg, "format", 16, "", &format, err) < 0)
		return err->code;
	p->is_oci = strcmp(format, "oci") == 0;
	p->has_format = format[0] != '\0' && !p->is_oci;
	if (p->has_format && disk_format_parse(format, &p->format) < 0)
		return pst_err_set(err, PST_EINVAL, "format: \"%s\" is none of qcow2, raw, vmdk, vhdx, oci", format);
	return 0;
}

static int capture_read(const json_t *msg, struct image_job_params *p, struct pst_err *err)
{
	const char *base;

	if (uuid_read(msg, "desktop", p->desktop, err) < 0 || pst_json_need_str(msg, "base", sizeof(p->base) - 1, &base, err) < 0)
		return err->code;
	return pst_strlcpy(p->base, sizeof(p->base), base);
}

static int remove_read(const json_t *msg, struct image_job_params *p, struct pst_err *err)
{
	const char *reason;

	if (pst_json_opt_str(msg, "reason", sizeof(p->reason) - 1, "removed", &reason, err) < 0 ||
		pst_json_opt_int(msg, "keep_ms", 0, INT64_C(400) * 86400000, 0, &p->keep_ms, err) < 0)
		return err->code;
	return pst_strlcpy(p->reason, sizeof(p->reason), reason);
}

static int copy_read(const json_t *msg, struct image_job_params *p, struct pst_err *err)
{
	const char *sha256;

	if (name_read(msg, "from", p->from, sizeof(p->from), err) < 0 ||
		pst_json_need_str(msg, "sha256", sizeof(p->sha256) - 1, &sha256, err) < 0)
		return err->code;
	if (strlen(sha256) != sizeof(p->sha256) - 1 || strspn(sha256, "0123456789abcdef") != sizeof(p->sha256) - 1)
		return pst_err_set(err, PST_EINVAL, "sha256: is no digest");
	return pst_strlcpy(p->sha256, sizeof(p->sha256), sha256);
}

int image_job_parse(const json_t *msg, struct image_job_params *ret, struct pst_err *err)
{
	static int (*const read[])(const json_t *msg, struct image_job_params *p, struct pst_err *err) = {
		[IMAGE_IMPORT] = import_read,
		[IMAGE_CAPTURE] = capture_read,
		[IMAGE_REMOVE] = remove_read,
		[IMAGE_COPY] = copy_read,
	};
	struct image_job_params p;

	memset(&p, 0, sizeof(p));
	if (kind_read(msg, &p, err) < 0 || uuid_read(msg, "task", p.task, err) < 0 ||
		name_read(msg, "datastore", p.datastore, sizeof(p.datastore), err) < 0 ||
		name_read(msg, "image", p.image, sizeof(p.image), err) < 0 ||
		name_read(msg, "version", p.version, sizeof(p.version), err) < 0 ||
		pst_json_opt_bool(msg, "repeat", false, &p.is_repeat, err) < 0 || read[p.kind](msg, &p, err) < 0)
		return err->code;
	*ret = p;
	return 0;
}

/* On the job's thread. */
static void step_tell(void *arg, const char *step, unsigned percent)
{
	struct image_job *job = arg;
	bool is_new;

	pthread_mutex_lock(&job->lock);
	is_new = job->step != step || job->percent != percent;
	job->step = step;
	job->percent = percent;
	pthread_mutex_unlock(&job->lock);
	if (is_new)
		job->changed(job->arg);
}

static void *work(void *arg)
{
	struct image_job *job = arg;
	struct image_work w = { .set = job->set, .p = &job->p, .tools = job->tools, .cancel_fd = job->cancel_fd, .tell = step_tell,
		.arg = job };
	struct pst_err err = PST_ERR_INIT;
	struct image_result result;
	int rc;

	memset(&result, 0, sizeof(result));
	rc = image_work_run(&w, &result, &err);
	pthread_mutex_lock(&job->lock);
	job->result = result;
	job->rc = rc;
	job->err = err;
	job->is_over = true;
	pthread_mutex_unlock(&job->lock);
	job->changed(job->arg);
	return NULL;
}

struct image_job *image_job_start(struct stores *set, const struct image_job_params *p, const struct image_tools *tools,
	void (*changed)(void *arg), void *arg)
{
	struct image_job *job = pst_zalloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->p = *p;
	job->set = set;
	job->tools = tools;
	job->changed = changed;
	job->arg = arg;
	job->step = "waiting";
	pthread_mutex_init(&job->lock, NULL);
	job->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (job->cancel_fd >= 0 && pthread_create(&job->thread, NULL, work, job) == 0)
		return job;
	pst_fd_close(&job->cancel_fd);
	pthread_mutex_destroy(&job->lock);
	free(job);
	return NULL;
}

const char *image_job_task(const struct image_job *job)
{
	return job->p.task;
}

void image_job_cancel(struct image_job *job)
{
	eventfd_write(job->cancel_fd, 1);
}

bool image_job_is_over(struct image_job *job)
{
	bool is_over;

	pthread_mutex_lock(&job->lock);
	is_over = job->is_over;
	pthread_mutex_unlock(&job->lock);
	return is_over;
}

/* With the lock. */
static json_t *job_json(const struct image_job *job)
{
	const struct image_result *r = &job->result;

	if (!job->is_over)
		return json_pack("{s:s, s:s, s:s, s:s, s:i}", "op", "image", "task", job->p.task, "state", "running", "step", job->step,
			"percent", (int)job->percent);
	if (job->rc < 0)
		return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "op", "image", "task", job->p.task, "state", "failed", "error", "code",
			pst_code_word(job->rc), "title", job->err.text);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "op", "image", "task", job->p.task, "state", "done", "path", r->path, "size",
		(json_int_t)r->manifest.size, "file_size", (json_int_t)r->manifest.file_size, "sha256", r->manifest.sha256);
}

bool image_job_news(struct image_job *job, json_t **ret)
{
	bool is_news;

	pthread_mutex_lock(&job->lock);
	is_news = !job->told_over && (job->is_over || job->told_step != job->step || job->told_percent != job->percent);
	if (is_news) {
		*ret = job_json(job);
		job->told_step = job->step;
		job->told_percent = job->percent;
		job->told_over = job->is_over;
	}
	pthread_mutex_unlock(&job->lock);
	return is_news;
}

void image_job_forget_told(struct image_job *job)
{
	pthread_mutex_lock(&job->lock);
	job->told_step = NULL;
	job->told_over = false;
	pthread_mutex_unlock(&job->lock);
}

void image_job_destroy(struct image_job *job)
{
	if (!job)
		return;
	image_job_cancel(job);
	pthread_join(job->thread, NULL);
	pst_fd_close(&job->cancel_fd);
	pthread_mutex_destroy(&job->lock);
	free(job);
}
