/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shell: the core's operations become messages, timers, audit rows and live changes. */
#include "broker/control/consoles.h"
#include "broker/control/guests.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/problem.h"
#include "broker/control/certify.h"
#include "broker/storage/personal_removals.h"
#include "db/audit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATEWAYS_MAX 64
#define AGENTS_MAX 20000
#define SWEEP_MS 60000

static void tick_cb(void *arg)
{
	struct control *c = arg;

	reconciler_tick(c->rec);
}

static void op_wake(void *arg, int64_t delay_ms)
{
	struct control *c = arg;

	if (delay_ms < 0)
		pst_timer_stop(c->wake);
	else
		pst_timer_start(c->wake, (uint64_t)delay_ms, tick_cb, c);
}

static void op_provision(void *arg, const struct provider_command *cmd)
{
	provisioner_send(arg, cmd);
}

static void op_inventory(void *arg)
{
	provisioner_ask_inventory(arg);
}

static void op_tell_agent(void *arg, const char *desktop, const struct agent_message *msg)
{
	agent_tell(arg, desktop, msg);
}

static void op_end_session(void *arg, const char *session, const char *gateway, const struct core_reason *why)
{
	gateway_end_session(arg, session, gateway, why);
}

int control_audit(struct control *c, const struct audit_entry *entry, struct pst_err *err)
{
	struct audit_row row = {.time = pst_wall_ms()};
	const struct core_actor *by = entry->actor;

	pst_strlcpy(row.actor_kind, sizeof(row.actor_kind), by && by->kind[0] ? by->kind : "system");
	pst_strlcpy(row.actor_id, sizeof(row.actor_id), by ? by->id : "");
	pst_strlcpy(row.actor_name, sizeof(row.actor_name), by ? by->name : "");
	pst_strlcpy(row.remote, sizeof(row.remote), by ? by->remote : "");
	pst_strlcpy(row.kind, sizeof(row.kind), entry->kind);
	pst_strlcpy(row.object_kind, sizeof(row.object_kind), entry->object_kind);
	pst_strlcpy(row.object_id, sizeof(row.object_id), entry->object_id);
	if (pst_strlcpy(row.detail, sizeof(row.detail), entry->detail ? entry->detail : "{}") < 0)
		pst_strlcpy(row.detail, sizeof(row.detail), "{}");
	int rc = db_audit_append(c->db, &row, err);
	if (rc == 0)
		api_audited(c->api);
	return rc;
}

static int op_audit(void *arg, const struct audit_entry *entry, struct pst_err *err)
{
	return control_audit(arg, entry, err);
}

static void op_changed(void *arg, const char *kind, const char *id)
{
	struct control *c = arg;

	api_changed(c->api, kind, id);
	if (strcmp(kind, "user") == 0 && c->removals)
		personal_removals_kick(c->removals); /* a desktop has let go of his disk */
}

static void op_waiter(void *arg, const char *user_id, const char *pool_id)
{
	gateway_waiter(arg, user_id, pool_id);
}

static const struct reconciler_ops ops = {
	.wake = op_wake,
	.provision = op_provision,
	.inventory = op_inventory,
	.tell_agent = op_tell_agent,
	.end_session = op_end_session,
	.audit = op_audit,
	.changed = op_changed,
	.waiter = op_waiter,
};

static void end_views_of_user(void *arg, const char *user_id)
{
	guests_end_of_user(arg, user_id);
	consoles_end_of_user(arg, user_id);
}

static const struct api_links links = {
	.provisioner_is_connected = provisioner_is_connected,
	.provisioner_ask = provisioner_ask,
	.gateways = gateway_list,
	.revoke_all = gateway_revoke_all,
	.guests = guests_of_session,
	.end_guest = guests_end,
	.end_guests_of = end_views_of_user,
	.console_ticket = consoles_ticket,
	.consoles = consoles_of_desktop,
	.end_console = consoles_end,
	.end_watchers = guests_end_watchers,
};

static void sweep_cb(void *arg)
{
	struct control *c = arg;

	auth_sweep(c->auth);
	pst_timer_start(c->sweep, SWEEP_MS, sweep_cb, c);
}

int control_create(uv_loop_t *loop, struct db *db, const struct control_settings *settings, struct control **ret,
	struct pst_err *err)
{
	struct control *c = pst_zalloc(1, sizeof(*c));
	int rc;

