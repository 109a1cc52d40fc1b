/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Publishes, checks and removes versions of golden images. */
#include "broker/hypervisor/disk/version_priv.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/references.h"
#include "broker/hypervisor/disk/seal.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0755

/* A version on its way. */
struct publication {
	const struct version_params *p;
	struct manifest m;
	char image_folder[PATH_MAX]; /* FOLDER/images/IMAGE */
	char temp[TEMP_SIZE];        /* the version's folder in it */
	char disk[PATH_MAX];         /* in the temporary folder */
	int folder;                  /* descriptor of image_folder */
	bool is_moved;               /* the source is there */
};

int version_names_check(const char *image, const char *version, struct pst_err *err)
{
	if (disk_name_valid(image) && disk_name_valid(version))
		return 0;
	return pst_err_set(err, PST_EINVAL, "\"%.40s\", version \"%.40s\": not a usable name", image, version);
}

int version_file(const char *folder, const char *image, const char *version, const char *name,
	char out[PATH_MAX], struct pst_err *err)
{
	if (version_names_check(image, version, err) < 0)
		return PST_EINVAL;
	return path_make(out, err, "%s/images/%s/%s%s%s", folder, image, version, name[0] ? "/" : "", name);
}

int version_disk_path(const char *folder, const char *image, const char *version, char out[PATH_MAX],
	struct pst_err *err)
{
	return version_file(folder, image, version, "disk.qcow2", out, err);
}

int version_folder_sync(const char *path, struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;

	pst_fd_close(&fd);
	return rc;
}

/* The image's folder, and in it the version's under its temporary name. */
static int folders_make(struct publication *pub, struct pst_err *err)
{
	char images[PATH_MAX], path[PATH_MAX];

	if (path_make(images, err, "%s/images", pub->p->folder) < 0 ||
		path_make(pub->image_folder, err, "%s/%s", images, pub->p->image) < 0 ||
		version_file(pub->p->folder, pub->p->image, pub->p->version, "", path, err) < 0)
		return err->code;
	if (access(path, F_OK) == 0)
		return pst_err_set(err, PST_ECONFLICT, "%.60s has a version %.60s already", pub->p->image,
			pub->p->version);
	if (pst_mkdirs(pub->image_folder, FOLDER_MODE, err) < 0 || version_folder_sync(images, err) < 0)
		return err->code;
	pub->folder = open(pub->image_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pub->folder < 0 || temp_name(pub->p->version, pub->temp, err) < 0 ||
		mkdirat(pub->folder, pub->temp, FOLDER_MODE) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", pub->image_folder);
	return path_make(pub->disk, err, "%s/%s/disk.qcow2", pub->image_folder, pub->temp);
}

static int source_move(struct publication *pub, struct pst_err *err)
{
	int rc = temp_move(AT_FDCWD, pub->p->source, AT_FDCWD, pub->disk, err);

	pub->is_moved = rc == 0;
	return rc;
}

static int disk_judge(const struct disk_info *info, struct pst_err *err)
{
	const struct qcow2_header *h = &info->qcow2;
	const char *what = h->backing[0] ? "has a backing file" :
		h->has_data_file         ? "has its data in another file" :
		h->is_encrypted          ? "is encrypted" :
		h->is_dirty              ? "waits for a repair" :
		h->version < 3           ? "is of version 2: import it" :
					   NULL;

	return what ? pst_err_set(err, PST_EINVAL, "a disk that %s is no golden image", what) : 0;
}

int version_describe(const char *path, digest_cb go_on, void *arg, struct manifest *m, struct pst_err *err)
{
	struct disk_info info;
	int fd = disk_open(path, NULL, err), rc;

	if (fd < 0)
		return fd;
	rc = disk_info_read(fd, DISK_QCOW2, &info, err);
	if (rc == 0)
		rc = disk_judge(&info, err);
	if (rc == 0)
		rc = digest_file(fd, go_on, arg, m->sha256, &m->file_size, err);
	pst_fd_close(&fd);
	m->size = info.size;
	m->format = DISK_QCOW2;
	return rc;
}

/* Sealed first: what is digested cannot change any more. */
static int disk_describe(struct publication *pub, struct pst_err *err)
{
	int rc = seal_set(pub->disk, NULL, err);

	return rc < 0 ? rc : version_describe(pub->disk, pub->p->go_on, pub->p->arg, &pub->m, err);
}

int version_manifest_write(const struct version_params *p, const char *folder, struct manifest *m, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc;

	pst_strlcpy(m->image, sizeof(m->image), p->image);
	pst_strlcpy(m->version, sizeof(m->version), p->version);
	pst_rfc3339(p->now_ms, m->created);
	text = manifest_text(m, &len);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	rc = path_make(path, err, "%s/manifest.json", folder);
	if (rc == 0)
		rc = pst_file_write(path, text, len, 0444, err);
	free(text);
	return rc;
}

static int manifest_write(struct publication *pub, struct pst_err *err)
{
	char folder[PATH_MAX];

	if (path_make(folder, err, "%s/%s", pub->image_folder, pub->temp) < 0)
		return err->code;
	return version_manifest_write(pub->p, folder, &pub->m, err);
}

static int publish_steps(struct publication *pub, struct pst_err *err)
{
	if (version_names_check(pub->p->image, pub->p->version, err) < 0 || folders_make(pub, err) < 0 ||
		source_move(pub, err) < 0 || disk_describe(pub, err) < 0 || manifest_write(pub, err) < 0)
		return err->code;
	int rc = temp_publish(pub->folder, pub->temp, pub->p->version, err);
	if (rc < 0)
		return rc;
	pub->temp[0] = '\0';
	return version_folder_sync(pub->image_folder, err);
}

/* The disk goes back where it came from; only then its folder goes. */
static void publish_undo(struct publication *pub)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX];

	if (pub->is_moved) {
		seal_break(pub->disk, &ignored);
		chmod(pub->disk, 0600);
		if (temp_move(AT_FDCWD, pub->disk, AT_FDCWD, pub->p->source, &ignored) < 0)
			return;
	}
	if (path_make(path, NULL, "%s/%s/manifest.json", pub->image_folder, pub->temp) == 0)
		unlink(path);
	unlinkat(pub->folder, pub->temp, AT_REMOVEDIR);
}

