/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Calls to events: each one runs a round of the core, writes what it decided in
 * one transaction, and sends what follows from it.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/core/reason.h"
#include "broker/reconciler_priv.h"
#include "db/desktop.h"
#include "db/pool.h"
#include "db/recycle.h"
#include "db/session.h"
#include "db/guest.h"
#include "db/ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRANT_MS (12 * 3600 * 1000LL) /* R10: a worker's grant ends by itself */
#define RETRY_WRITE_MS 1000           /* after a full disk */
#define PRUNE_EVERY_MS (3600 * 1000LL)
#define PRUNE_AFTER_MS (30 * 24 * 3600 * 1000LL)

static void real_now(struct core_now *ret)
{
	ret->mono_ms = (int64_t)pst_mono_ms();
	ret->wall_ms = pst_wall_ms();
}

void reconciler_now(const struct reconciler *r, struct core_now *ret)
{
	if (r->ops->now)
		r->ops->now(r->arg, ret);
	else
		real_now(ret);
}

static void reconciler_uuid(void *arg, char ret[CORE_ID_SIZE])
{
	struct reconciler *r = arg;
	struct pst_uuid u;

	if (r->ops->uuid) {
		r->ops->uuid(r->arg, ret);
		return;
	}
	u = pst_uuid_make();
	pst_uuid_text(&u, ret);
}

/* ---- one round ---- */

static int round_commit(struct reconciler *r, const struct core_out *out, const struct core_now *now, round_step step,
                        void *step_arg, struct pst_err *err)
{
	int rc;

	if (!out->touched_count && !out->change_count && !step)
		return 0;
	rc = db_begin(r->db, err);
	if (rc == 0)
		rc = reconciler_write(r, out, now, err);
	if (rc == 0 && step)
		rc = step(r, step_arg, err);
	if (rc == 0)
		return db_commit(r->db, err);
	db_rollback(r->db);
	return rc;
}

/* A round ran out of memory: what it half did in memory is thrown away. */
static int round_reload(struct reconciler *r, struct pst_err *err)
{
	struct core_state fresh;
	struct core_now now;
	int rc = reconciler_load(r, &fresh, &r->st, err);

	if (rc < 0)
		return rc;
	core_state_finish(&r->st);
	r->st = fresh;
	reconciler_now(r, &now);
	core_state_resume(&r->st, &now);
	r->stale = false;
	return 0;
}

static void round_wake(struct reconciler *r, int64_t wake_ms, const struct core_now *now)
{
	int64_t delay = wake_ms - now->mono_ms;

	if (r->ops->wake)
		r->ops->wake(r->arg, wake_ms ? (delay > 0 ? delay : 0) : -1);
}

int round_run_step(struct reconciler *r, const struct core_event *ev, struct core_out *out, round_step step,
                          void *step_arg, struct pst_err *err)
{
	struct pst_err local = PST_ERR_INIT;
	struct core_now now;
	int rc = r->stale ? round_reload(r, &local) : 0;

	*out = (struct core_out){ 0 };
	reconciler_now(r, &now);
	if (rc == 0) {
		reconcile(&r->st, ev, &now, &r->ids, out);
		if (out->failed) {
			r->stale = true;
			rc = pst_err_set(&local, PST_ENOMEM, "out of memory");
		}
	}
	if (rc == 0)
		rc = round_commit(r, out, &now, out->code == 0 ? step : NULL, step_arg, &local);
	if (rc < 0) {
		core_undo(&r->st, out);
		round_wake(r, now.mono_ms + RETRY_WRITE_MS, &now);
		return pst_err_set(err, rc, "%s", local.text);
	}
	core_commit(&r->st, out);
	round_wake(r, out->wake_ms, &now);
	reconciler_send(r, out);
	return out->code < 0 ? pst_err_set(err, out->code, "%s", out->refusal.en) : 0;
}

int round_run(struct reconciler *r, const struct core_event *ev, struct pst_err *err)
{
	struct core_out out;
	int rc = round_run_step(r, ev, &out, NULL, NULL, err);

	core_out_finish(&out);
	return rc;
}

/* ---- making and ending ---- */

static void reconciler_read_boot(struct reconciler *r)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	size_t n = f ? fread(r->boot, 1, sizeof(r->boot) - 1, f) : 0;

	r->boot[n] = '\0';
	r->boot[strcspn(r->boot, "\n")] = '\0';
	if (f)
		fclose(f);
}

