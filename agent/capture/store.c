/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chooses the store: no copy where Xvfb shows its memory, the X server's own copy elsewhere. */
#include "agent/capture/store.h"

#include "base/log.h"

struct store *store_open(struct x11 *x, const char *fbdir, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;

	if (fbdir) {
		struct store *s = store_fbdir.open(x, fbdir, &why);
		if (s)
			return s;
		pst_warn("capture without the X server's own memory: %s", why.text);
	}
	return store_shm.open(x, NULL, err);
}
