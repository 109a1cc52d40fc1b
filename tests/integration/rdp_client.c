/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An RDP client of few words, on FreeRDP's library, for what no real client does on command:
 *
 *   rdp_client --pipeline none|mute|close --port N
 *
 * none: no graphics pipeline. mute: announces it, and never says a word on its channel. close: takes one picture there and closes
 * the channel. Says on standard output what comes, a line each, and ends with the connection.
 */
#include <freerdp/channels/channels.h>
#include <freerdp/freerdp.h>
#include <freerdp/settings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winpr/synch.h>
#include <winpr/wtsapi.h>

#define CHANNEL "drdynvc"
#define WAIT_MS 40000

enum pipeline { PIPELINE_NONE, PIPELINE_MUTE, PIPELINE_CLOSE };

static struct client {
	enum pipeline pipeline;
	CHANNEL_ENTRY_POINTS_EX entry;
	void *handle;
	DWORD channel;
	unsigned messages; /* of the server on the graphics channel, or parts of them */
	unsigned bitmaps;
} self;

static void say(const void *data, ULONG len)
{
	/* Freed when the library tells that it has written. */
	void *copy = malloc(len);
	if (copy)
		self.entry.pVirtualChannelWriteEx(self.handle, self.channel, memcpy(copy, data, len), len, copy);
}

static void on_graphics(uint8_t id)
{
	/* The first message confirms capabilities; the next ones make a surface and draw. */
	if (++self.messages != 3)
		return;
	const uint8_t close[] = { 0x40, id };
	say(close, sizeof(close));
	printf("closes the channel\n");
}

/* [MS-RDPEDYC] 2.2. */
static void on_dynamic(const uint8_t *data, size_t len)
{
	static const uint8_t version[] = { 0x50, 0, 1, 0 };
	if (len < 2)
		return;
	switch (data[0] >> 4) {
	case 5:
		say(version, sizeof(version));
		break;
	case 1: {
		const uint8_t accept[] = { 0x10, data[1], 0, 0, 0, 0 };
		/* [MS-RDPEGFX] 2.2.2.18: version 8 and no flags. */
		const uint8_t caps[] = { 0x30, data[1], 0x12, 0, 0, 0, 22, 0, 0, 0, 1, 0, 4, 0, 8, 0, 4, 0, 0, 0, 0, 0, 0, 0 };
		if (!strstr((const char *)data + 2, "Graphics"))
			break;
		say(accept, sizeof(accept));
		say(caps, sizeof(caps));
		break;
	}
	case 2:
	case 3:
		on_graphics(data[1]);
		break;
	default:
		break;
	}
}

static VOID VCAPITYPE on_channel(LPVOID user, DWORD handle, UINT event, LPVOID data, UINT32 len, UINT32 total, UINT32 flags)
{
	if (event == CHANNEL_EVENT_WRITE_COMPLETE || event == CHANNEL_EVENT_WRITE_CANCELLED)
		free(data);
	else if (event == CHANNEL_EVENT_DATA_RECEIVED && self.pipeline == PIPELINE_CLOSE)
		on_dynamic(data, len);
}

static VOID VCAPITYPE on_init(LPVOID user, LPVOID init, UINT event, LPVOID data, UINT len)
{
	char name[] = CHANNEL;
	if (event == CHANNEL_EVENT_CONNECTED)
		self.entry.pVirtualChannelOpenEx(init, &self.channel, name, on_channel);
}

static BOOL VCAPITYPE on_entry(PCHANNEL_ENTRY_POINTS_EX entry, PVOID init)
{
	CHANNEL_DEF channel = { .name = CHANNEL, .options = CHANNEL_OPTION_INITIALIZED | CHANNEL_OPTION_ENCRYPT_RDP };
	self.entry = *entry;
	self.handle = init;
	return entry->pVirtualChannelInitEx(&self, NULL, init, &channel, 1, VIRTUAL_CHANNEL_VERSION_WIN2000, on_init) == CHANNEL_RC_OK;
}

static BOOL on_bitmap(rdpContext *context, const BITMAP_UPDATE *update)
{
	if (self.bitmaps++ == 0)
		printf("bitmap\n");
	return TRUE;
}