int reconciler_create(struct db *db, const struct reconciler_ops *ops, void *arg, struct reconciler **ret,
                      struct pst_err *err)
{
	struct reconciler *r = calloc(1, sizeof(*r));
	struct core_now now;
	int rc;

	if (!r)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	r->db = db;
	r->ops = ops;
	r->arg = arg;
	r->ids = (struct core_ids){ reconciler_uuid, r };
	reconciler_read_boot(r);
	rc = db_enrol_key(db, r->enrol_key, err);
	if (rc == 0)
		rc = reconciler_load(r, &r->st, NULL, err);
	if (rc < 0) {
		free(r);
		return pst_err_wrap(err, "cannot load the desktops");
	}
	reconciler_now(r, &now);
	core_state_resume(&r->st, &now);
	*ret = r;
	return 0;
}

void reconciler_destroy(struct reconciler *r)
{
	if (!r)
		return;
	late_finish(r);
	core_state_finish(&r->st);
	pst_wipe(r->enrol_key, sizeof(r->enrol_key));
	free(r);
}

static void reconciler_prune(struct reconciler *r)
{
	struct core_now now;

	reconciler_now(r, &now);
	if (r->pruned_wall && now.wall_ms - r->pruned_wall < PRUNE_EVERY_MS && now.wall_ms >= r->pruned_wall)
		return;
	r->pruned_wall = now.wall_ms;
	/* Old rows that stay for another hour do no harm: errors are left to the next time. */
	db_ticket_prune(r->db, r->boot, now.mono_ms, NULL);
	db_guest_prune(r->db, r->boot, now.mono_ms, NULL);
	if (db_begin(r->db, NULL) < 0)
		return;
	if (db_desktop_prune(r->db, now.wall_ms - PRUNE_AFTER_MS, NULL) < 0)
		db_rollback(r->db);
	else
		db_commit(r->db, NULL);
}

void reconciler_tick(struct reconciler *r)
{
	struct core_event ev = { .kind = EVENT_TICK };

	reconciler_prune(r);
	late_run(r);
	round_run(r, &ev, NULL);
}

const struct core_state *reconciler_state(const struct reconciler *r)
{
	return &r->st;
}

/* ---- users ---- */

int reconciler_connect(struct reconciler *r, const struct connect_request *req, struct connect_answer *ret,
                       struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_CONNECT,
		                 .pool = req->pool_id,
		                 .user_id = req->user_id,
		                 .user_name = req->user_name,
		                 .remote = req->remote };
	struct core_out out;
	int rc = round_run_step(r, &ev, &out, NULL, NULL, err);

	if (rc == 0)
		*ret = out.answer;
	core_out_finish(&out);
	return rc;
}

void reconciler_connect_cancel(struct reconciler *r, const char *user_id, const char *pool_id)
{
	struct core_event ev = { .kind = EVENT_CONNECT_CANCEL, .user_id = user_id, .pool = pool_id };

	round_run(r, &ev, NULL);
}

static int grant_fill(struct reconciler *r, const struct core_desktop *d, const struct core_out *out, struct grant *ret,
                      struct pst_err *err)
{
	struct pool_row pool;
	struct core_now now;
	int rc = db_pool_get(r->db, d->pool_id, &pool, err);

	memset(ret->key, 0, sizeof(ret->key));
	if (rc == 0 && !d->agentless)
		rc = db_desktop_key(r->db, d->id, ret->key, err);
	if (rc < 0)
		return rc;
	reconciler_now(r, &now);
	CORE_COPY(ret->session, out->session_id);
	CORE_COPY(ret->desktop, d->id);
	CORE_COPY(ret->pool, d->pool_id);
	CORE_COPY(ret->user_id, d->a.user_id);
	CORE_COPY(ret->user_name, d->a.user_name);
	CORE_COPY(ret->pool_name, pool.name);
	CORE_COPY(ret->endpoint, d->endpoint);
	ret->epoch = out->epoch;
	ret->clipboard_in = pool.clipboard_in;
	ret->clipboard_out = pool.clipboard_out;
	ret->max_width = (int)pool.max_width;
	ret->max_height = (int)pool.max_height;
	ret->idle_disconnect_s = (int)pool.idle_disconnect_s;
	ret->expires = now.wall_ms + GRANT_MS;
	return 0;
}

