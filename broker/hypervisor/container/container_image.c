/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of the engine's images a desktop is made from. A "ref:" is its name there. A version that was imported onto a datastore
 * (oci_import.h) is loaded into the engine by the first desktop that needs it, and from then on named by
 * its digest alone: what the engine runs is what was imported, or nothing.
 */
#include "broker/hypervisor/container/container_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/manifest.h"
#include "broker/hypervisor/oci/oci_import.h"
#include "broker/hypervisor/oci/saved.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 200000000 /* at whether it was cancelled, while it waits */

/* FOLDER/tree is the base; FOLDER holds the rest of the version. */
static int manifest_find(const struct machine_request *r, char folder[PATH_MAX], struct manifest *ret, struct pst_err *err)
{
	char path[PATH_MAX], *text, *slash;
	size_t len;
	int rc;

	if (path_make(folder, err, "%s", r->image_base) < 0)
		return err->code;
	slash = strrchr(folder, '/');
	if (!slash || strcmp(slash, "/" OCI_TREE) != 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: its base \"%.200s\" is no container image; import an OCI archive, or write " REQUEST_REF "NAME:TAG",
			r->image_name, r->image_base);
	*slash = '\0';
	if (path_make(path, err, "%s/manifest.json", folder) < 0 || pst_file_read(path, MANIFEST_MAX, &text, &len, err) < 0)
		return pst_err_wrap(err, "image %s:%s", r->image_name, r->image_version);
	rc = manifest_parse(text, len, ret, err);
	free(text);
	if (rc == 0 && !ret->is_oci)
		rc = pst_err_set(err, PST_EINVAL, "it is of a disk");
	return rc < 0 ? pst_err_wrap(err, "%.200s", path) : 0;
}

/* 1: the engine has it, 0: it has not. */
static int is_loaded(struct op *op, const char *id, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char reference[SAVED_REFERENCE_SIZE];
	const char *is;
	json_t *o;
	int rc = 0;

	/* Podman takes the digest of an image that it has not for a wrong name. */
	saved_reference(id, reference);
	o = engine_image(&op->engine, reference, &why);
	is = pst_json_str(o, "Id", 80);
	if (!o && why.code != PST_ENOTFOUND) {
		*err = why;
		return why.code;
	}
	/* "sha256:HEX", or HEX. */
	if (o)
		rc = is && pst_str_ends(is, id) ? 1 : pst_err_set(err, PST_EPROTO, "the engine has another image by the name %s: remove it there", reference);
	json_decref(o);
	return rc;
}

static int file_load(struct op *op, const char *path, const struct manifest *m, struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size != m->file_size) {
		rc = fd < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : pst_err_set(err, PST_EINVAL, "%.200s has not the size of its manifest", path);
		pst_fd_close(&fd);
		return rc;
	}
	/* Root's own file, which nobody shortens. */
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	pst_fd_close(&fd);
	if (data == MAP_FAILED)
		return pst_err_sys(err, PST_ENOMEM, errno, "%.200s", path);
	rc = engine_image_load(&op->engine, data, (size_t)st.st_size, err);
	munmap(data, (size_t)st.st_size);
	return rc;
}

/* One load at a time; who has waited finds it done. */
static int load_lock(struct op *op, struct pst_err *err)
{
	for (;;) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_mutex_clocklock(&op->c->loading, CLOCK_MONOTONIC, &until) == 0)
			return 0;
		if (atomic_load(&op->engine.cancelled))
			return pst_err_set(err, PST_ECLOSED, "cancelled");
		if (pst_mono_ms() >= op->engine.end_ms)
			return pst_err_set(err, PST_ETIMEOUT, "the engine is still loading the image");
	}
}

static int load(struct op *op, const char *folder, const struct manifest *m, struct pst_err *err)
{
	char path[PATH_MAX];
	int rc = load_lock(op, err);

	if (rc < 0)
		return rc;
	rc = is_loaded(op, m->id, err);
	if (rc == 0) {
		rc = path_make(path, err, "%s/" OCI_IMAGE, folder);
		if (rc == 0)
			rc = file_load(op, path, m, err);
		if (rc == 0)
			rc = is_loaded(op, m->id, err);
		if (rc == 0)
			rc = pst_err_set(err, PST_EIO, "the engine has taken %.200s and has no image %.16s… afterwards", path, m->id);
	}
	pthread_mutex_unlock(&op->c->loading);
	return rc < 0 ? rc : 0;
}

int container_image(struct op *op, const struct machine_request *r, const char **ret, struct pst_err *err)
{
	char folder[PATH_MAX];
	struct manifest m;
	int rc;

	if (strncmp(r->image_base, REQUEST_REF, strlen(REQUEST_REF)) == 0)
		return spec_image(r, ret, err);
	rc = manifest_find(r, folder, &m, err);
	if (rc == 0)
		rc = is_loaded(op, m.id, err);
	if (rc == 0 && (rc = load(op, folder, &m, err)) < 0)
		return pst_err_wrap(err, "image %s:%s", r->image_name, r->image_version);
	if (rc < 0)
		return rc;
	memcpy(op->image, m.id, sizeof(op->image));
	*ret = op->image;
	return 0;
}
