/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What QEMU's D-Bus display says of its screen, as numbers and bytes (the messages themselves are sd-bus's): each
 * step is a picture, a part of one, or shared memory. Nothing is read or written outside.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/source/dbus/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t sum;

static void look(const struct dbus_picture *p, const struct rect *r)
{
	if (r->x < 0 || r->y < 0 || r->x + r->w > p->shown.width || r->y + r->h > p->shown.height)
		abort();
	for (int32_t y = r->y; r->w && y < r->y + r->h; y += PST_MAX(r->h - 1, 1))
		sum += *pixmap_at(&p->shown, r->x, y) + *pixmap_at(&p->shown, r->x + r->w - 1, y);
}

static int memory(const uint8_t *data, size_t len)
{
	int fd = memfd_create("screen", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, data, len) < 0)
		abort();
	return fd;
}

static void step(struct dbus_picture *p, struct pst_cursor *c)
{
	uint8_t what = pst_cursor_u8(c);
	int64_t x = (int32_t)pst_cursor_be32(c);
	int64_t y = (int32_t)pst_cursor_be32(c);
	struct dbus_pixels in = { 0 };
	struct dbus_picture next;
	struct pst_err err;
	struct rect r;

	in.width = (int32_t)pst_cursor_be32(c);
	in.height = (int32_t)pst_cursor_be32(c);
	in.stride = pst_cursor_be32(c);
	in.format = pst_cursor_be32(c);
	if (!pst_cursor_ok(c))
		return;
	in.data = c->data + c->at;
	in.len = pst_cursor_left(c);
	if (what & 1) {
		if (dbus_picture_paint(p, x, y, &in, &r, &err) == 0)
			look(p, &r);
		if (dbus_picture_clip(p, x, y, in.width, in.height, &r))
			look(p, &r);
		return;
	}
	int fd = what & 2 ? memory(in.data, in.len) : -1;
	int rc = fd >= 0 ? dbus_picture_map(&next, fd, (uint32_t)x, &in, &err) : dbus_picture_make(&next, &in, &err);

	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return;
	dbus_picture_finish(p);
	*p = next;
	r = (struct rect){ 0, 0, p->shown.width, p->shown.height };
	look(p, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dbus_picture p = { 0 };
	struct pst_cursor c;

	pst_cursor_init(&c, data, size);
	for (int i = 0; i < 16 && pst_cursor_ok(&c); i++)
		step(&p, &c);
	dbus_picture_finish(&p);
	return 0;
}
