/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Roll-outs over real SQL, with a broker that dies at every step of them.
 */
#include "broker/reconciler_rollout.h"

#include "base/err.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "db/db.h"
#include "db/image.h"
#include "db/pool.h"
#include "db/provider.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define COMMANDS_MAX 64

struct command {
	enum task_kind kind;
	char task[CORE_ID_SIZE], desktop[CORE_ID_SIZE], token[44], version[16];
};

static struct world {
	struct db *db;
	struct reconciler *rec;
	struct core_now now;
	struct command queue[COMMANDS_MAX];
	int queued, images_changed;
	const char *broken; /* the version that cannot be made */
} w;

static void op_now(void *arg, struct core_now *ret)
{
	*ret = w.now;
}

static void op_provision(void *arg, const struct provider_command *cmd)
{
	struct command *c = &w.queue[w.queued++];

	cr_assert_lt(w.queued, COMMANDS_MAX);
	*c = (struct command){ .kind = cmd->kind };
	CORE_COPY(c->task, cmd->task);
	CORE_COPY(c->desktop, cmd->desktop);
	CORE_COPY(c->token, cmd->enrol_token);
	CORE_COPY(c->version, cmd->image_version);
}

static void op_changed(void *arg, const char *kind, const char *id)
{
	w.images_changed += !strcmp(kind, "image");
}

static const struct reconciler_ops ops = { .now = op_now, .provision = op_provision, .changed = op_changed };

static void make_rows(void)
{
	struct provider_row pr = {
		.id = "provider", .name = "local", .kind = "local", .enabled = true, .max_creates = 8
	};
	struct image_row im = { .id = "image", .name = "demo", .published = "1" };
	struct version_row iv = { .image_id = "image", .verified = 1 };
	struct pool_row p = { .id = "pool",
		.name = "lab",
		.kind = "floating",
		.provider_id = "provider",
		.image_id = "image",
		.image_version = "latest",
		.on_logoff = "refresh",
		.min = 2,
		.max = 4,
		.spare = 1,
		.enabled = true };

	cr_assert_eq(db_provider_insert(w.db, &pr, NULL), 0);
	cr_assert_eq(db_image_insert(w.db, &im, NULL), 0);
	for (int v = 1; v <= 3; v++) {
		snprintf(iv.id, sizeof(iv.id), "version-%d", v);
		snprintf(iv.version, sizeof(iv.version), "%d", v);
		cr_assert_eq(db_version_insert(w.db, &iv, NULL), 0);
		iv.verified = 0;
	}
	cr_assert_eq(db_pool_insert(w.db, &p, NULL), 0);
}

static void hello(void)
{
	static const struct provider_report local = {
		.name = "local", .kind = "local", .reason = "", .healthy = true
	};
	const struct core_state *st = reconciler_state(w.rec);
	struct machine_report machines[COMMANDS_MAX];
	struct machine_list list = { .machines = machines };

	for (size_t i = 0; i < st->desktop_count; i++)
		if (st->desktops[i]->x.lifecycle == LIFECYCLE_LIVE)
			machines[list.count++] = (struct machine_report){
				.desktop = st->desktops[i]->id, .task = "", .state = "running", .reason = ""
			};
	cr_assert_eq(reconciler_provisioner_hello(w.rec, &(struct provider_list){ .reports = &local, .count = 1 }, &list, NULL), 0);
}

static void agents_return(void)
{
	const struct core_state *st = reconciler_state(w.rec);
	char ids[COMMANDS_MAX][CORE_ID_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < st->desktop_count; i++)
		if (st->desktops[i]->keyed)
			CORE_COPY(ids[n++], st->desktops[i]->id);
	for (size_t i = 0; i < n; i++)
		reconciler_agent_hello(w.rec, ids[i], "boot", 0, NULL, NULL);
}

