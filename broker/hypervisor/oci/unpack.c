/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * puesto-unpack: reads an archive for the provisioner, in a sandbox (sandbox.h), and says in records (oci_record.h) on
 * its stdout what is in it. It writes nothing else and opens nothing but that file.
 *
 *	puesto-unpack list FILE                        members of a plain tar, and where their bytes lie
 *	puesto-unpack layer FILE OFFSET SIZE MAX       a layer's tar, plain, gzip or zstd: first what it takes
 *	                                               away from the layers below, then what it has; at most MAX bytes unpacked
 */
#include "broker/hypervisor/oci/oci_record.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (64u * 1024)
#define HEAD_MAX (RECORD_HEAD_SIZE + 2 * RECORD_PATH_MAX)
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why ? why : "is broken");
	exit(1);
}

static void out_write(const void *data, size_t len)
{
	if (len > 0 && fwrite(data, len, 1, stdout) != 1)
		exit(2);
}

static void record_write(const struct record *r)
{
	struct pst_buf b;

	pst_buf_init(&b, HEAD_MAX);
	record_put(&b, r);
	if (b.failed)
		fail("a record", "is too long");
	out_write(b.data, b.len);
	pst_buf_finish(&b);
}

static void text_take(char out[RECORD_PATH_MAX + 1], const char *text)
{
	if (!text || pst_strlcpy(out, RECORD_PATH_MAX + 1, text) < 0)
		fail(text ? text : "a name", text ? "the name is too long" : "is missing");
}

static _Noreturn void limit(void)
{
	const struct record r = { .kind = RECORD_LIMIT };

	record_write(&r);
	exit(fflush(stdout) == 0 ? 1 : 2);
}

/* A layer's bytes: a window of the file. */
struct window {
	int fd;
	uint64_t at, end;
	uint8_t piece[PIECE];
};

static la_ssize_t window_read(struct archive *a, void *arg, const void **ret)
{
	struct window *w = arg;
	ssize_t n = pread(w->fd, w->piece, (size_t)PST_MIN((uint64_t)PIECE, w->end - w->at), (off_t)w->at);

	if (n < 0) {
		archive_set_error(a, errno, "it cannot be read");
		return -1;
	}
	w->at += (uint64_t)n;
	*ret = w->piece;
	return n;
}

/* Its tar: unpacked, measured and digested on its way. */
struct inner {
	struct archive *outer;
	gnutls_hash_hd_t hash;
	uint64_t n, max;
	uint8_t piece[PIECE];
};

static la_ssize_t inner_read(struct archive *a, void *arg, const void **ret)
{
	struct inner *in = arg;
	la_ssize_t n = archive_read_data(in->outer, in->piece, PIECE);

	if (n < 0) {
		archive_set_error(a, EIO, "%s", archive_error_string(in->outer));
		return -1;
	}
	in->n += (uint64_t)n;
	if (in->n > in->max)
		limit();
	gnutls_hash(in->hash, in->piece, (size_t)n);
	*ret = in->piece;
	return n;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_whiteout(const char *path)
{
	return pst_str_starts(last_part(path), WHITEOUT);
}

/* "a/.wh.b" takes a/b away, "a/.wh..wh..opq" all in a (image-spec, layer.md). */
static void whiteout_write(const char *path)
{
	struct record r = { .kind = RECORD_WHITEOUT };
	const char *last = last_part(path);
	size_t folder = (size_t)(last - path);

	text_take(r.path, path); /* one that is too long ends here, and is not cut to another's name */
	if (strcmp(last, OPAQUE) == 0) {
		r.kind = RECORD_OPAQUE;
		r.path[folder] = '\0';
	} else {
		/* Whatever else begins with ".wh..wh." is a store's own and means nothing. */
		last += strlen(WHITEOUT);
		if (!*last || pst_str_starts(last, WHITEOUT))
			return;
		snprintf(r.path, sizeof(r.path), "%.*s%s", (int)folder, path, last);
	}
	record_write(&r);
}

static void zeros_write(uint64_t n)
{
	static const uint8_t zeros[PIECE];

	for (; n > 0; n -= PST_MIN(n, (uint64_t)PIECE))
		out_write(zeros, (size_t)PST_MIN(n, (uint64_t)PIECE));
}

/* Exactly size bytes, holes as zeros. */
static void content_write(struct archive *a, uint64_t size)
{
	uint64_t at = 0;
	const void *data;
	la_int64_t offset;
	size_t n;
	int rc;

	while ((rc = archive_read_data_block(a, &data, &n, &offset)) == ARCHIVE_OK) {
		if ((uint64_t)offset < at || (uint64_t)offset > size || n > size - (uint64_t)offset)
			fail("a file", "is larger than its size");
		zeros_write((uint64_t)offset - at);
		out_write(data, n);
		at = (uint64_t)offset + n;
	}
	if (rc != ARCHIVE_EOF)
		fail("the layer", archive_error_string(a));
	zeros_write(size - at);
}

static enum record_kind kind_of(struct archive_entry *e)
{
	if (archive_entry_hardlink(e))
		return RECORD_HARDLINK;
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return RECORD_FILE;
	case AE_IFDIR:
		return RECORD_FOLDER;
	case AE_IFLNK:
		return RECORD_SYMLINK;
	default:
		return RECORD_OTHER;
	}
}

