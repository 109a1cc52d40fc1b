/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The shell of the core over real SQL, with a provisioner that answers at once
 * when the test says so.
 *
 * Covers: broker/reconciler.c broker/reconciler_late.c broker/reconciler_load.c broker/reconciler_peers.c db/recycle.c
 * broker/reconciler_send.c broker/reconciler_write.c
 * db/provider.c db/image.c db/pool.c db/desktop.c db/assignment.c db/session.c
 * db/ticket.c db/task.c db/query.c db/migrate.c
 */
#include "base/err.h"
#include "base/hash.h"
#include "broker/reconciler.h"
#include "broker/core/state.h"
#include "db/db.h"
#include "db/desktop.h"
#include "db/image.h"
#include "db/pool.h"
#include "db/provider.h"
#include "db/recycle.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MACHINE_UID 200007

static struct world {
	struct db *db;
	struct reconciler *rec;
	struct core_now now;
	/* the last command */
	enum task_kind kind;
	char task[CORE_ID_SIZE], desktop[CORE_ID_SIZE], token[44], hostname[64], image[64];
	int commands, audits, changes, waiters, ended;
	int64_t keep_ms;
	bool is_restore;
	bool audit_fails;
	enum agent_tell tell;
} w;

static void op_now(void *arg, struct core_now *ret)
{
	*ret = w.now;
}

static void op_provision(void *arg, const struct provider_command *cmd)
{
	w.commands++;
	w.kind = cmd->kind;
	w.keep_ms = cmd->recycling.keep_ms;
	w.is_restore = cmd->recycling.is_restore;
	CORE_COPY(w.task, cmd->task);
	CORE_COPY(w.desktop, cmd->desktop);
	CORE_COPY(w.token, cmd->enrol_token);
	w.image[0] = '\0';
	if (cmd->image_path) {
		CORE_COPY(w.hostname, cmd->hostname);
		CORE_COPY(w.image, cmd->image_path);
	}
}

static void op_tell(void *arg, const char *desktop, const struct agent_message *msg)
{
	w.tell = msg->kind;
}

static void op_end(void *arg, const char *session, const char *gateway, const struct core_reason *why)
{
	w.ended++;
}

static int op_audit(void *arg, const struct audit_entry *entry, struct pst_err *err)
{
	w.audits++;
	cr_expect(db_in_transaction(w.db));
	return w.audit_fails ? pst_err_set(err, PST_ENOSPC, "the disk is full") : 0;
}

static void op_changed(void *arg, const char *kind, const char *id)
{
	cr_expect_not(db_in_transaction(w.db));
	w.changes++;
}

static void op_waiter(void *arg, const char *user, const char *pool)
{
	w.waiters++;
}

static const struct reconciler_ops ops = {
	.now = op_now,
	.provision = op_provision,
	.tell_agent = op_tell,
	.end_session = op_end,
	.audit = op_audit,
	.changed = op_changed,
	.waiter = op_waiter,
};

static void make_rows(int min, int max)
{
	struct provider_row pr = { .id = "provider", .name = "local", .kind = "local", .enabled = true, .max_creates = 4 };
	struct image_row im = { .id = "image", .name = "demo", .published = "1" };
	struct version_row iv = { .id = "version", .image_id = "image", .version = "1", .path = "/images/demo/1" };
	struct pool_row p = { .id = "pool", .name = "Aula ñ 1", .kind = "floating", .provider_id = "provider",
		             .image_id = "image", .on_logoff = "refresh", .min = min, .max = max, .enabled = true,
		             .clipboard_in = true };
	struct db_query q;

	cr_assert_eq(db_provider_insert(w.db, &pr, NULL), 0);
	cr_assert_eq(db_image_insert(w.db, &im, NULL), 0);
	cr_assert_eq(db_version_insert(w.db, &iv, NULL), 0);
	cr_assert_eq(db_pool_insert(w.db, &p, NULL), 0);
	db_query_begin(&q, w.db, "INSERT INTO users (id, name, created, updated) VALUES ('u1', 'ana', 1, 1), ('u2', 'bea', 1, 1)",
	               NULL);
	cr_assert_eq(db_query_run(&q), 0);
}

