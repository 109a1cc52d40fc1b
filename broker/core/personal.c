/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Users' own disks, one of each user in each pool that wants them: brought to the desktop that he gets, before he may
 * connect, and taken away before its disk is made new.
 *
 *	none ──lease──► wanted ──attach──► attached ──guest──► mounted
 *	  ▲                ▲                  │    restarted     │
 *	  │                └──────────────────┴──────────────────┤
 *	  └──detach── left ◄──guest──── leaving ◄──lease ends────┘
 *
 * held: the provider may have the disk at this desktop, from before it is asked to attach until it has detached it or
 * removed the machine. No two desktops hold one disk: here, by an index of the database, and by the provider's file.
 * What the guest says moves only the disk of its own desktop, and only on: it is not asked whose disk that is.
 */
#include "broker/core/core_priv.h"

#include <string.h>

bool pool_has_personal(const struct core_pool *p)
{
	return p && p->personal_mb > 0 && p->kind == POOL_FLOATING && p->on_logoff != ON_LOGOFF_KEEP;
}

static void personal_note(struct core_round *c, const struct core_desktop *d, const char *what)
{
	struct core_change *ch = change_add(c, CHANGE_PERSONAL);

	CORE_COPY(ch->desktop_id, d->id);
	CORE_COPY(ch->pool_id, d->pool_id);
	CORE_COPY(ch->provider_id, d->provider_id);
	CORE_COPY(ch->a.user_id, d->personal.owner);
	CORE_COPY(ch->a.user_name, d->a.user_name);
	CORE_COPY(ch->code, what);
}

static void personal_tell(struct core_round *c, struct core_desktop *d, enum agent_tell tell)
{
	struct core_command *cmd = command_add(c, COMMAND_AGENT);

	CORE_COPY(cmd->desktop_id, d->id);
	cmd->tell = tell;
	d->due.personal_ms = c->now->mono_ms + (tell == AGENT_TELL_MOUNT ? MOUNT_WAIT_MS : UNMOUNT_WAIT_MS);
}

void personal_want(struct core_round *c, struct core_desktop *d)
{
	/* Who owned it before the pool was a floating one keeps it when it fails: no disk may hang on that. An agent beside the machine's own server mounts none. */
	if (!pool_has_personal(state_pool(c->st, d->pool_id)) || d->agentless || d->beside || d->a.kind != POOL_FLOATING)
		return;
	d->personal = (struct core_personal){ .phase = PERSONAL_WANTED };
	CORE_COPY(d->personal.owner, d->a.user_id);
}

static void personal_gone(struct core_desktop *d)
{
	memset(&d->personal, 0, sizeof(d->personal));
	d->due.personal_ms = 0;
}

void personal_drop(struct core_desktop *d)
{
	if (!d->personal.held)
		personal_gone(d);
}

void personal_released(struct core_round *c, struct core_desktop *d)
{
	if (d->personal.held)
		personal_note(c, d, "released");
	personal_gone(d);
}

/* ---- setbacks ---- */

static struct core_setback *setback_find(const struct core_state *st, const char *user_id, const char *pool_id)
{
	for (size_t i = 0; i < st->setback_count; i++)
		if (!strcmp(st->setbacks[i].user_id, user_id) && !strcmp(st->setbacks[i].pool_id, pool_id))
			return &st->setbacks[i];
	return NULL;
}

static void setback_forget(struct core_state *st, const char *user_id, const char *pool_id)
{
	struct core_setback *s = setback_find(st, user_id, pool_id);

	if (s)
		*s = st->setbacks[--st->setback_count];
}

/* At the ceiling the one that is tried again first makes room, and the new one waits from the first time on. */
static struct core_setback *setback_make(struct core_state *st)
{
	struct core_setback *s = state_add_setback(st);

	if (s || !st->setback_count)
		return s;
	s = st->setbacks;
	for (size_t i = 1; i < st->setback_count; i++)
		if (st->setbacks[i].until_ms < s->until_ms)
			s = &st->setbacks[i];
	*s = (struct core_setback){ .failures = 1 };
	return s;
}

/* The first time it is tried with another desktop at once; then the pause doubles. */
static void setback_note(struct core_round *c, const struct core_desktop *d, const char *why)
{
	struct core_setback *s = setback_find(c->st, d->personal.owner, d->pool_id);
	int64_t pause = SETBACK_FIRST_MS;

	if (!s)
		s = setback_make(c->st);
	if (!s)
		return; /* no memory: it is tried again at once */
	CORE_COPY(s->user_id, d->personal.owner);
	CORE_COPY(s->pool_id, d->pool_id);
	CORE_COPY(s->why, why);
	for (int i = 1; i < s->failures && pause < SETBACK_MAX_MS; i++)
		pause *= 2;
	s->until_ms = s->failures++ ? c->now->mono_ms + (pause < SETBACK_MAX_MS ? pause : SETBACK_MAX_MS) : 0;
}