static uint32_t id_take(la_int64_t id)
{
	if (id < 0 || id >= UINT32_MAX)
		fail("an owner", "has an impossible number");
	return (uint32_t)id;
}

static void entry_write(struct archive *a, struct archive_entry *e)
{
	struct record r = { .kind = kind_of(e), .mode = (uint32_t)archive_entry_perm(e), .uid = id_take(archive_entry_uid(e)),
		.gid = id_take(archive_entry_gid(e)), .mtime = archive_entry_mtime(e) };

	text_take(r.path, archive_entry_pathname(e));
	if (r.kind == RECORD_SYMLINK)
		text_take(r.link, archive_entry_symlink(e));
	else if (r.kind == RECORD_HARDLINK)
		text_take(r.link, archive_entry_hardlink(e));
	if (r.kind == RECORD_FILE && archive_entry_size(e) > 0)
		r.size = (uint64_t)archive_entry_size(e);
	record_write(&r);
	if (r.kind == RECORD_FILE)
		content_write(a, r.size);
}

static struct archive *tar_new(void)
{
	struct archive *a = archive_read_new();

	if (!a || archive_read_support_format_tar(a) < ARCHIVE_WARN || archive_read_support_format_empty(a) < ARCHIVE_WARN)
		fail("libarchive", "does not start");
	return a;
}

/* The layer's stream behind its compression, whatever that is of these. */
static struct archive *outer_open(struct window *w)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;

	if (!a || archive_read_support_filter_gzip(a) < ARCHIVE_WARN || archive_read_support_filter_zstd(a) < ARCHIVE_WARN ||
		archive_read_support_format_raw(a) < ARCHIVE_WARN || archive_read_support_format_empty(a) < ARCHIVE_WARN)
		fail("libarchive", "does not start");
	if (archive_read_open(a, w, NULL, window_read, NULL) < ARCHIVE_WARN || archive_read_next_header(a, &e) < ARCHIVE_WARN)
		fail("the layer", archive_error_string(a));
	return a;
}

