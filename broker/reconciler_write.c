/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changes to rows: the desktops that this round touched, then its changes in the
 * order in which they were decided.
 */
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/reconciler_priv.h"
#include "db/assignment.h"
#include "db/desktop.h"
#include "db/host.h"
#include "db/personal.h"
#include "db/pool.h"
#include "db/provider.h"
#include "db/session.h"
#include "db/snapshot.h"
#include "db/task.h"

#include <stdlib.h>
#include <string.h>

struct write {
	struct reconciler *r;
	const struct core_now *now;
	struct pst_err *err;
};

/* What no column holds does not make a row new. */
static void desktop_normalise(struct core_desktop *d)
{
	memset(&d->due, 0, sizeof(d->due));
	memset(&d->a, 0, sizeof(d->a));
	memset(&d->s, 0, sizeof(d->s));
	memset(&d->t, 0, sizeof(d->t));
	memset(&d->last, 0, sizeof(d->last));
	memset(&d->move, 0, sizeof(d->move));
	memset(d->lease_key, 0, sizeof(d->lease_key));
	d->touched = d->seen = 0;
	d->missing = 0;
	memset(&d->begun, 0, sizeof(d->begun));
}

static bool desktop_row_differs(const struct core_touched *t)
{
	struct core_desktop now, before; /* copies: an undo needs the original */

	if (!t->before)
		return true;
	now = *t->desktop;
	before = *t->before;
	desktop_normalise(&now);
	desktop_normalise(&before);
	return memcmp(&now, &before, sizeof(now)) != 0;
}

static int write_desktop(struct write *w, const struct core_desktop *d)
{
	struct db_desktop row = {
		.lifecycle = lifecycle_text(d->x.lifecycle),
		.power = power_text(d->x.power),
		.agent = agent_text(d->x.agent),
		.lease = lease_text(d->x.lease),
		.session = session_text(d->x.session),
		.hygiene = hygiene_text(d->x.hygiene),
		.drain = d->x.drain,
		.parked = d->x.parked,
		.sleep = sleep_text(d->x.sleep),
		.probe = d->probe,
		.keyed = d->keyed,
		.personal_phase = personal_text(d->personal.phase),
		.personal_held = d->personal.held,
		.epoch = d->epoch,
		.uid = d->uid,
		.failures = d->failures,
		.created = d->created_wall,
		.updated = w->now->wall_ms,
	};

	CORE_COPY(row.id, d->id);
	CORE_COPY(row.name, d->name);
	CORE_COPY(row.pool_id, d->pool_id);
	CORE_COPY(row.provider_id, d->provider_id);
	CORE_COPY(row.image_id, d->image_id);
	CORE_COPY(row.image_version, d->image_version);
	CORE_COPY(row.reason.code, d->reason.code);
	CORE_COPY(row.reason.en, d->reason.en);
	CORE_COPY(row.reason.es, d->reason.es);
	CORE_COPY(row.host, d->place.host);
	CORE_COPY(row.placed_en, d->place.en);
	CORE_COPY(row.placed_es, d->place.es);
	CORE_COPY(row.endpoint, d->endpoint);
	CORE_COPY(row.boot, d->boot);
	CORE_COPY(row.personal_owner, d->personal.owner);
	return db_desktop_put(w->r->db, &row, w->err);
}

static int write_assignment(struct write *w, const struct core_change *ch)
{
	struct db_assignment row = { .epoch = ch->a.epoch, .created = w->now->wall_ms };

	CORE_COPY(row.id, ch->a.id);
	CORE_COPY(row.desktop_id, ch->desktop_id);
	CORE_COPY(row.pool_id, ch->pool_id);
	CORE_COPY(row.user_id, ch->a.user_id);
	CORE_COPY(row.user_name, ch->a.user_name);
	CORE_COPY(row.kind, pool_kind_text(ch->a.kind));
	return db_assignment_insert(w->r->db, &row, w->err);
}

static int write_assignment_end(struct write *w, const struct core_change *ch)
{
	return db_assignment_end(w->r->db, ch->a.id, w->now->wall_ms, ch->code, w->err);
}

