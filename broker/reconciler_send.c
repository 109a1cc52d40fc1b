/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * After the commit: notices to whoever shows live lists, and the commands. The
 * ops may call back into the reconciler; nothing here keeps a pointer into it
 * across such a call.
 */
#include "base/secret.h"
#include "broker/reconciler_priv.h"
#include "db/image.h"
#include "db/image_job.h"
#include "db/personal.h"
#include "db/pool.h"
#include "db/provider.h"
#include "db/recycle.h"

#include <ctype.h>
#include <string.h>

#define RESTORE_KEEP_MS (INT64_C(24) * 3600 * 1000) /* of a restore that fails half-way: its disk goes back */

static void send_changed(struct reconciler *r, const char *kind, const char *id)
{
	if (r->ops->changed && id[0])
		r->ops->changed(r->arg, kind, id);
}

/* A pool that ten desktops changed in is named once. */
static bool pool_was_named(const struct core_out *out, size_t upto, const char *pool_id)
{
	for (size_t i = 0; i < upto; i++)
		if (!strcmp(out->touched[i].pool_id, pool_id))
			return true;
	return false;
}

/* How far a version is changes with each desktop of a pool that follows it. */
static void send_rollouts(struct reconciler *r, const struct core_out *out)
{
	for (size_t i = 0; i < r->st.rollout_count; i++) {
		const struct core_rollout *ro = &r->st.rollouts[i];
		char image[CORE_ID_SIZE];
		bool changed = false;

		CORE_COPY(image, ro->image_id);
		for (size_t n = 0; n < out->touched_count && !changed && rollout_is_live(ro); n++) {
			const struct core_pool *p = state_pool(&r->st, out->touched[n].pool_id);

			changed = p && pool_follows(p, ro);
		}
		if (changed)
			send_changed(r, "image", image);
	}
}

static void send_notices(struct reconciler *r, const struct core_out *out)
{
	for (size_t i = 0; i < out->touched_count; i++) {
		send_changed(r, "desktop", out->touched[i].id);
		if (!pool_was_named(out, i, out->touched[i].pool_id))
			send_changed(r, "pool", out->touched[i].pool_id);
	}
	for (size_t i = 0; i < out->change_count; i++) {
		const struct core_change *ch = &out->changes[i];

		switch (ch->kind) {
		case CHANGE_SESSION:
		case CHANGE_SESSION_START:
		case CHANGE_SESSION_END:
			send_changed(r, "session", ch->s.id);
			break;
		case CHANGE_POOL_GONE:
			send_changed(r, "pool", ch->pool_id);
			break;
		case CHANGE_PROVIDER:
		case CHANGE_HOST:
			send_changed(r, "provider", ch->provider_id);
			break;
		case CHANGE_PERSONAL:
			send_changed(r, "user", ch->a.user_id);
			break;
		case CHANGE_ROLLOUT:
		case CHANGE_PUBLISHED:
		case CHANGE_VERSION:
			send_changed(r, "image", ch->desktop_id);
			break;
		default:
			break;
		}
	}
}

/* A host name of at most 63 letters, digits and hyphens, from the desktop's name. */
static void hostname_of(const char *name, char ret[64])
{
	size_t len = 0;

	for (; *name && len < 63; name++) {
		if (isalnum((unsigned char)*name) && (unsigned char)*name < 0x80)
			ret[len++] = (char)tolower((unsigned char)*name);
		else if (len && ret[len - 1] != '-')
			ret[len++] = '-';
	}
	while (len && ret[len - 1] == '-')
		len--;
	ret[len] = '\0';
	if (!len)
		strcpy(ret, "desktop");
}

/* What a new disk is made from. */
struct disk_rows {
	struct pool_row pool;
	struct image_row image;
	struct version_row version;
	struct provider_row provider;
	struct version_files_row files;
	char hostname[64];
};

static int disk_fill(struct reconciler *r, const struct core_desktop *d, struct disk_rows *rows,
                       struct provider_command *cmd)
{
	struct pst_err err = PST_ERR_INIT;
	const struct pool_row *spec = &rows->pool;
	int rc = db_pool_get(r->db, d->pool_id, &rows->pool, &err);

	if (rc == 0)
		rc = db_image_get(r->db, d->image_id, &rows->image, &err);
	if (rc == 0)
		rc = db_version_get(r->db, d->image_id, d->image_version, &rows->version, &err);
	if (rc == 0)
		rc = db_provider_get(r->db, d->provider_id, &rows->provider, &err);
	if (rc < 0)
		return rc;
	hostname_of(d->name, rows->hostname);
	cmd->provider = rows->provider.name;
	cmd->hostname = rows->hostname;
	cmd->image_name = rows->image.name;
	cmd->image_version = rows->version.version;
	cmd->image_base = rows->version.base;
	cmd->image_path = rows->version.path;
	cmd->image_os = rows->image.os;
	cmd->image_sha256 = db_version_files_get(r->db, rows->version.id, &rows->files, NULL) == 0 ? rows->files.sha256 : "";
	cmd->network = spec->network;
	cmd->locale = spec->locale;
	cmd->layout = spec->layout;
	cmd->display = spec->display;
	cmd->memory_mb = (int)spec->memory_mb;
	cmd->cpus = (int)spec->cpus;
	cmd->pids = (int)spec->pids;
	cmd->disk_mb = spec->disk_mb;
	cmd->max_width = (int)spec->max_width;
	cmd->max_height = (int)spec->max_height;
	return 0;
}