	if (!c)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	c->loop = loop;
	c->db = db;
	c->settings = settings;
	c->wake = pst_timer_create(loop);
	c->sweep = pst_timer_create(loop);
	c->auth = auth_create(loop, db, &settings->auth);
	if (!c->wake || !c->sweep || !c->auth) {
		rc = pst_err_set(err, PST_ENOMEM, "no memory");
		goto fail;
	}
	rc = reconciler_create(db, &ops, c, &c->rec, err);
	if (rc < 0 || (rc = storage_open(c, err)) < 0)
		goto fail;
	struct api_params p = {.loop = loop, .db = db, .auth = c->auth, .reconciler = c->rec, .settings = &settings->api,
		.links = &links, .links_arg = c, .datastores = c->datastores, .image_jobs = c->image_jobs,
		.backup_jobs = c->backup_jobs, .removals = c->removals};
	c->api = api_create(&p);
	if (!c->api) {
		rc = pst_err_set(err, PST_ENOMEM, "no memory");
		goto fail;
	}
	*ret = c;
	return 0;
fail:
	control_destroy(c);
	return rc;
}

static int agents_listen(struct control *c, struct pst_err *err)
{
	const struct control_settings *s = c->settings;
	struct pst_tls_trust *trust = pst_tls_trust_create(s->agents_ca.cert_pem, &s->agents_own, err);
	struct pst_tls_listener_params p = {.loop = c->loop, .trust = trust, .address = s->agents_listen, .peer = CERTIFY_URI,
		.may_be_nameless = true, .open_max = AGENTS_MAX};

	if (trust && s->agents_tls12)
		pst_tls_trust_allow_12(trust);
	if (trust)
		c->agent_port = pst_tls_listen(&p, agent_accept_remote, c, err);
	pst_tls_trust_unref(trust);
	return c->agent_port ? 0 : pst_err_wrap(err, "[agents]");
}

int control_listen(struct control *c, struct pst_err *err)
{
	const struct control_settings *s = c->settings;

	/* The kernel tells who connects; the mode of the agents' and the gate's socket is open
	 * because their folders and the check of the peer's uid are the fence. */
	c->agent_server = pst_ctl_listen(c->loop, s->agent_socket, 0666, AGENTS_MAX, agent_accept, c, err);
	if (!c->agent_server)
		return err->code;
	c->provisioner_server = pst_ctl_listen(c->loop, s->provisioner_socket, 0600, PST_ARRAY_LEN(c->provisioners),
		provisioner_accept, c, err);
	if (!c->provisioner_server)
		return err->code;
	c->gateway_server = pst_ctl_listen(c->loop, s->gateway_socket, 0666, GATEWAYS_MAX, gateway_accept, c, err);
	if (!c->gateway_server)
		return err->code;
	if (s->agents_listen[0] && agents_listen(c, err) < 0)
		return err->code;
	sweep_cb(c);
	reconciler_tick(c->rec);
	return 0;
}

void control_destroy(struct control *c)
{
	if (!c)
		return;
	pst_ctl_server_close(c->gateway_server);
	pst_ctl_server_close(c->provisioner_server);
	pst_ctl_server_close(c->agent_server);
	pst_tls_listener_close(c->agent_port);
	gateways_close(c);
	consoles_close(c);
	provisioner_close(c);
	agents_close(c);
	api_destroy(c->api);
	storage_close(c);
	reconciler_destroy(c->rec);
	auth_destroy(c->auth);
	pst_timer_destroy(c->wake);
	pst_timer_destroy(c->sweep);
	free(c);
}

struct api *control_api(struct control *c)
{
	return c->api;
}

bool peer_is_allowed(const struct pst_ctl *ctl, uid_t uid, const char *who)
{
	const struct pst_peer *peer = pst_ctl_peer(ctl);

	if (peer->uid == 0 || peer->uid == uid || peer->uid == geteuid())
		return true;
	pst_warn("connection refused: uid %u is not the %s", (unsigned)peer->uid, who);
	return false;
}

void reply_problem(struct pst_ctl *ctl, const json_t *msg, const char *code, const char *title_en, const char *title_es,
	int retry_after)
{
	const struct problem *p = problem_find(code);
	json_t *error = json_pack("{s:s, s:s, s:s, s:i}", "code", p->code, "title", title_en ? title_en : p->en, "title_es",
		title_es ? title_es : title_en ? title_en : p->es, "status", p->status);

	if (error && retry_after > 0)
		json_object_set_new(error, "retry_after", json_integer(retry_after));
	pst_ctl_reply(ctl, msg, json_pack("{s:o}", "error", error));
}

void reply_error(struct pst_ctl *ctl, const json_t *msg, const struct pst_err *err)
{
	reply_problem(ctl, msg, problem_code_of(err->code), err->text[0] ? err->text : NULL, NULL, 0);
}
