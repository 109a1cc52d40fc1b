/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the broker's messages and the datastores. */
#include "broker/hypervisor/storage/storage.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/bin_job.h"
#include "broker/hypervisor/storage/bins.h"

#include <stdlib.h>
#include <string.h>

#define PURGE_MS 600000 /* between two looks for what is over in the providers' recycle bins */

struct storage {
	uv_loop_t *loop;
	struct stores *set;
	char *qemu_img, *unpack;
	struct image_tools tools; /* these two */
	struct pst_ctl *ctl; /* NULL while there is none */
	uv_async_t woken;
	uint32_t told_online; /* bits by places in the set: which of them were said to be there */
	struct image_job *jobs[STORAGE_JOBS_KEPT];
	size_t jobs_n;
	unsigned bins; /* commands about recycle bins, and purges, on their way */
	struct pst_timer *purge_timer, *look_timer; /* NULL once it is closing */
	uv_work_t purge;
	bool is_closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* --- configuration ---------------------------------------------------------------- */

struct reading {
	struct stores *set;
	struct pst_conf *conf;
	const char *data;
	int rc;
	struct pst_err *err;
};

/* Of records about volumes. */
static int folder_choose(struct store_settings *s, const char *data, struct pst_err *err)
{
	char path[PATH_MAX];

	if (s->path[0])
		return 0;
	if (path_make(path, err, "%s/volumes/%s", data, s->name) < 0)
		return err->code;
	if (pst_strlcpy(s->path, sizeof(s->path), path) < 0)
		return pst_err_set(err, PST_EINVAL, "[datastore-%s] %.80s: is too long for the folder of a datastore", s->name, path);
	return 0;
}

static bool section_take(const char *section, void *arg)
{
	struct reading *r = arg;
	struct store_settings s;
	struct store_view v;

	if (store_settings_read(r->conf, section, section + strlen(STORAGE_SECTION), &s, r->err) < 0 || folder_choose(&s, r->data, r->err) < 0 ||
		stores_add(r->set, &s, r->data, r->err) < 0) {
		r->rc = r->err->code;
		return false;
	}
	if (stores_view_named(r->set, s.name, &v))
		pst_info("datastore name=%s path=%s online=%s %s", s.name, s.path, v.is_online ? "yes" : "no", v.reason);
	return true;
}

int storage_configure(struct stores *set, struct pst_conf *conf, const char *data, struct pst_err *err)
{
	struct reading r = { .set = set, .conf = conf, .data = data, .err = err };

	pst_conf_each_section(conf, STORAGE_SECTION, section_take, &r);
	return r.rc;
}

/* --- what is told ------------------------------------------------------------------- */

static json_t *pools_json(const char *pools)
{
	json_t *list = json_array();

	while (*pools) {
		size_t n;

		pools += *pools == ',';
		n = strcspn(pools, ",");
		if (n > 0)
			json_array_append_new(list, json_stringn(pools, n));
		pools += n;
	}
	return list;
}

json_t *storage_store_json(const struct store_view *v)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:b}", "name", v->s.name,
		"kind", store_type_of(&v->s)->kind, "pool", v->s.pool, "about", v->about, "path", v->s.path, "pools", pools_json(v->s.pools), "online", (int)v->is_online, "maintenance",
		(int)v->in_maintenance, "reason", v->reason, "level", level_name(v->level), "total", (json_int_t)v->space.total, "free",
		(json_int_t)v->space.free, "used", (json_int_t)v->space.used, "allocated", (json_int_t)v->census.allocated, "promised",
		(json_int_t)v->census.promised, "disks", (int)v->census.disks, "unreadable", (int)v->census.unreadable, "working",
		(int)v->working, "waiting", (int)v->waiting, "jobs", (int)v->s.jobs_max, "warning", (int)v->limits.warning, "critical",
		(int)v->limits.critical, "images", (int)(!v->s.is_plain && !v->s.is_backups),
		"backups", (int)v->s.is_backups);
}

static void stores_tell(struct storage *s)
{
	json_t *list = json_array();
	struct store_view v;

	s->told_online = 0;
	for (size_t i = 0; stores_view(s->set, i, &v); i++) {
		json_array_append_new(list, storage_store_json(&v));
		s->told_online |= v.is_online ? UINT32_C(1) << i : 0;
	}
	pst_ctl_send(s->ctl, json_pack("{s:s, s:o}", "op", "datastores", "datastores", list));
}

static void jobs_tell(struct storage *s)
{
	for (size_t i = 0; i < s->jobs_n; i++) {
		json_t *news = NULL;

		if (image_job_news(s->jobs[i], &news) && news)
			pst_ctl_send(s->ctl, news);
	}
}

/* Any thread. */
static void wake(void *arg)
{
	struct storage *s = arg;

	uv_async_send(&s->woken);
}

