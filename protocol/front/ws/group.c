/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One encoding for several browsers. */
#include "protocol/front/ws/group.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/front/ws/snapshot.h"
#include "protocol/front/ws/ws_priv.h"

#define ANEW_EVERY_NS 3000000000ull /* streams that begin anew cost everybody what they had learnt */
#define STEP_NS 1000000ull          /* from one step of a snapshot to the next: what the owner and his desktop say comes between */

static struct ws *ws_of(struct front *f)
{
	return pst_container_of(f, struct ws, front);
}

static bool wants_snapshot(const struct ws *f)
{
	return f->phase == WS_OPEN && ws_stream_queued(f->stream) == 0 &&
	       ws_member_wants_snapshot(&f->group.member, &f->window);
}

/* When streams may begin anew: at once while nothing was sent since they last did. */
static uint64_t anew_at(const struct ws *leader)
{
	return leader->group.anew_ns && !leader->writer.is_anew ? leader->group.anew_ns + ANEW_EVERY_NS : 0;
}

static void end_lost(struct ws *f, uint64_t now_ns)
{
	if (f->phase == WS_OPEN && ws_member_lost_at(&f->group.member) <= now_ns)
		ws_end(f, PST_ETIMEOUT,
			"This view has not kept up for 30 seconds: its network or its computer is too slow.",
			"Esta vista lleva 30 segundos sin poder seguir: su red o su equipo son demasiado "
			"lentos.");
}

static void tell_surface(struct ws *f, int32_t width, int32_t height)
{
	if (f->group.width == width && f->group.height == height)
		return;
	f->group.width = width;
	f->group.height = height;
	pst_buf_reset(&f->body);
	ws_write_surface(&f->body, width, height, f->scale_pct);
	ws_stream_put(f->stream, WS_S_SURFACE, f->body.data, f->body.len);
}

static void drop_snapshot(struct ws *leader)
{
	ws_snapshot_destroy(leader->group.snapshot);
	leader->group.snapshot = NULL;
}

/* Asks for the picture, or for more of it. When to look again, UINT64_MAX for never. */
static uint64_t continue_picture(struct ws *leader, bool is_wanted, uint64_t now_ns)
{
	if (!is_wanted) {
		drop_snapshot(leader);
		return UINT64_MAX;
	}
	if (!leader->group.snapshot && anew_at(leader) > now_ns)
		return anew_at(leader);
	leader->ev->join(leader->arg);
	/* There may have been no picture, or no memory. */
	return now_ns + (leader->group.snapshot ? STEP_NS : ANEW_EVERY_NS);
}

static void on_time(void *arg)
{
	struct ws *l = arg;
	uint64_t now = pst_mono_ns(), due = UINT64_MAX;
	bool is_wanted = false;

	for (struct ws *f = l->group.first; f; f = f->group.next) {
		end_lost(f, now);
		if (f->phase == WS_OPEN)
			due = PST_MIN(due, ws_member_lost_at(&f->group.member));
		is_wanted = is_wanted || wants_snapshot(f);
	}
	is_wanted = is_wanted && l->phase == WS_OPEN && l->sequence > 0 && l->ev->join;
	due = PST_MIN(due, continue_picture(l, is_wanted, now));
	if (due != UINT64_MAX && !pst_timer_is_active(l->group.timer))
		pst_timer_start(l->group.timer, due > now ? (due - now + 999999) / 1000000 : 0, on_time, l);
}

/* From a turn of the loop of its own: a snapshot is not encoded in the middle of a frame. */
static void look(struct ws *leader)
{
	if (leader->group.timer)
		pst_timer_start(leader->group.timer, 0, on_time, leader);
}

void ws_group_wake(struct ws *follower)
{
	if (follower->group.leader && !follower->group.member.is_in_step)
		look(follower->group.leader);
}

