/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools and their volumes by libvirt's storage API. */
#include "broker/hypervisor/libvirt/pool.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/events.h"
#include "broker/hypervisor/libvirt/libvirt_priv.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS_MAX 8
#define VOLUMES_MAX 65536
#define KEEPALIVE_S 5
#define KEEPALIVE_N 3
#define BUSY_MS 20000
#define POLL_MS 100

/* --- connections ------------------------------------------------------------------------ */

static struct {
	char uri[512];
	virConnectPtr conn;
} connections[CONNECTIONS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards connections and has_events */
static bool has_events;

/* With the lock: of that libvirt, or a free place; NULL when all are taken. */
static virConnectPtr *connection_find(const char *uri)
{
	virConnectPtr *none = NULL;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (strcmp(connections[i].uri, uri) == 0)
			return &connections[i].conn;
		if (!none && !connections[i].uri[0])
			none = &connections[i].conn;
	}
	for (size_t i = 0; none && i < CONNECTIONS_MAX; i++) {
		if (none == &connections[i].conn)
			pst_strlcpy(connections[i].uri, sizeof(connections[i].uri), uri);
	}
	return none;
}

static virConnectPtr connection_take(const char *uri)
{
	virConnectPtr *at, conn = NULL;

	pthread_mutex_lock(&lock);
	at = connection_find(uri);
	if (at && *at && virConnectIsAlive(*at) == 1 && virConnectRef(*at) == 0)
		conn = *at;
	pthread_mutex_unlock(&lock);
	return conn;
}

/* Kept for the next one, in place of one that has broken. */
static void connection_keep(const char *uri, virConnectPtr conn)
{
	virConnectPtr *at, old = NULL;

	pthread_mutex_lock(&lock);
	at = connection_find(uri);
	if (at && virConnectRef(conn) == 0) {
		old = *at;
		*at = conn;
	}
	pthread_mutex_unlock(&lock);
	if (old)
		virConnectClose(old);
}

static int events_need(struct pst_err *err)
{
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (!has_events)
		rc = lv_events_start(err);
	has_events |= rc == 0;
	pthread_mutex_unlock(&lock);
	return rc;
}

static virConnectPtr connection_open(const char *uri, struct pst_err *err)
{
	virConnectPtr conn = connection_take(uri);

	if (conn || events_need(err) < 0)
		return conn;
	conn = virConnectOpen(uri);
	if (!conn) {
		lv_error(err, NULL, "libvirt cannot be reached at %.80s", uri);
		return NULL;
	}
	(void)virConnectSetKeepAlive(conn, KEEPALIVE_S, KEEPALIVE_N);
	connection_keep(uri, conn);
	return conn;
}

/* --- pools --------------------------------------------------------------------------------- */

/* An administrator who wants it started with the host wants it now. */
static int pool_start(struct lv_pool *p, struct pst_err *err)
{
	int active = virStoragePoolIsActive(p->pool), wished = 0;

	if (active == 1)
		return 0;
	if (active == 0 && virStoragePoolGetAutostart(p->pool, &wished) == 0 && wished) {
		if (virStoragePoolCreate(p->pool, 0) == 0 || virStoragePoolIsActive(p->pool) == 1)
			return 0;
		lv_error(err, NULL, "pool %s cannot be started", p->s->pool);
		err->code = PST_ENOTFOUND;
		return PST_ENOTFOUND;
	}
	return pst_err_set(err, PST_ENOTFOUND, "pool %s is not active: start it (virsh pool-start %s), and mark it for autostart", p->s->pool, p->s->pool);
}

static int pool_look(struct lv_pool *p, struct pst_err *err)
{
	const char *tag;
	char type[24];

	p->pool = virStoragePoolLookupByName(p->conn, p->s->pool);
	if (!p->pool && lv_error_is(VIR_ERR_NO_STORAGE_POOL))
		return pst_err_set(err, PST_ENOTFOUND, "libvirt at %.80s has no pool \"%s\": define it (virsh pool-define)", p->s->uri, p->s->pool);
	if (!p->pool)
		return lv_error(err, NULL, "look for pool %s", p->s->pool);
	if (pool_start(p, err) < 0)
		return err->code;
	p->xml = virStoragePoolGetXMLDesc(p->pool, 0);
	if (!p->xml)
		return lv_error(err, NULL, "read pool %s", p->s->pool);
	tag = xml_find(p->xml, "pool");
	if (!tag || !xml_attribute(tag, "type", type, sizeof(type)))
		return pst_err_set(err, PST_EPROTO, "libvirt does not say what pool %s is", p->s->pool);
	p->kind = pool_kind_find(type);
	if (!p->kind)
		return pst_err_set(err, PST_EUNSUPPORTED, "pool %s is of the kind \"%s\"; Puesto uses %s", p->s->pool, type, pool_kinds());
	return 0;
}

