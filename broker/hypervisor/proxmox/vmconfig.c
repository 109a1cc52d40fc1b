/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small readers and writers of strings. */
#include "broker/hypervisor/proxmox/vmconfig.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_MAX 38 /* of our name within theirs */

bool vmconfig_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n < VMCONFIG_NAME_SIZE && name[n] == '\0' && name[0] != '.' && name[0] != '-';
}

/* "key=AA:BB:CC:DD:EE:FF" of a part that ends at a comma or the end: where the address begins. */
static const char *mac_find(const char *net)
{
	for (const char *part = net; *part; part += part[strcspn(part, ",")] ? strcspn(part, ",") + 1 : strcspn(part, ",")) {
		size_t len = strcspn(part, ","), at = strcspn(part, "=");
		const char *mac = part + at + 1;
		bool is_mac = at < len && len - at == VMCONFIG_MAC_SIZE;

		for (size_t i = 0; is_mac && i < VMCONFIG_MAC_SIZE - 1; i++)
			is_mac = i % 3 == 2 ? mac[i] == ':' : isxdigit((unsigned char)mac[i]) != 0;
		if (is_mac)
			return mac;
	}
	return NULL;
}

bool vmconfig_mac(const char *net, char out[VMCONFIG_MAC_SIZE])
{
	const char *mac = mac_find(net);

	for (size_t i = 0; mac && i < VMCONFIG_MAC_SIZE - 1; i++)
		out[i] = (char)tolower((unsigned char)mac[i]);
	out[mac ? VMCONFIG_MAC_SIZE - 1 : 0] = '\0';
	return mac != NULL;
}

bool vmconfig_mac_set(const char *net, const char *mac, char out[VMCONFIG_VALUE_SIZE])
{
	const char *at = mac_find(net);

	if (!at || strlen(mac) != VMCONFIG_MAC_SIZE - 1 || pst_strlcpy(out, VMCONFIG_VALUE_SIZE, net) < 0)
		return false;
	for (size_t i = 0; i < VMCONFIG_MAC_SIZE - 1; i++)
		out[(size_t)(at - net) + i] = mac[i];
	return true;
}

bool vmconfig_bridge_set(const char *net, const char *bridge, uint32_t tag, char out[VMCONFIG_VALUE_SIZE])
{
	static const char *const own[] = { "bridge=", "tag=", "trunks=" };
	char vlan[24] = "";
	size_t n = 0;

	if (tag)
		snprintf(vlan, sizeof(vlan), ",tag=%u", tag);
	for (const char *part = net; *part;) {
		size_t len = strcspn(part, ",");
		bool is_own = false;

		for (size_t i = 0; i < PST_ARRAY_LEN(own); i++)
			is_own |= strncmp(part, own[i], strlen(own[i])) == 0;
		if (!is_own && n + len + 1 >= VMCONFIG_VALUE_SIZE)
			return false;
		if (!is_own) {
			memcpy(out + n, part, len);
			n += len;
			out[n++] = ',';
		}
		part += len + (part[len] == ',');
	}
	int more = snprintf(out + n, VMCONFIG_VALUE_SIZE - n, "bridge=%s%s", bridge, vlan);
	return more > 0 && (size_t)more < VMCONFIG_VALUE_SIZE - n;
}

uint64_t vmconfig_drive_mb(const char *drive)
{
	static const struct {
		char unit;
		double mb;
	} units[] = { { 'K', 1.0 / 1024 }, { 'M', 1 }, { 'G', 1024 }, { 'T', 1024.0 * 1024 }, { '\0', 1.0 / 1024 / 1024 }, { ',', 1.0 / 1024 / 1024 } };
	const char *size = strstr(drive, ",size=");
	char *end;
	double n;

	if (!size || !isdigit((unsigned char)size[6]))
		return 0;
	n = strtod(size + 6, &end);
	for (size_t i = 0; i < PST_ARRAY_LEN(units); i++) {
		if (*end == units[i].unit && n * units[i].mb < 1e12)
			return (uint64_t)(n * units[i].mb);
	}
	return 0;
}

static bool is_disk(const json_t *config, const char *key)
{
	const char *value = json_string_value(json_object_get(config, key));

	return value && !strstr(value, "media=cdrom") && strchr(value, ':');
}

bool vmconfig_disk(const json_t *config, char out[VMCONFIG_DRIVE_SIZE])
{
	static const char *const usual[] = { "scsi0", "virtio0", "sata0", "ide0" };
	const char *boot = json_string_value(json_object_get(config, "boot"));

	boot = boot && pst_str_starts(boot, "order=") ? boot + strlen("order=") : "";
	while (*boot) {
		size_t n = strcspn(boot, ";,");

		if (n < VMCONFIG_DRIVE_SIZE) {
			memcpy(out, boot, n);
			out[n] = '\0';
			if (strncmp(out, "net", 3) != 0 && is_disk(config, out))
				return true;
		}
		boot += n + (boot[n] != '\0');
	}
	for (size_t i = 0; i < PST_ARRAY_LEN(usual); i++) {
		if (is_disk(config, usual[i]))
			return pst_strlcpy(out, VMCONFIG_DRIVE_SIZE, usual[i]) == 0;
	}
	return false;
}