static int write_session(struct write *w, const struct core_change *ch)
{
	struct db_session row = { .epoch = ch->s.epoch, .granted = w->now->wall_ms };

	CORE_COPY(row.id, ch->s.id);
	CORE_COPY(row.assignment_id, ch->a.id);
	CORE_COPY(row.desktop_id, ch->desktop_id);
	CORE_COPY(row.pool_id, ch->pool_id);
	CORE_COPY(row.user_id, ch->a.user_id);
	CORE_COPY(row.login_id, ch->s.login_id);
	CORE_COPY(row.protocol, protocol_text(ch->s.protocol));
	CORE_COPY(row.remote, ch->s.remote);
	CORE_COPY(row.gateway, ch->s.gateway);
	return db_session_insert(w->r->db, &row, w->err);
}

static int write_session_start(struct write *w, const struct core_change *ch)
{
	return db_session_start(w->r->db, ch->s.id, w->now->wall_ms, w->err);
}

static int write_session_end(struct write *w, const struct core_change *ch)
{
	return db_session_end(w->r->db, ch->s.id, w->now->wall_ms, ch->code, ch->text, ch->text_es, w->err);
}

static int write_enrol_hash(struct write *w, const struct core_task *t)
{
	char token[44];
	uint8_t hash[PST_SHA256_LEN];

	reconciler_enrol_token(w->r, t->id, token);
	pst_sha256(token, strlen(token), hash);
	pst_wipe(token, sizeof(token));
	return db_desktop_set_enrol_hash(w->r->db, t->desktop_id, hash, w->err);
}

static bool task_brings_token(enum task_kind kind)
{
	return kind == TASK_CREATE || kind == TASK_RESTART || kind == TASK_REFRESH;
}

static int write_task(struct write *w, const struct core_change *ch)
{
	const struct core_task *t = &ch->t;
	struct db_task row = { .attempts = t->attempts, .created = t->created_wall, .updated = w->now->wall_ms };
	int rc;

	CORE_COPY(row.id, t->id);
	CORE_COPY(row.desktop_id, t->desktop_id);
	CORE_COPY(row.kind, task_kind_text(t->kind));
	CORE_COPY(row.arg, t->arg);
	CORE_COPY(row.state, task_state_text(t->state));
	CORE_COPY(row.error_code, t->error_code);
	CORE_COPY(row.error, t->error);
	rc = db_task_put(w->r->db, &row, w->err);
	if (rc == 0 && t->state == TASK_PENDING && t->attempts == 0 && task_brings_token(t->kind))
		rc = write_enrol_hash(w, t);
	return rc;
}

static int write_pool_number(struct write *w, const struct core_change *ch)
{
	return db_pool_set_next_number(w->r->db, ch->pool_id, ch->number, w->err);
}

static int write_pool_gone(struct write *w, const struct core_change *ch)
{
	return db_pool_delete(w->r->db, ch->pool_id, w->err);
}

static int write_provider(struct write *w, const struct core_change *ch)
{
	const struct core_provider *p = state_provider(&w->r->st, ch->provider_id);
	struct provider_row row = { .updated = w->now->wall_ms };

	if (!p)
		return 0;
	row.healthy = p->healthy;
	CORE_COPY(row.id, p->id);
	CORE_COPY(row.reason.code, p->reason.code);
	CORE_COPY(row.reason.en, p->reason.en);
	CORE_COPY(row.reason.es, p->reason.es);
	return db_provider_health(w->r->db, &row, w->err);
}

static int write_snapshot(struct write *w, const struct core_change *ch)
{
	struct db_snapshot row = { .created = w->now->wall_ms };

	CORE_COPY(row.desktop_id, ch->desktop_id);
	CORE_COPY(row.name, ch->text);
	CORE_COPY(row.by, ch->code);
	return db_snapshot_put(w->r->db, &row, w->err);
}

static int write_snapshot_gone(struct write *w, const struct core_change *ch)
{
	return db_snapshot_delete(w->r->db, ch->desktop_id, ch->text, w->err);
}

static int write_host(struct write *w, const struct core_change *ch)
{
	struct db_host row = { .at_once = ch->number, .total = ch->total, .created = w->now->wall_ms };

	if (!ch->code[0])
		return db_host_delete(w->r->db, ch->provider_id, ch->text, w->err);
	CORE_COPY(row.provider_id, ch->provider_id);
	CORE_COPY(row.host, ch->text);
	CORE_COPY(row.by, ch->actor.name);
	return db_host_put(w->r->db, &row, w->err);
}

