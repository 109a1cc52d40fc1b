/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Xft.dpi among the X resources: 96 dots an inch at 100 percent. */
#include "agent/scale.h"

#include <X11/Xatom.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define DPI_AT_100 96
#define DPI_NAME "Xft.dpi:"

void scale_resources(const char *old, uint32_t scale_pct, struct pst_buf *out)
{
	char line[32];

	while (old && *old) {
		size_t len = strcspn(old, "\n");

		if (len > 0 && strncmp(old, DPI_NAME, strlen(DPI_NAME)) != 0) {
			pst_buf_append(out, old, len);
			pst_buf_put_u8(out, '\n');
		}
		old += len + (old[len] == '\n');
	}
	snprintf(line, sizeof(line), DPI_NAME "\t%u\n", (unsigned)(DPI_AT_100 * scale_pct / 100));
	pst_buf_append(out, line, strlen(line));
}

/* What the property says now; owned by Xlib, NULL for none. Xlib ends it with a zero. */
static unsigned char *resources_read(struct x11 *x, bool *ret_is_whole)
{
	unsigned char *data = NULL;
	unsigned long n, left = 0;
	int format;
	Atom type;

	*ret_is_whole = XGetWindowProperty(x->dpy, x->root, XA_RESOURCE_MANAGER, 0, SCALE_RESOURCES_MAX / 4, False,
				XA_STRING, &type, &format, &n, &left, &data) == Success && left == 0;
	return data;
}

void scale_apply(struct x11 *x, uint32_t scale_pct)
{
	struct pst_buf text;
	unsigned char *old;
	bool is_whole;

	if (x->is_lost)
		return;
	old = resources_read(x, &is_whole);
	pst_buf_init(&text, SCALE_RESOURCES_MAX);
	scale_resources((const char *)old, scale_pct, &text);
	if (!is_whole || text.failed)
		pst_info("scale: the desktop's X resources are too long to be changed");
	else if (scale_pct != 100 || (old && strstr((const char *)old, DPI_NAME)))
		XChangeProperty(x->dpy, x->root, XA_RESOURCE_MANAGER, XA_STRING, 8, PropModeReplace, text.data, (int)text.len);
	pst_buf_finish(&text);
	if (old)
		XFree(old);
}
