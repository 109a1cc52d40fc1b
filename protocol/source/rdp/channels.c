/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The four channels that are spoken: clipboard, and on the dynamic one graphics and sizes. No other is ever loaded. */
#include <freerdp/addin.h>
#include <freerdp/channels/channels.h>
#include <freerdp/client/channels.h>
#include <freerdp/client/cmdline.h>
#include <freerdp/event.h>
#include <freerdp/gdi/gdi.h>
#include <freerdp/gdi/gfx.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/source/rdp/client_priv.h"

#define SIDE_MIN 200 /* [MS-RDPEDISP] 2.2.2.2.1 */

static UINT on_create_surface(RdpgfxClientContext *gfx, const RDPGFX_CREATE_SURFACE_PDU *surface)
{
	struct rdp_client *c = rdp_client_of(((rdpGdi *)gfx->custom)->context);

	if (surface->width > SCREEN_SIDE_MAX || surface->height > SCREEN_SIDE_MAX) {
		rdp_client_fail(c, PST_ELIMIT, "it wants a surface that is larger than is carried");
		return ERROR_INVALID_DATA;
	}
	return c->create_surface(gfx, surface);
}

static void open_graphics(rdpContext *context, RdpgfxClientContext *gfx)
{
	struct rdp_client *c = rdp_client_of(context);

	if (!gdi_graphics_pipeline_init(context->gdi, gfx)) {
		rdp_client_fail(c, PST_ENOMEM, "no memory for its graphics");
		return;
	}
	c->create_surface = gfx->CreateSurface;
	gfx->CreateSurface = on_create_surface;
}

void rdp_channels_resize(struct rdp_client *c)
{
	/* Even widths only; see above. */
	DISPLAY_CONTROL_MONITOR_LAYOUT all = {
		.Flags = DISPLAY_CONTROL_MONITOR_PRIMARY,
		.Width = (uint32_t)PST_CLAMP(c->width, SIDE_MIN, SCREEN_SIDE_MAX) & ~1u,
		.Height = (uint32_t)PST_CLAMP(c->height, SIDE_MIN, SCREEN_SIDE_MAX),
		.Orientation = ORIENTATION_LANDSCAPE,
		.DesktopScaleFactor = 100,
		.DeviceScaleFactor = 100,
	};
	const rdpGdi *gdi = c->instance->context->gdi;

	if (c->disp && c->can_resize && c->width > 0 && c->height > 0 && (!gdi || gdi->width != c->width || gdi->height != c->height))
		c->disp->SendMonitorLayout(c->disp, 1, &all);
}

static UINT on_caps(DispClientContext *disp, UINT32 monitors, UINT32 factor_a, UINT32 factor_b)
{
	struct rdp_client *c = disp->custom;

	c->can_resize = true;
	rdp_channels_resize(c);
	return CHANNEL_RC_OK;
}

static void on_connected(void *arg, const ChannelConnectedEventArgs *e)
{
	rdpContext *context = arg;
	struct rdp_client *c = rdp_client_of(context);

	if (strcmp(e->name, RDPGFX_DVC_CHANNEL_NAME) == 0) {
		open_graphics(context, e->pInterface);
	} else if (strcmp(e->name, CLIPRDR_SVC_CHANNEL_NAME) == 0) {
		rdp_clipboard_open(c, e->pInterface);
	} else if (strcmp(e->name, DISP_DVC_CHANNEL_NAME) == 0) {
		c->disp = e->pInterface;
		c->disp->custom = c;
		c->disp->DisplayControlCaps = on_caps;
	}
}

static void on_disconnected(void *arg, const ChannelDisconnectedEventArgs *e)
{
	rdpContext *context = arg;
	struct rdp_client *c = rdp_client_of(context);

	if (strcmp(e->name, RDPGFX_DVC_CHANNEL_NAME) == 0)
		gdi_graphics_pipeline_uninit(context->gdi, e->pInterface);
	else if (strcmp(e->name, CLIPRDR_SVC_CHANNEL_NAME) == 0)
		c->cliprdr = NULL;
	else if (strcmp(e->name, DISP_DVC_CHANNEL_NAME) == 0)
		c->disp = NULL;
}

void rdp_channels_register(rdpContext *context)
{
	PubSub_SubscribeChannelConnected(context->pubSub, on_connected);
	PubSub_SubscribeChannelDisconnected(context->pubSub, on_disconnected);
}

static BOOL load(rdpContext *context, const char *name)
{
	rdpSettings *s = context->settings;
	PVIRTUALCHANNELENTRY entry = freerdp_load_channel_addin_entry(name, NULL, NULL, FREERDP_ADDIN_CHANNEL_STATIC | FREERDP_ADDIN_CHANNEL_ENTRYEX);

	return entry && freerdp_channels_client_load_ex(context->channels, s, (PVIRTUALCHANNELENTRYEX)(uintptr_t)entry, s) == 0;
}

BOOL rdp_channels_load(freerdp *instance)
{
	const char *const graphics[] = { RDPGFX_CHANNEL_NAME }, *const sizes[] = { DISP_CHANNEL_NAME };
	rdpContext *context = instance->context;

	return freerdp_client_add_dynamic_channel(context->settings, 1, graphics) && freerdp_client_add_dynamic_channel(context->settings, 1, sizes) &&
	       load(context, CLIPRDR_SVC_CHANNEL_NAME) && load(context, "drdynvc");
}
