/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' own disks, as an administrator sees them: whose, how large, where now; to grow and to remove. */
#include "broker/api/personal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/api/page.h"
#include "broker/storage/personal_removals.h"
#include "db/personal.h"
#include "db/pool.h"
#include "db/provider.h"
#include "db/user.h"

#include <stdio.h>
#include <stdlib.h>

#define KEEP_DAYS 7 /* in the recycle bin, where nothing else is said */

/* What is so first; what went wrong speaks before it. */
static const char *state_of(const struct db_personal *p, json_t **ret_reason)
{
	if (p->is_removing) {
		*ret_reason = p->error[0] ? json_reason("removal_failed", p->error, "") :
			json_reason("removing", "It is being removed, as soon as no desktop has it.", "Se está eliminando, en cuanto ningún escritorio lo tenga.");
		return "removing";
	}
	if (p->desktop_id[0]) {
		*ret_reason = json_reason("attached", "It is with its user's desktop.", "Está en el escritorio de su usuario.");
		return "attached";
	}
	if (!p->is_clean) {
		*ret_reason = json_reason("unclean", "It was not unmounted in order; its file system is checked at the next log-on.",
			"No se desmontó correctamente; su sistema de archivos se revisará en el próximo inicio de sesión.");
		return "unclean";
	}
	*ret_reason = json_reason("free", "It waits for its user.", "Espera a su usuario.");
	return "free";
}

static json_t *row_json(struct api *api, const struct db_personal *p)
{
	struct provider_row provider = {.name = ""};
	char id[2 * DB_ID_SIZE];
	json_t *reason;
	const char *state = state_of(p, &reason);

	(void)db_provider_get(api->db, p->provider_id, &provider, NULL);
	snprintf(id, sizeof(id), "%s/%s", p->user_id, p->pool_id);
	return json_pack("{s:s, s:o, s:o, s:o, s:I, s:s, s:o, s:o, s:b, s:i, s:o, s:o}", "id", id, "user", json_ref(p->user_id, p->user_name), "pool",
		json_ref(p->pool_id, p->pool_name), "provider", json_ref(provider.name[0] ? p->provider_id : "", provider.name), "size_mb",
		(json_int_t)p->size_mb, "state", state, "reason", reason, "desktop", json_ref(p->desktop_id, p->desktop_name), "clean", (int)p->is_clean,
		"keep_days", p->keep_days, "created", json_time(p->created), "used", json_time(p->used));
}

struct list {
	struct api *api;
	struct page page;
	int64_t at;
};

static void visit(const struct db_personal *p, void *arg)
{
	struct list *l = arg;
	char key[24];

	snprintf(key, sizeof(key), "%lld", (long long)++l->at);
	page_add(&l->page, key, row_json(l->api, p));
}

/* A removed user and a removed pool are still found by their ids. */
static void user_id_of(struct api_call *call, const char *ref, char out[DB_ID_SIZE])
{
	struct user_row u;

	pst_strlcpy(out, DB_ID_SIZE, db_user_get(call->api->db, ref, &u, NULL) == 0 ? u.id : ref);
	pst_wipe(&u, sizeof(u));
}

static void pool_id_of(struct api_call *call, const char *ref, char out[DB_ID_SIZE])
{
	struct pool_row p;

	pst_strlcpy(out, DB_ID_SIZE, db_pool_get(call->api->db, ref, &p, NULL) == 0 ? p.id : ref);
}

static void list_answer(struct api_call *call, const char *user, const char *pool)
{
	struct list l = {.api = call->api};
	char user_id[DB_ID_SIZE] = "", pool_id[DB_ID_SIZE] = "";
	struct pst_err err = PST_ERR_INIT;

	if (page_begin(call, &l.page) < 0)
		return;
	if (user[0])
		user_id_of(call, user, user_id);
	if (pool[0])
		pool_id_of(call, pool, pool_id);
	l.at = strtoll(l.page.after, NULL, 10);
	l.at = l.at < 0 ? 0 : l.at;
	if (db_personal_list(call->api->db, user_id, pool_id, l.at, l.page.limit + 1, visit, &l, &err) < 0) {
		page_drop(&l.page);
		call_error(call, &err);
		return;
	}
	page_answer(call, &l.page);
}

