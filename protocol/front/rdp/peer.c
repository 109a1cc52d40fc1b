/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FreeRDP's peer with our settings: TLS 1.2 or newer and nothing else (NLA and RDP's own security are off: the broker checks the
 * password that travels in the client info), no redirection, no audio, no bulk compression.
 */
#include <stdlib.h>
#include <freerdp/channels/channels.h>
#include <freerdp/channels/wtsvc.h>
#include <freerdp/crypto/certificate.h>
#include <freerdp/crypto/privatekey.h>
#include <freerdp/settings.h>
#include <winpr/ssl.h>
#include <winpr/wtsapi.h>

#include "base/mem.h"
#include "encoder/rect.h"
#include "protocol/front/rdp/rdp.h"
#include "protocol/front/rdp/rdp_priv.h"

#define TLS_1_2 0x0303
#define UPDATE_MAX 608299 /* [MS-RDPBCGR] 2.2.7.2.7: with large pointers and RemoteFX clients take at least this */

struct rdp *rdp_of(rdpContext *context)
{
	return context->peer->ContextExtra;
}

static BOOL on_post_connect(freerdp_peer *peer)
{
	struct rdp *f = peer->ContextExtra;
	uint32_t w = freerdp_settings_get_uint32(peer->context->settings, FreeRDP_DesktopWidth);
	uint32_t h = freerdp_settings_get_uint32(peer->context->settings, FreeRDP_DesktopHeight);
	/* What is sent is packed already, and the library's bulk codecs are more code to trust. */
	freerdp_settings_set_bool(peer->context->settings, FreeRDP_CompressionEnabled, FALSE);
	f->has_credentials = true;
	return w >= RDP_SIDE_MIN && h >= RDP_SIDE_MIN && w <= SCREEN_SIDE_MAX && h <= SCREEN_SIDE_MAX;
}

static BOOL on_activate(freerdp_peer *peer)
{
	struct rdp *f = peer->ContextExtra;
	f->is_activated = true;
	return TRUE;
}

static BOOL on_suppress(rdpContext *context, BYTE allow, const RECTANGLE_16 *area)
{
	rdp_of(context)->is_suppressed = !allow;
	return TRUE;
}

static BOOL on_refresh(rdpContext *context, BYTE count, const RECTANGLE_16 *areas)
{
	struct rdp *f = rdp_of(context);
	for (BYTE i = 0; rdp_is_live(f) && i < count; i++) {
		const struct rect r = { areas[i].left, areas[i].top, areas[i].right - areas[i].left + 1, areas[i].bottom - areas[i].top + 1 };
		if (!rect_is_empty(&r))
			f->ev.refresh(f->arg, &r);
	}
	return TRUE;
}

/* Stands between the connection and the library's channels. */
static BOOL on_channel_data(freerdp_peer *peer, UINT16 channel, const BYTE *data, size_t size, UINT32 flags, size_t total)
{
	struct rdp *f = peer->ContextExtra;
	enum guard_verdict verdict = GUARD_TAKE;
	if (channel == WTSChannelGetId(peer, "drdynvc"))
		verdict = guard_dynamic(data, size, flags) ? GUARD_TAKE : GUARD_END;
	else if (channel == WTSChannelGetId(peer, "cliprdr"))
		verdict = guard_static(&f->guard, size, flags, total);
	return verdict == GUARD_DROP || (verdict == GUARD_TAKE && f->to_library(peer, channel, data, size, flags, total));
}

static bool set_identity(rdpSettings *s, const struct front_params *p)
{
	rdpCertificate *cert = freerdp_certificate_new_from_pem(p->cert_pem);
	if (!cert || !freerdp_settings_set_pointer_len(s, FreeRDP_RdpServerCertificate, cert, 1))
		return false;
	rdpPrivateKey *key = freerdp_key_new_from_pem(p->key_pem);
	return key && freerdp_settings_set_pointer_len(s, FreeRDP_RdpServerRsaKey, key, 1);
}

