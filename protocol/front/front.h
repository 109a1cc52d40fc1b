/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A front end: one client connection in the words of its protocol. The worker opens one on the client's stream; ws, rdp and rfb are the
 * entries of the registry. It writes the encoder's operations, takes input, says when the path can carry a next frame, and knows nothing of desktops.
 * All calls and events are on one loop thread. Bytes from the client are hostile: each front has its own ceilings and deadlines.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "encoder/encoder.h"
#include "protocol/link/cursor_image.h"
#include "protocol/link/input.h"

struct front;

/* What the client can take, known at `opened` and fixed until the next `opened`. */
struct front_caps {
	uint32_t ops;          /* OP_BIT of each kind; OP_LOSSLESS always */
	int32_t video_align;   /* see encoder_params */
	uint32_t max_video_regions;
	enum video_chroma chroma; /* see encoder_params */
	int32_t width, height; /* the client's wish for the screen size, 0 for none */
	uint32_t scale_pct;    /* how much larger its user wants things, 100…500; 0 unknown */
	bool can_tell;         /* shows its user who watches */
	bool can_resize;       /* can take another screen size later without a new connection */
	char client[64];       /* name and version for the session list, printable */
};

struct front_events {
	/* rdp and rfb without a ticket: who the client says it is. The worker answers with front_login_result. Strings are borrowed and wiped after the call. */
	void (*login)(void *arg, const char *user, const char *password);
	/* The handshake is done and the capabilities are known: the picture may start. May come again with other ones (RDP without its graphics channel). */
	void (*opened)(void *arg, const struct front_caps *caps);
	void (*input)(void *arg, const struct input_event *ev);
	/* The client wishes another screen size (window resized). scale_pct is 100…500. */
	void (*resize)(void *arg, int32_t width, int32_t height, uint32_t scale_pct);
	/* front_can_send turned true: acknowledged, or the socket drained. */
	void (*ready)(void *arg);
	/* The client wants this part again. */
	void (*refresh)(void *arg, const struct rect *r);
	void (*clipboard)(void *arg, const char *utf8, size_t len);
	/* Followers wait for a picture: front_join, from this call or later. Comes again until they have it. May be NULL where nothing follows. */
	void (*join)(void *arg);
	/* The end; nothing comes after it. code is PST_E…, 0 when the client left in good order. */
	void (*closed)(void *arg, int code, const char *reason);
};

struct front_params {
	uv_loop_t *loop;
	int fd;                  /* takes: the client's stream */
	const char *remote;      /* address for messages */
	const char *cert_pem, *key_pem; /* PEM texts for TLS in the front; NULL when the stream is already protected */
	bool is_authenticated;   /* a ticket was redeemed: no log-in in the protocol */
	const char *user, *desktop_name; /* for titles; may be NULL before log-in */
	bool clipboard_in, clipboard_out; /* policy: client → desktop, desktop → client */
	bool is_view_only; /* the client is told that its input is dropped */
};

/* How far the path to the client is, measured by the front. Zero where unknown. */
struct front_path {
	uint32_t rtt_us, rate_kbps;
	uint32_t backlog_us; /* how long the path still forwards what it was given */
	uint64_t in_flight_bytes, budget_bytes;
	uint64_t bytes_sent; /* with what waits for the socket */
	uint64_t bytes_received, frames_sent, frames_acked;
};

/* Bytes of a frame that can_send_small speaks of. */
#define FRONT_SMALL 2048

/* An end's code that is no PST_E…: the desktop goes down and comes up again, and a client may wait for it by itself. */
#define FRONT_END_RESTART (-256)

struct front_type {
	const char *name;
	bool surface_first; /* the client learns the screen's size before it says what it can (RFB): surface comes before opened */
	struct front *(*open)(const struct front_params *p, const struct front_events *ev, void *arg, struct pst_err *err);
	/* rdp, rfb: the log-in was accepted (err NULL) or refused with a sentence for people. */
	void (*login_result)(struct front *f, const struct pst_err *err);
	/* A sentence to show while there is no picture ("Starting your desktop…"); optional. */
	void (*status)(struct front *f, const char *text_en, const char *text_es);
	/* The screen has this size from the next frame on. */
	int (*surface)(struct front *f, int32_t width, int32_t height, struct pst_err *err);
	bool (*can_send)(struct front *f);
	/* A small frame (FRONT_SMALL bytes) may leave although can_send says no: the echo of a key beside a video. Optional. */
	bool (*can_send_small)(struct front *f);
	/* Writes one frame; sent is the encoder's sent picture. Copies what it needs. Negative: the connection is dead, closed follows. */
	int (*frame)(struct front *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err);
	void (*cursor)(struct front *f, const struct cursor_image *image);
	void (*pointer_moved)(struct front *f, int32_t x, int32_t y);
	void (*clipboard)(struct front *f, const char *utf8, size_t len);
	void (*bell)(struct front *f);
	/* Who watches, for the client's user: names, "" for nobody. Optional. */
	void (*watched)(struct front *f, const char *names);
	/*
	 * The follower, another open front of this type, shows what f is sent from now on: the same bytes, encoded once. It never holds f up: where it
	 * does not keep up, frames are left out, and it asks for a picture again. Its own surface and frame are not called. Optional.
	 */
	void (*follow)(struct front *f, struct front *follower);
	/*
	 * The picture for followers that wait, as f's client has it: some of it in each call, so that none takes long. True with the last: they have it, and
	 * the encoder's videos begin anew with f's next frame. With follow.
	 */
	bool (*join)(struct front *f, const struct pixmap *sent);
	void (*path)(struct front *f, struct front_path *ret);
	/* Says why to the client in its protocol's way, then ends; closed follows. code: PST_E…, FRONT_END_RESTART, 0 for a log-off. */
	void (*end)(struct front *f, int code, const char *reason_en, const char *reason_es);
	/* Frees everything at once; no event follows. */
	void (*close)(struct front *f);
};

/* Embedded first in every front's own struct. */
struct front {
	const struct front_type *type;
};

/* Wrappers with checks and defaults for optional slots (status, can_send_small, pointer_moved, bell, login_result). */
struct front *front_open(const struct front_type *type, const struct front_params *p, const struct front_events *ev, void *arg,
			 struct pst_err *err);
void front_login_result(struct front *f, const struct pst_err *err);
void front_status(struct front *f, const char *text_en, const char *text_es);
int front_surface(struct front *f, int32_t width, int32_t height, struct pst_err *err);
bool front_can_send(struct front *f);
bool front_can_send_small(struct front *f);
int front_frame(struct front *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err);
void front_cursor(struct front *f, const struct cursor_image *image);
void front_pointer_moved(struct front *f, int32_t x, int32_t y);
void front_clipboard(struct front *f, const char *utf8, size_t len);
void front_bell(struct front *f);
void front_watched(struct front *f, const char *names);
/* False: this type of front has no followers. */
bool front_follow(struct front *f, struct front *follower);
/* False also for a type without followers. */
bool front_join(struct front *f, const struct pixmap *sent);
void front_path(struct front *f, struct front_path *ret);
void front_end(struct front *f, int code, const char *reason_en, const char *reason_es);
/* Accepts NULL. */
void front_close(struct front *f);

/* protocol/front_registry.c ("ws", "rfb"), or front_registry_rdp.c ("rdp"): by name, NULL when this program has none such. */
const struct front_type *front_find(const char *name);