bool personal_waits(const struct core_round *c, const char *user_id, const char *pool_id, struct core_reason *ret)
{
	const struct core_setback *s = setback_find(c->st, user_id, pool_id);

	if (!s || s->until_ms <= c->now->mono_ms || !pool_has_personal(state_pool(c->st, pool_id)))
		return false;
	reason_set(ret, REASON_PERSONAL_FAILED, s->why, NULL);
	return true;
}

/* ---- bringing it ---- */

static const struct core_desktop *personal_holder(const struct core_state *st, const struct core_desktop *but)
{
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];

		if (d != but && d->personal.held && !strcmp(d->personal.owner, but->personal.owner) && !strcmp(d->pool_id, but->pool_id))
			return d;
	}
	return NULL;
}

static bool personal_can_begin(const struct core_desktop *d)
{
	return d->x.lease == LEASE_HELD && d->x.lifecycle == LIFECYCLE_LIVE && d->x.power == POWER_ON && d->x.agent == AGENT_READY &&
	       d->x.hygiene != HYGIENE_CLEANING && !d->t.id[0];
}

/* Why it waits, in words; false: it does not. */
static bool personal_is_away(const struct core_round *c, const struct core_desktop *d, struct core_reason *ret)
{
	const struct core_desktop *holder = c->st->mind_personal && !d->personal.held ? personal_holder(c->st, d) : NULL;

	if (holder)
		reason_set(ret, REASON_PERSONAL_ELSEWHERE, holder->name, NULL);
	else if (!desktop_carries(c->st, d, "personal"))
		reason_set(ret, REASON_NOT_CARRIED, "personal", NULL);
	else
		return false;
	return true;
}

static void personal_begin(struct core_round *c, struct core_desktop *d)
{
	struct core_reason why;

	if (personal_is_away(c, d, &why)) {
		if (!strcmp(d->reason.en, why.en))
			return;
		desktop_touch(c, d);
		d->reason = why;
		return;
	}
	desktop_touch(c, d);
	memset(&d->reason, 0, sizeof(d->reason));
	d->personal.held = true;
	if (d->x.hygiene == HYGIENE_CLEAN)
		d->x.hygiene = HYGIENE_DIRTY; /* somebody's files have been in it */
	personal_note(c, d, "attaching");
	task_start(c, d, TASK_ATTACH);
}

/* Its pool brings nothing any more, and nothing was begun. */
static void personal_forgo(struct core_round *c, struct core_desktop *d)
{
	desktop_touch(c, d);
	personal_gone(d);
	memset(&d->reason, 0, sizeof(d->reason));
	tell_waiter(c, d->a.user_id, d->pool_id);
}

void personal_next(struct core_round *c, struct core_desktop *d)
{
	if (d->personal.phase == PERSONAL_WANTED && !d->personal.held && !pool_has_personal(state_pool(c->st, d->pool_id)))
		personal_forgo(c, d);
	else if (d->personal.phase == PERSONAL_WANTED && personal_can_begin(d))
		personal_begin(c, d);
	else if (d->personal.phase == PERSONAL_LEFT && d->x.lifecycle == LIFECYCLE_LIVE && !d->t.id[0])
		task_start(c, d, TASK_DETACH);
}

void personal_run(struct core_round *c)
{
	for (size_t i = 0; i < c->st->desktop_count && !c->out->failed; i++)
		if (c->st->desktops[i]->personal.phase != PERSONAL_NONE)
			personal_next(c, c->st->desktops[i]);
}

void personal_attached(struct core_round *c, struct core_desktop *d)
{
	if (d->personal.phase != PERSONAL_WANTED)
		return; /* its user has left meanwhile: it is on its way out */
	d->personal.phase = PERSONAL_ATTACHED;
	audit(c, "personal.attached", d, "");
	personal_tell(c, d, AGENT_TELL_MOUNT);
}

static void personal_mounted(struct core_round *c, struct core_desktop *d)
{
	if (d->personal.phase != PERSONAL_ATTACHED || d->x.lease != LEASE_HELD)
		return;
	d->personal.phase = PERSONAL_MOUNTED;
	d->due.personal_ms = 0;
	if (d->due.claim_ms)
		d->due.claim_ms = c->now->mono_ms + CLAIM_WAIT_MS;
	setback_forget(c->st, d->personal.owner, d->pool_id);
	tell_waiter(c, d->a.user_id, d->pool_id);
}

