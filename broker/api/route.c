/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deny by default: what does not stand here does not exist, and each row names its role. */
#include "broker/api/desktops.h"
#include "broker/api/route.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/api/personal.h"

#include <stdio.h>
#include <string.h>

#define SMALL 4096
#define BODY (64 * 1024)
#define SEGMENTS_MAX 6
#define SEGMENT_MAX 256

static const struct route table[] = {
	{METHOD_POST, "sessions", ROLE_OPEN, api_session_login, SMALL},
	{METHOD_GET, "openapi.json", ROLE_OPEN, api_openapi_get, 0},
	{METHOD_DELETE, "sessions/current", ROLE_USER, api_session_logout, 0},
	{METHOD_GET, "me", ROLE_USER, api_me_get, 0},
	{METHOD_PATCH, "me", ROLE_USER, api_me_patch, SMALL},
	{METHOD_POST, "me/password", ROLE_USER, api_me_password, SMALL},
	{METHOD_GET, "me/pools", ROLE_USER, api_me_pools, 0},
	{METHOD_POST, "me/pools/*/connect", ROLE_USER, api_me_connect, SMALL},
	{METHOD_DELETE, "me/pools/*/connect", ROLE_USER, api_me_connect_cancel, 0},
	{METHOD_POST, "me/desktops/*/logoff", ROLE_USER, api_me_logoff, SMALL},
	{METHOD_POST, "me/desktops/*/restart", ROLE_USER, api_me_restart, SMALL},
	{METHOD_GET, "me/desktops/*/snapshots", ROLE_USER, api_me_snapshots, 0},
	{METHOD_POST, "me/desktops/*/snapshots", ROLE_USER, api_me_snapshot_take, SMALL},
	{METHOD_POST, "me/desktops/*/snapshots/*/revert", ROLE_USER, api_me_snapshot_revert, SMALL},
	{METHOD_DELETE, "me/desktops/*/snapshots/*", ROLE_USER, api_me_snapshot_drop, 0},

	{METHOD_GET, "sessions", ROLE_ADMIN, api_session_list, 0},
	{METHOD_GET, "sessions/*", ROLE_ADMIN, api_session_get, 0},
	{METHOD_DELETE, "sessions/*", ROLE_ADMIN, api_session_end, 0},
	{METHOD_POST, "sessions/*/watch", ROLE_ADMIN, api_session_watch, SMALL},
	{METHOD_DELETE, "sessions/*/guests/*", ROLE_ADMIN, api_session_guest_end, 0},
	{METHOD_GET, "pools", ROLE_ADMIN, api_pool_list, 0},
	{METHOD_POST, "pools", ROLE_ADMIN, api_pool_create, BODY},
	{METHOD_GET, "pools/*", ROLE_ADMIN, api_pool_get, 0},
	{METHOD_PATCH, "pools/*", ROLE_ADMIN, api_pool_patch, BODY},
	{METHOD_DELETE, "pools/*", ROLE_ADMIN, api_pool_delete, 0},
	{METHOD_POST, "pools/*/drain", ROLE_ADMIN, api_pool_drain, SMALL},
	{METHOD_POST, "pools/*/maintenance", ROLE_ADMIN, api_pool_maintenance, SMALL},
	{METHOD_GET, "desktops", ROLE_ADMIN, api_desktop_list, 0},
	{METHOD_GET, "desktops/*", ROLE_ADMIN, api_desktop_get, 0},
	{METHOD_DELETE, "desktops/*", ROLE_ADMIN, api_desktop_delete, 0},
	{METHOD_POST, "desktops/*/restart", ROLE_ADMIN, api_desktop_restart, SMALL},
	{METHOD_POST, "desktops/*/logoff", ROLE_ADMIN, api_desktop_logoff, SMALL},
	{METHOD_POST, "desktops/*/refresh", ROLE_ADMIN, api_desktop_refresh, SMALL},
	{METHOD_POST, "desktops/*/drain", ROLE_ADMIN, api_desktop_drain, SMALL},
	{METHOD_POST, "desktops/*/message", ROLE_ADMIN, api_desktop_message, SMALL},
	{METHOD_POST, "desktops/*/power", ROLE_ADMIN, api_desktop_power, SMALL},
	{METHOD_POST, "desktops/*/resize", ROLE_ADMIN, api_desktop_resize, SMALL},
	{METHOD_POST, "desktops/*/migrate", ROLE_ADMIN, api_desktop_migrate, SMALL},
	{METHOD_POST, "desktops/*/console", ROLE_ADMIN, api_desktop_console, SMALL},
	{METHOD_DELETE, "desktops/*/consoles/*", ROLE_ADMIN, api_desktop_console_end, 0},
	{METHOD_GET, "desktops/*/snapshots", ROLE_ADMIN, api_desktop_snapshots, 0},
	{METHOD_POST, "desktops/*/snapshots", ROLE_ADMIN, api_desktop_snapshot_take, SMALL},
	{METHOD_POST, "desktops/*/snapshots/*/revert", ROLE_ADMIN, api_desktop_snapshot_revert, SMALL},
	{METHOD_DELETE, "desktops/*/snapshots/*", ROLE_ADMIN, api_desktop_snapshot_drop, 0},
	{METHOD_GET, "desktops/*/backups", ROLE_ADMIN, api_desktop_backups, 0},
	{METHOD_POST, "desktops/*/backups", ROLE_ADMIN, api_desktop_backup, SMALL},
	{METHOD_GET, "backups", ROLE_ADMIN, api_backup_list, 0},
	{METHOD_GET, "backups/*", ROLE_ADMIN, api_backup_get, 0},
	{METHOD_DELETE, "backups/*", ROLE_ADMIN, api_backup_delete, 0},
	{METHOD_POST, "backups/*/restore", ROLE_ADMIN, api_backup_restore, SMALL},
	{METHOD_POST, "backups/*/cancel", ROLE_ADMIN, api_backup_cancel, SMALL},
	{METHOD_GET, "images", ROLE_ADMIN, api_image_list, 0},
	{METHOD_POST, "images", ROLE_ADMIN, api_image_create, BODY},
	{METHOD_GET, "images/*", ROLE_ADMIN, api_image_get, 0},
	{METHOD_PATCH, "images/*", ROLE_ADMIN, api_image_patch, BODY},
	{METHOD_DELETE, "images/*", ROLE_ADMIN, api_image_delete, 0},
	{METHOD_POST, "images/*/versions", ROLE_ADMIN, api_image_version_add, BODY},
	{METHOD_POST, "images/*/versions/*/cancel", ROLE_ADMIN, api_version_cancel, SMALL},
	{METHOD_POST, "images/*/publish", ROLE_ADMIN, api_image_publish, SMALL},
	{METHOD_GET, "images/*/rollout", ROLE_ADMIN, api_rollout_get, 0},
	{METHOD_POST, "images/*/rollout/*", ROLE_ADMIN, api_rollout_act, SMALL},
	{METHOD_POST, "images/*/versions/*/retire", ROLE_ADMIN, api_version_retire, SMALL},
	{METHOD_POST, "images/*/versions/*/copies", ROLE_ADMIN, api_version_copy, SMALL},
	{METHOD_DELETE, "images/*/versions/*/copies/*", ROLE_ADMIN, api_version_copy_remove, 0},
	{METHOD_DELETE, "images/*/versions/*", ROLE_ADMIN, api_version_remove, 0},
	{METHOD_GET, "datastores", ROLE_ADMIN, api_datastore_list, 0},
	{METHOD_GET, "datastores/*", ROLE_ADMIN, api_datastore_get, 0},
	{METHOD_PATCH, "datastores/*", ROLE_ADMIN, api_datastore_patch, SMALL},
	{METHOD_DELETE, "datastores/*", ROLE_ADMIN, api_datastore_delete, 0},
	{METHOD_GET, "personal", ROLE_ADMIN, api_personal_list, 0},
	{METHOD_GET, "personal/*/*", ROLE_ADMIN, api_personal_get, 0},
	{METHOD_PATCH, "personal/*/*", ROLE_ADMIN, api_personal_patch, SMALL},
	{METHOD_DELETE, "personal/*/*", ROLE_ADMIN, api_personal_delete, 0},
	{METHOD_GET, "users/*/personal", ROLE_ADMIN, api_personal_of_user, 0},
	{METHOD_GET, "recycled", ROLE_ADMIN, api_recycled_list, 0},
	{METHOD_POST, "recycled/*/restore", ROLE_ADMIN, api_recycled_restore, SMALL},
	{METHOD_POST, "recycled/*/*/restore", ROLE_ADMIN, api_recycled_disk_restore, SMALL},
	{METHOD_DELETE, "recycled/*/*", ROLE_ADMIN, api_recycled_delete, 0},
	{METHOD_GET, "providers", ROLE_ADMIN, api_provider_list, 0},
	{METHOD_POST, "providers", ROLE_ADMIN, api_provider_create, BODY},
	{METHOD_GET, "providers/*", ROLE_ADMIN, api_provider_get, 0},
	{METHOD_PATCH, "providers/*", ROLE_ADMIN, api_provider_patch, BODY},
	{METHOD_DELETE, "providers/*", ROLE_ADMIN, api_provider_delete, 0},
	{METHOD_GET, "providers/*/hosts", ROLE_ADMIN, api_host_list, 0},
	{METHOD_GET, "providers/*/hosts/*", ROLE_ADMIN, api_host_get, 0},
	{METHOD_POST, "providers/*/hosts/*/maintenance", ROLE_ADMIN, api_host_maintenance, SMALL},
	{METHOD_GET, "providers/*/networks", ROLE_ADMIN, api_network_list, 0},
	{METHOD_POST, "reap", ROLE_ADMIN, api_provider_reap, SMALL},
	{METHOD_GET, "users", ROLE_ADMIN, api_user_list, 0},
	{METHOD_POST, "users", ROLE_ADMIN, api_user_create, SMALL},
	{METHOD_GET, "users/*", ROLE_ADMIN, api_user_get, 0},
	{METHOD_PATCH, "users/*", ROLE_ADMIN, api_user_patch, SMALL},
	{METHOD_DELETE, "users/*", ROLE_ADMIN, api_user_delete, 0},
	{METHOD_POST, "users/*/password", ROLE_ADMIN, api_user_password, SMALL},
	{METHOD_POST, "users/*/unlock", ROLE_ADMIN, api_user_unlock, SMALL},
	{METHOD_POST, "users/*/revoke", ROLE_ADMIN, api_user_revoke, SMALL},
	{METHOD_GET, "users/*/tokens", ROLE_ADMIN, api_token_list, 0},
	{METHOD_POST, "users/*/tokens", ROLE_ADMIN, api_token_create, SMALL},
	{METHOD_DELETE, "users/*/tokens/*", ROLE_ADMIN, api_token_delete, 0},
	{METHOD_GET, "groups", ROLE_ADMIN, api_group_list, 0},
	{METHOD_POST, "groups", ROLE_ADMIN, api_group_create, SMALL},
	{METHOD_GET, "groups/*", ROLE_ADMIN, api_group_get, 0},
	{METHOD_PATCH, "groups/*", ROLE_ADMIN, api_group_patch, SMALL},
	{METHOD_DELETE, "groups/*", ROLE_ADMIN, api_group_delete, 0},
	{METHOD_PUT, "groups/*/members/*", ROLE_ADMIN, api_group_member_put, SMALL},
	{METHOD_DELETE, "groups/*/members/*", ROLE_ADMIN, api_group_member_delete, 0},
	{METHOD_GET, "entitlements", ROLE_ADMIN, api_entitlement_list, 0},
	{METHOD_POST, "entitlements", ROLE_ADMIN, api_entitlement_create, SMALL},
	{METHOD_DELETE, "entitlements/*", ROLE_ADMIN, api_entitlement_delete, 0},
	{METHOD_GET, "events", ROLE_ADMIN, api_event_list, 0},
	{METHOD_GET, "events/stream", ROLE_ADMIN, api_event_stream, 0},
	{METHOD_GET, "events/verify", ROLE_ADMIN, api_event_verify, 0},
	{METHOD_GET, "status", ROLE_ADMIN, api_status_get, 0},
	{METHOD_GET, "explain", ROLE_ADMIN, api_explain_get, 0},
	{METHOD_POST, "revoke-all", ROLE_ADMIN, api_revoke_all, SMALL},
};