void api_personal_list(struct api_call *call)
{
	list_answer(call, call_query(call, "user"), call_query(call, "pool"));
}

static void count(const struct db_personal *p, void *arg)
{
	++*(size_t *)arg;
}

void api_personal_of_user(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct user_row u;
	size_t n = 0;
	bool is_user = db_user_get(call->api->db, call->params[0], &u, NULL) == 0;

	pst_wipe(&u, sizeof(u));
	/* A removed user is one as long as he has disks. */
	if (!is_user && db_personal_list(call->api->db, call->params[0], "", 0, 1, count, &n, &err) < 0)
		call_error(call, &err);
	else if (!is_user && n == 0)
		call_problem(call, "not_found", "there is no user '%.100s'", call->params[0]);
	else
		list_answer(call, call->params[0], "");
}

static bool find(struct api_call *call, struct db_personal *ret)
{
	char user_id[DB_ID_SIZE], pool_id[DB_ID_SIZE];
	struct pst_err err = PST_ERR_INIT;

	user_id_of(call, call->params[0], user_id);
	pool_id_of(call, call->params[1], pool_id);
	if (db_personal_get(call->api->db, user_id, pool_id, ret, &err) == 0)
		return true;
	if (err.code == PST_ENOTFOUND)
		call_problem(call, "not_found", "user '%s' has no personal disk of the pool '%s'", call->params[0], call->params[1]);
	else
		call_error(call, &err);
	return false;
}

static void answer(struct api_call *call, int status, const struct db_personal *was)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_personal p;

	if (db_personal_get(call->api->db, was->user_id, was->pool_id, &p, &err) < 0)
		call_error(call, &err);
	else
		call_ok(call, status, row_json(call->api, &p));
}

void api_personal_get(struct api_call *call)
{
	struct db_personal p;

	if (find(call, &p))
		answer(call, 200, &p);
}

void api_personal_patch(struct api_call *call)
{
	static const struct field table[] = {{.name = "size_mb", .kind = FIELD_INT, .required = true, .size = sizeof(int), .min = 1, .max = 67108864}};
	struct pst_err err = PST_ERR_INIT;
	struct db_personal p;
	int size_mb = 0;

	if (fields_read(call, call->body, "", table, 1, &size_mb, NULL) < 0 || !find(call, &p))
		return;
	if (size_mb < p.size_mb) {
		call_field(call, "size_mb", "size_mb: a disk of %lld MB cannot become smaller", (long long)p.size_mb);
		return;
	}
	if (write_begin(call) < 0)
		return;
	if (db_personal_grow(call->api->db, p.user_id, p.pool_id, size_mb, &err) < 0)
		write_fail(call, &err);
	else if (write_commit(call, "personal.grown", "user", p.user_id, json_pack("{s:s, s:s, s:i}", "name", p.user_name, "pool", p.pool_name,
			 "size_mb", size_mb)) == 0)
		answer(call, 200, &p);
}

static int keep_days_of(struct api_call *call)
{
	const char *text = call_query(call, "keep_days");
	uint32_t days = KEEP_DAYS;

	if (text[0] && pst_parse_u32(text, 0, DB_PERSONAL_KEEP_MAX, &days) < 0) {
		call_field(call, "keep_days", "keep_days: it must be a whole number from 0 to %d", DB_PERSONAL_KEEP_MAX);
		return PST_EINVAL;
	}
	return (int)days;
}

void api_personal_delete(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct db_personal p;
	int days;

	if (!find(call, &p) || (days = keep_days_of(call)) < 0 || write_begin(call) < 0)
		return;
	if (db_personal_remove(call->api->db, p.user_id, p.pool_id, days, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "personal.removing", "user", p.user_id, json_pack("{s:s, s:s, s:i}", "name", p.user_name, "pool", p.pool_name,
		    "keep_days", days)) < 0)
		return;
	answer(call, 202, &p);
	personal_removals_kick(call->api->removals);
}

int personal_remove_all(struct api *api, const char *user_id, struct pst_err *err)
{
	return db_personal_remove(api->db, user_id, "", KEEP_DAYS, err);
}
