/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The audit for people and programs: lists, the live stream, the check of its chain. */
#include "broker/api/api_priv.h"

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/hub.h"
#include "broker/api/page.h"
#include "db/audit.h"
#include "db/db.h"
#include "db/user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERIFY_STEP 2000

json_t *api_event_json(const struct audit_row *r)
{
	json_t *detail = json_loads(r->detail, 0, NULL);
	char hash[PST_HEX_LEN(32) + 1], id[24];

	pst_hex_encode(r->hash, sizeof(r->hash), hash, sizeof(hash));
	snprintf(id, sizeof(id), "%lld", (long long)r->seq);
	return json_pack("{s:s, s:I, s:o, s:o, s:s, s:{s:s, s:o, s:s, s:s}, s:{s:s, s:s}, s:o, s:s}", "id", id, "seq",
		(json_int_t)r->seq, "time", json_time(r->time), "created", json_time(r->time), "kind", r->kind, "actor", "kind",
		r->actor_kind, "id", json_text_or_null(r->actor_id), "name", r->actor_name, "remote", r->remote, "object", "kind",
		r->object_kind, "id", r->object_id, "detail", detail ? detail : json_object(), "hash", hash);
}

static void visit(const struct audit_row *r, void *arg)
{
	char key[24];

	snprintf(key, sizeof(key), "%lld", (long long)r->seq);
	page_add(arg, key, api_event_json(r));
}

static int read_filter(struct api_call *call, const struct page *page, struct audit_filter *f, struct user_row *u)
{
	const char *after = call_query(call, "after"), *user = call_query(call, "user");
	int64_t cursor = 0;

	*f = (struct audit_filter){.kind = call_query(call, "kind"), .object = call_query(call, "object"), .actor = "",
		.before = INT64_MAX};
	if (*user && db_user_get(call->api->db, user, u, NULL) < 0) {
		call_problem(call, "not_found", "there is no user \'%.100s\'", user);
		return PST_ENOTFOUND;
	}
	if (*user)
		f->actor = u->id;
	if (*after && pst_parse_i64(after, 0, INT64_MAX - 1, &f->after) < 0) {
		call_field(call, "after", "after: it must be the seq of an event");
		return PST_EINVAL;
	}
	f->oldest_first = *after != '\0';
	if (page->after[0] && pst_parse_i64(page->after, 1, INT64_MAX - 1, &cursor) < 0) {
		call_problem(call, "bad_cursor", NULL);
		return PST_EINVAL;
	}
	if (cursor && f->oldest_first)
		f->after = cursor;
	else if (cursor)
		f->before = cursor;
	return 0;
}

void api_event_list(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct audit_filter f;
	struct user_row u;
	struct page page;

	if (page_begin(call, &page) < 0)
		return;
	if (read_filter(call, &page, &f, &u) < 0) {
		page_drop(&page);
		return;
	}
	if (db_audit_list(call->api->db, &f, page.limit + 1, visit, &page, &err) < 0) {
		page_drop(&page);
		call_error(call, &err);
		return;
	}
	page_answer(call, &page);
}

void api_event_stream(struct api_call *call)
{
	const char *last = call_header(call, "last-event-id");
	int64_t seq = -1;

	if (last && pst_parse_i64(last, 0, INT64_MAX - 1, &seq) < 0)
		seq = -1;
	if (!hub_join(call->api->hub, call, seq))
		call_problem(call, "too_many", "%d live streams for each user, %d in all", HUB_READERS_USER_MAX,
			HUB_READERS_MAX);
}

/* --- the chain: a step in each turn of the loop, so a long audit holds up nobody ---- */

struct verify {
	struct api_call *call; /* NULL: the client left */
	struct audit_verdict v;
	uv_loop_t *loop;
	struct db *db;
};

static json_t *verdict_json(const struct audit_verdict *v)
{
	char hash[PST_HEX_LEN(32) + 1], en[256], es[256];

	pst_hex_encode(v->last_hash, sizeof(v->last_hash), hash, sizeof(hash));
	if (v->ok) {
		snprintf(en, sizeof(en), "All %lld events are as they were written.", (long long)v->events);
		snprintf(es, sizeof(es), "Los %lld eventos están como se escribieron.", (long long)v->events);
	} else {
		snprintf(en, sizeof(en), "The chain breaks at event %lld: %s.", (long long)v->broken_seq, v->what);
		snprintf(es, sizeof(es), "La cadena se rompe en el evento %lld: alguien lo ha cambiado o ha quitado otro.",
			(long long)v->broken_seq);
	}
	return json_pack("{s:b, s:I, s:I, s:s, s:o, s:o}", "ok", v->ok, "events", (json_int_t)v->events, "last_seq",
		(json_int_t)v->last_seq, "last_hash", hash, "broken_seq", v->ok ? json_null() : json_integer(v->broken_seq),
		"reason", json_reason(v->ok ? "" : "broken", en, es));
}

static void verify_step(void *arg)
{
	struct verify *w = arg;
	struct pst_err err = PST_ERR_INIT;
	bool done = false;

	if (!w->call) {
		free(w);
		return;
	}
	int rc = db_audit_verify(w->db, &w->v, VERIFY_STEP, &done, &err);
	if (rc == 0 && !done && pst_defer(w->loop, verify_step, w) == 0)
		return;
	if (rc < 0)
		call_error(w->call, &err);
	else
		call_ok(w->call, 200, verdict_json(&w->v));
	call_finish(w->call);
	free(w);
}

static void verify_cancelled(struct api_call *call)
{
	struct verify *w = call->state;

	w->call = NULL; /* the next step frees it */
}

void api_event_verify(struct api_call *call)
{
	struct verify *w = pst_zalloc(1, sizeof(*w));

	if (!w || pst_defer(call->api->loop, verify_step, w) < 0) {
		free(w);
		call_problem(call, "internal", NULL);
		return;
	}
	w->call = call;
	w->v.ok = true;
	w->loop = call->api->loop;
	w->db = call->api->db;
	call->state = w;
	call->cancelled = verify_cancelled;
	call->pending = true;
}