static int grant_run(struct reconciler *r, const struct grant_request *req, int64_t lease_epoch, struct grant *ret,
                     struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_GRANT,
		                 .desktop = req->desktop_id,
		                 .user_id = req->user_id,
		                 .login_id = req->login_id,
		                 .remote = req->remote,
		                 .gateway = req->gateway,
		                 .protocol = req->protocol,
		                 .epoch = lease_epoch };
	const struct core_desktop *d;
	struct core_out out;
	int rc = round_run_step(r, &ev, &out, NULL, NULL, err);

	if (rc == 0) {
		d = state_desktop(&r->st, req->desktop_id);
		rc = d ? grant_fill(r, d, &out, ret, err) : pst_err_set(err, PST_ENOTFOUND, "there is no such desktop");
	}
	core_out_finish(&out);
	return rc;
}

int reconciler_grant(struct reconciler *r, const struct grant_request *req, struct grant *ret, struct pst_err *err)
{
	return grant_run(r, req, 0, ret, err);
}

int reconciler_ticket(struct reconciler *r, const struct grant_request *req, char ret_ticket[44], struct pst_err *err)
{
	const struct core_desktop *d = state_desktop(&r->st, req->desktop_id);
	struct db_ticket row = { 0 };
	struct core_now now;
	char token[44];
	int rc;

	if (!d || d->x.lease != LEASE_HELD || strcmp(d->a.user_id, req->user_id) != 0)
		return pst_err_set(err, PST_EDENIED, "this desktop is not assigned to you");
	reconciler_now(r, &now);
	pst_token(token, 32);
	pst_sha256(token, strlen(token), row.hash);
	CORE_COPY(row.user_id, req->user_id);
	CORE_COPY(row.desktop_id, d->id);
	CORE_COPY(row.pool_id, d->pool_id);
	CORE_COPY(row.login_id, req->login_id);
	CORE_COPY(row.protocol, protocol_text(req->protocol));
	CORE_COPY(row.boot, r->boot);
	row.epoch = d->a.epoch;
	row.expires_mono = now.mono_ms + TICKET_MS;
	row.created = now.wall_ms;
	rc = db_ticket_insert(r->db, &row, err);
	if (rc == 0)
		memcpy(ret_ticket, token, sizeof(token));
	pst_wipe(token, sizeof(token));
	return rc;
}

int reconciler_redeem(struct reconciler *r, const char *ticket, enum protocol protocol, const char *remote,
                      const char *gateway, struct grant *ret, struct pst_err *err)
{
	struct grant_request req = { .protocol = protocol, .remote = remote, .gateway = gateway };
	struct db_ticket row;
	struct core_now now;
	uint8_t hash[PST_SHA256_LEN];
	int rc;

	pst_sha256(ticket, strlen(ticket), hash);
	rc = db_ticket_take(r->db, hash, &row, err);
	reconciler_now(r, &now);
	if (rc == PST_ENOTFOUND ||
	    (rc == 0 && (row.expires_mono <= now.mono_ms || strcmp(row.boot, r->boot) != 0 ||
	                 strcmp(row.protocol, protocol_text(protocol)) != 0)))
		return pst_err_set(err, PST_EDENIED, "the ticket is not valid, or was used before: connect again");
	if (rc < 0)
		return rc;
	req.user_id = row.user_id;
	req.desktop_id = row.desktop_id;
	req.login_id = row.login_id;
	return grant_run(r, &req, row.epoch, ret, err);
}

/* ---- owners and administrators ---- */

static int run_on_desktop(struct reconciler *r, enum core_event_kind kind, const char *desktop, bool on,
                          const struct core_actor *by, struct pst_err *err)
{
	struct core_event ev = { .kind = kind, .desktop = desktop, .on = on, .by = by };

	return round_run(r, &ev, err);
}

int reconciler_logoff(struct reconciler *r, const char *desktop, const struct core_actor *by, struct pst_err *err)
{
	return run_on_desktop(r, EVENT_LOGOFF, desktop, false, by, err);
}

int reconciler_restart(struct reconciler *r, const char *desktop, const struct core_actor *by, struct pst_err *err)
{
	return run_on_desktop(r, EVENT_RESTART, desktop, false, by, err);
}

int reconciler_refresh(struct reconciler *r, const char *desktop, const struct core_actor *by, struct pst_err *err)
{
	return run_on_desktop(r, EVENT_REFRESH, desktop, false, by, err);
}