static BOOL on_resize(rdpContext *context)
{
	printf("size %ux%u\n", freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopWidth),
	       freerdp_settings_get_uint32(context->settings, FreeRDP_DesktopHeight));
	return TRUE;
}

static BOOL on_pointer(rdpContext *context, const POINTER_NEW_UPDATE *update)
{
	printf("pointer %ux%u\n", update->colorPtrAttr.width, update->colorPtrAttr.height);
	return TRUE;
}

static BOOL on_cached_pointer(rdpContext *context, const POINTER_CACHED_UPDATE *update)
{
	printf("pointer of slot %u\n", update->cacheIndex);
	return TRUE;
}

static BOOL on_marker(rdpContext *context, const SURFACE_FRAME_MARKER *marker)
{
	if (marker->frameAction == SURFACECMD_FRAMEACTION_END)
		context->update->SurfaceFrameAcknowledge(context, marker->frameId);
	return TRUE;
}

static BOOL on_pre_connect(freerdp *instance)
{
	rdpContext *context = instance->context;
	context->update->BitmapUpdate = on_bitmap;
	context->update->DesktopResize = on_resize;
	context->update->SurfaceFrameMarker = on_marker;
	return TRUE;
}

static BOOL on_load_channels(freerdp *instance)
{
	rdpContext *context = instance->context;
	return self.pipeline == PIPELINE_NONE || freerdp_channels_client_load_ex(context->channels, context->settings, on_entry, &self) == 0;
}

static BOOL on_post_connect(freerdp *instance)
{
	/* Not earlier: the library puts its cache there, which wants a screen. */
	instance->context->update->pointer->PointerNew = on_pointer;
	instance->context->update->pointer->PointerCached = on_cached_pointer;
	printf("connected\n");
	return TRUE;
}

static bool set_up(rdpSettings *s, const char *port)
{
	return freerdp_settings_set_string(s, FreeRDP_ServerHostname, "127.0.0.1") && freerdp_settings_set_uint32(s, FreeRDP_ServerPort, (UINT32)atoi(port)) &&
	       freerdp_settings_set_string(s, FreeRDP_Username, "ana") && freerdp_settings_set_string(s, FreeRDP_Password, "secret") &&
	       freerdp_settings_set_bool(s, FreeRDP_IgnoreCertificate, TRUE) && freerdp_settings_set_bool(s, FreeRDP_NlaSecurity, FALSE) &&
	       freerdp_settings_set_bool(s, FreeRDP_RdpSecurity, FALSE) && freerdp_settings_set_uint32(s, FreeRDP_ColorDepth, 32) &&
	       freerdp_settings_set_uint32(s, FreeRDP_DesktopWidth, 640) && freerdp_settings_set_uint32(s, FreeRDP_DesktopHeight, 480) &&
	       freerdp_settings_set_bool(s, FreeRDP_SupportGraphicsPipeline, self.pipeline != PIPELINE_NONE) &&
	       freerdp_settings_set_bool(s, FreeRDP_SupportDynamicChannels, self.pipeline != PIPELINE_NONE);
}

static void serve(rdpContext *context)
{
	while (!freerdp_shall_disconnect_context(context)) {
		HANDLE events[64];
		DWORD n = freerdp_get_event_handles(context, events, 64);
		if (n == 0 || WaitForMultipleObjects(n, events, FALSE, WAIT_MS) == WAIT_TIMEOUT || !freerdp_check_event_handles(context))
			return;
	}
}

int main(int argc, char **argv)
{
	freerdp *instance = freerdp_new();
	if (argc != 5 || strcmp(argv[1], "--pipeline") != 0 || strcmp(argv[3], "--port") != 0) {
		fprintf(stderr, "rdp_client: see the head of tests/integration/rdp_client.c\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	self.pipeline = !strcmp(argv[2], "mute") ? PIPELINE_MUTE : !strcmp(argv[2], "close") ? PIPELINE_CLOSE : PIPELINE_NONE;
	instance->PreConnect = on_pre_connect;
	instance->LoadChannels = on_load_channels;
	instance->PostConnect = on_post_connect;
	if (!freerdp_context_new(instance) || !set_up(instance->context->settings, argv[4]) || !freerdp_connect(instance))
		return 1;
	serve(instance->context);
	freerdp_disconnect(instance);
	freerdp_context_free(instance);
	freerdp_free(instance);
	return 0;
}
