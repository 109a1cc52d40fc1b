/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of a client, for its files. All of it belongs to FreeRDP's thread. */
#pragma once

#include <freerdp/client/cliprdr.h>
#include <freerdp/client/disp.h>
#include <freerdp/client/rdpgfx.h>
#include <freerdp/freerdp.h>
#include <pthread.h>

#include "protocol/source/rdp/client.h"
#include "protocol/source/rdp/typing.h"

/* FreeRDP's context with the way back to us. */
struct own_context {
	rdpContext base;
	struct rdp_client *client;
};

struct rdp_client {
	freerdp *instance;
	struct rdp_account account;
	struct rdp_mailbox *box;
	int fd;   /* the connection, until FreeRDP has it: then -1 */
	int spare; /* the same connection, to shut it down by */
	unsigned begins; /* the library tries a second time, by itself, and in vain */
	HANDLE wake;
	pthread_t thread;
	struct rdp_typing typing;
	int32_t width, height; /* the viewer's wish */
	/* the picture */
	struct rdp_screen *screen; /* the newest that was given away: it lives until there is a newer one */
	struct region damage;
	bool has_credit, is_shown, is_stopping;
	/* channels; NULL while they are closed */
	CliprdrClientContext *cliprdr;
	DispClientContext *disp;
	bool can_resize; /* the server said so */
	pcRdpgfxCreateSurface create_surface; /* FreeRDP's own */
	struct rdp_text text; /* the viewer's clipboard */
	struct pst_err trouble; /* what we ourselves found; code 0: nothing */
};

static inline struct rdp_client *rdp_client_of(rdpContext *context)
{
	return ((struct own_context *)context)->client;
}

/* Ends the connection, for a reason of ours. */
void rdp_client_fail(struct rdp_client *c, int code, const char *words);

/* settings.c */
bool rdp_settings_fill(rdpSettings *s, const struct rdp_client *c, const char *layout);

/* picture.c: FreeRDP's painting; called from PostConnect. */
bool rdp_picture_begin(struct rdp_client *c);
/* What has changed, when the reader is ready for it. */
void rdp_picture_deliver(struct rdp_client *c);

/* pointer.c */
void rdp_pointer_register(rdpContext *context);

/* channels.c */
void rdp_channels_register(rdpContext *context);
BOOL rdp_channels_load(freerdp *instance);
/* Asks for the wished size, when the server takes that. */
void rdp_channels_resize(struct rdp_client *c);

/* clipboard.c */
void rdp_clipboard_open(struct rdp_client *c, CliprdrClientContext *cliprdr);
/* Takes the text. */
void rdp_clipboard_offer(struct rdp_client *c, struct rdp_text *text);
