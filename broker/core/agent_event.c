/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What agents report. A report carries the epoch of the log-on that it is about;
 * one of an earlier log-on must not touch the present one.
 */
#include "broker/core/core_priv.h"

#include <string.h>

void agent_tell_logoff(struct core_round *c, struct core_desktop *d, enum reason why)
{
	struct core_command *cmd = command_add(c, COMMAND_AGENT);
	const struct core_pool *p = state_pool(c->st, d->pool_id);

	CORE_COPY(cmd->desktop_id, d->id);
	cmd->tell = AGENT_TELL_LOGOFF;
	reason_set_numbers(&cmd->reason, why, p ? p->logoff_after_disconnect_s : 0, 0);
}

void agent_tell_epoch(struct core_round *c, struct core_desktop *d, int64_t epoch)
{
	struct core_command *cmd = command_add(c, COMMAND_AGENT);

	CORE_COPY(cmd->desktop_id, d->id);
	cmd->tell = AGENT_TELL_LEASE;
	CORE_COPY(cmd->user_name, d->a.user_name);
	cmd->epoch = epoch;
}

void agent_tell_lease(struct core_round *c, struct core_desktop *d)
{
	agent_tell_epoch(c, d, d->beside && d->s.epoch > d->a.epoch ? d->s.epoch : d->a.epoch);
}

void agent_tell_hello(struct core_round *c, const struct core_desktop *d)
{
	struct core_command *cmd = command_add(c, COMMAND_AGENT);

	CORE_COPY(cmd->desktop_id, d->id);
	cmd->tell = AGENT_TELL_HELLO;
}

void agent_tell_shutdown(struct core_round *c, const struct core_desktop *d)
{
	struct core_command *cmd = d->beside && d->x.agent == AGENT_READY ? command_add(c, COMMAND_AGENT) : NULL;

	if (!cmd)
		return;
	CORE_COPY(cmd->desktop_id, d->id);
	cmd->tell = AGENT_TELL_SHUTDOWN;
}

int64_t agent_wait_ms(const struct core_desktop *d)
{
	return d->beside ? BESIDE_WAIT_MS : AGENT_WAIT_MS;
}

const char *agent_noted(const char *word)
{
	static const struct {
		const char *word, *kind;
	} noted[] = {
		{ "logon", "desktop.logon" },
		{ "locked", "desktop.locked" },
		{ "unlocked", "desktop.unlocked" },
		{ "console", "desktop.console" }, /* somebody at the machine's own screen */
		{ "foreign", "desktop.foreign" }, /* somebody by RDP whom nobody of ours has let in */
		{ "left", "desktop.left" },       /* and who is gone again */
		{ "refused", "desktop.refused" }, /* our own lease, by the agent */
	};

	for (size_t i = 0; i < sizeof(noted) / sizeof(*noted); i++)
		if (!strcmp(noted[i].word, word))
			return noted[i].kind;
	return NULL;
}

void agent_is_ready(struct core_round *c, struct core_desktop *d)
{
	desktop_touch(c, d);
	d->x.agent = AGENT_READY;
	d->due.agent_ms = 0;
	if (d->x.lifecycle == LIFECYCLE_LIVE && d->x.power == POWER_ON && !d->t.id[0]) {
		d->failures = 0;
		memset(&d->reason, 0, sizeof(d->reason));
		breaker_pass(c, d);
	}
	spare_is_up(c, d);
	timing_prepared(c, d);
	if (d->x.lease == LEASE_HELD)
		tell_waiter(c, d->a.user_id, d->pool_id);
}

void agent_on_enrolled(struct core_round *c)
{
	struct core_desktop *d = state_desktop(c->st, c->ev->desktop);

	if (!d) {
		refuse(c, PST_ENOTFOUND, REASON_NO_DESKTOP, NULL);
		return;
	}
	desktop_touch(c, d);
	d->keyed = true;
	audit(c, "agent.enrolled", d, "");
}

/* Somebody is in the desktop who should not be: his log-on ends, and the disk
 * counts as used. */
static void agent_evict(struct core_round *c, struct core_desktop *d)
{
	d->x.hygiene = d->x.hygiene == HYGIENE_CLEAN ? HYGIENE_DIRTY : d->x.hygiene;
	agent_tell_logoff(c, d, REASON_FOREIGN_USER);
	if (d->x.lease == LEASE_FREE && d->x.hygiene == HYGIENE_DIRTY)
		desktop_clean(c, d);
}

static void agent_check_occupant(struct core_round *c, struct core_desktop *d)
{
	const char *user = c->ev->user_name;

	if (user && user[0] && (d->x.lease == LEASE_FREE || strcmp(user, d->a.user_name) != 0)) {
		agent_evict(c, d);
		return;
	}
	if (d->x.lease == LEASE_FREE)
		return;
	agent_tell_lease(c, d);
	if (d->x.lease == LEASE_ENDING)
		agent_tell_logoff(c, d, REASON_LOGOFF_USER); /* it may have missed the first one */
}

