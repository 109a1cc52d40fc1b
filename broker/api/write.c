/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes by people: the rows and their audit event in one transaction, or neither. */
#include "broker/api/api_priv.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "broker/api/hub.h"
#include "broker/core/axes.h"
#include "broker/reconciler.h"
#include "db/audit.h"
#include "db/db.h"
#include "db/entitlement.h"
#include "db/row.h"

#include <stdlib.h>
#include <string.h>

int write_begin(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = db_begin(call->api->db, &err);

	if (rc < 0)
		call_error(call, &err);
	return rc;
}

int write_fail(struct api_call *call, const struct pst_err *err)
{
	db_rollback(call->api->db);
	if (err->code == PST_ECONFLICT)
		call_problem(call, "exists", NULL);
	else
		call_error(call, err);
	return err->code;
}

bool write_is_free(struct api_call *call, const struct db_users *users)
{
	const char *pools = users->pools, *desktops = users->desktops;

	if (!*pools && !*desktops)
		return true;
	db_rollback(call->api->db);
	call_problem(call, "in_use", "%s%s%s%s%s", *pools ? "pools: " : "", pools, *pools && *desktops ? "; " : "",
		*desktops ? "desktops: " : "", desktops);
	return false;
}

static int append(struct api_call *call, const char *kind, const char *object_kind, const char *object_id,
	json_t *detail, struct pst_err *err)
{
	struct audit_row row = {.time = pst_wall_ms()};
	struct core_actor by;
	char *text = detail ? pst_json_text(detail, NULL) : NULL;

	call_actor(call, &by);
	pst_strlcpy(row.actor_kind, sizeof(row.actor_kind), by.kind);
	pst_strlcpy(row.actor_id, sizeof(row.actor_id), by.id);
	pst_strlcpy(row.actor_name, sizeof(row.actor_name), by.name);
	pst_strlcpy(row.remote, sizeof(row.remote), by.remote);
	pst_strlcpy(row.kind, sizeof(row.kind), kind);
	pst_strlcpy(row.object_kind, sizeof(row.object_kind), object_kind);
	pst_strlcpy(row.object_id, sizeof(row.object_id), object_id);
	if (!text || pst_strlcpy(row.detail, sizeof(row.detail), text) < 0)
		pst_strlcpy(row.detail, sizeof(row.detail), "{}");
	free(text);
	json_decref(detail);
	return db_audit_append(call->api->db, &row, err);
}

int write_commit(struct api_call *call, const char *kind, const char *object_kind, const char *object_id,
	json_t *detail)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = append(call, kind, object_kind, object_id, detail, &err);

	if (rc == 0)
		rc = db_commit(call->api->db, &err);
	if (rc < 0)
		return write_fail(call, &err);
	hub_changed(call->api->hub, object_kind, object_id);
	hub_audited(call->api->hub);
	return 0;
}

int write_event(struct api_call *call, const char *kind, const char *object_kind, const char *object_id,
	json_t *detail)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = append(call, kind, object_kind, object_id, detail, &err);

	if (rc < 0)
		call_error(call, &err);
	else
		hub_audited(call->api->hub);
	return rc;
}

bool write_if_match(struct api_call *call, int64_t rev)
{
	const char *given = call_header(call, "if-match");
	char plain[32] = "";
	int64_t want;

	if (!given || strcmp(given, "*") == 0)
		return true;
	size_t len = strlen(given);
	if (len > 2 && len < sizeof(plain) && given[0] == '"' && given[len - 1] == '"')
		memcpy(plain, given + 1, len - 2);
	if (pst_parse_i64(plain, 1, INT64_MAX, &want) == 0 && want == rev)
		return true;
	call_problem(call, "changed", "it is at revision %lld now", (long long)rev);
	return false;
}

struct stray {
	char user[37], pool[37];
};

struct strays {
	struct stray items[256];
	size_t count;
};

static void add_stray(const char *user, const char *pool, void *arg)
{
	struct strays *s = arg;

	if (s->count == sizeof(s->items) / sizeof(s->items[0]))
		return;
	pst_strlcpy(s->items[s->count].user, 37, user);
	pst_strlcpy(s->items[s->count++].pool, 37, pool);
}

void revoke_strays(struct api_call *call)
{
	struct strays *s = calloc(1, sizeof(*s));
	struct core_actor by;

	if (!s)
		return;
	call_actor(call, &by);
	db_entitlement_strays(call->api->db, 256, add_stray, s, NULL);
	for (size_t i = 0; i < s->count; i++) {
		struct pst_err err = PST_ERR_INIT;

		if (reconciler_user_revoked(call->api->rec, s->items[i].user, s->items[i].pool, &by, &err) < 0)
			pst_warn("a lost entitlement could not be enforced: %s", err.text);
	}
	free(s);
}