static void start(int min, int max)
{
	struct pst_err err = PST_ERR_INIT;

	w = (struct world){ .now = { 5000, 1700000000000 } };
	cr_assert_eq(db_open(":memory:", &w.db, &err), 0, "%s", err.text);
	cr_assert_eq(db_migrate(w.db, &err), 0, "%s", err.text);
	make_rows(min, max);
	cr_assert_eq(reconciler_create(w.db, &ops, NULL, &w.rec, &err), 0, "%s", err.text);
	reconciler_tick(w.rec);
}

static void finish(void)
{
	reconciler_destroy(w.rec);
	db_close(w.db);
}

TestSuite(reconciler, .fini = finish);

static void hello(void)
{
	static const struct provider_report local = { .name = "local", .kind = "local", .reason = "", .healthy = true };
	static const struct machine_list nothing;
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(reconciler_provisioner_hello(w.rec, &(struct provider_list){ .reports = &local, .count = 1 }, &nothing, &err), 0, "%s", err.text);
}

static void answer(void)
{
	struct provider_result res = {
		.task = w.task, .ok = true, .endpoint = "{\"kind\":\"unix\",\"path\":\"/d\"}", .uid = MACHINE_UID
	};
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(reconciler_task_result(w.rec, &res, &err), 0, "%s", err.text);
}

static void agent(uint8_t ret_key[32])
{
	struct pst_err err = PST_ERR_INIT;
	char desktop[CORE_ID_SIZE], token[44];

	CORE_COPY(desktop, w.desktop);
	CORE_COPY(token, w.token);
	cr_assert_eq(reconciler_enrol(w.rec, desktop, token, MACHINE_UID, ret_key, &err), 0, "%s", err.text);
	cr_assert_eq(reconciler_agent_hello(w.rec, desktop, token, 0, NULL, &err), 0, "%s", err.text);
}

static struct connect_answer connect_as(const char *user)
{
	struct connect_request req = { user, user, "pool", "10.0.0.1" };
	struct connect_answer a = { 0 };

	cr_assert_eq(reconciler_connect(w.rec, &req, &a, NULL), 0);
	return a;
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

Test(reconciler, from_connect_to_log_off_and_a_new_disk)
{
	struct pst_err err = PST_ERR_INIT;
	struct grant_request req = { .user_id = "u1", .protocol = PROTOCOL_RDP, .remote = "10.0.0.1", .gateway = "gw" };
	struct core_actor by = { .kind = "user", .id = "u1" };
	struct connect_answer a;
	struct grant g;
	uint8_t key[32], second[32];

	start(0, 2);
	hello();
	a = connect_as("u1");
	cr_expect_eq(a.state, CONNECT_WAITING);
	cr_expect_eq(w.kind, TASK_CREATE);
	cr_expect_str_eq(w.hostname, "aula-1-0001");
	cr_expect_str_eq(w.image, "/images/demo/1");
	cr_expect_eq(strlen(w.token), 43);
	cr_expect_eq(COUNT("tasks", "state = 'sent' AND attempts = 1"), 1);
	answer();
	agent(key);
	cr_expect_geq(w.waiters, 1);
	a = connect_as("u1");
	cr_assert_eq(a.state, CONNECT_READY);
	req.desktop_id = a.desktop_id;
	cr_assert_eq(reconciler_grant(w.rec, &req, &g, &err), 0, "%s", err.text);
	cr_expect_eq(memcmp(g.key, key, 32), 0);
	cr_expect_str_eq(g.pool_name, "Aula ñ 1");
	cr_expect_str_eq(g.endpoint, "{\"kind\":\"unix\",\"path\":\"/d\"}");
	cr_expect(g.clipboard_in && !g.clipboard_out);
	cr_expect_eq(COUNT("desktops", "hygiene = 'dirty' AND lease = 'held' AND session = 'granted'"), 1);
	cr_assert_eq(reconciler_session_started(w.rec, g.session, &err), 0);
	cr_expect_eq(COUNT("sessions", "state = 'active'"), 1);

	cr_assert_eq(reconciler_logoff(w.rec, a.desktop_id, &by, &err), 0, "%s", err.text);
	cr_expect_eq(w.tell, AGENT_TELL_LOGOFF);
	cr_expect_eq(w.ended, 1);
	cr_assert_eq(reconciler_agent_report(w.rec, a.desktop_id, "logoff", g.epoch, "", "", &err), 0);
	cr_expect_eq(w.kind, TASK_REFRESH);
	cr_expect_eq(COUNT("assignments", "state = 'live'"), 0);
	cr_expect_eq(COUNT("desktops", "grant_key IS NULL AND hygiene = 'cleaning'"), 1, "the old key is gone");
	answer();
	agent(second);
	cr_expect_neq(memcmp(key, second, 32), 0);
	cr_expect_eq(connect_as("u2").state, CONNECT_READY);
	cr_expect_gt(w.audits, 8);
	cr_expect_gt(w.changes, 8);
}

static void keep_rows(const char *sql)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_query q;

