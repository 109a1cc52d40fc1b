/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FreeRDP paints in a picture of its own (its GDI), and says what it painted. Here that is gathered until the reader is ready,
 * then copied for it. A picture of a new size is given away with its first paint, not before: till then the old one stays.
 */
#include <freerdp/gdi/gdi.h>
#include <stdio.h>

#include "base/mem.h"
#include "protocol/source/rdp/client_priv.h"

static BOOL on_begin_paint(rdpContext *context)
{
	HGDI_WND window = context->gdi->primary->hdc->hwnd;

	window->invalid->null = TRUE;
	window->ninvalid = 0;
	return TRUE;
}

static void note(struct rdp_client *c, const GDI_RGN *painted)
{
	const struct rect all = { 0, 0, c->instance->context->gdi->width, c->instance->context->gdi->height };
	const struct rect r = { painted->x, painted->y, painted->w, painted->h };
	struct rect inside;

	if (rect_intersect(&all, &r, &inside))
		region_add(&c->damage, &inside);
}

static BOOL on_end_paint(rdpContext *context)
{
	HGDI_WND window = context->gdi->primary->hdc->hwnd;

	if (window->invalid->null)
		return TRUE;
	if (window->ninvalid < 1)
		note(rdp_client_of(context), window->invalid);
	for (INT32 i = 0; i < window->ninvalid; i++)
		note(rdp_client_of(context), &window->cinvalid[i]);
	return TRUE;
}

static bool is_size(struct rdp_client *c, uint32_t width, uint32_t height)
{
	char words[96];

	if (width >= 1 && height >= 1 && width <= SCREEN_SIDE_MAX && height <= SCREEN_SIDE_MAX)
		return true;
	snprintf(words, sizeof(words), "its screen of %u × %u pixels is larger than is carried", width, height);
	rdp_client_fail(c, PST_ELIMIT, words);
	return false;
}

static BOOL on_desktop_resize(rdpContext *context)
{
	uint32_t width = freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopWidth);
	uint32_t height = freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopHeight);
	struct rdp_client *c = rdp_client_of(context);

	region_clear(&c->damage);
	return is_size(c, width, height) && gdi_resize(context->gdi, width, height);
}

bool rdp_picture_begin(struct rdp_client *c)
{
	rdpContext *context = c->instance->context;

	if (!is_size(c, freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopWidth),
		    freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopHeight)) ||
		!gdi_init(c->instance, PIXEL_FORMAT_BGRX32))
		return false;
	context->update->BeginPaint = on_begin_paint;
	context->update->EndPaint = on_end_paint;
	context->update->DesktopResize = on_desktop_resize;
	return true;
}

/* The first picture, or one of another size. */
static bool renew(struct rdp_client *c, const rdpGdi *gdi)
{
	struct pst_err err = PST_ERR_INIT;
	struct rdp_screen *next;

	if (c->screen && c->screen->view.width == gdi->width && c->screen->view.height == gdi->height)
		return true;
	next = rdp_screen_create(gdi->width, gdi->height, &err);
	if (!next) {
		rdp_client_fail(c, err.code, err.text);
		return false;
	}
	region_clear(&c->damage);
	region_add(&c->damage, &(struct rect){ 0, 0, gdi->width, gdi->height });
	for (size_t i = 0; i < c->damage.len; i++)
		rdp_screen_take(next, gdi->primary_buffer, gdi->stride, &c->damage.rects[i]);
	c->screen = next;
	c->is_shown = true;
	rdp_news_screen(c->box, next);
	return true;
}

void rdp_picture_deliver(struct rdp_client *c)
{
	const rdpGdi *gdi = c->instance->context->gdi;

	if (!gdi || c->damage.len == 0 || !renew(c, gdi) || !c->has_credit)
		return;
	for (size_t i = 0; i < c->damage.len; i++)
		rdp_screen_take(c->screen, gdi->primary_buffer, gdi->stride, &c->damage.rects[i]);
	rdp_news_damage(c->box, &c->damage);
	region_clear(&c->damage);
	c->has_credit = false;
}
