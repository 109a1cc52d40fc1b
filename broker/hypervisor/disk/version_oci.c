/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions that are container images: a folder of files gets its name. */
#include "broker/hypervisor/disk/version_priv.h"

#include "base/file.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_FOLDER_MODE 0755 /* of images/IMAGE; a version's own is 0700 */

int version_base_path(const char *folder, const struct manifest *m, char out[PATH_MAX], struct pst_err *err)
{
	return version_file(folder, m->image, m->version, m->is_oci ? "tree" : "disk.qcow2", out, err);
}

int version_publish_oci(const struct version_params *p, struct manifest *m, struct pst_err *err)
{
	char image[PATH_MAX], version[PATH_MAX];
	int rc;

	m->is_oci = true;
	if (version_names_check(p->image, p->version, err) < 0 || path_make(image, err, "%s/images/%s", p->folder, p->image) < 0 ||
		version_file(p->folder, p->image, p->version, "", version, err) < 0 || pst_mkdirs(image, IMAGE_FOLDER_MODE, err) < 0 ||
		version_manifest_write(p, p->source, m, err) < 0)
		return err->code;
	rc = temp_move(AT_FDCWD, p->source, AT_FDCWD, version, err);
	if (rc == PST_ECONFLICT)
		return pst_err_set(err, PST_ECONFLICT, "%.60s has a version %.60s already", p->image, p->version);
	return rc < 0 ? rc : version_folder_sync(image, err);
}

static int image_verify(int fd, const struct manifest *m, bool deep, digest_cb go_on, void *arg, struct pst_err *err)
{
	char sha256[PST_SHA256_HEX_SIZE];
	struct stat st;

	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != m->file_size)
		return pst_err_set(err, PST_ECONFLICT, "its size is not that of its manifest");
	if (!deep)
		return 0;
	if (digest_file(fd, go_on, arg, sha256, NULL, err) < 0)
		return err->code;
	return strcmp(sha256, m->sha256) == 0 ? 0 : pst_err_set(err, PST_ECONFLICT, "its bytes are not those of its manifest");
}

int version_verify_oci(const char *folder, const struct manifest *m, bool deep, digest_cb go_on, void *arg, struct pst_err *err)
{
	char path[PATH_MAX], tree[PATH_MAX];
	struct stat st;
	int fd, rc;

	if (version_file(folder, m->image, m->version, "image.tar", path, err) < 0 || version_base_path(folder, m, tree, err) < 0)
		return err->code;
	if (lstat(tree, &st) < 0 || !S_ISDIR(st.st_mode))
		return pst_err_set(err, PST_ECONFLICT, "%.200s is gone", tree);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ECONFLICT : PST_EIO, errno, "%.200s", path);
	rc = image_verify(fd, m, deep, go_on, arg, err);
	pst_fd_close(&fd);
	return rc < 0 ? pst_err_wrap(err, "%.200s", path) : 0;
}