	db_query_begin(&q, w.db, sql, &err);
	cr_assert_eq(db_query_run(&q), 0, "%s", err.text);
	cr_assert_eq(reconciler_config_changed(w.rec, &err), 0, "%s", err.text);
}

Test(reconciler, a_used_disk_of_a_dedicated_desktop_is_kept_and_comes_back)
{
	struct pst_err err = PST_ERR_INIT;
	struct grant_request req = { .user_id = "u1", .protocol = PROTOCOL_RDP, .remote = "10.0.0.1", .gateway = "gw" };
	struct core_actor by = { .kind = "user", .id = "root" };
	struct recycled_row was;
	struct connect_answer a;
	struct grant g;
	uint8_t key[32];
	int days = -1;

	start(0, 2);
	cr_assert_eq(db_recycle_days(w.db, "pool", NULL, &days, &err), 0);
	cr_expect_eq(days, 0, "a floating pool keeps none");
	keep_rows("UPDATE pools SET kind = 'dedicated', on_logoff = 'keep'");
	cr_assert_eq(db_recycle_days(w.db, "pool", NULL, &days, &err), 0);
	cr_expect_eq(days, 7);
	hello();
	connect_as("u1");
	answer();
	agent(key);
	a = connect_as("u1");
	req.desktop_id = a.desktop_id;
	cr_assert_eq(reconciler_grant(w.rec, &req, &g, &err), 0, "%s", err.text);
	cr_expect_eq(db_recycled_desktop(w.db, a.desktop_id, &was, &err), PST_ENOTFOUND, "it is there");
	cr_assert_eq(db_recycle_days_set(w.db, "pool", 3, &err), 0, "%s", err.text);
	cr_assert_eq(reconciler_delete(w.rec, a.desktop_id, &by, &err), 0, "%s", err.text);
	cr_expect_eq(w.kind, TASK_DESTROY);
	cr_expect_eq(w.keep_ms, INT64_C(3) * 24 * 3600 * 1000);
	answer();

	cr_assert_eq(db_recycled_desktop(w.db, a.desktop_id, &was, &err), 0, "%s", err.text);
	cr_expect_str_eq(was.user, "ana");
	cr_expect_str_eq(was.image_version, "1");
	cr_assert_eq(reconciler_restore(w.rec, &was, &by, &err), 0, "%s", err.text);
	cr_expect(w.kind == TASK_CREATE && w.is_restore && w.keep_ms > 0);
	cr_expect_str_eq(w.desktop, a.desktop_id);
	cr_expect_eq(strlen(w.token), 43, "it enrols anew");
	answer();
	agent(key);
	cr_expect_eq(COUNT("desktops", "lifecycle = 'live' AND hygiene = 'dirty' AND lease = 'held' AND deleted IS NULL"), 1);
	a = connect_as("u1");
	cr_expect_eq(a.state, CONNECT_READY);
	cr_expect_eq(reconciler_restore(w.rec, &was, &by, &err), PST_ECONFLICT);
}