/* A start finds a machine that is off, or changes nothing; a stop may fail. */
static bool agent_machine_ends(const struct core_desktop *d)
{
	return d->t.id[0] && d->t.kind != TASK_START && !operation_is(d->t.kind);
}

void agent_on_hello(struct core_round *c)
{
	struct core_desktop *d = state_desktop(c->st, c->ev->desktop);

	if (!d || d->x.lifecycle == LIFECYCLE_DELETING || !d->keyed) {
		refuse(c, PST_ENOTFOUND, REASON_NO_DESKTOP, NULL);
		return;
	}
	/* The machine is being started anew, and this is still the old one. */
	if (agent_machine_ends(d) && c->ev->text && !strcmp(d->boot, c->ev->text))
		return;
	desktop_touch(c, d);
	bool is_new_boot = strcmp(d->boot, c->ev->text ? c->ev->text : "") != 0;
	CORE_COPY(d->boot, c->ev->text);
	if (c->ev->epoch > d->epoch)
		d->epoch = c->ev->epoch; /* a backup was restored; the agent remembers more */
	if (d->x.lifecycle == LIFECYCLE_FAILED && d->x.lease == LEASE_HELD && !d->t.id[0]) {
		d->x.lifecycle = LIFECYCLE_LIVE; /* it has come back for its owner */
		d->x.power = POWER_ON;
		d->due = (struct core_due){ 0 };
	}
	agent_is_ready(c, d);
	agent_check_occupant(c, d);
	personal_on_hello(c, d, is_new_boot);
}

static void agent_on_logoff(struct core_round *c, struct core_desktop *d)
{
	if (d->x.lease == LEASE_ENDING)
		lease_settle(c, d);
	else if (d->x.lease == LEASE_HELD && d->x.hygiene == HYGIENE_DIRTY &&
	         (c->ev->epoch >= d->a.epoch || !c->st->fence_epochs)) {
		/* It began inside the desktop. Without the owner's epoch it may be an echo of
		 * the owner before, and may only confirm, not begin. */
		session_end(c, d, REASON_LOGOFF_USER, true);
		d->x.lease = LEASE_ENDING;
		audit(c, "desktop.logoff", d, "logoff");
		lease_settle(c, d);
	}
}

/* The agent often hears of it first; the gateway, which knows why, gets a moment to say so. */
static void agent_on_vacated(struct core_round *c, struct core_desktop *d)
{
	if (!d->s.active || c->ev->epoch != d->s.epoch || d->due.vacated_ms)
		return;
	desktop_touch(c, d);
	d->due.vacated_ms = c->now->mono_ms + VACATED_WAIT_MS;
}

static void agent_on_failed(struct core_round *c, struct core_desktop *d)
{
	if (d->x.lifecycle == LIFECYCLE_LIVE && !d->t.id[0])
		machine_down(c, d, c->ev->text);
}

/* While its machine is being made it has to come and say so again. */
static void agent_on_unfit(struct core_round *c, struct core_desktop *d)
{
	if (d->x.lifecycle != LIFECYCLE_LIVE || d->t.id[0])
		refuse(c, PST_EBUSY, REASON_BUSY_TASK, task_kind_text(d->t.kind));
	else
		machine_down(c, d, c->ev->text);
}

void agent_on_report(struct core_round *c)
{
	struct core_desktop *d = state_desktop(c->st, c->ev->desktop);
	const char *word = c->ev->word;

	if (!d || d->x.lifecycle == LIFECYCLE_DELETING)
		return;
	/* The fence: nothing that an earlier owner left behind counts. */
	if (c->st->fence_epochs && c->ev->epoch && c->ev->epoch < d->a.epoch)
		return;
	desktop_touch(c, d);
	if (!strcmp(word, "ready"))
		agent_is_ready(c, d);
	else if (!strcmp(word, "logoff"))
		agent_on_logoff(c, d);
	else if (!strcmp(word, "vacated"))
		agent_on_vacated(c, d);
	else if (!strcmp(word, "failed"))
		agent_on_failed(c, d);
	else if (!strcmp(word, "unfit"))
		agent_on_unfit(c, d);
	else if (agent_noted(word))
		audit(c, agent_noted(word), d, c->ev->text ? c->ev->text : "");
	else
		personal_on_report(c, d);
}

void agent_on_gone(struct core_round *c)
{
	struct core_desktop *d = state_desktop(c->st, c->ev->desktop);

	if (!d || d->x.agent != AGENT_READY)
		return;
	desktop_touch(c, d);
	d->x.agent = AGENT_LOST;
	if (d->x.lifecycle == LIFECYCLE_LIVE && !d->t.id[0])
		desktop_await_agent(c, d);
}