static void on_woken(uv_async_t *async)
{
	struct storage *s = async->data;

	if (!s->ctl || s->is_closing)
		return;
	stores_tell(s);
	if (s->ctl)
		jobs_tell(s);
}

/* One whose server is gone hangs whoever looks at it, and has no news: that it has become offline is found out here. */
static void on_look(void *arg)
{
	struct storage *s = arg;
	uint32_t online = 0;
	struct store_view v;

	for (size_t i = 0; stores_view(s->set, i, &v); i++)
		online |= v.is_online ? UINT32_C(1) << i : 0;
	if (s->ctl && online != s->told_online)
		stores_tell(s);
	pst_timer_start(s->look_timer, STORES_LOOK_MS, on_look, s);
}

_Static_assert(STORES_MAX <= 32, "told_online has a bit for each");

/* --- images ------------------------------------------------------------------------- */

static struct image_job *job_find(const struct storage *s, const char *task)
{
	for (size_t i = 0; i < s->jobs_n; i++) {
		if (strcmp(image_job_task(s->jobs[i]), task) == 0)
			return s->jobs[i];
	}
	return NULL;
}

static void job_drop(struct storage *s, size_t i)
{
	image_job_destroy(s->jobs[i]);
	memmove(&s->jobs[i], &s->jobs[i + 1], (--s->jobs_n - i) * sizeof(s->jobs[0]));
}

/* Makes room: the oldest that is over goes. */
static bool room_make(struct storage *s)
{
	size_t working = 0, oldest = s->jobs_n;

	for (size_t i = s->jobs_n; i-- > 0;) {
		if (image_job_is_over(s->jobs[i]))
			oldest = i;
		else
			working++;
	}
	if (working >= STORAGE_JOBS_MAX)
		return false;
	if (s->jobs_n == STORAGE_JOBS_KEPT)
		job_drop(s, oldest);
	return true;
}

static int image_begin(struct storage *s, const json_t *msg, struct pst_err *err)
{
	struct image_job_params p;
	struct image_job *job;

	if (image_job_parse(msg, &p, err) < 0)
		return err->code;
	job = job_find(s, p.task);
	if (job) {
		image_job_forget_told(job);
		uv_async_send(&s->woken);
		return 0;
	}
	if (!room_make(s))
		return pst_err_set(err, PST_EBUSY, "%d jobs on images are at work: try again when one is over", STORAGE_JOBS_MAX);
	job = image_job_start(s->set, &p, &s->tools, wake, s);
	if (!job)
		return pst_err_set(err, PST_ENOMEM, "no memory, or no thread, for the job");
	s->jobs[s->jobs_n++] = job;
	pst_info("image job begun task=%s image=%s version=%s datastore=%s", p.task, p.image, p.version, p.datastore);
	return 0;
}

static int image_cancel(struct storage *s, const json_t *msg, struct pst_err *err)
{
	const char *task;
	struct image_job *job;

	if (pst_json_need_str(msg, "task", PST_UUID_SIZE - 1, &task, err) < 0)
		return err->code;
	job = job_find(s, task);
	if (!job)
		return pst_err_set(err, PST_ENOTFOUND, "no such job is at work");
	image_job_cancel(job);
	return 0;
}

static int store_wish(struct storage *s, const json_t *msg, struct pst_err *err)
{
	struct store_wishes w = { 0 };
	int64_t warning, critical;
	const char *name;

	if (pst_json_need_str(msg, "name", PLACEMENT_NAME_SIZE - 1, &name, err) < 0 ||
		pst_json_opt_bool(msg, "maintenance", false, &w.in_maintenance, err) < 0 ||
		pst_json_opt_int(msg, "warning", 0, 99, 0, &warning, err) < 0 || pst_json_opt_int(msg, "critical", 0, 100, 0, &critical, err) < 0)
		return err->code;
	w.warning = (uint8_t)warning;
	w.critical = (uint8_t)critical;
	return stores_wish(s->set, name, &w, err);
}

/* --- recycle bins --------------------------------------------------------------------- */

struct bin_call {
	uv_work_t work;
	struct storage *s;
	struct bin_job job;
	struct pst_ctl *ctl; /* that asked */
	json_t *msg, *reply;
	struct pst_err err;
};

static void freed(uv_handle_t *handle)
{
	struct storage *s = handle->data;

	if (s->closed)
		s->closed(s->closed_arg);
	free(s->qemu_img);
	free(s->unpack);
	free(s);
}

static void purge_begin(void *arg);

static void close_continue(struct storage *s)
{
	if (s->is_closing && s->bins == 0)
		uv_close((uv_handle_t *)&s->woken, freed);
}

static void on_bin_work(uv_work_t *work)
{
	struct bin_call *c = work->data;

	c->reply = bin_job_run(c->s->set, &c->job, &c->err);
}

