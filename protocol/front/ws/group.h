/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Several connections that show one picture. The leader is the owner's: it encodes, and its window sets the
 * pace. Its followers get the same bytes in the same turn. A follower that is new or fell behind gets a
 * snapshot from a flat stream of its own, for which the leader's streams begin anew with their next frame
 * (WS_FRAME_ANEW), so that all are in step again; this happens at most once in a few seconds. It is encoded in steps
 * between frames (snapshot.h).
 */
#pragma once

#include "protocol/front/ws/member.h"

struct front;
struct op_list;
struct pixmap;
struct pst_timer;
struct ws;
struct ws_snapshot;

struct ws_group {
	struct ws *leader;       /* of a follower; NULL: leads, or is alone */
	struct ws *first;        /* the leader's followers… */
	struct ws *next;         /* …in a list */
	struct pst_timer *timer; /* the leader's: who waits for a snapshot, who is lost, the snapshot's next step */
	struct ws_snapshot *snapshot; /* the leader's: one that is being encoded, or NULL */
	uint64_t anew_ns;        /* the leader's: when streams last began anew, 0 never */
	bool more;             /* the leader's: its last frame said that more follows */
	int32_t width, height;   /* of the surface that the client was told */
	struct ws_member member; /* the follower's */
};

/* The slots of the front's table. */
void ws_group_follow(struct front *leader, struct front *follower);
bool ws_group_join(struct front *leader, const struct pixmap *sent);

/* The leader's frame of these operations, whole in its body, goes to the followers. */
void ws_group_frame(struct ws *leader, const struct op_list *ops, bool is_quiet, uint64_t now_ns);
void ws_group_surface(struct ws *leader, int32_t width, int32_t height);
/* The connection acknowledged or drained: where it is a follower that is behind, its leader looks who can
 * join. */
void ws_group_wake(struct ws *follower);
/* A follower distrusts its picture. */
void ws_group_fall(struct ws *follower);
/* The connection closes. */
void ws_group_leave(struct ws *w);