/* A disk that cannot be read now is no pool that is gone: whoever has used the desktop finds his disk in the bin. */
Test(reconciler, what_cannot_be_read_for_a_command_is_read_again_before_it_leaves)
{
	start(0, 1);
	keep_rows("UPDATE pools SET kind = 'dedicated', on_logoff = 'keep', recycle_days = 3");
	hello();
	keep_rows("ALTER TABLE image_versions RENAME TO away");
	connect_as("u1");
	cr_expect_eq(w.commands, 0);
	keep_rows("ALTER TABLE away RENAME TO image_versions");
	w.now.mono_ms += 61000;
	reconciler_tick(w.rec);
	answer(); /* it was not refused */
	((struct core_desktop *)state_desktop(reconciler_state(w.rec), w.desktop))->x.hygiene = HYGIENE_DIRTY;
	keep_rows("ALTER TABLE pools RENAME COLUMN recycle_days TO away");
	cr_assert_eq(reconciler_delete(w.rec, w.desktop, NULL, NULL), 0);
	cr_expect_eq(w.commands, 1, "nothing is destroyed of which nobody knows how long it is to be kept");
	keep_rows("ALTER TABLE pools RENAME COLUMN away TO recycle_days");
	w.now.mono_ms += 61000;
	reconciler_tick(w.rec);
	cr_expect(w.kind == TASK_DESTROY && w.keep_ms == INT64_C(3) * 24 * 3600 * 1000);
}

Test(reconciler, a_refresh_is_sent_with_the_image_and_a_restart_without)
{
	struct version_row v2 = { .id = "v2", .image_id = "image", .version = "2", .path = "/images/demo/2" };
	struct core_actor by = { .kind = "system" };
	struct pst_err err = PST_ERR_INIT;
	char desktop[CORE_ID_SIZE];
	struct db_query q;
	uint8_t key[32];

	start(1, 1);
	hello();
	CORE_COPY(desktop, w.desktop);
	answer();
	agent(key);
	cr_assert_eq(reconciler_restart(w.rec, desktop, &by, &err), 0, "%s", err.text);
	cr_expect_str_empty(w.image);
	answer();
	agent(key);
	cr_assert_eq(db_version_insert(w.db, &v2, &err), 0, "%s", err.text);
	cr_assert_eq(reconciler_refresh(w.rec, desktop, &by, &err), 0, "%s", err.text);
	cr_expect_str_eq(w.image, "/images/demo/1", "nothing newer is published");
	answer();
	agent(key);
	cr_assert_eq(connect_as("u1").state, CONNECT_READY, "a free one would be replaced");
	db_query_begin(&q, w.db, "UPDATE pools SET image_version = '2'", &err);
	cr_assert_eq(db_query_run(&q), 0);
	cr_assert_eq(reconciler_config_changed(w.rec, &err), 0, "%s", err.text);
	cr_assert_eq(reconciler_refresh(w.rec, desktop, &by, &err), 0, "%s", err.text);
	cr_expect_eq(w.kind, TASK_REFRESH);
	cr_expect_str_eq(w.image, "/images/demo/2");
	cr_expect_eq(COUNT("desktops", "image_version = '2'"), 1);
}