static void on_bin_done(uv_work_t *work, int status)
{
	struct bin_call *c = work->data;
	struct storage *s = c->s;

	s->bins--;
	if (s->ctl && s->ctl == c->ctl && c->reply)
		pst_ctl_reply(s->ctl, c->msg, json_incref(c->reply));
	else if (s->ctl && s->ctl == c->ctl)
		pst_ctl_reply_err(s->ctl, c->msg, &c->err);
	json_decref(c->reply);
	json_decref(c->msg);
	free(c);
	close_continue(s);
}

static int bin_begin(struct storage *s, struct pst_ctl *ctl, json_t *msg, struct pst_err *err)
{
	struct bin_call *c = pst_zalloc(1, sizeof(*c));

	if (!c)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (bin_job_parse(msg, &c->job, err) < 0) {
		free(c);
		return err->code;
	}
	c->s = s;
	c->ctl = ctl;
	c->msg = json_incref(msg);
	c->work.data = c;
	s->bins++;
	uv_queue_work(s->loop, &c->work, on_bin_work, on_bin_done);
	return 0;
}

static void on_purge_work(uv_work_t *work)
{
	bins_purge(pst_wall_ms());
}

static void on_purge_done(uv_work_t *work, int status)
{
	struct storage *s = work->data;

	s->bins--;
	if (s->is_closing)
		close_continue(s);
	else
		pst_timer_start(s->purge_timer, PURGE_MS, purge_begin, s);
}

static void purge_begin(void *arg)
{
	struct storage *s = arg;

	s->purge.data = s;
	s->bins++;
	uv_queue_work(s->loop, &s->purge, on_purge_work, on_purge_done);
}

/* --- the outside ------------------------------------------------------------------------ */

static const struct {
	const char *op;
	int (*take)(struct storage *s, const json_t *msg, struct pst_err *err);
} commands[] = {
	{ "datastore", store_wish },
	{ "image", image_begin },
	{ "image_cancel", image_cancel },
};

static void refuse(struct pst_ctl *ctl, const json_t *msg, const struct pst_err *err)
{
	pst_warn("refused: %s", err->text);
	pst_ctl_reply_err(ctl, msg, err);
}

bool storage_take(struct storage *s, struct pst_ctl *ctl, json_t *msg)
{
	const char *op = pst_json_str(msg, "op", 32);
	struct pst_err err = PST_ERR_INIT;

	for (size_t i = 0; op && i < PST_ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].op, op) != 0)
			continue;
		if (commands[i].take(s, msg, &err) < 0)
			refuse(ctl, msg, &err);
		else
			pst_ctl_reply(ctl, msg, NULL);
		return true;
	}
	if (!op || !pst_str_starts(op, "bin_"))
		return false;
	if (bin_begin(s, ctl, msg, &err) < 0)
		refuse(ctl, msg, &err);
	return true;
}

void storage_connect(struct storage *s, struct pst_ctl *ctl)
{
	s->ctl = ctl;
	for (size_t i = 0; i < s->jobs_n; i++)
		image_job_forget_told(s->jobs[i]);
	uv_async_send(&s->woken);
}

void storage_disconnect(struct storage *s)
{
	s->ctl = NULL;
}

struct storage *storage_create(uv_loop_t *loop, struct stores *set, const struct image_tools *tools)
{
	struct storage *s = pst_zalloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->set = set;
	s->qemu_img = strdup(tools->qemu_img);
	s->unpack = strdup(tools->unpack);
	s->tools = (struct image_tools){ s->qemu_img, s->unpack, tools->files, tools->arg };
	s->purge_timer = pst_timer_create(loop);
	s->look_timer = pst_timer_create(loop);
	if (!s->qemu_img || !s->unpack || !s->purge_timer || !s->look_timer || uv_async_init(loop, &s->woken, on_woken) < 0) {
		pst_timer_destroy(s->purge_timer);
		pst_timer_destroy(s->look_timer);
		free(s->qemu_img);
		free(s->unpack);
		free(s);
		return NULL;
	}
	s->woken.data = s;
	pst_timer_start(s->purge_timer, PURGE_MS, purge_begin, s);
	pst_timer_start(s->look_timer, STORES_LOOK_MS, on_look, s);
	stores_listen(set, wake, s);
	return s;
}

void storage_close(struct storage *s, void (*closed)(void *arg), void *arg)
{
	if (!s)
		return;
	s->is_closing = true;
	pst_timer_destroy(s->purge_timer);
	pst_timer_destroy(s->look_timer);
	s->purge_timer = s->look_timer = NULL;
	s->ctl = NULL;
	s->closed = closed;
	s->closed_arg = arg;
	stores_listen(s->set, NULL, NULL);
	while (s->jobs_n > 0)
		job_drop(s, s->jobs_n - 1);
	close_continue(s);
}
