/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Import, capture and removal of an image's version. */
#include "broker/hypervisor/storage/image_work.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/digest.h"
#include "broker/hypervisor/disk/import.h"
#include "broker/hypervisor/disk/probe.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/disk/version.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/oci/capture.h"
#include "broker/hypervisor/oci/oci_import.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/found_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TURN_WAIT_MS (6u * 3600 * 1000)
#define WORK_MS (24u * 3600 * 1000)
#define COPIED 70    /* percent of a copy when all bytes are there */
#define CONVERTED 90 /* percent of the whole when all is converted; the digest has the rest */
#define FILE_MIN (UINT64_C(64) << 20) /* bytes that a small disk may take beside its own */
#define WEIGHT 4     /* of the governor: as four clones */
#define OCI_GROWS 4  /* an archive's copy and its tree, as against a compressed archive */
#define OCI_ENTRIES_MAX 500000
#define FILES_NEED (UINT64_C(1) << 30) /* nobody knows before they are there */
#define FILES_GROW 4 /* a desktop's files lie there thrice at a time, and once more as a tree */

/* A version on its way. */
struct making {
	const struct image_work *w;
	struct store_turn turn;
	char source[PATH_MAX], within[PATH_MAX];
	char taken[PATH_MAX]; /* our own name of the file in incoming/; "" for none */
	char target[PATH_MAX];
	bool is_oci; /* target is a folder then */
	bool is_files; /* a desktop's, which a driver gives; there is no disk of it: */
	struct pst_err no_disk;
	char folder[PATH_MAX]; /* of what is made on the way; "" for none */
	enum disk_format format;
	uint64_t needs;
};

