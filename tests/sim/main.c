/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * puesto-sim: runs seeds until one breaks an invariant, the count is reached or
 * the time is up.
 *
 *	puesto-sim --seed N [--verbose]             one seed; prints its trace hash
 *	puesto-sim --from N --count M [--seconds S] many
 *	puesto-sim … --mutate fence|dirty|verify|spare|sleep  with a rule switched off
 */
#include "tests/sim/sim.h"
#include "tests/sim/sim_admin.h"
#include "tests/sim/sim_host.h"
#include "tests/sim/sim_rollout.h"

#include "base/clock.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_broker_start(struct world *w, const struct message *m)
{
	broker_start(w);
}

static void (*const handlers[WHAT_COUNT])(struct world *w, const struct message *m) = {
	[TO_PROVISIONER] = host_on_command,
	[PROVISIONER_DONE] = host_on_done,
	[TASK_ANSWER] = host_on_answer,
	[INVENTORY_ASK] = host_on_inventory_ask,
	[INVENTORY_ANSWER] = host_on_inventory,
	[AGENT_START] = guest_on_start,
	[AGENT_CONNECT] = guest_on_connect,
	[AGENT_TOLD] = guest_on_told,
	[AGENT_SAYS] = guest_on_says,
	[AGENT_CUT] = guest_on_cut,
	[END_SESSION] = viewer_on_end,
	[SESSION_SAYS] = viewer_on_says,
	[USER_ACTS] = user_on_acts,
	[BROKER_START] = on_broker_start,
	[PROVISIONER_START] = host_on_start,
	[GATEWAY_HELLO] = gateway_on_hello,
	[ADMIN_ACTS] = admin_on_acts,
	[MEDDLES] = meddle_on_acts,
	[FAULT] = fault_on,
};

static void world_tick(struct world *w)
{
	w->now = w->wake_at > w->now ? w->wake_at : w->now;
	w->wake_at = -1;
	reconciler_tick(w->rec);
	broker_after(w);
}

/* The next thing that happens: a message, or the broker's own timer. */
static bool world_step(struct world *w, int64_t until)
{
	struct message m;
	int64_t next = -1;

	for (int i = 0; i < w->queued; i++)
		if (next < 0 || w->queue[i].at < next)
			next = w->queue[i].at;
	if (w->rec && w->wake_at >= 0 && (next < 0 || w->wake_at <= next)) {
		if (w->wake_at > until)
			return false;
		world_tick(w);
	} else if (next < 0 || next > until) {
		return false;
	} else {
		sim_take(w, &m);
		w->now = m.at > w->now ? m.at : w->now;
		handlers[m.what](w, &m);
	}
	w->steps++;
	check_step(w);
	return !w->violation[0];
}

/* One database serves all seeds: making the schema takes longer than a schedule. */
static int world_clear(struct db *db, struct pst_err *err)
{
	static const char *const steps[] = {
		"DELETE FROM personal_disks", "DELETE FROM rollouts",      "DELETE FROM version_times",
		"DELETE FROM tickets",       "DELETE FROM sessions", "DELETE FROM assignments", "DELETE FROM tasks",
		"DELETE FROM desktops",      "DELETE FROM pools",    "DELETE FROM users",       "DELETE FROM image_versions",
		"DELETE FROM images",        "DELETE FROM host_maintenances", "DELETE FROM providers",
	};
	struct db_query q;
	int rc = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && rc == 0; i++) {
		db_query_begin(&q, db, steps[i], err);
		rc = db_query_run(&q);
	}
	return rc;
}

static int world_run(struct world *w, uint64_t seed)
{
	struct pst_err err = PST_ERR_INIT;

	w->seed = seed;
	w->agentless = seed % 8 == 5;
	w->rand = seed * 0x9e3779b97f4a7c15u + 1;
	w->hash = 1469598103934665603u;
	w->now = 1000000;
	w->wake_at = -1;
	if (world_clear(w->db, &err) < 0 || broker_make_rows(w, &err) < 0) {
		fprintf(stderr, "puesto-sim: %s\n", err.text);
		return -1;
	}
	host_choose_all(w);
	fault_choose(w);
	rollout_choose(w);
	meddle_choose(w);
	broker_start(w);
	for (int i = 0; i < w->user_count; i++)
		sim_post(w, USER_ACTS, sim_between(w, 100, 60000))->user = i;
	while (world_step(w, 1000000 + STORM_MS))
		;
	w->calm = true;
	while (!w->violation[0] && world_step(w, 1000000 + STORM_MS + CALM_MS))
		broker_allow(w);
	if (!w->violation[0])
		check_rest(w);
	reconciler_destroy(w->rec);
	w->rec = NULL;
	broker_unhook(w);
	return w->violation[0] ? 1 : 0;
}

