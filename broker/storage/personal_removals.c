/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question at a time; what is refused is gone past until the next look. */
#include "broker/storage/personal_removals.h"

#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "db/db.h"
#include "db/personal.h"
#include "db/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 30000
#define WHY_MAX 100 /* bytes that the provisioner takes */

struct question {
	struct personal_removals *owner; /* NULL: it is gone */
	struct db_personal disk;
};

struct personal_removals {
	struct db *db;
	const struct storage_ops *ops;
	void *arg;
	struct pst_timer *timer;
	struct question *asked; /* whose answer has not come */
	int64_t skipped;        /* since the last look */
	bool is_connected;
};

static void next_ask(struct personal_removals *r);

static void timer_cb(void *arg)
{
	struct personal_removals *r = arg;

	r->skipped = 0;
	pst_timer_start(r->timer, LOOK_MS, timer_cb, r);
	next_ask(r);
}

static int gone_write(struct personal_removals *r, const struct db_personal *d, struct pst_err *err)
{
	json_t *detail = json_pack("{s:s, s:s, s:i}", "name", d->user_name, "pool", d->pool_name, "keep_days", d->keep_days);
	int rc = db_begin(r->db, err);

	if (rc < 0) {
		json_decref(detail);
		return rc;
	}
	rc = db_personal_gone(r->db, d->user_id, d->pool_id, err);
	if (rc == 0)
		rc = r->ops->audit(r->arg, NULL, "personal.removed", "user", d->user_id, detail, err);
	else
		json_decref(detail);
	if (rc == 0)
		return db_commit(r->db, err);
	db_rollback(r->db);
	return rc;
}

/* One that cannot be written is asked for again, and is then gone already. */
static void answer_take(struct personal_removals *r, const struct db_personal *d, int rc, struct pst_err *why)
{
	struct pst_err err = PST_ERR_INIT;

	if (rc < 0)
		(void)db_personal_removal_failed(r->db, d->user_id, d->pool_id, why->text, NULL);
	else if ((rc = gone_write(r, d, &err)) < 0)
		pst_warn("the end of a personal disk is not written yet: %s", err.text);
	r->skipped += rc < 0;
	r->ops->changed(r->arg, "user", d->user_id);
}

static void asked_cb(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct question *q = arg;
	struct personal_removals *r = q->owner;
	struct pst_err err = PST_ERR_INIT;
	int rc = pst_ctl_reply_check(reply, call_err, &err);

	pst_fd_close(&fd);
	if (r) {
		r->asked = NULL;
		answer_take(r, &q->disk, rc, &err);
	}
	free(q);
	if (r)
		next_ask(r);
}

/* NULL: *ret_gone tells that its provider is no more; else it cannot be known now. */
static json_t *question_json(struct personal_removals *r, const struct db_personal *d, bool *ret_gone)
{
	struct provider_row provider;
	int rc = db_provider_get(r->db, d->provider_id, &provider, NULL);
	char why[DB_NAME_SIZE + DB_WORD_SIZE + 20];
	json_t *msg;

	*ret_gone = rc == PST_ENOTFOUND;
	if (rc < 0)
		return NULL;
	msg = json_pack("{s:s, s:s, s:s, s:s, s:I}", "op", "forget_disk", "provider", provider.name, "owner", d->user_id, "disk", d->pool_id,
		"keep_ms", (json_int_t)d->keep_days * 24 * 3600 * 1000);
	/* Who reads it in the recycle bin may find neither user nor pool any more. */
	snprintf(why, sizeof(why), "disk of %s in %s", d->user_name, d->pool_name);
	if (msg && strlen(why) <= WHY_MAX)
		json_object_set_new(msg, "why", json_string(why));
	return msg;
}

/* Without its provider nobody can be asked; whoever removed that has looked. What could not be written waits for the next look. */
static void provider_gone(struct personal_removals *r, const struct db_personal *d)
{
	int64_t skipped = r->skipped;

	answer_take(r, d, 0, NULL);
	if (r->skipped == skipped)
		pst_timer_start(r->timer, 0, timer_cb, r);
}

static void next_ask(struct personal_removals *r)
{
	struct question *q = r->is_connected && !r->asked ? pst_zalloc(1, sizeof(*q)) : NULL;
	bool is_gone = false;
	json_t *msg;

	if (!q)
		return;
	if (db_personal_next_removal(r->db, r->skipped, &q->disk, NULL) < 0) {
		free(q);
		return;
	}
	msg = question_json(r, &q->disk, &is_gone);
	if (!msg) {
		if (is_gone)
			provider_gone(r, &q->disk);
		free(q);
		return;
	}
	q->owner = r;
	r->asked = q;
	if (!r->ops->ask(r->arg, msg, asked_cb, q)) {
		r->asked = NULL;
		free(q);
	}
}

struct personal_removals *personal_removals_create(uv_loop_t *loop, struct db *db, const struct storage_ops *ops, void *arg, struct pst_err *err)
{
	struct personal_removals *r = pst_zalloc(1, sizeof(*r));

	if (r) {
		r->db = db;
		r->ops = ops;
		r->arg = arg;
		r->timer = pst_timer_create(loop);
	}
	if (r && r->timer) {
		pst_timer_start(r->timer, LOOK_MS, timer_cb, r);
		return r;
	}
	personal_removals_destroy(r);
	pst_err_set(err, PST_ENOMEM, "no memory");
	return NULL;
}

void personal_removals_destroy(struct personal_removals *r)
{
	if (!r)
		return;
	if (r->asked)
		r->asked->owner = NULL;
	pst_timer_destroy(r->timer);
	free(r);
}

void personal_removals_kick(struct personal_removals *r)
{
	r->skipped = 0;
	next_ask(r);
}

void personal_removals_connected(struct personal_removals *r)
{
	r->is_connected = true;
	personal_removals_kick(r);
}

void personal_removals_gone(struct personal_removals *r)
{
	r->is_connected = false;
}