static bool is_cancelled(const struct image_work *w)
{
	struct pollfd p = { .fd = w->cancel_fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static int cancelled(struct pst_err *err)
{
	return pst_err_set(err, PST_ECLOSED, "it was cancelled");
}

static void on_converted(void *arg, uint32_t basis_points)
{
	const struct image_work *w = arg;

	w->tell(w->arg, "converting", basis_points * CONVERTED / 10000);
}

static bool on_digested(void *arg, uint32_t basis_points)
{
	const struct image_work *w = arg;

	w->tell(w->arg, "digesting", CONVERTED + basis_points * (100 - CONVERTED) / 10000);
	return !is_cancelled(w);
}

/* A name of our own in images/, which the next start takes away if we do not. */
static int own_name(const char *folder, const char *what, char out[PATH_MAX], struct pst_err *err)
{
	char name[TEMP_SIZE];

	if (temp_name(what, name, err) < 0)
		return err->code;
	return path_make(out, err, "%s/images/%s", folder, name);
}

/*
 * Whoever may put files into incoming/ could exchange one for a link while it is looked at. A second name in a
 * folder of root's stays what it is.
 */
static int file_take(struct making *m, const char *folder, struct pst_err *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (path_make(path, err, "%s/incoming/%s", folder, m->w->p->file) < 0 || own_name(folder, "source", m->source, err) < 0)
		return err->code;
	if (linkat(AT_FDCWD, path, AT_FDCWD, m->source, 0) < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "%s in the folder incoming of datastore %s", m->w->p->file,
			m->w->p->datastore);
	pst_strlcpy(m->taken, sizeof(m->taken), m->source);
	if (lstat(m->source, &st) < 0 || !S_ISREG(st.st_mode))
		return pst_err_set(err, PST_EINVAL, "%s is no regular file", m->w->p->file);
	m->needs = (uint64_t)st.st_blocks * 512;
	return 0;
}

static int format_find(struct making *m, struct pst_err *err)
{
	const unsigned all = PROBE_ALLOW(DISK_RAW) | PROBE_ALLOW(DISK_QCOW2) | PROBE_ALLOW(DISK_VMDK) | PROBE_ALLOW(DISK_VHDX);
	uint8_t *head;
	ssize_t n = 0;
	int fd, rc;

	m->format = m->w->p->format;
	m->is_oci = m->w->p->is_oci;
	if (m->w->p->has_format || m->is_oci)
		return 0;
	fd = open(m->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	head = pst_zalloc(1, PROBE_SIZE);
	if (fd >= 0 && head)
		n = pread(fd, head, PROBE_SIZE, 0);
	m->is_oci = n > 0 && probe_is_tar(head, (size_t)n);
	rc = m->is_oci ? 0 : n > 0 ? probe_format(head, (size_t)n, all, &m->format, err) : pst_err_set(err, PST_EINVAL, "%s cannot be read, or is empty", m->w->p->file);
	free(head);
	pst_fd_close(&fd);
	return rc;
}

/* No disk of it: perhaps it is a container's. */
static int files_instead(struct making *m, int rc, struct pst_err *err)
{
	if ((rc != PST_ENOTFOUND && rc != PST_EBUSY) || !m->w->tools->files)
		return pst_err_pass(err, rc, &m->no_disk);
	m->is_files = m->is_oci = true;
	m->needs = FILES_NEED;
	return 0;
}

static int source_find(struct making *m, struct pst_err *err)
{
	struct found_disk found;
	struct store_view v;
	int rc;

	if (!stores_view_named(m->w->set, m->w->p->datastore, &v) || v.s.is_plain)
		return pst_err_set(err, PST_ENOTFOUND, "no datastore \"%s\" is configured", m->w->p->datastore);
	if (v.s.is_backups)
		return pst_err_set(err, PST_EINVAL, "datastore %s is for back-ups", v.s.name);
	if (!v.is_online)
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline: %s", v.s.name, v.reason);
	if (m->w->p->kind == IMAGE_IMPORT) {
		if (file_take(m, v.s.path, err) < 0 || format_find(m, err) < 0)
			return err->code;
		m->needs *= m->is_oci ? OCI_GROWS : 1;
		return 0;
	}
	rc = found_disk_of(m->w->set, m->w->p->desktop, m->w->p->base, &found, &m->no_disk);
	if (rc < 0)
		return files_instead(m, rc, err);
	m->format = DISK_QCOW2;
	m->needs = found.allocated;
	pst_strlcpy(m->source, sizeof(m->source), found.path);
	return pst_strlcpy(m->within, sizeof(m->within), found.within);
}

static bool turn_cancelled(void *arg)
{
	return is_cancelled(arg);
}

static int turn_take(struct making *m, struct pst_err *err)
{
	const char *names[] = { m->w->p->datastore };
	struct store_wish wish = { .names = names, .n = 1, .pool = "", .is_ours = true, .needs = m->needs, .promises = m->needs,
		.weight = WEIGHT, .deadline_ms = pst_mono_ms() + TURN_WAIT_MS, .is_cancelled = turn_cancelled,
		.arg = (void *)(uintptr_t)m->w };

	return stores_begin(m->w->set, &wish, &m->turn, err);
}

/* A hostile file that grows and grows meets this before the datastore is full. */
static int room_find(const struct making *m, uint64_t *ret, struct pst_err *err)
{
	struct store_view v;

	if (!stores_view_named(m->w->set, m->turn.name, &v))
		return pst_err_set(err, PST_ENOTFOUND, "datastore %s is gone", m->turn.name);
	*ret = PST_MAX(v.space.free - PST_MIN(v.space.free, v.s.keeps_free), FILE_MIN);
	return 0;
}

static int convert(struct making *m, struct pst_err *err)
{
	struct disk_info info;
	struct import_params p = { .program = m->w->tools->qemu_img, .source = m->source, .format = m->format,
		.within = m->within[0] ? m->within : NULL, .target = m->target, .size_max = QCOW2_SIZE_MAX, .timeout_ms = WORK_MS,
		.cancel_fd = m->w->cancel_fd, .progress = on_converted, .arg = (void *)(uintptr_t)m->w };

	if (room_find(m, &p.file_max, err) < 0 || own_name(m->turn.path, "import", m->target, err) < 0)
		return err->code;
	return import_run(&p, &info, err);
}

/* Of the version as a base of desktops. */
static int disk_path(const struct store_settings *s, const struct image_job_params *p, const struct manifest *m, char out[PATH_MAX], struct pst_err *err)
{
	if (m->is_oci)
		return version_base_path(s->path, m, out, err);
	return path_make(out, err, "%s/images/%s/%s/%s", s->path, p->image, p->version, store_type_of(s)->disk);
}

static int publish(struct making *m, struct image_result *ret, struct pst_err *err)
{
	const struct image_job_params *j = m->w->p;
	struct version_params p = { .folder = m->turn.path, .image = j->image, .version = j->version, .source = m->target,
		.now_ms = pst_wall_ms(), .go_on = on_digested, .arg = (void *)(uintptr_t)m->w };
	struct store_view v;

	if (is_cancelled(m->w))
		return cancelled(err);
	if (!stores_view_named(m->w->set, m->turn.name, &v))
		return pst_err_set(err, PST_ENOTFOUND, "datastore %s is gone", m->turn.name);
	if (store_type_of(&v.s)->publish(&v.s, &p, &ret->manifest, err) < 0)
		return err->code;
	return disk_path(&v.s, j, &ret->manifest, ret->path, err);
}

static bool on_copied(void *arg, uint32_t basis_points)
{
	const struct image_work *w = arg;

	w->tell(w->arg, "copying", basis_points * COPIED / 10000);
	return !is_cancelled(w);
}

static bool on_checked(void *arg, uint32_t basis_points)
{
	const struct image_work *w = arg;

	w->tell(w->arg, "digesting", COPIED + basis_points * (CONVERTED - COPIED) / 10000);
	return !is_cancelled(w);
}

/* What was read is what the version is, whatever lay in between. */
static int copy_verify(const struct making *m, struct pst_err *err)
{
	char sha256[PST_SHA256_HEX_SIZE];
	int fd = open(m->target, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", m->target) : digest_file(fd, on_checked, (void *)(uintptr_t)m->w, sha256, NULL, err);

	pst_fd_close(&fd);
	if (rc == 0 && strcmp(sha256, m->w->p->sha256) != 0)
		rc = pst_err_set(err, PST_ECONFLICT, "the files of the version on datastore %s are not what they were (their digest differs): nothing was copied",
			m->w->p->from);
	return rc;
}

/* The other datastore may go away meanwhile: then the copy fails, and is begun again by whoever asked. */
static int copy_fetch(struct making *m, struct pst_err *err)
{
	const struct image_job_params *p = m->w->p;
	struct store_fetch f = { .image = p->image, .version = p->version, .target = m->target, .go_on = on_copied, .arg = (void *)(uintptr_t)m->w,
		.cancel_fd = m->w->cancel_fd };
	struct store_view from;

	if (!stores_view_named(m->w->set, p->from, &from) || !from.is_online)
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline, or is not configured", p->from);
	if (own_name(m->turn.path, "copy", m->target, err) < 0)
		return err->code;
	return store_type_of(&from.s)->fetch(&from.s, &f, err);
}

/* Room for the whole of it. */
static int copy_find(struct making *m, struct pst_err *err)
{
	const struct image_job_params *p = m->w->p;
	struct store_view from;
	struct manifest manifest;

	if (!stores_view_named(m->w->set, p->from, &from) || !from.is_online)
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline, or is not configured", p->from);
	if (version_read(from.s.path, p->image, p->version, &manifest, err) < 0)
		return err->code;
	if (manifest.is_oci)
		return pst_err_set(err, PST_EUNSUPPORTED, "a container image is not copied: import it on datastore %s", p->datastore);
	m->needs = manifest.file_size;
	return 0;
}

static bool on_unpacked(void *arg, uint32_t basis_points)
{
	const struct image_work *w = arg;

	w->tell(w->arg, "converting", basis_points / 100);
	return !is_cancelled(w);
}

/* A container image: its folder is filled, and then gets its name. */
static int oci_make(struct making *m, struct image_result *ret, struct pst_err *err)
{
	struct oci_params p = { .program = m->w->tools->unpack, .source = m->source, .target = m->target, .entries_max = OCI_ENTRIES_MAX,
		.timeout_ms = WORK_MS, .cancel_fd = m->w->cancel_fd, .progress = on_unpacked, .arg = (void *)(uintptr_t)m->w };
	struct version_params v = { .folder = m->turn.path, .image = m->w->p->image, .version = m->w->p->version, .source = m->target,
		.now_ms = pst_wall_ms() };
	struct manifest *made = &ret->manifest;
	struct oci_result r;
	struct store_view store;

	if (!stores_view_named(m->w->set, m->turn.name, &store) || store_type_of(&store.s) != store_type_find("directory"))
		return pst_err_set(err, PST_EUNSUPPORTED, "a container image is a tree of files: import it on a datastore that is a folder, not on %s", m->turn.name);
	if (room_find(m, &p.bytes_max, err) < 0 || own_name(m->turn.path, "oci", m->target, err) < 0)
		return err->code;
	if (mkdir(m->target, 0700) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", m->target);
	if (oci_import_run(&p, &r, err) < 0)
		return err->code;
	*made = (struct manifest){ .is_oci = true, .size = PST_MAX(r.tree_size, UINT64_C(1)), .file_size = r.file_size };
	memcpy(made->id, r.id, sizeof(made->id));
	memcpy(made->sha256, r.sha256, sizeof(made->sha256));
	if (version_publish_oci(&v, made, err) < 0)
		return err->code;
	return version_base_path(m->turn.path, made, ret->path, err);
}

static bool files_go_on(void *arg)
{
	return !is_cancelled(arg);
}

/* A desktop's files become the archive that is then imported. */
static int files_take(struct making *m, struct pst_err *err)
{
	const struct image_tools *t = m->w->tools;
	struct capture_params p = { .program = t->unpack, .folder = m->folder, .target = m->source, .entries_max = OCI_ENTRIES_MAX, .timeout_ms = WORK_MS,
		.cancel_fd = m->w->cancel_fd };
	char files[PATH_MAX];
	int fd, rc;

	if (room_find(m, &p.bytes_max, err) < 0 || own_name(m->turn.path, "files", m->folder, err) < 0 ||
		path_make(files, err, "%s/files.tar", m->folder) < 0 || path_make(m->source, err, "%s/image.tar", m->folder) < 0)
		return err->code;
	p.bytes_max /= FILES_GROW;
	p.source = files;
	if (mkdir(m->folder, 0700) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", m->folder);
	fd = open(files, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", files);
	rc = t->files(t->arg, m->w->p->desktop, fd, p.bytes_max, files_go_on, (void *)(uintptr_t)m->w, err);
	pst_fd_close(&fd);
	if (rc == PST_ENOTFOUND)
		*err = m->no_disk;
	return rc < 0 ? err->code : capture_run(&p, err);
}

/* 1: a first try has made it, and was not heard. */
static int is_made(const struct image_work *w, struct image_result *ret, struct pst_err *err)
{
	const struct image_job_params *p = w->p;
	struct pst_err why = PST_ERR_INIT;
	struct store_view v;
	int rc;

	if (!stores_view_named(w->set, p->datastore, &v) || !v.is_online)
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline, or is not configured", p->datastore);
	rc = version_read(v.s.path, p->image, p->version, &ret->manifest, &why);
	if (rc < 0)
		return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
	if (p->kind == IMAGE_COPY && strcmp(ret->manifest.sha256, p->sha256) != 0)
		return pst_err_set(err, PST_ECONFLICT, "datastore %s has another version %s of %s", p->datastore, p->version, p->image);
	if ((!p->is_repeat && p->kind != IMAGE_COPY) || store_type_of(&v.s)->verify(&v.s, p->image, p->version, err) < 0)
		return pst_err_set(err, PST_ECONFLICT, "datastore %s has a version %s of %s already: choose another name", p->datastore, p->version,
			p->image);
	return disk_path(&v.s, p, &ret->manifest, ret->path, err) < 0 ? err->code : 1;
}

static int making_run(struct making *m, struct image_result *ret, struct pst_err *err)
{
	if (m->w->p->kind == IMAGE_COPY)
		return copy_find(m, err) < 0 || turn_take(m, err) < 0 || copy_fetch(m, err) < 0 || copy_verify(m, err) < 0 ? err->code : publish(m, ret, err);
	if (source_find(m, err) < 0 || turn_take(m, err) < 0)
		return err->code;
	m->w->tell(m->w->arg, "converting", 0);
	if (m->is_files && files_take(m, err) < 0)
		return err->code;
	if (m->is_oci)
		return oci_make(m, ret, err);
	return convert(m, err) < 0 ? err->code : publish(m, ret, err);
}

static int make(const struct image_work *w, struct image_result *ret, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct making *m;
	int rc = is_made(w, ret, err);

	if (rc != 0)
		return rc > 0 ? 0 : rc;
	m = pst_zalloc(1, sizeof(*m));
	if (!m)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	m->w = w;
	rc = making_run(m, ret, err);
	if (m->taken[0])
		unlink(m->taken);
	if (rc < 0 && m->target[0])
		tree_remove(m->target, &ignored);
	if (m->folder[0])
		tree_remove(m->folder, &ignored);
	stores_end(w->set, &m->turn);
	stores_look(w->set, w->p->datastore);
	free(m);
	return rc < 0 && is_cancelled(w) ? cancelled(err) : rc;
}

static int take_away(const struct image_work *w, struct pst_err *err)
{
	const char *const *others = stores_others(w->set, w->p->datastore);
	struct pst_err why = PST_ERR_INIT;
	struct store_view v;
	struct manifest m;
	char folder[900];
	int rc;

	w->tell(w->arg, "removing", 0);
	if (!others || !stores_view_named(w->set, w->p->datastore, &v) || !stores_lock(w->set, w->p->datastore, folder)) {
		free((void *)(uintptr_t)others);
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline, or is not configured", w->p->datastore);
	}
	rc = version_read(folder, w->p->image, w->p->version, &m, &why);
	if (rc == PST_ENOTFOUND)
		rc = 0; /* it is gone */
	else
		rc = store_type_of(&v.s)->remove(&v.s, others, w->p->image, w->p->version, w->p->reason, w->p->keep_ms, err);
	stores_unlock(w->set, w->p->datastore);
	stores_look(w->set, w->p->datastore);
	free((void *)(uintptr_t)others);
	return rc;
}

int image_work_run(const struct image_work *w, struct image_result *ret, struct pst_err *err)
{
	return w->p->kind == IMAGE_REMOVE ? take_away(w, err) : make(w, ret, err);
}
