/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes a parent in a folder that gets its name when it is whole, reads it again, and takes it away. */
#include "broker/hypervisor/libvirt/channel.h"
#include "broker/hypervisor/libvirt/parent.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/digest.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/references.h"
#include "broker/hypervisor/libvirt/base.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORM 1 /* of parents: another number when what is saved changes */
#define JSON_MAX 16384
#define WIDTH_MIN 1280 /* of the session's own start; see docs/images.md */
#define HEIGHT_MIN 800

int lv_parent_path(const char *root, const char *key, const char *file, char out[PATH_MAX], struct pst_err *err)
{
	return file ? path_make(out, err, "%s/parents/%s/%s", root, key, file) : path_make(out, err, "%s/parents/%s", root, key);
}

int lv_parent_of(const struct libvirt *lv, const char *desktop, const char *key, const char *file, char out[PATH_MAX], struct pst_err *err)
{
	char folder[PATH_MAX];

	if (lv_disk_path(lv, desktop, NULL, folder, err) < 0)
		return err->code;
	*strrchr(folder, '/') = '\0';
	return lv_parent_path(folder, key, file, out, err);
}

/* Its session starts before anybody tells it who it is: locale and screen come with the kernel. */
static void cmdline_make(const struct machine_request *r, char *out, size_t size)
{
	int n = snprintf(out, size, " puesto.session.locale=%s puesto.session.layout=%s", r->locale, r->layout);

	if (n > 0 && (size_t)n < size && r->max_width >= WIDTH_MIN && r->max_height >= HEIGHT_MIN)
		snprintf(out + n, size - (size_t)n, " puesto.session.max_width=%u puesto.session.max_height=%u", r->max_width, r->max_height);
}

