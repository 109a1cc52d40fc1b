/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Display sessions: one viewer on one desktop. A newer one evicts the older; the
 * first one makes the disk dirty, before the viewer has seen anything.
 *
 *	none ──grant──► granted ──started──► connected ──ended──► disconnected
 *	                   └───not come────────────────────────────────▲
 */
#include "broker/core/core_priv.h"

#include <string.h>

static void session_close(struct core_round *c, struct core_desktop *d, const struct core_reason *why)
{
	const struct core_pool *p = state_pool(c->st, d->pool_id);
	struct core_change *ch;

	desktop_touch(c, d);
	ch = change_add(c, CHANGE_SESSION_END);
	ch->s = d->s;
	CORE_COPY(ch->code, why->code);
	CORE_COPY(ch->text, why->en);
	CORE_COPY(ch->text_es, why->es);
	audit(c, "session.ended", d, why->code);
	memset(&d->s, 0, sizeof(d->s));
	d->x.session = SESSION_DISCONNECTED;
	d->due.grant_ms = d->due.vacated_ms = 0;
	if (p && p->logoff_after_disconnect_s > 0)
		d->due.logoff_ms = c->now->mono_ms + (int64_t)p->logoff_after_disconnect_s * 1000;
}

void session_end(struct core_round *c, struct core_desktop *d, enum reason why, bool tell)
{
	const struct core_pool *p = state_pool(c->st, d->pool_id);
	struct core_reason text;

	if (!d->s.id[0])
		return;
	reason_set_numbers(&text, why, p ? p->logoff_after_disconnect_s : 0, 0);
	if (tell) {
		struct core_command *cmd = command_add(c, COMMAND_END_SESSION);

		CORE_COPY(cmd->session_id, d->s.id);
		CORE_COPY(cmd->gateway, d->s.gateway);
		cmd->reason = text;
	}
	session_close(c, d, &text);
}

static bool session_may_grant(struct core_round *c, const struct core_desktop *d)
{
	const struct core_pool *p = d ? state_pool(c->st, d->pool_id) : NULL;

	if (!d || !p)
		refuse(c, PST_ENOTFOUND, REASON_NO_DESKTOP, NULL);
	else if (d->x.lease != LEASE_HELD || strcmp(d->a.user_id, c->ev->user_id) != 0)
		refuse(c, PST_EDENIED, REASON_NOT_YOURS, NULL);
	else if (c->st->fence_epochs && c->ev->epoch && c->ev->epoch != d->a.epoch)
		refuse(c, PST_EDENIED, REASON_STALE_TICKET, NULL);
	else if (p->maintenance)
		refuse(c, PST_EBUSY, REASON_POOL_MAINTENANCE, NULL);
	else if (!p->enabled)
		refuse(c, PST_EDENIED, REASON_POOL_DISABLED, NULL);
	else if (!desktop_is_usable(d))
		refuse(c, PST_EBUSY, REASON_NOT_READY, d->reason.en);
	return c->out->code == 0;
}

void session_on_grant(struct core_round *c)
{
	struct core_desktop *d = state_desktop(c->st, c->ev->desktop);
	struct core_change *ch;

	if (!session_may_grant(c, d))
		return;
	desktop_touch(c, d);
	session_end(c, d, REASON_MOVED, true);
	c->ids->uuid(c->ids->arg, d->s.id);
	/* The first session of a lease takes the lease's own epoch plus one. */
	d->s.epoch = c->st->fence_epochs ? ++d->epoch : d->epoch;
	d->s.protocol = c->ev->protocol;
	CORE_COPY(d->s.login_id, c->ev->login_id);
	CORE_COPY(d->s.gateway, c->ev->gateway);
	CORE_COPY(d->s.remote, c->ev->remote);
	d->x.session = SESSION_GRANTED;
	d->x.hygiene = HYGIENE_DIRTY;
	d->due = (struct core_due){ .grant_ms = c->now->mono_ms + GRANT_WAIT_MS, .roll_ms = d->due.roll_ms };
	ch = change_add(c, CHANGE_SESSION);
	CORE_COPY(ch->desktop_id, d->id);
	CORE_COPY(ch->pool_id, d->pool_id);
	ch->a = d->a;
	ch->s = d->s;
	audit(c, "session.granted", d, protocol_text(d->s.protocol));
	if (d->beside)
		agent_tell_epoch(c, d, d->s.epoch);
	CORE_COPY(c->out->session_id, d->s.id);
	c->out->epoch = d->s.epoch;
}

static void session_start(struct core_round *c, struct core_desktop *d)
{
	struct core_change *ch;

	if (d->s.active)
		return;
	desktop_touch(c, d);
	timing_logon(c, d);
	judge_logon(c, d, true);
	d->s.active = true;
	d->x.session = SESSION_CONNECTED;
	d->due.grant_ms = 0;
	ch = change_add(c, CHANGE_SESSION_START);
	ch->s = d->s;
	audit(c, "session.started", d, protocol_text(d->s.protocol));
}

static void session_end_unknown(struct core_round *c, const char *session, const char *gateway)
{
	struct core_command *cmd = command_add(c, COMMAND_END_SESSION);

	CORE_COPY(cmd->session_id, session);
	CORE_COPY(cmd->gateway, gateway);
	reason_set(&cmd->reason, REASON_UNKNOWN_SESSION, NULL, NULL);
}

void session_on_started(struct core_round *c)
{
	struct core_desktop *d = state_desktop_of_session(c->st, c->ev->session);

	if (d)
		session_start(c, d);
	else
		session_end_unknown(c, c->ev->session, c->ev->gateway);
}

void session_on_ended(struct core_round *c)
{
	struct core_desktop *d = state_desktop_of_session(c->st, c->ev->session);
	struct core_reason why;

	/* Late news of a session that we ended ourselves is no news. */
	if (!d)
		return;
	/* The gateway knows best why: its words go into the row and the audit. */
	reason_set(&why, REASON_VIEWER_LEFT, NULL, NULL);
	if (c->ev->word && c->ev->word[0])
		CORE_COPY(why.code, c->ev->word);
	if (c->ev->text && c->ev->text[0]) {
		CORE_COPY(why.en, c->ev->text);
		CORE_COPY(why.es, c->ev->text_es ? c->ev->text_es : "");
	}
	if (!d->s.active)
		judge_logon(c, d, false);
	session_close(c, d, &why);
}

void session_on_kill(struct core_round *c)
{
	struct core_desktop *d = state_desktop_of_session(c->st, c->ev->session);

	if (d)
		session_end(c, d, REASON_END_ADMIN, true);
	else
		refuse(c, PST_ENOTFOUND, REASON_NO_SESSION, NULL);
}

static bool gateway_has(const struct core_event *ev, const char *session)
{
	for (size_t i = 0; i < ev->session_count; i++)
		if (!strcmp(ev->sessions[i], session))
			return true;
	return false;
}

/* A gateway is back: what it carries is adopted or ended, what it lost is over. */
void session_on_gateway(struct core_round *c)
{
	for (size_t i = 0; i < c->st->desktop_count; i++) {
		struct core_desktop *d = c->st->desktops[i];

		if (!d->s.id[0] || strcmp(d->s.gateway, c->ev->gateway) != 0)
			continue;
		if (gateway_has(c->ev, d->s.id))
			session_start(c, d);
		else if (d->s.active)
			session_end(c, d, REASON_GATEWAY_LOST, false);
	}
	for (size_t i = 0; i < c->ev->session_count; i++)
		if (!state_desktop_of_session(c->st, c->ev->sessions[i]))
			session_end_unknown(c, c->ev->sessions[i], c->ev->gateway);
}
