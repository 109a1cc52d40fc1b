/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unpacking by windows. */
#include "protocol/source/rfb/unpack.h"

#include <limits.h>
#include <string.h>

#include "base/mem.h"

int rfb_unpack_reset(struct rfb_unpack *u, struct pst_err *err)
{
	u->len = 0;
	if (u->is_open)
		return inflateReset(&u->z) == Z_OK
			       ? 0
			       : pst_err_set(err, PST_EINTERNAL, "zlib does not begin anew");
	memset(&u->z, 0, sizeof(u->z));
	if (inflateInit(&u->z) != Z_OK)
		return pst_err_set(err, PST_ENOMEM, "no memory to unpack a picture");
	u->is_open = true;
	return 0;
}

void rfb_unpack_close(struct rfb_unpack *u)
{
	if (u->is_open)
		inflateEnd(&u->z);
	u->is_open = false;
}

int rfb_unpack_fill(struct rfb_unpack *u, const uint8_t **data, size_t *len, struct pst_err *err)
{
	uInt n = (uInt)PST_MIN(*len, (size_t)INT_MAX);
	int rc;

	if (!u->is_open && rfb_unpack_reset(u, err) < 0)
		return err->code;
	u->z.next_in = (Bytef *)(uintptr_t)*data;
	u->z.avail_in = n;
	u->z.next_out = u->window + u->len;
	u->z.avail_out = (uInt)(RFB_WINDOW - u->len);
	rc = inflate(&u->z, Z_SYNC_FLUSH);
	if (rc != Z_OK && rc != Z_BUF_ERROR)
		return pst_err_set(err, PST_EPROTO, "packed pixels that cannot be unpacked");
	u->len = RFB_WINDOW - u->z.avail_out;
	*data += n - u->z.avail_in;
	*len -= n - u->z.avail_in;
	return 0;
}

void rfb_unpack_used(struct rfb_unpack *u, size_t n)
{
	u->len -= n;
	memmove(u->window, u->window + n, u->len);
}
