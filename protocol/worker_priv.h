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
#define WORKER_GUESTS_MAX 50

/*
 *            start            login            grant           surface
 *   WAITING ───────► GREETING ───────► ASKING ───────► JOINING ───────► LIVE
 *      │                │  └► CHOOSING ─► │               │              │
 *      │   start with a grant │ ─────────────────────────►│              │
 *      └──────────┴───────────┴──── end, from any ────────┴──────────────┴──► TELLING ──► ENDING ──► ENDED
 *                                                                             (let in, and by RDP or VNC)
 */
enum worker_phase {
	WORKER_WAITING,  /* for the gate's start */
	WORKER_GREETING, /* the front and its client shake hands, and log in where there was no ticket */
	WORKER_CHOOSING, /* the viewer chooses a pool */
	WORKER_ASKING,   /* the broker looks for a desktop */
	WORKER_JOINING,  /* the source was opened */
	WORKER_LIVE,     /* a picture is there */
	WORKER_TELLING,  /* it has ended, and the viewer reads why on a page */
	WORKER_ENDING,   /* the client is being told why */
	WORKER_ENDED,
};

struct worker_policy {
	bool clipboard_in, clipboard_out;
	bool is_view_only; /* what the viewer does stays here */
	int32_t max_width, max_height;
};

/* The picture's way from source to front. */
struct worker_picture {
	struct encoder *encoder;
	const struct source *source; /* whose screen it is */
	struct pixmap screen; /* data NULL while there is none; the size stays */
	struct pst_timer *plan, *due;
	bool is_full;     /* the last plan found nothing small enough for the path */
	bool wants_ready; /* the source waits to hear that its damage was used */
	uint64_t last_frame_ns;
	uint32_t *cursor; /* the last shape, CURSOR_SIDE_MAX² pixels; for a front that opens again */
	struct cursor_image cursor_image;
	bool has_cursor;
};

/* Pages instead of a desktop's picture; see worker_lobby.c. */
struct worker_lobby {
	struct source *source; /* NULL while it is closed */
	struct pst_timer *timer;
	struct page page;
	struct page_entry *entries; /* of a choice; owned */
	struct input_event layout, locks; /* the viewer's last, for the source that comes */
	bool is_due;    /* a page is to be seen, when the client can */
	bool is_broken; /* no memory: everything is told the old way */
};

/* Further viewers; see worker_guests.c. */
struct worker_guests {
	struct worker_guest *first;
	size_t count;
	struct pst_timer *reap;
};

struct worker {
	struct worker_params params;
	enum worker_phase phase;
	struct pst_ctl *ctl;
	struct front *front;
	struct source *source;
	struct front_caps caps;
	bool has_caps, has_grant, was_started;
	bool is_let_in;    /* by ticket or password */
	bool was_reported; /* the gate knows that it has ended */
	struct worker_policy policy;
	struct worker_picture picture;
	struct worker_lobby lobby;
	struct worker_guests guests;
	json_t *auth; /* the broker's answer, while a pool is chosen */
	struct pst_timer *resize, *end;
	int32_t wish_width, wish_height;
	uint32_t scale_pct; /* of the client, 0 unknown */
	int display_fd;
	bool is_remote; /* the desktop is on another host */
	const char *own_screen; /* display_fd is the machine's own screen: the name of its source; else NULL */
	bool is_seat;   /* display_fd leads to a process that shows such a screen */
	bool is_shared; /* …whose other clients may stay */
	unsigned logins;
	char remote[64], user[256], pool[256];
	char *grant;   /* the agent's text */
	uint64_t stats_ns; /* of the last report of what was sent */
	int end_status; /* PST_E…, 0 for a log-off */
	char end_code[64], end_en[512], end_es[512];
};

/* worker.c */
bool worker_is_over(const struct worker *w);
/* Over, or only a page is left that says why. */
bool worker_is_leaving(const struct worker *w);
/* The end, in words: the client is told, then the gate, then the loop stops. code is PST_E…, 0 for a log-off. */
void worker_end(struct worker *w, int code, const char *word, const char *reason_en, const char *reason_es);
/* The last page was read. */
void worker_part(struct worker *w);
/* A grant came with its display link: opens the source as soon as the front is ready. */
void worker_join(struct worker *w);
/* Tells the desktop the viewer's scale, where one is known. */
void worker_scale(const struct worker *w);
void worker_move(struct worker *w, enum worker_phase next);

/* worker_gate.c: the control channel. */
int worker_gate_open(struct worker *w, struct pst_err *err);
void worker_gate_auth(struct worker *w, const char *user, const char *password);
/* An entry of the choice that lobby_choose shows. */
void worker_gate_chosen(struct worker *w, size_t entry);
void worker_gate_report(struct worker *w, const char *event);
/* A frame was sent: now and then the gate hears of all that were, for the case that this process is killed. No timer waits for it. */
void worker_gate_count_frame(struct worker *w, uint64_t now_ns);
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
void picture_surface(struct worker *w, const struct source *from, const struct pixmap *screen);
/* Nothing of this source may be read any more. */
void picture_source_gone(struct worker *w, const struct source *from);
void picture_damage(struct worker *w, const struct rect *rects, size_t n);
void picture_refresh(struct worker *w, const struct rect *r);
void picture_ready(struct worker *w);
void picture_cursor(struct worker *w, const struct cursor_image *image);

/* Viewers that follow the front wait for the picture. */
void picture_join(struct worker *w);

/* worker_guests.c: further viewers of the session, who follow the owner's front. */
/* The gate brings one. Takes fd; a refusal is reported as the guest's end. */
void guests_add(struct worker *w, const json_t *msg, int fd);
/* The gate ends one. */
void guests_end(struct worker *w, const json_t *msg);
/* The session is over: they hear why. */
void guests_close(struct worker *w);
/* What the desktop says besides its picture. */
void guests_cursor(const struct worker *w, const struct cursor_image *image);
void guests_pointer_moved(const struct worker *w, int32_t x, int32_t y);
void guests_clipboard(const struct worker *w, const char *utf8, size_t len);
void guests_bell(const struct worker *w);

/* worker_lobby.c: nothing but front_status for a front that has words itself. */
/* The viewer was let in, or can be shown something: the lobby opens in a moment, if no desktop comes first. */
void lobby_expect(struct worker *w);
/* What is being waited for; es may be NULL. */
void lobby_say(struct worker *w, const char *en, const char *es);
/* The first n of w->lobby.entries are to be chosen from; text is what the broker says about it. */
void lobby_choose(struct worker *w, size_t n, const char *text_en, const char *text_es);
/* Whether an end for this reason gets a page. */
bool lobby_can_tell(const struct worker *w, int code, const char *word);
/* A timer's callback: closes the desktop's source and shows why. arg is the worker. */
void lobby_tell(void *arg);
/* Keeps what the next source has to know of the viewer's keyboard. */
void lobby_note(struct worker *w, const struct input_event *ev);
/* …and tells it to w->source. */
void lobby_pass_on(struct worker *w);
void lobby_close(struct worker *w);

/* worker_words.c: the Spanish sentence for a reason that comes in English only. */
const char *words_spanish(int code, const char *reason_en);
