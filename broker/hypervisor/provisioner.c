/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queue between the control connection and the thread pool. A job is kept when the
 * connection goes: its work is a promise on disk already, and the broker asks again with
 * the same task, or learns the result from the next hello.
 */
#include "broker/hypervisor/provisioner.h"

#include "base/clock.h"
#include "base/ctl_client.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/backup/backups.h"
#include "broker/hypervisor/job.h"
#include "broker/hypervisor/storage/storage.h"

#include <stdlib.h>
#include <string.h>

#define HEALTH_INTERVAL_MS 30000
#define HEALTH_SICK_MS 3000 /* while a provider is not healthy: its return is waited for */
#define HELLO_TIMEOUT_MS 10000
#define AGAIN_MS 500        /* between two looks at a guest that is to let go of a disk */
#define LET_GO_MS 30000     /* that it gets for it */

/* WAITING → RUNNING → freed; RUNNING → RESTING → WAITING while a guest is waited for, without a thread. */
struct queued {
	struct job job;
	struct provisioner *owner;
	struct queued *next;
	json_t *msg;       /* NULL for our own jobs */
	unsigned connection; /* which one asked: a later one is not answered */
	bool running, resting;
	uint64_t until_ms; /* that it may rest; 0: it has not */
	uv_work_t work;
};

struct provisioner {
	uv_loop_t *loop;
	char *socket;
	unsigned threads;
	struct driver *drivers[PROVISIONER_DRIVERS_MAX];
	size_t drivers_n;
	struct pst_ctl_client *client;
	struct storage *storage; /* owned; NULL without */
	struct backups *backups; /* owned; NULL without */
	unsigned connection; /* counts connections */
	struct queued *first, **last;
	unsigned jobs, running;
	struct pst_timer *health_timer, *again_timer;
	char *health; /* of the last look, as text */
	bool sick;    /* a provider or a host is not healthy */
	bool health_asked;
	bool again_set; /* a timer runs for those that rest */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

static void pump(struct provisioner *p);
static void health_ask(void *arg);

static void freed(void *arg)
{
	struct provisioner *p = arg;

	for (size_t i = 0; i < p->drivers_n; i++)
		driver_close(p->drivers[i]);
	if (p->closed)
		p->closed(p->closed_arg);
	free(p->health);
	free(p->socket);
	free(p);
}

static void queued_remove(struct provisioner *p, struct queued *q)
{
	struct queued **at = &p->first;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	if (!*at)
		p->last = at;
	p->jobs--;
	job_finish(&q->job);
	json_decref(q->msg);
	free(q);
}

/* Is an earlier job for the same desktop still there? (upto NULL: any job at all) */
static bool desktop_busy(const struct provisioner *p, const char *desktop, const struct queued *upto)
{
	for (const struct queued *q = p->first; q && q != upto; q = q->next) {
		if (desktop[0] && strcmp(q->job.desktop, desktop) == 0)
			return true;
	}
	return false;
}

static struct queued *queue_add(struct provisioner *p, enum job_kind kind)
{
	struct queued *q = p->jobs < PROVISIONER_JOBS_MAX ? pst_zalloc(1, sizeof(*q)) : NULL;

