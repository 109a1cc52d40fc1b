/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests of large files. */
#include "broker/hypervisor/disk/digest.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (1u << 20)

static uint32_t share(uint64_t at, uint64_t size)
{
	return at >= size ? 10000 : (uint32_t)(at / (size / 10000 + 1));
}

static int pieces_read(int fd, uint64_t size, gnutls_hash_hd_t hash, uint8_t *piece, digest_cb go_on, void *arg,
	uint64_t *ret_size, struct pst_err *err)
{
	uint64_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, piece, PIECE, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pst_err_sys(err, PST_EIO, errno, "read a disk");
		if (n == 0)
			break;
		gnutls_hash(hash, piece, (size_t)n);
		at += (uint64_t)n;
		if (go_on && !go_on(arg, share(at, size)))
			return pst_err_set(err, PST_ECLOSED, "cancelled");
	}
	*ret_size = at;
	return 0;
}

int digest_file(int fd, digest_cb go_on, void *arg, char ret_hex[PST_SHA256_HEX_SIZE], uint64_t *ret_size,
	struct pst_err *err)
{
	uint8_t *piece = malloc(PIECE), sum[PST_SHA256_LEN];
	gnutls_hash_hd_t hash;
	struct stat st;
	uint64_t size = 0;
	int rc;

	if (!piece || gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0) {
		free(piece);
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	}
	/* It is read once: others' files stay in the cache. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	rc = fstat(fd, &st) < 0 ? pst_err_sys(err, PST_EIO, errno, "stat a disk") :
				  pieces_read(fd, (uint64_t)st.st_size, hash, piece, go_on, arg, &size, err);
	gnutls_hash_deinit(hash, sum);
	free(piece);
	if (rc < 0)
		return rc;
	pst_hex_encode(sum, sizeof(sum), ret_hex, PST_SHA256_HEX_SIZE);
	if (ret_size)
		*ret_size = size;
	return 0;
}
