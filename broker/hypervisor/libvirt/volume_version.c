/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Versions of images as volumes.
 *
 *	folder .VERSION.TOKEN.tmp → record → volume → record with its place → bytes → seal → record → manifest → the folder's name
 *
 * A crash leaves the folder under its temporary name, and in it the record of whatever volume there is.
 */
#include "broker/hypervisor/libvirt/volumes.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/disk/volume.h"
#include "broker/hypervisor/libvirt/pool.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_BYTES 6
#define DIGESTED 3000 /* basis points of the whole when the digest is made */

struct publication {
	const struct store_settings *s;
	const struct version_params *p;
	struct manifest m;
	struct volume_record r;
	struct lv_pool pool;
	char image_folder[PATH_MAX], temp[TEMP_SIZE], record[PATH_MAX];
	int folder; /* descriptor of image_folder */
};

static int version_path(const struct store_settings *s, const char *image, const char *version, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	if (!disk_name_valid(image) || !disk_name_valid(version))
		return pst_err_set(err, PST_EINVAL, "\"%.40s\", version \"%.40s\": not a usable name", image, version);
	return path_make(out, err, "%s/images/%s/%s%s%s", s->path, image, version, name[0] ? "/" : "", name);
}

static bool on_digest(void *arg, uint32_t basis_points)
{
	const struct publication *pub = arg;

	return !pub->p->go_on || pub->p->go_on(pub->p->arg, basis_points * DIGESTED / 10000);
}

static bool on_sent(void *arg, uint32_t basis_points)
{
	const struct publication *pub = arg;

	return !pub->p->go_on || pub->p->go_on(pub->p->arg, DIGESTED + basis_points * (10000 - DIGESTED) / 10000);
}

static int folder_make(struct publication *pub, struct pst_err *err)
{
	char path[PATH_MAX];

	if (version_path(pub->s, pub->p->image, pub->p->version, "", path, err) < 0 ||
		path_make(pub->image_folder, err, "%s/images/%s", pub->s->path, pub->p->image) < 0)
		return err->code;
	if (access(path, F_OK) == 0)
		return pst_err_set(err, PST_ECONFLICT, "%.60s has a version %.60s already", pub->p->image, pub->p->version);
	if (pst_mkdirs(pub->image_folder, 0755, err) < 0 || temp_name(pub->p->version, pub->temp, err) < 0)
		return err->code;
	pub->folder = open(pub->image_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pub->folder < 0 || mkdirat(pub->folder, pub->temp, 0755) < 0) {
		pub->temp[0] = '\0';
		return pst_err_sys(err, PST_EIO, errno, "%.200s", pub->image_folder);
	}
	return path_make(pub->record, err, "%s/%s/" VOLUME_OF_VERSION, pub->image_folder, pub->temp);
}

/* A name that a volume group takes, that a person recognises, and that nobody else has. */
static void name_choose(struct publication *pub)
{
	char hex[2 * TOKEN_BYTES + 1];
	uint8_t random[TOKEN_BYTES];

	pst_random(random, sizeof(random));
	pst_hex_encode(random, sizeof(random), hex, sizeof(hex));
	snprintf(pub->r.volume, sizeof(pub->r.volume), "puesto-image-%.30s-%.30s-%s", pub->p->image, pub->p->version, hex);
}

static int bytes_send(struct publication *pub, struct pst_err *err)
{
	struct pool_copy c = { .r = &pub->r, .file = pub->p->source, .len = pub->m.file_size, .go_on = on_sent, .arg = pub, .cancel_fd = -1 };
	uint64_t room = (pub->m.file_size + VOLUME_ROUND - 1) / VOLUME_ROUND * VOLUME_ROUND;

	name_choose(pub);
	if (pool_open(pub->s, &pub->pool, err) < 0 || volume_claim(&pub->pool, &pub->r, pub->record, room, true, err) < 0)
		return err->code;
	if (pool_volume_send(&pub->pool, &c, err) < 0 || pool_volume_seal(&pub->pool, &pub->r, err) < 0)
		return err->code;
	return volume_record_write(pub->record, &pub->r, err);
}

static int manifest_write(struct publication *pub, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc = path_make(path, err, "%s/%s/manifest.json", pub->image_folder, pub->temp);

	pst_strlcpy(pub->m.image, sizeof(pub->m.image), pub->p->image);
	pst_strlcpy(pub->m.version, sizeof(pub->m.version), pub->p->version);
	pst_rfc3339(pub->p->now_ms, pub->m.created);
	text = rc == 0 ? manifest_text(&pub->m, &len) : NULL;
	if (!text)
		return rc < 0 ? rc : pst_err_set(err, PST_ENOMEM, "out of memory");
	rc = pst_file_write(path, text, len, 0444, err);
	free(text);
	return rc;
}