int pool_open(const struct store_settings *s, struct lv_pool *ret, struct pst_err *err)
{
	memset(ret, 0, sizeof(*ret));
	ret->s = s;
	ret->conn = connection_open(s->uri, err);
	if (ret->conn && pool_look(ret, err) == 0)
		return 0;
	pool_close(ret);
	return err->code;
}

void pool_close(struct lv_pool *p)
{
	free(p->xml);
	if (p->pool)
		virStoragePoolFree(p->pool);
	if (p->conn)
		virConnectClose(p->conn);
	memset(p, 0, sizeof(*p));
}

int pool_mark(struct lv_pool *p, char out[STORE_MARK_SIZE], struct pst_err *err)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	size_t n = 0;

	if (virStoragePoolGetUUIDString(p->pool, uuid) < 0)
		return lv_error(err, NULL, "read the UUID of pool %s", p->s->pool);
	for (const char *c = uuid; *c && n < STORE_MARK_SIZE - 1; c++) {
		if (*c != '-')
			out[n++] = *c;
	}
	out[n] = '\0';
	return pool_zfs_mark(p, out, err);
}

int pool_each(struct lv_pool *p, pool_visit visit, void *arg, struct pst_err *err)
{
	virStorageVolPtr *volumes = NULL;
	int n = virStoragePoolListAllVolumes(p->pool, &volumes, 0), rc = 0;

	if (n < 0)
		return lv_error(err, NULL, "list the volumes of pool %s", p->s->pool);
	if (n > VOLUMES_MAX)
		rc = pst_err_set(err, PST_ELIMIT, "pool %s has more than %d volumes", p->s->pool, VOLUMES_MAX);
	for (int i = 0; i < n; i++) {
		virStorageVolInfo info;

		/* One that went meanwhile is no fault. */
		if (rc == 0 && virStorageVolGetInfo(volumes[i], &info) == 0)
			rc = visit(virStorageVolGetName(volumes[i]), &info, arg, err);
		virStorageVolFree(volumes[i]);
	}
	free(volumes);
	return rc;
}

/* --- volumes -------------------------------------------------------------------------------- */

/* PST_ENOTFOUND when there is none. */
static int volume_lookup(struct lv_pool *p, const char *name, virStorageVolPtr *ret, struct pst_err *err)
{
	*ret = virStorageVolLookupByName(p->pool, name);
	if (*ret)
		return 0;
	return lv_error_is(VIR_ERR_NO_STORAGE_VOL) ? pst_err_set(err, PST_ENOTFOUND, "pool %s has no volume %s", p->s->pool, name) :
		lv_error(err, NULL, "look for volume %s", name);
}

static virStorageVolPtr volume_need(struct lv_pool *p, const char *name, struct pst_err *err)
{
	virStorageVolPtr v;

	return volume_lookup(p, name, &v, err) < 0 ? NULL : v;
}

static int place_find(struct lv_pool *p, virStorageVolPtr v, struct volume_record *r, struct pst_err *err)
{
	char *xml = virStorageVolGetXMLDesc(v, 0);
	struct disk_place place;
	int rc = xml ? pool_place(p->kind, p->xml, xml, r->volume, &place, err) : lv_error(err, NULL, "read volume %s", r->volume);

	free(xml);
	if (rc < 0)
		return rc;
	r->is_block = place.kind == PLACE_BLOCK;
	pst_strlcpy(r->initiator, sizeof(r->initiator), place.kind == PLACE_RBD ? "" : place.initiator);
	pst_strlcpy(r->secret, sizeof(r->secret), place.secret);
	return place_url(&place, r->url, err);
}

