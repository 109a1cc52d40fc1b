/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Places of disks from and to text: RFC 3986 as far as iSCSI and NFS need it, QEMU's name of a Ceph image, and QEMU's options. */
#include "broker/hypervisor/disk/place.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define ISCSI "iscsi://"
#define NFS "nfs://"
#define RBD "rbd:"
#define RBD_ID ":id="
#define ISCSI_PORT 3260
#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"

bool place_is_remote(const char *text)
{
	const char *colon = strchr(text, ':');

	/* What stands before a colon is a protocol to QEMU, unless a slash stands before that. */
	return colon && !memchr(text, '/', (size_t)(colon - text));
}

/* The text up to the next of stops; moves *at there. */
static int part_take(const char **at, const char *stops, const char *bytes, char *out, size_t size)
{
	size_t n = strcspn(*at, stops);

	if (n == 0 || n >= size || strspn(*at, bytes) < n)
		return PST_EINVAL;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n;
	return 0;
}

static int host_take(const char **at, struct disk_place *p)
{
	if (**at != '[')
		return part_take(at, ":/", NAME_BYTES, p->host, sizeof(p->host));
	(*at)++;
	if (part_take(at, "]", "0123456789abcdefABCDEF:.", p->host, sizeof(p->host)) < 0 || **at != ']')
		return PST_EINVAL;
	(*at)++;
	return 0;
}

static int number_take(const char **at, const char *stops, uint32_t max, uint32_t *ret)
{
	char text[16];

	return part_take(at, stops, "0123456789", text, sizeof(text)) < 0 ? PST_EINVAL : pst_parse_u32(text, 0, max, ret);
}

static int iscsi_parse(const char *text, struct disk_place *p, struct pst_err *err)
{
	const char *at = text + strlen(ISCSI);
	uint32_t port = ISCSI_PORT;

	p->kind = PLACE_ISCSI;
	if (host_take(&at, p) < 0 || (*at == ':' && (at++, number_take(&at, "/", UINT16_MAX, &port)) < 0) || *at++ != '/' ||
		part_take(&at, "/", NAME_BYTES ":", p->target, sizeof(p->target)) < 0 || *at++ != '/' ||
		number_take(&at, "", PLACE_LUN_MAX, &p->lun) < 0 || port == 0)
		return pst_err_set(err, PST_EINVAL, "\"%.200s\": must be iscsi://HOST[:PORT]/TARGET/LUN", text);
	p->port = (uint16_t)port;
	return 0;
}

static bool is_path(const char *path)
{
	return path[0] == '/' && path[1] && strspn(path, NAME_BYTES "/+@=~:") == strlen(path) && !strstr(path, "/../") && !strstr(path, "//") &&
		!pst_str_ends(path, "/..") && !pst_str_ends(path, "/");
}

static int nfs_parse(const char *text, struct disk_place *p, struct pst_err *err)
{
	const char *at = text + strlen(NFS);

	p->kind = PLACE_NFS;
	if (host_take(&at, p) == 0 && is_path(at) && pst_strlcpy(p->path, sizeof(p->path), at) == 0)
		return 0;
	return pst_err_set(err, PST_EINVAL, "\"%.200s\": must be nfs://HOST/PATH, of letters, digits and . - _ + @ = ~ : /", text);
}

/* "@SNAPSHOT" and ":id=USER", each or none. */
static int rbd_rest(const char **at, struct disk_place *p)
{
	if (**at == '@' && ((*at)++, part_take(at, ":", NAME_BYTES, p->snapshot, sizeof(p->snapshot)) < 0))
		return PST_EINVAL;
	if (!pst_str_starts(*at, RBD_ID))
		return **at ? PST_EINVAL : 0;
	*at += strlen(RBD_ID);
	return part_take(at, "", NAME_BYTES, p->initiator, sizeof(p->initiator));
}

static int rbd_parse(const char *text, struct disk_place *p, struct pst_err *err)
{
	const char *at = text + strlen(RBD);
	char pool[100], image[120];

	p->kind = PLACE_RBD;
	if (part_take(&at, "/", NAME_BYTES, pool, sizeof(pool)) == 0 && *at++ == '/' && part_take(&at, "@:", NAME_BYTES, image, sizeof(image)) == 0 &&
		rbd_rest(&at, p) == 0) {
		snprintf(p->target, sizeof(p->target), "%s/%s", pool, image);
		return 0;
	}
	return pst_err_set(err, PST_EINVAL, "\"%.200s\": must be rbd:POOL/IMAGE, then @SNAPSHOT and :id=USER where there are such", text);
}

