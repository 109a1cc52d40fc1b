/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The live streams: a set of changed objects, a place in the audit, and the readers. */
#include "broker/api/hub.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/api_priv.h"
#include "db/audit.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MS 100
#define BEAT_MS 2500
#define BEATS_PER_COMMENT 8 /* a sign of life every 20 s */
#define DIRTY_MAX 512
#define REPLAY_MAX 500
#define PIECE_MAX (512 * 1024)

struct dirty {
	char kind[16], id[37];
};

struct reader {
	struct reader *next;
	struct api_call *call;
	struct hub *hub;
};

struct hub {
	struct api *api;
	struct pst_timer *batch, *heartbeat;
	struct reader *readers;
	size_t reader_count;
	struct dirty dirty[DIRTY_MAX];
	size_t dirty_count;
	unsigned beats;
	bool overflow, audited;
	int64_t last_seq;
};

struct object_kind {
	const char *kind;
	json_t *(*json)(struct api *api, const char *id);
};

static const struct object_kind kinds[] = {
	{"pool", api_pool_json}, {"desktop", api_desktop_json}, {"session", api_session_json}, {"provider", api_provider_json},
	{"image", api_image_json}, {"datastore", api_datastore_json}, {"user", api_user_json}, {"group", api_group_json}, {"entitlement", api_entitlement_json},
};

static void send_all(struct hub *hub, struct pst_buf *b)
{
	struct reader *next;

	for (struct reader *r = hub->readers; r && b->len; r = next) {
		next = r->next;
		r->call->out->stream(r->call, (const char *)b->data, b->len, r->call->out_arg);
	}
	pst_buf_reset(b);
}

static void put_event(struct pst_buf *b, const char *event, int64_t id, json_t *data)
{
	char *text = pst_json_text(data, NULL);

	if (id > 0)
		pst_buf_printf(b, "id: %lld\n", (long long)id);
	pst_buf_printf(b, "event: %s\ndata: ", event);
	pst_buf_put_str(b, text ? text : "{}");
	pst_buf_put_str(b, "\n\n");
	free(text);
	json_decref(data);
}

struct audit_out {
	struct hub *hub;
	struct pst_buf *b;
	int64_t last_seq;
	int count;
};

static void put_audit(const struct audit_row *row, void *arg)
{
	struct audit_out *out = arg;

	put_event(out->b, "audit", row->seq, api_event_json(row));
	out->last_seq = row->seq;
	out->count++;
}

static void put_change(struct hub *hub, struct pst_buf *b, const struct dirty *d)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].kind, d->kind) != 0)
			continue;
		json_t *object = kinds[i].json(hub->api, d->id);

		put_event(b, "change", 0, json_pack("{s:s, s:s, s:o}", "kind", d->kind, "id", d->id, "object",
			object ? object : json_null()));
		return;
	}
}

static void put_audits(struct hub *hub, struct pst_buf *b)
{
	struct audit_filter f = {.kind = "", .object = "", .actor = "", .after = hub->last_seq, .before = INT64_MAX,
		.oldest_first = true};
	struct audit_out out = {.hub = hub, .b = b, .last_seq = hub->last_seq};

	db_audit_list(hub->api->db, &f, REPLAY_MAX, put_audit, &out, NULL);
	hub->last_seq = out.last_seq;
	if (out.count == REPLAY_MAX)
		pst_buf_put_str(b, "event: reset\ndata: {}\n\n");
}

static void batch_cb(void *arg)
{
	struct hub *hub = arg;
	struct pst_buf b;

	if (db_in_transaction(hub->api->db)) {
		pst_timer_start(hub->batch, BATCH_MS, batch_cb, hub);
		return;
	}
	pst_buf_init(&b, PIECE_MAX);
	if (hub->overflow)
		pst_buf_put_str(&b, "event: reset\ndata: {}\n\n");
	for (size_t i = 0; i < hub->dirty_count && hub->readers; i++) {
		put_change(hub, &b, &hub->dirty[i]);
		if (b.len > PIECE_MAX / 4)
			send_all(hub, &b);
	}
	if (hub->audited && hub->readers)
		put_audits(hub, &b);
	send_all(hub, &b);
	pst_buf_finish(&b);
	hub->dirty_count = 0;
	hub->overflow = hub->audited = false;
}

static void leave(struct api_call *call)
{
	struct reader *r = call->state, **at = &r->hub->readers;

	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	r->hub->reader_count--;
	if (!r->hub->readers)
		pst_timer_stop(r->hub->heartbeat);
	free(r);
}

