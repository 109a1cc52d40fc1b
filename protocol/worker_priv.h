/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of a worker, shared by its files. */
#pragma once

#include <jansson.h>

#include "base/ctl.h"
#include "base/loop.h"
#include "encoder/encoder.h"
#include "protocol/front/front.h"
#include "protocol/source/source.h"
#include "protocol/worker.h"

#define WORKER_LOGINS_MAX 3

/*
 *            start            login            grant           surface
 *   WAITING ───────► GREETING ───────► ASKING ───────► JOINING ───────► LIVE
 *      │   start with a grant │ ─────────────────────────►│              │
 *      └──────────┴───────────┴──── end, from any ────────┴──────────────┴──► ENDING ──► ENDED
 */
enum worker_phase {
	WORKER_WAITING,  /* for the gate's start */
	WORKER_GREETING, /* the front and its client shake hands, and log in where there was no ticket */
	WORKER_ASKING,   /* the broker looks for a desktop */
	WORKER_JOINING,  /* the source was opened */
	WORKER_LIVE,     /* a picture is there */
	WORKER_ENDING,   /* the client is being told why */
	WORKER_ENDED,
};

struct worker_policy {
	bool clipboard_in, clipboard_out;
	int32_t max_width, max_height;
};

/* The picture's way from source to front. */
struct worker_picture {
	struct encoder *encoder;
	struct pixmap screen; /* data NULL while there is none */
	struct pst_timer *plan, *due;
	bool wants_ready; /* the source waits to hear that its damage was used */
	uint64_t last_frame_ns;
	uint32_t *cursor; /* the last shape, CURSOR_SIDE_MAX² pixels; for a front that opens again */
	struct cursor_image cursor_image;
	bool has_cursor;
};

struct worker {
	struct worker_params params;
	enum worker_phase phase;
	struct pst_ctl *ctl;
	struct front *front;
	struct source *source;
	struct front_caps caps;
	bool has_caps, has_grant, was_started;
	struct worker_policy policy;
	struct worker_picture picture;
	struct pst_timer *resize, *stats, *end;
	int32_t wish_width, wish_height;
	int display_fd;
	unsigned logins;
	char remote[64], user[256], pool[256];
	char *grant;   /* the agent's text */
	uint64_t stats_bytes; /* at the last report */
	char end_code[64], end_en[512], end_es[512];
};

/* worker.c */
bool worker_is_over(const struct worker *w);
/* The end, in words: the client is told, then the gate, then the loop stops. code is PST_E…, 0 for a log-off. */
void worker_end(struct worker *w, int code, const char *word, const char *reason_en, const char *reason_es);
/* A grant came with its display link: opens the source as soon as the front is ready. */
void worker_join(struct worker *w);
void worker_move(struct worker *w, enum worker_phase next);

/* worker_gate.c: the control channel. */
int worker_gate_open(struct worker *w, struct pst_err *err);
void worker_gate_auth(struct worker *w, const char *user, const char *password);
void worker_gate_report(struct worker *w, const char *event);
/* Reads a GRANT into the worker. */
int worker_gate_grant(struct worker *w, const json_t *grant, int fd, struct pst_err *err);

/* worker_front.c: what the viewer does. */
extern const struct front_events worker_front_events;
int worker_front_open(struct worker *w, const char *cert_pem, const char *key_pem, struct pst_err *err);

/* worker_source.c: what the desktop does. */
extern const struct source_events worker_source_events;

/* worker_picture.c */
int picture_init(struct worker *w);
void picture_finish(struct worker *w);
/* The front can take a picture (again): sizes, cursor and everything are sent anew. */
void picture_opened(struct worker *w);
void picture_surface(struct worker *w, const struct pixmap *screen);
void picture_damage(struct worker *w, const struct rect *rects, size_t n);
void picture_refresh(struct worker *w, const struct rect *r);
void picture_ready(struct worker *w);
void picture_cursor(struct worker *w, const struct cursor_image *image);

/* worker_words.c: the Spanish sentence for a reason that comes in English only. */
const char *words_spanish(int code, const char *reason_en);