static bool set_settings(rdpSettings *s)
{
	static const struct {
		FreeRDP_Settings_Keys_Bool key;
		BOOL value;
	} flags[] = {
		{ FreeRDP_RdpSecurity, FALSE }, { FreeRDP_TlsSecurity, TRUE }, { FreeRDP_NlaSecurity, FALSE },
		{ FreeRDP_SupportGraphicsPipeline, TRUE }, { FreeRDP_SuppressOutput, TRUE }, { FreeRDP_RefreshRect, TRUE },
		{ FreeRDP_NetworkAutoDetect, TRUE }, { FreeRDP_SupportMultitransport, FALSE }, { FreeRDP_UnicodeInput, TRUE },
		{ FreeRDP_HasHorizontalWheel, TRUE }, { FreeRDP_HasExtendedMouseEvent, TRUE }, { FreeRDP_SupportErrorInfoPdu, TRUE },
		{ FreeRDP_RemoteFxCodec, TRUE }, { FreeRDP_NSCodec, FALSE }, { FreeRDP_AudioPlayback, FALSE },
		{ FreeRDP_DrawAllowSkipAlpha, TRUE }, { FreeRDP_SurfaceFrameMarkerEnabled, TRUE }, { FreeRDP_DesktopResize, TRUE },
	};
	for (size_t i = 0; i < PST_ARRAY_LEN(flags); i++)
		if (!freerdp_settings_set_bool(s, flags[i].key, flags[i].value))
			return false;
	return freerdp_settings_set_uint16(s, FreeRDP_TLSMinVersion, TLS_1_2) && freerdp_settings_set_uint32(s, FreeRDP_ColorDepth, 32) &&
	       freerdp_settings_set_uint32(s, FreeRDP_MultifragMaxRequestSize, UPDATE_MAX) && freerdp_settings_set_uint32(s, FreeRDP_FrameAcknowledge, 2);
}

int rdp_peer_create(struct rdp *f, const struct front_params *p, struct pst_err *err)
{
	winpr_InitializeSSL(WINPR_SSL_INIT_DEFAULT);
	WTSRegisterWtsApiFunctionTable(FreeRDP_InitWtsApi());
	f->peer = freerdp_peer_new(p->fd);
	if (!f->peer)
		return pst_err_set(err, PST_ENOMEM, "no memory for an RDP connection");
	f->peer->ContextExtra = f;
	/* A worker's environment is empty, and the library's settings want a home; nothing is ever read or written there. */
	(void)setenv("HOME", "/nonexistent", 0);
	if (!freerdp_peer_context_new(f->peer))
		return pst_err_set(err, PST_ENOMEM, "no memory for an RDP connection");
	if (!set_identity(f->peer->context->settings, p) || !set_settings(f->peer->context->settings))
		return pst_err_set(err, PST_EINVAL, "the certificate or key for RDP cannot be used; see the gateway's tls settings");
	f->peer->PostConnect = on_post_connect;
	f->peer->Activate = on_activate;
	f->peer->context->update->SuppressOutput = on_suppress;
	f->peer->context->update->RefreshRect = on_refresh;
	f->peer->context->update->SurfaceFrameAcknowledge = rdp_bitmap_on_ack;
	rdp_input_register(f);
	rdp_detect_register(f);
	f->channels = WTSOpenServerA((LPSTR)f->peer->context);
	if (!f->channels || f->channels == INVALID_HANDLE_VALUE || !f->peer->Initialize(f->peer))
		return pst_err_set(err, PST_EINTERNAL, "the RDP library cannot begin a connection");
	f->to_library = f->peer->ReceiveChannelData;
	f->peer->ReceiveChannelData = on_channel_data;
	return 0;
}

void rdp_peer_destroy(struct rdp *f)
{
	if (!f->peer)
		return;
	if (f->channels && f->channels != INVALID_HANDLE_VALUE)
		WTSCloseServer(f->channels);
	if (f->peer->context)
		f->peer->Disconnect(f->peer);
	freerdp_peer_context_free(f->peer);
	freerdp_peer_free(f->peer);
}
