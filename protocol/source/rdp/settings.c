/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a server is told of us: TLS 1.2 or newer, with Network Level Authentication where there is an account; nothing of this
 * process redirected; no bulk compression, no sound, no second connection. Codecs that lose are off but for video.
 */
#include <freerdp/settings.h>

#include "base/mem.h"
#include "protocol/link/layout.h"
#include "protocol/source/rdp/client_priv.h"

#define TLS_1_2 0x0303
#define LAYOUT_US 0x0409
#define TIMEOUT_MS 15000
#define NAME_OF_OURS "puesto"

struct flag {
	FreeRDP_Settings_Keys_Bool key;
	BOOL value;
};

static const struct flag flags[] = {
	{ FreeRDP_RdpSecurity, FALSE }, { FreeRDP_TlsSecurity, TRUE }, { FreeRDP_ExtSecurity, FALSE }, { FreeRDP_NegotiateSecurityLayer, TRUE },
	{ FreeRDP_ExternalCertificateManagement, TRUE }, { FreeRDP_AutoReconnectionEnabled, FALSE }, { FreeRDP_SupportMultitransport, FALSE },
	{ FreeRDP_SupportHeartbeatPdu, FALSE }, { FreeRDP_NetworkAutoDetect, TRUE }, { FreeRDP_CompressionEnabled, FALSE },
	{ FreeRDP_SupportGraphicsPipeline, TRUE }, { FreeRDP_RemoteFxCodec, FALSE }, { FreeRDP_NSCodec, FALSE }, { FreeRDP_SoftwareGdi, TRUE },
	{ FreeRDP_BitmapCachePersistEnabled, FALSE }, { FreeRDP_SupportDisplayControl, TRUE }, { FreeRDP_DynamicResolutionUpdate, TRUE },
	{ FreeRDP_DesktopResize, TRUE }, { FreeRDP_RedirectClipboard, TRUE }, { FreeRDP_DeviceRedirection, FALSE }, { FreeRDP_RedirectDrives, FALSE },
	{ FreeRDP_RedirectPrinters, FALSE }, { FreeRDP_RedirectSmartCards, FALSE }, { FreeRDP_AudioPlayback, FALSE }, { FreeRDP_AudioCapture, FALSE },
	{ FreeRDP_UnicodeInput, TRUE }, { FreeRDP_HasHorizontalWheel, TRUE }, { FreeRDP_HasExtendedMouseEvent, TRUE },
	{ FreeRDP_AllowFontSmoothing, TRUE }, { FreeRDP_SynchronousDynamicChannels, TRUE }, { FreeRDP_SynchronousStaticChannels, TRUE },
	{ FreeRDP_DisableCredentialsDelegation, FALSE }, { FreeRDP_SmartcardLogon, FALSE }, { FreeRDP_MultiTouchInput, FALSE },
};

static bool set_flags(rdpSettings *s, const struct rdp_account *a)
{
	const struct flag chosen[] = {
		{ FreeRDP_NlaSecurity, !a->asks }, { FreeRDP_AutoLogonEnabled, !a->asks }, { FreeRDP_GfxH264, a->has_video },
		{ FreeRDP_GfxAVC444, a->has_video }, { FreeRDP_GfxAVC444v2, a->has_video }, { FreeRDP_GfxProgressive, TRUE },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(flags); i++)
		if (!freerdp_settings_set_bool(s, flags[i].key, flags[i].value))
			return false;
	for (size_t i = 0; i < PST_ARRAY_LEN(chosen); i++)
		if (!freerdp_settings_set_bool(s, chosen[i].key, chosen[i].value))
			return false;
	return true;
}

static bool set_account(rdpSettings *s, const struct rdp_account *a)
{
	if (!freerdp_settings_set_string(s, FreeRDP_ServerHostname, a->name[0] ? a->name : "seat") ||
		!freerdp_settings_set_string(s, FreeRDP_ClientHostname, NAME_OF_OURS) ||
		/* Kerberos would ask for a realm's servers, which are out of reach here. */
		!freerdp_settings_set_string(s, FreeRDP_AuthenticationPackageList, "ntlm,!kerberos,!u2u"))
		return false;
	return a->asks || (freerdp_settings_set_string(s, FreeRDP_Username, a->user) && freerdp_settings_set_string(s, FreeRDP_Domain, a->domain) &&
				  freerdp_settings_set_string(s, FreeRDP_Password, pst_secret_str(&a->password)));
}

static bool set_numbers(rdpSettings *s, const struct rdp_client *c, uint32_t layout)
{
	return freerdp_settings_set_uint32(s, FreeRDP_ServerPort, 3389) && freerdp_settings_set_uint16(s, FreeRDP_TLSMinVersion, TLS_1_2) &&
	       freerdp_settings_set_uint32(s, FreeRDP_DesktopWidth, (uint32_t)c->width) &&
	       freerdp_settings_set_uint32(s, FreeRDP_DesktopHeight, (uint32_t)c->height) && freerdp_settings_set_uint32(s, FreeRDP_ColorDepth, 32) &&
	       freerdp_settings_set_uint32(s, FreeRDP_KeyboardLayout, layout ? layout : LAYOUT_US) &&
	       freerdp_settings_set_uint32(s, FreeRDP_TcpConnectTimeout, TIMEOUT_MS) &&
	       freerdp_settings_set_uint32(s, FreeRDP_OffscreenSupportLevel, 0) && freerdp_settings_set_uint32(s, FreeRDP_GlyphSupportLevel, 0) &&
	       freerdp_settings_set_uint32(s, FreeRDP_LargePointerFlag, LARGE_POINTER_FLAG_96x96) &&
	       freerdp_settings_set_uint32(s, FreeRDP_ThreadingFlags, THREADING_FLAGS_DISABLE_THREADS);
}

bool rdp_settings_fill(rdpSettings *s, const struct rdp_client *c, const char *layout)
{
	uint32_t viewers = layout_id(layout), own = layout_id(c->account.layout);

	return set_flags(s, &c->account) && set_account(s, &c->account) && set_numbers(s, c, viewers ? viewers : own);
}
