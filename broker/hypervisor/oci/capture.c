/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes images of desktops' files. */
#include "broker/hypervisor/oci/capture.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/container/tar.h"
#include "broker/hypervisor/disk/digest.h"
#include "broker/hypervisor/oci/saved.h"
#include "broker/hypervisor/oci/unpacked.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 2048 /* of an entry's headers, at most */
#define FLUSH_AT (1u << 20)

struct capture {
	const struct capture_params *p;
	uint64_t deadline_ms;
	int layer; /* descriptor */
	uint64_t bytes, entries;
	bool is_left_out; /* the file whose content comes */
	uint64_t left;    /* of that content */
	size_t padding;
	struct pst_buf out;
};

static const char *plain(const char *path)
{
	while (pst_str_starts(path, "./") || *path == '/')
		path += *path == '/' ? 1 : 2;
	return path;
}

bool capture_leaves_out(const char *path)
{
	static const char *const files[] = { "etc/machine-id", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab", ".dockerenv",
		"var/lib/dbus/machine-id", "var/lib/systemd/random-seed" };
	/* Of these what is in them: the folders stay. */
	static const char *const below[] = { "home/", "tmp/", "var/tmp/", "run/", "proc/", "sys/", "dev/", "var/lib/puesto/", "etc/ssh/ssh_host_" };

	path = plain(path);
	for (size_t i = 0; i < PST_ARRAY_LEN(files); i++) {
		if (strcmp(path, files[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < PST_ARRAY_LEN(below); i++) {
		if (pst_str_starts(path, below[i]) && path[strlen(below[i])])
			return true;
	}
	return false;
}

static int flush(struct capture *c, struct pst_err *err)
{
	if (c->out.failed)
		return pst_err_set(err, PST_ENOMEM, "no memory for the desktop's files");
	for (size_t done = 0; done < c->out.len;) {
		ssize_t n = write(c->layer, c->out.data + done, c->out.len - done);

		if (n < 0 && errno != EINTR)
			return pst_err_sys(err, errno == ENOSPC || errno == EDQUOT ? PST_ENOSPC : PST_EIO, errno, "write a layer");
		done += n > 0 ? (size_t)n : 0;
	}
	pst_buf_reset(&c->out);
	return 0;
}

static int file_end(struct capture *c, struct pst_err *err)
{
	pst_buf_put_zero(&c->out, c->padding);
	c->padding = 0;
	return c->out.len > FLUSH_AT ? flush(c, err) : 0;
}

static int limits_check(struct capture *c, const struct record *r, struct pst_err *err)
{
	const struct capture_params *p = c->p;

	if (r->size >= TAR_SIZE_MAX)
		return pst_err_set(err, PST_ELIMIT, "%.200s has more than %llu GB", r->path, (unsigned long long)TAR_SIZE_MAX >> 30);
	c->bytes += r->size;
	if (++c->entries > p->entries_max || c->bytes > p->bytes_max)
		return pst_err_set(err, PST_ELIMIT, "the desktop has more than %llu files, or they take more than %llu MB", (unsigned long long)p->entries_max,
			(unsigned long long)p->bytes_max >> 20);
	return 0;
}

static int entry_put(struct capture *c, const struct record *r, struct pst_err *err)
{
	static const enum tar_type types[RECORD_KINDS] = { [RECORD_FILE] = TAR_FILE, [RECORD_FOLDER] = TAR_FOLDER, [RECORD_SYMLINK] = TAR_SYMLINK,
		[RECORD_HARDLINK] = TAR_HARDLINK };
	const struct tar_entry e = { .type = types[r->kind], .name = plain(r->path), .mode = r->mode & 07777, .uid = r->uid, .gid = r->gid,
		.mtime = r->mtime, .size = r->kind == RECORD_FILE ? r->size : 0,
		.link = r->kind == RECORD_SYMLINK ? r->link : r->kind == RECORD_HARDLINK ? plain(r->link) : NULL };

	if (limits_check(c, r, err) < 0)
		return err->code;
	tar_put_entry(&c->out, &e);
	c->left = e.size;
	c->padding = (size_t)((TAR_BLOCK - e.size % TAR_BLOCK) % TAR_BLOCK);
	return e.size ? 0 : file_end(c, err);
}

/* Whiteouts have no meaning here, devices and the like no place in an image; the root itself, whatever it calls itself, is there anyway. */
static int on_record(void *arg, const struct record *r, struct pst_err *err)
{
	struct capture *c = arg;

	if (r->kind == RECORD_LIMIT)
		return pst_err_set(err, PST_ELIMIT, "the desktop's files take more than %llu MB", (unsigned long long)c->p->bytes_max >> 20);
	c->is_left_out = r->kind < RECORD_FILE || r->kind > RECORD_HARDLINK || !plain(r->path)[0] || capture_leaves_out(r->path) ||
		(r->kind == RECORD_HARDLINK && capture_leaves_out(r->link));
	return c->is_left_out ? 0 : entry_put(c, r, err);
}

static int on_content(void *arg, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct capture *c = arg;

	if (c->is_left_out)
		return 0;
	pst_buf_append(&c->out, data, len);
	c->left -= PST_MIN((uint64_t)len, c->left);
	if (c->left == 0)
		return file_end(c, err);
	return c->out.len > FLUSH_AT ? flush(c, err) : 0;
}

static int layer_make(struct capture *c, struct pst_err *err)
{
	char size[24], max[24];
	const char *const argv[] = { c->p->program, "layer", c->p->source, "0", size, max, NULL };
	struct unpacked u = { .argv = argv, .deadline_ms = c->deadline_ms, .cancel_fd = c->p->cancel_fd, .record = on_record, .content = on_content,
		.arg = c };
	struct stat st;
	int rc;

	u.fd = open(c->p->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (u.fd < 0 || fstat(u.fd, &st) < 0) {
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", c->p->source);
	} else {
		snprintf(size, sizeof(size), "%llu", (unsigned long long)st.st_size);
		snprintf(max, sizeof(max), "%llu", (unsigned long long)(c->p->bytes_max + HEAD_BYTES * c->p->entries_max));
		rc = unpacked_run(&u, err);
	}
	pst_fd_close(&u.fd);
	if (rc < 0)
		return rc;
	tar_end(&c->out);
	return flush(c, err);
}

/* What is known of it: where it runs, and that it has one layer. */
static int config_make(struct oci_image *image, struct pst_err *err)
{
	char diff[PST_SHA256_HEX_SIZE + 8], created[PST_RFC3339_SIZE];
	json_t *o;

	snprintf(diff, sizeof(diff), "sha256:%s", image->layers[0].diff_id);
	pst_rfc3339(pst_wall_ms(), created);
	o = json_pack("{s:s, s:s, s:s, s:{s:[s]}, s:{s:s, s:[s]}, s:[{s:s, s:s}]}", "created", created, "architecture", oci_architecture(), "os", "linux",
		"config", "Env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "rootfs", "type", "layers", "diff_ids", diff, "history",
		"created", created, "created_by", "captured from a desktop");
	image->config = o ? pst_json_text(o, &image->config_len) : NULL;
	json_decref(o);
	if (!image->config)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pst_sha256_hex(image->config, image->config_len, image->id);
	return 0;
}

static int image_make(struct capture *c, struct oci_image *image, struct pst_err *err)
{
	struct oci_layer *l = &image->layers[0];
	int target, rc;

	image->n_layers = 1;
	if (digest_file(c->layer, NULL, NULL, l->diff_id, &l->size, err) < 0)
		return err->code;
	memcpy(l->digest, l->diff_id, sizeof(l->digest));
	if (config_make(image, err) < 0)
		return err->code;
	target = open(c->p->target, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (target < 0)
		return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%.200s", c->p->target);
	rc = saved_write(c->layer, image, target, NULL, NULL, err);
	pst_fd_close(&target);
	return rc;
}

static int run(struct capture *c, const char *layer, struct pst_err *err)
{
	struct oci_image *image = pst_zalloc(1, sizeof(*image));
	int rc = image ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	if (rc == 0) {
		c->layer = open(layer, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		rc = c->layer < 0 ? pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%.200s", layer) : layer_make(c, err);
	}
	/* It is all in the layer: its room is needed. */
	if (rc == 0 && unlink(c->p->source) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", c->p->source);
	if (rc == 0)
		rc = image_make(c, image, err);
	unlink(layer);
	pst_fd_close(&c->layer);
	if (image)
		oci_image_finish(image);
	free(image);
	return rc;
}

int capture_run(const struct capture_params *p, struct pst_err *err)
{
	struct capture c = { .p = p, .deadline_ms = pst_mono_ms() + p->timeout_ms, .layer = -1 };
	char layer[PATH_MAX];
	int rc;

	if (path_make(layer, err, "%s/layer.tar", p->folder) < 0)
		return err->code;
	pst_buf_init(&c.out, 4 * FLUSH_AT);
	rc = run(&c, layer, err);
	pst_buf_finish(&c.out);
	return rc;
}
