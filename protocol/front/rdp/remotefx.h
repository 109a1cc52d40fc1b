/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lossy pictures by RemoteFX, [MS-RDPRFX] 2.2.2: one stream of messages for a screen, the same for both picture writers. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "encoder/pixmap.h"

#define REMOTEFX_PART 256 /* sides of what one message holds, at most */

struct remotefx;

/* For a screen of this size. Returns owned, or NULL with err. */
struct remotefx *remotefx_create(int32_t width, int32_t height, struct pst_err *err);
/* Accepts NULL. */
void remotefx_destroy(struct remotefx *x);

/* Hands over r in pieces that one message holds. A failure of put ends the walk and is returned. */
int remotefx_split(const struct rect *r, const struct pixmap *sent,
		   int (*put)(void *arg, const struct pixmap *sent, const struct rect *piece, struct pst_err *err), void *arg, struct pst_err *err);

/* Appends the message of r, whose sides are at most REMOTEFX_PART, at quality 1…100, as JPEG's. The first one carries the stream's headers. */
int remotefx_pack(struct remotefx *x, const struct pixmap *sent, const struct rect *r, int quality, struct pst_buf *out, struct pst_err *err);