/* Another desktop may do better; this one may hold the disk, and nobody can tell. */
void personal_fail(struct core_round *c, struct core_desktop *d, const char *why)
{
	desktop_touch(c, d);
	setback_note(c, d, why && why[0] ? why : "the desktop gave no reason.");
	audit(c, "personal.failed", d, why);
	desktop_delete(c, d);
}

/* ---- taking it away ---- */

bool personal_leaves(struct core_round *c, struct core_desktop *d)
{
	if (!d->personal.held || !c->st->mind_personal) {
		personal_gone(d);
		return false;
	}
	if (d->personal.phase == PERSONAL_LEAVING || d->personal.phase == PERSONAL_LEFT)
		return true;
	desktop_touch(c, d);
	if (d->personal.phase == PERSONAL_WANTED) {
		/* No guest was told of it. What the provider is asked now comes after what it was asked before. */
		d->personal.phase = PERSONAL_LEFT;
		if (d->t.id[0] && d->t.kind == TASK_ATTACH)
			task_start(c, d, TASK_DETACH);
	} else if (d->x.agent == AGENT_READY && d->x.power != POWER_OFF) {
		d->personal.phase = PERSONAL_LEAVING;
		personal_tell(c, d, AGENT_TELL_UNMOUNT);
	} else {
		personal_break(c, d);
	}
	return true;
}

void personal_cut(struct core_round *c, struct core_desktop *d)
{
	enum personal phase = d->personal.phase;

	d->due.personal_ms = 0;
	if (!d->personal.held) {
		personal_gone(d);
		return;
	}
	if (phase == PERSONAL_ATTACHED || phase == PERSONAL_MOUNTED || phase == PERSONAL_LEAVING) {
		personal_note(c, d, "unclean");
		audit(c, "personal.unclean", d, "");
	}
	d->personal.phase = PERSONAL_LEFT;
}

void personal_break(struct core_round *c, struct core_desktop *d)
{
	desktop_delete(c, d);
}

void personal_detached(struct core_round *c, struct core_desktop *d)
{
	personal_note(c, d, "detached");
	audit(c, "personal.detached", d, "");
	personal_gone(d);
	if (d->x.hygiene == HYGIENE_CLEANING)
		desktop_refresh(c, d);
	else if (d->x.lease == LEASE_FREE && d->x.hygiene == HYGIENE_DIRTY)
		desktop_clean(c, d);
}

/* ---- what else happens to the desktop ---- */

/* Its guest has begun anew, and knows of no disk. */
static void personal_anew(struct core_desktop *d)
{
	if (d->personal.phase == PERSONAL_ATTACHED || d->personal.phase == PERSONAL_MOUNTED)
		d->personal.phase = PERSONAL_WANTED;
	else if (d->personal.phase == PERSONAL_LEAVING)
		d->personal.phase = PERSONAL_LEFT;
	d->due.personal_ms = 0;
}

void personal_started(struct core_round *c, struct core_desktop *d, enum task_kind kind)
{
	/* One that ran after all has its agent, and the disk in it, still; another boot says so by its hello. */
	if (kind == TASK_START && d->x.agent == AGENT_READY)
		return;
	if (kind != TASK_REFRESH) {
		personal_anew(d);
		return;
	}
	personal_gone(d);
	if (d->x.lease == LEASE_HELD)
		personal_want(c, d);
}

void personal_on_hello(struct core_round *c, struct core_desktop *d, bool is_new_boot)
{
	if (is_new_boot)
		personal_anew(d);
	if (d->personal.phase == PERSONAL_ATTACHED)
		personal_tell(c, d, AGENT_TELL_MOUNT);
	else if (d->personal.phase == PERSONAL_LEAVING)
		personal_tell(c, d, AGENT_TELL_UNMOUNT);
}

bool personal_on_report(struct core_round *c, struct core_desktop *d)
{
	const char *word = c->ev->word;

	if (!strcmp(word, "mounted")) {
		personal_mounted(c, d);
	} else if (!strcmp(word, "unmountable")) {
		if (d->personal.phase == PERSONAL_ATTACHED)
			personal_fail(c, d, c->ev->text);
	} else if (!strcmp(word, "unmounted")) {
		if (d->personal.phase == PERSONAL_LEAVING) {
			d->personal.phase = PERSONAL_LEFT;
			d->due.personal_ms = 0;
		}
	} else {
		return false;
	}
	return true;
}

void personal_late(struct core_round *c, struct core_desktop *d)
{
	struct core_reason why;

	if (d->personal.phase == PERSONAL_ATTACHED) {
		reason_set_numbers(&why, REASON_PERSONAL_SILENT, MOUNT_WAIT_MS / 1000, 0);
		personal_fail(c, d, why.en);
	} else if (d->personal.phase == PERSONAL_LEAVING) {
		personal_break(c, d);
	}
}