/* The next tag from *at on; 0 at the end. */
static size_t tag_next(const char **at)
{
	*at += strspn(*at, ";, ");
	return strcspn(*at, ";, ");
}

bool vmconfig_has_tag(const char *tags, const char *tag)
{
	size_t n;

	for (; (n = tag_next(&tags)) > 0; tags += n) {
		if (n == strlen(tag) && strncmp(tags, tag, n) == 0)
			return true;
	}
	return false;
}

bool vmconfig_tag_rest(const char *tags, const char *beginning, char *out, size_t size)
{
	size_t n, b = strlen(beginning);

	for (; (n = tag_next(&tags)) > 0; tags += n) {
		if (n < b || n - b >= size || strncmp(tags, beginning, b) != 0)
			continue;
		memcpy(out, tags + b, n - b);
		out[n - b] = '\0';
		return true;
	}
	return false;
}

static bool is_our_tag(const char *tag, size_t n)
{
	return (n == strlen(VMCONFIG_TAG) && strncmp(tag, VMCONFIG_TAG, n) == 0) ||
		strncmp(tag, VMCONFIG_TAG_MARK, strlen(VMCONFIG_TAG_MARK)) == 0 || strncmp(tag, VMCONFIG_TAG_REV, strlen(VMCONFIG_TAG_REV)) == 0;
}

bool vmconfig_tags(const char *old, const char *mark, const char *rev, char out[VMCONFIG_VALUE_SIZE])
{
	int at = snprintf(out, VMCONFIG_VALUE_SIZE, "%s;%s%s;%s%s", VMCONFIG_TAG, VMCONFIG_TAG_MARK, mark, VMCONFIG_TAG_REV, rev);
	size_t n;

	for (; (n = tag_next(&old)) > 0; old += n) {
		if (is_our_tag(old, n))
			continue;
		if (at < 0 || (size_t)at + n + 2 > VMCONFIG_VALUE_SIZE)
			return false;
		at += snprintf(out + at, VMCONFIG_VALUE_SIZE - (size_t)at, ";%.*s", (int)n, old);
	}
	return at > 0 && at < VMCONFIG_VALUE_SIZE;
}

void vmconfig_rev(const char *text, char out[VMCONFIG_REV_SIZE])
{
	uint8_t sum[PST_SHA256_LEN];

	pst_sha256(text, strlen(text), sum);
	pst_hex_encode(sum, (VMCONFIG_REV_SIZE - 1) / 2, out, VMCONFIG_REV_SIZE);
}

void vmconfig_snapshot(const char *name, char out[VMCONFIG_SNAPSHOT_SIZE])
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	uint8_t sum[PST_SHA256_LEN];

	if (name[n] == '\0' && n > 0 && n <= SNAPSHOT_MAX) {
		snprintf(out, VMCONFIG_SNAPSHOT_SIZE, "p-%s", name);
		return;
	}
	pst_sha256(name, strlen(name), sum);
	memcpy(out, "q-", 2);
	pst_hex_encode(sum, 16, out + 2, VMCONFIG_SNAPSHOT_SIZE - 2);
}

bool vmconfig_upid_node(const char *upid, char out[VMCONFIG_NAME_SIZE])
{
	const char *node = upid + strlen("UPID:");
	size_t n;

	if (!pst_str_starts(upid, "UPID:") || strlen(upid) >= VMCONFIG_UPID_SIZE)
		return false;
	n = strcspn(node, ":");
	if (n == 0 || n >= VMCONFIG_NAME_SIZE || node[n] != ':')
		return false;
	memcpy(out, node, n);
	out[n] = '\0';
	return vmconfig_name_valid(out);
}

int vmconfig_code(const char *words, int otherwise)
{
	static const struct {
		const char *one, *two;
		int code;
	} sentences[] = {
		{ "onfiguration file", "does not exist", PST_ENOTFOUND },
		{ "snapshot", "does not exist", PST_ENOTFOUND },
		{ "already exist", "", PST_ECONFLICT },
		{ "VM is locked", "", PST_EBUSY },
		{ "can't lock file", "", PST_EBUSY },
		{ "got timeout", "", PST_EBUSY },
		{ "already running", "", PST_EBUSY }, /* whoever asks looks again */
		{ "not running", "", PST_EBUSY },
		{ "snapshot name", "already used", PST_EBUSY },
		{ "No space left", "", PST_ENOSPC },
		{ "not enough", "space", PST_ENOSPC },
		{ "insufficient free space", "", PST_ENOSPC },
		{ "out of space", "", PST_ENOSPC },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(sentences); i++) {
		if (strstr(words, sentences[i].one) && strstr(words, sentences[i].two))
			return sentences[i].code;
	}
	return otherwise;
}