int version_publish(const struct version_params *p, struct manifest *ret_manifest, struct pst_err *err)
{
	struct publication *pub = pst_zalloc(1, sizeof(*pub));
	int rc;

	if (!pub)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	pub->p = p;
	pub->folder = -1;
	rc = publish_steps(pub, err);
	if (rc == 0)
		*ret_manifest = pub->m;
	else if (pub->folder >= 0 && pub->temp[0])
		publish_undo(pub);
	pst_fd_close(&pub->folder);
	free(pub);
	return rc;
}

int version_read(const char *folder, const char *image, const char *version, struct manifest *ret_manifest,
	struct pst_err *err)
{
	char path[PATH_MAX], *text;
	struct manifest m;
	size_t len;
	int rc;

	if (version_file(folder, image, version, "manifest.json", path, err) < 0 ||
		pst_file_read(path, MANIFEST_MAX, &text, &len, err) < 0)
		return err->code;
	rc = manifest_parse(text, len, &m, err);
	free(text);
	if (rc == 0 && (strcmp(m.image, image) != 0 || strcmp(m.version, version) != 0))
		rc = pst_err_set(err, PST_EINVAL, "it is of another version");
	if (rc < 0)
		return pst_err_wrap(err, "%.200s", path);
	*ret_manifest = m;
	return 0;
}

static int content_verify(int fd, const struct manifest *m, bool deep, digest_cb go_on, void *arg,
	struct pst_err *err)
{
	char sha256[PST_SHA256_HEX_SIZE];
	struct disk_info info;
	int rc = disk_info_read(fd, m->format, &info, err);

	if (rc == 0 && (info.size != m->size || info.file_size != m->file_size))
		return pst_err_set(err, PST_ECONFLICT, "its size is not that of its manifest");
	if (rc < 0 || !deep)
		return rc;
	rc = digest_file(fd, go_on, arg, sha256, NULL, err);
	if (rc == 0 && strcmp(sha256, m->sha256) != 0)
		rc = pst_err_set(err, PST_ECONFLICT, "its bytes are not those of its manifest");
	return rc;
}

int version_verify(const char *folder, const char *image, const char *version, bool deep, digest_cb go_on,
	void *arg, struct pst_err *err)
{
	char path[PATH_MAX];
	struct manifest m;
	int fd, rc;

	if (version_read(folder, image, version, &m, err) < 0)
		return err->code;
	if (m.is_oci)
		return version_verify_oci(folder, &m, deep, go_on, arg, err);
	if (version_disk_path(folder, image, version, path, err) < 0 || seal_verify(path, err) < 0)
		return err->code;
	fd = disk_open(path, folder, err);
	if (fd < 0)
		return fd;
	rc = content_verify(fd, &m, deep, go_on, arg, err);
	pst_fd_close(&fd);
	return rc < 0 ? pst_err_wrap(err, "%.200s", path) : 0;
}

/* May it go? The disk's path is still, or was, that of the version. */
static int references_check(const char *folder, const char *const *others, const char *disk, struct pst_err *err)
{
	struct references r;
	int rc = references_count(folder, others, disk, &r, err);

	if (rc < 0 || r.overlays + r.unreadable == 0)
		return rc;
	if (r.overlays > 0)
		return pst_err_set(err, PST_EBUSY, "%u disks stand on it, one is %.200s", r.overlays, r.first);
	return pst_err_set(err, PST_EBUSY, "%.200s cannot be read and may stand on it", r.first);
}

int version_remove(const char *folder, const char *const *others, const char *image, const char *version,
	const char *reason, int64_t now_ms, int64_t keep_ms, struct pst_err *err)
{
	char path[PATH_MAX], disk[PATH_MAX];
	struct pst_err unread = PST_ERR_INIT;
	struct recycle_entry entry;
	struct manifest m;
	bool is_oci;
	int rc;

	/* No overlay of a disk stands on a tree of files. */
	is_oci = version_read(folder, image, version, &m, &unread) == 0 && m.is_oci;
	if (version_file(folder, image, version, "", path, err) < 0 || version_disk_path(folder, image, version, disk, err) < 0 ||
		(!is_oci && references_check(folder, others, disk, err) < 0))
		return err->code;
	rc = recycle_put(folder, path, reason, now_ms, keep_ms, &entry, err);
	if (rc < 0 || is_oci)
		return rc;
	/* An overlay that was made in between still has its name: then it comes back. */
	rc = references_check(folder, others, disk, err);
	if (rc < 0) {
		struct pst_err ignored = PST_ERR_INIT;

		recycle_restore(folder, entry.token, &ignored);
	}
	return rc;
}