/* Does the pattern fit these segments? Its stars become params. */
static bool fits(const char *pattern, char *const *segments, size_t count, const char *params[CALL_PARAMS_MAX])
{
	size_t n = 0, stars = 0;

	for (;; n++) {
		size_t len = strcspn(pattern, "/");

		if (n >= count)
			return false;
		if (len == 1 && *pattern == '*') {
			params[stars++] = segments[n];
		} else if (strlen(segments[n]) != len || strncmp(segments[n], pattern, len) != 0) {
			return false;
		}
		if (!pattern[len])
			return n + 1 == count;
		pattern += len + 1;
	}
}

static size_t cut(char *path, char *segments[SEGMENTS_MAX])
{
	size_t n = 0;

	while (n < SEGMENTS_MAX) {
		segments[n++] = path;
		path = strchr(path, '/');
		if (!path)
			return n;
		*path++ = '\0';
	}
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX in one segment; "/", zero bytes, and what is no text or longer than any name stay refused. */
static bool segment_decode(char *s)
{
	char *out = s, *start = s;

	for (; *s; s++) {
		if (*s != '%') {
			*out++ = *s;
			continue;
		}
		int hi = hex(s[1]), lo = hi < 0 ? -1 : hex(s[2]);
		char c = (char)(hi * 16 + lo);
		if (lo < 0 || c == '\0' || c == '/')
			return false;
		*out++ = c;
		s += 2;
	}
	*out = '\0';
	return out - start <= SEGMENT_MAX && pst_utf8_valid(start, (size_t)(out - start));
}

static const char *allow_text(unsigned mask)
{
	static const char *const words[METHOD_COUNT] = {"GET", "POST", "PATCH", "PUT", "DELETE"};
	static char text[64];

	text[0] = '\0';
	for (unsigned m = 0; m < METHOD_COUNT; m++) {
		if (!(mask & (1u << m)))
			continue;
		if (*text)
			strcat(text, ", ");
		strcat(text, words[m]);
	}
	return text;
}

const struct route *route_find(enum method method, char *path, const char *ret_params[CALL_PARAMS_MAX],
	const char **ret_allow)
{
	char *segments[SEGMENTS_MAX];
	size_t count = cut(path, segments);
	unsigned mask = 0;

	*ret_allow = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!segment_decode(segments[i]))
			return NULL;
	}
	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++) {
		const char *params[CALL_PARAMS_MAX] = {NULL};

		if (!fits(table[i].path, segments, count, params))
			continue;
		if (table[i].method == method) {
			memcpy(ret_params, params, sizeof(params));
			return &table[i];
		}
		mask |= 1u << table[i].method;
	}
	if (mask)
		*ret_allow = allow_text(mask);
	return NULL;
}

const struct route *route_table(size_t *ret_count)
{
	*ret_count = PST_ARRAY_LEN(table);
	return table;
}
