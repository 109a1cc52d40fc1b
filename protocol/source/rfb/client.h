/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's side of RFB 3.3 to 3.8 (RFC 6143) without a socket: bytes of a server in, what they mean and
 * bytes for it out. The server is hostile until its bytes came through here: every length has a ceiling, and
 * a message that cannot be ends it. An update is asked for by rfb_client_ready only, one at a time.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "encoder/pixmap.h"
#include "protocol/link/cursor_image.h"
#include "protocol/link/input.h"

#define RFB_PASSWORD_MAX 8
#define RFB_OUT_MAX (2 * 1024 * 1024) /* bytes that wait for the server */
/* The longest that rfb_client_take waits for before it uses a byte: a pointer shape. */
#define RFB_WAIT_MAX (CURSOR_SIDE_MAX * CURSOR_SIDE_MAX * 4 + CURSOR_SIDE_MAX * CURSOR_SIDE_MAX / 8 + 64)

struct rfb_client;

/* All come from inside rfb_client_take. What is borrowed is so for the call. */
struct rfb_client_events {
	/* A screen that has its first picture, or one of a new size; readable until the next. */
	void (*surface)(void *arg, const struct pixmap *screen);
	void (*damage)(void *arg, const struct rect *rects, size_t n);
	void (*cursor)(void *arg, const struct cursor_image *image);
	void (*clipboard)(void *arg, const char *utf8, size_t len);
	void (*bell)(void *arg);
};

struct rfb_client_params {
	const char *password; /* copied; "" for none */
	bool is_shared;       /* the server's other clients may stay (RFC 6143, 7.3.1) */
	bool is_near;         /* pixels as they are rather than packed: the way costs nothing */
	const struct rfb_client_events *events;
	void *arg;
};

/* NULL without memory. */
struct rfb_client *rfb_client_create(const struct rfb_client_params *p);
/* Accepts NULL. */
void rfb_client_destroy(struct rfb_client *c);

/*
 * Returns how many bytes were used, 0 when more are needed; PST_EPROTO, PST_EAUTH, PST_EUNSUPPORTED,
 * PST_ELIMIT or PST_ENOMEM with err, which is a sentence; then only destroy may follow.
 */
long rfb_client_take(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);
/* What is to be sent. The caller takes it away from the front. */
struct pst_buf *rfb_client_out(struct rfb_client *c);

/* What was shown has been used: the server may send the next update. */
void rfb_client_ready(struct rfb_client *c);
/* The calls below do nothing before there is a screen. */
void rfb_client_input(struct rfb_client *c, const struct input_event *ev);
/* False: this server cannot be asked for a size. */
bool rfb_client_resize(struct rfb_client *c, int32_t width, int32_t height);
/* In the letters that RFB has (Latin-1); others become "?". */
void rfb_client_clipboard(struct rfb_client *c, const char *utf8, size_t len);
