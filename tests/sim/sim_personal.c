/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The modelled disks of users: one of each user in each pool that gives them. The host does what it is asked, so
 * whatever the broker asks wrongly is seen here.
 */
#include "tests/sim/sim_admin.h"
#include "tests/sim/sim_personal.h"

#include "db/personal.h"

#include <stdlib.h>
#include <string.h>

int personal_choose(struct world *w, const char *pool_id, int i, struct pst_err *err)
{
	if (w->agentless || (w->seed + (uint64_t)i) % 3 == 0)
		return 0;
	return db_personal_settings_set(w->db, pool_id, 64, "", err);
}

static int number_of(const char *id)
{
	const char *dash = strrchr(id, '-');

	return dash ? atoi(dash + 1) : -1;
}

void personal_do(struct world *w, struct machine *m, const struct message *cmd)
{
	if (cmd->kind == TASK_DETACH) {
		if (m->disk_user != cmd->disk_user || m->disk_pool != cmd->disk_pool)
			return;
		if (m->mounted)
			sim_violation(w, "machine %s: the disk of user %d is pulled while it is mounted", m->id, m->disk_user);
		m->disk_user = -1;
		return;
	}
	for (int i = 0; i < MACHINES_MAX; i++) {
		const struct machine *o = &w->machines[i];

		if (o != m && o->exists && o->disk_user == cmd->disk_user && o->disk_pool == cmd->disk_pool && o->disk_user >= 0)
			sim_violation(w, "the disk of user %d is at %s and is attached to %s", cmd->disk_user, o->id, m->id);
	}
	if (m->disk_user >= 0 && m->disk_user != cmd->disk_user)
		sim_violation(w, "machine %s has the disk of user %d and gets that of user %d", m->id, m->disk_user, cmd->disk_user);
	if (m->running) {
		m->disk_user = cmd->disk_user;
		m->disk_pool = cmd->disk_pool;
	}
}

void personal_check_refresh(struct world *w, const struct machine *m)
{
	if (m->disk_user >= 0)
		sim_violation(w, "machine %s is refreshed with the disk of user %d", m->id, m->disk_user);
}

static void says(struct world *w, const struct machine *m, const char *word)
{
	struct message *s = sim_post(w, AGENT_SAYS, sim_between(w, 10, sim_chance(w, w->faults.slow) ? 60000 : 2000));

	s->broker = w->broker;
	s->epoch = m->told_epoch > m->session_epoch ? m->told_epoch : m->session_epoch;
	CORE_COPY(s->word, word);
	CORE_COPY(s->desktop, m->id);
	CORE_COPY(s->boot, m->boot);
}

/* Now and then a guest that does not answer, or cannot. */
void personal_told(struct world *w, struct machine *m, enum agent_tell tell)
{
	if (sim_chance(w, w->faults.task_dies))
		return;
	if (tell == AGENT_TELL_UNMOUNT) {
		m->mounted = false;
		says(w, m, "unmounted");
	} else if (m->disk_user < 0 || sim_chance(w, w->faults.task_dies)) {
		says(w, m, "unmountable");
	} else {
		m->mounted = true;
		says(w, m, "mounted");
	}
}

void personal_check_grant(struct world *w, int user, const struct grant *g)
{
	const struct core_desktop *d = state_desktop(reconciler_state(w->rec), g->desktop);
	const struct machine *m = machine_find(w, g->desktop);

	if (!d || !m || !pool_has_personal(state_pool(reconciler_state(w->rec), d->pool_id)))
		return;
	if (d->personal.phase == PERSONAL_NONE && meddle_has_set(w, d->pool_id))
		return; /* he has it since before the pool had disks */
	w->brought++;
	if (d->personal.phase != PERSONAL_MOUNTED)
		sim_violation(w, "desktop %s: user %d is let in without his files (%s)", d->id, user, personal_text(d->personal.phase));
	/* A machine that went a moment ago has told nobody. */
	if (m->running && m->connected && !strcmp(m->boot, d->boot) && (!m->mounted || m->disk_user != user))
		sim_violation(w, "desktop %s: user %d is let in with the files of user %d, mounted %d", d->id, user, m->disk_user, m->mounted);
}

void personal_check_step(struct world *w, const struct core_state *st)
{
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *a = st->desktops[i];

		if (a->personal.held && !a->personal.owner[0])
			sim_violation(w, "desktop %s holds nobody's disk", a->id);
		if (a->personal.phase == PERSONAL_NONE && a->personal.held)
			sim_violation(w, "desktop %s holds a disk and knows nothing of it", a->id);
		for (size_t j = 0; j < i && a->personal.held && w->mutate[0] == '\0'; j++) {
			const struct core_desktop *b = st->desktops[j];

			if (b->personal.held && !strcmp(a->personal.owner, b->personal.owner) && !strcmp(a->pool_id, b->pool_id))
				sim_violation(w, "%s and %s hold the disk of %s", a->id, b->id, a->personal.owner);
		}
	}
}

void personal_check_rest(struct world *w, const struct core_state *st)
{
	for (int i = 0; i < MACHINES_MAX; i++) {
		const struct machine *m = &w->machines[i];
		const struct core_desktop *d = m->exists ? state_desktop(st, m->id) : NULL;

		if (d && m->disk_user >= 0 && (!d->personal.held || number_of(d->personal.owner) != m->disk_user))
			sim_violation(w, "at rest, machine %s has the disk of user %d, and the broker does not know", m->id, m->disk_user);
	}
	for (size_t i = 0; i < st->desktop_count; i++) {
		const struct core_desktop *d = st->desktops[i];

		/* One that comes back may wait for a host. */
		if (d->x.lifecycle != LIFECYCLE_CREATING && d->personal.phase != PERSONAL_NONE && d->personal.phase != PERSONAL_MOUNTED)
			sim_violation(w, "at rest, the disk of desktop %s is %s", d->id, personal_text(d->personal.phase));
	}
}