int place_parse(const char *text, struct disk_place *ret, struct pst_err *err)
{
	struct disk_place p;
	int rc = 0;

	memset(&p, 0, sizeof(p));
	if (pst_str_starts(text, ISCSI))
		rc = iscsi_parse(text, &p, err);
	else if (pst_str_starts(text, NFS))
		rc = nfs_parse(text, &p, err);
	else if (pst_str_starts(text, RBD))
		rc = rbd_parse(text, &p, err);
	else if (text[0] != '/' || strstr(text, "/../") || pst_strlcpy(p.path, sizeof(p.path), text) < 0)
		rc = pst_err_set(err, PST_EINVAL, "\"%.200s\": is neither an absolute path nor iscsi://, nfs:// or rbd:", text);
	if (rc == 0)
		*ret = p;
	return rc;
}

static const char *host_text(const struct disk_place *p, char out[260])
{
	snprintf(out, 260, strchr(p->host, ':') ? "[%s]" : "%s", p->host);
	return out;
}

int place_url(const struct disk_place *p, char out[PLACE_URL_SIZE], struct pst_err *err)
{
	char host[260];
	int n;

	if (p->kind == PLACE_ISCSI)
		n = snprintf(out, PLACE_URL_SIZE, ISCSI "%s:%u/%s/%u", host_text(p, host), p->port, p->target, p->lun);
	else if (p->kind == PLACE_NFS)
		n = snprintf(out, PLACE_URL_SIZE, NFS "%s%s", host_text(p, host), p->path);
	else if (p->kind == PLACE_RBD)
		n = snprintf(out, PLACE_URL_SIZE, RBD "%s%s%s%s%s", p->target, p->snapshot[0] ? "@" : "", p->snapshot, p->initiator[0] ? RBD_ID : "", p->initiator);
	else
		n = snprintf(out, PLACE_URL_SIZE, "%s", p->path);
	return n >= 0 && n < PLACE_URL_SIZE ? 0 : pst_err_set(err, PST_ELIMIT, "the name of a disk is longer than %d bytes", PLACE_URL_SIZE - 1);
}

/* ",KEY=VALUE": a comma in a value is doubled. */
static void option_put(struct pst_buf *b, const char *prefix, const char *key, const char *value)
{
	pst_buf_printf(b, "%s%s%s=", b->len ? "," : "", prefix, key);
	for (; *value; value++) {
		pst_buf_append(b, value, 1);
		if (*value == ',')
			pst_buf_append(b, ",", 1);
	}
}

static void iscsi_put(struct pst_buf *b, const struct disk_place *p, const char *prefix)
{
	char host[260], portal[280], lun[16];

	snprintf(portal, sizeof(portal), "%s:%u", host_text(p, host), p->port);
	snprintf(lun, sizeof(lun), "%u", p->lun);
	option_put(b, prefix, "driver", "iscsi");
	option_put(b, prefix, "transport", "tcp");
	option_put(b, prefix, "portal", portal);
	option_put(b, prefix, "target", p->target);
	option_put(b, prefix, "lun", lun);
	if (p->initiator[0])
		option_put(b, prefix, "initiator-name", p->initiator);
}

static void nfs_put(struct pst_buf *b, const struct disk_place *p, const char *prefix)
{
	option_put(b, prefix, "driver", "nfs");
	option_put(b, prefix, "server.type", "inet");
	option_put(b, prefix, "server.host", p->host);
	option_put(b, prefix, "path", p->path);
}

static void rbd_put(struct pst_buf *b, const struct disk_place *p, const char *prefix)
{
	char pool[sizeof(p->target)];

	snprintf(pool, sizeof(pool), "%.*s", (int)strcspn(p->target, "/"), p->target);
	option_put(b, prefix, "driver", "rbd");
	option_put(b, prefix, "pool", pool);
	option_put(b, prefix, "image", p->target + strlen(pool) + (p->target[strlen(pool)] == '/'));
	if (p->snapshot[0])
		option_put(b, prefix, "snapshot", p->snapshot);
	if (p->initiator[0])
		option_put(b, prefix, "user", p->initiator);
}

int place_options(const struct disk_place *p, const char *prefix, char out[PLACE_OPTIONS_SIZE], struct pst_err *err)
{
	struct pst_buf b;
	int rc;

	pst_buf_init(&b, PLACE_OPTIONS_SIZE);
	if (p->kind == PLACE_ISCSI) {
		iscsi_put(&b, p, prefix);
	} else if (p->kind == PLACE_NFS) {
		nfs_put(&b, p, prefix);
	} else if (p->kind == PLACE_RBD) {
		rbd_put(&b, p, prefix);
	} else {
		option_put(&b, prefix, "driver", p->kind == PLACE_BLOCK ? "host_device" : "file");
		option_put(&b, prefix, "filename", p->path);
	}
	rc = pst_buf_cstr(&b) ? pst_strlcpy(out, PLACE_OPTIONS_SIZE, pst_buf_cstr(&b)) : PST_ELIMIT;
	pst_buf_finish(&b);
	return rc < 0 ? pst_err_set(err, PST_ELIMIT, "the name of a disk is too long for QEMU's options") : 0;
}