Test(reconciler, a_ticket_is_spent_once_in_time_for_its_protocol)
{
	struct pst_err err = PST_ERR_INIT;
	struct grant_request req = { .user_id = "u1", .protocol = PROTOCOL_WS };
	struct connect_answer a;
	char ticket[44];
	struct grant g;
	uint8_t key[32];

	start(1, 1);
	hello();
	answer();
	agent(key);
	a = connect_as("u1");
	req.desktop_id = a.desktop_id;
	cr_assert_eq(reconciler_ticket(w.rec, &req, ticket, &err), 0);
	cr_expect_eq(COUNT("tickets", "length(hash) = 32"), 1);
	cr_assert_eq(reconciler_redeem(w.rec, ticket, PROTOCOL_WS, "10.0.0.1", "gw", &g, &err), 0, "%s", err.text);
	cr_expect_eq(reconciler_redeem(w.rec, ticket, PROTOCOL_WS, "10.0.0.1", "gw", &g, &err), PST_EDENIED, "spent");

	reconciler_ticket(w.rec, &req, ticket, &err);
	cr_expect_eq(reconciler_redeem(w.rec, ticket, PROTOCOL_RFB, "", "gw", &g, &err), PST_EDENIED, "another protocol");
	cr_expect_eq(reconciler_redeem(w.rec, ticket, PROTOCOL_WS, "", "gw", &g, &err), PST_EDENIED, "and it is gone");
	reconciler_ticket(w.rec, &req, ticket, &err);
	w.now.mono_ms += 60000;
	cr_expect_eq(reconciler_redeem(w.rec, ticket, PROTOCOL_WS, "", "gw", &g, &err), PST_EDENIED, "late");
	reconciler_ticket(w.rec, &req, ticket, &err);
	w.now.wall_ms += 86400000;
	cr_expect_eq(reconciler_redeem(w.rec, ticket, PROTOCOL_WS, "", "gw", &g, &err), 0, "the wall clock does not matter");
	req.user_id = "u2";
	cr_expect_eq(reconciler_ticket(w.rec, &req, ticket, &err), PST_EDENIED, "not hers");
	cr_expect_eq(reconciler_redeem(w.rec, "", PROTOCOL_WS, "", "gw", &g, &err), PST_EDENIED);
}

Test(reconciler, enrolment_checks_the_peer_and_the_token_once)
{
	struct pst_err err = PST_ERR_INIT;
	char desktop[CORE_ID_SIZE], token[44];
	uint8_t key[32];

	start(1, 1);
	hello();
	CORE_COPY(desktop, w.desktop);
	CORE_COPY(token, w.token);
	cr_expect_eq(reconciler_enrol(w.rec, desktop, token, MACHINE_UID, key, &err), PST_EAGAIN, "still being made");
	answer();
	cr_expect_eq(reconciler_enrol(w.rec, desktop, token, 1000, key, &err), PST_EDENIED, "another uid");
	cr_expect_eq(reconciler_enrol(w.rec, desktop, "guess", MACHINE_UID, key, &err), PST_EDENIED);
	cr_expect_eq(COUNT("desktops", "grant_key IS NOT NULL"), 0);
	cr_expect_eq(reconciler_enrol(w.rec, desktop, token, MACHINE_UID, key, &err), 0);
	cr_expect_eq(reconciler_enrol(w.rec, desktop, token, MACHINE_UID, key, &err), PST_EDENIED, "a second time");
}

Test(reconciler, after_a_kill_the_same_task_is_sent_again_with_the_same_token)
{
	struct pst_err err = PST_ERR_INIT;
	char task[CORE_ID_SIZE], token[44];
	uint8_t key[32];

	start(1, 1);
	hello();
	CORE_COPY(task, w.task);
	CORE_COPY(token, w.token);
	reconciler_destroy(w.rec);
	cr_assert_eq(reconciler_create(w.db, &ops, NULL, &w.rec, &err), 0, "%s", err.text);
	reconciler_tick(w.rec);
	w.task[0] = '\0';
	hello();
	cr_expect_str_eq(w.task, task);
	cr_expect_str_eq(w.token, token);
	answer();
	agent(key);
	cr_expect_eq(connect_as("u1").state, CONNECT_READY);
	cr_expect_eq(COUNT("desktops", "1"), 1);
}

Test(reconciler, when_the_disk_is_full_nothing_happens_and_later_it_does)
{
	struct pst_err err = PST_ERR_INIT;
	struct connect_request req = { "u1", "ana", "pool", "10.0.0.1" };
	struct connect_answer a;
	uint8_t key[32];
	int commands;

	start(0, 1);
	hello();
	commands = w.commands;
	w.audit_fails = true;
	cr_expect_eq(reconciler_connect(w.rec, &req, &a, &err), PST_ENOSPC);
	cr_expect(strstr(err.text, "full"));
	cr_expect_eq(w.commands, commands, "no command without its row");
	cr_expect_eq(COUNT("desktops", "1"), 0);
	cr_expect_eq(reconciler_state(w.rec)->desktop_count, 0);
	w.audit_fails = false;
	cr_expect_eq(connect_as("u1").state, CONNECT_WAITING);
	answer();
	agent(key);
	cr_expect_eq(connect_as("u1").state, CONNECT_READY);
}

