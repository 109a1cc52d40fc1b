/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual channels; see channel.h. */
#include "protocol/front/rdp/channel.h"

#include <freerdp/channels/wtsvc.h>
#include <stdlib.h>

#include "protocol/front/rdp/guard.h"

static DWORD session_of(HANDLE manager)
{
	LPSTR id = NULL;
	DWORD len = 0, session = 0;
	if (WTSQuerySessionInformationA(manager, WTS_CURRENT_SESSION, WTSSessionId, &id, &len) && id) {
		session = *(const DWORD *)(const void *)id;
		WTSFreeMemory(id);
	}
	return session;
}

HANDLE channel_open_dynamic(HANDLE manager, const char *name)
{
	return WTSVirtualChannelOpenEx(session_of(manager), (LPSTR)(uintptr_t)name, WTS_CHANNEL_OPTION_DYNAMIC);
}

bool channel_is_ready(HANDLE channel)
{
	PVOID answer = NULL;
	DWORD len = 0;
	bool is_ready = WTSVirtualChannelQuery(channel, WTSVirtualChannelReady, &answer, &len) && answer && *(const BOOL *)answer;
	WTSFreeMemory(answer);
	return is_ready;
}

bool channel_is_gone(HANDLE channel)
{
	PVOID answer = NULL;
	DWORD len = 0;
	bool is_known = WTSVirtualChannelQuery(channel, WTSVirtualChannelReady, &answer, &len);
	WTSFreeMemory(answer);
	return !is_known;
}

/* With no room the library says how long the next message is. */
static int read_one(HANDLE channel, uint8_t **ret, ULONG *ret_len, struct pst_err *err)
{
	ULONG len = 0;
	*ret = NULL;
	*ret_len = 0;
	if (!WTSVirtualChannelRead(channel, 0, NULL, 0, &len) || len == 0)
		return 0;
	if (len > GUARD_MESSAGE_MAX)
		return pst_err_set(err, PST_ELIMIT, "a message of %lu bytes of the RDP client is over the limit of %u", (unsigned long)len, GUARD_MESSAGE_MAX);
	*ret = malloc(len);
	if (!*ret)
		return pst_err_set(err, PST_ENOMEM, "no memory for a message of the RDP client");
	if (!WTSVirtualChannelRead(channel, 0, (PCHAR)*ret, len, ret_len))
		*ret_len = 0;
	return 0;
}

/* Until nothing is left: the library's queue has no ceiling but the client's bytes of this turn. */
int channel_read(HANDLE channel, int (*take)(void *arg, const uint8_t *data, size_t len, struct pst_err *err), void *arg, struct pst_err *err)
{
	for (;;) {
		uint8_t *data;
		ULONG len;
		int r = read_one(channel, &data, &len, err);
		if (r == 0 && len > 0)
			r = take(arg, data, len, err);
		free(data);
		if (r < 0 || len == 0)
			return r;
	}
}

int channel_write(HANDLE channel, const struct pst_buf *message, struct pst_err *err)
{
	ULONG written = 0;
	if (message->failed || message->len > UINT32_MAX || !WTSVirtualChannelWrite(channel, (PCHAR)message->data, (ULONG)message->len, &written))
		return pst_err_set(err, PST_ECLOSED, "a channel of the RDP client takes no more");
	return 0;
}