/* NULL when it is known no more: then whoever has the machine is asked. */
static const char *provider_name(const struct core_state *st, const struct core_desktop *d)
{
	const struct core_provider *pr = state_provider(st, d->provider_id);

	return pr ? pr->name : NULL;
}

/* Nobody misses a disk that nobody has used. */
static int keep_fill(struct reconciler *r, const struct core_desktop *d, struct provider_command *cmd)
{
	const struct core_pool *p = state_pool(&r->st, d->pool_id);
	int days = 0, rc = d->x.hygiene == HYGIENE_CLEAN ? 0 : db_recycle_days(r->db, d->pool_id, NULL, &days, NULL);

	if (rc < 0 && rc != PST_ENOTFOUND)
		return rc;
	cmd->recycling.pool = p ? p->name : NULL;
	cmd->recycling.keep_ms = (int64_t)days * 24 * 3600 * 1000;
	if (cmd->kind != TASK_CREATE || strcmp(cmd->arg, TASK_ARG_RESTORE))
		return 0;
	cmd->recycling.is_restore = true;
	cmd->recycling.keep_ms = cmd->recycling.keep_ms ? cmd->recycling.keep_ms : RESTORE_KEEP_MS;
	cmd->arg = "";
	return 0;
}

/* A disk that nobody asked for any more is attached with the size that it has. */
static void personal_fill(struct reconciler *r, const struct core_desktop *d, struct provider_command *cmd, char store[DB_WORD_SIZE])
{
	struct db_personal row;
	int mb = 0;

	if (cmd->kind != TASK_ATTACH && cmd->kind != TASK_DETACH)
		return;
	store[0] = '\0';
	(void)db_personal_settings(r->db, d->pool_id, &mb, store, NULL);
	if (db_personal_get(r->db, d->personal.owner, d->pool_id, &row, NULL) == 0 && row.size_mb > mb)
		mb = (int)row.size_mb;
	cmd->owner = d->personal.owner;
	cmd->disk = d->pool_id;
	cmd->store = store;
	cmd->personal_mb = mb ? mb : 1;
}

static void send_provision(struct reconciler *r, const struct core_command *c)
{
	const struct core_desktop *d = state_desktop(&r->st, c->desktop_id);
	struct provider_command cmd = { .kind = c->t.kind, .task = c->t.id, .desktop = c->desktop_id };
	bool is_of_image = cmd.kind == TASK_CREATE || cmd.kind == TASK_REFRESH;
	struct disk_rows rows;
	char token[44] = "", store[DB_WORD_SIZE];
	int rc = 0;

	if (!r->ops->provision)
		return;
	cmd.arg = c->t.arg;
	cmd.host = d && cmd.kind == TASK_CREATE ? d->place.host : "";
	if (is_of_image || cmd.kind == TASK_RESTART) {
		reconciler_enrol_token(r, c->t.id, token);
		cmd.enrol_token = token;
	}
	if (is_of_image)
		rc = d ? disk_fill(r, d, &rows, &cmd) : PST_ENOTFOUND;
	if (rc == PST_ENOTFOUND) {
		/* Its image or pool went away under it: the answer is ours to give. */
		struct provider_result res = { .task = c->t.id, .error_code = "no_image",
			                       .error = "the pool or its image version no longer exists" };

		reconciler_task_result(r, &res, NULL);
		return;
	}
	if (d && !cmd.provider)
		cmd.provider = provider_name(&r->st, d);
	if (d && rc == 0) {
		rc = keep_fill(r, d, &cmd);
		personal_fill(r, d, &cmd, store);
	}
	if (rc == 0) /* what cannot be read now is asked for again, as if its answer were lost */
		r->ops->provision(r->arg, &cmd);
	pst_wipe(token, sizeof(token));
}

static void send_agent(struct reconciler *r, const struct core_command *c)
{
	struct agent_message msg = { .kind = c->tell, .user = c->user_name, .epoch = c->epoch, .reason = &c->reason };

	if (r->ops->tell_agent)
		r->ops->tell_agent(r->arg, c->desktop_id, &msg);
}

static void send_command(struct reconciler *r, const struct core_command *c)
{
	switch (c->kind) {
	case COMMAND_PROVISION:
		send_provision(r, c);
		break;
	case COMMAND_INVENTORY:
		if (r->ops->inventory)
			r->ops->inventory(r->arg);
		break;
	case COMMAND_AGENT:
		send_agent(r, c);
		break;
	case COMMAND_END_SESSION:
		if (r->ops->end_session)
			r->ops->end_session(r->arg, c->session_id, c->gateway, &c->reason);
		break;
	case COMMAND_WAITER:
		if (r->ops->waiter)
			r->ops->waiter(r->arg, c->user_id, c->pool_id);
		break;
	}
}

void reconciler_send(struct reconciler *r, const struct core_out *out)
{
	for (size_t i = 0; i < out->command_count; i++)
		send_command(r, &out->commands[i]);
	send_notices(r, out);
	send_rollouts(r, out);
}