int reconciler_delete(struct reconciler *r, const char *desktop, const struct core_actor *by, struct pst_err *err)
{
	return run_on_desktop(r, EVENT_DELETE, desktop, false, by, err);
}

int reconciler_operate(struct reconciler *r, const char *desktop, enum task_kind operation, const char *arg, const struct core_actor *by,
                       struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_OPERATE, .desktop = desktop, .operation = operation, .word = arg, .by = by };

	if (strlen(arg) >= CORE_WORD_SIZE)
		return pst_err_set(err, PST_EINVAL, "a name of more than %d characters", CORE_WORD_SIZE - 1);
	return round_run(r, &ev, err);
}

int reconciler_maintenance(struct reconciler *r, const char *provider_id, const char *host, bool on, int at_once, const struct core_actor *by,
                           struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_HOST_MAINTENANCE, .provider = provider_id, .word = host, .on = on, .number = at_once, .by = by };

	return round_run(r, &ev, err);
}

int reconciler_restore(struct reconciler *r, const struct recycled_row *was, const struct core_actor *by, struct pst_err *err)
{
	struct core_restored restored = { was->name, was->provider_id, was->image_id, was->image_version, was->epoch };
	struct core_event ev = { .kind = EVENT_RESTORE, .desktop = was->id, .pool = was->pool_id, .user_id = was->user_id,
		                 .user_name = was->user, .restored = &restored, .by = by };

	return round_run(r, &ev, err);
}

int reconciler_drain(struct reconciler *r, const char *desktop, bool on, const struct core_actor *by,
                     struct pst_err *err)
{
	return run_on_desktop(r, EVENT_DRAIN, desktop, on, by, err);
}

int reconciler_message(struct reconciler *r, const char *desktop, const char *text, const struct core_actor *by,
                       struct pst_err *err)
{
	const struct core_desktop *d = state_desktop(&r->st, desktop);
	struct core_reason reason = { .code = "message" };
	struct agent_message msg = { .kind = AGENT_TELL_MESSAGE, .user = "", .reason = &reason };

	if (!d)
		return pst_err_set(err, PST_ENOTFOUND, "there is no such desktop");
	if (d->agentless)
		return pst_err_set(err, PST_EUNSUPPORTED, "the desktop has no agent that could show a message");
	if (d->x.agent != AGENT_READY)
		return pst_err_set(err, PST_EBUSY, "the desktop's agent is not connected: try again later");
	CORE_COPY(reason.en, text);
	CORE_COPY(reason.es, text);
	if (r->ops->tell_agent)
		r->ops->tell_agent(r->arg, desktop, &msg);
	return 0;
}

int reconciler_session_end(struct reconciler *r, const char *session, const struct core_actor *by, struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_SESSION_KILL, .session = session, .by = by };

	return round_run(r, &ev, err);
}

int reconciler_config_changed(struct reconciler *r, struct pst_err *err)
{
	struct core_config cfg;
	struct core_event ev = { .kind = EVENT_CONFIG, .config = &cfg };
	int rc = reconciler_load_config(r, &cfg, err);

	if (rc == 0)
		rc = round_run(r, &ev, err);
	core_config_finish(&cfg);
	return rc;
}

static int step_pool_deleting(struct reconciler *r, void *arg, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct core_now now;
	int rc;

	reconciler_now(r, &now);
	rc = db_pool_set_deleting(r->db, arg, now.wall_ms, &why);
	if (rc == PST_ENOTFOUND)
		return 0; /* an empty pool's row is gone in the same round */
	return pst_err_pass(err, rc, &why);
}

int reconciler_pool_delete(struct reconciler *r, const char *pool, const struct core_actor *by, struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_POOL_DELETE, .pool = pool, .by = by };
	char id[CORE_ID_SIZE];
	struct core_out out;
	int rc;

	CORE_COPY(id, pool);
	rc = round_run_step(r, &ev, &out, step_pool_deleting, id, err);
	core_out_finish(&out);
	return rc;
}

int reconciler_user_revoked(struct reconciler *r, const char *user_id, const char *pool_id,
                            const struct core_actor *by, struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_USER_REVOKED, .user_id = user_id, .pool = pool_id, .by = by };

	return round_run(r, &ev, err);
}

int reconciler_reap_allow(struct reconciler *r, const struct core_actor *by, struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_REAP_ALLOW, .by = by };

	return round_run(r, &ev, err);
}
