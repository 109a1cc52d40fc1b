/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FreeRDP's and the server's numbers as sentences that say what to do. */
#include "protocol/source/rdp/words.h"

#include <freerdp/error.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

#define LICENCE_FIRST ERRINFO_LICENSE_INTERNAL
#define LICENCE_LAST ERRINFO_LICENSE_NO_REMOTE_CONNECTIONS

static const char not_user[] = "it does not take the user name or password that is noted for it; an administrator corrects it";
static const char account[] = "the account that is noted for it is disabled, locked, expired or may not log in now; an administrator looks at it";
static const char rights[] = "the account that is noted for it may not log in by RDP; an administrator adds it to the machine's group for that";
static const char encryption[] = "it wants another log-in or encryption than is set: with Network Level Authentication its account has to be noted, and TLS it must speak";

static const struct {
	uint32_t number;
	struct rdp_reason reason;
} said[] = {
	{ ERRINFO_RPC_INITIATED_DISCONNECT, { PST_ECLOSED, "an administrator of the machine ended the connection" } },
	{ ERRINFO_RPC_INITIATED_LOGOFF, { 0, "logged off" } },
	{ ERRINFO_IDLE_TIMEOUT, { PST_ETIMEOUT, "the machine ended it: nothing was done for too long" } },
	{ ERRINFO_LOGON_TIMEOUT, { PST_ETIMEOUT, "the machine ended it: the time that it allows was over" } },
	{ ERRINFO_DISCONNECTED_BY_OTHER_CONNECTION, { PST_ECONFLICT, "somebody else connected to the machine, or sits at it" } },
	{ ERRINFO_OUT_OF_MEMORY, { PST_EIO, "the machine has no memory left" } },
	{ ERRINFO_SERVER_DENIED_CONNECTION, { PST_EDENIED, "the machine takes no connections; an administrator looks whether it allows remote ones" } },
	{ ERRINFO_SERVER_INSUFFICIENT_PRIVILEGES, { PST_EDENIED, rights } },
	{ ERRINFO_SERVER_FRESH_CREDENTIALS_REQUIRED, { PST_EAUTH, not_user } },
	{ ERRINFO_RPC_INITIATED_DISCONNECT_BY_USER, { PST_ECLOSED, "it was disconnected at the machine" } },
	{ ERRINFO_LOGOFF_BY_USER, { 0, "logged off" } },
};

static const struct {
	uint32_t number;
	struct rdp_reason reason;
} met[] = {
	{ FREERDP_ERROR_AUTHENTICATION_FAILED, { PST_EAUTH, not_user } },
	{ FREERDP_ERROR_CONNECT_LOGON_FAILURE, { PST_EAUTH, not_user } },
	{ FREERDP_ERROR_CONNECT_WRONG_PASSWORD, { PST_EAUTH, not_user } },
	{ FREERDP_ERROR_CONNECT_NO_OR_MISSING_CREDENTIALS, { PST_EAUTH, not_user } },
	{ FREERDP_ERROR_CONNECT_ACCESS_DENIED, { PST_EDENIED, rights } },
	{ FREERDP_ERROR_INSUFFICIENT_PRIVILEGES, { PST_EDENIED, rights } },
	{ FREERDP_ERROR_CONNECT_LOGON_TYPE_NOT_GRANTED, { PST_EDENIED, rights } },
	{ FREERDP_ERROR_CONNECT_ACCOUNT_DISABLED, { PST_EAUTH, account } },
	{ FREERDP_ERROR_CONNECT_ACCOUNT_LOCKED_OUT, { PST_EAUTH, account } },
	{ FREERDP_ERROR_CONNECT_ACCOUNT_EXPIRED, { PST_EAUTH, account } },
	{ FREERDP_ERROR_CONNECT_ACCOUNT_RESTRICTION, { PST_EAUTH, account } },
	{ FREERDP_ERROR_CONNECT_CLIENT_REVOKED, { PST_EAUTH, account } },
	{ FREERDP_ERROR_CONNECT_PASSWORD_EXPIRED, { PST_EAUTH, account } },
	{ FREERDP_ERROR_CONNECT_PASSWORD_CERTAINLY_EXPIRED, { PST_EAUTH, account } },
	{ FREERDP_ERROR_CONNECT_PASSWORD_MUST_CHANGE, { PST_EAUTH, account } },
	{ FREERDP_ERROR_SECURITY_NEGO_CONNECT_FAILED, { PST_EUNSUPPORTED, encryption } },
	{ FREERDP_ERROR_TLS_CONNECT_FAILED, { PST_EPROTO, "no encrypted connection to its RDP server came about" } },
	{ FREERDP_ERROR_CONNECT_TRANSPORT_FAILED,
		{ PST_ECLOSED, "its RDP server closed the connection while it began; an administrator looks at the server's log" } },
};

/* Licences: [MS-RDPELE]; the machine's server has none left, or finds no server of licences. */
static bool is_licence(uint32_t info)
{
	return info >= LICENCE_FIRST && info <= LICENCE_LAST;
}

struct rdp_reason rdp_reason_of(uint32_t last_error, uint32_t info, bool was_shown)
{
	if (is_licence(info))
		return (struct rdp_reason){ PST_EDENIED, "the machine has no licence for remote desktops left; an administrator looks at its licence server" };
	for (size_t i = 0; info && i < PST_ARRAY_LEN(said); i++)
		if (said[i].number == info)
			return said[i].reason;
	for (size_t i = 0; !was_shown && i < PST_ARRAY_LEN(met); i++)
		if (met[i].number == last_error)
			return met[i].reason;
	if (was_shown)
		return (struct rdp_reason){ PST_ECLOSED, "its RDP server closed the connection; was the machine stopped or restarted?" };
	return (struct rdp_reason){ PST_EPROTO, "its RDP server broke off before there was a picture; an administrator looks at the server's log" };
}