int lv_parent_key(struct lv_host *h, virConnectPtr conn, const struct machine_request *r, char out[LV_KEY_SIZE], struct pst_err *err)
{
	char golden[PATH_MARK_SIZE], kernel[PATH_MARK_SIZE], initrd[PATH_MARK_SIZE], path[PATH_MAX], more[300], hex[PST_SHA256_HEX_SIZE], *text, *xml;
	struct lv_record record = { .request = *r };
	int dir = (int)(strrchr(r->image_base, '/') - r->image_base), n;
	unsigned long qemu = 0, library = 0;

	if (virConnectGetVersion(conn, &qemu) < 0 || virConnectGetLibVersion(conn, &library) < 0)
		return lv_error(err, h, "ask for the versions");
	path_mark(r->image_base, golden);
	if (path_make(path, err, "%.*s/vmlinuz", dir, r->image_base) < 0)
		return err->code;
	path_mark(path, kernel);
	if (path_make(path, err, "%.*s/initrd", dir, r->image_base) < 0)
		return err->code;
	path_mark(path, initrd);
	cmdline_make(r, more, sizeof(more));
	/* Its devices are its children's as long as these run: screens, ports and all. */
	pst_strlcpy(record.request.desktop, sizeof(record.request.desktop), "nobody");
	memset(record.request.enrol_token, 0, sizeof(record.request.enrol_token));
	xml = lv_plan_parent_xml(h, &record, "disk", more, err);
	if (!xml)
		return err->code;
	n = asprintf(&text, "%d\n%s\n%lu %lu\n%u %u\n%s\n%s\n%s\n%s\n%s\n%s\n", FORM, h->uri, qemu, library, r->cpu_percent, r->disk_mb, more,
		r->image_base, golden, kernel, initrd, xml);
	free(xml);
	if (n < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pst_sha256_hex(text, (size_t)n, hex);
	free(text);
	hex[LV_KEY_SIZE - 1] = '\0';
	return pst_strlcpy(out, LV_KEY_SIZE, hex);
}

/* --- making --------------------------------------------------------------------------------- */

static int overlay_make(const struct lv_parent *p, const char *disk, struct pst_err *err)
{
	const struct machine_request *r = &p->request;
	struct qcow2_overlay o = { .path = disk, .backing = r->image_base, .size = (uint64_t)r->disk_mb << 20,
		.backing_format = lv_base_format(r->image_base), .uid = geteuid(), .gid = getegid() };

	return qcow2_overlays_create(&o, 1, err);
}

/* A daemon that died and came back has forgotten that it was to end with our connection: it is looked for on a new one. */
static void domain_end(const struct lv_parent *p, virDomainPtr d)
{
	struct pst_err ignored = PST_ERR_INIT;
	virDomainPtr again;
	virConnectPtr conn;

	if (virDomainDestroy(d) == 0 || lv_error_is(VIR_ERR_NO_DOMAIN))
		return;
	conn = lv_host_connection(p->host, pst_mono_ms() + p->host->lv->set.deadline_ms, &ignored);
	again = conn ? virDomainLookupByUUIDString(conn, p->uuid) : NULL;
	if (again) {
		(void)virDomainDestroy(again);
		virDomainFree(again);
	}
	if (conn)
		virConnectClose(conn);
}

/* libvirt ends it when our connection ends, and after the save it is gone. */
static int boot_and_save(struct lv_parent *p, virConnectPtr conn, const char *xml, const char *memory, struct pst_err *err)
{
	struct libvirt *lv = p->host->lv;
	virDomainPtr d = virDomainCreateXML(conn, xml, VIR_DOMAIN_START_AUTODESTROY);
	int rc;

	if (!d)
		return lv_error(err, p->host, "start the parent");
	rc = lv_channel_talk(p->host, d, NULL, "waiting", pst_mono_ms() + lv->set.parent_boot_ms, NULL, err);
	if (rc == 0 && virDomainSave(d, memory) < 0)
		rc = lv_error(err, p->host, "save the parent");
	if (rc < 0)
		domain_end(p, d);
	virDomainFree(d);
	return rc;
}

/* From here on nobody writes to it any more. */
static int file_close(const char *path, mode_t mode, char ret_hex[PST_SHA256_HEX_SIZE], struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0
			 ? pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%.200s", path)
			 : digest_file(fd, NULL, NULL, ret_hex, NULL, err);

	pst_fd_close(&fd);
	return rc;
}

static int describe(const struct lv_parent *p, const char *folder, const char *disk_hex, const char *memory_hex, struct pst_err *err)
{
	json_t *o = json_pack("{s:i,s:s,s:s,s:s,s:s}", "v", FORM, "uuid", p->uuid, "was", p->was, "disk", disk_hex, "memory", memory_hex);
	char path[PATH_MAX], *text = o ? pst_json_text(o, NULL) : NULL;
	int rc;

	json_decref(o);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = path_make(path, err, "%s/parent.json", folder) < 0 ? err->code : pst_file_write(path, text, strlen(text), 0600, err);
	free(text);
	return rc;
}

static int publish(const struct lv_parent *p, const char *folder, struct pst_err *err)
{
	char disk_hex[PST_SHA256_HEX_SIZE], memory_hex[PST_SHA256_HEX_SIZE], memory[PATH_MAX], path[PATH_MAX];

	if (path_make(memory, err, "%s/memory", folder) < 0 || file_close(p->was, 0444, disk_hex, err) < 0 ||
		file_close(memory, 0400, memory_hex, err) < 0 || describe(p, folder, disk_hex, memory_hex, err) < 0 ||
		lv_parent_path(p->root, p->key, NULL, path, err) < 0)
		return err->code;
	return rename(folder, path) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;
}

static int make_in(struct lv_parent *p, virConnectPtr conn, const char *folder, struct pst_err *err)
{
	struct lv_record r = { .request = p->request };
	struct pst_uuid uuid = pst_uuid_make();
	char memory[PATH_MAX], more[300], *xml;
	int rc;

	pst_uuid_text(&uuid, p->uuid);
	pst_strlcpy(r.request.desktop, sizeof(r.request.desktop), p->uuid);
	cmdline_make(&p->request, more, sizeof(more));
	if (path_make(p->was, err, "%s/disk.qcow2", folder) < 0 || path_make(memory, err, "%s/memory", folder) < 0 ||
		pst_mkdirs(folder, 0711, err) < 0 || overlay_make(p, p->was, err) < 0)
		return err->code;
	xml = lv_plan_parent_xml(p->host, &r, p->was, more, err);
	rc = xml ? boot_and_save(p, conn, xml, memory, err) : err->code;
	free(xml);
	return rc < 0 ? rc : publish(p, folder, err);
}

int lv_parent_make(struct lv_parent *p, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	char name[LV_KEY_SIZE + 1], folder[PATH_MAX];
	virConnectPtr conn = lv_host_connection(p->host, pst_mono_ms() + p->host->lv->set.deadline_ms, err);
	int rc;

	if (!conn)
		return err->code;
	snprintf(name, sizeof(name), ".%s", p->key);
	rc = lv_parent_path(p->root, name, NULL, folder, err);
	if (rc == 0)
		rc = tree_remove(folder, err) < 0 ? err->code : make_in(p, conn, folder, err);
	if (rc < 0)
		(void)tree_remove(folder, &ignored);
	virConnectClose(conn);
	return rc;
}

/* --- again ------------------------------------------------------------------------------------ */

static int file_compare(const char *root, const char *key, const char *file, const char *hex, struct pst_err *err)
{
	char path[PATH_MAX], now[PST_SHA256_HEX_SIZE];
	int fd, rc;

	if (lv_parent_path(root, key, file, path, err) < 0)
		return err->code;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return pst_err_sys(err, PST_ECONFLICT, errno, "%.200s", path);
	rc = digest_file(fd, NULL, NULL, now, NULL, err);
	pst_fd_close(&fd);
	if (rc == 0 && strcmp(hex, now) != 0)
		rc = pst_err_set(err, PST_ECONFLICT, "%.200s is not what it was when it was made", path);
	return rc;
}

static int load(struct lv_parent *p, const json_t *o, struct pst_err *err)
{
	const char *uuid, *was, *disk, *memory;

	if (pst_json_need_str(o, "uuid", PST_UUID_SIZE - 1, &uuid, err) < 0 || pst_json_need_str(o, "was", PATH_MAX - 1, &was, err) < 0 ||
		pst_json_need_str(o, "disk", PST_SHA256_HEX_SIZE - 1, &disk, err) < 0 ||
		pst_json_need_str(o, "memory", PST_SHA256_HEX_SIZE - 1, &memory, err) < 0)
		return pst_err_set(err, PST_ECONFLICT, "parent.json cannot be read");
	pst_strlcpy(p->uuid, sizeof(p->uuid), uuid);
	pst_strlcpy(p->was, sizeof(p->was), was);
	return file_compare(p->root, p->key, "disk.qcow2", disk, err) < 0 ? err->code : file_compare(p->root, p->key, "memory", memory, err);
}

int lv_parent_load(struct lv_parent *p, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	json_t *o;
	int rc;

	if (lv_parent_path(p->root, p->key, "parent.json", path, err) < 0 || pst_file_read(path, JSON_MAX, &text, &len, err) < 0)
		return err->code;
	o = pst_json_parse(text, len, 2, err);
	free(text);
	rc = o ? load(p, o, err) : pst_err_set(err, PST_ECONFLICT, "parent.json cannot be read");
	json_decref(o);
	return rc;
}

int lv_parent_remove(const char *root, const char *key, struct pst_err *err)
{
	char path[PATH_MAX], folder[PATH_MAX], store[PATH_MAX];
	struct references r;

	if (lv_parent_path(root, key, "disk.qcow2", path, err) < 0 || lv_parent_path(root, key, NULL, folder, err) < 0 ||
		path_make(store, err, "%s", root) < 0)
		return err->code;
	if (access(folder, F_OK) < 0)
		return 0;
	/* Its recycle bin's, too: FOLDER/desktops/MARK-PROVIDER, or FOLDER/MARK-PROVIDER. */
	*strrchr(store, '/') = '\0';
	if (pst_str_ends(store, "/desktops"))
		*strrchr(store, '/') = '\0';
	if (references_count(store, NULL, path, &r, err) < 0)
		return err->code;
	if (r.overlays || r.unreadable)
		return pst_err_set(err, PST_EBUSY, "%u disks stand on parent %s, %u cannot be read", r.overlays, key, r.unreadable);
	return tree_remove(folder, err);
}