/* One pass. whiteouts: these alone, else all others. ret_digest: of the unpacked bytes, to the last. */
static void layer_pass(int fd, uint64_t offset, uint64_t size, uint64_t max, bool whiteouts, char ret_digest[PST_SHA256_HEX_SIZE])
{
	struct window *w = pst_zalloc(1, sizeof(*w));
	struct inner *in = pst_zalloc(1, sizeof(*in));
	struct archive *a = tar_new();
	uint8_t sum[PST_SHA256_LEN];
	struct archive_entry *e;
	const void *rest;
	int rc;

	if (!w || !in || gnutls_hash_init(&in->hash, GNUTLS_DIG_SHA256) < 0)
		fail("memory", "is too little");
	*w = (struct window){ .fd = fd, .at = offset, .end = offset + size };
	in->outer = outer_open(w);
	in->max = max;
	if (archive_read_open(a, in, NULL, inner_read, NULL) < ARCHIVE_WARN)
		fail("the layer", archive_error_string(a));
	while ((rc = archive_read_next_header(a, &e)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		const char *path = archive_entry_pathname(e);

		if (!path)
			fail("the layer", "has an entry without a name");
		if (is_whiteout(path) && whiteouts)
			whiteout_write(path);
		else if (!is_whiteout(path) && !whiteouts)
			entry_write(a, e);
	}
	if (rc != ARCHIVE_EOF)
		fail("the layer", archive_error_string(a));
	while (inner_read(a, in, &rest) > 0)
		;
	gnutls_hash_deinit(in->hash, sum);
	pst_hex_encode(sum, sizeof(sum), ret_digest, PST_SHA256_HEX_SIZE);
	archive_read_free(a);
	archive_read_free(in->outer);
	free(in);
	free(w);
}

static void layer(int fd, char **argv)
{
	uint64_t offset = strtoull(argv[0], NULL, 10), size = strtoull(argv[1], NULL, 10), max = strtoull(argv[2], NULL, 10);
	struct record end = { .kind = RECORD_END };
	char first[PST_SHA256_HEX_SIZE], second[PST_SHA256_HEX_SIZE];

	/* Whiteouts are of the layers below, wherever they stand in this one: so they come first. */
	layer_pass(fd, offset, size, max, true, first);
	layer_pass(fd, offset, size, max, false, second);
	if (strcmp(first, second) != 0)
		fail("the layer", "changes while it is read");
	memcpy(end.path, second, sizeof(second));
	record_write(&end);
}

/* Where an entry's bytes lie: what follows its header blocks, in a file that is no more than a tar. */
static void member_write(struct archive *a, struct archive_entry *e)
{
	struct record r = { .kind = RECORD_OTHER };

	text_take(r.path, archive_entry_pathname(e));
	if (archive_entry_symlink(e) || archive_entry_hardlink(e)) {
		r.kind = RECORD_SYMLINK;
		/* A hard link's name begins at the top. */
		if (archive_entry_hardlink(e))
			snprintf(r.link, sizeof(r.link), "/%s", archive_entry_hardlink(e));
		else
			text_take(r.link, archive_entry_symlink(e));
	} else if (archive_entry_filetype(e) == AE_IFREG && archive_entry_sparse_count(e) == 0) {
		r.kind = RECORD_MEMBER;
		r.size = archive_entry_size(e) > 0 ? (uint64_t)archive_entry_size(e) : 0;
		/* Its headers are read by now, and nothing of its content. */
		r.offset = (uint64_t)archive_filter_bytes(a, 0);
	}
	record_write(&r);
}

static void list(int fd)
{
	struct record end = { .kind = RECORD_END };
	struct archive *a = tar_new();
	struct archive_entry *e;
	int rc;

	if (archive_read_open_fd(a, fd, PIECE) < ARCHIVE_WARN)
		fail("the archive", archive_error_string(a));
	while ((rc = archive_read_next_header(a, &e)) == ARCHIVE_OK || rc == ARCHIVE_WARN)
		member_write(a, e);
	if (rc != ARCHIVE_EOF)
		fail("the archive", archive_error_string(a));
	archive_read_free(a);
	record_write(&end);
}

#ifdef __SANITIZE_ADDRESS__
/* Leaks cannot be looked for within the sandbox. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		fail("the archive", argc > 2 ? strerror(errno) : "is not named");
	if (argc == 3 && strcmp(argv[1], "list") == 0)
		list(fd);
	else if (argc == 6 && strcmp(argv[1], "layer") == 0)
		layer(fd, argv + 3);
	else
		fail("puesto-unpack", "list FILE | layer FILE OFFSET SIZE MAX");
	return fflush(stdout) == 0 ? 0 : 2;
}
