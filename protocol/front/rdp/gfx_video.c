/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Video regions of the graphics pipeline. A client decodes H.264 with one decoder per surface and takes the surface's size for the
 * picture's, so each region has a surface of its own that is never shown; every picture of it is copied to the screen's surface,
 * which stays the one truth for copies, refinement and what the client shows.
 */
#include "base/mem.h"
#include "protocol/front/rdp/rdp_priv.h"

static uint16_t surface_of(uint32_t region)
{
	return (uint16_t)(RDP_SURFACE_ID + 1 + region);
}

/* A key picture of another size, or with another number of views, begins another decoder. */
static void begin(struct rdp *f, struct pst_buf *out, const struct op_video *v)
{
	uint16_t id = surface_of(v->region);
	bool is_full = v->chroma == VIDEO_444_VIEWS;
	if (f->gfx.videos[v->region].w == v->coded_w && f->gfx.videos[v->region].h == v->coded_h && f->gfx.videos[v->region].is_full == is_full)
		return;
	if (f->gfx.videos[v->region].w)
		gfx_wire_delete_surface(out, id);
	gfx_wire_create_surface(out, id, v->coded_w, v->coded_h);
	f->gfx.videos[v->region].w = v->coded_w;
	f->gfx.videos[v->region].h = v->coded_h;
	f->gfx.videos[v->region].is_full = is_full;
}

void rdp_gfx_video_put(struct rdp *f, struct pst_buf *out, const struct op *op)
{
	const struct op_video *v = &op->video;
	PRE(v->region < RDP_VIDEO_REGIONS);
	begin(f, out, v);
	if (v->chroma == VIDEO_444_VIEWS)
		gfx_wire_avc444(out, surface_of(v->region), v->coded_w, v->coded_h, v->qp, v->data, v->len,
			v->view, v->view_len);
	else
		gfx_wire_avc420(out, surface_of(v->region), v->coded_w, v->coded_h, v->qp, v->data, v->len);
	gfx_wire_copy(out, surface_of(v->region), RDP_SURFACE_ID, &op->rect, 0, 0);
}

void rdp_gfx_video_reset(struct rdp *f, struct pst_buf *out)
{
	for (uint32_t i = 0; i < RDP_VIDEO_REGIONS; i++) {
		if (f->gfx.videos[i].w)
			gfx_wire_delete_surface(out, surface_of(i));
		f->gfx.videos[i].w = f->gfx.videos[i].h = 0;
	}
}
