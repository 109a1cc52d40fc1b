/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of an RFB client, for its files: client.c (messages), greeting.c (the handshake), update.c
 * (rectangles). */
#pragma once

#include "encoder/region.h"
#include "protocol/source/rfb/client.h"
#include "protocol/source/rfb/decoder.h"
#include "protocol/source/rfb/typing.h"
#include "protocol/source/rfb/wire.h"

/* Bytes of a server's clipboard that are kept; longer ones are passed over. */
#define RFB_TEXT_MAX (256 * 1024)

/*
 * One step reads one thing: it returns the bytes that it used and sets the next step, 0 for more bytes, or an
 * error. Order of a connection:
 *
 *   version ► security ► (challenge) ► result ► init ► message ⇄ update ► rect ⇄ body, shape, screens
 *                                                         └► text, skip
 */
typedef long (*rfb_step)(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);

struct rfb_client {
	const struct rfb_client_events *events;
	void *arg;
	char password[RFB_PASSWORD_MAX + 1];
	bool is_near, is_shared;
	rfb_step step;
	int minor;     /* of the version: 3, 7 or 8 */
	uint64_t skip; /* bytes that nobody wants */
	rfb_step after_skip;
	uint32_t text_len; /* of a clipboard that comes */
	struct pst_buf text, out;
	struct rfb_decoder *decoder;
	struct rfb_screen screen,
		shown; /* what is painted on; what the viewer sees until that is whole, else empty */
	struct region damage;
	uint32_t rects_left;
	struct rect rect;
	int32_t encoding;
	struct rfb_typing typing;
	uint32_t screen_id, screen_flags; /* of the first part of the server's screen */
	bool can_resize;
	bool is_open;     /* the handshake is over */
	bool has_surface; /* shown to the viewer, in the size of now */
	bool is_whole;    /* everything of this screen was asked for */
	bool is_asked, has_credit;
	uint32_t shape[CURSOR_SIDE_MAX * CURSOR_SIDE_MAX];
};

/* client.c */
long rfb_message_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);
/* Passes over n bytes, then goes on. */
void rfb_skip(struct rfb_client *c, uint64_t n, rfb_step then);
/* Sends a request for an update if one is due. */
void rfb_ask(struct rfb_client *c);

/* greeting.c */
long rfb_version_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);

/* update.c */
long rfb_update_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);
/* A new screen to paint on; the viewer goes on seeing the last one until it is whole. */
int rfb_screen_set(struct rfb_client *c, int32_t width, int32_t height, struct pst_err *err);