struct options {
	uint64_t from, count, seconds;
	bool verbose, single;
	const char *mutate; /* a word of rules, or "" */
};

static bool mutate_is_known(const char *word)
{
	static const char *const rules[] = { "fence", "dirty", "verify", "spare", "personal", "sleep" };

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (!strcmp(word, rules[i]))
			return true;
	return false;
}

static bool options_parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' },   { "from", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'c' },  { "seconds", required_argument, NULL, 't' },
		{ "mutate", required_argument, NULL, 'm' }, { "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			o->single = true;
			o->from = strtoull(optarg, NULL, 10);
			o->count = 1;
			break;
		case 'f':
			o->from = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			o->count = strtoull(optarg, NULL, 10);
			break;
		case 't':
			o->seconds = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			o->mutate = optarg;
			if (!mutate_is_known(optarg))
				return false;
			break;
		case 'v':
			o->verbose = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct options o = { .from = 1, .count = 1000, .mutate = "" };
	uint64_t start = pst_mono_ms(), seeds = 0, steps = 0, grants = 0, crashes = 0, restored = 0, rollouts = 0, slept = 0, woken = 0, replaced = 0, forced = 0, reverted = 0, brought = 0;
	struct pst_err err = PST_ERR_INIT;
	struct world *w = NULL;
	struct db *db = NULL;
	int rc = 0;

	if (!options_parse(&o, argc, argv)) {
		fprintf(stderr, "usage: puesto-sim [--seed N | --from N --count M --seconds S] [--mutate fence|dirty|verify|spare|personal|sleep] [--verbose]\n");
		return 2;
	}
	if (db_open(":memory:", &db, &err) < 0 || db_migrate(db, &err) < 0) {
		fprintf(stderr, "puesto-sim: %s\n", err.text);
		return 2;
	}
	for (uint64_t s = o.from; s < o.from + o.count && rc == 0; s++) {
		if (o.seconds && pst_mono_ms() - start >= o.seconds * 1000)
			break;
		free(w);
		w = calloc(1, sizeof(*w));
		if (!w)
			return 2;
		w->db = db;
		w->verbose = o.verbose;
		w->mutate = o.mutate;
		rc = world_run(w, s);
		seeds++;
		steps += w->steps;
		grants += (uint64_t)w->grants;
		crashes += (uint64_t)w->crashes;
		rollouts += (uint64_t)w->rollouts;
		restored += (uint64_t)w->restored_count;
		slept += (uint64_t)w->slept;
		woken += (uint64_t)w->woken;
		replaced += (uint64_t)w->replaced;
		forced += (uint64_t)w->forced;
		reverted += (uint64_t)w->reverted;
		brought += (uint64_t)w->brought;
		if (rc)
			printf("VIOLATION seed %llu step %llu at %lld: %s\nreplay: puesto-sim --seed %llu%s%s --verbose\n",
			       (unsigned long long)s, (unsigned long long)w->steps, (long long)w->now, w->violation,
			       (unsigned long long)s,
			       o.mutate[0] ? " --mutate " : "", o.mutate);
		if (o.single)
			printf("seed %llu trace %016llx\n", (unsigned long long)s, (unsigned long long)w->hash);
	}
	free(w);
	db_close(db);
	printf("%llu roll-outs done, %llu taken back by themselves, %llu desktops replaced, %llu users logged off for them; %llu with their files\n",
	       (unsigned long long)rollouts, (unsigned long long)reverted, (unsigned long long)replaced, (unsigned long long)forced, (unsigned long long)brought);
	printf("%llu desktops resumed, %llu asleep in the end; %llu brought back from the recycle bin\n", (unsigned long long)woken, (unsigned long long)slept,
	       (unsigned long long)restored);
	printf("%llu schedules, %llu steps, %llu grants, %llu broker deaths in %.1f s: %s\n", (unsigned long long)seeds,
	       (unsigned long long)steps, (unsigned long long)grants, (unsigned long long)crashes,
	       (double)(pst_mono_ms() - start) / 1000, rc ? "FAILED" : "no violation");
	return rc ? 1 : 0;
}
