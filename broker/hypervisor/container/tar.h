/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The little of POSIX's ustar format (IEEE 1003.1, pax, "ustar Interchange Format") that an engine's
 * archive calls need: a few small files in, one out. Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

#define TAR_BLOCK 512
#define TAR_NAME_MAX 99

/* Appends a regular file, or with data NULL a directory (name without a '/' at its end). Failure is sticky in b. */
void tar_put(struct pst_buf *b, const char *name, mode_t mode, uid_t uid, const char *data, size_t len);

/* The header alone of a regular file of size bytes (below TAR_SIZE_MAX), which come next, filled up to whole blocks. */
#define TAR_SIZE_MAX (UINT64_C(1) << 33)
void tar_put_head(struct pst_buf *b, const char *name, mode_t mode, uint64_t size);

enum tar_type {
	TAR_FILE = '0',
	TAR_HARDLINK = '1',
	TAR_SYMLINK = '2',
	TAR_FOLDER = '5',
};

struct tar_entry {
	enum tar_type type;
	const char *name, *link; /* of any length; link of the two kinds of links */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size; /* of a file: below TAR_SIZE_MAX */
	int64_t mtime; /* seconds; before 1970 is 1970 */
};

/* Its header, of names that are too long with one of pax before it. A file's bytes come next, filled up to whole blocks. */
void tar_put_entry(struct pst_buf *b, const struct tar_entry *e);

/* The two zero blocks of the end. */
void tar_end(struct pst_buf *b);

/*
 * The content of the first regular file of an archive: points into data. PST_ENOTFOUND without one,
 * PST_EPROTO for what is no archive or is cut off.
 */
int tar_first(const char *data, size_t len, const char **ret_data, size_t *ret_len, struct pst_err *err);