static void writes_fail(bool fail)
{
	cr_assert_eq(count(fail ? "PRAGMA query_only = 1" : "PRAGMA query_only = 0"), -1);
}

/* The connection of an agent or of the provisioner ends once; nobody says it again. */
Test(reconciler, an_end_that_cannot_be_written_is_told_until_it_is)
{
	struct pst_err err = PST_ERR_INIT;
	const struct core_desktop *d;
	char desktop[CORE_ID_SIZE];
	uint8_t key[32];

	start(1, 1);
	hello();
	answer();
	agent(key);
	d = reconciler_state(w.rec)->desktops[0];
	CORE_COPY(desktop, d->id);
	cr_assert_eq(d->x.agent, AGENT_READY);
	writes_fail(true);
	reconciler_agent_gone(w.rec, desktop);
	reconciler_agent_gone(w.rec, desktop);
	reconciler_provisioner_gone(w.rec);
	reconciler_tick(w.rec);
	cr_expect_eq(d->x.agent, AGENT_READY, "the round was undone");
	writes_fail(false);
	reconciler_tick(w.rec);
	d = reconciler_state(w.rec)->desktops[0];
	cr_expect_eq(d->x.agent, AGENT_LOST);
	cr_expect(!reconciler_state(w.rec)->provisioner);
	hello();
	cr_assert_eq(reconciler_agent_hello(w.rec, desktop, "boot-2", 0, NULL, &err), 0, "%s", err.text);
	writes_fail(true);
	reconciler_agent_gone(w.rec, desktop);
	reconciler_provisioner_gone(w.rec);
	writes_fail(false);
	hello();
	cr_assert_eq(reconciler_agent_hello(w.rec, desktop, "boot-3", 0, NULL, &err), 0, "%s", err.text);
	reconciler_tick(w.rec);
	d = reconciler_state(w.rec)->desktops[0];
	cr_expect_eq(d->x.agent, AGENT_READY, "it is back: its old end is no news");
	cr_expect(reconciler_state(w.rec)->provisioner);
}

Test(reconciler, what_peers_send_is_checked_and_cleaned)
{
	struct pst_err err = PST_ERR_INIT;
	struct provider_result res = { .ok = true, .endpoint = "{\"kind\":", .uid = 5 };
	struct machine_report bad[] = {
		{ .desktop = "not-a-uuid", .state = "running" },
		{ .desktop = NULL, .state = "running" },
		{ .desktop = "00000000-0000-4000-8000-000000000001", .state = NULL },
		{ .desktop = "00000000-0000-4000-8000-000000000001", .state = "running", .endpoint = "[" },
	};
	const struct core_desktop *d;

	start(1, 1);
	hello();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_eq(reconciler_inventory(w.rec, &(struct machine_list){ .machines = &bad[i], .count = 1 }, &err), PST_EPROTO, "case %zu", i);
	res.task = w.task;
	cr_expect_eq(reconciler_task_result(w.rec, &res, &err), 0);
	d = reconciler_state(w.rec)->desktops[0];
	cr_expect_eq(d->x.lifecycle, LIFECYCLE_FAILED);
	cr_expect(strstr(d->reason.en, "no valid endpoint"), "%s", d->reason.en);
	res = (struct provider_result){ .task = w.task, .retryable = true, .error = "bad \xff\x01 text \xc3\xb1" };
	reconciler_delete(w.rec, d->id, NULL, &err);
	res.task = w.task;
	cr_expect_eq(reconciler_task_result(w.rec, &res, &err), 0);
	d = reconciler_state(w.rec)->desktops[0];
	cr_expect(strstr(d->reason.en, "bad ?? text \xc3\xb1"), "%s", d->reason.en);
	cr_expect_eq(reconciler_agent_hello(w.rec, "nobody", "b", 1, NULL, &err), PST_ENOTFOUND);
}

