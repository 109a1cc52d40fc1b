/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds of pools (https://libvirt.org/storage.html) and places of their volumes (formatstorage.html). */
#include "broker/hypervisor/libvirt/pool_kind.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct pool_kind kinds[] = {
	{ "dir", POOL_CREATES },
	{ "fs", POOL_CREATES },
	{ "netfs", POOL_CREATES },
	{ "logical", POOL_CREATES | POOL_WHOLE | POOL_BLOCK | POOL_EXTENDS },
	{ "zfs", POOL_CREATES | POOL_BLOCK | POOL_EXTENDS | POOL_RESERVES },
	{ "rbd", POOL_CREATES | POOL_NETWORK | POOL_SEALS },
	{ "iscsi-direct", POOL_NETWORK | POOL_WHOLE },
};

const struct pool_kind *pool_kind_find(const char *type)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	}
	return NULL;
}

const char *pool_kinds(void)
{
	return "dir, fs, netfs, logical, zfs, rbd, iscsi-direct";
}

int pool_extend_words(const struct pool_kind *kind, const char *device, uint64_t size, struct pool_extend *ret, struct pst_err *err)
{
	bool is_zfs = strcmp(kind->type, "zfs") == 0;

	if (!(kind->can & POOL_EXTENDS) || !pst_str_starts(device, is_zfs ? POOL_ZVOLS : "/dev/") ||
		pst_strlcpy(ret->name, sizeof(ret->name), is_zfs ? device + strlen(POOL_ZVOLS) : device) < 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "nothing makes a volume larger that is at \"%.100s\" in a pool of the kind %s", device, kind->type);
	snprintf(ret->size, sizeof(ret->size), is_zfs ? "volsize=%" PRIu64 : "%" PRIu64 "b", size);
	if (is_zfs)
		memcpy(ret->argv, (const char *const[6]){ "/sbin/zfs", "set", ret->size, ret->name }, sizeof(ret->argv));
	else
		memcpy(ret->argv, (const char *const[6]){ "/sbin/lvextend", "-q", "-L", ret->size, ret->name }, sizeof(ret->argv));
	return 0;
}

/* element's attribute, or its text where attribute is NULL, within the first part of that name. */
static bool value_within(const char *xml, const char *part, const char *element, const char *attribute, char *out, size_t size)
{
	const char *from = xml_find(xml, part), *tag = from ? xml_find(from, element) : NULL;

	return tag && (attribute ? xml_attribute(tag, attribute, out, size) : xml_text(tag, out, size));
}

/* libvirt names a LUN "unit:0:0:7". */
static int iscsi_place(const char *pool_xml, const char *name, struct disk_place *p, struct pst_err *err)
{
	char host[256], port[16] = "3260", iqn[224], initiator[224] = "", text[800];
	const char *lun = strrchr(name, ':');
	bool is_v6;

	if (!value_within(pool_xml, "source", "host", "name", host, sizeof(host)) || !value_within(pool_xml, "source", "device", "path", iqn, sizeof(iqn)) ||
		!lun || !pst_str_starts(name, "unit:"))
		return pst_err_set(err, PST_EINVAL, "the pool does not say which target it is, or \"%.60s\" is no LUN", name);
	value_within(pool_xml, "source", "host", "port", port, sizeof(port));
	value_within(pool_xml, "initiator", "iqn", "name", initiator, sizeof(initiator));
	is_v6 = strchr(host, ':') != NULL;
	snprintf(text, sizeof(text), "iscsi://%s%s%s:%s/%s/%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port, iqn, lun + 1);
	if (place_parse(text, p, err) < 0)
		return err->code;
	return pst_strlcpy(p->initiator, sizeof(p->initiator), initiator);
}

/* The user and libvirt's name of his key are the pool's. */
static int rbd_place(const char *pool_xml, const char *name, struct disk_place *p, struct pst_err *err)
{
	char pool[100], user[120] = "", secret[64] = "", text[400];
	struct pst_uuid u;

	if (!value_within(pool_xml, "source", "name", NULL, pool, sizeof(pool)))
		return pst_err_set(err, PST_EINVAL, "libvirt does not say which of Ceph's pools it is");
	value_within(pool_xml, "source", "auth", "username", user, sizeof(user));
	value_within(pool_xml, "auth", "secret", "uuid", secret, sizeof(secret));
	snprintf(text, sizeof(text), "rbd:%s/%.120s%s%s", pool, name, user[0] ? ":id=" : "", user);
	if (place_parse(text, p, err) < 0)
		return err->code;
	if (user[0] && pst_uuid_parse(secret, &u) < 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "the pool's secret must be named by its uuid (<secret uuid='…'/>)");
	return user[0] ? pst_strlcpy(p->secret, sizeof(p->secret), secret) : 0;
}

int pool_place(const struct pool_kind *kind, const char *pool_xml, const char *volume_xml, const char *name, struct disk_place *ret,
	struct pst_err *err)
{
	char path[PLACE_URL_SIZE];

	if (kind->can & POOL_NETWORK)
		return kind->can & POOL_CREATES ? rbd_place(pool_xml, name, ret, err) : iscsi_place(pool_xml, name, ret, err);
	if (!value_within(volume_xml, "target", "path", NULL, path, sizeof(path)))
		return pst_err_set(err, PST_EINVAL, "libvirt does not say where volume \"%.60s\" is", name);
	if (path[0] != '/' || place_parse(path, ret, err) < 0)
		return pst_err_set(err, PST_EINVAL, "volume \"%.60s\" is at \"%.100s\", which is no usable path", name, path);
	ret->kind = kind->can & POOL_BLOCK ? PLACE_BLOCK : PLACE_FILE;
	return 0;
}
