/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Collecting the decisions of a round, and keeping or undoing them.
 */
#include "broker/core/core_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for one more; capacity is the next power of two. NULL: out->failed. */
static void *out_grow(struct core_out *out, void *items, size_t count, size_t size)
{
	void *grown = items;

	if (count >= CORE_ROUND_MAX)
		grown = NULL;
	else if (!(count & (count - 1)))
		grown = realloc(items, (count ? count * 2 : 1) * size);
	if (!grown)
		out->failed = true;
	return grown;
}

static struct core_touched *touched_add(struct core_out *out)
{
	struct core_touched *grown = out_grow(out, out->touched, out->touched_count, sizeof(*grown));

	if (!grown)
		return NULL;
	out->touched = grown;
	grown += out->touched_count++;
	*grown = (struct core_touched){ 0 };
	return grown;
}

void desktop_touch(struct core_round *c, struct core_desktop *d)
{
	struct core_desktop *before;
	struct core_touched *t;

	if (d->touched == c->st->round)
		return;
	before = malloc(sizeof(*before));
	t = before ? touched_add(c->out) : NULL;
	if (!t) {
		/* The change goes on in memory only; nothing of this round will be
		 * written, and the shell loads the state anew. */
		c->out->failed = true;
		free(before);
		return;
	}
	*before = *d;
	CORE_COPY(t->id, d->id);
	CORE_COPY(t->pool_id, d->pool_id);
	t->desktop = d;
	t->before = before;
	d->touched = c->st->round;
}

struct core_desktop *desktop_make(struct core_round *c, const char *id)
{
	struct core_touched *t = touched_add(c->out);
	struct core_desktop *d = t ? state_add_desktop(c->st, id) : NULL;

	if (!d) {
		if (t)
			c->out->touched_count--;
		c->out->failed = true;
		return NULL;
	}
	CORE_COPY(t->id, id);
	t->desktop = d;
	d->touched = c->st->round;
	d->created_wall = c->now->wall_ms;
	return d;
}

struct core_change *change_add(struct core_round *c, enum change_kind kind)
{
	static struct core_change spare; /* written to when memory ends; never read */
	struct core_out *out = c->out;
	struct core_change *grown = out_grow(out, out->changes, out->change_count, sizeof(*grown));

	if (!grown)
		return &spare;
	out->changes = grown;
	grown += out->change_count++;
	memset(grown, 0, sizeof(*grown));
	grown->kind = kind;
	return grown;
}

struct core_command *command_add(struct core_round *c, enum command_kind kind)
{
	static struct core_command spare;
	struct core_out *out = c->out;
	struct core_command *grown = out_grow(out, out->commands, out->command_count, sizeof(*grown));

	if (!grown)
		return &spare;
	out->commands = grown;
	grown += out->command_count++;
	memset(grown, 0, sizeof(*grown));
	grown->kind = kind;
	return grown;
}

static struct core_change *audit_add(struct core_round *c, const char *word, const char *object_kind, const char *text)
{
	struct core_change *ch = change_add(c, CHANGE_AUDIT);

	ch->word = word;
	ch->object_kind = object_kind;
	CORE_COPY(ch->text, text);
	if (c->ev->by)
		ch->actor = *c->ev->by;
	else
		CORE_COPY(ch->actor.kind, "system");
	return ch;
}

void audit(struct core_round *c, const char *word, const struct core_desktop *d, const char *text)
{
	struct core_change *ch = audit_add(c, word, "desktop", text);

	CORE_COPY(ch->desktop_id, d->id);
	CORE_COPY(ch->pool_id, d->pool_id);
	ch->a = d->a;
	ch->s = d->s;
	ch->t = d->t;
}

void audit_pool(struct core_round *c, const char *word, const struct core_pool *p, const char *text)
{
	struct core_change *ch = audit_add(c, word, "pool", text);

	CORE_COPY(ch->pool_id, p->id);
}

void audit_host(struct core_round *c, const char *word, const struct core_host *h)
{
	const struct core_provider *pr = state_provider_named(c->st, h->provider);
	struct core_change *ch = audit_add(c, word, "provider", "");

	CORE_COPY(ch->provider_id, pr ? pr->id : "");
	snprintf(ch->text, sizeof(ch->text), "%s/%s", h->provider, h->name);
}

void out_keep_host(struct core_round *c, const struct core_host *h)
{
	c->out->kept_host = (struct core_kept_host){ true, *h };
}

void refuse(struct core_round *c, int code, enum reason which, const char *arg)
{
	c->out->code = code;
	reason_set(&c->out->refusal, which, arg, NULL);
}

void wake_at(struct core_round *c, int64_t mono_ms)
{
	if (mono_ms > 0 && (!c->out->wake_ms || mono_ms < c->out->wake_ms))
		c->out->wake_ms = mono_ms;
}

void tell_waiter(struct core_round *c, const char *user_id, const char *pool_id)
{
	struct core_command *cmd = command_add(c, COMMAND_WAITER);

	CORE_COPY(cmd->user_id, user_id);
	CORE_COPY(cmd->pool_id, pool_id);
}

void core_out_finish(struct core_out *out)
{
	for (size_t i = 0; i < out->touched_count; i++)
		free(out->touched[i].before);
	free(out->touched);
	free(out->changes);
	free(out->commands);
	free(out->rollouts);
	free(out->images);
	*out = (struct core_out){ 0 };
}

void core_commit(struct core_state *st, struct core_out *out)
{
	timing_take(st, out);
	for (size_t i = 0; i < out->touched_count; i++)
		if (out->touched[i].desktop->x.lifecycle == LIFECYCLE_DELETED)
			state_remove_desktop(st, out->touched[i].desktop);
	for (size_t i = 0; i < out->change_count; i++)
		if (out->changes[i].kind == CHANGE_POOL_GONE)
			state_remove_pool(st, out->changes[i].pool_id);
	for (size_t i = st->waiter_count; i-- > 0;)
		if (st->waiters[i].served)
			state_remove_waiter(st, &st->waiters[i]);
}

static void desktop_restore(struct core_state *st, struct core_desktop *d, const struct core_desktop *before)
{
	state_lease_leave(st, d);
	*d = *before;
	d->lease_key[0] = '\0';
	if (d->a.id[0])
		state_lease_enter(st, d);
}

void core_undo(struct core_state *st, struct core_out *out)
{
	st->settled = false;
	rollout_undo(st, out);
	for (size_t i = out->touched_count; i-- > 0;) {
		struct core_touched *t = &out->touched[i];

		if (t->before)
			desktop_restore(st, t->desktop, t->before);
		else
			state_remove_desktop(st, t->desktop);
	}
	for (size_t i = 0; i < st->waiter_count; i++)
		st->waiters[i].served = false;
	if (out->kept_host.is_kept) {
		struct core_host *h = state_host(st, out->kept_host.before.provider, out->kept_host.before.name);

		if (h)
			*h = out->kept_host.before;
	}
}