/* Sparse where the pool can: an allocation below the capacity of a volume group would make a snapshot. */
static virStorageVolPtr volume_create(struct lv_pool *p, const char *name, uint64_t size, bool is_golden, struct pst_err *err)
{
	virStorageVolPtr v;
	struct pst_buf b;

	pst_buf_init(&b, 4096);
	pst_buf_put_str(&b, "<volume><name>");
	xml_put_text(&b, name);
	pst_buf_printf(&b, "</name><capacity unit='bytes'>%llu</capacity><allocation unit='bytes'>%llu</allocation><target><format type='raw'/>"
		"<permissions><mode>%s</mode><owner>0</owner><group>0</group></permissions></target></volume>", (unsigned long long)size,
		p->kind->can & POOL_WHOLE || (is_golden && p->kind->can & POOL_RESERVES) ? (unsigned long long)size : 0ULL, is_golden ? "0444" : "0600");
	v = pst_buf_cstr(&b) ? virStorageVolCreateXML(p->pool, pst_buf_cstr(&b), 0) : NULL;
	if (!v)
		lv_error(err, NULL, "make volume %s in pool %s", name, p->s->pool);
	pst_buf_finish(&b);
	/* lvcreate and zfs have words of their own for it. */
	if (!v && (strstr(err->text, "insufficient free space") || strstr(err->text, "out of space") || strstr(err->text, "free extents") ||
		strstr(err->text, "Not enough free space")))
		err->code = PST_ENOSPC;
	return v;
}

/* udev looks into a device of ZFS whenever somebody closes it, and is in the way for that long. A seal goes with its volume. */
static int volume_destroy(struct lv_pool *p, virStorageVolPtr v, const char *name, struct pst_err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	unsigned flags = p->kind->can & POOL_SEALS ? VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS : 0;
	uint64_t end = pst_mono_ms() + BUSY_MS;

	while (virStorageVolDelete(v, flags) < 0 && !lv_error_is(VIR_ERR_NO_STORAGE_VOL)) {
		const char *words = virGetLastErrorMessage();

		if (!words || !strstr(words, "dataset is busy") || pst_mono_ms() >= end)
			return lv_error(err, NULL, "remove volume %s", name);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int volume_delete(struct lv_pool *p, const char *name, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	virStorageVolPtr v;
	int rc = volume_lookup(p, name, &v, &why);

	if (rc < 0)
		return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
	rc = volume_destroy(p, v, name, err);
	virStorageVolFree(v);
	return rc;
}

int pool_volume_make(struct lv_pool *p, struct volume_record *r, uint64_t size, bool is_golden, struct pst_err *err)
{
	virStorageVolPtr v;
	int rc;

	if (!(p->kind->can & POOL_CREATES))
		v = volume_need(p, r->volume, err);
	else
		v = volume_delete(p, r->volume, err) == 0 ? volume_create(p, r->volume, size, is_golden, err) : NULL;
	if (!v)
		return err->code;
	rc = place_find(p, v, r, err);
	virStorageVolFree(v);
	return rc < 0 ? rc : pool_zfs_wait(p, r->url, err);
}

int pool_volume_remove(struct lv_pool *p, const struct volume_record *r, struct pst_err *err)
{
	struct disk_place place;

	if (!r->volume[0])
		return 0;
	if (p->kind->can & POOL_CREATES)
		return volume_delete(p, r->volume, err);
	/* A LUN of which nothing was written yet is as it was. */
	if (!r->url[0])
		return 0;
	return volume_record_place(r, &place, err) < 0 ? err->code : pool_lun_release(p, r->volume, &place, err);
}

int pool_volume_size(struct lv_pool *p, const char *name, uint64_t *ret, struct pst_err *err)
{
	virStorageVolPtr v = volume_need(p, name, err);
	virStorageVolInfo info;
	char *path;
	int rc;

	if (!v)
		return err->code;
	path = p->kind->can & POOL_BLOCK ? virStorageVolGetPath(v) : NULL;
	rc = virStorageVolGetInfo(v, &info) < 0 ? lv_error(err, NULL, "ask for volume %s", name) : 0;
	virStorageVolFree(v);
	if (rc == 0 && !(path && pool_device_size(path, ret)))
		*ret = info.capacity;
	free(path);
	return rc;
}
