/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RemoteFX; see remotefx.h. The library's thread pool stays off: a part is small, and the loop's order is kept. */
#include "protocol/front/rdp/remotefx.h"

#include <freerdp/codec/color.h>
#include <freerdp/codec/rfx.h>
#include <freerdp/settings.h>
#include <stdlib.h>
#include <winpr/stream.h>

#include "base/mem.h"

#define ROOM (REMOTEFX_PART * REMOTEFX_PART * 4)

struct remotefx {
	RFX_CONTEXT *rfx;
	wStream *out;
};

struct remotefx *remotefx_create(int32_t width, int32_t height, struct pst_err *err)
{
	struct remotefx *x = pst_zalloc(1, sizeof(*x));
	if (x) {
		x->rfx = rfx_context_new_ex(TRUE, THREADING_FLAGS_DISABLE_THREADS);
		x->out = Stream_New(NULL, ROOM);
	}
	if (!x || !x->rfx || !x->out || !rfx_context_reset(x->rfx, (UINT32)width, (UINT32)height) || !rfx_context_set_mode(x->rfx, RLGR3)) {
		remotefx_destroy(x);
		pst_err_set(err, PST_ENOMEM, "no memory for RemoteFX");
		return NULL;
	}
	rfx_context_set_pixel_format(x->rfx, PIXEL_FORMAT_BGRX32);
	return x;
}

void remotefx_destroy(struct remotefx *x)
{
	if (!x)
		return;
	rfx_context_free(x->rfx);
	if (x->out)
		Stream_Free(x->out, TRUE);
	free(x);
}

int remotefx_pack(struct remotefx *x, const struct pixmap *sent, const struct rect *r, struct pst_buf *out, struct pst_err *err)
{
	const RFX_RECT all = { 0, 0, (UINT16)r->w, (UINT16)r->h };
	Stream_SetPosition(x->out, 0);
	if (!rfx_compose_message(x->rfx, x->out, &all, 1, (const BYTE *)pixmap_at(sent, r->x, r->y), (UINT32)r->w, (UINT32)r->h, sent->stride) ||
	    pst_buf_append(out, Stream_Buffer(x->out), Stream_GetPosition(x->out)) < 0)
		return pst_err_set(err, PST_EINTERNAL, "a picture of %d × %d pixels cannot be packed by RemoteFX", r->w, r->h);
	return 0;
}

int remotefx_split(const struct rect *r, const struct pixmap *sent,
		   int (*put)(void *arg, const struct pixmap *sent, const struct rect *piece, struct pst_err *err), void *arg, struct pst_err *err)
{
	for (int32_t y = r->y; y < r->y + r->h; y += REMOTEFX_PART) {
		for (int32_t x = r->x; x < r->x + r->w; x += REMOTEFX_PART) {
			const struct rect piece = { x, y, PST_MIN(REMOTEFX_PART, r->x + r->w - x), PST_MIN(REMOTEFX_PART, r->y + r->h - y) };
			int rc = put(arg, sent, &piece, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}
