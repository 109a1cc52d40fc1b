/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and writes the heads of saved domains. */
#include "broker/hypervisor/libvirt/saved_domain.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "LibvirtQemudSave" /* "LibvirtQemudPart" while it is not whole */
#define FORM_VERSION 2

struct head {
	char magic[16];
	uint32_t version, length, was_running, compressed, cookie;
	uint32_t unused[14];
};

_Static_assert(sizeof(struct head) == 92, "as libvirt writes it");

static int bytes_read(int fd, void *out, size_t n, off_t at, struct pst_err *err)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(fd, (char *)out + done, n - done, at + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return pst_err_sys(err, PST_EIO, errno, "read a saved domain");
		if (got == 0)
			return pst_err_set(err, PST_EINVAL, "the saved domain ends in its head");
		done += (size_t)got;
	}
	return 0;
}

static int head_check(const struct head *h, struct pst_err *err)
{
	if (memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0)
		return pst_err_set(err, PST_EINVAL, "it is no saved domain of libvirt, or not a whole one");
	if (h->version != FORM_VERSION || h->compressed != 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "a saved domain of version %u, compression %u: only version %d without compression is known "
			"(save_image_format = \"raw\" in qemu.conf)", h->version, h->compressed, FORM_VERSION);
	if (h->length < 2 || h->length > SAVED_HEAD_MAX - sizeof(*h) || h->cookie >= h->length)
		return pst_err_set(err, PST_EINVAL, "the lengths in a saved domain's head are impossible");
	return 0;
}

/* data ends with a zero of ours. */
static int parts_take(const struct head *h, const char *data, struct saved *ret, struct pst_err *err)
{
	ret->document = strdup(data);
	ret->cookie = h->cookie ? strdup(data + h->cookie) : NULL;
	ret->stream = sizeof(*h) + h->length;
	if (ret->document && (ret->cookie || !h->cookie))
		return 0;
	saved_finish(ret);
	return pst_err_set(err, PST_ENOMEM, "no memory");
}

int saved_read(int fd, struct saved *ret, struct pst_err *err)
{
	struct head h;
	char *data;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (bytes_read(fd, &h, sizeof(h), 0, err) < 0 || head_check(&h, err) < 0)
		return err->code;
	data = pst_zalloc((size_t)h.length + 1, 1);
	if (!data)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = bytes_read(fd, data, h.length, sizeof(h), err);
	if (rc == 0)
		rc = parts_take(&h, data, ret, err);
	free(data);
	return rc;
}

void saved_finish(struct saved *s)
{
	free(s->document);
	free(s->cookie);
	s->document = s->cookie = NULL;
}

int saved_head(const struct saved *s, const char *document, struct pst_buf *b, struct pst_err *err)
{
	size_t text = strlen(document) + 1, cookie = s->cookie ? strlen(s->cookie) + 1 : 0;
	struct head h = { .magic = { 0 }, .version = FORM_VERSION, .was_running = 1, .cookie = cookie ? (uint32_t)text : 0 };

	if (text + cookie > SAVED_HEAD_MAX - sizeof(h))
		return pst_err_set(err, PST_ELIMIT, "the domain's document is larger than %u bytes", SAVED_HEAD_MAX);
	h.length = (uint32_t)(text + cookie);
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	pst_buf_append(b, &h, sizeof(h));
	pst_buf_append(b, document, text);
	if (cookie)
		pst_buf_append(b, s->cookie, cookie);
	return b->failed ? pst_err_set(err, PST_ENOMEM, "no memory for a saved domain's head") : 0;
}