static int write_personal(struct write *w, const struct core_change *ch)
{
	struct db_personal row = { .is_clean = false };

	if (!strcmp(ch->code, "detached"))
		return db_personal_put_away(w->r->db, ch->a.user_id, ch->pool_id, w->now->wall_ms, w->err);
	CORE_COPY(row.user_id, ch->a.user_id);
	CORE_COPY(row.user_name, ch->a.user_name);
	CORE_COPY(row.pool_id, ch->pool_id);
	CORE_COPY(row.provider_id, ch->provider_id);
	return strcmp(ch->code, "attaching") ? 0 : db_personal_use(w->r->db, &row, w->now->wall_ms, w->err);
}

static int write_rollout(struct write *w, const struct core_change *ch)
{
	return reconciler_write_rollout(w->r, ch, w->now, w->err);
}

static void detail_add(json_t *detail, const char *key, const char *value)
{
	/* Text that is no UTF-8 was cleaned at the edge; what is left out here is not lost elsewhere. */
	if (value[0])
		json_object_set_new(detail, key, json_string(value));
}

static int write_audit(struct write *w, const struct core_change *ch)
{
	const struct reconciler_ops *ops = w->r->ops;
	bool is_host = !strcmp(ch->object_kind, "provider"); /* a host is told of with its provider */
	const char *id = is_host ? ch->provider_id : !strcmp(ch->object_kind, "pool") ? ch->pool_id : ch->desktop_id;
	const struct core_desktop *d = state_desktop(&w->r->st, ch->desktop_id);
	const struct core_pool *p = state_pool(&w->r->st, ch->pool_id);
	struct audit_entry entry = { &ch->actor, ch->word, ch->object_kind, id, NULL };
	json_t *detail;
	char *text;
	int rc;

	if (!ops->audit)
		return 0;
	detail = json_object();
	detail_add(detail, "desktop", d ? d->name : "");
	detail_add(detail, "pool", p ? p->name : ch->pool_id);
	detail_add(detail, "user", ch->a.user_name);
	detail_add(detail, "session", ch->s.id);
	detail_add(detail, "remote", ch->s.remote);
	detail_add(detail, "task", ch->t.id);
	detail_add(detail, is_host ? "name" : "text", ch->text);
	detail_add(detail, "reason", ch->text_es);
	text = pst_json_text(detail, NULL);
	json_decref(detail);
	if (!text)
		return pst_err_set(w->err, PST_ENOMEM, "out of memory");
	entry.detail = text;
	rc = ops->audit(w->r->arg, &entry, w->err);
	free(text);
	return rc;
}

static int (*const writers[])(struct write *w, const struct core_change *ch) = {
	[CHANGE_ASSIGNMENT] = write_assignment,
	[CHANGE_ASSIGNMENT_END] = write_assignment_end,
	[CHANGE_SESSION] = write_session,
	[CHANGE_SESSION_START] = write_session_start,
	[CHANGE_SESSION_END] = write_session_end,
	[CHANGE_TASK] = write_task,
	[CHANGE_POOL_NUMBER] = write_pool_number,
	[CHANGE_POOL_GONE] = write_pool_gone,
	[CHANGE_PROVIDER] = write_provider,
	[CHANGE_SNAPSHOT] = write_snapshot,
	[CHANGE_SNAPSHOT_GONE] = write_snapshot_gone,
	[CHANGE_HOST] = write_host,
	[CHANGE_ROLLOUT] = write_rollout,
	[CHANGE_PUBLISHED] = write_rollout,
	[CHANGE_VERSION] = write_rollout,
	[CHANGE_TIMING] = write_rollout,
	[CHANGE_PERSONAL] = write_personal,
	[CHANGE_AUDIT] = write_audit,
};

int reconciler_write(struct reconciler *r, const struct core_out *out, const struct core_now *now, struct pst_err *err)
{
	struct write w = { r, now, err };
	int rc = 0;

	for (size_t i = 0; i < out->touched_count && rc == 0; i++)
		if (desktop_row_differs(&out->touched[i]))
			rc = write_desktop(&w, out->touched[i].desktop);
	for (size_t i = 0; i < out->change_count && rc == 0; i++)
		rc = writers[out->changes[i].kind](&w, &out->changes[i]);
	return rc;
}

void reconciler_enrol_token(const struct reconciler *r, const char *task, char ret_token[44])
{
	uint8_t mac[PST_SHA256_LEN];

	pst_hmac_sha256(r->enrol_key, sizeof(r->enrol_key), task, strlen(task), mac);
	pst_base64url_encode(mac, sizeof(mac), ret_token, 44);
	pst_wipe(mac, sizeof(mac));
}