void ws_group_follow(struct front *leader, struct front *follower)
{
	struct ws *l = ws_of(leader), *f = ws_of(follower);

	if (!l->group.timer)
		l->group.timer = pst_timer_create(ws_stream_loop(l->stream));
	f->group.leader = l;
	f->group.next = l->group.first;
	l->group.first = f;
	ws_member_init(&f->group.member, pst_mono_ns());
	look(l);
}

void ws_group_fall(struct ws *follower)
{
	ws_member_fall(&follower->group.member, pst_mono_ns());
	ws_group_wake(follower);
}

void ws_group_leave(struct ws *w)
{
	struct ws *l = w->group.leader;

	for (struct ws **at = l ? &l->group.first : NULL; at && *at; at = &(*at)->group.next)
		if (*at == w) {
			*at = w->group.next;
			break;
		}
	w->group.leader = NULL;
	while (w->group.first) {
		struct ws *f = w->group.first;

		w->group.first = f->group.next;
		f->group.leader = f->group.next = NULL;
	}
	drop_snapshot(w);
	pst_timer_destroy(w->group.timer);
	w->group.timer = NULL;
}

void ws_group_frame(struct ws *leader, const struct op_list *ops, bool is_quiet, uint64_t now_ns)
{
	const struct pst_buf *body = &leader->body;
	bool has_fallen = false;

	leader->group.more = body->data[4] & WS_FRAME_MORE;
	if (leader->group.snapshot)
		ws_snapshot_note(leader->group.snapshot, ops);
	for (struct ws *f = leader->group.first; f; f = f->group.next) {
		if (f->phase != WS_OPEN || !f->group.member.is_in_step)
			continue;
		if (ws_member_take(
			    &f->group.member, &f->window, leader->sequence, body->len, is_quiet, now_ns))
			ws_stream_put(f->stream, WS_S_FRAME, body->data, body->len);
		else
			has_fallen = true;
	}
	if (has_fallen || (leader->group.first && !leader->group.anew_ns))
		look(leader);
}

void ws_group_surface(struct ws *leader, int32_t width, int32_t height)
{
	leader->group.width = width;
	leader->group.height = height;
	drop_snapshot(leader);
	for (struct ws *f = leader->group.first; f; f = f->group.next)
		if (f->phase == WS_OPEN && f->group.member.is_in_step)
			tell_surface(f, width, height);
}

/* All of the picture is there: it goes to those who wait, and streams begin anew. False: they go on. */
static bool give_snapshot(struct ws *l, const struct pixmap *sent)
{
	struct ws_snapshot *s = l->group.snapshot;
	const struct pst_buf *body = ws_snapshot_body(s);
	uint64_t now;

	if (ws_snapshot_finish(s, sent, l->sequence + 1, l->group.more) < 0 || ws_frame_writer_restart(&l->writer) < 0)
		return false;
	l->sequence++;
	l->group.anew_ns = now = pst_mono_ns();
	for (struct ws *f = l->group.first; f; f = f->group.next) {
		if (!wants_snapshot(f))
			continue;
		tell_surface(f, sent->width, sent->height);
		ws_member_join(&f->group.member, &f->window, l->sequence, body->len, now);
		ws_stream_put(f->stream, WS_S_FRAME, body->data, body->len);
	}
	return true;
}

bool ws_group_join(struct front *leader, const struct pixmap *sent)
{
	struct ws *l = ws_of(leader);
	struct ws_group *g = &l->group;
	bool is_given;

	if (l->phase != WS_OPEN || sent->width != g->width || sent->height != g->height)
		return false;
	if (!g->snapshot)
		g->snapshot = ws_snapshot_create(sent->width, sent->height);
	if (!g->snapshot)
		return false;
	if (!ws_snapshot_is_near(g->snapshot)) {
		if (ws_snapshot_step(g->snapshot, sent) < 0)
			drop_snapshot(l);
		return false;
	}
	is_given = give_snapshot(l, sent);
	drop_snapshot(l);
	return is_given;
}
