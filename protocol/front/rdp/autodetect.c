/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network characteristics detection by the library's message channel, for clients that announce it (RNS_UD_CS_SUPPORT_NETCHAR_AUTODETECT): only the
 * continuous kind, [MS-RDPBCGR] 1.3.9.2, which holds no log-in up. The window learns the path.
 */
#include <freerdp/autodetect.h>

#include "base/clock.h"
#include "protocol/front/rdp/rdp_priv.h"

static FREERDP_AUTODETECT_STATE on_connect(rdpAutoDetect *detect)
{
	return FREERDP_AUTODETECT_STATE_COMPLETE;
}

static BOOL on_request(rdpAutoDetect *detect, RDP_TRANSPORT_TYPE transport, UINT16 type, UINT16 sequence)
{
	rdp_of(detect->context)->is_reversed = true;
	return TRUE;
}

static BOOL on_trip(rdpAutoDetect *detect, RDP_TRANSPORT_TYPE transport, UINT16 sequence)
{
	struct rdp *f = rdp_of(detect->context);
	uint64_t now = pst_mono_ns(), took;
	bool was_idle;

	if (detect_answer_trip(&f->detect, sequence, now, &took, &was_idle))
		window_echo(&f->window, took, was_idle, now);
	return TRUE;
}

static BOOL on_rate(rdpAutoDetect *detect, RDP_TRANSPORT_TYPE transport, UINT16 sequence, UINT16 type, UINT32 took_ms, UINT32 count)
{
	struct rdp *f = rdp_of(detect->context);
	uint64_t bytes;

	if (detect_answer_rate(&f->detect, sequence, took_ms, count, pst_mono_ns(), &bytes))
		window_measured(&f->window, bytes, took_ms * 1000000ull);
	return TRUE;
}

void rdp_detect_register(struct rdp *f)
{
	rdpAutoDetect *detect = f->peer->context->autodetect;

	detect->OnConnectTimeAutoDetectBegin = on_connect;
	detect->RequestReceived = on_request;
	detect->RTTMeasureResponse = on_trip;
	detect->BandwidthMeasureResults = on_rate;
}

static bool may_ask(const struct rdp *f)
{
	return freerdp_settings_get_bool(f->peer->context->settings, FreeRDP_NetworkAutoDetect) &&
	       freerdp_get_state(f->peer->context) >= CONNECTION_STATE_ACTIVE;
}

void rdp_detect_trip(struct rdp *f)
{
	rdpAutoDetect *detect = f->peer->context->autodetect;
	uint64_t now = pst_mono_ns();
	uint16_t sequence = may_ask(f) && window_wants_probe(&f->window, now) ? detect_ask_trip(&f->detect, window_is_idle(&f->window), now) : 0;

	if (sequence)
		detect->RTTMeasureRequest(detect, RDP_TRANSPORT_TCP, sequence);
}

void rdp_detect_start(struct rdp *f)
{
	rdpAutoDetect *detect = f->peer->context->autodetect;
	uint16_t sequence = may_ask(f) ? detect_start(&f->detect, pst_mono_ns()) : 0;

	if (sequence)
		detect->BandwidthMeasureStart(detect, RDP_TRANSPORT_TCP, sequence);
}

void rdp_detect_stop(struct rdp *f, uint64_t bytes)
{
	rdpAutoDetect *detect = f->peer->context->autodetect;
	uint16_t sequence = detect_stop(&f->detect, bytes);

	if (sequence)
		detect->BandwidthMeasureStop(detect, RDP_TRANSPORT_TCP, sequence, 0);
}