static void hello_hosts(void)
{
	static const struct provider_report local = { .name = "local", .kind = "fake", .reason = "", .healthy = true, .can = "migrate" };
	static const struct host_report hosts[] = {
		{ .provider = "local", .name = "kvm1", .reason = "", .memory_mb = 8000, .free_mb = 8000, .usable = true, .listed = true },
		{ .provider = "local", .name = "kvm\x01", .reason = "a\nb", .memory_mb = 8000 },
	};
	static const struct core_network office = { .provider = "local", .name = "office", .kind = "nat" };
	static const struct machine_list list = { .hosts = hosts, .host_count = 2 };
	struct provider_list providers = { .reports = &local, .count = 1, .networks = &office, .network_count = 1 };
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(reconciler_provisioner_hello(w.rec, &providers, &list, &err), 0, "%s", err.text);
}

Test(reconciler, a_maintenance_outlives_the_broker_and_where_a_desktop_is_too)
{
	struct core_actor by = { .kind = "user", .name = "root" };
	struct pst_err err = PST_ERR_INIT;
	const struct core_host *h;

	start(0, 2);
	hello_hosts();
	cr_expect_not_null(state_network(reconciler_state(w.rec), "local", "office"));
	cr_expect_not_null(state_host(reconciler_state(w.rec), "local", "kvm?"), "cleaned");
	connect_as("u1");
	answer();
	cr_expect_eq(COUNT("desktops", "host = 'kvm1' AND placed_en LIKE 'kvm1 (%' AND placed_es LIKE '%memoria libre%'"), 1);
	w.audit_fails = true;
	cr_assert_lt(reconciler_maintenance(w.rec, "provider", "kvm1", true, 2, &by, &err), 0);
	cr_expect_not(state_host(reconciler_state(w.rec), "local", "kvm1")->maintenance, "nothing was written");
	w.audit_fails = false;
	cr_assert_eq(reconciler_maintenance(w.rec, "provider", "kvm1", true, 2, &by, &err), 0, "%s", err.text);
	cr_expect_eq(reconciler_maintenance(w.rec, "provider", "kvm9", true, 2, &by, &err), PST_ENOTFOUND);
	reconciler_destroy(w.rec);
	cr_assert_eq(reconciler_create(w.db, &ops, NULL, &w.rec, &err), 0, "%s", err.text);
	h = state_host(reconciler_state(w.rec), "local", "kvm1");
	cr_assert_not_null(h);
	cr_expect(h->maintenance && h->at_once == 2 && h->total == 1 && !h->usable);
	cr_expect_str_eq(h->by, "root");
	hello_hosts();
	cr_assert_eq(reconciler_maintenance(w.rec, "provider", "kvm1", false, 0, &by, &err), 0, "%s", err.text);
	cr_expect_eq(COUNT("host_maintenances", "true"), 0);
}

Test(reconciler, a_changed_and_a_deleted_pool)
{
	struct pst_err err = PST_ERR_INIT;
	struct pool_row p;
	uint8_t key[32];

	start(1, 2);
	hello();
	answer();
	agent(key);
	cr_assert_eq(db_pool_get(w.db, "pool", &p, &err), 0);
	p.min = 2;
	p.updated = 2;
	cr_assert_eq(db_pool_update(w.db, &p, &err), 0, "%s", err.text);
	cr_assert_eq(reconciler_config_changed(w.rec, &err), 0, "%s", err.text);
	cr_expect_eq(reconciler_state(w.rec)->desktop_count, 2);
	answer();
	cr_assert_eq(reconciler_pool_delete(w.rec, "pool", NULL, &err), 0, "%s", err.text);
	cr_expect_eq(COUNT("pools", "deleting = 1"), 1);
	for (int i = 0; i < 2; i++) {
		CORE_COPY(w.task, reconciler_state(w.rec)->desktops[0]->t.id);
		answer();
	}
	cr_expect_eq(COUNT("pools", "1"), 0);
	cr_expect_eq(COUNT("desktops", "lifecycle = 'deleted' AND deleted IS NOT NULL"), 2, "tombstones stay");
	cr_expect_eq(db_desktop_prune(w.db, w.now.wall_ms + 1, &err), 0, "%s", err.text);
	cr_expect_eq(COUNT("desktops", "1"), 0);
}