/* A log-in that is over ends its streams within seconds. */
static void end_stale(struct hub *hub)
{
	struct reader *next;

	for (struct reader *r = hub->readers; r; r = next) {
		struct api_call *call = r->call;

		next = r->next;
		if (auth_is_live(hub->api->auth, call->who.login.id, call->who.token_id))
			continue;
		leave(call);
		call_finish(call);
	}
}

static void beat_cb(void *arg)
{
	struct hub *hub = arg;
	struct pst_buf b;

	end_stale(hub);
	if (++hub->beats % BEATS_PER_COMMENT == 0) {
		pst_buf_init(&b, 64);
		pst_buf_put_str(&b, ": alive\n\n");
		send_all(hub, &b);
		pst_buf_finish(&b);
	}
	if (hub->readers)
		pst_timer_start(hub->heartbeat, BEAT_MS, beat_cb, hub);
}

struct hub *hub_create(struct api *api)
{
	struct hub *hub = pst_zalloc(1, sizeof(*hub));

	if (!hub)
		return NULL;
	hub->api = api;
	hub->batch = pst_timer_create(api->loop);
	hub->heartbeat = pst_timer_create(api->loop);
	if (!hub->batch || !hub->heartbeat) {
		hub_destroy(hub);
		return NULL;
	}
	return hub;
}

void hub_destroy(struct hub *hub)
{
	if (!hub)
		return;
	pst_timer_destroy(hub->batch);
	pst_timer_destroy(hub->heartbeat);
	free(hub);
}

static void plan(struct hub *hub)
{
	if (!pst_timer_is_active(hub->batch))
		pst_timer_start(hub->batch, BATCH_MS, batch_cb, hub);
}

static void note(struct hub *hub, const char *kind, const char *id)
{
	for (size_t i = 0; i < hub->dirty_count; i++) {
		if (strcmp(hub->dirty[i].id, id) == 0 && strcmp(hub->dirty[i].kind, kind) == 0)
			return;
	}
	if (hub->dirty_count == DIRTY_MAX) {
		hub->overflow = true;
		return;
	}
	struct dirty *d = &hub->dirty[hub->dirty_count++];
	pst_strlcpy(d->kind, sizeof(d->kind), kind);
	pst_strlcpy(d->id, sizeof(d->id), id);
}

void hub_changed(struct hub *hub, const char *kind, const char *id)
{
	if (!hub->readers || !*kind || !*id)
		return;
	note(hub, kind, id);
	plan(hub);
}

void hub_audited(struct hub *hub)
{
	if (!hub->readers)
		return;
	hub->audited = true;
	plan(hub);
}

static bool has_room(const struct hub *hub, const struct api_call *call)
{
	size_t mine = 0;

	for (const struct reader *r = hub->readers; r; r = r->next)
		mine += strcmp(r->call->who.user.user_id, call->who.user.user_id) == 0;
	return hub->reader_count < HUB_READERS_MAX && mine < HUB_READERS_USER_MAX;
}

/* The start of a stream: a comment, and the events that the reader missed. */
static void greet(struct hub *hub, struct reader *r, int64_t from)
{
	struct audit_filter f = {.kind = "", .object = "", .actor = "", .after = from, .before = INT64_MAX,
		.oldest_first = true};
	struct audit_out out = {.hub = hub};
	struct pst_buf b;

	pst_buf_init(&b, PIECE_MAX);
	out.b = &b;
	pst_buf_put_str(&b, "retry: 2000\n: welcome\n\n");
	if (from >= 0)
		db_audit_list(hub->api->db, &f, REPLAY_MAX, put_audit, &out, NULL);
	if (b.failed || out.count == REPLAY_MAX) {
		pst_buf_reset(&b);
		pst_buf_put_str(&b, "retry: 2000\nevent: reset\ndata: {}\n\n");
	}
	r->call->out->stream(r->call, (const char *)b.data, b.len, r->call->out_arg);
	pst_buf_finish(&b);
}

bool hub_join(struct hub *hub, struct api_call *call, int64_t last_seq)
{
	struct reader *r = has_room(hub, call) ? pst_zalloc(1, sizeof(*r)) : NULL;

	if (!r)
		return false;
	if (!hub->readers) {
		db_audit_last(hub->api->db, &hub->last_seq, NULL);
		pst_timer_start(hub->heartbeat, BEAT_MS, beat_cb, hub);
	}
	r->hub = hub;
	r->call = call;
	r->next = hub->readers;
	hub->readers = r;
	hub->reader_count++;
	call->state = r;
	call->cancelled = leave;
	call->pending = call->is_stream = true;
	call->status = 200;
	call->type = "text/event-stream; charset=utf-8";
	greet(hub, r, last_seq);
	return true;
}