	if (!q)
		return NULL;
	q->owner = p;
	q->connection = p->connection;
	q->work.data = q;
	q->job.kind = kind;
	q->job.drivers = p->drivers;
	q->job.drivers_n = p->drivers_n;
	*p->last = q;
	p->last = &q->next;
	p->jobs++;
	return q;
}

static void on_ended(const char *desktop, const char *reason, void *arg)
{
	struct provisioner *p = arg;

	if (p->closing || desktop_busy(p, desktop, NULL))
		return; /* the answer to that job tells */
	pst_warn("desktop ended desktop=%s reason=%s", desktop, reason);
	pst_ctl_client_send(p->client, json_pack("{s:s,s:s,s:s,s:s}", "op", "report", "desktop", desktop,
		"state", "failed", "reason", reason));
}

static void machine_watch(struct provisioner *p, const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;

	for (size_t i = 0; i < p->drivers_n; i++) {
		if (driver_watch(p->drivers[i], desktop, on_ended, p, &err) == 0)
			return;
	}
	pst_warn("cannot watch desktop=%s: %s", desktop, err.text);
}

static void hello_done(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct provisioner *p = arg;
	struct pst_err err = PST_ERR_INIT;

	if (pst_ctl_reply_check(reply, call_err, &err) < 0) {
		pst_warn("the broker did not take the hello: %s", err.text);
		return;
	}
	if (p->storage && !p->closing)
		storage_connect(p->storage, pst_ctl_client_ctl(p->client));
	if (p->backups && !p->closing)
		backups_connect(p->backups, pst_ctl_client_ctl(p->client));
}

/* Something is wrong: its end is looked for soon, and then told. */
static void health_watch(struct provisioner *p)
{
	p->sick = true;
	pst_timer_start(p->health_timer, HEALTH_SICK_MS, health_ask, p);
}

/* True when providers are not as they were last time. */
static bool health_changed(struct provisioner *p, const struct job *job)
{
	char *text = job_health_text(job);
	bool same = text && p->health && strcmp(text, p->health) == 0;
	const json_t *providers = job->providers, *hosts = job->hosts;
	json_t *o;
	size_t i;

	free(p->health);
	p->health = text;
	p->sick = false;
	json_array_foreach((json_t *)providers, i, o) {
		if (!pst_json_bool(o, "healthy", false))
			health_watch(p);
	}
	json_array_foreach((json_t *)hosts, i, o) {
		if (!pst_json_bool(o, "usable", false))
			health_watch(p);
	}
	if (!same)
		job_health_log(job);
	return !same;
}

static void hello_say(struct provisioner *p, const struct queued *q)
{
	const json_t *m;
	size_t i;

	if (q->job.rc < 0) {
		pst_error("%s; trying again", q->job.err.text);
		free(p->health);
		p->health = NULL; /* the next look is news, and leads to a hello */
		health_watch(p);
		return;
	}
	health_changed(p, &q->job);
	json_array_foreach(q->job.machines, i, m)
	{
		const char *desktop = pst_json_str(m, "desktop", PST_UUID_SIZE - 1);

		if (desktop && !desktop_busy(p, desktop, NULL) &&
			strcmp(pst_json_str(m, "state", 16), "running") == 0)
			machine_watch(p, desktop);
	}
	if (q->connection != p->connection)
		return;
	pst_info("hello to the broker machines=%zu", json_array_size(q->job.machines));
	pst_ctl_client_call(p->client, job_reply(&q->job), HELLO_TIMEOUT_MS, hello_done, p);
}

static void hello_prepare(struct provisioner *p)
{
	if (!queue_add(p, JOB_HELLO))
		pst_error("no memory to say hello");
	pump(p);
}

static void answer(struct provisioner *p, struct queued *q)
{
	struct pst_ctl *ctl = pst_ctl_client_ctl(p->client);

	if (q->job.rc < 0)
		pst_warn("command failed desktop=%s: %s", q->job.desktop, q->job.err.text);
	else if (q->job.desktop[0])
		pst_info("command done op=%s desktop=%s", pst_json_str(q->msg, "op", 32), q->job.desktop);
	if (ctl && q->connection == p->connection && q->job.has_fd)
		pst_ctl_reply_fd(ctl, q->msg, job_reply(&q->job), q->job.fd);
	else if (ctl && q->connection == p->connection)
		pst_ctl_reply(ctl, q->msg, q->job.rc < 0 ? job_refusal(&q->job.err) : job_reply(&q->job));
}

static void on_work(uv_work_t *work)
{
	struct queued *q = work->data;

	job_run(&q->job);
}

/* The next look at the providers, and the timer for the one after it. */
static void health_ask(void *arg)
{
	struct provisioner *p = arg;

	if (!p->health_asked && queue_add(p, JOB_HEALTH)) {
		p->health_asked = true;
		pump(p);
	}
	pst_timer_start(p->health_timer, p->sick ? HEALTH_SICK_MS : HEALTH_INTERVAL_MS, health_ask, p);
}

static void close_continue(struct provisioner *p);

static void backups_closed(void *arg)
{
	close_continue(arg);
}

static void close_continue(struct provisioner *p)
{
	struct storage *s = p->storage;

	if (p->running > 0)
		return;
	if (p->backups) {
		backups_close(p->backups, backups_closed, p);
		p->backups = NULL;
		return;
	}
	p->storage = NULL;
	if (s)
		storage_close(s, freed, p);
	else
		freed(p);
}

static bool is_same(const json_t *a, const json_t *b)
{
	json_t *task = json_object_get(a, "task");

	return task && json_equal(task, json_object_get(b, "task")) && json_equal(json_object_get(a, "op"), json_object_get(b, "op"));
}

/* What was asked again because the answer took its time is over with it: it would be done once more for each. A failure is told once. */
static void same_end(struct provisioner *p, const struct queued *q)
{
	struct pst_ctl *ctl = pst_ctl_client_ctl(p->client);
	struct queued *next;

	if (!ctl || q->connection != p->connection)
		return;
	for (struct queued *e = q->next; e; e = next) {
		next = e->next;
		if (e->running || e->resting || !e->msg || e->connection != p->connection || !is_same(q->msg, e->msg))
			continue;
		if (q->job.rc == 0)
			pst_ctl_reply(ctl, e->msg, job_reply(&q->job));
		queued_remove(p, e);
	}
}

/* True when the providers are not as the broker knows them. */
static bool done_tell(struct provisioner *p, struct queued *q)
{
	if (q->job.kind == JOB_HELLO) {
		hello_say(p, q);
		return false;
	}
	if (q->job.kind == JOB_HEALTH) {
		p->health_asked = false;
		return health_changed(p, &q->job);
	}
	answer(p, q);
	same_end(p, q);
	if (q->job.rc < 0 && driver_is_retryable(q->job.rc))
		health_ask(p); /* perhaps not the command's fault; the broker should know */
	return false;
}

static void again_cb(void *arg)
{
	struct provisioner *p = arg;

	p->again_set = false;
	for (struct queued *q = p->first; q; q = q->next)
		q->resting = false;
	pump(p);
}

/* True: it is not over, and rests. What it says at the end of its time is no more to be waited for. */
static bool rest(struct provisioner *p, struct queued *q)
{
	uint64_t now = pst_mono_ms();

	if (q->job.kind != JOB_DETACH || q->job.rc != PST_EAGAIN || p->closing)
		return false;
	q->until_ms = q->until_ms ? q->until_ms : now + LET_GO_MS;
	if (now >= q->until_ms) {
		q->job.rc = q->job.err.code = PST_EBUSY;
		return false;
	}
	q->running = false;
	q->resting = true;
	p->running--;
	if (!p->again_set)
		pst_timer_start(p->again_timer, AGAIN_MS, again_cb, p);
	p->again_set = true;
	pump(p);
	return true;
}

static void finish(struct provisioner *p, struct queued *q)
{
	bool watch = q->job.rc == 0 && (q->job.kind == JOB_CREATE || q->job.kind == JOB_RESTART);
	bool changed = !p->closing && done_tell(p, q);
	char desktop[PST_UUID_SIZE];

	p->running--;
	pst_strlcpy(desktop, sizeof(desktop), q->job.desktop);
	queued_remove(p, q);
	if (p->closing) {
		close_continue(p);
		return;
	}
	if (watch && !desktop_busy(p, desktop, NULL))
		machine_watch(p, desktop);
	if (changed && pst_ctl_client_ctl(p->client))
		hello_prepare(p);
	if (p->backups)
		backups_go_on(p->backups);
	pump(p);
}

static void on_done(uv_work_t *work, int status)
{
	struct queued *q = work->data;
	struct provisioner *p = q->owner;

	if (!rest(p, q))
		finish(p, q);
}

/* A back-up has the desktop's disk: it gives way. Its screen is another matter. */
static bool is_held(struct provisioner *p, const struct job *job)
{
	return p->backups && job->desktop[0] && job->kind != JOB_CONSOLE && backups_hold(p->backups, job->desktop);
}

/* Machines that start may have all threads for minutes, and a user does not wait that long for the way to his. */
static bool has_thread(const struct provisioner *p, const struct job *job)
{
	return p->running < p->threads + (job->kind == JOB_CONSOLE ? PROVISIONER_SCREENS : 0);
}

static void pump(struct provisioner *p)
{
	for (struct queued *q = p->first; q && !p->closing; q = q->next) {
		if (q->running || q->resting || !has_thread(p, &q->job) || desktop_busy(p, q->job.desktop, q) || is_held(p, &q->job))
			continue;
		q->running = true;
		p->running++;
		uv_queue_work(p->loop, &q->work, on_work, on_done);
	}
}

static void on_connected(struct pst_ctl_client *client, struct pst_ctl *ctl, void *arg)
{
	struct provisioner *p = arg;

	p->connection++;
	hello_prepare(p);
}

static void on_closed(struct pst_ctl_client *client, const char *reason, void *arg)
{
	struct provisioner *p = arg;

	p->connection++;
	if (p->storage)
		storage_disconnect(p->storage);
	if (p->backups)
		backups_disconnect(p->backups);
	pst_warn("the broker is gone (%s); desktops go on, dialling again", reason);
}

/* desktop NULL: all. Of a machine that is to end nobody waits until its server answers. */
static void waits_end(struct provisioner *p, const char *desktop)
{
	for (size_t i = 0; i < p->drivers_n; i++)
		calls_cancel(&p->drivers[i]->waits, desktop);
}

static void on_message(struct pst_ctl_client *client, json_t *msg, int fd, void *arg)
{
	struct provisioner *p = arg;
	struct pst_err err = PST_ERR_INIT;
	struct queued *q;

	pst_fd_close(&fd);
	if ((p->storage && storage_take(p->storage, pst_ctl_client_ctl(client), msg)) ||
		(p->backups && backups_take(p->backups, pst_ctl_client_ctl(client), msg)))
		return;
	q = queue_add(p, JOB_INVENTORY);
	if (!q) {
		pst_err_set(&err, PST_EBUSY, "the provisioner has %u commands waiting; try again", p->jobs);
	} else {
		q->msg = json_incref(msg);
		if (job_parse(&q->job, msg, &err) == 0) {
			if (q->job.kind == JOB_DESTROY)
				waits_end(p, q->job.desktop);
			pump(p);
			return;
		}
		queued_remove(p, q);
	}
	pst_warn("refused: %s", err.text);
	pst_ctl_reply(pst_ctl_client_ctl(client), msg, job_refusal(&err));
}

static const struct pst_ctl_client_events client_events = {
	.connected = on_connected,
	.message = on_message,
	.closed = on_closed,
};

struct provisioner *provisioner_create(uv_loop_t *loop, const char *socket, unsigned threads)
{
	struct provisioner *p = pst_zalloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->loop = loop;
	p->last = &p->first;
	p->threads = PST_CLAMP(threads, 1u, (unsigned)PROVISIONER_THREADS_MAX);
	p->socket = strdup(socket);
	p->health_timer = pst_timer_create(loop);
	p->again_timer = pst_timer_create(loop);
	if (p->socket && p->health_timer && p->again_timer)
		return p;
	provisioner_close(p, NULL, NULL);
	return NULL;
}

int provisioner_add(struct provisioner *p, struct driver *d, struct pst_err *err)
{
	int rc = 0;

	if (p->drivers_n == PROVISIONER_DRIVERS_MAX)
		rc = pst_err_set(err, PST_ELIMIT, "more than %d providers", PROVISIONER_DRIVERS_MAX);
	for (size_t i = 0; i < p->drivers_n && rc == 0; i++) {
		if (strcmp(p->drivers[i]->name, d->name) == 0)
			rc = pst_err_set(err, PST_ECONFLICT, "two providers are named \"%s\"", d->name);
	}
	if (rc == 0)
		p->drivers[p->drivers_n++] = d;
	else
		driver_close(d);
	return rc;
}

void provisioner_set_storage(struct provisioner *p, struct storage *s)
{
	p->storage = s;
}

static struct driver *driver_named(void *arg, const char *name)
{
	struct provisioner *p = arg;