/* kill -9, and a new one over the same file. */
static void die(void)
{
	struct pst_err err = PST_ERR_INIT;

	reconciler_destroy(w.rec);
	w.queued = 0;
	cr_assert_eq(reconciler_create(w.db, &ops, NULL, &w.rec, &err), 0, "%s", err.text);
	reconciler_tick(w.rec);
	hello();
	agents_return();
}

static void start(void)
{
	struct pst_err err = PST_ERR_INIT;

	w = (struct world){ .now = { 5000, 1700000000000 } };
	cr_assert_eq(db_open(":memory:", &w.db, &err), 0, "%s", err.text);
	cr_assert_eq(db_migrate(w.db, &err), 0, "%s", err.text);
	make_rows();
	cr_assert_eq(reconciler_create(w.db, &ops, NULL, &w.rec, &err), 0, "%s", err.text);
	reconciler_tick(w.rec);
	hello();
}

static void finish(void)
{
	reconciler_destroy(w.rec);
	db_close(w.db);
}

TestSuite(reconciler_rollout, .fini = finish);

static void serve(const struct command *c)
{
	bool ok = !w.broken || strcmp(c->version, w.broken) != 0;
	struct provider_result res = { .task = c->task,
		.ok = ok,
		.endpoint = ok ? "{\"kind\":\"unix\",\"path\":\"/d\"}" : NULL,
		.uid = 200001,
		.error_code = "broken",
		.error = "it does not boot" };
	uint8_t key[32];

	reconciler_task_result(w.rec, &res, NULL);
	if (!ok || c->kind == TASK_DESTROY ||
		reconciler_enrol(w.rec, c->desktop, c->token, 200001, key, NULL) < 0)
		return;
	reconciler_agent_hello(w.rec, c->desktop, "boot", 0, NULL, NULL);
}

/* Command after command; the broker dies before it has the answer of number dies_at. */
static int serve_all(int dies_at)
{
	int step = 0;

	for (; step < 200 && w.queued; step++) {
		struct command c = w.queue[0];

		w.now.mono_ms += 1000;
		memmove(w.queue, w.queue + 1, (size_t)--w.queued * sizeof(c));
		if (step == dies_at)
			die();
		serve(&c);
		reconciler_tick(w.rec);
	}
	return step;
}

static int64_t count(const char *sql)
{
	struct db_query q;
	int64_t n = -1;

	db_query_begin(&q, w.db, sql, NULL);
	if (db_query_step(&q))
		n = db_col_int(&q);
	db_query_end(&q);
	return n;
}

#define COUNT(table, where) count("SELECT count(*) FROM " table " WHERE " where)

static int publish(const char *version, int canary, struct pst_err *err)
{
	struct rollout_plan plan = {
		.canary = canary, .canary_s = 1, .unavailable = 1, .failures = 3, .samples = 5, .slower = 0
	};

	return reconciler_publish(w.rec, "image", version, &plan, NULL, err);
}

/* How many steps the whole of it takes, when nobody dies (dies_at -1). */
static int roll_out(int dies_at)
{
	int steps;

	start();
	serve_all(-1);
	cr_assert_eq(COUNT("desktops", "lifecycle = 'live' AND image_version = '1'"), 2);
	cr_assert_eq(publish("2", 50, NULL), 0);
	steps = serve_all(dies_at);
	cr_expect_eq(COUNT("rollouts", "phase IN ('canary', 'rolling', 'done')"), 1, "died at %d", dies_at);
	w.now.mono_ms += 2000;
	reconciler_tick(w.rec);
	steps += serve_all(dies_at - steps);
	return steps;
}

Test(reconciler_rollout, a_broker_that_dies_at_any_step_finishes_it)
{
	int steps = roll_out(-1);

	cr_assert_geq(steps, 6, "%d", steps);
	for (int at = 0; at < steps; at++) {
		finish();
		roll_out(at);
		/* What waited for a time that began anew. */
		for (int i = 0; i < 5; i++) {
			w.now.mono_ms += 2000;
			reconciler_tick(w.rec);
			serve_all(-1);
		}
		cr_expect_eq(COUNT("rollouts", "phase = 'done'"), 1, "died at %d", at);
		cr_expect_eq(COUNT("images", "published = '2'"), 1, "died at %d", at);
		cr_expect_eq(
			COUNT("desktops", "lifecycle = 'live' AND image_version = '2'"), 2, "died at %d", at);
		cr_expect_eq(COUNT("desktops", "lifecycle <> 'deleted' AND (image_version = '1' OR probe)"),
			0, "died at %d", at);
		cr_expect_eq(COUNT("image_versions", "version = '2' AND state = 'ready' AND verified"), 1);
	}
}

