/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of a domain that libvirt's QEMU driver has saved (src/qemu/qemu_saveimage.h, version 2): a header, the domain's
 * document, what the driver notes beside it, and then QEMU's stream. libvirt refuses to restore it as another domain;
 * but the name is in the document alone, so a head with another document before the same stream is another domain.
 *
 *	"LibvirtQemudSave" version length was_running compressed cookie_offset unused[14]   (32 bits each, the host's order)
 *	document '\0' [cookie '\0'] padding                                                (length bytes)
 *	the stream
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define SAVED_HEAD_MAX (8u << 20) /* bytes before the stream */

struct saved {
	char *document; /* owned */
	char *cookie;   /* owned, NULL without one */
	uint64_t stream; /* where it begins in the file */
};

/* fd: borrowed. PST_EUNSUPPORTED for one that is compressed, not whole, or of another version; PST_EINVAL for no such file. */
int saved_read(int fd, struct saved *ret, struct pst_err *err);
void saved_finish(struct saved *s);

/* What stands before the stream when document is put in its place. b's max is SAVED_HEAD_MAX; PST_ELIMIT, PST_ENOMEM. */
int saved_head(const struct saved *s, const char *document, struct pst_buf *b, struct pst_err *err);
