/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wtsapi32 */
#include "agent/windows/wts.h"

#include <windows.h>

#include <wtsapi32.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/wide.h"

#define PROTOCOL_RDP 2 /* WTSClientProtocolType */
#define POWER_S 5

/* Of wtsapi32.h since Windows 8; mingw-w64's has neither the number nor the first fields of the structure. */
#define SESSION_INFO_EX ((WTS_INFO_CLASS)25)
#define STATE_LOCK 0
struct session_info_ex {
	DWORD level;
	DWORD padding; /* the union behind it has 64-bit times */
	ULONG id;
	LONG state;
	LONG flags;
};

/* Returns owned (WTSFreeMemory), or NULL. */
static void *ask(uint32_t id, WTS_INFO_CLASS what, DWORD min)
{
	wchar_t *out = NULL;
	DWORD size = 0;

	if (WTSQuerySessionInformationW(WTS_CURRENT_SERVER_HANDLE, id, what, &out, &size) && size >= min)
		return out;
	WTSFreeMemory(out);
	return NULL;
}

static void account_read(uint32_t id, char *out, size_t size)
{
	wchar_t *user = ask(id, WTSUserName, sizeof(wchar_t)), *domain = ask(id, WTSDomainName, sizeof(wchar_t));
	char name[128], realm[128];

	out[0] = '\0';
	if (user && user[0] && domain && domain[0])
		snprintf(out, size, "%s\\%s", wide_to(domain, realm, sizeof(realm)), wide_to(user, name, sizeof(name)));
	else if (user && user[0])
		snprintf(out, size, "%s", wide_to(user, name, sizeof(name)));
	WTSFreeMemory(user);
	WTSFreeMemory(domain);
}

static bool is_remote(uint32_t id)
{
	USHORT *protocol = ask(id, WTSClientProtocolType, sizeof(*protocol));
	bool is_rdp = protocol && *protocol == PROTOCOL_RDP;

	WTSFreeMemory(protocol);
	return is_rdp;
}

static bool is_locked(uint32_t id)
{
	struct session_info_ex *info = ask(id, SESSION_INFO_EX, sizeof(*info));
	bool locked = info && info->level == 1 && info->flags == STATE_LOCK;

	WTSFreeMemory(info);
	return locked;
}

static bool seat_read(const WTS_SESSION_INFOW *s, struct seat *out)
{
	memset(out, 0, sizeof(*out));
	if (s->SessionId == 0 || (s->State != WTSActive && s->State != WTSDisconnected && s->State != WTSConnected))
		return false; /* session 0 is the services', not a person's */
	account_read(s->SessionId, out->account, sizeof(out->account));
	out->id = s->SessionId;
	out->is_active = s->State == WTSActive;
	out->is_remote = is_remote(s->SessionId);
	out->is_locked = is_locked(s->SessionId);
	return out->account[0] != '\0';
}

int wts_look(struct seat *out, size_t max, size_t *ret_n, struct pst_err *err)
{
	WTS_SESSION_INFOW *list = NULL;
	DWORD count = 0;
	size_t n = 0;

	if (!WTSEnumerateSessionsW(WTS_CURRENT_SERVER_HANDLE, 0, 1, &list, &count))
		return wide_err(err, PST_EIO, GetLastError(), "the sessions cannot be listed");
	for (DWORD i = 0; i < count && n < max; i++)
		n += seat_read(&list[i], &out[n]);
	WTSFreeMemory(list);
	*ret_n = n;
	return 0;
}

int wts_message(uint32_t id, const char *text, struct pst_err *err)
{
	static wchar_t title[] = L"Puesto";
	wchar_t *w = wide_from(text);
	DWORD answer = 0;
	BOOL is_shown = w && WTSSendMessageW(WTS_CURRENT_SERVER_HANDLE, id, title, sizeof(title) - sizeof(title[0]), w,
				     (DWORD)(wcslen(w) * sizeof(*w)), MB_OK | MB_ICONINFORMATION | MB_SETFOREGROUND, 0, &answer, FALSE);
	DWORD error = GetLastError();

	free(w);
	return is_shown ? 0 : wide_err(err, PST_EIO, error, "the message cannot be shown");
}

int wts_logoff(uint32_t id, struct pst_err *err)
{
	return WTSLogoffSession(WTS_CURRENT_SERVER_HANDLE, id, FALSE) ? 0 : wide_err(err, PST_EIO, GetLastError(), "the session cannot be logged off");
}

static void privilege_enable(const wchar_t *name)
{
	TOKEN_PRIVILEGES p = { .PrivilegeCount = 1, .Privileges = { { .Attributes = SE_PRIVILEGE_ENABLED } } };
	HANDLE token;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token))
		return;
	if (LookupPrivilegeValueW(NULL, name, &p.Privileges[0].Luid))
		AdjustTokenPrivileges(token, FALSE, &p, 0, NULL, NULL);
	CloseHandle(token);
}

int wts_power(bool is_restart, const char *reason, struct pst_err *err)
{
	wchar_t *w = wide_from(reason);
	BOOL is_begun;

	privilege_enable(SE_SHUTDOWN_NAME);
	is_begun = w && InitiateSystemShutdownExW(NULL, w, POWER_S, TRUE, is_restart, SHTDN_REASON_FLAG_PLANNED);
	DWORD error = GetLastError();
	free(w);
	return is_begun ? 0 : wide_err(err, PST_EIO, error, "the machine cannot be restarted or switched off");
}
