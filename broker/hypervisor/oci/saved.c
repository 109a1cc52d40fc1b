/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies an image's blobs into one archive, and digests what it copies. */
#include "broker/hypervisor/oci/saved.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/container/tar.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE (256u * 1024)
#define DOCUMENTS_MAX (8u << 20)

struct copy {
	int from, to;
	uint64_t done, all; /* bytes of layers */
	digest_cb go_on;
	void *arg;
	uint8_t piece[PIECE];
};

void saved_reference(const char *id, char out[SAVED_REFERENCE_SIZE])
{
	snprintf(out, SAVED_REFERENCE_SIZE, "%s:%.64s", SAVED_REPO, id);
}

static int all_write(int fd, const uint8_t *data, size_t len, struct pst_err *err)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return pst_err_sys(err, errno == ENOSPC || errno == EDQUOT ? PST_ENOSPC : PST_EIO, errno, "write an image");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int buf_write(struct copy *c, const struct pst_buf *b, struct pst_err *err)
{
	return b->failed ? pst_err_set(err, PST_ELIMIT, "the image's documents are too large") : all_write(c->to, b->data, b->len, err);
}

static int bytes_copy(struct copy *c, const struct oci_layer *l, gnutls_hash_hd_t hash, struct pst_err *err)
{
	for (uint64_t at = 0; at < l->size;) {
		ssize_t n = pread(c->from, c->piece, (size_t)PST_MIN((uint64_t)PIECE, l->size - at), (off_t)(l->offset + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return pst_err_set(err, PST_EIO, "the archive cannot be read, or becomes shorter");
		gnutls_hash(hash, c->piece, (size_t)n);
		if (all_write(c->to, c->piece, (size_t)n, err) < 0)
			return err->code;
		at += (uint64_t)n;
		c->done += (uint64_t)n;
		if (c->go_on && !c->go_on(c->arg, (uint32_t)(c->done / (c->all / 10000 + 1))))
			return pst_err_set(err, PST_ECLOSED, "cancelled");
	}
	return 0;
}

static int layer_bytes(struct copy *c, const struct oci_layer *l, struct pst_err *err)
{
	char hex[PST_SHA256_HEX_SIZE];
	uint8_t sum[PST_SHA256_LEN];
	gnutls_hash_hd_t hash;
	int rc;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = bytes_copy(c, l, hash, err);
	gnutls_hash_deinit(hash, sum);
	pst_hex_encode(sum, sizeof(sum), hex, sizeof(hex));
	if (rc == 0 && l->digest[0] && strcmp(hex, l->digest) != 0)
		rc = pst_err_set(err, PST_EINVAL, "a layer is not what its digest says (%.16s…): the archive is damaged", l->digest);
	return rc;
}

static int layer_copy(struct copy *c, struct oci_layer *l, size_t index, struct pst_err *err)
{
	struct pst_buf b;
	char name[32];
	int rc;

	if (l->size >= TAR_SIZE_MAX)
		return pst_err_set(err, PST_ELIMIT, "a layer has more than %llu GB", (unsigned long long)TAR_SIZE_MAX >> 30);
	snprintf(name, sizeof(name), "%02zu.tar", index);
	pst_buf_init(&b, 4 * TAR_BLOCK);
	tar_put_head(&b, name, 0444, l->size);
	rc = buf_write(c, &b, err);
	if (rc == 0)
		rc = layer_bytes(c, l, err);
	l->offset = (uint64_t)lseek(c->to, 0, SEEK_CUR) - l->size;
	pst_buf_reset(&b);
	pst_buf_put_zero(&b, (size_t)((TAR_BLOCK - l->size % TAR_BLOCK) % TAR_BLOCK));
	if (rc == 0)
		rc = buf_write(c, &b, err);
	pst_buf_finish(&b);
	return rc;
}

static char *names_text(const struct oci_image *image, size_t *ret_len)
{
	char config[PST_SHA256_HEX_SIZE + 8], reference[SAVED_REFERENCE_SIZE], name[32], *text;
	json_t *layers = json_array(), *o;

	snprintf(config, sizeof(config), "%s.json", image->id);
	saved_reference(image->id, reference);
	for (size_t i = 0; i < image->n_layers; i++) {
		snprintf(name, sizeof(name), "%02zu.tar", i);
		json_array_append_new(layers, json_string(name));
	}
	o = json_pack("[{s:s, s:[s], s:o}]", "Config", config, "RepoTags", reference, "Layers", layers);
	text = o ? pst_json_text(o, ret_len) : NULL;
	json_decref(o);
	return text;
}

static int documents_write(struct copy *c, const struct oci_image *image, struct pst_err *err)
{
	char name[PST_SHA256_HEX_SIZE + 8], *names;
	struct pst_buf b;
	size_t len = 0;
	int rc;

	names = names_text(image, &len);
	if (!names)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	snprintf(name, sizeof(name), "%s.json", image->id);
	pst_buf_init(&b, DOCUMENTS_MAX);
	tar_put(&b, name, 0444, 0, image->config, image->config_len);
	tar_put(&b, "manifest.json", 0444, 0, names, len);
	tar_end(&b);
	rc = buf_write(c, &b, err);
	pst_buf_finish(&b);
	free(names);
	return rc;
}

int saved_write(int archive, struct oci_image *image, int target, digest_cb go_on, void *arg, struct pst_err *err)
{
	struct copy *c = pst_zalloc(1, sizeof(*c));
	int rc = 0;

	if (!c)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	*c = (struct copy){ .from = archive, .to = target, .go_on = go_on, .arg = arg };
	for (size_t i = 0; i < image->n_layers; i++)
		c->all += image->layers[i].size;
	for (size_t i = 0; i < image->n_layers && rc == 0; i++)
		rc = layer_copy(c, &image->layers[i], i, err);
	if (rc == 0)
		rc = documents_write(c, image, err);
	free(c);
	return rc;
}