static int name_give(struct publication *pub, struct pst_err *err)
{
	int rc = temp_publish(pub->folder, pub->temp, pub->p->version, err);

	if (rc < 0)
		return rc;
	pub->temp[0] = '\0';
	return fsync(pub->folder) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", pub->image_folder) : 0;
}

/* A volume that cannot be removed now keeps its record, for the next start. */
static void publish_undo(struct publication *pub)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX];

	if (pub->pool.pool && pool_volume_remove(&pub->pool, &pub->r, &ignored) < 0)
		return;
	if (path_make(path, NULL, "%s/%s", pub->image_folder, pub->temp) == 0)
		tree_remove(path, &ignored);
}

int volume_version_publish(const struct store_settings *s, const struct version_params *p, struct manifest *ret, struct pst_err *err)
{
	struct publication *pub = pst_zalloc(1, sizeof(*pub));
	int rc = 0;

	if (!pub)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	pub->s = s;
	pub->p = p;
	pub->folder = -1;
	if (version_describe(p->source, on_digest, pub, &pub->m, err) < 0 || folder_make(pub, err) < 0 || bytes_send(pub, err) < 0 ||
		manifest_write(pub, err) < 0 || name_give(pub, err) < 0)
		rc = err->code;
	if (rc == 0) {
		*ret = pub->m;
		unlink(p->source);
	} else if (pub->temp[0]) {
		publish_undo(pub);
	}
	pool_close(&pub->pool);
	pst_fd_close(&pub->folder);
	free(pub);
	return rc;
}

static int record_find(const struct store_settings *s, const char *image, const char *version, struct manifest *m, struct volume_record *r, struct pst_err *err)
{
	char path[PATH_MAX];

	if (version_read(s->path, image, version, m, err) < 0 || version_path(s, image, version, VOLUME_OF_VERSION, path, err) < 0)
		return err->code;
	return volume_record_read(path, r, err);
}

/*
 * The seal of a device: the kernel refuses writes to it until the host restarts, whoever opens it. A file has its
 * mode from its making, a Ceph image is read at a snapshot; a LUN is sealed by whoever exports it.
 */
static void device_seal(const struct volume_record *r)
{
	int fd = r->is_block ? open(r->url, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1, on = 1;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISBLK(st.st_mode))
		(void)ioctl(fd, BLKROSET, &on);
	pst_fd_close(&fd);
}

int volume_version_verify(const struct store_settings *s, const char *image, const char *version, struct pst_err *err)
{
	struct volume_record r;
	struct manifest m;
	struct lv_pool p;
	uint64_t size = 0;
	int rc;

	if (record_find(s, image, version, &m, &r, err) < 0 || pool_open(s, &p, err) < 0)
		return err->code;
	rc = pool_volume_size(&p, r.volume, &size, err);
	pool_close(&p);
	if (rc == 0)
		device_seal(&r);
	if (rc == 0 && size < m.file_size)
		rc = pst_err_set(err, PST_ECONFLICT, "volume %s is smaller than its manifest says", r.volume);
	return rc;
}

int volume_version_fetch(const struct store_settings *s, const struct store_fetch *f, struct pst_err *err)
{
	struct volume_record r;
	struct manifest m;
	struct lv_pool p;
	int rc;

	if (record_find(s, f->image, f->version, &m, &r, err) < 0 || pool_open(s, &p, err) < 0)
		return err->code;
	struct pool_copy c = { .r = &r, .file = f->target, .len = m.file_size, .go_on = f->go_on, .arg = f->arg, .cancel_fd = f->cancel_fd };

	rc = pool_volume_fetch(&p, &c, err);
	pool_close(&p);
	return rc;
}

int volume_version_remove(const struct store_settings *s, const char *const *others, const char *image, const char *version, const char *reason,
	int64_t keep_ms, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	char folder[PATH_MAX], record[PATH_MAX];
	struct recycle_entry entry;
	int rc;

	if (version_path(s, image, version, "", folder, err) < 0 || version_path(s, image, version, VOLUME_OF_VERSION, record, err) < 0 ||
		volume_references(s, others, record, err) < 0 || recycle_put(s->path, folder, reason, pst_wall_ms(), keep_ms, &entry, err) < 0)
		return err->code;
	/* A disk that was made in between still has its name: then it comes back. */
	rc = volume_references(s, others, record, err);
	if (rc < 0)
		recycle_restore(s->path, entry.token, &ignored);
	return rc;
}
