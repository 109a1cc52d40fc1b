/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clipboard text both ways by [MS-RDPECLIP]. Ours is offered and goes when it is asked for; the server's is fetched at once. */
#include <stdlib.h>
#include <winpr/clipboard.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "protocol/link/utf16.h"
#include "protocol/source/rdp/client_priv.h"
#include "protocol/source/source.h"

static UINT send_offer(struct rdp_client *c)
{
	CLIPRDR_FORMAT format = { .formatId = CF_UNICODETEXT };
	CLIPRDR_FORMAT_LIST list = { .common = { .msgType = CB_FORMAT_LIST }, .numFormats = c->text.utf8 ? 1 : 0, .formats = &format };

	return c->cliprdr->ClientFormatList(c->cliprdr, &list);
}

static UINT on_ready(CliprdrClientContext *cliprdr, const CLIPRDR_MONITOR_READY *ready)
{
	CLIPRDR_GENERAL_CAPABILITY_SET general = {
		.capabilitySetType = CB_CAPSTYPE_GENERAL,
		.capabilitySetLength = CB_CAPSTYPE_GENERAL_LEN,
		.version = CB_CAPS_VERSION_2,
		.generalFlags = CB_USE_LONG_FORMAT_NAMES,
	};
	CLIPRDR_CAPABILITIES caps = { .cCapabilitiesSets = 1, .capabilitySets = (CLIPRDR_CAPABILITY_SET *)&general };
	UINT rc = cliprdr->ClientCapabilities(cliprdr, &caps);

	return rc == CHANNEL_RC_OK ? send_offer(cliprdr->custom) : rc;
}

static UINT on_formats(CliprdrClientContext *cliprdr, const CLIPRDR_FORMAT_LIST *list)
{
	CLIPRDR_FORMAT_LIST_RESPONSE taken = { .common = { .msgType = CB_FORMAT_LIST_RESPONSE, .msgFlags = CB_RESPONSE_OK } };
	CLIPRDR_FORMAT_DATA_REQUEST want = { .common = { .msgType = CB_FORMAT_DATA_REQUEST }, .requestedFormatId = CF_UNICODETEXT };
	UINT rc = cliprdr->ClientFormatListResponse(cliprdr, &taken);

	for (UINT32 i = 0; rc == CHANNEL_RC_OK && i < list->numFormats; i++)
		if (list->formats[i].formatId == CF_UNICODETEXT)
			return cliprdr->ClientFormatDataRequest(cliprdr, &want);
	return rc;
}

static UINT on_request(CliprdrClientContext *cliprdr, const CLIPRDR_FORMAT_DATA_REQUEST *request)
{
	struct rdp_client *c = cliprdr->custom;
	CLIPRDR_FORMAT_DATA_RESPONSE answer = { .common = { .msgType = CB_FORMAT_DATA_RESPONSE, .msgFlags = CB_RESPONSE_FAIL } };
	struct pst_buf data;
	UINT rc;

	pst_buf_init(&data, 4 * CLIPBOARD_TEXT_MAX + 16);
	if (request->requestedFormatId == CF_UNICODETEXT && c->text.utf8)
		utf16_from_text(&data, c->text.utf8, c->text.len);
	if (data.len > 0 && !data.failed) {
		answer.common.msgFlags = CB_RESPONSE_OK;
		answer.common.dataLen = (UINT32)data.len;
		answer.requestedFormatData = data.data;
	}
	rc = cliprdr->ClientFormatDataResponse(cliprdr, &answer);
	pst_buf_finish(&data);
	return rc;
}

static UINT on_data(CliprdrClientContext *cliprdr, const CLIPRDR_FORMAT_DATA_RESPONSE *answer)
{
	struct rdp_client *c = cliprdr->custom;
	struct pst_buf text;

	if (!(answer->common.msgFlags & CB_RESPONSE_OK) || !answer->requestedFormatData)
		return CHANNEL_RC_OK;
	pst_buf_init(&text, CLIPBOARD_TEXT_MAX);
	utf16_to_text(&text, answer->requestedFormatData, answer->common.dataLen);
	if (!text.failed && text.len > 0 && pst_utf8_valid((const char *)text.data, text.len)) {
		rdp_news_clipboard(c->box, (char *)text.data, text.len);
		return CHANNEL_RC_OK;
	}
	pst_buf_finish(&text);
	return CHANNEL_RC_OK;
}

static UINT on_taken(CliprdrClientContext *cliprdr, const CLIPRDR_FORMAT_LIST_RESPONSE *response)
{
	return CHANNEL_RC_OK;
}

static UINT on_caps(CliprdrClientContext *cliprdr, const CLIPRDR_CAPABILITIES *caps)
{
	return CHANNEL_RC_OK;
}

void rdp_clipboard_open(struct rdp_client *c, CliprdrClientContext *cliprdr)
{
	c->cliprdr = cliprdr;
	cliprdr->custom = c;
	cliprdr->MonitorReady = on_ready;
	cliprdr->ServerCapabilities = on_caps;
	cliprdr->ServerFormatList = on_formats;
	cliprdr->ServerFormatListResponse = on_taken;
	cliprdr->ServerFormatDataRequest = on_request;
	cliprdr->ServerFormatDataResponse = on_data;
}

void rdp_clipboard_offer(struct rdp_client *c, struct rdp_text *text)
{
	free(c->text.utf8);
	c->text = *text;
	*text = (struct rdp_text){ NULL, 0 };
	if (c->cliprdr)
		send_offer(c);
}
