/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One browser connection: the body that the files of this folder share. */
#pragma once

#include <uv.h>

#include "base/loop.h"
#include "protocol/front/front.h"
#include "protocol/front/window.h"
#include "protocol/front/ws/frame.h"
#include "protocol/front/ws/group.h"
#include "protocol/front/ws/message.h"
#include "protocol/front/ws/stream.h"

/*
 *   HELLO ──client's HELLO──► OPEN ──end, protocol error──► ENDING ──stream closed or late──► CLOSED
 *     └───────────────────────────────┴── stream closed ───────────────────────────────────────┘
 */
enum ws_phase { WS_HELLO, WS_OPEN, WS_ENDING, WS_CLOSED };

/* Messages of which only the newest matters: they wait while the socket is busy, and a newer one replaces them. */
enum ws_latest { WS_LATEST_CURSOR, WS_LATEST_POINTER, WS_LATEST_CLIPBOARD, WS_LATEST_KINDS };

struct ws_waiting {
	struct pst_buf body;
	bool is_set;
};

struct ws {
	struct front front;
	const struct front_events *ev;
	void *arg;
	enum ws_phase phase;
	struct ws_stream *stream;
	struct pst_timer *timer; /* HELLO's deadline, then the client's silence, then the end's */
	struct window window; /* frames in flight */
	uint64_t sequence;    /* of the last frame; probes have numbers too, so these are not the encoder's */
	struct ws_frame_writer writer; /* opened by the first frame: followers need none */
	struct ws_group group;
	struct pst_buf body;    /* of the message that is being written */
	struct pst_buf pasted;  /* parts of the client's CLIPBOARD */
	struct ws_waiting waiting[WS_LATEST_KINDS];
	bool clipboard_in, clipboard_out, can_watched;
	bool is_in_message, is_freed; /* closed from inside an event: freed when that returns */
	bool wants_ready; /* can_send said no: `ready` is owed */
	uint32_t scale_pct;
	int end_code;
	char end_reason[512];
	uint64_t heard_us;      /* last message of the client */
	uint64_t stats_us;      /* last STATS */
	uint64_t encode_us;     /* spent in frames since then */
};

/* A message of the client. Ends the connection when it is wrong. */
void ws_receive(struct ws *w, const uint8_t *data, size_t len);

/* `ready`, when it is owed and the path is free. */
void ws_check_ready(struct ws *w);

/* Sends END and begins ENDING; `closed` follows with this code and the English reason. */
void ws_end(struct ws *w, int code, const char *reason_en, const char *reason_es);