	for (size_t i = 0; i < p->drivers_n; i++) {
		if (strcmp(p->drivers[i]->name, name) == 0)
			return p->drivers[i];
	}
	return NULL;
}

/* On a job's thread: drivers are there until the jobs are over. */
int provisioner_files(void *arg, const char *desktop, int fd, uint64_t max, bool (*go_on)(void *arg), void *go_arg, struct pst_err *err)
{
	struct provisioner *p = arg;
	struct pst_err last = PST_ERR_INIT;
	int rc = PST_ENOTFOUND;

	pst_err_set(&last, rc, "no provider has the files of desktop %s", desktop);
	for (size_t i = 0; i < p->drivers_n && rc != 0; i++) {
		struct pst_err why = PST_ERR_INIT;

		rc = p->drivers[i]->type->files ? driver_files(p->drivers[i], desktop, fd, max, go_on, go_arg, &why) : PST_ENOTFOUND;
		/* One that cannot be asked may not be the one. */
		if (rc != PST_ENOTFOUND)
			last = why;
	}
	return rc == 0 ? 0 : pst_err_pass(err, last.code, &last);
}

static bool is_busy(void *arg, const char *desktop)
{
	return desktop_busy(arg, desktop, NULL);
}

static void backup_over(void *arg)
{
	pump(arg);
}

int provisioner_set_backups(struct provisioner *p, struct stores *set, unsigned at_once, struct pst_err *err)
{
	const struct backups_params params = { .loop = p->loop, .set = set, .at_once = at_once, .find = driver_named, .is_busy = is_busy,
		.over = backup_over, .arg = p };

	p->backups = backups_create(&params);
	return p->backups ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");
}

int provisioner_start(struct provisioner *p, struct pst_err *err)
{
	p->client = pst_ctl_client_create(p->loop, p->socket, &client_events, p);
	if (!p->client)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pst_timer_start(p->health_timer, HEALTH_INTERVAL_MS, health_ask, p);
	return 0;
}

void provisioner_close(struct provisioner *p, void (*closed)(void *arg), void *arg)
{
	struct queued *next;

	if (!p || p->closing)
		return;
	p->closing = true;
	p->closed = closed;
	p->closed_arg = arg;
	pst_timer_destroy(p->health_timer);
	pst_timer_destroy(p->again_timer);
	pst_ctl_client_close(p->client);
	waits_end(p, NULL);
	for (struct queued *q = p->first; q; q = next) {
		next = q->next;
		if (!q->running)
			queued_remove(p, q);
	}
	close_continue(p);
}