Test(reconciler_rollout, a_version_that_fails_is_marked_and_may_be_tried_again)
{
	struct pst_err err = PST_ERR_INIT;

	start();
	serve_all(-1);
	w.broken = "3";
	cr_assert_eq(publish("3", 0, NULL), 0);
	for (int i = 0; i < 8 && w.queued; i++) {
		serve_all(-1);
		w.now.mono_ms += 60000;
		agents_return();
		reconciler_tick(w.rec);
	}
	cr_expect_eq(COUNT("rollouts",
			     "phase = 'failed' AND reason_en LIKE '%it does not boot%' AND reason_es <> ''"),
		1);
	cr_expect_eq(COUNT("image_versions", "version = '3' AND state = 'failed' AND NOT verified"), 1);
	cr_expect_eq(COUNT("images", "published = '1'"), 1);
	cr_expect_eq(COUNT("desktops", "lifecycle = 'live' AND image_version = '1'"), 2);
	cr_expect_gt(w.images_changed, 0);
	die();
	cr_expect_eq(COUNT("desktops", "lifecycle <> 'deleted' AND probe"), 0);
	w.broken = NULL;
	cr_assert_eq(publish("3", 0, &err), 0, "%s", err.text);
	serve_all(-1);
	cr_expect_eq(COUNT("image_versions", "version = '3' AND state = 'ready' AND verified"), 1);
	cr_expect_eq(COUNT("images", "published = '3'"), 1);
	cr_expect_eq(COUNT("version_times", "version = '3' AND kind = 'create'"), 2);
	/* The first one is gone, and the broker died before it was forgotten. */
	cr_assert_eq(db_version_delete(w.db, "image", "1", NULL), 0);
	die();
	cr_expect_eq(reconciler_rollout(w.rec, "image", ROLLOUT_REVERT, NULL, NULL), PST_ECONFLICT);
	cr_expect_eq(reconciler_version_ended(w.rec, "image", "1", NULL), 0);
}

Test(reconciler_rollout, pause_and_back_survive_a_death_and_wrong_calls_are_refused)
{
	struct pst_err err = PST_ERR_INIT;

	start();
	serve_all(-1);
	cr_expect_eq(publish("9", 0, NULL), PST_ENOTFOUND);
	cr_assert_eq(db_version_set_state(w.db, "image", "3", "retired", 0, 1, NULL), 0);
	cr_expect_eq(publish("3", 0, &err), PST_ECONFLICT);
	cr_expect_not_null(strstr(err.text, "retired"));
	cr_expect_eq(reconciler_rollout(w.rec, "image", ROLLOUT_PAUSE, NULL, NULL), PST_ECONFLICT);
	cr_assert_eq(publish("2", 0, NULL), 0);
	cr_assert_eq(reconciler_rollout(w.rec, "image", ROLLOUT_PAUSE, NULL, NULL), 0);
	die();
	serve_all(-1);
	cr_expect_eq(COUNT("rollouts", "phase = 'verify' AND paused"), 1);
	cr_assert_eq(reconciler_rollout(w.rec, "image", ROLLOUT_REVERT, NULL, NULL), 0);
	die();
	serve_all(-1);
	cr_expect_eq(COUNT("rollouts", "phase = 'reverted'"), 1);
	cr_expect_eq(COUNT("desktops", "lifecycle <> 'deleted' AND image_version = '2'"), 0);
	cr_expect_eq(COUNT("images", "published = '1'"), 1);
}
