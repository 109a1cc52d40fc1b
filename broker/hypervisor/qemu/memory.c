/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies in pieces; pieces of zeros stay holes, and the digest is one of the pieces' places and digests. */
#include "broker/hypervisor/qemu/memory.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (256u << 10)

struct chain {
	uint8_t sum[PST_SHA256_LEN];
	uint64_t at; /* of the piece */
	uint8_t piece[PST_SHA256_LEN];
};

static bool is_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int piece_read(int file, uint8_t *piece, size_t n, uint64_t at, struct pst_err *err)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(file, piece + done, n - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return pst_err_sys(err, PST_EIO, got < 0 ? errno : ENODATA, "read a parent's memory");
		done += (size_t)got;
	}
	return 0;
}

static int piece_copy(int file, int to, uint8_t *piece, size_t n, struct chain *c, struct pst_err *err)
{
	if (piece_read(file, piece, n, c->at, err) < 0)
		return err->code;
	if (is_zero(piece, n))
		return 0;
	if (pwrite(to, piece, n, (off_t)c->at) != (ssize_t)n)
		return pst_err_sys(err, PST_ENOMEM, errno, "%zu bytes of a parent's memory", n);
	pst_sha256(piece, n, c->piece);
	pst_sha256(c, sizeof(*c), c->sum);
	return 0;
}

/* Where data begins at or after at; size when there is none. */
static uint64_t data_next(int file, uint64_t at, uint64_t size)
{
	off_t next = lseek(file, (off_t)at, SEEK_DATA);

	if (next < 0)
		return errno == ENXIO ? size : at;
	return (uint64_t)next / PIECE * PIECE;
}

static int all_copy(int file, int to, uint64_t size, char ret_hex[PST_SHA256_HEX_SIZE], struct pst_err *err)
{
	struct chain c;
	uint8_t *piece = malloc(PIECE);
	int rc = piece ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	memset(&c, 0, sizeof(c));
	for (c.at = 0; rc == 0 && (c.at = PST_MAX(c.at, data_next(file, c.at, size))) < size; c.at += PIECE)
		rc = piece_copy(file, to, piece, (size_t)PST_MIN((uint64_t)PIECE, size - c.at), &c, err);
	free(piece);
	if (rc == 0)
		pst_hex_encode(c.sum, sizeof(c.sum), ret_hex, PST_SHA256_HEX_SIZE);
	return rc;
}

int memory_seal(int file, uint64_t size, char ret_hex[PST_SHA256_HEX_SIZE], struct pst_err *err)
{
	int fd, rc;
	struct stat st;

	if (fstat(file, &st) < 0 || (uint64_t)st.st_size != size)
		return pst_err_set(err, PST_ECONFLICT, "a parent's memory does not have %llu bytes", (unsigned long long)size);
	fd = memfd_create("puesto-parent", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
		pst_err_sys(err, PST_ENOMEM, errno, "memory for a parent");
		pst_fd_close(&fd);
		return err->code;
	}
	rc = all_copy(file, fd, size, ret_hex, err);
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "seal a parent's memory");
	if (rc < 0) {
		pst_fd_close(&fd);
		return rc;
	}
	return fd;
}
